"""A project of three iterations with its evidence, and binders made of it, for the tests of binders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.records import Comment, Document, Edit, WebLink, text_digest
from connectors.values import RemoteRef
from service import __version__
from service.binder import file, page
from service.domain.audit import chain
from service.domain.audit.binder import Bound, content_of, sealed
from service.domain.audit.outcome import Check, Waived, Weight
from service.domain.audit.subject import (
    Deadlines,
    Iteration,
    Person,
    Reading,
    Rules,
    SectionRule,
    Subject,
    subject_to_json,
)
from service.domain.audit.version import JUDGED_BY, data_digest

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()
START = datetime(2026, 3, 2, 8, tzinfo=UTC)

TITLES = {
    "goal": "Goal and hypothesis",
    "data": "Data used",
    "experiments": "Experiments and results",
    "decisions": "Decisions and why",
    "performance": "Model performance in production",
    "risks": "Risks and limits",
    "next-steps": "Next steps",
    "links": "Links",
    "sign-off": "Sign-off",
}


def record(number: int) -> str:
    """A record that says something under every heading, other in every iteration."""
    return f"""## Goal and hypothesis

We want to know in round {number} whether the forest beats the baseline of last spring by at least two points of F1 on
customers that are new to us, because those are the ones that leave.

## Data used

Dataset churn-events version 2026.{number}, hash 3f9a{number}c7.

## Experiments and results

- F1: 0.{70 + number} (baseline 0.68, target 0.8)

## Decisions and why

- We keep model A because it is faster by half; alternative: model B, turned down.

## Model performance in production

Recall 0.{60 + number} over the last 14 days, target 0.7.

## Risks and limits

Fails for customers with fewer than three visits; nobody is harmed by that, they get the offer anyway.

## Next steps

- ML-{number + 20}: try fewer features

## Links

- [run {number}](https://runs.example.com/runs/{number})

## Sign-off

Read and agreed.
"""


def subject(number: int, text: str | None = None, **changes: Any) -> Subject:
    """An iteration whose record was written by ml-1 and approved by pm-1."""
    starts = START + timedelta(weeks=2 * (number - 1))
    ends = starts + timedelta(days=11, hours=9)
    written = record(number) if text is None else text
    document = Document(
        ref=RemoteRef(str(9000 + number), f"ML-{number}", f"https://tracker.example.com/browse/ML-{number}"),
        title=f"Document iteration {number}",
        text=written,
        digest=text_digest(written),
        status="done",
        created_by="acc-us",
        created_at=starts,
        comments=(Comment("c1", "acc-pm", "pm-1@example.com", "/approve", ends - timedelta(hours=1)),),
        links=(WebLink("https://runs.example.com/runs/7", "run"),),
        edits=(Edit("acc-ml", "ml-1@example.com", ends - timedelta(hours=3), text_digest(written)),),
    )
    late = ends + timedelta(days=2)
    return replace(
        Subject(
            judged_by=JUDGED_BY,
            judged_with=data_digest(),
            iteration=Iteration(
                number=number,
                title=f"churn {number}",
                phase="ideation",
                phase_title="Ideation",
                loop=1,
                first=starts.date(),
                last=ends.date(),
                closed_at=ends,
                deadlines=Deadlines(
                    ends - timedelta(days=2), ends - timedelta(days=1), ends, late, late + timedelta(3)
                ),
                figures={"all": {}, "by_role": {}, "cycle": None},
            ),
            rules=Rules(
                weights=dict.fromkeys(Check, Weight.MAJOR) | {Check.RECORD: Weight.CRITICAL},
                sections=tuple(SectionRule(key, (title,), "") for key, title in TITLES.items()),
                author="ml",
                signer="pm",
                signer_title="Product manager",
            ),
            record=Reading(f"record:{number}", document),
            at=late + timedelta(hours=1),
            people={
                "acc-ml": Person("ml-1@example.com", ("ml",)),
                "acc-pm": Person("pm-1@example.com", ("pm",)),
            },
            ours="acc-us",
        ),
        **changes,
    )


def evidence(*subjects: Subject, waiver: bool = True) -> list[chain.Entry]:
    """The chain of a project: a reading for each subject, after a waiver that holds for all."""
    entries: list[chain.Entry] = []

    def add(iteration: int | None, kind: str, at: datetime, body: Mapping[str, Any]) -> None:
        entries.append(chain.sealed("prj_1", iteration, kind, at, body, entries[-1] if entries else None))

    if waiver:
        add(None, chain.WAIVER, START, {"check": "D14", "by": "pm-1@example.com", "reason": "none is held yet"})
    for one in subjects:
        add(one.iteration.number, chain.READING, one.at, subject_to_json(one))
    return entries


def waived(what: Subject) -> Subject:
    """The same with its retrospective waived."""
    return replace(
        what,
        waivers={Check.RETROSPECTIVE: Waived("pm-1@example.com", "none is held yet", date(2026, 12, 31), START)},
    )


def content(entries: Sequence[chain.Entry], number: int | None = None) -> dict[str, Any]:
    """The content of a binder of this evidence, of one iteration or of all."""
    newest = {entry.iteration: entry for entry in entries if entry.kind == chain.READING}
    bound = [
        Bound(_about(entry), entry.seq, entry.at)
        for of, entry in sorted(newest.items(), key=lambda one: one[0] or 0)
        if number in (None, of)
    ]
    made = {"at": "2026-06-01T12:00:00+00:00", "phaseloop": __version__, "page": page.version()}
    project = {
        "id": "prj_1",
        "key": "ML",
        "name": "Churn",
        "url": "https://tracker.example.com/browse/ML",
        "tracker": "jira",
        "template": "iterative-ml",
        "template_version": "1.0.0",
    }
    return content_of(made, project, number, bound, entries)


def _about(entry: chain.Entry) -> dict[str, Any]:
    iteration = entry.body["iteration"]
    done = {"tickets": 5, "points": 13.0}
    figures = {"all": {"planned": done, "added": {"tickets": 0, "points": 0.0}, "done": done}, "by_role": {}}
    told = {name: iteration[name] for name in ("number", "title", "phase", "loop", "first", "last", "closed_at")}
    return {**told, "figures": figures}


def binder(what: Mapping[str, Any], key: Ed25519PrivateKey = KEY) -> dict[str, Any]:
    """A binder as JSON values."""
    return sealed(what, key.public_key().public_bytes_raw().hex(), None, key.sign)


def as_html(what: Mapping[str, Any], key: Ed25519PrivateKey = KEY) -> bytes:
    """A binder as a page."""
    public = key.public_key().public_bytes_raw().hex()
    shown = page.render(what, public)
    return file.as_page(shown, sealed(what, public, file.page_digest(shown), key.sign))


def changed(what: Mapping[str, Any], change: Callable[[Any], object]) -> dict[str, Any]:
    """A copy of a binder with something changed in it."""
    copy = deepcopy(dict(what))
    change(copy)
    return copy
