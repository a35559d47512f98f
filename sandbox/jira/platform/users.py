"""People: who am I, look-ups, searches, pickers, groups."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access, errors, seed
from sandbox.jira.errors import bad_request, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Group, Project, User
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

SCAN_LIMIT = 1000  # the vendor looks at the first thousand people only, then filters


@routes.get("/myself")
async def myself(call: Call) -> Response:
    """The caller, with groups and roles if expanded."""
    return answer(call.view.person(call.caller(), frozenset(call.query_list("expand"))))


@routes.get("/user")
async def get_user(call: Call) -> Response:
    """One person by account id."""
    call.caller()
    wanted = call.query("accountId")
    if call.query("username") or call.query("key"):
        raise bad_request(errors.ONLY_ACCOUNT_ID)
    if wanted is None:
        raise bad_request("The query parameter 'accountId' is required.")
    user = call.site.data.users.get(wanted)
    if user is None:
        raise not_found("Specified user does not exist or you do not have required permissions")
    return answer(call.view.person(user, frozenset(call.query_list("expand"))))


@routes.post("/user")
async def create_user(call: Call) -> Response:
    """Invite somebody; an address that is known answers with that person."""
    access.require_admin(call)
    allowed = ("applicationKeys", "displayName", "emailAddress", "key", "name", "password", "products", "self")
    body = await call.members(allowed=(*allowed, "notification"))
    email = body.get("emailAddress")
    if not isinstance(email, str) or "@" not in email:
        raise bad_request(emailAddress="The email address is invalid.")
    if not isinstance(body.get("products"), list):
        raise bad_request(products="The products are required; an empty list gives access to none.")  # wording unsure
    user = call.site.user_by_email(email)
    if user is None:
        name = str(body.get("displayName") or email.partition("@")[0])
        user = User(seed.account_id(email), name, email)
        call.site.data.users[user.account_id] = user
        call.site.touch()
    return answer(call.view.person(user), 201)


@routes.delete("/user")
async def delete_user(call: Call) -> Response:
    """Take a person off the site; what they wrote stays, so the account stays known and inactive."""
    access.require_admin(call)
    user = call.site.data.users.get(call.query("accountId") or "")
    if user is None:
        raise not_found("Specified user does not exist or you do not have required permissions")
    user.active = False
    call.site.touch()
    return no_content()


def _matches(user: User, query: str | None, account: str | None) -> bool:
    if account is not None:
        return user.account_id == account
    text = (query or "").lower()
    if query == user.account_id:  # not documented, but clients look people up like this; unsure
        return True
    words = [user.display_name.lower(), user.email.lower(), *user.display_name.lower().split()]
    return any(word.startswith(text) for word in words)


def _slice(call: Call, users: Iterable[User], *, default: int = 50) -> list[User]:
    start, size = call.query_int("startAt", 0), call.query_int("maxResults", default, high=1000)
    return list(users)[start : start + size]


def _everybody(call: Call) -> list[User]:
    found = sorted(call.site.data.users.values(), key=lambda user: user.display_name)
    return found[:SCAN_LIMIT]


@routes.get("/user/search")
async def search_users(call: Call) -> Response:
    """People by the start of a name or address, by account id, or by property; inactive ones too."""
    if call.user is None or not access.allowed(call.site, call.user, "USER_PICKER"):
        return answer([])
    query, account = _purpose(call)
    prop = call.query("property")
    if query is None and account is None and prop is None:
        raise bad_request("One of the query parameters 'query', 'accountId' or 'property' is required.")
    found = [u for u in _everybody(call) if _matches(u, query, account)]
    return answer([call.view.user(u) for u in _slice(call, found)])


@routes.get("/users/search", "/users")
async def all_users(call: Call) -> Response:
    """Everybody, inactive ones too."""
    access.require(call, "USER_PICKER")
    return answer([call.view.user(user) for user in _slice(call, _everybody(call))])


@routes.get("/user/bulk")
async def bulk_users(call: Call) -> Response:
    """People by account ids, paged; unknown ids are left out."""
    call.caller()
    wanted = call.request.query_params.getlist("accountId")
    if not wanted:
        raise bad_request("The query parameter 'accountId' is required.")
    users = [call.site.data.users[key] for key in dict.fromkeys(wanted) if key in call.site.data.users]
    return answer(page(call, users, call.view.user, default=10, cap=200))


@routes.get("/user/bulk/migration")
async def user_migration(call: Call) -> Response:
    """Old names to account ids: there are no old names."""
    call.caller()
    return answer([])


@routes.get("/user/email", "/user/email/bulk")
async def user_email(call: Call) -> Response:
    """Open to approved apps only."""
    call.caller()
    raise not_found("The requested resource is available to apps only.")


# -- searches for a purpose ----------------------------------------------------------------------------------------


def _purpose(call: Call) -> tuple[str | None, str | None]:
    """Whom to look for: words or an account id, never a user name."""
    query, account = call.query("query"), call.query("accountId")
    if call.query("username") is not None:
        raise bad_request(errors.NO_USERNAME)
    if query is not None and account is not None:
        raise bad_request("The query parameters 'query' and 'accountId' cannot be used together.")
    return query, account


@routes.get("/user/assignable/search")
async def assignable_users(call: Call) -> Response:
    """People to whom an issue, or issues of a project, may be assigned."""
    issue_key, project_key = call.query("issueKey") or call.query("issueId"), call.query("project")
    if issue_key is None and project_key is None:
        raise bad_request("Either the 'project' or the 'issueKey' query parameter needs to be provided")
    query, account = _purpose(call)
    call.caller()
    if issue_key is not None:
        project = access.issue_project(call, access.issue_for(call, issue_key))
    else:
        project = access.project_for(call, project_key or "")
    return answer([call.view.user(user) for user in _assignable(call, [project], query, account)])


def _assignable(call: Call, projects: list[Project], query: str | None, account: str | None) -> list[User]:
    part = _slice(call, _everybody(call))  # the vendor cuts the page first and filters it then
    return [
        user
        for user in part
        if _matches(user, query, account) and all(access.assignable(call.site, user, p) for p in projects)
    ]


@routes.get("/user/assignable/multiProjectSearch")
async def assignable_in_projects(call: Call) -> Response:
    """People to whom issues of all the named projects may be assigned."""
    keys = call.query_list("projectKeys")
    if not keys:
        raise bad_request("The query parameter 'projectKeys' is required.")
    query, account = _purpose(call)
    call.caller()
    projects = [access.project_for(call, key) for key in keys]
    return answer([call.view.user(user) for user in _assignable(call, projects, query, account)])


@routes.get("/user/viewissue/search")
async def users_who_see(call: Call) -> Response:
    """People who may browse an issue or project."""
    query, account = _purpose(call)
    call.caller()
    if call.query("issueKey"):
        project = access.issue_project(call, access.issue_for(call, call.query("issueKey")))
    elif call.query("projectKey"):
        project = access.project_for(call, call.query("projectKey") or "")
    else:
        raise bad_request("Either the 'projectKey' or the 'issueKey' query parameter needs to be provided")
    seeing = [u for u in _everybody(call) if access.sees(call.site, u, project) and _matches(u, query, account)]
    return answer([call.view.user(user) for user in _slice(call, seeing)])


@routes.get("/user/permission/search")
async def users_with_permissions(call: Call) -> Response:
    """People who hold all the named permissions on a project or issue."""
    query, account = _purpose(call)
    wanted = call.query_list("permissions")
    if not wanted:
        raise bad_request("The query parameter 'permissions' is required.")
    if call.query("issueKey"):
        project = access.issue_project(call, access.issue_for(call, call.query("issueKey")))
    else:
        project = access.project_for(call, call.query("projectKey") or "")
    access.require(call, "ADMINISTER_PROJECTS", project)
    found = [
        user
        for user in _everybody(call)
        if _matches(user, query, account) and all(access.allowed(call.site, user, p, project) for p in wanted)
    ]
    return answer([call.view.user(user) for user in _slice(call, found)])


@routes.get("/user/picker")
async def user_picker(call: Call) -> Response:
    """People for a pick list, with the matching part in bold."""
    query = call.query("query")
    if query is None:
        raise bad_request("The query parameter 'query' is required.")
    if call.user is None:
        return answer({"users": [], "total": 0, "header": "Showing 0 of 0 matching users"})
    return answer(found_users(call, query))


def found_users(call: Call, query: str) -> Body:
    """The people who fit what was typed, as pick lists show them."""
    excluded = set(call.request.query_params.getlist("excludeAccountIds"))
    found = [u for u in _everybody(call) if u.active and u.account_id not in excluded and _matches(u, query, None)]
    shown = found[: call.query_int("maxResults", 50, high=1000)]
    avatar = call.query_bool("showAvatar")
    header = f"Showing {len(shown)} of {len(found)} matching users"
    users = [_picked(call, u, query, avatar=avatar) for u in shown]
    return {"users": users, "total": len(found), "header": header}


def _picked(call: Call, user: User, query: str, *, avatar: bool) -> Body:
    name = escape(user.display_name)
    if user.display_name.lower().startswith(query.lower()):
        cut = len(query)
        name = f"<strong>{escape(user.display_name[:cut])}</strong>{escape(user.display_name[cut:])}"
    body: Body = {
        "accountId": user.account_id,
        "accountType": "atlassian",
        "html": f"{name} - {escape(user.email)}",
        "displayName": user.display_name,
    }
    return body | {"avatarUrl": call.view.avatar("user", user.account_id)} if avatar else body


@routes.get("/user/groups")
async def user_groups(call: Call) -> Response:
    """The groups of a person."""
    call.caller()
    account = call.query("accountId") or ""
    return answer([call.view.group(g) for g in call.site.data.groups.values() if account in g.members])


@routes.get("/user/columns")
async def user_columns(call: Call) -> Response:
    """The issue table columns of the caller: the site's defaults."""
    call.caller()
    fields = call.site.data.fields
    return answer([{"label": fields[key].name, "value": key} for key in ("issuetype", "summary", "assignee", "status")])


