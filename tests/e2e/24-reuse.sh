#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Many messages to one host share a connection.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start a=192.0.2.11
conf per-destination 1

i=0
while [ $i -lt 20 ]; do
	mail "u$i@one.example"
	i=$((i + 1))
done
check "20 wait in drop/" is "$(drop_count)" 20
run
check "20 arrive" is "$(mx_count a)" 20
check "each once" is "$(cat $T/mail/a/*.eml | grep -c '^Subject: to u')" 20
check "over one connection" is "$(mx_connections a)" 1
check "drop/ and queue/ are empty" is "$(drop_count) $(queued)" "0 0"

# A refused message in the middle does not end the connection.
mx_clear
mail u1@one.example
mail no2@one.example
mail u3@one.example
run
check "a refusal in between: the others arrive" is "$(mx_count a)" 2
check "over one connection" is "$(mx_connections a)" 1

finish
