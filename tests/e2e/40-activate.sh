#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The runner as a service that is started when there is mail: by a socket, as
# systemd passes it in, many times; against junk, a wrong configuration, and
# senders that cannot reach the socket.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
need systemd-socket-activate

dns_start
mx_start a=192.0.2.11
WAKE=$P/run/mxnss/wake

arrives()	# N
{
	await 30 eval "test \"\$(mx_count a)\" = $1" ||
	    { echo "has $(mx_count a), not $1"; runner_log | tail -20; return 1; }
}

# The real thing: it makes the socket and starts the runner for a datagram.
systemd-socket-activate -d -l "$WAKE" "$RUNNER" --idle 0 \
    > $T/log/activate 2>> $T/log/runner &
pid=$!
await 10 test -S "$WAKE"
chmod 666 "$WAKE"
mail u@one.example
check "systemd-socket-activate: a submission starts the runner" arrives 1
check "--idle 0: it ends when all is done" await 20 gone $pid
rm -f "$WAKE"

# A service manager in small: keeps the socket, starts the runner for what
# comes, notes what it is told.
cat > $T/manager.py << 'END'
import os, select, signal, socket, sys
wake, runner, told = sys.argv[1:4]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(wake)
os.chmod(wake, 0o666)
n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
n.bind(b"\0mxnss-test")
n.settimeout(0.05)
out = open(told, "a")
starts = 0
while True:
    select.select([s], [], [])
    starts += 1
    pid = os.fork()
    if pid == 0:
        os.dup2(s.fileno(), 3)
        # which dup2 leaves alone where the socket is 3 already
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()),
                          NOTIFY_SOCKET="@mxnss-test")
        os.execv(runner, [runner] + sys.argv[4:])
    out.write("start %d %d\n" % (starts, pid))
    done = 0
    while done == 0:
        out.flush()
        done = os.waitpid(pid, os.WNOHANG)[0]
        try:
            while True:
                out.write(n.recv(4096).decode() + "\n")
        except TimeoutError:
            pass
    out.write("end\n")
    out.flush()
END
manage()	# ARG...: of the runner
{
	rm -f "$WAKE"
	"$PY" $T/manager.py "$WAKE" "$RUNNER" $T/told "$@" 2>> $T/log/runner &
	manager=$!
	await 10 test -S "$WAKE"
}
runner_pid()
{
	tail -n 50 $T/told | awk '/^start/ { pid = $3 } END { print pid }'
}

mx_clear
manage --idle 0
ends()
{
	await 20 eval 'test "$(tail -n 1 $T/told)" = end'
}
i=0
while [ $i -lt 50 ]; do
	mail "u$i@one.example"
	i=$((i + 1))
	[ $i != 25 ] || ends
done
check "50 submissions, the runner always about to end: all arrive" arrives 50
check "it was started more than once" test "$(grep -c ^start $T/told)" -gt 1
check "it said that it is ready" has "$(cat $T/told)" '^READY=1'
check "and how much there is" has "$(cat $T/told)" '^STATUS=[0-9]+ messages'
ends

# Junk in the socket, before and while the runner is there.
junk()
{
	as bob "$PY" -c '
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setblocking(False)
sent, end = 0, time.monotonic() + 5
while sent < 10000 and time.monotonic() < end:
    try:
        s.sendto(os.urandom(sent % 100), sys.argv[1])
        sent += 1
    except BlockingIOError:
        # the socket holds a few; who serves it must get to run
        time.sleep(0.001)' "$WAKE"
}
mx_clear
check "10,000 junk datagrams, or as many as the socket takes" junk
mail u@one.example
check "mail goes out after them" arrives 1
ends
kill $manager

# To stay, reload and end, as the manager hears it.
mx_clear
: > $T/told
manage --daemon
mail u1@one.example
arrives 1
echo 'what is this' >> $CONF
check "a wrong configuration does not end it" await 10 grep -q \
    'held: the configuration' $T/told
mail u2@one.example
sleep 0.3
check "mail is kept" is "$(mx_count a)" 1
sed '/what is this/d' $CONF > $T/conf.new
cat $T/conf.new > $CONF
check "when it is mended the mail goes out by itself" arrives 2
: > $T/told.mark
kill -HUP "$(runner_pid)"
check "SIGHUP: it reloads" await 10 grep -q '^RELOADING=1' $T/told

# Who may not use AF_UNIX cannot wake it; the file in drop/ does.
case $(uname -m) in
x86_64)	nr=41 arch=0xc000003e ;;
aarch64) nr=198 arch=0xc00000b7 ;;
*)	nr= ;;
esac
cat > $T/nosocket.py << 'END'
import ctypes, os, struct, sys
nr, arch = int(sys.argv[1]), int(sys.argv[2], 0)
def ins(code, jt, jf, k):
    return struct.pack("HBBI", code, jt, jf, k)
prog = (ins(0x20, 0, 0, 4) + ins(0x15, 0, 5, arch) +	# architecture
        ins(0x20, 0, 0, 0) + ins(0x15, 0, 3, nr) +	# socket(2)
        ins(0x20, 0, 0, 16) + ins(0x15, 0, 1, 1) +	# AF_UNIX
        ins(0x06, 0, 0, 0x00050000 | 97) +		# EAFNOSUPPORT
        ins(0x06, 0, 0, 0x7fff0000))
buf = ctypes.create_string_buffer(prog)
fprog = struct.pack("HxxxxxxQ", len(prog) // 8, ctypes.addressof(buf))
libc = ctypes.CDLL(None, use_errno=True)
if (libc.prctl(38, 1, 0, 0, 0) != 0 or
        libc.prctl(22, 2, ctypes.c_char_p(fprog), 0, 0) != 0):
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[3], sys.argv[3:])
END
nosocket()	# RCPT
{
	printf 'Subject: x\n\nbody\n' | quiet as alice "$PY" $T/nosocket.py \
	    $nr $arch sendmail -f alice@sender.example "$1"
}
if [ -n "$nr" ]; then
	if as alice "$PY" $T/nosocket.py $nr $arch "$PY" -c \
	    'import socket; socket.socket(socket.AF_UNIX)' 2> /dev/null; then
		fail "the filter works"
	fi
	check "without AF_UNIX: accepted" nosocket u3@one.example
	check "and delivered by the runner that is there" arrives 3
fi
kill -TERM "$(runner_pid)"
check "SIGTERM: it says that it stops" await 10 grep -q '^STOPPING=1' $T/told
await 10 eval 'test "$(tail -n 1 $T/told)" = end'
kill $manager
if [ -n "$nr" ]; then
	nosocket u4@one.example
	check "without a runner it waits in drop/" is "$(drop_count)" 1
	# what mxnss.path does
	"$RUNNER" --idle 0 2>> $T/log/runner
	check "and goes out when one is started" arrives 4
fi

finish
