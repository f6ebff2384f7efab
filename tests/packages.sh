#!/bin/sh
# SPDX-License-Identifier: ISC
#
# packages.sh deb|rpm: build the packages of the system at hand from the
# tarball, in tests/packages.tmp of the build tree.  The Debian packages are
# then installed into an overlay of the running system, in namespaces of
# their own; a message goes through them; they are purged again.
#
# shellcheck disable=SC2015,SC2016,SC2086 # || fail; dpkg formats; words

set -u
: "${top_srcdir:?}" "${top_builddir:?}"
PATH=$PATH:/usr/sbin:/sbin
dir=$top_builddir/tests/packages.tmp/$1
bad=0
MAKEFLAGS=
export MAKEFLAGS

check() {
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		bad=1
	fi
}

skip_all() {
	echo "$*"
	exit 77
}

finish() {
	[ "$bad" != 0 ] || rm -rf "$dir"
	[ "$bad" = 0 ]
	exit
}

tarball() {
	rm -rf "$dir" &&
	    mkdir -p "$dir" && cd "$top_builddir" && make dist || exit 1
	set -- mxnss-*.tar.gz
	name=${1%.tar.gz}
	mv "$1" "$dir/" && cd "$dir" && gzip -dc "$1" | tar -xf - || exit 1
}

# --- rpm --------------------------------------------------------------------

