"""Search over what the caller may see: words, and the operators of the vendor's search box.

A card is found only once the search lag has passed, as the vendor's index trails behind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.trello import access, nested
from sandbox.trello.errors import invalid
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.params import ID, Params
from sandbox.trello.state import Board, Card, Member, Organization, Trello, membership

table = routes()

_TERM = re.compile(r'(-?)(?:(\w+):)?(?:"([^"]*)"|(\S+))')
_MODELS = ("actions", "boards", "cards", "members", "organizations")
_SHARED = "name,url,desc,closed"


@dataclass
class Query:
    """A search as it was understood: words, and operators with their values."""

    words: list[tuple[bool, str]] = field(default_factory=list)
    operators: list[tuple[bool, str, str]] = field(default_factory=list)
    partial: bool = False

    def matches(self, text: str) -> bool:
        """Whether a text has all wanted words and none of the unwanted ones."""
        found = set(re.findall(r"\w+", text.lower()))
        return all(self._has(found, text.lower(), word) != negated for negated, word in self.words)

    def _has(self, found: set[str], text: str, word: str) -> bool:
        parts = re.findall(r"\w+", word)
        if len(parts) > 1:
            return word in text
        if not parts:
            return True
        return any(one.startswith(parts[0]) for one in found) if self.partial else parts[0] in found


def parse(text: str, partial: bool) -> Query:
    """Understand a search. ``@name`` means a member, ``#name`` a label."""
    query = Query(partial=partial)
    for negation, name, quoted, plain in _TERM.findall(text):
        value = (quoted or plain).lower()
        if name:
            query.operators.append((bool(negation), name.lower(), value))
        elif plain.startswith(("@", "#")):
            query.operators.append((bool(negation), "member" if plain[0] == "@" else "label", value[1:]))
        else:
            query.words.append((bool(negation), value))
    return query


def _text_of(trello: Trello, card: Card) -> str:
    comments = [a.data["text"] for a in trello.data.actions if a.type == "commentCard" and card.id in a.models]
    lists = trello.checklists_of(card)
    items = [text for one in lists for text in (one.name, *(item.name for item in one.items))]
    labels = [trello.data.labels[key].name for key in card.label_ids]
    attachments = [one.name for one in card.attachments]
    return "\n".join([card.name, card.desc, *comments, *items, *labels, *attachments])


def _fits(trello: Trello, card: Card, name: str, value: str, me: Member) -> bool:
    data = trello.data
    members = [data.members[key] for key in card.member_ids]
    labels = [data.labels[key] for key in card.label_ids]
    tests: dict[str, Any] = {
        "member": lambda: any(
            value in {m.username, m.full_name.lower()} or (value == "me" and m is me) for m in members
        ),
        "label": lambda: any(value in {label.name.lower(), label.color} for label in labels),
        "board": lambda: value in {card.board_id, data.boards[card.board_id].name.lower()},
        "list": lambda: value == data.lists[card.list_id].name.lower(),
        "name": lambda: value in card.name.lower(),
        "description": lambda: value in card.desc.lower(),
        "comment": lambda: any(
            value in a.data["text"].lower() for a in data.actions if a.type == "commentCard" and card.id in a.models
        ),
        "checklist": lambda: any(value in one.name.lower() for one in trello.checklists_of(card)),
        "is": lambda: {"open": not card.closed, "archived": card.closed, "starred": False}.get(value, False),
        "has": lambda: {
            "attachments": bool(card.attachments),
            "description": bool(card.desc),
            "cover": card.cover_attachment is not None,
            "members": bool(card.member_ids),
        }.get(value, False),
        "due": lambda: _due(trello, card, value),
        "sort": lambda: True,
    }
    return bool(tests.get(name, lambda: False)())


def _due(trello: Trello, card: Card, value: str) -> bool:
    now = trello.clock.now()
    if value in {"complete", "incomplete"}:
        return card.due is not None and card.due_complete == (value == "complete")
    if card.due is None:
        return False
    if value == "overdue":
        return card.due < now and not card.due_complete
    days = {"day": 1, "week": 7, "month": 28}.get(value, int(value) if value.isdigit() else 0)
    return now <= card.due <= now + timedelta(days=days)


def _scope(call: Call) -> list[Board]:
    """The boards that are searched."""
    boards = nested.boards_of(call, call.trello.data.boards.values(), "all")
    me = call.caller()
    named = call.params.items("idBoards")
    if named and named != ["mine"]:
        if any(not ID.fullmatch(one) for one in named):
            raise invalid("idBoards")
        return [board for board in boards if board.id in named]
    if organizations := call.params.items("idOrganizations"):
        boards = [board for board in boards if board.organization_id in organizations]
    return [board for board in boards if membership(board, me.id)]


