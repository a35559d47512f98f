"""Saved searches; boards stand on them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access
from sandbox.jira.errors import ApiError, bad_request
from sandbox.jira.jql import JqlError, parse
from sandbox.jira.jql_search import prepare
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Filter, User
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

_MEMBERS = (
    "approximateLastUsed",
    "description",
    "editPermissions",
    "favourite",
    "favouritedCount",
    "id",
    "jql",
    "name",
    "owner",
    "searchUrl",
    "self",
    "sharePermissions",
    "sharedUsers",
    "subscriptions",
    "viewUrl",
)


def visible(call: Call, saved: Filter) -> bool:
    """Whether the caller may use a filter: their own, shared with everybody, or with a project they may see."""
    user = call.user
    if user is not None and (saved.owner == user.account_id or user.role == "admin"):
        return True
    for share in saved.share_permissions:
        if share["type"] == "global" or (share["type"] in {"loggedin", "authenticated"} and user is not None):
            return True
        project = call.site.find_project(str(share.get("project", "")))
        if share["type"] == "project" and project is not None and access.sees(call.site, user, project):
            return True
        group = call.site.data.groups.get(str(share.get("group", "")))
        if group is not None and user is not None and user.account_id in group.members:
            return True
    return False


def _filter(call: Call, *, manage: bool = False) -> Filter:
    found = call.site.data.filters.get(call.path["id"])
    if found is None or not visible(call, found):
        raise bad_request(
            f"The selected filter with id '{call.path['id']}' doesn't exist or you don't have permission to access it."
        )
    if manage and found.owner != call.caller().account_id and not access.allowed(call.site, call.user, "ADMINISTER"):
        raise bad_request("You can only edit filters you own.")
    return found


def _share_body(call: Call, share: dict[str, Any]) -> Body:
    body: Body = {"id": share["id"], "type": share["type"]}
    if share["type"] == "project" and share["project"] in call.site.data.projects:
        body["project"] = call.view.project_ref(share["project"])
    if share["type"] == "group":
        body["group"] = call.view.group(call.site.data.groups[share["group"]])
    return body


def filter_body(call: Call, saved: Filter) -> Body:
    """A filter as its own resource."""
    user = call.user
    people = {"size": 0, "items": [], "max-results": 1000, "start-index": 0, "end-index": 0}
    return {
        "self": call.link(f"/filter/{saved.id}"),
        "id": saved.id,
        "name": saved.name,
        "description": saved.description,
        "owner": call.view.user(saved.owner),
        "jql": saved.jql,
        "viewUrl": call.url(f"/issues/?filter={saved.id}"),
        "searchUrl": call.link(f"/search?jql={quote(saved.jql)}"),
        "favourite": user is not None and user.account_id in saved.favourited_by,
        "favouritedCount": len(saved.favourited_by),
        "sharePermissions": [_share_body(call, share) for share in saved.share_permissions],
        "editPermissions": [_share_body(call, share) for share in saved.edit_permissions],
        "sharedUsers": people,
        "subscriptions": people,
    }


def _shares(call: Call, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise bad_request("The share permissions are not valid.")
    return [_share(call, part) for part in value]


def _share(call: Call, part: Any) -> dict[str, Any]:
    """A share permission in the form it is kept: its type and the id of what it is shared with."""
    kind = part.get("type") if isinstance(part, dict) else None
    share: dict[str, Any] = {"id": call.site.next_id("share_permission"), "type": kind}
    if any(not isinstance(part.get(name) or {}, dict) for name in ("project", "group") if isinstance(part, dict)):
        raise bad_request("The share permission is not valid.")
    if kind == "project":
        named = part.get("project") or {}
        share["project"] = access.project_for(
            call, str(part.get("projectId") or named.get("id") or named.get("key"))
        ).id
    elif kind == "group":
        named = part.get("group") or {}
        words = (part.get("groupname"), part.get("groupId"), named.get("name"), named.get("groupId"))
        wanted = {word for word in words if isinstance(word, str)}
        group = next((g for g in call.site.data.groups.values() if {g.name, g.group_id} & wanted), None)
        if group is None:
            raise bad_request("The group of the share permission does not exist.")
        share["group"] = group.group_id
    elif kind not in ("global", "loggedin", "authenticated"):
        raise bad_request(f"The share permission type '{kind}' is not supported.")
    return share


def _check_jql(call: Call, user: User, jql: Any) -> str:
    if not isinstance(jql, str):
        raise bad_request(jql="The JQL must be a string.")
    try:
        prepare(call.site, user, parse(jql))
    except JqlError as error:
        raise ApiError(400, *error.messages) from None
    return jql


def _check_name(call: Call, user: User, name: Any, but: Filter | None = None) -> str:
    if not isinstance(name, str) or not name.strip():
        raise bad_request(filterName="You must specify a name to save this filter as.")
    own = (f for f in call.site.data.filters.values() if f.owner == user.account_id and f is not but)
    if any(f.name == name.strip() for f in own):
        raise bad_request(filterName="Filter with same name already exists.")
    return name.strip()


@routes.post("/filter")
async def create_filter(call: Call) -> Response:
    """Save a search."""
    user = call.caller()
    body = await call.members(allowed=_MEMBERS)
    name = _check_name(call, user, body.get("name"))
    saved = Filter(
        str(call.site.next_id("filter")),
        name,
        _check_jql(call, user, body.get("jql", "")),
        user.account_id,
        str(body.get("description") or ""),
        [user.account_id] if body.get("favourite") else [],
        _shares(call, body.get("sharePermissions") or []),
        _shares(call, body.get("editPermissions") or []),
    )
    call.site.data.filters[saved.id] = saved
    call.site.touch()
    return answer(filter_body(call, saved))


@routes.get("/filter/my")
async def my_filters(call: Call) -> Response:
    """The caller's own filters."""
    user = call.caller()
    own = [f for f in call.site.data.filters.values() if f.owner == user.account_id]
    return answer([filter_body(call, saved) for saved in own])


