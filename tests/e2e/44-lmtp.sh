#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Mail for users of this machine to a server of LMTP: that of Dovecot, with
# quota; then one that does what Dovecot does not.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
FAKEMX=${top_builddir:-.}/tests/tools/fakemx
[ -x "$FAKEMX" ] || skip_all "tests/tools/fakemx is not built"
start "$@"
[ "$MULTI" -eq 1 ] || skip_all "needs root: Dovecot has users of its own"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11
SOCKET=$P/run/lmtp
conf local "lmtp:$SOCKET"
conf mail-name client.sender.example
conf reply-timeout 3s
conf data-timeout 3s
: > /etc/aliases

# as_runner: everything that is due, as the user that it is on a real machine.
as_runner()
{
	setpriv --reuid _mxnss --regid _mxnss --groups _mxdrop "$RUNNER" \
	    --once 2>> $T/log/runner
}
clean()
{
	empty_queue
	mx_clear
	: > $T/log/runner
}
status()
{
	queue | json "$1"
}
# retry: what waits is due again, also where nobody was there before.
retry()
{
	quiet sendmail -q > /dev/null 2>&1
	as_runner
}
# report: the parts of the one report that came home.
report()
{
	cat $T/mail/home/*.eml | tr -d '\r'
}

# ---- nobody there ----------------------------------------------------------

mail alice
as_runner
check "no server: the mail waits, and it is said why" status \
    '"run/lmtp: No such file" in d["recipients"][0]["reply"] and
    d["recipients"][0]["dsn"] == "4.4.1"'
check "-bv says where it would go" has "$(as alice sendmail -bv root 2>&1)" \
    "to the server of LMTP at $SOCKET"

# ---- Dovecot ---------------------------------------------------------------

if command -v dovecot > /dev/null && { [ -x /usr/lib/dovecot/lmtp ] ||
    [ -x /usr/libexec/dovecot/lmtp ]; }; then
mkdir -p $T/dovecot $T/boxes/alice $T/boxes/bob
chmod 755 $T/boxes
chown 64902:64902 $T/boxes/alice
chown 64903:64903 $T/boxes/bob
cat > $T/users << END
alice::64902:64902::$T/boxes/alice::
bob::64903:64903::$T/boxes/bob::
END
cat > $T/dovecot.conf << END
base_dir = $P/run/dovecot
state_dir = $T/dovecot
log_path = $T/log/dovecot
protocols = lmtp
ssl = no
hostname = dovecot.example
mail_location = maildir:~/Maildir
mail_plugins = quota
first_valid_uid = 1
recipient_delimiter = +
quota_full_tempfail = yes
userdb {
  driver = passwd-file
  args = username_format=%n $T/users
}
passdb {
  driver = static
  args = nopassword=y
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=20K
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service lmtp {
  unix_listener $SOCKET {
    user = _mxnss
    mode = 0600
  }
}
END
mkdir -p $P/run/dovecot
dovecot -F -c $T/dovecot.conf > $T/log/dovecot.out 2>&1 &
DOVECOT=$!
await 20 test -S "$SOCKET" ||
    die "Dovecot does not start" "$(cat $T/log/dovecot $T/log/dovecot.out)"
# box USER: how many messages it has; text USER: those.
box()
{
	find $T/boxes/$1/Maildir/new -type f 2> /dev/null | wc -l | tr -d ' '
}
text()
{
	cat $T/boxes/$1/Maildir/new/*
}

retry
check "Dovecot is there: it gets what waited" is \
    "$(box alice) $(queued)" "1 0"
check "as its LMTP does it" has "$(text alice)" \
    '^Delivered-To: <?alice@client\.sender\.example' 'by dovecot\.example with LMTP'
check "the log says who took it" has "$(runner_log)" \
    "to=<alice@.*relay=local\\[$SOCKET\\], .*dsn=2\\.0\\.0, status=sent"

clean
rm -rf $T/boxes/*/Maildir
printf 'Subject: dots\n\n.one\n..two\n.\nFrom here\nend\n' > $T/msg
send -i -f alice@sender.example alice+ext@client.sender.example \
    bob@client.sender.example nobody-here@client.sender.example \
    u@one.example < $T/msg
as_runner
check "several users, user+ext, somebody elsewhere" is \
    "$(box alice) $(box bob) $(mx_count a)" "1 1 1"
check "the text is as it was" is "$(text alice | tr -d '\r' |
    sed '1,/^$/d')" "$(printf '.one\n..two\n.\nFrom here\nend')"
check "one session for all" is "$(grep -c 'lmtp.*Connect from' \
    $T/log/dovecot)" 2
check "no such user: bounced at once" has "$(runner_log)" \
    'to=<nobody-here@.*dsn=5\.1\.1, status=bounced'
as_runner
check "and the sender is told" is "$(mx_who) $(queued)" "a:1 home:1 0"
check "with the words of Dovecot" has "$(report)" \
    "^Diagnostic-Code: smtp; 550 5\\.1\\.1 <nobody-here@.*User\$"
check "where no other host is named" lacks "$(report)" '^Remote-MTA'

