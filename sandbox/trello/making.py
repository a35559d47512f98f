"""Makes boards, lists, labels and memberships, with the actions that tell of them."""

from __future__ import annotations

from typing import Any

from sandbox.trello import caps
from sandbox.trello.actions import Happening, record
from sandbox.trello.errors import TrelloError
from sandbox.trello.positions import resolve
from sandbox.trello.state import (
    Board,
    CustomField,
    Label,
    Member,
    Membership,
    Organization,
    Trello,
    TrelloList,
    membership,
)

DEFAULT_LISTS = ("To Do", "Doing", "Done")
DEFAULT_LABELS = ("green", "yellow", "orange", "red", "purple", "blue")


def require_open(board: Board) -> None:
    """Refuse to add to a closed board (wording unsure)."""
    if board.closed:
        raise TrelloError(400, "board is closed")


def require_room_for_board(trello: Trello, organization: Organization | None) -> None:
    """Refuse another open board where a free workspace has as many as it may."""
    if organization is not None and organization.free:
        caps.require(trello, "orgs.freeBoardsPerOrg", caps.open_boards(trello, organization.id))


def make_board(
    trello: Trello, actor: Member, name: str, *, organization: Organization | None = None, source: Board | None = None
) -> Board:
    """An empty board with its maker as admin."""
    require_room_for_board(trello, organization)
    number = trello.new_id()
    board = Board(number, trello.new_short_link(number), name, actor.id, source_id=source.id if source else None)
    board.organization_id = organization.id if organization else None
    board.last_activity = trello.clock.now()
    board.memberships.append(Membership(trello.new_id(), actor.id, "admin"))
    trello.data.boards[board.id] = board
    extra: dict[str, Any] = {}
    if source is not None:
        extra["boardSource"] = {"id": source.id, "name": source.name}
    record(
        trello,
        actor,
        Happening("copyBoard" if source else "createBoard", board=board, organization=organization, data=extra),
    )
    return board


def make_label(
    trello: Trello, actor: Member, board: Board, name: str, color: str | None, *, tell: bool = True
) -> Label:
    """A label, even if there is one like it."""
    caps.require(trello, "labels.perBoard", len(trello.labels_of(board.id)))
    label = Label(trello.new_id(), board.id, name, color)
    trello.data.labels[label.id] = label
    if tell:
        record(trello, actor, Happening("createLabel", board=board, label=label))
    return label


def make_list(trello: Trello, actor: Member, board: Board, name: str, pos: Any, default: str = "top") -> TrelloList:
    """A list; on top, that is to the left, unless a position says otherwise."""
    require_open(board)
    lists = trello.lists_of(board.id)
    caps.require(trello, "lists.openPerBoard", sum(1 for one in lists if not one.closed))
    place = resolve(pos, (one.pos for one in lists), default=default)
    found = TrelloList(trello.new_id(), board.id, name, place)
    trello.data.lists[found.id] = found
    record(trello, actor, Happening("createList", board=board, list=found))
    return found


def copy_fields(trello: Trello, source: Board, board: Board) -> dict[str, str]:
    """Copy the custom fields of a board; the new ids (fields and options) by the old ones."""
    new: dict[str, str] = {}
    for found in trello.fields_of(source.id):
        made = CustomField(trello.new_id(), board.id, found.name, found.type, found.pos, found.card_front)
        for option in found.options:
            made.options.append({**option, "id": trello.new_id()})
            new[option["id"]] = made.options[-1]["id"]
        trello.data.custom_fields[made.id] = made
        new[found.id] = made.id
    return new


def add_member(trello: Trello, actor: Member, board: Board, member: Member, kind: str) -> Membership:
    """Put a member on a board, or change what they are on it."""
    entry = membership(board, member.id)
    if entry is not None:
        if entry.type != kind:
            _require_admin_left(board, entry)
            entry.type = kind
            words = {
                "admin": "makeAdminOfBoard",
                "normal": "makeNormalMemberOfBoard",
                "observer": "makeObserverOfBoard",
            }
            record(trello, actor, Happening(words[kind], board=board, member=member))
        return entry
    caps.require(trello, "boards.totalMembersPerBoard", len(board.memberships))
    organization = trello.data.organizations.get(board.organization_id or "")
    if organization is not None and organization.free:
        known = membership(organization, member.id) is not None or any(
            membership(other, member.id)
            for other in trello.data.boards.values()
            if other.organization_id == organization.id
        )
        if not known:
            caps.require(trello, "orgs.usersPerFreeOrg", caps.collaborators(trello, organization))
    entry = Membership(trello.new_id(), member.id, kind, unconfirmed=not member.confirmed)
    board.memberships.append(entry)
    facts = {"memberType": kind, "deactivated": False}
    record(trello, actor, Happening("addMemberToBoard", board=board, member=member, data=facts))
    return entry


def remove_member(trello: Trello, actor: Member, board: Board, member: Member) -> None:
    """Take a member off a board and off its cards; the last admin stays."""
    entry = membership(board, member.id)
    if entry is None:
        raise TrelloError(400, "membership not found")  # wording unsure
    _require_admin_left(board, entry)
    board.memberships.remove(entry)
    for card in trello.cards_of(board.id):
        if member.id in card.member_ids:
            card.member_ids.remove(member.id)
    record(trello, actor, Happening("removeMemberFromBoard", board=board, member=member))


def _require_admin_left(board: Board, entry: Membership) -> None:
    if entry.type == "admin" and sum(1 for one in board.memberships if one.type == "admin") == 1:
        raise TrelloError(400, "Must have at least one admin")  # wording unsure


def invite(trello: Trello, email: str, full_name: str | None) -> Member:
    """The member with an address, or a new unconfirmed one (a ghost) who would get an e-mail."""
    found = trello.member_by_email(email)
    if found is not None:
        return found
    number = trello.new_id()
    stem = "".join(letter for letter in email.split("@", maxsplit=1)[0].lower() if letter.isalnum()) or "member"
    username = stem if trello.member(stem) is None else f"{stem}{number[-4:]}"
    member = Member(number, username, full_name or email.split("@", maxsplit=1)[0], email, confirmed=False)
    trello.data.members[number] = member
    return member
