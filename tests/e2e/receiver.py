#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An SMTP receiver for the end-to-end tests.

receiver.py -d DIR NAME=ADDR[:PORT][,OPTION...]

Writes DIR/NAME/NNNN.eml, the message as it arrived, and beside it NNNN.json:
envelope, TLS facts, number of the connection and of the message in it; one
line per connection into DIR/NAME/connections; DIR/NAME.ready once it listens.
An IPv6 address is written in brackets.

Options:
  tls=FILE     offer STARTTLS with the key and chain in FILE
  badtls=FILE  offer STARTTLS, but no client can agree with it
  banner=CODE  greet with this code and close
  mail=CODE    refuse MAIL, data=CODE the message, with this reply code
  hang=VERB    answer RCPT or DATA only after DIR/NAME.go exists
  size=N       offer SIZE N
  utf8         offer SMTPUTF8
  no8bit       do not offer 8BITMIME

Recipients: no...@ gets 550, later...@ 450, full...@ 452.
"""
import argparse
import asyncio
import json
import os
import signal
import ssl
import time

from aiosmtpd.smtp import SMTP

RCPT = (
    ("no", "550 5.1.1 no such user here"),
    ("later", "450 4.2.1 mailbox is busy"),
    ("full", "452 4.2.2 mailbox is full"),
)


class Receiver:
    """The handler of one listener: the hooks that aiosmtpd calls."""

    def __init__(self, name, directory, options):
        self.name = name
        self.dir = os.path.join(directory, name)
        self.options = options
        self.connections = 0
        os.makedirs(self.dir, exist_ok=True)

    def refusal(self, verb):
        code = self.options.get(verb)
        return code and "%s %s.7.1 refused by the test" % (code, code[0])

    async def hang(self, verb):
        if self.options.get("hang") != verb:
            return
        with open(self.dir + ".hangs", "a", encoding="utf-8") as f:
            f.write("%s\n" % verb)
        while not os.path.exists(self.dir + ".go"):
            await asyncio.sleep(0.02)

    async def handle_EHLO(self, server, session, envelope, hostname,
                          responses):
        session.host_name = hostname
        return [line for line in responses
                if "no8bit" not in self.options or
                not line.endswith("8BITMIME")]

    async def handle_MAIL(self, server, session, envelope, address, options):
        refusal = self.refusal("mail")
        if refusal:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        await self.hang("RCPT")
        for prefix, reply in RCPT:
            if address.startswith(prefix):
                return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(self, server, session, envelope):
        refusal = self.refusal("data")
        if refusal:
            return refusal
        # The test may have taken the others away.
        number = 1 + len([f for f in os.listdir(self.dir)
                          if f.endswith(".json")])
        base = os.path.join(self.dir, "%04d" % number)
        server.in_connection += 1
        with open(base + ".eml", "wb") as f:
            f.write(envelope.original_content)
        record = {
            "mx": self.name, "time": time.time(),
            "peer": session.peer[0], "helo": session.host_name,
            "tls": server.tls_facts(), "connection": server.connection,
            "nth": server.in_connection,
            "sender": envelope.mail_from.replace("<>", ""),
            "mail_options": envelope.mail_options,
            "rcpts": envelope.rcpt_tos,
        }
        with open(base + ".tmp", "w", encoding="utf-8") as f:
            json.dump(record, f)
            f.write("\n")
        os.rename(base + ".tmp", base + ".json")
        await self.hang("DATA")
        return "250 2.0.0 taken by %s as %04d" % (self.name, number)


class Server(SMTP):
    """One connection."""

    connection = 0
    in_connection = 0

    def connection_made(self, transport):
        if self.connection == 0:
            handler = self.event_handler
            handler.connections += 1
            self.connection = handler.connections
            with open(os.path.join(handler.dir, "connections"), "a",
                      encoding="utf-8") as f:
                f.write("%s\n" % (transport.get_extra_info("peername"),))
        super().connection_made(transport)

    def tls_facts(self):
        tls = self.transport and self.transport.get_extra_info("ssl_object")
        if not tls:
            return None
        return {"version": tls.version(), "cipher": tls.cipher()[0]}


class Refuser(asyncio.Protocol):
    """A server that greets with a refusal."""

    def __init__(self, code):
        self.code = code

    def connection_made(self, transport):
        transport.write(b"%s 5.3.2 no service here\r\n" % self.code.encode())
        transport.close()


def tls_context(options):
    pem = options.get("tls") or options.get("badtls")
    if not pem:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if "badtls" in options:
        # It wants a certificate that no client has.
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def parse(spec):
    name, _, rest = spec.partition("=")
    address, *words = rest.split(",")
    options = dict(w.partition("=")[::2] for w in words)
    port = 25
    if address.startswith("["):
        address, _, tail = address[1:].partition("]")
        port = int(tail[1:] or 25) if tail else 25
    elif ":" in address:
        address, _, tail = address.partition(":")
        port = int(tail)
    return name, address, port, options


async def serve(directory, spec):
    name, address, port, options = parse(spec)
    handler = Receiver(name, directory, options)
    context = tls_context(options)
    loop = asyncio.get_running_loop()

    def factory():
        if "banner" in options:
            return Refuser(options["banner"])
        return Server(handler, hostname=name + ".example", loop=loop,
                      ident="test receiver", tls_context=context,
                      enable_SMTPUTF8="utf8" in options,
                      data_size_limit=int(options.get("size", 0)) or 2**26)

    await loop.create_server(factory, address, port)
    with open(os.path.join(directory, name + ".ready"), "w",
              encoding="utf-8") as f:
        f.write("%d\n" % os.getpid())
    stop = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, stop.set_result, None)
    await stop


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-d", dest="dir", required=True)
    parser.add_argument("spec", metavar="NAME=ADDR[:PORT][,OPTION...]")
    args = parser.parse_args()
    asyncio.run(serve(args.dir, args.spec))


main()
