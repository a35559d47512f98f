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

NUMBERED = re.compile(
    r"(?<![\w&/])(?:(?:gh|gl|issue|pr|mr|task|ticket|card)[ -]?[#!]?|[#!])(\d{1,7})(?!\w)", re.IGNORECASE
)
"""The number of an issue or a merge request, in a text as it was written."""

TICKET = re.compile(rf"{KEY.pattern}|{NUMBERED.pattern}")


def tickets_in(text: str, known: frozenset[str] = frozenset()) -> list[str]:
    """The tickets that a plain text names, in order. A key whose beginning is in `known` is one, whatever it looks
    like."""
    keys = [
        (found.start(), found[0]) for found in KEY.finditer(text) if found[1] in known or found[1] not in NOT_TICKETS
    ]
    numbered = [(found.start(), found[0]) for found in NUMBERED.finditer(text)]
    return [text for _, text in sorted(keys + numbered)]
