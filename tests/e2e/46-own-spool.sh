#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A spool that belongs to whom mail comes from: an unprivileged user, and a
# container with a read-only root and one writable volume, as a uid that nobody
# knows.  There is no socket and no service: sendmail starts the runner.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
need_multi

dns_start
mx_start a=192.0.2.11
rm -rf "$SPOOL"
chmod 755 $P/run/mxnss
chown root:root $P/run/mxnss

# own UID COMMAND...: as that, which can gain nothing.
own()
{
	own_uid=$1
	shift
	setpriv --reuid="$own_uid" --regid="$own_uid" --clear-groups \
	    --no-new-privs -- "$@"
}
# runner: its pid, if there is one; the others are its workers.
runner()
{
	for runner_dir in /proc/[0-9]*; do
		read -r runner_pid runner_name runner_state _ 2> /dev/null \
		    < "$runner_dir/stat" || continue
		[ "$runner_name$runner_state" != "(runner)Z" ] || continue
		[ "$runner_name" != "(runner)" ] || echo "$runner_pid"
	done | sort -n | head -n 1
}
stop_runner()
{
	stop_pid=$(runner)
	kill "$stop_pid" && await 10 gone "$stop_pid"
}
arrives()
{
	await 20 eval "test \$(mx_count a) = $1" || is "$(mx_count a)" "$1"
}
empty()	# DIR
{
	await 20 eval "test -z \"\$(find '$1/drop' '$1/queue' -type f)\""
}
printf 'Subject: own\n\nbody\n' > $T/msg

mkdir -m 700 $T/mine
chown alice:alice $T/mine
conf spool $T/mine
alice()
{
	own alice sendmail -f alice@sender.example u@one.example < $T/msg &&
	    arrives 1 && empty $T/mine &&
	    is "$(find $T/mine -mindepth 1 -maxdepth 1 -printf '%f %m %u\n' |
		sort | tr '\n' ' ')" "VERSION 600 alice bad 700 alice dead \
700 alice drop 700 alice host 700 alice queue 700 alice "
}
check "an unprivileged user, and an empty directory" alice
check "the runner is hers" is "$(stat -c %U "/proc/$(runner)")" alice
check "mailq is hers, too" eval '
    own alice mailq > $T/out && has "$(cat $T/out)" "^Mail queue is empty"'
check "and nobody else has any" eval '
    rc=0
    own bob sendmail u@one.example < $T/msg 2> $T/err || rc=$?
    is "$rc" 75 && has "$(cat $T/err)" "mine/drop: Permission denied"'
stop_runner
mx_clear

mkdir $T/volume
mount -t tmpfs -o mode=700,uid=74000,gid=74000 tmpfs $T/volume
conf spool $T/volume
# contained COMMAND...: with a read-only root.
contained()
{
	unshare -m sh -c 'for m in $(findmnt -rno TARGET | grep -v -e ^/proc \
	    -e ^/sys -e ^/dev -e "/t/volume$"); do
		mount -o remount,bind,ro "$m" 2> /dev/null	# or hidden
	    done
	    ! touch /etc/x '$T'/x '$P'/run/mxnss/x 2> /dev/null || exit 98
	    exec "$@"' sh setpriv --reuid=74000 --regid=74000 --clear-groups \
	    --no-new-privs -- "$@"
}
container()
{
	contained sendmail -f x@sender.example u@one.example < $T/msg || {
		echo "exit $?"
		return 1
	}
	arrives 1 && empty $T/volume && is "$(stat -c %u "/proc/$(runner)")" 74000
}
check "a container with a volume: sendmail starts the runner" container
again()
{
	contained sendmail -f x@sender.example u@one.example < $T/msg &&
	    arrives 2 && stop_runner &&
	    contained sendmail -f x@sender.example u@one.example < $T/msg &&
	    arrives 3 && empty $T/volume
}
check "a runner that is there, and one that has gone" again
mx_stop a
check "what cannot be delivered stays" eval '
    contained sendmail -f x@sender.example u@one.example < $T/msg &&
    await 20 eval "contained mailq -j |
	json '\''d[\"recipients\"][0][\"attempts\"] == 1'\''"'
mx_start a=192.0.2.11
check "and is tried again" eval 'contained sendmail -q && arrives 4'
check "a full volume: to be sent again" eval '
    mount -o remount,size=64k $T/volume
    head -c 70000 /dev/zero > $T/volume/fill 2> /dev/null
    rc=0
    contained sendmail u@one.example < $T/msg 2> $T/err || rc=$?
    is "$rc" 75 && has "$(cat $T/err)" "No space left"'
stop_runner

finish
