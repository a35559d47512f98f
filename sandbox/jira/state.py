"""What the Jira stand-in remembers: plain records of a site, and the ``Site`` that holds them while it runs.

The seams, for everybody who adds a module to the sandbox:

- **Routes.** A module makes ``routes = Routes("/rest/agile/1.0")`` (``sandbox/http.py``), registers handlers with
  ``@routes.get("/board/{boardId}")`` and is listed in ``ROUTE_TABLES`` of ``sandbox/app.py``. Several prefixes may be
  given (``Routes("/rest/api/2", "/rest/api/3")``). A handler is ``async def name(call: Call) -> Response``; ``Call``
  has the site, the caller (``call.user``, or ``call.caller()`` which answers 401 to nobody), path parameters
  (``call.path``), the query, the body (``await call.body()``), the version (``call.version`` is 3 under
  ``/rest/api/3`` and 2 everywhere else) and ``call.url("/rest/...")``, which follows the Host header of the request.
- **Controls** wrap the application in ``create_app`` (``sandbox/app.py``); whatever they keep lives in ``World``.
- **Errors.** Raise ``ApiError`` (``sandbox/jira/errors.py``) anywhere; the router writes the vendor's body.
- **Finding things as the caller sees them**: ``sandbox/jira/access.py`` (``issue_for``, ``project_for``, ``require``).
- **Changing an issue**: only through ``sandbox/jira/changes.py``, which writes changelog, times and events.
- **Events**: ``site.emit(Event(...))`` calls every function in ``site.listeners`` (webhooks listen there).
- **Keeping**: everything in ``SiteData`` is kept by ``--state`` (``sandbox/state_file.py``), so records hold only
  values that JSON can say, datetimes and other records. New records need defaults for new fields.

Rich text is kept as it was written: a ``str`` is wiki markup (written through version 2), a ``dict`` is an ADF document
(written through version 3); it is converted when the other version reads it, by ``as_adf``, ``as_wiki`` and
``as_html`` of ``sandbox/jira/richtext.py``, each of which takes a ``RichText``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.clock import Clock

Json = Any
RichText = dict[str, Any] | str


@dataclass
class User:
    """A person of the site. ``role`` decides what they may do everywhere: admin, member or viewer."""

    account_id: str
    display_name: str
    email: str
    active: bool = True
    role: str = "member"
    token: str | None = None
    time_zone: str = "Etc/UTC"
    locale: str = "en_US"
    properties: dict[str, Json] = field(default_factory=dict)


@dataclass
class ScopedToken:
    """A token that may do only what its scopes say, and works at the gateway alone."""

    account_id: str
    scopes: list[str] = field(default_factory=list)


@dataclass
class Group:
    """A named set of people."""

    group_id: str
    name: str
    members: list[str] = field(default_factory=list)


@dataclass
class Status:
    """A workflow status; one with a ``project_id`` belongs to that team-managed project alone."""

    id: str
    name: str
    category: str  # the key: new, indeterminate or done
    description: str = ""
    project_id: str | None = None


@dataclass
class IssueType:
    """A type of issue. ``level`` is the hierarchy level: 1 epic, 0 standard, -1 sub-task."""

    id: str
    name: str
    description: str
    level: int
    project_id: str | None = None
    avatar_id: int = 10300
    properties: dict[str, Json] = field(default_factory=dict)

    @property
    def subtask(self) -> bool:
        """Whether issues of this type live under another issue."""
        return self.level < 0


@dataclass
class Priority:
    """How urgent an issue is."""

    id: str
    name: str
    color: str
    description: str = ""
    default: bool = False


@dataclass
class Resolution:
    """How an issue ended."""

    id: str
    name: str
    description: str = ""


@dataclass
class LinkType:
    """A kind of link between two issues, with its two readings."""

    id: str
    name: str
    inward: str
    outward: str


@dataclass
class Field:
    """A field of the site. ``schema`` is the vendor's own description (type, items, system or custom, customId)."""

    id: str
    name: str
    schema: dict[str, Json]
    clauses: list[str] = field(default_factory=list)
    project_id: str | None = None
    description: str = ""
    options: list[dict[str, str]] = field(default_factory=list)
    searcher: str | None = None
    orderable: bool = True
    navigable: bool = True
    searchable: bool = True

    @property
    def custom(self) -> bool:
        """Whether an administrator or a product added this field."""
        return self.id.startswith("customfield_")

    @property
    def kind(self) -> str:
        """The custom field's type key, or the system name of a built-in field."""
        return str(self.schema.get("custom") or self.schema.get("system") or self.id)


