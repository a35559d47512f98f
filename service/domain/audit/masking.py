"""A text with what differs from record to record replaced by its kind, so that an opinion rests on what is said."""

from __future__ import annotations

import re

from service.domain.audit.prose import plain
from service.domain.audit.tickets import lower_case_tickets_in

LONGEST = 2000
"""So many characters of a text are looked at for an opinion; what decides stands at its beginning."""

_LINK = r"(?:https?|s3|gs|abfss?|hdfs)://[^\s)>\]\"']+"
_DAY = r"(?:19|20)\d\d[-/.]\d\d?(?:[-/.]\d\d?)?|\d\d?[./]\d\d?[./](?:19|20)?\d\d|(?:19|20)\d\d年(?:\d+月)?(?:\d+日)?"
_KEY = r"(?<![\w/.-])[A-Z][A-Z0-9_]{1,20}-\d{1,7}(?![\w-])|(?<!\w)(?:gh-?)?[#!]\d+"
_KINDS = tuple(
    (re.compile(shape), f" {kind} ")
    for kind, shape in (
        ("link", _LINK),
        ("date", rf"(?<!\d)(?:{_DAY})(?!\d)"),
        ("ticket", _KEY),
        ("version", r"(?<!\w)v\.?\d[\w.]*|(?<![\w.])\d+\.\d+\.\d+(?![\w.])"),
        ("hash", r"(?<!\w)(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}(?!\w)"),
        ("identifier", r"`[^`\n]*[_@/][^`\n]*`|(?<!\w)[a-z]+(?:_[a-z0-9]+)+(?:@\w+)?(?!\w)"),
        ("placeholder", r"\[[^\]\n]{0,60}\](?!\()|<[^>\n]{1,60}>|\{\{[^}]*\}\}|(?<!\w)(?:XX\.?X?|TBD|TODO)(?!\w)"),
        ("percent", r"[-+±]?\d[\d.,]*\s?%"),
        ("number", r"[-+±]?\d[\d.,]*|(?<!\w)\.\d+"),
    )
)
_MARKS = re.compile(r"[|*_#>`]+")


def masked(markdown: str) -> str:
    """The text on one line, with numbers, dates, versions, keys, links, identifiers and placeholders replaced by the
    words for what they are. In time that grows with its length."""
    text = markdown[:LONGEST]
    for key in lower_case_tickets_in(text):
        text = text.replace(key, key.upper(), 1)
    for shape, kind in _KINDS:
        text = shape.sub(kind, text)
    return " ".join(_MARKS.sub(" ", plain(text)).split())
