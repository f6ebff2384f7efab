# SPDX-License-Identifier: ISC
"""What all crash tests share: a spool of one's own, the programs, the
scenarios, and the judge.

A scenario prepares a spool; its last step is one run of the runner, which
the test disturbs.  After that the spool is recovered by running the runner
undisturbed until nothing waits.  The judge knows only what sendmail
promised, what the receiver wrote down, and what is left in the spool: how
the programs do their work is none of its business.
"""
import collections
import concurrent.futures
import ctypes
import fcntl
import hashlib
import json
import multiprocessing
import os
import re
import signal
import subprocess
import time

SPOOL = os.environ["SPOOL"]
P = os.environ["P"]
T = os.environ["T"]
TOOLS = os.environ["top_builddir"] + "/tests/crash"
INJECT = TOOLS + "/inject"
SENDMAIL = P + "/sbin/sendmail"
RUNNER = P + "/libexec/mxnss/runner"
MULTI = os.environ["MULTI"] == "1"
ALICE, OWNER = (64902, int(os.environ["OWNER"])) if MULTI else (0, 0)
DROPGROUP = int(os.environ["DROPGROUP"]) if MULTI else 0
SINK_LOG = T + "/sink/log"
PLACES = ("drop", "queue", "bad", "dead", "host")
# A kill may cost what one connection had finished in this time before it was
# cut (design.md section 3: results are recorded in batches).
BATCH_NS = 100 * 1000 * 1000
LIMIT = 20      # seconds for one run of a program

CONF = """hostname: client.sender.example
mail-name: sender.example
log: stderr
connect-timeout: 3s
expire: 4h
warn: 1h
"""
ROUTES = """one.example 10 [192.0.2.11]
two.example 10 [192.0.2.12]
sender.example 10 [192.0.2.10]
"""

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000


# --- results ----------------------------------------------------------------

class Tap:
    """Results in the form that tests/run.sh counts."""

    def __init__(self):
        self.n = self.failed = 0

    def case(self, good, name, why=()):
        self.n += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.n, name))
        why = list(why)
        for line in [x for x in why if not x.startswith(" ")][:60]:
            print("#   %s" % line)
        if why:
            print("# more: log/case-%d" % self.n)
            with open("%s/log/case-%d" % (T, self.n), "w",
                      encoding="utf-8") as f:
                f.write("\n".join(why) + "\n")

    def skip(self, name, why):
        self.n += 1
        print("ok %d - %s # SKIP %s" % (self.n, name, why))

    def figures(self, **what):
        print("# " + ", ".join("%s %s" % (k.replace("_", " "), v)
                               for k, v in what.items()))

    def finish(self):
        print("1..%d" % self.n)
        return 1 if self.failed else 0


# --- the spool --------------------------------------------------------------

File = collections.namedtuple("File", "mode uid gid mtime data")


def private_spool():
    """A spool and a configuration that no other process sees."""
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for where in (P + "/var", P + "/etc"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs",
                        where], check=True)
    for name, text in (("mxnss.conf", CONF), ("mxhosts", ROUTES)):
        with open(P + "/etc/" + name, "w", encoding="ascii") as f:
            f.write(text)
    make_spool(SPOOL)


def make_spool(path):
    os.makedirs(path)
    os.chmod(path, 0o711)
    with open(path + "/VERSION", "w", encoding="ascii") as f:
        f.write("1\n")
    os.chown(path, OWNER, OWNER)
    os.chown(path + "/VERSION", OWNER, OWNER)
    for place in PLACES:
        os.mkdir(path + "/" + place, 0o700)
        os.chown(path + "/" + place, OWNER, OWNER)
    if MULTI:
        os.chown(path + "/drop", OWNER, DROPGROUP)
        os.chmod(path + "/drop", 0o3733)


def read_tree(path=SPOOL):
    """Every file below PATH: "queue/ID" -> File."""
    tree = {}
    for place in PLACES:
        for name in sorted(os.listdir("%s/%s" % (path, place))):
            full = "%s/%s/%s" % (path, place, name)
            st = os.lstat(full)
            with open(full, "rb") as f:
                tree[place + "/" + name] = File(
                    st.st_mode & 0o7777, st.st_uid, st.st_gid,
                    int(st.st_mtime), f.read())
    return tree


