"""Single actions, and what they are about."""

from __future__ import annotations

from typing import Any, TypeVar

from sandbox.trello import actions, nested
from sandbox.trello.boards import field_value
from sandbox.trello.card_parts import change_comment, drop_comment
from sandbox.trello.errors import not_found
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.views import BOARD_FIELDS, MEMBER_FIELDS

table = routes()

Model = TypeVar("Model")


@table.get("/actions/{action}")
async def get_action(call: Call) -> Json:
    """One action."""
    return actions.show(nested.view(call), call.action(), call.params)


@table.put("/actions/{action}")
async def update_action(call: Call) -> Json:
    """Replace the text of a comment."""
    return change_comment(call)


@table.put("/actions/{action}/text")
async def put_text(call: Call) -> Json:
    """Replace the text of a comment by ``value``."""
    return change_comment(call, "value")


@table.delete("/actions/{action}")
async def delete_action(call: Call) -> Json:
    """Delete a comment."""
    return drop_comment(call)


def _model(call: Call, kept: dict[str, Model], name: str) -> Model:
    """The model that an action tells of; 404 if it tells of none, or of one that is gone."""
    told: dict[str, Any] = call.action().data.get(name, {})
    found = kept.get(str(told.get("id")))
    if found is None:
        raise not_found()
    return found


@table.get("/actions/{action}/board")
async def get_board(call: Call) -> Json:
    """The board of an action."""
    board = _model(call, call.trello.data.boards, "board")
    return nested.view(call).board(board, call.params.fields("fields", BOARD_FIELDS))


@table.get("/actions/{action}/card")
async def get_card(call: Call) -> Json:
    """The card of an action."""
    return nested.view(call).card(_model(call, call.trello.data.cards, "card"), call.params.fields())


@table.get("/actions/{action}/list")
async def get_list(call: Call) -> Json:
    """The list of an action."""
    return nested.view(call).a_list(_model(call, call.trello.data.lists, "list"), call.params.fields())


@table.get("/actions/{action}/organization")
async def get_organization(call: Call) -> Json:
    """The workspace of an action."""
    found = _model(call, call.trello.data.organizations, "organization")
    return nested.view(call).organization(found, call.params.fields())


@table.get("/actions/{action}/memberCreator")
async def get_creator(call: Call) -> Json:
    """Who did it."""
    creator = call.trello.data.members[call.action().creator]
    return nested.view(call).member(creator, call.params.fields("fields", MEMBER_FIELDS))


@table.get("/actions/{action}/member")
async def get_member(call: Call) -> Json:
    """To whom it was done."""
    number = call.action().member_id
    if number is None:
        raise not_found()
    member = call.trello.data.members[number]
    return nested.view(call).member(member, call.params.fields("fields", MEMBER_FIELDS))


@table.get("/actions/{action}/reactions", "/actions/{action}/reactionsSummary")
async def get_reactions(call: Call) -> Json:
    """Reactions are not part of the sandbox: there are none."""
    call.action()
    return []


@table.get("/actions/{action}/{field}")
async def get_action_field(call: Call) -> Json:
    """One field of an action."""
    name = call.path["field"]
    return field_value(actions.show(nested.view(call), call.action(), None), name)
