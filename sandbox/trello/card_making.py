"""Makes and copies cards, checklists and attachments, with the actions that tell of them."""

from __future__ import annotations

import base64
import mimetypes
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sandbox.trello import caps
from sandbox.trello.actions import Happening, record
from sandbox.trello.errors import TrelloError, invalid
from sandbox.trello.making import make_label, require_open
from sandbox.trello.params import LONGEST, File
from sandbox.trello.positions import STEP, resolve, spread
from sandbox.trello.state import (
    Action,
    Attachment,
    Board,
    Card,
    CheckItem,
    Checklist,
    Label,
    Member,
    Trello,
    TrelloList,
    membership,
)

KEPT = ("attachments", "checklists", "comments", "customFields", "due", "start", "labels", "members", "stickers")
MOST_BYTES = 10 * 1024 * 1024  # of a file in a free workspace
LONGEST_NAME = 256


def place_in(trello: Trello, found: TrelloList, pos: Any, default: str = "bottom", but: str = "") -> float:
    """The position that a word or number means among the cards of a list."""
    cards = [card for card in trello.cards_in(found.id) if card.id != but]
    place = resolve(pos, (card.pos for card in cards), default=default)
    if cards and place < cards[0].pos:
        spread(cards)
        place = resolve(pos, (card.pos for card in cards), default=default)
    return place


def new_card(trello: Trello, actor: Member, found: TrelloList, name: str, pos: Any) -> Card:
    """A card in a list, not yet told of."""
    board = trello.data.boards[found.board_id]
    require_open(board)
    cards = list(trello.cards_of(board.id))
    caps.require(trello, "cards.openPerBoard", sum(1 for card in cards if not card.closed))
    caps.require(trello, "cards.totalPerBoard", len(cards))
    caps.require(trello, "cards.openPerList", sum(1 for card in cards if card.list_id == found.id and not card.closed))
    board.cards_made += 1
    number = trello.new_id()
    card = Card(
        number,
        trello.new_short_link(number),
        board.cards_made,
        board.id,
        found.id,
        name,
        place_in(trello, found, pos),
        trello.clock.now(),
        actor.id,
    )
    trello.data.cards[card.id] = card
    return card


def copy_into(trello: Trello, actor: Member, source: Card, card: Card, kept: set[str]) -> None:
    """Copy parts of a card into a new one, possibly on another board."""
    board = trello.data.boards[card.board_id]
    if "due" in kept:
        card.due, card.due_complete, card.due_reminder = source.due, source.due_complete, source.due_reminder
    if "start" in kept:
        card.start = source.start
    if "members" in kept:
        card.member_ids = [key for key in source.member_ids if membership(board, key)]
    if "labels" in kept:
        card.label_ids = labels_on(trello, actor, board, source.label_ids)
    if "attachments" in kept:
        for attachment in source.attachments:
            made = Attachment(**{**vars(attachment), "id": trello.new_id()})
            card.attachments.append(made)
            if attachment.id == source.cover_attachment:
                card.cover_attachment = made.id
    if "checklists" in kept:
        for checklist in trello.checklists_of(source):
            copy_checklist(trello, checklist, card)
    if "customFields" in kept and source.board_id == card.board_id:
        card.field_values = {key: {**value, "id": trello.new_id()} for key, value in source.field_values.items()}
    if "comments" in kept:
        copy_comments(trello, actor, source, card)


def copy_comments(trello: Trello, actor: Member, source: Card, card: Card) -> None:
    """Copy the comments of a card, in the name of the copier, as the vendor does."""
    found = [a for a in trello.data.actions if a.type in {"commentCard", "copyCommentCard"} and source.id in a.models]
    for action in found:
        data = {"text": action.data["text"], "idOriginalCommenter": action.creator}
        record(trello, actor, Happening("copyCommentCard", card=card, data=data))
        card.comments += 1


def labels_on(trello: Trello, actor: Member, board: Board, label_ids: list[str]) -> list[str]:
    """Labels of the same names and colours on a board; made where there is none."""
    found = []
    for key in label_ids:
        label = trello.data.labels[key]
        if label.board_id != board.id:
            label = _alike(trello, board, label) or make_label(trello, actor, board, label.name, label.color)
        found.append(label.id)
    return found


