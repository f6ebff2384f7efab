#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What sendmail makes of a message, as the receiver sees it: header fields
# added, completed and removed; the body as it was.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11

# through ARG... < MESSAGE: sent, run; M is what a receiver got.
through()
{
	mx_clear
	empty_queue
	send "$@"
	[ "$RC" -eq 0 ] || echo "# sendmail exited $RC: $ERR"
	run
	M=$(cat $T/mail/a/0001.eml 2> /dev/null | tr -d '\r')
	HEAD=$(printf '%s\n' "$M" | sed '/^$/,$d')
	BODY=$(printf '%s\n' "$M" | sed '1,/^$/d')
}
# field NAME: how often it is there, in any case.
field()
{
	printf '%s\n' "$HEAD" | grep -ic "^$1:"
}

through -i u@one.example << 'END'
Subject: nothing else

body
END
check "without From, Date, Message-ID: added once" \
    is "$(field From) $(field Date) $(field Message-ID)" "1 1 1"
check "Received: says who we are" has "$HEAD" \
    '^Received: .*client\.sender\.example|^[ 	]+by client\.sender\.example'
check "Date: in the form of RFC 5322" has "$HEAD" \
    '^Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} [-+][0-9]{4}'
check "Message-ID: with our name" has "$HEAD" \
    '^Message-I[Dd]: <[^@> ]+@(client\.)?sender\.example>$'
if [ "$MULTI" -eq 1 ]; then
	check "From: the caller, completed with mail-name" has "$HEAD" \
	    '^From: .*alice@sender\.example'
	check "the envelope sender too" json_of $T/mail/a/0001.json \
	    'd["sender"] == "alice@sender.example"'
else
	skip "From: the caller" "needs root"
	skip "the envelope sender too" "needs root"
fi
check "the body is as it was" is "$BODY" "body"

through -i -f x@sender.example u@one.example << 'END'
Date: Mon, 2 Jan 2006 15:04:05 -0700
Message-ID: <mine@sender.example>
From: Somebody <other@sender.example>
To: u@one.example
Subject: all there

body
END
check "what is there stays" has "$HEAD" \
    '^Date: Mon, 2 Jan 2006 15:04:05 -0700$' \
    '^Message-ID: <mine@sender.example>$' \
    '^From: Somebody <other@sender.example>$' '^To: u@one\.example$'
check "and is not added again" \
    is "$(field From) $(field Date) $(field Message-ID)" "1 1 1"
check "-f is the envelope sender" json_of $T/mail/a/0001.json \
    'd["sender"] == "x@sender.example"'

through -i -F "Real Name" -f x@sender.example u@one.example << 'END'
Subject: -F

body
END
check "-F is the name in From:" has "$HEAD" \
    '^From: "?Real Name"? <x@sender\.example>'

through -t -i << 'END'
From: alice@sender.example
To: Una <u1@one.example>, (comment) u2@one.example,
	"Quoted, Name" <u3@one.example>
Cc: u4@one.example
Bcc: secret@one.example,
 deep@one.example
Subject: -t

body
END
check "-t: all recipients" json_of $T/mail/a/0001.json 'sorted(d["rcpts"]) ==
    ["deep@one.example", "secret@one.example", "u1@one.example",
    "u2@one.example", "u3@one.example", "u4@one.example"]'
check "-t: To: and Cc: stay" is "$(field To) $(field Cc)" "1 1"
check "-t: no Bcc:" lacks "$M" '[Bb]cc:|secret@|deep@'

through -i u@one.example secret@one.example << 'END'
To: u@one.example
Bcc: other@one.example
Subject: Bcc without -t

body
END
check "without -t: Bcc: is removed" lacks "$M" '[Bb]cc:|other@'
check "and is no recipient" json_of $T/mail/a/0001.json \
    'sorted(d["rcpts"]) == ["secret@one.example", "u@one.example"]'

through -t -i << 'END'
From: alice
To: u@one.example
Cc: local-part
Subject: unqualified

body
END
check "unqualified addresses in the header are completed" has "$HEAD" \
    '^From: .*alice@sender\.example' '^Cc: .*local-part@sender\.example'
check "and in the envelope" json_of $T/mail/home/0001.json \
    'd["rcpts"] == ["local-part@sender.example"]'

through -i u@one.example << 'END'
no header at all
END
check "no header: all is body" is "$BODY" "no header at all"

through -i u@one.example << 'END'
From alice Mon Jan  2 15:04:05 2006
Subject: mbox line

body
END
check "a From_ line is removed" lacks "$M" '^From alice'
check "and the rest is the header" has "$HEAD" '^Subject: mbox line'

