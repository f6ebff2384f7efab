#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The ways to run the runner: once, as a daemon, woken by the socket or by
# drop/ alone, activated as systemd does, started by sendmail; and how it
# ends.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

zone_add << 'END'
slow	MX	10 b
END
dns_start
mx_start home=192.0.2.10 a=192.0.2.11
WAKE=$P/run/mxnss/wake

arrives()	# N
{
	await 15 eval "test \"\$(mx_count a)\" = $1" ||
	    { echo "has $(mx_count a), not $1"; runner_log; return 1; }
}
# ends NAME PID RC: not by check, which could not wait for it.
ends()
{
	await 15 gone "$2" || { fail "$1" "$2 still runs"; return; }
	ends_rc=0
	wait "$2" || ends_rc=$?
	check "$1" is "$ends_rc" "$3"
}

check "--once with nothing to do" run
mail u@one.example
check "--once delivers and ends" eval 'run && is "$(mx_count a)" 1'

mx_clear
mail u1@one.example
"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
check "--daemon finds what is there" arrives 1
check "it made the wake socket" await 10 test -S "$WAKE"
mail u2@one.example
check "a submission wakes it" arrives 2
[ "$MULTI" -eq 0 ] ||
    check "anybody may wake it" is "$(stat -c %a "$WAKE")" 666
RC=0
"$RUNNER" --once 2> $T/second.err || RC=$?
check "a second runner ends at once" test "$RC" -ne 124
check "and the first goes on" kill -0 $daemon
mv "$WAKE" "$WAKE.away"
mail u3@one.example
check "drop/ alone wakes it" arrives 3
mv "$WAKE.away" "$WAKE"
mx_stop a
mail u4@one.example
check "a message waits" await 15 eval '
    queue | json "d[\"recipients\"][0][\"attempts\"] == 1"'
mx_start a=192.0.2.11
sendmail -q
check "sendmail -q: the daemon sends it" arrives 4
check "the spool is empty" await 10 eval \
    'test "$(drop_count) $(queued)" = "0 0"'
# The worker still has the route and the connection of this one.
mail u@one.example
arrives 5
echo 'one.example 10 home.example' > $MXHOSTS
mail u@one.example
check "a line in mxhosts counts at once" await 15 eval \
    'test "$(mx_who)" = "a:5 home:1"'
: > $MXHOSTS
mx_clear
kill -HUP $daemon
mail u5@one.example
check "SIGHUP does not end it" arrives 1
if [ "$MULTI" -eq 1 ]; then
	check "it runs as the spool's owner" is \
	    "$(stat -c %U /proc/$daemon)" _mxnss
	check "with no way back to root" is "$(awk '/^Uid:/ {
	    print $2 == $3 && $3 == $4 && $4 == $5 && $2 != 0 }' \
	    /proc/$daemon/status)" 1
fi
kill -TERM $daemon
ends "SIGTERM ends it with 0" $daemon 0

# While one of two hosts of a message does not answer.
mx_clear
mx_start b=192.0.2.12,hang=RCPT
"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
await 10 test -S "$WAKE"
mail u1@one.example u2@slow.example
await 15 test -s $T/mail/b.hangs && arrives 1
: > $T/log/runner
began=$(date +%s%N)
kill -TERM $daemon
await 15 gone $daemon
took=$((($(date +%s%N) - began) / 1000000))
check "SIGTERM ends it within 5 s, whatever a server does" test $took -lt 5000
check "no process of it is left" eval '! grep -l "^$RUNNER" /proc/[0-9]*/cmdline'
check "it is no attempt at who has not got it, and it is due" eval '
    queue | json "[(r[\"address\"], r[\"attempts\"])
    for r in d[\"recipients\"]] == [(\"u2@slow.example\", 0)] and
    d[\"next\"] <= __import__(\"time\").time()"'
mx_stop b
mx_start b=192.0.2.12
run
check "the next one goes on, once for each" is "$(mx_who) $(queued)" "a:1 b:1 0"

# In a connect(2), in a lookup, and behind a mailbox that somebody has locked.
if [ "$MULTI" -eq 1 ]; then
	mx_clear
	mount -t tmpfs tmpfs /var/mail && : > /var/mail/alice &&
	    chown alice:mail /var/mail/alice || die "no /var/mail of our own"
	"$PY" -c 'import fcntl, time
f = open("/var/mail/alice", "r+")
fcntl.lockf(f, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(1000)' > $T/locked &
	locker=$!
	await 10 test -s $T/locked
	ip neigh replace 192.0.2.99 lladdr 02:00:00:00:00:99 dev mx0
	echo 'black.example 10 [192.0.2.99]' > $MXHOSTS
	# shellcheck disable=SC2046
	kill -STOP $(pidof nsd)
	mail u@black.example
	mail u@three.example
	mail alice@client.sender.example
	conf connect-timeout 30s
	"$RUNNER" --daemon 2>> $T/log/runner &
	daemon=$!
	# the writer and three workers
	await 20 eval 'test "$(wc -w < /proc/$daemon/task/$daemon/children)" -ge 4'
	began=$(date +%s%N)
	kill -TERM $daemon
	await 15 gone $daemon
	took=$((($(date +%s%N) - began) / 1000000))
	check "the same in every other wait" test $took -lt 5000
	check "and nothing was an attempt" eval 'queue | json "
	    [r[\"attempts\"] for d in docs for r in d[\"recipients\"]] ==
	    [0, 0, 0]"'
	# shellcheck disable=SC2046
	kill -CONT $(pidof nsd)
	kill $locker
	conf connect-timeout 1s
	run
	check "what can be delivered is, then" is "$(mx_who) $(queued) $(
	    grep -c "^Subject: to alice" /var/mail/alice)" "a:1 1 1"
	: > $MXHOSTS
	umount /var/mail
	empty_queue
	mx_clear
fi

# Socket activation: descriptor 3, LISTEN_FDS=1, LISTEN_PID.
rm -f "$WAKE"
activate()
{
	"$PY" -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
if len(sys.argv) > 3:
    os.setgid(int(sys.argv[3]))
    os.setgroups([int(sys.argv[4])])
    os.setuid(int(sys.argv[3]))
os.execv(sys.argv[2], [sys.argv[2]])' "$@" 2>> $T/log/runner &
	daemon=$!
}
mx_clear
mail u1@one.example
if [ "$MULTI" -eq 1 ]; then
	activate "$WAKE" "$RUNNER" "$(id -u _mxnss)" "$(stat -c %g "$SPOOL/drop")"
else
	activate "$WAKE" "$RUNNER"
fi
check "activated by a socket: finds what is there" arrives 1
mail u2@one.example
check "and is woken by it" arrives 2
mx_stop a
mail u3@one.example
await 15 eval 'queue | json "d[\"recipients\"][0][\"attempts\"] == 1"'
check "it stays while something waits" kill -0 $daemon
mx_start a=192.0.2.11
sendmail -q
arrives 3
check "and ends when the spool has been empty for 30 s" \
    eval 'await 45 gone $daemon'
check "the socket is the supervisor's: it stays" test -S "$WAKE"
rm -f "$WAKE"

# Where the caller owns the spool sendmail starts a runner itself.
mx_clear
printf 'Subject: own\n\nbody\n' > $T/msg
as _mxnss sendmail -f alice@sender.example u@one.example < $T/msg
check "sendmail by the spool's owner starts a runner" arrives 1
check "that leaves nothing behind" await 10 eval \
    'test "$(drop_count) $(queued)" = "0 0"'

finish