def write_tree(tree, path=SPOOL):
    clear(path)
    for name, f in tree.items():
        full = path + "/" + name
        fd = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(fd, f.data) if f.data else None
        os.fchown(fd, f.uid, f.gid)
        os.fchmod(fd, f.mode)
        os.close(fd)
        os.utime(full, (f.mtime, f.mtime))


def clear(path=SPOOL):
    for place in PLACES:
        for name in os.listdir("%s/%s" % (path, place)):
            os.unlink("%s/%s/%s" % (path, place, name))


def digest(tree):
    """What the runner can tell apart; times are another matter."""
    return hashlib.sha1(repr(sorted(
        (name, f.mode, f.uid, f.data) for name, f in tree.items())
    ).encode()).hexdigest()


# --- the receiver -----------------------------------------------------------

class SinkLog:
    """The receiver's log, read as it grows."""

    def __init__(self):
        self.f = open(SINK_LOG, "rb")
        self.f.seek(0, os.SEEK_END)

    def read(self):
        events = []
        while True:
            at = self.f.tell()
            line = self.f.readline()
            if not line.endswith(b"\n"):
                self.f.seek(at)
                return events
            events.append(json.loads(line))


class Hold:
    """While it lasts, late-NAME@ is put off."""

    def __init__(self, name):
        self.path = "%s/sink/late-%s" % (T, name)

    def __enter__(self):
        open(self.path, "w", encoding="ascii").close()

    def __exit__(self, *_):
        os.unlink(self.path)


# --- the programs -----------------------------------------------------------

ENV = dict(os.environ, LC_ALL="C", TZ="UTC")


def preload(name):
    """What makes a program load NAME, one of ours."""
    return ["LD_PRELOAD=%s/%s" % (TOOLS, name), "ASAN_OPTIONS=%s:%s" % (
        ENV.get("ASAN_OPTIONS", ""), "verify_asan_link_order=0")]


def late(seconds):
    """A file for clock.so, which may be in use already."""
    path = "%s/late.%d" % (T, seconds)
    if not os.path.exists(path):
        with open("%s.%d" % (path, os.getpid()), "w") as f:
            f.write("%d" % -seconds)
        os.rename(f.name, path)
    return path


def states(session):
    """What the processes of a run that hangs are doing."""
    ps = subprocess.run(
        ["ps", "-o", "pid,ppid,stat,psr,etimes,time,wchan:32,args", "-s",
         str(session)], stdout=subprocess.PIPE).stdout
    for pid in re.findall(rb"(?m)^ *(\d+)", ps):
        for name in b"syscall", b"stack":
            try:
                with open(b"/proc/%s/%s" % (pid, name), "rb") as f:
                    ps += b"%s %s: %s" % (pid, name, f.read())
            except OSError as e:
                ps += b"%s %s: %s\n" % (pid, name, str(e).encode())
    return ps


def run(argv, rules=(), trace=None, user=None, stdin=b"", give=(),
        record=False):
    """Run ARGV with GIVE added to its environment; its status and what it
    said.  It is traced if that is of any use."""
    cmd = [INJECT, "-t", str(LIMIT)]
    if not rules and not trace:
        cmd += ["-n"]
    if user is not None and MULTI:
        cmd += ["-u", user]
    if trace:
        cmd += ["-o", trace]
        # what came of the rules is all that matters
        cmd += ["-d", SPOOL] if record else ["-h"] if rules else []
    for rule in rules:
        cmd += ["-r", rule]
    for variable in give:
        cmd += ["-e", variable]
    p = subprocess.Popen(cmd + argv, env=ENV, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         start_new_session=True)
    status, hung = None, b""
    try:
        said = p.communicate(stdin, LIMIT - 2)[0]
    except subprocess.TimeoutExpired:
        hung = states(p.pid)
        try:
            said = p.communicate(timeout=7)[0]
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)    # one may have outlived it
            said, status = p.communicate()[0], 124
    said += hung
    if status is not None:
        return status, said.decode("utf-8", "replace")
    return p.returncode if p.returncode >= 0 else 128 - p.returncode, \
        said.decode("utf-8", "replace")


def sendmail(args, message, **more):
    # it shall look as if a runner were at work: sendmail starts none
    with Lock():
        return run([SENDMAIL] + args, user="%d:%d" % (ALICE, ALICE),
                   stdin=message, **more)


