#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What becomes of mail to every kind of domain: delivered, returned, or kept;
# the same domains as in 10-getmx.sh, one case or two each.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11 b=192.0.2.12 c=192.0.2.13
[ "$HAVE_IPV6" -eq 0 ] || mx_start six=[2001:db8::11]

fresh()
{
	mx_clear
	empty_queue
	: > $T/log/runner
	mail "$1"
}
# delivers RCPT WHO: at the first run, once, and nothing is left.
delivers()
{
	fresh "$1" || return
	run || return
	is "$(mx_who)" "$2" && is "$(drop_count) $(queued)" "0 0" || return
	mx_json "${2%:*}" | json 'd["rcpts"] == [argv[0]] and
	    d["sender"] == "alice@sender.example" and
	    d["helo"] == "client.sender.example"' "$1" &&
	    has "$(runner_log)" "to=<$(quote "$1")>.* dsn=2\..* status=sent"
}
# bounces RCPT DSN: one report to alice, which names recipient and reason.
bounces()
{
	fresh "$1" || return
	run || return
	run || return
	is "$(mx_who)" "home:1" && is "$(drop_count) $(queued)" "0 0" || return
	mx_json home | json 'd["sender"] == "" and
	    d["rcpts"] == ["alice@sender.example"]' &&
	    has "$(mx_eml home)" "$(quote "$2")" "$(quote "$1")" &&
	    has "$(runner_log)" "to=<$1>.* dsn=$2.* status=bounced"
}
# waits RCPT DSN: nobody gets anything; mailq says why.
waits()
{
	fresh "$1" || return
	run || return
	is "$(mx_who)" "" && is "$(queued)" 1 || return
	queue | json 'd["sender"] == "alice@sender.example" and
	    len(d["recipients"]) == 1 and
	    d["recipients"][0]["address"] == argv[0] and
	    d["recipients"][0]["dsn"] == argv[1] and
	    d["recipients"][0]["attempts"] == 1 and
	    d["recipients"][0]["reply"] != ""' "$1" "$2" &&
	    has "$(runner_log)" "to=<$1>.* dsn=$2.* status=deferred"
}

check "one MX: delivered" delivers u@one.example a:1
check "three preferences: to the best" delivers u@three.example a:1
equal()
{
	fresh u@equal.example && run && is "$(mx_total)" 1 &&
	    has "$(mx_who)" '^[abc]:1$' && is "$(queued)" 0
}
check "three equal: to one of them" equal
check "none but an A record: delivered" delivers u@aonly.example a:1
if [ "$HAVE_IPV6" -eq 1 ]; then
	check "none but an AAAA record: delivered" \
	    delivers u@aaaaonly.example six:1
else
	skip "none but an AAAA record: delivered" "no IPv6 here"
fi
check "null MX: returned" bounces u@null.example 5.1.10
check "MX to a CNAME: delivered" delivers u@cname.example a:1
check "MX to an address in digits: returned" bounces u@numeric.example 5.4.4
check "MX to a missing name: returned" bounces u@missing.example 5.4.4
check "NXDOMAIN: returned" bounces u@nosuch.example 5.1.2
check "SERVFAIL: kept" waits u@some.broken 4.4.3
check "REFUSED: kept" waits u@other.test 4.4.3
check "60 MX: to the best" delivers u@sixty.example a:1
check "we are the best MX: returned" bounces u@self.example 5.4.6
check "a literal: delivered" delivers 'u@[192.0.2.12]' b:1

# The receiver of bounces is not needed, and no name server answers.
there "$PY" -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.54", 53))
open("/mnt/t/silent", "w").close()
time.sleep(10000)' &
await 10 test -e $T/silent
printf 'nameserver 192.0.2.54\noptions timeout:1 attempts:1\n' > $ETC/resolv.conf
check "a server that answers nothing: kept" waits u@one.example 4.4.3
printf 'nameserver 192.0.2.53\n' > $ETC/resolv.conf
mx_clear
flush
check "and delivered when one answers" is "$(mx_who) $(queued)" "a:1 0"

finish
