"""What of a Jira project stands for what: found by what a thing is, by names and wordings that are known to mean it,
and by what was chosen before, which comes first. What could be several things is asked for. Pure: answers in, values
out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from connectors.jira.layout import POINTS_SCHEMA, CreateField, IssueType, LinkType
from connectors.jira.words import DEFECTS, EPICS, STORIES, TASKS, Side, folded, priority_of, side_of
from connectors.mapped import NONE, PRIORITIES, Candidate, Choices, Found, Mapped, Role, chosen
from connectors.values import Priority

INWARD, OUTWARD = "inward", "outward"
_EPIC_LEVEL = 1
_FIVE, _THREE = 5, 3
_PRIORITY_ROLES = dict(zip(Priority, PRIORITIES, strict=True))


# --- issue types -----------------------------------------------------------------------------------------------------


def choose_types(
    issue_types: Iterable[Any], choices: Choices | None = None
) -> tuple[IssueType | None, IssueType | None, list[Mapped]]:
    """The types for epics (hierarchy level 1) and tickets (level 0) among a project's issue types, and how each was
    found. A type that is not clear is given all the same, for reading; nothing may be written with it.

    Answers without levels come from stand-ins and older sites: there, only the name can tell an epic.
    """
    kinds = [kind for kind in issue_types if isinstance(kind, dict) and kind.get("id") and not kind.get("subtask")]
    leveled = any("hierarchyLevel" in kind for kind in kinds)

    def level(kind: Mapping[str, Any]) -> int:
        if leveled:
            return int(kind.get("hierarchyLevel") or 0)
        return 1 if folded(_plain_name(kind)) in EPICS else 0

    epics = [kind for kind in kinds if level(kind) == _EPIC_LEVEL]
    tickets = [kind for kind in kinds if level(kind) == 0]
    epic, epic_found = _type(Role.EPIC_TYPE, epics, choices or {}, [(EPICS, frozenset())])
    ticket, ticket_found = _type(
        Role.TICKET_TYPE, tickets, choices or {}, [(TASKS, frozenset()), (STORIES, STORIES | DEFECTS)]
    )
    return epic, ticket, [epic_found, ticket_found]


def _type(
    role: Role,
    kinds: Sequence[Mapping[str, Any]],
    choices: Choices,
    known: Sequence[tuple[frozenset[str], frozenset[str]]],
) -> tuple[IssueType | None, Mapped]:
    """`known` are names that mean the role, each with the names that may stand beside it: none for any."""
    candidates = tuple(Candidate(str(kind["id"]), str(kind.get("name") or kind["id"])) for kind in kinds)
    by_id = {one.id: IssueType(id=one.id, name=one.name) for one in candidates}
    if (before := chosen(role, choices, candidates, blocks=True)) is not None:
        return by_id.get(before.id), before
    if not candidates:
        return None, Mapped(role, Found.MISSING, blocks=True)
    if len(candidates) == 1:
        return by_id[candidates[0].id], _as_found(role, Found.ONLY, candidates[0], candidates, "of its level")
    names = {str(kind["id"]): {folded(_plain_name(kind)), folded(str(kind.get("name") or ""))} for kind in kinds}
    for meaning, beside in known:
        named = [one for one in candidates if names[one.id] & meaning]
        alone = not beside or all(name & beside for name in names.values())
        if len(named) == 1 and alone:
            return by_id[named[0].id], _as_found(role, Found.CONVENTION, named[0], candidates, "by its name")
    best = min(candidates, key=lambda one: not names[one.id] & (TASKS | STORIES))
    return by_id[best.id], Mapped(role, Found.AMBIGUOUS, candidates=candidates, blocks=True)


def _plain_name(kind: Mapping[str, Any]) -> str:
    return str(kind.get("untranslatedName") or kind.get("name") or "")


def _as_found(
    role: Role,
    found: Found,
    one: Candidate,
    candidates: Sequence[Candidate],
    why: str,
    special: tuple[str, ...] = (),
) -> Mapped:
    return Mapped(role, found, one.id, one.name, why, candidates=tuple(candidates), special=special)


# --- links -----------------------------------------------------------------------------------------------------------


def choose_link_type(answer: Any, choices: Choices | None = None) -> tuple[LinkType | None, Mapped]:
    """The link type that says "A waits for B", and in which direction: by its wordings, whichever way round they are.

    A candidate is a wording: what the waiting ticket will read. Its id is the type's, and the side that it is on.
    """
    types = answer.get("issueLinkTypes") if isinstance(answer, dict) else None
    usable = [one for one in types or () if isinstance(one, dict) and one.get("id") and one.get("name")]
    readings = [reading for one in usable for reading in _readings(one)]
    candidates = tuple(reading.candidate for reading in readings)
    special = (NONE,)
    role = Role.LINK_TYPE
    if (before := chosen(role, choices or {}, candidates, special=special, blocks=True)) is not None:
        reading = next((one for one in readings if one.candidate.id == before.id), None)
        return (reading.link_type if reading else None), before
    known = [one for one in readings if one.waits]
    blocking = [one for one in known if one.blocking]
    named = [one for one in blocking if folded(one.link_type.name) == "blocks"]
    for group in (named, blocking, known):
        if len(group) == 1:
            one = group[0]
            why = f"by its wording ({one.candidate.note})"
            return one.link_type, _as_found(role, Found.CONVENTION, one.candidate, candidates, why, special)
        if group:
            break
    if known or candidates:
        return None, Mapped(role, Found.AMBIGUOUS, candidates=candidates, special=special, blocks=True)
    return None, Mapped(role, Found.MISSING, special=special)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A link type, read from one of its sides as "waits for". `waits` says that its words are known to mean that."""

    link_type: LinkType
    candidate: Candidate
    waits: bool
    blocking: bool


