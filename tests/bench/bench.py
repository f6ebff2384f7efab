# SPDX-License-Identifier: ISC
"""mxnss against the programs that people use today.

Method.  All programs run on the same machine in the same run, in turns (A B
C A B C ...), so that what else the machine does spoils all alike; look at
the ratios and the minima before you look at milliseconds.  Each lives in a
cell: an overlay of the machine's root with its Debian packages unpacked into
it (nothing is installed), a process namespace of its own, and a spool on the
file system that all spools are on, which must be a real one: what is synced
there reaches a disk.  By default that is an ext4 of its own, as mkfs.ext4(8)
makes it, in a file: it has a journal, as installed systems have, and no past.
(Without a journal each new file costs the more the more were removed in the
last minutes.)  The table states the synchronising system calls of each,
because durability is what is paid for.

The network is private.  Name server (nsd, 127.0.0.1) and receiver (sink.c,
one process that accepts and counts) are the same for all; domains d0 to d9
have one exchanger each.  Programs that cannot find exchangers (nullmailer,
msmtp) are given one as smarthost.  Mail is submitted by an ordinary user,
through load.c; a message has 2 KB.  CPU time is that of all processes of the
program, submission included, however they detach: a control group keeps the
account.  The receiver's and the name server's are not in it.  Memory is the greatest sum of the
proportional set sizes of all processes of the program, sampled in a round
of its own whose time does not count.

Figures are medians over the rounds; where a submission has a minimum, it is
that of all rounds.  A dash is a thing that the program does not do.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import peers
import report
import rows
from cell import Page, await_true

BUILD = Path("tests/bench")
TOOLS = ("cell", "load", "sink")
NOT_REAL = {"tmpfs", "ramfs", "overlayfs", "overlay", "aufs"}


def parse(argv):
    p = argparse.ArgumentParser(
        prog="tests/bench/run", formatter_class=argparse.RawTextHelpFormatter,
        description=__doc__)
    p.add_argument("--rows", metavar="LIST",
                   help="only these rows, by commas (--list tells them)")
    p.add_argument("--peers", metavar="LIST",
                   help="only these peers beside mxnss; `none' for none")
    p.add_argument("--rounds", type=int, metavar="N",
                   help="rounds of each row (its own number if not given)")
    p.add_argument("--quick", action="store_true",
                   help="a tenth of the messages: to see that it works")
    p.add_argument("--dir", metavar="DIR", type=Path,
                   help="where roots and spools are made, on a real file\n"
                        "system (tests/bench/work in the build directory)")
    p.add_argument("--no-image", action="store_true",
                   help="spools in DIR itself, not on a file system of\n"
                        "their own in a file there")
    p.add_argument("--json", metavar="FILE", type=Path,
                   help="write all figures of all rounds there (- is stdout)")
    p.add_argument("--write", metavar="FILE", type=Path,
                   help="put the table into this Markdown file, between the\n"
                        "lines <!-- bench --> and <!-- /bench -->")
    p.add_argument("--list", action="store_true",
                   help="name rows and peers and end")
    p.add_argument("--fetch", action="store_true", help=argparse.SUPPRESS)
    return p.parse_args(argv)


def chosen(words, all_names, what):
    if words is None:
        return list(all_names)
    names = [w for w in words.split(",") if w not in ("", "none")]
    for name in names:
        if name not in all_names:
            sys.exit(f"bench: no {what} {name}: there are "
                     f"{', '.join(all_names)}")
    return names


def say(text):
    """Progress, where somebody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def note(text):
    say("")
    print(f"bench: {text}", file=sys.stderr, flush=True)


def file_system(directory):
    """Its kind, which must be a real one."""
    kind = subprocess.run(["stat", "-f", "-c", "%T", directory], text=True,
                          check=True, stdout=subprocess.PIPE).stdout.strip()
    if kind in NOT_REAL:
        sys.exit(f"bench: {directory} is on {kind}, where a sync costs "
                 "nothing; give --dir on a disk")
    return kind.replace("ext2/ext3", "ext4")


