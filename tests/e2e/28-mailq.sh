#!/bin/sh
# SPDX-License-Identifier: ISC
#
# mailq: who may see what, the table and the JSON; sendmail -q.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11

check "an empty queue" has "$(mailq)" '[Ee]mpty'
check "an empty queue is no JSON" is "$(mailq -j)" ""
mail u@one.example
check "what is in drop/ is shown" eval 'queue | json "
    d[\"sender\"] == \"alice@sender.example\" and
    d[\"recipients\"][0][\"address\"] == \"u@one.example\""'
mx_clear
empty_queue
mail later@one.example u@some.broken
run
check "JSON keys" eval 'queue | json "sorted(d) == sorted([\"id\", \"time\",
    \"size\", \"sender\", \"uid\", \"state\", \"next\", \"recipients\"])"'
check "JSON keys of a recipient" eval 'queue | json "
    sorted(d[\"recipients\"][0]) == sorted([\"address\", \"status\", \"dsn\",
    \"host\", \"reply\", \"attempts\"])"'
check "the server's words" eval 'queue | json "
    {r[\"address\"]: (r[\"dsn\"], \"mailbox is busy\" in r[\"reply\"])
    for r in d[\"recipients\"]} == {\"later@one.example\": (\"4.2.1\", True),
    \"u@some.broken\": (\"4.4.3\", False)}"'
[ "$MULTI" -eq 0 ] || check "the submitter's uid" eval \
    'queue | json "d[\"uid\"] == 64902"'
id=$(queue | "$PY" -c 'import json, sys; print(json.loads(
    sys.stdin.readline())["id"])')
check "the table" has "$(mailq)" "$id" 'alice@sender\.example' \
    'later@one\.example' 'u@some\.broken' 'mailbox is busy'
check "sendmail -bp is mailq" is "$(sendmail -bp)" "$(mailq)"
check "the next attempt is ahead" eval 'queue | json "
    d[\"next\"] > d[\"time\"] + 200"'

if [ "$MULTI" -eq 1 ]; then
	RC=0
	as alice mailq > $T/out 2> $T/err || RC=$?
	check "another user: EX_NOPERM" is "$RC" 77
	check "and a sentence" has "$(cat $T/err)" '[a-z]+ .* [a-z]+'
	check "and no mail is shown" lacks "$(cat $T/out)" '@'
	check "the spool's owner sees all" has "$(as _mxnss mailq)" \
	    'later@one\.example'
	RC=0
	quiet as alice sendmail -q > $T/out 2>&1 || RC=$?
	check "sendmail -q by a user is a wake" is "$RC" 0
	run
	check "that forces nothing" eval 'queue | json "
	    d[\"recipients\"][0][\"attempts\"] == 1"'
	quiet as _mxnss sendmail -q
	run
	check "the spool's owner forces" eval 'queue | json "
	    d[\"recipients\"][0][\"attempts\"] == 2"'
else
	skip "other users" "needs root"
fi
flush
check "root forces" eval 'queue | json "
    d[\"recipients\"][0][\"attempts\"] >= 2"'

finish
