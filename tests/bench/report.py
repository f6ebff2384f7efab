# SPDX-License-Identifier: ISC
"""From figures to the table; and the rows that are facts, not races."""

import subprocess

import rows

NAMES = {"mxnss": "mxnss", "dma": "dma", "postfix": "Postfix",
         "opensmtpd": "OpenSMTPD", "nullmailer": "nullmailer",
         "msmtp": "msmtp"}


def fact_idle(programs, world, say):
    figures = rows.idle([p for p in programs], world, say)
    return {name: [f] for name, f in figures.items()}


def fact_size(programs, _world, _say):
    return {p.name: [{"octets": p.own_octets() / rows.MIB}] for p in programs}


FACTS = {"idle": fact_idle, "size": fact_size}
FACT_ROWS = {
    "idle": ("idle for 35 s: processes, timers",
             {"processes": ("processes", 0), "timers": ("timers", 0)}),
    "size": ("installed size, own files", {"octets": ("MiB", 2)}),
}


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


def table(result):
    names = [n for n in NAMES if n in result["versions"]]
    head = [f"{NAMES[n]} {result['versions'][n]}" for n in names]
    lines = ["| | " + " | ".join(head) + " |",
             "|---|" + "---|" * len(names)]
    for name, found in result["rows"].items():
        title, figures = describe(name)
        lines.append(f"| {title} | " + " | ".join(
            cell_text(found.get(n), figures) for n in names) + " |")
    lines.append("")
    lines.append(f"{result['cpus']} CPUs, Linux {result['kernel']}, "
                 f"{result['file_system']}, {result['date']}; see "
                 "tests/bench/bench.py for the method.")
    for name, why in result["absent"].items():
        lines.append(f"Absent: {NAMES[name]} ({why}).")
    return "\n".join(lines)


def write(path, text):
    begin, end = "<!-- bench -->", "<!-- /bench -->"
    old = path.read_text()
    before, found, rest = old.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise SystemExit(f"bench: {path} has no lines {begin} and {end}")
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
