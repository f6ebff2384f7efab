#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The log, as pflogsumm reads it: its totals are what really happened.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
command -v pflogsumm > /dev/null || skip_all "pflogsumm is not installed"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11 b=192.0.2.12 c=192.0.2.13

mail u@one.example
mail u@one.example v@one.example w@three.example
mail later@one.example x@one.example
mail no@one.example y@three.example
mail u@some.broken
mail u@null.example
send -f '' anyone@three.example << 'END'
Subject: nobody

x
END
run
flush
flush

# What log readers call received: 7 messages were submitted.
# sent: u u v w x y anyone, and two reports to home.
sent=$(cat $T/mail/*/*.json | "$PY" -c 'import json, sys
text = sys.stdin.read()
d, at, n = json.JSONDecoder(), 0, 0
while at < len(text.rstrip()):
    while text[at].isspace():
        at += 1
    one, at = d.raw_decode(text, at)
    n += len(one["rcpt"] if "rcpt" in one else one["rcpts"])
print(n)')
sed "s/^/$(date '+%b %e %H:%M:%S') host /" $T/log/runner > $T/maillog
pflogsumm --syslog-name=mxnss $T/maillog > $T/sum
# total WORD: the number before it
total()
{
	sed -n "s/^ *\([0-9]*\)  *$1.*/\1/p" $T/sum | head -n 1
}
check "pflogsumm: received" is "$(total received)" 7
check "delivered, as the receivers count" is "$(total delivered)" "$sent"
check "that is nine" is "$sent" 9
check "deferred messages" is "$(total deferred)" 2
check "times" has "$(cat $T/sum)" '^ *2 +deferred  \(6 +deferrals\)'
check "bounced" is "$(total bounced)" 2
check "senders" has "$(sed -n '/^Senders by message count/,/^$/p;
    /Sending Hosts.Domains/,/Recipient/p' $T/sum)" 'sender\.example'
check "destinations" has "$(sed -n '/Host.Domain Summary: Message Delivery/,/Received/p' \
    $T/sum)" '^ +[0-9]+ .* one\.example$' '^ +[0-9]+ .* three\.example$' \
    '^ +2 .* sender\.example$'
check "reasons" has "$(cat $T/sum)" 'mailbox is busy' 'no such user'
check "reports" is "$(grep -c \
    'mxnss/bounce\[[0-9]*\]: [0-9A-Z]*: sender non-delivery notification: ' \
    $T/maillog)" 2
check "every message that went was removed" is \
    "$(grep -c ': removed$' $T/maillog)" 7

finish
