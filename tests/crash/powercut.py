#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""T-4: power cuts on real file systems.

The spool lies on a block device that remembers each write and each flush
(blocklog.c).  A crash state is what is on the disk when the power goes at
one of them: all that was written before the last flush, and of what came
later all, nothing, or any part.  Each state is mounted, so that the journal
of the file system is replayed; what is found in the spool is what the runner
goes on with."""
import bisect
import ctypes
import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import time

import lab
import sweep
import timeline

# name: (type, MiB, mkfs, mount options)
SYSTEMS = {
    "ext4": ("ext4", 32, ["mkfs.ext4", "-q", "-F", "-E", "nodiscard"],
             "commit=300,nodiscard"),
    "ext4 writeback": ("ext4", 32, ["mkfs.ext4", "-q", "-F", "-E",
                                    "nodiscard"],
                       "commit=300,nodiscard,data=writeback"),
    "xfs": ("xfs", 64, ["mkfs.xfs", "-q", "-f", "-K", "--unsupported", "-d",
                        "agcount=1", "-l", "size=8m"], "nodiscard"),
    "btrfs": ("btrfs", 110, ["mkfs.btrfs", "-q", "-f", "-K", "-m", "single",
                             "-d", "single"], "commit=300,nodiscard"),
}
SUBSETS = 3     # random ones for each stretch between two flushes
HEAD = struct.Struct("4Q")
WRITE, FLUSH = 1, 2
LOOP_SET_FD, LOOP_CLR_FD, LOOP_CTL_GET_FREE = 0x4C00, 0x4C01, 0x4C82
MS_RDONLY, MNT_DETACH = 1, 2


# --- mounting ---------------------------------------------------------------

def mount(device, where, kind, options, flags=0):
    if lab.libc.mount(device.encode(), where.encode(), kind.encode(), flags,
                      options.encode()) != 0:
        error = ctypes.get_errno()
        raise OSError(error, "mount %s: %s" % (kind, os.strerror(error)))


def umount(where):
    while lab.libc.umount2(where.encode(), 0) != 0:
        if ctypes.get_errno() != 16:    # busy
            raise OSError(ctypes.get_errno(), "umount " + where)
        time.sleep(0.01)


class Loop:
    """A loop device over a file."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR)

    def __enter__(self):
        for _ in range(100):
            with open("/dev/loop-control", "rb") as control:
                n = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
            self.name = "/dev/loop%d" % n
            if not os.path.exists(self.name):
                os.mknod(self.name, 0o600 | 0o060000, os.makedev(7, n))
            self.fd = os.open(self.name, os.O_RDWR)
            try:
                fcntl.ioctl(self.fd, LOOP_SET_FD, self.file)
                return self.name
            except OSError:     # somebody was faster
                os.close(self.fd)
                time.sleep(0.01)
        raise OSError("no loop device is free")

    def __exit__(self, *_):
        fcntl.ioctl(self.fd, LOOP_CLR_FD)
        os.close(self.fd)
        os.close(self.file)


def copy_sparse(source, target):
    """A copy without the holes."""
    with open(source, "rb") as f, open(target, "wb") as to:
        size = os.fstat(f.fileno()).st_size
        to.truncate(size)
        at = 0
        while True:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            end = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            os.lseek(f.fileno(), at, os.SEEK_SET)
            os.lseek(to.fileno(), at, os.SEEK_SET)
            left = end - at
            while left > 0:
                left -= os.sendfile(to.fileno(), f.fileno(), None, left)
            at = end


# --- recording --------------------------------------------------------------

class Record:
    def __init__(self, kind, offset, data, t):
        self.kind, self.offset, self.data, self.t = kind, offset, data, t


def read_log(path):
    records = []
    with open(path, "rb") as f:
        while True:
            head = f.read(HEAD.size)
            if len(head) < HEAD.size:
                return records
            kind, offset, length, t = HEAD.unpack(head)
            records.append(Record(kind, offset, f.read(length), t))


