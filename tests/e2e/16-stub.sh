#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The usual resolver of a machine: a cache on 127.0.0.53 that resolv.conf
# names, here unbound in front of the name server.  The same answers come
# through it, of zone(NAME) as well; and a list of domains on standard input
# is answered by one process.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
command -v unbound > /dev/null || [ -x /usr/sbin/unbound ] ||
    skip_all "unbound is not installed"
start "$@"

# Overrides below mx.sender.example: one domain, and all below lab.example.
zone_add << 'END'
one.example.mx.sender	MX	10 b
*.lab.example.mx.sender	MX	20 c
*.star			MX	10 a
END
dns_start
cat > $T/unbound.conf << END
server:
	interface: 127.0.0.53
	access-control: 127.0.0.0/8 allow
	do-not-query-localhost: no
	module-config: "iterator"
	username: ""
	chroot: ""
	directory: "$T"
	pidfile: ""
	use-syslog: no
	num-threads: 1
	val-log-level: 0
remote-control:
	control-enable: no
forward-zone:
	name: "."
	forward-addr: 192.0.2.53
END
unbound -d -c $T/unbound.conf > $T/log/unbound 2>&1 &
printf 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch sender.example\n' \
    > $ETC/resolv.conf
await 10 getmx one.example || die "unbound answers" "$(cat $T/log/unbound)"

# says DOMAIN RC EXPR: getmx -j
says()
{
	RC=0
	as alice getmx -j "$1" > $T/out 2> $T/err || RC=$?
	is "$RC" "$2" || { cat $T/out; return 1; }
	json "$3" < $T/out
}
hosts='[m["host"] for m in d["mx"]]'
check "exchanges" says three.example 0 "$hosts"' == ["a.example",
    "b.example", "c.example"] and d["origin"] == "127.0.0.53#53"'
check "no MX" says aonly.example 0 "$hosts"' == ["aonly.example"]'
check "no such domain" says nosuch.example 2 'd["error"] == "MX_ENXDOMAIN"'
check "the search list plays no part" says home 75 \
    '"lookup of home at 127.0.0.53#53" in d["text"]'
check "null MX" says null.example 2 'd["error"] == "MX_ENULLMX"'
check "a server that fails" says x.broken 75 'd["error"] == "MX_ESERVFAIL"'
check "60 MX" says sixty.example 0 'len(d["mx"]) == 60'
check "a wildcard of the domain's own" says any.star.example 0 \
    "$hosts"' == ["a.example"]'

conf mxhosts 'files zone(mx.sender.example) dns'
check "zone: an override" says one.example 0 "$hosts"' == ["b.example"] and
    d["source"] == "zone"'
check "zone: a wildcard" says deep.x.lab.example 0 \
    "$hosts"' == ["c.example"] and d["source"] == "zone" and
    d["origin"] == "deep.x.lab.example.mx.sender.example"'
check "zone: no such name is no override" says three.example 0 \
    "$hosts"'[0] == "a.example" and d["source"] == "dns"'
check "zone: a name without MX is no override" says lab.example 2 \
    'd["error"] == "MX_ENXDOMAIN" and d["source"] == "dns"'
conf mxhosts 'files zone(some.broken) dns'
check "zone: a failure is temporary" says one.example 75 \
    'd["error"] == "MX_ESERVFAIL" and d["source"] == "zone"'
conf mxhosts 'files dns'

# The cache knows them all after the first round.
n=0
while [ $n -lt 300 ]; do
	printf 'x%d.star.example\nnone%d.example\n' $((n % 50)) $((n % 50))
	n=$((n + 1))
done > $T/domains
RC=0
began=$(date +%s%N)
as alice getmx -j - < $T/domains > $T/out 2> $T/err || RC=$?
took=$((($(date +%s%N) - began) / 1000))
check "600 domains on standard input" is "$RC" 2
check "each is answered, in its order" json_of $T/out \
    '[x["domain"] for x in docs] == open("'$T/domains'").read().split() and
    all(x["error"] is None if x["domain"][0] == "x" else
    x["error"] == "MX_ENXDOMAIN" for x in docs)'
echo "# 600 domains in $took microseconds"

finish
