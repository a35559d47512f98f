"""Members: who they are, their boards, cards, workspaces, stars and settings."""

from __future__ import annotations

import re
from typing import Any

from sandbox.trello import nested
from sandbox.trello.boards import field_value, shown_actions
from sandbox.trello.errors import invalid, not_found
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.params import Params
from sandbox.trello.positions import STEP, plain, resolve
from sandbox.trello.state import Member, Organization, membership

table = routes()

ALL_BOARDS = "all"
BLOCKED_KEYS = frozenset(
    f"notification_{what}"
    for what in (
        "comment_card",
        "added_a_due_date",
        "changed_due_date",
        "card_due_soon",
        "removed_from_card",
        "added_attachment_to_card",
        "created_card",
        "moved_card",
        "archived_card",
        "unarchived_card",
    )
)
_USERNAME = re.compile(r"[a-z0-9_]{3,}")


@table.get("/members/{member}")
async def get_member(call: Call) -> Json:
    """A member, by id, username or ``me``, with whatever else is asked for."""
    call.caller()
    member, sent = call.any_member(), call.params
    body = nested.view(call).member(member, sent.fields())
    if (word := sent.word("boards", "none")) != "none":
        found = nested.boards_of(call, call.trello.boards_of(member.id), word)
        asked = nested.prefixed(sent, "board_")
        body["boards"] = [nested.board(call, one, asked, ALL_BOARDS) for one in found]
    if (word := sent.word("cards", "none")) != "none":
        asked = nested.prefixed(sent, "card_")
        asked.values["filter"] = word
        body["cards"] = nested.cards(call, _cards(call, member), asked)
    if (word := sent.word("organizations", "none")) != "none":
        fields = sent.fields("organization_fields")
        body["organizations"] = [nested.view(call).organization(one, fields) for one in _organizations(call, member)]
    if sent.on("boardStars"):
        body["boardStars"] = member.stars if member is call.member else []
    for name in ("notifications", "boardsInvited", "organizationsInvited"):
        if sent.word(name, "none") not in {"none", "false"}:
            body[name] = []
    if sent.on("savedSearches"):
        body["savedSearches"] = []
    if sent.word("tokens", "none") == "all" and member is call.member:
        body["tokens"] = _tokens(call, member)
    return body


@table.put("/members/{member}")
async def update_member(call: Call) -> Json:
    """Change the caller's own profile."""
    member = call.own_member(write=True)
    _edit(call, member, call.params)
    return nested.view(call).member(member, "all")


@table.put("/members/{member}/{field}")
async def put_member_field(call: Call) -> Json:
    """Change one field of the caller's own profile by ``value``."""
    member, name = call.own_member(write=True), call.path["field"]
    if name not in {"fullName", "initials", "username", "bio"}:
        raise not_found()
    _edit(call, member, Params({name: call.params.raw("value")}))
    return nested.view(call).member(member, "all")


def _edit(call: Call, member: Member, sent: Params) -> None:
    name, letters, bio = sent.text("fullName", least=1), sent.text("initials", least=1, most=4), sent.text("bio")
    username = sent.text("username")
    if username is not None and username != member.username:
        if not _USERNAME.fullmatch(username) or call.trello.member(username) is not None:
            raise invalid("username")
        member.username = username
    member.full_name = member.full_name if name is None else name
    member.initials = member.initials if letters is None else letters
    member.bio = member.bio if bio is None else bio
    asked = Params(sent.below("prefs"))
    if "locale" in asked:
        member.prefs["locale"] = asked.text("locale")
    if "colorBlind" in asked:
        member.prefs["colorBlind"] = asked.flag("colorBlind")
    if "minutesBetweenSummaries" in asked:
        member.prefs["minutesBetweenSummaries"] = asked.number("minutesBetweenSummaries", 60, low=-1)
    call.trello.touch()


@table.get("/members/{member}/{field}")
async def get_member_field(call: Call) -> Json:
    """One field of a member."""
    call.caller()
    name = call.path["field"]
    return field_value(nested.view(call).member(call.any_member(), f"all,{name}"), name)


@table.get("/members/{member}/actions")
async def get_actions(call: Call) -> Json:
    """What the caller did, or was done to them, newest first."""
    return shown_actions(call, call.own_member().id)


@table.get("/members/{member}/boards")
async def get_boards(call: Call) -> Json:
    """The boards of a member that the caller may see."""
    call.caller()
    found = nested.boards_of(call, call.trello.boards_of(call.any_member().id), call.params.word("filter", "all"))
    return [nested.board(call, board, call.params, ALL_BOARDS) for board in found]


@table.get("/members/{member}/boards/{filter}")
async def get_boards_by_filter(call: Call) -> Json:
    """The boards of a member that fit a word."""
    call.params.values["filter"] = call.path["filter"]
    return await get_boards(call)


def _cards(call: Call, member: Member) -> list[Any]:
    boards = {board.id for board in nested.boards_of(call, call.trello.data.boards.values(), "all")}
    return [
        card for card in call.trello.data.cards.values() if member.id in card.member_ids and card.board_id in boards
    ]


