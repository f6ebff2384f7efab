# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034
#
# The ground of the end-to-end tests: sourced first by every NN-topic.sh and
# by demo.sh, it runs the script again in namespaces of its own (mount,
# network, process), so that nothing of the machine is touched, nothing needs
# a free port, and nothing survives the script.
#
#	here	192.0.2.1, 2001:db8::1: the sender; the scripts run here
#	there	192.0.2.53: name server; 192.0.2.10 to .99 and 2001:db8::10 to
#		::1f: receivers.  A second network namespace behind a veth,
#		because the programs under test never send to an address of
#		their own host.
#
# /mnt becomes a tmpfs: /mnt/mxnss the installed tree with an etc, var and run
# of this test only, $T (/mnt/t) its files, $ETC (/mnt/etc) a copy of /etc that
# is mounted over it.
#
# As root the real uids are there: the spool belongs to _mxnss, mail is
# submitted by alice or bob ($MULTI is 1).  Anybody else gets a user
# namespace with one uid, and tests that need two are skipped.
#
# Environment: E2E_STAGE, where the tree was installed with DESTDIR;
# top_srcdir, top_builddir.  Results are TAP: `ok N - name', `not ok N -
# name', `ok N - name # SKIP reason', and the plan at the end.  Exit 77: all
# was skipped, and `1..0 # SKIP reason' says why.

set -u
LC_ALL=C TZ=UTC
export LC_ALL TZ
umask 022

E2E_NAME=$(basename "$0" .sh)
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${top_builddir:=$top_srcdir}"
E2E=$top_srcdir/tests/e2e
PATH=$PATH:/usr/sbin:/sbin

# ---- results ---------------------------------------------------------------

n_cases=0
n_failed=0

skip_all()
{
	echo "1..0 # SKIP $*"
	exit 77
}

