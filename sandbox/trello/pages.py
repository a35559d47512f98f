"""Pages for people: boards, a board with its lists, a card. Plain HTML without scripts; every value is escaped.

The pages are open to whoever reaches the sandbox and only read; the API is where people log in and change things.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox.jira.pages import environment, page_headers
from sandbox.trello.actions import fits
from sandbox.trello.state import Action, Board, Card, Checklist, Trello

Shown = dict[str, Any]

MOST_BOARDS = 8
# Text is Markdown, in which HTML stays text and links lead to the web only.
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_SHADES = {
    "green": "#4bce97",
    "yellow": "#e2b203",
    "orange": "#faa53d",
    "red": "#f87168",
    "purple": "#9f8fef",
    "blue": "#579dff",
    "sky": "#6cc3e0",
    "lime": "#94c748",
    "pink": "#e774bb",
    "black": "#8590a2",
}


def respond(trello: Trello, request: Request) -> Response | None:
    """The page that a request is for; none if it is for no page of Trello's."""
    parts = request.scope["path"].strip("/").split("/")
    if request.method not in {"GET", "HEAD"} or parts[0] not in {"b", "c"} or len(parts) > 3:
        return None
    if parts == ["b"]:
        return _index(trello, request)
    if len(parts) == 1:
        return None
    if parts[0] == "b":
        board = trello.board(parts[1])
        return _board(trello, board) if board else _missing(trello, "board", parts[1])
    card = trello.card(parts[1])
    return _card(trello, card) if card else _missing(trello, "card", parts[1])


def _page(trello: Trello, template: str, status: int = 200, **values: Any) -> Response:
    boards = [board for board in trello.data.boards.values() if not board.closed][-MOST_BOARDS:]
    html = environment.get_template(template).render(
        {
            "boards": [{"id": board.id, "link": board.short_link, "name": board.name} for board in boards],
            "here": None,
            "now": _moment(trello.clock.now()),
            **values,
        }
    )
    return HTMLResponse(html, status_code=status, headers=page_headers)


def _missing(trello: Trello, what: str, text: str) -> Response:
    return _page(trello, "trello_message.html", 404, title=f"No such {what}", text=f"There is no {what} {text} here.")


