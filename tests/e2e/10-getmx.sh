#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What getmx says about every kind of domain: exit code, JSON and table,
# against a real name server.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

zone_add << 'END'
loop1	CNAME	loop2
loop2	CNAME	loop1
www	CNAME	one
mixed	MX	0 .
	MX	10 a
twice	MX	10 a
	MX	20 a
both	A	192.0.2.12
	AAAA	2001:db8::12
dual	MX	5 both
half	MX	10 nowhere
	MX	20 b
txtonly	TXT	"no mail here"
loopback MX	10 lo
	MX	20 a
lo	A	127.0.0.1
xn--bcher-kva	MX	10 a
END
dns_start

# look DOMAIN...: getmx -j; J is what it printed, RC its exit code.
look()
{
	RC=0
	J=$(as alice getmx -j "$@" 2> $T/getmx.err) || RC=$?
}
# found DOMAIN EXPR: exit 0, and EXPR over the JSON.
found()
{
	look "$1"
	is "$RC" 0 || return
	printf '%s\n' "$J" | json 'd["domain"] == argv[0] and
	    d["status"] == "ok" and d["error"] is None' "$1" &&
	    printf '%s\n' "$J" | json "$2"
}
# refused DOMAIN RC STATUS ERROR DSN
refused()
{
	look "$1"
	is "$RC" "$2" || return
	printf '%s\n' "$J" | json 'd["domain"] == argv[0] and
	    d["status"] == argv[1] and d["error"] == argv[2] and
	    d["dsn"] == argv[3] and d["mx"] == [] and
	    isinstance(d["text"], str) and d["text"] != ""' "$1" "$3" "$4" "$5"
}
hosts='[m["host"] for m in d["mx"]]'
# Shuffled: each of the three is first once in so many calls, or this is a
# chance of 3 * (2/3)^40 = 3e-7.
three_first()
{
	three_i=40
	while [ $three_i -gt 0 ]; do
		getmx -q equal.example | head -n 1
		three_i=$((three_i - 1))
	done | sort -u | tr '\n' ' '
}

check "one MX" found one.example 'len(d["mx"]) == 1 and
    d["mx"][0].items() >= {"pref": 10, "host": "a.example", "port": 25,
    "ttl": 300, "tls": None}.items() and
    d["mx"][0]["addresses"] == ["192.0.2.11"] and d["source"] == "dns" and
    d["ttl"] == 300 and d["secure"] is False and d["dsn"] is None'
check "three preferences" found three.example \
    "$hosts"' == ["a.example", "b.example", "c.example"] and
    [m["pref"] for m in d["mx"]] == [10, 20, 30]'
check "three equal" found equal.example \
    "sorted($hosts)"' == ["a.example", "b.example", "c.example"] and
    {m["pref"] for m in d["mx"]} == {10}'
check "three equal: any of them comes first" \
    is "$(three_first)" "a.example b.example c.example "
check "none but an A record" found aonly.example 'len(d["mx"]) == 1 and
    d["mx"][0]["host"] == "aonly.example" and d["mx"][0]["pref"] == 0 and
    d["mx"][0]["addresses"] == ["192.0.2.11"]'
check "none but an AAAA record" found aaaaonly.example 'len(d["mx"]) == 1 and
    d["mx"][0]["host"] == "aaaaonly.example" and
    d["mx"][0]["addresses"] == ["2001:db8::11"]'
check "null MX" refused null.example 2 permanent MX_ENULLMX 5.1.10
check "MX to a CNAME" found cname.example 'len(d["mx"]) == 1 and
    d["mx"][0]["addresses"] == ["192.0.2.11"]'
check "MX to an address in digits" \
    refused numeric.example 2 permanent MX_ENOADDR 5.4.4
check "MX to a missing name" \
    refused missing.example 2 permanent MX_ENOADDR 5.4.4
