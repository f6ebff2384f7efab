# SPDX-License-Identifier: ISC
"""What happened in one run of a scenario, in order: the changes that the
programs made in the spool, what they promised, what the receiver took.  T-4
and T-5 cut it short at every point, and judge by it."""
import collections
import os

import lab

# WHAT is that of inject.c, or
#	ack MESSAGE		sendmail has exited with 0
#	mail EVENT		the receiver took a message
#	quit CONNECTION		the client was done
#	end			the runner has exited
Event = collections.namedtuple("Event", "t proc what args")


def read_trace(path, own):
    """The changes in a trace of inject, and OWN at its end if COMMAND
    exited with 0."""
    events = []
    with open(path, encoding="ascii") as f:
        for line in f:
            word = line.split()
            if word[3] == "exit":
                if word[1] == "0" and word[4] == "0":
                    events.append(Event(int(word[0]), 0, *own))
            elif len(word) > 5:
                events.append(Event(int(word[0]), int(word[1]), word[5],
                                    word[6:]))
    return events


def in_order(events):
    """By time; but the tracer may hear that a file was made after another
    process has found and used it."""
    found, seen = [], set()
    events = sorted(events, key=lambda e: e.t)
    made = {e.args[-4]: e for e in events if e.what in ("create", "tmpfile")}
    for e in events:
        if e.what in ("create", "tmpfile"):
            inode, again = e.args[-4], True
        else:
            inode, again = e.args[0] if isinstance(e.args, list) else None, \
                False
        if inode in made and inode not in seen:
            seen.add(inode)
            found.append(made[inode])
        if not again:
            found.append(e)
    return found


class Recording:
    """A run of SCENARIO: how the spool was before (INODES), the EVENTS, the
    MESSAGES.  With KILL, a rule, another run comes first, which ends so."""

    def __init__(self, scenario, key, kill=None):
        self.scenario, self.key = scenario, key
        self.name = scenario.name + (" after a kill" if kill else "")
        self.path = "%s/trace-%d" % (lab.T, os.getpid())
        self.events = []
        self.log = None
        log = lab.SinkLog()
        self.prepare()
        self.prior = [e for e in log.read() if e["e"] == "mail"]
        self.inodes = self.look()
        self.run(kill=kill)
        self.add_mail(log)

    @classmethod
    def on_disk(cls, scenario, key, disk, submit_rules, rules):
        """The same with the spool on DISK, which writes LOG: what
        disk.record() returns."""
        self = cls.__new__(cls)
        self.scenario, self.key, self.name = scenario, key, scenario.name
        self.path = "%s/trace-%d" % (lab.T, os.getpid())
        self.events = []
        log = lab.SinkLog()
        disk.fill(self.prepare())
        self.prior = [e for e in log.read() if e["e"] == "mail"]
        self.log = disk.record(lambda: self.run(submit_rules, rules))
        self.add_mail(log)
        return self

    def prepare(self):
        s = self.scenario
        lab.clear()
        if s.before:
            tree, self.messages = s.prepare(self.key)
            self.early = range(len(self.messages))
            return tree
        self.messages = s.messages("%s-%s" % (s.name, self.key))
        self.early = ()
        return {}

    def run(self, submit_rules=(), rules=(), kill=None):
        for i, m in enumerate(self.messages if not self.early else ()):
            status, said = m.submit(trace=self.path, record=True,
                                    rules=submit_rules)
            if status != 0:
                raise RuntimeError("sendmail exits %d: %s" % (status, said))
            self.add(2000, ("ack", i))
        if kill:
            self.scenario.disturb(self.key, trace=self.path, record=True,
                                  rules=[kill])
            self.add(1000, ("killed", None))
            lab.make_due()
        status, said = self.scenario.disturb(self.key, trace=self.path,
                                             record=True, rules=rules)
        if status != 0:
            raise RuntimeError("the runner exits %d: %s" % (status, said))
        self.add(0, ("end", None))

    def add(self, first, own):
        """What the last run did.  FIRST keeps its processes from those of
        others."""
        self.events += [e._replace(proc=e.proc + first) for e in
                        read_trace(self.path, own)]

    def add_mail(self, log):
        for e in log.read():
            what = {"mail": ("mail", e), "quit": ("quit", e["c"]),
                    "lost": ("lost", e["c"])}[e["e"]]
            self.events.append(Event(e["t"], -1, *what))
        self.events = in_order(self.events)

    @staticmethod
    def look():
        """{directory: (inode, {name: (inode, File)})}"""
        tree, found = lab.read_tree(), {}
        for place in lab.PLACES:
            at = lab.SPOOL + "/" + place
            found[place] = os.stat(at).st_ino, {
                name: (os.lstat(at + "/" + name).st_ino,
                       tree[place + "/" + name])
                for name in os.listdir(at)}
        return found


class Past:
    """What a cut can tell of the events before it."""

    def __init__(self, recording):
        self.acked = set(recording.early)
        self.mails = list(recording.prior)
        self.closed = set()     # deliveries that may not be repeated now
        self.open = {}          # connection -> deliveries
        self.messages = recording.messages

    def add(self, e):
        if e.what == "ack":
            self.acked.add(e.args)
        elif e.what == "mail":
            self.mails.append(e.args)
            # another recipient still waits: there must be a record
            if not self.is_last(e.args):
                self.open.setdefault(e.args["c"], []).append(e.args["t"])
        elif e.what == "quit":
            self.closed.update(self.open.get(e.args, ()))
        elif e.what == "end":
            self.closed.update(m["t"] for m in self.mails)

    def is_last(self, mail):
        """Whether MAIL served the last recipient of its message."""
        for m in self.messages:
            if m.id == mail["id"]:
                done = [r for e in self.mails for r in e["rcpts"]
                        if e["id"] == m.id] + [
                            r for e in self.mails if e.get("of") == m.id
                            for r in e["failed"]]
                return all(r in done for r in m.fates)
        return True             # a report has one recipient

    def judge(self, after, dead, bad):
        """AFTER: what the receiver took after the cut; DEAD, BAD: what is in
        these directories then."""
        evidence = lab.Evidence(self.mails, after)
        total = lab.Verdict()
        now = max([e["t"] for e in self.mails], default=0)
        for i, m in enumerate(self.messages):
            v = lab.judge([m], evidence, lambda e: e["t"] not in self.closed
                          and e["t"] <= now, dead, unsure=i not in self.acked)
            total.lost += v.lost
            total.wrong += v.wrong
            total.repeated |= v.repeated
        if bad > len(self.messages) - len(self.acked):
            total.lost.append("%d files are in bad/" % bad)
        return total


class Recovery:
    """What the runner makes of a tree, found out once for each tree."""

    def __init__(self):
        self.known = {}
        self.log = lab.SinkLog()

    def run(self, tree):
        key = lab.digest(tree)
        if key not in self.known:
            lab.write_tree(tree)
            said = lab.recover()
            mails = [e for e in self.log.read() if e["e"] == "mail"]
            # nobody's mail, but an administrator may want to see it
            kept = lab.NO_MESSAGE_DATA in [
                f.data for f in lab.read_tree().values()]
            self.known[key] = (mails, lab.dead_files(), len(lab.bad_files()),
                               lab.waiting(), kept, said)
        return self.known[key]
