"""What hangs on a card: comments, members, labels, votes and attachments."""

from __future__ import annotations

import base64

from starlette.responses import Response

from sandbox.trello import access, actions, nested
from sandbox.trello.actions import Happening, record
from sandbox.trello.boards import color_of
from sandbox.trello.card_editing import (
    add_label,
    add_member,
    remove_label,
    remove_member,
    require_labels,
    require_members,
)
from sandbox.trello.card_making import attach, comment, copy_comments
from sandbox.trello.errors import (
    OFF_CARD_LABEL,
    OFF_CARD_MEMBER,
    ON_CARD_LABEL,
    ON_CARD_MEMBER,
    TrelloError,
    invalid,
    not_found,
    unauthorized,
)
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.making import make_label, require_open
from sandbox.trello.params import LONGEST
from sandbox.trello.state import Action, Attachment, Board, Card
from sandbox.trello.views import MEMBER_FIELDS

table = routes()


def _board(call: Call, card: Card) -> Board:
    return call.trello.data.boards[card.board_id]


def _open_card(call: Call) -> Card:
    """The card of the path, on a board that is open and that the caller may change."""
    card = call.card(write=True)
    require_open(_board(call, card))
    return card


# -- comments ----------------------------------------------------------------------------------------------------------


def _card_to_comment(call: Call) -> Card:
    """The card of the path, on a board whose settings let the caller comment (the refusal's wording is unsure)."""
    card, member = call.card(), call.writer()
    board = _board(call, card)
    require_open(board)
    if not access.may_comment(call.trello, board, member):
        raise unauthorized("card")
    return card


@table.post("/cards/{card}/actions/comments")
async def add_comment(call: Call) -> Json:
    """Comment on a card."""
    card = _card_to_comment(call)
    text = call.params.text("text")
    if text is None:
        raise invalid("text")
    found = comment(call.trello, call.writer(), card, text)
    return actions.show(nested.view(call), found) | {
        "display": actions.display(found, call.writer()),
        "entities": list(actions.display(found, call.writer())["entities"].values()),
    }


@table.post("/cards/{card}/copyComments")
async def copy_all_comments(call: Call) -> Json:
    """Copy the comments of another card."""
    card, number = _open_card(call), call.params.id("idCardSource")
    source = call.trello.data.cards.get(number or "")
    if source is None:
        raise invalid("idCardSource")
    call.open_board(_board(call, source), "card")
    copy_comments(call.trello, call.writer(), source, card)
    return {}


def own_comment(call: Call, *, delete: bool = False) -> Action:
    """The comment of the path; others' comments are for admins to delete and for nobody to change."""
    action = call.action()
    member = call.writer()
    if action.type not in {"commentCard", "copyCommentCard"}:
        raise TrelloError(400, "only comments can be changed")  # wording unsure
    board = call.trello.data.boards[action.data["board"]["id"]]
    if action.creator != member.id:
        call.open_board(board, "action", admin=True)
        if not delete:
            raise TrelloError(401, "unauthorized action permission requested")
    return action


def change_comment(call: Call, name: str = "text") -> Json:
    """Replace the text of a comment."""
    action = own_comment(call)
    text = call.params.text(name, most=LONGEST, least=1)
    if text is None:
        raise invalid(name)
    old = action.data["text"]
    action.data = {**action.data, "text": text}
    action.edited = call.trello.clock.now()
    card = call.trello.data.cards[action.data["card"]["id"]]
    data = {"old": {"text": old}, "action": {"id": action.id, "type": action.type, "text": text}}
    record(call.trello, call.writer(), Happening("updateComment", card=card, data=data))
    return actions.show(nested.view(call), action)


def drop_comment(call: Call) -> Json:
    """Delete a comment."""
    action = own_comment(call, delete=True)
    card = call.trello.data.cards[action.data["card"]["id"]]
    call.trello.data.actions.remove(action)
    card.comments -= 1
    record(call.trello, call.writer(), Happening("deleteComment", card=card, data={"action": {"id": action.id}}))
    return {"_value": None}


@table.put("/cards/{card}/actions/{action}/comments")
async def update_comment(call: Call) -> Json:
    """Replace the text of a comment."""
    call.card(write=True)
    return change_comment(call)


@table.delete("/cards/{card}/actions/{action}/comments")
async def delete_comment(call: Call) -> Json:
    """Delete a comment."""
    call.card(write=True)
    return drop_comment(call)


# -- members and votes -------------------------------------------------------------------------------------------------


@table.get("/cards/{card}/members")
async def get_members(call: Call) -> Json:
    """The members on a card."""
    return nested.view(call).members(call.card().member_ids, call.params.fields("fields", MEMBER_FIELDS))


@table.post("/cards/{card}/idMembers", "/cards/{card}/members")
async def post_member(call: Call) -> Json:
    """Put a member of the board on a card; the answer is all members on it."""
    card, number = _open_card(call), call.params.id("value")
    if number is None:
        raise invalid("value")
    if number in card.member_ids:
        raise TrelloError(400, ON_CARD_MEMBER)
    require_members(_board(call, card), [number], "value")
    add_member(call.trello, call.writer(), card, number)
    return nested.view(call).members(card.member_ids)


