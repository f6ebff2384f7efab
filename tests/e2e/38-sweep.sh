#!/bin/sh
# SPDX-License-Identifier: ISC
#
# sendmail, the runner and its workers are killed at, or meet an error of,
# each system call by which they change the spool: the n-th of its name in
# whichever process comes there first.  What was acknowledged is delivered or
# returned in the end, once, and nothing is left; what was refused is not
# there.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
command -v strace > /dev/null 2>&1 || skip_all "strace is not installed"
start "$@"
strace -qq -o /dev/null true 2> /dev/null || skip_all "strace may not trace"
# LeakSanitizer cannot work in a process that is traced already.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

dns_start
mx_start home=192.0.2.10 a=192.0.2.11
mkdir -p $T/log/trace
chmod 777 $T/log/trace

# calls ERE: each call in the trace that matches, and its number in its
# process: "fsync 2".  The same pair of another process counts once.
calls()
{
	sed -n 's/^\([0-9]* *\)\([a-z0-9_]*\)(.*/p\1 \2/p' \
	    $T/log/trace/calls |
	    awk -v re="^($1)\$" '$2 ~ re { print $2, ++n[$1 " " $2] }' |
	    sort -u
}
# shellcheck disable=SC2317 # for await
unlocked()
{
	flock -n "$SPOOL/queue" true
}

# ---- sendmail --------------------------------------------------------------

{ printf 'Subject: sweep\n\n'; yes 0123456789 | head -20000; } > $T/msg
submit()	# INJECTION
{
	RC=0
	# shellcheck disable=SC2086 # none, or one option
	quiet as alice strace -qq -o $T/log/trace/calls \
	    ${1:+-e inject=$1} sendmail -f alice@sender.example \
	    u@one.example < $T/msg > $T/send.out 2>&1 || RC=$?
}
# committed: how many may be picked up
committed()
{
	find "$SPOOL/drop" -type f -perm 0640 | wc -l | tr -d ' '
}
# submit_at CALL NUMBER INJECTION: what is wrong with the result.
submit_at()
{
	empty_queue
	submit "$1:$3:when=$2"
	case $RC-$(committed) in
	0-1|137-0|137-1|7[0-9]-0) ;;
	*)	echo "$1 $2 $3: exit $RC, $(committed) committed" ;;
	esac
	# 1: nothing is left of it, unless it was killed
	[ "$RC" -eq 137 ] || [ "$(drop_count)" -eq "$(committed)" ] ||
	    echo "$1 $2 $3: a file stayed"
}
submit ''
calls 'write|fsync|fchmod|close|sendto' > $T/points
check "sendmail makes the calls that are failed here" \
    has "$(cat $T/points)" '^write [3-9]' '^fsync 1' '^fchmod 1' '^close'
for inject in signal=KILL error=ENOSPC error=EINTR; do
	while read -r call number; do
		# the loader's are not ours to repeat
		[ "$call $inject" = "close error=ENOSPC" ] && continue
		[ "$call $inject" = "close error=EINTR" ] && continue
		[ "$call" = fchmod ] && [ $inject = error=EINTR ] && continue
		submit_at "$call" "$number" $inject
	done < $T/points > $T/wrong
	check "sendmail: $inject" is "$(cat $T/wrong)" ""
done

# ---- runner ----------------------------------------------------------------

printf 'Subject: sweep\n\nhello\n' > $T/msg
# One recipient gets it, the other does not exist: two destinations, the
# journal, a report, and its way home.
prepare()
{
	empty_queue
	mx_clear
	quiet as alice sendmail -f alice@sender.example u@one.example \
	    no@three.example < $T/msg
}
runner_once()	# INJECTION
{
	# shellcheck disable=SC2086 # none, or one option
	strace -f -qq -o $T/log/trace/calls ${1:+-e inject=$1} \
	    "$RUNNER" --once
}
# run_at CALL NUMBER INJECTION: what is wrong with the result.
run_at()
{
	prepare
	runner_once "$1:$3:when=$2" > $T/log/injected 2>&1
	await 10 unlocked || echo "$1 $2 $3: the lock stays"
	run_tries=0
	while [ "$(find "$SPOOL/drop" "$SPOOL/queue" -type f | wc -l)" -gt 0 ] &&
	    [ $run_tries -lt 4 ]; do
		flush > /dev/null 2>&1
		run_tries=$((run_tries + 1))
	done
	run_left=$(find "$SPOOL/drop" "$SPOOL/queue" "$SPOOL/bad" \
	    "$SPOOL/dead" -type f)
	[ -z "$run_left" ] || echo "$1 $2 $3: left $run_left"
	case "$(mx_who)" in
	"a:1 home:1") ;;
	*)	echo "$1 $2 $3: $(mx_who)"
		sed 's/^/	/' $T/log/injected ;;
	esac
}
prepare
runner_once '' 2>> $T/log/runner
check "without a fault: one delivery, one report" is "$(mx_who)" "a:1 home:1"
calls 'linkat|unlinkat|fsync|fdatasync|pread64' > $T/points
check "the runner makes the calls that are failed here" \
    has "$(cat $T/points)" '^linkat 2' '^unlinkat 3' '^fsync 4' '^fdatasync 1'
for inject in signal=KILL error=EIO; do
	while read -r call number; do
		# the first ones are of the loader
		[ "$call" = pread64 ] && [ "$number" -lt 3 ] && continue
		run_at "$call" "$number" $inject
	done < $T/points > $T/wrong
	check "runner: $inject" is "$(cat $T/wrong)" ""
done

finish
