#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Mail for users of this machine: aliases, then /var/mail, a Maildir, another
# address, or nothing.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
[ "$MULTI" -eq 1 ] || skip_all "needs root: mailboxes belong to several users"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11

# /var/mail and /home of this test only.
mount -t tmpfs tmpfs /var/mail && chown root:mail /var/mail &&
    chmod 2775 /var/mail || die "no /var/mail of our own"
mkdir -p $T/home/alice $T/home/bob
chown alice $T/home/alice
chown bob $T/home/bob
sed -i "s|:/:/bin/sh|:$T/home/x:/bin/sh|; s|^alice\(.*\)home/x|alice\1home/alice|
    s|^bob\(.*\)home/x|bob\1home/bob|" /etc/passwd
: > /etc/aliases

# box USER: its mailbox
box()
{
	cat "/var/mail/$1" 2> /dev/null
}
# messages USER: how many there are, by Python
messages()
{
	"$PY" -c 'import mailbox, sys
print(len(mailbox.mbox(sys.argv[1], create=False)))' "/var/mail/$1" \
	    2> /dev/null || echo 0
}
clean()
{
	empty_queue
	mx_clear
	rm -rf /var/mail/* $T/home/alice/* $T/home/bob/*
	: > $T/log/runner
}
# status EXPR: the only message that waits
status()
{
	queue | json "$1"
}

# ---- mbox ------------------------------------------------------------------

mail alice@client.sender.example
run
check "a user gets mail in /var/mail" is "$(messages alice) $(queued)" "1 0"
check "the mailbox is the user's, of the group mail, for nobody else" is \
    "$(stat -c '%U %G %a' /var/mail/alice)" "alice mail 600"
check "From_ line, Return-Path and Delivered-To come first" has \
    "$(box alice | head -n 3)" '^From alice@sender\.example [A-Z][a-z]{2} ' \
    '^Return-Path: <alice@sender\.example>$' \
    '^Delivered-To: alice@client\.sender\.example$'
check "lines end in LF" is "$(box alice | tr -dc '\r' | wc -c)" 0
check "the log says so" has "$(runner_log)" \
    'to=<alice@client\.sender\.example>, relay=local, .*dsn=2\.0\.0, status=sent'
check "no lock file is left" is "$(ls /var/mail)" "alice"

printf 'Subject: quoting\n\nFrom here\n>From there\nFromage\n from\n\nFrom\n' |
    quiet as bob sendmail -f bob@sender.example alice@client.sender.example
run
check "a second message follows" is "$(messages alice)" 2
check "From_ lines in it are quoted, reversibly" is \
    "$(box alice | sed -n '/^Subject: quoting/,$p' | sed '1,/^$/d')" \
    "$(printf '>From here\n>>From there\nFromage\n from\n\nFrom')"

clean
mail alice+lists@client.sender.example
run
check "user+ext is user" is "$(messages alice)" 1

clean
mail nobody-here@client.sender.example
run
check "an unknown user: the message is returned at once" has \
    "$(runner_log)" 'to=<nobody-here@.*dsn=5\.1\.1, status=bounced'
run
check "to its sender, who is elsewhere" is "$(mx_who) $(queued)" "home:1 0"

clean
send -N success -f bob@sender.example alice@client.sender.example <<'END'
Subject: tell me

END
run; run
check "success, where it was asked for: delivered, not relayed" has \
    "$(tr -d '\r' < $T/mail/home/0001.eml)" '^Action: delivered$' \
    '^Subject: Your message was delivered$' \
    '^was delivered to this recipient:$'

clean
mail alice@client.sender.example u@one.example
run
check "local and other recipients of one message" is \
    "$(messages alice) $(mx_who) $(queued)" "1 a:1 0"

clean
: > /var/mail/alice
chown bob /var/mail/alice
chmod 666 /var/mail/alice
mail alice@client.sender.example
run
check "a mailbox of another user is not written" is \
    "$(messages alice) $(queued)" "0 1"
check "mailq says why" status '"own" in d["recipients"][0]["reply"]'
rm /var/mail/alice
ln -s $T/home/bob/x /var/mail/alice
flush
check "nor through a symbolic link" is "$(ls $T/home/bob) $(queued)" " 1"
rm /var/mail/alice
flush
check "put right, it gets there" is "$(messages alice) $(queued)" "1 0"

clean
mount -t tmpfs -o size=16k tmpfs /var/mail && chown root:mail /var/mail &&
    chmod 2775 /var/mail
mail alice@client.sender.example
{
	printf 'Subject: big\n\n'
	head -c 60000 /dev/zero | tr '\0' 'x' | fold -w 70
} | quiet as bob sendmail -f bob@sender.example alice@client.sender.example
run
check "a full disk: the message waits, and none is there by half" is \
    "$(messages alice) $(queued)" "1 1"
check "as a full mailbox" status 'd["recipients"][0]["dsn"] == "4.2.2"'
umount /var/mail
clean

# ---- aliases ---------------------------------------------------------------

cat > /etc/aliases << END
# comment
postmaster: root
root: alice, ops
ops:	bob,
	u@one.example
"odd name": bob
team: :include:$T/team
nobody: /dev/null
script: "|/usr/bin/touch $T/touched"
file: /tmp/file
round: about
about: round
bob: bob, u@two.example
END
printf '# the team\nalice, bob\n\nalice\n' > $T/team

mail root@client.sender.example
run
check "an alias: lists, continuation, users and other addresses" is \
    "$(messages alice) $(messages bob) $(mx_who)" "1 1 a:1 home:1"
check "the log says by which line" has "$(runner_log)" \
    '<root@client\.sender\.example> is <u@one\.example> by /etc/aliases:4'
check "nothing is left" is "$(queued) $(ls $SPOOL/queue | wc -l)" "0 0"

clean
mail postmaster@client.sender.example
run
check "postmaster" is "$(messages alice)" 1
clean
mail MAILER-DAEMON@client.sender.example
run
check "MAILER-DAEMON is postmaster" is "$(messages alice)" 1
clean
mail '"odd name"@client.sender.example'
run
check "a name with a blank" is "$(messages bob)" 1
clean
mail team@client.sender.example
run
check ":include:, without duplicates" is \
    "$(messages alice) $(messages bob)" "1 1"
clean
mail nobody@client.sender.example
run
check "/dev/null" is "$(queued) $(mx_who) $(ls /var/mail)" "0  "

for name in script file round; do
	clean
	mail $name@client.sender.example
	run
	check "$name: waits, for its alias is wrong" is \
	    "$(queued) $(mx_who) $(ls /var/mail)" "1  "
	check "$name: the reason names the line" status \
	    '"/etc/aliases:" in d["recipients"][0]["reply"] and
	    d["recipients"][0]["dsn"] == "4.3.5"'
done
check "nothing was run" is "$(ls $T/touched 2> /dev/null)" ""
sed -i 's/^round: .*/round: alice/' /etc/aliases
flush
check "put right, it goes on" is "$(messages alice) $(queued)" "1 0"

# What an alias was at the first attempt it stays.
clean
mx_stop a
mail ops@client.sender.example
run
check "one of two waits" is "$(messages bob) $(queued)" "1 1"
sed -i 's/^ops:.*/ops: alice/; s/^	u@one.example//' /etc/aliases
mx_start a=192.0.2.11
flush
check "an edited alias neither changes nor repeats a delivery" is \
    "$(messages bob) $(messages alice) $(mx_who) $(queued)" "1 0 a:1 home:1 0"

chmod 000 /etc/aliases
clean
mail bob@client.sender.example u@one.example
run
check "aliases that cannot be read: who needs one waits, others do not" is \
    "$(mx_who) $(queued) $(ls /var/mail)" "a:1 1 "
chmod 644 /etc/aliases
flush
check "then it is delivered" is "$(messages bob) $(queued)" "1 0"

clean
conf aliases "$T/none $T/extra"
echo "root: alice" > $T/extra
mail root
conf local-domains "sender.example client.sender.example"
run
check "a file that was named must be there" status \
    '"none: No such file" in d["recipients"][0]["reply"]'
echo "root: bob" > $T/none
flush
check "several files: the first that has a name counts" is \
    "$(messages alice) $(messages bob)" "0 1"
rm -f /etc/aliases
sed -i '/^aliases:/d' $CONF
clean
mail alice
run
check "no /etc/aliases is no error" is "$(messages alice)" 1
clean

# ---- asking ----------------------------------------------------------------

cat > /etc/aliases << END
root: alice, u@one.example
team: :include:/nonexistent/team
odd: |prog
gone: nobody-here
END
check "newaliases names what is wrong, with file and line" has \
    "$(as alice newaliases 2>&1)" '/etc/aliases:2: team: /nonexistent/team' \
    '/etc/aliases:3: odd: .*program'
as alice newaliases > /dev/null 2>&1
check "and exits with 65" is $? 65
said=$(as alice sendmail -bv root u@one.example gone x@nx.example 2>&1)
rc=$?
check "-bv: a mailbox" has "$said" \
    '^root@.*: alice@.* \(/etc/aliases:1\), into the mailbox of alice$'
check "-bv: the hosts of another address" has "$said" \
    '^root@.*: u@one\.example \(/etc/aliases:1\), by .*:25 \(10, dns'
check "-bv: what would fail, and why" has "$said" \
    '^gone@.*5\.1\.1 there is no user "nobody-here"' \
    '^x@nx\.example: 5\.1\.2 '
check "-bv: the exit code is that of the first failure" is $rc 67
check "nothing was sent" is "$(queued) $(mx_who)" "0 "
echo "root: alice" > /etc/aliases
check "newaliases: nothing wrong" has "$(as alice newaliases)" \
    '^1 alias, nothing wrong'
check "newaliases --help, --version" has "$(as alice newaliases --help)
$(as alice newaliases --version)" '^usage: newaliases ' '^newaliases \(mxnss\) '

# ---- the other ways --------------------------------------------------------

clean
conf local 'maildir:~/Maildir'
mail alice
run
check "maildir:~/PATH" is "$(ls $T/home/alice/Maildir/new | wc -l)" 1
check "it is the user's own" is \
    "$(stat -c '%U %a' $T/home/alice/Maildir $T/home/alice/Maildir/new/* |
    tr '\n' ' ')" "alice 700 alice 600 "
