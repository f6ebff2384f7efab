#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make install DESTDIR=...: everything is where a packager expects it, with
# the right modes; what an administrator changed survives; a program can be
# compiled against what was installed; uninstall leaves nothing.

set -u
: "${top_srcdir:?}" "${top_builddir:?}"
dir=$top_builddir/tests/install.tmp
stage=$dir/stage
build=$dir/build
bad=0

check() {
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		bad=1
	fi
}

rm -rf "$dir"
mkdir -p "$build" || exit 1

# The objects are those of the build under test: a private copy of its
# configuration with the directories of a distribution.
cd "$build" || exit 1
"$top_srcdir/configure" --quiet --prefix=/usr --libdir=/usr/lib/some-arch \
    ${CC:+"CC=$CC"} CFLAGS=-O0 &&
    ${MAKE:-make} install DESTDIR="$stage" >install.log 2>&1
check $? "make install DESTDIR"

expect() {
	while read -r mode path; do
		[ -n "$path" ] || continue
		if [ "$mode" = link ]; then
			[ -h "$stage$path" ] || echo "$path is no link"
		elif [ "$mode" = directory ]; then
			[ "$(stat -c '%F %a' "$stage$path")" = \
			    "directory 755" ] || echo "$path is no directory"
		elif [ ! -f "$stage$path" ]; then
			echo "$path is missing"
		elif [ "$(stat -c %a "$stage$path")" != "$mode" ]; then
			echo "$path has not mode $mode"
		fi
	done
}
wrong=$(expect <<'END'
755 /usr/bin/getmx
755 /usr/sbin/sendmail
755 /usr/libexec/mxnss/runner
link /usr/libexec/mxnss/acceptor
link /usr/sbin/mxcheck
755 /usr/libexec/mxnss/mailbox
link /usr/bin/mailq
link /usr/bin/newaliases
link /usr/lib/sendmail
755 /usr/lib/some-arch/libmxres.so.1
755 /usr/lib/some-arch/libmxnss.so.1
directory /usr/lib/some-arch/mxnss
link /usr/lib/some-arch/libmxres.so
link /usr/lib/some-arch/libmxnss.so
644 /usr/lib/some-arch/libmxres.a
644 /usr/lib/some-arch/libmxnss.a
644 /usr/lib/some-arch/pkgconfig/mxres.pc
644 /usr/lib/some-arch/pkgconfig/mxnss.pc
644 /usr/include/mxres.h
644 /usr/include/mxdb.h
644 /usr/include/mxnss.h
644 /usr/lib/systemd/system/mxnss.service
644 /usr/lib/systemd/system/mxnss.socket
644 /usr/lib/systemd/system/mxnss.path
644 /usr/lib/systemd/system/mxnss-boot.timer
644 /usr/lib/systemd/system/mxnss-mailbox.socket
644 /usr/lib/systemd/system/mxnss-mailbox@.service
644 /usr/lib/systemd/system/mxnss-smtp.socket
644 /usr/lib/systemd/system/mxnss-smtp@.service
644 /usr/lib/systemd/system/mxnss-submit.socket
644 /usr/lib/systemd/system/mxnss-submit@.service
644 /usr/lib/sysusers.d/mxnss.conf
644 /usr/lib/tmpfiles.d/mxnss.conf
644 /usr/share/man/man3/getmxinfo.3
link /usr/share/man/man3/freemxinfo.3
link /usr/share/man/man3/mx_dsn.3
link /usr/share/man/man3/mxres_free.3
644 /usr/share/man/man1/getmx.1
644 /usr/share/man/man1/mailq.1
644 /usr/share/man/man8/sendmail.8
link /usr/share/man/man8/mxnss-sendmail.8
644 /usr/share/man/man8/mxnss-runner.8
644 /usr/share/man/man8/mxnss-mailbox.8
644 /usr/share/man/man8/mxcheck.8
644 /usr/share/man/man5/aliases.5
644 /usr/share/man/man5/mxnss.conf.5
644 /usr/share/man/man5/mxhosts.5
644 /usr/share/doc/mxnss/README.md
644 /etc/mxnss.conf
644 /etc/mxhosts
END
)
[ -z "$wrong" ] || echo "$wrong"
[ -z "$wrong" ]
check $? "every file is where it belongs"

