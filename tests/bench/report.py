# SPDX-License-Identifier: ISC
"""From figures to the table, and what was to be reached; and the rows that
are facts, not races."""

import re
import subprocess

import rows

NAMES = {"mxnss": "mxnss", "dma": "dma", "postfix": "Postfix",
         "opensmtpd": "OpenSMTPD", "nullmailer": "nullmailer",
         "msmtp": "msmtp"}


def fact_idle(programs, world, say):
    figures = rows.idle(programs, world, say)
    return {name: [f] for name, f in figures.items()}


def fact_size(programs, _world, _say):
    return {p.name: [{"octets": p.own_octets() / 1e6}] for p in programs}


def fact_lookup(_programs, _world, say):
    """What make bench says of getmxinfo(3) and of /etc/mxhosts."""
    say("lookup: make bench")
    text = subprocess.run(["make", "-s", "bench"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    ratio = re.search(r"^ratio ([\d.]+)", text, re.M)
    line = re.search(r"^ *1000000 +(.*)$", text, re.M)
    if not ratio or not line:
        raise RuntimeError("make bench says nothing of lookups")
    figures = [float(word) for word in line[1].split()]
    return {"mxnss": [{"ratio": float(ratio[1]), "first": figures[1],
                       "stat": figures[4], "later": figures[6],
                       "any": figures[7]}]}


def fact_growth(programs, world, say):
    return {p.name: [rows.growth(p, world, say)] for p in programs
            if p.name == "mxnss"}


def fact_scan(programs, world, say):
    return {p.name: [rows.scan(p, world, say)] for p in programs
            if p.name == "mxnss"}


FACTS = {"growth": fact_growth, "scan": fact_scan, "idle": fact_idle, "size": fact_size, "lookup": fact_lookup}
FACT_ROWS = {
    "growth": ("per message, of 1,000, 10,000 and 100,000 that wait",
               {"cpu1000": ("CPU us", 0), "cpu10000": ("CPU us", 0),
                "cpu100000": ("CPU us", 0), "ratio": ("times", 2)}),
    "scan": ("a look at 100,000 that are not due",
             {"scan": ("s", 2), "journals": ("s with journals", 2),
              "find": ("s find(1)", 2), "opens": ("opened", 0)}),
    "idle": ("idle for 35 s: processes, timers",
             {"processes": ("processes", 0), "timers": ("timers", 0)}),
    "size": ("installed size, own files", {"octets": ("MB", 2)}),
    "lookup": ("getmxinfo against a bare resolver; mxhosts of 1,000,000 lines",
               {"ratio": ("times", 2), "first": ("ms first", 1),
                "later": ("us later", 2), "any": ("us any line", 2),
                "stat": ("us beside for stat", 2)}),
}

# Row, figure, what to reach; where it says so as times that of a peer in the
# same run.  With two numbers, what the peer took on the machine where the
# limit was set: on another one, the ratio of the two is to be reached.
TARGETS = (
    ("submit", "min", 0.5, "dma"),
    ("submit", "median", 0.5, "dma"),
    ("submit", "cpu", (1.0, 2.2), "dma"),
    ("burst", "wall", (0.8, 1.5), "dma"),
    ("burst", "cpu", (1.0, 2.0), "dma"),
    ("late", "wall", (0.9, 0.9), "dma"),
    ("late", "connections", 80, ""),
    ("late", "pss", 20, ""),
    ("flush", "wall", (0.8, 4.0), "postfix"),
    ("flush", "cpu", (0.8, 3.1), "postfix"),
    ("flush", "pss", 20, ""),
    ("dead", "wall", (0.1, 0.1), "dma"),
    ("dead", "processes", 10, ""),
    ("large", "submit", (0.05, 0.05), "nullmailer"),
    ("large", "delivered", (0.12, 0.12), "nullmailer"),
    ("large", "pss", 4, ""),
    ("growth", "ratio", 1.2, ""),
    ("scan", "scan", 0.3, ""),
    ("scan", "opens", 0, ""),
    ("idle", "processes", 0, ""),
    ("idle", "timers", 0, ""),
    ("size", "octets", 0.5, ""),
    ("lookup", "ratio", 1.3, ""),
    ("lookup", "first", 40, ""),
    ("lookup", "later", 1, ""),
)


def figure(rounds, key):
    """The median over the rounds; a minimum is that of all."""
    values = [r[key] for r in rounds if key in r]
    if not values:
        return None
    if key == "min":
        return min(values)
    if key in ("pss", "processes", "connections"):
        return max(values)
    return rows.median(values)


def describe(name):
    for row in rows.ROWS:
        if row.name == name:
            return row.title, row.figures
    return FACT_ROWS[name]


def cell_text(rounds, figures):
    if not rounds:
        return "-"
    words = []
    for key, (unit, decimals) in figures.items():
        value = figure(rounds, key)
        if value is not None:
            words.append(f"{value:.{decimals}f} {unit}")
    return ", ".join(words)


def leading(name):
    """The figure of a row that is compared first."""
    return "median" if "median" in describe(name)[1] else next(
        iter(describe(name)[1]))


def against(name, found):
    """The leading figure against that of the best peer."""
    if name in FACT_ROWS or name == "syncs" or "mxnss" not in found:
        return ""
    key = leading(name)
    ours = figure(found["mxnss"], key)
    theirs = [(figure(rounds, key), peer) for peer, rounds in found.items()
              if peer != "mxnss" and figure(rounds, key)]
    if not theirs or ours is None:
        return ""
    best, peer = min(theirs)
    return f"{ours / best:.2f} of {NAMES[peer]}"


def table(result):
    names = [n for n in NAMES if n in result["versions"]]
    head = [f"{NAMES[n]} {result['versions'][n]}" for n in names]
    lines = ["| | " + " | ".join(head) + " | mxnss to the best peer |",
             "|---|" + "---|" * (len(names) + 1)]
    for name, found in result["rows"].items():
        title, figures = describe(name)
        lines.append(f"| {title} | " + " | ".join(
            cell_text(found.get(n), figures) for n in names) +
            f" | {against(name, found)} |")
    lines.append("")
    lines.append(f"{result['cpus']} CPUs, Linux {result['kernel']}, "
                 f"{result['file_system']}, {result['date']}; the method is "
                 "at the top of tests/bench/bench.py.")
    for name, why in result["absent"].items():
        lines.append(f"Absent: {NAMES[name]} ({why}).")
    return "\n".join(lines)


def verdict(ours, theirs, limit, peer):
    """Whether OURS is what was to be reached, and what that was; None where
    it takes the peer to tell."""
    limit, reference = limit if isinstance(limit, tuple) else (limit, None)
    ratio = ours / theirs if theirs else None
    words = "" if ratio is None else f"; {ratio:.2f} of {NAMES[peer]}"
    if peer and reference is None:
        if ratio is None:
            return None
        return ratio <= limit, f"{limit:g} of {NAMES[peer]}{words}"
    if reference is None or ratio is None:
        return ours <= limit, f"{limit:g}"
    return (ours <= limit or ratio <= limit / reference,
            f"{limit:g}, or {limit / reference:.2f} of {NAMES[peer]}{words}")


def targets(result):
    """What was to be reached, and what came of it."""
    lines = []
    for name, key, limit, peer in TARGETS:
        found = result["rows"].get(name, {})
        ours = figure(found.get("mxnss", []), key)
        if ours is None:
            continue
        said = verdict(ours, figure(found.get(peer, []), key), limit, peer)
        if said is None:
            continue
        unit = describe(name)[1].get(key, ("", 0))[0]
        lines.append(f"{name + ' ' + key:18} {ours:9.3f} {unit}, to reach "
                     f"{said[1]}: {'met' if said[0] else 'NOT MET'}")
    return "\n".join(lines)


def split(path):
    """PATH's text before and after what is between its markers."""
    begin, end = "<!-- bench -->", "<!-- /bench -->"
    try:
        before, found, rest = path.read_text().partition(begin)
    except OSError as e:
        raise SystemExit(f"bench: {path}: {e.strerror}") from e
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise SystemExit(f"bench: {path} has no lines {begin} and {end}")
    return before + begin, end + after


def write(path, text):
    before, after = split(path)
    path.write_text(f"{before}\n\n{text}\n\n{after}")