check "and a message" is "$("$PY" -c 'import mailbox, sys
for m in mailbox.Maildir(sys.argv[1], create=False): print(m["Subject"])' \
    $T/home/alice/Maildir)" "to alice"

clean
conf local "maildir:$T/mail-%u"
mail alice
run
check "a place where the user may not write: waits" is "$(queued)" 1
mkdir $T/mail-alice
chown alice $T/mail-alice
flush
check "%u is the user" is "$(ls $T/mail-alice/new | wc -l) $(queued)" "1 0"

clean
conf local forward:admin@one.example
mail root
run
check "forward:ADDRESS" is "$(mx_who) $(queued)" "a:1 0"
check "the recipient is that address" json_of $T/mail/a/0001.json \
    'd["rcpts"] == ["admin@one.example"]'

clean
conf local none
mail alice
run
check "none: it is returned at once" has "$(runner_log)" \
    'to=<alice@sender.example>.*dsn=5\.1\.1, status=bounced'

# ---- without the writer ----------------------------------------------------

clean
conf local mbox
mail alice
setpriv --reuid _mxnss --regid _mxnss --groups _mxdrop "$RUNNER" --once \
    2>> $T/log/runner
check "no mailbox writer: the mail waits" is "$(messages alice) $(queued)" \
    "0 1"
