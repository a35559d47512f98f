"""What is set on projects: roles and their actors, features, categories, and the schemes that clients look up."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, Routes, answer, no_content, page
from sandbox.jira import access
from sandbox.jira.errors import ApiError, bad_request, not_found
from sandbox.jira.platform import PREFIXES
from sandbox.jira.state import Actor, Category, Project, Role
from sandbox.jira.views import Body

routes = Routes(*PREFIXES)

USER_ACTOR, GROUP_ACTOR = "atlassian-user-role-actor", "atlassian-group-role-actor"


def _project(call: Call, *, manage: bool = False) -> Project:
    project = access.project_for(call, call.path["projectIdOrKey"])
    if manage:
        access.require(call, "ADMINISTER_PROJECTS", project)
    return project


# -- roles ---------------------------------------------------------------------------------------------------------


def _role(call: Call) -> Role:
    wanted = call.path["id"]
    found = call.site.data.roles.get(int(wanted)) if wanted.isdigit() else None
    if found is None:
        raise not_found(f"Can not retrieve a project role with a role id of {wanted}.")
    return found


def _actor_body(call: Call, actor: Actor) -> Body:
    data = call.site.data
    body: Body = {"id": actor.id, "type": actor.type}
    if actor.type == GROUP_ACTOR:
        name = data.groups[actor.target].name
        group = {"name": name, "displayName": name, "groupId": actor.target}
        return body | {"displayName": name, "name": name, "actorGroup": group}
    user = data.users[actor.target]
    return body | {"displayName": user.display_name, "actorUser": {"accountId": user.account_id}}


def _known(call: Call, actor: Actor) -> bool:
    return actor.target in (call.site.data.groups if actor.type == GROUP_ACTOR else call.site.data.users)


def role_body(call: Call, role: Role, actors: list[Actor], base: str) -> Body:
    """A role with its actors."""
    return {
        "self": call.link(f"{base}/role/{role.id}" if base else f"/role/{role.id}"),
        "name": role.name,
        "id": role.id,
        "description": role.description,
        "actors": [_actor_body(call, actor) for actor in actors if _known(call, actor)],
    }


@routes.get("/project/{projectIdOrKey}/role")
async def project_roles(call: Call) -> Response:
    """The addresses of a project's roles by name."""
    project = _project(call)
    roles = call.site.data.roles.values()
    return answer({role.name: call.link(f"/project/{project.id}/role/{role.id}") for role in roles})


@routes.get("/project/{projectIdOrKey}/roledetails")
async def project_role_details(call: Call) -> Response:
    """The roles of a project with descriptions."""
    project = _project(call)
    return answer(
        [
            {
                "self": call.link(f"/project/{project.id}/role/{role.id}"),
                "name": role.name,
                "id": role.id,
                "description": role.description,
                "admin": role.admin,
                "default": role.default,
                "roleConfigurable": True,
                "translatedName": role.name,
            }
            for role in call.site.data.roles.values()
        ]
    )


@routes.get("/project/{projectIdOrKey}/role/{id}")
async def project_role(call: Call) -> Response:
    """A role of a project with its actors."""
    project, role = _project(call), _role(call)
    return answer(role_body(call, role, project.role_actors.get(role.id, []), f"/project/{project.id}"))


def _targets(call: Call, body: Body) -> list[tuple[str, str]]:
    """Actors named in a body by ``user``, ``group`` and ``groupId``, or in the categorised form of PUT."""
    data = call.site.data
    found: list[tuple[str, str]] = []
    for account in body.get("user") or []:
        if account not in data.users:
            raise not_found(f"User '{account}' does not exist.")
        found.append((USER_ACTOR, account))
    for name in body.get("group") or []:
        group = next((g for g in data.groups.values() if g.name == name), None)
        if group is None:
            raise not_found(f"Group '{name}' does not exist.")
        found.append((GROUP_ACTOR, group.group_id))
    for identifier in body.get("groupId") or []:
        if identifier not in data.groups:
            raise not_found(f"Group '{identifier}' does not exist.")
        found.append((GROUP_ACTOR, identifier))
    return found


def _actor(call: Call, kind: str, target: str) -> Actor:
    return Actor(call.site.next_id("role_actor"), kind, target)


