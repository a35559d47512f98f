"""Everything that Jira would refuse, found by reading, in words that an administrator can act on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import CredentialsRefused, TrackerRefused
from connectors.jira.client import JiraClient
from connectors.jira.dialect import CLOUD, deployment_of, unsupported
from connectors.jira.layout import SPRINT_NAME_LIMIT, TITLE_LIMIT, Layout
from connectors.jira.mapping import create_element, issue_type
from connectors.jira.markup import DESCRIPTION_LIMIT, description
from connectors.jira.project_key import wrong_key
from connectors.mapped import Role
from connectors.values import (
    NAME_STAYS_TAKEN,
    Creation,
    Finding,
    Item,
    ItemKey,
    ItemKind,
    Priority,
    ProjectSpec,
    RemoteRef,
    Severity,
)

"""The form of a project key that Jira Cloud accepts unless its administrator changed it."""

_PROJECT_NAME_LIMIT = 80
_LABEL_LIMIT = 255
_ISSUES = (ItemKind.EPIC, ItemKind.TICKET)


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission by Jira's key and by the name administrators know it under."""

    key: str
    name: str
    purpose: str


BROWSE = Permission("BROWSE_PROJECTS", "Browse projects", "see the project")
CREATE = Permission("CREATE_ISSUES", "Create issues", "create epics and tickets")
EDIT = Permission("EDIT_ISSUES", "Edit issues", "mark tickets, change them and put them into sprints")
ASSIGN = Permission("ASSIGN_ISSUES", "Assign issues", "assign tickets to people")
LINK = Permission("LINK_ISSUES", "Link issues", "say which ticket waits for which")
SCHEDULE = Permission("SCHEDULE_ISSUES", "Schedule issues", "put tickets into sprints")
SPRINTS = Permission("MANAGE_SPRINTS_PERMISSION", "Manage sprints", "create, start and close sprints")
ADMINISTER = Permission("ADMINISTER", "Administer Jira", "create a project")
DELETE = Permission("DELETE_ISSUES", "Delete issues", "remove epics and tickets")
REMOVE_SPRINTS = Permission(SPRINTS.key, SPRINTS.name, "remove sprints")
UNLINK = Permission(LINK.key, LINK.name, "take links back")
REMOVE_PROJECT = Permission(ADMINISTER.key, ADMINISTER.name, "move a project to the trash")

_TO_REMOVE = {
    ItemKind.EPIC: DELETE,
    ItemKind.TICKET: DELETE,
    ItemKind.ITERATION: REMOVE_SPRINTS,
    ItemKind.LINK: UNLINK,
}
"""What removing takes in a project, by the vendor's document; the project itself takes `REMOVE_PROJECT`."""


_GRANT_EVERYWHERE = "in Jira's settings under System, Global permissions"

_US = ItemKey("phaseloop")
_ONE_OF_EACH = (
    Item(key=_US, kind=ItemKind.EPIC, title="Epic", text="Text"),
    Item(key=_US, kind=ItemKind.ITERATION, title="Iteration"),
    Item(
        key=_US,
        kind=ItemKind.TICKET,
        title="Ticket",
        text="Text",
        assignee="somebody",
        points=1,
        priority=Priority.MEDIUM,
        epic=_US,
    ),
    Item(key=_US, kind=ItemKind.LINK, title=""),
)