@table.delete("/cards/{card}/idMembers/{member}", "/cards/{card}/members/{member}")
async def delete_member(call: Call) -> Json:
    """Take a member off a card; the answer is all members that are left on it."""
    card, member = _open_card(call), call.any_member()
    if member.id not in card.member_ids:
        raise TrelloError(400, OFF_CARD_MEMBER)
    remove_member(call.trello, call.writer(), card, member.id)
    return nested.view(call).members(card.member_ids)


@table.get("/cards/{card}/membersVoted")
async def get_voters(call: Call) -> Json:
    """Who has voted for a card."""
    return nested.view(call).members(call.card().voters, call.params.fields("fields", MEMBER_FIELDS))


@table.post("/cards/{card}/membersVoted")
async def vote(call: Call) -> Json:
    """Vote for a card, on a board that has voting."""
    card, number = _open_card(call), call.params.id("value")
    if number != call.writer().id:
        raise invalid("value")
    if _board(call, card).prefs.get("voting", "disabled") == "disabled":
        raise TrelloError(403, "voting is disabled")  # wording unsure
    if number in card.voters:
        raise TrelloError(400, "member has already voted on the card")  # wording unsure
    card.voters.append(call.writer().id)
    record(call.trello, call.writer(), Happening("voteOnCard", card=card, data={"voted": True}))
    return nested.view(call).members(card.voters)


@table.delete("/cards/{card}/membersVoted/{member}")
async def unvote(call: Call) -> Json:
    """Take a vote back."""
    card, member = _open_card(call), call.any_member()
    if member.id not in card.voters:
        raise TrelloError(400, "member has not voted on the card")  # wording unsure
    card.voters.remove(member.id)
    record(call.trello, call.writer(), Happening("voteOnCard", card=card, data={"voted": False}))
    return nested.view(call).members(card.voters)


# -- labels ------------------------------------------------------------------------------------------------------------


@table.post("/cards/{card}/idLabels")
async def post_label(call: Call) -> Json:
    """Put a label of the board on a card; the answer is the ids of all labels on it."""
    card, number = _open_card(call), call.params.id("value")
    if number is None:
        raise invalid("value")
    if number in card.label_ids:
        raise TrelloError(400, ON_CARD_LABEL)
    require_labels(call.trello, _board(call, card), [number], "value")
    add_label(call.trello, call.writer(), card, number)
    return list(card.label_ids)


@table.delete("/cards/{card}/idLabels/{label}")
async def delete_label(call: Call) -> Json:
    """Take a label off a card."""
    card, label = _open_card(call), call.label()
    if label.id not in card.label_ids:
        raise TrelloError(400, OFF_CARD_LABEL)
    remove_label(call.trello, call.writer(), card, label.id)
    return {"_value": None}


@table.post("/cards/{card}/labels")
async def create_label(call: Call) -> Json:
    """Make a label on the board of a card and put it on the card."""
    card = _open_card(call)
    name, color = call.params.text("name") or "", color_of(call.params)
    label = make_label(call.trello, call.writer(), _board(call, card), name, color)
    add_label(call.trello, call.writer(), card, label.id)
    return nested.view(call).label(label)


# -- attachments -------------------------------------------------------------------------------------------------------


def _attachment(call: Call, card: Card) -> Attachment:
    found = next((one for one in card.attachments if one.id == call.path["attachment"].lower()), None)
    if found is None:
        raise not_found()
    return found


@table.get("/cards/{card}/attachments")
async def get_attachments(call: Call) -> Json:
    """Links and files of a card; ``filter=cover`` gives the one that is its cover."""
    card, view = call.card(), nested.view(call)
    cover_only = call.params.word("filter") == "cover"
    found = [one for one in card.attachments if not cover_only or one.id == card.cover_attachment]
    return [view.attachment(card, one, call.params.fields()) for one in found]


@table.post("/cards/{card}/attachments")
async def add_attachment(call: Call) -> Json:
    """Attach a link, or a file sent as a form."""
    card, sent = _open_card(call), call.params
    file = sent.files.get("file")
    url = sent.text("url") or None
    if (file is None) == (url is None):
        raise invalid("url")
    made = attach(
        call.trello,
        call.writer(),
        card,
        url=url,
        file=file,
        name=sent.text("name") or None,
        mime_type=sent.text("mimeType") or None,
        cover=bool(sent.flag("setCover", False)),
    )
    return nested.view(call).attachment(card, made)


@table.get("/cards/{card}/attachments/{attachment}")
async def get_attachment(call: Call) -> Json:
    """One link or file."""
    card = call.card()
    return nested.view(call).attachment(card, _attachment(call, card), call.params.fields())


@table.get("/cards/{card}/attachments/{attachment}/download/{field}")
async def download(call: Call) -> Json:
    """The content of a file."""
    found = _attachment(call, call.card())
    if found.content is None:
        raise not_found()
    headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(base64.b64decode(found.content), media_type=found.mime_type, headers=headers)


@table.delete("/cards/{card}/attachments/{attachment}")
async def delete_attachment(call: Call) -> Json:
    """Take a link or file off a card."""
    card = _open_card(call)
    found = _attachment(call, card)
    card.attachments.remove(found)
    if card.cover_attachment == found.id:
        card.cover_attachment = None
    data = {"attachment": {"id": found.id, "name": found.name}}
    record(call.trello, call.writer(), Happening("deleteAttachmentFromCard", card=card, data=data))
    return {"limits": {}}