def _add(call: Call, actors: list[Actor], targets: list[tuple[str, str]]) -> None:
    if not targets:
        raise bad_request("At least one actor must be specified.")
    for kind, target in targets:
        if any(a.type == kind and a.target == target for a in actors):
            raise bad_request(f"'{target}' is already a member of the project role.")
        actors.append(_actor(call, kind, target))
    call.site.touch()


@routes.post("/project/{projectIdOrKey}/role/{id}")
async def add_project_actors(call: Call) -> Response:
    """Put people or groups into a role of a project."""
    project, role = _project(call, manage=True), _role(call)
    body = await call.members(allowed=("user", "group", "groupId"))
    actors = project.role_actors.setdefault(role.id, [])
    _add(call, actors, _targets(call, body))
    return answer(role_body(call, role, actors, f"/project/{project.id}"))


@routes.put("/project/{projectIdOrKey}/role/{id}")
async def set_project_actors(call: Call) -> Response:
    """Replace everybody in a role of a project."""
    project, role = _project(call, manage=True), _role(call)
    body = await call.members(allowed=("categorisedActors", "id"))
    named: Any = body.get("categorisedActors") or {}
    if not isinstance(named, dict):
        raise bad_request("The actors are not valid.")
    groups = named.get(GROUP_ACTOR) or []
    targets = _targets(call, {"user": named.get(USER_ACTOR) or [], "group": groups})
    targets += _targets(call, {"groupId": named.get("atlassian-group-role-actor-id") or []})
    project.role_actors[role.id] = [_actor(call, kind, target) for kind, target in targets]
    call.site.touch()
    return answer(role_body(call, role, project.role_actors[role.id], f"/project/{project.id}"))


def _drop(call: Call, actors: list[Actor]) -> None:
    """Remove the actor named in the query; 404 if they are not in the role."""
    named = {key: [value] for key in ("user", "group", "groupId") if (value := call.query(key)) is not None}
    if len(named) != 1:
        raise bad_request("Specify one of 'user', 'group' and 'groupId'.")
    kind, target = _targets(call, named)[0]
    found = next((a for a in actors if a.type == kind and a.target == target), None)
    if found is None:
        raise not_found(f"'{target}' is not a member of the project role.")
    actors.remove(found)
    call.site.touch()


@routes.delete("/project/{projectIdOrKey}/role/{id}")
async def delete_project_actor(call: Call) -> Response:
    """Take somebody out of a role of a project."""
    project, role = _project(call, manage=True), _role(call)
    _drop(call, project.role_actors.setdefault(role.id, []))
    return no_content()


@routes.get("/role")
async def roles(call: Call) -> Response:
    """Every role of the site with its default actors."""
    access.require_admin(call)
    return answer([role_body(call, role, role.default_actors, "") for role in call.site.data.roles.values()])


@routes.post("/role")
async def create_role(call: Call) -> Response:
    """Add a role to the site."""
    access.require_admin(call)
    body = await call.members(allowed=("name", "description"))
    role = Role(call.site.next_id("role", 10100), _role_name(call, body), str(body.get("description") or ""))
    call.site.data.roles[role.id] = role
    call.site.touch()
    return answer(role_body(call, role, [], ""))


def _role_name(call: Call, body: Body, but: Role | None = None) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise bad_request(name="The role name cannot be empty.")
    if any(r.name == name and r is not but for r in call.site.data.roles.values()):
        raise ApiError(409, f"A project role with name '{name}' already exists.")
    return name.strip()


@routes.get("/role/{id}", "/role/{id}/actors")
async def get_role(call: Call) -> Response:
    """A role with its default actors."""
    access.require_admin(call)
    role = _role(call)
    return answer(role_body(call, role, role.default_actors, ""))


@routes.post("/role/{id}")
async def rename_role(call: Call) -> Response:
    """Change a role's name or description."""
    access.require_admin(call)
    role = _role(call)
    body = await call.members(allowed=("name", "description"))
    if not body.get("name") and not body.get("description"):
        raise bad_request("Either the name or the description is required.")
    if body.get("name"):  # the vendor takes the name alone when both are sent
        role.name = _role_name(call, body, role)
    else:
        role.description = str(body["description"])
    call.site.touch()
    return answer(role_body(call, role, role.default_actors, ""))


@routes.put("/role/{id}")
async def replace_role(call: Call) -> Response:
    """Replace a role's name and description."""
    access.require_admin(call)
    role = _role(call)
    body = await call.members(allowed=("name", "description"), required=("name", "description"))
    role.name, role.description = _role_name(call, body, role), str(body["description"])
    call.site.touch()
    return answer(role_body(call, role, role.default_actors, ""))