class Checker:
    """Looks at a project and a plan's items, and reports what blocks it."""

    def __init__(self, client: JiraClient, server_info: Callable[[], dict[str, Any]]) -> None:
        self._client = client
        self._server_info = server_info

    def check(self, spec: ProjectSpec, layout: Layout | None, items: Sequence[Item]) -> list[Finding]:
        """All findings; `layout` is None when the project is not there. Without items, whatever blocks
        the usual ones."""
        deployment = layout.deployment if layout else deployment_of(self._server_info())
        if (finding := unsupported(deployment, self._client.host)) is not None and deployment != CLOUD:
            return [finding]
        if layout is None:
            return [*self._new_project(spec), *_limits(items), *_labels(spec, items)]
        kinds = items or _ONE_OF_EACH
        permissions = needed(layout, kinds)
        items = [item for item in items if item.kind is not ItemKind.GUEST]  # only their place is written
        return [
            *self._permissions(permissions, layout.project_key, _grant_here(layout)),
            *_kinds(layout, kinds),
            *_required(layout, kinds),
            *_gaps(layout, kinds),
            *_limits(items),
            *_labels(spec, items),
            *_known_by(layout),
        ]

    def check_removing(self, spec: ProjectSpec, layout: Layout | None, removing: Collection[ItemKind]) -> list[Finding]:
        """What prevents removing items of these kinds."""
        if layout is None:
            return [self._not_visible(spec, "Check the key, or ask for the Browse projects permission in it.")]
        inside = [_TO_REMOVE[kind] for kind in _TO_REMOVE if kind in removing]
        if not layout.sprints:
            inside = [one for one in inside if one is not REMOVE_SPRINTS]
        found = self._permissions(list(dict.fromkeys([BROWSE, *inside])), layout.project_key, _grant_here(layout))
        if ItemKind.PROJECT in removing:
            found += self._permissions([REMOVE_PROJECT], None, _GRANT_EVERYWHERE)
            found.append(_stays_taken(spec))
        return found

    def _not_visible(self, spec: ProjectSpec, fix: str) -> Finding:
        if (trashed := in_trash(self._client, spec.key)) is not None:
            return trashed
        message = f"There is no project {spec.key} at {self._client.host} that the connection's account can see."
        return Finding(Severity.ERROR, "project-not-visible", message, fix, spec.key)

    def _new_project(self, spec: ProjectSpec) -> list[Finding]:
        if not spec.create:
            fix = (
                f"Check the key; or ask for the Browse projects permission in {spec.key}; or let phaseloop create"
                " the project."
            )
            return [self._not_visible(spec, fix)]
        found, taken = self._permissions([ADMINISTER], None, _GRANT_EVERYWHERE), False
        if (malformed := wrong_key(spec.key)) is not None:
            message, fix = malformed
            found.append(Finding(Severity.ERROR, "project-key-malformed", message, fix, spec.key))
        elif (refusal := self._key_refusal(spec.key)) is not None:
            fix = "Plan it under another key; a deleted project keeps its key until it leaves Jira's trash."
            in_use = Finding(Severity.ERROR, "project-key-taken", f"{spec.key}: {refusal}", fix, spec.key)
            found.append(in_trash(self._client, spec.key) or in_use)
            taken = True  # the name may be that same project's
        if not 1 < len(spec.name.strip()) <= _PROJECT_NAME_LIMIT:
            message = f"A Jira project's name has 2 to {_PROJECT_NAME_LIMIT} characters; this one has {len(spec.name)}."
            found.append(Finding(Severity.ERROR, "project-name-length", message, "Choose another name.", spec.key))
        elif not taken and (free := self._free_name(spec.name)) is not None:
            message = f'{self._client.host} has a project called "{spec.name}" already, perhaps in its trash.'
            fix = f'Choose another name, such as "{free}" (--name), or rename that project, or delete it for good.'
            found.append(Finding(Severity.ERROR, "project-name-taken", message, fix, spec.key))
        return found

    def _free_name(self, name: str) -> str | None:
        """The name that Jira offers in place of one that another project has, also one in the trash, which is not to be
        seen; None where the name is free, or Jira does not tell this account."""
        try:
            free = self._client.get("projectvalidate/validProjectName", {"name": name})
        except CredentialsRefused:
            raise
        except TrackerRefused:
            return None
        return free if isinstance(free, str) and free.casefold() != name.casefold() else None

    def _key_refusal(self, key: str) -> str | None:
        try:
            answer = self._client.get_object("projectvalidate/key", {"key": key})
        except TrackerRefused as error:
            return error.message
        errors = answer.get("errors")
        return str(next(iter(errors.values()))) if isinstance(errors, dict) and errors else None

    def _permissions(self, wanted: Sequence[Permission], project: str | None, where: str) -> list[Finding]:
        query: dict[str, str | int] = {"permissions": ",".join(one.key for one in wanted)}
        if project is not None:
            query["projectKey"] = project
        try:
            granted = self._client.get_object("mypermissions", query).get("permissions")
        except CredentialsRefused:
            raise
        except TrackerRefused as error:
            message = f"{self._client.host} does not tell this account's permissions: {error.message}"
            return [Finding(Severity.WARNING, "permissions-unreadable", message, error.fix, project or "")]
        granted = granted if isinstance(granted, dict) else {}
        scope = f" in project {project}" if project else f" at {self._client.host}"
        found = []
        for one in wanted:
            entry = granted.get(one.key)
            if isinstance(entry, dict) and entry.get("havePermission") is False:
                message = (
                    f'The connection\'s account lacks the "{one.name}" permission{scope}, needed to {one.purpose}.'
                )
                fix = f'Ask an administrator to grant "{one.name}" to that account {where}.'
                if one in (SPRINTS, SCHEDULE):
                    fix += " The board's filter decides: it is needed in every project the board shows."
                found.append(Finding(Severity.ERROR, "permission-missing", message, fix, one.key))
        return found


def _stays_taken(spec: ProjectSpec) -> Finding:
    """That what is removed goes to the trash, and keeps its key and its name there."""
    message = (
        f'The project goes to Jira\'s trash: its key {spec.key} and its name "{spec.name}" stay taken until it is '
        "deleted there."
    )
    fix = (
        f"To use them again, have an administrator of Jira delete {spec.key} permanently, or restore it, in Jira's "
        "settings under Projects, Trash; Jira itself deletes it after 60 days."
    )
    return Finding(Severity.INFO, NAME_STAYS_TAKEN, message, fix, spec.key)


