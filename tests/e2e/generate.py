#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Generated messages: what sendmail must do to each, and what it must not.

Message N of a seed is always the same.  It comes in two forms: RAW is what
sendmail reads, with odd line ends, NUL and what else programs write; PLAIN is
the same message as a careful program would have written it, without what
sendmail takes away.  Two readers of mail must find the same in PLAIN as in
what sendmail made of RAW.
"""

import base64
import quopri
import random
import re

WORDS = ("a I at the mail queue of grüße straße naïve 日本 Ω ? = =? _ \\ . , ; "
         ": ( ) < > @ \" ' * x-y 1,000 =?utf-8?Q?gr=C3=BC=C3=9Fe?= "
         "=?iso-8859-1?B?/Pbk?= =?us-ascii?q?a_b?=").split(" ")
LOCALS = ["u", "u.v", "u+tag", '"o d"', '"a\\"b"', "o'hara", "x=y", "0"]
DOMAINS = ["one.example", "One.Example", "two.example", "[192.0.2.11]", ""]
NAMES = ["", "Ann", "A. B. C", '"Last, First"', "Jürgen Groß", '"Ü, (x) \\"y"',
         "=?utf-8?Q?J=C3=BCrgen?=", "日本 太郎", "Mixed ü a ö b", "D\udcfcrer"]
COMMENTS = ["", "", "", " (home)", " (zu Hause: Köln)", " (a (b) c)"]


def octets(text):
    """UTF-8; of what was no character, the octet."""
    return text.encode("utf-8", "surrogateescape")


class Generator:
    """One message."""

    def __init__(self, seed, number):
        self.r = random.Random("%s/%s" % (seed, number))
        self.recipients = []	# of To, Cc and Bcc
        self.lines = []		# of the header of RAW
        self.fields = []	# (name, value) of PLAIN
        self.has_long_word = set()
        self.folds_body = False
        self.make()

    def chance(self, percent):
        return self.r.randrange(100) < percent

    # ---- text --------------------------------------------------------------

    def text(self, words):
        return " ".join(self.r.choice(WORDS) for _ in range(words))

    def ascii(self, words):
        return self.text(words).encode("ascii", "ignore").decode()

    def line(self):
        kind = self.r.randrange(12)
        if kind == 0:
            return self.r.choice([".", "..", ".x", "From x", ">From x", "",
                                  " ", "\t.", "-- ", "--x", "=", "=41"])
        if kind == 1:
            return self.ascii(3) + self.r.choice([" ", "\t", "  "])
        return self.ascii(self.r.randrange(12))

    def body_text(self, charset):
        """Lines, as octets."""
        lines = [self.line() for _ in range(self.r.randrange(8))]
        if charset != "us-ascii":
            lines.append(self.text(9) + " ü")
        if self.chance(15):
            lines.insert(self.r.randrange(len(lines) + 1), self.long_line(
                charset))
        return "\n".join(lines).encode(charset, "replace") + b"\n"

    def long_line(self, charset):
        n = self.r.choice([997, 998, 999, 1000, 1996, 5000, 30000])
        word = self.r.choice(["x", "xy ", "0123456789 " * 9, ". "] +
                             ([] if charset == "us-ascii" else
                              ["ü", "ü ", "日本"]))
        line = (word * n).encode(charset, "replace")[:n]
        return line.decode(charset, "ignore")

    # ---- the header --------------------------------------------------------

    def mailbox(self, counts):
        local = self.r.choice(LOCALS)
        domain = self.r.choice(DOMAINS)
        name = self.r.choice(NAMES)
        comment = self.r.choice(COMMENTS)
        spec = local + ("@" + domain if domain else "")
        if counts:
            self.recipients.append(local + "@" + (domain or "sender.example"))
        route = "@relay.example:" if self.chance(3) and domain else ""
        if not name and not route and self.chance(60):
            return spec + comment
        return ("%s <%s%s>%s" % (name, route, spec, comment)).strip()

    def mailboxes(self, most, counts=False):
        items = []
        for _ in range(self.r.randrange(1, most + 1)):
            if counts and self.chance(10):
                items.append("%s: %s;" % (
                    self.r.choice(["Friends", "Größe", '"a: b"']),
                    ", ".join(self.mailbox(counts)
                              for _ in range(self.r.randrange(3)))))
            else:
                items.append(self.mailbox(counts))
        return self.r.choice([", ", ",", " , ", ",\n  "]).join(items)

    def case(self, name):
        return self.r.choice([name, name, name, name.lower(), name.upper()])

    def field(self, name, value):
        """A field of both forms; VALUE may have folds."""
        self.raw_field(name, value)
        self.fields.append((name, re.sub(r"\n[ \t]*(?=\n)", "", value)))

    def raw_field(self, name, value):
        gap = self.r.choice(["", "", "", "", " ", "\t"])
        space = self.r.choice([" ", " ", " ", "", "\t", "\n "])
        if name.startswith("Content-"):
            space = space.strip("\n")	# Python finds no encoding there
        name = self.case(name)
        text = name + gap + ":" + space + value
        # a line of blanks, which some readers take for the end
        if self.chance(3):
            text = text.replace("\n ", "\n \t\n ", 1)
        self.lines += text.split("\n")

    def folded(self, text):
        """TEXT, some of its blanks with a line end before them."""
        return re.sub(" (?=[^ ])", lambda m: "\n " if self.chance(20) else " ",
                      text).strip()

    def subject(self):
        kind = self.r.randrange(6)
        if kind == 0:
            self.has_long_word.add("subject")
            return "x" * self.r.choice([900, 988, 998, 1500, 4000])
        if kind == 1:
            return "ü" * self.r.choice([1, 17, 18, 19, 40, 600])
        if kind == 2:
            return self.folded(self.text(self.r.randrange(1, 300)))
        if kind == 3:
            return "Gr\udcfc\udcdfe in latin1 " + self.ascii(3)
        return self.folded(self.text(self.r.randrange(1, 12)))

    def header(self):
        parts = []
        add = parts.append
        from_ = self.mailboxes(1)
        if self.chance(85):
            add(("From", from_))
        if self.chance(80):
            add(("To", self.mailboxes(3, True)))
        if self.chance(30):
            add(("Cc", self.mailboxes(4, True)))
        if self.chance(3):
            add(("To", self.mailboxes(2, True)))
        if self.chance(20):
            add(("Reply-To", self.mailboxes(2)))
        if self.chance(10):
            add(("Sender", self.mailbox(False)))
        if self.chance(85):
            add(("Subject", self.subject()))
        if self.chance(50):
            add(("Date", "Mon, 2 Jan 2006 15:04:05 -0700"))
        if self.chance(50):
            add(("Message-ID", "<%d.x@sender.example>" % self.r.randrange(99)))
        if self.chance(15):
            add(("References", self.folded(" ".join(
                "<%d@two.example>" % n for n in range(self.r.randrange(
                    1, 150))))))
        for n in range(self.r.randrange(4)):
            add(("X-Field-%d" % n, self.folded(self.text(
                self.r.randrange(1, 40)))))
        if self.chance(20):
            add(("Received", "from a by b;\n\tMon, 2 Jan 2006 15:04:05 +0000"))
        self.r.shuffle(parts)
        for name, value in parts:
            self.field(name, value)
        self.take_away()

    def take_away(self):
        """What PLAIN has not."""
        if self.chance(25):
            at = self.r.randrange(len(self.lines) + 1)
            while at < len(self.lines) and self.lines[at][:1] in (" ", "\t"):
                at += 1
            keep, self.lines = self.lines[at:], self.lines[:at]
            self.raw_field("Bcc", self.mailboxes(3, True))
            self.lines += keep
        if self.chance(5):
            self.raw_field("Return-Path", "<bounce@two.example>")
        for name in ("Subject", "Date", "Message-ID"):
            # the first stays, so there must be one
            if self.chance(4) and any(n == name for n, _ in self.fields):
                self.raw_field(name, "another one")
        for name in ("Cc", "Date", "Message-ID"):
            if self.chance(3) and not any(n == name for n, _ in self.fields):
                self.raw_field(name, self.r.choice(["", " "]))

    # ---- the body ----------------------------------------------------------

    def leaf(self, top):
        """Fields and octets of a single part."""
        charset = self.r.choice(["us-ascii", "utf-8", "utf-8", "iso-8859-1"])
        encoding = self.r.choice(["", "", "7bit", "8bit", "8bit", "binary",
                                  "quoted-printable", "base64"])
        data = self.body_text(charset)
        fields = []
        if self.chance(20):
            data = bytes(self.r.randrange(256) for _ in range(600))
            fields.append(("Content-Type", "application/octet-stream"))
            encoding = "base64"
        elif not top or self.chance(60):
            fields.append(("Content-Type", self.r.choice(
                ["text/plain; charset=%s", "text/plain; charset=\"%s\"",
                 "text/html; charset=%s", "TEXT/Plain;\n charset=%s",
                 "text/plain; format=flowed; charset=%s",
                 "text/plain (x); Charset=%s"]) % charset))
        elif self.chance(20):
            fields.append(("Content-Type", self.r.choice(
                ["text/plain", "text/html", "text/plain;",
                 "text/plain; format=flowed", "text/plain (a comment)"])))
        if encoding == "base64":
            data = base64.encodebytes(data)
        elif encoding == "quoted-printable":
            data = quopri.encodestring(data)
        if encoding:
            fields.append(("Content-Transfer-Encoding", encoding))
        if fields and top and self.chance(70):
            fields.append(("MIME-Version", "1.0"))
        return fields, data

    def multipart(self, depth):
        boundary = "=_b%d_%d" % (depth, self.r.randrange(10**6))
        data = b"preamble\n" if self.chance(30) else b""
        for _ in range(self.r.randrange(1, 4)):
            fields, part = self.part(depth + 1)
            data += octets("--%s\n" % boundary) + b"".join(
                octets("%s: %s\n" % f) for f in fields) + b"\n" + part + b"\n"
        data += octets("--%s--\n" % boundary)
        if self.chance(20):
            data += b"epilogue\n"
        return [("Content-Type", "multipart/%s;\n boundary=\"%s\"" % (
            self.r.choice(["mixed", "alternative", "related"]),
            boundary))], data

    def part(self, depth):
        if depth < 3 and self.chance(20):
            return self.multipart(depth)
        if self.chance(10):
            fields, data = self.leaf(False)
            return [("Content-Type", "message/rfc822")], (
                b"From: x@one.example\nBcc: kept@one.example\n" +
                b"".join(octets("%s: %s\n" % f) for f in fields) + b"\n" +
                data)
        return self.leaf(False)

    def body(self):
        if self.chance(30):
            fields, data = self.multipart(0)
            if self.chance(90):
                fields.append(("MIME-Version", "1.0"))
            if self.chance(30):
                fields.append(("Content-Transfer-Encoding", self.r.choice(
                    ["7bit", "8bit", "binary"])))
        elif self.chance(5):
            fields, data = [], b""
        else:
            fields, data = self.leaf(True)
        self.folds_body = any(
            len(line) > 998 for line in data.split(b"\n"))
        for name, value in fields:
            self.field(name, value)
        return data

    # ---- both forms --------------------------------------------------------

    def end(self, style):
        if style == "mixed":
            return self.r.choice([b"\n", b"\r\n", b"\r\r\n"])
        return style

    def make(self):
        self.body_first = self.chance(2)
        if not self.body_first:
            self.header()
        data = b"no field\n" if self.body_first else self.body()
        style = self.r.choice([b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n",
                               "mixed"])
        head = [octets(line) for line in self.lines]
        plain_body = raw_body = data
        # in a boundary, or a field of a part, it would change what that is
        if self.chance(5) and data and b"--=_b" not in data:
            at = self.r.randrange(len(data))
            raw_body = data[:at] + b"\0" + data[at:]
            plain_body = data[:at] + b"?" + data[at:]
        self.ignore_dots = self.chance(85)
        if not self.ignore_dots:
            kept = re.split(rb"(?m)^\.$", plain_body)[0]
            if kept != plain_body:
                plain_body = kept
        raw = b"".join(line + self.end(style) for line in head)
        if self.chance(10) and head:
            raw = b"From alice Mon Jan  2 15:04:05 2006" + self.end(
                style) + raw
        # without the empty line a body that is no field is one all the same
        if not self.body_first or self.chance(50):
            raw += self.end(style)
        raw += b"".join(line + self.end(style)
                        for line in raw_body.split(b"\n")[:-1])
        if self.chance(10) and raw_body and self.ignore_dots:
            raw = raw.rstrip(b"\r\n")
            plain_body = plain_body.rstrip(b"\n") + b"\n"
        self.raw = raw
        self.plain = b"".join(octets("%s: %s\n" % f)
                              for f in self.fields) + b"\n" + plain_body
        if not self.recipients or self.chance(50):
            self.arguments = ["u@one.example"]
            self.recipients = ["u@one.example"]
        else:
            self.arguments = ["-t"]
        if self.ignore_dots:
            self.arguments.insert(0, "-i")
