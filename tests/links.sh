#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What the programs and libraries link, export and are hardened with.

set -u
: "${top_srcdir:?}" "${top_builddir:?}"
cd "$top_builddir" || exit 1
bad=0

if ! command -v readelf >/dev/null || ! command -v nm >/dev/null; then
	echo "binutils are not installed"
	exit 77
fi

check() {
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		bad=1
	fi
}

needed() {
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# links FILE LIBRARY...: nothing else but libc and what sanitizers need.
links() {
	file=$1
	shift
	extra=
	for lib in $(needed "$file"); do
		case $lib in
		libc.so.* | libm.so.* | ld-linux* | libasan.* | libubsan.* | \
		    libgcc_s.* | libpthread.* | libdl.* | librt.*) continue ;;
		esac
		case " $* " in
		*" ${lib%%.so*} "*) ;;
		*) extra="$extra $lib" ;;
		esac
	done
	[ -z "$extra" ]
	check $? "$file links only $* ${extra:+(but also$extra)}"
}

links lib/libmxres.so.1 libresolv libidn2 libbsd
links nss/libmxnss.so.1 libmxres libbsd
links nss/getmx libmxnss libmxres libbsd
# Start-up is most of what sendmail costs.
links shim/sendmail libbsd
links shim/runner libmxnss libmxres libssl libcrypto libbsd

# exports FILE MAP: exactly the names of the version script.
exports() {
	nm -D --defined-only "$1" | sed -n 's/^.* [TDBRV] //p' |
	    sed 's/@.*//' | sort >exports.tmp
	sed -n '/global:/,/local:/s/^[ 	]*\([a-z][a-z0-9_]*\);.*/\1/p' \
	    "$top_srcdir/$2" | sort >map.tmp
	diff map.tmp exports.tmp && [ -s map.tmp ]
	check $? "$1 exports what $2 lists"
	rm -f exports.tmp map.tmp
}

# calls_none LIBRARY NAME...: a guest in somebody else's process.
calls_none() {
	file=$1
	shift
	found=
	for name in $(nm -D -u "$file" | sed 's/^.* U //; s/@.*//'); do
		case " $* " in
		*" $name "*) found="$found $name" ;;
		esac
	done
	[ -z "$found" ]
	check $? "$file calls nothing that changes its process$found"
}

set -- signal sigaction sigprocmask pthread_sigmask alarm setitimer \
    timer_create ualarm raise kill pthread_kill exit _exit printf puts \
    fprintf __printf_chk __fprintf_chk perror syslog setenv putenv chdir \
    umask setuid seteuid fork
calls_none lib/libmxres.so.1 "$@"
calls_none nss/libmxnss.so.1 "$@"

exports lib/libmxres.so.1 lib/mxres.map
exports nss/libmxnss.so.1 nss/mxnss.map

for file in lib/libmxres.so.1 nss/libmxnss.so.1 nss/getmx shim/sendmail \
    shim/runner; do
	readelf -dW "$file" | grep -q 'BIND_NOW' &&
	    readelf -lW "$file" | grep -q 'GNU_RELRO' &&
	    readelf -hW "$file" | grep -q 'Type: *DYN' &&
	    readelf -lW "$file" | grep 'GNU_STACK' | grep -qv 'RWE'
	check $? "$file is position-independent, relro, now, no exec stack"
done

for lib in libmxres.so.1:lib/libmxres.so.1 libmxnss.so.1:nss/libmxnss.so.1; do
	readelf -dW "${lib#*:}" | grep -q "(SONAME).*\[${lib%%:*}\]"
	check $? "${lib#*:} has its soname"
done
[ "$bad" -eq 0 ]
