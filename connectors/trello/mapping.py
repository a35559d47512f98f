"""Between phaseloop's items and Trello's JSON, both ways. Pure: values in, values out, no calls."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.trello.layout import ITERATION_COLOR, ListRole, color_for
from connectors.trello.markup import description, marked, marks, normalised
from connectors.values import (
    Account,
    Creation,
    Fields,
    Item,
    ItemKey,
    ItemKind,
    ObservedItem,
    Priority,
    RemoteRef,
    kind_of,
)

CHECKLIST = "Done means"
"""The name of the checklist that holds what done means."""

CARD_FIELDS = "name,desc,url,shortUrl,shortLink,idList,closed,pos,idMembers,idLabels,start,due,dueComplete,badges"
"""What is read of a card."""

CARD_LINK = re.compile(r"/c/([0-9A-Za-z]{8,24})(?:[/?#]|$)")
_PRIORITY = "priority:"
_POINTS = re.compile(r"points:(\d{1,6}(?:\.\d{1,3})?)")

_FIRST_PLACE = float(2**30)
"""Below what stands on a board already: people's own cards stay on top, in their order."""
_STEP = 65536.0
"""The vendor's own distance between two cards, so that there is room to put one in between."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a checklist."""

    text: str
    complete: bool = False
    id: str = field(default="", compare=False)
    """By which the board's actions tell who ticked it."""
    given: bool = field(default=False, compare=False)
    """Somebody's, or due at a time: what people say of a single line."""