@dataclass
class Transition:
    """A way from some statuses (none named: from all) to one. ``screen`` lists field ids that may be set on the way."""

    id: str
    name: str
    to: str
    sources: list[str] = field(default_factory=list)
    screen: list[str] = field(default_factory=list)


@dataclass
class Workflow:
    """The statuses of a project's issues, in board order, and the transitions between them."""

    id: str
    name: str
    statuses: list[str]
    transitions: list[Transition]


@dataclass
class ScreenTab:
    """One tab of a screen; ``fields`` are ids in order."""

    id: int
    name: str
    fields: list[str]


@dataclass
class Screen:
    """Which fields a person meets when creating or editing an issue."""

    id: int
    name: str
    description: str
    tabs: list[ScreenTab]


@dataclass
class Actor:
    """Somebody in a project role: a person (account id) or a group (group id)."""

    id: int
    type: str  # atlassian-user-role-actor or atlassian-group-role-actor
    target: str


@dataclass
class Role:
    """A project role of the site."""

    id: int
    name: str
    description: str
    default_actors: list[Actor] = field(default_factory=list)
    admin: bool = False
    default: bool = False


@dataclass
class Category:
    """A project category."""

    id: str
    name: str
    description: str = ""


@dataclass
class Project:
    """A project. ``style`` is classic (company-managed) or next-gen (team-managed)."""

    id: str
    key: str
    name: str
    style: str
    template: str
    lead: str
    uuid: str
    workflow_id: str
    issue_type_ids: list[str]
    screen_fields: dict[str, list[str]]  # issue type id -> field ids of its create and edit screen
    type_key: str = "software"
    required_fields: dict[str, list[str]] = field(default_factory=dict)  # issue type id -> extra required field ids
    description: str = ""
    url: str = ""
    assignee_type: str = "UNASSIGNED"
    category_id: str | None = None
    avatar_id: int = 10400
    features: dict[str, str] = field(default_factory=dict)  # feature key -> ENABLED or DISABLED
    properties: dict[str, Json] = field(default_factory=dict)
    role_actors: dict[int, list[Actor]] = field(default_factory=dict)
    old_keys: list[str] = field(default_factory=list)
    last_number: int = 0
    archived: bool = False
    archived_at: datetime | None = None
    deleted_at: datetime | None = None
    deleted_by: str | None = None

    @property
    def team_managed(self) -> bool:
        """Whether types, statuses and fields belong to the project itself."""
        return self.style == "next-gen"


@dataclass
class Component:
    """A part of a project."""

    id: str
    project_id: str
    name: str
    description: str = ""
    lead: str | None = None
    assignee_type: str = "PROJECT_DEFAULT"


@dataclass
class RelatedWork:
    """A link kept on a version."""

    id: str
    category: str
    title: str | None = None
    url: str | None = None
    issue_id: str | None = None


@dataclass
class Version:
    """A release of a project; dates are ISO days."""

    id: str
    project_id: str
    name: str
    description: str | None = None
    start_date: str | None = None
    release_date: str | None = None
    released: bool = False
    archived: bool = False
    driver: str | None = None
    related_work: list[RelatedWork] = field(default_factory=list)