# -- groups --------------------------------------------------------------------------------------------------------


def _group(call: Call) -> Group:
    name, identifier = call.query("groupname"), call.query("groupId")
    if name is None and identifier is None:
        raise bad_request("Either the 'groupname' or the 'groupId' query parameter needs to be provided")
    for group in call.site.data.groups.values():
        if group.group_id == identifier or (identifier is None and group.name == name):
            return group
    raise not_found(f"Group '{name or identifier}' does not exist.")


@routes.get("/group/member")
async def group_members(call: Call) -> Response:
    """The members of a group, paged; inactive ones only if asked for."""
    access.require(call, "USER_PICKER")
    group = _group(call)
    users = [call.site.data.users[key] for key in group.members]
    if not call.query_bool("includeInactiveUsers"):
        users = [user for user in users if user.active]
    return answer(page(call, users, call.view.user, cap=50))


@routes.get("/group")
async def get_group(call: Call) -> Response:
    """A group and its members, as far as expanded."""
    access.require(call, "USER_PICKER")
    group = _group(call)
    expanded = any(part.startswith("users") for part in call.query_list("expand"))
    members = [call.view.user(key) for key in group.members] if expanded else []
    users = {"size": len(group.members), "items": members, "max-results": 50, "start-index": 0}
    return answer({**call.view.group(group), "users": {**users, "end-index": len(members)}, "expand": "users"})


