"""What happened: actions are recorded, listed, and told to whoever listens (the webhooks)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.trello import times
from sandbox.trello.errors import invalid
from sandbox.trello.params import ID, Params
from sandbox.trello.state import Action, Board, Card, Checklist, Label, Member, Organization, Trello, TrelloList
from sandbox.trello.views import MEMBER_FIELDS, Body, View, pick

CARD_DEFAULT = "commentCard,updateCard:idList"
MOST = 1000
# Told to webhooks, but never listed (the vendor's page on action types marks them so).
WEBHOOK_ONLY = frozenset(
    {
        *(f"{verb}LabelToCard" for verb in ("add",)),
        *(f"{verb}LabelFromCard" for verb in ("remove",)),
        *(f"{verb}Label" for verb in ("create", "update", "delete")),
        *(f"{verb}CheckItem" for verb in ("create", "update", "delete")),
        "updateComment",
        "deleteComment",
        "removeMemberFromBoard",
        "voteOnCard",
    }
)
_KEYS = {
    "createCard": "action_create_card",
    "copyCard": "action_copy_card",
    "commentCard": "action_comment_on_card",
    "copyCommentCard": "action_copy_comment_card",
    "deleteCard": "action_delete_card",
    "addMemberToCard": "action_added_member_to_card",
    "removeMemberFromCard": "action_removed_member_from_card",
    "addAttachmentToCard": "action_add_attachment_to_card",
    "deleteAttachmentFromCard": "action_delete_attachment_from_card",
    "addChecklistToCard": "action_add_checklist_to_card",
    "removeChecklistFromCard": "action_remove_checklist_from_card",
    "createBoard": "action_create_board",
    "copyBoard": "action_copy_board",
    "createList": "action_added_list_to_board",
    "moveCardToBoard": "action_move_card_to_board",
    "moveCardFromBoard": "action_move_card_from_board",
    "addMemberToBoard": "action_added_member_to_board",
    "updateBoard": "action_update_board",
}


@dataclass
class Happening:
    """What an action is about; the models become its ``data`` and the places where it is listed."""

    type: str
    card: Card | None = None
    board: Board | None = None
    list: TrelloList | None = None
    checklist: Checklist | None = None
    organization: Organization | None = None
    member: Member | None = None
    label: Label | None = None
    data: dict[str, Any] = field(default_factory=dict)
    card_keys: dict[str, Any] = field(default_factory=dict)


def record(trello: Trello, actor: Member, event: Happening) -> Action:
    """Note an action, now, and tell the listeners."""
    board = event.board or (trello.data.boards[event.card.board_id] if event.card else None)
    now = trello.clock.now()
    action = Action(
        trello.new_id(),
        event.type,
        now,
        actor.id,
        _data(trello, event, board),
        [],
        event.member.id if event.member else None,
    )
    action.models = [
        model.id
        for model in (event.card, event.list, board, event.organization, event.member, actor)
        if model is not None
    ]
    for key in ("listBefore", "listAfter"):
        if key in event.data:
            action.models.append(event.data[key]["id"])
    if event.card:
        event.card.last_activity = now
    if board:
        board.last_activity = now
    if event.type not in WEBHOOK_ONLY:
        trello.data.actions.append(action)
    trello.touch()
    for listener in trello.listeners:
        listener(action)
    return action


def _data(trello: Trello, event: Happening, board: Board | None) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if event.member is not None:
        data["idMember"] = event.member.id
        data["member"] = {"id": event.member.id, "name": event.member.full_name}
    data |= event.data
    if event.checklist is not None:
        data["checklist"] = {"id": event.checklist.id, "name": event.checklist.name}
    if event.card is not None:
        data["card"] = {
            "id": event.card.id,
            "name": event.card.name,
            "idShort": event.card.number,
            "shortLink": event.card.short_link,
            **event.card_keys,
        }
    if event.label is not None:
        data["label"] = {"id": event.label.id, "name": event.label.name, "color": event.label.color}
        data |= {"value": event.label.id, "text": event.label.name}
    if board is not None:
        data["board"] = {"id": board.id, "name": board.name, "shortLink": board.short_link} | data.pop("boardKeys", {})
    if event.organization is not None:
        data["organization"] = {"id": event.organization.id, "name": event.organization.display_name}
    found = event.list
    if found is None and event.card is not None and "listBefore" not in data and event.type != "deleteCard":
        found = trello.data.lists.get(event.card.list_id)
    if found is not None:
        data["list"] = {"id": found.id, "name": found.name} | data.pop("listKeys", {})
    return data


# -- showing -----------------------------------------------------------------------------------------------------------


def show(view: View, action: Action, params: Params | None = None) -> Body:
    """An action; the parameters may take away its members and fields."""
    sent = params or Params()
    members = view.trello.data.members
    full: Body = {
        "id": action.id,
        "idMemberCreator": action.creator,
        "data": action.data | ({"dateLastEdited": times.text(action.edited)} if action.edited else {}),
        "type": action.type,
        "date": times.text(action.at),
    }
    if action.type in {"commentCard", "copyCommentCard"}:
        ok = {"status": "ok"}
        full["limits"] = {
            "reactions": {
                "perAction": {**ok, "disableAt": 900, "warnAt": 720},
                "uniquePerAction": {**ok, "disableAt": 17, "warnAt": 14},
            }
        }
    body = pick(full, sent.fields())
    if sent.flag("display", False):
        body["display"] = display(action, members[action.creator])
    if sent.flag("entities", False):
        body["entities"] = list(display(action, members[action.creator])["entities"].values())
    if sent.flag("memberCreator", True):
        body["memberCreator"] = view.member(members[action.creator], sent.fields("memberCreator_fields", MEMBER_FIELDS))
    if action.member_id is not None and sent.flag("member", True):
        body["member"] = view.member(members[action.member_id], sent.fields("member_fields", MEMBER_FIELDS))
    return body


def display(action: Action, creator: Member) -> Body:
    """How the vendor's own pages word the action: a key, and what stands in its gaps."""
    key = _KEYS.get(action.type, "action_" + "".join(f"_{c.lower()}" if c.isupper() else c for c in action.type))
    if action.type == "updateCard":
        key = _update_key(action.data)
    entities: Body = {}
    card = action.data.get("card")
    if card is not None:
        linked = {"shortLink": card["shortLink"]} if "shortLink" in card else {}
        entities["card"] = {"type": "card", "id": card["id"], **linked, "text": card.get("name", "")}
    if action.type == "commentCard":
        entities["contextOn"] = {
            "type": "translatable",
            "translationKey": "action_on",
            "hideIfContext": True,
            "idContext": card["id"] if card else "",
        }
        entities["comment"] = {"type": "comment", "text": action.data.get("text", "")}
    entities["memberCreator"] = {
        "type": "member",
        "id": creator.id,
        "username": creator.username,
        "text": creator.full_name,
    }
    return {"translationKey": key, "entities": entities}


