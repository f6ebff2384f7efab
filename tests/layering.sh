#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Includes point down only.  Reads the .d files that the compiler wrote:
# lib/ sees no other room, nss/ sees of lib/ only <mxres.h>, shim/ sees of
# nss/ only <mxdb.h> and of lib/ <mxres.h>, through a door each, and so on
# inside shim/, where nothing but a main sees check/.  In nss/,
# the override files know nothing of the loop above them, and nothing but
# the query tool sees the query tool.
# OpenSSL has one user, and libresolv two.

set -u
: "${top_srcdir:?}" "${top_builddir:?}"
cd "$top_builddir" || exit 1

found=0
bad=0

# Every "object header" pair, both relative to their tree.
pairs() {
	for d in lib/*.d nss/*.d nss/*/*.d shim/*/*.d; do
		[ -f "$d" ] || continue
		sed -e 's/\\$//' "$d" | tr -s ' :' '\n' | grep '\.h$' |
		    sed "s|^$top_srcdir/||; s|^.*/\\(lib/[^/]*\\)\$|\\1|
			s|^.*/\\(nss/[^/]*\\)\$|\\1|
			s|^.*/\\(nss/[^/]*/[^/]*\\)\$|\\1|
			s|^.*/\\(shim/[^/]*/[^/]*\\)\$|\\1|" | sort -u |
		    sed "s|^|${d%.d} |"
	done
}

# may OBJECT HEADER: is it allowed?
may() {
	case "$1 $2" in
	*" config.h" | *" "*compat/compat.h) ;;
	"lib/"*" lib/"*) ;;
	"nss/mxhosts/"*" nss/"*)
		case ${2#nss/} in
		mxhosts/* | dns.h | dsn.h | fileid.h | fnv.h | mxdb.h | mxnss.h) ;;
		*) return 1 ;;
		esac ;;
	"nss/tool/"*" nss/tool/"*) ;;
	"nss/"*" nss/tool/"*) return 1 ;;
	"nss/"*" nss/"*) ;;
	"nss/sources/src_"*" lib/mxres.h" | "nss/mxresolve lib/mxres.h") ;;
	"nss/dns lib/mxres.h") ;;
	"shim/"*" shim/base/"*) ;;
	"shim/base/"*) return 1 ;;
	"shim/submit/"*" shim/submit/"*) ;;
	"shim/submit/"*" shim/spool/"*) ;;
	"shim/submit/newaliases shim/local/"*) ;;
	"shim/spool/"*" shim/spool/"*) ;;
	"shim/smtp/"*" shim/smtp/"*) ;;
	"shim/local/"*" shim/local/"*) ;;
	"shim/run/"*" shim/run/"*) ;;
	"shim/run/"*" shim/spool/"*) ;;
	"shim/run/"*" shim/smtp/"*) ;;
	"shim/run/"*" shim/local/"*) ;;
	"shim/run/route nss/mxdb.h") ;;
	"shim/run/dns lib/mxres.h") ;;
	"shim/run/runner shim/check/mxcheck.h") ;;
	"shim/check/"*" shim/check/"*) ;;
	"shim/check/"*" shim/run/"*) ;;
	"shim/check/"*" shim/spool/"*) ;;
	"shim/check/"*" shim/smtp/"*) ;;
	"shim/check/"*" shim/local/"*) ;;
	*) return 1 ;;
	esac
}

pairs >layering.tmp
while read -r object header; do
	found=$((found + 1))
	if ! may "$object" "$header"; then
		echo "not ok - $object.c must not include $header"
		bad=$((bad + 1))
	fi
done <layering.tmp
rm -f layering.tmp
if [ "$found" -lt 10 ]; then
	echo "not ok - only $found includes found in the .d files"
	exit 1
fi
[ "$bad" -gt 0 ] || echo "ok - $found includes point down"

# only NAME PATTERN FILE...: who includes a system header.
only() {
	what=$1 pattern=$2
	shift 2
	users=$(cd "$top_srcdir" && grep -rlE "^#[ 	]*include[ 	]+$pattern" \
	    lib nss shim | sort)
	for file in $users; do
		case " $* " in
		*" $file "*) ;;
		*)
			echo "not ok - $file must not include $what"
			bad=$((bad + 1)) ;;
		esac
	done
	echo "ok - $what is included by: $(echo "$users" | tr '\n' ' ')"
}

only OpenSSL '<openssl/' shim/smtp/tls.c
only libresolv '<(resolv|arpa/nameser)' lib/resconf.c nss/absolute.c
[ "$bad" -eq 0 ]
