#!/bin/sh
# SPDX-License-Identifier: ISC
#
# `spool: none': nothing is written, sendmail waits, and its exit code is what
# became of the message.  As in a container whose root is read-only, for a
# uid that nobody knows and that can gain no privilege.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

zone_add << 'END'
dead	MX	10 six
part	MX	10 b
END
dns_start
mx_start a=192.0.2.11,utf8 b=192.0.2.12
conf spool none
conf local forward:ops@one.example
conf local-domains client.sender.example
rm -rf "$SPOOL"

# contained ARG...: sendmail ARG... there.
contained()
{
	RC=0
	set -- sendmail -f x@sender.example "$@"
	[ "$MULTI" -ne 1 ] || set -- setpriv --reuid=74000 --regid=74000 \
	    --clear-groups --no-new-privs -- "$@"
	unshare -m sh -c 'mount -o remount,bind,ro /mnt && exec "$@"' sh "$@" \
	    < $T/message > /dev/shm/out 2> /dev/shm/err || RC=$?
	OUT=$(cat /dev/shm/out)
	ERR=$(cat /dev/shm/err)
}
printf 'Subject: contained\n\nbody\n' > $T/message

sent()
{
	contained u@one.example v@one.example
	is "$RC" 0 && is "$OUT" "" && is "$(mx_count a)" 1 &&
	    has "$(mx_eml a)" '^Subject: contained' \
		"^	id $(sed -n 's/.*: \([0-9A-Z]*\): to=.*/\1/p' \
		    /dev/shm/err | head -n 1)" &&
	    mx_json a | json 'd["rcpts"] == ["u@one.example",
		"v@one.example"]'
}
mount -t tmpfs tmpfs /dev/shm
chmod 1777 /dev/shm
check "the message is delivered before sendmail ends" sent
mx_clear
refused()
{
	contained u@null.example
	is "$RC" 69 && has "$ERR" 'u@null\.example>: 5\.1\.10 '
}
check "a domain that takes no mail: EX_UNAVAILABLE, and why" refused
waits()
{
	contained u@dead.example
	is "$RC" 75 && has "$ERR" 'u@dead\.example>: 4\.4\.1 ' 'send it again'
}
check "a host that cannot be reached: EX_TEMPFAIL, and why" waits
utf8()
{
	contained 用戶@one.example
	is "$RC" 0 && mx_json a | json 'd["rcpts"] == ["用戶@one.example"] and
	    "SMTPUTF8" in d["mail_options"]'
}
check "an address outside ASCII" utf8
mx_clear
mixed()
{
	contained u@one.example no@part.example ok@part.example \
	    u@dead.example
	is "$RC" 75 && has "$ERR" 'no@part\.example>: 5' \
	    'u@dead\.example>: 4' '2 of 4 recipients have it' &&
	    is "$(mx_who)" "a:1 b:1"
}
check "some of each: who has it is said" mixed
mx_clear
local_user()
{
	contained root@client.sender.example
	is "$RC" 0 && mx_json a | json 'd["rcpts"] == ["ops@one.example"]'
}
check "a local user, forwarded" local_user
check "the dialogue of -v" eval '
    contained -v u@one.example
    is "$RC" 0 && has "$OUT" "^>>> MAIL FROM:<x@sender" "^<<< 250"'
mx_clear
session()
{
	printf '%s\r\n' 'EHLO x' 'MAIL FROM:<x@sender.example>' \
	    'RCPT TO:<u@one.example>' DATA 'Subject: smtp' '' body . \
	    'MAIL FROM:<x@sender.example>' 'RCPT TO:<u@null.example>' DATA \
	    'Subject: smtp' '' body . \
	    'MAIL FROM:<x@sender.example>' 'RCPT TO:<u@dead.example>' DATA \
	    'Subject: smtp' '' body . QUIT > $T/message
	contained -bs
	is "$RC" 0 && has "$OUT" '^250 2\.0\.0 ' '^5.. 5.* 5\.1\.10' \
	    '^4.. 4.* 4\.4\.1' && is "$(mx_count a)" 1
}
check "the replies of -bs say the same" session
printf 'Subject: contained\n\nbody\n' > $T/message
check "a wrong mxnss.conf: to be sent again" eval '
    conf workers lots
    contained u@one.example
    is "$RC" 75 && has "$ERR" "4\.3\.5 .*mxnss\.conf:[0-9]+"'
sed -i '/^workers/d' $CONF
check "mailq and -q say that nothing waits" eval '
    is "$(mailq 2>&1)" "mailq: $CONF: spool: none, so that nothing waits" &&
    sendmail -q'
check "nor is there anything to run" eval '
    rc=0
    out=$("$RUNNER" --once 2>&1) || rc=$?
    is "$rc" 78 && has "$out" "spool: none"'
check "no runner: to be sent again" eval '
    mount -t tmpfs tmpfs $P/libexec
    contained u@one.example
    is "$RC" 75 && has "$ERR" "runner: No such file"'

finish