# pass NAME, fail NAME [TEXT], skip NAME REASON
pass()
{
	n_cases=$((n_cases + 1))
	echo "ok $n_cases - $1"
}
fail()
{
	n_cases=$((n_cases + 1))
	n_failed=$((n_failed + 1))
	echo "not ok $n_cases - $1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}
skip()
{
	n_cases=$((n_cases + 1))
	echo "ok $n_cases - $1 # SKIP $2"
}

# die TEXT: the test cannot go on.
die()
{
	fail "$@"
	finish
}

# check NAME COMMAND...: one case; what a failing COMMAND prints is the reason.
check()
{
	check_name=$1
	shift
	if check_out=$("$@" 2>&1); then
		pass "$check_name"
	else
		fail "$check_name" "$check_out"
	fi
}

# Assertions, to be run by check or &&; they say what they saw.
is()
{
	[ "$1" = "$2" ] && return
	printf 'got:  %s\nwant: %s\n' "$1" "$2"
	return 1
}
has()	# TEXT ERE...
{
	has_text=$1
	shift
	for has_re; do
		printf '%s\n' "$has_text" | grep -Eq -e "$has_re" && continue
		printf 'no line like: %s\nin:\n%s\n' "$has_re" "$has_text"
		return 1
	done
}
lacks()	# TEXT ERE
{
	printf '%s\n' "$1" | grep -Eq -e "$2" || return 0
	printf 'a line like: %s\nin:\n%s\n' "$2" "$1"
	return 1
}
# quote TEXT: an ERE that matches just that.
quote()
{
	printf '%s\n' "$1" | sed 's/[][().*+?{}|^$\\]/\\&/g'
}
# json EXPR [ARG...] < JSON: EXPR in Python over d, the first object, and docs,
# the list of them; ARG in argv.
json()
{
	"$PY" -c '
import json, sys
text = sys.stdin.read()
docs = [json.loads(line) for line in text.splitlines() if line.strip()]
d = docs[0] if docs else None
argv = sys.argv[2:]
try:
    good = eval(sys.argv[1].replace("\n", " "))
except Exception as e:
    good = repr(e)
if good is not True:
    print("not so: %s (%s)\nin: %s" % (sys.argv[1], good, text[:2000]))
    sys.exit(1)' "$@"
}
# json_of FILE EXPR, for use with check
json_of()
{
	json "$2" < "$1"
}

# The end of every test script.  What a sanitizer said in a process that nobody
# waited for counts too.
finish()
{
	finish_found=$(grep -rhE -A 12 \
	    'Sanitizer: |runtime error: ' $T/log $T/*.err 2> /dev/null)
	[ -z "$finish_found" ] || fail "no report of a sanitizer" "$finish_found"
	echo "1..$n_cases"
	[ "$n_failed" -eq 0 ]
	exit
}

# await SECONDS COMMAND...: poll until COMMAND succeeds.
await()
{
	await_n=$(($1 * 20))
	shift
	while ! "$@" > /dev/null 2>&1; do
		await_n=$((await_n - 1))
		[ "$await_n" -gt 0 ] || return 1
		sleep 0.05
	done
}

# ---- namespaces ------------------------------------------------------------

need()
{
	for need_cmd; do
		command -v "$need_cmd" > /dev/null 2>&1 ||
		    skip_all "$need_cmd is not installed"
	done
}

find_python()
{
	for PY in /usr/bin/python3 python3; do
		"$PY" -c 'import aiosmtpd' 2> /dev/null && return
	done
	skip_all "Python with aiosmtpd is not installed"
}

# Run "$0" again inside; returns only there.
enter()
{
	[ -z "${E2E_INSIDE:-}" ] || return 0
	[ -n "${E2E_STAGE:-}" ] || skip_all "E2E_STAGE is not set: make e2e-stage"
	[ -x "$E2E_STAGE/mnt/mxnss/sbin/sendmail" ] ||
	    skip_all "no staged tree in $E2E_STAGE: make e2e-stage"
	need unshare nsenter ip nsd openssl flock setpriv
	find_python
	if [ "$(id -u)" -eq 0 ]; then
		E2E_INSIDE=multi
		set -- -mnp --propagation private -- "$@"
	else
		E2E_INSIDE=single
		set -- -rmnp --propagation private -- "$@"
	fi
	export E2E_INSIDE E2E_STAGE PY top_srcdir top_builddir
	unshare "$1" --fork true 2> /dev/null || skip_all \
	    "no private namespace here (needs CAP_SYS_ADMIN or user namespaces)"
	while [ "$1" != -- ]; do
		E2E_UNSHARE="${E2E_UNSHARE:-} $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # a list of options
	exec timeout --foreground -k 10 "${E2E_TIMEOUT:-240}" \
	    unshare $E2E_UNSHARE --fork --kill-child sh "$0" "$@"
}

# The shell is process 1 of its namespace: when it ends the kernel ends all
# that it started, and the mounts and networks go with them.
leave()
{
	leave_rc=$?
	trap - EXIT
	if [ "$n_failed" -gt 0 ]; then
		leave_dir=$top_builddir/tests/e2e/failed/$E2E_NAME
		rm -rf "$leave_dir"
		mkdir -p "$leave_dir" && cp -R "$T/." "$leave_dir/" \
		    2> /dev/null
		echo "# the files of this run: $leave_dir"
	fi
	exit "$leave_rc"
}

T=/mnt/t
ETC=/mnt/etc
P=/mnt/mxnss
RUNNER=$P/libexec/mxnss/runner
SPOOL=$P/var/spool/mxnss
CONF=$P/etc/mxnss.conf
MXHOSTS=$P/etc/mxhosts

private_tree()
{
	mount -t tmpfs -o mode=755 tmpfs /mnt || return
	mkdir -p $T $P
	for tree_dir in "$E2E_STAGE$P"/*; do
		tree_to=$P/${tree_dir##*/}
		mkdir "$tree_to"
		case $tree_to in
		*/etc)	cp -R "$tree_dir/." "$tree_to/" ;;
		*/var|*/run) ;;
		*)	mount --bind "$tree_dir" "$tree_to" || return ;;
		esac
	done
	mkdir -p $P/etc $P/var $P/run/mxnss $T/mail $T/log
	mount -t tmpfs -o mode=755 tmpfs $P/var || return
	PATH=$P/sbin:$P/bin:$PATH
}

