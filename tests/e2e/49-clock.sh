#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The clock is wrong, or jumps while a message waits or the runner sleeps
# (security.md, checklist item 37): mail is taken and delivered all the same,
# nothing waits for years, nothing is returned before its time, and nothing
# turns in circles.  tests/crash/clock.c is the clock.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
CLOCK=${top_builddir:-.}/tests/crash/clock.so
[ -f "$CLOCK" ] || skip_all "tests/crash/clock.so is not built"

zone_add << 'END'
later	MX	10 b
END
dns_start
mx_start home=192.0.2.10 a=192.0.2.11
conf warn off
today=$(date +%s)
# at SECONDS: the clock says that many since 1970, and goes on.
at()
{
	printf '%-24s' $(($1 - today)) 1<> $T/clock
}
at "$today"
CLOCK_FILE=$T/clock
cp "$CLOCK" $T/clock.so
LD_PRELOAD=$T/clock.so
ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
export CLOCK_FILE LD_PRELOAD ASAN_OPTIONS
year=$((365 * 86400))

# waits N AHEAD: one message does, after N attempts, and not for long.
waits()
{
	now=$(date +%s)
	queue | json 'len(docs) == 1 and
	    d["recipients"][0]["attempts"] == int(argv[0]) and
	    int(argv[2]) - 5 < d["next"] <= int(argv[2]) + int(argv[1])' \
	    "$1" "$2" "$now" || { runner_log; return 1; }
}
# dated FROM: Date and Received of the message say a time since then.
dated()
{
	mx_eml a | "$PY" -c '
import email, sys
from email.utils import parsedate_to_datetime as parse
m = email.message_from_binary_file(sys.stdin.buffer)
for text in m["Date"], m["Received"].rpartition(";")[2].strip():
    d = parse(text)
    if not int(sys.argv[1]) <= d.timestamp() <= int(sys.argv[2]) or \
            not text.startswith(d.strftime("%a, %-d %b %Y %H:%M:%S ")):
        sys.exit("%s is not from %s to %s" % (text, *sys.argv[1:]))' \
	    "$1" "$(date +%s)"
}

# ---- a clock that is wrong ---------------------------------------------------

while read -r name seconds; do
	empty_queue
	mx_clear
	at "$seconds"
	from=$(date +%s)
	mail u@one.example later@one.example
	queue > $T/q
	check "$name: mailq before" json_of $T/q \
	    'd["next"] is None and '"$from <= d['time'] <= $(date +%s)"
	run
	check "$name: delivered" is "$(mx_who)" "a:1"
	check "$name: its date" dated "$from"
	queue > $T/q
	check "$name: mailq" json_of $T/q 'len(docs) == 1 and
	    '"$from <= d['time'] <= $(date +%s)"' and
	    0 < d["next"] - d["time"] < 600'
	check "$name: the table" has "$(mailq)" \
	    " $(date -d "@$from" '+%a %b %e %H:')[0-9:]{5}  alice@" \
	    "later@one.example" \
	    "4.*; next attempt $(date -d "@$from" '+%a %b')"
	flush
	queue > $T/q
	check "$name: sendmail -q" json_of $T/q \
	    'd["recipients"][0]["attempts"] == 2'
done << 'END'
1970 100
2038 2147483640
2040 2208988800
2106 4294967290
2400 13574563200
END

# ---- jumps while a message waits -----------------------------------------------

empty_queue
mx_clear
at "$today"
mail later@one.example
run
for i in 1 2 3 4 5; do
	flush
done
check "six attempts" waits 6 330
at $((today + 68 * year))
run
check "68 years later it is tried, and stays" waits 7 16200
check "nobody is told" is "$(mx_who)" ""
at "$today"
run
check "back again, it is due" waits 8 16200
check "and still nobody is told" is "$(mx_who)" ""
at $((today - 300))
run
check "five minutes earlier it waits" waits 8 16500

empty_queue
mx_clear
at 100		# no battery, and no network yet
mail u@later.example
run
check "submitted in 1970" waits 1 330
at "$today"
run
check "the time is set: it is tried" waits 2 16200
for i in 1 2 3 4 5; do
	flush
done
check "and tried, and not returned" waits 7 16200
check "to nobody" is "$(mx_who)" ""

empty_queue
at $((today + 68 * year))
mail u@later.example
run
check "a host of the future is down" eval 'waits 1 330 &&
    test -n "$(ls $SPOOL/host)"'
at "$today"
mx_start b=192.0.2.12
run
check "today it is not" is "$(mx_who)" "b:1"
mx_stop b

# ---- jumps while the runner sleeps ----------------------------------------------

# attempts N: the log has that many that were put off, and no more come.
attempts()
{
	await 15 eval '[ "$(grep -c status=deferred $T/log/runner)" -ge '"$1"' ]'
	is "$(grep -c status=deferred $T/log/runner)" "$1" || runner_log
}
# ticks: the processor time of the daemon, in hundredths of a second
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$daemon/stat"
}
# quick BEFORE: it has hardly worked since then, and has not tried again.
quick()
{
	[ $(($(ticks) - $1)) -lt 100 ] && attempts 3
}
empty_queue
mx_clear
: > $T/log/runner
"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
await 10 test -S $P/run/mxnss/wake || fail "the daemon starts" "$(runner_log)"
at $((today + 68 * year))
mail later@one.example
check "a runner in 2094" attempts 1
at "$today"
mail u@one.example
check "the clock is put back: who waits is tried" attempts 2
at $((today + 68 * year))
mail u@one.example
check "and forward" attempts 3
check "new mail goes at once" await 15 eval 'is "$(mx_who)" a:2'
before=$(ticks)
mail u@one.example
check "and again" await 15 eval 'is "$(mx_who)" a:3'
check "no circles" quick "$before"
kill "$daemon"
check "it ends" await 15 gone "$daemon"

# ---- at the same time -------------------------------------------------------------

empty_queue
for i in 1 2 3 4 5 6 7 8 9 10; do
	at $((today - i))
	mail u@one.example u$i@one.example
done
check "identifiers are unique" is "$(queued)" 10

finish
