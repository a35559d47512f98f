"""Checklists and their items, by their own routes and through their card."""

from __future__ import annotations

from typing import Any

from sandbox.trello import nested, times
from sandbox.trello.actions import Happening, record
from sandbox.trello.boards import field_value
from sandbox.trello.card_making import copy_items, new_checklist, new_item
from sandbox.trello.errors import invalid, not_found
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.making import require_open
from sandbox.trello.params import Params
from sandbox.trello.positions import STEP, resolve
from sandbox.trello.state import Card, CheckItem, Checklist, membership
from sandbox.trello.views import BOARD_FIELDS

table = routes()

_STATES = frozenset({"complete", "incomplete", "true", "false"})


def _make(call: Call, card: Card) -> Json:
    """A checklist on a card, empty or as a copy with all items of another one."""
    require_open(call.trello.data.boards[card.board_id])
    source: Checklist | None = None
    if (number := call.params.id("idChecklistSource")) is not None:
        source = call.trello.data.checklists.get(number)
        if source is None:
            raise invalid("idChecklistSource")
        call.open_board(call.trello.data.boards[source.board_id], "checklist")
    name = call.params.text("name") or (source.name if source else "Checklist")
    checklist = new_checklist(call.trello, call.writer(), card, name, call.params.raw("pos"))
    if source is not None:
        copy_items(call.trello, source, checklist)
    return nested.view(call).checklist(checklist)


@table.post("/checklists")
async def create_checklist(call: Call) -> Json:
    """Add a checklist to a card."""
    call.writer()
    card = call.trello.data.cards.get(call.params.id("idCard") or "")
    if card is None:
        raise invalid("idCard")
    call.open_board(call.trello.data.boards[card.board_id], "card", write=True)
    return _make(call, card)


@table.post("/cards/{card}/checklists")
async def create_on_card(call: Call) -> Json:
    """Add a checklist to a card."""
    return _make(call, call.card(write=True))


def _shown(call: Call, checklist: Checklist) -> Json:
    sent = call.params
    items, fields = sent.word("checkItems", "all"), sent.fields("checkItem_fields")
    return nested.view(call).checklist(checklist, sent.fields(), items, fields)


@table.get("/cards/{card}/checklists")
async def get_of_card(call: Call) -> Json:
    """The checklists of a card."""
    return [_shown(call, checklist) for checklist in call.trello.checklists_of(call.card())]


@table.get("/checklists/{checklist}")
async def get_checklist(call: Call) -> Json:
    """One checklist."""
    checklist = call.checklist()
    body = _shown(call, checklist)
    if (word := call.params.word("cards", "none")) != "none":
        card = call.trello.data.cards[checklist.card_id]
        body["cards"] = nested.cards(call, [card], Params({"filter": word}))
    return body


@table.get("/checklists/{checklist}/board")
async def get_board(call: Call) -> Json:
    """The board of a checklist."""
    board = call.trello.data.boards[call.checklist().board_id]
    return nested.view(call).board(board, call.params.fields("fields", BOARD_FIELDS))


@table.get("/checklists/{checklist}/cards")
async def get_cards(call: Call) -> Json:
    """The card of a checklist, as a list."""
    return nested.cards(call, [call.trello.data.cards[call.checklist().card_id]], call.params, "all")


@table.get("/checklists/{checklist}/checkItems")
async def get_items(call: Call) -> Json:
    """The items of a checklist."""
    return nested.view(call).checklist(call.checklist(), "id", "all", call.params.fields())["checkItems"]


@table.get("/checklists/{checklist}/{field}")
async def get_checklist_field(call: Call) -> Json:
    """One field of a checklist."""
    checklist, name = call.checklist(), call.path["field"]
    return field_value(nested.view(call).checklist(checklist, f"all,{name}"), name)


@table.put("/checklists/{checklist}")
async def update_checklist(call: Call) -> Json:
    """Change the name or position of a checklist."""
    return _edit(call, call.checklist(write=True), call.params)


