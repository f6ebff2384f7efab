#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Servers without 8BITMIME get the same message in another form (RFC 6152):
# generated messages (generate.py), read by two parsers before and after.

. "${top_srcdir:-$(dirname "$0")/../..}/tests/e2e/lib.sh"
start "$@"
: "${MESSAGES:=100}" "${SEED:=2}"
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

dns_start
mx_start home=192.0.2.10 a=192.0.2.11,no8bit
mkdir $T/messages

# ---- what the octets are ---------------------------------------------------

printf 'Subject: x\n\nüber = alles \n.\nFrom here\n' | send -i u@one.example
run
check "a text is quoted-printable there" has "$(mx_eml a | tr -d '\r')" \
    '^Content-Transfer-Encoding: quoted-printable$' \
    '^Content-Type: text/plain; charset=utf-8$' '^=C3=BCber =3D alles=20$' \
    '^\.$' '^From here$'
check "8BITMIME is not said" json_of $T/mail/a/0001.json \
    'not any("BODY" in o for o in d["mail_options"])'
mx_clear
printf 'Subject: x\n\nplain = text\n' | send -i u@one.example
run
check "a text in ASCII is not touched" has "$(mx_eml a | tr -d '\r')" \
    '^plain = text$'
check "nor declared" lacks "$(mx_eml a)" '^Content-'

# A signed part and one that is not.
mx_clear
cat > $T/msg << 'END'
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/signed; boundary=s; micalg=x; protocol="a/b"

--s
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

signé
--s
Content-Type: a/b

x
--s--
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

clair
é
--b--
END
send -i u@one.example < $T/msg
run
check "what is signed arrives as it was, the rest is converted" has \
    "$(mx_eml a | tr -d '\r')" '^signé$' '^=C3=A9$'

# ---- a large one -----------------------------------------------------------

mx_clear
"$PY" -c '
print("Subject: big\nMIME-Version: 1.0\nContent-Type: multipart/mixed;"
      " boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n"
      "Content-Transfer-Encoding: 8bit\n\n" + "ü. -x\n" * 400000 +
      "--b\nContent-Type: text/plain\n\n" + "ascii = text\n" * 100000 +
      "--b--")' > $T/msg
send -i u@one.example < $T/msg
cp $SPOOL/drop/* $T/big
"$PY" -c '
import sys
data = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(data[data.index(b"\nM0:\n") + 5:-27])' \
    $T/big $T/messages/1.wire
run
check "4 MB, in two parts" "$PY" "$E2E/sevenbit.py" $T/messages $T/mail/a

# ---- generated ones --------------------------------------------------------

if perl -MMIME::Parser -e 1 2> /dev/null; then
	mx_clear
	rm -f $T/messages/*
	quietly()
	{
		quiet "$PY" "$E2E/generated.py" "$SPOOL" $T/messages "$SEED" \
		    1 "$MESSAGES" keep
	}
	check "messages are made" quietly
	run
	check "two readers find in each what was sent" "$PY" \
	    "$E2E/sevenbit.py" $T/messages $T/mail/a perl
else
	skip "two readers find in each what was sent" "MIME::Parser is missing"
fi

finish
