#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make distcheck: unpack the tarball, build it out of tree from a read-only
# source, run make $DISTCHECK, install to DESTDIR, uninstall and find nothing
# left; distclean leaves an empty directory; the source is untouched; a
# tarball made from it has the same contents.

set -eu

top=$(pwd)/distcheck.tmp
src=$top/$DISTNAME
stage=$top/stage

fail() {
	echo "distcheck: $*" >&2
	exit 1
}

tree() {
	(cd "$1" && find . -type f -exec cksum {} + | sort -k 3)
}

[ ! -d "$top" ] || chmod -R u+w "$top"
rm -rf "$top"
mkdir "$top" "$top/build"
(cd "$top" && gzip -dc "../$DISTNAME.tar.gz" | tar -xf -)
chmod -R a-w "$src"
tree "$src" >"$top/before"

cd "$top/build"
"$src/configure" --quiet --enable-werror ${CC:+"CC=$CC"}
$MAKE
$MAKE "$DISTCHECK"
$MAKE install DESTDIR="$stage" >/dev/null
[ -n "$(find "$stage" -type f)" ] || fail "install put nothing into $stage"
$MAKE uninstall DESTDIR="$stage" >/dev/null
left=$(find "$stage" ! -type d -o -type d -name 'mxnss*')
[ -z "$left" ] || fail "uninstall left: $left"

$MAKE dist >/dev/null
gzip -dc "$DISTNAME.tar.gz" | tar -tf - | grep -v '/$' | sort >"$top/list2"
gzip -dc "../../$DISTNAME.tar.gz" | tar -tf - | grep -v '/$' | sort \
    >"$top/list1"
cmp "$top/list1" "$top/list2" || fail "a tarball of the tarball differs"

$MAKE distclean
left=$(find . ! -type d)
[ -z "$left" ] || fail "distclean left: $left"
tree "$src" >"$top/after"
cmp "$top/before" "$top/after" || fail "the build changed the source tree"

cd "$top/.."
chmod -R u+w "$top"
rm -rf "$top"
echo "$DISTNAME.tar.gz is ready"
