#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Real callers.  Our sendmail is /usr/sbin/sendmail here, which is where the
# programs of Debian look for it; what each of them gives to it is kept, and
# must be what the receiver gets, octet by octet (judge.py).  The second part
# has the options of callers that cannot be run here.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11

# ---- the system's sendmail -------------------------------------------------

# A directory may be private where a file in it cannot be made: /usr/sbin
# becomes one of links, of which sendmail is ours.
system_sendmail()
{
	mkdir $T/sbin /mnt/sbin $T/given $T/alice || return
	chmod 1777 $T/given
	mount --bind /usr/sbin /mnt/sbin || return
	# relative links lead to the same place from there, no other
	find /usr/sbin -mindepth 1 -type l -exec cp -P -t $T/sbin {} +
	find /mnt/sbin -mindepth 1 ! -type l -exec ln -s -t $T/sbin {} +
	rm -f $T/sbin/sendmail
	cat > $T/sbin/sendmail << END
#!/bin/sh
umask 022
printf '%s\n' "\$@" > $T/given/\$\$.args
tee $T/given/\$\$.msg | $P/sbin/sendmail "\$@"
END
	chmod 755 $T/sbin/sendmail
	mount --bind $T/sbin /usr/sbin || return
	[ "$MULTI" -eq 0 ] || chown alice $T/alice
}
system_sendmail || skip_all "cannot mount over /usr/sbin"

# PAM lets nobody in who has no password at all, and sudo wants to know the
# host that it is on.
printf '%s:*:19000:0:99999:7:::\n' alice bob >> /etc/shadow
echo "192.0.2.1 $(uname -n)" >> /etc/hosts

# Where callers keep their state, ours for this run.
mkdir -p $T/run $T/cron/crontabs $T/cron/atjobs $T/cron/atspool
[ ! -d /var/spool/cron ] || mount --bind $T/cron /var/spool/cron
mount --bind $T/run /run || skip_all "cannot mount over /run"

in_drop()
{
	[ "$(find "$SPOOL/drop" -type f -perm 0640 | wc -l)" -eq 1 ]
}

# clean: no mail anywhere.
clean()
{
	mx_clear
	empty_queue
	rm -f $T/given/*
}

# arrived SENDER RCPT ERE: the one message that was given is there.
arrived()
{
	await 20 in_drop || {
		echo "nothing in drop/"
		cat $T/given/* $T/caller.out
		return 1
	}
	run
	is "$(mx_total)" 1 || { runner_log; return 1; }
	cat $T/mail/*/*.json | json 'd["sender"] == argv[0] and
	    d["rcpts"] == [argv[1]]' "$1" "$2" || return
	has "$(cat $T/mail/*/*.eml)" "$3" &&
	    "$PY" "$E2E/judge.py" $T/given/*.msg $T/mail/*/*.eml
}

# by USER SENDER RCPT ERE COMMAND...: USER runs it; then arrived.
by()
{
	by_user=$1 by_sender=$2 by_rcpt=$3 by_text=$4
	shift 4
	clean
	(
		cd $T/alice || exit
		HOME=$T/alice EMAIL=alice@sender.example
		USER=$by_user LOGNAME=$by_user
		PATH=/usr/sbin:/usr/bin:/sbin:/bin
		NODE_PATH=/usr/share/nodejs	# for a node that is not Debian's
		export HOME EMAIL USER LOGNAME PATH NODE_PATH
		quiet as "$by_user" "$@"
	) > $T/caller.out 2>&1 < $T/body || {
		echo "it exits $?"
		cat $T/caller.out
		return 1
	}
	arrived "$by_sender" "$by_rcpt" "$by_text"
}

