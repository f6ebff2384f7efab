#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""T-5: power cuts in a model of a file system that is no better than POSIX
demands.

Between two synchronisations any of the changes made since may have reached
the disk, or not: each name in each directory is as it was at the last
fsync(2) of that directory or as it was at any time since; each file likewise.
One thing is better than POSIX, because it was measured on ext4, xfs and
btrfs: fsync(2) of a file also keeps the name that the file was created
under.  Without that (STRICT) sendmail would have to sync a directory that it
cannot open; the test shows that the model then finds mail lost.

That a violation would be found is tested by leaving out each fsync(2) and
fdatasync(2) in turn, and by swapping steps: not in the programs, but in the
record of what they did, which is the same to a file system."""
import os
import random
import sys

import lab
import sweep
import timeline

RANDOM = 6 if sweep.FULL else 1         # states per cut, beside the extremes


class Inode:
    """The versions of a file: (data, mode, mtime), each after one change."""

    def __init__(self, uid, gid, mode, data=b"", mtime=0):
        self.uid, self.gid = uid, gid
        self.versions = [(data, mode, mtime)]
        self.durable = 0

    def change(self, data=None, mode=None, mtime=None):
        old = self.versions[-1]
        self.versions.append((old[0] if data is None else data,
                              old[1] if mode is None else mode,
                              old[2] if mtime is None else mtime))


class Slot:
    """What a name in a directory has meant: inode numbers, or None."""

    def __init__(self):
        self.history = [None]
        self.durable = 0

    def set(self, ino):
        self.history.append(ino)
        return len(self.history) - 1


class Disk:
    def __init__(self, inodes, strict):
        self.strict = strict
        self.place, self.slots, self.inodes = {}, {}, {}
        self.created = {}       # inode -> (slot, index)
        self.renames = []       # (slot, index, slot, index): not torn apart
        for place, (ino, files) in inodes.items():
            self.place[str(ino)] = place
            for name, (number, f) in files.items():
                self.inodes[str(number)] = Inode(f.uid, f.gid, f.mode,
                                                 f.data, f.mtime)
                slot = self.slot(str(ino), name)
                slot.set(str(number))
                slot.durable = 1

    def slot(self, directory, name):
        key = self.place[directory], name
        if key not in self.slots:
            self.slots[key] = Slot()
        return self.slots[key]

    def apply(self, e):
        do = getattr(self, "on_" + e.what, None)
        if do:
            do(*e.args)

    def on_create(self, directory, name, ino, uid, gid, mode):
        self.inodes[ino] = Inode(int(uid), int(gid), int(mode, 8))
        slot = self.slot(directory, name)
        self.created[ino] = slot, slot.set(ino)

    def on_tmpfile(self, ino, uid, gid, mode):
        self.inodes[ino] = Inode(int(uid), int(gid), int(mode, 8))

    def on_link(self, directory, name, ino):
        self.slot(directory, name).set(ino)

    def on_unlink(self, directory, name):
        self.slot(directory, name).set(None)

    def on_rename(self, from_dir, old, to_dir, new):
        a, b = self.slot(from_dir, old), self.slot(to_dir, new)
        ino = a.history[-1]
        self.renames.append((a, a.set(None), b, b.set(ino)))

    def on_write(self, ino, offset, data):
        inode, at, data = self.inodes[ino], int(offset), bytes.fromhex(data)
        old = inode.versions[-1][0].ljust(at, b"\0")
        inode.change(data=old[:at] + data + old[at + len(data):])

    def on_truncate(self, ino, length):
        n = int(length)
        inode = self.inodes[ino]
        inode.change(data=inode.versions[-1][0][:n].ljust(n, b"\0"))

    def on_mode(self, ino, mode):
        self.inodes[ino].change(mode=int(mode, 8))

    def on_time(self, ino, seconds):
        if ino in self.inodes:
            self.inodes[ino].change(mtime=int(seconds))

    def on_fsync(self, ino):
        if ino in self.place:
            for (place, _), slot in self.slots.items():
                if place == self.place[ino]:
                    slot.durable = len(slot.history) - 1
            return
        if ino not in self.inodes:
            return
        self.on_fdatasync(ino)
        if not self.strict and ino in self.created:
            slot, index = self.created[ino]
            slot.durable = max(slot.durable, index)

    def on_fdatasync(self, ino):
        if ino in self.inodes:
            self.inodes[ino].durable = len(self.inodes[ino].versions) - 1

    # --- what may be found after a cut --------------------------------------

    def choices(self):
        """What is not decided: slots and inodes."""
        return [x for x in self.slots.values()
                if x.durable < len(x.history) - 1], \
            [x for x in self.inodes.values()
             if x.durable < len(x.versions) - 1]

    def tree(self, pick, version):
        """PICK(slot): an index; VERSION(inode): (data, mode, mtime)."""
        index = {id(s): pick(s) for s in self.slots.values()}
        # chance does not tear a rename apart; a sync of one side does
        for a, i, b, j in self.renames:
            if index[id(a)] >= i > a.durable and index[id(b)] < j:
                index[id(b)] = j
        found = {}
        for (place, name), slot in self.slots.items():
            ino = slot.history[index[id(slot)]]
            if ino is not None:
                inode = self.inodes[ino]
                data, mode, mtime = version(inode)
                found[place + "/" + name] = lab.File(
                    mode, inode.uid, inode.gid, mtime, data)
        return found

    def states(self, rng, few=False):
        """Trees that may be found: nothing that was not synced has come
        through, all has, all but one, only one, torn data, at random."""
        def first(x):
            return x.durable

        def last(x):
            return len(x.history) - 1

        def kept(x):
            return x.versions[x.durable]

        def newest(x):
            return x.versions[-1]

        slots, inodes = self.choices()
        yield self.tree(first, kept)
        yield self.tree(last, newest)
        yield self.tree(last, kept)
        yield self.tree(first, newest)
        for one in slots:
            yield self.tree(lambda x, o=one: first(x) if x is o else last(x),
                            newest)
            yield self.tree(lambda x, o=one: last(x) if x is o else first(x),
                            kept)
        for one in inodes:
            data, mode, mtime = one.versions[-1]
            old = kept(one)[0]
            new = len(data) - len(old)
            for half in (kept(one), (old, mode, mtime),
                         (data[:len(old) + new // 2], mode, mtime),
                         (old + b"\0" * new, mode, mtime)):
                yield self.tree(last, lambda x, o=one, h=half:
                                h if x is o else newest(x))
        for _ in range(0 if few or not (slots or inodes) else RANDOM):
            yield self.tree(
                lambda x: rng.randint(x.durable, len(x.history) - 1),
                lambda x: x.versions[rng.randint(x.durable,
                                                 len(x.versions) - 1)])


# --- running it -------------------------------------------------------------

CHANGES = {"create", "tmpfile", "link", "unlink", "rename", "write",
           "truncate", "mode", "time", "fsync", "fdatasync", "ack", "mail",
           "quit", "end"}


class Run:
    """All cuts of one recording, or of a version of it."""

    def __init__(self, recording, recovery, rng):
        self.recording = recording
        self.recovery = recovery
        self.rng = rng
        self.states = 0
        self.repeated = 0

    def cut(self, events, strict=False, few=False, until_bad=False,
            start=0):
        """Cut EVENTS after each one from START on.  The violations."""
        disk = Disk(self.recording.inodes, strict)
        past = timeline.Past(self.recording)
        seen, bad = set(), {}
        for i, e in enumerate(events):
            disk.apply(e)
            past.add(e)
            if e.what not in CHANGES or i < start:
                continue
            context = (frozenset(past.acked), len(past.mails),
                       frozenset(past.closed))
            for tree in disk.states(self.rng, few):
                key = lab.digest(tree), context
                if key in seen:
                    continue
                seen.add(key)
                mails, dead, nbad, left, kept, said = self.recovery.run(tree)
                v = past.judge(mails, dead, nbad)
                v.wrong += ["left: " + x for x in left]
                if self.recording.name == "orphans" and not kept:
                    v.lost.append("what is no message")
                self.repeated += bool(v.repeated)
                for text in v.bad():
                    bad.setdefault(text, "cut after %s, with %s\n%s" % (
                        describe(e, disk), sorted(tree), said))
                if bad and until_bad:
                    return bad
        self.states += len(seen)
        return bad


def describe(e, disk=None):
    if e.what in ("mail", "ack", "quit", "end", "lost"):
        return e.what
    args = [disk.place.get(a, a) if disk else a for a in e.args[:3]
            if len(a) < 80]
    return "%s %s" % (e.what, " ".join(args))


def target(recording, events, i):
    """What the sync at I is of, for people."""
    ino = events[i].args[0]
    for place, (number, files) in recording.inodes.items():
        if str(number) == ino:
            return "the directory %s/" % place
        for name, (number, _) in files.items():
            if str(number) == ino:
                return "%s/%s" % (place, "ID.log" if ".log" in name else "ID")
    for e in events[:i]:
        if e.what == "tmpfile" and e.args[0] == ino:
            return "an unnamed file"
        if e.what == "create" and e.args[2] == ino:
            return "the file ID%s" % (
                ".log" if e.args[1].endswith(".log") else "")
    return "?"


# --- teeth ------------------------------------------------------------------

def find(events, what, start=0, test=lambda e: True):
    for i in range(start, len(events)):
        if events[i].what == what and test(events[i]):
            return i
    return None


def moved(events, i, j):
    """Event I comes after event J (or before it, if J is earlier)."""
    rest = events[:i] + events[i + 1:]
    return rest[:j] + [events[i]] + rest[j:]


def swaps(recording):
    """[(name, events)]: orders that would be wrong."""
    ev = recording.events
    found = []

    def add(name, i, j):
        if i is not None and j is not None and i != j:
            found.append((name, moved(ev, i, j)))

    sync = find(ev, "fsync")
    if recording.name == "ok":
        add("sendmail exits before its fsync", find(ev, "ack"), sync)
        mail = find(ev, "mail")
        add("the message is removed before it is delivered",
            find(ev, "unlink", mail or 0), mail)
    if recording.name in ("two", "mixed", "defer"):
        link = find(ev, "link")
        gone = find(ev, "unlink", link or 0)
        add("drop/ID is removed before queue/ID is linked", gone, link)
        add("drop/ID is removed before queue/ is synced", gone,
            find(ev, "fsync", link or 0))
    if recording.name == "half":
        mail = find(ev, "mail")
        writes = [e for e in ev[mail:] if e.what == "write"]
        late = [e for e in ev if e not in writes]
        at = max(i for i, e in enumerate(late) if e.what == "quit") + 1
        found.append(("results are recorded after QUIT",
                      late[:at] + writes + late[at:]))
    if recording.name == "bounce":
        first = find(ev, "link")
        report = find(ev, "link", (first or 0) + 1)
        note = find(ev, "write", report or 0)
        add("the report is recorded before it is linked", note, report)
    return found


def before(events, i):
    """What the same process did before it: with the target, that tells one
    place in the programs from another."""
    for e in reversed(events[:i]):
        if e.proc == events[i].proc and e.what not in ("time", "mode"):
            return e.what
    return "nothing"


def suppressions(events):
    return [i for i, e in enumerate(events)
            if e.what in ("fsync", "fdatasync")]


# What a kill left undone in one run is a power cut's to take in the next.
KILLED = [("retry", "0,3,fsync,killall"), ("bounce", "0,5,fsync,killall"),
          # linked in queue/, and that is not synced; removed from drop/, ...
          ("two", "0,4,fsync,killall"), ("two", "0,5,fsync,killall"),
          ("rcpts", "0,3,fsync,killall")]


def scenario(job):
    """One recording: all its cuts, without the measured fact, and with each
    step missing or misplaced in turn."""
    rng = random.Random("%s %s" % (sweep.SEED, job))
    recording = timeline.Recording(sweep.scenario(job[0]), lab.Worker.key,
                                   kill=job[1])
    name = recording.name
    recovery = timeline.Recovery()
    run = Run(recording, recovery, rng)
    bad = run.cut(recording.events)
    strict = run.cut(recording.events, strict=True, few=True)
    teeth = []
    for i in suppressions(recording.events):
        events = recording.events[:i] + recording.events[i + 1:]
        found = run.cut(events, few=True, until_bad=True, start=i)
        where = (name, "no %s of %s after %s" % (
            recording.events[i].what, target(recording, recording.events, i),
            before(recording.events, i)))
        teeth.append((where, bool(found)))
    for what, events in swaps(recording):
        found = run.cut(events, few=True, until_bad=True)
        teeth.append(((name, what), bool(found)))
    return name, run.states, len(recovery.known), run.repeated, bad, \
        strict, teeth


def main():
    tap = lab.Tap()
    states = trees = repeated = wrong = 0
    strict_lost, syncs = 0, []
    work = [(s.name, None) for s in lab.SCENARIOS + lab.MODEL_SCENARIOS] + \
        KILLED
    with lab.pool() as pool:
        for name, n, known, r, bad, strict, teeth in pool.map(
                scenario, work):
            states += n
            trees += known
            repeated += r
            wrong += len(bad)
            tap.case(not bad, "%s: %d states, none is wrong" % (name, n),
                     [line for x in bad.items() for line in
                      ("%s: %s" % x).replace("\n", "\n    ").split("\n")])
            strict_lost += len(strict)
            syncs += teeth
    tap.case(strict_lost > 0, "where a file's sync does not keep its name, "
             "mail is lost: %d ways" % strict_lost)
    places = {}
    for (name, what), found in syncs:
        places.setdefault(what, []).append((name, found))
    for what, seen in sorted(places.items()):
        caught = [name for name, found in seen if found]
        tap.case(caught, "noticed in %d of %d runs: %s" % (
            len(caught), len(seen), what),
                 () if caught else sorted(name for name, _ in seen))
    tap.figures(crash_states=states, different_spools=trees,
                states_with_an_excused_duplicate=repeated, violations=wrong,
                seed=sweep.SEED)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
