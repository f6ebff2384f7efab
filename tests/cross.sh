#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make check-cross: lib/ and nss/ built for other machines than this one,
# and their unit tests run:
#
#   musl	another C library (musl-gcc): no trust-ad, no libbsd
#   s390x	another byte order, and strict about alignment (qemu-user)
#
# Neither needs anything but the compiler: what Debian has no package of is
# made by compat/ and tests/compat/, and Unicode names are built without
# libidn2.  The tests ask the fakedns of this machine.  A target whose tools
# are not there is skipped.  Ends in "N passed, N failed, N skipped".

set -u
: "${top_srcdir:?}" "${top_builddir:?}" "${MAKE:=make}"
native=$top_builddir
passed=0
failed=0
skipped=0
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# missing TOOL...: which of them is not there, if any is.
missing() {
	for tool; do
		command -v "$tool" >/dev/null 2>&1 || {
			echo "$tool"
			return
		}
	done
}

# target NAME EMULATOR CC: configure, build, test.
target() {
	name=$1 emulator=$2 cc=$3
	dir=$native/tests/cross/$name
	log=$dir/build.log
	absent=$(missing "$cc" ${emulator:+"${emulator%% *}"})
	if [ -n "$absent" ]; then
		echo "ok - $name # SKIP $absent is not installed"
		skipped=$((skipped + 1))
		return
	fi
	mkdir -p "$dir" && cd "$dir" || exit 1
	if ! { "$top_srcdir/configure" --quiet --enable-werror \
	    --disable-shim --without-libidn2 CC="$cc" PKG_CONFIG=false &&
	    $MAKE -j "$jobs" check-programs &&
	    ln -sf "$native/tests/tools/fakedns" tests/tools/fakedns; } \
	    >"$log" 2>&1; then
		tail -n 30 "$log"
		echo "not ok - $name does not build; see $log"
		failed=$((failed + 1))
		return
	fi
	# shellcheck disable=SC2046,SC2086 # words
	env top_builddir="$dir" ${emulator:+"TEST_EXEC=$emulator"} \
	    sh "$top_srcdir/tests/run.sh" \
	    $($MAKE -s print-cross-tests) >"$dir/test.log" 2>&1
	sed "s/^/$name: /" "$dir/test.log"
	# shellcheck disable=SC2046 # three numbers
	set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) .*/\1 \2 \3/p' \
	    "$dir/test.log") 0 1 0
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

target musl "" musl-gcc
target s390x "qemu-s390x -L /usr/s390x-linux-gnu" s390x-linux-gnu-gcc

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