@table.get("/members/{member}/cards")
async def get_cards(call: Call) -> Json:
    """The cards that a member is on, where the caller may see them."""
    call.caller()
    return nested.cards(call, _cards(call, call.any_member()), call.params)


@table.get("/members/{member}/cards/{filter}")
async def get_cards_by_filter(call: Call) -> Json:
    """The cards that a member is on and that fit a word."""
    call.params.values["filter"] = call.path["filter"]
    return await get_cards(call)


def _organizations(call: Call, member: Member) -> list[Organization]:
    me = call.caller()
    found = call.trello.data.organizations.values()
    return [one for one in found if membership(one, member.id) and membership(one, me.id)]


@table.get("/members/{member}/organizations")
async def get_organizations(call: Call) -> Json:
    """The workspaces of a member that the caller is in as well."""
    view, fields = nested.view(call), call.params.fields()
    return [view.organization(one, fields) for one in _organizations(call, call.any_member())]


@table.get(
    "/members/{member}/boardsInvited",
    "/members/{member}/organizationsInvited",
    "/members/{member}/notifications",
    "/members/{member}/savedSearches",
    "/members/{member}/boardBackgrounds",
    "/members/{member}/customBoardBackgrounds",
    "/members/{member}/customEmoji",
    "/members/{member}/customStickers",
)
async def get_nothing(call: Call) -> Json:
    """Invitations are accepted at once, and there are no notifications, searches, backgrounds or stickers."""
    call.own_member()
    return []


def _tokens(call: Call, member: Member) -> Json:
    view = nested.view(call)
    mine = [token for token in call.trello.data.tokens.values() if token.member_id == member.id]
    hooks = call.trello.data.webhooks.values()
    return [
        view.token(token)
        | (
            {"webhooks": [view.webhook(one) for one in hooks if one.token == token.value]}
            if call.params.on("webhooks")
            else {}
        )
        for token in mine
    ]


@table.get("/members/{member}/tokens")
async def get_tokens(call: Call) -> Json:
    """The caller's own tokens, without their values."""
    return _tokens(call, call.own_member())


# -- stars -------------------------------------------------------------------------------------------------------------


def _star(call: Call, member: Member) -> dict[str, Any]:
    star = next((one for one in member.stars if one["id"] == call.path["star"].lower()), None)
    if star is None:
        raise not_found()
    return star


@table.get("/members/{member}/boardStars")
async def get_stars(call: Call) -> Json:
    """The caller's starred boards."""
    return list(call.own_member().stars)


@table.post("/members/{member}/boardStars")
async def create_star(call: Call) -> Json:
    """Star a board."""
    member = call.own_member(write=True)
    board = call.trello.data.boards.get(call.params.id("idBoard") or "")
    if board is None:
        raise invalid("idBoard")
    call.open_board(board, "board")
    pos = resolve(call.params.raw("pos"), (one["pos"] for one in member.stars), step=STEP)
    star = {"id": call.trello.new_id(), "idBoard": board.id, "pos": plain(pos)}
    member.stars.append(star)
    call.trello.touch()
    return star


@table.get("/members/{member}/boardStars/{star}")
async def get_star(call: Call) -> Json:
    """One star."""
    return _star(call, call.own_member())


@table.put("/members/{member}/boardStars/{star}")
async def update_star(call: Call) -> Json:
    """Move a star."""
    member = call.own_member(write=True)
    star = _star(call, member)
    others = (one["pos"] for one in member.stars if one is not star)
    star["pos"] = plain(resolve(call.params.raw("pos"), others, step=STEP))
    call.trello.touch()
    return star


@table.delete("/members/{member}/boardStars/{star}")
async def delete_star(call: Call) -> Json:
    """Take a star away."""
    member = call.own_member(write=True)
    member.stars.remove(_star(call, member))
    call.trello.touch()
    return {}


# -- notification settings ---------------------------------------------------------------------------------------------


def _channel(member: Member) -> Json:
    return {"id": member.id, "idMember": member.id, "blockedKeys": list(member.blocked_keys), "channel": "email"}


@table.get("/members/{member}/notificationsChannelSettings")
async def get_channels(call: Call) -> Json:
    """What the caller is not told by e-mail, the only channel."""
    return [_channel(call.own_member())]


@table.get("/members/{member}/notificationsChannelSettings/{channel}")
async def get_channel(call: Call) -> Json:
    """What the caller is not told on a channel."""
    if call.path["channel"] != "email":
        raise invalid("channel")
    return _channel(call.own_member())


@table.put(
    "/members/{member}/notificationsChannelSettings",
    "/members/{member}/notificationsChannelSettings/{channel}",
    "/members/{member}/notificationsChannelSettings/{channel}/{keys}",
)
async def put_channel(call: Call) -> Json:
    """Set what the caller is not told on a channel."""
    member = call.own_member(write=True)
    channel = call.path.get("channel") or call.params.word("channel")
    keys = call.path["keys"].split(",") if "keys" in call.path else call.params.items("blockedKeys")
    if channel != "email":
        raise invalid("channel")
    if set(keys) - BLOCKED_KEYS:
        raise invalid("blockedKeys")
    member.blocked_keys = sorted(set(keys))
    call.trello.touch()
    return _channel(member)
