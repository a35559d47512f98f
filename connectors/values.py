"""The values that the port speaks in: items, places, what is observed, what came of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from connectors.errors import FieldProblem
from connectors.mapped import Mapped

ItemKey = NewType("ItemKey", str)
"""An item's stable name inside one project, from the template: `epic:data`, `iteration:2`, `ticket:set-goals`,
`record:2`, `link:tune>run-models`. Titles change and positions shift; keys stay."""

ITERATION_TITLE_LIMIT = 29
"""The most characters of an iteration's title that every kind of tracker takes: a template is for all of them."""

Memory = Mapping[str, Mapping[str, Any]]
"""By which ids a connector knows what belongs to a project and nobody chooses, such as labels, whatever people call it
now: entries in sections, the connector's own JSON. Opaque to everybody else, safe to store, never valid for another
project. What people may choose is in `Place.mapping`, and comes first."""

Fields = dict[str, Any]
"""An item's content as plain JSON values, by field name; see `Item.fields`."""


class ItemKind(StrEnum):
    """What an item is. Each kind is written after the kinds above it, which it may refer to.

    A `GUEST` is a ticket that people made in an iteration of ours (`guest:<its id>`): it is moved along with the
    iteration's other unfinished work, and never written, marked or removed.
    """

    PROJECT = "project"
    EPIC = "epic"
    ITERATION = "iteration"
    TICKET = "ticket"
    LINK = "link"
    GUEST = "guest"
    COLUMN = "column"
    LABEL = "label"


ALONG = frozenset({ItemKind.COLUMN, ItemKind.LABEL})
"""Kinds that no plan asks for: a tracker needs them for what plans ask for, and makes them along with it."""

_PREFIXES = frozenset(kind.value for kind in ItemKind if kind is not ItemKind.TICKET)


def kind_of(key: ItemKey) -> ItemKind:
    """What an item is, by its key: `epic:…`, `iteration:…`, `link:…` and so on; all others are tickets."""
    prefix = key.partition(":")[0]
    return ItemKind(prefix) if prefix in _PREFIXES else ItemKind.TICKET


class Priority(StrEnum):
    """How urgent a ticket is; the tracker's own names differ by site, so a connector matches these tolerantly."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Severity(StrEnum):
    """How much a finding matters. An ERROR stops a plan from being applied."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


NAME_STAYS_TAKEN = "name-stays-taken"
"""Code of the finding that a project which is removed keeps its key or its name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked fact: what is so, where, and what to do about it.

    `code` is a stable kebab-case word for programs (`permission-missing`); `subject` is the place: an item
    key, a person's handle, a project key; `message` says what is so and `fix` what to do next, both for people.
    """

    severity: Severity
    code: str
    message: str
    fix: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """Where an item lives: `id` never changes, `key` is what people read (ML-12), `url` opens it in a browser."""

    id: str
    key: str
    url: str


@dataclass(frozen=True, slots=True)
class Account:
    """A person in the tracker. `assignable` is None where it was not asked for one project."""

    id: str
    name: str
    email: str | None = None
    active: bool = True
    assignable: bool | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that should exist in the tracker: an epic, an iteration, a ticket or a link.

    `text` is Markdown. `checklist` holds what done means, one line each; a tracker without checklists shows it
    in the text. `labels` have no spaces. `assignee` is an account id. `points` is the estimate. `priority` is a wish,
    left out where the tracker has none of that name. `epic` and `iteration` are keys of other items. `starts` and
    `ends` are aware datetimes, for iterations only; `goal` is an iteration's one-line aim. `source` and `target` are
    for links only: the source waits for the target ("is blocked by").
    """

    key: ItemKey
    kind: ItemKind
    title: str
    text: str = ""
    checklist: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    points: float | None = None
    priority: Priority | None = None
    epic: ItemKey | None = None
    iteration: ItemKey | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    goal: str = ""
    source: ItemKey | None = None
    target: ItemKey | None = None

    def fields(self) -> Fields:
        """The item's content as JSON values, only the fields its kind has; the form kept in the store and in plans."""
        match self.kind:
            case ItemKind.ITERATION:
                return {
                    "title": self.title,
                    "goal": self.goal,
                    "starts": self.starts.isoformat() if self.starts else None,
                    "ends": self.ends.isoformat() if self.ends else None,
                }
            case ItemKind.LINK:
                return {"source": self.source, "target": self.target}
            case ItemKind.EPIC:
                return {"title": self.title, "text": self.text, "labels": sorted(self.labels)}
            case _:
                return {
                    "title": self.title,
                    "text": self.text,
                    "checklist": list(self.checklist),
                    "labels": sorted(self.labels),
                    "assignee": self.assignee,
                    "points": self.points,
                    "priority": self.priority,
                    "epic": self.epic,
                    "iteration": self.iteration,
                }


