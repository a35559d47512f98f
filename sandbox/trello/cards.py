"""Cards: making, reading, changing, deleting."""

from __future__ import annotations

from sandbox.trello import nested
from sandbox.trello.actions import CARD_DEFAULT, Happening, record
from sandbox.trello.boards import field_value, shown_actions
from sandbox.trello.card_editing import (
    EDITABLE,
    add_label,
    add_member,
    edit,
    require_labels,
    require_members,
)
from sandbox.trello.card_making import KEPT, attach, copy_into, forget_card, new_card
from sandbox.trello.errors import invalid, not_found
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.lists import list_in
from sandbox.trello.params import Params
from sandbox.trello.state import Card, Member, TrelloList
from sandbox.trello.views import BOARD_FIELDS

table = routes()

_ROLES = frozenset({"separator", "board", "mirror", "link"})


@table.post("/cards")
async def create_card(call: Call) -> Json:
    """Make a card with everything that the request says of it, new or as a copy."""
    actor = call.writer()
    found = list_in(call)
    source = _source(call)
    _check(call, found)
    sent = call.params
    url = sent.text("urlSource") or None
    file = sent.files.get("fileSource")
    name = sent.text("name")
    if name is None:
        name = source.name if source else url or (file.name if file else "")
    card = new_card(call.trello, actor, found, name, sent.raw("pos"))
    if source is not None:
        card.desc, card.role = source.desc, source.role
    _fill(call, actor, card, source)
    members = [key for key in sent.ids("idMembers") if key not in card.member_ids]
    labels = [key for key in sent.ids("idLabels") if key not in card.label_ids]
    told = {"cardSource": _short(source)} if source else {}
    record(call.trello, actor, Happening("copyCard" if source else "createCard", card=card, data=told))
    if source is not None and "comments" in _kept(call):
        copy_into(call.trello, actor, source, card, {"comments"})
    for key in members:
        add_member(call.trello, actor, card, key)
    for key in labels:
        add_label(call.trello, actor, card, key)
    if url is not None:
        attach(call.trello, actor, card, url=url)
    if file is not None:
        attach(call.trello, actor, card, file=file, mime_type=sent.text("mimeType"))
    return nested.view(call).card(card) | {"attachments": _attachments(call, card), "stickers": []}


def _attachments(call: Call, card: Card) -> Json:
    view = nested.view(call)
    return [view.attachment(card, one) for one in card.attachments]


def _short(card: Card) -> dict[str, object]:
    return {"id": card.id, "name": card.name, "idShort": card.number, "shortLink": card.short_link}


def _source(call: Call) -> Card | None:
    number = call.params.id("idCardSource")
    if number is None:
        return None
    source = call.trello.data.cards.get(number)
    if source is None:
        raise invalid("idCardSource")
    call.open_board(call.trello.data.boards[source.board_id], "card")
    return source


def _kept(call: Call) -> set[str]:
    words = set(call.params.items("keepFromSource")) or {"all"}
    if words - {*KEPT, "all", "none"}:
        raise invalid("keepFromSource")
    return set(KEPT) if "all" in words else words - {"none"}


def _check(call: Call, found: TrelloList) -> None:
    """Refuse a bad value before anything is made."""
    sent = call.params
    board = call.trello.data.boards[found.board_id]
    for name in ("name", "desc", "address", "locationName", "coordinates"):
        sent.text(name)
    for name in ("due", "start"):
        sent.moment(name)
    sent.flag("dueComplete")
    require_members(board, sent.ids("idMembers"), "idMembers")
    require_labels(call.trello, board, sent.ids("idLabels"), "idLabels")
    if not sent.null("cardRole"):
        sent.one_of("cardRole", _ROLES)
    url = sent.text("urlSource")
    if url and not url.startswith(("http://", "https://")):
        raise invalid("urlSource")
    _kept(call)


