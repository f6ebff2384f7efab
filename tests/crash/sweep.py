# SPDX-License-Identifier: ISC
"""What T-1 and T-2 share: the system calls of undisturbed runs, from which
the points to disturb are chosen, and runs that are disturbed there."""
import os
import random

import lab

FULL = os.environ.get("CRASH", "quick") == "full"
SEED = os.environ.get("CRASH_SEED") or str(random.randrange(1 << 30))


def trace_path():
    return "%s/trace-%d" % (lab.T, os.getpid())


def read_trace():
    """The calls of the last trace, (process, number, name), and those that
    a rule has struck, the same."""
    calls, hits = [], []
    with open(trace_path(), encoding="ascii") as f:
        for line in f:
            word = line.split()
            if len(word) < 5 or word[3] == "exit":
                continue
            where = hits if word[3] == "hit" else calls
            where.append((int(word[1]), int(word[2]),
                          word[4] if word[3] == "hit" else word[3]))
    return calls, hits


def scenario(name):
    return next(s for s in lab.SCENARIOS + lab.MODEL_SCENARIOS
                if s.name == name)


def verdict(messages, evidence, excuse):
    v = lab.judge(messages, evidence, excuse, lab.dead_files())
    v.wrong += ["left: " + x for x in lab.leftovers()]
    return v


def disturbed(name, rules, excuse=None, mend=None, give=()):
    """Prepare NAME, disturb its run by RULES, MEND the spool, recover.  The
    verdict, and what there is to say if it is bad."""
    s = scenario(name)
    tree, messages, prior = lab.prepared(s)
    lab.write_tree(tree)
    status, said = s.disturb(lab.Worker.key, rules=rules, trace=trace_path(),
                               give=give)
    before = prior + lab.Worker.log.read()
    if mend:
        mend()
    said += lab.recover()
    evidence = lab.Evidence(before, lab.Worker.log.read())
    v = verdict(messages, evidence, excuse or evidence.was_cut)
    if status == 124:
        v.wrong.append("the runner did not end in %d s" % lab.LIMIT)
    return v, said


def explain(where, v, said):
    bad = ["%s: %s" % (where, x) for x in v.bad()]
    return bad + ["    " + x for x in said.splitlines()] if bad else []


def violations(lines):
    return len([x for x in lines if not x.startswith(" ")])


def baseline(name):
    """The calls of the run that will be disturbed; checks that it does what
    it should when it is not."""
    v, said = disturbed(name, [])
    return name, read_trace()[0], explain(name, v, said)


def startup(calls):
    """The number of the runner's last call before it has the spool: up to
    there all its runs are the same."""
    return next(number for proc, number, call in calls
                if proc == 0 and call == "flock")


def baselines(tap, pool):
    """{name: calls}"""
    bases = list(pool.map(baseline, [s.name for s in lab.SCENARIOS]))
    for name, calls, bad in bases:
        tap.case(not bad, "%s: %d calls, undisturbed" % (name, len(calls)),
                 bad)
    return {name: calls for name, calls, _ in bases}


# --- sendmail ---------------------------------------------------------------

SUBMISSIONS = {
    "tiny": ({"u@one.example": "sent"}, 0, []),
    "-t": ({"u@one.example": "sent"}, 0, ["-t"]),
    "large": ({"u@one.example": "sent"}, 1 << 20, []),
    "many": ({"u%d@one.example" % i: "sent" for i in range(100)}, 0, []),
    "-v": ({"u@one.example": "sent"}, 0, ["-v"]),
}


def submit(kind, key, **more):
    """The message, the exit status, what was said, and the modes of the
    files that are new in drop/."""
    fates, size, args = SUBMISSIONS[kind]
    m = lab.Message(key, fates, size=size)
    text, rcpts = m.text(), list(fates)
    if "-t" in args:
        text = m.text(b"To: " + ", ".join(rcpts).encode() + b"\n")
        rcpts = []
    before = set(os.listdir(lab.SPOOL + "/drop"))
    status, said = lab.sendmail(["-i", "-f", m.sender] + args + rcpts, text,
                                **more)
    new = [os.lstat(lab.SPOOL + "/drop/" + name).st_mode & 0o7777
           for name in os.listdir(lab.SPOOL + "/drop") if name not in before]
    return m, status, said, new


def submit_baseline(kind):
    lab.clear()
    _, status, said, _ = submit(kind, "base-" + lab.Worker.key,
                                trace=trace_path())
    lab.clear()
    return kind, read_trace()[0], \
        [] if status == 0 else ["exit %d: %s" % (status, said)]


def submit_baselines(tap, pool):
    """[(kind, number, call)]"""
    bases = list(pool.map(submit_baseline, SUBMISSIONS))
    bad = [x for base in bases for x in base[2]]
    tap.case(not bad, "sendmail, undisturbed", bad)
    return [(kind, number, call) for kind, calls, _ in bases
            for proc, number, call in calls if proc == 0]


def deliver_submissions(sent):
    """Run the runner over what SENT left in drop/: (where, message,
    committed).  What is bad."""
    bad = []
    said = lab.recover()
    evidence = lab.Evidence([], lab.Worker.log.read())
    for where, m, committed in sent:
        v = lab.judge([m], evidence, lambda e: False, unsure=not committed)
        if not committed and any(e["id"] == m.id for e in evidence.mails):
            v.wrong.append("half a message was sent")
        bad += explain(where, v, said)
    return bad + ["left: " + x for x in lab.leftovers()]


def chunks(points, n):
    return [points[i:i + n] for i in range(0, len(points), n)]