check "NXDOMAIN" refused nosuch.example 2 permanent MX_ENXDOMAIN 5.1.2
check "SERVFAIL" refused some.broken 75 temporary MX_ESERVFAIL 4.4.3
check "REFUSED" refused other.test 75 temporary MX_EREFUSED 4.4.3
check "60 MX" found sixty.example 'len(d["mx"]) == 60 and
    [m["pref"] for m in d["mx"]] == list(range(1, 61)) and
    all(m["host"] == "m%d.example" % m["pref"] for m in d["mx"])'
check "no record that mail could use" \
    refused txtonly.example 2 permanent MX_ENOADDR 5.4.4
check "a loop of CNAMEs is doubt" \
    refused loop1.example 75 temporary MX_EBADRESP 4.4.3
check "the domain is a CNAME" found www.example \
    "$hosts"' == ["a.example"]'
check "null MX beside another is ignored" found mixed.example \
    "$hosts"' == ["a.example"]'
check "the same exchange twice: the better preference" found twice.example \
    'len(d["mx"]) == 1 and d["mx"][0]["pref"] == 10'
check "one target is missing: the other stays" found half.example \
    '"b.example" in '"$hosts"
check "A and AAAA of one exchange" found dual.example \
    'sorted(d["mx"][0]["addresses"]) == ["192.0.2.12", "2001:db8::12"]'
look ONE.Example.
check "upper case and a final dot" is "$RC" 0
check "a name that is none" refused 'bad..example' 2 permanent \
    MX_EBADNAME 5.1.3
check "our own host is the only exchange" \
    refused self.example 2 permanent MX_ELOOP 5.4.6
if grep -q 'define HAVE_LIBIDN2' "$top_builddir/config.h"; then
	check "a domain in Unicode" found bücher.example \
	    'd["ascii"] == "xn--bcher-kva.example" and
	    d["unicode"] == "b\u00fccher.example" and
	    d["mx"][0]["host"] == "a.example"'
	check "... in the table in both forms" has \
	    "$(as alice getmx BÜCHER.example)" \
	    '^xn--bcher-kva\.example \(bücher\.example\)$'
else
	check "a domain in Unicode without libidn2" refused bücher.example 2 \
	    permanent MX_EBADNAME 5.1.3
	check "... is to be written otherwise" has "$J" 'in its xn-- form'
fi
check "a literal" found '[192.0.2.12]' \
    'd["mx"][0]["addresses"] == ["192.0.2.12"]'

# noted DOMAIN EXIT ERE: the table and the JSON say so.
noted()
{
	noted_rc=0
	noted_out=$(as alice getmx "$1") || noted_rc=$?
	is "$noted_rc" "$2" && has "$noted_out" "^  note: .*$3" || return
	as alice getmx -j "$1" > $T/noted || :
	json 'any(re.search(argv[0], n) for re in [__import__("re")]
	    for n in d["notes"])' "$3" < $T/noted
}
check "note: an MX in digits" noted numeric.example 2 \
    'MX 10 192\.0\.2\.1 must name a host, not an IP address'
check "note: an MX that is a CNAME" noted cname.example 0 \
    'alias\.example: an exchange must not be an alias'
check "note: an MX without address" noted half.example 0 \
    'nowhere\.example: has no address'
check "note: no MX with an address" noted missing.example 2 \
    'nowhere\.example: has no address'
check "note: an MX on the loopback" noted loopback.example 0 \
    'lo\.example: 127\.0\.0\.1 is no address that mail can be sent to'
check "note: the same MX twice" noted twice.example 0 \
    'MX (10|20) a\.example names the same host twice'
check "note: null MX among others" noted mixed.example 0 \
    'null MX. stands beside other exchanges'

look one.example null.example some.broken
check "several domains: the highest exit code" is "$RC" 75
check "several domains: one line each" \
    is "$(printf '%s\n' "$J" | wc -l | tr -d ' ')" 3
RC=0
as alice getmx > $T/out 2> $T/err || RC=$?
check "no domain is a usage error" is "$RC" 1
check "with a usage line" has "$(cat $T/err)" '^[Uu]sage: getmx'