def runner(root=False, **more):
    """As its user, as a service manager starts it, or as ROOT: then it has
    the mailbox writer for a child, and becomes its user itself."""
    got = run([RUNNER, "--once"], user=None if root else "%d:%d,%d" % (
        OWNER, OWNER, DROPGROUP), **more)
    with Lock():        # until workers that outlived it have ended
        pass
    return got


class Lock:
    def __enter__(self):
        self.fd = os.open(SPOOL + "/queue", os.O_RDONLY | os.O_DIRECTORY)
        end = time.monotonic() + LIMIT
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    os.close(self.fd)
                    raise
                time.sleep(0.002)

    def __exit__(self, *_):
        os.close(self.fd)


def make_due():
    """As if all had waited long enough: messages are due, and hosts that
    could not be reached are forgotten."""
    for name in os.listdir(SPOOL + "/host"):
        os.unlink(SPOOL + "/host/" + name)
    for name in os.listdir(SPOOL + "/queue"):
        if not name.endswith(".log"):
            os.utime(SPOOL + "/queue/" + name, (1, 1))


def waiting():
    """What the runner still has to do something about."""
    left = ["queue/" + name for name in os.listdir(SPOOL + "/queue")]
    for name in os.listdir(SPOOL + "/drop"):
        if os.lstat(SPOOL + "/drop/" + name).st_mode & 0o040:
            left.append("drop/" + name)
    return left


def recover(rounds=6):
    """Undisturbed runs until nothing waits.  What they said.  A run that a
    busy machine made slow does not count, up to a minute of them."""
    said = ""
    end = time.monotonic() + 60
    while waiting() and rounds > 0:
        make_due()
        began = time.monotonic()
        status, text = runner()
        said += text
        if status not in (0, 75):
            said += "the runner ended with %d\n" % status
        now = time.monotonic()
        if now - began < 2 or now > end:
            rounds -= 1
    return said


# --- scenarios --------------------------------------------------------------