@dataclass
class ChangeItem:
    """One field's change inside a history; ``before`` and ``after`` are ids, the texts are what people read."""

    field: str
    field_type: str  # jira or custom
    field_id: str | None
    before: str | None
    before_text: str | None
    after: str | None
    after_text: str | None


@dataclass
class History:
    """What one person changed at one moment."""

    id: str
    author: str
    created: datetime
    items: list[ChangeItem]


@dataclass
class Comment:
    """A comment on an issue. ``visibility`` is the vendor's object {type, value, identifier} or none."""

    id: str
    author: str
    body: RichText
    created: datetime
    updated: datetime
    update_author: str
    visibility: dict[str, Json] | None = None
    parent_id: str | None = None
    properties: dict[str, Json] = field(default_factory=dict)


@dataclass
class Worklog:
    """Time spent on an issue."""

    id: str
    author: str
    update_author: str
    created: datetime
    updated: datetime
    started: datetime
    seconds: int
    comment: RichText | None = None
    visibility: dict[str, Json] | None = None
    properties: dict[str, Json] = field(default_factory=dict)


@dataclass
class Attachment:
    """A file on an issue; ``content`` is base64 so that it can be kept as JSON."""

    id: str
    uuid: str
    filename: str
    author: str
    created: datetime
    mime_type: str
    size: int
    content: str


@dataclass
class RemoteLink:
    """A link from an issue to something outside; ``body`` holds application, relationship and object as sent."""

    id: int
    global_id: str | None
    body: dict[str, Json]


@dataclass
class Issue:
    """An issue with everything that hangs on it.

    ``sprint_ids`` is the Sprint field: every sprint it was in, oldest first; at most one of them is not closed.
    ``rank`` sorts boards as text (see ``sandbox/jira/ranking.py``). Custom field values other than sprint and rank live
    in ``custom`` by field id, in the form the vendor reads them back.
    """

    id: str
    key: str
    project_id: str
    type_id: str
    status_id: str
    summary: str
    reporter: str | None
    creator: str
    created: datetime
    updated: datetime
    status_changed: datetime
    rank: str
    description: RichText | None = None
    environment: RichText | None = None
    assignee: str | None = None
    priority_id: str | None = None
    resolution_id: str | None = None
    resolved: datetime | None = None
    due_date: str | None = None
    parent_id: str | None = None
    labels: list[str] = field(default_factory=list)
    component_ids: list[str] = field(default_factory=list)
    fix_version_ids: list[str] = field(default_factory=list)
    version_ids: list[str] = field(default_factory=list)
    original_estimate: int | None = None  # seconds
    remaining_estimate: int | None = None
    sprint_ids: list[int] = field(default_factory=list)
    custom: dict[str, Json] = field(default_factory=dict)
    watchers: list[str] = field(default_factory=list)
    voters: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    worklogs: list[Worklog] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    remote_links: list[RemoteLink] = field(default_factory=list)
    history: list[History] = field(default_factory=list)
    properties: dict[str, Json] = field(default_factory=dict)
    old_keys: list[str] = field(default_factory=list)


@dataclass
class IssueLink:
    """``inward_id`` *blocks* ``outward_id``: the vendor's "inward issue" is where the link starts, so that issue shows
    the other one under ``outwardIssue`` with the outward reading."""

    id: str
    type_id: str
    inward_id: str
    outward_id: str


@dataclass
class Filter:
    """A saved search; boards stand on one."""

    id: str
    name: str
    jql: str
    owner: str
    description: str = ""
    favourited_by: list[str] = field(default_factory=list)
    share_permissions: list[dict[str, Json]] = field(default_factory=list)
    edit_permissions: list[dict[str, Json]] = field(default_factory=list)


@dataclass
class BoardColumn:
    """A column of a board and the status ids it gathers."""

    name: str
    statuses: list[str]
    minimum: int | None = None
    maximum: int | None = None


