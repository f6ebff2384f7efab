#!/bin/sh
# SPDX-License-Identifier: ISC
#
# One message to many: verdicts of all kinds, each recipient once, one report.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11 b=192.0.2.12 c=192.0.2.13
echo "other.example 10 b.example" > $MXHOSTS

# rcpts NAME: all recipients that receiver accepted, sorted.
rcpts()
{
	cat "$T/mail/$1"/*.json 2> /dev/null | "$PY" -c '
import json, sys
got = sum((json.loads(line)["rcpts"] for line in sys.stdin), [])
print(" ".join(sorted(got)))'
}

mail u1@one.example u2@one.example no1@one.example later@one.example \
    u3@other.example no2@other.example u4@nosuch.example u5@some.broken
check "sendmail takes it" is "$RC" 0
run; run
check "the first host has its two" is "$(rcpts a)" \
    "u1@one.example u2@one.example"
check "the second has its one" is "$(rcpts b)" "u3@other.example"
check "one report" is "$(mx_count home)" 1
check "the report names all that failed" has "$(mx_eml home)" \
    'no1@one\.example' 'no2@other\.example' 'u4@nosuch\.example'
check "and nobody else" lacks "$(mx_eml home | sed "/rfc822-headers/,\$d")" \
    'u[1235]@|later@'
check "two wait" eval 'queue | json "sorted(r[\"address\"]
    for r in d[\"recipients\"]
    if r[\"dsn\"][:1] == \"4\") == [\"later@one.example\",
    \"u5@some.broken\"]"'
flush; run
flush; run
check "nothing is sent twice" is "$(rcpts a) $(rcpts b)" \
    "u1@one.example u2@one.example u3@other.example"
check "nothing is reported twice" is "$(mx_count home)" 1
check "the log has each recipient's end once" is \
    "$(runner_log | grep -Ec 'to=<(u[123]|no[12]|u4)@.*status=(sent|bounced)')" 6

mx_clear
empty_queue
mail same@one.example same@one.example SAME@ONE.example
run
check "the same address several times is one recipient" has "$(rcpts a)" \
    '^(SAME@[^ ]* )?same@one\.example$'

mx_clear
set --
i=0
while [ $i -lt 250 ]; do
	set -- "$@" "u$i@one.example"
	i=$((i + 1))
done
mail "$@"
run
check "250 recipients arrive" is "$(rcpts a | wc -w | tr -d ' ')" 250
check "nothing is left" is "$(queued) $(drop_count)" "0 0"

# mixed N: of N recipients a third is accepted, a third refused, a third put
# off, in turns; then each has what the server said, and no other.
mixed()
{
	mx_clear
	empty_queue
	mixed_all=$("$PY" -c 'import sys
print(*(("u%d", "no%d", "later%d")[i % 3] % i + "@one.example"
    for i in range(int(sys.argv[1]))))' "$1")
	# shellcheck disable=SC2086 # addresses without blanks
	mail $mixed_all && run && run || return
	mailq -j > $T/waiting
	cat $T/mail/a/*.json > $T/accepted 2> /dev/null
	cat $T/mail/home/*.eml > $T/reported 2> /dev/null
	"$PY" - "$1" $T/waiting $T/accepted $T/reported << 'END'
import json, re, sys
n = int(sys.argv[1])
waiting, accepted, reported = (open(f).read() for f in sys.argv[2:])
want = [[w % i + "@one.example" for i in range(n) if i % 3 == k]
        for k, w in enumerate(("u%d", "no%d", "later%d"))]
got = [sum((json.loads(line)["rcpts"] for line in accepted.splitlines()), []),
       re.findall(r"(?m)^Final-Recipient: rfc822; (\S+)", reported),
       [r["address"] for line in waiting.splitlines()
        for r in json.loads(line)["recipients"] if r["dsn"] == "4.2.1"]]
assert [sorted(g) for g in got] == [sorted(w) for w in want], got
END
}
for n in 1 2 100 1000; do
	check "$n recipients of all kinds" mixed $n
done
check "one report of 333" is "$(mx_count home)" 1

finish
