#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The ground itself: name server, receivers and assertions work, so that a
# failure elsewhere is one of the programs under test.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

make_cert a a.example
dns_start
mx_start a=192.0.2.11,tls=$T/a.pem six=[2001:db8::11] odd=192.0.2.12:2525

talk()
{
	"$PY" - "$@" << 'END'
import smtplib, ssl, sys
host, port, rcpts = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
with smtplib.SMTP(host, port, timeout=10) as s:
    s.ehlo("harness")
    if s.has_extn("starttls"):
        context = ssl.create_default_context(cafile="/mnt/t/ca.pem")
        context.check_hostname = False
        s.starttls(context=context)
        s.ehlo("harness")
    refused = s.sendmail("x@sender.example", rcpts, "Subject: t\r\n\r\nx\r\n")
    print(sorted((k, v[0]) for k, v in refused.items()))
END
}

check "the name server answers" dns_answers one.example
check "a receiver with TLS takes mail" \
    is "$(talk 192.0.2.11 25 u@one.example no@one.example)" \
    "[('no@one.example', 550)]"
check "it tells what it saw" json_of $T/mail/a/0001.json \
    'd["tls"]["version"] == "TLSv1.3" and d["rcpts"] == ["u@one.example"] and
    d["peer"] == "192.0.2.1" and d["nth"] == 1 and d["helo"] == "harness"'
check "another port" is "$(talk 192.0.2.12 2525 u@one.example)" "[]"
if [ "$HAVE_IPV6" -eq 1 ]; then
	check "IPv6" is "$(talk 2001:db8::11 25 u@one.example)" "[]"
else
	skip "IPv6" "no IPv6 here"
fi
check "mail is counted" has "$(mx_who)" '^a:1 odd:1( six:1)?$'
mx_stop a
check "a stopped receiver is gone" \
    has "$(talk 192.0.2.11 25 u@one.example 2>&1)" ConnectionRefused
mx_start a=192.0.2.11
check "and comes back" is "$(talk 192.0.2.11 25 u@one.example)" "[]"
check "its mail is numbered on" is "$(mx_count a)" 2
if [ "$MULTI" -eq 1 ]; then
	check "several uids" is "$(as alice id -un) $(as bob id -un)" \
	    "alice bob"
else
	skip "several uids" "needs root"
fi
finish
