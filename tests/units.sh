#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The systemd units, as systemd itself sees them.

set -u
: "${top_builddir:?}"
command -v systemd-analyze >/dev/null || {
	echo "1..0 # SKIP systemd-analyze is not installed"
	exit 77
}
dir=$top_builddir/tests/units.tmp
rm -rf "$dir"
mkdir -p "$dir"
n=0
bad=0

check() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		bad=1
	fi
}

units="mxnss.service mxnss.socket mxnss.path mxnss-boot.timer
    mxnss-smtp.socket mxnss-smtp@.service
    mxnss-submit.socket mxnss-submit@.service"
# shellcheck disable=SC2046,SC2086 # lists
${MAKE:-make} -s -C "$top_builddir" $(printf 'etc/%s ' $units) || exit 1
for unit in $units; do
	# the programs need not be installed
	sed -e "s|^ExecStart=.*/runner|ExecStart=$top_builddir/shim/runner|" \
	    -e "s|^ExecStart=.*/acceptor|ExecStart=$top_builddir/shim/sendmail|" \
	    -e "s|^ExecStart=.*/sendmail|ExecStart=$top_builddir/shim/sendmail|" \
	    "$top_builddir/etc/$unit" >"$dir/$unit"
done
for unit in $units; do
	out=$(systemd-analyze verify --man=no "$dir/$unit" 2>&1)
	rc=$?
	# only what is said of ours
	out=$(printf '%s\n' "$out" | grep mxnss)
	[ -z "$out" ] || printf '# %s\n' "$out"
	[ $rc = 0 ] && [ -z "$out" ]
	check $? "systemd-analyze verify $unit"
done
for unit in mxnss.service mxnss-smtp@.service mxnss-submit@.service; do
	out=$(systemd-analyze security --offline=true --threshold=15 \
	    "$dir/$unit" 2>&1)
	check $? "systemd-analyze security: exposure of 1.5 at most: $unit"
	printf '%s\n' "$out" | grep 'Overall exposure' | sed 's/^/# /'
done

# It can fail: without the sandbox the exposure is another one.
sed '/^NoNewPrivileges/,$d' "$dir/mxnss.service" >"$dir/bare.service"
if systemd-analyze security --offline=true --threshold=15 \
    "$dir/bare.service" >/dev/null 2>&1; then
	check 1 "a unit without a sandbox is over that"
else
	check 0 "a unit without a sandbox is over that"
fi
[ "$bad" = 1 ] || rm -rf "$dir"
echo "1..$n"
exit $bad
