#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Everything is killed with SIGKILL in the middle of its work: no
# acknowledged message is lost, none is half there, and one is delivered
# twice only where that cannot be avoided.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11 b=192.0.2.12 \
    rcpt=192.0.2.13,hang=RCPT data=192.0.2.14,hang=DATA
cat > $MXHOSTS << 'END'
hangrcpt.example 10 [192.0.2.13]
hangdata.example 10 [192.0.2.14]
other.example 10 b.example
END

# killed NAME RCPT...: submit, run until receiver NAME hangs, kill it all.
killed()
{
	mx_clear
	empty_queue
	rm -f $T/mail/*.hangs $T/mail/*.go
	killed_at=$1
	shift
	mail "$@" || return
	"$RUNNER" --once 2>> $T/log/runner &
	killed_pid=$!
	await 20 test -e "$T/mail/$killed_at.hangs" ||
	    { echo "never came there"; runner_log; return 1; }
	[ -z "${BEFORE_KILL:-}" ] || await 20 eval "$BEFORE_KILL" ||
	    { echo "never: $BEFORE_KILL"; runner_log; return 1; }
	# shellcheck disable=SC2046 # several numbers
	kill -9 $(runners)
	await 10 eval 'test -z "$(runners)"' || { echo "not dead"; return 1; }
	: > "$T/mail/$killed_at.go"
	wait $killed_pid 2> /dev/null
	return 0
}
# runners: the processes that execute the runner, the oldest first: it shall
# not live to see a worker die.
runners()
{
	for runners_p in /proc/[0-9]*; do
		[ "$(readlink "$runners_p/exe" 2> /dev/null)" != "$RUNNER" ] ||
		    echo "${runners_p#/proc/}"
	done | sort -n
}

check "killed at RCPT" killed rcpt u@hangrcpt.example
check "the message is still there" is "$(drop_count) $(mx_who)" "1 "
run
check "and arrives once" is "$(mx_who) $(drop_count) $(queued)" "rcpt:1 0 0"

check "killed between the data and its reply" killed data u@hangdata.example
run
check "it arrives; twice, as no client can know" \
    is "$(mx_who) $(drop_count) $(queued)" "data:2 0 0"

BEFORE_KILL='test "$(mx_count a) $(mx_count b)" = "1 1" && sleep 0.5'
check "killed with two destinations done and one not" \
    killed rcpt u@one.example u@other.example u@hangrcpt.example
BEFORE_KILL=
run
check "those two are not sent again" is "$(mx_who)" "a:1 b:1 rcpt:1"
check "nothing is left" is "$(drop_count) $(queued)" "0 0"

BEFORE_KILL='grep -q "no@one.example" $T/log/runner && sleep 0.5'
: > $T/log/runner
check "killed with one refused and one not done" \
    killed rcpt no@one.example u@hangrcpt.example
BEFORE_KILL=
run; run
check "one report and one delivery" is "$(mx_who)" "home:1 rcpt:1"
check "nothing is left" is "$(drop_count) $(queued)" "0 0"

# A worker alone dies: its message waits, the runner goes on.
mx_clear
empty_queue
rm -f $T/mail/*.hangs $T/mail/*.go
mail u@hangrcpt.example
mail u@one.example
"$RUNNER" --once 2>> $T/log/runner &
pid=$!
await 20 test -e $T/mail/rcpt.hangs
await 20 eval 'test "$(mx_count a)" = 1'
for p in $(runners); do
	[ "$p" -eq "$pid" ] || kill -9 "$p"
done
: > $T/mail/rcpt.go
RC=0
await 20 gone $pid || RC=1
wait $pid || RC=$?
check "a worker is killed: the runner ends well" is "$RC" 0
check "its message waits" is "$(($(queued) + $(drop_count))) $(mx_who)" "1 a:1"
flush
check "and arrives" is "$(mx_who) $(drop_count) $(queued)" "a:1 rcpt:1 0 0"

# sendmail is killed before the end of its input.
mx_clear
empty_queue
mkfifo $T/pipe
as alice sendmail -odq -f alice@sender.example u@one.example < $T/pipe &
pid=$!
exec 9> $T/pipe
printf 'Subject: half\n\nhalf a mess' >&9
await 10 eval 'test "$(drop_count)" = 1' ||
    sleep 0.2	# it may keep small input in memory
kill -9 $(pgrep -x sendmail 2> /dev/null) $pid 2> /dev/null
exec 9>&-
wait $pid 2> /dev/null
run
check "half a message is no message" is "$(mx_who) $(queued)" " 0"

# Ten messages, the runner killed again and again: all arrive.
mx_clear
empty_queue
rm -f $T/mail/*.hangs $T/mail/*.go
i=0
while [ $i -lt 30 ]; do
	mail "u$i@one.example" "v$i@other.example"
	i=$((i + 1))
done
i=0
while [ $i -lt 15 ]; do
	"$RUNNER" --once 2>> $T/log/runner &
	pid=$!
	sleep 0.0$((i % 9 + 1))
	# shellcheck disable=SC2046
	kill -9 $(runners) 2> /dev/null
	wait $pid 2> /dev/null
	i=$((i + 1))
done
await 10 eval 'test -z "$(runners)"'
flush; run
subjects()
{
	cat "$T/mail/$1"/*.eml | grep '^Subject: ' | sort -u | wc -l | tr -d ' '
}
check "killed 15 times: every message arrived at both" \
    is "$(subjects a) $(subjects b)" "30 30"
check "nothing is left" is "$(drop_count) $(queued)" "0 0"
check "duplicates: at most one for each kill and destination" \
    test "$(mx_total)" -le 90

finish
