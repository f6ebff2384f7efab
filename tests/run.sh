#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh TEST...: runs test programs and scripts, and counts.  A name ends in
# .sh and is looked for in the source tree, or is a program in the build
# tree.  What a test prints goes to tests/logs/.
#
# A test is counted by the TAP lines that it prints, as cmocka and the
# scripts do: "ok ...", "not ok ...", and "ok ... # SKIP why".  A test that
# prints none counts as one: passed when it exits 0, skipped when it exits
# 77 (its last line is the reason).  Any other exit is a failure, whatever
# was printed.
#
# The last line is "N passed, N failed, N skipped"; the exit status is 1
# when anything failed or nothing passed.
#
# TEST_EXEC is what runs a program, an emulator for example; none by default.
# TEST_TIMEOUT is the longest that one test may take, in seconds.  TEST_JOBS
# is how many run at a time; they mostly wait, so there are two to a processor.

set -u

top_srcdir=${top_srcdir:-$(cd "${0%/*}/.." && pwd)}
top_builddir=${top_builddir:-$(pwd)}
export top_srcdir top_builddir
logs=$top_builddir/tests/logs
limit=${TEST_TIMEOUT:=600}

CMOCKA_MESSAGE_OUTPUT=TAP
ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export CMOCKA_MESSAGE_OUTPUT ASAN_OPTIONS UBSAN_OPTIONS
LC_ALL=C
TZ=UTC
export LC_ALL TZ

mkdir -p "$logs" || exit 1
cd "$top_builddir" || exit 1

if command -v timeout >/dev/null 2>&1; then
	limited="timeout -k 10 $limit"
else
	limited=
fi

# Numbers of passed, failed and skipped tests in a log, given the exit status.
count() {
	awk -v status="$2" '
	/^(not )?ok .*# *[Ss][Kk][Ii][Pp]/ { skip++; next }
	/^ok / { pass++; next }
	/^not ok / { fail++; next }
	END {
		if (status != 0 && status != 77 && !fail)
			fail++
		if (!pass && !fail && !skip) {
			if (status == 77)
				skip++
			else
				pass++
		}
		print pass + 0, fail + 0, skip + 0
	}' "$1"
}

# The reasons for what was skipped, in one line.
reasons() {
	sed -n 's/^[nok1][^#]*# *[Ss][Kk][Ii][Pp]//p' "$1" | sort -u |
	    awk '{ gsub(/^[ :]+/, ""); if ($0 != "") {
		printf "%s%s", sep, $0; sep = "; " } }'
}

# run_one NAME: print what became of it, leave the numbers in its .count.
run_one() {
	name=$1
	log=$logs/$(printf '%s' "$name" | tr / -)
	start=$(date +%s)
	case $name in
	*.sh)
		# shellcheck disable=SC2086 # words of a command
		$limited sh "$top_srcdir/$name" >"$log.log" 2>&1 </dev/null ;;
	*)
		# shellcheck disable=SC2086
		$limited ${TEST_EXEC:-} "./$name" >"$log.log" 2>&1 </dev/null ;;
	esac
	status=$?
	count "$log.log" "$status" >"$log.count"
	read -r passed failed skipped <"$log.count"
	took=$(($(date +%s) - start))
	[ $took -ge 10 ] && took=" in $took s" || took=
	why=
	if [ "$skipped" -gt 0 ]; then
		why=$(reasons "$log.log")
		[ -n "$why" ] || why=$(tail -n 1 "$log.log")
		why=" ($skipped skipped: $why)"
	fi
	if [ "$failed" -gt 0 ]; then
		[ "$status" != 124 ] || why="$why (stopped after $limit s)"
		echo "FAIL $name: $passed passed, $failed failed," \
		    "status $status$why"
		echo "     log: $log.log"
		grep -n '^not ok' "$log.log" | grep -vi '# *skip' |
		    head -n 20 | sed 's/^/     /'
		tail -n 30 "$log.log" | sed 's/^/     | /'
	elif [ "$passed" -gt 0 ]; then
		echo "ok   $name: $passed$took$why"
	else
		echo "skip $name$why"
	fi
}

if [ "${1:-}" = --one ]; then
	# The text of one test stays together.
	text=$(run_one "$2")
	printf '%s\n' "$text"
	exit 0
fi

rm -f "$logs"/*.count
export TEST_TIMEOUT
: "${TEST_JOBS:=$(($(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) * 2))}"
for name; do
	printf '%s\n' "$name"
done | xargs -n 1 -P "$TEST_JOBS" sh "$top_srcdir/tests/run.sh" --one

passed=0
failed=0
skipped=0
for name; do
	log=$logs/$(printf '%s' "$name" | tr / -)
	if read -r p f s <"$log.count"; then
		passed=$((passed + p))
		failed=$((failed + f))
		skipped=$((skipped + s))
	else
		echo "FAIL $name: was not run"
		failed=$((failed + 1))
	fi
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