class Message:
    """A message and what must become of it in the end: each recipient
    "sent" or "told" (the sender is told that it failed) or "dead"; or
    "relayed" or "delayed": sent, and the sender is told so, too."""

    def __init__(self, key, fates, sender="alice@sender.example", size=0,
                 age=0, args=()):
        self.id = key + "@crash.example"
        self.key = key
        self.fates = fates
        self.sender = sender
        self.body = ("".join("line %d of %s\n" % (i, key)
                             for i in range(max(1, size // 24)))).encode()
        self.sha = hashlib.sha1(
            self.body.replace(b"\n", b"\r\n")).hexdigest()
        self.age = age
        self.args = list(args)
        self.acked = None       # when, in ns of CLOCK_MONOTONIC

    def text(self, more=b""):
        return (b"Subject: crash\nMessage-ID: <" + self.id.encode() +
                b">\n" + more + b"\n" + self.body)

    def submit(self, **more):
        give = []
        if self.age:
            give = preload("clock.so") + ["CLOCK_FILE=" + late(self.age)]
        status, said = sendmail(["-i", "-f", self.sender] + self.args +
                                list(self.fates), self.text(), give=give, **more)
        if status == 0:
            self.acked = time.monotonic_ns()
        return status, said


class Scenario:
    """NAME: the messages, and how many runs come before the one that is
    disturbed.  HELD: late-KEY is put off in that run, too, and late-KEY-first
    in those before it only.  ROOT: root starts it."""

    def __init__(self, name, messages, before=0, held=True, extra=None,
                 root=False):
        self.name = name
        self.messages = messages        # key -> list of Message
        self.before = before
        self.held = held
        self.extra = extra
        self.root = root

    def prepare(self, key):
        """Fill the spool; its tree and the messages."""
        clear()
        key = "%s-%s" % (self.name, key)
        messages = self.messages(key)
        for m in messages:
            status, said = m.submit()
            if status != 0:
                raise RuntimeError("sendmail exits %d: %s" % (status, said))
        with Hold(key), Hold(key + "-first"):
            for _ in range(self.before):
                make_due()
                status, said = runner()
                if status != 0:
                    raise RuntimeError("runner: %s" % said)
        make_due()
        if self.extra:
            self.extra(key)
        return read_tree(), messages

    def disturb(self, key, **more):
        """The run that is disturbed."""
        key = "%s-%s" % (self.name, key)
        if not self.held:
            return runner(root=self.root, **more)
        with Hold(key):
            return runner(root=self.root, **more)


def one(key, fates, **more):
    return [Message(key, {a.replace("KEY", key): f
                          for a, f in fates.items()}, **more)]


NO_MESSAGE = "01K1AAAAAAAA00000003"
NO_MESSAGE_DATA = b"no message\n"


def orphans(key):
    """Litter of earlier crashes: half a submission of three days ago, the
    journal of a message that is gone, a file that is no message, and
    the drop file of a message that has come into queue/."""
    def put(name, data, mode, days=0):
        path = SPOOL + "/" + name
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, data)
        os.fchmod(fd, mode)
        os.fchown(fd, ALICE if name[0] == "d" else OWNER, OWNER)
        os.close(fd)
        then = time.time() - days * 86400
        os.utime(path, (then, then))

    put("drop/01K1AAAAAAAA00000001", b"half", 0o600, days=3)
    put("drop/01K1AAAAAAAA00000002", b"half", 0o600)
    put("drop/" + NO_MESSAGE, NO_MESSAGE_DATA, 0o640)
    put("queue/01K1AAAAAAAA00000004.log", b"\n", 0o600, days=1)
    for name in os.listdir(SPOOL + "/queue"):
        if not name.endswith(".log"):
            with open(SPOOL + "/queue/" + name, "rb") as f:
                put("drop/" + name, f.read(), 0o640)


SCENARIOS = [
    Scenario("ok", lambda key: one(key, {"u@one.example": "sent"}), root=True),
    Scenario("rcpts", lambda key: one(key, {
        "%s@one.example" % c: "sent" for c in "abc"})),
    Scenario("two", lambda key: one(key, {
        "u@one.example": "sent", "u@two.example": "sent"})),
    Scenario("half", lambda key: one(key, {
        "u@one.example": "sent", "late-KEY@two.example": "sent"})),
    Scenario("mixed", lambda key: one(key, {
        "u@one.example": "sent", "late-KEY@one.example": "sent",
        "no-u@two.example": "told"})),
    Scenario("defer", lambda key: one(key, {"late-KEY@one.example": "sent"})),
    Scenario("retry", lambda key: one(key, {
        "u@one.example": "sent", "late-KEY@one.example": "sent",
        "late-KEY@two.example": "sent"}), before=1, held=False),
    Scenario("bounce", lambda key: one(key, {"no-u@one.example": "told"})),
    Scenario("notify", lambda key: one(key, {
        "u@one.example": "relayed", "v@one.example": "relayed",
        "u@two.example": "relayed", "no-u@two.example": "told"},
        args=["-N", "success,failure"])),
    Scenario("late", lambda key: one(key, {
        "late-KEY@one.example": "delayed", "no-u@one.example": "told",
        "late-KEY@two.example": "delayed"}, age=7200)),
    Scenario("expire", lambda key: one(key, {
        "u@one.example": "sent", "busy-u@two.example": "told"}, age=172800),
        before=4),
    Scenario("dead", lambda key: one(key, {"no-u@one.example": "dead"},
                                     sender="")),
    Scenario("orphans", lambda key: one(key, {
        "u@two.example": "sent", "late-KEY@one.example": "sent"}), before=1,
        held=False, extra=orphans),
    Scenario("several", lambda key: [
        m for n in "pqr" for m in one(key + n, {
            "u%s@one.example" % n: "sent"})]),
]

# Of these nothing is new but to a power cut.
MODEL_SCENARIOS = [
    Scenario("again", lambda key: one(key, {
        "late-KEY-first@one.example": "sent",
        "late-KEY@two.example": "sent"}), before=1),
]


# --- the judge --------------------------------------------------------------

class Evidence:
    """What the receiver wrote: BEFORE, in the run that was disturbed, and
    AFTER, while the spool was recovered."""

    def __init__(self, before, after):
        self.before = before
        self.events = before + after
        self.mails = [e for e in self.events if e["e"] == "mail"]
        self.ends = {e["c"]: e for e in self.events
                     if e["e"] in ("quit", "lost")}
        self.last = {}
        for e in self.mails:
            self.last[e["c"]] = e["t"]

    def was_cut(self, e):
        """Whether this was the last of a connection that was cut, or came
        not earlier before that than results are gathered."""
        end = self.ends.get(e["c"])
        return (end is None or end["e"] == "lost") and \
            e["t"] >= self.last[e["c"]] - BATCH_NS


class Verdict:
    def __init__(self):
        self.lost = []
        self.wrong = []         # duplicates that nothing excuses, litter
        self.repeated = set()   # deliveries repeated in declared windows

    @property
    def excused(self):
        return len(self.repeated)

    def bad(self):
        return ["lost: " + x for x in self.lost] + \
            ["wrong: " + x for x in self.wrong]


def judge_report(v, m, rcpt, action, about, excuse, unsure):
    """A report that does not stand for the delivery, but comes once.  The
    next run may deliver what is late before anybody was told of that."""
    mine = [e for e in about if rcpt in e[action]]
    if not mine and not unsure and action != "delayed":
        v.lost.append("%s for %s: no report: %s" % (m.id, rcpt, action))
    if len({e["id"] for e in mine}) > 1:
        v.wrong.append("%s for %s: two reports: %s" % (m.id, rcpt, action))
    for e in mine[:-1]:
        if excuse(e):
            v.repeated.add((e["c"], e["t"]))
        else:
            v.wrong.append("%s for %s: %s, %d times" % (m.id, rcpt, action,
                                                        len(mine)))
            break


def judge(messages, evidence, excuse, dead=(), unsure=False):
    """EXCUSE(event): whether this delivery may be repeated.  UNSURE: nobody
    was promised anything: no message is lost."""
    v = Verdict()
    for m in messages:
        mine = [e for e in evidence.mails if e["id"] == m.id]
        for e in mine:
            if e["sha"] != m.sha:
                v.wrong.append("%s is not what was sent" % m.id)
        about = [e for e in evidence.mails if e.get("of") == m.id]
        for rcpt, fate in m.fates.items():
            got = [e for e in mine if rcpt in e["rcpts"]]
            told = [e for e in about if rcpt in e["failed"]]
            if fate == "dead":
                if not unsure and not any(
                        ("<%s>" % m.id).encode() in d for d in dead):
                    v.lost.append("%s for %s is not in dead/" % (m.id, rcpt))
                continue
            if fate in ("relayed", "delayed"):
                judge_report(v, m, rcpt, fate, about, excuse, unsure)
                fate = "sent"
            right, other = (got, told) if fate == "sent" else (told, got)
            if not right and not unsure:
                v.lost.append("%s for %s: not %s" % (m.id, rcpt, fate))
            if other:
                v.wrong.append("%s for %s: sent %d times, told %d times" % (
                    m.id, rcpt, len(got), len(told)))
            if fate == "told" and len({e["id"] for e in told}) > 1:
                v.wrong.append("%s for %s: two reports" % (m.id, rcpt))
            for e in right[:-1]:
                if excuse(e):
                    v.repeated.add((e["c"], e["t"]))
                else:
                    v.wrong.append("%s for %s: %s %d times" % (
                        m.id, rcpt, fate, len(right)))
                    break
    return v


def bad_files():
    """What is in bad/, but for that which is no message indeed."""
    return [f for name, f in read_tree().items()
            if name.startswith("bad/") and f.data != NO_MESSAGE_DATA]


def leftovers():
    """What should not be in the spool after it was recovered."""
    return waiting() + ["%d files in bad/" % n
                        for n in [len(bad_files())] if n > 0]


def dead_files():
    files = []
    for name in os.listdir(SPOOL + "/dead"):
        with open(SPOOL + "/dead/" + name, "rb") as f:
            files.append(f.read())
    return files


# --- many at a time ---------------------------------------------------------

class Worker:
    """The state of one process of the pool."""
    key = None
    log = None
    prepared = {}


def start_worker():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    private_spool()
    Worker.key = "%d" % os.getpid()
    Worker.log = SinkLog()


def prepared(scenario):
    """The tree and the messages of SCENARIO, made once in each worker, and
    what the receiver wrote meanwhile."""
    if scenario.name not in Worker.prepared:
        Worker.log.read()
        tree, messages = scenario.prepare(Worker.key)
        Worker.prepared[scenario.name] = tree, messages, Worker.log.read()
    return Worker.prepared[scenario.name]


def pool():
    """Processes that call start_worker() first.  If one of them dies the
    test ends, and does not wait for what it was doing."""
    return concurrent.futures.ProcessPoolExecutor(
        # they mostly wait
        int(os.environ.get("CRASH_JOBS") or 4 * (os.cpu_count() or 1)),
        multiprocessing.get_context("fork"), start_worker)
