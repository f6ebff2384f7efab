#!/bin/sh
# SPDX-License-Identifier: ISC
#
# mxcheck: will mail from here, or to there, get through?  Each thing that is
# wrong must be said, with what to do about it, and nothing else.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
need_multi

# The roots of this system, for the time of this test: our own.
trust=$(openssl version -d | sed 's/.*"\(.*\)"/\1/')/certs
make_cert a a.example
make_cert b other.example
mount -t tmpfs -o mode=755 tmpfs "$(readlink -f "$trust")" &&
    cp $T/ca.pem "$trust/$(openssl x509 -in $T/ca.pem -noout -hash).0" ||
    skip_all "cannot mount over $trust"

zone_add << 'END'
deadhost A	192.0.2.30
dead	MX	10 deadhost
half	MX	10 deadhost
	MX	20 a
wrong	MX	10 b
plain	MX	10 c
small	MX	10 small
small	A	192.0.2.14
busy	A	192.0.2.15
END
cat > $T/reverse.zone << 'END'
$TTL 300
@	SOA	ns.example. hostmaster.example. 1 3600 600 86400 60
	NS	ns.example.
1	PTR	client.sender.example.
3	PTR	a.example.
4	PTR	second.sender.example.
END
zone_add << 'END'
second.sender A	192.0.2.4
END
dns_start
mx_start home=192.0.2.10 a=192.0.2.11,tls=$T/a.pem b=192.0.2.12,tls=$T/b.pem \
    c=192.0.2.13 small=192.0.2.14,size=1000 busy=192.0.2.15,banner=554
ip route add default via 192.0.2.53
echo "options timeout:1 attempts:1" >> /etc/resolv.conf

# What a machine has where all is right.
conf mail-name client.sender.example
echo "root: alice" > /etc/aliases
mkdir $T/sbin
[ ! -e /usr/sbin/sendmail ] || mount --bind $P/sbin/sendmail /usr/sbin/sendmail
service()
{
	"$RUNNER" --daemon 2>> $T/log/runner &
	daemon=$!
	await 10 test -S $P/run/mxnss/wake -a -S $P/run/mxnss/mailbox
}
service || die "the runner does not start" "$(runner_log)"
cat > $T/listen.py << 'END'
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
s.listen(64)
time.sleep(100000)
END
"$PY" $T/listen.py $P/run/mxnss/submit &
await 10 test -S $P/run/mxnss/submit
await 10 test -e "$SPOOL/VERSION"

# mxc ARG...: sets RC and OUT
mxc()
{
	RC=0
	OUT=$(mxcheck "$@" 2>&1) || RC=$?
}
# good EXPR: of the machine, EXPR holds for all lines but those that this
# machine cannot help: its kernel's settings, what is in /usr, and that the
# spool of a test is on a tmpfs.
good()
{
	mxcheck -j > $T/out
	json "all($1 for d in docs if d['check'] not in ('kernel', 'sendmail') and
	    'tmpfs' not in d['reason'])" < $T/out
}
state()
{
	find $P/etc $P/var /etc/aliases -printf '%p %m %U %s %T@ %C@\n' | sort
}

# ---- this machine ----------------------------------------------------------

state > $T/before
check "all is right: so it says" good 'd["status"] == "ok"'
state > $T/after
check "nothing is changed" cmp $T/before $T/after
check "a line for everything" eval 'json "sorted(set(d[\"check\"] for d in docs)) ==
    argv" aliases clock configuration dnssec hostname kernel mail-name mailbox \
    postmaster queue resolver reverse root runner sendmail spool submit tls \
    < $T/out'
check "JSON: these keys, and a remedy for what is not ok" json_of $T/out \
    'all(sorted(d) == ["check", "reason", "remedy", "status", "target"] and
	(d["remedy"] is None) == (d["status"] == "ok") for d in docs)'
check "that the spool is not on a disk is a warning" eval 'mxc &&
    has "$OUT" "^warning  spool .* is on tmpfs: mail that waits is lost" \
    "-> put it on a disk"; is "$RC" 1'