# Every public function, by its own name.
wrong=$(sed -n 's/^[ 	]*\(mx[a-z0-9_]*\|[a-z]*mx[a-z]*\);.*/\1/p' \
    "$top_srcdir"/lib/*.map "$top_srcdir"/nss/*.map | while read -r name; do
	grep -q "^\.Nm $name\( ,\)\{0,1\}\$" \
	    "$stage/usr/share/man/man3/$name.3" 2>/dev/null || echo "no page: $name(3)"
done)
[ -z "$wrong" ] || echo "$wrong"
[ -z "$wrong" ]
check $? "every public function has a manual page"

setid=$(find "$stage" \( -perm -4000 -o -perm -2000 \) -type f)
[ -z "$setid" ]
check $? "nothing is set-ID"

left=$(grep -l '[@][a-z_]*[@]' -r "$stage/usr/lib/systemd" \
    "$stage/usr/lib/tmpfiles.d" "$stage/usr/lib/some-arch/pkgconfig")
[ -z "$left" ]
check $? "no directory was left open in $left"

if command -v systemd-analyze >/dev/null; then
	mkdir units
	for unit in "$stage"/usr/lib/systemd/system/*; do
		sed "s|^ExecStart=|&$stage|" "$unit" >"units/${unit##*/}"
	done
	said=$(systemd-analyze verify --man=no units/* 2>&1 | grep mxnss)
	[ -z "$said" ] || echo "$said"
	[ -z "$said" ]
	check $? "systemd-analyze verify finds nothing wrong with the units"
	systemd-analyze security --offline=true --threshold=15 --no-pager \
	    units/mxnss.service >security.log 2>&1
	check $? "systemd-analyze security: exposure of the runner at most 1.5"
else
	echo "ok - units # SKIP systemd-analyze is not installed"
	echo "ok - exposure # SKIP systemd-analyze is not installed"
fi

# What systemd-sysusers and systemd-tmpfiles make of an empty system.
if command -v systemd-sysusers >/dev/null &&
    command -v systemd-tmpfiles >/dev/null && [ "$(id -u)" = 0 ]; then
	root=$dir/root
	mkdir -p "$root/etc" "$root/usr/lib"
	cp -R "$stage/usr/lib/sysusers.d" "$stage/usr/lib/tmpfiles.d" \
	    "$root/usr/lib"
	systemd-sysusers --root="$root" >users.log 2>&1 &&
	    systemd-tmpfiles --root="$root" --create >>users.log 2>&1
	check $? "systemd-sysusers and systemd-tmpfiles take their files"
	spool=$root/var/spool/mxnss
	user=$(sed -n 's/^_mxnss:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/passwd")
	group=$(sed -n 's/^_mxnss:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")
	drop=$(sed -n 's/^_mxdrop:[^:]*:\([0-9]*\):.*/\1/p' "$root/etc/group")
	got=$(cd "$spool" && stat -c '%a %u %g %n' . drop queue bad dead host \
	    sts VERSION)
	want="711 $user $group .
3733 $user $drop drop
700 $user $group queue
700 $user $group bad
700 $user $group dead
700 $user $group host
700 $user $group sts
644 $user $group VERSION"
	[ "$got" = "$want" ] || printf '%s\n' "$got"
	[ "$got" = "$want" ]
	check $? "the spool has its owners and modes"
	[ "$(cat "$spool/VERSION")" = 1 ]
	check $? "the spool has version 1"
	[ "$(stat -c '%a %u' "$root/run/mxnss")" = "755 $user" ]
	check $? "the directory of the wake socket"
	grep -q '^_mxdrop:.*:_mxnss$' "$root/etc/group"
	check $? "_mxnss is a member of _mxdrop"
else
	echo "ok - spool # SKIP needs root, systemd-sysusers and" \
	    "systemd-tmpfiles"
fi

if command -v "${PKG_CONFIG:-pkg-config}" >/dev/null; then
	PKG_CONFIG_PATH=$stage/usr/lib/some-arch/pkgconfig
	PKG_CONFIG_LIBDIR=$PKG_CONFIG_PATH
	PKG_CONFIG_SYSROOT_DIR=$stage
	export PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
	cat >user.c <<'END'
#include <mxdb.h>
#include <mxres.h>
#include <mxnss.h>
#include <stdio.h>
int
main(void)
{
	return printf("%s\n%s\n", mx_strerror(MX_ENULLMX),
	    mxres_strerror(MXRES_NXDOMAIN)) < 0;
}
END
	# shellcheck disable=SC2046,SC2086 # words
	${CC:-cc} -Wall -Werror -pedantic -o user user.c \
	    $(${PKG_CONFIG:-pkg-config} --cflags --libs mxnss mxres) &&
	    LD_LIBRARY_PATH=$stage/usr/lib/some-arch ./user
	check $? "a program builds with the installed headers and libraries"
else
	echo "ok - pkg-config # SKIP pkg-config is not installed"
fi

echo "changed: yes" >>"$stage/etc/mxhosts"
${MAKE:-make} install DESTDIR="$stage" >>install.log 2>&1 &&
    grep -q '^changed' "$stage/etc/mxhosts"
check $? "a second install keeps what was changed"
${MAKE:-make} uninstall DESTDIR="$stage" >>install.log 2>&1 &&
    grep -q '^changed' "$stage/etc/mxhosts"
check $? "uninstall keeps what was changed"
rm -f "$stage/etc/mxhosts"
left=$(find "$stage" ! -type d -o -type d -name 'mxnss*')
[ -z "$left" ] || echo "$left"
[ -z "$left" ]
check $? "uninstall leaves nothing"

"$top_srcdir/configure" --quiet --prefix=/opt/mx --enable-what --with-ever=1 \
    --infodir=/x --sharedstatedir /y CFLAGS='-O1 -DQUOTED="it'"'"'s"' \
    ${CC:+"CC=$CC"} && cp config.h config.h.1 && cp Makefile Makefile.1 &&
    ./config.status --quiet && cmp config.h config.h.1 &&
    cmp Makefile Makefile.1 &&
    grep -q '^#define MXNSS_SYSCONFDIR	"/opt/mx/etc"$' config.h
check $? "config.status repeats configure, with unknown options and quotes"
! "$top_srcdir/configure" --quiet --nonsense 2>error.log
check $? "configure refuses an option of no known form"

rm -rf "$dir"
[ "$bad" -eq 0 ]
