#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""T-1: SIGKILL at every system call: one process, or all of them."""
import random
import sys

import lab
import sweep

QUICK = 25      # a quick run takes one point in that many
# Where it matters that all processes die, not only one.
CHANGES = {"write", "fsync", "fdatasync", "linkat", "unlinkat", "renameat",
           "renameat2", "utimensat", "recvfrom"}


def kill_runner(point):
    name, proc, number, call, action = point
    v, said = sweep.disturbed(name, ["%d,%d,*,%s" % (proc, number, action)])
    return sweep.explain("%s: %s at call %d of process %d, %s" % (
        name, action, number, proc, call), v, said), v.excused


def runner_points(baselines):
    points = []
    for name, calls in baselines.items():
        for proc, number, call in calls:
            # what comes before the spool is opened is the same in all
            early = proc == 0 and number <= sweep.startup(calls)
            if early and name != "ok":
                continue
            points.append((name, proc, number, call, "kill"))
            if call in CHANGES and not early:
                points.append((name, proc, number, call, "killall"))
    return points


def kill_sendmail(points):
    """Each of POINTS; what was committed stays, and is delivered at the end.
    """
    lab.clear()
    lab.Worker.log.read()
    bad, sent, half, late = [], [], 0, 0
    for i, (kind, number, call) in enumerate(points):
        m, status, said, new = sweep.submit(
            kind, "k%d-%s-%d" % (i, lab.Worker.key, number),
            rules=["0,%d,*,kill" % number])
        where = "sendmail, %s: killed at call %d, %s" % (kind, number, call)
        committed = new == [0o640]
        if status not in (0, 137) or (status == 0 and not committed):
            bad.append("%s: exit %d: %s" % (where, status, said))
        late += status != 0 and committed
        half += len(new) - committed
        sent.append((where, m, committed))
    return bad + sweep.deliver_submissions(sent), half, late


def sample(points, rng):
    """All of them, or a few that differ from run to run; in any order."""
    return rng.sample(points, len(points) if sweep.FULL else
                      len(points) // QUICK + 1)


def main():
    tap = lab.Tap()
    rng = random.Random(sweep.SEED)
    with lab.pool() as pool:
        points = sample(sweep.submit_baselines(tap, pool), rng)
        bad, half, late = [], 0, 0
        for b, h, l in pool.map(kill_sendmail,
                                sweep.chunks(points, 40)):
            bad += b
            half += h
            late += l
        tap.case(not bad, "sendmail killed at %d points" % len(points), bad)
        tap.figures(kill_points=len(points), unfinished_files=half,
                    committed_without_an_answer=late,
                    violations=sweep.violations(bad))

        points = sample(runner_points(sweep.baselines(tap, pool)), rng)
        bad, excused = [], 0
        for b, e in pool.map(kill_runner, points, chunksize=4):
            bad += b
            excused += e
        tap.case(not bad, "the runner and its workers killed at %d points" %
                 len(points), bad)
        tap.figures(kill_points=len(points),
                    duplicates_in_the_window=excused,
                    violations=sweep.violations(bad), seed=sweep.SEED)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
