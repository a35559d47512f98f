"""Workspaces, which the API calls organizations, and who is in them."""

from __future__ import annotations

import re

from sandbox.trello import caps, making, nested
from sandbox.trello.actions import Happening, record
from sandbox.trello.boards import field_value, shown_actions
from sandbox.trello.errors import TrelloError, invalid, not_found
from sandbox.trello.http import Call, Json, routes
from sandbox.trello.params import Params
from sandbox.trello.state import Board, Member, Membership, Organization, membership
from sandbox.trello.views import MEMBER_FIELDS

table = routes()

_KINDS = frozenset({"admin", "normal"})
_LEVELS = frozenset({"private", "public"})


def _tell(call: Call, kind: str, organization: Organization, member: Member | None = None) -> None:
    organization.last_activity = call.trello.clock.now()
    record(call.trello, call.writer(), Happening(kind, organization=organization, member=member))


@table.post("/organizations")
async def create_organization(call: Call) -> Json:
    """Make a workspace, a free one; its maker administers it."""
    actor, sent = call.writer(), call.params
    display_name = sent.required("displayName")
    name, desc, website = sent.text("name"), sent.text("desc"), _website(sent)
    number = call.trello.new_id()
    made = Organization(number, _unique_name(call, name or display_name), display_name, actor.id, free=True)
    made.desc, made.website = desc or "", website
    made.memberships.append(Membership(call.trello.new_id(), actor.id, "admin"))
    call.trello.data.organizations[number] = made
    _tell(call, "createOrganization", made)
    return nested.view(call).organization(made)


def _website(sent: Params) -> str | None:
    website = sent.text("website") or None
    if website is not None and not website.startswith(("http://", "https://")):
        raise invalid("website")
    return website


def _unique_name(call: Call, text: str) -> str:
    """A name in the vendor's letters that nobody has yet."""
    stem = re.sub(r"[^a-z0-9_]", "", text.lower())[:90]
    stem = stem if len(stem) >= 3 else f"workspace{stem}"
    name, number = stem, 0
    while call.trello.organization(name) is not None:
        number += 1
        name = f"{stem}{number}"
    return name


@table.get("/organizations/{organization}")
async def get_organization(call: Call) -> Json:
    """A workspace, by id or name, with whatever else is asked for."""
    found, sent = call.organization(), call.params
    body = nested.view(call).organization(found, sent.fields())
    if (word := sent.word("boards", "none")) != "none":
        asked = nested.prefixed(sent, "board_")
        body["boards"] = [nested.board(call, one, asked, "all") for one in _boards(call, found, word)]
    if (word := sent.word("members", "none")) not in {"none", "false"}:
        body["members"] = nested.members(call, found, word, sent.fields("member_fields", MEMBER_FIELDS))
    if (word := sent.word("memberships", "")) and word != "none":
        view = nested.view(call)
        body["memberships"] = [view.membership(one) for one in nested.memberships(found.memberships, word)]
    return body


@table.put("/organizations/{organization}")
async def update_organization(call: Call) -> Json:
    """Change a workspace; for its administrators."""
    found, sent = call.organization(admin=True), call.params
    display_name, desc, name = sent.text("displayName", least=1), sent.text("desc"), sent.text("name", least=3)
    website = _website(sent)
    level = sent.one_of("prefs/permissionLevel", _LEVELS)
    if name is not None and name != found.name:
        if call.trello.organization(name) is not None:
            raise invalid("name")
        found.name = name
    found.display_name = found.display_name if display_name is None else display_name
    found.desc = found.desc if desc is None else desc
    found.website = website if "website" in sent else found.website
    if level is not None:
        found.prefs["permissionLevel"] = level
    _tell(call, "updateOrganization", found)
    return nested.view(call).organization(found)


@table.put("/organizations/{organization}/{field}")
async def put_organization_field(call: Call) -> Json:
    """Change one field of a workspace by ``value``."""
    name = call.path["field"]
    if name not in {"displayName", "desc", "name", "website"}:
        raise not_found()
    call.params.values[name] = call.params.raw("value")
    return await update_organization(call)


@table.delete("/organizations/{organization}")
async def delete_organization(call: Call) -> Json:
    """Delete a workspace; its boards stay without one."""
    found = call.organization(admin=True)
    for board in call.trello.data.boards.values():
        if board.organization_id == found.id:
            board.organization_id = None
    del call.trello.data.organizations[found.id]
    call.trello.touch()
    return {"_value": None}


@table.get("/organizations/{organization}/{field}")
async def get_organization_field(call: Call) -> Json:
    """One field of a workspace."""
    found, name = call.organization(), call.path["field"]
    return field_value(nested.view(call).organization(found, "all"), name)


@table.get("/organizations/{organization}/actions")
async def get_actions(call: Call) -> Json:
    """What happened to a workspace, newest first."""
    return shown_actions(call, call.organization().id)


def _boards(call: Call, found: Organization, word: str) -> list[Board]:
    boards = (board for board in call.trello.data.boards.values() if board.organization_id == found.id)
    return nested.boards_of(call, boards, word)


