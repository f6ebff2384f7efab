#!/bin/sh
# SPDX-License-Identifier: ISC
#
# SMTP for programs that insist on it: sendmail -bs on standard input, and
# behind a socket as mxnss-smtp.socket has it.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
need systemd-socket-activate

dns_start
mx_start a=192.0.2.11 b=192.0.2.12

# Python's client over PORT of HOST: two messages, one of them refused first.
cat > $T/client.py << 'END'
import smtplib, sys
from email.message import EmailMessage
with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), "me.example") as s:
    assert s.ehlo()[0] == 250
    for ext in "pipelining", "size", "8bitmime", "smtputf8", "dsn", \
            "enhancedstatuscodes":
        assert s.has_extn(ext), ext
    m = EmailMessage()
    m["From"] = "alice@sender.example"
    m["To"] = "u@one.example"
    m["Subject"] = "Gr\u00fc\u00dfe"
    m.set_content("one\n.\n..two\nM\u00fcller\n", cte="8bit")
    s.send_message(m)
    try:
        s.sendmail("alice@sender.example", ["a@b@c"], "Subject: x\r\n\r\n")
        sys.exit("a@b@c was taken")
    except smtplib.SMTPRecipientsRefused as e:
        assert e.recipients["a@b@c"][0] == 553
    s.sendmail("alice@sender.example", ["u@one.example", "v@one.example"],
        "Subject: second\r\n\r\nbody\r\n",
        mail_options=["RET=HDRS", "ENVID=QQ314"],
        rcpt_options=["NOTIFY=FAILURE"])
END
serve()	# USER ADDRESS
{
	cat > $T/serve << END
#!/bin/sh
exec setpriv --reuid=$1 --regid=$1 --clear-groups -- $P/sbin/sendmail -bs
END
	# as quiet does
	[ "$MULTI" -eq 1 ] || cat > $T/serve << END
#!/bin/sh
exec 9< $SPOOL/queue
flock -n 9
$P/sbin/sendmail -bs 9>&-
END
	chmod 755 $T/serve
	systemd-socket-activate --accept --inetd -l "$2" $T/serve \
	    > $T/log/activate 2>&1 &
	served=$!
	await 10 listens "$2"
}
listens()
{
	"$PY" -c '
import socket, sys
h, p = sys.argv[1].rsplit(":", 1)
socket.create_connection((h.strip("[]"), int(p)), 1).close()' "$1"
}

serve alice 127.0.0.1:2525
check "smtplib over the socket" "$PY" $T/client.py 127.0.0.1 2525
check "two messages are in the spool" is "$(drop_count)" 2
await 10 flock -n "$SPOOL/queue" true
run
check "they arrive" is "$(mx_who)" a:2
check "as they were written" has "$(mx_eml a)$(mx_eml a 2)" \
    '^Received: from me\.example \(\[127\.0\.0\.1\]\)' '^\.' '^\.\.two' \
    'Müller' '^Subject: second'
check "to whom they were sent" has "$(mx_json a)$(mx_json a 2)" 'v@one\.example'

# A client that knows more of the protocol than most.
cat > $T/smuggle.py << 'END'
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
s.sendall(b"EHLO x\r\nMAIL FROM:<alice@sender.example>\r\n"
    b"RCPT TO:<u@one.example>\r\nDATA\r\nSubject: x\r\n\r\nx" +
    sys.argv[3].encode().decode("unicode_escape").encode() +
    b"MAIL FROM:<evil@one.example>\r\nRCPT TO:<v@one.example>\r\nDATA\r\n"
    b"Subject: smuggled\r\n\r\n\r\n.\r\nQUIT\r\n")
got = b""
while True:
    p = s.recv(4096)
    if not p:
        break
    got += p
print(got.decode())
assert b"\r\n554 5.6.0 " in got and b"queued" not in got
END
for end in '\n.\n' '\n.\r\n' '\r.\r' '\r.\r\n' '\r\n.\n' '\r\n.\r' '\r\r\n.\n'; do
	check "smuggling with $(printf '%s' "$end" | tr '\\' '/')" \
	    "$PY" $T/smuggle.py 127.0.0.1 2525 "$end"
done
check "nothing is in the spool" is "$(drop_count)" 0
kill $served