@dataclass(frozen=True, slots=True)
class Checklist:
    """A checklist of a card, its lines in order."""

    id: str
    name: str
    lines: tuple[Line, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines' texts."""
        return tuple(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it was read. `links` are the short links or ids of the cards attached to it, by attachment; None
    where the answer does not tell, and so are `checklists`. `attached` counts everything that is attached; `values`
    (of custom fields), `stickers` and what Power-Ups keep on it (`extras`) are counted where they were asked for, and
    so are `cover`, `reminder` and `location` told."""

    id: str
    key: str
    url: str
    name: str
    desc: str
    list_id: str
    closed: bool = False
    members: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    start: str | None = None
    due: str | None = None
    complete: bool = False
    pos: float = 0.0
    links: tuple[tuple[str, str], ...] | None = None
    checklists: tuple[Checklist, ...] | None = None
    attached: int = 0
    votes: int = 0
    values: int = 0
    stickers: int = 0
    extras: int = 0
    cover: bool = False
    reminder: bool = False
    location: bool = False

    @property
    def ref(self) -> RemoteRef:
        """Where it lives."""
        return RemoteRef(self.id, self.key, self.url)

    @property
    def done_means(self) -> Checklist | None:
        """Its checklist of what done means."""
        return next((one for one in self.checklists or () if one.name == CHECKLIST), None)


@dataclass(frozen=True, slots=True)
class Turn:
    """An iteration as its tickets need it: the label that says who is in it, and its dates as Trello has them."""

    ref: RemoteRef
    label: str
    start: str | None
    due: str | None
    active: bool = False
    """Whether it continues now: its tickets then stand in Iteration, not in Backlog."""


# --- reading ---------------------------------------------------------------------------------------------------------


def account(person: Any, *, assignable: bool | None = None, active: bool = True) -> Account | None:
    """A member as an account; None for something else."""
    if not isinstance(person, dict) or not person.get("id"):
        return None
    name = str(person.get("fullName") or person.get("username") or person["id"])
    email = person.get("email")
    return Account(str(person["id"]), name, str(email) if email else None, active, assignable)


def card_of(values: Any) -> Card | None:
    """A card; None for something else."""
    if not isinstance(values, dict) or not values.get("id"):
        return None
    identity = str(values["id"])
    return Card(
        id=identity,
        key=str(values.get("shortLink") or identity),
        url=str(values.get("shortUrl") or values.get("url") or ""),
        name=str(values.get("name") or ""),
        desc=str(values.get("desc") or ""),
        list_id=str(values.get("idList") or ""),
        closed=values.get("closed") is True,
        members=_ids(values.get("idMembers")),
        labels=_ids(values.get("idLabels")),
        start=_text(values.get("start")),
        due=_text(values.get("due")),
        complete=values.get("dueComplete") is True,
        pos=_position(values),
        links=_links(values.get("attachments")),
        checklists=checklists_of(values.get("checklists")),
        attached=len(_objects(values.get("attachments"))),
        votes=count_of(values.get("badges"), "votes"),
        values=len(_objects(values.get("customFieldItems"))),
        stickers=len(_objects(values.get("stickers"))),
        extras=len(_objects(values.get("pluginData"))),
        cover=_has(values.get("cover"), ("idAttachment", "color", "idUploadedBackground", "idPlugin")),
        reminder=values.get("dueReminder") not in (None, -1, "-1"),
        location=_has(values, ("address", "locationName", "coordinates")),
    )


def _has(values: Any, names: Sequence[str]) -> bool:
    return isinstance(values, dict) and any(values.get(name) for name in names)


def count_of(values: Any, name: str) -> int:
    """A count among others, such as those of a card's badges; 0 where nobody tells."""
    count = values.get(name) if isinstance(values, dict) else None
    return count if isinstance(count, int) else 0


def _objects(values: Any) -> list[dict[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _ids(values: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in values) if isinstance(values, list) else ()


def _links(attachments: Any) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(attachments, list):
        return None
    found = []
    for one in _objects(attachments):
        link = CARD_LINK.search(str(one.get("url") or ""))
        if link:
            found.append((str(one.get("id") or ""), link[1]))
    return tuple(found)


def checklists_of(values: Any) -> tuple[Checklist, ...] | None:
    """Checklists with their lines, in order; None for an answer that does not tell."""
    if not isinstance(values, list):
        return None
    return tuple(
        Checklist(str(one["id"]), str(one.get("name") or ""), _lines(one.get("checkItems")))
        for one in sorted((one for one in _objects(values) if one.get("id")), key=_position)
    )


def _lines(values: Any) -> tuple[Line, ...]:
    items = sorted(_objects(values), key=_position)
    return tuple(
        Line(
            str(one.get("name") or ""),
            one.get("state") == "complete",
            str(one.get("id") or ""),
            given=_has(one, ("idMember", "due")),
        )
        for one in items
    )


def _position(one: Mapping[str, Any]) -> float:
    place = one.get("pos")
    return float(place) if isinstance(place, int | float) else 0.0


def made_at(identity: str) -> datetime:
    """When something was made: ids begin with the second of that. Long ago for what is no such id."""
    try:
        return datetime.fromtimestamp(int(identity[:8], 16), UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def marked_key(card: Card, uid: str) -> ItemKey | None:
    """The item that a card is, if it is one of this project's."""
    found = marks(card.desc)
    return found[1] if found and found[0] == uid else None


def ours(cards: Iterable[Card], uid: str) -> dict[ItemKey, Card]:
    """The cards that carry this project's marker. Of several with one marker (a person copied one) the oldest counts:
    ids begin with the second of creation, and grow."""
    found: dict[ItemKey, Card] = {}
    for card in cards:
        key = marked_key(card, uid)
        if key is not None and (key not in found or card.id < found[key].id):
            found[key] = card
    return found


@dataclass(frozen=True, slots=True)
class View:
    """What is needed to read cards in our words: label names by id, what lists are for, iterations by their label,
    and the keys of epics and iterations by every id they go by. Labels of iterations are not shown as labels."""

    labels: Mapping[str, str]
    roles: Mapping[str, ListRole | None]
    turns: Mapping[str, RemoteRef]
    names: Mapping[str, ItemKey]
    epics: Collection[str] = ()
    holding: Collection[str] = ()
    """The cards of iterations that have a label by which tickets are in them."""


def observed(card: Card, key: ItemKey, view: View) -> ObservedItem:
    """The card as an item."""
    kind = kind_of(key)
    if kind is ItemKind.ITERATION:
        fields: Fields = {
            "title": card.name,
            "goal": normalised(card.desc),
            "starts": _moment(card.start),
            "ends": _moment(card.due),
        }
        stands, holds = turn_status(card, view.roles), card.id in view.holding
        return ObservedItem(key, kind, card.ref, fields, stands, archived=card.closed, holds=holds)
    names = sorted(view.labels[one] for one in card.labels if one in view.labels and one not in view.turns)
    fields = {
        "title": card.name,
        "text": normalised(card.desc),
        "labels": [name for name in names if not name.startswith(_PRIORITY)],
    }
    if kind in {ItemKind.TICKET, ItemKind.GUEST}:
        fields["assignee"] = card.members[0] if card.members else None
        fields["priority"] = _priority(names)
        fields["iteration"] = _turn(card, view)
        if card.links is not None:
            fields["epic"] = _epic(card.links, view)
        if card.checklists is not None:
            fields["checklist"] = list(card.done_means.texts) if card.done_means else []
    return ObservedItem(key, kind, card.ref, fields, status(card, view.roles), archived=card.closed)


def _moment(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except ValueError:
        return text


def _priority(names: Sequence[str]) -> str | None:
    levels = [name.removeprefix(_PRIORITY) for name in names if name.startswith(_PRIORITY)]
    return next((level for level in levels if level in set(Priority)), None)


def _turn(card: Card, view: View) -> str | None:
    refs = [view.turns[label] for label in card.labels if label in view.turns]
    return view.names.get(refs[0].id, refs[0].id) if refs else None


def _epic(links: Sequence[tuple[str, str]], view: View) -> str | None:
    """The epic that a card is attached to; people attach other cards too, which are none."""
    named = [view.names[link] for _, link in links if link in view.names]
    found: list[str] = [key for key in named if kind_of(key) is ItemKind.EPIC]
    found += [link for _, link in links if link in view.epics]
    return found[0] if found else None


def points_of(labels: Iterable[str]) -> float | None:
    """The estimate that labels such as `points:5` tell; of several the greatest, None if there is none."""
    found = (_POINTS.fullmatch(label) for label in labels)
    return max((float(one[1]) for one in found if one), default=None)


def status(card: Card, roles: Mapping[str, ListRole | None]) -> str:
    """Trello has no status: the list tells, or the tick at the due date. What was archived is out of the way."""
    role = roles.get(card.list_id)
    if card.closed or card.complete or role is ListRole.DONE:
        return "done"
    return "doing" if role in {ListRole.IN_PROGRESS, ListRole.REVIEW} else "todo"


def turn_status(card: Card, roles: Mapping[str, ListRole | None]) -> str:
    """How far an iteration is, by its card: `future`, `active` or `closed`."""
    if status(card, roles) == "done":
        return "closed"
    role = roles.get(card.list_id)
    return "active" if role in {ListRole.ITERATION, ListRole.IN_PROGRESS, ListRole.REVIEW} else "future"


# --- writing ---------------------------------------------------------------------------------------------------------


def joined(ids: Iterable[str]) -> str:
    """Ids as the vendor takes several: separated by commas; empty for none."""
    return ",".join(ids)


def label_names(item: Item) -> list[str]:
    """The labels that an item's card gets, priority among them."""
    return sorted({*item.labels, *([f"{_PRIORITY}{item.priority}"] if item.priority else [])})


def is_priority(name: str) -> bool:
    """Whether a label says how urgent a card is."""
    return name.startswith(_PRIORITY)


def label_body(board: str, name: str, taken: Iterable[str | None], *, iteration: bool = False) -> dict[str, Any]:
    """A new label. `taken` are the colours of the board's labels for phases."""
    color = ITERATION_COLOR if iteration else color_for(name, taken)
    return {"idBoard": board, "name": name, "color": color}


def is_over(text: object, now: datetime) -> bool:
    """Whether an instant as Trello writes it has passed; what is none has not."""
    try:
        return isinstance(text, str) and datetime.fromisoformat(text) <= now
    except (ValueError, TypeError):
        return False


def moment(value: datetime | None) -> str | None:
    """A moment as Trello writes it."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z") if value else None


def home(kind: ItemKind, turn: Turn | None = None) -> ListRole:
    """The list in which a new card of this kind stands; for a ticket, in this iteration."""
    if kind is ItemKind.EPIC:
        return ListRole.EPICS
    return ListRole.ITERATION if kind is ItemKind.TICKET and turn and turn.active else ListRole.BACKLOG


def card_body(
    uid: str, creation: Creation, list_id: str, labels: Sequence[str], turn: Turn | None, source: str | None
) -> dict[str, Any]:
    """A new card with everything in it. `source` is a card with the same checklist, to be copied along."""
    item = creation.item
    body: dict[str, Any] = {
        "idList": list_id,
        "name": item.title,
        "desc": first_text(uid, item)[0],
        "pos": _FIRST_PLACE + creation.rank * _STEP if creation.rank else "bottom",
        "idLabels": joined([*labels, *([turn.label] if turn else [])]),
    }
    if item.assignee:
        body["idMembers"] = item.assignee
    if creation.epic is not None and creation.epic.url:
        body["urlSource"] = creation.epic.url
    dates = (
        (moment(item.starts), moment(item.ends))
        if item.kind is ItemKind.ITERATION
        else (turn.start, turn.due)
        if turn
        else (None, None)
    )
    body |= {name: value for name, value in zip(("start", "due"), dates, strict=True) if value}
    if source is not None:
        body |= {"idCardSource": source, "keepFromSource": "checklists"}
    return body


def first_text(uid: str, item: Item) -> tuple[str, tuple[str, ...]]:
    """The description of an item's card, marked, and the comments that continue with it; tickets alone have those."""
    if item.kind is ItemKind.ITERATION:
        return marked(item.goal, uid, item.key), ()
    if item.kind is ItemKind.TICKET:
        return description(item.text, uid, item.key)
    return description(item.text, uid, item.key, 0)


def written_as(uid: str, item: Item) -> Fields:
    """What a card's fields look like once they are written, where that is not how they are given."""
    text = normalised(first_text(uid, item)[0])
    return {"goal": text} if item.kind is ItemKind.ITERATION else {"text": text}


def missing_lines(wanted: Sequence[str], there: Checklist | None) -> list[str]:
    """The lines that a checklist lacks, in order; lines that people added or ticked are left alone."""
    left = list(there.texts) if there else []
    missing = []
    for line in wanted:
        if line in left:
            left.remove(line)
        else:
            missing.append(line)
    return missing
