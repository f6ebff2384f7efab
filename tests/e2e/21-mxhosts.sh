#!/bin/sh
# SPDX-License-Identifier: ISC
#
# /etc/mxhosts decides: reroute, literal and port, reject, defer, mx:, one
# user, TLS demands; and what is not built holds the mail.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

# The roots of this system, for the time of this test: our own.
trust=$(openssl version -d | sed 's/.*"\(.*\)"/\1/')/certs
make_cert a a.example
make_cert b b.example
[ -d "$trust" ] && mount -t tmpfs tmpfs "$(readlink -f "$trust")" &&
    cp $T/ca.pem "$trust/$(openssl x509 -in $T/ca.pem -noout -hash).0" &&
    chmod 0755 "$trust" && HAVE_ROOTS=1

dns_start
mx_start home=192.0.2.10 a=192.0.2.11,tls=$T/a.pem b=192.0.2.12,tls=$T/b.pem \
    c=192.0.2.13 port=192.0.2.14:2525

# via LINES RCPT: mail to RCPT with these lines in mxhosts.
via()
{
	mx_clear
	empty_queue
	: > $T/log/runner
	printf '%b\n' "$1" > $MXHOSTS
	mail "$2" && run
}
goes()	# LINES RCPT WHO
{
	via "$1" "$2" && is "$(mx_who) $(queued)" "$3 0"
}
holds()	# LINES RCPT DSN ERE
{
	via "$1" "$2" && is "$(mx_who) $(queued)" " 1" || return
	queue | json 'd["recipients"][0]["dsn"] == argv[0]' "$3" &&
	    has "$(queue)" "$4"
}

check "no line: the MX" goes '' u@one.example a:1
check "one line reroutes a domain" \
    goes 'one.example 10 b.example' u@one.example b:1
check "another domain is as it was" \
    goes 'one.example 10 b.example' u@aonly.example a:1
check "address and port" \
    goes 'one.example 10 [192.0.2.14]:2525' u@one.example port:1
check "host and port" \
    goes 'one.example 10 a.example:2525\n 20 c.example' u@one.example c:1
check "preferences" \
    goes 'one.example 20 a.example\n 10 b.example' u@one.example b:1
check "the MX of another domain" \
    goes 'null.example 10 mx:one.example' u@null.example a:1
check "subdomains" goes '*.example 10 c.example' u@nosuch.example c:1
check "everything else" \
    goes '* 10 b.example\none.example dns' u@three.example b:1
check "dns: no override" \
    goes '* 10 b.example\none.example dns' u@one.example a:1
check "merged in front of the records" \
    goes 'one.example +5 c.example' u@one.example c:1
check "one user" goes 'amy@one.example 10 b.example' amy@one.example b:1
check "another user of the domain" \
    goes 'amy@one.example 10 b.example' ben@one.example a:1
both_users()
{
	mx_clear
	empty_queue
	printf 'amy@one.example 10 b.example\n' > $MXHOSTS
	mail amy@one.example ben@one.example && run &&
	    is "$(mx_who)" "a:1 b:1"
}
check "both in one message" both_users
printf '192.0.2.13 inside.hosts.test\n' >> $ETC/hosts
check "a host of /etc/hosts" \
    goes 'one.example 10 inside.hosts.test' u@one.example c:1

via 'one.example reject 5.7.1 "blocked here"' u@one.example
run
check "reject: returned" is "$(mx_who) $(queued)" "home:1 0"
check "with code and text" has "$(mx_eml home)" '5\.7\.1' 'blocked here'
check "defer: kept, with text" holds 'one.example defer "moving today"' \
    u@one.example 4.3.2 'moving today'
check "a wrong line holds its domain and names itself" \
    holds 'one.example 10 what.is this' u@one.example 4.3.2 'mxhosts:1'
check "but not the others" \
    goes 'one.example 10 what.is this' u@three.example a:1
rm -f $MXHOSTS
mkdir $MXHOSTS
mx_clear
empty_queue
mail u@one.example
run
check "a file that cannot be read holds all" is "$(mx_who) $(queued)" " 1"
rmdir $MXHOSTS

check "tls=encrypt and a server without TLS: kept" \
    holds 'one.example 10 c.example tls=encrypt' u@one.example 4.7.5 'TLS'
check "tls=encrypt and a server with TLS" \
    goes 'one.example 10 b.example tls=encrypt' u@one.example b:1
check "over TLS" json_of $T/mail/b/0001.json 'd["tls"] is not None'
check "tls=none" goes 'one.example 10 b.example tls=none' u@one.example b:1
check "in clear text" json_of $T/mail/b/0001.json 'd["tls"] is None'
if [ "${HAVE_ROOTS:-0}" -eq 1 ]; then
	check "tls=verify, right name" \
	    goes 'one.example 10 b.example tls=verify' u@one.example b:1
	check "tls=verify, wrong name: kept" \
	    holds 'one.example 10 [192.0.2.12] tls=verify' \
	    u@one.example 4.7.5 'certificate|verif|name|TLS'
	check "tls=verify name=: that name" \
	    goes 'one.example 10 [192.0.2.12] tls=verify name=b.example' \
	    u@one.example b:1
	rm -f "$trust"/*.0
	check "tls=verify, unknown authority: kept" \
	    holds 'one.example 10 b.example tls=verify' \
	    u@one.example 4.7.5 'certificate|verif|TLS'
else
	skip "tls=verify" "no directory of trusted certificates"
fi
check "tls=dane is not built yet: kept" \
    holds 'one.example 10 b.example tls=dane' u@one.example 4.7.5 'dane|DANE'
check "auth= is not built yet: kept" \
    holds 'one.example 10 b.example auth=me' u@one.example 4.3.5 auth
check "implicit-tls is not built yet: kept" \
    holds 'one.example 10 b.example implicit-tls' \
    u@one.example 4.7.5 'implicit'

finish
