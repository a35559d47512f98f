"""Models as the vendor shows them.

Every answer is cut to the fields that were asked for. Where the vendor's document promises a string, a missing value is
left out instead of written as null, because there are clients that hold answers against it; nulls stand only where the
document, or every client known to us, allows them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from sandbox.trello import access, caps, times
from sandbox.trello.positions import plain
from sandbox.trello.state import (
    Attachment,
    Board,
    Card,
    CheckItem,
    Checklist,
    CustomField,
    Label,
    Member,
    Membership,
    Organization,
    Token,
    Trello,
    TrelloList,
    Webhook,
    membership,
)

Body = dict[str, Any]

BOARD_FIELDS = "name,desc,descData,closed,idOrganization,pinned,url,shortUrl,prefs,labelNames"
NESTED_MEMBER_FIELDS = "avatarHash,fullName,initials,username"
MEMBER_FIELDS = (
    "activityBlocked,avatarHash,avatarUrl,fullName,idMemberReferrer,initials,nonPublic,nonPublicAvailable,username"
)
COLORS = ("green", "yellow", "orange", "red", "purple", "blue", "sky", "lime", "pink", "black")
LABEL_COLORS = frozenset(f"{color}{shade}" for color in COLORS for shade in ("", "_light", "_dark"))
_BACKGROUNDS = {
    "blue": "#0079BF",
    "orange": "#D29034",
    "green": "#519839",
    "red": "#B04632",
    "purple": "#89609E",
    "pink": "#CD5A91",
    "lime": "#4BBF6B",
    "sky": "#00AECC",
    "grey": "#838C91",
}
# Asked for by name only; "all" leaves them out.
_ON_DEMAND = frozenset({"limits", "memberships", "email", "customFieldItems"})


def pick(full: Body, fields: str, always: tuple[str, ...] = ("id",)) -> Body:
    """The fields that are asked for (``all`` or names between commas), in the order of the model."""
    names = {name.strip() for name in fields.split(",")}
    if "all" in names:
        return full
    return {name: value for name, value in full.items() if name in names or name in always}


def slug(name: str) -> str:
    """A name as it stands at the end of an address."""
    plain_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain_name).strip("-")[:60]


class View:
    """Builds answers for one caller on one host."""

    def __init__(self, trello: Trello, base_url: str, caller: Member | None) -> None:
        self.trello = trello
        self.base_url = base_url
        self.caller = caller

    # -- people --------------------------------------------------------------------------------------------------------

    def member(self, member: Member, fields: str = MEMBER_FIELDS) -> Body:
        """A member; the e-mail address is for their own eyes."""
        digest = hashlib.md5(member.email.encode(), usedforsecurity=False).hexdigest()
        own = self.caller is not None and self.caller.id == member.id
        full: Body = {
            "id": member.id,
            "activityBlocked": False,
            "avatarHash": digest,
            "avatarUrl": f"https://trello-members.s3.amazonaws.com/{member.id}/{digest}",
            "bio": member.bio,
            "bioData": {"emoji": {}},
            "confirmed": member.confirmed,
            "fullName": member.full_name,
            "idEnterprisesDeactivated": [],
            "idMemberReferrer": None,
            "idPremOrgsAdmin": [],
            "initials": member.initials or initials(member.full_name),
            "memberType": "normal" if member.confirmed else "ghost",
            "nonPublic": {},
            "nonPublicAvailable": False,
            "products": [],
            "url": f"{self.base_url}/{member.username}",
            "username": member.username,
            "status": "disconnected",
            "aaEmail": None,
            "aaEnrolledDate": None,
            "aaId": None,
            "avatarSource": "gravatar",
            "email": member.email if own else "",
            "gravatarHash": digest,
            "idBoards": [board.id for board in self._boards(member)],
            "idOrganizations": [
                o.id
                for o in self.trello.data.organizations.values()
                if membership(o, member.id) and (own or self._in(o))
            ],
            "idEnterprisesAdmin": [],
        }
        if own:
            full |= {
                "loginTypes": ["password"],
                "oneTimeMessagesDismissed": [],
                "prefs": self._member_prefs(member),
                "trophies": [],
                "premiumFeatures": [],
                "isAaMastered": False,
                "idBoardsPinned": None,
            }
        if "limits" in fields:
            full["limits"] = caps.member_limits(self.trello, member)
        return pick(full, fields)

    def _in(self, organization: Organization) -> bool:
        return self.caller is not None and access.in_organization(organization, self.caller)

    def _boards(self, member: Member) -> list[Board]:
        boards = self.trello.boards_of(member.id)
        return [board for board in boards if access.may_see(self.trello, board, self.caller)]

    def _member_prefs(self, member: Member) -> Body:
        return {
            "timezoneInfo": {
                "offsetCurrent": 0,
                "timezoneCurrent": "UTC",
                "offsetNext": 0,
                "dateNext": times.text(self.trello.clock.now()),
                "timezoneNext": "UTC",
            },
            "privacy": {"fullName": "public", "avatar": "public"},
            "sendSummaries": True,
            "minutesBetweenSummaries": member.prefs.get("minutesBetweenSummaries", 60),
            "minutesBeforeDeadlineToNotify": 1440,
            "colorBlind": member.prefs.get("colorBlind", False),
            "locale": member.prefs.get("locale", "en-US"),
            "timezone": "UTC",
            "twoFactor": {"enabled": False, "needsNewBackups": False},
        }

    def members(self, ids: list[str], fields: str = MEMBER_FIELDS) -> list[Body]:
        """Members in the order of their ids."""
        return [self.member(self.trello.data.members[key], fields) for key in ids]

    def membership(self, entry: Membership, member_fields: str | None = None) -> Body:
        """Who is on a board or in a workspace."""
        body: Body = {
            "id": entry.id,
            "idMember": entry.member_id,
            "memberType": entry.type,
            "unconfirmed": entry.unconfirmed,
            "deactivated": entry.deactivated,
        }
        if member_fields is not None:
            body["member"] = self.member(self.trello.data.members[entry.member_id], member_fields)
        return body

    # -- workspaces and boards -------------------------------------------------------------------------------------

    def organization(self, organization: Organization, fields: str = "all") -> Body:
        """A workspace."""
        boards = [b for b in self.trello.data.boards.values() if b.organization_id == organization.id]
        full: Body = {
            "id": organization.id,
            "name": organization.name,
            "displayName": organization.display_name,
            "dateLastActivity": times.text(organization.last_activity or self.trello.clock.now()),
            "prefs": {
                "boardVisibilityRestrict": {"private": "org", "org": "org", "public": "org"},
                "boardDeleteRestrict": {"private": "org", "org": "org", "public": "org"},
                "attachmentRestrictions": ["computer", "trello", "google-drive", "box", "onedrive", "link"],
                "permissionLevel": "private",
                **organization.prefs,
            },
            "offering": "trello.free" if organization.free else "trello.business_class",
            "url": f"{self.base_url}/w/{organization.name}",
            "idBoards": [board.id for board in boards if access.may_see(self.trello, board, self.caller)],
            "memberships": [self.membership(entry) for entry in organization.memberships],
            "premiumFeatures": [] if organization.free else ["additionalBoardBackgrounds", "customFields"],
            "desc": organization.desc,
            "powerUps": [],
            "products": [] if organization.free else [110],
            "website": organization.website,
            "idMemberCreator": organization.creator,
        }
        if "limits" in fields or fields == "all":
            full["limits"] = caps.organization_limits(self.trello, organization)
        return pick(full, fields)

    def board(self, board: Board, fields: str = BOARD_FIELDS) -> Body:
        """A board; ``memberships`` and ``limits`` only when asked for."""
        caller = self.caller.id if self.caller else ""
        now = times.text(self.trello.clock.now())
        full: Body = {
            "id": board.id,
            "name": board.name,
            "desc": board.desc,
            "closed": board.closed,
            "dateClosed": times.optional(board.closed_at),
            "idMemberCreator": board.creator,
            "idOrganization": board.organization_id,
            "pinned": False,
            "url": f"{self.base_url}/b/{board.short_link}/{slug(board.name)}",
            "shortUrl": f"{self.base_url}/b/{board.short_link}",
            "prefs": self.prefs(board),
            "labelNames": self._label_names(board),
            "starred": self.caller is not None and any(star["idBoard"] == board.id for star in self.caller.stars),
            "memberships": [self.membership(entry) for entry in board.memberships],
            "shortLink": board.short_link,
            "subscribed": caller in board.subscribers,
            "powerUps": [],
            "dateLastActivity": times.text(board.last_activity) if board.last_activity else now,
            "dateLastView": times.text(board.views[caller]) if caller in board.views else now,
            "idTags": list(board.tags),
            "datePluginDisable": None,
            "creationMethod": None,
            "idBoardSource": board.source_id,
            "enterpriseOwned": False,
            "premiumFeatures": [],
        }
        if board.organization_id is None:
            del full["idOrganization"]
        if "limits" in fields:
            full["limits"] = caps.board_limits(self.trello, board)
        return pick(full, fields)

    def prefs(self, board: Board) -> Body:
        """The settings of a board."""
        background = str(board.prefs.get("background", "blue"))
        color = _BACKGROUNDS.get(background, "#0079BF")
        return {
            "permissionLevel": "private",
            "hideVotes": False,
            "voting": "disabled",
            "comments": "members",
            "invitations": "members",
            "selfJoin": True,
            "cardCovers": True,
            "isTemplate": False,
            "cardAging": "regular",
            "calendarFeedEnabled": False,
            **board.prefs,
            "background": background,
            "backgroundColor": color,
            "backgroundTile": False,
            "backgroundBrightness": "dark",
            "backgroundBottomColor": color,
            "backgroundTopColor": color,
            "canBePublic": True,
            "canBeEnterprise": True,
            "canBeOrg": True,
            "canBePrivate": True,
            "canInvite": True,
        }

    def _label_names(self, board: Board) -> Body:
        names = dict.fromkeys(COLORS, "")
        for label in self.trello.labels_of(board.id):
            if label.color in names and not names[label.color]:
                names[label.color] = label.name
        return names

    def a_list(self, found: TrelloList, fields: str = "all") -> Body:
        """A list."""
        caller = self.caller.id if self.caller else ""
        full: Body = {
            "id": found.id,
            "name": found.name,
            "closed": found.closed,
            "idBoard": found.board_id,
            "pos": plain(found.pos),
            "subscribed": caller in found.subscribers,
        }
        if "limits" in fields:
            full["limits"] = caps.list_limits(self.trello, found.id)
        return pick(full, fields)

    def label(self, label: Label, fields: str = "all") -> Body:
        """A label; its colour may be null, which the vendor's document says in words only."""
        full: Body = {"id": label.id, "idBoard": label.board_id, "name": label.name, "color": label.color}
        if "uses" in fields or fields == "all":
            full["uses"] = sum(1 for card in self.trello.cards_of(label.board_id) if label.id in card.label_ids)
        return pick(full, fields)

    # -- cards -------------------------------------------------------------------------------------------------------

    def card(self, card: Card, fields: str = "all") -> Body:
        """A card, whole unless fields are named."""
        caller = self.caller.id if self.caller else ""
        cover: Body = {
            "idAttachment": card.cover_attachment,
            "color": None,
            "idUploadedBackground": None,
            "size": "normal",
            "brightness": "dark",
            **card.cover,
        }
        full: Body = {
            "id": card.id,
            "address": card.address,
            "badges": self._badges(card),
            "checkItemStates": self.states(card),
            "closed": card.closed,
            "coordinates": card.coordinates,
            "creationMethod": None,
            "dueComplete": card.due_complete,
            "dateLastActivity": times.text(card.last_activity),
            "desc": card.desc,
            "descData": {"emoji": {}},
            "due": times.optional(card.due),
            "dueReminder": card.due_reminder,
            "idBoard": card.board_id,
            "idChecklists": list(card.checklist_ids),
            "idLabels": list(card.label_ids),
            "idList": card.list_id,
            "idMembers": list(card.member_ids),
            "idMembersVoted": list(card.voters),
            "idShort": card.number,
            "idAttachmentCover": card.cover_attachment,
            "labels": [self.card_label(key) for key in card.label_ids],
            "locationName": card.location_name,
            "manualCoverAttachment": card.cover_attachment is not None,
            "name": card.name,
            "pos": plain(card.pos),
            "shortLink": card.short_link,
            "shortUrl": f"{self.base_url}/c/{card.short_link}",
            "start": times.optional(card.start),
            "subscribed": caller in card.subscribers,
            "url": f"{self.base_url}/c/{card.short_link}/{card.number}-{slug(card.name)}",
            "cover": cover,
            "isTemplate": False,
            "cardRole": card.role,
        }
        if "limits" in fields:
            full["limits"] = caps.card_limits(self.trello, card)
        if "email" in fields:
            full["email"] = None
        return pick(full, fields)

    def card_label(self, label_id: str) -> Body:
        """A label as cards carry it."""
        return self.label(self.trello.data.labels[label_id], "id,idBoard,name,color")

    def states(self, card: Card) -> list[Body]:
        """The items of a card that are ticked."""
        lists = self.trello.checklists_of(card)
        return [{"idCheckItem": i.id, "state": "complete"} for one in lists for i in one.items if i.complete]

    def _badges(self, card: Card) -> Body:
        items = [item for one in self.trello.checklists_of(card) for item in one.items]
        linked = [self.linked(attachment) for attachment in card.attachments]
        dues = [item.due for item in items if item.due and not item.complete]
        caller = self.caller.id if self.caller else ""
        return {
            "attachmentsByType": {"trello": {"board": linked.count("board"), "card": linked.count("card")}},
            "location": card.coordinates is not None,
            "votes": len(card.voters),
            "viewingMemberVoted": caller in card.voters,
            "subscribed": caller in card.subscribers,
            "fogbugz": "",
            "checkItems": len(items),
            "checkItemsChecked": sum(1 for item in items if item.complete),
            "checkItemsEarliestDue": times.optional(min(dues, default=None)),
            "comments": card.comments,
            "attachments": len(card.attachments),
            "description": card.desc != "",
            "due": times.optional(card.due),
            "start": times.optional(card.start),
            "dueComplete": card.due_complete,
        }

    def linked(self, attachment: Attachment) -> str | None:
        """Whether a link leads to a board or a card of this place."""
        parts = urlsplit(attachment.url)
        host = parts.netloc.lower()
        if host not in {urlsplit(self.base_url).netloc.lower(), "trello.com", "www.trello.com"}:
            return None
        path = parts.path.split("/")
        if len(path) < 3:
            return None
        if path[1] == "c" and self.trello.card(path[2]):
            return "card"
        return "board" if path[1] == "b" and self.trello.board(path[2]) else None

    def attachment(self, card: Card, attachment: Attachment, fields: str = "all") -> Body:
        """A link or file; files are fetched below the card's own address."""
        url = attachment.url
        if attachment.content is not None:
            url = f"{self.base_url}/1/cards/{card.id}/attachments/{attachment.id}/download/{attachment.file_name}"
        full: Body = {
            "id": attachment.id,
            "bytes": attachment.size,
            "date": times.text(attachment.at),
            "edgeColor": None,
            "idMember": attachment.member_id,
            "isUpload": attachment.content is not None,
            "mimeType": attachment.mime_type,
            "name": attachment.name,
            "previews": [],
            "url": url,
            "pos": plain(attachment.pos),
            "fileName": attachment.file_name,
        }
        return pick(full, fields)

    def check_item(self, checklist: Checklist, item: CheckItem, fields: str = "all") -> Body:
        """An item of a checklist. ``nameData`` is left out: it is null with the vendor, an object in its document."""
        full: Body = {
            "idChecklist": checklist.id,
            "state": "complete" if item.complete else "incomplete",
            "id": item.id,
            "name": item.name,
            "pos": plain(item.pos),
            "due": times.optional(item.due),
            "dueReminder": item.due_reminder,
            "idMember": item.member_id,
        }
        return pick(full, fields)

    def checklist(
        self, checklist: Checklist, fields: str = "all", items: str = "all", item_fields: str = "all"
    ) -> Body:
        """A checklist with its items."""
        full: Body = {
            "id": checklist.id,
            "name": checklist.name,
            "idBoard": checklist.board_id,
            "idCard": checklist.card_id,
            "pos": plain(checklist.pos),
        }
        if "limits" in fields:
            full["limits"] = caps.checklist_limits(self.trello, checklist)
        body = pick(full, fields)
        if items != "none":
            ordered = sorted(checklist.items, key=lambda item: (item.pos, item.id))
            body["checkItems"] = [self.check_item(checklist, item, item_fields) for item in ordered]
        return body

    # -- custom fields -------------------------------------------------------------------------------------------------

    def custom_field(self, found: CustomField) -> Body:
        """The definition of a field."""
        body: Body = {
            "id": found.id,
            "idModel": found.board_id,
            "modelType": "board",
            "fieldGroup": hashlib.sha256(f"{found.name}:{found.type}".encode()).hexdigest(),
            "display": {"cardFront": found.card_front},
            "name": found.name,
            "pos": plain(found.pos),
            "type": found.type,
        }
        if found.type == "list":
            body["options"] = [{"id": o["id"], **self.option(found, o)} for o in found.options]
            for option in body["options"]:
                del option["_id"]
        return body

    def option(self, found: CustomField, option: Body) -> Body:
        """A choice of a drop-down field; on its own it calls its id ``_id``, as the vendor does."""
        return {
            "_id": option["id"],
            "idCustomField": found.id,
            "value": {"text": option["text"]},
            "color": option["color"],
            "pos": plain(option["pos"]),
        }

    def field_items(self, card: Card) -> list[Body]:
        """The values that a card has in the fields of its board."""
        return [self.field_item(card, key) for key in card.field_values if key in self.trello.data.custom_fields]

    def field_item(self, card: Card, field_id: str) -> Body:
        """One value; it has either ``value`` or ``idValue``."""
        kept = card.field_values[field_id]
        body: Body = {"id": kept["id"]}
        if "idValue" in kept:
            body["idValue"] = kept["idValue"]
        else:
            body["value"] = kept["value"]
        return body | {"idCustomField": field_id, "idModel": card.id, "modelType": "card"}

    # -- tokens and webhooks -------------------------------------------------------------------------------------------

    def token(self, token: Token, fields: str = "all") -> Body:
        """A token without its value."""
        writes = "write" in token.scopes
        full: Body = {
            "id": token.id,
            "identifier": "Sandbox",
            "idMember": token.member_id,
            "dateCreated": times.text(token.created),
            "dateExpires": times.optional(token.expires),
            "permissions": [
                {"idModel": "*", "modelType": kind, "read": True, "write": writes} for kind in ("Board", "Organization")
            ],
        }
        return pick(full, fields)

    def webhook(self, webhook: Webhook) -> Body:
        """A webhook."""
        return {
            "id": webhook.id,
            "description": webhook.description,
            "idModel": webhook.model_id,
            "callbackURL": webhook.callback_url,
            "active": webhook.active,
            "consecutiveFailures": webhook.failures,
            "firstConsecutiveFailDate": times.optional(webhook.failing_since),
        }


def initials(name: str) -> str:
    """The first letters of a name, four at most."""
    return "".join(part[0] for part in name.split() if part)[:4].upper()