check "a user, who may see less" eval 'OUT=$(as alice mxcheck)
    has "$OUT" "^note     queue .*only root and the owner of" \
    "-> run mxcheck as root" "^note     mailbox .*only root and the runner" &&
    lacks "$OUT" "^fault"'

# seen RC ERE...: of mxc
seen()
{
	is "$RC" "$1" || { echo "$OUT"; return 1; }
	shift
	has "$OUT" "$@"
}
# wrong NAME SETUP UNDO RC ERE...: SETUP makes it so
wrong()
{
	wrong_name=$1 wrong_undo=$3
	eval "$2" || die "$1: setup"
	mxc
	shift 3
	check "$wrong_name" seen "$@"
	eval "$wrong_undo" || die "$wrong_name: undo"
}
cp $CONF $T/conf.good
line=$(($(wc -l < $CONF) + 1))
conf_back='cat $T/conf.good > $CONF'
aliases_back='echo "root: alice" > /etc/aliases'

wrong "drop/ of a wrong mode" 'chmod 0755 $SPOOL/drop' \
    'chmod 3733 $SPOOL/drop' 2 '^fault    spool .*/drop has mode 2755, not 3733' \
    "-> chmod 3733 $SPOOL/drop"
wrong "drop/ of another owner" 'chown root $SPOOL/drop' \
    'chown _mxnss $SPOOL/drop && chmod 3733 $SPOOL/drop' 2 \
    '/drop has another owner' "-> chown _mxnss $SPOOL/drop"
wrong "drop/ of another group" 'chgrp daemon $SPOOL/drop' \
    'chgrp _mxdrop $SPOOL/drop && chmod 3733 $SPOOL/drop' 2 \
    '/drop has a group that the runner is not in' '-> chgrp _mxdrop '
wrong "queue/ that others can read" 'chmod 0755 $SPOOL/queue' \
    'chmod 0700 $SPOOL/queue' 2 '/queue has mode 0755, not 0700' \
    "-> chmod 700 $SPOOL/queue"
wrong "a spool that nobody can reach" 'chmod 0700 $SPOOL' 'chmod 0711 $SPOOL' \
    2 'does not let users reach drop/' "-> chmod 711 $SPOOL"
wrong "no spool" 'mv $SPOOL $SPOOL.away' 'mv $SPOOL.away $SPOOL' 2 \
    '^fault    spool .*: No such file or directory: no mail can be sent' '-> '
wrong "a wrong line in mxnss.conf" 'echo "colour: blue" >> $CONF' \
    "$conf_back" 2 "^fault    configuration  $CONF:$line: unknown key" \
    '-> correct the line'
check "that is said once" is "$(printf '%s\n' "$OUT" | grep -c 'unknown key')" 1
wrong "a wrong line in mxhosts" 'echo "x.example 10 -" > $MXHOSTS' \
    ': > $MXHOSTS' 2 "^fault    configuration  $MXHOSTS:1: " '-> correct'
wrong "a line of mxhosts without effect" \
    'printf "x.example 10 a.example\nx.example 20 a.example\n" > $MXHOSTS' \
    ': > $MXHOSTS' 1 "^warning  configuration  $MXHOSTS:2: warning: " '-> '
wrong "no alias for root" ': > /etc/aliases' "$aliases_back" 1 \
    '^note     root .* goes to /var/mail/root' \
    '-> .*"root: you@\.\.\." in /etc/aliases' \
    '^note     postmaster .* goes to /var/mail/root'
wrong "mail for root is thrown away" 'echo "root: /dev/null" > /etc/aliases' \
    "$aliases_back" 1 '^warning  root .*/dev/null' '-> .*root: you@'
wrong "a wrong line in the aliases" 'echo "ann: |prog" >> /etc/aliases' \
    "$aliases_back" 2 '^fault    aliases        /etc/aliases:2: ' '-> correct'
wrong "aliases in circles" \
    'printf "ann: bea\nbea: ann\n" >> /etc/aliases' "$aliases_back" 2 \
    '^fault    aliases .*in circles' '-> correct'
wrong "nobody here gets mail" ': > /etc/aliases; conf local none' \
    "$conf_back; $aliases_back" 1 '^warning  root .*local: none' '-> .*root: you@'