# /etc becomes a copy of itself, so that what the tests change in it is theirs.
private_etc()
{
	mkdir $ETC
	cp -a /etc/. $ETC/ 2> /dev/null	# not all may be readable
	rm -f $ETC/resolv.conf $ETC/hosts $ETC/nsswitch.conf $ETC/mailname
	echo "nameserver 192.0.2.53" > $ETC/resolv.conf
	printf '127.0.0.1 localhost\n192.0.2.1 client.sender.example client\n' \
	    > $ETC/hosts
	{
		echo "passwd: files"
		echo "group: files"
		echo "hosts: files dns"
	} > $ETC/nsswitch.conf
	grep -q '^_mxnss:' $ETC/passwd ||
	    echo "_mxnss:x:64901:64901::/nonexistent:/bin/false" >> $ETC/passwd
	grep -q '^_mxnss:' $ETC/group || echo "_mxnss:x:64901:" >> $ETC/group
	grep -q '^_mxdrop:' $ETC/group || echo "_mxdrop:x:64904:" >> $ETC/group
	cat >> $ETC/passwd << 'END'
alice:x:64902:64902:Alice Sender:/:/bin/sh
bob:x:64903:64903:Bob Builder:/:/bin/sh
END
	printf 'alice:x:64902:\nbob:x:64903:\n' >> $ETC/group
	mount --bind $ETC /etc || return
	{
		echo "hostname: client.sender.example"
		echo "mail-name: sender.example"
		echo "log: stderr"
		echo "connect-timeout: 3s"
	} > $CONF
	: > $MXHOSTS
}