check "and mailq says what to do" status \
    '"mxnss-mailbox.socket" in d["recipients"][0]["reply"]'
flush
check "with it, it is delivered" is "$(messages alice) $(queued)" "1 0"

# ---- without a network -----------------------------------------------------

clean
conf local mbox
ip link set mx0 down
i=0
while [ $i -lt 8 ]; do
	mail u@d$i.example
	i=$((i + 1))
done
"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
check "no network: mail for others waits" await 30 eval \
    'runner_log | grep -q "the network is down"'
check "and mailq says why" has "$(mailq)" \
    '\(4\.4\.1 the network is down, one message at a time is tried: '
mail alice
mail bob@client.sender.example u@d9.example
check "mail for users of this machine does not" await 30 eval \
    'test "$(messages alice) $(messages bob)" = "1 1"'
check "nor does it end the outage" lacks "$(runner_log)" \
    "network is there again"
ip link set mx0 up
flush_daemon()
{
	quiet sendmail -q
	runner_log | grep -q "network is there again"
}
check "somebody hopes, and the network is there" await 30 flush_daemon
# the others come back to alice: their domains do not exist
check "each local message came once" is \
    "$(box alice | grep -c '^Subject: to alice') $(messages bob)" "1 1"
kill $daemon
await 10 gone $daemon

finish