_OTHER_MEANINGS = re.compile(
    r"(is )?(clone|duplicate)[sd]?( by)?|clones|duplicates|(dupliziert|klont|geklont|wird (dupliziert|geklont)).*"
)
"""Wordings of Jira's own link types that say something else for sure."""


def _readings(kind: Mapping[str, Any]) -> list[_Reading]:
    inward, outward = str(kind.get("inward") or ""), str(kind.get("outward") or "")
    if folded(inward) == folded(outward):  # says the same both ways, so nothing tells who waits
        return []
    if any(_OTHER_MEANINGS.fullmatch(folded(one)) for one in (inward, outward)):
        return []
    said = {INWARD: side_of(inward), OUTWARD: side_of(outward)}
    sides = {side: found[0] if found else None for side, found in said.items()}
    blocking = any(found is not None and found[1] for found in said.values())
    made = []
    for side, other in ((INWARD, OUTWARD), (OUTWARD, INWARD)):
        words, answer = (inward, outward) if side == INWARD else (outward, inward)
        if not words and sides[other] is not Side.HOLDS:
            continue
        waits = (sides[side] is Side.WAITS and sides[other] is not Side.WAITS) or (
            sides[side] is None and sides[other] is Side.HOLDS
        )
        link_type = LinkType(id=str(kind["id"]), name=str(kind["name"]), reversed=side == OUTWARD)
        note = f"{kind['name']}; the other ticket reads {answer!r}" if answer else str(kind["name"])
        candidate = Candidate(f"{kind['id']}:{side}", words or str(kind["name"]), note)
        made.append(_Reading(link_type, candidate, waits, blocking))
    return made


# --- priorities ------------------------------------------------------------------------------------------------------


def choose_priorities(
    metadata: Iterable[Any], choices: Choices | None = None
) -> tuple[dict[Priority, str], list[Mapped]]:
    """Ids of the priorities that the screen allows: by names that are known, else by their order, which Jira gives from
    the highest down. Empty without a word where the screen has no priorities."""
    entry = next((one for one in metadata if isinstance(one, dict) and _is_priority(one)), None)
    if entry is None:
        return {}, []
    allowed = [one for one in entry.get("allowedValues") or () if isinstance(one, dict) and one.get("id")]
    there = tuple(Candidate(str(one["id"]), str(one.get("name") or one["id"])) for one in allowed)
    special = (NONE,)
    before = {
        priority: found
        for priority, role in _PRIORITY_ROLES.items()
        if (found := chosen(role, choices or {}, there, special=special)) is not None
    }
    places = _by_name(there)
    taken = {priority: _place(there, one.id) for priority, one in before.items() if _place(there, one.id) is not None}
    places = {priority: place for priority, place in places.items() if priority not in before}
    if not _falls({**places, **taken}):
        places = {}
    default = entry.get("defaultValue")
    middle = _place(there, str(default.get("id"))) if isinstance(default, dict) else None
    ordered = _by_order(len(there), middle)
    guessed = {
        priority: place
        for priority, place in ordered.items()
        if priority not in before and priority not in places and _falls({**ordered, **places, **taken})
    }
    ids: dict[Priority, str] = {}
    mapping = []
    for priority, role in _PRIORITY_ROLES.items():
        if priority in before:
            one = before[priority]
        elif priority in places:
            one = _as_found(role, Found.CONVENTION, there[places[priority]], there, "by its name", special)
        elif priority in guessed:
            why = "by its place in the site's order"
            one = _as_found(role, Found.ORDER, there[guessed[priority]], there, why, special)
        else:
            one = Mapped(role, Found.AMBIGUOUS if there else Found.MISSING, candidates=there, special=special)
        if one.id and not one.unclear:
            ids[priority] = one.id
        mapping.append(one)
    return ids, mapping


