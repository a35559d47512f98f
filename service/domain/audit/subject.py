"""Everything an audit of one iteration looks at, as one value. Kept as evidence, it gives the same verdict for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter

from connectors.records import Document
from connectors.values import ItemKey
from service.domain.audit.outcome import Check, Gate, Waived, Weight


@dataclass(frozen=True, slots=True)
class SectionRule:
    """A heading that a record is to have: `key` as in the template, `titles` what it may be called (the title first,
    then aliases and translations), `prompt` the text that was seeded under it."""

    key: str
    titles: tuple[str, ...]
    prompt: str


@dataclass(frozen=True, slots=True)
class LinkKind:
    """A kind of link, told by words beside it or in it (`words`, whole words, any case) or by shapes of its address
    (`addresses`, with `*` for anything)."""

    key: str
    title: str
    words: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What documents an iteration of this phase, settled from template and project.

    `weights` has every check; OFF ones are not applicable. `required` are kinds of links (keys of `link_kinds`) that
    must be there. `hosts` are those that links may lead to, `*.example.com` for all below; empty: any public one.
    `author` and `signer` are roles; `sign_by` says what signs: `comment` (/approve), `tick`, `done` (moved to done by
    the signer). `unclear` is what a check that a person should look at does to the advance: BLOCK or WARN. Days are
    working days of the project's calendar.
    """

    weights: Mapping[Check, Weight]
    sections: tuple[SectionRule, ...] = ()
    link_kinds: tuple[LinkKind, ...] = ()
    required: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    author: str = ""
    signer: str = ""
    signer_title: str = ""
    sign_by: tuple[str, ...] = ("comment", "tick", "done")
    gate: Gate = Gate.OFF
    unclear: Gate = Gate.WARN
    grace_days: int = 2
    soon_days: int = 2
    escalate_days: int = 3


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose tracker account is known: what the team calls them, and the roles they hold (their own, and those
    they stand in for)."""

    name: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found where a ticket should be: the `document`; or none, and why: `missing` says that it is not there
    (never made, or deleted), `unread` that it could not be looked at. Exactly one of the three is set."""

    key: ItemKey | None
    document: Document | None = None
    missing: str = ""
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When the record is due, as instants: `soon` when it is near, `due_day` when the last working day begins, `due`
    when the iteration ends, `late` when the grace is over, `escalates` when others hear of it."""

    soon: datetime
    due_day: datetime
    due: datetime
    late: datetime
    escalates: datetime


@dataclass(frozen=True, slots=True)
class Iteration:
    """The iteration that is audited. `gate` says that its phase ends with it: its deliverables are looked at.
    `closed_at` is None while it is open. `figures` as in `domain.figures`, None before it is closed. `begun_at`
    is when it was begun, None where that is not known."""

    number: int
    title: str
    phase: str
    phase_title: str
    loop: int
    first: date
    last: date
    closed_at: datetime | None
    deadlines: Deadlines
    gate: bool = False
    figures: Mapping[str, Any] | None = None
    begun_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opinions:
    """What the second opinion said of a record: `scores` from 0 to 1 by the key of what was asked, `by` who gave them
    (empty: nobody, the rules decide alone)."""

    by: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a language model at an address that the user set was asked about a text, and what it answered, both as they
    were sent: `request` is the body of the call, `answer` the text of the reply."""

    model: str
    host: str
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One iteration with all that its audit looks at; `audit` of the same subject is always the same.

    `record` is its record; `former` the text of the record before it (empty: none), `template` the text that was
    seeded, `filled` what phaseloop wrote into the two since, section by section: facts may answer a check, and are no
    copy. `deliverables` are the exit tickets of the phase, `done` the tickets that were done in the iteration. `keys`
    are what tickets of this project are called (ML-12) as far as they are known. `people` are by account id. `ours` is
    the account that phaseloop writes as, `written` the digests of texts that it wrote. `waivers` are those that hold
    for this iteration. `at` is when it was read. `opinions` are the scores of the second opinion when it was read, and
    `judged_by` the version of the rules then (1: evidence from before there were versions), `judged_with` the digest of
    the words that they knew (`version.py`). `advice` is what a language
    model said of what was unclear, by the key of the question.
    """

    iteration: Iteration
    rules: Rules
    record: Reading
    at: datetime
    former: str = ""
    template: str = ""
    filled: tuple[str, ...] = ()
    deliverables: tuple[Reading, ...] = ()
    done: tuple[Reading, ...] = ()
    keys: tuple[str, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    ours: str = ""
    written: tuple[str, ...] = ()
    waivers: Mapping[Check, Waived] = field(default_factory=dict)
    opinions: Opinions = Opinions()
    judged_by: int = 1
    judged_with: str = ""
    advice: Mapping[str, Advice] = field(default_factory=dict)


_SUBJECT: TypeAdapter[Subject] = TypeAdapter(Subject)


def subject_to_json(subject: Subject) -> dict[str, Any]:
    """The subject as plain JSON values; `subject_from_json` gives it back, equal."""
    value: dict[str, Any] = _SUBJECT.dump_python(subject, mode="json")
    return value


def subject_from_json(value: object) -> Subject:
    """A subject from plain JSON values. Raises pydantic's ValidationError, a ValueError."""
    return _SUBJECT.validate_python(value)