# program NAME TOOL SENDER ERE COMMAND...: alice sends mail to u@one.example
# with it; TOOL is what must be there, else the case is skipped.
program()
{
	program_name=$1 program_tool=$2 program_sender=$3 program_text=$4
	shift 4
	if sh -c "$program_tool" > /dev/null 2>&1; then
		check "$program_name" by alice "$program_sender" u@one.example \
		    "$program_text" "$@"
	else
		skip "$program_name" "not installed"
	fi
}
# With one uid, the caller is whoever that is.
if [ "$MULTI" -eq 1 ]; then
	ME=alice
else
	ME=$(id -un)
fi
ALICE=alice@sender.example
printf 'Grüße,\n.\nFrom here\n\n-- \nalice\n' > $T/body

# ---- programs that people run ----------------------------------------------

program "s-nail" "command -v s-nail" $ALICE '^Gr=C3=BC' \
    s-nail -:/ -Sttycharset=utf-8 -s "with ü" -r $ALICE u@one.example
program "bsd-mailx" "command -v bsd-mailx" $ME@sender.example '^From here' \
    bsd-mailx -a "Content-Type: text/plain; charset=utf-8" -s "subject" \
    u@one.example
program "mutt" "command -v mutt" $ALICE 'boundary=' \
    mutt -n -F /dev/null -e "set charset=utf-8 from=$ALICE use_from" \
    -e "set use_envelope_from copy=no" -s "with ü" -a $CONF -- u@one.example
program "mutt, bcc" "command -v mutt" $ME@sender.example '^Subject: bcc' \
    mutt -n -F /dev/null -e "set copy=no" -s bcc -b u@one.example

# ---- libraries -------------------------------------------------------------

cat > $T/mail.php << 'END'
<?php
exit(mail("u@one.example", "=?utf-8?Q?gr=C3=BC=C3=9Fe?=",
    "Grüße\r\n.\r\nend\n", ["From" => "Alice <alice@sender.example>",
    "Content-Type" => "text/plain; charset=utf-8",
    "X-Long" => str_repeat("x ", 400)], "-fwww@sender.example") ? 0 : 1);
END
program "PHP mail()" "command -v php" www@sender.example '^Grüße' \
    php -n $T/mail.php

cat > $T/lite.pl << 'END'
use MIME::Lite;
my $m = MIME::Lite->new(From => 'Alice <alice@sender.example>',
    To => '"O. Ther, u" <u@one.example>', Subject => 'lite',
    Type => 'multipart/mixed');
$m->attach(Type => 'TEXT', Data => "text\n.\nmore\n");
$m->attach(Type => 'application/octet-stream', Encoding => 'base64',
    Data => join '', map chr, 0 .. 255);
$m->send or exit 1;
END
program "Perl MIME::Lite" "perl -MMIME::Lite -e 1" $ME@sender.example \
    'AAECAwQFBgcICQoLDA0ODxAR' perl $T/lite.pl

cat > $T/sender.pl << 'END'
use Email::Sender::Simple qw(sendmail);
use Email::Sender::Transport::Sendmail;
use Email::Simple;
my $m = Email::Simple->create(header => [From => 'alice@sender.example',
    To => 'u@one.example', Subject => 'simple'], body => "text\n.\nmore");
sendmail($m, { from => 'www@sender.example', transport =>
    Email::Sender::Transport::Sendmail->new });
END
program "Perl Email::Sender" "perl -MEmail::Sender -MEmail::Simple -e 1" \
    www@sender.example '^more' perl $T/sender.pl

cat > $T/send.py << 'END'
import email.message
import email.policy
import subprocess
m = email.message.EmailMessage(policy=email.policy.default)
m["From"] = "Älice <alice@sender.example>"
m["To"] = "u@one.example"
m["Subject"] = "grüße " * 30
m.set_content("Grüße\n.\n" + "x" * 2000 + "\n")
m.add_attachment(bytes(range(256)), maintype="application", subtype="x-any")
subprocess.run(["/usr/sbin/sendmail", "-t", "-oi", "-f",
                "www@sender.example"], input=m.as_bytes(), check=True)
END
program "Python subprocess" "$PY -c 1" www@sender.example '^Subject: =\?utf-8' \
    "$PY" $T/send.py

