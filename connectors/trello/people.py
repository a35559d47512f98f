"""Finding people's Trello accounts, strictly: better nobody than somebody else."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from connectors.errors import ItemRejected, NotVisible, PermissionMissing, TrackerRefused
from connectors.trello.client import TrelloClient, segment
from connectors.trello.mapping import account
from connectors.values import Account

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_USERNAME = re.compile(r"@[0-9A-Za-z_]+")
_ID = re.compile(r"[0-9a-f]{24}")
_FIELDS = "username,fullName,email"


def find_people(
    client: TrelloClient, board: str | None, handles: Collection[str], *, invites: bool
) -> dict[str, Account]:
    """Accounts by e-mail address, `@username` or member id; a handle that names nobody for certain is left out.

    With a board: one request for its members, and one more for each handle that is not among them. Trello shows an
    address only to its owner, so most addresses take that second request, once a day for those who are on the board.
    Somebody who is not on it is assignable where people may be invited.
    """
    members = members_of(client, board) if board is not None else []
    found: dict[str, Account] = {}
    for handle in dict.fromkeys(handles):
        name = handle.strip()
        if not any(form.fullmatch(name) for form in (_ADDRESS, _USERNAME, _ID)):
            continue
        person = next((one for one in members if _is(one, name)), None)
        if person is None and (owner := client.owners.of(name)) is not None:
            person = next((one for one in members if one["id"] == owner), None)
        if person is None:
            person = _searched(client, name)
        if person is not None:
            shown = _account(person, members, placed=board is not None, invites=invites)
            if shown is not None:
                found[handle] = shown
    return found


def members_of(client: TrelloClient, board: str) -> list[dict[str, Any]]:
    """The board's members, each with its `membership`: one request."""
    query = {"member": "true", "member_fields": _FIELDS}
    memberships = client.get_list(f"boards/{segment(board)}/memberships", query)
    return [
        {**member, "membership": one}
        for one in memberships
        if isinstance(one, dict) and isinstance(member := one.get("member"), dict) and member.get("id")
    ]


def _account(
    person: dict[str, Any], members: Collection[Mapping[str, Any]], *, placed: bool, invites: bool
) -> Account | None:
    membership = next((one["membership"] for one in members if one["id"] == person.get("id")), None)
    gone = membership is not None and membership.get("deactivated") is True
    if not placed:
        return account(person)
    assignable = not gone and (invites if membership is None else membership.get("memberType") != "observer")
    return account(person, assignable=assignable, active=not gone)


def _is(person: Mapping[str, Any], name: str) -> bool:
    if _ADDRESS.fullmatch(name):
        return str(person.get("email") or "").casefold() == name.casefold()
    if name.startswith("@"):
        return str(person.get("username") or "").casefold() == name[1:].casefold()
    return person.get("id") == name


def _searched(client: TrelloClient, name: str) -> dict[str, Any] | None:
    """The one member whom a handle means.

    A search for a whole address finds its owner without showing the address; then a single hit is that person.
    """
    if not _ADDRESS.fullmatch(name):
        try:
            return client.get_object(f"members/{segment(name.removeprefix('@'))}", {"fields": _FIELDS})
        except (NotVisible, PermissionMissing, ItemRejected):
            return None
        except TrackerRefused as error:
            if error.status != 400:  # "invalid id": nobody can have it
                raise
            return None
    hits = client.get_list("search/members/", {"query": name, "limit": 8})
    people = [one for one in hits if isinstance(one, dict) and one.get("id")]
    equal = [one for one in people if _is(one, name)]
    if not equal and len(people) == 1 and not people[0].get("email"):
        equal = people
    if len(equal) != 1:
        return None
    client.owners.remember(name, str(equal[0]["id"]))
    return equal[0]
