#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Functions that no source may call, because a truncated or endless string
# goes unnoticed or because they keep hidden state; and every C file says
# what its licence is and begins with config.h.

set -u
: "${top_srcdir:?}"
cd "$top_srcdir" || exit 1

bad=0
files=$(find lib nss shim -name '*.[ch]' | sort)
functions='strcpy|stpcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok'
functions="$functions|atoi|atol|atoll|atof|alloca|tmpnam|tempnam|mktemp"
functions="$functions|system|popen|scanf|sscanf|rand|srand|random"

# Comments and strings may name them.
for file in $files; do
	hits=$(sed -e 's|"\([^"\\]\|\\.\)*"|""|g' -e 's|/\*.*\*/||g' \
	    -e '/\/\*/,/\*\//d' "$file" |
	    grep -nE "(^|[^A-Za-z0-9_>.])($functions)[ 	]*\\(")
	if [ -n "$hits" ]; then
		echo "not ok - $file: $hits"
		bad=$((bad + 1))
	fi
done
[ "$bad" -gt 0 ] || echo "ok - no banned function is called"

licence=0
config=0
for file in $files $(find tests -name '*.[ch]'); do
	if ! head -n 1 "$file" | grep -q 'SPDX-License-Identifier: ISC'; then
		echo "not ok - $file: line 1 does not name the licence"
		licence=1
	fi
	case $file in
	tests/nss/modules/mxnss_static.c) ;;	# an example for others
	tests/bsd/resolv.c) ;;			# a C library
	*.c)
		first=$(grep -m 1 '^#[ 	]*include' "$file")
		if [ "$first" != '#include "config.h"' ]; then
			echo "not ok - $file does not include config.h first"
			config=1
		fi ;;
	esac
done
[ "$licence" -eq 1 ] || echo "ok - every C file names its licence"
[ "$config" -eq 1 ] || echo "ok - every C file includes config.h first"
[ "$bad$licence$config" = 000 ]