def _alike(trello: Trello, board: Board, label: Label) -> Label | None:
    labels = trello.labels_of(board.id)
    return next((one for one in labels if (one.name, one.color) == (label.name, label.color)), None)


# -- checklists --------------------------------------------------------------------------------------------------------


def new_checklist(trello: Trello, actor: Member, card: Card, name: str, pos: Any) -> Checklist:
    """An empty checklist on a card."""
    caps.require(trello, "checklists.perCard", len(card.checklist_ids))
    place = resolve(pos, (one.pos for one in trello.checklists_of(card)), step=STEP)
    checklist = Checklist(trello.new_id(), card.board_id, card.id, name, place)
    trello.data.checklists[checklist.id] = checklist
    card.checklist_ids.append(checklist.id)
    record(trello, actor, Happening("addChecklistToCard", card=card, checklist=checklist))
    return checklist


def copy_checklist(trello: Trello, source: Checklist, card: Card) -> Checklist:
    """A copy of a checklist on another card, not told of."""
    checklist = Checklist(trello.new_id(), card.board_id, card.id, source.name, source.pos)
    copy_items(trello, source, checklist)
    trello.data.checklists[checklist.id] = checklist
    card.checklist_ids.append(checklist.id)
    return checklist


def copy_items(trello: Trello, source: Checklist, checklist: Checklist) -> None:
    """Copy all items, ticked ones as ticked."""
    for item in sorted(source.items, key=lambda one: (one.pos, one.id)):
        checklist.items.append(CheckItem(**{**vars(item), "id": trello.new_id()}))


def new_item(trello: Trello, checklist: Checklist, name: str, pos: Any) -> CheckItem:
    """An item at the end of a checklist, or where the position says."""
    caps.require(trello, "checkItems.perChecklist", len(checklist.items))
    item = CheckItem(trello.new_id(), name, resolve(pos, (one.pos for one in checklist.items), step=STEP))
    checklist.items.append(item)
    return item


# -- attachments -------------------------------------------------------------------------------------------------------


def attach(
    trello: Trello,
    actor: Member,
    card: Card,
    *,
    url: str | None = None,
    file: File | None = None,
    name: str | None = None,
    mime_type: str | None = None,
    cover: bool = False,
) -> Attachment:
    """Attach a link or a file."""
    caps.require(trello, "attachments.perCard", len(card.attachments))
    for label, value in (("name", name), ("mimeType", mime_type)):
        if value is not None and len(value) > LONGEST_NAME:
            raise invalid(label)
    pos = resolve("bottom", (one.pos for one in card.attachments), step=STEP)
    now = trello.clock.now()
    if file is not None:
        made = _upload(trello, actor, file, now, pos)
        made.name = name or made.name
        made.mime_type = mime_type or made.mime_type
    else:
        address = url or ""
        if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).netloc:
            raise invalid("url")
        made = Attachment(trello.new_id(), name or address, address, actor.id, now, pos, mime_type or "")
    card.attachments.append(made)
    if cover:
        card.cover_attachment = made.id
    data = {"attachment": {"id": made.id, "name": made.name, "url": made.url}}
    record(trello, actor, Happening("addAttachmentToCard", card=card, data=data))
    return made


def _upload(trello: Trello, actor: Member, file: File, now: datetime, pos: float) -> Attachment:
    if len(file.content) > MOST_BYTES:
        raise TrelloError(413, "Request Entity Too Large")
    kind = file.mime_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    content = base64.b64encode(file.content).decode()
    number = trello.new_id()
    return Attachment(number, file.name, "", actor.id, now, pos, kind, len(file.content), file.name, content)


def comment(trello: Trello, actor: Member, card: Card, text: str) -> Action:
    """A comment on a card."""
    if not 1 <= len(text) <= LONGEST:
        raise invalid("text")
    card.comments += 1
    return record(trello, actor, Happening("commentCard", card=card, data={"text": text}))


def forget_card(trello: Trello, card: Card) -> None:
    """Delete a card with its checklists and what was told of it."""
    for key in card.checklist_ids:
        del trello.data.checklists[key]
    del trello.data.cards[card.id]
    trello.data.actions = [a for a in trello.data.actions if card.id not in a.models or a.type == "deleteCard"]
    trello.touch()
