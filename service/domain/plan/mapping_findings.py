"""What is said of a tracker project's mapping: what is not clear, what is gone, what was guessed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from connectors.mapped import GUESSED, NEW, PRIORITIES, PURPOSES, Candidate, Found, Mapped, Role
from connectors.values import Finding, Item, ItemKind, Place, Priority, Severity
from service.domain.commands import typed

NAMED_AT_MOST = 12
"""How many candidates a finding lists."""

_PRIORITY = dict(zip(PRIORITIES, Priority, strict=True))
_NEEDED_BY = {
    Role.EPIC_TYPE: ItemKind.EPIC,
    Role.TICKET_TYPE: ItemKind.TICKET,
    Role.LINK_TYPE: ItemKind.LINK,
    Role.BOARD: ItemKind.ITERATION,
    Role.ESTIMATE: ItemKind.TICKET,
}


IN_WORDS: Mapping[Found, str] = {
    Found.SET: "set",
    Found.CONVENTION: "by convention",
    Found.ONLY: "only one",
    Found.ORDER: "guessed by its place",
    Found.OWN: "phaseloop's own",
    Found.SHARED: "none of its own",
    Found.OFF: "off",
    Found.AMBIGUOUS: "ambiguous",
    Found.MISSING: "nothing fits",
    Found.GONE: "gone",
}


def findings(connection: str, place: Place, items: Collection[Item] = ()) -> list[Finding]:
    """What of the mapping these items need and somebody has to say, or should look at; without items, all of it."""
    needed = [one for one in place.mapping if not items or _is_needed(one.role, items)]
    return [finding for one in needed if (finding := _finding(connection, place, one)) is not None]


def guessed(mapping: Sequence[Mapped]) -> list[Mapped]:
    """What was found without anybody having said so, where there might have been another."""
    return [one for one in mapping if one.found in GUESSED and len(one.candidates) > 1]


def command(connection: str, key: str, role: Role, value: str = "NAME") -> str:
    """The command that says what is meant."""
    choice = typed(f"{role}={value}")
    return f"phaseloop connections map {typed(connection)} --project {typed(key)} --set {choice}"


def _is_needed(role: Role, items: Collection[Item]) -> bool:
    if role in _PRIORITY:
        return any(item.priority is _PRIORITY[role] for item in items if item.kind is ItemKind.TICKET)
    kind = _NEEDED_BY.get(role)
    return any(item.kind is kind for item in items) if kind is not None else True


def _finding(connection: str, place: Place, one: Mapped) -> Finding | None:
    purpose, where = PURPOSES[one.role], place.ref.key
    severity = Severity.ERROR if one.blocks else Severity.WARNING
    set_it = command(connection, where, one.role)
    others = _candidates(one)
    if one.found is Found.GONE and one.role is Role.BOARD and not one.candidates:
        message = f"The board {one.name!r} (id {one.id}) is gone, or shows {where} no more, and there is no other one."
        fix = f"Create a board with sprints for {where}. The sprints there are stay known, and continue there."
        return Finding(Severity.ERROR, "board-gone", message, fix, one.role)
    if one.found is Found.GONE:
        message = (
            f"{purpose[0].upper()}{purpose[1:]} was {one.name!r} (id {one.id}), and there is no such thing in {where}"
            " any more."
        )
        return Finding(Severity.ERROR, "mapping-gone", message, f"Say what takes its place: {set_it}{others}", one.role)
    if one.found is Found.AMBIGUOUS:
        message = f"It is not clear in {where} what is {purpose}."
        if not one.blocks:
            message += " It is left out until somebody says so."
        return Finding(severity, "mapping-unclear", message, f"Say which: {set_it}{others}", one.role)
    if one.was:
        message = (
            f"{purpose[0].upper()}{purpose[1:]} was {one.was}, which is gone or shows {where} no more; {one.name!r}"
            f" (id {one.id}) takes its place."
        )
        fix = f"The sprints there are continue there. If it is another: {set_it}{_candidates(one, besides=one.id)}"
        return Finding(Severity.WARNING, "board-replaced", message, fix, one.role)
    if one.found is Found.ORDER:
        message = f"{purpose[0].upper()}{purpose[1:]} in {where} is taken to be {one.name!r}, {one.why}."
        fix = f"If it is another: {set_it}{_candidates(one, besides=one.id)}"
        return Finding(Severity.WARNING, "mapping-guessed", message, fix, one.role)
    return None


def _candidates(one: Mapped, besides: str = "") -> str:
    """The candidates as the end of a fix."""
    there = [candidate for candidate in one.candidates if candidate.id != besides]
    named = [
        f"{candidate.name!r} (id {candidate.id}{f'; {candidate.note}' if candidate.note else ''})"
        for candidate in there[:NAMED_AT_MOST]
    ]
    if len(there) > NAMED_AT_MOST:
        named.append(f"{len(there) - NAMED_AT_MOST} more")
    named += [f"{word!r} to {'have one made' if word == NEW else 'do without'}" for word in one.special]
    return f". There is: {', '.join(named)}." if named else ""


def how(one: Mapped) -> str:
    """How a thing was found, in words: `set by ana`, `by convention: by its name`, `only one`."""
    said = IN_WORDS[one.found]
    if one.found in (Found.SET, Found.OFF) and one.by:
        said += f" by {one.by}"
    if one.found is Found.SHARED:
        return one.why + (f", set by {one.by}" if one.by else "")
    return f"{said}: {one.why}" if one.why else said


def entry_json(one: Mapped) -> dict[str, Any]:
    """A role as plain values, the form that CLI, plans and REST show."""
    return {
        "role": one.role.value,
        "purpose": PURPOSES[one.role],
        "id": one.id or None,
        "name": one.name or None,
        "found": one.found.value,
        "how": how(one),
        "set_by": one.by or None,
        "candidates": [_candidate_json(each) for each in one.candidates],
        "special": list(one.special),
    }


def _candidate_json(one: Candidate) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "note": one.note}


def compact(mapping: Sequence[Mapped]) -> str:
    """What was guessed, on one line; empty where nothing was."""
    return ", ".join(f"{one.role} {one.name}" for one in guessed(mapping))
