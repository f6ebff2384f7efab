#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Exchanges that are down, refuse or swallow connections: the next one, and
# when there is none, the queue.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

zone_add << 'END'
twoaddr	MX	10 twohost
twohost	A	192.0.2.31
	A	192.0.2.12
slow	MX	10 swallow
	MX	20 b
swallow	A	192.0.2.60
busy	MX	10 busyhost
	MX	20 b
busyhost A	192.0.2.32
shut	MX	10 shuthost
	MX	20 b
shuthost A	192.0.2.33
never	MX	10 neverhost
	MX	20 b
neverhost A	192.0.2.34
both	MX	10 bothhost
bothhost AAAA	2001:db8::60
	A	192.0.2.12
END
dns_start
mx_start home=192.0.2.10 a=192.0.2.11 b=192.0.2.12 c=192.0.2.13 \
    busy=192.0.2.32,mail=451 shut=192.0.2.33,banner=554 \
    never=192.0.2.34,mail=550

next()
{
	mx_clear
	empty_queue
	: > $T/log/runner
	mail "$1" && run
}

mx_stop a
next u@three.example
check "the best is down: the next has it" is "$(mx_who)" b:1
check "nothing is left" is "$(queued) $(drop_count)" "0 0"
check "the log names the host that took it" has "$(runner_log)" \
    'to=<u@three.example>, relay=b\.example\[192\.0\.2\.12\]:25,.* status=sent'
mx_stop b
next u@three.example
check "two are down: the third has it" is "$(mx_who)" c:1
mx_stop c
next u@three.example
check "all are down: it waits" is "$(mx_who) $(queued)" " 1"
check "mailq says why" has "$(queue)" '"dsn": ?"4\.4\.1"' 'refused'
check "the log says deferred" has "$(runner_log)" \
    'to=<u@three.example>,.* dsn=4\.4\.1, status=deferred'
mx_start a=192.0.2.11 b=192.0.2.12 c=192.0.2.13
run
check "not due: it still waits" is "$(mx_who) $(queued)" " 1"
flush
check "sendmail -q: it leaves, to the best" is "$(mx_who) $(queued)" "a:1 0"

next u@twoaddr.example
check "the first address is down: the second" is "$(mx_who)" b:1
next u@busy.example
check "4yz to MAIL: the next exchange" is "$(mx_who)" b:1
next u@shut.example
check "554 as a greeting: the next exchange" is "$(mx_who)" b:1
next u@never.example
run
check "5yz to MAIL is final" is "$(mx_who)" home:1

# A host that swallows packets: they go to an address that nobody has.
mac=$(there cat /sys/class/net/mx1/address 2> /dev/null)
[ -n "$mac" ] || mac=$(there ip -o link show mx1 |
    sed 's/.*link\/ether \([^ ]*\).*/\1/')
ip neigh add 192.0.2.60 lladdr "$mac" dev mx0
next u@slow.example
check "a swallowed connection: the next exchange" is "$(mx_who)" b:1

if [ "$HAVE_IPV6" -eq 1 ]; then
	ip -6 neigh add 2001:db8::60 lladdr "$mac" dev mx0
	conf connect-timeout 30s
	next u@both.example
	check "IPv6 is swallowed: IPv4" is "$(mx_who)" b:1
	check "and not after the whole time" has "$(runner_log)" \
	    'to=<u@both\.example>, relay=bothhost\.example\[192\.0\.2\.12\]:25, delay=([0-9]|1[0-9])(\.[0-9]+)?,'
else
	skip "IPv6 is swallowed: IPv4" "no IPv6 here"
fi

finish
