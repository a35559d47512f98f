"""Where our tickets are by our own records, and which of what we recorded a plan is about. Pure.

A plan concerns what is live: the iterations that are open or come, their tickets, the epics. What was in an iteration
that is closed, or was sent to the backlog, is history: it is neither wanted nor compared nor released.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from connectors.values import Fields, Finding, ItemKey, ItemKind, Severity
from service.domain.english import counted
from service.domain.plan.blueprint import Blueprint, TicketKind
from service.domain.plan.plan import Action, Change, Recorded
from service.domain.template.template import Phase

_ITERATION = f"{ItemKind.ITERATION}:"


def number_in(key: object) -> int | None:
    """`iteration:3` -> 3, as the key of an iteration or as a ticket's label; None for anything else."""
    digits = key.removeprefix(_ITERATION) if isinstance(key, str) and key.startswith(_ITERATION) else ""
    return int(digits) if digits.isdecimal() else None


def iteration_of(record: Recorded) -> int | None:
    """The iteration that we last put a ticket into, None for none: by its field or, where the tracker has no
    iterations, by its label."""
    placed = number_in(record.wanted.get("iteration"))
    if placed is not None:
        return placed
    return next((found for label in record.wanted.get("labels") or () if (found := number_in(label)) is not None), None)


def tickets_in(recorded: Mapping[ItemKey, Recorded]) -> dict[ItemKey, int]:
    """The iterations of the tickets that exist by our records."""
    return {
        key: placed
        for key, record in recorded.items()
        if record.kind is ItemKind.TICKET and record.ref is not None and (placed := iteration_of(record)) is not None
    }


def last_prepared(recorded: Mapping[ItemKey, Recorded]) -> int:
    """The last iteration that something exists of, 0 for none."""
    made = [number_in(key) or 0 for key, record in recorded.items() if record.ref is not None]
    return max([*made, *tickets_in(recorded).values()], default=0)


def rounds(recorded: Mapping[ItemKey, Recorded], phase: Phase, current: int) -> int:
    """In how many iterations after `current` tickets of a recurring phase are prepared."""
    names = {ticket.key for ticket in phase.tickets} if phase.recurring else set()
    there = tickets_in(recorded).items()
    return len({number for key, number in there if number > current and _ticket_of(key) in names})


def _ticket_of(key: ItemKey) -> str:
    """Which ticket of the template it is: `ticket:watch@2~3` -> watch."""
    return key.removeprefix("ticket:").partition("~")[0].partition("@")[0]


def placed(
    recorded: Mapping[ItemKey, Recorded], current: int, shelved: Collection[ItemKey] = ()
) -> dict[ItemKey, int | None]:
    """The iterations that tickets stay in, whatever the template would have: those that have begun (up to `current`).
    What is `shelved`, in the backlog, has none."""
    staying: dict[ItemKey, int | None] = {
        key: number for key, number in tickets_in(recorded).items() if number <= current
    }
    return staying | dict.fromkeys(shelved)


def spread_anew(changes: Iterable[Change], settings: bool) -> list[Finding]:
    """That `settings` which a plan brings move tickets that exist: what comes or goes is spread over the iterations of
    its phase together with them. Nothing where no ticket comes or goes."""
    tickets = [change for change in changes if change.kind is ItemKind.TICKET]
    moved = [one for one in tickets if one.action is Action.UPDATE and _place(one.before) != _place(one.after)]
    others = any(one.action in (Action.CREATE, Action.FORGET) for one in tickets)
    if not (settings and moved and others):
        return []
    move, them = ("moves", "it") if len(moved) == 1 else ("move", "them")
    return [
        Finding(
            Severity.INFO,
            "spread-anew",
            f"{counted(len(moved), 'ticket')} {move} to another iteration: what these settings bring or take is spread "
            f"over the iterations of its phase together with {them}, as even in points as can be, so people may have "
            "less room there.",
            "Nothing needs to be done. Where one is to be elsewhere, move it in the tracker: it stays where people put "
            "it.",
        )
    ]


def _place(fields: Fields | None) -> object:
    """The iteration that these fields name, by the field or by the label."""
    named = (fields or {}).get("iteration")
    return named or next((one for one in (fields or {}).get("labels") or () if number_in(one) is not None), None)


def overdue(whole: Blueprint, recorded: Mapping[ItemKey, Recorded], closing: int, due: int) -> dict[ItemKey, int]:
    """Tickets that should have been made for an iteration that is over or ends now, and were not: they are due in
    iteration `due`. `whole` is everything from the first iteration on.

    Those of iteration `closing` count, and of former ones those that the tracker refused then.
    """
    numbers = {iteration.key: iteration.number for iteration in whole.iterations}
    missing = {}
    for ticket in whole.tickets:
        record, number = recorded.get(ticket.key), numbers[ticket.iteration]
        was_made = record is not None and record.ref is not None
        if ticket.kind is not TicketKind.WORK or was_made or number >= due:
            continue
        if number == closing or record is not None:
            missing[ticket.key] = due
    return missing


def stranded(
    whole: Blueprint, recorded: Mapping[ItemKey, Recorded], current: int, moving: Collection[ItemKey]
) -> frozenset[ItemKey]:
    """The tickets that were prepared for an iteration after `current` which is another one now: their phase was left
    before it came to them, or they are further ahead than is prepared. What is `moving` goes elsewhere already."""
    ahead = {key for key, number in tickets_in(recorded).items() if number > current}
    return ((whole.passed_by | whole.put_off.keys()) & ahead) - keys_of(whole) - set(moving)


def concerned(
    recorded: Mapping[ItemKey, Recorded],
    live: Blueprint,
    whole: Blueprint,
    live_from: int,
    shelved: Collection[ItemKey],
) -> dict[ItemKey, Recorded]:
    """What of the records a plan is about: all that is live, and what no template asks for any more. What is in
    `whole` and not in `live` is history, as is what was shelved or was in an iteration before `live_from`, and what a
    phase was left before it came to or comes to later than is prepared (see `stranded`)."""
    alive, known = keys_of(live), keys_of(whole) | whole.passed_by | whole.put_off.keys()
    former = {key for key, number in tickets_in(recorded).items() if number < live_from}
    former |= {key for key in recorded if (number_in(key) or live_from) < live_from}
    history = (known | former | set(shelved)) - alive
    ends = {key: (record.wanted.get("source"), record.wanted.get("target")) for key, record in recorded.items()}
    return {
        key: record
        for key, record in recorded.items()
        if key not in history and not (record.kind is ItemKind.LINK and history & set(ends[key]))
    }


def keys_of(drawn: Blueprint) -> set[ItemKey]:
    """The keys of everything in a blueprint."""
    return {item.key for part in (drawn.epics, drawn.iterations, drawn.tickets, drawn.links) for item in part}
