#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The report that a sender gets, and what happens to reports about reports.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11

send -f alice@sender.example no@one.example u@null.example << 'END'
Subject: the original subject
X-Mark: original header

the original body
END
run; run
check "one report" is "$(mx_count home)" 1
B=$(mx_eml home | tr -d '\r')
check "from the null sender" json_of $T/mail/home/0001.json \
    'd["sender"] == "" and d["rcpts"] == ["alice@sender.example"]'
check "header" has "$B" '^From: .*MAILER-DAEMON@' \
    '^To: .*alice@sender\.example' '^Subject: ' '^Date: ' '^Message-I[Dd]: ' \
    '^Auto-Submitted: auto-replied'
check "the recipients and reasons" has "$B" 'no@one\.example' \
    '550.*no such user here' '5\.1\.1' 'u@null\.example' '5\.1\.10'
check "the header of the message" has "$B" \
    'Subject: the original subject' 'X-Mark: original header'
check "the log" has "$(runner_log)" \
    'to=<no@one\.example>, relay=a\.example\[192\.0\.2\.11\]:25,.*dsn=5\.1\.1, status=bounced \(550' \
    'to=<u@null\.example>,.*dsn=5\.1\.10, status=bounced' \
    'to=<alice@sender\.example>,.*status=sent' 'from=<>' 'removed'
check "nothing is left" is "$(drop_count) $(queued)" "0 0"

# Nobody to tell.
mx_clear
empty_queue
send -f '<>' no@one.example << 'END'
Subject: from nobody

body
END
[ "$RC" -eq 0 ] || echo "# sendmail exited $RC: $ERR"
run; run
check "a refused message from the null sender makes no report" \
    is "$(mx_total) $(queued) $(drop_count)" "0 0 0"
check "it is kept in dead/" is \
    "$(find "$SPOOL/dead" -type f ! -name '*.log' | wc -l | tr -d ' ')" 1
check "and the log says so" has "$(runner_log)" 'dead'

# The sender's domain refuses the report.
mx_clear
empty_queue
send -f no@one.example no2@one.example << 'END'
Subject: neither way

body
END
run; run; run
check "a report that is refused makes no report" \
    is "$(mx_total) $(queued) $(drop_count)" "0 0 0"
check "it is kept" test \
    "$(find "$SPOOL/dead" -type f ! -name '*.log' | wc -l)" -ge 1

# The sender's domain cannot be reached now.
mx_clear
empty_queue
mx_stop home
mail no@one.example
run; run
check "a report that must wait waits" is "$(queued)" 1
mx_start home=192.0.2.10
flush; run
check "and arrives" is "$(mx_who) $(queued)" "home:1 0"

# Too old: submitted six days ago, tried for the fifth time.
mx_clear
empty_queue
mail later@one.example
"$PY" - "$SPOOL"/drop/* << 'END'
import re, sys
def crc32c(data):
    crc = 0xffffffff
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
with open(sys.argv[1], "r+b") as f:
    m = f.read()
    t = re.search(rb"\nT(\d+):(\d+)\n", m)
    new = b"%d" % (int(t.group(2)) - 6 * 86400 * 10**6)
    body = m[:t.start(2)] + new + m[t.end(2):-27]
    f.seek(0)
    f.write(body + b"E%c%016x%08x\n" % (m[-26], len(body), crc32c(body)))
END
conf expire 4h	# what one step of its age may count
run
i=1
while [ $i -lt 5 ]; do
	is "$(mx_count home)" 0 > /dev/null || break
	flush
	i=$((i + 1))
done
run
check "too old after five attempts: returned with the last reason" \
    has "$(mx_eml home)" 'later@one\.example' 'mailbox is busy'
check "not before" is "$(runner_log | grep -c 'to=<later@.*status=deferred')" 5

finish