clean
rm -rf $T/boxes/*/Maildir
{
	printf 'Subject: big\n\n'
	head -c 40000 /dev/zero | tr '\0' 'x' | fold -w 70
} > $T/big
send -f alice@sender.example bob@client.sender.example < $T/big
as_runner
check "over quota: it waits" is "$(box bob) $(queued)" "0 1"
check "as a full mailbox" status \
    'd["recipients"][0]["dsn"] == "4.2.2" and
    "452 4.2.2" in d["recipients"][0]["reply"]'
sed -i 's/storage=20K/storage=1M/' $T/dovecot.conf
kill -HUP $DOVECOT
# until a process of the new configuration has it
await 20 eval 'retry; [ "$(queued)" = 0 ]'
check "with room it is delivered" is "$(box bob) $(queued)" "1 0"

clean
send -N success -f alice@sender.example bob@client.sender.example \
    u@one.example < $T/msg
as_runner; as_runner
check "success, where it was asked for: delivered here, relayed there" is \
    "$(report | sed -n '/^Final-Rec/{N;s/.*; \(.*\)\nAction: /\1 /p;}' |
    sort | xargs)" \
    "bob@client.sender.example delivered u@one.example relayed"
kill $DOVECOT
await 20 gone $DOVECOT || fail "Dovecot does not stop"
else
	skip "Dovecot" "dovecot-lmtpd is not installed"
fi

# ---- others ----------------------------------------------------------------

# plays SCRIPT RCPT...: mail to them, and one attempt at it.  Sets LOG.
plays()
{
	clean
	fake "$1"
	shift
	mail "$@" && as_runner
	fake_stop
	LOG=$(runner_log)
}
# fake [SCRIPT]: such a server, without mail; its process is in PID.
fake()
{
	rm -rf $T/fake $T/fake.out
	printf '%s\n' "${1:-}" > $T/fake.script
	"$FAKEMX" -l "$SOCKET" -d $T/fake $T/fake.script > $T/fake.out 2>&1 &
	PID=$!
	await 10 grep -q ready $T/fake.out
}
fake_stop()
{
	kill $PID
	wait $PID 2> /dev/null
}
# got: for whom it took mail
got()
{
	cat $T/fake/*.env | sed -n 's/^to <\(.*\)@.*/\1/p' | sort | xargs
}
# outcome RCPT: what the log says of it
outcome()
{
	printf '%s\n' "$LOG" | sed -n \
	    "s/.*to=<$1@client.*dsn=\\([0-9.]*\\), status=\\([a-z]*\\) .*/\\1 \\2/p"
}

plays 'final bob*: reply 452 4.2.2 over quota
final carol*: reply 550 5.7.1 not wanted
rcpt dora*: reply 550 5.1.1 who is that' alice bob carol dora
check "a reply for each: accepted" is "$(outcome alice)" "2.0.0 sent"
check "temporary" is "$(outcome bob)" "4.2.2 deferred"
check "permanent, after the data" is "$(outcome carol)" "5.7.1 bounced"
check "permanent, before it" is "$(outcome dora)" "5.1.1 bounced"
check "one waits" status '[r["address"] for r in d["recipients"]
    if r["status"] == "deferred"] == ["bob@client.sender.example"]'
fake
retry
check "it is sent alone" is "$(got) $(queued)" "bob 0"
fake_stop

plays 'final bob*: close' alice bob carol
check "death between the replies: who had one has it" is \
    "$(outcome alice)" "2.0.0 sent"
check "the others wait" is "$(outcome bob) $(outcome carol)" \
    "4.4.2 deferred 4.4.2 deferred"
plays 'final bob*: silence' alice bob
check "silence between the replies" is "$(outcome alice) $(outcome bob)" \
    "2.0.0 sent 4.4.2 deferred"

# The runner and its workers are killed while the server is silent.
clean
fake 'final bob*: silence'
conf data-timeout 60s
mail alice bob
setsid setpriv --reuid _mxnss --regid _mxnss --groups _mxdrop "$RUNNER" \
    --once 2>> $T/log/runner &
runner=$!
await 10 grep -q 'to=<alice@.*status=sent' $T/log/runner
kill -9 -$runner
wait $runner 2> /dev/null
fake_stop
conf data-timeout 3s
fake
as_runner
retry
check "killed there: who had its reply does not get it again" is \
    "$(got) $(queued)" "bob 0"

mail alice
mail bob
as_runner
check "two messages over one session" is \
    "$(grep -c LHLO $T/fake/log) $(got)" "2 alice bob bob"
check "the dialogue" has "$(cat $T/fake/log)" \
    'C LHLO client\.sender\.example' \
    'C MAIL FROM:<alice@sender\.example> SIZE=' \
    'C RCPT TO:<alice@client\.sender\.example>' 'C QUIT'
fake_stop

# A server that takes one message in a session, and goes without a word.
fake 'mail x1: reply 250 2.1.0 ok
mail x1: close'
: > $T/log/runner
mail alice
mail bob
as_runner
check "a session that has ended is no attempt" is \
    "$(got) $(queued) $(grep -c LHLO $T/fake/log) $(runner_log |
    grep -c deferred)" "alice bob 0 2 0"
fake_stop

plays 'connect: reply 421 4.3.2 busy' alice
check "421 at the beginning: waits" is "$(outcome alice)" "4.3.2 deferred"
plays 'lhlo: reply 500 5.5.1 SMTP only' alice
check "no LMTP there: waits, and no HELO" is "$(outcome alice) \
$(grep -c HELO $T/fake/log)" "4.5.1 deferred 0"
plays 'data: raw 554 no\r\n' alice
check "DATA refused" is "$(outcome alice)" "5.0.0 bounced"

finish
