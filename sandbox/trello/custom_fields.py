"""Custom fields of a board, their choices, and the values that cards have in them."""

from __future__ import annotations

from typing import Any

from sandbox.trello import caps, nested, times
from sandbox.trello.actions import Happening, record
from sandbox.trello.boards import color_of
from sandbox.trello.errors import TrelloError, invalid, not_found
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.lists import board_in
from sandbox.trello.making import require_open
from sandbox.trello.params import Params
from sandbox.trello.positions import STEP, resolve
from sandbox.trello.state import Card, CustomField

table = routes()

TYPES = frozenset({"checkbox", "date", "list", "number", "text"})
_KEYS = {"checkbox": "checked", "date": "date", "number": "number", "text": "text"}
_OPTION_COLORS = frozenset(
    {"none", "green", "yellow", "orange", "red", "purple", "blue", "sky", "lime", "pink", "black"}
)


@table.post("/customFields")
async def create_field(call: Call) -> Json:
    """Add a field to a board."""
    sent = call.params
    actor = call.writer()
    board = board_in(call, "idModel")
    if sent.word("modelType", "board") != "board":
        raise invalid("modelType")
    name, kind = sent.required("name"), sent.one_of("type", TYPES)
    if kind is None:
        raise invalid("type")
    require_open(board)
    fields = call.trello.fields_of(board.id)
    caps.require(call.trello, "customFields.perBoard", len(fields))
    options = sent.raw("options") if kind == "list" and isinstance(sent.raw("options"), list) else []
    front = sent.flag("display_cardFront", None)
    front = sent.flag("display/cardFront", True) if front is None else front
    pos = resolve(sent.raw("pos"), (one.pos for one in fields), step=STEP)
    made = CustomField(call.trello.new_id(), board.id, name, kind, pos, bool(front))
    for option in options:
        # py-trello's users send plain words, the vendor's document sends objects.
        described = option if isinstance(option, dict) else {"value": {"text": str(option)}}
        _add_option(call, made, Params(described))
    call.trello.data.custom_fields[made.id] = made
    data = {"customField": {"id": made.id, "name": made.name, "type": made.type}}
    record(call.trello, actor, Happening("createCustomField", board=board, data=data))
    return nested.view(call).custom_field(made)


def _add_option(call: Call, found: CustomField, sent: Params) -> dict[str, Any]:
    caps.require(call.trello, "customFieldOptions.perField", len(found.options))
    value = sent.object("value")
    text = sent.raw("value") if value is None else value.get("text")
    if not isinstance(text, str) or not text:
        raise invalid("value")
    color = "none" if sent.null("color") else str(sent.raw("color"))
    if color not in _OPTION_COLORS:
        color = color_of(sent) or "none"
    pos = resolve(sent.raw("pos"), (one["pos"] for one in found.options), step=STEP)
    made = {"id": call.trello.new_id(), "text": text, "color": color, "pos": pos}
    found.options.append(made)
    found.options.sort(key=lambda one: float(one["pos"]))
    return made


@table.get("/customFields/{customField}")
async def get_field(call: Call) -> Json:
    """The definition of a field."""
    return nested.view(call).custom_field(call.custom_field())


@table.put("/customFields/{customField}")
async def update_field(call: Call) -> Json:
    """Change the name, the position or where a field is shown."""
    found, sent = call.custom_field(write=True), call.params
    name = sent.required("name") if "name" in sent else None
    front = sent.flag("display/cardFront", sent.flag("display_cardFront"))
    if isinstance(sent.raw("display"), dict):
        front = Params(sent.raw("display")).flag("cardFront", front)
    if sent.raw("pos") is not None:
        others = (one.pos for one in call.trello.fields_of(found.board_id) if one is not found)
        found.pos = resolve(sent.raw("pos"), others, step=STEP)
    found.card_front = found.card_front if front is None else front
    if name is not None and name != found.name:
        data = {"old": {"name": found.name}, "customField": {"id": found.id, "name": name, "type": found.type}}
        found.name = name
        board = call.trello.data.boards[found.board_id]
        record(call.trello, call.writer(), Happening("updateCustomField", board=board, data=data))
    call.trello.touch()
    return nested.view(call).custom_field(found)


@table.delete("/customFields/{customField}")
async def delete_field(call: Call) -> Json:
    """Delete a field with all its values."""
    found = call.custom_field(write=True)
    for card in call.trello.cards_of(found.board_id):
        card.field_values.pop(found.id, None)
    del call.trello.data.custom_fields[found.id]
    board = call.trello.data.boards[found.board_id]
    data = {"customField": {"id": found.id, "name": found.name, "type": found.type}}
    record(call.trello, call.writer(), Happening("deleteCustomField", board=board, data=data))
    return {}


# -- choices -----------------------------------------------------------------------------------------------------------