printf 'Subject: dots\n\n.\n..\n.x\nend\n' > $T/msg
through -i u@one.example < $T/msg
check "-i: dots are text" is "$BODY" "$(printf '.\n..\n.x\nend')"
through u@one.example < $T/msg
check "without -i: a dot ends the message" is "$BODY" ""
through -oi u@one.example < $T/msg
check "-oi is -i" is "$BODY" "$(printf '.\n..\n.x\nend')"

printf 'Subject: crlf\r\n\r\none\r\ntwo\r\n' > $T/msg
through -i u@one.example < $T/msg
check "CRLF input" is "$(tr -d -c '\r' < $T/mail/a/0001.eml | wc -c)" \
    "$(tr -d -c '\n' < $T/mail/a/0001.eml | wc -c)"
check "is not doubled" is "$BODY" "$(printf 'one\ntwo')"

printf 'Subject: no newline\n\nlast' > $T/msg
through -i u@one.example < $T/msg
check "a last line without newline" is "$BODY" "last"

printf 'Subject: 8-bit\n\ncaf\303\251\n' > $T/msg
through -i u@one.example < $T/msg
check "8-bit text arrives" is "$BODY" "$(printf 'caf\303\251')"
check "it is declared" has "$HEAD" '^MIME-Version: 1\.0$' \
    '^Content-Type: text/plain; charset=utf-8$' \
    '^Content-Transfer-Encoding: 8bit$'
check "as 8BITMIME" json_of $T/mail/a/0001.json \
    '"BODY=8BITMIME" in d["mail_options"]'

: > $T/msg
through -i u@one.example < $T/msg
check "an empty message arrives" is "$(mx_count a)" 1

# A job of cron that prints one line of 100 kB, with what cron writes.
{
	printf 'From: root (Cron Daemon)\nTo: u@one.example\n'
	printf 'Subject: Cron <root@host> job\nMIME-Version: 1.0\n'
	printf 'Content-Type: text/plain; charset=UTF-8\n'
	printf 'Content-Transfer-Encoding: 8bit\n\n'
	awk 'BEGIN { for (i = 0; i < 20000; i++) printf "%d \303\251 ", i
		print "" }'
} > $T/msg
through -FCronDaemon -i -B8BITMIME -oem u@one.example < $T/msg
check "a line of 100 kB arrives intact" python3 -c '
import email, email.policy, sys
def body(path):
	with open(path, "rb") as f:
		m = email.message_from_binary_file(f, policy=email.policy.default)
	assert m.get_content_charset() == "utf-8" and not m.defects
	return m.get_content()
assert body(sys.argv[1]) == body(sys.argv[2])
' $T/msg $T/mail/a/0001.eml
check "in lines that every server takes" is \
    "$(awk 'length > 78' $T/mail/a/0001.eml | wc -l)" 0

printf 'From: J\303\274rgen <j@sender.example>\nSubject: \303\274ber\n\nx\n' > $T/msg
through -i u@one.example < $T/msg
check "names and subjects in UTF-8 are encoded" has "$HEAD" \
    '^From: =\?utf-8\?B\?SsO8cmdlbg==\?= <j@sender\.example>$' \
    '^Subject: =\?utf-8\?B\?w7xiZXI=\?=$'
check "a message to nobody that is named says so" has "$HEAD" \
    '^To: undisclosed-recipients:;$'

{
	printf 'Subject: big\n\n'
	awk 'BEGIN { for (i = 0; i < 60000; i++)
		print i, ". The quick brown fox jumps over the lazy dog." }'
} > $T/msg
through -i u@one.example < $T/msg
sed '1,/^$/d' < $T/msg > $T/want
tr -d '\r' < $T/mail/a/0001.eml | sed '1,/^$/d' > $T/got
check "3 MB arrive octet for octet" cmp $T/want $T/got

conf masquerade seen.example
through -i u@one.example << 'END'
Subject: masquerade

body
END
check "masquerade: in the header" has "$HEAD" '^From: .*@seen\.example'
check "and in the envelope" json_of $T/mail/a/0001.json \
    'd["sender"].endswith("@seen.example")'

# Names of files outside ASCII: a reader finds them again.
through -i u@one.example << 'END'
MIME-Version: 1.0
Content-Type: application/pdf; name="Müller & Söhne.pdf"
Content-Disposition: attachment;
	filename="Müller & Söhne.pdf"

x
END
check "the name of a file" eval 'mx_eml a | "$PY" -c "
import email, sys
data = sys.stdin.buffer.read()
assert data.partition(b\"\r\n\r\n\")[0].isascii(), data
m = email.message_from_bytes(data)
name = m.get_filename()
assert name == \"M\u00fcller & S\u00f6hne.pdf\", name"'

finish
