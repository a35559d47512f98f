"""The messages that notices become: one for each, or one for many that came together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from connectors.messages import Fact, Line, Message, Part
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.loop.figures import TicketRecord
from service.domain.notice.kinds import TITLES, NoticeKind

NOBODY = "nobody yet"
TRIAL = "test"
"""What a test is called where kinds of notices stand."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as it stands in the project's history. `to` names who it concerns most."""

    kind: NoticeKind
    text: str
    at: datetime
    iteration: int | None = None
    to: tuple[str, ...] = ()
    run: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class About:
    """The project as it is called now, and its id. `tracker` is its page there; `pages` is where ours begin, empty
    where that is not known."""

    key: str
    name: str
    zone: tzinfo
    tracker: str = ""
    pages: str = ""
    id: str = ""

    @property
    def called(self) -> str:
        """The project in a title."""
        return self.key if self.name.casefold() == self.key.casefold() else f"{self.name} ({self.key})"


@dataclass(frozen=True, slots=True)
class Tickets:
    """The tickets that the holders of one role have in an iteration."""

    role: str
    tickets: Sequence[TicketRecord]


def message(told: Told, about: About, by_role: Sequence[Tickets] = (), more: Sequence[Part] = ()) -> Message:
    """What people are sent of one notice; `by_role` are the tickets of an iteration that began, `more` is said
    besides."""
    parts = [Part(text=told.text)]
    if told.to:
        parts.append(Part(text=f"For: {', '.join(told.to)}"))
    if told.kind is NoticeKind.ITERATION_STARTED:
        parts += [_role(one) for one in by_role]
    if told.kind is NoticeKind.CARRY_OVER:
        parts += _carried(told)
    parts += more
    url, link = _page(told, about)
    return Message(
        title=f"{TITLES[told.kind]}: {about.called}",
        parts=tuple(parts),
        url=url,
        link=link,
        rest=_rest(about),
        foot=_foot(about, told.at, told.iteration),
        facts=(_fact(told, about, by_role),),
    )


def digest(several: Sequence[tuple[About, Sequence[Told]]]) -> Message:
    """What people are sent of many notices that came together, those of each project the oldest first."""
    parts = [part for about, of_project in several for part in _parts(of_project, about, len(several) > 1)]
    everything = [one for _about, of_project in several for one in of_project]
    first = several[0][0]
    last = max(everything, key=lambda one: one.at)
    named = first.called if len(several) == 1 else counted(len(several), "project")
    iterations = {one.iteration for one in everything} if len(several) == 1 else set()
    iteration = iterations.pop() if len(iterations) == 1 else None
    pages = f"{first.pages}/projects/{first.key}" if len(several) == 1 else f"{first.pages}/"
    return Message(
        title=f"{counted(len(everything), 'notice')}: {named}",
        parts=tuple(parts),
        url=pages if first.pages else "",
        rest=_rest(first),
        foot=_foot(first, last.at, iteration) if len(several) == 1 else f"phaseloop, {_clock(last.at, first.zone)}",
        facts=tuple(_fact(one, about) for about, of_project in several for one in of_project),
    )


def _parts(several: Sequence[Told], about: About, named: bool) -> Iterator[Part]:
    """The notices of one project, by kind; the project is named where there are others."""
    for kind in NoticeKind:
        of_kind = [one for one in several if one.kind is kind]
        if of_kind:
            lines = tuple(Line(one.text, more=f"({_clock(one.at, about.zone)})") for one in of_kind)
            of = f"{about.called}: " if named else ""
            yield Part(title=f"{of}{TITLES[kind]} ({len(of_kind)})", lines=lines)


