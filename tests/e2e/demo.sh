#!/bin/sh
# SPDX-License-Identifier: ISC
#
# ./quickstart demo: mail finds its way between real servers in a private
# network.  Every step is checked: the exit status is 0 only if all that is
# told here did happen.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"

if [ -t 1 ]; then
	BOLD=$(printf '\033[1m') DIM=$(printf '\033[2m')
	GREEN=$(printf '\033[32m') PLAIN=$(printf '\033[0m')
else
	BOLD='' DIM='' GREEN='' PLAIN=''
fi

skip_all()
{
	echo "demo: cannot run: $*" >&2
	exit 77
}
die()
{
	printf '\ndemo: this did not happen: %s\n' "$1" >&2
	[ -z "${2:-}" ] || printf '%s\n' "$2" >&2
	echo "--- the log:" >&2
	runner_log >&2
	exit 1
}

# chapter TITLE, then text from standard input
chapter()
{
	printf '\n%s== %s%s\n\n' "$BOLD" "$1" "$PLAIN"
	cat
	echo
}
# type COMMAND: show it, run it, show what it prints.
type()
{
	printf '  %s$ %s%s\n' "$BOLD" "$1" "$PLAIN"
	eval "$1" > $T/shown 2>&1 || die "$1" "$(cat $T/shown)"
	sed 's/^/  /' $T/shown
	echo
}
# happened TEXT COMMAND...: the step's proof.
happened()
{
	happened_text=$1
	shift
	await 20 "$@" || die "$happened_text"
	printf '  %s-> %s%s\n' "$GREEN" "$happened_text" "$PLAIN"
}
shown()
{
	has "$(cat $T/shown)" "$@"
}
got()	# NAME COUNT
{
	[ "$(mx_count "$1")" -eq "$2" ]
}
# received NAME: the last message as that server has it.
received()
{
	echo
	printf '  %sas %s received it:%s\n' "$DIM" "$1" "$PLAIN"
	mx_eml "$1" "$(mx_count "$1")" | tr -d '\r' | sed 's/^/  | /'
}
# logged ERE: the last line of the log that says so.
logged()
{
	await 10 in_log "$1" || die "a log line like $1"
	echo
	printf '  %sthe log:%s\n' "$DIM" "$PLAIN"
	runner_log | grep -E "$1" | tail -n 1 | sed 's/^/  | /'
}
in_log()
{
	runner_log | grep -Eq "$1"
}
# write SUBJECT: alice writes to amy.
write()
{
	printf '  %s$ printf "Subject: %s\\n\\nHello Amy.\\n" | sendmail amy@shop.example%s\n' \
	    "$BOLD" "$1" "$PLAIN"
	printf 'Subject: %s\n\nHello Amy.\n' "$1" |
	    as alice sendmail amy@shop.example ||
	    die "sendmail takes the message"
	echo
}

start "$@"

zone_add << 'END'
shop	MX	10 mx1.shop
	MX	20 mx2.shop
	MX	20 mx3.shop
mx1.shop A	192.0.2.21
mx2.shop A	192.0.2.22
mx3.shop A	192.0.2.23
relay	A	192.0.2.40
END
make_cert mx1 mx1.shop.example
dns_start
mx_start mx1=192.0.2.21,tls=$T/mx1.pem mx2=192.0.2.22 mx3=192.0.2.23 \
    relay=192.0.2.40:2525
"$RUNNER" --daemon 2>> $T/log/runner &
await 10 test -S $P/run/mxnss/wake || die "the runner starts"

chapter "A small Internet" << END
A network of its own, which ends with this demo: this host, 192.0.2.1, and
behind a cable a name server (nsd, 192.0.2.53) and four mail servers.  The
domain shop.example has three mail exchangers, one best and two equal:

$(sed -n 's/^shop	MX/  shop.example.	MX/p; /^	MX	20 mx[23].shop/s/^/  shop.example./p' $T/example.zone)

mxnss is installed below $P; its files of /etc are in $P/etc.
END

chapter "1. Where does mail for shop.example go?" << END
getmx asks the sources in turn: the file mxhosts, then the DNS.
END
type "getmx shop.example"
happened "the best one first, then the two equal ones in random order" \
    shown '10 +mx1\.shop\.example.*192\.0\.2\.21' \
    '20 +mx2\.shop\.example.*192\.0\.2\.22' \
    '20 +mx3\.shop\.example.*192\.0\.2\.23'

chapter "2. A message" << END
A user of this host writes to amy@shop.example.  sendmail puts the message on
disk and returns; the runner delivers it.
END
write "all is well"
happened "mx1, the best exchanger, has it" got mx1 1
received mx1
logged 'to=<amy@shop\.example>.*relay=mx1\.shop\.example.*status=sent'

chapter "3. The best exchanger is down" << END
mx1 stops.  The next message goes to one of the two equal ones.
END
mx_stop mx1
write "is mx1 down?"
happened "mx2 or mx3 has it" eval 'got mx2 1 || got mx3 1'
if got mx2 1; then second=mx2; else second=mx3; fi
received $second
logged "to=<amy@shop\.example>.*relay=$second\.shop\.example.*status=sent"

chapter "4. Reroute the domain with one line" << END
The administrator sends mail for shop.example to another server, on another
port, now: one line in mxhosts, nothing to restart.
END
type "echo 'shop.example 10 [192.0.2.40]:2525' >> $MXHOSTS"
type "getmx shop.example"
happened "the file comes before the DNS" \
    shown '192\.0\.2\.40.*2525|2525.*192\.0\.2\.40' 'mxhosts:1'
write "the other way"
happened "the relay has it" got relay 1
received relay
logged 'to=<amy@shop\.example>.*192\.0\.2\.40.*2525.*status=sent'
: > $MXHOSTS

chapter "5. Nobody is there" << END
The line is gone again, and mx2 and mx3 stop as well.  The message waits: no
exchanger can be reached, which is no reason to give up.
END
mx_stop mx2 mx3
write "anybody there?"
waits()
{
	mailq -j | json 'd["recipients"][0]["attempts"] >= 1 and
	    d["recipients"][0]["dsn"][0] == "4"'
}
happened "it was tried, and it waits" waits
type "mailq"
happened "mailq says why" shown 'amy@shop\.example' 'refused'
logged 'to=<amy@shop\.example>.*status=deferred'

chapter "6. They come back" << END
The servers are up again.  The runner would try again by itself in some
minutes; sendmail -q does not want to wait that long.
END
mx_before=$(mx_count mx1)
mx_start mx1=192.0.2.21,tls=$T/mx1.pem mx2=192.0.2.22 mx3=192.0.2.23
type "sendmail -q"
happened "mx1 has it" got mx1 $((mx_before + 1))
received mx1
logged 'to=<amy@shop\.example>.*relay=mx1\.shop\.example.*status=sent'
happened "the queue is empty" eval 'test "$(queued) $(drop_count)" = "0 0"'
type "mxcheck shop.example"
happened "mxcheck went there without mail" shown '^ok +delivery'

chapter "Your own mail" << END
All steps happened as told.  With an installed copy (README.md) type:

  ${BOLD}printf 'Subject: hello\n\nIt works.\n' | sendmail -v you@your-domain.example
  mailq
  mxcheck${PLAIN}
END
