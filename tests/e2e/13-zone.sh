#!/bin/sh
# SPDX-License-Identifier: ISC
#
# An override zone in the DNS, `zone(NAME)': its exchanges get the mail,
# wildcards included; the domain's own records are then not even asked for;
# and while the zone cannot be asked, nothing leaves by the next source.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

# Overrides below mx.sender.example and, for all domains, below
# all.sender.example.
zone_add << 'END'
one.example.mx.sender	MX	10 b
null.one.example.mx.sender MX	0 .
*.lab.example.mx.sender	MX	10 b
*.all.sender		MX	10 b
exempt.test.all.sender	TXT	"no override"
*.test.all.sender	MX	10 b
host.lab		MX	10 a
deep.host.lab		MX	10 a
digits.example.mx.sender MX	10 192.0.2.12.
digits			MX	10 a
END
dns_start
mx_start a=192.0.2.11 b=192.0.2.12 home=192.0.2.10
conf mxhosts 'files zone(mx.sender.example) dns'

# says DOMAIN RC EXPR: getmx -j
says()
{
	RC=0
	getmx -j "$1" > $T/out 2> $T/err || RC=$?
	is "$RC" "$2" || { cat $T/out; return 1; }
	json "$3" < $T/out
}
check "an override" says one.example 0 '
    [m["host"] for m in d["mx"]] == ["b.example"] and
    d["mx"][0]["source"] == "zone" and
    d["mx"][0]["origin"] == "one.example.mx.sender.example"'
check "a wildcard" says host.lab.example 0 '
    [m["host"] for m in d["mx"]] == ["b.example"]'
check "a wildcard, deeper" says deep.host.lab.example 0 '
    [m["host"] for m in d["mx"]] == ["b.example"]'
check "no override: the domain's own records" says three.example 0 '
    [m["host"] for m in d["mx"]][0] == "a.example" and d["source"] == "dns"'
check "a name above others is no override" says lab.example 2 '
    d["error"] == "MX_ENOADDR" and d["source"] == "dns"'
check "a null MX in the zone" says null.one.example 2 '
    d["error"] == "MX_ENULLMX" and d["source"] == "zone" and
    d["dsn"] == "5.1.10"'
check "a record that cannot be used holds the mail" says digits.example 75 '
    d["error"] == "MX_EDEFER" and
    "digits.example.mx.sender.example" in d["text"]'

check "mail goes where the zone says" mail u@one.example
check "by one run" run
check "and nowhere else" is "$(mx_who) $(queued)" "b:1 0"
mx_clear

# A zone for everything; .test is unknown to the server.
conf mxhosts 'zone(all.sender.example) dns'
check "everything" says anything.invalid 0 '
    [m["host"] for m in d["mx"]] == ["b.example"]'
check "but what is exempt" says exempt.test 75 'd["source"] == "dns"'
check "its neighbour is not" says other.test 0 '
    [m["host"] for m in d["mx"]] == ["b.example"]'

# What the server was asked, in order.
zone_log()
{
	conf mxhosts "$1"
	: > $T/asked
	getmx -j "$2" > $T/out
	cut -d ' ' -f 1,2 $T/asked | grep ' MX$' | tr '\n' ';'
}
FAKEDNS=${top_builddir:-.}/tests/tools/fakedns
if [ -x "$FAKEDNS" ]; then
	cat > $T/script << 'END'
*.mx.sender.example MX MX 10 b.example
b.example A A 192.0.2.12
END
	there "$FAKEDNS" -p 53 -a 192.0.2.54 -l $T/asked $T/script \
	    > $T/fakedns.out 2>&1 &
	await 10 grep -q ready $T/fakedns.out ||
	    die "fakedns starts" "$(cat $T/fakedns.out)"
	printf 'nameserver 192.0.2.54\n' > $ETC/resolv.conf
	check "an override costs one MX query, none for the domain" \
	    is "$(zone_log 'files zone(mx.sender.example) dns' x.example)" \
	    "x.example.mx.sender.example MX;"
	echo 'x.example 10 [192.0.2.12]' > $MXHOSTS
	check "a line of mxhosts before it costs none" \
	    is "$(zone_log 'files zone(mx.sender.example) dns' x.example)" ""
	: > $MXHOSTS
	printf 'nameserver 192.0.2.53\n' > $ETC/resolv.conf
else
	skip "what the server is asked" "tests/tools/fakedns is not built"
fi

# zone(some.broken) is one that the server cannot load.
conf mxhosts 'files zone(some.broken) dns'
check "a zone that fails is doubt" says one.example 75 '
    d["error"] == "MX_ESERVFAIL" and d["source"] == "zone" and
    "one.example.some.broken" in d["text"]'
check "mail waits" mail u@one.example
check "through a run" run
check "instead of leaving by the DNS" is "$(mx_who) $(queued)" " 1"
conf mxhosts 'files zone(some.broken) [TRYAGAIN=continue] dns'
check "unless the list says otherwise" says one.example 0 '
    [m["host"] for m in d["mx"]] == ["a.example"]'
conf mxhosts 'files zone(mx.sender.example) dns'
check "when the zone is there again" flush
check "the mail goes where it says" is "$(mx_who) $(queued)" "b:1 0"

printf 'nameserver 192.0.2.55\noptions timeout:1 attempts:1\n' \
    > $ETC/resolv.conf
check "no server at all is doubt, too" says one.example 75 '
    d["status"] == "temporary" and d["source"] == "zone"'

conf mxhosts 'files zone dns'
check "a zone without a name: wrong configuration" has \
    "$(getmx --check; echo "exit $?")" 'source "zone" needs an argument' \
    'exit 78'
check "and nothing leaves" says one.example 78 'd["error"] == "MX_ECONFIG"'

finish