wrong "a server of LMTP that is not there" 'conf local lmtp:/nowhere' \
    "$conf_back" 1 '^warning  mailbox        /nowhere: ' '-> start the server'
wrong "a name that DNS does not have" 'conf hostname nowhere.example' \
    "$conf_back" 1 '^warning  hostname .*nowhere\.example' '-> publish an address'
wrong "an address without a name" 'conf source-address 192.0.2.2' \
    "$conf_back" 1 '^warning  reverse .*192\.0\.2\.2.* has no name' '-> .*PTR'
wrong "an address with another's name" 'conf source-address 192.0.2.3' \
    "$conf_back" 1 '^warning  reverse .*192\.0\.2\.3.*a\.example, which has not' \
    '-> .*PTR'
wrong "another name than we say" 'conf source-address 192.0.2.4' \
    "$conf_back" 1 '^note     reverse .*we say that we are client\.sender' \
    '-> set hostname: second\.sender\.example'
wrong "a private address" 'conf source-address 10.1.2.3' \
    "$conf_back" 1 '^note     reverse .*10\.1\.2\.3 is a private' '-> see'
wrong "senders of no domain" 'conf mail-name nosuch.example' \
    "$conf_back" 1 '^warning  mail-name .*@nosuch\.example' '-> publish MX'
wrong "a name server that is not there" \
    'sed -i s/2.53/2.99/ /etc/resolv.conf' 'sed -i s/2.99/2.53/ /etc/resolv.conf' \
    2 '^fault    resolver .*192\.0\.2\.99' '-> look at the nameserver lines'
check "then the others are not waited for" lacks "$OUT" ' (hostname|reverse|mail-name) '
wrong "the same, but mail goes to a relay" \
    'sed -i s/2.53/2.99/ /etc/resolv.conf; echo "* 10 [192.0.2.13]" > $MXHOSTS' \
    'sed -i s/2.99/2.53/ /etc/resolv.conf' \
    1 '^note     resolver .*192\.0\.2\.99.* goes to the relay 192\.0\.2\.13'
wrong "and what others think of our names is its business" \
    'conf hostname nowhere.example' ": > \$MXHOSTS; $conf_back" 1 \
    '^note     hostname ' '^ok       reverse .*to the relay 192\.0\.2\.13'
wrong "what could not be delivered, and what is no message" \
    'touch $SPOOL/dead/x $SPOOL/bad/y' 'rm $SPOOL/dead/x $SPOOL/bad/y' 1 \
    '^warning  queue          1 in .*/dead' '-> read the files' \
    '^note     queue          1 in .*/bad' '-> look whose'
rm $P/run/mxnss/submit
wrong "no socket for sandboxes" : : 1 '^note     submit .*No such file' '-> run acceptor'
kill "$daemon" && await 10 gone "$daemon" || die "the runner does not end"
wrong "no runner" : : 1 '^warning  runner .*mail waits until' \
    '-> let a supervisor run' '^warning  mailbox ' '-> start the runner as root'
service || die "the runner does not start again"

# ---- another domain --------------------------------------------------------

# to NAME ARG RC ERE...
to()
{
	to_name=$1
	mxc "$2"
	shift 2
	check "$to_name" seen "$@"
}
to "all is right there" one.example 0 '^one\.example:$' \
    '^ok       route          mail for one\.example goes to a\.example:25 \(10, dns' \
    '^ok       connection     a\.example\[192\.0\.2\.11\]:25: 220 ' \
    '^ok       extensions .*SMTPUTF8|^ok       extensions .*8BITMIME' \
    '^ok       tls            a\.example.*: TLSv1\.[23] .*, verified$' \
    '^ok       delivery '
to "a recipient" u@one.example 0 '^ok       delivery '
to "a literal" '[192.0.2.13]' 0 '192\.0\.2\.13\]:25: 220 ' '^ok       delivery '
to "a certificate for another" wrong.example 0 \
    '^note     tls .*TLSv1\.[23] .*not verified for b\.example: .*[Hh]ostname' \
    '-> tls=verify' '^ok       delivery '
to "no TLS" plain.example 0 '^note     tls .*no TLS' '-> .*STARTTLS'
to "it takes less than we do" small.example 0 \
    '^note     extensions .*takes 1000 octets at most' '-> set max-size'