@routes.delete("/role/{id}")
async def delete_role(call: Call) -> Response:
    """Delete a role; who is in it moves to the one of ``swap``, if named."""
    access.require_admin(call)
    role = _role(call)
    swap = call.query_int("swap", 0)
    if swap and swap not in call.site.data.roles:
        raise not_found(f"Can not retrieve a project role with a role id of {swap}.")
    for project in call.site.data.projects.values():
        actors = project.role_actors.pop(role.id, [])
        if swap:
            project.role_actors.setdefault(swap, []).extend(actors)
    del call.site.data.roles[role.id]
    call.site.touch()
    return no_content()


@routes.post("/role/{id}/actors")
async def add_default_actors(call: Call) -> Response:
    """Put people or groups into a role of every new project."""
    access.require_admin(call)
    role = _role(call)
    _add(call, role.default_actors, _targets(call, await call.members(allowed=("user", "group", "groupId"))))
    return answer(role_body(call, role, role.default_actors, ""))


@routes.delete("/role/{id}/actors")
async def delete_default_actors(call: Call) -> Response:
    """Take somebody out of a role of every new project."""
    access.require_admin(call)
    role = _role(call)
    _drop(call, role.default_actors)
    return answer(role_body(call, role, role.default_actors, ""))


# -- features ------------------------------------------------------------------------------------------------------

_FEATURE_NAMES = {
    "roadmap": ("Timeline", "Plan epics on a timeline."),
    "sprints": ("Sprints", "Work in short periods of the same length."),
    "backlog": ("Backlog", "Keep upcoming work apart from the board."),
    "estimation": ("Estimation", "Estimate work in story points."),
    "board": ("Board", "See work in columns."),
    "reports": ("Reports", "See how work progresses."),
    "releases": ("Releases", "Group work into versions."),
    "code": ("Code", "Connect source code."),
}


def _features(call: Call, project: Project) -> Body:
    found = []
    for key, state in project.features.items():
        name, text = _FEATURE_NAMES[key.rpartition(".")[2]]
        found.append(
            {
                "projectId": int(project.id),
                "state": state,
                "toggleLocked": key.endswith(".board") or not project.team_managed,
                "feature": key,
                "prerequisites": ["jsw.agility.backlog"] if key == "jsw.agility.sprints" else [],
                "localisedName": name,
                "localisedDescription": text,
                "imageUri": call.url(f"/images/features/{key}.svg"),
            }
        )
    return {"features": found}


@routes.get("/project/{projectIdOrKey}/features")
async def project_features(call: Call) -> Response:
    """The features of a project and whether they are on."""
    return answer(_features(call, _project(call)))


@routes.put("/project/{projectIdOrKey}/features/{featureKey}")
async def toggle_feature(call: Call) -> Response:
    """Turn a feature of a team-managed project on or off; sprints need the backlog."""
    project, key = _project(call, manage=True), call.path["featureKey"]
    body = await call.members(allowed=("state",))
    if key not in project.features:
        raise not_found(f"The feature '{key}' does not exist.")
    if body.get("state") not in {"ENABLED", "DISABLED"}:
        raise bad_request("The state must be ENABLED or DISABLED.")
    if not project.team_managed or key.endswith(".board"):
        raise bad_request(f"The feature '{key}' cannot be toggled.")
    project.features[key] = body["state"]
    if key == "jsw.agility.sprints" and body["state"] == "ENABLED":
        project.features["jsw.agility.backlog"] = "ENABLED"
    call.site.touch()
    return answer(_features(call, project))


# -- categories ----------------------------------------------------------------------------------------------------


def _category(call: Call) -> Category:
    found = call.site.data.categories.get(call.path["id"])
    if found is None:
        raise not_found(f"Could not find project category with id {call.path['id']}.")
    return found


def _category_name(call: Call, name: Any, but: Category | None = None) -> str:
    if not isinstance(name, str) or not name.strip():
        raise bad_request(name="The project category name must not be empty.")
    if any(c.name.lower() == name.lower() and c is not but for c in call.site.data.categories.values()):
        raise ApiError(409, errors={"name": f"The project category '{name}' already exists"})
    return name.strip()


@routes.get("/projectCategory")
async def categories(call: Call) -> Response:
    """Every project category."""
    call.caller()
    return answer([call.view.project_category(c) for c in call.site.data.categories.values()])


