# SPDX-License-Identifier: ISC
"""A cell: the private root, processes and spool of one program.

What its processes use is in the account of a control group, which none
leaves.  Its root is an overlay of the machine's, into which packages are unpacked and
whose passwd(5) gets the users that their maintainer scripts would make.  The
spool is a plain directory of the file system that all spools are on.
"""

import mmap
import os
import shutil
import signal
import struct
import subprocess
import threading
import time
from pathlib import Path

ALICE = 64902


class Page:
    """Counters that a tool written in C shares with us, see page.h."""

    def __init__(self, path, *names):
        path.touch()
        with open(path, "r+b") as f:
            f.truncate(4096)
            self.map = mmap.mmap(f.fileno(), 4096)
        self.names = names

    def get(self, name):
        return struct.unpack_from("=Q", self.map, self.names.index(name) * 8)[0]

    def set(self, name, value):
        struct.pack_into("=Q", self.map, self.names.index(name) * 8, value)


def await_true(question, seconds, what, pause=0.005):
    end = time.monotonic() + seconds
    while not question():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s in vain: {what}")
        time.sleep(pause)


class Cell:
    def __init__(self, name, work, spools, spool):
        self.name = name
        self.spool = spool          # its path inside
        base = work / "cells" / name
        shutil.rmtree(base, ignore_errors=True)
        for part in ("upper", "work", "root"):
            (base / part).mkdir(parents=True)
        (spools / name).mkdir()
        self.share = work / "share"
        self.group = work / "cgroup" / f"mxnss-bench-{time.time_ns()}-{name}"
        self.group.mkdir()
        script = f"""set -e
cd {base}
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mount -t tmpfs -o mode=755 tmpfs root/dev
for d in null zero random urandom tty; do
    touch root/dev/$d
    mount --bind /dev/$d root/dev/$d
done
mount -t tmpfs -o mode=1777 tmpfs root/tmp
mount -t tmpfs tmpfs root/run
mkdir -p root/bench root{spool}
mount --bind {self.share} root/bench
mount --bind {spools}/{name} root{spool}
mount --rbind {work}/cgroup root/bench/cgroup
mount -t proc proc root/proc
exec chroot root /bench/cell"""
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child",
             "--propagation", "private", "sh", "-c", script])
        children = Path(f"/proc/{self.process.pid}/task/"
                        f"{self.process.pid}/children")

        def ready():
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"no private root can be made for {name}; is {work} on a "
                    "file system that overlays take?")
            self.init = int((children.read_text().split() or ["0"])[0])
            return Path(f"/proc/{self.init}/root/dev/log").is_socket()
        await_true(ready, 30, f"cell {name}")
        self.pid_namespace = os.readlink(f"/proc/{self.init}/ns/pid")
        self.root = Path(f"/proc/{self.init}/root")
        self.add_user("alice", ALICE)

    # -- files ---------------------------------------------------------------

    def write(self, path, text, mode=0o644):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def add_user(self, name, number, group=None):
        """The user NAME and a group of that name, unless they exist."""
        for file, line in (
                ("group", f"{group or name}:x:{number}:"),
                ("passwd", f"{name}:x:{number}:{number}::/nonexistent:"
                           "/usr/sbin/nologin")):
            path = self.root / "etc" / file
            text = path.read_text()
            if not any(x.startswith(line.split(":")[0] + ":")
                       for x in text.splitlines()):
                path.write_text(text + line + "\n")

    def unpack(self, deb):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                              stdout=subprocess.PIPE) as tar:
            subprocess.run(
                ["tar", "-x", "--keep-directory-symlink", "-C", self.root],
                stdin=tar.stdout, check=True)

    # -- processes -----------------------------------------------------------

    def command(self, *argv, join=True):
        """To be run for ARGV in the cell; JOIN its account at once."""
        enter = ["nsenter", "-t", str(self.init), "-m", "-p", "-r", "-w",
                 "--", *map(str, argv)]
        if not join:
            return enter
        return ["sh", "-c", 'echo 0 >"$0" && exec "$@"',
                str(self.group / "cgroup.procs"), *enter]

    def run(self, *argv, check=True, **more):
        try:
            return subprocess.run(
                self.command(*argv), check=check, text=True, timeout=120,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, **more).stdout
        except subprocess.CalledProcessError as e:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, argv))}: "
                               f"{e.output}") from e

    def sh(self, text, **more):
        return self.run("sh", "-ec", text, **more)

    def spawn(self, *argv):
        """A program that stays, with its output in a file of the cell."""
        with open(self.share / f"{self.name}.log", "a") as log:
            return subprocess.Popen(
                self.command(*argv), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)

    def processes(self):
        """All in the cell but its process 1, by the numbers we see."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if (os.readlink(f"/proc/{pid}/ns/pid") == self.pid_namespace
                        and int(pid) != self.init):
                    found.append(int(pid))
            except OSError:
                pass
        return found

    def kill_all(self):
        """End everything but process 1."""
        while pids := self.processes():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)

    def stop(self):
        self.process.kill()     # and with it, by --kill-child, the cell
        self.process.wait()
        await_true(self.leave_group, 10, f"cell {self.name} ends")

    def leave_group(self):
        try:
            self.group.rmdir()
        except OSError:
            return False
        return True

    # -- accounts ------------------------------------------------------------

    def cpu(self):
        """Seconds that processes of the cell have used, ended ones too."""
        for line in (self.group / "cpu.stat").read_text().splitlines():
            if line.startswith("usage_usec "):
                return int(line.split()[1]) / 1e6
        raise RuntimeError("the control group counts no time")

    def settle(self, seconds=15):
        """Wait until nothing has run for 60 ms; then CPU seconds."""
        end = time.monotonic() + seconds
        before = -1.0
        while (now := self.cpu()) - before > 0.0005:
            before = now
            if time.monotonic() > end:
                break
            time.sleep(0.06)
        return now

    def pss(self):
        """KiB of memory of all processes, shared pages in proportion, and
        how many they are.  Who submits, load.c, is none of the program's."""
        total = count = 0
        for pid in self.processes():
            try:
                if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "load":
                    continue
                count += 1
                with open(f"/proc/{pid}/smaps_rollup") as f:
                    for line in f:
                        if line.startswith("Pss:"):
                            total += int(line.split()[1])
                            break
            except OSError:
                pass
        return total, count


class Watch:
    """Samples memory and processes of a cell while something runs."""

    def __init__(self, cell, pause=0.02):
        self.cell = cell
        self.pause = pause
        self.pss_kb = 0
        self.processes = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.sample)

    def sample(self):
        while True:
            pss, n = self.cell.pss()
            self.pss_kb = max(self.pss_kb, pss)
            self.processes = max(self.processes, n)
            if self.done.wait(self.pause):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