def in_trash(client: JiraClient, key: str) -> Finding | None:
    """The finding for a project that was deleted and still keeps its key; None where there is none, or Jira does not
    tell this account. The vendor calls this filter of its project search experimental."""
    try:
        values = client.get_object("project/search", {"keys": key, "status": "deleted"}).get("values")
    except CredentialsRefused:
        raise
    except TrackerRefused:
        return None
    named = [one for one in values or () if isinstance(one, dict) and one.get("key") == key]
    if not named:
        return None
    since = str(named[0].get("deletedDate") or "")[:10]
    return Finding(
        Severity.ERROR,
        "project-in-trash",
        f"The project {key} is in Jira's trash{f' since {since}' if since else ''} and keeps its key there.",
        "Plan it under another key; or restore the project, or delete it for good: Jira's settings, Projects, Trash.",
        key,
    )


def needed(layout: Layout, items: Sequence[Item]) -> list[Permission]:
    """The permissions that writing these items takes, no more."""
    wanted = [BROWSE, CREATE, EDIT]
    if any(item.assignee for item in items if item.kind is not ItemKind.GUEST):
        wanted.append(ASSIGN)
    if layout.link_type is not None and any(item.kind is ItemKind.LINK for item in items):
        wanted.append(LINK)
    if layout.sprints and any(item.kind is ItemKind.ITERATION for item in items):
        wanted.append(SPRINTS)
    if layout.sprints and any(_has_a_place(item) for item in items):
        wanted.append(SCHEDULE)
    return wanted


def _has_a_place(item: Item) -> bool:
    """Whether writing an item puts tickets into a sprint, or is about to."""
    return item.kind in {ItemKind.ITERATION, ItemKind.GUEST} or item.iteration is not None


def _grant_here(layout: Layout) -> str:
    if layout.style == "next-gen":
        return f"in {layout.project_key} under Project settings, Access (team-managed projects give roles there)"
    return f"in {layout.project_key} under Project settings, Permissions"


def _known_by(layout: Layout) -> Iterable[Finding]:
    """What is known by less than its id."""
    where = layout.project_key
    if not layout.cloud:
        message = f"{layout.site} does not tell its cloud id, so phaseloop knows the site by this address."
        fix = "Use one spelling of it in every connection: under another one the same project would count as another."
        yield Finding(Severity.INFO, "site-known-by-address", message, fix, where)


def _kinds(layout: Layout, items: Sequence[Item]) -> Iterable[Finding]:
    """A project without a type for an item cannot hold it at all."""
    for kind, role, found, level in (
        (ItemKind.EPIC, Role.EPIC_TYPE, layout.epic, "Epic"),
        (ItemKind.TICKET, Role.TICKET_TYPE, layout.ticket, "standard"),
    ):
        if found is None and role not in layout.answered and any(item.kind is kind for item in items):
            yield Finding(
                Severity.ERROR,
                "issue-type-missing",
                f"The project {layout.project_key} has no issue type of the {level} level, which every {kind} becomes.",
                "Add one in the project's settings under Issue types.",
                layout.project_key,
            )


def _required(layout: Layout, items: Sequence[Item]) -> Iterable[Finding]:
    """Fields that the create screen demands and that some item would leave empty."""
    for kind in _ISSUES:
        screen = issue_type(layout, kind)
        if screen is None or screen.fields is None:
            continue
        of_kind = [item for item in items if item.kind is kind]
        filled = [_filled(layout, item) for item in of_kind]
        for field in screen.fields:
            empty = [item for item, names in zip(of_kind, filled, strict=True) if field.id not in names]
            if field.required and not field.filled and empty:
                yield Finding(
                    Severity.ERROR,
                    "required-field",
                    f'"{field.name}" ({field.id}) must be filled in to create a {screen.name} in {layout.project_key},'
                    f" and {_these(empty)} leaves it empty.",
                    f"Make the field optional for {screen.name} in {layout.project_key}, or give it a default value"
                    " (Project settings, Fields or Issue types).",
                    field.id,
                )


def _filled(layout: Layout, item: Item) -> set[str]:
    stand_in = RemoteRef("0", f"{layout.project_key}-0", "")
    fields = create_element(layout, Creation(item, epic=stand_in if item.epic else None))["fields"]
    return {name for name, value in fields.items() if value not in (None, "", [])}


def _these(items: Sequence[Item]) -> str:
    return items[0].key if len(items) == 1 else f"{items[0].key} (and {len(items) - 1} more)"