def stand_up(happened: Sequence[Told], by_person: Sequence[Tickets], held: Sequence[str], about: About) -> list[Part]:
    """What a stand-up is about: what is held, what happened since the last one, who has what."""
    parts = []
    if held:
        parts.append(Part("Somebody is needed", lines=tuple(Line(one) for one in held)))
    if happened:
        lines = tuple(Line(one.text, more=f"({_clock(one.at, about.zone)})") for one in happened)
        parts.append(Part("Since the last stand-up", lines=lines))
    for one in by_person:
        lines = tuple(Line(f"{each.remote_key} {each.title}".strip(), each.url) for each in one.tickets)
        parts.append(Part(f"{one.role} ({counted(len(lines), 'ticket')})", lines=lines))
    return parts


def trial(about: str, at: datetime) -> Message:
    """What is sent to see whether a receiver works."""
    text = "This is a test. phaseloop reaches this channel, and will tell here what was asked for."
    return Message(
        title=f"A test of {about}",
        parts=(Part(text=text),),
        foot=f"{at:%Y-%m-%d %H:%M} UTC",
        facts=(Fact(TRIAL, text, at),),
    )


def _fact(told: Told, about: About, by_role: Sequence[Tickets] = ()) -> Fact:
    details = {name: value for name, value in told.data.items() if name != "to"}
    if by_role:
        details["tickets"] = [
            {
                "role": one.role,
                "key": ticket.remote_key,
                "title": ticket.title,
                "url": ticket.url,
                "person": ticket.person or None,
                "points": ticket.points,
            }
            for one in by_role
            for ticket in one.tickets
        ]
    return Fact(
        kind=told.kind.value,
        text=told.text,
        at=told.at,
        project={"id": about.id, "key": about.key, "name": about.name},
        iteration=told.iteration,
        people=told.to,
        run=told.run,
        url=_page(told, about)[0],
        details=details,
    )


def _role(one: Tickets) -> Part:
    lines = tuple(
        Line(f"{ticket.remote_key} {ticket.title}".strip(), ticket.url, _holder(ticket)) for ticket in one.tickets
    )
    return Part(title=f"{one.role} ({counted(len(one.tickets), 'ticket')})", lines=lines)


def _holder(ticket: TicketRecord) -> str:
    points = f", {counted(ticket.points, 'point')}" if ticket.points is not None else ""
    return f"({ticket.person or NOBODY}{points})"


def _carried(told: Told) -> list[Part]:
    found: Iterable[Any] = told.data.get("carried") or ()
    lines = tuple(
        Line(str(one.get("title", "")), more=f"({one.get('policy', '')}, {one.get('person') or NOBODY})")
        for one in found
        if isinstance(one, Mapping)
    )
    return [Part(title=counted(len(lines), "ticket"), lines=lines)] if lines else []


_OF_RUNS = (NoticeKind.RUN_FAILED, NoticeKind.RUN_HELD, NoticeKind.RUN_WAITING)
_OF_RECORDS = (NoticeKind.RECORD_DUE, NoticeKind.RECORD_OVERDUE, NoticeKind.RECORD_ESCALATED)


def _page(told: Told, about: About) -> tuple[str, str]:
    """Where the notice leads and what the link says: to a page of ours, else to the project in the tracker."""
    if not about.pages:
        return about.tracker, "Open the project in the tracker" if about.tracker else ""
    if told.kind in _OF_RUNS and told.run is not None:
        return f"{about.pages}/runs/{told.run}", "Open the run in phaseloop"
    if told.kind in _OF_RECORDS:
        return f"{about.pages}/projects/{about.key}/audit", "Open the audit in phaseloop"
    return f"{about.pages}/projects/{about.key}", "Open the project in phaseloop"


def _rest(about: About) -> str:
    if about.pages:
        return "This was shortened: all of it stands behind the link."
    return f"This was shortened: all of it stands in `phaseloop history {typed(about.key)}`."


def _foot(about: About, at: datetime, iteration: int | None) -> str:
    of = f", iteration {iteration}" if iteration is not None else ""
    return f"phaseloop, {about.key}{of}, {_clock(at, about.zone)}"


def _clock(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M %Z}"
