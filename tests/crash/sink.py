#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The receiver of the crash tests: an SMTP server that keeps no mail but
writes down, before it says so, what it takes.

sink.py LOG READY ADDRESS...

LOG gets a JSON object per line, with the time "t" in ns of CLOCK_MONOTONIC
and the number of the connection "c":

  {"e": "mail", "id": Message-ID, "rcpts": [...], "sha": of the body,
   "failed": [...], "relayed": [...], "delayed": [...], "of": Message-ID}
                                        a message; a report names its
                                        recipients, and which one it is about
  {"e": "quit"}, {"e": "lost"}          the end of a connection

Recipients: no-...@ gets 550, busy-...@ 450, late-...@ 450 as long as there
is a file late-... in the directory of LOG.
"""
import asyncio
import hashlib
import json
import os
import re
import signal
import sys
import time

MESSAGE_ID = re.compile(rb"^Message-ID: *<([^>]*)>", re.I | re.M)
FINAL = re.compile(rb"^Final-Recipient: rfc822; *(\S+)\r\nAction: *(\w+)",
                   re.I | re.M)
ADDRESS = re.compile(r"<([^>]*)>")


class Log:
    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self.connections = 0
        self.dir = os.path.dirname(path)

    def write(self, connection, **what):
        what["t"] = time.monotonic_ns()
        what["c"] = connection
        os.write(self.fd, json.dumps(what).encode() + b"\n")


class Session(asyncio.Protocol):
    def __init__(self, log):
        self.log = log
        self.buffer = b""
        self.data = None        # the message, as far as it has come
        self.rcpts = []
        self.quit = False

    def connection_made(self, transport):
        self.transport = transport
        self.log.connections += 1
        self.number = self.log.connections
        self.say("220 sink ESMTP")

    def connection_lost(self, exc):
        if not self.quit:
            self.log.write(self.number, e="lost")

    def say(self, text):
        self.transport.write(text.encode() + b"\r\n")

    def data_received(self, data):
        self.buffer += data
        while self.data is None:
            line, found, rest = self.buffer.partition(b"\r\n")
            if not found:
                return
            self.buffer = rest
            self.command(line.decode("utf-8", "replace"))
            if self.data is not None:
                break
        if self.data is not None:
            self.more()

    def more(self):
        # the end may lie across two segments
        start = max(0, len(self.data) - 5)
        self.data += self.buffer
        self.buffer = b""
        if self.data[:3] == b".\r\n":
            end, rest = 0, 3
        else:
            at = self.data.find(b"\r\n.\r\n", start)
            if at == -1:
                return
            end, rest = at + 2, at + 5
        message, left = bytes(self.data[:end]), bytes(self.data[rest:])
        self.data = None
        self.take(message.replace(b"\r\n..", b"\r\n."))
        self.data_received(left)

    def take(self, message):
        header, _, body = message.partition(b"\r\n\r\n")
        own = MESSAGE_ID.search(header)
        what = {"e": "mail", "rcpts": self.rcpts,
                "id": own.group(1).decode() if own else "",
                "sha": hashlib.sha1(body).hexdigest()}
        if b"multipart/report" in header:
            of = MESSAGE_ID.findall(body)
            named = [(a.decode(), b.decode().lower())
                     for a, b in FINAL.findall(body)]
            for action in ("failed", "relayed", "delayed"):
                what[action] = [a for a, b in named if b == action]
            what["of"] = of[-1].decode() if of else ""
        self.log.write(self.number, **what)
        self.rcpts = []
        self.say("250 2.0.0 taken")

    def command(self, line):
        verb = line[:4].upper()
        if verb == "EHLO":
            self.say("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
                     "250 ENHANCEDSTATUSCODES")
        elif verb == "RCPT":
            self.rcpt(ADDRESS.search(line).group(1))
        elif verb == "DATA":
            if self.rcpts:
                self.say("354 go on")
                self.data = bytearray()
            else:
                self.say("503 5.5.1 no recipient")
        elif verb == "QUIT":
            self.quit = True
            self.log.write(self.number, e="quit")
            self.say("221 2.0.0 bye")
            self.transport.close()
        else:
            if verb in ("MAIL", "RSET"):
                self.rcpts = []
            self.say("250 2.0.0 ok")

    def rcpt(self, address):
        if address.startswith("no-"):
            self.say("550 5.1.1 no such user")
        elif address.startswith("busy-"):
            self.say("450 4.2.1 busy")
        elif address.startswith("late-") and os.path.exists(
                os.path.join(self.log.dir, address.split("@")[0])):
            self.say("450 4.2.1 busy this time")
        else:
            self.rcpts.append(address)
            self.say("250 2.1.5 ok")


async def serve(log, ready, addresses):
    loop = asyncio.get_running_loop()
    for address in addresses:
        await loop.create_server(lambda: Session(log), address, 25,
                                 backlog=1024)
    with open(ready, "w", encoding="ascii") as f:
        f.write("%d\n" % os.getpid())
    stop = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, stop.set_result, None)
    await stop


asyncio.run(serve(Log(sys.argv[1]), sys.argv[2], sys.argv[3:]))
