#!/bin/sh
# SPDX-License-Identifier: ISC
#
# configure, lib/ and nss/ where the resolver is laid out as in a BSD: all of
# it in libc, no -lresolv, functions that <resolv.h> renames, no member of
# glibc in its state.  A compiler that sees tests/bsd/ first stands in for such
# a system.

set -u
: "${top_srcdir:?}" "${top_builddir:?}" "${CC:=cc}" "${MAKE:=make}"
dir=$top_builddir/tests/bsdlayout
bad=0

check() {
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		bad=1
	fi
}

rm -rf "$dir" && mkdir -p "$dir/build" && cd "$dir" || exit 1
# shellcheck disable=SC2086 # words
$CC -O1 -fPIC -I"$top_srcdir/tests/bsd" -c -o resolv.o \
    "$top_srcdir/tests/bsd/resolv.c" || exit 1
cat >cc <<END
#!/bin/sh
link="$dir/resolv.o"
for arg; do
	case \$arg in
	-lresolv) echo "cannot find -lresolv" >&2; exit 1 ;;
	-c | -E | -S) link= ;;
	esac
done
exec $CC -isystem $top_srcdir/tests/bsd "\$@" \$link
END
chmod +x cc
cd build || exit 1

"$top_srcdir/configure" --disable-shim --enable-werror --without-libidn2 \
    CC="$dir/cc" CFLAGS=-O1 >out 2>&1
check $? "configure"
grep -q '^RESOLV_LIBS = *$' Makefile
check $? "no -lresolv"
$MAKE all tests/lib/test_query tests/lib/test_resolvconf >>out 2>&1
check $? "everything builds"
[ "$bad" = 0 ] || tail -n 20 out

ln -sfn "$top_builddir/tests/tools" tests/tools
top_builddir=$dir/build
for test in test_query test_resolvconf; do
	tests/lib/$test >>out 2>&1
	check $? "$test"
done
[ "$bad" = 0 ] || grep -v '^ok' out | tail -n 20
exit $bad