def _update_key(data: dict[str, Any]) -> str:
    old = data.get("old", {})
    if "idList" in old:
        return "action_move_card_from_list_to_list"
    if "closed" in old:
        return "action_archived_card" if data["card"].get("closed") else "action_sent_card_to_board"
    names = {
        "name": "renamed_card",
        "desc": "changed_description_of_card",
        "due": "changed_a_due_date",
        "pos": "moved_card",
    }
    return "action_" + next((words for name, words in names.items() if name in old), "update_card")


# -- listing -----------------------------------------------------------------------------------------------------------


def select(trello: Trello, model_id: str, params: Params, default: str = "all", prefix: str = "") -> list[Action]:
    """The actions of a model, newest first, as ``filter``, ``since``, ``before``, ``page`` and ``limit`` say."""
    wanted = {name.strip() for name in params.word(f"{prefix}filter", default).split(",") if name.strip()}
    limit = params.number(f"{prefix}limit", 50, high=MOST)
    page = params.number(f"{prefix}page", 0, high=MOST)
    models = set(params.items("idModels"))
    chosen = [
        action
        for action in reversed(trello.data.actions)
        if model_id in action.models
        and ("all" in wanted or any(fits(action, name) for name in wanted))
        and (not models or models & set(action.models))
    ]
    chosen = _between(chosen, params, prefix)
    return chosen[page * limit : (page + 1) * limit]


def _between(actions: Iterable[Action], params: Params, prefix: str) -> list[Action]:
    found = list(actions)
    since, before = params.raw(f"{prefix}since"), params.raw(f"{prefix}before")
    if since not in {None, "", "null"}:
        found = [action for action in found if _after(action, since, "since")]
    if before not in {None, "", "null"}:
        found = [action for action in found if action.id != before and not _after(action, before, "before")]
    return found


def _after(action: Action, bound: Any, name: str) -> bool:
    if ID.fullmatch(str(bound)):
        return action.id > str(bound).lower()
    moment = times.parse(bound)
    if moment is None:
        raise invalid(name)
    return action.at >= moment


def fits(action: Action, name: str) -> bool:
    """Whether an action is of a type, or of the part of a type that stands after a colon (``updateCard:idList``)."""
    kind, _, part = name.partition(":")
    return action.type == kind and (not part or part in action.data.get("old", {}))