def _gaps(layout: Layout, items: Sequence[Item]) -> Iterable[Finding]:
    """What this project cannot show, and what happens instead."""
    tickets = [item for item in items if item.kind is ItemKind.TICKET]
    screen = layout.ticket
    where = layout.project_key

    def warn(code: str, message: str, fix: str) -> Finding:
        return Finding(Severity.WARNING, code, message, fix, where)

    if (
        not layout.sprints
        and Role.BOARD not in layout.answered
        and any(item.kind is ItemKind.ITERATION for item in items)
    ):
        yield warn(
            "iterations-unsupported",
            f"{where} has no board with sprints, so iterations are kept as dates in phaseloop only.",
            "Switch the Sprints feature on, or create a Scrum board for the project, and check again.",
        )
    if (
        layout.points_field is None
        and Role.ESTIMATE not in layout.answered
        and any(item.points is not None for item in tickets)
    ):
        yield warn(
            "points-unsupported",
            f"The create screen of {where} has no estimate field that its board adds up, so tickets get no points.",
            "Add the board's estimation field (Story Points, Story point estimate) to the issue type's screen.",
        )
    if (
        layout.link_type is None
        and Role.LINK_TYPE not in layout.answered
        and any(item.kind is ItemKind.LINK for item in items)
    ):
        yield warn(
            "links-unsupported",
            f"{layout.site} has no link type that says which ticket blocks which, so no links are made.",
            "Add a link type named Blocks (is blocked by, blocks) in Jira's settings under Issue linking.",
        )
    orphans = [item for item in items if item.kind in _ISSUES and not (item.kind is ItemKind.TICKET and item.assignee)]
    if layout.default_assignee == "PROJECT_LEAD" and orphans:
        yield warn(
            "default-assignee",
            f"Jira gives issues of {where} that belong to nobody to the project's lead, {_these(orphans)} among them.",
            "Set the default assignee to Unassigned under Project settings, Details.",
        )
    if screen is None or screen.fields is None:
        return
    for field, used, instead in (
        ("labels", True, "tickets carry no labels, and phaseloop finds its own more slowly after a lost answer"),
        ("description", any(item.text or item.checklist for item in tickets), "tickets are created without their text"),
        ("priority", any(item.priority for item in tickets), "tickets keep the project's default priority"),
    ):
        if used and not screen.has(field):
            yield warn(
                f"{field}-unsupported",
                f"The create screen of {where} lacks the {field} field: {instead}.",
                f"Add the field to the screen of {screen.name}.",
            )
    assigned = [item for item in tickets if item.assignee]
    if assigned and not screen.has("assignee"):
        yield Finding(
            Severity.ERROR,
            "assignee-unsupported",
            f"The create screen of {where} lacks the assignee field, so {_these(assigned)} would belong to nobody.",
            f"Add the Assignee field to the screen of {screen.name}.",
            where,
        )


def _limits(items: Sequence[Item]) -> Iterable[Finding]:
    for item in items:
        if item.kind is ItemKind.LINK:
            continue
        limit = SPRINT_NAME_LIMIT if item.kind is ItemKind.ITERATION else TITLE_LIMIT
        length = len(item.title.strip())
        if length > limit:
            message = f'"{item.title}" has {length} characters; Jira takes {limit} here.'
            yield Finding(Severity.ERROR, "title-too-long", message, "Shorten the title.", item.key)
        elif not length or "\n" in item.title:
            message = "Its title is empty." if not length else f"{item.title!r} has more than one line."
            yield Finding(Severity.ERROR, "title-invalid", message, "Give it a title of one line.", item.key)
        if item.kind in _ISSUES and _is_cut(item):
            message = f"The text of {item.key} is longer than the {DESCRIPTION_LIMIT} characters that Jira keeps."
            yield Finding(Severity.WARNING, "text-cut", message, "Shorten it; it is cut with a note.", item.key)


def _is_cut(item: Item) -> bool:
    rough = len(item.text) + sum(len(line) for line in item.checklist)
    # Rendering takes time, and escapes cannot more than double a text.
    return rough * 2 > DESCRIPTION_LIMIT and len(description(item.text, item.checklist)) >= DESCRIPTION_LIMIT - 200


def _labels(spec: ProjectSpec, items: Sequence[Item]) -> Iterable[Finding]:
    used: dict[str, str] = {spec.label: spec.key} if spec.label else {}
    for item in items:
        for label in item.labels:
            used.setdefault(label, item.key)
    for label, subject in used.items():
        if not label or any(c.isspace() for c in label) or len(label) > _LABEL_LIMIT:
            message = f"{label!r} cannot be a label in Jira."
            fix = f"Use 1 to {_LABEL_LIMIT} characters without spaces."
            yield Finding(Severity.ERROR, "label-invalid", message, fix, subject)
