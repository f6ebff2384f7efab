#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A server that takes three connections at a time and answers 421 to more: its
# mail goes over three, none is put off for it, and it is asked for more only
# now and then.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
FAKEMX=${top_builddir:-.}/tests/tools/fakemx
[ -x "$FAKEMX" ] || skip_all "tests/tools/fakemx is not built"
start "$@"

zone_add << 'END'
crowd	MX	10 fake
fake	A	192.0.2.35
END
dns_start
conf per-destination 8

# serve MAX SCRIPT: fakemx takes MAX connections.
serve()
{
	mkdir -p $T/fake
	printf '%s\n' "$2" > $T/fake.script
	there "$FAKEMX" -a 192.0.2.35 -p 25 -n "$1" -d $T/fake \
	    $T/fake.script > $T/fake.out 2>&1 &
	await 10 grep -q ready $T/fake.out || die "no fakemx" "$(cat $T/fake.out)"
}
# most: the most connections that were open at a time, as the server saw it.
most()
{
	awk '$2 == "-" && $3 == "connect" { n++; if (n > max) max = n }
	    $2 == "-" && $3 == "close" { n-- }
	    END { print max + 0 }' $T/fake/log
}
refused()
{
	grep -c -e ' - full' $T/fake/log
}

# slow enough that more connections would help
serve 3 'dot: sleep 40 | reply 250 2.0.0 accepted'
i=0
while [ $i -lt 120 ]; do
	mail u$i@crowd.example
	i=$((i + 1))
done
run
check "all arrive in one run" is "$(find $T/fake -name '*.eml' | wc -l |
    tr -d ' ') $(queued)" "120 0"
check "over as many connections as it takes" is "$(most)" 3
check "it was asked for more" test "$(refused)" -ge 1
check "but only now and then" test "$(refused)" -le 8
check "nobody blames the host" is "$(ls "$SPOOL/host")" ""

finish
