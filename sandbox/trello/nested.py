"""Nested resources: what else an answer carries when the query asks for it (``lists=open``, ``members=true`` ...)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.trello import access, actions
from sandbox.trello.errors import invalid
from sandbox.trello.http import Call
from sandbox.trello.params import ID, Params
from sandbox.trello.state import Board, Card, Membership, Organization, Trello, TrelloList, membership
from sandbox.trello.views import BOARD_FIELDS, NESTED_MEMBER_FIELDS, Body, View

CARD_FILTERS = frozenset({"all", "open", "closed", "visible", "none"})
_MEMBER_FILTERS = {"admins": {"admin"}, "normal": {"normal"}, "owners": {"admin"}, "observers": {"observer"}}


def view(call: Call) -> View:
    """Builds answers for this call."""
    return View(call.trello, call.base_url, call.member)


def prefixed(params: Params, prefix: str) -> Params:
    """The parameters below a prefix: ``card_fields`` as ``fields``."""
    return Params({n.removeprefix(prefix): value for n, value in params.values.items() if n.startswith(prefix)})


# -- cards -----------------------------------------------------------------------------------------------------------


def filtered(trello: Trello, cards: Iterable[Card], params: Params, word: str) -> list[Card]:
    """Cards that fit a filter word and ``since``, ``before`` and ``limit``; the newest ones where there are more."""
    if word not in CARD_FILTERS:
        raise invalid("filter")
    lists = trello.data.lists
    keep: Callable[[Card], bool] = {
        "all": lambda card: True,
        "open": lambda card: not card.closed,
        "closed": lambda card: card.closed,
        "visible": lambda card: not card.closed and not lists[card.list_id].closed,
        "none": lambda card: False,
    }[word]
    found = [card for card in cards if keep(card)]
    since, before = str(params.raw("since") or ""), str(params.raw("before") or "")
    if ID.fullmatch(since):
        found = [card for card in found if card.id > since]
    if ID.fullmatch(before):
        found = [card for card in found if card.id < before]
    limit = params.number("limit", 0)
    if limit:
        found = sorted(found, key=lambda card: card.id)[-limit:]
    return sorted(found, key=lambda card: (lists[card.list_id].pos, card.list_id, card.pos, card.id))


def cards(call: Call, found: Iterable[Card], params: Params, default: str = "visible") -> list[Body]:
    """Cards by the parameters of their own route, or of a nested resource without its prefix."""
    word = params.word("filter", default)
    return [card(call, one, params) for one in filtered(call.trello, found, params, word)]


def card(call: Call, found: Card, params: Params) -> Body:
    """A card and what is asked for beside it."""
    shown = view(call)
    body = shown.card(found, params.fields())
    data = call.trello.data
    if (word := params.word("attachments", "false")) not in {"false", "none"}:
        files = [f for f in found.attachments if word != "cover" or f.id == found.cover_attachment]
        body["attachments"] = [shown.attachment(found, f, params.fields("attachment_fields")) for f in files]
    if params.on("members"):
        body["members"] = shown.members(found.member_ids, params.fields("member_fields", NESTED_MEMBER_FIELDS))
    if params.on("membersVoted"):
        body["membersVoted"] = shown.members(found.voters, params.fields("memberVoted_fields", NESTED_MEMBER_FIELDS))
    if params.on("checkItemStates"):
        body["checkItemStates"] = shown.states(found)
    if params.word("checklists", "none") not in {"none", "false"}:
        body["checklists"] = [
            shown.checklist(
                one,
                params.fields("checklist_fields"),
                params.word("checkItems", "all"),
                params.fields("checkItem_fields"),
            )
            for one in call.trello.checklists_of(found)
        ]
    if params.on("board"):
        body["board"] = shown.board(data.boards[found.board_id], params.fields("board_fields", BOARD_FIELDS))
    if params.on("list"):
        body["list"] = shown.a_list(data.lists[found.list_id], params.fields("list_fields"))
    if params.on("customFieldItems"):
        body["customFieldItems"] = shown.field_items(found)
    for name in ("pluginData", "stickers"):
        if params.on(name):
            body[name] = []
    _add_actions(call, found.id, params, body)
    return body


def _add_actions(call: Call, model_id: str, params: Params, body: Body) -> None:
    word = params.word("actions", "none")
    if word in {"none", "false"}:
        return
    asked = prefixed(params, "actions_")
    asked.values["filter"] = "all" if word == "true" else word
    found = actions.select(call.trello, model_id, asked)
    if params.raw("action_fields"):
        asked.values["fields"] = params.raw("action_fields")
    body["actions"] = [actions.show(view(call), action, asked) for action in found]


# -- lists and boards --------------------------------------------------------------------------------------------------


def lists(call: Call, board: Board, word: str, params: Params) -> list[Body]:
    """The lists of a board that fit a filter, with cards where ``cards`` asks for them."""
    if word not in {"all", "open", "closed", "none"}:
        raise invalid("filter")
    found = call.trello.lists_of(board.id)
    if word in {"open", "closed", "none"}:
        found = [one for one in found if word != "none" and one.closed == (word == "closed")]
    return [a_list(call, one, params) for one in found]


def a_list(call: Call, found: TrelloList, params: Params) -> Body:
    """A list and what is asked for beside it."""
    body = view(call).a_list(found, params.fields())
    word = params.word("cards", "none")
    if word != "none":
        asked = prefixed(params, "card_")
        asked.values["filter"] = word
        body["cards"] = cards(call, call.trello.cards_in(found.id), asked)
    if params.on("board"):
        board = call.trello.data.boards[found.board_id]
        body["board"] = view(call).board(board, params.fields("board_fields", BOARD_FIELDS))
    return body


def memberships(entries: Iterable[Membership], word: str) -> list[Membership]:
    """The memberships that fit a filter word."""
    if word in {"all", "true", "active"}:
        return [entry for entry in entries if word != "active" or not entry.deactivated]
    if word in {"none", "false"}:
        return []
    if word not in {*_MEMBER_FILTERS, "me"}:
        raise invalid("filter")
    return [entry for entry in entries if entry.type in _MEMBER_FILTERS.get(word, set())]


def members(call: Call, model: Board | Organization, word: str, fields: str) -> list[Body]:
    """The members of a board or workspace that fit a filter word."""
    found = memberships(model.memberships, word)
    return view(call).members([entry.member_id for entry in found], fields)


def my_prefs(call: Call, board: Board) -> Body:
    """The caller's own settings of a board."""
    kept = board.my_prefs.get(call.member.id if call.member else "", {})
    return {
        "showSidebar": True,
        "showSidebarMembers": True,
        "showSidebarBoardActions": True,
        "showSidebarActivity": True,
        "emailPosition": "bottom",
        "idEmailList": None,
        **kept,
    }


