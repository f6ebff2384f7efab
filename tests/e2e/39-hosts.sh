#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Hosts that cannot be reached: how often they are tried, in one run and over
# several, for one domain and for many; and a network that is not there.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

{
	i=1
	while [ $i -le 12 ]; do
		echo "long MX $((i * 10)) l$i"
		echo "l$i A 192.0.2.$((20 + i))"
		i=$((i + 1))
	done
	i=1
	while [ $i -le 40 ]; do
		echo "share$i MX 10 b"
		i=$((i + 1))
	done
} | zone_add
dns_start
conf connect-timeout 1s

# tried: how many connections this machine asked for since the last call.
opens=0
tried()
{
	tried_before=$opens
	opens=$(awk '/^Tcp: [0-9]/ { print $6 }' /proc/net/snmp)
	tried=$((opens - tried_before))
}
# forced: all messages are due; nothing is forgotten, unlike by sendmail -q.
forced()
{
	find "$SPOOL/queue" -type f ! -name '*.log' -exec touch -d @1 {} +
	run
}

# hosts: how many are remembered.
hosts()
{
	find "$SPOOL/host" -name '*:25' | wc -l | tr -d ' '
}

# copies N RCPT: N messages in drop/, quickly.
copies()
{
	mail "$2"
	"$PY" - "$SPOOL/drop" "$1" << 'END'
import os, sys
d, n = sys.argv[1], int(sys.argv[2])
name = os.listdir(d)[0]
st = os.stat(d + "/" + name)
data = open(d + "/" + name, "rb").read()
for i in range(1, n):
    to = "%s/%s%04d" % (d, name[:16], i)
    with open(to, "wb") as f:
        f.write(data)
    os.chown(to, st.st_uid, st.st_gid)
    os.chmod(to, 0o640)
END
}

copies 1000 u@one.example
tried
run
tried
check "1,000 messages to a dead host wait" is "$(queued)" 1000
check "one connection was asked for" is "$tried" 1
forced
tried
check "the next run: none, it was a moment ago" is "$tried" 0
check "mailq says why" has "$(mailq | head -5)" "onnection refused"
# with one domain: if nothing is known two may ask at the same time
printf 'garbage' > "$SPOOL/host/192.0.2.11:25"
forced
tried
check "what is no memory is not believed" is "$tried" 1
mail u@aonly.example
run
tried
check "another domain with that host: none" is "$tried" 0
check "the memory is a file for the host" test -f "$SPOOL/host/192.0.2.11:25"
# not a day ago: that would be forgotten
touch -d '1 minute ago' "$SPOOL/host/192.0.2.11:25"
forced
tried
check "when its time has come: one" is "$tried" 1
flush
tried
check "sendmail -q: one for each domain at most" test "$tried" -ge 1 -a "$tried" -le 2
mx_start a=192.0.2.11
flush
check "and when it is back all leave" is "$(mx_count a) $(queued)" "1001 0"
check "and it is forgotten" is "$(ls "$SPOOL/host")" ""

i=1
while [ $i -le 40 ]; do
	mail u@share$i.example
	i=$((i + 1))
done
tried
run
tried
check "40 domains that share a dead host wait" is "$(queued)" 40
check "a handful of connections" test "$tried" -ge 1 -a "$tried" -le 8
empty_queue

# A host that swallows connections keeps nobody else waiting.
mx_clear
# nobody has this address
echo 'slow.example 10 [192.0.2.99]' > $MXHOSTS
copies 50 u@slow.example
i=0
while [ $i -lt 5 ]; do
	mail v$i@one.example
	i=$((i + 1))
done
tried
"$RUNNER" --once 2>> $T/log/runner &
pid=$!
check "the others arrive while it is waited for" await 5 eval \
    'test "$(mx_count a)" = 5 && kill -0 $pid'
wait $pid
tried
# the others may have several
check "50 messages: one connection was asked for" is "$(runner_log |
    grep -c '192.0.2.99.:25: cannot connect')" 1
check "and a few for the others" test "$tried" -ge 2 -a "$tried" -le 6
check "and all wait" is "$(queued)" 50
empty_queue
: > $MXHOSTS

# Five hosts in an attempt; the next goes on with the sixth.
mx_start eight=192.0.2.28
mail u@long.example
run
check "five hosts of twelve are tried, and the mail waits" is "$(queued)" 1
check "these five are known" is "$(hosts)" 5
flush
check "the next attempt finds the eighth" is "$(mx_count eight)" 1
check "the list begins anew" test ! -e "$SPOOL/host/@long.example"
empty_queue

# No network: no route, no name server.
ip link set mx0 down
i=0
while [ $i -lt 30 ]; do
	mail u@d$i.example
	i=$((i + 1))
done
RC=0
run || RC=$?
check "without a network runner --once ends" is "$RC" 0
check "it says so" has "$(runner_log)" "the network is down"
# four at first, and one more for every 20 ms that they take
check "few of 30 messages were tried" test "$(queued)" -ge 3
check "the others are as they were" test "$(drop_count)" -ge 10
n=$(drop_count)
run
check "the next run tries few again" test "$(drop_count)" -ge $((n - 15))
check "hosts are not blamed" is "$(hosts)" 0

finish
