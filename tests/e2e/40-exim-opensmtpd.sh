#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Exim and OpenSMTPD as the receivers, over STARTTLS.  They cannot be installed
# beside Postfix, so E2E_MTAS names a directory into which their packages were
# unpacked, and its parts are mounted where the programs look for them.  The
# TLS of Debian 12's OpenSMTPD breaks off in the handshake ("EVP lib"): there
# the mail must arrive all the same, in clear text on a second connection.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
X=${E2E_MTAS:-}
[ -x "$X/usr/sbin/exim4" ] && [ -x "$X/usr/sbin/smtpd" ] ||
    skip_all "E2E_MTAS has no exim4 and smtpd"
export E2E_MTAS
start "$@"
need_multi

# The users and directories that are compiled in.
for u in Debian-exim:64910 opensmtpd:64911 opensmtpq:64912; do
	echo "${u%:*}:x:${u#*:}:${u#*:}::/nonexistent:/bin/false" >> /etc/passwd
	echo "${u%:*}:x:${u#*:}:" >> /etc/group
done
mkdir -p /usr/libexec 2> /dev/null
mount -t overlay -o "lowerdir=$X/usr/libexec:/usr/libexec" overlay \
    /usr/libexec 2> /dev/null || skip_all "cannot mount over /usr/libexec"
for d in /var/spool /var/lib /run; do
	mount -t tmpfs -o mode=755 tmpfs $d || skip_all "cannot mount over $d"
done
mkdir -p /var/lib/opensmtpd/empty $T/exlog $T/exspool $T/exmail $T/osmail
chown Debian-exim $T/exlog $T/exspool
chmod 1777 $T/exmail $T/osmail
make_cert ex ex-mx.example
make_cert os os-mx.example
chown Debian-exim $T/ex.key
chmod 600 $T/os.key

cat > $T/exim.conf << END
primary_hostname = ex-mx.example
spool_directory = $T/exspool
log_file_path = $T/exlog/%s
exim_path = $X/usr/sbin/exim4
local_interfaces = 192.0.2.31
daemon_smtp_ports = 25
tls_advertise_hosts = *
tls_certificate = $T/ex.crt
tls_privatekey = $T/ex.key
recipients_max = 2
deliver_drop_privilege = true
acl_smtp_rcpt = rcpt
keep_environment =
begin acl
rcpt:
  accept domains = ex.example
         local_parts = u1 : u2 : u3 : u4 : u5
  deny message = no such user
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = $T/exmail
  maildir_format
  create_directory
  envelope_to_add
  user = Debian-exim
END
cat > $T/smtpd.conf << END
pki os cert "$T/os.crt"
pki os key "$T/os.key"
listen on 192.0.2.32 port 25 tls pki os hostname os-mx.example
action box maildir "$T/osmail/%{user.username}"
match from any for domain "os.example" action box
END
there "$X/usr/sbin/exim4" -C $T/exim.conf -bdf -q1h > $T/log/exim-out 2>&1 &
there "$X/usr/sbin/smtpd" -d -f $T/smtpd.conf > $T/log/smtpd 2>&1 &

zone_add << 'END'
ex	MX	10 ex-mx
ex-mx	A	192.0.2.31
os	MX	10 os-mx
os-mx	A	192.0.2.32
END
dns_start
mx_start home=192.0.2.10
greets()
{
	"$PY" -c '
import smtplib, sys
smtplib.SMTP(sys.argv[1], timeout=5).quit()' "$1"
}
await 20 greets 192.0.2.31 || die "Exim does not answer" "$(cat $T/log/exim-out $T/exlog/*)"
await 20 greets 192.0.2.32 || die "OpenSMTPD does not answer" \
    "$(cat $T/log/smtpd)"

# box DIR: how many messages are in it; first DIR: the text of one.
box()
{
	find "$1/new" -type f 2> /dev/null | wc -l | tr -d ' '
}
first()
{
	cat "$1/new"/*
}
body()
{
	printf '%s\n' "$1" | tr -d '\r' | sed '1,/^$/d'
}

printf 'Subject: dots\n\n.a line\n..\n.\nend\n' > $T/msg
send -i -f alice@sender.example u1@ex.example < $T/msg
send -i -f alice@sender.example bob@os.example < $T/msg
run
check "Exim has it" await 20 eval 'test "$(box $T/exmail)" = 1'
check "OpenSMTPD has it" await 20 eval 'test "$(box $T/osmail/bob)" = 1'
check "Exim: over TLS" has "$(first $T/exmail)" 'with esmtps.*TLS'
check "OpenSMTPD: over TLS, or after a handshake that failed" has \
    "$(runner_log)" 'os-mx\.example.*(TLSv1|trying again without TLS)'
for box in $T/exmail $T/osmail/bob; do
	check "the body is as it was: $box" is "$(body "$(first $box)")" \
	    "$(printf '.a line\n..\n.\nend')"
done
check "the queue is empty" is "$(drop_count) $(queued)" "0 0"

mail no-such-user@ex.example
mail no-such-user@os.example
run; run
check "unknown users bounce" await 10 eval 'test "$(mx_count home)" = 2'
check "with the words of each" has "$(cat $T/mail/home/*.eml)" \
    'no such user' 'no-such-user@os\.example' '550'

# Exim takes two recipients in a transaction: 452 for the others
: > $T/log/runner
mail u1@ex.example u2@ex.example u3@ex.example u4@ex.example u5@ex.example
run
check "five recipients, two at a time: nothing waits" is \
    "$(drop_count) $(queued)" "0 0"
check "all five have it" await 20 eval 'test "$(box $T/exmail)" = 6'
check "each once" is "$(grep -h '^Envelope-to:' $T/exmail/new/* | sort | xargs)" \
    "$(for i in 1 1 2 3 4 5; do echo "Envelope-to: u$i@ex.example"; done |
    xargs)"
check "over one connection" is "$(runner_log | grep -c 'route: ')" 1
check "Exim saw no protocol error" lacks "$(cat $T/log/exim-out $T/exlog/*)" \
    'synchronization|protocol error|unexpected|panic'

finish
