"""Changes of cards: each changed field is an action with its old value, as the vendor tells it."""

from __future__ import annotations

from typing import Any

from sandbox.trello import times
from sandbox.trello.actions import Happening, record
from sandbox.trello.card_making import labels_on, place_in
from sandbox.trello.errors import invalid
from sandbox.trello.making import require_open
from sandbox.trello.params import Params
from sandbox.trello.positions import plain
from sandbox.trello.state import Board, Card, Member, Trello, TrelloList, membership

# The parameters that an edit takes, and the single-field routes (``PUT /cards/ID/name``).
EDITABLE = frozenset(
    {
        "name",
        "desc",
        "closed",
        "idMembers",
        "idAttachmentCover",
        "idList",
        "idLabels",
        "idBoard",
        "pos",
        "due",
        "dueReminder",
        "start",
        "dueComplete",
        "subscribed",
        "address",
        "locationName",
        "coordinates",
        "cover",
    }
)


def edit(trello: Trello, actor: Member, card: Card, sent: Params) -> None:
    """Change what the parameters say. Nothing is changed if any of them is refused."""
    _check(trello, card, sent)
    _move(trello, actor, card, sent)
    _texts(trello, actor, card, sent)
    _dates(trello, actor, card, sent)
    if "closed" in sent:
        closed = bool(sent.flag("closed"))
        _set(trello, actor, card, "closed", "closed", closed, closed)
    if "idMembers" in sent:
        set_members(trello, actor, card, sent.ids("idMembers"))
    if "idLabels" in sent:
        set_labels(trello, actor, card, sent.ids("idLabels"))
    if "idAttachmentCover" in sent:
        card.cover_attachment = sent.id("idAttachmentCover")
    if (cover := sent.object("cover")) is not None:
        _set(trello, actor, card, "cover", "cover", cover, cover)
    if (subscribed := sent.flag("subscribed")) is not None:
        subscribe(card.subscribers, actor, subscribed)
    trello.touch()


def subscribe(subscribers: list[str], member: Member, on: bool) -> None:
    """Note that a member wants to hear of a model, or no longer."""
    if on and member.id not in subscribers:
        subscribers.append(member.id)
    elif not on and member.id in subscribers:
        subscribers.remove(member.id)


def _check(trello: Trello, card: Card, sent: Params) -> None:
    require_open(trello.data.boards[card.board_id])
    for name in ("name", "desc", "address", "locationName", "coordinates"):
        sent.text(name)
    if "name" in sent:
        sent.required("name")
    for name in ("closed", "dueComplete", "subscribed"):
        sent.flag(name)
    for name in ("due", "start"):
        sent.moment(name)
    target = _target(trello, card, sent)[0]
    if "idMembers" in sent:
        require_members(target, sent.ids("idMembers"), "idMembers")
    if "idLabels" in sent:
        require_labels(trello, target, sent.ids("idLabels"), "idLabels")
    cover = sent.id("idAttachmentCover")
    if cover is not None and all(one.id != cover for one in card.attachments):
        raise invalid("idAttachmentCover")
    if "pos" in sent:
        place_in(trello, trello.data.lists[card.list_id], sent.raw("pos"))


def _target(trello: Trello, card: Card, sent: Params) -> tuple[Board, TrelloList | None]:
    """The board and list that the card is to be in; no list if it is not to move."""
    board = trello.data.boards[card.board_id]
    found: TrelloList | None = None
    if "idBoard" in sent and (number := sent.id("idBoard")) != board.id:
        wanted = trello.data.boards.get(number or "")
        if wanted is None:
            raise invalid("idBoard")
        require_open(wanted)
        board = wanted
        found = next((one for one in trello.lists_of(board.id) if not one.closed), None)
        if found is None and "idList" not in sent:
            raise invalid("idList")
    if "idList" in sent:
        found = trello.data.lists.get(sent.id("idList") or "")
        if found is None:
            raise invalid("idList")
        if found.board_id != board.id:
            if "idBoard" in sent:
                raise invalid("idList")
            board = trello.data.boards[found.board_id]
    return board, found


def _move(trello: Trello, actor: Member, card: Card, sent: Params) -> None:
    board, found = _target(trello, card, sent)
    pos = sent.raw("pos") if "pos" in sent else None
    if found is None or found.id == card.list_id:
        if pos is not None:
            place = place_in(trello, trello.data.lists[card.list_id], pos, but=card.id)
            _set(trello, actor, card, "pos", "pos", place, plain(place))
        return
    if board.id == card.board_id:
        move_to_list(trello, actor, card, found, pos)
    else:
        move_to_board(trello, actor, card, board, found, pos)


def move_to_list(trello: Trello, actor: Member, card: Card, found: TrelloList, pos: Any = None) -> None:
    """Move a card to another list of its board, to the bottom unless a position says otherwise."""
    before = trello.data.lists[card.list_id]
    card.pos = place_in(trello, found, pos)
    card.list_id = found.id
    data = {
        "listBefore": {"id": before.id, "name": before.name},
        "listAfter": {"id": found.id, "name": found.name},
        "old": {"idList": before.id},
    }
    record(trello, actor, Happening("updateCard", card=card, data=data, card_keys={"idList": found.id}))


