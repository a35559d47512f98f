"""Finding people's Jira accounts, strictly: better nobody than somebody else."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from connectors.jira.client import JiraClient
from connectors.jira.mapping import account
from connectors.values import Account

_PAGE = 50


def find_people(client: JiraClient, project_key: str | None, handles: Collection[str]) -> dict[str, Account]:
    """Accounts by e-mail address or account id; a handle that names nobody for certain is left out.

    With a project: one request for each handle among those who can be assigned there, and a second one only for a
    handle that is not among them, to tell "cannot be assigned" from "unknown".
    """
    found: dict[str, Account] = {}
    for handle in dict.fromkeys(handles):
        person = _one(client, project_key, handle.strip())
        if person is not None:
            found[handle] = person
    return found


def _one(client: JiraClient, project_key: str | None, handle: str) -> Account | None:
    if not handle:
        return None
    how = {"query": handle} if "@" in handle else {"accountId": handle}
    if project_key is not None:
        query: dict[str, str | int] = {"project": project_key, "maxResults": _PAGE, **how}
        person = match(client.get_list("user/assignable/search", query), handle)
        if person is not None:
            return account(person, assignable=True)
    person = match(client.get_list("user/search", {"maxResults": _PAGE, **how}), handle)
    return account(person, assignable=None if project_key is None else False)


def match(users: list[Any], handle: str) -> dict[str, Any] | None:
    """The one user whom a handle means.

    An account id must be equal; an e-mail address equal but for case. Jira hides addresses from others by default
    (profile visibility); then a search for the whole address that has one hit, without an address, is that person.
    """
    people = [one for one in users if isinstance(one, dict) and one.get("accountId")]
    if "@" not in handle:
        return next((one for one in people if one["accountId"] == handle), None)
    equal = [one for one in people if str(one.get("emailAddress") or "").casefold() == handle.casefold()]
    if len(equal) == 1:
        return equal[0]
    if not equal and len(people) == 1 and not people[0].get("emailAddress"):
        return people[0]
    return None