class Disk:
    """An image with an empty spool, and how to run on it."""

    def __init__(self, system):
        self.kind, size, mkfs, self.options = SYSTEMS[system]
        self.dir = "%s/disk-%d" % (lab.T, os.getpid())
        os.makedirs(self.dir + "/fuse", exist_ok=True)
        os.makedirs(self.dir + "/mnt", exist_ok=True)
        self.base = self.dir + "/base"
        with open(self.base, "wb") as f:
            f.truncate(size << 20)
        subprocess.run(mkfs + [self.base], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fill(self, tree):
        """The spool has TREE before anything is recorded."""
        with Loop(self.base) as device:
            mount(device, self.dir + "/mnt", self.kind, self.options)
            spool = self.dir + "/mnt/spool"
            if not os.path.exists(spool):
                lab.make_spool(spool)
            lab.write_tree(tree, spool)
            umount(self.dir + "/mnt")

    def record(self, run):
        """RUN() with the spool on the disk.  The records, and from when to
        when it ran."""
        work, log = self.dir + "/work", self.dir + "/log"
        copy_sparse(self.base, work)
        fuse = subprocess.Popen([lab.TOOLS + "/blocklog", work, log,
                                 self.dir + "/fuse", "-f", "-s"])
        try:
            while not os.path.exists(self.dir + "/fuse/disk"):
                if fuse.poll() is not None:
                    raise OSError("blocklog does not work")
                time.sleep(0.01)
            with Loop(self.dir + "/fuse/disk") as device:
                mount(device, self.dir + "/mnt", self.kind, self.options)
                # what mounting wrote is not of the run
                fd = os.open(self.dir + "/mnt", os.O_RDONLY)
                lab.libc.syncfs(fd)
                os.close(fd)
                lab.libc.mount((self.dir + "/mnt/spool").encode(),
                               lab.SPOOL.encode(), None, 4096, None)
                begin = time.monotonic_ns()
                try:
                    run()
                finally:
                    end = time.monotonic_ns()
                    umount(lab.SPOOL)
                    umount(self.dir + "/mnt")
        finally:
            umount(self.dir + "/fuse")
            fuse.wait()
        return read_log(log), begin, end

    def spool_of(self, records, chosen):
        """The spool on a disk that has RECORDS and those of CHOSEN."""
        state = self.dir + "/state"
        copy_sparse(self.base, state)
        with open(state, "r+b") as f:
            for r in records + chosen:
                if r.kind == WRITE:
                    f.seek(r.offset)
                    f.write(r.data)
        with Loop(state) as device:
            mount(device, self.dir + "/mnt", self.kind, self.options)
            try:
                return lab.read_tree(self.dir + "/mnt/spool")
            finally:
                umount(self.dir + "/mnt")

    def remove(self):
        shutil.rmtree(self.dir)


# --- cutting ----------------------------------------------------------------

def states(records, begin, end, times, rng):
    """(prefix, chosen, time): what may be on the disk when the power goes
    just before TIME: at each write and flush, and at each of TIMES."""
    begin = bisect.bisect_left([r.t for r in records], begin)
    subsets = {}
    for t in sorted(set([r.t for r in records[begin:] if r.t < end] +
                        [t for t in times if t < end] + [end])):
        i = bisect.bisect_left([r.t for r in records], t)
        flushed = max([n + 1 for n in range(begin, i)
                       if records[n].kind == FLUSH], default=begin)
        since = records[flushed:i]
        yield records[:flushed], since, t
        if since:
            yield records[:flushed], [], t
        if len(since) > 1:
            # new ones as there are more to choose from
            some = subsets.setdefault(flushed, [])
            if len(some) < SUBSETS or rng.random() < 0.3:
                some.append([r for r in since if rng.random() < 0.5])
            for chosen in some[-SUBSETS:]:
                yield records[:flushed], chosen, t


class Cuts:
    def __init__(self, disk, recording, recovery, rng):
        self.disk, self.recording = disk, recording
        self.recovery, self.rng = recovery, rng
        self.images = {}

    def tree(self, prefix, chosen):
        key = len(prefix), tuple(r.t for r in chosen)
        if key not in self.images:
            self.images[key] = self.disk.spool_of(prefix, chosen)
        return self.images[key]

    def run(self, records, begin, end):
        bad, repeated, seen = {}, 0, set()
        past = timeline.Past(self.recording)
        events, at = self.recording.events, 0
        for prefix, chosen, t in states(records, begin, end,
                                        [e.t + 1 for e in events], self.rng):
            while at < len(events) and events[at].t < t:
                past.add(events[at])
                at += 1
            key = (len(prefix), tuple(r.t for r in chosen),
                   len(past.acked), len(past.mails), len(past.closed))
            if key in seen:
                continue
            seen.add(key)
            mails, dead, nbad, left, _, said = self.recovery.run(
                self.tree(prefix, chosen))
            v = past.judge(mails, dead, nbad)
            v.wrong += ["left: " + x for x in left]
            repeated += bool(v.repeated)
            for text in v.bad():
                bad.setdefault(text, "cut %.1f ms after the start, %d writes "
                               "since the last flush\n%s" % (
                                   (t - begin) / 1e6, len(chosen), said))
        return bad, repeated, len(seen)


# What must be noticed on every file system: (scenario, rules for sendmail,
# rules for the runner, what is missing).
TEETH = (
    ("ok", ["0,1+1,fsync,skip"], [], "sendmail does not sync"),
    ("ok", [], ["*,1+1,fsync,skip"], "the runner syncs no directory"),
    ("half", [], ["*,1+1,fsync,skip", "*,1+1,fdatasync,skip"],
     "the runner syncs nothing"),
)


def scenario(job):
    system, name, submit_rules, rules, missing = job
    rng = random.Random("%s %s" % (sweep.SEED, job))
    s = sweep.scenario(name)
    disk = Disk(system)
    recording = timeline.Recording.on_disk(s, lab.Worker.key, disk,
                                           submit_rules, rules)
    cuts = Cuts(disk, recording, timeline.Recovery(), rng)
    bad, repeated, n = cuts.run(*recording.log)
    disk.remove()
    return system, name, missing, n, len(cuts.images), repeated, bad


def missing_here():
    """Why this cannot be done here, or None."""
    if not lab.MULTI:
        return "needs root, to mount file systems"
    if not os.path.exists(lab.TOOLS + "/blocklog"):
        return "libfuse3 was not there when this was built"
    for device in ("/dev/fuse", "/dev/loop-control"):
        try:
            os.close(os.open(device, os.O_RDWR))
        except OSError as e:
            return "%s: %s" % (device, e.strerror)
    return None


def usable(system):
    """Why this file system cannot be used here, or None."""
    try:
        disk = Disk(system)
        disk.fill({})
        disk.remove()
    except (OSError, subprocess.CalledProcessError) as e:
        return str(e)
    return None


def main():
    tap = lab.Tap()
    why = missing_here()
    if why:
        print("1..0 # SKIP " + why)
        return 77
    with lab.pool() as pool:
        systems = []
        for system in SYSTEMS:
            why = pool.submit(usable, system).result()
            if why:
                tap.skip("power cuts on " + system, why)
            else:
                systems.append(system)
        names = [s.name for s in lab.SCENARIOS]
        if not sweep.FULL:
            names = random.sample(names, 2)
        # again: what runs at the same time may come in another order
        work = [(system, name, [], [], None) for system in systems
                for name in names * (3 if sweep.FULL else 1)]
        if sweep.FULL:
            work += [(system,) + tooth for system in systems
                     for tooth in TEETH]
        cut = images = repeated = wrong = 0
        for system, name, missing, n, m, r, bad in pool.map(
                scenario, work):
            if missing:
                tap.case(bad, "%s, %s: noticed that %s" % (system, name,
                                                           missing))
                continue
            cut += n
            images += m
            repeated += r
            wrong += len(bad)
            tap.case(not bad, "%s, %s: %d crash states" % (system, name, n), [
                line for x in bad.items() for line in
                ("%s: %s" % x).replace("\n", "\n    ").split("\n")])
    tap.figures(crash_states=cut, different_disks=images,
                states_with_an_excused_duplicate=repeated,
                violations=wrong, seed=sweep.SEED)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
