"""A message as a mail: its subject, its text and the same as HTML. Pure.

What people wrote is text: it is escaped, and only addresses of the web become links.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Any
from urllib.parse import urlsplit

from connectors.messages import Line, Message, Part

SUBJECT = 200
"""The most characters of a subject."""

LINES = 300
"""The most lines of lists in one mail."""

TEXT = 20_000
"""The most characters of one text."""

_POLICY = SMTP.clone(cte_type="7bit", max_line_length=990)
"""Every server on the way takes it; no link in a header is folded."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSUBSCRIBE = "Get no more mails of this kind"


def body_of(message: Message) -> dict[str, Any]:
    """The message's `subject`, `text` and `html`."""
    message = _fitting(message)
    return {"subject": _one_line(message.title)[:SUBJECT], "text": _text(message), "html": _html(message)}


def mail_of(message: Message, marker: str, sender: str, to: str, at: datetime) -> EmailMessage:
    """The message as a mail with this marker, which stands in its id."""
    body = body_of(message)
    mail = EmailMessage(policy=_POLICY)
    name, address = parseaddr(sender)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = body["subject"]
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{marker}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.unsubscribe:
        mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(body["text"])
    mail.add_alternative(body["html"], subtype="html")
    return mail


def _fitting(message: Message) -> Message:
    """The message with as many lines as a mail has; where some are left out it says where all of it stands."""
    left, parts, shortened = LINES, [], False
    for part in message.parts:
        shortened = shortened or len(part.lines) > left or len(part.text) > TEXT
        parts.append(Part(part.title, part.text[:TEXT], part.lines[:left]))
        left -= len(parts[-1].lines)
    if shortened and message.rest:
        parts.append(Part(text=message.rest))
    return Message(
        message.title, tuple(parts), message.url, message.link, "", message.foot, unsubscribe=message.unsubscribe
    )


def _text(message: Message) -> str:
    blocks = [_one_line(message.title)]
    for part in message.parts:
        rows = [_one_line(part.title)] if part.title else []
        rows += [_plain(part.text).strip()] if part.text else []
        rows += [f"- {_row(line)}" for line in part.lines]
        blocks.append("\n".join(rows))
    if address := _web(message.url):
        blocks.append(f"{message.link}: {address}")
    small = [_one_line(message.foot)] if message.foot else []
    small += [f"{_UNSUBSCRIBE}: {message.unsubscribe}"] if message.unsubscribe else []
    if small:
        blocks.append("-- \n" + "\n".join(small))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _row(line: Line) -> str:
    address = _web(line.url)
    shown = [_one_line(line.text), _one_line(line.more), f"<{address}>" if address else ""]
    return " ".join(one for one in shown if one)


def _html(message: Message) -> str:
    found = [f"<h1 style='font-size:1.25em'>{_escaped(message.title)}</h1>"]
    for part in message.parts:
        found += [f"<h2 style='font-size:1.05em'>{_escaped(part.title)}</h2>"] if part.title else []
        if part.text:
            found.append(f"<p>{escape(_plain(part.text).strip()).replace(chr(10), '<br>')}</p>")
        if part.lines:
            rows = "".join(f"<li>{_linked(line.text, line.url)} {_escaped(line.more)}</li>" for line in part.lines)
            found.append(f"<ul>{rows}</ul>")
    if _web(message.url):
        found.append(f"<p>{_linked(message.link, message.url)}</p>")
    small = [_escaped(message.foot)] if message.foot else []
    small += [_linked(_UNSUBSCRIBE, message.unsubscribe)] if message.unsubscribe else []
    if small:
        found.append(f"<p style='color:#5f6368;font-size:.85em'>{'<br>'.join(small)}</p>")
    title = _escaped(message.title)
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title></head>"
        f"<body style='font-family:sans-serif;line-height:1.45'>{''.join(found)}</body></html>\n"
    )


def _linked(text: str, url: str) -> str:
    address = _web(url)
    return f'<a href="{escape(address)}">{_escaped(text)}</a>' if address else _escaped(text)


def _web(url: str) -> str:
    """An address of the web, as it can stand in a mail; empty for any other."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r"[\s<>\"]", _plain(url)):
        return ""
    return _plain(url)


def _escaped(text: str) -> str:
    return escape(_one_line(text))


def _one_line(text: str) -> str:
    return " ".join(_plain(text).split())


def _plain(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
