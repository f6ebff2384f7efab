#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Manual pages through mandoc, shell scripts through shellcheck.

set -u
: "${top_srcdir:?}" "${top_builddir:?}"
cd "$top_srcdir" || exit 1
bad=0

pages=$(find lib nss shim -name '*.[1-9]' | sort)
if [ -z "$pages" ]; then
	echo "not ok - there are no manual pages"
	bad=1
elif command -v mandoc >/dev/null; then
	for page in $pages; do
		# Pages that are not installed here are no mistake of ours.
		said=$(mandoc -T lint -W warning "$page" 2>&1)
		if [ -z "$said" ]; then
			echo "ok - mandoc $page"
		else
			echo "$said"
			echo "not ok - mandoc $page"
			bad=1
		fi
	done
else
	echo "ok - manual pages # SKIP mandoc is not installed"
fi

for page in $pages; do
	if ! grep -q "^MAN_PAGES += $page\$" Makefile.in; then
		echo "not ok - $page is not installed by Makefile.in"
		bad=1
	fi
done

if command -v shellcheck >/dev/null; then
	for script in configure quickstart .ci/run tests/bench/run debian/*.p[or][es]* \
	    $(find tests -name '*.sh' | sort); do
		[ -f "$script" ] || continue
		# What shellcheck calls style is a matter of taste where
		# results are checked by the next line of a test.
		case $script in
		tests/e2e/* | tests/crash/*) severity=warning ;;
		*) severity=style ;;
		esac
		if shellcheck -s sh -x -S $severity "$script"; then
			echo "ok - shellcheck $script"
		else
			echo "not ok - shellcheck $script"
			bad=1
		fi
	done
else
	echo "ok - shell scripts # SKIP shellcheck is not installed"
fi
[ "$bad" -eq 0 ]