@routes.post("/group")
async def create_group(call: Call) -> Response:
    """Create a group."""
    access.require_admin(call)
    body = await call.members()
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise bad_request("A group name is required.")
    if any(group.name == name for group in call.site.data.groups.values()):
        raise bad_request("A group or user with this name already exists.")
    group = Group(f"group-{call.site.next_id('group', 1)}", name)
    call.site.data.groups[group.group_id] = group
    call.site.touch()
    return answer({**call.view.group(group), "users": {"size": 0, "items": []}, "expand": "users"}, 201)


@routes.delete("/group")
async def delete_group(call: Call) -> Response:
    """Delete a group."""
    access.require_admin(call)
    del call.site.data.groups[_group(call).group_id]
    call.site.touch()
    return answer(None, 200)


@routes.post("/group/user")
async def add_to_group(call: Call) -> Response:
    """Put a person into a group."""
    access.require_admin(call)
    group = _group(call)
    body = await call.members()
    account = body.get("accountId")
    if account is None and body.get("name") is not None:
        raise bad_request(errors.ONLY_ACCOUNT_ID)
    if account not in call.site.data.users:
        raise not_found("Specified user does not exist or you do not have required permissions")
    if account in group.members:
        raise bad_request("Cannot add user. User is already a member of the group.")
    group.members.append(account)
    call.site.touch()
    return answer({**call.view.group(group), "users": {"size": len(group.members), "items": []}}, 201)


@routes.delete("/group/user")
async def remove_from_group(call: Call) -> Response:
    """Take a person out of a group."""
    access.require_admin(call)
    group = _group(call)
    account = call.query("accountId")
    if call.query("username") is not None:
        raise bad_request(errors.ONLY_ACCOUNT_ID)
    if account not in group.members:
        raise bad_request("Cannot remove user. User is not a member of the group.")
    group.members.remove(account or "")
    call.site.touch()
    return answer(None, 200)


@routes.get("/groups/picker")
async def pick_groups(call: Call) -> Response:
    """Groups whose name contains some letters."""
    call.caller()
    return answer(found_groups(call, call.query("query") or ""))


def found_groups(call: Call, query: str) -> Body:
    """The groups that fit what was typed, as pick lists show them."""
    found = [g for g in call.site.data.groups.values() if query.lower() in g.name.lower()]
    shown = [
        {"name": g.name, "groupId": g.group_id, "html": escape(g.name), "labels": []}
        for g in found[: call.query_int("maxResults", 20, high=1000)]
    ]
    return {"header": f"Showing {len(shown)} of {len(found)} matching groups", "total": len(found), "groups": shown}


@routes.get("/group/bulk")
async def bulk_groups(call: Call) -> Response:
    """Groups by ids or names, or all, paged."""
    access.require_admin(call)
    ids, names = set(call.query_list("groupId")), set(call.request.query_params.getlist("groupName"))
    groups = [
        g for g in call.site.data.groups.values() if (not ids and not names) or g.group_id in ids or g.name in names
    ]
    return answer(page(call, groups, lambda g: {"name": g.name, "groupId": g.group_id}))
