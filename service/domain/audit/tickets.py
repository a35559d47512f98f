"""What names a ticket in a text: keys (`ML-12`), numbers of issues and requests (`#231`, `gh-118`, `!45`). Pure."""

from __future__ import annotations

import re

from service.domain.audit.numbers import KEY

NOT_TICKETS = frozenset(
    re.split(
        r"\s",
        "UTF SHA ISO GPT RFC CVE AES MD COVID BERT RESNET VGG LLAMA YOLO TOP FP INT BF PM P T H Q V F R A B C "
        "GDPR COCO IEC NIST IEEE DIN EN PCI HTTP TLS ASCII CIFAR IMAGENET CLIP DINO VIT KW CW WK PROJ XXX ABC XYZ "
        "TICKET KEY",
    )
)
"""What comes before a hyphen and a number and is no ticket's key."""

EXAMPLES = frozenset({"ABC", "XYZ", "KEY", "PROJ", "TICKET", "XXX"})
"""Of these the ones that stand in examples and templates, where the key of a project is to be put."""

NUMBERED = re.compile(
    r"(?<![\w&/])(?:(?:gh|gl|issue|pr|mr|task|ticket|card)[ -]?[#!]?|[#!])(\d{1,7})(?!\w)", re.IGNORECASE
)
"""The number of an issue or a merge request, in a text as it was written."""

TICKET = re.compile(rf"{KEY.pattern}|{NUMBERED.pattern}")


_LOWER = re.compile(r"(?<![\w/.@-])([a-z][a-z0-9]{1,9})-(\d{1,6})(?![\w-]|\.\d)")
_LABELLED = re.compile(r"(?:ticket|issue|key|task|jira)\s{0,2}[:#=]\s{0,2}$", re.IGNORECASE)
_BEFORE_KEY = re.compile(r"(?:^|[,;(\[\n|])\W{0,6}$")
_AFTER_KEY = re.compile(r"^\W{0,4}(?:$|[,;)\]\n|])")


def lower_case_tickets_in(text: str) -> list[str]:
    """The keys that somebody wrote small (`ml-12`): they stand where keys stand, at the beginning or end of a step or
    of a part of it, or behind `Ticket:`. What only looks like one (`gpt-4`, `week-42`) is none."""
    found = []
    for one in _LOWER.finditer(text):
        if one[1].upper() in NOT_TICKETS or one[1] in _NO_KEYS:
            continue
        before, after = text[: one.start()], text[one.end() :]
        if _LABELLED.search(before) or _BEFORE_KEY.search(before) or _AFTER_KEY.search(after):
            found.append(one[0])
    return found


_NO_KEYS = frozenset(
    re.split(
        r"\s",
        "week day month year quarter phase step part v version model sprint iteration run fold seed level stage top "
        "int fp bf line site room floor batch epoch layer class group team page file h q kw woche tag schritt semana "
        "dia mes paso semaine jour mois etape passo",
    )
)
"""What stands small before a hyphen and a number and is no project."""


def tickets_in(text: str, known: frozenset[str] = frozenset()) -> list[str]:
    """The tickets that a plain text names, in order. A key whose beginning is in `known` is one, whatever it looks
    like."""
    keys = [
        (found.start(), found[0]) for found in KEY.finditer(text) if found[1] in known or found[1] not in NOT_TICKETS
    ]
    numbered = [(found.start(), found[0]) for found in NUMBERED.finditer(text)]
    return [text for _, text in sorted(keys + numbered)]


def example_in(text: str, known: frozenset[str] = frozenset()) -> str:
    """The first key of a plain text that only an example has; empty for none, and for those of projects in `known`."""
    return next((one[0] for one in KEY.finditer(text) if one[1] in EXAMPLES and one[1] not in known), "")
