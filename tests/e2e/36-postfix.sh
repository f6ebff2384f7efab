#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Postfix as the receiver: what a real MTA makes of our SMTP, with
# PIPELINING, STARTTLS, SIZE, 8BITMIME and its own refusals.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
need postfix postconf
start "$@"
need_multi

getent passwd postfix > /dev/null || skip_all "no user postfix"
PF=$T/postfix
mkdir -p $PF $T/pfspool $T/pfdata $T/pfmail
chown postfix $T/pfdata
chown alice $T/pfmail
make_cert pf pf.example
cat > $PF/main.cf << END
compatibility_level = 3.6
myhostname = pf.example
mydestination =
queue_directory = $T/pfspool
data_directory = $T/pfdata
inet_interfaces = 192.0.2.30
inet_protocols = ipv4
maillog_file = $T/log/postfix
maillog_file_prefixes = $T
alias_maps =
virtual_mailbox_domains = pf.example
virtual_mailbox_maps = texthash:$PF/users
virtual_mailbox_base = $T/pfmail
virtual_uid_maps = static:64902
virtual_gid_maps = static:64902
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = $T/pf.pem
smtpd_tls_received_header = yes
smtputf8_enable = yes
message_size_limit = 200000
mailbox_size_limit = 0
relayhost = [192.0.2.10]
virtual_mailbox_limit = 0
END
echo "amy@pf.example amy/" > $PF/users
echo "ben@pf.example ben/" >> $PF/users
echo "jürgen@pf.example juergen/" >> $PF/users
grep -v '^#' /etc/postfix/master.cf | awk '
/^[^ \t]/ && NF >= 8 { $5 = "n" } { print }' > $PF/master.cf
there postfix -c $PF check > $T/log/postfix-check 2>&1
there "$(postconf -h daemon_directory)/master" -c $PF > $T/log/postfix-out 2>&1 &

zone_add << 'END'
pf	MX	10 pf-mx
pf-mx	A	192.0.2.30
END
dns_start
mx_start home=192.0.2.10
greets()
{
	"$PY" -c '
import smtplib
smtplib.SMTP("192.0.2.30", timeout=5).quit()'
}
await 20 greets || die "Postfix does not answer" \
    "$(cat $T/log/postfix-check $T/log/postfix-out $T/log/postfix)"

# box USER: how many messages that user has; first USER: the text of one.
box()
{
	find "$T/pfmail/$1/new" -type f 2> /dev/null | wc -l | tr -d ' '
}
first()
{
	cat "$T/pfmail/$1/new"/*
}

printf 'Subject: caf\303\251\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n.a line\n..\n.\nna\303\257ve\n' \
    > $T/msg
send -i -f alice@sender.example amy@pf.example ben@pf.example < $T/msg
check "sendmail takes it" is "$RC" 0
run
check "both users have it" await 20 eval \
    'test "$(box amy) $(box ben)" = "1 1"'
GOT=$(first amy)
check "over TLS" has "$GOT" 'using TLSv1\.[23] with cipher'
check "under our name" has "$GOT" 'from client\.sender\.example'
check "as ESMTPS" has "$GOT" 'with ESMTPS'
check "the body is as it was" is \
    "$(printf '%s\n' "$GOT" | sed '1,/^$/d')" \
    "$(printf '.a line\n..\n.\nna\303\257ve')"
check "the queue is empty" is "$(drop_count) $(queued)" "0 0"

mx_clear
mail nobody-here@pf.example
run; run
check "an unknown user bounces with the server's words" \
    has "$(mx_eml home)" '5\.1\.1' 'nobody-here@pf\.example' 'User unknown'

mx_clear
{
	echo "Subject: big"
	echo
	awk 'BEGIN { for (i = 0; i < 5000; i++) print "0123456789012345678901234567890123456789012345678" }'
} > $T/msg
send -f alice@sender.example amy@pf.example < $T/msg
run; run
check "a message over the server's SIZE bounces" \
    has "$(mx_eml home)" '5\.3\.4' 'amy@pf\.example'

# What was asked of reports, Postfix heeds: its report is the only one, and
# says what it was told.
mx_clear
printf 'Subject: tell me\n\nhello\n' | send -N success,delay -R hdrs \
    -V 'QQ+314 =1' -f alice@sender.example ben@pf.example
run
check "Postfix reports success" await 30 eval 'test "$(mx_count home)" = 1'
run
check "and it alone" is "$(mx_who) $(queued) $(drop_count)" "home:1 0 0"
"$PY" "$E2E/report.py" $T/mail/home/0001.eml > $T/report.json
check "ENVID, ORCPT and NOTIFY came there" json_of $T/report.json \
    'd[0]["message"]["original-envelope-id"] == "QQ+314 =1" and
    d[0]["message"]["reporting-mta"] == "dns; pf.example" and
    d[0]["recipients"][0]["original-recipient"].lower() ==
	"rfc822;ben@pf.example" and
    d[0]["recipients"][0]["action"] == "delivered"'
mx_clear
printf 'Subject: hush\n\nhello\n' | send -N never -f alice@sender.example \
    nobody-here@pf.example ben@pf.example
run; run
check "a refusal with -N never is told to nobody" is \
    "$(mx_who) $(queued) $(drop_count)" " 0 0"

i=0
while [ $i -lt 10 ]; do
	mail amy@pf.example
	i=$((i + 1))
done
run
check "ten more arrive" await 20 eval 'test "$(box amy)" = 11'
# Addresses in UTF-8, and text that is; then as if it knew neither.
if [ "$(there postconf -c $PF -h smtputf8_enable)" = yes ]; then
	printf 'To: jürgen@pf.example\nSubject: x\n\nnaïve\n' |
	    send -i -t -f ülrich@sender.example
	run
	check "SMTPUTF8: Postfix has it" await 20 eval \
	    'test "$(box juergen)" = 1'
	check "from such a sender, too, as it was" has "$(first juergen)" \
	    '^Return-Path: <ülrich@sender\.example>' 'with UTF8SMTP' \
	    '^To: jürgen@pf\.example' '^naïve$'
	there postconf -c $PF -e 'smtpd_discard_ehlo_keywords = smtputf8, 8bitmime'
	there postfix -c $PF reload > $T/log/postfix-reload 2>&1
	plain()
	{
		"$PY" -c '
import smtplib
s = smtplib.SMTP("192.0.2.30", timeout=5)
s.ehlo()
offered = "8bitmime" in s.esmtp_features
s.quit()
raise SystemExit(offered)'
	}
	check "it can be told to forget that" await 20 plain
	mx_clear
	rm -rf $T/pfmail/ben
	printf 'Subject: x\n\nnaïve\n' | send -i -f alice@sender.example \
	    jürgen@pf.example ben@pf.example
	run; run
	check "without 8BITMIME: quoted-printable" await 20 eval \
	    'first ben | grep -q "^na=C3=AFve$"'
	check "without SMTPUTF8: returned" has "$(mx_eml home)" \
	    '^Status: 5\.6\.7'
else
	skip "SMTPUTF8 and 8BITMIME" "this Postfix does not know SMTPUTF8"
fi

check "Postfix saw no protocol error" lacks "$(cat $T/log/postfix)" \
    'improper|lost connection|unknown command|warning: .*client'

finish
