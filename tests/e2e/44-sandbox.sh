#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Callers that cannot write to the spool: a read-only file system, a container
# that has only the socket.  As mxnss-submit.socket has it.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
need systemd-socket-activate
need_multi

zone_add << 'END'
two	MX	10 b
END
dns_start
mx_start a=192.0.2.11
SUBMIT=$P/run/mxnss/submit

cat > $T/serve << END
#!/bin/sh
exec setpriv --reuid=_mxnss --regid=_mxnss --groups=_mxdrop --no-new-privs \
    -- $P/libexec/mxnss/acceptor
END
chmod 755 $T/serve
serve()
{
	rm -f "$SUBMIT"
	systemd-socket-activate --accept --inetd -l "$SUBMIT" $T/serve \
	    >> $T/log/activate 2>&1 &
	served=$!
	await 10 test -S "$SUBMIT"
	chmod 666 "$SUBMIT"
}

# sandbox MOUNT ARG...: alice calls sendmail ARG... where MOUNT was done,
# without a way to new privileges.
# shellcheck disable=SC2034 # OUT is for eval
sandbox()
{
	RC=0
	OUT=$(unshare -m sh -c '
	    eval "$1" || exit 99
	    shift
	    printf "Subject: sandbox\n\nbody\n" |
		setpriv --reuid=alice --regid=alice --clear-groups \
		    --no-new-privs -- sendmail -f alice@sender.example "$@"' \
	    sh "$@" 2> $T/send.err) || RC=$?
	ERR=$(cat $T/send.err)
}
READ_ONLY="mount --bind $SPOOL $SPOOL && mount -o remount,bind,ro $SPOOL"
ABSENT="mount -t tmpfs tmpfs $P/var"

# sent MOUNT: the message arrives, and is alice's.
sent()
{
	mx_clear
	sandbox "$1" u@one.example
	is "$RC" 0 && is "$ERR" "" && is "$(drop_count)" 1 || return
	run
	is "$(mx_count a)" 1 && has "$(mx_eml a)" '^Subject: sandbox' \
	    "^Received: by .*from userid 64902" &&
	    has "$(runner_log | tail -n 10)" 'uid=64902 from=<alice@'
}
refused()	# MOUNT ERE...
{
	refused_mount=$1
	shift
	sandbox "$refused_mount" u@one.example
	is "$RC" 75 && has "$ERR" "$@" &&
	    is "$(printf '%s\n' "$ERR" | wc -l | tr -d ' ')" 1 &&
	    is "$(drop_count)" 0
}

check "no_new_privs alone: drop/ is written to" sent :
check "read-only, and no socket: the error says both" refused "$READ_ONLY" \
    'drop: Read-only file system, and .*submit: No such file' \
    'mxnss-submit\.socket'
serve
check "a spool on a read-only file system" sent "$READ_ONLY"
check "no spool at all" sent "$ABSENT"
chmod 0700 "$SPOOL/drop"
# Of the machine it has the programs, which link to nothing of ours, and the
# socket; nobody there knows its uid.
container()
{
	mx_clear
	RC=0
	unshare -m sh -c 'mount -t tmpfs tmpfs '$P'/etc &&
	    mount -t tmpfs tmpfs '$P'/var &&
	    mkdir '$T'/empty && mount --bind '$T'/empty /etc &&
	    printf "Subject: x\n\nbody\n" | setpriv --reuid=74000 --regid=74000 \
	    --clear-groups --no-new-privs -- sendmail -f x@sender.example \
	    u@one.example' || RC=$?
	is "$RC" 0 && run && has "$(mx_eml a)" "^Received: .*userid 74000" &&
	    has "$(runner_log | tail -n 10)" 'uid=74000 from=<x@sender'
}
check "a container that has only the socket, as any uid" container
check "a drop/ that is closed" sent :
check "the dialogue of -v is not there, the identifier is" eval '
    sandbox : -v u@one.example
    is "$RC" 0 && has "$OUT" "^queued as [0-9A-Z]{20}$"'
chmod 3733 "$SPOOL/drop"
empty_queue
smtp()
{
	printf '%s\r\n' 'EHLO x' 'MAIL FROM:<alice@sender.example>' \
	    'RCPT TO:<u@one.example>' DATA 'Subject: one' '' x . \
	    'MAIL FROM:<alice@sender.example>' 'RCPT TO:<u@one.example>' DATA \
	    'Subject: two' '' x . QUIT > $T/session
	unshare -m sh -c "$READ_ONLY"' && exec setpriv --reuid=alice \
	    --regid=alice --clear-groups -- sendmail -bs' < $T/session \
	    > $T/replies
	is "$(grep -c '^250 2\.0\.0 queued as' $T/replies)" 2 &&
	    is "$(drop_count)" 2
}
check "two messages by -bs" smtp
empty_queue
check "a message that needs a second pass" eval '
    mx_clear
    RC=0
    unshare -m sh -c "$READ_ONLY"'\'' && awk "BEGIN { print \"Subject: x\n\";
	for (i = 0; i < 3000; i++) print \"0123456789012345678901234567890\";
	print \"M\303\274ller\" }" |
	setpriv --reuid=alice --regid=alice --clear-groups -- \
	    sendmail -f alice@sender.example u@one.example'\'' || RC=$?
    is "$RC" 0 && run && has "$(mx_eml a)" "charset=utf-8" "Müller"'

conf max-size 10K
big()
{
	RC=0
	ERR=$( (echo; head -c 20000 /dev/zero | tr '\0' x | fold) | unshare -m \
	    sh -c "$READ_ONLY"' && setpriv --reuid=alice --regid=alice \
	    --clear-groups -- sendmail u@one.example' 2>&1) || RC=$?
	is "$RC" 69 && has "$ERR" 'max-size' && is "$(drop_count)" 0
}
check "larger than max-size" big

# A client that is not sendmail.
cat > $T/client.py << 'END'
import os, socket, sys
path, how = sys.argv[1:3]
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.settimeout(60)
s.connect(path)
id = b"0123456789AB0CDEFGHJ"
def records(*r):
    return b"mxnss 1\n" + b"".join(b"%c%d:%s\n" % (k, len(v), v)
                                   for k, v in r)
head = records((85, b"0"), (84, b"1"), (83, b"a@sender.example"),
               (82, b"u@one.example"), (77, b""))
def crc32c(data):
    c = 0xffffffff
    for b in data:
        c ^= b
        for _ in range(8):
            c = (c >> 1) ^ (0x82f63b78 if c & 1 else 0)
    return c ^ 0xffffffff
def trailer(data):
    return b"E7%016x%08x\n" % (len(data), crc32c(data))
body = b"Subject: x\r\n\r\nbody\r\n"
whole = head + body + trailer(head + body)
say = {
    "good": id + b"\n" + whole,
    "path": b"../../../../etc/xx\n" + whole,
    "noid": whole,
    "garbage": id + b"\n" + os.urandom(5000),
    "torn": id + b"\n" + whole[:-1],
    "empty": b"",
    "crc": id + b"\n" + whole.replace(b"body", b"bodx"),
    "lf": id + b"\n" + head + b"x\n.\n" + trailer(head + b"x\n.\n"),
    "big": id + b"\n" + head + b"x\r\n" * 1000000,
}[how]
try:
    s.sendall(say)
except (BrokenPipeError, ConnectionResetError):
    pass
try:
    s.shutdown(socket.SHUT_WR)
except OSError:
    pass
got = b""
while not got.endswith(b"\n"):
    p = s.recv(1000)
    if not p:
        break
    got += p
print(got.decode(), end="")
END
user=bob
says()	# HOW ERE
{
	says_out=$(as "$user" "$PY" $T/client.py "$SUBMIT" "$1" 2>&1)
	has "$says_out" "$2"
}
for how in path garbage lf; do
	check "a client that sends no message: $how" says $how '^65 '
done
check "a client that sends too much" says big '^69 the message is larger'
check "nothing is left of them" eval 'is "$(find "$SPOOL/drop" -type f)" ""'
check "a client may say that it is root" says good '^[+]?0 $'
check "the same once more is the same" says good '^[+]?0 $'
check "nobody else may say so" eval '
    user=alice
    says good "^75 the identifier is taken"'
user=bob
check "it is bob all the same" eval '
    run && has "$(runner_log | tail -n 10)" "uid=64903 from=<a@sender"'

# Nobody listens at b: alice has as much in the queue as she may, and the rest
# waits in drop/; bob is not her.
capped()
{
	conf user-messages 2
	for i in 1 2 3; do
		sandbox "$READ_ONLY" "u$i@two.example"
		is "$RC" 0 || return
	done
	mx_clear
	run
	is "$(find "$SPOOL/queue" -name '[0-9A-Z]*' ! -name '*.log' |
	    wc -l)" 2 && is "$(drop_count)" 1 &&
	    queue | json 'len(docs) == 3 and
		all(d["uid"] == 64902 for d in docs)' &&
	    says good '^[+]?0 $' && run && is "$(mx_count a)" 1
}
empty_queue
check "caps are those of the user, not of the socket" capped
kill $served
await 10 gone $served
empty_queue
check "nobody listens any more: the error says both" refused "$READ_ONLY" \
    'drop: Read-only file system, and .*submit: Connection refused' \
    'mxnss-submit\.socket'

finish