def mount_spools(work, image):
    """The directory that spools are made in, and what it is on."""
    spools = work / "spools"
    shutil.rmtree(spools, ignore_errors=True)
    spools.mkdir()
    kind = file_system(work)
    if not image:
        return spools, kind
    file = work / "image"
    with open(file, "wb") as f:
        f.truncate(4 << 30)     # sparse; it is for the inodes
    subprocess.run(["mkfs.ext4", "-q", "-F", file], check=True)
    subprocess.run(["mount", "-o", "loop", file, spools], check=True)
    return spools, f"ext4 in a file on {kind}"


# -- the world -----------------------------------------------------------------

def messages(share):
    """2 KB and 25 MB of text with a short header."""
    header = ("From: Alice <alice@sender.example>\nTo: u@example\n"
              "Subject: a message of the benchmark\n\n")
    line = "The quick brown fox jumps over the lazy dog, 0123456789 times.\n"
    for name, size in (("small.eml", 2048), ("large.eml", 25 * 1000 * 1000)):
        count = (size - len(header)) // len(line)
        (share / name).write_text(header + line * count)


def zone(share):
    lines = ["$ORIGIN example.", "$TTL 3600",
             "@ SOA ns hostmaster 1 3600 600 86400 60", "@ NS ns",
             "ns A 192.0.2.1", "client.sender A 192.0.2.1",
             "sender MX 10 mx0", "dead MX 10 nobody", "nobody A 192.0.2.99"]
    for i in range(10):
        lines += [f"d{i} MX 10 mx{i}", f"mx{i} A 192.0.2.{10 + i}"]
    (share / "example.zone").write_text("\n".join(lines) + "\n")
    (share / "nsd.conf").write_text(f"""server:
    ip-address: 127.0.0.1
    port: 53
    username: ""
    chroot: ""
    zonesdir: "{share}"
    database: ""
    pidfile: "{share}/nsd.pid"
    xfrdfile: "{share}/xfrd.state"
    xfrdir: "{share}"
    zonelistfile: "{share}/zone.list"
    server-count: 1
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
    logfile: "{share}/nsd.log"
remote-control:
    control-enable: no
zone:
    name: example.
    zonefile: example.zone
""")


def ip(*argv, there=None):
    enter = ["nsenter", f"--net=/proc/{there}/ns/net", "--"] if there else []
    return subprocess.run([*enter, "ip", *argv], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def network(sink):
    """This side is 192.0.2.1; the other side of a veth has the receivers in
    SINK's network namespace, because no sender sends to its own addresses.
    192.0.2.99 has a hardware address and nobody behind it."""
    ip("link", "set", "lo", "up")
    ip("link", "add", "mx0", "type", "veth", "peer", "name", "mx1")
    ip("link", "set", "mx1", "netns", str(sink))
    ip("link", "set", "lo", "up", there=sink)
    ip("link", "set", "mx1", "up", there=sink)
    for i in range(10, 20):
        ip("addr", "add", f"192.0.2.{i}/24", "dev", "mx1", there=sink)
    ip("addr", "add", "192.0.2.1/24", "dev", "mx0")
    ip("link", "set", "mx0", "up")
    link = json.loads(ip("-j", "link", "show", "dev", "mx1", there=sink))
    ip("neigh", "add", "192.0.2.99", "lladdr", link[0]["address"],
       "nud", "permanent", "dev", "mx0")


def make_world(work, quick):
    share = work / "share"
    shutil.rmtree(share, ignore_errors=True)
    share.mkdir(parents=True)
    share.chmod(0o755)
    (share / "cgroup").mkdir()
    for tool in TOOLS:
        shutil.copy(BUILD / tool, share / tool)
    (work / "cgroup").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "cgroup2", "none", work / "cgroup"],
                   check=True)
    for old in (work / "cgroup").glob("mxnss-bench-*"):
        try:
            old.rmdir()         # of a run that was killed
        except OSError:
            pass                # of one that goes on
    messages(share)
    zone(share)
    page = Page(share / "sink.page", "messages", "octets", "connections",
                "open", "most", "last", "delay")
    sink = subprocess.Popen(["unshare", "--net", share / "sink",
                             share / "sink.page", "25"])
    mine = os.readlink("/proc/self/ns/net")
    await_true(lambda: os.readlink(f"/proc/{sink.pid}/ns/net") != mine, 10,
               "the receivers' network")
    network(sink.pid)
    subprocess.run(["nsd", "-c", share / "nsd.conf"], check=True)
    return rows.World(share, page, quick)


