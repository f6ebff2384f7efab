#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Whether a message arrived as its author gave it.

judge.py GIVEN RECEIVED: two files.  The body must be the same octet by
octet, line ends aside; so must every field, in the order that they had, but

  Bcc and Return-Path	must be gone
  fields of addresses	may have got the domain sender.example
  8-bit text		must mean the same as encoded words
  trace and missing fields (ADDED) may be new, where none was given

Prints what differs, and fails.
"""

import email.header
import re
import sys

GONE = {"bcc", "return-path"}
ADDED = {"received", "date", "message-id", "from", "to", "mime-version",
         "content-type", "content-transfer-encoding"}
ADDRESSES = {"from", "to", "cc", "sender", "reply-to"}


def split(path):
    """Fields as (name, whole text), and the body."""
    with open(path, "rb") as f:
        data = re.sub(rb"\r*\n", b"\r\n", f.read())
    data = re.sub(rb"\A>?From [^\r]*\r\n", b"", data)
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    header, _, body = (b"\r\n" + data).partition(b"\r\n\r\n")
    texts = re.split(rb"\r\n(?![ \t])", header[2:])
    fields = [(t.partition(b":")[0].decode("latin-1").strip().lower(), t)
              for t in texts if t]
    return fields, body


def meaning(name, text):
    """What must be the same."""
    if any(c > 127 for c in text):
        text = text.decode("utf-8").encode("utf-8")
        return b"".join(text.split())
    if b"=?utf-8?B?" in text:
        text = re.sub(rb"\r\n", b"", text)
        parts = email.header.decode_header(text.decode("ascii"))
        text = b"".join(p.encode() if isinstance(p, str) else p
                        for p, _ in parts)
        return b"".join(text.split())
    if name in ADDRESSES:
        text = text.replace(b"@sender.example", b"")
    return text


def compare(given, received):
    """The first difference of the fields, or None."""
    names = {name for name, _ in given}
    left = [f for f in received if f[0] in names]
    for name, text in received:
        if name in GONE:
            return "%s is still there" % name
        if name not in names and name not in ADDED:
            return "%r came from nowhere" % text
    for name, text in given:
        if name in GONE:
            continue
        while left and left[0][0] != name and left[0][0] == "received":
            left.pop(0)
        if not left:
            return "%r is lost" % text
        got = left.pop(0)
        if (name, meaning(name, text)) != (got[0], meaning(*got)):
            return "given %r\nreceived %r" % (text, got[1])
    return "%r is new" % left[0][1] if left else None


def main():
    given, given_body = split(sys.argv[1])
    received, body = split(sys.argv[2])
    wrong = compare(given, received)
    if wrong is None and body != given_body:
        wrong = "body given %r\nreceived %r" % (given_body, body)
    if wrong:
        sys.exit(wrong)


main()
