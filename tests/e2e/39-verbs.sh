#!/bin/sh
# SPDX-License-Identifier: ISC
#
# mailq ID, hold, release, delete and --stats, and sendmail -qI, -qR, -qS,
# beside a runner that works.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

zone_add << 'END'
slow	MX	10 b
END
dns_start
mx_start home=192.0.2.10 a=192.0.2.11 b=192.0.2.12,hang=DATA

# id_of RCPT: the identifier of the message for it
id_of()
{
	mailq -j | "$PY" -c 'import json, sys
for line in sys.stdin:
    d = json.loads(line)
    if any(r["address"] == sys.argv[1] for r in d["recipients"]):
        print(d["id"])' "$1"
}
# state RCPT: "STATE ATTEMPTS"
state()
{
	mailq -j | "$PY" -c 'import json, sys
for line in sys.stdin:
    d = json.loads(line)
    for r in d["recipients"]:
        if r["address"] == sys.argv[1]:
            print(d["state"], r["attempts"])' "$1"
}
# becomes RCPT STATE
becomes()
{
	await 15 is_now "$@" || is "$(state "$1")" "$2"
}
is_now()
{
	[ "$(state "$1")" = "$2" ]
}
# code COMMAND...: its exit code; what it says goes to $T/said
code()
{
	code_rc=0
	"$@" > $T/said 2>&1 || code_rc=$?
	echo "$code_rc"
}

# Without a runner.
for i in 1 2 3; do
	mail later$i@one.example
done
one=$(id_of later1@one.example)
check "a new message is held without a runner" is "$(code mailq hold "$one")" 0
check "it says so" is "$(cat $T/said)" "1 message held"
run
check "and not tried" becomes later1@one.example "held 0"
check "the others are" becomes later2@one.example "waiting 1"
check "nothing is left in drop/" is "$(drop_count)" 0
check "mailq ID shows it in detail" has "$(mailq "$one")" "^$one: held" \
    '^recipient  later1@one.example \(new\)$' '^history$'
check "with the history" has "$(mailq "$(id_of later2@one.example)")" \
    '  deferred later2@one.example: 4\.2\.1 a\.example.*mailbox is busy'
check "an unknown identifier" is "$(code mailq 01K0TNMBKA9PAQQQAP0V)" 66
check "what is no identifier" is "$(code mailq hold ../drop)" 64
check "a verb alone means nothing" is "$(code mailq delete)" 64

if [ "$MULTI" -eq 1 ]; then
	for verb in hold release delete; do
		check "$verb by another user" is \
		    "$(code as alice mailq $verb "$one")" 77
		check "and a sentence" has "$(cat $T/said)" \
		    'only root and the owner of .* may change the queue'
	done
	check "sendmail -qR by another user" is \
	    "$(code as alice sendmail -qRone)" 77
	check "the owner of the spool may" is \
	    "$(code as _mxnss mailq hold "$one")" 0
fi

"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
await 10 test -S $P/run/mxnss/wake
check "sendmail -qR tries some" eval 'sendmail -qRlater2@ &&
    becomes later2@one.example "waiting 2"'
check "and no others" is "$(state later3@one.example)" "waiting 1"
check "sendmail -qI" eval 'sendmail -qI$(id_of later3@one.example) &&
    becomes later3@one.example "waiting 2"'
check "sendmail -q!R" eval 'sendmail -q!Rlater3 &&
    becomes later2@one.example "waiting 3" &&
    is "$(state later3@one.example)" "waiting 2"'
check "sendmail -qS, and -q of both kinds" eval 'sendmail -qSALICE -qRlater3 &&
    becomes later3@one.example "waiting 3" &&
    is "$(state later2@one.example)" "waiting 3"'
check "the held one was not tried" is "$(state later1@one.example)" "held 0"
check "released, it is tried at once" eval 'mailq release "$one" &&
    becomes later1@one.example "waiting 1"'
check "mailq -q shows some" is "$(mailq -j -qRlater1 | wc -l)" 1
check "sendmail -bp -q, too" has "$(sendmail -bp -q!Rlater1)" later2 later3 \
    ' 2 messages'

# One that is being tried: b answers after DATA when it may.
mail u@slow.example no@one.example
await 15 test -s $T/mail/b.hangs
check "hold what is being tried" eval \
    'mailq hold "$(id_of u@slow.example)"'
check "delete what is being tried" eval '
    mail later@one.example v@slow.example &&
    await 15 eval "test \$(wc -l < $T/mail/b.hangs) -ge 2" &&
    id=$(id_of v@slow.example) &&
    mailq delete "$id" && ! mailq "$id" 2>&1'
: > $T/mail/b.go
check "what is on its way arrives" await 15 eval 'test "$(mx_count b)" = 2'
check "the rest of the held one waits" await 15 eval '
    mailq -j | json "[d[\"state\"] for d in docs
    if d[\"sender\"] == \"alice@sender.example\" and
    \"later\" not in str(d)] in ([], [\"held\"])"'
check "nothing is left of the deleted one" await 15 eval \
    '! mailq -j | grep v@slow'
check "nor does it come back" eval 'sendmail -q && mail w@slow.example &&
    await 15 eval "test \$(mx_count b) -ge 3" && is "$(mx_count b)" 3'
check "delete by sender" eval 'mailq delete -qSalice@ && is "$(queued)" 0'
check "the runner has forgotten them" eval '
    mail u@one.example && await 15 eval "test \$(mx_count a) = 1" &&
    kill -0 $daemon'
check "a queue that is empty is empty" await 15 eval \
    'test -z "$(find $SPOOL/queue $SPOOL/drop -type f)"'

mail later1@one.example later2@six.example
mail later3@one.example
becomes later3@one.example "waiting 1"
check "statistics" has "$(mailq --stats)" '^ +2 .* total, 0 new, 0 held$' \
    '^ +2 .* one\.example$' '^ +1 .* six\.example$' 'mailbox is busy'
check "as JSON" eval 'mailq --stats -j | json "
    [(d[\"destination\"], d[\"messages\"]) for d in docs] ==
    [(None, 2), (\"one.example\", 2), (\"six.example\", 1)] and
    docs[1][\"last\"][\"dsn\"] == \"4.2.1\""'
echo junk > $SPOOL/queue/core
check "files that are no messages are counted" eval '
    has "$(mailq)" "^-- 1 other file in .*, ignored" &&
    mailq --stats -j | json "d[\"skipped\"] == 1"'
rm $SPOOL/queue/core
check "hold all" is "$(mailq hold all)" "2 messages held"
check "release all" is "$(mailq release all)" "2 messages released"
check "delete all" is "$(mailq delete all) $(queued)" "2 messages deleted 0"
kill $daemon

finish
