#!/bin/sh
# SPDX-License-Identifier: ISC
#
# sendmail -v: the SMTP dialogue while it happens; the identifier where
# nobody runs.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11
printf 'Subject: -v\n\nbody\n' > $T/msg

# verbose ARG...: OUT, at most 70 s
verbose()
{
	RC=0
	OUT=$(as alice timeout 70 sendmail -v -f alice@sender.example "$@" \
	    < $T/msg 2>&1) || RC=$?
}

if [ "$MULTI" -eq 1 ]; then
	verbose u@one.example
	check "nobody runs: exit 0" is "$RC" 0
	check "the identifier" has "$OUT" "$(basename "$SPOOL"/drop/*)"
	empty_queue
else
	skip "nobody runs" "needs root"
fi

"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
await 10 test -S $P/run/mxnss/wake
verbose u@one.example
check "exit 0" is "$RC" 0
check "the dialogue" has "$OUT" 'EHLO client\.sender\.example' \
    'MAIL FROM:<alice@sender\.example>' 'RCPT TO:<u@one\.example>' \
    'DATA' '250 .*taken by a'
check "the host" has "$OUT" 'a\.example.*192\.0\.2\.11'
verbose no@one.example
check "a refusal" has "$OUT" '550 5\.1\.1 no such user here'
verbose u@nosuch.example
check "no such domain" has "$OUT" 'nosuch\.example'
verbose u@some.broken
check "a domain that must wait" has "$OUT" 'some\.broken'
verbose u1@one.example u2@some.broken u3@aonly.example
check "several destinations" has "$OUT" 'u1@one\.example' 'some\.broken' \
    'u3@aonly\.example'
kill $daemon

finish
