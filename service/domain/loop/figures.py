"""What became of an iteration, ticket by ticket and in figures. Pure.

`planned` tells what an iteration began with, `closed` what became of each of its tickets when it was closed, and
`count` adds up. The records are kept in the store, so the history stays whole when tickets vanish from the tracker.

Every ticket was either planned or added, and had one outcome: planned + added = done + carried + backlog + left +
removed, in tickets and in points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import ceil
from statistics import median
from typing import Any, Self

from connectors.values import Content, Finding, Item, ItemKey, ItemKind, RemoteRef, Severity
from service.domain.english import counted
from service.domain.loop.turnover import Carried, Policy, iteration_key, iteration_label, key_of

ROLE = "role:"
"""A ticket's label that names its role begins with this."""

POINTS = "points:"
"""A ticket's label that tells its estimate begins with this, where the tracker has no estimates."""

GUEST = "guest:"
"""The key of a ticket of people's own begins with this, its id in the tracker follows."""


class Outcome(StrEnum):
    """What became of a ticket when its iteration was closed."""

    OPEN = "open"
    """The iteration still continues."""
    DONE = "done"
    """It was done, or completed with its iteration because nothing was left to do in it (see `Policy.COMPLETE`)."""
    CARRIED = "carried"
    """It continued into the next iteration."""
    BACKLOG = "backlog"
    """It was taken out of every iteration."""
    LEFT = "left"
    """It was not done and stayed."""
    REMOVED = "removed"
    """It was planned and somebody took it out of the iteration before the close, or it is gone."""


@dataclass(frozen=True, slots=True)
class TicketRecord:
    """A ticket as it was seen in an iteration. `key` is its item key, `guest:<id>` for one of people's own.

    `remote_key` is what people call it in the tracker. `role` is empty where it has none, `person` where nobody has it.
    `planned` is false for a ticket that was added after the iteration began. `times` is how often it was carried, this
    close included. `points` and `status` (`todo`, `doing`, `done`) are as at the close, as planned before that and for
    one that was removed. The instants are aware, None where unknown.
    """

    key: ItemKey
    title: str
    remote_id: str = ""
    remote_key: str = ""
    url: str = ""
    role: str = ""
    person: str = ""
    points: float | None = None
    status: str = "todo"
    outcome: Outcome = Outcome.OPEN
    planned: bool = True
    times: int = 0
    created: datetime | None = None
    started: datetime | None = None
    done: datetime | None = None

    @property
    def cycle(self) -> timedelta | None:
        """How long it was in the works, round the clock; None unless it is done and both its ends are known."""
        if self.outcome is not Outcome.DONE or self.started is None or self.done is None:
            return None
        return max(self.done - self.started, timedelta())

    def to_json(self) -> dict[str, Any]:
        """The form kept in the store and shown to people."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The record from its stored form; what a later version added is passed over."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        instants = {name: _instant(known.get(name)) for name in ("created", "started", "done")}
        return cls(**{**known, **instants, "outcome": Outcome(known.get("outcome", Outcome.OPEN))})


@dataclass(frozen=True, slots=True)
class Sum:
    """So many tickets with so many points in all; one without an estimate counts no points."""

    tickets: int = 0
    points: float = 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """Tickets by how they came into an iteration (planned, added) and what became of them (the rest)."""

    planned: Sum = Sum()
    added: Sum = Sum()
    done: Sum = Sum()
    carried: Sum = Sum()
    backlog: Sum = Sum()
    left: Sum = Sum()
    removed: Sum = Sum()


@dataclass(frozen=True, slots=True)
class Cycle:
    """How long done tickets were in the works, in hours round the clock: half of them no longer than `median`, 85 of
    100 no longer than `p85`. `tickets` is how many of them the tracker told it for."""

    tickets: int
    median: float
    p85: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What an iteration comes to: in all, for each role (an empty role: tickets of none), and its cycle times."""

    all: Tally = Tally()
    by_role: Mapping[str, Tally] = field(default_factory=dict)
    cycle: Cycle | None = None

    def to_json(self) -> dict[str, Any]:
        """The form kept in the store and shown to people."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The figures from their stored form."""
        roles = {role: _tally(tally) for role, tally in value["by_role"].items()}
        return cls(_tally(value["all"]), roles, Cycle(**value["cycle"]) if value["cycle"] else None)


