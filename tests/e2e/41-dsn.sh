#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What a sender asks of reports (sendmail -N, -R, -V), and what comes of it:
# read by Python's parser, as any program would that receives them.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11

fresh()
{
	mx_clear
	empty_queue
	: > $T/log/runner
}
# told EXPRESSION: about r, the list of the reports that came home.
told()
{
	# shellcheck disable=SC2046 # names without blanks
	"$PY" "$E2E/report.py" $(find $T/mail/home -name '*.eml' | sort) \
	    > $T/report.json || return
	"$PY" -c '
import json, sys
r = json.load(open(sys.argv[1]))
problems = [p for one in r for p in one["problems"]]
if problems or not eval("(" + sys.argv[2] + ")"):
    print(problems, json.dumps(r, indent=1))
    sys.exit(1)' $T/report.json "$1"
}
# aged SECONDS: the message in drop/ was submitted that long ago.
aged()
{
	"$PY" - "$1" "$SPOOL"/drop/* << 'PYTHON'
import re, sys
def crc32c(data):
    crc = 0xffffffff
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
with open(sys.argv[2], "r+b") as f:
    m = f.read()
    t = re.search(rb"\nT(\d+):(\d+)\n", m)
    new = b"%d" % (int(t.group(2)) - int(sys.argv[1]) * 10**6)
    body = m[:t.start(2)] + new + m[t.end(2):-27]
    f.seek(0)
    f.write(body + b"E%c%016x%08x\n" % (m[-26], len(body), crc32c(body)))
PYTHON
}
printf 'Subject: caf\303\251\nX-Mark: header\nX-Odd: na\303\257ve\n\nbody: na\303\257ve\n.\nend\n' \
    > $T/msg

# ---- failure ---------------------------------------------------------------

fresh
send -i -V 'QQ+314 =1' -f alice@sender.example no@one.example u@one.example \
    < $T/msg
run; run
check "failure: one report, one delivery" is "$(mx_who)" "a:1 home:1"
check "its parts, and who is in it" told 'r[0]["types"] == ["text/plain",
    "message/delivery-status", "text/rfc822-headers"] and
    [x["final-recipient"] for x in r[0]["recipients"]] ==
    ["rfc822; no@one.example"]'
check "fields" told 'r[0]["message"]["original-envelope-id"] == "QQ+314 =1"
    and r[0]["message"]["reporting-mta"] == "dns; client.sender.example"
    and r[0]["recipients"][0]["original-recipient"] ==
	"rfc822; no@one.example"
    and r[0]["recipients"][0]["action"] == "failed"
    and r[0]["recipients"][0]["status"] == "5.1.1"
    and r[0]["recipients"][0]["remote-mta"] == "dns; a.example"
    and r[0]["recipients"][0]["diagnostic-code"].startswith(
	"smtp; 550 5.1.1 no such user here")'
check "the text tells host, reply and what to do" told \
    '"a.example[192.0.2.11]:25 said:" in r[0]["text"] and
    "550 5.1.1" in r[0]["text"] and
    "check what is before the @" in r[0]["text"]'
check "the header as it was, without the body" told \
    'r[0]["original"]["header"]["x-mark"] == "header" and
    r[0]["original"]["body"] is None'

fresh
send -i -R full -f alice@sender.example no@one.example < $T/msg
run; run
check "-R full: all of it comes back" told 'r[0]["types"][2] ==
    "message/rfc822" and r[0]["original"]["header"]["x-mark"] == "header" and
    r[0]["original"]["body"].replace("\r", "") ==
	"body: na\u00efve\n.\nend\n"'
check "as 8-bit data, declared" json_of $T/mail/home/0001.json \
    '"BODY=8BITMIME" in d["mail_options"]'

fresh
LIST=
i=0
while [ $i -lt 200 ]; do
	LIST="$LIST no$i@one.example"
	i=$((i + 1))
done
# shellcheck disable=SC2086 # a list
mail $LIST
run; run
check "200 recipients: one report" is "$(mx_who)" "home:1"
check "that names each once" told \
    'len({x["final-recipient"] for x in r[0]["recipients"]}) == 200 and
    len(r[0]["recipients"]) == 200 and "and 150 more" in r[0]["text"]'

# ---- NOTIFY ----------------------------------------------------------------

fresh
send -N never -f alice@sender.example no@one.example < $T/msg
run; run
check "-N never: no report, and nothing is kept" is \
    "$(mx_total) $(queued) $(drop_count) $(find "$SPOOL/dead" -type f)" \
    "0 0 0 "
check "the log says so" has "$(runner_log)" \
    'no report about <no@one\.example>' ': removed'

fresh
send -Nsuccess -f alice@sender.example no@one.example u@one.example < $T/msg
run; run
check "-N success: of success only" told 'len(r) == 1 and
    r[0]["recipients"][0]["final-recipient"] == "rfc822; u@one.example" and
    r[0]["recipients"][0]["action"] == "relayed" and
    r[0]["recipients"][0]["status"].startswith("2.") and
    len(r[0]["recipients"]) == 1'
check "the message arrived" is "$(mx_who)" "a:1 home:1"

fresh
send -N success,failure -f alice@sender.example no@one.example \
    u@one.example x@aonly.example < $T/msg
run; run
check "-N success,failure: a report of each" told 'sorted(
    [x["action"], x["final-recipient"][8:]] for one in r
    for x in one["recipients"]) == [["failed", "no@one.example"],
    ["relayed", "u@one.example"], ["relayed", "x@aonly.example"]] and
    len(r) == 2'
check "nothing is left" is "$(queued) $(drop_count)" "0 0"

fresh
send -f '<>' -N success u@one.example < $T/msg
run; run
check "no sender, no report" is "$(mx_who) $(queued)" "a:1 0"

# ---- delay -----------------------------------------------------------------

fresh
mail later@one.example no@one.example
aged 3600
run; run
check "an hour is not late" told 'len(r) == 1 and
    r[0]["recipients"][0]["action"] == "failed"'

fresh
send -V late -f alice@sender.example later@one.example < $T/msg
aged 18000
run; run
check "five hours are: the sender is told" told 'len(r) == 1 and
    r[0]["recipients"][0]["action"] == "delayed" and
    r[0]["recipients"][0]["status"] == "4.2.1" and
    r[0]["message"]["original-envelope-id"] == "late"'
check "until when it is tried" told '(lambda date: (date(
    r[0]["recipients"][0]["will-retry-until"]) - date(
    r[0]["message"]["arrival-date"])).total_seconds() == 5 * 86400)(
    __import__("email.utils").utils.parsedate_to_datetime) and
    "It is tried again until" in r[0]["text"]'
flush; run; flush; run
check "once" is "$(mx_who) $(queued)" "home:1 1"
check "mailq tells of it" has "$(mailq "$(queue | sed \
    's/.*"id":"\([^"]*\)".*/\1/')")" 'warned'

fresh
send -N failure -f alice@sender.example later@one.example < $T/msg
aged 18000
run; run
check "not who did not ask for it" is "$(mx_who) $(queued)" " 1"
fresh
conf warn off
mail later@one.example
aged 18000
run; run
check "nor with warn: off" is "$(mx_who) $(queued)" " 1"
conf warn 6h
fresh
mail later@one.example
aged 18000
run; run
check "nor before warn" is "$(mx_who) $(queued)" " 1"

# ---- the command line ------------------------------------------------------

for words in "-N sometimes" "-R some" "-Nnever,success"; do
	# shellcheck disable=SC2086 # two words
	send $words -f alice@sender.example u@one.example < $T/msg
	check "$words is refused" is "$RC $(drop_count)" "64 0"
done

finish