@dataclass(frozen=True, slots=True)
class ObservedItem:
    """An item as the tracker shows it now.

    `fields` uses the names of `Item.fields`, with these differences: `text` is the tracker's own text, white space
    normalised, checklist included where the tracker has none of its own (so `checklist` is absent then); `epic` and
    `iteration` are item keys where the tracker's answer leads to an item in `known`, else the tracker's own key or id;
    a field that this project of the tracker does not have is absent. `status` is `todo`, `doing` or `done` for epics
    and tickets, `future`, `active` or `closed` for iterations. `links` names the keys of `LINK` items seen on a ticket
    as `(source, target)` remote ids. `archived`: people put it out of the way, where the tracker can. `holds` is False
    for an iteration that is there and that nothing can be in, because people removed what says which tickets are.
    `left_in` is, of a ticket that is in no iteration, the closed one that it was left in, where the tracker takes out
    what is not done when an iteration is closed, and tells; named as `iteration` is.
    """

    key: ItemKey
    kind: ItemKind
    ref: RemoteRef
    fields: Fields
    status: str = "todo"
    links: tuple[tuple[str, str], ...] = ()
    archived: bool = False
    holds: bool = True
    left_in: str | None = None


@dataclass(frozen=True, slots=True)
class Double:
    """Something that is there a second time, because a call arrived late.

    `key` is the item that it doubles or belongs to; `what` says what it is in the tracker's words ("card"); `why` it
    was left, one entry a reason, empty where it was removed.
    """

    key: ItemKey
    ref: RemoteRef
    what: str
    title: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traces:
    """What people left on an item that its fields do not show.

    `additions` says it in words for people, one entry a thing: "2 comments", "1 attachment", "moved to Doing",
    "1 ticket that is not ours". `edited` names the fields (as in `Item.fields`) that the tracker's history shows to
    have been written after the item was created, by whomever; it serves for items that we never read back.
    """

    additions: tuple[str, ...] = ()
    edited: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Content:
    """A ticket as it stands in an iteration, ours (`key` names it) or people's own (`key` is None).

    `status` is `todo`, `doing` or `done`. `points` is None where it is not estimated; where estimates are labels they
    are read from there. `assignee` is an account id, `person` what the tracker calls them. `epic` is the epic's title,
    empty for none. `labels` are as on the ticket. The instants are aware: when the ticket was created, when work on it
    began first (it left `todo`), and when it was done last, None while it is not; as the tracker's history tells, and
    None where it does not.
    """

    ref: RemoteRef
    title: str
    status: str
    key: ItemKey | None = None
    points: float | None = None
    assignee: str | None = None
    person: str = ""
    epic: str = ""
    labels: tuple[str, ...] = ()
    created_at: datetime | None = None
    started_at: datetime | None = None
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """What work takes in requests, for the estimate that a plan shows before anything is written.

    `bulk`: a whole batch is created or moved by one call; else each item takes one to be created and `move` to be
    moved. `look`: calls that read a batch. `status`: calls that read a ticket before it is brought to another status.
    `label`: calls before a label's first use in a project. `iteration`, `project`: calls that make one.
    No more than `per_window` calls are granted in any `window` seconds (0: as fast as answers come), and `parallel` of
    them are under way at once.
    """

    bulk: bool = True
    move: int = 1
    look: int = 1
    status: int = 1
    label: int = 0
    iteration: int = 1
    project: int = 1
    per_window: int = 0
    window: float = 0.0
    parallel: int = 1


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a project of a tracker can do; known for sure once it was located.

    Batch sizes are the limits on one call of the port. `links_in_create` says that a new ticket can be linked, in the
    call that creates it, to items that exist already.
    """

    create_batch: int
    move_batch: int
    read_batch: int
    iterations: bool
    points: bool
    links: bool
    links_in_create: bool
    checklists: bool
    marks_iterations_apart: bool
    """An iteration's marker takes a call of its own after the one that creates it."""
    places_in_create: bool
    """A new ticket is put into its iteration by the call that creates it, not by a `move` afterwards."""
    title_limit: int
    iteration_title_limit: int
    text_limit: int
    checklists_in_create: bool = True
    """A new ticket's checklist is written by the call that creates it. Where not, `finish` writes it, and a ticket
    whose checklist another one shows already gets a copy of that in the call that creates it: so the first ticket of
    each checklist is finished before the others are created."""
    costs: Costs = Costs()