rpm_packages() {
	command -v rpmbuild >/dev/null || skip_all "rpmbuild is not installed"
	tarball
	mkdir top && cp "$name.tar.gz" top/
	# Elsewhere than on Fedora, the rpm database does not know what is there.
	rpmbuild -bb --nodeps --nocheck --define "_topdir $dir/top" \
	    --define "_sourcedir $dir" "$name/rpm/mxnss.spec"
	check $? "rpmbuild -bb"
	packages=$(find top/RPMS -name '*.rpm' | sed 's|.*/||; s/-0\..*//' |
	    grep -v debug | sort | tr '\n' ' ')
	[ "$packages" = "mxnss mxnss-devel mxnss-libs mxnss-mta " ]
	check $? "the packages are: $packages"
	find top/RPMS -name 'mxnss-mta-[0-9]*.rpm' -exec rpm -qpl {} + |
	    grep -x /usr/sbin/sendmail.mxnss
	check $? "sendmail leaves its usual name to alternatives"
	find top/RPMS -name 'mxnss-mta-[0-9]*.rpm' -exec rpm2archive {} + &&
	    tar -xzf top/RPMS/*/mxnss-mta-[0-9]*.rpm.tgz &&
	    grep -q '^ExecStart=/usr/sbin/sendmail\.mxnss ' \
	    usr/lib/systemd/system/mxnss-smtp@.service
	check $? "the SMTP socket does not start another's sendmail"
}

# --- deb --------------------------------------------------------------------

deb_packages() {
	command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null ||
	    skip_all "dpkg-buildpackage and debhelper are not installed"
	tarball
	cp -R "$name" pkg && (cd pkg &&
	    DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -b -us -uc)
	check $? "dpkg-buildpackage -b"
	packages=$(find . -maxdepth 1 -name '*.deb' | sed 's|^./||; s/_.*//' |
	    grep -v dbgsym | sort | tr '\n' ' ')
	[ "$packages" = "libmxnss-dev libmxnss1 libmxres1 mxnss-mta mxnss-utils " ]
	check $? "the packages are: $packages"
	if command -v lintian >/dev/null; then
		lintian --allow-root --fail-on error ./*.changes
		check $? "lintian has no error"
	else
		echo "ok - lintian # SKIP lintian is not installed"
	fi
	if why=$(installable); then
		unshare -mnp --fork --kill-child sh "$top_srcdir/tests/packages.sh" \
		    inside "$dir"
		check $? "the packages install, deliver and are purged"
	else
		echo "ok - installation # SKIP $why"
	fi
}

installable() {
	if [ "$(id -u)" != 0 ]; then
		echo "needs root"
	elif ! command -v systemd-sysusers >/dev/null; then
		echo "systemd-sysusers is not installed"
	elif ! python3 -c 'import aiosmtpd' 2>/dev/null &&
	    ! /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null; then
		echo "Python with aiosmtpd is not installed"
	elif ! command -v ip >/dev/null; then
		echo "ip is not installed"
	elif ! unshare -mnp --fork sh -c "mkdir -p '$dir/try' &&
	    mount -t tmpfs tmpfs '$dir/try' && cd '$dir/try' &&
	    mkdir up work root && mount -t overlay overlay \
	    -o lowerdir=/,upperdir=up,workdir=work root" >/dev/null 2>&1; then
		echo "no overlay of the system can be mounted here"
	else
		return 0
	fi
	return 1
}

# Everything below runs in private namespaces, and in an overlay whose upper
# layer goes away with them.

fail() {
	echo "# $*"
	exit 1
}

inside() {
	mount -t proc proc /proc || fail "no /proc"
	over=$dir/try
	mkdir -p "$over"
	mount -t tmpfs tmpfs "$over" && cd "$over" || fail "no tmpfs"
	mkdir up work root
	mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root ||
	    fail "no overlay"
	root=$over/root
	mount -t proc proc "$root/proc" || fail "no /proc"
	mount --bind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/run" &&
	    mount -t tmpfs tmpfs "$root/tmp" || fail "no /dev, /run, /tmp"
	mkdir "$root/tmp/debs"
	cp "$dir"/*.deb "$root/tmp/debs"
	rm -f "$root"/tmp/debs/*dbgsym*
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"

	# The receiver is in a network of its own: nobody sends to himself.
	unshare -n sleep 1000 &
	there=$!
	mine=$(readlink /proc/self/ns/net)
	while [ "$(readlink "/proc/$there/ns/net")" = "$mine" ]; do
		sleep 0.1
	done
	ip link set lo up
	ip link add mx0 type veth peer name mx1 netns "$there" &&
	    ip addr add 192.0.2.1/24 dev mx0 && ip link set mx0 up ||
	    fail "no pair of network interfaces"
	other="nsenter --net=/proc/$there/ns/net --"
	$other ip link set lo up &&
	    $other ip addr add 192.0.2.11/24 dev mx1 && $other ip link set mx1 up
	python=python3
	/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null &&
	    python=/usr/bin/python3
	$other "$python" -m aiosmtpd -n -l 192.0.2.11:2525 \
	    -c aiosmtpd.handlers.Mailbox "$over/box" &
	tries=0
	until $other "$python" -c \
	    'import socket; socket.create_connection(("192.0.2.11", 2525))' \
	    2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 30 ] || fail "the receiver does not start"
		sleep 0.1
	done

	in="chroot $root"
	mtas=$($in dpkg-query -W -f '${Package} ${Provides} ${db:Status-Status}\n' |
	    sed -n 's/^\([^ ]*\) .*mail-transport-agent.* installed$/\1/p')
	[ -z "$mtas" ] || $in dpkg --purge --force-depends $mtas ||
	    fail "cannot remove $mtas"
	$in sh -c 'dpkg -i /tmp/debs/*.deb' || fail "dpkg -i"
	$in dpkg --audit | grep . && fail "dpkg --audit"
	for link in usr/bin/mailq usr/bin/newaliases usr/lib/sendmail \
	    usr/sbin/mxcheck; do
		$in test -x "/$link" || fail "no /$link"
	done
	owner=$($in stat -c '%a %U:%G' /var/spool/mxnss/drop)
	[ "$owner" = "3733 _mxnss:_mxdrop" ] || fail "drop is $owner"
	$in getmx --check || fail "getmx --check"

	echo "example.test 10 [192.0.2.11]:2525" >>"$root/etc/mxhosts"
	echo "hostname: client.example.com" >>"$root/etc/mxnss.conf"
	echo "log: stderr" >>"$root/etc/mxnss.conf"
	$in getmx example.test || fail "getmx example.test"
	printf 'Subject: through the package\n\nbody\n' |
	    $in setpriv --reuid=nobody --regid=nogroup --clear-groups \
	    /usr/lib/sendmail -f nobody@example.com somebody@example.test ||
	    fail "sendmail as nobody"
	$in mxcheck example.test || fail "mxcheck example.test"
	$in mxcheck -j | grep '"check":"sendmail","status":"ok"' ||
	    fail "mxcheck does not know our sendmail"
	$in mailq | grep somebody@example.test || fail "mailq shows nothing"
	timeout 60 $in /usr/libexec/mxnss/runner --once || fail "runner --once"
	grep -r 'Subject: through the package' "$over/box/new" ||
	    fail "nothing was delivered"
	left=$(find "$root/var/spool/mxnss/drop" "$root/var/spool/mxnss/queue" \
	    -type f)
	[ -z "$left" ] || fail "still in the spool: $left"

	# others here may need a mail-transport-agent
	$in dpkg --purge --force-depends mxnss-mta mxnss-utils \
	    libmxnss-dev libmxnss1 libmxres1 || fail "dpkg --purge"
	left=$(find "$root/etc" "$root/usr" "$root/lib/" "$root/var/spool" \
	    -name '*mxnss*' -o -name '*mxres*' -o -name mxhosts)
	[ -z "$left" ] || fail "purge left $left"
	exit 0
}

case $1 in
deb) deb_packages; finish ;;
rpm) rpm_packages; finish ;;
inside) dir=$2; inside ;;
esac
