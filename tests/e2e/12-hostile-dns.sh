#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A name server that answers as no real one would: whatever is not a clear
# yes or no is doubt, and the mail waits.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
FAKEDNS=${top_builddir:-.}/tests/tools/fakedns
[ -x "$FAKEDNS" ] || skip_all "tests/tools/fakedns is not built"
start "$@"

# label | answer to the MX query | exit code | MX_E of getmx, or -
cat > $T/table << 'END'
refused|refused|75|MX_EREFUSED
notimp|rcode=4|75|MX_EREFUSED
formerr|rcode=1|75|MX_EREFUSED
rcode9|rcode=9|75|MX_EREFUSED
servfail|servfail|75|MX_ESERVFAIL
silent|silent|75|MX_ETIMEOUT
lame|lame|75|MX_EBADRESP
wrongid|MX 10 a.example wrongid|75|MX_ETIMEOUT
wrongq|MX 10 a.example wrongq|75|-
noq|MX 10 a.example noq|75|-
cut|MX 10 a.example cut=40|75|-
rubbish|MX 10 a.example rubbish=4|0|-
empty|RAW MX -|75|MX_EBADRESP
short|RAW MX 0a|75|MX_EBADRESP
oneempty|RAW MX - MX 10 a.example|0|-
loop|LOOP 10|75|MX_EBADRESP
owner|owner=other.example MX 10 a.example|75|MX_EBADRESP
noopt|MX 10 a.example noopt|0|-
formerredns|MX 10 a.example formerr-edns|0|-
late|MX 10 a.example delay=300|0|-
onelost|MX 10 a.example drop=1|0|-
tc|MX 10 a.example tc|0|-
tcall|MX 10 a.example tcall|75|-
tcpsilent|MX 10 a.example tc tcp=silent|75|-
tcpclose|MX 10 a.example tc tcp=close|75|-
tcpreset|MX 10 a.example tc tcp=reset|75|-
tcphalf|MX 10 a.example tc tcp=half|75|-
tcpzero|MX 10 a.example tc tcp=zero|75|-
tcpgarbage|MX 10 a.example tc tcp=garbage|75|-
many|gen=400|0|-
badname|MX 10 a\032b.example|2|MX_ENOADDR
addrfail|MX 10 fail.example|75|MX_EADDRAGAIN
addrhalf|MX 10 fail.example MX 20 a.example|0|-
aaaafail|MX 10 half.example|0|-
loopback|MX 10 lo.example|2|MX_ENOADDR
zero|MX 10 zero.example|2|MX_ENOADDR
multicast|MX 10 multi.example|2|MX_ENOADDR
END
{
	awk -F '|' '{ print $1 ".example MX " $2 }' $T/table
	cat << 'END'
a.example A A 192.0.2.11
home.example A A 192.0.2.10
sender.example MX MX 10 home.example
*.many.example A A 192.0.2.11
fail.example A servfail
fail.example AAAA servfail
half.example A A 192.0.2.11
half.example AAAA servfail
lo.example A A 127.0.0.1
lo.example AAAA AAAA ::1
zero.example A A 0.0.0.0
multi.example A A 224.0.0.1
huge.example MX ttl=4294967295 MX 10 a.example
ad.example MX ad=1 MX 10 a.example
*.search.test A A 192.0.2.66
gone.example ANY nxdomain
onlya.example A servfail
onlya.example TXT TXT x
onlyaaaa.example AAAA servfail
onlyaaaa.example TXT TXT x
formerr-host.example ANY rcode=1
END
} > $T/script
there "$FAKEDNS" -p 53 -a 192.0.2.53 $T/script > $T/fakedns.out 2>&1 &
await 10 grep -q ready $T/fakedns.out ||
    die "fakedns starts" "$(cat $T/fakedns.out)"
printf 'nameserver 192.0.2.53\noptions timeout:1 attempts:2\n' \
    > $ETC/resolv.conf

# says NAME RC ERROR
says()
{
	RC=0
	getmx -j "$1.example" > $T/out 2> $T/err || RC=$?
	is "$RC" "$2" || { cat $T/out; return 1; }
	[ "$3" = - ] || json 'd["error"] == argv[0]' "$3" < $T/out
}
while IFS='|' read -r name answer rc error; do
	check "getmx: $answer" says "$name" "$rc" "$error"
done < $T/table
getmx -j huge.example > $T/out
check "a TTL beyond 2^31 is 0" json_of $T/out \
    'd["mx"][0]["ttl"] == 0 and d["ttl"] == 0'
getmx -j ad.example > $T/out
check "AD from a server that is not ours is not believed" json_of $T/out \
    'd["secure"] is False'

# With ndots:5 libresolv would even ask for a.example.search.test first.
cp $ETC/resolv.conf $T/resolv.conf
printf 'nameserver 192.0.2.53\nsearch search.test\noptions ndots:5\n' \
    > $ETC/resolv.conf
cat > $MXHOSTS << 'END'
one.example 10 a.example
two.example 10 gone.example
three.example 10 onlya.example
four.example 10 onlyaaaa.example
five.example 10 formerr-host.example
END
getmx -j one.example > $T/out
check "an override's host is not sought in the search list" json_of $T/out \
    'd["mx"][0]["addresses"] == ["192.0.2.11"]'
check "nor is one that does not exist" says two 2 MX_ENOADDR
# getaddrinfo(3) says of all of them that there is no such name.
for name in three four five; do
	check "an override's host that is in doubt: $name" \
	    says $name 75 MX_EADDRAGAIN
done
cp $T/resolv.conf $ETC/resolv.conf
: > $MXHOSTS

mx_start home=192.0.2.10 a=192.0.2.11
ends()	# NAME WHO WAITING
{
	mx_clear
	empty_queue
	mail "u@$1.example" && run && run || return
	is "$(mx_who) $(queued)" "$2 $3"
}
for name in tc many noopt addrhalf aaaafail; do
	check "mail: $name: delivered" ends $name a:1 0
done
for name in lame silent tcpclose empty owner addrfail formerr; do
	check "mail: $name: kept" ends $name "" 1
done
for name in loopback badname; do
	check "mail: $name: returned" ends $name home:1 0
done

finish