cat > $T/send.js << 'END'
const transport = require("nodemailer").createTransport(
    { sendmail: true, newline: "unix", path: "/usr/sbin/sendmail" });
transport.sendMail({
	from: "Älice <alice@sender.example>", to: "u@one.example",
	subject: "grüße", text: "Grüße\n.\nend\n", html: "<p>Grüße</p>",
	attachments: [{ filename: "ä.bin", content: Buffer.alloc(999, 1) }],
}, (error) => { if (error) { console.error(error); process.exit(1); } });
END
program "nodemailer" "test -d /usr/share/nodejs/nodemailer && node -v" $ALICE \
    'multipart/alternative' node $T/send.js

# ---- git -------------------------------------------------------------------

git_repository()
{
	export GIT_CONFIG_GLOBAL=$T/gitconfig GIT_CONFIG_NOSYSTEM=1
	cat > $T/gitconfig << 'END'
[user]
	name = Älice
	email = alice@sender.example
[safe]
	directory = *
END
	git init -q $T/repo &&
	    cd $T/repo &&
	    git commit -q --allow-empty -m "first" &&
	    printf 'ü\r\n.\nFrom x\n' > f &&
	    git add f &&
	    git commit -q -m "add f: grüße"
	cd $T || return
}
git_tool='perl -MNet::SMTP -e 1 && [ -x "$(git --exec-path)/git-send-email" ]'
if sh -c "$git_tool" > /dev/null 2>&1; then
	git_repository > $T/git.out 2>&1
fi
program "git send-email" "$git_tool" $ALICE '^\+From x' \
    git -C $T/repo send-email --quiet --confirm=never \
    --envelope-sender=auto --8bit-encoding=UTF-8 --suppress-cc=all \
    --to=u@one.example HEAD^

# ---- daemons and jobs ------------------------------------------------------