@routes.get("/filter/favourite")
async def favourites(call: Call) -> Response:
    """The caller's favourite filters."""
    account = call.user.account_id if call.user else ""
    found = [f for f in call.site.data.filters.values() if account in f.favourited_by and visible(call, f)]
    return answer([filter_body(call, saved) for saved in found])


@routes.get("/filter/search")
async def search_filters(call: Call) -> Response:
    """Filters by name, id, owner and project, paged; the parts beyond the name only as expanded."""
    words, ids = (call.query("filterName") or "").lower(), set(call.query_list("id"))
    owner, project = call.query("accountId"), call.query("projectId")
    found = [
        f
        for f in call.site.data.filters.values()
        if visible(call, f)
        and words in f.name.lower()
        and (not ids or f.id in ids)
        and (owner is None or f.owner == owner)
        and (project is None or any(share.get("project") == project for share in f.share_permissions))
    ]
    order = call.query("orderBy", "name") or "name"
    if order.lstrip("+-") == "id":
        found.sort(key=lambda f: int(f.id), reverse=order.startswith("-"))
    else:
        found.sort(key=lambda f: f.name.lower(), reverse=order.startswith("-"))
    expand = set(call.query_list("expand"))
    return answer(page(call, found, lambda f: _detail(call, f, expand)))


def _detail(call: Call, saved: Filter, expand: set[str]) -> Body:
    always = {"self", "id", "name"}
    body = {key: value for key, value in filter_body(call, saved).items() if key in always | expand}
    body.pop("sharedUsers", None)
    if "subscriptions" in expand:
        body["subscriptions"] = []
    text = "description,owner,jql,viewUrl,searchUrl,favourite,favouritedCount,sharePermissions,editPermissions"
    return {"expand": text, **body}


@routes.get("/filter/defaultShareScope")
async def default_scope(call: Call) -> Response:
    """With whom new filters are shared."""
    call.caller()
    return answer({"scope": "PRIVATE"})


@routes.get("/filter/{id}")
async def get_filter(call: Call) -> Response:
    """One filter."""
    return answer(filter_body(call, _filter(call)))


@routes.put("/filter/{id}")
async def update_filter(call: Call) -> Response:
    """Change a filter."""
    user = call.caller()
    saved = _filter(call, manage=True)
    body = await call.members(allowed=_MEMBERS)
    if "name" in body:
        saved.name = _check_name(call, user, body["name"], saved)
    if "jql" in body:
        saved.jql = _check_jql(call, user, body["jql"])
    saved.description = str(body.get("description", saved.description) or "")
    if "sharePermissions" in body:
        saved.share_permissions = _shares(call, body["sharePermissions"] or [])
    if "favourite" in body:
        _favour(saved, user, on=bool(body["favourite"]))
    call.site.touch()
    return answer(filter_body(call, saved))


def _favour(saved: Filter, user: User, *, on: bool) -> None:
    saved.favourited_by = [key for key in saved.favourited_by if key != user.account_id]
    if on:
        saved.favourited_by.append(user.account_id)


@routes.delete("/filter/{id}")
async def delete_filter(call: Call) -> Response:
    """Delete a filter."""
    saved = _filter(call, manage=True)
    del call.site.data.filters[saved.id]
    call.site.touch()
    return no_content()


@routes.put("/filter/{id}/favourite")
async def add_favourite(call: Call) -> Response:
    """Make a filter a favourite."""
    saved = _filter(call)
    _favour(saved, call.caller(), on=True)
    call.site.touch()
    return answer(filter_body(call, saved))


@routes.delete("/filter/{id}/favourite")
async def remove_favourite(call: Call) -> Response:
    """Make a filter no favourite any more."""
    saved = _filter(call)
    _favour(saved, call.caller(), on=False)
    call.site.touch()
    return answer(filter_body(call, saved))


@routes.get("/filter/{id}/permission")
async def share_permissions(call: Call) -> Response:
    """With whom a filter is shared."""
    return answer([_share_body(call, share) for share in _filter(call).share_permissions])


@routes.post("/filter/{id}/permission")
async def add_share_permission(call: Call) -> Response:
    """Share a filter with somebody more."""
    saved = _filter(call, manage=True)
    saved.share_permissions.append(_share(call, await call.members()))
    call.site.touch()
    return answer([_share_body(call, share) for share in saved.share_permissions], 201)


@routes.delete("/filter/{id}/permission/{permissionId}")
async def delete_share_permission(call: Call) -> Response:
    """Share a filter with somebody less."""
    saved = _filter(call, manage=True)
    wanted = call.path["permissionId"]
    saved.share_permissions = [share for share in saved.share_permissions if str(share["id"]) != wanted]
    call.site.touch()
    return no_content()


@routes.put("/filter/{id}/owner")
async def change_owner(call: Call) -> Response:
    """Give a filter to somebody else."""
    saved = _filter(call, manage=True)
    account = (await call.members()).get("accountId")
    if account not in call.site.data.users:
        raise bad_request("The user does not exist.")
    saved.owner = str(account)
    call.site.touch()
    return no_content()


@routes.get("/filter/{id}/columns")
async def columns(call: Call) -> Response:
    """The columns of a filter: the site's defaults."""
    _filter(call)
    fields = call.site.data.fields
    return answer([{"label": fields[key].name, "value": key} for key in ("issuetype", "summary", "assignee", "status")])