@dataclass
class Board:
    """A board. ``type`` is scrum, kanban or simple (team-managed)."""

    id: int
    name: str
    type: str
    filter_id: str
    project_id: str | None
    columns: list[BoardColumn]
    estimation_field: str | None = None
    properties: dict[str, Json] = field(default_factory=dict)
    features: dict[str, str] = field(default_factory=dict)
    private: bool = False


@dataclass
class Sprint:
    """A sprint. ``state`` is future, active or closed."""

    id: int
    name: str
    state: str
    board_id: int
    created: datetime
    start: datetime | None = None
    end: datetime | None = None
    completed: datetime | None = None
    activated: datetime | None = None
    goal: str | None = None
    rank: int = 0
    properties: dict[str, Json] = field(default_factory=dict)


@dataclass
class Webhook:
    """An admin webhook (``/rest/webhooks/1.0/webhook``)."""

    id: int
    name: str
    url: str
    events: list[str]
    updated: datetime
    updated_by: str
    filters: dict[str, str] = field(default_factory=dict)
    exclude_body: bool = False
    enabled: bool = True
    secret: str | None = None
    description: str = ""


@dataclass
class Task:
    """A long-running piece of work: a project deletion or a bulk operation. ``result`` is the vendor's own body."""

    id: str
    kind: str
    submitted_by: str
    submitted: datetime
    status: str = "COMPLETE"
    result: Json = None
    description: str = ""


@dataclass
class Denial:
    """A permission taken from one person (on one project, or everywhere) by ``/sandbox/permissions``."""

    account_id: str
    permission: str
    project_id: str | None = None


@dataclass
class SiteData:
    """Everything a site remembers. Keys of the maps are ids unless said otherwise."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    issue_types: dict[str, IssueType] = field(default_factory=dict)
    priorities: dict[str, Priority] = field(default_factory=dict)
    resolutions: dict[str, Resolution] = field(default_factory=dict)
    link_types: dict[str, LinkType] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)
    workflows: dict[str, Workflow] = field(default_factory=dict)
    screens: dict[int, Screen] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    components: dict[str, Component] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    issues: dict[str, Issue] = field(default_factory=dict)
    links: dict[str, IssueLink] = field(default_factory=dict)
    filters: dict[str, Filter] = field(default_factory=dict)
    boards: dict[int, Board] = field(default_factory=dict)
    sprints: dict[int, Sprint] = field(default_factory=dict)
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    denials: list[Denial] = field(default_factory=list)
    deleted_worklogs: dict[str, datetime] = field(default_factory=dict)
    recent_projects: dict[str, list[str]] = field(default_factory=dict)  # account id -> project ids, newest first
    counters: dict[str, int] = field(default_factory=dict)
    application_properties: dict[str, str] = field(default_factory=dict)
    deployment: str = "Cloud"
    cloud_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    scoped_tokens: dict[str, ScopedToken] = field(default_factory=dict)
    search_lag_seconds: float = 0.0


@dataclass(frozen=True)
class Event:
    """Something that happened. ``name`` is the webhook's name, ``subject`` the record concerned."""

    name: str
    actor: str
    at: datetime
    issue: Issue | None = None
    history: History | None = None
    comment: Comment | None = None
    subject: Any = None
    extra: dict[str, Json] = field(default_factory=dict)