def _fill(call: Call, actor: Member, card: Card, source: Card | None) -> None:
    sent = call.params
    if source is not None:
        copy_into(call.trello, actor, source, card, _kept(call) - {"comments"})
    if (desc := sent.text("desc")) is not None:
        card.desc = desc
    # A copy keeps its dates when the request says nothing; py-trello says "null" where it means nothing.
    if "due" in sent and not (source is not None and sent.null("due")):
        card.due = sent.moment("due")
    if "start" in sent and not (source is not None and sent.null("start")):
        card.start = sent.moment("start")
    if (complete := sent.flag("dueComplete")) is not None:
        card.due_complete = complete
    if "dueReminder" in sent and not sent.null("dueReminder"):
        card.due_reminder = sent.number("dueReminder", -1, low=-1, high=100_000)
    card.address = sent.text("address") or card.address
    card.location_name = sent.text("locationName") or card.location_name
    card.coordinates = sent.text("coordinates") or card.coordinates
    if not sent.null("cardRole"):
        card.role = sent.text("cardRole")


@table.get("/cards/{card}")
async def get_card(call: Call) -> Json:
    """One card, whole unless fields are named, with whatever else is asked for."""
    return nested.card(call, call.card(), call.params)


@table.put("/cards/{card}")
async def update_card(call: Call) -> Json:
    """Change a card."""
    card = call.card(write=True)
    _may_reach(call, card, call.params)
    edit(call.trello, call.writer(), card, call.params)
    return nested.view(call).card(card)


def _may_reach(call: Call, card: Card, sent: Params) -> None:
    """Refuse to move a card to a board that the caller may not change."""
    data = call.trello.data
    if "idBoard" in sent and (board := data.boards.get(sent.id("idBoard") or "")) is not None:
        call.open_board(board, "board", write=True)
    if "idList" in sent and (found := data.lists.get(sent.id("idList") or "")) is not None:
        call.open_board(data.boards[found.board_id], "list", write=True)


@table.delete("/cards/{card}")
async def delete_card(call: Call) -> Json:
    """Delete a card for good."""
    card = call.card(write=True)
    found = call.trello.data.lists[card.list_id]
    event = Happening("deleteCard", card=card, list=found)
    record(call.trello, call.writer(), event)
    forget_card(call.trello, card)
    return {"limits": {}}


@table.get("/cards/{card}/{field}")
async def get_card_field(call: Call) -> Json:
    """One field of a card."""
    card, name = call.card(), call.path["field"]
    return field_value(nested.view(call).card(card, f"all,{name}"), name)


@table.put("/cards/{card}/{field}")
async def put_card_field(call: Call) -> Json:
    """Change one field of a card by ``value``; not in the vendor's document, but answered and widely used."""
    card, name = call.card(write=True), call.path["field"]
    if name not in EDITABLE:
        raise not_found()
    sent = Params({**call.params.values, name: call.params.raw("value")})
    sent = Params({key: value for key, value in sent.values.items() if key in {name, "idList", "pos"}})
    _may_reach(call, card, sent)
    edit(call.trello, call.writer(), card, sent)
    return nested.view(call).card(card)


@table.get("/cards/{card}/actions")
async def get_actions(call: Call) -> Json:
    """Comments and moves of a card, newest first; other actions by ``filter``."""
    return shown_actions(call, call.card().id, CARD_DEFAULT)


@table.get("/cards/{card}/board")
async def get_board(call: Call) -> Json:
    """The board of a card."""
    board = call.trello.data.boards[call.card().board_id]
    return nested.view(call).board(board, call.params.fields("fields", BOARD_FIELDS))


@table.get("/cards/{card}/list")
async def get_list(call: Call) -> Json:
    """The list of a card."""
    return nested.view(call).a_list(call.trello.data.lists[call.card().list_id], call.params.fields())


@table.get("/cards/{card}/checkItemStates")
async def get_states(call: Call) -> Json:
    """The ticked items of a card."""
    return nested.view(call).states(call.card())


@table.get("/cards/{card}/pluginData", "/cards/{card}/stickers")
async def get_nothing(call: Call) -> Json:
    """Power-Ups and stickers are not part of the sandbox: there are none."""
    call.card()
    return []


@table.post("/cards/{card}/markAssociatedNotificationsRead")
async def mark_read(call: Call) -> Json:
    """There are no notifications; the answer is the vendor's."""
    call.card()
    call.writer()
    return {}
