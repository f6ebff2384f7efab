#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Programs that were compiled against an earlier version go on working: what
# the libraries export, with its version, is what tests/abi/NAME.symbols
# lists; where the members of public structs are is what layout.c says, with
# pointers of 8 octets and of 4; and abidiff(1) finds the functions and types
# of tests/abi/NAME.abi unchanged.
#
# With the argument `update' it writes the lists anew.  Do that for an
# addition, and read what git diff says of them: nothing may be removed or
# moved.
#
# shellcheck disable=SC2015 # hint fails

set -u
: "${top_srcdir:?}" "${top_builddir:?}"
cd "$top_builddir" || exit 1
abi=$top_srcdir/tests/abi
dir=$top_builddir/tests/abi.tmp
update=${1:-}
bad=0
rm -rf "$dir"
mkdir -p "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT

check() {
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		bad=1
	fi
}

# hint: how to go on if a list differs.
hint() {
	echo "if this is an addition, run \`make abi' and commit tests/abi"
	return 1
}

# symbols LIBRARY NAME: each with its version.
symbols() {
	nm -D --defined-only "$1" | sed -n 's/^.* [TDBRV] //p' |
	    grep -v '^MX[A-Z]*_[0-9.]*$' | sort >"$dir/$2.symbols"
	[ "$update" != update ] || cp "$dir/$2.symbols" "$abi/"
	[ -s "$dir/$2.symbols" ] &&
	    diff "$abi/$2.symbols" "$dir/$2.symbols" || hint
	check $? "$2 exports what it has always exported"
}

# types LIBRARY NAME: as far as the installed headers tell them.
types() {
	abidw --headers-dir "$top_srcdir/lib" --headers-dir "$top_srcdir/nss" \
	    --drop-private-types --no-corpus-path --no-comp-dir-path \
	    --no-show-locs --type-id-style hash --no-architecture \
	    --exported-interfaces-only "$1" >"$dir/$2.abi"
	[ "$update" != update ] || cp "$dir/$2.abi" "$abi/"
	grep -q '<function-decl ' "$dir/$2.abi" &&
	    abidiff --no-architecture "$abi/$2.abi" "$dir/$2.abi" || hint
	check $? "abidiff: $2 has the types that it has always had"
}

symbols lib/libmxres.so.1 libmxres
symbols nss/libmxnss.so.1 libmxnss

layout() {
	# shellcheck disable=SC2086 # options
	${CC:-cc} -std=c11 -Wall -Werror -fsyntax-only -I"$top_builddir" \
	    -I"$top_srcdir/compat" -I"$top_srcdir/lib" -I"$top_srcdir/nss" \
	    "$@" "$abi/layout.c"
}
layout
check $? "members and constants are where they were"
# What the headers include, without a C library for such a machine.
mkdir -p "$dir/include/sys"
: >"$dir/include/sys/types.h"
printf 'typedef unsigned int socklen_t;\nstruct sockaddr;\n' \
    >"$dir/include/sys/socket.h"
printf '#include <stdint.h>\nint x[sizeof(void *) == 4 ? 1 : -1];\n' \
    >"$dir/m32.c"
if ${CC:-cc} -m32 -ffreestanding -fsyntax-only "$dir/m32.c" 2>/dev/null; then
	layout -m32 -ffreestanding -isystem "$dir/include"
	check $? "and with pointers of 4 octets"
else
	echo "ok - pointers of 4 octets # SKIP the compiler has no -m32"
fi

if ! command -v abidw >/dev/null || ! command -v abidiff >/dev/null; then
	echo "ok - types # SKIP abigail-tools is not installed"
elif [ "$(getconf LONG_BIT)" != 64 ]; then
	echo "ok - types # SKIP the lists are those of 64-bit machines"
elif ! readelf -S nss/libmxnss.so.1 | grep -q '\.debug_info'; then
	echo "ok - types # SKIP built without -g"
else
	types lib/libmxres.so.1 libmxres
	types nss/libmxnss.so.1 libmxnss
fi
[ "$bad" -eq 0 ]
