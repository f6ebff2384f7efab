#!/bin/sh
# SPDX-License-Identifier: ISC
#
# One user floods the spool, by mail and by other things: the others do not
# notice, nothing of the flood is lost, and the runner sleeps when it can.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
need_multi

zone_add << 'END'
flood	MX	10 b
END
dns_start
mx_start a=192.0.2.11
D=$SPOOL/drop

# flood N: bob has N messages in drop/, made from one; and their names.
flood()
{
	as bob "$PY" - "$1" "$D" "$T/bob" << 'END'
import os, random, sys
n, drop, text = int(sys.argv[1]), sys.argv[2], open(sys.argv[3], "rb").read()
digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
os.umask(0)
for i in range(n):
    name = "01K0TNMBKA9P0" + "".join(random.choice(digits) for _ in range(7))
    fd = os.open("%s/%s" % (drop, name), os.O_WRONLY | os.O_CREAT |
        os.O_EXCL, 0o600)
    os.write(fd, text)
    os.fchmod(fd, 0o640)
    os.close(fd)
END
}
queue_count()
{
	find "$SPOOL/queue" -type f ! -name '*.log' | wc -l | tr -d ' '
}
are()	# IN_QUEUE IN_DROP
{
	await 20 counts_are "$@" || is "$(queue_count) $(drop_count)" "$*"
}
counts_are()
{
	[ "$(queue_count) $(drop_count)" = "$*" ]
}
# asleep PID: it does nothing for a second.
asleep()
{
	for asleep_i in 1 2 3 4 5; do
		: "$asleep_i"
		asleep_n=$(grep -h ctxt "/proc/$1/status")
		sleep 1
		[ "$asleep_n" != "$(grep -h ctxt "/proc/$1/status")" ] ||
		    return 0
	done
	return 1
}

# What bob sends: b does not listen, so it waits.
send_as bob -f bob@sender.example u@flood.example << 'END'
Subject: flood

more
END
cp "$(find "$D" -type f)" $T/bob
chmod 644 $T/bob
empty_queue

conf user-messages 20
"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
await 10 test -S $P/run/mxnss/wake
flood 50
check "as many are picked up as a user may have" are 20 30
mail u@one.example
check "others notice nothing" await 15 eval 'test "$(mx_count a)" = 1'
check "nothing is lost" is "$(queued)" 50
check "mailq says why they wait" has "$(mailq)" \
    'uid 64903 has as much mail in the queue as a user may have'
check "the runner sleeps" asleep $daemon
mailq -j | "$PY" -c 'import json, sys
print("\n".join([d["id"] for d in map(json.loads, sys.stdin)
    if d["state"] == "waiting"][:5]))' > $T/ids
check "five of them are deleted" is "$(xargs mailq delete < $T/ids)" \
    "5 messages deleted"
check "and five others come" are 20 25
conf user-messages 40
check "the limit is raised" are 40 5
conf user-messages 20
check "it is lowered: what is there stays" asleep $daemon
check "no more and no less" is "$(queue_count) $(drop_count)" "40 5"
kill $daemon
await 10 gone $daemon

# A new runner knows whose they are, and opens none of them.
strace -f -o $T/trace -e trace=openat "$RUNNER" --once 2>> $T/log/runner
check "a new runner knows it, too" is "$(queue_count) $(drop_count)" "40 5"
if [ -s $T/trace ]; then
	check "and opens none that waits" lacks "$(cat $T/trace)" \
	    '"01K0TNMBKA9P[0-9A-Z]{8}"'
else
	skip "and opens none that waits" "strace is not installed"
fi
mx_start b=192.0.2.12
flush
check "all of them arrive in the end" is \
    "$(mx_count b) $(queue_count) $(drop_count)" "45 0 0"

# More than the runner remembers, and more events than the kernel queues.
mx_clear
mx_stop b
conf user-messages 10
"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
await 10 test -S $P/run/mxnss/wake
kill -STOP $daemon
as bob "$PY" -c '
import os, sys
for i in range(30000):
    path = "%s/junk%d" % (sys.argv[1], i % 10)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    os.unlink(path)' "$D"
flood 1500
mail u@one.example
kill -CONT $daemon
check "after a flood of events: the others" await 20 eval \
    'test "$(mx_count a)" = 1'
check "and the flood" are 10 1490
check "then the runner sleeps" asleep $daemon
mailq delete -qSbob@ > $T/out
check "all are deleted, with those it had forgotten" is "$(cat $T/out)" \
    "1500 messages deleted"
check "and nothing is left" are 0 0
mail v@one.example
check "mail flows" await 20 eval 'test "$(mx_count a)" = 2'

# What can be neither opened nor moved nor removed.
kill $daemon
await 10 gone $daemon
as bob sh -c 'umask 0; cd "$1" && mkdir -m 700 sub && echo x > sub/y &&
    mkdir -m 700 01K0TNMBKA9P0AAAAAAA && echo x > 01K0TNMBKA9P0AAAAAAA/y &&
    ln -s / 01K0TNMBKA9P0BBBBBBB && mkfifo -m 666 01K0TNMBKA9P0CCCCCCC &&
    truncate -s 1T 01K0TNMBKA9P0DDDDDDD && chmod 640 01K0TNMBKA9P0DDDDDDD &&
    printf "mxnss 7\n%s\n" "what a later version writes" \
	> 01K0TNMBKA9P0EEEEEEE && chmod 640 01K0TNMBKA9P0EEEEEEE &&
    cp "$2" 01K0TNMBKA9P0FFFFFFF && chmod 640 01K0TNMBKA9P0FFFFFFF &&
    chgrp bob 01K0TNMBKA9P0FFFFFFF &&
    cp "$2" 01K0TNMBKA9P0GGGGGGG && chmod 640 01K0TNMBKA9P0GGGGGGG' \
    sh "$D" $T/bob
as bob flock -x "$D/01K0TNMBKA9P0GGGGGGG" sleep 300 &
"$RUNNER" --daemon 2>> $T/log/hostile &
daemon=$!
for i in 1 2 3; do
	mail w$i@one.example
done
check "mail flows past them" await 20 eval 'test "$(mx_count a)" = 5'
check "in another run, too" eval 'kill -HUP $daemon && mail x@one.example &&
    await 20 eval "test \$(mx_count a) = 6"'
check "the runner sleeps" asleep $daemon
for name in sub 01K0TNMBKA9P0AAAAAAA 01K0TNMBKA9P0BBBBBBB \
    01K0TNMBKA9P0CCCCCCC 01K0TNMBKA9P0DDDDDDD 01K0TNMBKA9P0EEEEEEE \
    01K0TNMBKA9P0FFFFFFF; do
	check "$name is logged once" is \
	    "$(grep -c "drop/$name" $T/log/hostile)" 1
done
check "a lock does not keep a message" has "$(cat $T/log/hostile)" \
    '01K0TNMBKA9P0GGGGGGG: to=<u@flood.example>'
check "what stays, two directories and the later version, is counted" has "$(mailq)" '^-- 3 other files in'
kill $daemon
await 10 gone $daemon

finish
