#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What sendmail inherits is its caller's: inherit.py has the table.  What the
# runner and the mailbox writer inherit is in tests/shim/test_priv.c.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

conf max-size 1M
mkdir $T/tmp
chmod 1777 $T/tmp
uid=0
[ "$MULTI" -ne 1 ] || uid=$(id -u alice)
quiet "$PY" "$E2E/inherit.py" $P/sbin/sendmail "$SPOOL/drop" "$uid" $T/tmp \
    > $T/table 2>&1 || die "inherit.py" "$(cat $T/table)"
while read -r line; do
	case $line in
	"ok "*)	pass "${line#ok }" ;;
	"not ok "*) fail "${line#not ok }" ;;
	*)	echo "$line" ;;
	esac
done < $T/table

# What cannot be written is an error where it is all that there is.
check "mailq to a full device" eval '
    rc=0
    mailq > /dev/full 2> /dev/null || rc=$?
    is "$rc" 74'
check "mailq to nowhere" eval '
    rc=0
    mailq >&- 2> /dev/null || rc=$?
    is "$rc" 0'
check "usage to a full device" eval '
    rc=0
    sendmail --help > /dev/full 2> /dev/null || rc=$?
    is "$rc" 74'

finish
