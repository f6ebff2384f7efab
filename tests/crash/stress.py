#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""T-10: a hundred submitters at a time, four runners of which one works, and
SIGKILL for one of them or of their workers twenty times a second."""
import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

import lab

SUBMITTERS = 100
MESSAGES = {"quick": 1000, "full": 10000, "stress": 100000}[
    os.environ.get("CRASH", "quick")]
RUNNERS = 4
KILL_S = 0.05


def recipients(submitter, n):
    """One in ten goes to two destinations."""
    if n % 10 == 9:
        return ["u@one.example", "u@two.example"]
    return ["u@%s.example" % ("one", "two")[submitter % 2]]


def submit_all(submitter, each, acked):
    """In a process of its own: its messages one after the other; writes the
    identifiers of those that were taken to the descriptor ACKED."""
    if lab.MULTI:
        os.setgroups([])
        os.setgid(lab.ALICE)
        os.setuid(lab.ALICE)
    for n in range(each):
        m = lab.Message("x%d-%d" % (submitter, n), {})
        with tempfile.TemporaryFile() as f:
            f.write(m.text())
            f.seek(0)
            pid = os.posix_spawn(
                lab.SENDMAIL, ["sendmail", "-i", "-f", "alice@sender.example"]
                + recipients(submitter, n), lab.ENV,
                file_actions=[(os.POSIX_SPAWN_DUP2, f.fileno(), 0)])
        if os.waitpid(pid, 0)[1] == 0:
            os.write(acked, b"%d %d\n" % (submitter, n))


def processes():
    """Those that execute the runner: workers are its children."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.readlink(
                    "/proc/%s/exe" % name) == lab.RUNNER:
                found.append(int(name))
        except OSError:
            pass
    return found


class Runners:
    def __init__(self):
        self.log = open(lab.T + "/log/stress", "wb")
        self.children = []
        self.kills = 0
        self.rng = random.Random()

    def keep(self):
        self.children = [c for c in self.children if c.poll() is None]
        while len(self.children) < RUNNERS:
            self.children.append(subprocess.Popen(
                [lab.RUNNER, "--daemon"], stderr=self.log))

    def kill_one(self):
        found = processes()
        if found:
            try:
                os.kill(self.rng.choice(found), signal.SIGKILL)
                self.kills += 1
            except ProcessLookupError:
                pass

    def end(self):
        for pid in processes():
            os.kill(pid, signal.SIGKILL)
        for c in self.children:
            c.wait()


def start_submitters(acked):
    pids = set()
    for i in range(SUBMITTERS):
        pid = os.fork()
        if pid == 0:
            submit_all(i, MESSAGES // SUBMITTERS, acked)
            os._exit(0)
        pids.add(pid)
    return pids


def ended(pids):
    for pid in list(pids):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            pids.discard(pid)
    return not pids



def main():
    tap = lab.Tap()
    lab.start_worker()
    lab.LIMIT = 600     # what is left is sent in one run
    path = lab.T + "/acked"
    acked = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    runners = Runners()
    began = time.monotonic()
    pids = start_submitters(acked)
    # the storm lasts some time longer than the submissions
    calm = None
    while calm is None or time.monotonic() < calm:
        if calm is None and ended(pids):
            calm = time.monotonic() + 2 + MESSAGES / 5000
        runners.keep()
        time.sleep(runners.rng.uniform(0, 2 * KILL_S))
        runners.kill_one()
    runners.end()
    waiting = len(lab.waiting())
    said = lab.recover(rounds=10)
    seconds = time.monotonic() - began

    with open(path, encoding="ascii") as f:
        taken = [tuple(map(int, line.split())) for line in f]
    evidence = lab.Evidence([], lab.Worker.log.read())
    got = collections.defaultdict(list)
    for e in evidence.mails:
        for rcpt in e["rcpts"]:
            got[e["id"], rcpt].append(e)
    bad, repeated = [], 0
    for submitter, n in taken:
        m = lab.Message("x%d-%d" % (submitter, n), {
            r: "sent" for r in recipients(submitter, n)})
        for rcpt in m.fates:
            mine = got[m.id, rcpt]
            if not mine:
                bad.append("lost: %s for %s" % (m.id, rcpt))
            for e in mine:
                if e["sha"] != m.sha:
                    bad.append("not what was sent: %s" % m.id)
            for e in mine[:-1]:
                repeated += 1
                if not evidence.was_cut(e):
                    bad.append("sent again: %s for %s, on connection %d" % (
                        m.id, rcpt, e["c"]))
    bad += ["left: " + x for x in lab.leftovers()]
    tap.case(len(taken) == MESSAGES, "%d of %d messages were taken" % (
        len(taken), MESSAGES))
    tap.case(not bad, "all arrived, and twice only where a worker was killed",
             bad + (["    " + x for x in said.splitlines()] if bad else []))
    tap.figures(messages=len(taken), submitters=SUBMITTERS,
                kills=runners.kills, waiting_after_the_storm=waiting,
                duplicates_in_the_window=repeated,
                violations=len(bad), seconds=round(seconds))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
