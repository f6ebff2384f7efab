#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Opportunistic STARTTLS: used where offered, never a reason not to deliver,
# unless `tls:' demands it.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

make_cert a a.example
dns_start
mx_start a=192.0.2.11,tls=$T/a.pem b=192.0.2.12,badtls=$T/a.pem c=192.0.2.13
cat > $MXHOSTS << 'END'
bad.example 10 b.example
plain.example 10 c.example
END

mail u@one.example && run
check "offered: used" json_of $T/mail/a/0001.json \
    'd["tls"]["version"] in ("TLSv1.2", "TLSv1.3")'
check "the log tells it" has "$(runner_log)" 'TLSv1\.[23]'
mail u@plain.example && run
check "not offered: clear text" json_of $T/mail/c/0001.json 'd["tls"] is None'
mail u@bad.example && run
check "a handshake that fails: clear text" \
    json_of $T/mail/b/0001.json 'd["tls"] is None'
check "nothing is left" is "$(queued) $(drop_count)" "0 0"

conf tls encrypt
mx_clear
mail u@one.example && run
check "tls: encrypt, offered" is "$(mx_who) $(queued)" "a:1 0"
mail u@plain.example && run
check "tls: encrypt, not offered: kept" is "$(mx_who) $(queued)" "a:1 1"
check "with a reason" has "$(queue)" '"4\.7\.5"' 'TLS'
empty_queue
mail u@bad.example && run
check "tls: encrypt, broken: kept" is "$(mx_who) $(queued)" "a:1 1"
empty_queue
printf 'plain.example 10 c.example tls=none\n' > $MXHOSTS
mail u@plain.example && run
check "a line of mxhosts comes before it" is "$(mx_who)" "a:1 c:1"

finish
