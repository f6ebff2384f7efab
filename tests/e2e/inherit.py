#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""sendmail in whatever state its caller leaves it.

usage: inherit.py SENDMAIL DROP UID TMP

Each row is a state: of descriptors, limits, signals, environment, arguments.
Whatever it is, sendmail ends in time; exit code 0 and one whole message in
drop/, or another exit code and nothing there.  The row says which codes are
right.  Prints "ok" or "not ok", a blank and the name of the row.
"""

import ctypes
import os
import pty
import re
import resource
import signal
import socket
import sys
import time

SENDMAIL, DROP, UID, TMP = sys.argv[1:]
UID = int(UID)
RCPT = "u@one.example"
TEXT = b"Subject: x\n\nbody\n"
BIG = b"Subject: big\n\n" + b"0123456789012345678901234567890123456789\n" * 5000
SECONDS = 30
OK, USAGE, DATAERR, UNAVAILABLE, OSERR, IOERR, TEMPFAIL = (
    0, 64, 65, 69, 71, 74, 75)
libc = ctypes.CDLL(None, use_errno=True)


def limit(which, n):
    return lambda: resource.setrlimit(which, (n, n))


def used_files(n):
    """All of 1024 descriptors but N are in use."""
    def pre():
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
        for fd in range(3, 1024 - n):
            os.dup2(0, fd)
    return pre


def close(*fds):
    return lambda: [os.close(fd) for fd in fds]


def handlers(action, *which):
    def pre():
        for sig in which or range(1, 32):
            if sig not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(sig, action)
    return pre


def block(*which):
    return lambda: signal.pthread_sigmask(
        signal.SIG_BLOCK, which or signal.valid_signals())


def timers():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    time.sleep(0.05)


def gone():
    os.mkdir("%s/gone.%d" % (TMP, os.getpid()))
    os.chdir("%s/gone.%d" % (TMP, os.getpid()))
    os.rmdir("%s/gone.%d" % (TMP, os.getpid()))


def broken_pipe():
    r, w = os.pipe()
    os.close(r)
    os.dup2(w, 1)
    os.dup2(w, 2)


def to(path, *fds, flags=os.O_RDWR):
    def pre():
        fd = os.open(path, flags)
        for n in fds:
            os.dup2(fd, n)
    return pre


HOSTILE = {
    "PATH": "", "HOME": "/nonexistent", "LANG": "tr_TR.UTF-8",
    "LC_ALL": "xx_XX.garbage", "TZ": ":/etc/passwd", "IFS": "/",
    "RES_OPTIONS": "debug ndots:15", "LOCALDOMAIN": "evil.example",
    "HOSTALIASES": "/etc/passwd", "MALLOC_CHECK_": "3",
    "POSIXLY_CORRECT": "1", "LISTEN_FDS": "3", "LISTEN_PID": "1",
    "NOTIFY_SOCKET": "/nonexistent", "GETCONF_DIR": "/nonexistent",
    "OPENSSL_CONF": "/etc/passwd", "SSL_CERT_FILE": "/etc/passwd",
    "LOGNAME": "root\nBcc: x@y.example", "USER": "\033[2J", "MAIL": "x" * 9000,
    "MAILHOST": "a\r\nb", "SENDMAIL": "/bin/sh", "TMPDIR": "/nonexistent",
}

# ---- what standard input is ---------------------------------------------


def a_file(text):
    def make():
        fd = os.memfd_create("message", 0)
        os.write(fd, text)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd, None
    return make


def a_pipe(text, blocking=True, pieces=1):
    """A pipe that gets the text in so many pieces."""
    def make():
        r, w = os.pipe()
        os.set_blocking(r, blocking)

        def feed():
            os.close(r)
            size = -(-len(text) // pieces)
            for i in range(0, len(text), size):
                if not blocking:
                    time.sleep(0.02)
                os.write(w, text[i:i + size])
        return r, feed, w
    return make


def a_socket(text, ends=True):
    def make():
        a, b = socket.socketpair()
        b.sendall(text)
        if ends:
            b.shutdown(socket.SHUT_WR)
        return a.detach(), None, b.detach()
    return make


def a_fifo(text):
    def make():
        path = "%s/fifo" % TMP
        os.mkfifo(path)
        r = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        w = os.open(path, os.O_WRONLY)
        os.set_blocking(r, True)
        os.unlink(path)
        os.write(w, text)
        os.close(w)
        return r, None
    return make


def a_terminal(text):
    def make():
        master, slave = pty.openpty()
        os.write(master, text)
        return slave, None, master
    return make


def opened(path, flags=os.O_RDONLY):
    return lambda: (os.open(path, flags), None)


# name, what is done before exec, and: argv, env, stdin, right exit codes
ROWS = []


def row(name, pre=None, code=(OK,), args=(RCPT,), argv0="sendmail", env=None,
        stdin=None):
    codes = code if isinstance(code, tuple) else (code,)
    ROWS.append((name, pre, codes, args, argv0, env, stdin or a_pipe(TEXT)))


def table():
    big = a_file(BIG)
    row("nothing special")
    for i in range(1, 8):
        fds = [fd for fd in range(3) if i >> fd & 1]
        row("closed: %s" % " ".join(map(str, fds)), close(*fds))
    row("closed standard error, and a mistake", close(2), DATAERR, ["a@b@c"])
    row("one descriptor is free", used_files(1))
    # the dynamic linker needs it
    row("no descriptor is free", used_files(0), (OK, TEMPFAIL, 127))
    for n in range(0, 13):
        # the dynamic linker needs some itself
        row("at most %d descriptors" % n, limit(resource.RLIMIT_NOFILE, n),
            (OK, TEMPFAIL) if n > 3 else (OK, TEMPFAIL, 127))
    for n in (0, 1, 512, 4096, 65536):
        row("files of %d octets" % n, limit(resource.RLIMIT_FSIZE, n),
            TEMPFAIL, stdin=big)
    row("files of 512 octets, SIGXFSZ blocked",
        lambda: (limit(resource.RLIMIT_FSIZE, 512)(), block()()), TEMPFAIL,
        stdin=big)
    for mb in (1, 2, 3, 4, 5, 6, 8, 12):
        # no more than what fits: out of memory is said, or nothing started
        row("%d MB of memory" % mb,
            limit(resource.RLIMIT_AS, mb << 20),
            (OK, TEMPFAIL, 127, -signal.SIGKILL, -signal.SIGSEGV),
            stdin=big)
    row("no heap", limit(resource.RLIMIT_DATA, 0),
        (OK, TEMPFAIL, 127, -signal.SIGKILL, -signal.SIGSEGV), stdin=big)
    row("64 KB of stack", limit(resource.RLIMIT_STACK, 65536), stdin=big)
    row("a second of CPU", limit(resource.RLIMIT_CPU, 1), stdin=big)
    # a sanitizer would make one to look for leaks
    row("no processes", limit(resource.RLIMIT_NPROC, 0),
        env={"ASAN_OPTIONS": "detect_leaks=0"})
    row("no locks, queues or signals that wait", lambda: [
        limit(r, 0)() for r in (resource.RLIMIT_MEMLOCK,
                                resource.RLIMIT_MSGQUEUE,
                                resource.RLIMIT_SIGPENDING)])
    row("cores of any size", limit(resource.RLIMIT_CORE, -1))
    for mask in (0o777, 0o000, 0o700, 0o077):
        row("umask %03o" % mask, lambda mask=mask: os.umask(mask))
    row("all signals ignored", handlers(signal.SIG_IGN), stdin=big)
    row("all signals blocked", block(), stdin=big)
    row("SIGPIPE as it is, and nobody reads", lambda: (
        handlers(signal.SIG_DFL, signal.SIGPIPE)(), broken_pipe()),
        args=["-v", RCPT])
    row("SIGPIPE as it is, and a mistake nobody reads", lambda: (
        handlers(signal.SIG_DFL, signal.SIGPIPE)(), broken_pipe()), DATAERR,
        ["a@b@c"])
    row("an alarm is due", timers, stdin=big)
    row("a full device for output", to("/dev/full", 1, 2), args=["-v", RCPT])
    row("a full device, and a mistake", to("/dev/full", 1, 2), DATAERR,
        ["a@b@c"])
    row("output is read-only", to("/dev/null", 1, 2, flags=os.O_RDONLY),
        args=["-v", RCPT])
    row("the working directory is gone", gone)
    row("as nice as can be", lambda: os.nice(19))
    row("no environment", env={})
    row("10,000 variables", env={"V%d" % i: "x" * 50 for i in range(10000)})
    row("a variable of 128 KB", env={"V": "x" * 131069})
    row("a hostile environment", env=HOSTILE)
    row("variables without =", env=[b"V", b"=", b"", b"PATH", b"\xff\xfe=x"])
    row("the same variable twice", env=[b"TZ=a", b"TZ=b"] * 500)
    # exec of Linux gives an empty name where there is none
    row("argc 0", None, USAGE, None)
    row("an empty name", None, OK, argv0="")
    row("a long name", None, OK, argv0="/" * 100000 + "sendmail")
    row("a name that is a path", None, OK, argv0="../x/mailq/sendmail")
    row("a recipient of 128 KB", None, DATAERR, ["x" * 131000 + "@b.example"])
    row("10,000 options", None, OK, ["-i"] * 10000 + [RCPT])
    row("10,000 recipients", None, UNAVAILABLE,
        ["u%d@one.example" % i for i in range(10000)])
    row("the same recipient 10,000 times", None, OK, [RCPT] * 10000)
    row("nothing but an empty argument", None, DATAERR, [""])
    # standard input
    row("a pipe", stdin=a_pipe(BIG, pieces=7))
    row("a pipe that does not block", stdin=a_pipe(BIG, False, 7))
    row("a FIFO", stdin=a_fifo(TEXT))
    row("a socket", stdin=a_socket(TEXT))
    row("a socket that stays open, a dot",
        stdin=a_socket(TEXT + b".\n", False))
    row("a terminal, ^D", stdin=a_terminal(TEXT + b"\x04"))
    row("a terminal, a dot", stdin=a_terminal(TEXT + b".\n"))
    row("nothing", stdin=opened("/dev/null"))
    row("a directory", None, IOERR, stdin=opened("/"))
    row("what cannot be read", None, IOERR, stdin=opened("/dev/null",
                                                         os.O_WRONLY))
    row("zeros without end", None, UNAVAILABLE, stdin=opened("/dev/zero"))
    row("zeros without end, -t", None, (USAGE, UNAVAILABLE, DATAERR), ["-t"],
        stdin=opened("/dev/zero"))
    # a lone dot may be among them
    row("random octets", None, UNAVAILABLE, ["-i", RCPT],
        stdin=opened("/dev/urandom"))


# ---- running ---------------------------------------------------------------


def execute(pre, args, argv0, env, stdin):
    os.dup2(stdin, 0)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.closerange(3, 256)
    if UID:
        os.setgroups([])
        os.setresgid(UID, UID, UID)
        os.setresuid(UID, UID, UID)
    os.chdir("/")
    if env is None:
        env = {"PATH": "/usr/bin:/bin"}
    if isinstance(env, dict):
        env = [("%s=%s" % kv).encode() for kv in env.items()]
    argv = [] if args is None else [argv0.encode()] + [
        a.encode() for a in args]
    c_argv = (ctypes.c_char_p * (len(argv) + 1))(*argv, None)
    c_env = (ctypes.c_char_p * (len(env) + 1))(*env, None)
    program = ctypes.c_char_p(SENDMAIL.encode())
    libc.signal(signal.SIGPIPE, 0)
    if pre:
        pre()
    libc.execve(program, c_argv, c_env)
    os._exit(127)


def run(pre, args, argv0, env, make):
    """The exit code, or minus the signal; None: it did not end."""
    stdin, feed, *others = make()
    pid = os.fork()
    if pid == 0:
        try:
            execute(pre, args, argv0, env, stdin)
        finally:
            os._exit(126)
    feeder = None
    if feed:
        feeder = os.fork()
        if feeder == 0:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            feed()
            os._exit(0)
    os.close(stdin)
    if feed:
        os.close(others.pop())
    end = time.monotonic() + SECONDS
    got, status = os.waitpid(pid, os.WNOHANG)
    while got == 0 and time.monotonic() < end:
        time.sleep(0.002)
        got, status = os.waitpid(pid, os.WNOHANG)
    if got == 0:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if feeder:
        os.waitpid(feeder, 0)
    for fd in others:
        os.close(fd)
    return os.waitstatus_to_exitcode(status) if got else None


def look():
    """The finished messages in drop/, and how many other files there are."""
    messages, others = [], 0
    for name in os.listdir(DROP):
        path = os.path.join(DROP, name)
        with open(path, "rb") as f:
            data = f.read()
        mode = os.stat(path).st_mode & 0o7777
        end = re.fullmatch(rb"E[78]([0-9a-f]{16})[0-9a-f]{8}\n", data[-27:])
        if mode == 0o640 and data.startswith(b"mxnss 1\n") and end and \
                int(end.group(1), 16) == len(data) - 27:
            messages.append(data)
        else:
            others += 1
        os.unlink(path)
    return messages, others


def judge(code, codes, messages, others):
    if code is None:
        return "it does not end"
    if code not in codes:
        return "exit code %d" % code
    if code == 0 and len(messages) != 1:
        return "exit code 0 and %d messages" % len(messages)
    if code != 0 and messages:
        return "exit code %d and a message" % code
    # who is killed cannot tidy up
    if others and code >= 0:
        return "exit code %d and a rest of a message" % code
    if messages and b"y.example" in messages[0].split(b"\r\n\r\n")[0]:
        return "the environment is in the message"
    return None


def main():
    table()
    for name, pre, codes, args, argv0, env, make in ROWS:
        code = run(pre, args, argv0, env, make)
        why = judge(code, codes, *look())
        print("%s %s" % ("not ok" if why else "ok", name))
        if why:
            print("#   " + why)
        sys.stdout.flush()


main()
