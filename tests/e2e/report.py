#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Read reports with the parser of Python, which knows nothing of ours.

report.py FILE...   prints a JSON list: an object for each file, with
    header       the fields that matter, in lower case
    types        of the parts (RFC 6522)
    text         the part for people
    message      fields about the message (RFC 3464 section 2.2)
    recipients   list of fields about each recipient (section 2.3)
    original     the last part: header fields, and the body or null
    problems     what the parser complains of, or RFC 3464 demands
"""
import email
import email.policy
import email.utils
import json
import sys

POLICY = email.policy.default.clone(utf8=False, raise_on_defect=False)
ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")


def fields(message):
    return {k.lower(): str(v) for k, v in message.items()}


def check_recipient(rcpt, problems):
    for name in ("final-recipient", "action", "status"):
        if name not in rcpt:
            problems.append("a recipient has no " + name)
    if rcpt.get("action") not in ACTIONS:
        problems.append("no action: %r" % rcpt.get("action"))
    status = rcpt.get("status", "")
    want = {"failed": "5", "delayed": "4"}.get(rcpt.get("action"), "2")
    if not status.startswith(want + ".") or status.count(".") != 2:
        problems.append("status %r for %r" % (status, rcpt.get("action")))
    for name in ("last-attempt-date", "will-retry-until"):
        if name in rcpt and not email.utils.parsedate_to_datetime(rcpt[name]):
            problems.append("no date: %r" % rcpt[name])


def check_top(message, problems):
    if message.get_content_type() != "multipart/report":
        problems.append("no multipart/report")
    if message.get_param("report-type") != "delivery-status":
        problems.append("report-type")
    if message["auto-submitted"] != "auto-replied":
        problems.append("auto-submitted: %r" % message["auto-submitted"])
    for name in ("date", "from", "to", "subject", "message-id"):
        if len(message.get_all(name, [])) != 1:
            problems.append("not one field " + name)
    for part in message.walk():
        problems.extend(repr(d) for d in part.defects)


def read(path):
    with open(path, "rb") as f:
        raw = f.read()
    problems = []
    if max(len(line) for line in raw.split(b"\r\n")) > 998:
        problems.append("a line of more than 998 octets")
    message = email.message_from_bytes(raw, policy=POLICY)
    check_top(message, problems)
    parts = list(message.iter_parts())
    # an independent look at the blocks: RFC 3464 section 2.1
    blocks = [fields(b) for b in parts[1].get_payload()]
    blocks = [b for b in blocks if b]
    for rcpt in blocks[1:]:
        check_recipient(rcpt, problems)
    if "reporting-mta" not in blocks[0]:
        problems.append("no reporting-mta")
    last = parts[2]
    if last.get_content_type() == "message/rfc822":
        inner = last.get_payload(0)
        body = inner.get_payload(decode=True).decode("utf-8", "replace")
    else:
        inner = email.message_from_bytes(last.get_payload(decode=True),
                                         policy=POLICY)
        body = inner.get_payload() or None
    return {
        "header": fields(message),
        "types": [p.get_content_type() for p in parts],
        "text": parts[0].get_content(),
        "message": blocks[0],
        "recipients": blocks[1:],
        "original": {"header": fields(inner), "body": body},
        "problems": problems,
    }


print(json.dumps([read(path) for path in sys.argv[1:]]))
