#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Generated messages through sendmail, read by two readers of mail.

generated.py SPOOL DIR SEED FIRST LAST [KEEP]: messages FIRST to LAST of
generate.py.  Each is given to sendmail, taken out of SPOOL/drop, and compared
with what it should be, first by the parser of Python, and then, all at once,
by MIME::Parser of Perl (reader.pl).  KEEP: the messages stay in drop/ to be
delivered, all to u@one.example; DIR gets N.wire for each.

Prints one line for each message that has changed, with what is needed to see
it again, and fails if there was one.
"""

import base64
import email
import email.header
import email.utils
import os
import re
import subprocess
import sys

from generate import Generator

ADDED = {"received", "date", "message-id", "from", "to", "mime-version",
         "content-type", "content-transfer-encoding"}
ADDRESSES = {"from", "to", "cc", "sender", "reply-to"}
MIME = {"mime-version", "content-type", "content-transfer-encoding"}


class Changed(Exception):
    """What became of a message is not what it was."""


def same(what, given, got):
    if given == got:
        return
    given, got = repr(given), repr(got)
    at = max(0, len(os.path.commonprefix([given, got])) - 60)
    raise Changed("%s: given ...%s, got ...%s" % (
        what, given[at:at + 200], got[at:at + 200]))


# ---- the file in drop/ ------------------------------------------------------

def records(data):
    """Envelope records, and the message in wire form."""
    at = data.index(b"\n") + 1
    found = []
    while True:
        kind, colon = data[at:at + 1], data.index(b":", at)
        end = colon + 1 + int(data[at + 1:colon])
        found.append((kind.decode(), data[colon + 1:end].decode()))
        at = end + 1
        if kind == b"M":
            return found, data[at:-27]


# ---- Python's reader --------------------------------------------------------

def decoded(raw):
    """The octets that a field means, blanks made one."""
    text = raw.decode("latin-1").replace("\r", "").replace("\n", "")
    parts = email.header.decode_header(text)
    joined = b"".join(p.encode("latin-1") if isinstance(p, str) else p
                      for p, _ in parts)
    return b" ".join(joined.split())


def addresses(raw):
    text = raw.decode("latin-1").replace("\r", "").replace("\n", "")
    try:
        found = email.utils.getaddresses([text], strict=False)
    except TypeError:    # before that there was no strict
        found = email.utils.getaddresses([text])
    return [(decoded(name.encode("latin-1")), re.sub(r'["\\]', "", spec if
             "@" in spec or not spec else spec + "@sender.example"))
            for name, spec in found]


def values(message):
    """The fields of a message or part, name to octets."""
    found = {}
    for name, value in message.raw_items():
        value = value.encode("ascii", "surrogateescape")
        found.setdefault(name.lower(), []).append(value)
    return found


def unfolded(part):
    return [(name, re.sub(r"\r?\n", "", str(value)))
            for name, value in part.raw_items()]


def text_of(part, folded):
    data = part.get_payload(decode=True) or b""
    if part.get_content_maintype() == "text":
        data = data.replace(b"\r\n", b"\n")
        if not data.endswith(b"\n"):
            data += b"\n"
    return b"".join(data.split()) if folded else data


def check_fields(generator, given, got):
    new = set(got) - set(given) - ADDED
    if new:
        raise Changed("new fields %r" % new)
    for name in set(given) - MIME:
        mine, theirs = given[name], got.get(name, [])
        if name == "received":
            theirs = theirs[1:]
        if name in ADDRESSES:
            same(name, addresses(b", ".join(mine)),
                 addresses(b", ".join(theirs)))
            continue
        mine, theirs = map(decoded, mine), map(decoded, theirs)
        if name in generator.has_long_word:
            mine = [b"".join(v.split()) for v in mine]
            theirs = [b"".join(v.split()) for v in theirs]
        same(name, list(mine), list(theirs))
    for name, texts in got.items():
        if name not in ("received", "to", "cc") and len(texts) != 1:
            raise Changed("%s: %d times" % (name, len(texts)))


def check_charset(given, got):
    before, after = given.get_content_charset(), got.get_content_charset()
    if before == after:
        return
    data = got.get_payload(decode=True) or b""
    try:
        data.decode("ascii")
        right = "us-ascii"
    except UnicodeDecodeError:
        try:
            data.decode("utf-8")
            right = "utf-8"
        except UnicodeDecodeError:
            right = "unknown-8bit"
    if before is not None or after != right:
        raise Changed("charset %r became %r, not %r" % (before, after, right))


def check_python(generator, wire):
    given = email.message_from_bytes(generator.plain)
    got = email.message_from_bytes(wire)
    check_fields(generator, values(given), values(got))
    before, after = list(given.walk()), list(got.walk())
    same("types", [p.get_content_type() for p in before],
         [p.get_content_type() for p in after])
    folded = generator.folds_body and (
        given.is_multipart() or given.get_content_maintype() != "text")
    for one, two in zip(before, after):
        if not one.is_multipart():
            same("body", text_of(one, folded), text_of(two, folded))
        if one is not given:
            same("part", unfolded(one), unfolded(two))
    if not given.is_multipart():
        check_charset(given, got)
    eightbit = any(c > 127 for c in wire.partition(b"\r\n\r\n")[2])
    declared = got.get("Content-Transfer-Encoding", "7bit")
    if eightbit and declared.strip().lower() not in ("8bit", "binary"):
        raise Changed("octets outside ASCII in a body of %s" % declared)


# ---- Perl's reader ----------------------------------------------------------

def bare(data):
    """Without what may change when a field is encoded or completed."""
    data = re.sub(rb"@sender\.example", b"", data)
    return re.sub(rb"[\s\"\\]", b"", data)


def check_perl(generator, given, got):
    fields = [{}, {}]
    parts = [[], []]
    folded = generator.folds_body
    for i, lines in enumerate((given, got)):
        for kind, name, value in lines:
            data = base64.b64decode(value)
            if kind == "H":
                fields[i].setdefault(name, []).append(bare(data))
            else:
                data = data.replace(b"\r\n", b"\n")
                if name.startswith("text/") and not data.endswith(b"\n"):
                    data += b"\n"
                parts[i].append((name, b"".join(data.split())
                                 if folded else data))
    for name in set(fields[0]) - MIME:
        theirs = fields[1].get(name, [])
        if name == "received":
            theirs = theirs[1:]
        same("Perl: " + name, b",".join(fields[0][name]), b",".join(theirs))
    same("Perl: parts", parts[0], parts[1])


def read_perl(names):
    """For each file what reader.pl says."""
    reader = os.path.join(os.path.dirname(sys.argv[0]), "reader.pl")
    out = subprocess.run(["perl", reader], input="\n".join(names) + "\n",
                         stdout=subprocess.PIPE, check=True,
                         encoding="ascii").stdout
    lines = []
    for line in out.splitlines():
        if line == ".":
            yield lines
            lines = []
        else:
            lines.append((line.split(" ") + [""])[:3])


# ---- all of it --------------------------------------------------------------

def submit(generator, drop, keep):
    """What sendmail made of it: records and wire form."""
    arguments = ["-i", "u@one.example"] if keep else generator.arguments
    before = set(os.listdir(drop)) if keep else set()
    done = subprocess.run(
        ["sendmail", "-f", "alice@sender.example"] + arguments,
        input=generator.raw, stderr=subprocess.PIPE, check=False)
    new = set(os.listdir(drop)) - before
    if done.returncode != 0 or done.stderr or len(new) != 1:
        raise Changed("sendmail %r: %d, %r, %d files" % (
            arguments, done.returncode, done.stderr, len(new)))
    path = os.path.join(drop, new.pop())
    with open(path, "rb") as f:
        found = records(f.read())
    if not keep:
        os.unlink(path)
    return found


def check_envelope(generator, found):
    wanted = []
    for rcpt in generator.recipients:
        local, _, domain = rcpt.rpartition("@")
        rcpt = local + "@" + domain.lower()
        if rcpt not in wanted:
            wanted.append(rcpt)
    got = [v.rpartition("@")[0] + "@" + v.rpartition("@")[2].lower()
           for k, v in found if k == "R"]
    same("recipients", sorted(wanted), sorted(got))


def check_wire(wire):
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\0", wire):
        raise Changed("bare CR, bare LF or NUL")
    longest = max(map(len, wire.split(b"\r\n")))
    if longest > 998:
        raise Changed("a line of %d octets" % longest)
    header = wire.partition(b"\r\n\r\n")[0]
    if any(c > 127 for c in header):
        raise Changed("octets outside ASCII in the header")


def main():
    spool, directory, seed = sys.argv[1:4]
    first, last = map(int, sys.argv[4:6])
    keep = len(sys.argv) > 6
    wrong, passed = {}, []
    for number in range(first, last + 1):
        generator = Generator(seed, number)
        try:
            found, wire = submit(generator, spool + "/drop", keep)
            check_wire(wire)
            if not keep:
                check_envelope(generator, found)
                check_python(generator, wire)
        except Changed as why:
            wrong[number] = str(why)
            continue
        for kind, data in ("plain", generator.plain), ("wire", wire):
            with open("%s/%d.%s" % (directory, number, kind), "wb") as f:
                f.write(data)
        if not keep:
            passed.append(number)
    names = ["%s/%d.%s" % (directory, n, kind)
             for n in passed for kind in ("plain", "wire")]
    seen = list(read_perl(names)) if names else []
    for i, number in enumerate(passed):
        try:
            check_perl(Generator(seed, number), seen[2 * i], seen[2 * i + 1])
        except Changed as why:
            wrong[number] = str(why)
    for number, why in sorted(wrong.items()):
        print("message %d of seed %s: %s" % (number, seed, why))
    print("%d messages, %d changed" % (last + 1 - first, len(wrong)))
    sys.exit(bool(wrong))


main()
