"""What a Trello holds: members, workspaces, boards and all that is on them, and the indexes to find it.

- **Keeping**: everything in ``TrelloData`` is kept by ``--state``, so records hold only plain values.
- **Ids** are 24 hex digits whose first eight are the second of creation, as the vendor's are.
- **Moments** are UTC. What changes is told to ``listeners`` as actions (``actions.py``), which feeds the webhooks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.clock import Clock

SHORT_LINK_LENGTH = 8
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Between the second and the counter stand ten digits that say which machine made an id; there is only one here.
_MACHINE = "5eedb0a2d0"


@dataclass
class Member:
    """A person. ``email`` is shown to themselves only."""

    id: str
    username: str
    full_name: str
    email: str
    confirmed: bool = True
    active: bool = True
    bio: str = ""
    initials: str = ""
    prefs: dict[str, Any] = field(default_factory=dict)
    stars: list[dict[str, Any]] = field(default_factory=list)
    blocked_keys: list[str] = field(default_factory=list)


@dataclass
class Membership:
    """Who is on a board or in a workspace, and as what: admin, normal or observer."""

    id: str
    member_id: str
    type: str = "normal"
    unconfirmed: bool = False
    deactivated: bool = False


@dataclass
class Organization:
    """A workspace. ``free`` ones have the vendor's caps on boards and people."""

    id: str
    name: str
    display_name: str
    creator: str
    desc: str = ""
    website: str | None = None
    free: bool = False
    memberships: list[Membership] = field(default_factory=list)
    prefs: dict[str, Any] = field(default_factory=dict)
    last_activity: datetime | None = None


@dataclass
class Label:
    """A label of a board; several may have the same name and colour."""

    id: str
    board_id: str
    name: str
    color: str | None


@dataclass
class CustomField:
    """A field that a board adds to its cards. ``options`` are of the drop-down type only."""

    id: str
    board_id: str
    name: str
    type: str
    pos: float
    card_front: bool = True
    options: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Board:
    """A board; its lists, cards and labels point to it."""

    id: str
    short_link: str
    name: str
    creator: str
    desc: str = ""
    organization_id: str | None = None
    closed: bool = False
    closed_at: datetime | None = None
    source_id: str | None = None
    prefs: dict[str, Any] = field(default_factory=dict)
    memberships: list[Membership] = field(default_factory=list)
    last_activity: datetime | None = None
    subscribers: list[str] = field(default_factory=list)
    views: dict[str, datetime] = field(default_factory=dict)
    my_prefs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    cards_made: int = 0


@dataclass
class TrelloList:
    """A column of a board."""

    id: str
    board_id: str
    name: str
    pos: float
    closed: bool = False
    soft_limit: int | None = None
    subscribers: list[str] = field(default_factory=list)


@dataclass
class Attachment:
    """A link or a file on a card. ``content`` is base64, of files only."""

    id: str
    name: str
    url: str
    member_id: str
    at: datetime
    pos: float
    mime_type: str = ""
    size: int | None = None
    file_name: str | None = None
    content: str | None = None


@dataclass
class CheckItem:
    """One line of a checklist."""

    id: str
    name: str
    pos: float
    complete: bool = False
    due: datetime | None = None
    due_reminder: int | None = None
    member_id: str | None = None


@dataclass
class Checklist:
    """A checklist of a card."""

    id: str
    board_id: str
    card_id: str
    name: str
    pos: float
    items: list[CheckItem] = field(default_factory=list)


@dataclass
class Card:
    """A card. ``field_values`` holds, by custom field id, the item's id and either its value or its option."""

    id: str
    short_link: str
    number: int
    board_id: str
    list_id: str
    name: str
    pos: float
    last_activity: datetime
    creator: str = ""
    desc: str = ""
    closed: bool = False
    due: datetime | None = None
    due_reminder: int | None = None
    due_complete: bool = False
    start: datetime | None = None
    member_ids: list[str] = field(default_factory=list)
    label_ids: list[str] = field(default_factory=list)
    checklist_ids: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    cover_attachment: str | None = None
    cover: dict[str, Any] = field(default_factory=dict)
    voters: list[str] = field(default_factory=list)
    subscribers: list[str] = field(default_factory=list)
    field_values: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: int = 0
    address: str | None = None
    location_name: str | None = None
    coordinates: str | None = None
    role: str | None = None


@dataclass
class Action:
    """Something that happened. ``models`` are the ids of all it touched; ``data`` is as the vendor tells it."""

    id: str
    type: str
    at: datetime
    creator: str
    data: dict[str, Any]
    models: list[str]
    member_id: str | None = None
    edited: datetime | None = None


@dataclass
class Token:
    """A token of a member for the one application there is. ``scopes`` are read, write, account."""

    id: str
    value: str
    member_id: str
    created: datetime
    expires: datetime | None = None
    scopes: list[str] = field(default_factory=lambda: ["read", "write"])


