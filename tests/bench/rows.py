# SPDX-License-Identifier: ISC
"""The rows of the table: one function each, which measures one program once.

It gets the program, started and with an empty spool, and the world around
it, and returns a dictionary of figures; times are seconds, sizes MiB.
"""

import json
import os
import re
import subprocess
import time

from cell import ALICE, Watch, await_true
from peers import STRACE


class Row:
    def __init__(self, name, title, figures, measure, rounds=3, fits=None,
                 watched=False):
        self.name = name
        self.title = title          # as in the table
        self.figures = figures      # key: (unit, decimals), in order
        self.measure = measure
        self.rounds = rounds
        self.fits = fits or (lambda program: True)
        self.watched = watched      # one more round, for memory


class World:
    """What all programs share: see bench.py."""

    def __init__(self, share, sink, quick):
        self.share = share
        self.sink = sink
        self.scale = 10 if quick else 1

    def submit(self, program, rcpt, n, jobs=1, domains=10, argv=None,
               message="small.eml", apart=False):
        """Submit N messages as alice; what load says about it."""
        command = program.cell.command(
            "/bench/load", "-c",
            f"/bench/cgroup/{program.cell.group.name}/cgroup.procs",
            "-u", ALICE, "-g", ALICE, "-n", n, "-j", jobs,
            "-d", domains, "-m", "/bench/" + message,
            *(["-p", "/bench/sink.page"] if apart else []),
            *(argv or program.sendmail)(rcpt), join=False)
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"load: {done.stderr.strip()[-300:]}")
        said = json.loads(done.stdout)
        if said["failed"] != 0:
            raise RuntimeError(f"{said['failed']} of {n} submissions failed: "
                               f"{done.stderr.strip()[-300:]}")
        return said

    def clear(self, delay_ms=0):
        for name in ("messages", "octets", "connections", "most"):
            self.sink.set(name, 0)
        self.sink.set("most", self.sink.get("open"))
        self.sink.set("delay", delay_ms)

    def arrived(self, n, seconds=120):
        """Wait for N messages; when the last of them came, in ns."""
        await_true(lambda: self.sink.get("messages") >= n, seconds,
                   f"{n} messages arrive ({self.sink.get('messages')} did)")
        return self.sink.get("last")


RCPT = "u@d%.example"


def submission(program, world, apart=False):
    n = 100
    world.clear()
    world.submit(program, RCPT, 3)          # warm
    world.arrived(3)
    before = program.cell.settle()
    world.clear()
    said = world.submit(program, RCPT, n, apart=apart)
    world.arrived(n)
    after = program.cell.settle()
    cpu = after - before - said["own_us"] / 1e6
    return {"min": min(said["ns"]) / 1e6, "median": median(said["ns"]) / 1e6,
            "cpu": cpu * 1000 / n}


def apart(program, world):
    return submission(program, world, apart=True)


def median(values):
    values = sorted(values)
    half = len(values) // 2
    return (values[half] if len(values) % 2 else
            (values[half - 1] + values[half]) / 2)


def drain(program, world, n, jobs, delay_ms=0, watched=False):
    """N messages from JOBS submitters to ten domains."""
    before = program.cell.settle()
    world.clear(delay_ms)
    with Watch(program.cell, 0.02 if watched else 3600) as watch:
        said = world.submit(program, RCPT, n, jobs)
        last = world.arrived(n)
        most = world.sink.get("most")
    after = program.cell.settle()
    world.clear()
    figures = {"wall": (last - said["start"]) / 1e9,
               "cpu": after - before - said["own_us"] / 1e6,
               "connections": most}
    if watched:
        figures["pss"] = watch.pss_kb / 1024
        figures["processes"] = watch.processes
    return figures


