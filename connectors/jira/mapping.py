"""Between phaseloop's items and Jira's JSON, both ways. Pure: values in, values out, no calls."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.errors import FieldProblem
from connectors.jira.dialect import CLOUD_DIALECT, Dialect
from connectors.jira.failures import problems_in
from connectors.jira.layout import EPIC_NAME_SCHEMA, IssueType, Layout, LinkType
from connectors.jira.markup import description, normalised
from connectors.values import (
    Account,
    Creation,
    Fields,
    Item,
    ItemKey,
    ItemKind,
    ObservedItem,
    Priority,
    RemoteRef,
    kind_of,
)

MARKER = "phaseloop"
"""The key of the issue or sprint property that says which item of which project this is."""

_SECONDS_END = 100_000_000_000
"""A larger number counts milliseconds: as seconds it would be some three thousand years away."""

_STATUS_BY_CATEGORY = {"new": "todo", "indeterminate": "doing", "done": "done"}
_OUR_NAMES = {"summary": "title", "description": "text", "parent": "epic", "parentId": "epic"}


def marker(uid: str, key: ItemKey) -> dict[str, str]:
    """The value of the marking property."""
    return {"project": uid, "key": key}


def marked_key(value: Any, uid: str) -> ItemKey | None:
    """The item key in a marking property, if the property is there and of this project."""
    if not isinstance(value, dict) or value.get("project") != uid or not isinstance(value.get("key"), str):
        return None
    return ItemKey(value["key"])


def marker_of(issue: Any, uid: str) -> ItemKey | None:
    """The item key that an issue carries, read with `properties=["phaseloop"]`."""
    properties = issue.get("properties") if isinstance(issue, dict) else None
    return marked_key(properties.get(MARKER), uid) if isinstance(properties, dict) else None


def number(value: Any) -> int:
    """An id as a number to order by; 0 for one that is none."""
    text = str(value)
    return int(text) if text.isdecimal() else 0


# --- writing ---------------------------------------------------------------------------------------------------------


def issue_type(layout: Layout, kind: ItemKind) -> IssueType | None:
    """The issue type that items of this kind become."""
    return layout.epic if kind is ItemKind.EPIC else layout.ticket


def create_element(layout: Layout, creation: Creation, dialect: Dialect = CLOUD_DIALECT) -> dict[str, Any]:
    """One element of a bulk create: fields, marker, and the links that ride with it.

    A field that the create screen lacks is left out, because Jira would refuse the whole issue for it.
    """
    item = creation.item
    kind = issue_type(layout, item.kind)
    if kind is None:
        raise ValueError(f"the project has no issue type for {item.kind}")
    fields = _content(layout, item, item.fields(), dialect)
    on_screen = {name: value for name, value in fields.items() if kind.has(name) and value not in (None, "")}
    on_screen["summary"] = item.title
    if creation.epic is not None and item.kind is ItemKind.TICKET:
        # Not asked of the screen: the parent is the vendor's way into an epic in both kinds of project.
        on_screen["parent"] = {"id": creation.epic.id}
    element: dict[str, Any] = {
        "fields": {"project": {"id": layout.project_id}, "issuetype": {"id": kind.id}, **on_screen},
        "properties": [{"key": MARKER, "value": marker(layout.uid, item.key)}],
    }
    if epic_name := required_epic_name(kind):
        element["fields"][epic_name] = item.title
    if creation.links and layout.link_type is not None:
        element["update"] = {
            "issuelinks": [
                {"add": {"type": {"name": layout.link_type.name}, awaited_side(layout.link_type): {"key": target.key}}}
                for _, target in creation.links
            ]
        }
    return element


def awaited_side(link_type: LinkType) -> str:
    """The side of a link on which the issue stands that is waited for. Jira's link has an inward issue, which shows the
    outward wording ("blocks"), and an outward one, which shows the inward wording ("is blocked by")."""
    return "outwardIssue" if link_type.reversed else "inwardIssue"


def required_epic_name(kind: IssueType) -> str | None:
    """The field for an epic's own name: some company-managed projects still ask for it, others refuse it."""
    field = kind.by_schema(EPIC_NAME_SCHEMA)
    return field.id if field and field.required else None