@table.get("/organizations/{organization}/boards")
async def get_boards(call: Call) -> Json:
    """The boards of a workspace that the caller may see."""
    found = _boards(call, call.organization(), call.params.word("filter", "all"))
    return [nested.board(call, board, call.params, "all") for board in found]


@table.get("/organizations/{organization}/pluginData", "/organizations/{organization}/exports")
async def get_nothing(call: Call) -> Json:
    """Power-Ups and exports are not part of the sandbox: there are none."""
    call.organization()
    return []


# -- members -----------------------------------------------------------------------------------------------------------


@table.get("/organizations/{organization}/members")
async def get_members(call: Call) -> Json:
    """The members of a workspace."""
    found, word = call.organization(), call.params.word("filter", "all")
    return nested.members(call, found, word, call.params.fields("fields", MEMBER_FIELDS))


@table.get("/organizations/{organization}/members/{filter}")
async def get_members_by_filter(call: Call) -> Json:
    """The members of a workspace that fit a word."""
    return nested.members(call, call.organization(), call.path["filter"], MEMBER_FIELDS)


@table.get("/organizations/{organization}/memberships")
async def get_memberships(call: Call) -> Json:
    """Who is in a workspace, as what."""
    found, view = call.organization(), nested.view(call)
    fields = call.params.fields("member_fields", MEMBER_FIELDS) if call.params.on("member") else None
    chosen = nested.memberships(found.memberships, call.params.word("filter", "all"))
    return [view.membership(entry, fields) for entry in chosen]


@table.get("/organizations/{organization}/memberships/{membership}")
async def get_membership(call: Call) -> Json:
    """One membership of a workspace."""
    found = call.organization()
    entry = next((one for one in found.memberships if one.id == call.path["membership"].lower()), None)
    if entry is None:
        raise not_found()
    return nested.view(call).membership(entry, MEMBER_FIELDS if call.params.on("member") else None)


def _people(call: Call, found: Organization) -> Json:
    view = nested.view(call)
    return {
        "id": found.id,
        "members": view.members([entry.member_id for entry in found.memberships]),
        "memberships": [view.membership(entry) for entry in found.memberships],
    }


def _add(call: Call, found: Organization, member: Member, kind: str) -> None:
    entry = membership(found, member.id)
    if entry is not None:
        entry.type = kind
        return
    if found.free:
        caps.require(call.trello, "orgs.usersPerFreeOrg", caps.collaborators(call.trello, found))
    caps.require(call.trello, "orgs.totalMembersPerOrg", len(found.memberships))
    found.memberships.append(Membership(call.trello.new_id(), member.id, kind, unconfirmed=not member.confirmed))
    _tell(call, "addMemberToOrganization", found, member)


@table.put("/organizations/{organization}/members")
async def invite_member(call: Call) -> Json:
    """Put the person with an e-mail address into a workspace."""
    found, sent = call.organization(admin=True), call.params
    email, name = sent.required("email"), sent.text("fullName")
    if "@" not in email.strip("@"):
        raise invalid("email")
    kind = sent.one_of("type", _KINDS) or "normal"
    _add(call, found, making.invite(call.trello, email, name), kind)
    return _people(call, found)


@table.put("/organizations/{organization}/members/{member}")
async def put_member(call: Call) -> Json:
    """Put a member into a workspace, or change what they are in it."""
    found, member = call.organization(admin=True), call.any_member()
    kind = call.params.one_of("type", _KINDS)
    if kind is None:
        raise invalid("type")
    _add(call, found, member, kind)
    return _people(call, found)


def _entry(call: Call, found: Organization, member: Member) -> Membership:
    entry = membership(found, member.id)
    if entry is None:
        raise not_found()
    admins = [one for one in found.memberships if one.type == "admin" and not one.deactivated]
    if admins == [entry]:
        raise TrelloError(400, "Must have at least one admin")  # wording unsure
    return entry


@table.put("/organizations/{organization}/members/{member}/deactivated")
async def deactivate_member(call: Call) -> Json:
    """Deactivate or reactivate a member of a workspace."""
    found, member = call.organization(admin=True), call.any_member()
    value = call.params.flag("value")
    if value is None:
        raise invalid("value")
    _entry(call, found, member).deactivated = value
    call.trello.touch()
    return _people(call, found)


@table.delete("/organizations/{organization}/members/{member}")
async def delete_member(call: Call) -> Json:
    """Take a member out of a workspace; everybody may leave."""
    found, member = call.organization(), call.any_member()
    if member.id != call.writer().id:
        call.organization(admin=True)
    found.memberships.remove(_entry(call, found, member))
    return _people(call, found)


@table.delete("/organizations/{organization}/members/{member}/all")
async def delete_member_everywhere(call: Call) -> Json:
    """Take a member out of a workspace and off all its boards."""
    found, member = call.organization(admin=True), call.any_member()
    found.memberships.remove(_entry(call, found, member))
    for board in call.trello.data.boards.values():
        if board.organization_id == found.id and membership(board, member.id):
            making.remove_member(call.trello, call.writer(), board, member)
    return _people(call, found)
