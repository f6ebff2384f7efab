#!/bin/sh
# SPDX-License-Identifier: ISC
#
# How real programs call sendmail: every set of options here is one that is
# in use, and each message must arrive.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11

# called ARG...: the message in $T/msg arrives at one.example, M.
called()
{
	mx_clear
	empty_queue
	send "$@" < $T/msg
	is "$RC" 0 && is "$ERR" "" && is "$OUT" "" || return
	run
	is "$(mx_count a)" 1 || { runner_log; return 1; }
}
printf 'From: root (Cron Daemon)\nTo: u@one.example\nSubject: Cron <root@host> job\nContent-Type: text/plain; charset=UTF-8\nAuto-Submitted: auto-generated\n\noutput\n' > $T/msg
check "Debian cron" called -i -FCronDaemon -B8BITMIME -oem u@one.example
check "cronie" called -FCronDaemon -i -odi -oem -oi -t -f root
check "busybox crond" called -ti u@one.example
check "at" called -i u@one.example
check "PHP" called -t -i
check "PHP with a sender" called -t -i -f www@sender.example
check "PHP, glued" called -t -i -fwww@sender.example
check "git send-email" called -f alice@sender.example -i u@one.example
check "mutt" called -oem -oi -- u@one.example
check "mutt with a sender" \
    called -oem -oi -f alice@sender.example -- u@one.example
check "mailx" called -i u@one.example
check "s-nail" called -i -r alice@sender.example -- u@one.example
check "Emacs" called -f alice@sender.example -F Alice -oi -oem -odb -t
check "Ruby" called -i -t
check "Perl MIME::Lite" called -t -oi -oem
check "Django, Nagios" called -oi -t
check "smartd, mdadm" called -i u@one.example
check "Mailman, sympa" called -oi -odi -oem -f alice@sender.example \
    u@one.example
check "old option letters" called -m -i -n -bm -om -oee u@one.example
check "verp and DSN options" called -N failure,delay -R hdrs -V envid \
    -f alice@sender.example u@one.example
check "the name of the caller" has "$(called -i -FCronDaemon u@one.example
    mx_eml a)" '^From: root \(Cron Daemon\)|^From:.*root@sender\.example'
if command -v git > /dev/null 2>&1 && git send-email --help \
    > /dev/null 2>&1 < /dev/null && perl -MNet::SMTP -e 1 2> /dev/null &&
    [ -x "$(git --exec-path)/git-send-email" ]; then
	mkdir $T/repo
	(
		cd $T/repo || exit
		export HOME=$T GIT_CONFIG_NOSYSTEM=1
		git init -q .
		git -c user.name=A -c user.email=alice@sender.example \
		    commit -q --allow-empty -m "a patch"
		git -c user.name=A -c user.email=alice@sender.example \
		    commit -q --allow-empty -m "two"
		echo x > f
		git add f
		git -c user.name=A -c user.email=alice@sender.example \
		    commit -q -m "add f"
		git -c user.name=A -c user.email=alice@sender.example \
		    -c sendemail.smtpserver=$P/sbin/sendmail send-email \
		    --quiet --confirm=never --to=u@one.example HEAD^
	) > $T/git.out 2>&1
	run
	check "git itself" has "$(cat $T/mail/a/*.eml)" 'PATCH.*add f'
else
	skip "git itself" "git send-email is not installed"
fi

finish