def _content(layout: Layout, item: Item, names: Collection[str], dialect: Dialect) -> dict[str, Any]:
    """The named fields of an item under Jira's names; None empties a field."""
    fields: dict[str, Any] = {}
    if "title" in names:
        fields["summary"] = item.title
    if "text" in names or "checklist" in names:
        fields["description"] = description(item.text, item.checklist)
    if "labels" in names:
        # Our own label is for what is ours.
        own = [layout.label] if layout.label and item.kind is not ItemKind.GUEST else []
        fields["labels"] = sorted({*item.labels, *own})
    if "assignee" in names:
        fields["assignee"] = {dialect.person: item.assignee} if item.assignee else None
    if "points" in names and layout.points_field:
        fields[layout.points_field] = item.points
    if "priority" in names and item.priority in layout.priorities:
        fields["priority"] = {"id": layout.priorities[Priority(item.priority)]}
    return fields


def update_body(
    layout: Layout,
    item: Item,
    changed: Collection[str],
    epic: RemoteRef | None,
    labels: Collection[str] = (),
    dialect: Dialect = CLOUD_DIALECT,
) -> dict[str, Any]:
    """The body that writes just the changed fields of an issue; empty when none of them is one that Jira has. `labels`
    are those that the issue was seen with: only the difference is sent."""
    body: dict[str, Any] = {}
    fields = _content(layout, item, {*changed} - {"labels"}, dialect)
    update: dict[str, Any] = {}
    if "epic" in changed and epic is not None:
        fields["parent"] = {"id": epic.id}
    elif "epic" in changed:
        update["parent"] = [{"set": {"none": True}}]
    if "labels" in changed:
        put_on = [{"add": label} for label in sorted({*item.labels} - {*labels})]
        taken_off = [{"remove": label} for label in sorted({*labels} - {*item.labels, layout.label})]
        if put_on or taken_off:
            update["labels"] = [*put_on, *taken_off]
    if update:
        body["update"] = update
    if fields:
        body["fields"] = fields
    return body


def written_as(item: Item) -> Fields:
    """What an issue's or a sprint's fields look like once they are written, where that is not how they are given."""
    if item.kind is ItemKind.ITERATION:
        return {"title": item.title.strip(), "goal": item.goal.strip()}
    return {"title": item.title.strip(), "text": normalised(description(item.text, item.checklist))}


def sprint_body(item: Item, changed: Collection[str] | None = None) -> dict[str, Any]:
    """A sprint's fields, all of them or the changed ones."""
    names = {"title", "goal", "starts", "ends"} if changed is None else set(changed)
    body: dict[str, Any] = {}
    if "title" in names:
        body["name"] = item.title.strip()
    if "goal" in names and (item.goal or changed is not None):
        body["goal"] = item.goal
    for name, field, moment in (("starts", "startDate", item.starts), ("ends", "endDate", item.ends)):
        if name in names and moment is not None:
            body[field] = jira_time(moment)
    return body


def jira_time(moment: datetime) -> str:
    """A moment as Jira's agile interface takes it: ISO 8601 with milliseconds and offset."""
    if moment.tzinfo is None:
        raise ValueError("a sprint's dates must say their time zone")
    return moment.isoformat(timespec="milliseconds")


# --- the answer to a bulk create -------------------------------------------------------------------------------------


class UnclearAnswer(ValueError):
    """An answer to a bulk create that does not say what became of each element."""


@dataclass(frozen=True, slots=True)
class Created:
    """An element that became an issue."""

    id: str
    key: str