def _is_priority(entry: Mapping[str, Any]) -> bool:
    return "priority" in (entry.get("fieldId"), entry.get("key"))


def _place(there: Sequence[Candidate], identity: str) -> int | None:
    return next((place for place, one in enumerate(there) if one.id == identity), None)


def _by_name(there: Sequence[Candidate]) -> dict[Priority, int]:
    """The places of the priorities with a name that is known; of several, Jira's own English name first."""
    found: dict[Priority, int] = {}
    for place, one in enumerate(there):
        meant = priority_of(one.name)
        if meant is not None and (meant not in found or folded(one.name) == meant.value):
            found[meant] = place
    return found


def _falls(places: Mapping[Priority, int | None]) -> bool:
    """Whether the more urgent comes before the less urgent, each once."""
    in_order = [place for priority in Priority if (place := places.get(priority)) is not None]
    return all(one < other for one, other in pairwise(in_order))


def _by_order(count: int, middle: int | None) -> dict[Priority, int]:
    """Where high, medium and low are among so many, as far as that is not in doubt: around the one that tickets have
    when nothing is said; of three, all; of five, those between the ends."""
    if middle is not None and 0 < middle < count - 1:
        start = middle - 1
    elif middle is None and count in (_THREE, _FIVE):
        start = (count - _THREE) // 2
    elif count == _THREE:
        start = 0
    else:
        return {}
    return {priority: start + step for step, priority in enumerate(Priority)}


# --- the board -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Board:
    """A board, as it is listed, with what its filter says. `shows` is True where all of the project is on it, False
    where nothing is, None where that is not clear."""

    id: int
    name: str
    type: str
    here: bool
    jql: str = ""
    shows: bool | None = True

    @property
    def candidate(self) -> Candidate:
        """The board as somebody may choose it."""
        words = [self.type, *([f"filter: {self.jql}"] if self.jql else [])]
        return Candidate(str(self.id), self.name, ", ".join(words))


def fitting_boards(boards: Iterable[Any], project_id: str, method: str) -> list[Board]:
    """The boards of a type that fits the method, the likely ones first: in this project rather than only about it, the
    oldest."""
    wanted = ("scrum", "simple") if method == "scrum" else ("kanban", "simple", "scrum")
    found = []
    for one in boards:
        if isinstance(one, dict) and isinstance(one.get("id"), int) and one.get("type") in wanted:
            location = one.get("location")
            here = isinstance(location, dict) and str(location.get("projectId")) == project_id
            found.append(Board(one["id"], str(one.get("name") or one["id"]), str(one["type"]), here))
    return sorted(found, key=lambda one: (not one.here, 0 if method == "scrum" else wanted.index(one.type), one.id))


_ORDER = re.compile(r"\border\s+by\b.*$", re.IGNORECASE | re.DOTALL)
_PROJECTS = re.compile(
    r"""\(*\s*project\s*(?:=|in)\s*\(?(?P<names>(?:\s*(?:"[^"]*"|'[^']*'|[^\s(),"'=]+)\s*,?)+)\)*\s*""", re.IGNORECASE
)
_NAME = re.compile(r""""([^"]*)"|'([^']*)'|([^\s(),"'=]+)""")