def burst(program, world, watched=False):
    return drain(program, world, 1000 // world.scale, 4, watched=watched)


def late(program, world, watched=False):
    return drain(program, world, 500 // world.scale, 4, 30, watched=watched)


def flush(program, world, watched=False):
    n = 5000 // world.scale
    world.clear()
    program.hold()
    said = world.submit(program, RCPT, n, 4, argv=program.held)
    program.await_held(n)
    time.sleep(0.3)
    before = program.cell.settle()
    world.clear()
    with Watch(program.cell, 0.02 if watched else 3600) as watch:
        start = time.monotonic_ns()
        program.flush()
        last = world.arrived(n)
    after = program.cell.settle()
    figures = {"wall": (last - start) / 1e9, "cpu": after - before}
    if watched:
        figures["pss"] = watch.pss_kb / 1024
        figures["processes"] = watch.processes
    return figures


def dead(program, world, watched=False):
    """A destination that swallows what is sent, and others behind it."""
    swallowed, healthy = 200 // world.scale, 50
    world.clear()
    world.submit(program, "u@dead.example", swallowed, 4)
    time.sleep(0.2)
    with Watch(program.cell, 0.05 if watched else 3600) as watch:
        said = world.submit(program, RCPT, healthy, 4)
        last = world.arrived(healthy)
    figures = {"wall": (last - said["start"]) / 1e9,
               "processes": len(program.cell.processes())}
    if watched:
        figures["pss"] = watch.pss_kb / 1024
        figures["processes"] = watch.processes
    program.reset()
    return figures


def large(program, world, watched=False):
    world.clear()
    with Watch(program.cell, 0.001 if watched else 3600) as watch:
        said = world.submit(program, RCPT, 1, message="large.eml")
        last = world.arrived(1)
    program.cell.settle()
    figures = {"submit": said["ns"][0] / 1e9,
               "delivered": (last - said["start"]) / 1e9}
    if watched:
        figures["pss"] = watch.pss_kb / 1024
    return figures


def syncs(program, world):
    """System calls that make data durable, for ten messages; of them, those
    that are made before the submitter is told that all is well."""
    n = 10
    share = world.share
    for file in share.glob(f"{program.name}.trace*"):
        file.unlink()
    program.stop()
    program.strace_start(f"/bench/{program.name}.trace.daemon")
    world.clear()
    trace = f"/bench/{program.name}.trace"
    for i in range(n):
        program.cell.run(
            "sh", "-c", 'exec "$@" < /bench/small.eml', "sh", "strace",
            *STRACE, "-o", f"{trace}.{i}", "-u", "alice",
            *program.sendmail(RCPT.replace("%", str(i))))
    world.arrived(n)
    program.cell.settle()
    time.sleep(1.5)                 # what is synced in batches
    program.cell.settle()
    before = total = directories = 0
    for file in share.glob(f"{program.name}.trace*"):
        ended = main = None
        for line in file.read_text().splitlines():
            pid, _, call = line.partition(" ")
            main = main or pid
            ended = ended or (pid == main and "+++ exited" in call)
            found = re.match(r"\s*(\w+)\((?:\d+<([^>]*)>)?", call)
            if not found or found[1] == "exit_group":
                continue
            total += 1
            before += "daemon" not in file.name and not ended
            path = found[2] or ""
            inside = program.cell.root / path.lstrip("/")
            directories += inside.is_dir()
    program.stop()
    program.start()
    return {"before": before / n, "total": total / n,
            "directories": directories / n}


def idle(programs, world, say):
    """Processes that are there when there has been nothing to do for 35 s;
    for all programs at a time."""
    figures = {}
    for program in programs:
        program.reset()
        getattr(program, "start_idle", lambda: None)()
        world.clear()
        world.submit(program, RCPT, 1)
        world.arrived(1)
    for left in range(35, 0, -1):
        say(f"idle: {left} s")
        time.sleep(1)
    for program in programs:
        figures[program.name] = {
            "processes": len(program.cell.processes()),
            "timers": len(program.timers())}
        program.reset()
    return figures


def fill(program, world, n, place, mtime=None):
    """N messages in PLACE of the spool of a program that is stopped, made of
    ten that were submitted: of nobody who has a limit."""
    spool = program.cell.root / program.spool.lstrip("/")
    world.submit(program, RCPT, 10)
    made = [(f.name, f.read_bytes(), f.unlink())
            for f in (spool / "drop").iterdir()]
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    owner = (spool / "queue").stat().st_uid
    for i in range(n):
        name, data, _ = made[i % len(made)]
        tail = "".join(alphabet[i >> shift & 31] for shift in (15, 10, 5, 0))
        path = spool / place / (name[:-4] + tail)
        path.write_bytes(data)
        os.chown(path, owner, owner)
        path.chmod(0o640)
        if mtime is not None:
            os.utime(path, ns=(mtime * 10**9 + owner,) * 2)
    os.sync()


def growth(program, world, say):
    """CPU time per message, where ever more of them wait at first."""
    figures = {}
    for n in (1000, 10000, 100000):
        say(f"growth: {n // world.scale} messages")
        world.clear()
        program.hold()
        fill(program, world, n // world.scale, "drop")
        before = program.cell.settle()
        start = time.monotonic_ns()
        program.flush()
        last = world.arrived(n // world.scale, 300)
        figures[f"cpu{n}"] = (program.cell.settle() - before) * 1e6 * \
            world.scale / n
        figures[f"wall{n}"] = (last - start) / 1e3 * world.scale / n
        program.reset()
    figures["ratio"] = max(figures["cpu10000"],
                           figures["cpu100000"]) / figures["cpu1000"]
    return figures


def timed(program, *commands):
    """What each takes, the best of eight in turns: the caches are warm."""
    took = [[] for _ in commands]
    for _ in range(9):
        for command, times in zip(commands, took):
            start = time.monotonic()
            program.cell.run(*command)
            times.append(time.monotonic() - start)
    return [min(times[1:]) for times in took]


def scan(program, world, say):
    """A runner looks at 100,000 messages that wait for another hour, also with
    a journal for each; and what the kernel takes to tell find(1) their
    times."""
    n = 100000 // world.scale
    say(f"scan: {n} messages")
    program.hold()
    fill(program, world, n, "queue", int(time.time()) + 3600)
    queue = program.cell.root / program.spool.lstrip("/") / "queue"
    runner = [program.runner, "--once"]
    find = ["find", f"{program.spool}/queue", "-mmin", "+0"]
    took, found = timed(program, runner, find)
    for name in os.listdir(queue):
        journal = queue / f"{name}.log"
        journal.touch(0o640)
        os.chown(journal, queue.stat().st_uid, -1)
    journals = timed(program, runner)[0]
    trace = f"/bench/{program.name}.opens"
    program.cell.run("strace", "-f", "-e", "trace=open,openat,openat2",
                     "-o", trace, *runner)
    text = (world.share / f"{program.name}.opens").read_text()
    opens = len(re.findall(r'"(?:[^"]*/)?[0-9A-Z]{20}(?:\.log)?"', text))
    left = len(os.listdir(queue))
    if left != 2 * n:
        raise RuntimeError(f"{2 * n - left} of {2 * n} files went")
    program.reset()
    return {"scan": took, "journals": journals, "find": found,
            "opens": opens}


def queues(program):
    return program.queues


def routes(program):
    return program.queues and program.finds_mx


def holds(program):
    return program.holds


ROWS = (
    Row("submit", "durable submission of 2 KB, 100 in a row",
        {"min": ("ms", 2), "median": ("ms", 2), "cpu": ("CPU ms", 2)},
        submission, rounds=5),
    Row("apart", "the same, each when the one before has been delivered",
        {"min": ("ms", 2), "median": ("ms", 2), "cpu": ("CPU ms", 2)},
        apart, rounds=2),
    Row("syncs", "synchronising calls per message: before exit, in all",
        {"before": ("before", 1), "total": ("in all", 1),
         "directories": ("of directories", 1)}, syncs, rounds=1),
    Row("burst", "1,000 messages, 4 submitters, 10 domains",
        {"wall": ("s", 2), "cpu": ("CPU s", 2), "pss": ("MiB", 0)},
        burst, watched=True),
    Row("late", "500, every reply 30 ms late",
        {"wall": ("s", 2), "connections": ("connections", 0),
         "pss": ("MiB", 0)}, late, watched=True),
    Row("flush", "5,000 queued, then flushed",
        {"wall": ("s", 2), "cpu": ("CPU s", 2), "pss": ("MiB", 0)},
        flush, rounds=1, fits=holds, watched=True),
    Row("dead", "50 behind 200 to a host that swallows SYNs",
        {"wall": ("s", 2), "processes": ("processes", 0)}, dead,
        fits=routes, watched=True),
    Row("large", "one message of 25 MB",
        {"submit": ("s submit", 3), "delivered": ("s delivered", 3),
         "pss": ("MiB", 1)}, large, watched=True),
)