def bulk_results(count: int, body: Any) -> list[Created | tuple[FieldProblem, ...]]:
    """What became of each of `count` elements: an issue, or the reasons against it.

    Jira lists the successes in request order without their numbers, and the failures with them, so the successes are
    the elements that did not fail. Raises `UnclearAnswer` unless the numbers add up.
    """
    created = _list_of(body, "issues")
    errors = _list_of(body, "errors")
    if not created and not errors and (whole := problems_in(body)):
        return [whole] * count  # the body was refused as a whole, so no element exists
    if len(created) + len(errors) != count:
        raise UnclearAnswer(f"{len(created)} created and {len(errors)} refused of {count}")
    failures: dict[int, tuple[FieldProblem, ...]] = {}
    for position, error in enumerate(errors):
        number = error.get("failedElementNumber")
        if number is None and not created:
            number = position  # all failed: the order says which
        if not isinstance(number, int) or not 0 <= number < count or number in failures:
            raise UnclearAnswer("a refusal does not say which element it is about")
        failures[number] = _reasons(error)
    successes = iter(created)
    return [failures[number] if number in failures else _created(next(successes)) for number in range(count)]


def _list_of(body: Any, name: str) -> list[Any]:
    found = body.get(name) if isinstance(body, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _reasons(error: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    reasons = problems_in(error.get("elementErrors")) or problems_in(error)
    return reasons or (FieldProblem(None, f"Jira gave no reason (status {error.get('status', 'unknown')})"),)


def _created(issue: Mapping[str, Any]) -> Created:
    if not issue.get("id") or not issue.get("key"):
        raise UnclearAnswer("a created issue has no id or key")
    return Created(str(issue["id"]), str(issue["key"]))


def in_our_words(layout: Layout, problems: Sequence[FieldProblem]) -> tuple[FieldProblem, ...]:
    """Problems with phaseloop's field names, or the screen's names for fields that phaseloop does not know."""
    names = dict(_OUR_NAMES)
    for kind in (layout.epic, layout.ticket):
        for field in (kind.fields if kind else None) or ():
            if field.id.startswith("customfield_"):
                names[field.id] = f"{field.name} ({field.id})"
    if layout.points_field:
        names[layout.points_field] = "points"
    return tuple(
        FieldProblem(names.get(problem.field, problem.field) if problem.field else None, problem.message)
        for problem in problems
    )


# --- reading ---------------------------------------------------------------------------------------------------------


def read_fields(layout: Layout) -> list[str]:
    """The issue fields that `observed_issue` looks at."""
    fields = ["project", "summary", "description", "labels", "assignee", "priority", "parent", "status", "issuelinks"]
    return fields + [extra for extra in (layout.sprint_field, layout.points_field) if extra]


def observed_issue(
    layout: Layout,
    key: ItemKey,
    issue: Mapping[str, Any],
    issue_names: Mapping[str, ItemKey],
    sprint_names: Mapping[str, ItemKey],
) -> ObservedItem:
    """An issue as an item; the two maps lead from Jira's ids to item keys."""
    values = fields_of(issue)
    kind = kind_of(key)
    status = status_of(values.get("status"))
    fields: Fields = {
        "title": str(values.get("summary") or ""),
        "text": _plain_text(values.get("description")),
        "labels": sorted(str(one) for one in values.get("labels") or () if one != layout.label),
    }
    if kind is not ItemKind.EPIC:
        fields |= _ticket_fields(layout, values, issue_names, sprint_names, status)
    ref, left_in = issue_ref(layout, issue), None
    if layout.sprint_field and "iteration" in fields and fields["iteration"] is None:
        left_in = _named(last_sprint(values.get(layout.sprint_field)), sprint_names, "id")
    links = _links(layout, ref.id, values.get("issuelinks"))
    return ObservedItem(key, kind, ref, fields, status, links, left_in=left_in)


def _ticket_fields(
    layout: Layout,
    values: Mapping[str, Any],
    issue_names: Mapping[str, ItemKey],
    sprint_names: Mapping[str, ItemKey],
    status: str,
) -> Fields:
    person = values.get("assignee")
    parent = values.get("parent")
    fields: Fields = {
        "assignee": (person.get("accountId") or person.get("id")) if isinstance(person, dict) else None,
        "epic": _named(parent, issue_names, "key"),
    }
    if layout.points_field:
        points = values.get(layout.points_field)
        fields["points"] = float(points) if isinstance(points, int | float) else None
    if layout.ticket is None or layout.ticket.has("priority"):
        fields["priority"] = _priority(layout, values.get("priority"))
    if layout.sprint_field:
        fields["iteration"] = _named(current_sprint(values.get(layout.sprint_field), status), sprint_names, "id")
    return fields


def _named(thing: Any, names: Mapping[str, ItemKey], otherwise: str) -> str | None:
    """The item key of a thing that Jira names by id, else the name Jira gives it."""
    if not isinstance(thing, dict) or thing.get("id") is None:
        return None
    return names.get(str(thing["id"])) or str(thing.get(otherwise) or thing["id"])


def _priority(layout: Layout, value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    ours = {remote: priority for priority, remote in layout.priorities.items()}
    found = ours.get(str(value.get("id")))
    return str(found) if found else (str(value["name"]) if value.get("name") else None)


def current_sprint(value: Any, status: str) -> dict[str, Any] | None:
    """The sprint an issue is in, from its sprint field, which also keeps the closed sprints it once was in.

    That is the open one. With only closed ones, finished work belongs to the last of them, and unfinished work is
    back in the backlog: closing a sprint sends it there.
    """
    last = last_sprint(value)
    return last if last is not None and (sprint_state(last) != "closed" or status == "done") else None


def last_sprint(value: Any) -> dict[str, Any] | None:
    """The open sprint in a sprint field; with only closed ones the last of them, whether the issue was finished there
    or left behind when it was closed."""
    listed = value if isinstance(value, list) else []
    sprints = [one for one in listed if isinstance(one, dict) and one.get("id") is not None]
    running = [one for one in sprints if sprint_state(one) != "closed"]
    return max(running or sprints, key=lambda one: (sprint_state(one) == "active", number(one["id"])), default=None)


def sprint_state(sprint: Mapping[str, Any]) -> str:
    """A sprint's state: future, active or closed."""
    return str(sprint.get("state") or "future").casefold()


def fields_of(issue: Any) -> dict[str, Any]:
    """The fields of an issue that was read; empty where the answer has none."""
    values = issue.get("fields") if isinstance(issue, dict) else None
    return values if isinstance(values, dict) else {}


def is_elsewhere(layout: Layout, issue: Any) -> bool:
    """Whether an issue says that it is in another project: it was moved there."""
    project = fields_of(issue).get("project")
    return isinstance(project, dict) and str(project.get("id") or layout.project_id) != layout.project_id


def is_epic(layout: Layout, issue_type: Mapping[str, Any]) -> bool:
    """Whether issues of a type, as an issue shows it, are epics."""
    known = layout.epic is not None and str(issue_type.get("id")) == layout.epic.id
    return known or issue_type.get("hierarchyLevel") == 1


def status_of(value: Any) -> str:
    """What a status of Jira's comes to, by its category: todo, doing or done."""
    category = value.get("statusCategory") if isinstance(value, dict) else None
    return _STATUS_BY_CATEGORY.get(str(category.get("key")), "todo") if isinstance(category, dict) else "todo"


def _plain_text(value: Any) -> str:
    return normalised(value) if isinstance(value, str) else ""


def _links(layout: Layout, own_id: str, values: Any) -> tuple[tuple[str, str], ...]:
    """The waits-for links of an issue as (waiting, awaited) ids."""
    links = values if isinstance(values, list) else []
    return tuple(ends for link in links if (ends := link_ends(layout, own_id, link)) is not None)


def _is_type(value: Any, layout: Layout) -> bool:
    if not isinstance(value, dict) or layout.link_type is None:
        return False
    if value.get("id") is not None:
        return str(value["id"]) == layout.link_type.id
    return value.get("name") == layout.link_type.name


def observed_sprint(layout: Layout, key: ItemKey, sprint: Mapping[str, Any]) -> ObservedItem:
    """A sprint as an item; its moments are given in UTC."""
    name = str(sprint.get("name") or "")
    return ObservedItem(
        key,
        ItemKind.ITERATION,
        sprint_ref(layout, sprint),
        {
            "title": name,
            "goal": str(sprint.get("goal") or ""),
            "starts": _moment(sprint.get("startDate")),
            "ends": _moment(sprint.get("endDate")),
        },
        sprint_state(sprint),
    )


def issue_ref(layout: Layout, issue: Mapping[str, Any]) -> RemoteRef:
    """Where an issue lives."""
    key = str(issue.get("key") or issue["id"])
    return RemoteRef(str(issue["id"]), key, layout.browse(key))


def link_ends(layout: Layout, own_id: str, link: Any) -> tuple[str, str] | None:
    """One link of an issue as (waiting, awaited) ids; None for one that says something else.

    An entry with `inwardIssue` reads with the inward wording: this issue "is blocked by" that one
    (developer.atlassian.com, Jira issue linking model).
    """
    if layout.link_type is None or not isinstance(link, dict) or not _is_type(link.get("type"), layout):
        return None
    for side in ("inwardIssue", "outwardIssue"):
        waits = side == awaited_side(layout.link_type)
        other = link.get(side)
        if isinstance(other, dict) and other.get("id"):
            return (own_id, str(other["id"])) if waits else (str(other["id"]), own_id)
    return None


def sprint_ref(layout: Layout, sprint: Mapping[str, Any]) -> RemoteRef:
    """Where a sprint lives: people know it by its name, on its board."""
    return RemoteRef(str(sprint["id"]), str(sprint.get("name") or sprint["id"]), layout.board_url)


def _moment(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    read = instant(value)
    return read.isoformat() if read else value


def instant(value: Any) -> datetime | None:
    """A moment as Jira writes it, in UTC: ISO 8601, or (in a bulk changelog, by the document's example) a number of
    seconds or milliseconds since 1970. None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000 if value > _SECONDS_END else value, UTC)
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC) if read else None


def same_sprint(item: Item, sprint: Mapping[str, Any]) -> bool:
    """Whether a sprint without a marker is the one that was to be created: same name, same dates."""
    return str(sprint.get("name") or "").strip() == item.title.strip() and _same_dates(item, sprint)


def renamed_sprint(item: Item, sprint: Mapping[str, Any]) -> bool:
    """Whether a sprint without a marker is the one that was to be created and got another name since: same dates and
    same goal, which are both told exactly enough that nobody else writes them by chance."""
    goal = str(sprint.get("goal") or "").strip()
    return bool(goal) and goal == item.goal.strip() and _same_dates(item, sprint)


def _same_dates(item: Item, sprint: Mapping[str, Any]) -> bool:
    pairs = ((item.starts, sprint.get("startDate")), (item.ends, sprint.get("endDate")))
    return all((_moment(ours.isoformat()) if ours else None) == _moment(theirs) for ours, theirs in pairs)


def account(user: Any, *, assignable: bool | None = None) -> Account | None:
    """A person, or None if the answer does not name one."""
    if not isinstance(user, dict) or not user.get("accountId"):
        return None
    return Account(
        id=str(user["accountId"]),
        name=str(user.get("displayName") or user["accountId"]),
        email=str(user["emailAddress"]) if user.get("emailAddress") else None,
        active=bool(user.get("active", True)),
        assignable=assignable,
    )
