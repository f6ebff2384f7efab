#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Mail for a local user waits, and mailq says why, until local delivery
# exists; other mail goes on.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start home=192.0.2.10 a=192.0.2.11

mail root@client.sender.example
run
check "a user of this host waits" is "$(mx_who) $(queued)" " 1"
check "with a reason" eval 'queue | json "
    d[\"recipients\"][0][\"dsn\"][:2] == \"4.\" and
    \"local\" in d[\"recipients\"][0][\"reply\"]"'
flush
check "still" is "$(mx_who) $(queued)" " 1"

empty_queue
mail root@client.sender.example u@one.example
run
check "the others of the message are served" is "$(mx_who) $(queued)" "a:1 1"

empty_queue
mx_clear
conf local-domains "sender.example inside.example"
mail root u@inside.example
run
check "local-domains" eval 'is "$(mx_who)" "" && queue | json "
    [r[\"address\"] for r in d[\"recipients\"]] ==
    [\"root@sender.example\", \"u@inside.example\"]"'

# No configuration at all: cron's mail to root.
empty_queue
mx_clear
echo "log: stderr" > $CONF
mail root
run
check "without configuration root is local" is "$(mx_who) $(queued)" " 1"

finish
