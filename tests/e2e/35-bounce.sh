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

# Too old.
mx_clear
empty_queue
echo "expire: 1s" >> $CONF
mail later@one.example
run
i=0
while [ $i -lt 8 ] && [ "$(mx_count home)" -eq 0 ]; do
	flush
	run
	sleep 0.5
	i=$((i + 1))
done
check "expired: returned with the last reason" has "$(mx_eml home)" \
    'later@one\.example' 'mailbox is busy' '4\.4\.7|5\.4\.7'

finish
