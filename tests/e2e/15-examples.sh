#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Each page of a function shows a whole program.  It is taken from the page,
# compiled against the installed headers with pkg-config as strict C99 and,
# where it is there, as C++, and run against a name server.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
need "${PKG_CONFIG:-pkg-config}" "${CC:-cc}"
start "$@"
dns_start

PKG_CONFIG_PATH=$P/lib/pkgconfig
PKG_CONFIG_LIBDIR=$PKG_CONFIG_PATH
LD_LIBRARY_PATH=$P/lib
export PKG_CONFIG_PATH PKG_CONFIG_LIBDIR LD_LIBRARY_PATH
FLAGS='-Wall -Wextra -Werror -pedantic'
# A sanitizer of the libraries must be in the program, too.
if nm -D $P/lib/libmxnss.so.1 2> /dev/null | grep -q __asan; then
	FLAGS="$FLAGS -fsanitize=address,undefined"
fi

# program PAGE: the literal display that has a main.
program()
{
	awk '/^\.Bd -literal/ { text = ""; on = 1; next }
	    /^\.Ed/ { if (on && text ~ /\nmain\(/) printf "%s", text; on = 0 }
	    on { gsub(/\\e/, "\\"); sub(/^\\&/, ""); text = text $0 "\n" }' \
	    "$P/share/man/man3/$1.3"
}
# compile PAGE LIBRARY
compile()
{
	program "$1" > "$T/$1.c"
	[ -s "$T/$1.c" ] || { echo "$1(3) shows no whole program"; return 1; }
	# shellcheck disable=SC2046,SC2086 # words
	${CC:-cc} -std=c99 -D_POSIX_C_SOURCE=200809L $FLAGS -o "$T/$1" \
	    "$T/$1.c" $(${PKG_CONFIG:-pkg-config} --cflags --libs "$2")
}
# prints PAGE "ARG..." RC ERE...: what the program says
prints()
{
	prints_rc=$3
	RC=0
	# shellcheck disable=SC2086 # words
	"$T/$1" $2 > $T/out 2>&1 || RC=$?
	shift 3
	is "$RC" "$prints_rc" || { cat $T/out; return 1; }
	[ $# -eq 0 ] || has "$(cat $T/out)" "$@"
}

for page in getmxbyname getmxinfo mx_generation mx_strerror mxresolve; do
	check "$page(3) compiles" compile $page mxnss
done
for page in mxres_mx mxres_order; do
	program $page > $T/$page.c
	[ -s $T/$page.c ] || continue
	check "$page(3) compiles" compile $page mxres
done

echo 'over.example 10 [192.0.2.12]:2525' > $MXHOSTS
touch -d '1 hour ago' $MXHOSTS
check "getmxbyname(3): exchanges" prints getmxbyname three.example 0 \
    '^10 a\.example$' '^20 b\.example$' '^30 c\.example$'
check "getmxbyname(3): no such domain" prints getmxbyname nosuch.example 68 \
    'nosuch\.example: no such domain'
check "getmxbyname(3): a passing failure" prints getmxbyname x.broken 75
check "getmxinfo(3): exchanges" prints getmxinfo three.example 0 \
    '^10 a\.example port 25$' '^30 c\.example port 25$'
check "getmxinfo(3): an override" prints getmxinfo over.example 0 \
    '^10 192\.0\.2\.12 port 2525$'
check "getmxinfo(3): what a sender reads" prints getmxinfo null.example 69 \
    '^null\.example: 556 5\.1\.10 null\.example takes no mail'
check "mxresolve(3): addresses" prints mxresolve one.example 0 \
    '^192\.0\.2\.11 port 25$'
check "mxresolve(3): of an override" prints mxresolve over.example 0 \
    '^192\.0\.2\.12 port 2525$'
check "mxresolve(3): no address" prints mxresolve missing.example 68 \
    'nowhere\.example: no mail exchanger has an address'
check "mx_generation(3): from memory" prints mx_generation one.example 0 \
    '^one\.example goes to a\.example, from memory$'
check "mx_strerror(3): the table of the page" prints mx_strerror "" 0 \
    '^MX_OK 250 2\.0\.0 0 done: success$' \
    '^MX_ETIMEOUT 451 4\.4\.3 75 keep: ' '^MX_ELOOP 554 5\.4\.6 78 return: '
# Code, SMTP, DSN and exit code, as the page and as the library have them.
sed -n 's/^\.It Dv \(MX_[A-Z]*\) Ta \([0-9]*\) Ta \([0-9.]*\) Ta \([0-9]*\) .*/\1 \2 \3 \4/p' \
    $P/share/man/man3/mx_strerror.3 > $T/page
sed -n 's/^\(MX_E[A-Z]* [0-9]* [0-9.]* [0-9]*\) .*/\1/p' $T/out > $T/library
check "mx_strerror(3): page and library have the same errors" \
    diff $T/page $T/library
check "there are twenty of them" is "$(wc -l < $T/page | tr -d ' ')" 20

# A static program needs what the libraries are made of.
static()
{
	# shellcheck disable=SC2046,SC2086 # words
	${CC:-cc} -std=c99 $FLAGS -o $T/static $T/getmxinfo.c \
	    $(${PKG_CONFIG:-pkg-config} --cflags mxnss) \
	    $P/lib/libmxnss.a $P/lib/libmxres.a \
	    $(${PKG_CONFIG:-pkg-config} --static --libs mxnss |
		tr ' ' '\n' | grep -v '^-l*mx') &&
	    $T/static three.example > $T/out && has "$(cat $T/out)" \
	    '^10 a\.example port 25$'
}
check "a program with the archives and --static" static

# Each header alone, in the oldest and newest dialects.
header()
{
	printf '#include <%s>\nint x%s;\n' "$1" "$2" > "$T/h.$3"
	shift 3
	# shellcheck disable=SC2046,SC2086 # words
	"$@" $FLAGS -Wconversion -fsyntax-only \
	    $(${PKG_CONFIG:-pkg-config} --cflags mxnss) "$T/h.$lang"
}
for h in mxdb.h mxnss.h mxres.h; do
	lang=c
	for std in c99 c11 gnu17; do
		check "<$h> is $std" header $h 1 c "${CC:-cc}" -std=$std
	done
	lang=cc
	for std in c++98 c++17; do
		if command -v "${CXX:-c++}" > /dev/null; then
			# C++98 itself has no long long; its headers do.
			check "<$h> is $std" header $h 1 cc "${CXX:-c++}" \
			    -std=$std -Wno-long-long
		else
			skip "<$h> is $std" "there is no C++ compiler"
		fi
	done
done
cat > $T/hints.cc << 'END'
#include <mxdb.h>
#include <mxnss.h>
#include <mxres.h>
int
main()
{
	struct mxhints h = MXHINTS_INIT;
	struct mxinfo *info = 0;

	h.mh_timeout = 5000;
	int error = getmxinfo("three.example", &h, &info);
	freemxinfo(info);
	mxres_free(mxres_new());
	return error;
}
END
cplusplus()
{
	# shellcheck disable=SC2046,SC2086 # words
	"${CXX:-c++}" -std=c++98 $FLAGS -Wno-long-long -o $T/hints $T/hints.cc \
	    $(${PKG_CONFIG:-pkg-config} --cflags --libs mxnss mxres) && $T/hints
}
if command -v "${CXX:-c++}" > /dev/null; then
	check "a C++ program links and runs" cplusplus
else
	skip "a C++ program links and runs" "there is no C++ compiler"
fi

finish
