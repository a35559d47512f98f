"""What a project's model came to: its measures over the iterations, and what was decided and why. From the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from markupsafe import Markup

from service.context import Context
from service.domain.audit import plot
from service.domain.audit.decisions import LoggedDecision
from service.domain.english import counted
from service.pages.moments import Moment, moment
from service.usecases.audit import evolution
from service.usecases.setup import projects

LONGEST_SEARCH = 200
MOST = 100
"""Decisions on the page; a search finds the others."""


@dataclass(frozen=True, slots=True)
class MeasurePicture:
    """A measure as a picture and as the table that says the same: iteration, value, target. `said` is its newest."""

    id: str
    name: str
    said: str
    picture: Markup
    rows: Sequence[tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision, why it was made and what else could have been done; `links` lead out, as titles and addresses."""

    text: str
    reason: str
    alternative: str
    where: str
    record: str
    by: str
    at: Moment | None
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EvolutionPage:
    """A project's decisions, in time order or, with a `query`, those that it is about, the best first; its measures."""

    id: str
    key: str
    name: str
    query: str
    measures: tuple[MeasurePicture, ...]
    decisions: tuple[DecisionLine, ...]
    said: str
    none: str


def page_of(context: Context, name: str, query: str = "") -> EvolutionPage:
    """The page, from what was read of the records. Raises NotFound, Conflict."""
    project = projects.past_or_present(context, name, ask=False)
    found = evolution.decisions(context, project.id, query)
    shown = found if query.strip() else found[::-1]
    now, zone = context.now(), project.time_zone
    measures = evolution.measures(context, project.id)
    return EvolutionPage(
        id=project.id,
        key=project.key,
        name=project.name,
        query=query,
        measures=tuple(
            MeasurePicture(f"m{number}", one.name, _newest(plot.rows(one)), plot.svg(one), plot.rows(one))
            for number, one in enumerate(measures)
        ),
        decisions=tuple(_line(one, zone, now) for one in shown[:MOST]),
        said=_amount(len(found), query),
        none=_none(query),
    )


def _newest(rows: Sequence[tuple[int, str, str]]) -> str:
    number, value, target = rows[-1]
    return f"{value} in iteration {number}" + (f", target {target}" if target else "")


def _amount(count: int, query: str) -> str:
    what = counted(count, "decision")
    more = f", {MOST} are shown: search for the others" if count > MOST else ""
    return f"{what} about “{query}”{more}" if query.strip() else f"{what}, the newest first{more}"


def _none(query: str) -> str:
    if query.strip():
        return "No decision is about that. Search for other words, or leave them out to see all."
    return "No record that was read tells a decision yet. Those of a record are here once it was audited."


def _line(one: LoggedDecision, zone: str, now: datetime) -> DecisionLine:
    return DecisionLine(
        text=one.text,
        reason=one.reason,
        alternative=one.alternative,
        where=f"Iteration {one.iteration}, {one.phase}",
        record=_leads(one.record),
        by=one.by,
        at=moment(one.at, zone, now) if one.at is not None else None,
        links=tuple((link.text or link.url, link.url) for link in one.links if _leads(link.url)),
    )


def _leads(address: str) -> str:
    """The address where it is one of the web; what people wrote may be any."""
    try:
        return address if urlsplit(address).scheme in ("http", "https") else ""
    except ValueError:
        return ""