# The mode of a directory that anybody may submit to, and that of one that
# belongs to the one uid there is (design: drop/).
make_spool()
{
	mkdir -p "$SPOOL"/drop "$SPOOL"/queue "$SPOOL"/host "$SPOOL"/bad \
	    "$SPOOL"/dead
	echo 1 > "$SPOOL/VERSION"
	chmod 0711 "$SPOOL"
	chmod 0700 "$SPOOL"/*/
	if [ "$MULTI" -eq 1 ]; then
		chown -R _mxnss:_mxnss "$SPOOL" $P/run/mxnss
		chown _mxnss:_mxdrop "$SPOOL/drop"
		chmod 3733 "$SPOOL/drop"
	fi
}

network()
{
	ip link set lo up || return
	ip link add mx0 type veth peer name mx1 2> /dev/null || return
	unshare -n sleep 100000 &
	THERE=$!
	network_own=$(readlink /proc/self/ns/net)
	await 10 network_other "$network_own" || return
	ip link set mx1 netns "$THERE" || return
	there ip link set lo up
	ip addr add 192.0.2.1/24 dev mx0
	ip link set mx0 up
	there ip link set mx1 up
	ip addr add 2001:db8::1/64 dev mx0 nodad 2> /dev/null
	{
		echo "addr add 192.0.2.53/24 dev mx1"
		for network_i in 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 \
		    25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 54; do
			echo "addr add 192.0.2.$network_i/24 dev mx1"
		done
	} | there ip -batch -
	for network_i in 10 11 12 13; do
		there ip addr add 2001:db8::$network_i/64 dev mx1 nodad \
		    2> /dev/null
	done
	ip -6 addr show dev mx0 2> /dev/null | grep -q 2001:db8::1/64 &&
	    HAVE_IPV6=1
	return 0
}
network_other()
{
	[ "$(readlink "/proc/$THERE/ns/net")" != "$1" ]
}

# there COMMAND...: in the network of the servers.
there()
{
	nsenter --net="/proc/$THERE/ns/net" -- "$@"
}

# as USER COMMAND...: as that user; with one uid, as that.
as()
{
	as_user=$1
	shift
	if [ "$MULTI" -eq 1 ] && [ "$as_user" != root ]; then
		setpriv --reuid="$as_user" --regid="$as_user" --clear-groups \
		    -- "$@"
	else
		"$@"
	fi
}

HAVE_IPV6=0
MULTI=0

start()
{
	enter "$@"
	[ "$E2E_INSIDE" = multi ] && MULTI=1
	trap leave EXIT
	trap 'exit 130' INT TERM
	mount -t proc proc /proc 2> /dev/null ||
	    skip_all "cannot mount /proc in a private namespace"
	private_tree || skip_all "cannot mount in a private namespace"
	private_etc || skip_all "cannot mount over /etc"
	network || skip_all "cannot make a pair of network interfaces (veth)"
	make_spool
	cd $T || exit
}

# need_multi: the rest of the script needs several uids.
need_multi()
{
	[ "$MULTI" -eq 1 ] || skip_all "needs root: several uids take part"
}

# ---- name server -----------------------------------------------------------

# The zone of all tests; a script adds its own with zone_add before dns_start.
zone_base()
{
	cat << 'END'
$ORIGIN example.
$TTL 300
@	SOA	ns hostmaster 1 3600 600 86400 60
	NS	ns
ns	A	192.0.2.53
; the exchanges
a	A	192.0.2.11
b	A	192.0.2.12
c	A	192.0.2.13
six	AAAA	2001:db8::11
; the sender's own domain, where bounces go
sender	MX	10 home
client.sender A	192.0.2.1
home	A	192.0.2.10
; the domains of the matrix
one	MX	10 a
three	MX	20 b
	MX	30 c
	MX	10 a
equal	MX	10 a
	MX	10 b
	MX	10 c
aonly	A	192.0.2.11
aaaaonly AAAA	2001:db8::11
null	MX	0 .
cname	MX	10 alias
alias	CNAME	a
numeric	MX	10 192.0.2.1.
missing	MX	10 nowhere
self	MX	10 client.sender
END
	zone_i=1
	while [ $zone_i -le 60 ]; do
		echo "sixty	MX	$zone_i m$zone_i"
		echo "m$zone_i	A	192.0.2.11"
		zone_i=$((zone_i + 1))
	done
}

zone_add()
{
	cat >> $T/zone.add
}

# nsd, with the zone example. and a zone broken. that it cannot load; and the
# names of 192.0.2.0/24, if a script wrote $T/reverse.zone.
dns_start()
{
	: >> $T/zone.add
	{ zone_base; cat $T/zone.add; } > $T/example.zone
	cat > $T/nsd.conf << END
server:
	ip-address: 192.0.2.53
	port: 53
	username: ""
	chroot: ""
	zonesdir: "$T"
	database: ""
	pidfile: "$T/nsd.pid"
	xfrdfile: "$T/xfrd.state"
	xfrdir: "$T"
	zonelistfile: "$T/zone.list"
	server-count: 1
	rrl-ratelimit: 0
	rrl-whitelist-ratelimit: 0
	verbosity: 1
	logfile: "$T/log/nsd"
remote-control:
	control-enable: no
zone:
	name: example.
	zonefile: example.zone
zone:
	name: broken.
	zonefile: no-such-file
END
	if [ -s $T/reverse.zone ]; then
		printf 'zone:\n\tname: 2.0.192.in-addr.arpa.\n' >> $T/nsd.conf
		printf '\tzonefile: reverse.zone\n' >> $T/nsd.conf
	fi
	there nsd -d -c $T/nsd.conf > $T/log/nsd.out 2>&1 &
	await 10 dns_answers example. || {
		die "nsd does not answer" "$(cat $T/log/nsd $T/log/nsd.out)"
	}
}

# dns_answers NAME: whether the name server answers a query for it.
dns_answers()
{
	"$PY" -c '
import socket, sys
name = b"".join(bytes([len(l)]) + l
    for l in sys.argv[1].encode().rstrip(b".").split(b".")) + b"\0"
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.connect(("192.0.2.53", 53))
s.send(b"\x12\x34\0\0\0\1\0\0\0\0\0\0" + name + b"\0\6\0\1")
sys.exit(s.recv(512)[3] & 15)' "$1"
}

# ---- receivers -------------------------------------------------------------

# make_cert NAME DNSNAME: $T/NAME.pem (key and chain) from the authority of
# this run, $T/ca.pem, which is made on first use.
make_cert()
{
	[ -f $T/ca.pem ] || openssl req -x509 -newkey ec \
	    -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
	    -subj "/CN=end-to-end test" -keyout $T/ca.key -out $T/ca.pem \
	    2>> $T/log/openssl || return
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	    -subj "/CN=$2" -keyout "$T/$1.key" -out "$T/$1.csr" \
	    2>> $T/log/openssl || return
	echo "subjectAltName = DNS:$2" > "$T/$1.ext"
	openssl x509 -req -in "$T/$1.csr" -CA $T/ca.pem -CAkey $T/ca.key \
	    -CAcreateserial -days 2 -extfile "$T/$1.ext" -out "$T/$1.crt" \
	    2>> $T/log/openssl || return
	cat "$T/$1.key" "$T/$1.crt" > "$T/$1.pem"
}

# mx_start NAME=ADDR[:PORT][,option...]...: receivers, see receiver.py; one
# process each.  mx_stop NAME; mx_start again brings it back.
mx_start()
{
	for mx_spec; do
		mx_name=${mx_spec%%=*}
		rm -f "$T/mail/$mx_name.ready"
		there "$PY" "$E2E/receiver.py" -d $T/mail "$mx_spec" \
		    >> "$T/log/mx-$mx_name" 2>&1 &
	done
	for mx_spec; do
		mx_name=${mx_spec%%=*}
		await 20 test -s "$T/mail/$mx_name.ready" ||
		    die "receiver $mx_spec does not start" \
			"$(cat "$T/log/mx-$mx_name")"
	done
}
mx_stop()
{
	for mx_name; do
		mx_pid=$(cat "$T/mail/$mx_name.ready")
		kill "$mx_pid" && await 10 gone "$mx_pid" ||
		    die "receiver $mx_name does not stop"
	done
}
# gone PID: whether the process has ended; one that nobody has waited for
# yet, as in a subshell of check, has.
gone()
{
	! kill -0 "$1" || grep -q '^State:.Z' "/proc/$1/status"
}

# mx_count NAME...: messages received there; mx_total: by all.
mx_count()
{
	find $T/mail -path "$T/mail/$1/*.json" | wc -l | tr -d ' '
}
mx_total()
{
	find $T/mail -name '*.json' | wc -l | tr -d ' '
}
# mx_connections NAME
mx_connections()
{
	cat "$T/mail/$1/connections" 2> /dev/null | wc -l | tr -d ' '
}
# mx_who: which receivers have mail, as "a:1 home:2".
mx_who()
{
	for mx_dir in $T/mail/*/; do
		mx_dir=${mx_dir%/}
		mx_n=$(mx_count "${mx_dir##*/}")
		[ "$mx_n" -eq 0 ] || printf '%s:%s ' "${mx_dir##*/}" "$mx_n"
	done | sed 's/ $//'
}
# mx_eml NAME [N]: the N-th message as received; mx_json: its envelope.
mx_eml()
{
	cat "$T/mail/$1/$(printf '%04d' "${2:-1}").eml"
}
mx_json()
{
	cat "$T/mail/$1/$(printf '%04d' "${2:-1}").json"
}
# mx_clear: forget all received mail.
mx_clear()
{
	rm -f $T/mail/*/*.json $T/mail/*/*.eml $T/mail/*/connections
}

# ---- the programs ----------------------------------------------------------

# send ARG...: alice runs sendmail ARG... with the message on standard input;
# or with one made up if that is a terminal or empty.  Sets RC, OUT and ERR.
send()
{
	send_as alice "$@"
}
send_as()
{
	send_user=$1
	shift
	RC=0
	quiet as "$send_user" sendmail "$@" \
	    > $T/send.out 2> $T/send.err || RC=$?
	OUT=$(cat $T/send.out)
	ERR=$(cat $T/send.err)
}
# quiet COMMAND...: while it runs it looks as if a runner were at work, so that
# sendmail starts none: that is left to the test.
quiet()
{
	(
		[ ! -d "$SPOOL/queue" ] || flock -n 9 || :
		quiet_rc=0	# not the last command: it would be executed
		"$@" 9>&- || quiet_rc=$?	# in place and drop the lock
		exit $quiet_rc
	) 9< "$([ -d "$SPOOL/queue" ] && echo "$SPOOL/queue" || echo .)"
}
# mail RCPT...: a small message from alice.  Fails unless sendmail exits 0.
mail()
{
	send -f alice@sender.example "$@" << END
Subject: to $*

hello
END
	[ "$RC" -eq 0 ] || echo "# sendmail exited $RC: $ERR"
	return "$RC"
}

# run: everything that is due, now, to the end.  The log is $T/log/runner.
run()
{
	"$RUNNER" --once 2>> $T/log/runner
}
# flush: everything that waits is due.
flush()
{
	quiet sendmail -q > /dev/null 2>&1
	run
}
# queue: mailq -j as root
queue()
{
	mailq -j
}
queued()
{
	mailq -j | wc -l | tr -d ' '
}
drop_count()
{
	find "$SPOOL/drop" -type f | wc -l | tr -d ' '
}
# conf KEY VALUE: set KEY in mxnss.conf.
conf()
{
	{
		sed "/^$1:/d" $CONF
		echo "$1: $2"
	} > $T/conf.new
	cat $T/conf.new > $CONF
}
# empty_queue: remove every message, so that the next case starts clean.
empty_queue()
{
	find "$SPOOL"/drop "$SPOOL"/queue "$SPOOL"/host "$SPOOL"/bad \
	    "$SPOOL"/dead -mindepth 1 -delete
}
runner_log()
{
	cat $T/log/runner 2> /dev/null
}