def planned(
    number: int,
    items: Iterable[Item],
    refs: Mapping[ItemKey, RemoteRef],
    people: Mapping[str, str],
    carried: Sequence[Carried] = (),
    moved: Mapping[ItemKey, object] | None = None,
) -> list[TicketRecord]:
    """What iteration `number` begins with: those of the desired items that are its tickets and exist (`refs`), and what
    of people's own was carried into it.

    `people` names the person behind an account id. `moved` gives the iterations into which people took tickets past us
    (None: out of every one, or they deleted it): they count where they are.
    """
    moved = moved or {}
    times = {each.key: each.times for each in carried if each.to == number}
    records = [
        TicketRecord(
            key=item.key,
            title=item.title,
            remote_id=refs[item.key].id,
            remote_key=refs[item.key].key,
            url=refs[item.key].url,
            role=role_of(item.labels),
            person=people.get(item.assignee, item.assignee) if item.assignee else "",
            points=item.points if item.points is not None else points_said(item.labels),
            times=times.get(item.key, 0),
        )
        for item in items
        if item.kind is ItemKind.TICKET and item.key in refs
        if (moved[item.key] == iteration_key(number) if item.key in moved else _in_iteration(item, number))
    ]
    known = {record.key for record in records} | set(moved)
    return records + [
        _guest(each, refs.get(each.key)) for each in carried if each.to == number and each.key not in known
    ]


def closed(
    planned: Sequence[TicketRecord],
    contents: Sequence[Content],
    carried: Sequence[Carried],
    people: Mapping[str, str] | None = None,
) -> list[TicketRecord]:
    """What became of each ticket of an iteration: of those it began with, and of those in it when it was closed.

    `contents` is the iteration before anything was moved out of it, `carried` what was decided about the unfinished. An
    unfinished ticket that nothing was decided about was left. Each ticket is there once, in the order of `planned`,
    then of `contents`. `people` names the person behind an account id, as for `planned`; of others the tracker's name
    is kept.
    """
    named = [_named(content, people or {}) for content in contents]
    return _ended(planned, named, {each.key: each for each in carried})


def as_they_stand(
    records: Sequence[TicketRecord], contents: Sequence[Content], people: Mapping[str, str] | None = None
) -> list[TicketRecord]:
    """How the tickets of an open iteration stand: those it began with, and what is in it now. `records` are
    those of before, however they stood. What is not done is open."""
    ended = closed(as_begun(records), contents, (), people)
    return [replace(one, outcome=Outcome.OPEN) if one.outcome is Outcome.LEFT else one for one in ended]


def as_begun(records: Iterable[TicketRecord]) -> list[TicketRecord]:
    """The tickets that an iteration began with, without what became of them while it continued."""
    return [
        replace(one, status="todo", outcome=Outcome.OPEN, started=None, done=None) for one in records if one.planned
    ]


def count(records: Iterable[TicketRecord]) -> Figures:
    """Add up the records of one iteration."""
    records = list(records)
    roles = sorted({record.role for record in records})
    return Figures(
        all=_count(records),
        by_role={role: _count([record for record in records if record.role == role]) for role in roles},
        cycle=cycle_times(records),
    )


def total(points: Iterable[float | None]) -> Sum:
    """So many tickets with these points; None for one that has no estimate."""
    found = list(points)
    # Decimals add up to what people would write down: 0.1 + 0.2 is 0.3.
    return Sum(len(found), float(sum((Decimal(str(one)) for one in found if one is not None), Decimal())))


def cycle_times(records: Iterable[TicketRecord]) -> Cycle | None:
    """The cycle times of the done ones among these records, of however many iterations; None if none is known."""
    hours = sorted(record.cycle / timedelta(hours=1) for record in records if record.cycle is not None)
    if not hours:
        return None
    return Cycle(len(hours), round(median(hours), 2), round(hours[ceil(0.85 * len(hours)) - 1], 2))


def wip_finding(number: int, contents: Iterable[Content], limit: int | None) -> Finding | None:
    """That more tickets of iteration `number` are in progress than the limit allows; None if they are not."""
    doing = sum(content.status == "doing" for content in contents)
    if limit is None or doing <= limit:
        return None
    return Finding(
        Severity.WARNING,
        "wip-limit-exceeded",
        f"{counted(doing, 'ticket')} of iteration {number} {'is' if doing == 1 else 'are'} in progress at once; the "
        f"limit is {limit}.",
        "Finish some before others are begun, or raise the WIP limit (--wip-limit).",
        iteration_key(number),
    )


