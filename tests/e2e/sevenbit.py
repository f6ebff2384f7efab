#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Messages that went to a server without 8BITMIME.

sevenbit.py SENT GOT [PERL]: two directories.  Each message in SENT (*.wire) is
in GOT (*.eml), found by the identifier that sendmail gave it, with the same
types of parts and the same text in each, as Python's parser reads them, and
MIME::Parser of Perl.
Outside of the header, and of what is signed, it has no octet outside ASCII.
"""

import base64
import email
import glob
import os
import re
import subprocess
import sys


def read(names):
    found = {}
    for name in names:
        with open(name, "rb") as f:
            data = f.read()
        found[re.search(rb"\bid (\w{20});", data)[1]] = (name, data)
    return found


def plain(text):
    """Whether the last line has an end is for the reader to say."""
    return text.replace(b"\r\n", b"\n").rstrip(b"\n")


def leaves(data):
    """Type and text of each part."""
    return [(part.get_content_type(), None if part.is_multipart() else
             plain(part.get_payload(decode=True)))
            for part in email.message_from_bytes(data).walk()]


def perl(names):
    """The same, of each file."""
    reader = os.path.join(os.path.dirname(sys.argv[0]), "reader.pl")
    out = subprocess.run(["perl", reader], input="\n".join(names) + "\n",
                         stdout=subprocess.PIPE, check=True,
                         encoding="ascii").stdout
    found, parts = {}, []
    for line in out.splitlines():
        words = (line.split(" ") + [""])[:3]
        if line == ".":
            found[names[len(found)]] = parts
            parts = []
        elif words[0] == "P":
            parts.append((words[1], plain(base64.b64decode(words[2]))))
    return found


def is_seven(data):
    body = data.partition(b"\r\n\r\n")[2]
    return b"multipart/signed" in data or max(body, default=0) < 128


def wrong(sent, got, by_perl):
    if not is_seven(got[1]):
        return "octets outside ASCII in the body"
    if leaves(sent[1]) != leaves(got[1]):
        return "Python reads other parts"
    if by_perl and by_perl[sent[0]] != by_perl[got[0]]:
        return "Perl reads other parts"
    if max(map(len, got[1].split(b"\r\n"))) > 998:
        return "a long line"
    return None


def main():
    sent = read(glob.glob(sys.argv[1] + "/*.wire"))
    got = read(glob.glob(sys.argv[2] + "/*.eml"))
    failed = set(sent) != set(got)
    if failed:
        print("sent %d, got %d" % (len(sent), len(got)))
    by_perl = perl([name for name, _ in list(sent.values()) +
                    list(got.values())]) if len(sys.argv) > 3 else None
    changed = 0
    for ident in set(sent) & set(got):
        why = wrong(sent[ident], got[ident], by_perl)
        changed += sent[ident][1] != got[ident][1]
        if why:
            failed = True
            print("%s and %s: %s" % (sent[ident][0], got[ident][0], why))
    print("%d messages, %d of them converted" % (len(sent), changed))
    sys.exit(failed or changed == 0)


main()
