#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Receivers that break the protocol: the next exchanger gets the mail, or it
# waits, or it was delivered all the same; it is returned only when a server
# that is in its right mind refuses it, and none of them can make us hang.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
FAKEMX=${top_builddir:-.}/tests/tools/fakemx
[ -x "$FAKEMX" ] || skip_all "tests/tools/fakemx is not built"
start "$@"

zone_add << 'END'
hostile	MX	10 fake
	MX	20 b
fake	A	192.0.2.35
END
make_cert fake fake.example
dns_start
mx_start home=192.0.2.10 b=192.0.2.12
conf reply-timeout 2s
conf data-timeout 2s

# plays SCRIPT WANT: mail to hostile.example.  WANT is who has it in the end:
# fake, next, back (returned), wait, or "fake wait" (kept, and perhaps taken).
plays()
{
	mx_clear
	empty_queue
	rm -rf $T/fake $T/fake.out
	mkdir $T/fake
	printf '%s\n' "$1" > $T/fake.script
	there "$FAKEMX" -a 192.0.2.35 -p 25 -c $T/fake.crt -k $T/fake.key \
	    -d $T/fake $T/fake.script > $T/fake.out 2>&1 &
	await 10 grep -q ready $T/fake.out || { cat $T/fake.out; return 1; }
	mail u@hostile.example && timeout 60 "$RUNNER" --once \
	    2>> $T/log/runner && run
	plays_rc=$?
	for plays_p in /proc/[0-9]*; do
		[ "$(readlink "$plays_p/exe" 2> /dev/null)" != "$(readlink -f \
		    "$FAKEMX")" ] || kill "${plays_p#/proc/}" 2> /dev/null
	done
	wait $!
	[ $plays_rc -eq 0 ] || { echo "the runner exited $plays_rc"; return 1; }
	plays_got=
	[ ! -e $T/fake/0001.eml ] || plays_got="$plays_got fake"
	case $(mx_who) in
	*b:1*)	plays_got="$plays_got next" ;;
	esac
	case $(mx_who) in
	*home:1*) plays_got="$plays_got back" ;;
	esac
	[ "$(queued)" -eq 0 ] || plays_got="$plays_got wait"
	is "${plays_got# }" "$2" && return
	cat $T/fake/log
	runner_log | tail -n 5
	return 1
}

while IFS='|' read -r want name script; do
	check "$name" plays "$(printf '%s\n' "$script" | sed 's/ && /\n/g')" \
	    "$want"
done << 'END'
fake|an honest server|
next|says nothing|connect: silence
next|greets for ever|connect: endless 220-hello\r\n
next|greets an octet at a time|connect: drip 200 220 fake.example ready for you\r\n
next|refuses to serve|connect: reply 554 no
next|421 as a greeting|connect: reply 421 busy
next|a greeting of two digits|connect: raw 22\r\n
next|a greeting without a blank|connect: raw 220x\r\n
next|an empty line as a greeting|connect: raw \r\n
fake|bare line feeds|connect: raw 220 hello\n
next|another code in a continuation|ehlo: raw 250-a\r\n550 b\r\n
next|a reply line of 10 kB|ehlo: endless 250-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
fake|no EHLO|ehlo: reply 500 what?
fake|refuses STARTTLS|starttls: reply 454 not now
fake|garbage in place of TLS|starttls: reply 220 go | raw garbage\r\n | close
fake|closes in the handshake|starttls: reply 220 go | close
fake|a reply injected before TLS|starttls: raw 220 go\r\n250 injected\r\n | tls
fake|closes at EHLO, knows HELO|ehlo: close
next|closes at EHLO and HELO|ehlo: close && helo: close
next|closes at MAIL|mail *: close
next|closes at RCPT|rcpt *: close
next|closes at DATA|data: close
next|resets at DATA|data: reset
wait|closes when the message is on its way|body 50: close
next|421 at MAIL|mail *: reply 421 4.3.2 going down | close
next|451 at MAIL|mail *: reply 451 4.3.0 not now
back|550 at MAIL|mail *: reply 550 5.7.1 not you
next|450 at RCPT|rcpt *: reply 450 4.2.1 busy
next|552 at RCPT is temporary|rcpt *: reply 552 5.2.2 full
back|550 at RCPT|rcpt *: reply 550 5.1.1 nobody
fake|251 at RCPT|rcpt *: reply 251 will forward
next|250 at DATA|data: reply 250 sure
next|451 at DATA|data: reply 451 4.3.0 no
back|554 at DATA|data: reply 554 5.7.1 no
next|451 after the message|dot: reply 451 4.3.0 no
back|554 after the message|dot: reply 554 5.6.0 bad content
fake|250 with an enhanced code that lies|dot: reply 250 5.7.1 ok | keep
fake wait|closes after the message|dot: keep | close
wait|says nothing after the message|dot: silence
next|a reply of 999|mail *: raw 999 what\r\n
next|a reply of 150|mail *: raw 150 wait\r\n
next|two replies to one command|mail *: raw 250 ok\r\n250 ok\r\n
fake|resets at QUIT|quit: reset
fake|says nothing to QUIT|quit: silence
END

finish