# cron's own day: one table, and what is run at start.
cron_job()
{
	clean
	rm -f $T/run/crond.*
	cron -f > $T/caller.out 2>&1 &
	arrived "$1" "$2" "$3"
	cron_rc=$?
	cron_pid=$(cat $T/run/crond.pid)
	kill "$cron_pid" && await 10 gone "$cron_pid" || echo "cron stays"
	return $cron_rc
}
if [ "$MULTI" -eq 1 ] && command -v cron > /dev/null; then
	rm -rf /etc/cron.d/* /etc/cron.daily /etc/cron.hourly /etc/crontab
	cat > $T/cron/crontabs/alice << 'END'
MAILTO=u@one.example
@reboot printf 'Gr\303\274\303\237e\n.\nlast line'
END
	chown -R root:crontab $T/cron/crontabs
	chmod 1730 $T/cron/crontabs
	chown alice:crontab $T/cron/crontabs/alice
	chmod 600 $T/cron/crontabs/alice
	check "Debian cron" cron_job alice@sender.example u@one.example \
	    '^Subject: Cron <alice@'
else
	skip "Debian cron" "needs root and cron"
fi

at_job()
{
	clean
	printf 'printf "Gr\\303\\274\\303\\237e\\n.\\nend"\n' > $T/job
	(cd /; quiet as alice env HOME=/ at -m now < $T/job) \
	    > $T/caller.out 2>&1 || { cat $T/caller.out; return 1; }
	quiet atd -s >> $T/caller.out 2>&1
	arrived "$@"
}
if [ "$MULTI" -eq 1 ] && command -v atd > /dev/null; then
	: > /etc/at.deny
	echo 0 > $T/cron/atjobs/.SEQ
	chown -R daemon:daemon $T/cron/atjobs $T/cron/atspool
	chmod 1770 $T/cron/atjobs $T/cron/atspool
	chmod 600 $T/cron/atjobs/.SEQ
	check "at" at_job alice@sender.example alice@sender.example \
	    '^Subject: Output from your job'
else
	skip "at" "needs root and at"
fi

if [ "$MULTI" -eq 1 ] && command -v sudo > /dev/null; then
	cat > /etc/sudoers << 'END'
Defaults !authenticate, mail_no_perms, mailto="u@one.example", mailfrom="root"
alice ALL=(ALL) /usr/bin/id
END
	check "sudo's mailer" by alice alice@sender.example u@one.example \
	    'alice : command not allowed ;' sh -c '! sudo -n true'
else
	skip "sudo's mailer" "needs root and sudo"
fi

if [ "$MULTI" -eq 1 ] && command -v mdadm > /dev/null &&
    [ -e /usr/lib/sendmail ]; then
	check "mdadm's test mail" by root root@sender.example u@one.example \
	    '^Subject: TestMessage event' \
	    mdadm --monitor --oneshot --test --mail=u@one.example /dev/md99
else
	skip "mdadm's test mail" "needs root, mdadm and /usr/lib/sendmail"
fi

if [ "$MULTI" -eq 1 ] && command -v logwatch > /dev/null; then
	mkdir $T/varlog
	mount --bind $T/varlog /var/log
	{
		echo "$(date +%F) 00:00:00 install some:all <none> 1-1"
		echo "$(date +%F) 00:00:00 status installed some:all 1-1"
	} > /var/log/dpkg.log
	check "logwatch" by root root@sender.example u@one.example \
	    '^Subject: Logwatch for' \
	    logwatch --output mail --mailto u@one.example --range all \
	    --service dpkg
else
	skip "logwatch" "needs root and logwatch"
fi

# It mails when packages were upgraded: only that part of it is called.
cat > $T/upgrade.py << 'END'
import importlib.machinery
import importlib.util
loader = importlib.machinery.SourceFileLoader(
    "upgrade", "/usr/bin/unattended-upgrade")
spec = importlib.util.spec_from_loader("upgrade", loader)
upgrade = importlib.util.module_from_spec(spec)
loader.exec_module(upgrade)
raise SystemExit(upgrade._send_mail_using_sendmail(
    "root", "u@one.example", "unattended-upgrades result for host: SUCCESS",
    "Grüße\n.\n" + "x" * 2000 + "\n"))
END
if [ "$MULTI" -eq 1 ] && [ -e /usr/bin/unattended-upgrade ]; then
	check "unattended-upgrades" by root root@sender.example u@one.example \
	    '^Subject: unattended-upgrades result' \
	    /usr/bin/python3 $T/upgrade.py
else
	skip "unattended-upgrades" "needs root and unattended-upgrades"
fi

# ---- the options of others -------------------------------------------------

# called ARG...: the message in $T/msg arrives at one.example.
called()
{
	clean
	send "$@" < $T/msg
	is "$RC" 0 && is "$ERR" "" && is "$OUT" "" || return
	run
	is "$(mx_count a)" 1 || { runner_log; return 1; }
	"$PY" "$E2E/judge.py" $T/msg $T/mail/a/*.eml
}
cat > $T/msg << 'END'
From: root (Cron Daemon)
To: u@one.example
Subject: Cron <root@host> job
Content-Type: text/plain; charset=UTF-8
Auto-Submitted: auto-generated

output
END
check "cronie" called -FCronDaemon -i -odi -oem -oi -t -f root
check "busybox crond" called -ti u@one.example
check "PHP with a sender" called -t -i -f www@sender.example
check "mailx of others" called -i u@one.example
check "Emacs" called -f alice@sender.example -F Alice -oi -oem -odb -t
check "Ruby" called -i -t
check "Django, Nagios" called -oi -t
check "smartd, mdadm" called -i u@one.example
check "Mailman, sympa" called -oi -odi -oem -f alice@sender.example \
    u@one.example
check "old option letters" called -m -i -n -bm -om -oee u@one.example
check "verp and DSN options" called -N failure,delay -R hdrs -V envid \
    -f alice@sender.example u@one.example

finish