@routes.post("/projectCategory")
async def create_category(call: Call) -> Response:
    """Add a project category."""
    access.require_admin(call)
    body = await call.members(allowed=("id", "name", "description", "self"))
    number = str(call.site.next_id("category"))
    category = Category(number, _category_name(call, body.get("name")), str(body.get("description") or ""))
    call.site.data.categories[number] = category
    call.site.touch()
    return answer(call.view.project_category(category), 201)


@routes.get("/projectCategory/{id}")
async def get_category(call: Call) -> Response:
    """One project category."""
    call.caller()
    return answer(call.view.project_category(_category(call)))


@routes.put("/projectCategory/{id}")
async def update_category(call: Call) -> Response:
    """Change a project category."""
    access.require_admin(call)
    category = _category(call)
    body = await call.members(allowed=("id", "name", "description", "self"))
    if "name" in body:
        category.name = _category_name(call, body["name"], category)
    category.description = str(body.get("description", category.description) or "")
    call.site.touch()
    return answer(call.view.project_category(category))


@routes.delete("/projectCategory/{id}")
async def delete_category(call: Call) -> Response:
    """Delete a project category; its projects keep none."""
    access.require_admin(call)
    category = _category(call)
    for project in call.site.data.projects.values():
        if project.category_id == category.id:
            project.category_id = None
    del call.site.data.categories[category.id]
    call.site.touch()
    return no_content()


# -- schemes that clients look up before they create a project -----------------------------------------------------


def _scheme(call: Call, kind: str, name: str, text: str) -> Body:
    return {"id": 10000, "self": call.link(f"/{kind}/10000"), "name": name, "description": text, "expand": ""}


@routes.get("/permissionscheme")
async def permission_schemes(call: Call) -> Response:
    """The one permission scheme."""
    call.caller()
    text = "The default scheme for software projects."
    return answer({"permissionSchemes": [_scheme(call, "permissionscheme", "Default software scheme", text)]})


@routes.get("/permissionscheme/{schemeId}", "/project/{projectIdOrKey}/permissionscheme")
async def permission_scheme(call: Call) -> Response:
    """The one permission scheme."""
    call.caller()
    return answer(_scheme(call, "permissionscheme", "Default software scheme", "The default scheme."))


@routes.get("/notificationscheme")
async def notification_schemes(call: Call) -> Response:
    """The one notification scheme, paged."""
    call.caller()
    return answer(page(call, [_scheme(call, "notificationscheme", "Default Notification Scheme", "")], lambda s: s))


@routes.get("/notificationscheme/{id}", "/project/{projectIdOrKey}/notificationscheme")
async def notification_scheme(call: Call) -> Response:
    """The one notification scheme."""
    call.caller()
    return answer(_scheme(call, "notificationscheme", "Default Notification Scheme", ""))


@routes.get("/issuesecurityschemes")
async def security_schemes(call: Call) -> Response:
    """The one issue security scheme; it has no levels, so it hides nothing."""
    access.require_admin(call)
    scheme = _scheme(call, "issuesecurityschemes", "Default", "")
    return answer({"issueSecuritySchemes": [{key: scheme[key] for key in ("id", "self", "name", "description")}]})


@routes.get("/project/{projectIdOrKey}/issuesecuritylevelscheme")
async def project_security_scheme(call: Call) -> Response:
    """No project uses an issue security scheme."""
    _project(call)
    raise not_found("The project has no issue security scheme.")


@routes.get("/project/{projectIdOrKey}/securitylevel")
async def project_security_levels(call: Call) -> Response:
    """No project has issue security levels."""
    _project(call)
    return answer({"levels": []})


def _named(call: Call, name: str) -> Response:
    access.require_admin(call)
    return answer(page(call, [{"id": "10000", "name": name, "description": ""}], lambda s: s))


@routes.get("/issuetypescheme")
async def issue_type_schemes(call: Call) -> Response:
    """The one issue type scheme."""
    return _named(call, "Default Issue Type Scheme")


@routes.get("/workflowscheme")
async def workflow_schemes(call: Call) -> Response:
    """The one workflow scheme."""
    return _named(call, "Default Workflow Scheme")


@routes.get("/priorityscheme")
async def priority_schemes(call: Call) -> Response:
    """The one priority scheme."""
    return _named(call, "Default priority scheme")