def _option(call: Call, found: CustomField) -> dict[str, Any]:
    option = next((one for one in found.options if one["id"] == call.path["option"].lower()), None)
    if option is None:
        raise not_found()
    return option


@table.get("/customFields/{customField}/options")
async def get_options(call: Call) -> Json:
    """The choices of a drop-down field."""
    found = call.custom_field()
    return [nested.view(call).option(found, option) for option in found.options]


@table.post("/customFields/{customField}/options")
async def create_option(call: Call) -> Json:
    """Add a choice to a drop-down field."""
    found = call.custom_field(write=True)
    if found.type != "list":
        raise TrelloError(400, "custom field is not a list")  # wording unsure
    made = _add_option(call, found, call.params)
    call.trello.touch()
    return nested.view(call).option(found, made)


@table.get("/customFields/{customField}/options/{option}")
async def get_option(call: Call) -> Json:
    """One choice of a drop-down field."""
    found = call.custom_field()
    return nested.view(call).option(found, _option(call, found))


@table.delete("/customFields/{customField}/options/{option}")
async def delete_option(call: Call) -> Json:
    """Delete a choice; cards that had it have none."""
    found = call.custom_field(write=True)
    option = _option(call, found)
    found.options.remove(option)
    for card in call.trello.cards_of(found.board_id):
        if card.field_values.get(found.id, {}).get("idValue") == option["id"]:
            del card.field_values[found.id]
    call.trello.touch()
    return {}


# -- values of cards ---------------------------------------------------------------------------------------------------


@table.get("/cards/{card}/customFieldItems")
async def get_items(call: Call) -> Json:
    """The values of a card."""
    return nested.view(call).field_items(call.card())


@table.put("/cards/{card}/customField/{customField}/item", "/cards/{card}/customFields/{customField}/item")
async def put_item(call: Call) -> Json:
    """Set or clear one value of a card."""
    card, found = call.card(write=True), call.custom_field()
    return _set(call, card, found, call.params)


@table.put("/cards/{card}/customFields")
async def put_items(call: Call) -> Json:
    """Set or clear several values of a card; all or none."""
    card = call.card(write=True)
    items = call.params.raw("customFieldItems")
    if not isinstance(items, list):
        raise invalid("customFieldItems")
    chosen: list[tuple[CustomField, Params]] = []
    for item in items:
        found = call.trello.data.custom_fields.get(str(item.get("idCustomField"))) if isinstance(item, dict) else None
        if found is None:
            raise invalid("idCustomField")
        _value(found, Params(item))
        chosen.append((found, Params(item)))
    return [_set(call, card, found, sent) for found, sent in chosen]


def _set(call: Call, card: Card, found: CustomField, sent: Params) -> Json:
    if found.board_id != card.board_id:
        raise invalid("idCustomField")
    require_open(call.trello.data.boards[card.board_id])
    kept = card.field_values.get(found.id)
    new = _value(found, sent)
    number = kept["id"] if kept else call.trello.new_id()
    old = {key: value for key, value in (kept or {}).items() if key != "id"}
    if new is None:
        card.field_values.pop(found.id, None)
    else:
        card.field_values[found.id] = {"id": number, **new}
    item = {
        "id": number,
        **(new or {"value": None}),
        "idCustomField": found.id,
        "idModel": card.id,
        "modelType": "card",
    }
    data = {
        "old": old,
        "customField": {"id": found.id, "name": found.name, "type": found.type},
        "customFieldItem": item,
    }
    record(call.trello, call.writer(), Happening("updateCustomFieldItem", card=card, data=data))
    if new is None:
        return {"id": number, "idCustomField": found.id, "idModel": card.id, "modelType": "card"}
    return nested.view(call).field_item(card, found.id)


def _value(found: CustomField, sent: Params) -> dict[str, Any] | None:
    """The value that a request sets, checked against the type of the field; none to clear it."""
    value = sent.object("value")
    if found.type == "list":
        if sent.null("idValue"):
            return None
        if all(option["id"] != sent.raw("idValue") for option in found.options):
            raise invalid("idValue")
        return {"idValue": sent.raw("idValue")}
    if value == {} or (value is None and sent.null("value")):
        return None
    key = _KEYS[found.type]
    if value is None or key not in value:
        raise TrelloError(400, "Invalid custom field item value.")  # wording unsure
    return {"value": {key: _checked(key, Params(value))}}


def _checked(key: str, sent: Params) -> str:
    """A value as the vendor keeps it: always as text."""
    if key == "checked":
        return "true" if sent.flag(key) else "false"
    if key == "date":
        moment = sent.moment(key)
        if moment is None:
            raise invalid("value")
        return times.text(moment)
    text = sent.text(key)
    if text is None:
        raise invalid("value")
    if key == "number":
        try:
            float(text)
        except ValueError:
            raise invalid("value") from None
    return text
