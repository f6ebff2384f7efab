#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Generated messages keep their meaning: see generate.py for what they are and
# generated.py for what must stay.  MESSAGES says how many [400]; `make
# check-messages' takes 10,000.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
E2E_TIMEOUT=${TEST_TIMEOUT:-240}
start "$@"
perl -MMIME::Parser -e 1 2> /dev/null || skip_all "MIME::Parser is missing"
: "${MESSAGES:=400}" "${SEED:=1}"
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

dns_start
mx_start home=192.0.2.10 a=192.0.2.11
mkdir $T/messages
# where a runner may not be started
quietly()
{
	quiet "$PY" "$E2E/generated.py" "$SPOOL" $T/messages "$SEED" "$@"
}
check "what two readers find is what was given" quietly 1 "$MESSAGES"

# The receiver has octet for octet what sendmail wrote.
delivered()
{
	rm -f $T/messages/*
	quietly 1 "$1" keep || return
	run
	is "$(mx_count a)" "$1" || { runner_log; return 1; }
	"$PY" -c '
import glob, sys
sent = {open(f, "rb").read() for f in glob.glob("'$T'/messages/*.wire")}
got = {open(f, "rb").read() for f in glob.glob("'$T'/mail/a/*.eml")}
for message in got - sent:
    print("not what was sent: %r" % message[:2000])
sys.exit(sent != got)'
}
check "and it is what is delivered" delivered $((MESSAGES / 4))

finish