@table.put("/checklists/{checklist}/{field}")
async def put_checklist_field(call: Call) -> Json:
    """Change the name or position of a checklist by ``value``."""
    checklist, name = call.checklist(write=True), call.path["field"]
    if name not in {"name", "pos"}:
        raise not_found()
    return _edit(call, checklist, Params({name: call.params.raw("value")}))


def _edit(call: Call, checklist: Checklist, sent: Params) -> Json:
    card = call.trello.data.cards[checklist.card_id]
    name = sent.required("name") if "name" in sent else None
    if sent.raw("pos") is not None:
        others = [one.pos for one in call.trello.checklists_of(card) if one is not checklist]
        checklist.pos = resolve(sent.raw("pos"), others, step=STEP)
    if name is not None and name != checklist.name:
        data = {"old": {"name": checklist.name}}
        checklist.name = name
        record(call.trello, call.writer(), Happening("updateChecklist", card=card, checklist=checklist, data=data))
    call.trello.touch()
    return nested.view(call).checklist(checklist)


def _delete(call: Call, checklist: Checklist) -> Json:
    card = call.trello.data.cards[checklist.card_id]
    card.checklist_ids.remove(checklist.id)
    del call.trello.data.checklists[checklist.id]
    record(call.trello, call.writer(), Happening("removeChecklistFromCard", card=card, checklist=checklist))
    return {"limits": {}}


@table.delete("/checklists/{checklist}")
async def delete_checklist(call: Call) -> Json:
    """Delete a checklist."""
    return _delete(call, call.checklist(write=True))


@table.delete("/cards/{card}/checklists/{checklist}")
async def delete_of_card(call: Call) -> Json:
    """Delete a checklist of a card."""
    card, checklist = call.card(write=True), call.checklist(write=True)
    if checklist.card_id != card.id:
        raise not_found()
    return _delete(call, checklist)


# -- items -------------------------------------------------------------------------------------------------------------


def _item(call: Call, *checklists: Checklist) -> tuple[Checklist, CheckItem]:
    number = call.path["checkItem"].lower()
    for checklist in checklists:
        for item in checklist.items:
            if item.id == number:
                return checklist, item
    raise not_found()


def _tell(call: Call, kind: str, checklist: Checklist, item: CheckItem, **more: Any) -> None:
    card = call.trello.data.cards[checklist.card_id]
    state = "complete" if item.complete else "incomplete"
    data = {"checkItem": {"id": item.id, "name": item.name, "state": state, "textData": {"emoji": {}}}, **more}
    record(call.trello, call.writer(), Happening(kind, card=card, checklist=checklist, data=data))


@table.post("/checklists/{checklist}/checkItems")
async def create_item(call: Call) -> Json:
    """Add one item to a checklist; there is no way to add several."""
    checklist = call.checklist(write=True)
    require_open(call.trello.data.boards[checklist.board_id])
    name = call.params.required("name")
    due, checked = call.params.moment("due"), call.params.flag("checked", False)
    member = _assignee(call, checklist, call.params)
    item = new_item(call.trello, checklist, name, call.params.raw("pos"))
    item.due, item.complete, item.member_id = due, bool(checked), member
    if not call.params.null("dueReminder"):
        item.due_reminder = call.params.number("dueReminder", -1, low=-1, high=100_000)
    _tell(call, "createCheckItem", checklist, item)
    return nested.view(call).check_item(checklist, item) | {"limits": {}}


def _assignee(call: Call, checklist: Checklist, sent: Params) -> str | None:
    number = sent.id("idMember")
    board = call.trello.data.boards[checklist.board_id]
    if number is not None and membership(board, number) is None:
        raise invalid("idMember")
    return number


