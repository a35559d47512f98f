"""What a Trello board is made of, as far as phaseloop uses it. Pure: values and choices, no calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from connectors.mapped import Choice
from connectors.trello.words import Meaning, meaning_of
from connectors.values import Capabilities, Costs, Memory

TITLE_LIMIT = 16384
TEXT_LIMIT = 16384
"""The vendor's limit on a description, a comment and a check item alike."""

COMMENTS = 4
"""A text longer than a description continues in so many comments at most."""

BATCH = 50
READ_BATCH = 1000


class ListRole(StrEnum):
    """What a list of the board is for, in the order in which lists stand on it."""

    EPICS = "Epics"
    BACKLOG = "Backlog"
    ITERATION = "Iteration"
    IN_PROGRESS = "In progress"
    REVIEW = "Review"
    DONE = "Done"


MEANT: Mapping[Meaning, ListRole] = {
    Meaning.EPICS: ListRole.EPICS,
    Meaning.BACKLOG: ListRole.BACKLOG,
    Meaning.TODO: ListRole.BACKLOG,
    Meaning.ITERATION: ListRole.ITERATION,
    Meaning.IN_PROGRESS: ListRole.IN_PROGRESS,
    Meaning.REVIEW: ListRole.REVIEW,
    Meaning.DONE: ListRole.DONE,
}


def role_of(name: str) -> ListRole | None:
    """What a list is for, by its name; None for a list that is the team's own."""
    meant = meaning_of(name)
    return MEANT[meant] if meant is not None else None


PHASE_COLORS = ("green", "yellow", "orange", "purple", "sky", "lime", "pink", "green_dark", "orange_dark", "blue_dark")
"""The colours of phases, in turn. Red is kept for vacancies, blue for iterations, black for records."""

_COLORS_BY_PREFIX: Mapping[str, str] = {"vacant": "red", "record": "black", "priority": "red_light"}
ITERATION_COLOR = "blue"

_PLAIN_COLORS: Mapping[str, str] = {
    "red_light": "red",
    "green_dark": "green",
    "orange_dark": "orange",
    "blue_dark": "purple",  # not blue, which says that a label is an iteration's
}


def plain_color(color: str | None) -> str | None:
    """The colour to take where a shade is refused: Trello shows shades to people, and its document names ten colours
    without them."""
    return _PLAIN_COLORS.get(color or "", color)


def color_for(name: str, taken: Iterable[str | None]) -> str | None:
    """The colour of a new label: one of its own for a phase, a fixed one for what must catch the eye, else none."""
    prefix = name.partition(":")[0]
    if prefix != "phase":
        return _COLORS_BY_PREFIX.get(prefix)
    used = list(taken)
    return min(PHASE_COLORS, key=lambda color: (used.count(color), PHASE_COLORS.index(color)))


class Layout(BaseModel):
    """The facts of a `Place`: safe to store, valid for one board only. Labels and people are not among them, because
    people change those; they are read when they are needed. Which list is for what is, as `choices`; None on a board
    that is only looked at."""

    model_config = ConfigDict(frozen=True)

    uid: str
    key: str
    board_id: str
    url: str
    name: str = ""
    """What the board is called, where it was located."""
    choices: dict[str, Choice] | None = None
    memory: Memory = {}
    """By which ids labels and further lists are known, see `memory`."""


CAPABILITIES = Capabilities(
    create_batch=BATCH,
    move_batch=BATCH,
    read_batch=READ_BATCH,
    iterations=True,
    points=False,
    links=False,
    links_in_create=False,
    checklists=True,
    checklists_in_create=False,
    marks_iterations_apart=False,
    places_in_create=True,
    title_limit=TITLE_LIMIT,
    iteration_title_limit=TITLE_LIMIT,
    # A little is left for the note and the marker at the end of each part.
    text_limit=(COMMENTS + 1) * (TEXT_LIMIT - 512),
    costs=Costs(
        bulk=False,
        move=3,
        look=2,
        status=0,
        label=1,
        iteration=2,
        project=1 + len(ListRole),
        per_window=100,
        window=10.0,
        parallel=10,
    ),
)
"""What every board can do. Estimates become labels; what a ticket waits for is named in its text."""
