#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Addresses outside ASCII (RFC 6531): to servers that know them, and to those
# that do not.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
zone_add << 'END'
two	MX	10 b
	MX	10 c
xn--bcher-kva	MX	10 b
END
dns_start
mx_start home=192.0.2.10,utf8 a=192.0.2.11,utf8 b=192.0.2.12 c=192.0.2.13

clean()
{
	empty_queue
	mx_clear
	: > $T/log/runner
}
# report: the one that came home, without CR
report()
{
	mx_eml home | tr -d '\r'
}
# utf8 JSON: how often SMTPUTF8 was said
utf8()
{
	grep -c '"SMTPUTF8"' "$T/mail/$1/0001.json"
}

# ---- the server knows them -------------------------------------------------

printf 'From: Jürgen <jürgen@sender.example>\nTo: 用戶@one.example\nSubject: für\n\ntext\n' \
    > $T/msg
send -i -t -f jürgen@sender.example < $T/msg
check "a sender and a recipient outside ASCII" is "$RC $ERR" "0 "
run
check "arrive as they are" json_of $T/mail/a/0001.json \
    'd["rcpts"] == ["用戶@one.example"] and
    d["sender"] == "jürgen@sender.example" and "SMTPUTF8" in d["mail_options"]'
check "so do those in the header; names and subject need no UTF-8" has \
    "$(mx_eml a)" '^From: =\?utf-8\?B\?SsO8cmdlbg==\?= <jürgen@sender\.example>' \
    '^To: 用戶@one\.example' '^Subject: =\?utf-8\?B\?ZsO8cg==\?='
check "the log has the address" has "$(runner_log)" \
    'to=<用戶@one\.example>.*status=sent'

clean
send -i -f jürgen@sender.example no用戶@one.example < $T/msg
run; run
check "a report goes back to such a sender" json_of $T/mail/home/0001.json \
    'd["rcpts"] == ["jürgen@sender.example"] and "SMTPUTF8" in
    d["mail_options"]'
check "it names the recipient in ASCII for programs" has "$(report)" \
    '^Final-Recipient: utf-8;no\\x\{7528\}\\x\{6236\}@one\.example$'
check "and as it is for people" is "$(report | "$PY" -c '
import email, email.policy, sys
m = email.message_from_file(sys.stdin, policy=email.policy.default)
print("<no用戶@one.example>" in list(m.walk())[1].get_content())')" True

clean
printf 'From: alice@sender.example\nTo: x@one.example\nSubject: ü\n\nü\n' |
    send -i -t
run
check "where nobody needs it, it is not said" is "$(mx_who) $(utf8 a)" "a:1 0"
clean
printf 'To: x@one.example, jürgen@elsewhere.example\n\n' |
    send -i x@one.example
run
check "an address in the header needs it" is "$(mx_who) $(utf8 a)" "a:1 1"

# ---- domains ---------------------------------------------------------------

if [ "$(getmx -q bücher.example 2> /dev/null)" ]; then
	clean
	printf 'To: U <u@bücher.example>\n\n' | send -i -t
	run
	check "a domain is written as the DNS has it" json_of \
	    $T/mail/b/0001.json 'd["rcpts"] == ["u@xn--bcher-kva.example"] and
	    "SMTPUTF8" not in d["mail_options"]'
	check "in the header, too" has "$(mx_eml b)" \
	    '^To: U <u@xn--bcher-kva\.example>'
else
	send -i u@bücher.example < $T/msg
	check "no libidn2: it is said" has "$RC $ERR" \
	    '^65 .*domains outside ASCII need libidn2'
fi

# ---- the server does not ---------------------------------------------------

clean
send -i -f alice@sender.example jürgen@two.example u@two.example << 'END'
Subject: x

END
run
check "who is ASCII gets it" is "$(($(mx_count b) + $(mx_count c)))" 1
check "who is not: returned when none of the hosts knew" has "$(runner_log)" \
    'to=<jürgen@two\.example>.*dsn=5\.6\.7, status=bounced'
check "both were asked" is "$(mx_connections b) $(mx_connections c)" "1 1"
run
check "the sender is told what to do" has "$(report | tr '\n' ' ')" \
    'Status: 5\.6\.7' 'nothing but *ASCII before the @'

clean
printf 'To: jürgen@elsewhere.example\n\n' | send -i u@two.example
run; run
check "for an address in the header, too" has "$(report)" \
    '^Status: 5\.6\.7' 'somebody in the header'

# One of two is down: there is doubt.
clean
mx_stop c
mail jürgen@two.example
run
check "while one of them is down, it waits" is "$(mx_total) $(queued)" "0 1"
mx_start c=192.0.2.13,utf8
flush
check "and goes to the one that knows" is "$(mx_who) $(utf8 c)" "c:1 1"

# ---- who is here -----------------------------------------------------------

if [ "$MULTI" -eq 1 ]; then
	clean
	echo 'jürgen: u@one.example, nobody-ü' > /etc/aliases
	mail jürgen@client.sender.example
	run; run
	check "an alias outside ASCII" is "$(mx_who)" "a:1 home:1"
	check "no such user" has "$(report)" '^Status: 5\.1\.1' \
	    '^Original-Recipient: utf-8;j\\x\{FC\}rgen@client\.sender\.example'
else
	skip "an alias outside ASCII" "needs root"
fi

# ---- -bs -------------------------------------------------------------------

clean
printf 'EHLO me\r\nMAIL FROM:<jürgen@sender.example> SMTPUTF8\r\nRCPT TO:<用戶@one.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n' |
    send -bs
run
check "-bs" json_of $T/mail/a/0001.json 'd["rcpts"] == ["用戶@one.example"]'
check "says so in Received" has "$(mx_eml a)" 'with UTF8SMTP id'

send -i "$(printf 'j\374rgen@one.example')" < $T/msg
check "what is not UTF-8 is no address" has "$RC $ERR" \
    '^65 .*outside ASCII, and not UTF-8'

finish
