#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Wrong input: one clear line, the right exit code (sysexits(3)), and nothing
# in the spool.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

printf 'From: alice@sender.example\nSubject: x\n\nbody\n' > $T/msg
conf max-size 100K

# refused RC ERE ARG...: sendmail ARG... < $T/in
refused()
{
	refused_rc=$1 refused_re=$2
	shift 2
	send "$@" < "$T/in"
	is "$RC" "$refused_rc" && has "$ERR" "$refused_re" &&
	    is "$(printf '%s\n' "$ERR" | wc -l | tr -d ' ')" 1 &&
	    is "$OUT" "" && is "$(find "$SPOOL/drop" -type f)" ""
}

cp $T/msg $T/in
check "no recipient" refused 64 'recipient'
check "no recipient with -t" refused 64 'recipient' -t
check "a bad address" refused 65 'a@b@c' 'a@b@c'
check "no domain after the @" refused 65 'user@' 'user@'
check "a blank in an address" refused 65 'us er' 'us er@one.example'
check "a control character in an address" refused 65 'address' \
    "$(printf 'u\033[2J@one.example')"
check "a bad sender" refused 65 'x@y@z' -f 'x@y@z' u@one.example
check "one bad address among good ones" refused 65 'a@b@c' \
    u@one.example 'a@b@c'
check "an unknown option" refused 64 'option|usage' -Z u@one.example
check "an option without its argument" refused 64 'option|usage|argument' -f
check "a mode that does not exist here" refused 64 'b[sdh]|mode|option' -bd
printf 'From: x\nTo: a@b@c, u@one.example\n\nbody\n' > $T/in
check "a bad address in To: with -t" refused 65 'To' -t
awk 'BEGIN { print "Subject: big\n"; for (i = 0; i < 3000; i++)
	print "0123456789012345678901234567890123456789012345678" }' > $T/in
check "too big" refused 69 'max-size|big|large|exceeds' u@one.example
check "too many recipients" eval '
    cp $T/msg $T/in
    conf max-rcpts 3
    refused 69 "recipients" u1@one.example u2@one.example u3@one.example \
	u4@one.example'
check "the limit itself is fine" eval '
    send u1@one.example u2@one.example u3@one.example < $T/msg
    is "$RC $(drop_count)" "0 1"'
empty_queue
printf 'Subject: x\n\nto\0day\n' > $T/in
check "NUL in the body" eval '
    send -i u@one.example < $T/in
    case $RC in
    0)	is "$(drop_count)" 1 ;;
    65)	is "$(drop_count)" 0 ;;
    *)	is "$RC" "0 or 65" ;;
    esac'
empty_queue

# A spool on a file system of 256 KB.
mount -t tmpfs -o size=256k,mode=755 tmpfs $P/var/spool/mxnss
make_spool
conf max-size 10M
awk 'BEGIN { print "Subject: big\n"; for (i = 0; i < 20000; i++)
	print "0123456789012345678901234567890123456789012345678" }' > $T/in
check "a full disk" refused 75 'space|full' -f alice@sender.example \
    u@one.example
cp $T/msg $T/in
check "and there is room for a small message again" eval '
    send u@one.example < $T/msg
    is "$RC $(drop_count) $ERR" "0 1 "'
umount $P/var/spool/mxnss

mv "$SPOOL" "$SPOOL.away"
check "no spool" eval '
    send u@one.example < $T/msg
    is "$RC" 75 && has "$ERR" "var/spool/mxnss"'
mv "$SPOOL.away" "$SPOOL"
if [ "$MULTI" -eq 1 ]; then
	chmod 0700 "$SPOOL/drop"
	check "no right to submit" eval '
	    send u@one.example < $T/msg
	    is "$RC" 75 && has "$ERR" "drop|spool"'
	chmod 3733 "$SPOOL/drop"
else
	skip "no right to submit" "needs root"
fi
# The writer dies in the middle: the reader must not take half a message.
check "standard input cannot be read" eval '
    send u@one.example < /
    test "$RC" -ne 0 && is "$(drop_count)" 0'

finish