def _moment(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%d %H:%M") if value else None


def _markup(text: str) -> Markup:
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:  # below the headings of the page
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Markup(html)  # noqa: S704  the renderer escapes every value itself


def _labels(trello: Trello, card: Card) -> list[Shown]:
    labels = [trello.data.labels[key] for key in card.label_ids]
    return [
        {"name": one.name, "color": one.color, "shade": _SHADES.get((one.color or "").split("_")[0], "#8590a2")}
        for one in labels
    ]


def _members(trello: Trello, card: Card) -> list[str]:
    return [trello.data.members[key].full_name for key in card.member_ids]


def _level(board: Board) -> str:
    words = {"private": "its members", "org": "its workspace", "public": "everybody"}
    return words[board.prefs.get("permissionLevel", "private")]


# -- boards ------------------------------------------------------------------------------------------------------------


def _index(trello: Trello, request: Request) -> Response:
    data, now = trello.data, trello.clock.now()
    rows = []
    for board in data.boards.values():
        workspace = data.organizations.get(board.organization_id or "")
        cards = sum(1 for card in trello.cards_of(board.id) if not card.closed)
        rows.append(
            {
                "link": board.short_link,
                "name": board.name,
                "closed": board.closed,
                "workspace": workspace.display_name if workspace else None,
                "level": _level(board),
                "cards": cards,
            }
        )
    tokens = [
        {
            "value": token.value,
            "member": data.members[token.member_id].full_name,
            "may": "nothing any more: it has expired"
            if token.expires and token.expires <= now
            else "read and write"
            if "write" in token.scopes
            else "read",
        }
        for token in data.tokens.values()
    ]
    base = f"{request.base_url.scheme}://{request.base_url.netloc}"
    return _page(trello, "trello_index.html", rows=rows, tokens=tokens, key=data.key, secret=data.secret, base=base)


def _short(trello: Trello, card: Card) -> Shown:
    items = [item for one in trello.checklists_of(card) for item in one.items]
    days = [moment.strftime("%Y-%m-%d") for moment in (card.start, card.due) if moment]
    return {
        "link": card.short_link,
        "name": card.name,
        "labels": _labels(trello, card),
        "dates": " to ".join(days),
        "complete": card.due_complete,
        "lines": len(items),
        "checked": sum(1 for item in items if item.complete),
        "comments": card.comments,
        "attachments": len(card.attachments),
        "members": _members(trello, card),
    }


def _board(trello: Trello, board: Board) -> Response:
    data = trello.data
    lists, archived = [], []
    for found in trello.lists_of(board.id):
        cards = trello.cards_in(found.id)
        archived += [_short(trello, card) for card in cards if card.closed or found.closed]
        if not found.closed:
            lists.append({"name": found.name, "cards": [_short(trello, card) for card in cards if not card.closed]})
    workspace = data.organizations.get(board.organization_id or "")
    members = [
        {
            "name": data.members[entry.member_id].full_name,
            "username": data.members[entry.member_id].username,
            "type": entry.type,
            "unconfirmed": entry.unconfirmed,
        }
        for entry in board.memberships
    ]
    return _page(
        trello,
        "trello_board.html",
        board=board,
        here=board.id,
        desc=_markup(board.desc) if board.desc else None,
        workspace=workspace.display_name if workspace else None,
        level=_level(board),
        lists=lists,
        archived=archived,
        total=sum(len(one["cards"]) for one in lists),
        members=members,
    )


# -- a card ------------------------------------------------------------------------------------------------------------


def _checklist(trello: Trello, checklist: Checklist) -> Shown:
    lines = []
    for item in sorted(checklist.items, key=lambda one: (one.pos, one.id)):
        member = trello.data.members.get(item.member_id or "")
        facts = [member.full_name] if member else []
        facts += [item.due.strftime("%Y-%m-%d")] if item.due else []
        lines.append({"name": item.name, "complete": item.complete, "facts": ", ".join(facts)})
    return {"name": checklist.name, "lines": lines, "checked": sum(1 for line in lines if line["complete"])}


def _attachments(card: Card) -> list[Shown]:
    found = []
    for one in card.attachments:
        safe = urlsplit(one.url).scheme in {"http", "https"}
        kind = f"{one.size} bytes" if one.content is not None else urlsplit(one.url).netloc
        found.append({"name": one.name, "href": one.url if safe else None, "kind": kind})
    return found


def _fields(trello: Trello, card: Card) -> list[tuple[str, str]]:
    found = []
    for field in trello.fields_of(card.board_id):
        kept = card.field_values.get(field.id)
        if kept is not None:
            options = {option["id"]: option["text"] for option in field.options}
            text = options.get(kept["idValue"], "") if "idValue" in kept else next(iter(kept["value"].values()))
            found.append((field.name, str(text)))
    return found


def _card(trello: Trello, card: Card) -> Response:
    data = trello.data
    board = data.boards[card.board_id]
    told = [action for action in data.actions if card.id in action.models]
    comments = [
        {
            "author": data.members[action.creator].full_name,
            "at": _moment(action.at),
            "html": _markup(action.data["text"]),
        }
        for action in told
        if action.type in {"commentCard", "copyCommentCard"}
    ]
    history = [
        {"at": _moment(action.at), "who": data.members[action.creator].full_name, "what": _what(action)}
        for action in reversed(told)
        if action.type not in {"commentCard", "copyCommentCard"}
    ]
    return _page(
        trello,
        "trello_card.html",
        board={"link": board.short_link, "name": board.name},
        here=board.id,
        card=card,
        closed=card.closed,
        list=data.lists[card.list_id].name,
        desc=_markup(card.desc) if card.desc else None,
        checklists=[_checklist(trello, one) for one in trello.checklists_of(card)],
        attachments=_attachments(card),
        comments=comments,
        history=history,
        members=_members(trello, card),
        labels=_labels(trello, card),
        start=_moment(card.start),
        due=_moment(card.due),
        complete=card.due_complete,
        fields=_fields(trello, card),
        number=card.number,
        changed=_moment(card.last_activity),
    )


def _what(action: Action) -> str:
    """An action in words."""
    data = action.data
    if fits(action, "updateCard:idList"):
        return f"moved from {data['listBefore']['name']} to {data['listAfter']['name']}"
    if action.type == "updateCard":
        names = {"closed": "archived or sent back", "desc": "description changed", "pos": "moved within the list"}
        changed = next(iter(data.get("old", {})), "card")
        return names.get(changed, f"{changed} changed from {data['old'][changed]} to {data['card'].get(changed)}")
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in action.type)
    about = data.get("member") or data.get("checkItem") or data.get("attachment") or data.get("checklist")
    return f"{words}: {about['name']}" if about else words