def _cards(call: Call, query: Query) -> list[Card]:
    boards, me = {board.id for board in _scope(call)}, call.caller()
    only = set(call.params.items("idCards"))
    known = call.trello.clock.now() - timedelta(seconds=call.trello.search_lag_seconds)
    operators = query.operators
    if not any(name == "is" for _, name, _ in operators):
        operators = [*operators, (True, "is", "archived")]
    return [
        card
        for card in sorted(call.trello.data.cards.values(), key=lambda one: one.last_activity, reverse=True)
        if card.board_id in boards
        and (not only or card.id in only)
        and int(card.id[:8], 16) <= known.timestamp()
        and query.matches(_text_of(call.trello, card))
        and all(_fits(call.trello, card, name, value, me) != negated for negated, name, value in operators)
    ]


@table.get("/search")
async def search(call: Call) -> Json:
    """Boards, cards, members and workspaces with the words of a query."""
    sent = call.params
    text = sent.required("query")
    kinds = set(sent.items("modelTypes")) or {"all"}
    if kinds - {*_MODELS, "all"}:
        raise invalid("modelTypes")
    wanted = set(_MODELS) if "all" in kinds else kinds
    query = parse(text, bool(sent.flag("partial", False)))
    body: dict[str, Any] = {
        "options": {
            "terms": [{"text": word, "negated": True} if negated else {"text": word} for negated, word in query.words],
            "modifiers": [{"text": f"{name}:{value}"} for _, name, value in query.operators],
            "modelTypes": sorted(wanted),
            "partial": query.partial,
        }
    }
    if "boards" in wanted:
        body["boards"] = _found_boards(call, query)
    if "cards" in wanted:
        body["cards"] = _found_cards(call, query)
    if "organizations" in wanted:
        body["organizations"] = _found_organizations(call, query)
    if "members" in wanted:
        found = [member for member in _known_members(call) if query.matches(f"{member.full_name} {member.username}")]
        fields = sent.fields("member_fields", "avatarHash,fullName,initials,username,confirmed")
        found = found if query.words else []
        body["members"] = [nested.view(call).member(one, fields) for one in found[: sent.number("members_limit", 10)]]
    if "actions" in wanted and "actions" in kinds:
        body["actions"] = []
    return body


def _found_boards(call: Call, query: Query) -> Json:
    sent = call.params
    found = [one for one in _scope(call) if query.words and query.matches(f"{one.name}\n{one.desc}")]
    fields = sent.fields("board_fields", "name,idOrganization")
    asked = Params({"organization": sent.raw("board_organization")})
    return [nested.board(call, one, asked, fields) for one in found[: sent.number("boards_limit", 10)]]


def _found_cards(call: Call, query: Query) -> Json:
    sent = call.params
    limit, page = sent.number("cards_limit", 10), sent.number("cards_page", 0, high=100)
    found = _cards(call, query)[page * limit : (page + 1) * limit]
    asked = Params({name.removeprefix("card_"): value for name, value in sent.values.items()})
    return [nested.card(call, card, asked) for card in found]


def _found_organizations(call: Call, query: Query) -> Json:
    me = call.caller()
    mine: list[Organization] = [
        one
        for one in call.trello.data.organizations.values()
        if access.in_organization(one, me) and query.words and query.matches(f"{one.display_name} {one.name}")
    ]
    fields = call.params.fields("organization_fields", "name,displayName")
    limit = call.params.number("organizations_limit", 10)
    return [nested.view(call).organization(one, fields) for one in mine[:limit]]


def _known_members(call: Call) -> list[Member]:
    """Those with whom the caller shares a board or a workspace."""
    me = call.caller()
    data = call.trello.data
    shared: list[Board | Organization] = [*data.boards.values(), *data.organizations.values()]
    known = {entry.member_id for model in shared if membership(model, me.id) for entry in model.memberships}
    return [data.members[key] for key in data.members if key in known or key == me.id]


@table.get("/search/members")
async def search_members(call: Call) -> Json:
    """Members whose name begins like the query, or whose whole address it is, of a board or workspace if one is named.

    That a whole address finds its owner, whoever that is, is how public clients use the route; the document is silent.
    """
    sent = call.params
    text = sent.required("query").lower()
    limit = sent.number("limit", 8, low=1, high=20)
    known = _known_members(call)
    found = [one for one in call.trello.data.members.values() if one in known or one.email.lower() == text]
    for name, models in (("idBoard", call.trello.data.boards), ("idOrganization", call.trello.data.organizations)):
        number = sent.id(name)
        if number is not None and (name == "idBoard" or sent.on("onlyOrgMembers")):
            model: Any = models.get(number)
            if model is None:
                raise invalid(name)
            found = [member for member in found if membership(model, member.id)]
    names = [
        m
        for m in found
        if m.email.lower() == text
        or any(w.startswith(text) for w in (m.full_name.lower(), m.username, *m.full_name.lower().split()))
    ]
    return [nested.view(call).member(member) for member in names[:limit]]