def shows_project(jql: str, names: Iterable[str]) -> bool | None:
    """Whether a board with this filter shows all issues of the project that goes by these names: True for a filter by
    project alone, False for one that speaks of other projects only, None for one that says more."""
    condition = _ORDER.sub("", jql).strip()
    if not condition:
        return True
    mine = {name.casefold() for name in names if name}
    said = [next(part for part in found if part).casefold() for found in _NAME.findall(condition) if any(found)]
    parts = [_PROJECTS.fullmatch(part) for part in re.split(r"\bor\b", condition, flags=re.IGNORECASE)]
    if all(parts) and not re.search(r"\b(and|not)\b", _unquoted(condition), re.IGNORECASE):
        listed = [found for part in parts if part is not None for found in _NAME.findall(part["names"])]
        return bool(mine & {next(word for word in found if word).casefold() for found in listed if any(found)})
    if mine & set(said) or "project" not in {folded(word) for word in said}:
        return None
    return False


def _unquoted(text: str) -> str:
    return re.sub(r"\"[^\"]*\"|'[^']*'", "x", text)


def choose_board(boards: Sequence[Board], method: str, choices: Choices | None = None) -> tuple[int | None, Mapped]:
    """The board to work on. One that does not show the project is never taken; of several that do, the only one that
    lives here. For a team without sprints the board is but a page to look at, and the oldest does."""
    candidates = tuple(one.candidate for one in boards)
    role, special, sprints = Role.BOARD, (NONE,), method == "scrum"
    before = chosen(role, choices or {}, candidates, special=special, blocks=sprints)
    was = ""
    if before is not None and before.found is Found.GONE and (choices or {})[role].found is not Found.SET:
        # Nobody said that it had to be that board, and its sprints do not go with it: another clear one takes over.
        was = f"{before.name} ({before.id})"
    elif before is not None:
        return (int(before.id) if before.id and not before.unclear else None), before
    showing = [one for one in boards if one.shows]
    here = [one for one in showing if one.here]
    group = here or showing
    if len(group) == 1 or (group and not sprints):
        one = group[0]
        found = Found.ONLY if len(boards) == 1 and not was else Found.CONVENTION
        why = "its filter shows the project" if one.type != "simple" else "the project's own"
        return one.id, replace(_as_found(role, found, one.candidate, candidates, why, special), was=was)
    if before is not None:
        return None, before
    if not boards:
        return None, Mapped(role, Found.MISSING, special=special)
    doubtful = group or [one for one in boards if one.shows is None]
    best = doubtful[0].id if doubtful else None
    return best, Mapped(role, Found.AMBIGUOUS, candidates=candidates, special=special, blocks=sprints)


# --- estimates -------------------------------------------------------------------------------------------------------


def choose_points_field(
    configuration: Any, ticket: IssueType | None, choices: Choices | None = None
) -> tuple[str | None, Mapped]:
    """The number field that holds estimates: the one the board adds up, else Jira's own, if the screen has it."""
    role, special = Role.ESTIMATE, (NONE,)
    if ticket is None or ticket.fields is None:  # nothing is known of its screen, so nothing is said of its fields
        return None, Mapped(role, Found.MISSING, special=special)
    fields = ticket.fields
    numbers = [one for one in fields if one.type in {"number", ""} and one.id.startswith("customfield_")]
    candidates = tuple(Candidate(one.id, one.name) for one in numbers if one.type == "number" or one.custom)
    if (before := chosen(role, choices or {}, candidates, special=special)) is not None:
        return (before.id if before.id and not before.unclear else None), before
    estimation = configuration.get("estimation") if isinstance(configuration, dict) else None
    field = estimation.get("field") if isinstance(estimation, dict) else None
    board_field = field.get("fieldId") if isinstance(field, dict) else None

    def found(one: CreateField, why: str) -> tuple[str, Mapped]:
        how = Found.ONLY if len(candidates) == 1 else Found.CONVENTION
        return one.id, _as_found(role, how, Candidate(one.id, one.name), candidates, why, special)

    if (one := next((one for one in numbers if one.id == board_field), None)) is not None:
        return found(one, "the board adds it up")
    if (one := next((one for one in numbers if one.custom == POINTS_SCHEMA), None)) is not None:
        return found(one, "Jira's own")
    return None, Mapped(role, Found.MISSING, candidates=candidates, special=special)
