"""The vendor's limits on how much a board, card or list may hold: as data (``fields=limits``) and as refusals.

The figures are the vendor's where its page on limits shows them (open and all cards of a board, attachments, labels,
lists) and unsure otherwise; the vendor says that they may vary. ``/sandbox/trello-limits`` sets others.
"""

from __future__ import annotations

from typing import Any

from sandbox.trello.errors import too_many
from sandbox.trello.state import Board, Card, Checklist, Member, Organization, Trello

CAPS = {
    "attachments.perBoard": 36_000,
    "attachments.perCard": 1_000,
    "boards.totalAccessRequestsPerBoard": 4_000,
    "boards.totalMembersPerBoard": 1_600,
    "boards.totalPerMember": 5_000,
    "cards.openPerBoard": 5_000,
    "cards.openPerList": 5_000,
    "cards.totalPerBoard": 2_000_000,
    "cards.totalPerList": 1_000_000,
    "checkItems.perChecklist": 200,
    "checklists.perBoard": 2_000_000,
    "checklists.perCard": 500,
    "customFieldOptions.perField": 50,
    "customFields.perBoard": 50,
    "labels.perBoard": 1_000,
    "lists.openPerBoard": 500,
    "lists.totalPerBoard": 3_000,
    "orgs.freeBoardsPerOrg": 10,
    "orgs.totalMembersPerOrg": 4_000,
    "orgs.totalPerMember": 850,
    "orgs.usersPerFreeOrg": 10,
    "reactions.perAction": 900,
    "reactions.uniquePerAction": 17,
    "stickers.perCard": 70,
}
_NEAR = 0.9  # the vendor warns at this part of a limit


def cap(trello: Trello, name: str) -> int:
    """The figure of a limit."""
    return trello.data.caps.get(name, CAPS[name])


def shown(trello: Trello, counts: dict[str, int | None]) -> dict[str, Any]:
    """The limits object of a model, from what it holds; the vendor tells the count only where there is little left."""
    found: dict[str, Any] = {}
    for name, count in counts.items():
        group, limit = name.split(".")
        most = cap(trello, name)
        near = int(most * _NEAR)
        held = count or 0
        status = "maxExceeded" if held > most else "disabled" if held == most else "warning" if held >= near else "ok"
        entry: dict[str, Any] = {"status": status, "disableAt": most, "warnAt": near}
        if status != "ok":
            entry["count"] = held
        found.setdefault(group, {})[limit] = entry
    return found


def require(trello: Trello, name: str, held: int, adding: int = 1) -> None:
    """Refuse what would go over a limit."""
    if held + adding > cap(trello, name):
        raise too_many(name.replace(".", "_").upper())


def board_limits(trello: Trello, board: Board) -> dict[str, Any]:
    """The limits of a board."""
    cards = list(trello.cards_of(board.id))
    lists = trello.lists_of(board.id)
    open_lists = {one.id for one in lists if not one.closed}
    opened = [card for card in cards if not card.closed and card.list_id in open_lists]
    per_list: dict[str, int] = {}
    for card in opened:
        per_list[card.list_id] = per_list.get(card.list_id, 0) + 1
    counts: dict[str, int | None] = {
        "attachments.perBoard": sum(len(card.attachments) for card in cards),
        "attachments.perCard": max((len(card.attachments) for card in cards), default=0),
        "boards.totalMembersPerBoard": len(board.memberships),
        "boards.totalAccessRequestsPerBoard": 0,
        "cards.openPerBoard": len(opened),
        "cards.openPerList": max(per_list.values(), default=0),
        "cards.totalPerBoard": len(cards),
        "cards.totalPerList": max(per_list.values(), default=0),
        "checklists.perBoard": sum(len(card.checklist_ids) for card in cards),
        "checklists.perCard": max((len(card.checklist_ids) for card in cards), default=0),
        "checkItems.perChecklist": None,
        "customFields.perBoard": len(trello.fields_of(board.id)),
        "customFieldOptions.perField": None,
        "labels.perBoard": len(trello.labels_of(board.id)),
        "lists.openPerBoard": len(open_lists),
        "lists.totalPerBoard": len(lists),
        "stickers.perCard": None,
        "reactions.perAction": None,
        "reactions.uniquePerAction": None,
    }
    return shown(trello, counts)


def list_limits(trello: Trello, list_id: str) -> dict[str, Any]:
    """The limits of a list."""
    cards = trello.cards_in(list_id)
    opened = sum(1 for card in cards if not card.closed)
    return shown(trello, {"cards.openPerList": opened, "cards.totalPerList": len(cards)})


def card_limits(trello: Trello, card: Card) -> dict[str, Any]:
    """The limits of a card."""
    counts: dict[str, int | None] = {
        "attachments.perCard": len(card.attachments),
        "checklists.perCard": len(card.checklist_ids),
        "stickers.perCard": None,
    }
    return shown(trello, counts)


def checklist_limits(trello: Trello, checklist: Checklist) -> dict[str, Any]:
    """The limits of a checklist."""
    return shown(trello, {"checkItems.perChecklist": len(checklist.items)})


def organization_limits(trello: Trello, organization: Organization) -> dict[str, Any]:
    """The limits of a workspace; those on boards and users are of free ones only."""
    counts: dict[str, int | None] = {"orgs.totalMembersPerOrg": len(organization.memberships)}
    if organization.free:
        counts["orgs.freeBoardsPerOrg"] = open_boards(trello, organization.id)
        counts["orgs.usersPerFreeOrg"] = collaborators(trello, organization)
    return shown(trello, counts)


def member_limits(trello: Trello, member: Member) -> dict[str, Any]:
    """The limits of a member."""
    counts: dict[str, int | None] = {"boards.totalPerMember": len(trello.boards_of(member.id))}
    counts["orgs.totalPerMember"] = None
    return shown(trello, counts)


def open_boards(trello: Trello, organization_id: str) -> int:
    """How many boards of a workspace are open."""
    boards = trello.data.boards.values()
    return sum(1 for board in boards if board.organization_id == organization_id and not board.closed)


def collaborators(trello: Trello, organization: Organization) -> int:
    """How many people are in a workspace or on one of its boards."""
    people = {entry.member_id for entry in organization.memberships if not entry.deactivated}
    for board in trello.data.boards.values():
        if board.organization_id == organization.id and not board.closed:
            people |= {entry.member_id for entry in board.memberships if not entry.deactivated}
    return len(people)