def board(call: Call, found: Board, params: Params, fields: str = BOARD_FIELDS) -> Body:  # noqa: C901  one line each
    """A board and what is asked for beside it."""
    shown = view(call)
    trello = call.trello
    body = shown.board(found, params.fields("fields", fields))
    _add_actions(call, found.id, params, body)
    if (word := params.word("cards", "none")) != "none":
        asked = prefixed(params, "card_")
        asked.values["filter"] = word
        body["cards"] = cards(call, trello.cards_of(found.id), asked)
    if (word := params.word("lists", "none")) != "none":
        asked = prefixed(params, "list_")
        body["lists"] = lists(call, found, word, asked)
    if (word := params.word("labels", "none")) not in {"none", "false"}:
        limit = params.number("labels_limit", 50)
        chosen = trello.labels_of(found.id)[:limit]
        body["labels"] = [shown.label(one, params.fields("label_fields")) for one in chosen]
    if (word := params.word("members", "none")) not in {"none", "false"}:
        body["members"] = members(call, found, word, params.fields("member_fields", NESTED_MEMBER_FIELDS))
    if (word := params.word("memberships", "none")) not in {"none", "false"}:
        with_member = params.fields("memberships_member_fields", "fullName,username")
        named = with_member if params.on("memberships_member") else None
        body["memberships"] = [shown.membership(entry, named) for entry in memberships(found.memberships, word)]
    if params.word("checklists", "none") not in {"none", "false"}:
        chosen_lists = [one for one in trello.data.checklists.values() if one.board_id == found.id]
        body["checklists"] = [shown.checklist(one, params.fields("checklist_fields")) for one in chosen_lists]
    if params.on("customFields"):
        body["customFields"] = [shown.custom_field(one) for one in trello.fields_of(found.id)]
    if params.on("organization") and found.organization_id:
        organization = trello.data.organizations[found.organization_id]
        body["organization"] = shown.organization(
            organization, params.fields("organization_fields", "name,displayName")
        )
    if params.on("myPrefs"):
        body["myPrefs"] = my_prefs(call, found)
    if params.word("boardStars", "none") == "mine":
        stars = call.member.stars if call.member else []
        body["boardStars"] = [star for star in stars if star["idBoard"] == found.id]
    for name in ("pluginData", "tags"):
        if params.on(name):
            body[name] = []
    return body


def boards_of(call: Call, found: Iterable[Board], word: str) -> list[Board]:
    """Boards that the caller may see and that fit filter words (all, open, closed, members, starred, public ...)."""
    words = {part.strip() for part in word.split(",")}
    me: Any = call.member
    stars = {star["idBoard"] for star in me.stars} if me else set()
    tests: dict[str, Callable[[Board], bool]] = {
        "all": lambda one: True,
        "open": lambda one: not one.closed,
        "closed": lambda one: one.closed,
        "members": lambda one: me is not None and membership(one, me.id) is not None,
        "organization": lambda one: one.prefs.get("permissionLevel") == "org",
        "public": lambda one: one.prefs.get("permissionLevel") == "public",
        "starred": lambda one: one.id in stars,
        "unpinned": lambda one: True,
    }
    seen = [one for one in found if access.may_see(call.trello, one, call.member)]
    return [one for one in seen if any(tests[name](one) for name in words if name in tests)]