@dataclass
class Webhook:
    """An address that is told about a model."""

    id: str
    token: str
    model_id: str
    callback_url: str
    description: str = ""
    active: bool = True
    failures: int = 0
    failing_since: datetime | None = None


@dataclass
class TrelloData:
    """Everything that is kept, by id unless said otherwise; tokens are by value, actions in the order they happened."""

    key: str = ""
    secret: str = ""
    counter: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    boards: dict[str, Board] = field(default_factory=dict)
    lists: dict[str, TrelloList] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    checklists: dict[str, Checklist] = field(default_factory=dict)
    custom_fields: dict[str, CustomField] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    caps: dict[str, int] = field(default_factory=dict)


class Trello:
    """The live state. Handlers change ``data`` and call ``touch``."""

    def __init__(self, data: TrelloData, clock: Clock) -> None:
        self.data = data
        self.clock = clock
        self.revision = 0
        self.search_lag_seconds = 0.0
        self.listeners: list[Callable[[Action], None]] = []
        self._short: dict[str, str] = {}
        self._index()

    def _index(self) -> None:
        models: Iterable[Board | Card] = (*self.data.boards.values(), *self.data.cards.values())
        self._short = {model.short_link: model.id for model in models}

    def replace(self, data: TrelloData) -> None:
        """Start over with other data."""
        self.data = data
        self._index()
        self.touch()

    def touch(self) -> None:
        """Note that something changed."""
        self.revision += 1

    # -- ids -----------------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """An id that no other model has; later ones are greater."""
        self.data.counter += 1
        return made_id(self.clock.now(), self.data.counter)

    def new_short_link(self, model_id: str) -> str:
        """The short link of a new board or card."""
        link = short_link(model_id)
        self._short[link] = model_id
        return link

    # -- finding -------------------------------------------------------------------------------------------------------

    def board(self, text: str) -> Board | None:
        """A board by id or short link."""
        return self.data.boards.get(self._short.get(text, text))

    def card(self, text: str) -> Card | None:
        """A card by id or short link."""
        return self.data.cards.get(self._short.get(text, text))

    def member(self, text: str) -> Member | None:
        """A member by id or username."""
        found = self.data.members.get(text)
        return found or next((m for m in self.data.members.values() if m.username == text.lower()), None)

    def member_by_email(self, email: str) -> Member | None:
        """A member by e-mail address."""
        return next((m for m in self.data.members.values() if m.email.lower() == email.lower()), None)

    def organization(self, text: str) -> Organization | None:
        """A workspace by id or name."""
        found = self.data.organizations.get(text)
        return found or next((o for o in self.data.organizations.values() if o.name == text.lower()), None)

    def lists_of(self, board_id: str) -> list[TrelloList]:
        """The lists of a board by position."""
        return sorted((x for x in self.data.lists.values() if x.board_id == board_id), key=_place)

    def cards_of(self, board_id: str) -> Iterator[Card]:
        """The cards of a board, in no order."""
        return (card for card in self.data.cards.values() if card.board_id == board_id)

    def cards_in(self, list_id: str) -> list[Card]:
        """The cards of a list by position."""
        return sorted((card for card in self.data.cards.values() if card.list_id == list_id), key=_place)

    def labels_of(self, board_id: str) -> list[Label]:
        """The labels of a board in the order they were made."""
        return [label for label in self.data.labels.values() if label.board_id == board_id]

    def checklists_of(self, card: Card) -> list[Checklist]:
        """The checklists of a card by position."""
        return sorted((self.data.checklists[key] for key in card.checklist_ids), key=_place)

    def fields_of(self, board_id: str) -> list[CustomField]:
        """The custom fields of a board by position."""
        return sorted((x for x in self.data.custom_fields.values() if x.board_id == board_id), key=_place)

    def boards_of(self, member_id: str) -> list[Board]:
        """The boards that a member is on, oldest first."""
        return [board for board in self.data.boards.values() if membership(board, member_id) is not None]


def membership(model: Board | Organization, member_id: str) -> Membership | None:
    """The membership of a member, if there is one."""
    return next((entry for entry in model.memberships if entry.member_id == member_id), None)


def made_id(moment: datetime, number: int) -> str:
    """The id made at a moment with a counter."""
    return f"{int(moment.timestamp()):08x}{_MACHINE}{number & 0xFFFFFF:06x}"


def short_link(model_id: str) -> str:
    """Eight letters and digits that follow from an id."""
    number = int(hashlib.sha256(model_id.encode()).hexdigest(), 16)
    letters = []
    for _ in range(SHORT_LINK_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


def _place(model: TrelloList | Card | Checklist | CustomField) -> tuple[float, str]:
    return model.pos, model.id