def points_said(labels: Iterable[str]) -> float | None:
    """The estimate that labels such as `points:5` tell, where a tracker has no estimates; of several the greatest."""
    found = (label.removeprefix(POINTS) for label in labels if label.startswith(POINTS))
    return max((float(said) for said in found if said.isdecimal()), default=None)


def role_of(labels: Iterable[str]) -> str:
    """The role that a ticket's labels name, empty if none does."""
    return next((label.removeprefix(ROLE) for label in labels if label.startswith(ROLE)), "")


def _named(content: Content, people: Mapping[str, str]) -> Content:
    account = content.assignee or ""
    return replace(content, person=people.get(account) or content.person or account)


def _ended(
    planned: Sequence[TicketRecord], contents: Sequence[Content], decided: Mapping[ItemKey, Carried]
) -> list[TicketRecord]:
    by_key = {key_of(content): content for content in contents}
    by_id = {content.ref.id: content for content in contents}
    records: list[TicketRecord] = []
    seen: set[str] = set()
    for record in planned:
        content = by_key.get(record.key) or by_id.get(record.remote_id)
        if content is None:
            records.append(_gone(record, decided.get(record.key)))
        elif content.ref.id not in seen:
            seen.add(content.ref.id)
            records.append(_closed(content, decided, record))
    for content in contents:
        if content.ref.id not in seen:
            seen.add(content.ref.id)
            records.append(_closed(content, decided, None))
    return records


def _in_iteration(item: Item, number: int) -> bool:
    # Where a tracker has no iterations, a label of that name says it.
    return item.iteration == iteration_key(number) or iteration_label(number) in item.labels


def _guest(carried: Carried, ref: RemoteRef | None) -> TicketRecord:
    return TicketRecord(
        key=carried.key,
        title=carried.title,
        remote_id=ref.id if ref else carried.key.removeprefix(GUEST),
        remote_key=ref.key if ref else "",
        url=ref.url if ref else "",
        person=carried.person,
        points=carried.points,
        times=carried.times,
    )


_OUTCOMES = {
    Policy.NEXT: Outcome.CARRIED,
    Policy.BACKLOG: Outcome.BACKLOG,
    Policy.LEAVE: Outcome.LEFT,
    Policy.COMPLETE: Outcome.DONE,
}


def _gone(record: TicketRecord, decided: Carried | None) -> TicketRecord:
    """A planned ticket that is not among the contents: moved on by the advance itself, or else out by people."""
    if decided is None:
        return replace(record, outcome=Outcome.REMOVED)
    return replace(record, outcome=_OUTCOMES[decided.policy], times=decided.times)


def _closed(content: Content, decided: Mapping[ItemKey, Carried], record: TicketRecord | None) -> TicketRecord:
    key = key_of(content)
    choice = decided.get(key)
    if content.status == "done":
        outcome = Outcome.DONE
    else:
        outcome = _OUTCOMES[choice.policy] if choice is not None else Outcome.LEFT
    return TicketRecord(
        key=key,
        title=content.title,
        remote_id=content.ref.id,
        remote_key=content.ref.key,
        url=content.ref.url,
        role=role_of(content.labels) or (record.role if record is not None else ""),
        person=content.person,
        points=content.points,
        status=content.status,
        outcome=outcome,
        planned=record is not None,
        times=choice.times if choice is not None else record.times if record is not None else 0,
        created=content.created_at,
        started=content.started_at,
        done=content.done_at,
    )


def _count(records: Sequence[TicketRecord]) -> Tally:
    def ended(outcome: Outcome) -> Sum:
        return total(record.points for record in records if record.outcome is outcome)

    return Tally(
        planned=total(record.points for record in records if record.planned),
        added=total(record.points for record in records if not record.planned),
        done=ended(Outcome.DONE),
        carried=ended(Outcome.CARRIED),
        backlog=ended(Outcome.BACKLOG),
        left=ended(Outcome.LEFT),
        removed=ended(Outcome.REMOVED),
    )


def _tally(value: Mapping[str, Mapping[str, Any]]) -> Tally:
    return Tally(**{name: Sum(**value[name]) for name in Tally.__dataclass_fields__ if name in value})


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value is not None else None
