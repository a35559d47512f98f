"""Iterations of the built-in template with everything an audit looks at, for the tests of the rules and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from connectors.records import Comment, Document, Edit, Step, Tick, text_digest
from connectors.values import ItemKey, RemoteRef
from service import templates
from service.domain.audit.audit import audit
from service.domain.audit.deadlines import deadlines_of
from service.domain.audit.outcome import Check, CheckFinding, Result
from service.domain.audit.rules import ProjectAudit, settle
from service.domain.audit.subject import Iteration, Person, Reading, Rules, Subject
from service.domain.team.calendar import Calendar
from service.domain.template.template import Template

CALENDAR = Calendar(time_zone="Europe/Paris")
ZONE = ZoneInfo("Europe/Paris")
STARTS = datetime(2026, 3, 2, 9, tzinfo=ZONE)
ENDS = datetime(2026, 3, 13, 17, tzinfo=ZONE)
"""A Friday; with two working days of grace the record is late from Tuesday 17 March, 17:00, on."""
WRITTEN = datetime(2026, 3, 12, 10, tzinfo=ZONE)
SIGNED = datetime(2026, 3, 13, 10, tzinfo=ZONE)
LATE = datetime(2026, 3, 17, 17, tzinfo=ZONE)
AFTER = datetime(2026, 3, 30, 9, tzinfo=ZONE)

PEOPLE = {
    "a-ml": Person("ml-1@example.com", ("ml",)),
    "a-data": Person("data-1@example.com", ("data",)),
    "a-pm": Person("pm-1@example.com", ("pm",)),
}

GOOD = """\
## Goal and hypothesis

We want to know whether a gradient boosted forest beats the baseline of last spring by at least two points of F1 on
customers that are new to us; a gain of less than one point would prove it wrong.

## Data used

Dataset churn-events, version 2026.3, hash 3f9a1c7e.

## Experiments and results

- F1 0.74, baseline 0.68, target 0.72

## Decisions and why

- We keep the forest because it is faster by half, instead of the linear model, which was turned down.

## Model performance in production

Recall 0.71 over the last 14 days, target 0.70.

## Risks and limits

It fails for customers with fewer than three visits; they get the usual offer, so nobody is harmed.

## Next steps

- ML-21: try fewer features

## Links

- [run 12](https://mlflow.example.com/#/experiments/1/runs/12)
- [repository](https://github.com/team/churn)
- [model card](https://wiki.example.com/model-card)
- [dashboard](https://grafana.example.com/d/1)

## Retrospective

Reviews came late again; from now on the reviewer is named when work on a ticket begins.
"""


@cache
def template() -> Template:
    return templates.read_template_file(templates.BUILTIN / "iterative-ml.yaml")


def rules(phase: int = 0, said: ProjectAudit | None = None, **changes: Any) -> Rules:
    """The rules of a phase of the built-in template, with changes."""
    return replace(settle(template(), template().phases[phase], said), **changes)


def document(text: str = GOOD, **changes: Any) -> Document:
    """A record that ml-1 wrote and pm-1 approved on time."""
    ticket = Document(
        ref=RemoteRef("9001", "ML-9", "https://tracker.example.com/browse/ML-9"),
        title="Document iteration 1",
        text=text,
        digest=text_digest(text),
        status="done",
        assignee="a-ml",
        created_by="a-us",
        created_at=STARTS,
        comments=(Comment("c1", "a-pm", "Tracker name of pm-1", "/approve Well done.", SIGNED),),
        edits=(Edit("a-ml", "Tracker name of ml-1", WRITTEN, text_digest(text)),),
    )
    return replace(ticket, **changes)


def ticket(key: str, text: str = "As seeded.", **changes: Any) -> Reading:
    """A ticket of work that was done, with nothing on it."""
    ref = RemoteRef(key, key, f"https://tracker.example.com/browse/{key}")
    return Reading(
        ItemKey(f"ticket:{key}"), replace(Document(ref, f"Work {key}", text, text_digest(text), "done"), **changes)
    )


def subject(
    record: Document | Reading | None = None, phase: int = 0, said: ProjectAudit | None = None, **changes: Any
) -> Subject:
    """An iteration in which all is well, two weeks after its end."""
    of = rules(phase, said)
    reading = record if isinstance(record, Reading) else Reading(ItemKey("record:1"), record or document())
    iteration = Iteration(
        number=1,
        title="ML 1 Ideation",
        phase=template().phases[phase].key,
        phase_title=template().phases[phase].title,
        loop=1,
        first=date(2026, 3, 2),
        last=date(2026, 3, 15),
        closed_at=None,
        deadlines=deadlines_of(STARTS, ENDS, CALENDAR, of),
        gate=False,
    )
    whole = Subject(
        iteration=iteration,
        rules=of,
        record=reading,
        at=AFTER,
        keys=("ML-21",),
        people=PEOPLE,
        ours="a-us",
        done=(ticket("ML-1", ticks=(Tick("Trained", True, "a-ml"),)),),
    )
    return replace(whole, **changes)


def at_gate(what: Subject, *deliverables: Reading) -> Subject:
    """The same where the phase ends with it."""
    return replace(what, iteration=replace(what.iteration, gate=True), deliverables=deliverables)


def found(what: Subject) -> Mapping[Check, CheckFinding]:
    """The findings of an audit by check."""
    return {one.check: one for one in audit(what).findings}


def result(what: Subject, check: Check) -> Result:
    return found(what)[check].result


def moved(by: str, at: datetime = SIGNED, status: str = "done") -> Step:
    return Step(status, by, by, at)


def later(**more: float) -> datetime:
    return SIGNED + timedelta(**more)
