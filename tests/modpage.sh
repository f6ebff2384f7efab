#!/bin/sh
# SPDX-License-Identifier: ISC
#
# mxnss_module(3) explains tests/nss/modules/mxnss_static.c: its code is all
# of that file, in this order; what can be compiled is then compiled against
# the installed headers as the page says.

set -u
: "${top_srcdir:?}" "${top_builddir:?}"
page=$top_srcdir/nss/sources/mxnss_module.3
example=$top_srcdir/tests/nss/modules/mxnss_static.c
dir=$top_builddir/tests/modpage.tmp
bad=0

rm -rf "$dir"
mkdir -p "$dir/include" || exit 1
trap 'rm -rf "$dir"' EXIT
cp "$top_srcdir/nss/mxdb.h" "$top_srcdir/nss/mxnss.h" "$dir/include/" ||
    exit 1

sed -n '/^\.Bd -literal$/,/^\.Ed$/{ /^\.[BE]d/d; s/\\e/\\/g; p; }' "$page" \
    >"$dir/mxnss_static.c"
sed '/^\/\*/,/^ \*\//d' "$example" | sed '/^$/d' >"$dir/want"
sed '/^$/d' "$dir/mxnss_static.c" >"$dir/got"
if [ -s "$dir/want" ] && diff "$dir/want" "$dir/got"; then
	echo "ok - the page has the code of the example"
else
	echo "not ok - the page has the code of the example"
	bad=1
fi

# The commands of the page, without the options of this build.
if ${CC:-cc} -Wall -Wextra -Werror -shared -fPIC -I"$dir/include" \
    -o "$dir/mxnss_static.so" "$dir/mxnss_static.c"; then
	echo "ok - it compiles with the installed headers alone"
else
	echo "not ok - it compiles with the installed headers alone"
	bad=1
fi
[ "$bad" -eq 0 ]
