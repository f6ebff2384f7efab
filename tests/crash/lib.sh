# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034
#
# The ground of the crash tests: that of the end-to-end tests, and the
# receiver.  README.md tells what the tests do.
#
#	CRASH	quick: a sample, as in make check; full: all

: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$top_srcdir/tests/e2e/lib.sh"
CRASH_DIR=$top_srcdir/tests/crash
: "${CRASH:=quick}"
# LeakSanitizer cannot work in a process that is traced already.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS CRASH

crash_start()
{
	E2E_TIMEOUT=${E2E_TIMEOUT:-3600}
	start "$@"
	mkdir "$T/sink"
	chmod 777 "$T" "$T/sink"
	there "$PY" "$CRASH_DIR/sink.py" "$T/sink/log" "$T/sink/ready" \
	    192.0.2.10 192.0.2.11 192.0.2.12 > "$T/log/sink" 2>&1 &
	await 20 test -s "$T/sink/ready" ||
	    die "the receiver does not start" "$(cat "$T/log/sink")"
	OWNER=0 DROPGROUP=0
	if [ "$MULTI" -eq 1 ]; then
		OWNER=$(id -u _mxnss)
		DROPGROUP=$(stat -c %g "$SPOOL/drop")
	fi
	PYTHONDONTWRITEBYTECODE=1
	export SPOOL P T MULTI OWNER DROPGROUP PYTHONDONTWRITEBYTECODE
}

# crash_run PROGRAM [ARG...]: its results are those of the script.
crash_run()
{
	crash_program=$1
	shift
	crash_rc=0
	"$PY" "$CRASH_DIR/$crash_program" "$@" || crash_rc=$?
	[ "$crash_rc" -eq 0 ] || n_failed=1	# for leave: keep the files
	exit "$crash_rc"
}
