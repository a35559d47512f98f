"""What a tracker project's own things are for: which issue type tickets become, which link type says that one waits for
another, which list means done. Each is known by the tracker's id, which people cannot change; names are for showing.

A connector finds these by what they are (a level, a category, a wording), says how it found each, and asks where it
cannot tell. What was found once, or set by a person, is a `Choice`: it decides from then on, whatever is renamed, and
is never replaced in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

NONE = "none"
"""The choice to do without: no links, no estimates, no list of its own."""
NEW = "new"
"""The choice to have phaseloop make a thing of its own."""


class Role(StrEnum):
    """What a thing of the tracker's is for. A tracker has some of these."""

    EPIC_TYPE = "epic-type"
    TICKET_TYPE = "ticket-type"
    LINK_TYPE = "link-type"
    BOARD = "board"
    ESTIMATE = "estimate"
    PRIORITY_HIGH = "priority-high"
    PRIORITY_MEDIUM = "priority-medium"
    PRIORITY_LOW = "priority-low"
    EPICS_LIST = "epics-list"
    BACKLOG_LIST = "backlog-list"
    ITERATION_LIST = "iteration-list"
    IN_PROGRESS_LIST = "in-progress-list"
    REVIEW_LIST = "review-list"
    DONE_LIST = "done-list"


PRIORITIES = (Role.PRIORITY_HIGH, Role.PRIORITY_MEDIUM, Role.PRIORITY_LOW)

PURPOSES: Mapping[Role, str] = {
    Role.EPIC_TYPE: "what epics become",
    Role.TICKET_TYPE: "what tickets become",
    Role.LINK_TYPE: "what a ticket reads that waits for another",
    Role.BOARD: "the board that the iterations are on",
    Role.ESTIMATE: "the field for estimates",
    Role.PRIORITY_HIGH: "the priority of urgent tickets",
    Role.PRIORITY_MEDIUM: "the priority of usual tickets",
    Role.PRIORITY_LOW: "the priority of tickets that can wait",
    Role.EPICS_LIST: "the list of epics",
    Role.BACKLOG_LIST: "the list of what is planned",
    Role.ITERATION_LIST: "the list of the current iteration",
    Role.IN_PROGRESS_LIST: "the list of what people work on",
    Role.REVIEW_LIST: "the list of what is reviewed",
    Role.DONE_LIST: "the list of what is done",
}
"""What each role is, in words that can follow "It is not clear"."""


class Found(StrEnum):
    """How a thing was found, or why it was not.

    `SET` by a person; by `CONVENTION` (what it is, or a name that is known to mean this); the `ONLY` one there is; by
    its place in the tracker's own `ORDER`, which is a guess. `OWN` is phaseloop's own, which is made when it is needed.
    `SHARED`: there is none of its own, and another role's thing serves. `OFF`: a person chose to do without. The others
    ask: `AMBIGUOUS` with candidates, `MISSING` without a fitting one, `GONE` where what was chosen is not there now.
    """

    SET = "set"
    CONVENTION = "convention"
    ONLY = "only"
    ORDER = "order"
    OWN = "own"
    SHARED = "shared"
    OFF = "off"
    AMBIGUOUS = "ambiguous"
    MISSING = "missing"
    GONE = "gone"


GUESSED = frozenset({Found.CONVENTION, Found.ORDER})
"""Found without anybody having said so, where there might have been another."""
KEPT = frozenset({Found.CONVENTION, Found.ONLY, Found.ORDER, Found.OWN})
"""What is remembered once it was found."""
UNCLEAR = frozenset({Found.AMBIGUOUS, Found.MISSING, Found.GONE})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A thing of the tracker's that could be chosen: `note` says what tells it from others."""

    id: str
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen for a role: its `id` (or NONE, NEW), its name when it was last seen, how it was found, and who
    said so where somebody did."""

    id: str
    name: str
    found: Found = Found.SET
    by: str = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """One role of a project, and what stands for it. `id` and `name` are empty where nothing does; a thing that is gone
    keeps those it had. `why` says in words how it was found, `was` what it took the place of, which is gone. `special`
    are the choices that can be made besides the candidates (NONE, NEW). `blocks` says that without an answer the wrong
    thing would be written; else something would only be left out."""

    role: Role
    found: Found
    id: str = ""
    name: str = ""
    why: str = ""
    by: str = ""
    candidates: tuple[Candidate, ...] = ()
    special: tuple[str, ...] = ()
    blocks: bool = False
    was: str = ""

    @property
    def unclear(self) -> bool:
        """Whether somebody has to say what is meant."""
        return self.found in UNCLEAR


Choices = Mapping[str, Choice]
"""What was chosen for one project, by role."""
Kept = Mapping[tuple[str, str], Choices]
"""What was chosen for projects, by the site and the tracker's id of each: the same id on another site is another
project. The site is empty where it was never learned."""


def chosen(
    role: Role,
    choices: Choices,
    candidates: Iterable[Candidate],
    *,
    special: tuple[str, ...] = (),
    blocks: bool = False,
) -> Mapped | None:
    """What was chosen for a role before, by its id and under its name of today; GONE if the tracker has no such thing
    any more; None if nothing was chosen."""
    choice = choices.get(role)
    if choice is None:
        return None
    there = tuple(candidates)
    if choice.id in (NONE, NEW):
        found = Found.OFF if choice.id == NONE else Found.OWN
        return Mapped(role, found, by=choice.by, candidates=there, special=special)
    now = next((one for one in there if one.id == choice.id), None)
    if now is None and choice.found is Found.OWN:  # ours, and nobody's meaning is lost when it is made again
        return Mapped(role, Found.OWN, by=choice.by, candidates=there, special=special)
    if now is None:
        name, found = choice.name, Found.GONE
    else:
        name, found = now.name, choice.found
    return Mapped(role, found, choice.id, name, "", choice.by, there, special, blocks)