RC=0
printf 'one.example\n\nbad..example\nnull.example\ntwo words\nb.example\n' |
    as alice getmx -j - > $T/out 2> $T/err || RC=$?
check "standard input: the highest exit code" is "$RC" 2
check "standard input: a line for each domain, in its order" json_of $T/out \
    '[x["domain"] for x in docs] == ["one.example", "bad..example",
    "null.example", "two words", "b.example"] and
    [x["error"] for x in docs] == [None, "MX_EBADNAME", "MX_ENULLMX",
    "MX_EBADNAME", None]'
# Each answer is read before the next question is written.
check "standard input: a dialogue over pipes" "$PY" -c '
import json, subprocess
p = subprocess.Popen(["getmx", "-j", "-"], stdin=subprocess.PIPE,
    stdout=subprocess.PIPE, text=True)
for name in ("one.example", "nosuch.example", "three.example"):
    p.stdin.write(name + "\n")
    p.stdin.flush()
    assert json.loads(p.stdout.readline())["domain"] == name
p.stdin.close()
assert p.wait() == 2'
RC=0
as alice getmx - < $T > /dev/null 2> $T/err || RC=$?
check "standard input that cannot be read" is "$RC" 75
check "and why" has "$(cat $T/err)" '^getmx: standard input: '

TABLE=$(as alice getmx --trace self.example)
check "--trace: what was said and what was cut" has "$TABLE" \
    '^trace of self\.example: the source list of ' \
    '^  files: NOTFOUND, continue, [0-9]+\.[0-9]{3} ms$' \
    '^  dns: SUCCESS, return, [0-9]+\.[0-9]{3} ms, 192\.0\.2\.53#53$' \
    '^  left out: .*: it is this host itself$'
as alice getmx -j --trace half.example > $T/out
check "--trace: the same in JSON" json_of $T/out \
    '[t["event"] for t in d["trace"]] == ["list", "source", "source",
    "addresses", "addresses"] and d["trace"][2]["source"] == "dns" and
    [m["host"] for m in d["trace"][2]["mx"]] == ["nowhere.example",
    "b.example"] and d["trace"][3]["error"] == "MX_ENOADDR" and
    d["trace"][4]["mx"][0]["addresses"] == ["192.0.2.12"]'
printf 'one.example 10 [192.0.2.13]\n' > $T/mxhosts
as alice getmx -j --trace -S "files($T/mxhosts) dns" one.example > $T/out
check "--trace: what DNS would have said" json_of $T/out \
    'd["mx"][0]["host"] == "192.0.2.13" and
    d["trace"][1]["pattern"] == "one.example" and
    d["trace"][1]["origin"].endswith("/mxhosts:1") and
    d["trace"][3]["source"] == "dns" and not d["trace"][3]["used"] and
    d["trace"][3]["mx"][0]["host"] == "a.example"'

TABLE=$(as alice getmx three.example)
check "the table" has "$TABLE" '10 +a\.example.*192\.0\.2\.11' \
    '20 +b\.example.*192\.0\.2\.12' '30 +c\.example.*192\.0\.2\.13'
check "the table tells TTL and source" has "$TABLE" '300' 'dns'
check "-q prints names only" is "$(getmx -q three.example | tr '\n' ' ')" \
    "a.example b.example c.example "

# Nothing listens on .55, and nothing answers on .54.
there "$PY" -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.54", 53))
open("/mnt/t/silent", "w").close()
time.sleep(10000)' &
await 10 test -e $T/silent
printf 'nameserver 192.0.2.54\noptions timeout:1 attempts:2\n' > $ETC/resolv.conf
check "a server that answers nothing" \
    refused one.example 75 temporary MX_ETIMEOUT 4.4.3
printf 'nameserver 192.0.2.55\noptions timeout:1 attempts:2\n' > $ETC/resolv.conf
check "no server there" has "$(look one.example; echo "$RC $J")" \
    '^75 .*"temporary".*"MX_E(NOSERVER|TIMEOUT)"'

finish
