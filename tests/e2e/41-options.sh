#!/bin/sh
# SPDX-License-Identifier: ISC
#
# One row per option of sendmail: options.py has the table.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

# The one who looks into drop/ is another one than who sends.
cat > $T/alice << END
#!/bin/sh
exec setpriv --reuid=alice --regid=alice --clear-groups -- $P/sbin/sendmail "\$@"
END
chmod 755 $T/alice
need_multi
conf local-domains "client.sender.example sender.example"
echo "root: alice" > /etc/aliases
quiet "$PY" "$E2E/options.py" $T/alice "$SPOOL/drop" \
    "$top_srcdir/shim/submit/sendmail.8" > $T/table 2>&1 ||
    die "options.py" "$(cat $T/table)"
while read -r line; do
	case $line in
	"ok "*)	pass "${line#ok }" ;;
	*)	fail "${line#not ok }" ;;
	esac
done < $T/table

finish