def move_to_board(trello: Trello, actor: Member, card: Card, board: Board, found: TrelloList, pos: Any = None) -> None:
    """Move a card to another board: labels follow by name and colour, members only if they are on that board."""
    before = trello.data.boards[card.board_id]
    source = {"id": before.id, "name": before.name}
    target = {"id": board.id, "name": board.name}
    data: dict[str, Any] = {"boardTarget": target, "list": {"id": card.list_id}}
    record(trello, actor, Happening("moveCardFromBoard", card=card, board=before, data=data))
    card.pos = place_in(trello, found, pos)
    card.board_id, card.list_id = board.id, found.id
    board.cards_made += 1
    card.number = board.cards_made
    card.label_ids = labels_on(trello, actor, board, card.label_ids)
    card.member_ids = [key for key in card.member_ids if membership(board, key)]
    card.field_values = {}
    for key in card.checklist_ids:
        trello.data.checklists[key].board_id = board.id
    record(trello, actor, Happening("moveCardToBoard", card=card, board=board, data={"boardSource": source}))


def _texts(trello: Trello, actor: Member, card: Card, sent: Params) -> None:
    for name in ("name", "desc"):
        value = sent.text(name)
        if value is not None:
            _set(trello, actor, card, name, name, value, value)
    for name, attribute in (("address", "address"), ("locationName", "location_name"), ("coordinates", "coordinates")):
        if name in sent:
            value = sent.text(name)
            _set(trello, actor, card, name, attribute, value or None, value or None)


def _dates(trello: Trello, actor: Member, card: Card, sent: Params) -> None:
    for name in ("start", "due"):
        if name in sent:
            moment = sent.moment(name)
            _set(trello, actor, card, name, name, moment, times.optional(moment))
    if "dueReminder" in sent:
        minutes = None if sent.null("dueReminder") else sent.number("dueReminder", -1, low=-1, high=100_000)
        _set(trello, actor, card, "dueReminder", "due_reminder", minutes, minutes)
    if (complete := sent.flag("dueComplete")) is not None:
        _set(trello, actor, card, "dueComplete", "due_complete", complete, complete)


def _set(trello: Trello, actor: Member, card: Card, name: str, attribute: str, value: Any, shown: Any) -> None:
    """Set one field and tell of it, if it is another value than before."""
    old = getattr(card, attribute)
    if old == value:
        return
    setattr(card, attribute, value)
    before = times.optional(old) if name in {"due", "start"} else plain(old) if name == "pos" else old
    record(trello, actor, Happening("updateCard", card=card, data={"old": {name: before}}, card_keys={name: shown}))


# -- members and labels ------------------------------------------------------------------------------------------------


def require_members(board: Board, ids: list[str], name: str) -> None:
    """Refuse members who are not on the board (that it is refused is known, the wording is unsure)."""
    if any(membership(board, key) is None for key in ids):
        raise invalid(name)


def require_labels(trello: Trello, board: Board, ids: list[str], name: str) -> None:
    """Refuse labels that are not of the board."""
    labels = trello.data.labels
    if any(key not in labels or labels[key].board_id != board.id for key in ids):
        raise invalid(name)


def set_members(trello: Trello, actor: Member, card: Card, ids: list[str]) -> None:
    """Make these the members of a card."""
    for key in [key for key in card.member_ids if key not in ids]:
        remove_member(trello, actor, card, key)
    for key in ids:
        if key not in card.member_ids:
            add_member(trello, actor, card, key)


def add_member(trello: Trello, actor: Member, card: Card, member_id: str) -> None:
    """Put a member on a card."""
    card.member_ids.append(member_id)
    member = trello.data.members[member_id]
    record(trello, actor, Happening("addMemberToCard", card=card, member=member))


def remove_member(trello: Trello, actor: Member, card: Card, member_id: str) -> None:
    """Take a member off a card."""
    card.member_ids.remove(member_id)
    member = trello.data.members[member_id]
    facts = {"deactivated": False}
    record(trello, actor, Happening("removeMemberFromCard", card=card, member=member, data=facts))


def set_labels(trello: Trello, actor: Member, card: Card, ids: list[str]) -> None:
    """Make these the labels of a card."""
    for key in [key for key in card.label_ids if key not in ids]:
        remove_label(trello, actor, card, key)
    for key in ids:
        if key not in card.label_ids:
            add_label(trello, actor, card, key)


def add_label(trello: Trello, actor: Member, card: Card, label_id: str) -> None:
    """Put a label on a card."""
    card.label_ids.append(label_id)
    record(trello, actor, Happening("addLabelToCard", card=card, label=trello.data.labels[label_id]))


def remove_label(trello: Trello, actor: Member, card: Card, label_id: str) -> None:
    """Take a label off a card."""
    card.label_ids.remove(label_id)
    record(trello, actor, Happening("removeLabelFromCard", card=card, label=trello.data.labels[label_id]))