class Site:
    """A running site: its data, its clock, and who listens to what happens.

    ``revision`` grows with every change, so that whoever keeps the data knows when to write it. Look-ups by key are
    indexed; ``replace`` swaps all the data (reset, load) and rebuilds the index.
    """

    def __init__(self, data: SiteData, clock: Clock) -> None:
        self.clock = clock
        self.listeners: list[Callable[[Event], None]] = []
        self.revision = 0
        self.base_url = "http://127.0.0.1:9100"  # of the last request; for addresses in what webhooks send
        self.data = data
        self._issue_ids: dict[str, str] = {}
        self._relations_at = -1
        self._children: dict[str, list[Issue]] = {}
        self._links: dict[str, list[IssueLink]] = {}
        self.replace(data)

    def replace(self, data: SiteData) -> None:
        """Take other data, whole."""
        self.data = data
        self._issue_ids = {}
        for issue in data.issues.values():
            self.index(issue)
        self.revision += 1

    def index(self, issue: Issue) -> None:
        """Make an issue findable by its present and former keys."""
        for key in (*issue.old_keys, issue.key):
            self._issue_ids[key.upper()] = issue.id

    def forget(self, issue: Issue) -> None:
        """Drop an issue; its keys are never given out again."""
        self.data.issues.pop(issue.id, None)
        for key in (*issue.old_keys, issue.key):
            self._issue_ids.pop(key.upper(), None)
        self.revision += 1

    def next_id(self, kind: str, start: int = 10000) -> int:
        """A number that no record of this kind has had."""
        number = self.data.counters.get(kind, start - 1) + 1
        self.data.counters[kind] = number
        return number

    def emit(self, event: Event) -> None:
        """Tell every listener; a change that has no event of the vendor's only counts."""
        self.revision += 1
        for listener in list(self.listeners):
            listener(event)

    def touch(self) -> None:
        """Count a change that is no event."""
        self.revision += 1

    def find_issue(self, id_or_key: str) -> Issue | None:
        """An issue by id or by (present or former) key, whoever may see it; not one in a deleted project."""
        issue = self.data.issues.get(id_or_key) or self.data.issues.get(self._issue_ids.get(id_or_key.upper(), ""))
        if issue is None or self.data.projects[issue.project_id].deleted_at is not None:
            return None
        return issue

    def find_project(self, id_or_key: str, *, deleted: bool = False) -> Project | None:
        """A project by id or by (present or former) key; deleted ones only if asked for."""
        project = self.data.projects.get(id_or_key)
        if project is None:
            wanted = id_or_key.upper()
            every = self.data.projects.values()
            project = next((p for p in every if p.key == wanted), None)
            project = project or next((p for p in every if wanted in p.old_keys), None)
        if project is None or (project.deleted_at is not None and not deleted):
            return None
        return project

    def issues_of(self, project_id: str) -> Iterator[Issue]:
        """Every issue of a project, oldest first."""
        return (issue for issue in self.data.issues.values() if issue.project_id == project_id)

    def children(self, issue_id: str) -> list[Issue]:
        """The issues whose parent this is, oldest first."""
        self._relate()
        return self._children.get(issue_id, [])

    def links_of(self, issue_id: str) -> list[IssueLink]:
        """The links that start or end at an issue."""
        self._relate()
        return self._links.get(issue_id, [])

    def _relate(self) -> None:
        """Rebuild both relations once after a change, so that listing many issues stays linear."""
        if self._relations_at == self.revision:
            return
        self._relations_at = self.revision
        self._children, self._links = {}, {}
        for issue in self.data.issues.values():
            if issue.parent_id:
                self._children.setdefault(issue.parent_id, []).append(issue)
        for link in self.data.links.values():
            for end in (link.inward_id, link.outward_id):
                self._links.setdefault(end, []).append(link)

    def field_by_kind(self, kind: str, project: Project | None = None) -> Field | None:
        """The field of a custom type or system name; a project's own field comes first."""
        found = [f for f in self.data.fields.values() if f.kind == kind]
        if project is not None:
            own = [f for f in found if f.project_id == project.id]
            found = own or [f for f in found if f.project_id is None]
        return found[0] if found else None

    def user_by_email(self, email: str) -> User | None:
        """A person by e-mail address, letter case ignored."""
        wanted = email.lower()
        return next((u for u in self.data.users.values() if u.email.lower() == wanted), None)

    def category_done(self, issue: Issue) -> bool:
        """Whether the issue's status counts as done."""
        return self.data.statuses[issue.status_id].category == "done"