@dataclass(frozen=True, slots=True)
class ProjectSpec:
    """The project of the tracker that a plan is about.

    `uid` is our project's id, written into every marker; `key` is the tracker's (ML); `create` allows making it
    when it does not exist; `method` is `scrum` or `kanban`. `label` is put on every item, so that search finds them.
    `id` is the tracker's own id of the project, known once it was located: from then on it alone says which project is
    meant, whatever people call it. `memory` is what was kept of `Tracker.learned` for this project.
    """

    uid: str
    key: str
    name: str
    create: bool = False
    method: str = "scrum"
    label: str = ""
    id: str = ""
    memory: Memory = field(default_factory=dict)


UNMADE = "new:"
"""How the id of a project begins that does not exist yet."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which project of which site this is. `site` and `id` are the tracker's own, and nothing that people can rename:
    two spellings, two accounts, two connections that mean the same project have the same two.

    A project that does not exist yet (`exists` is False) has an `id` that begins with `UNMADE`, the same one for the
    same wish in every spelling.
    `key` is how the tracker spells what was asked for, `url` where the project is. `memory` is to be kept with that
    key, as what `Tracker.learned` tells is.
    """

    site: str
    id: str
    key: str
    url: str = ""
    exists: bool = True
    memory: Memory = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A located project of a tracker: its reference, what it can do, and what the connector learned about it.

    `facts` is the connector's own JSON (board id, field ids, issue types): opaque to everybody else, safe to
    store, never valid for another project. `site` and the reference's id are the project's identity. `memory` is that
    of the spec; callers put in what is known by now. `mapping` says which of the project's own things stand for what,
    and how each was found. `title` is what people call the project in the tracker now.
    """

    ref: RemoteRef
    capabilities: Capabilities
    board_url: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    site: str = ""
    memory: Memory = field(default_factory=dict)
    mapping: tuple[Mapped, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """`source` waits for `target`; both exist in the tracker."""

    key: ItemKey
    source: RemoteRef
    target: RemoteRef


@dataclass(frozen=True, slots=True)
class Creation:
    """An item to create, with what its fields refer to already resolved.

    `epic` and `iteration` are references (None: none); the iteration only where the tracker places tickets when it
    creates them (`places_in_create`). `links` ride in the create call where the tracker can
    (`links_in_create`): each names its link key and the existing target. `rank` is the item's place among all of the
    plan as people should meet them, from 1; 0 is after everything that is there.
    """

    item: Item
    epic: RemoteRef | None = None
    iteration: RemoteRef | None = None
    links: tuple[tuple[ItemKey, RemoteRef], ...] = ()
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The item was written. `linked` names the riding links that the tracker accepted with it; `later` the fields that
    the call could not carry and that `finish` writes; `kept` the lines that it was to take away and that people use."""

    key: ItemKey
    ref: RemoteRef
    linked: tuple[ItemKey, ...] = ()
    later: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """The item was refused and does not exist; the other items of the same call are not affected."""

    key: ItemKey
    problems: tuple[FieldProblem, ...]


Outcome = Done | Rejected


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests sent since the tracker object was made, retries included."""

    reads: int = 0
    writes: int = 0