# -- the run -------------------------------------------------------------------

def measure(row, programs, world, rounds):
    """ROW for all PROGRAMS in turns: {program: [figures of each round]}."""
    found = {p.name: [] for p in programs}
    for i in range(rounds + row.watched):
        watched = i == rounds
        for p in programs:
            if not row.fits(p) or found[p.name] is None:
                continue
            say(f"{row.name}, round {i + 1}: {p.name}")
            try:
                more = {"watched": True} if watched else {}
                figures = row.measure(p, world, **more)
            except (RuntimeError, subprocess.SubprocessError) as e:
                note(f"{row.name}: {p.name}: {e}")
                found[p.name] = None
                p.reset()
                continue
            if watched:
                # of that round only what the others could not see
                figures = {k: v for k, v in figures.items()
                           if k in ("pss", "processes")}
            found[p.name].append(figures)
    return {name: f for name, f in found.items() if f}


def prepare(names, work, spools):
    """The programs that can be measured; and why others cannot."""
    programs, absent = [], {}
    for cls in peers.PROGRAMS:
        p = cls(work, spools)
        if p.name != "mxnss" and p.name not in names:
            continue
        failed = BUILD / "packages" / p.name / "absent"
        if failed.exists():
            absent[p.name] = failed.read_text().strip()
            continue
        p.debs = peers.find_debs(p, BUILD / "packages" / p.name)
        say(f"making {p.name}")
        try:
            p.make()
            p.start()
        except (RuntimeError, subprocess.SubprocessError, OSError) as e:
            absent[p.name] = str(e)
            continue
        programs.append(p)
    return programs, absent


def fetch(names):
    for cls in peers.PROGRAMS:
        if cls.name not in names or not cls.packages:
            continue
        directory = BUILD / "packages" / cls.name
        failed = directory / "absent"
        if directory.is_dir() and not failed.exists():
            continue
        shutil.rmtree(directory, ignore_errors=True)
        why = peers.fetch(cls, directory)
        if why is not None:
            directory.mkdir(parents=True, exist_ok=True)
            failed.write_text(why + "\n")


def run_rows(names, programs, world, rounds, found):
    for name in names:
        start = time.monotonic()
        if name in report.FACTS:
            try:
                found[name] = report.FACTS[name](programs, world, say)
            except (RuntimeError, subprocess.SubprocessError) as e:
                note(f"{name}: {e}")
        else:
            row = next(r for r in rows.ROWS if r.name == name)
            found[name] = measure(row, programs, world, rounds or row.rounds)
        note(f"{name}: {time.monotonic() - start:.0f} s")


def main():
    args = parse(sys.argv[1:])
    row_names = chosen(args.rows, [*(r.name for r in rows.ROWS),
                                   *report.FACTS], "row")
    peer_names = chosen(args.peers, [c.name for c in peers.PROGRAMS
                                     if c.packages], "peer")
    if args.write:
        report.split(args.write)    # complain now, not after the work
    if args.list:
        print("rows:  " + " ".join(row_names))
        print("peers: " + " ".join(peer_names))
        return 0
    if args.fetch:
        fetch(peer_names)
        return 0
    work = (args.dir or BUILD / "work").absolute()
    work.mkdir(parents=True, exist_ok=True)
    result = {"date": time.strftime("%Y-%m-%d", time.gmtime()),
              "cpus": os.cpu_count(), "kernel": os.uname().release,
              "quick": args.quick, "rows": {}}
    spools, result["file_system"] = mount_spools(work, not args.no_image)
    world = make_world(work, args.quick)
    programs, absent = prepare(peer_names, work, spools)
    result["absent"] = absent
    result["versions"] = {p.name: p.version() for p in programs}
    if programs[:1] and programs[0].name != "mxnss":
        sys.exit(f"bench: mxnss: {absent['mxnss']}")
    try:
        run_rows(row_names, programs, world, args.rounds, result["rows"])
    finally:
        for p in programs:
            p.cell.stop()
    say("")
    print(report.table(result))
    if not args.quick:
        print()
        print(report.targets(result))
    if args.json:
        text = json.dumps(result, indent=1) + "\n"
        if str(args.json) == "-":
            print(text, end="")
        else:
            args.json.write_text(text)
    if args.write:
        report.write(args.write, report.table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
