#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""T-3: each allocation fails in turn.  In a build with sanitizers nothing
may be read or written that is not allocated either.  What OpenSSL allocates
is the matter of tests/shim/test_tls_memory.c."""
import os
import random
import sys

import lab
import sweep

QUICK = 25      # a quick run takes one allocation in that many


def mark():
    return "%s/struck-%d" % (lab.T, os.getpid())


def given(n):
    """What a program is given so that its N-th allocation fails."""
    return lab.preload("failmalloc.so") + [
        "FAILMALLOC=%d" % n, "FAILMALLOC_MARK=" + mark()]


def struck():
    """Whether an allocation failed."""
    try:
        os.unlink(mark())
        return True
    except FileNotFoundError:
        return False


def crashed(status, said):
    if 128 < status or status == 124:
        return ["ended with %d" % status]
    # what gets an environment of its own looks for leaks, and cannot: it is
    # traced
    said = "\n".join(line for line in said.splitlines()
                     if "LeakSanitizer" not in line)
    if "Sanitizer" in said or "runtime error" in said:
        return ["a sanitizer complains"]
    return []


def count(attempt):
    """How many allocations there are: ATTEMPT(n) is whether the n-th is one.
    """
    low, high = 1, 2
    while attempt(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if attempt(middle):
            low = middle
        else:
            high = middle
    return low


# --- the runner -------------------------------------------------------------

def fail_runner(point):
    name, n = point
    v, said = sweep.disturbed(name, [], give=given(n))
    v.wrong += crashed(0, said)
    hit = struck()
    return sweep.explain("%s: allocation %d" % (name, n), v, said), \
        v.excused, hit


def count_runner(name):
    return name, count(lambda n: fail_runner((name, n))[2])


# --- sendmail ---------------------------------------------------------------

def fail_sendmail(points):
    lab.clear()
    lab.Worker.log.read()
    bad, sent = [], []
    for i, (kind, n) in enumerate(points):
        m, status, said, new = sweep.submit(
            kind, "m%d-%s-%d" % (i, lab.Worker.key, n), give=given(n))
        where = "sendmail, %s: allocation %d" % (kind, n)
        wrong = crashed(status, said)
        if status == 0 and new == [0o640]:
            sent.append((where, m, True))
        elif 64 <= status <= 78 and new == []:
            sent.append((where, m, False))
        elif 64 <= status <= 78 and new == [0o600]:
            # it exits at once, and leaves a file that is no message
            sent.append((where, m, False))
        else:
            wrong.append("exit %d, %s in drop/" % (status, new))
        bad += ["%s: %s" % (where, x) for x in wrong]
        bad += ["    " + x for x in said.splitlines()] if wrong else []
        struck()
    return bad + sweep.deliver_submissions(sent)


def count_sendmail(kind):
    def attempt(n):
        lab.clear()
        sweep.submit(kind, "count", give=given(n))
        return struck()
    return kind, count(attempt)


def sample(points, rng):
    return rng.sample(points, len(points) if sweep.FULL else
                      len(points) // QUICK + 1)


def main():
    tap = lab.Tap()
    rng = random.Random(sweep.SEED)
    with lab.pool() as pool:
        counts = pool.map(count_sendmail, sweep.SUBMISSIONS)
        points = sample([(kind, n) for kind, last in counts
                         for n in range(1, last + 1)], rng)
        bad = []
        for b in pool.map(fail_sendmail, sweep.chunks(points, 40)):
            bad += b
        tap.case(not bad, "sendmail: %d allocations fail" % len(points), bad)
        tap.figures(allocations_failed=len(points),
                    violations=sweep.violations(bad))

        counts = pool.map(count_runner, [s.name for s in lab.SCENARIOS])
        points = sample([(name, n) for name, last in counts
                         for n in range(1, last + 1)], rng)
        bad, excused, hits = [], 0, 0
        for b, e, hit in pool.map(fail_runner, points, chunksize=4):
            bad += b
            excused += e
            hits += hit
        tap.case(not bad, "the runner and its workers: %d allocations fail" %
                 hits, bad)
        tap.figures(allocations_failed=hits,
                    duplicates_in_the_window=excused,
                    violations=sweep.violations(bad), seed=sweep.SEED)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
