#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""T-2: every system call fails, with each of ten errors; and reads, writes,
sends and receipts of one octet, interrupted every so often.

In sendmail one call fails at a time.  A run of the runner takes several
faults, each PERIOD calls after the last one in the same process, so that
each call of each process fails in one of PERIOD runs: most faults concern
different messages or steps, and what the runner does after a fault is put to
the test by the next one."""
import os
import random
import sys

import lab
import sweep

ERRORS = ("EINTR", "EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EMFILE",
          "ENFILE", "ENOMEM", "EAGAIN")
PERIOD = 23
QUICK = 30      # a quick run takes one fault in that many
# A recipient may get a message again when one of these failed: what was
# delivered could not be written down, or the reply that said so not be read.
RECORD = {"openat", "write", "fsync", "fdatasync", "close", "unlinkat",
          "recvfrom", "poll"}


def put_back():
    """A file that may not be read is moved to bad/: that is no loss, but an
    administrator has to mend it."""
    for name in os.listdir(lab.SPOOL + "/bad"):
        if name != lab.NO_MESSAGE:
            os.rename(lab.SPOOL + "/bad/" + name, lab.SPOOL + "/drop/" + name)


def fail_runner(point):
    name, what, rules = point
    v, said = sweep.disturbed(name, rules, excuse=lambda e: True,
                              mend=put_back if "EACCES" in what else None)
    hits = sweep.read_trace()[1]
    excusable = sum(call in RECORD for _, _, call in hits)
    if v.excused > excusable:
        v.wrong.append("%d duplicates, and %d records that failed" % (
            v.excused, excusable))
    struck = " ".join("%d/%d:%s" % hit for hit in hits)
    return sweep.explain("%s: %s (%s)" % (name, what, " ".join(rules)), v,
                         "struck %s\n%s" % (struck, said)), \
        v.excused, len(hits)


def runner_points(baselines):
    points = []
    for error in ERRORS:
        for name, calls in baselines.items():
            start = sweep.startup(calls)
            if name == "ok":
                points += [(name, "%s at start-up" % error,
                            ["0,%d,*,%s" % (k, error)])
                           for k in range(1, start + 1)]
            points += [(name, "%s, phase %d" % (error, phase),
                        ["0,%d+%d,*,%s" % (start + phase, PERIOD, error),
                         "+,%d+%d,*,%s" % (phase, PERIOD, error)])
                       for phase in range(1, PERIOD + 1)]
    return points


def deaf_points():
    """Workers that cannot be told to leave, nor be killed at once."""
    deaf = "0,1+1,shutdown,EACCES"
    return [("half", "no shutdown", [deaf]),
            ("half", "no shutdown and no kill", [deaf, "0,1,kill,EACCES"])]


def short_points(baselines):
    points = []
    for name in baselines:
        points.append((name, "one octet at a time", ["*,1+1,*,short"]))
        for n in (2, 3, 4, 5):
            for call in ("read", "write", "recvfrom", "sendto", "poll",
                         "recvmsg", "sendmsg", "pread64"):
                points.append((name, "interrupted every %d. %s" % (n, call),
                               ["*,%d+%d,%s,EINTR" % (n, n, call)]))
    return points


def fail_sendmail(points):
    """Each of POINTS; what was committed stays, and is delivered at the end.
    """
    lab.clear()
    lab.Worker.log.read()
    bad, sent = [], []
    for i, (kind, what, rules) in enumerate(points):
        m, status, said, new = sweep.submit(
            kind, "e%d-%s-%s" % (i, lab.Worker.key, what.replace(" ", "")),
            rules=rules)
        where = "sendmail, %s: %s" % (kind, what)
        if status == 0 and new == [0o640]:
            sent.append((where, m, True))
        elif 64 <= status <= 78 and new == []:
            sent.append((where, m, False))
        else:
            bad.append("%s: exit %d, %s in drop/: %s" % (
                where, status, ["%o" % mode for mode in new], said))
    return bad + sweep.deliver_submissions(sent)


def sendmail_points(calls):
    points = [(kind, "%s at call %d %s" % (error, number, call),
               ["0,%d,*,%s" % (number, error)])
              for kind, number, call in calls for error in ERRORS]
    for kind in sweep.SUBMISSIONS:
        if kind != "large":     # a million calls
            points.append((kind, "one octet at a time", ["*,1+1,*,short"]))
        for n in (2, 3, 4, 5):
            points.append((kind, "interrupted every %d. read" % n,
                           ["*,%d+%d,read,EINTR" % (n, n)]))
            points.append((kind, "interrupted every %d. write" % n,
                           ["*,%d+%d,write,EINTR" % (n, n)]))
    return points


def sample(points, rng):
    return rng.sample(points, len(points) if sweep.FULL else
                      len(points) // QUICK + 1)


def main():
    tap = lab.Tap()
    rng = random.Random(sweep.SEED)
    with lab.pool() as pool:
        points = sample(sendmail_points(sweep.submit_baselines(tap, pool)),
                        rng)
        bad = []
        for b in pool.map(fail_sendmail, sweep.chunks(points, 40)):
            bad += b
        tap.case(not bad, "sendmail meets %d errors" % len(points), bad)
        tap.figures(injections=len(points),
                    violations=sweep.violations(bad))

        bases = sweep.baselines(tap, pool)
        points = deaf_points() + sample(
            runner_points(bases) + short_points(bases), rng)
        bad, excused, faults = [], 0, 0
        for b, e, f in pool.map(fail_runner, points, chunksize=4):
            bad += b
            excused += e
            faults += f
        tap.case(not bad, "the runner and its workers meet %d errors" %
                 faults, bad)
        tap.figures(runs=len(points), injections=faults,
                    duplicates_for_want_of_a_record=excused,
                    violations=sweep.violations(bad), seed=sweep.SEED)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
