#!/bin/sh
# SPDX-License-Identifier: ISC
#
# drop/ among users who do not trust each other: nobody sees or removes
# another's mail, and whatever is put there does no harm.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
need_multi

dns_start
mx_start home=192.0.2.10 a=192.0.2.11
D=$SPOOL/drop

mail u@one.example
F=$(find "$D" -type f)
ID=${F##*/}
# denied COMMAND...: bob may not.
denied()
{
	! as bob "$@"
}
check "bob cannot list drop/" denied ls "$D"
check "bob cannot read alice's mail" denied cat "$F"
check "bob cannot write it" denied sh -c 'echo x >> "$1"' sh "$F"
check "bob cannot remove it" denied rm -f "$F"
check "bob cannot rename it" denied mv "$F" "$D/x"
check "bob cannot replace it" denied sh -c 'echo x > "$1.tmp" &&
    mv -f "$1.tmp" "$1"' sh "$F"
check "bob cannot see queue/" denied ls "$SPOOL/queue"
check "bob cannot write queue/" denied touch "$SPOOL/queue/$ID"
check "the file is alice's, and the spool's group may read it" \
    is "$(stat -c '%U %a' "$F")" "alice 640"
check "its group is that of drop/" is "$(stat -c %G "$F")" _mxdrop
run
check "alice's mail arrives" is "$(mx_who) $(drop_count)" "a:1 0"

# name N: a valid identifier that sorts first.
name()
{
	printf '%.19s%s' "$ID" "$1"
}
# put COMMAND: bob puts something there, alice sends; hers must arrive.
survives()
{
	mx_clear
	empty_queue
	as bob sh -c "$1" sh "$D/$(name 2)" || return
	mail u@one.example
	timeout 60 "$RUNNER" --once 2>> $T/log/runner ||
	    { echo "runner exited $?"; return 1; }
	is "$(mx_who)" a:1
}
echo secret > $T/secret
chmod 644 $T/secret
check "a symbolic link" survives 'ln -s /mnt/t/secret "$1"'
check "its target is untouched" is "$(cat $T/secret)" secret
check "a dangling link" survives 'ln -s /nowhere "$1"'
check "a FIFO" survives 'umask 0; mkfifo -m 666 "$1"'
check "a directory" survives 'umask 0; mkdir "$1"; echo x > "$1/y"'
check "a socket" survives '"'"$PY"'" -c "
import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])" "$1"'
check "an empty file" survives ': > "$1"; chmod 640 "$1"'
check "garbage" survives 'head -c 100000 /dev/urandom > "$1"; chmod 640 "$1"'
check "garbage does not stay in drop/" is "$(drop_count)" 0
check "garbage is kept for people" grep -q . "$SPOOL/bad/$(name 2)"
check "an unfinished file" survives 'echo "mxnss 1" > "$1"; chmod 600 "$1"'
check "an unfinished file is left alone" is "$(drop_count)" 1
check "a name that is no identifier" \
    survives 'echo x > "${1%/*}/../drop/hello"; chmod 640 "${1%/*}/hello"'
check "a hole of 1 TB" survives 'truncate -s 1T "$1"; chmod 640 "$1"'
check "two links" survives 'echo x > "$1"; chmod 640 "$1"; ln "$1" "${1}x"'

# craft UID SENDER RCPT BODY: a message file with a forged U record.
craft()
{
	"$PY" - "$@" << 'END'
import sys, time
uid, sender, rcpt, body = sys.argv[1:]
def rec(k, v):
    return b"%s%d:%s\n" % (k.encode(), len(v), v.encode())
m = b"mxnss 1\n" + rec("U", uid) + rec("T", str(int(time.time() * 1e6)))
m += rec("S", sender) + rec("R", rcpt) + rec("M", "")
m += body.encode().decode("unicode_escape").encode("latin-1")
crc = 0xffffffff
for b in m:
    crc ^= b
    for _ in range(8):
        crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
sys.stdout.buffer.write(m + b"E7%016x%08x\n" % (len(m), crc ^ 0xffffffff))
END
}
crafted()
{
	mx_clear
	empty_queue
	craft "$@" > $T/crafted
	as bob sh -c 'cat > "$1" && chmod 640 "$1"' sh "$D/$(name 3)" \
	    < $T/crafted
	run
}
crafted 0 bob@sender.example later@one.example 'Subject: x\r\n\r\nhi\r\n'
check "a well-made file is a message" is "$(queued)" 1
check "the submitter is the owner, whatever the file says" eval \
    'queue | json "d[\"uid\"] == 64903"'
bad()
{
	crafted "$@"
	is "$(mx_who) $(queued) $(drop_count)" " 0 0" &&
	    is "$(find "$SPOOL/bad" -type f | wc -l | tr -d ' ')" 1
}
check "a bare LF in the message: bad" \
    bad 0 b@sender.example u@one.example 'Subject: x\r\n\r\nhi\n.\n'
check "a bare CR: bad" \
    bad 0 b@sender.example u@one.example 'Subject: x\r\n\r\nhi\rx\r\n'
check "NUL: bad" \
    bad 0 b@sender.example u@one.example 'Subject: x\r\n\r\nh\x00i\r\n'
check "a recipient with a line end: bad" bad 0 b@sender.example \
    "$(printf 'u@one.example>\r\nRSET')" 'Subject: x\r\n\r\nhi\r\n'
check "a recipient with a blank and more: not sent as it is" eval '
    crafted 0 b@sender.example "u@one.example> NOTIFY=NEVER" \
	"Subject: x\r\n\r\nhi\r\n"
    is "$(mx_count a)" 0'

finish
