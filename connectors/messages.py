"""What people are told outside of a tracker, in words and parts and not in any vendor's form: each connector lays it
out within its vendor's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list, written by people or not; `url` is where its text leads, empty for nowhere. `more` follows it,
    and leads nowhere."""

    text: str
    url: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message: a title of its own, a paragraph, a list; each may be empty."""

    title: str = ""
    text: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """What happened, for programs. `kind` is the kind of notice, `project` its `id`, `key` and `name`, empty where it
    is of none. `people` names who it concerns most, `details` are what else is known, by kind."""

    kind: str
    text: str
    at: datetime
    project: Mapping[str, str] = field(default_factory=dict)
    iteration: int | None = None
    people: tuple[str, ...] = ()
    run: str | None = None
    url: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told. `url` leads to where all of it stands, empty where that has no address; `rest` says in
    words where that is, for who reads a message that had to be shortened. `foot` is the small print. `facts` are the
    same for programs, one for each notice that it tells. `unsubscribe` is where its reader says that they want no more
    of its kind, empty where that is not asked."""

    title: str
    parts: tuple[Part, ...] = ()
    url: str = ""
    link: str = "Open in phaseloop"
    rest: str = ""
    foot: str = ""
    facts: tuple[Fact, ...] = ()
    unsubscribe: str = ""
