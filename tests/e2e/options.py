#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Every option of sendmail: joined, separate, combined, wrong.

usage: options.py SENDMAIL DROP PAGE

One row is a command line, the exit code, and what is in the envelope of the
message: sender, recipients, and what was said about reports.  Every example
of an option in PAGE, sendmail(8), has a row.  Prints "ok" or "not ok", a blank
and the command line.
"""

import os
import re
import shlex
import subprocess
import sys

TEXT = b"To: t1@h.example, t2@h.example\nCc: c@h.example\nSubject: x\n\nbody\n"
ME = "alice@sender.example"

USAGE, DATAERR, UNAVAILABLE, TEMPFAIL = 64, 65, 69, 75


def sent(rcpt="u@one.example", sender=ME, **more):
    """What the message file says."""
    return dict(rcpt=rcpt.split(), sender=sender, **more)


def prints(out, **more):
    """What it says instead of sending anything."""
    return dict(out=out, nothing=True, **more)


HEADER = "t1@h.example t2@h.example c@h.example"
U = "u@one.example"
A = "a@b.example"
LOCAL = "root@client.sender.example"
YOU = "you@example.org"
B = "bounces@example.org"

# command line, exit code and envelope, or exit code and text on stderr
ROWS = [
    # recipients
    ([U], sent()),
    ([U, A], sent("u@one.example a@b.example")),
    ([U, U, "U@ONE.example", "u@ONE.EXAMPLE"],
     sent("u@one.example U@ONE.example")),
    (["u@one.example, a@b.example"], sent("u@one.example a@b.example")),
    (["root"], sent("root@sender.example")),
    (["Some One <u@one.example>"], sent()),
    (["--", "-u@one.example"], sent("-u@one.example")),
    (["--", "-t"], sent("-t@sender.example")),
    ([], (USAGE, "no recipient")),
    (["a@b@c"], (DATAERR, "a@b@c")),
    ([""], (DATAERR, "is not an address")),
    ([U, "-t"], (USAGE, "options come first")),
    # -t
    (["-t"], sent(HEADER)),
    (["-t", U], sent(U + " " + HEADER)),
    (["-t", "c@H.example", U], sent("c@H.example u@one.example t1@h.example "
                                    "t2@h.example")),
    (["-tx"], sent(HEADER)),
    (["-ti"], sent(HEADER)),
    # -f and -r
    (["-f", A, U], sent(sender=A)),
    (["-f" + A, U], sent(sender=A)),
    (["-r", A, U], sent(sender=A)),
    (["-r" + A, U], sent(sender=A)),
    (["-if" + A, U], sent(sender=A)),
    (["-f", "www", U], sent(sender="www@sender.example")),
    (["-f", "", U], sent(sender="")),
    (["-f<>", U], sent(sender="")),
    (["-f", A, "-f", ME, U], sent(sender=ME)),
    (["-f"], (USAGE, "-f needs an argument")),
    (["-f", "a@b@c", U], (DATAERR, "a@b@c")),
    (["-f", "a\nb@c.example", U], (DATAERR, "control character")),
    # -F
    (["-F", "A Name", U], sent(line="From: A Name <alice@sender.example>")),
    (["-FCronDaemon", U],
     sent(line="From: CronDaemon <alice@sender.example>")),
    (["-tiFname", "-f" + A], sent(HEADER, A, line="From: name <%s>" % A)),
    (["-F"], (USAGE, "-F needs an argument")),
    (["-F", "a\nX-Evil: yes", U], sent(lacks="\nX-Evil")),
    # dots
    ([U], sent(text=b"Subject: x\n\na\n.\nb\n", lacks="\r\nb\r\n")),
    (["-i", U], sent(text=b"Subject: x\n\na\n.\nb\n", line="b")),
    (["-oi", U], sent(text=b"Subject: x\n\na\n.\nb\n", line="b")),
    (["-o", "i", U], sent(text=b"Subject: x\n\na\n.\nb\n", line="b")),
    (["-oitrue", U], sent(text=b"Subject: x\n\na\n.\nb\n", line="b")),
    (["-OIgnoreDots=true", U],
     sent(text=b"Subject: x\n\na\n.\nb\n", line="b")),
    (["-O", "IgnoreDots=false", U],
     sent(text=b"Subject: x\n\na\n.\nb\n", lacks="\r\nb\r\n")),
    # reports
    (["-N", "never", U], sent(notify="NEVER")),
    (["-Nsuccess,delay", U], sent(notify="SUCCESS,DELAY")),
    (["-iN", "failure", U], sent(notify="FAILURE")),
    (["-N", "x", U], (USAGE, "-N x is unknown")),
    (["-N"], (USAGE, "-N needs an argument")),
    (["-R", "full", U], sent(ret="FULL")),
    (["-Rhdrs", U], sent(ret="HDRS")),
    (["-iR", "full", U], sent(ret="FULL")),
    (["-R", "x", U], (USAGE, "-R x is unknown")),
    (["-R"], (USAGE, "-R needs an argument")),
    (["-V", "id", U], sent(envid="id")),
    (["-Vid", U], sent(envid="id")),
    (["-iVid", U], sent(envid="id")),
    (["-V", "", U], (USAGE, "-V takes")),
    (["-V"], (USAGE, "-V needs an argument")),
    # the body
    (["-B", "8BITMIME", U], sent()),
    (["-B8BITMIME", U], sent()),
    (["-iB7bit", U], sent()),
    (["-B", "x", U], (USAGE, "-B x is unknown")),
    (["-B"], (USAGE, "-B needs an argument")),
    # modes
    (["-bm", U], sent()),
    (["-b", "m", U], sent()),
    (["-ibm", U], sent()),
    (["-b"], (USAGE, "-b needs an argument")),
    (["-bx", U], (USAGE, "-bx is not supported")),
    (["-bd"], (USAGE, "mxnss-smtp.socket")),
    (["-bD"], (USAGE, "mxnss-smtp.socket")),
    (["-bd", "-q30m"], (USAGE, "mxnss-smtp.socket")),
    (["-bt"], (USAGE, "getmx")),
    (["-bh"], (USAGE, "mailq")),
    (["-bH"], (USAGE, "sendmail -q")),
    (["-bP"], (USAGE, "mailq")),
    (["-bs"], prints("221 2.0.0 ", text=b"QUIT\r\n")),
    (["-b", "s"], prints("221 2.0.0 ", text=b"QUIT\r\n")),
    (["-ibs"], prints("221 2.0.0 ", text=b"QUIT\r\n")),
    (["-bs", U], (USAGE, "-bs takes no recipients")),
    (["-bi"], prints("1 alias, nothing wrong")),
    (["-b", "i"], prints("1 alias, nothing wrong")),
    (["-I"], prints("1 alias, nothing wrong")),
    (["-iI"], prints("1 alias, nothing wrong")),
    (["-bv", LOCAL], prints("into the mailbox of alice")),
    (["-b", "v", LOCAL], prints("into the mailbox of alice")),
    (["-vbv", LOCAL], prints("into the mailbox of alice")),
    (["-bv", "a@b@c"], (DATAERR, None)),
    (["-bv"], (USAGE, "-bv needs an address")),
    (["-be"], (USAGE, "-be is not supported")),
    # the queue, for who may not see it
    (["-bp"], (77, "mailq")),
    (["-b", "p"], (77, "mailq")),
    (["-q"], (0, "")),
    (["-qf"], (0, "")),
    (["-iq"], (0, "")),
    (["-qRx"], (77, "")),
    (["-q!Sx"], (77, "")),
    (["-qIx"], (77, "")),
    (["-qR"], (USAGE, "-qR needs the part")),
    (["-qx"], (USAGE, "-qx is not supported")),
    (["-qGx"], (USAGE, "-qGx is not supported")),
    (["-q30m"], (USAGE, "no daemon")),
    # delivery
    (["-odb", U], sent()),
    (["-odi", U], sent()),
    (["-odq", U], sent()),
    (["-odd", U], sent()),
    (["-o", "db", U], sent()),
    (["-iodb", U], sent()),
    (["-ODeliveryMode=i", U], sent()),
    (["-odx", U], (USAGE, "-odx is unknown")),
    (["-od", U], (USAGE, "-od is unknown")),
    # errors: what is not wrong is not reported
    (["-oem", U], sent()),
    (["-oep", U], sent()),
    (["-oeq", U], sent()),
    (["-oew", U], sent()),
    (["-oee", U], sent()),
    (["-em", U], sent()),
    (["-e", "m", U], sent()),
    (["-iem", U], sent()),
    (["-OErrorMode=m", U], sent()),
    (["-oex", U], (USAGE, "-ex is unknown")),
    (["-oe"], (USAGE, "-e is unknown")),
    (["-e"], (USAGE, "-e needs an argument")),
    (["-oep", "a@b@c"], (DATAERR, "a@b@c")),
    (["-oeq", "a@b@c"], (DATAERR, None)),
    (["-oem", "a@b@c"], (DATAERR, None, ME)),
    (["-oem", "-f", A, "a@b@c"], (DATAERR, None, A)),
    (["-oem", "-f", "x@y@z", U], (DATAERR, None, ME)),
    (["-oem", "-f", "", "a@b@c"], (DATAERR, "a@b@c")),
    (["-oem"], (USAGE, None, ME)),
    (["-oew", "a@b@c"], (DATAERR, None, ME)),
    (["-oee", "a@b@c"], (0, None, ME)),
    (["-oee", "-f<>", "a@b@c"], (DATAERR, "a@b@c")),
    # taken without effect; no argument names a file
    (["-A", "c", U], sent()),
    (["-Am", U], sent()),
    (["-iAc", U], sent()),
    (["-A"], (USAGE, "-A needs an argument")),
    (["-C", "/nonexistent", U], sent()),
    (["-C/nonexistent", U], sent()),
    (["-C"], (USAGE, "-C needs an argument")),
    (["-c", U], sent()),
    (["-ci", U], sent()),
    (["-D", "FILE", U], sent()),
    (["-DFILE", U], sent()),
    (["-D"], (USAGE, "-D needs an argument")),
    (["-d", U], sent()),
    (["-d0.1", U], sent()),
    (["-id21.5", U], sent()),
    (["-G", U], sent()),
    (["-Gi", U], sent()),
    (["-h", "50", U], sent()),
    (["-h50", U], sent()),
    (["-h"], (USAGE, "-h needs an argument")),
    (["-L", "tag", U], sent()),
    (["-Ltag", U], sent()),
    (["-L"], (USAGE, "-L needs an argument")),
    (["-M", "x", U], sent()),
    (["-Mx", U], sent()),
    (["-M"], (USAGE, "-M needs an argument")),
    (["-m", U], sent()),
    (["-mi", U], sent()),
    (["-n", U], sent()),
    (["-ni", U], sent()),
    (["-O", "QueueDirectory=/nonexistent", U], sent()),
    (["-OQueueDirectory=/nonexistent", U], sent()),
    (["-O"], (USAGE, "-O needs an argument")),
    (["-om", U], sent()),
    (["-oQ/nonexistent", U], sent()),
    (["-o", "A/nonexistent", U], sent()),
    (["-oXFILE", U], sent()),
    (["-o"], (USAGE, "-o needs an argument")),
    (["-p", "ESMTP:h", U], sent()),
    (["-pESMTP", U], sent()),
    (["-p"], (USAGE, "-p needs an argument")),
    (["-Q", "why", U], sent()),
    (["-Qwhy", U], sent()),
    (["-Q"], (USAGE, "-Q needs an argument")),
    (["-s", U], sent()),
    (["-T", U], sent()),
    (["-U", U], sent()),
    (["-x", U], sent()),
    (["-csnmGUTxi", U], sent()),
    (["-X", "FILE", U], sent()),
    (["-XFILE", U], sent()),
    (["-X"], (USAGE, "-X needs an argument")),
    # -v says what it did
    (["-v", U], sent(out="queued as ")),
    (["-ov", U], sent(out="queued as ")),
    (["-iv", U], sent(out="queued as ")),
    (["-OVerbose=true", U], sent(out="queued as ")),
    # unknown
    (["-Z", U], (USAGE, "unknown option -Z")),
    (["-iZ", U], (USAGE, "unknown option -Z")),
    (["--nonsense", U], (USAGE, "unknown option")),
    (["-\xe9", U], (USAGE, "unknown option")),
    (["-"], (USAGE, "options come first")),
    (["--help"], (0, "")),
    (["--version"], (0, "")),
    # the examples of the page that no row above has
    (["-B", "8BITMIME", YOU], sent(YOU)),
    (["-bm", YOU], sent(YOU)),
    (["-bv", "root"], prints("into the mailbox of alice")),
    (["-oem", YOU], sent(YOU)),
    (["-F", "Alice Liddell", YOU],
     sent(YOU, line="From: Alice Liddell <alice@sender.example>")),
    (["-f", B, YOU], sent(YOU, B)),
    (["-i", YOU], sent(YOU, text=b"Subject: x\n\na\n.\nb\n", line="b")),
    (["-N", "success,failure", YOU], sent(YOU, notify="SUCCESS,FAILURE")),
    (["-odb", YOU], sent(YOU)),
    (["-qR@example.org", "-q!Swww-data@"], (77, "")),
    (["-R", "full", YOU], sent(YOU, ret="FULL")),
    (["-r", B, YOU], sent(YOU, B)),
    (["-t", "-i"], sent(HEADER)),
    (["-V", "order-4711", YOU], sent(YOU, envid="order-4711")),
    (["-v", YOU], sent(YOU, out="queued as ")),
    (["-C/etc/mail/sendmail.cf", "-OQueueDirectory=/tmp", "-i", YOU],
     sent(YOU)),
]


def read_envelope(path):
    """Records and message of a file in drop/: shim/spool/envelope.h."""
    with open(path, "rb") as f:
        data = f.read()
    assert data.startswith(b"mxnss 1\n")
    at = 8
    e = dict(rcpt=[], notify=[], sender=None, ret=None, envid=None)
    while True:
        m = re.compile(rb"([A-Z])([0-9]+):").match(data, at)
        value = data[m.end():m.end() + int(m[2])].decode()
        at = m.end() + int(m[2]) + 1
        if m[1] == b"M":
            break
        key = {b"S": "sender", b"H": "ret", b"I": "envid"}.get(m[1])
        if key:
            e[key] = value
        elif m[1] == b"R":
            e["rcpt"].append(value)
            e["notify"].append(None)
        elif m[1] == b"N":
            e["notify"][-1] = value
    e["message"] = data[at:-27].decode()
    return e


def judge(want, run, files):
    """None, or what is not as it should be."""
    err = run.stderr.decode()
    if isinstance(want, tuple):
        code, text, *to = want
        if run.returncode != code:
            return "exit code %d, not %d: %s" % (run.returncode, code, err)
        if text is None and err:
            return "standard error is not empty: " + err
        if text and (text not in err or err.count("\n") != 1):
            return "standard error: " + err
        if not to:
            return "there is a message" if files else None
        if len(files) != 1:
            return "%d reports" % len(files)
        e = files[0]
        if e["rcpt"] != to or e["sender"] != "":
            return "the report goes to %s" % e
        if ("Auto-Submitted: auto-replied" not in e["message"] or
                "\r\nSubject: x\r\n" not in e["message"] or
                "\r\n\r\nbody\r\n" not in e["message"]):
            return "the report: " + e["message"]
        return None
    if run.returncode != 0 or err:
        return "exit code %d: %s" % (run.returncode, err)
    if want.get("out", "") not in run.stdout.decode():
        return "standard output: %s" % run.stdout
    if "out" not in want and run.stdout:
        return "standard output is not empty: %s" % run.stdout
    if "nothing" in want:
        return "there is a message" if files else None
    if len(files) != 1:
        return "%d messages" % len(files)
    e = files[0]
    for key in "sender", "rcpt", "ret", "envid":
        if e[key] != want.get(key):
            return "%s: %s, not %s" % (key, e[key], want.get(key))
    if any(n != want.get("notify") for n in e["notify"]):
        return "notify: %s" % e["notify"]
    if "line" in want and "\r\n%s\r\n" % want["line"] not in e["message"]:
        return "no %s in %s" % (want["line"], e["message"])
    if "lacks" in want and want["lacks"] in e["message"]:
        return "%r in %s" % (want["lacks"], e["message"])
    return None


def examples(page):
    """The command lines of sendmail after "Example:"."""
    with open(page) as f:
        found = re.findall(r"^Example:\n\.Li sendmail(.*)$", f.read(), re.M)
    return [shlex.split(line.replace(r"\(dq", '"')) for line in found]


def main():
    sendmail, drop, page = sys.argv[1:]
    lines = [args for args, want in ROWS]
    for args in examples(page):
        if args not in lines:
            print("not ok %s, an example without a row" % " ".join(args))
    os.chdir("/")
    for args, want in ROWS:
        text = want.get("text", TEXT) if isinstance(want, dict) else TEXT
        argv = [a.encode("latin-1") for a in args]
        run = subprocess.run([sendmail] + argv, input=text,
                             capture_output=True)
        files = []
        for name in os.listdir(drop):
            files.append(read_envelope(os.path.join(drop, name)))
            os.unlink(os.path.join(drop, name))
        why = judge(want, run, files)
        for name in "FILE", "/FILE":
            if os.path.exists(name):
                why = "a file was made: " + name
        print("%s %s" % ("not ok" if why else "ok", " ".join(
            a if a and "\n" not in a else repr(a) for a in args) or "none"))
        if why:
            print("#   " + why.replace("\n", "\n#   "))


main()
