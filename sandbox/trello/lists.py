"""Lists and labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sandbox.trello import caps, making, nested
from sandbox.trello.actions import Happening, record
from sandbox.trello.boards import color_of, field_value, made_label, shown_actions
from sandbox.trello.card_editing import move_to_board, move_to_list, subscribe
from sandbox.trello.card_making import KEPT, copy_into, new_card
from sandbox.trello.errors import invalid, not_found
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.params import Params
from sandbox.trello.positions import plain, resolve
from sandbox.trello.state import Board, Label, TrelloList
from sandbox.trello.views import BOARD_FIELDS

table = routes()

_FIELDS = frozenset({"name", "closed", "pos", "subscribed", "idBoard", "softLimit"})


def board_in(call: Call, name: str = "idBoard", *, write: bool = True) -> Board:
    """The board that a parameter names, by id only."""
    number = call.params.id(name)
    if number is None:
        raise invalid(name)
    board = call.trello.data.boards.get(number)
    if board is None:
        raise not_found()
    return call.open_board(board, "board", write=write)


def list_in(call: Call, name: str = "idList") -> TrelloList:
    """The list that a parameter names, on a board that the caller may change."""
    number = call.params.id(name)
    found = call.trello.data.lists.get(number or "")
    if found is None:
        raise invalid(name)
    call.open_board(call.trello.data.boards[found.board_id], "list", write=True)
    return found


@table.post("/lists")
async def create_list(call: Call) -> Json:
    """Add a list to a board, empty or as a copy with its cards."""
    actor = call.writer()
    name = call.params.required("name")
    board = board_in(call)
    source = list_in(call, "idListSource") if not call.params.null("idListSource") else None
    made = making.make_list(call.trello, actor, board, name, call.params.raw("pos"))
    for card in call.trello.cards_in(source.id) if source else []:
        if not card.closed:
            copy = new_card(call.trello, actor, made, card.name, card.pos)
            copy.desc = card.desc
            copy_into(call.trello, actor, card, copy, set(KEPT) - {"comments"})
    return nested.view(call).a_list(made)


@table.get("/lists/{list}")
async def get_list(call: Call) -> Json:
    """One list."""
    return nested.a_list(call, call.list(), call.params)


@table.get("/lists/{list}/{field}")
async def get_list_field(call: Call) -> Json:
    """One field of a list."""
    found, name = call.list(), call.path["field"]
    return field_value(nested.view(call).a_list(found, f"all,{name}"), name)


@table.get("/lists/{list}/actions")
async def get_actions(call: Call) -> Json:
    """What happened in a list, newest first."""
    return shown_actions(call, call.list().id)


@table.get("/lists/{list}/board")
async def get_board(call: Call) -> Json:
    """The board of a list."""
    board = call.trello.data.boards[call.list().board_id]
    return nested.view(call).board(board, call.params.fields("fields", BOARD_FIELDS))


@table.get("/lists/{list}/cards")
async def get_cards(call: Call) -> Json:
    """The open cards of a list, or others by ``filter``."""
    return nested.cards(call, call.trello.cards_in(call.list().id), call.params, "open")


@table.get("/lists/{list}/cards/{filter}")
async def get_cards_by_filter(call: Call) -> Json:
    """The cards of a list that fit a word."""
    call.params.values["filter"] = call.path["filter"]
    return nested.cards(call, call.trello.cards_in(call.list().id), call.params)


@table.post("/lists/{list}/cards")
async def create_card(call: Call) -> Json:
    """Add a card to a list; an old route that clients still use."""
    from sandbox.trello.cards import create_card as create  # cards build on lists

    call.list(write=True)
    call.params.values["idList"] = call.path["list"]
    return await create(call)


@table.put("/lists/{list}")
async def update_list(call: Call) -> Json:
    """Change a list."""
    found = call.list(write=True)
    _edit(call, found, call.params)
    return nested.view(call).a_list(found)


@table.put("/lists/{list}/{field}")
async def put_list_field(call: Call) -> Json:
    """Change one field of a list by ``value``."""
    found, name = call.list(write=True), call.path["field"]
    if name not in _FIELDS:
        raise not_found()
    _edit(call, found, Params({name: call.params.raw("value")}))
    return nested.view(call).a_list(found)


def _edit(call: Call, found: TrelloList, sent: Params) -> None:
    trello = call.trello
    making.require_open(trello.data.boards[found.board_id])
    name = sent.required("name") if "name" in sent else None
    closed, subscribed = sent.flag("closed"), sent.flag("subscribed")
    others = [one.pos for one in trello.lists_of(found.board_id) if one.id != found.id]
    pos = resolve(sent.raw("pos"), others) if sent.raw("pos") is not None else None
    if "idBoard" in sent and sent.id("idBoard") != found.board_id:
        _move(call, found, board_in(replace(call, params=sent)))
    if name is not None:
        _set(call, found, "name", name)
    if closed is not None:
        if found.closed and not closed:
            held = sum(1 for one in trello.lists_of(found.board_id) if not one.closed)
            caps.require(trello, "lists.openPerBoard", held)
        _set(call, found, "closed", closed)
    if pos is not None:
        _set(call, found, "pos", plain(pos))
    if subscribed is not None:
        subscribe(found.subscribers, call.writer(), subscribed)
    if "softLimit" in sent:
        found.soft_limit = None if sent.null("softLimit") else sent.number("softLimit", 0, high=5000)
    trello.touch()


def _set(call: Call, found: TrelloList, name: str, value: Any) -> None:
    old = getattr(found, name)
    if old == value:
        return
    setattr(found, name, float(value) if name == "pos" else value)
    data = {"old": {name: plain(old) if name == "pos" else old}, "listKeys": {name: value}}
    board = call.trello.data.boards[found.board_id]
    record(call.trello, call.writer(), Happening("updateList", board=board, list=found, data=data))


def _move(call: Call, found: TrelloList, board: Board) -> None:
    making.require_open(board)
    trello, actor = call.trello, call.writer()
    before = trello.data.boards[found.board_id]
    cards = trello.cards_in(found.id)
    data = {"boardTarget": {"id": board.id, "name": board.name}}
    record(trello, actor, Happening("moveListFromBoard", board=before, list=found, data=data))
    found.pos = resolve("bottom", (one.pos for one in trello.lists_of(board.id)))
    found.board_id = board.id
    for card in cards:
        move_to_board(trello, actor, card, board, found, card.pos)
    data = {"boardSource": {"id": before.id, "name": before.name}}
    record(trello, actor, Happening("moveListToBoard", board=board, list=found, data=data))


@table.post("/lists/{list}/archiveAllCards")
async def archive_all(call: Call) -> Json:
    """Archive every open card of a list."""
    found = call.list(write=True)
    for card in call.trello.cards_in(found.id):
        if not card.closed:
            card.closed = True
            data = {"old": {"closed": False}}
            record(
                call.trello,
                call.writer(),
                Happening("updateCard", card=card, data=data, card_keys={"closed": True}),
            )
    return {}


@table.post("/lists/{list}/moveAllCards")
async def move_all(call: Call) -> Json:
    """Move every open card of a list to the bottom of another one."""
    found, board, target = call.list(write=True), board_in(call), list_in(call)
    if target.board_id != board.id:
        raise invalid("idList")
    making.require_open(board)
    moved = [card for card in call.trello.cards_in(found.id) if not card.closed and target.id != found.id]
    for card in moved:
        if card.board_id == board.id:
            move_to_list(call.trello, call.writer(), card, target)
        else:
            move_to_board(call.trello, call.writer(), card, board, target)
    return [nested.view(call).card(card) for card in moved]


# -- labels ------------------------------------------------------------------------------------------------------------


@table.post("/labels")
async def create_label(call: Call) -> Json:
    """Add a label to a board."""
    call.writer()
    return made_label(call, board_in(call))


@table.get("/labels/{label}")
async def get_label(call: Call) -> Json:
    """One label."""
    return nested.view(call).label(call.label(), call.params.fields())


@table.put("/labels/{label}")
async def update_label(call: Call) -> Json:
    """Change a label."""
    return _edit_label(call, call.label(write=True), call.params)


@table.put("/labels/{label}/{field}")
async def put_label_field(call: Call) -> Json:
    """Change the name or the colour of a label by ``value``."""
    label, name = call.label(write=True), call.path["field"]
    if name not in {"name", "color"}:
        raise not_found()
    return _edit_label(call, label, Params({name: call.params.raw("value")}))


def _edit_label(call: Call, label: Label, sent: Params) -> Json:
    name, color = sent.text("name"), color_of(sent)
    old: dict[str, Any] = {}
    if name is not None and name != label.name:
        old["name"], label.name = label.name, name
    if "color" in sent and color != label.color:
        old["color"], label.color = label.color, color
    if old:
        board = call.trello.data.boards[label.board_id]
        record(call.trello, call.writer(), Happening("updateLabel", board=board, label=label, data={"old": old}))
    return nested.view(call).label(label)


@table.delete("/labels/{label}")
async def delete_label(call: Call) -> Json:
    """Delete a label, and take it off every card."""
    label = call.label(write=True)
    for card in call.trello.cards_of(label.board_id):
        if label.id in card.label_ids:
            card.label_ids.remove(label.id)
    del call.trello.data.labels[label.id]
    board = call.trello.data.boards[label.board_id]
    record(call.trello, call.writer(), Happening("deleteLabel", board=board, label=label))
    return {"limits": {}}