if [ "$HAVE_IPV6" -eq 1 ]; then
	serve alice '[::1]:2525'
	check "smtplib over IPv6" "$PY" $T/client.py ::1 2525
	check "two messages are in the spool" is "$(drop_count)" 2
	empty_queue
	kill $served
else
	skip "smtplib over IPv6" "no IPv6 here"
fi

# From another machine: refused, whatever the unit listens on, and before a
# word is read.
cat > $T/refused.py << 'END'
import socket, sys
s = socket.create_connection((sys.argv[1], 2525), 10)
got = b""
while True:
    p = s.recv(4096)
    if not p:
        break
    got += p
print(got)
assert got.startswith(b"554 5.7.1 ") and got.count(b"\r\n") == 1
END
serve alice 192.0.2.1:2525
check "a client of another machine is not served" \
    there "$PY" $T/refused.py 192.0.2.1
check "nor one that uses the address of this one" "$PY" $T/refused.py 192.0.2.1
kill $served
if [ "$HAVE_IPV6" -eq 1 ]; then
	serve alice '[::]:2525'
	check "IPv6: another machine" there "$PY" $T/refused.py 2001:db8::1
	check "IPv4 at a socket of IPv6: another machine" \
	    there "$PY" $T/refused.py 192.0.2.1
	check "and this one" "$PY" $T/client.py 127.0.0.1 2525
	check "named in Received" grep -q '^Received: from me.example (\[IPv6:::ffff:127.0.0.1\])' \
	    "$SPOOL"/drop/*
	empty_queue
	kill $served
else
	skip "a socket of IPv6" "no IPv6 here"
fi

# On standard input, as Symfony and Swift call it.
session()
{
	printf "$@" | quiet as alice sendmail -bs
}
check "sendmail -bs" has "$(session 'EHLO [127.0.0.1]\r\nMAIL FROM:<alice@sender.example>\r\nRCPT TO:<u@one.example>\r\nDATA\r\nSubject: bs\r\n\r\nx\r\n.\r\nQUIT\r\n')" \
    '^220 client\.sender\.example ESMTP' '^354 ' '^250 2\.0\.0 queued as' '^221 '
mx_clear
run
check "arrives" has "$(mx_eml a)" '^Subject: bs'
check "a connection that ends in the data: nothing is queued" eval '
    session "EHLO x\r\nMAIL FROM:<alice@sender.example>\r\nRCPT TO:<u@one.example>\r\nDATA\r\nSubject: x\r\n" > $T/cut
    is "$(drop_count)" 0 && lacks "$(cat $T/cut)" "queued as"'
conf max-size 100K
check "larger than max-size" has "$( (printf 'EHLO x\r\nMAIL FROM:<alice@sender.example>\r\nRCPT TO:<u@one.example>\r\nDATA\r\n\r\n'
    awk 'BEGIN { for (i = 0; i < 3000; i++) printf "%72d\r\n", i }'
    printf '.\r\nQUIT\r\n') | quiet as alice sendmail -bs)" '^552 5\.3\.4 .*max-size' '^221'
check "SIZE says so before" has "$(session 'EHLO x\r\nMAIL FROM:<alice@sender.example> SIZE=200000\r\nQUIT\r\n')" \
    '^250-SIZE 102400' '^552 5\.3\.4 '
if [ "$MULTI" -eq 1 ]; then
	chmod 0700 "$SPOOL/drop"
	check "a spool that cannot be written is temporary" has "$(session \
	    'EHLO x\r\nMAIL FROM:<alice@sender.example>\r\nRCPT TO:<u@one.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n')" \
	    '^451 4\.3\.0 '
	chmod 3733 "$SPOOL/drop"
fi

# By hand, at a terminal, lines end as they are typed.
cat > $T/terminal.py << 'END'
import os, pty, sys
def talk():
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("sendmail", ["sendmail", "-bs"])
    got = b""
    for line in ("EHLO x", "MAIL FROM:<a@b>", "RSET", "QUIT"):
        while not got.endswith(b"\n"):
            got += os.read(fd, 4096)
        os.write(fd, line.encode() + b"\n")
        before = len(got)
        while len(got) <= before + len(line) + 2 or \
                not got.endswith(b"\n"):
            got += os.read(fd, 4096)
    os.waitpid(pid, 0)
    return got
got = talk()
print(got.decode())
assert b"250 2.1.0 ok" in got and b"221 2.0.0 bye" in got and b"500" not in got
END
check "at a terminal" "$PY" $T/terminal.py

finish
