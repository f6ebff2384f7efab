#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A wrong mxnss.conf refuses no mail and delivers none: sendmail warns and
# queues, the runner holds and says so, getmx --check names the line; once
# mended, the mail leaves.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"

dns_start
mx_start a=192.0.2.11
cp $CONF $T/conf.good
check "--check of the right one" getmx --check

# wrong LINE: mxnss.conf with that line at its end.
wrong()
{
	mx_clear
	empty_queue
	cp $T/conf.good $CONF
	printf '%s\n' "$1" >> $CONF
	line=$(wc -l < $CONF | tr -d ' ')
}
# held LINE [ERE]: the whole promise, for one wrong LINE.
held()
{
	wrong "$1"
	mail u@one.example || return
	has "$ERR" "mxnss\.conf:$line:" || return
	run
	is "$(mx_who) $(($(queued)))" " 1" || return
	queue | json 'd["recipients"][0]["dsn"] == "4.3.5"' || return
	has "$(queue)" "mxnss\.conf:$line" || return
	check_rc=0
	check_said=$(getmx --check 2>&1) || check_rc=$?
	is "$check_rc" 78 && has "$check_said" "mxnss\.conf:$line:" || return
	cp $T/conf.good $CONF
	getmx --check || return
	flush
	is "$(mx_who) $(queued)" "a:1 0"
}
check "a value that is none" held "workers: lots"
check "an unknown key" held "no-such-key: 1"
check "a line that is none" held "what is this"
check "a size that is none" held "max-size: many"

# The source list is read where it is used: sendmail needs none.
wrong "mxhosts: files [NOTFOUND=perhaps] dns"
mail u@one.example && run
check "a wrong source list: kept" eval 'is "$(mx_who)" "" && queue |
    json "d[\"recipients\"][0][\"dsn\"] == \"4.3.5\""'
check "and named" has "$(queue)" "mxnss\.conf:$line"
check_rc=0
getmx --check > $T/check 2>&1 || check_rc=$?
check "--check says so" is "$check_rc" 78
check "with file and line" has "$(cat $T/check)" "mxnss\.conf:$line"

wrong "workers: lots"
sed 's/^mail-name:.*/mail-name: other.example/' $CONF > $T/conf.new
cp $T/conf.new $CONF
mail u@one.example local-part
check "the right lines count" eval '
    cp $T/conf.good $CONF
    run
    has "$(queue; runner_log)" "local-part@other.example"'

wrong "workers: lots"
"$RUNNER" --daemon 2>> $T/log/runner &
daemon=$!
mail u@one.example
check "a daemon holds the mail" await 10 eval '
    queue | json "d[\"recipients\"][0][\"dsn\"] == \"4.3.5\""'
check "it has not given up" kill -0 $daemon
check "and has sent nothing" is "$(mx_who)" ""
cp $T/conf.good $CONF
check "mended: the daemon notices and delivers" await 20 eval \
    'test "$(mx_who)" = a:1'
kill $daemon
await 10 gone $daemon

if [ "$MULTI" -eq 1 ]; then
	wrong ""
	cp $T/conf.good $CONF
	chmod 000 $CONF
	mail u@one.example
	check "a file that cannot be read: a warning, and queued" eval '
	    is "$RC" 0 && has "$ERR" "mxnss\.conf"'
	run
	check "the runner holds the mail" is "$(mx_who) $(queued)" " 1"
	chmod 644 $CONF
	flush
	check "until it can be read" is "$(mx_who) $(queued)" "a:1 0"
fi

finish