@table.get("/checklists/{checklist}/checkItems/{checkItem}")
async def get_item(call: Call) -> Json:
    """One item of a checklist."""
    checklist, item = _item(call, call.checklist())
    return nested.view(call).check_item(checklist, item, call.params.fields())


@table.delete("/checklists/{checklist}/checkItems/{checkItem}")
async def delete_item(call: Call) -> Json:
    """Delete an item of a checklist."""
    return _delete_item(call, *_item(call, call.checklist(write=True)))


def _delete_item(call: Call, checklist: Checklist, item: CheckItem) -> Json:
    checklist.items.remove(item)
    _tell(call, "deleteCheckItem", checklist, item)
    return {"limits": {}}


def _of_card(call: Call, card: Card) -> tuple[Checklist, CheckItem]:
    return _item(call, *call.trello.checklists_of(card))


@table.get("/cards/{card}/checkItem/{checkItem}", "/cards/{card}/checkItems/{checkItem}")
async def get_item_of_card(call: Call) -> Json:
    """One item of a card."""
    checklist, item = _of_card(call, call.card())
    return nested.view(call).check_item(checklist, item, call.params.fields())


@table.put(
    "/cards/{card}/checkItem/{checkItem}",
    "/cards/{card}/checkItems/{checkItem}",
    "/cards/{card}/checklist/{checklist}/checkItem/{checkItem}",
    "/cards/{card}/checklists/{checklist}/checkItems/{checkItem}",
)
async def update_item(call: Call) -> Json:
    """Tick an item, or change it."""
    card = call.card(write=True)
    require_open(call.trello.data.boards[card.board_id])
    return _edit_item(call, card, *_of_card(call, card), call.params)


@table.put("/cards/{card}/checkItem/{checkItem}/{field}")
async def put_item_field(call: Call) -> Json:
    """Change one field of an item by ``value``."""
    card, name = call.card(write=True), call.path["field"]
    if name not in {"name", "state", "pos", "due", "dueReminder", "idMember"}:
        raise not_found()
    require_open(call.trello.data.boards[card.board_id])
    return _edit_item(call, card, *_of_card(call, card), Params({name: call.params.raw("value")}))


def _edit_item(call: Call, card: Card, checklist: Checklist, item: CheckItem, sent: Params) -> Json:
    state = sent.one_of("state", _STATES)
    name = sent.required("name") if "name" in sent else None
    due, member = sent.moment("due"), _assignee(call, checklist, sent)
    target = checklist
    if (number := sent.id("idChecklist")) is not None and number != checklist.id:
        if number not in card.checklist_ids:
            raise invalid("idChecklist")
        target = call.trello.data.checklists[number]
    if sent.raw("pos") is not None or target is not checklist:
        item.pos = resolve(sent.raw("pos"), (one.pos for one in target.items if one is not item), step=STEP)
    if target is not checklist:
        checklist.items.remove(item)
        target.items.append(item)
    old: dict[str, Any] = {}
    if name is not None and name != item.name:
        old["name"], item.name = item.name, name
    if "due" in sent and due != item.due:
        old["due"], item.due = times.optional(item.due), due
    if "dueReminder" in sent:
        item.due_reminder = None if sent.null("dueReminder") else sent.number("dueReminder", -1, low=-1, high=100_000)
    if "idMember" in sent and member != item.member_id:
        old["idMember"], item.member_id = item.member_id, member
    if old:
        _tell(call, "updateCheckItem", target, item, old=old)
    complete = item.complete if state is None else state in {"complete", "true"}
    if complete != item.complete:
        item.complete = complete
        _tell(call, "updateCheckItemStateOnCard", target, item)
    call.trello.touch()
    return nested.view(call).check_item(target, item)


@table.delete("/cards/{card}/checkItem/{checkItem}", "/cards/{card}/checkItems/{checkItem}")
async def delete_item_of_card(call: Call) -> Json:
    """Delete an item of a card."""
    return _delete_item(call, *_of_card(call, call.card(write=True)))