to "the first host is dead" half.example 1 \
    '^warning  connection     deadhost\.example\[192\.0\.2\.30\]:25: .*refused' \
    '-> .*firewall' '^ok       connection     a\.example' '^ok       delivery '
to "the only one is" dead.example 2 '^warning  connection ' \
    '^fault    delivery       no host takes mail for dead\.example' '-> mail waits'
to "a host that does not want us" busy.example 2 \
    '^warning  connection     busy\.example.* 554 ' '^fault    delivery '
to "no such domain" nosuch.example 2 '^fault    route          5\.1\.2 ' \
    '-> mail is returned'
to "one that takes no mail" null.example 2 '^fault    route          5\.1\.10 '
to "one whose name servers fail" x.broken 2 '^fault    route          4\.4\.3 ' \
    '-> mail waits'
to "what is no address" 'a b@one.example' 2 '^fault    address ' '-> correct it'
to "a user of this machine" root@client.sender.example 0 \
    'goes to the mailbox of alice@client\.sender\.example' '^ok       mailbox '
echo "ann: u@plain.example" >> /etc/aliases
to "an alias that leads elsewhere" ann@client.sender.example 0 \
    'ann@client\.sender\.example goes to u@plain\.example' '^ok       delivery '
to "no such user" nosuch@client.sender.example 2 \
    '^fault    route          there is no user "nosuch" here' '-> .*an alias'
conf local none
to "users get no mail" bob@client.sender.example 2 \
    '^fault    route .*\(local: none\)' '-> an alias'
eval "$conf_back"
mkdir -m 700 $T/mine
chown alice $T/mine
conf spool $T/mine
check "a spool of one's own" eval 'OUT=$(as alice mxcheck)
    has "$OUT" "^ok       runner         sendmail starts it" && lacks "$OUT" ^fault'
check "is nobody else's" eval 'RC=0; OUT=$(as bob mxcheck) || RC=$?
    seen 2 "^fault    spool          $T/mine is for alice, and nobody else" "-> send mail as"'
eval "$conf_back"
echo "wrong.example 10 b.example tls=verify" > $MXHOSTS
to "a certificate that the route demands" wrong.example 2 \
    "files $MXHOSTS:1" '^warning  connection .*certificate' \
    '-> .*tls=may' '^fault    delivery '
echo "one.example reject 5.7.1 \"not from here\"" > $MXHOSTS
to "a route that says no" one.example 2 '^fault    route          5\.7\.1 .*not from here'
: > $MXHOSTS

check "no mail was sent, none is in the spool" is \
    "$(mx_total) $(queued) $(drop_count)" "0 0 0"
check "two at a time, as JSON" eval 'mxcheck -j half.example one.example > $T/out
    is $? 1 && json_of $T/out "
	[d[\"target\"] for d in docs if d[\"check\"] == \"delivery\"] ==
	[\"half.example\", \"one.example\"]"'
check "quiet: only what is not ok" eval 'mxc -q one.example; is "$OUT$RC" 0 &&
    mxc -q half.example; is "$RC" 1 && lacks "$OUT" "^ok" &&
    has "$OUT" "^half\.example:" "^warning "'
check "no colours but on a terminal" lacks "$(mxcheck one.example)" '\[3'
# script(1) makes one
if command -v script > /dev/null; then
	terminal()
	{
		script -qec "$1" $T/typescript > /dev/null
		grep -q '\[32mok' $T/typescript
	}
	check "on a terminal there are some" terminal \
	    "TERM=xterm mxcheck one.example"
	check "but not with NO_COLOR" eval \
	    '! terminal "NO_COLOR=1 TERM=xterm mxcheck one.example"'
else
	skip "colours on a terminal" "script(1) is not installed"
fi
check "wrong usage" eval 'mxc --nonsense; is "$RC" 3 && has "$OUT" "^usage: mxcheck"'
check "--help and --version" eval 'mxc --help; is "$RC" 0 &&
    has "$OUT" "^usage: mxcheck" && mxc --version; has "$OUT" "^mxnss [0-9]"'
kill "$daemon" && await 10 gone "$daemon" || die "the runner does not end"

finish
