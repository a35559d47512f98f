"""Reading what a Jira project is made of, in about eight requests, and creating one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import parse_qs

from connectors.addresses import parts_of
from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    TrackerError,
    TrackerRefused,
)
from connectors.jira.checks import in_trash
from connectors.jira.client import AGILE, EDGE, JiraClient, segment
from connectors.jira.conventions import (
    Board,
    choose_board,
    choose_link_type,
    choose_points_field,
    choose_priorities,
    choose_types,
    fitting_boards,
    shows_project,
)
from connectors.jira.dialect import CLOUD, deployment_of
from connectors.jira.layout import (
    SPRINT_SCHEMA,
    IssueType,
    Layout,
    create_fields,
    find_sprint_field,
)
from connectors.jira.mapping import account
from connectors.jira.paging import by_index
from connectors.jira.settings import JiraSettings
from connectors.mapped import Found, Kept, Mapped
from connectors.values import UNMADE, Account, Identity, Place, ProjectSpec, RemoteRef

TEMPLATES = {
    "scrum": "com.pyxis.greenhopper.jira:gh-simplified-scrum-classic",
    "kanban": "com.pyxis.greenhopper.jira:gh-simplified-kanban-classic",
}
"""Project templates by method, company-managed, so that an administrator can share schemes between projects."""

_T = TypeVar("_T")
_NO_OBJECT: dict[str, Any] = {}
_NO_LIST: list[Any] = []

_CREATE_META_PAGE = 200  # the most that the vendor grants here
_BOARD_LOOKS = 6
_BOARDS_LOOKED_AT = 20
"""Of how many boards the filter is read; a project with more of them is asked for its board in any case."""


_KEY = re.compile(r"/(?:browse|projects)/([A-Za-z][A-Za-z0-9_]*)(?:-\d+)?(?:/|$)")


def place_of(layout: Layout, mapping: Sequence[Mapped] = (), title: str = "") -> Place:
    """The place that a layout describes."""
    return Place(
        site=layout.site_id,
        ref=RemoteRef(layout.project_id, layout.project_key, layout.browse(layout.project_key)),
        capabilities=layout.capabilities,
        board_url=layout.board_url,
        facts=layout.model_dump(mode="json"),
        mapping=tuple(mapping),
        title=title,
    )


def _read_or(otherwise: _T, read: Callable[[], _T]) -> _T:
    """What `read` answers; `otherwise` where this account may not see it or this site does not have it."""
    try:
        return read()
    except CredentialsRefused:
        raise
    except TrackerRefused:
        return otherwise
    except NotATracker as error:
        if error.status != 404:  # a route that is not there: a Jira without its software product
            raise
        return otherwise


_GATEWAY = re.compile(r"/ex/jira/([A-Za-z0-9-]+)")


def _told(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a route outside of the REST API tells, nothing where a site does not have it or answers with a page."""
    try:
        return read()
    except CredentialsRefused:
        raise
    except (TrackerRefused, NotATracker):
        return _NO_OBJECT


def _part(answer: Any, name: str) -> Mapping[str, Any]:
    found = answer.get(name) if isinstance(answer, dict) else None
    return found if isinstance(found, dict) else {}


class Locator:
    """Finds the project of a spec and learns its ids."""

    def __init__(self, client: JiraClient, settings: JiraSettings) -> None:
        self._client = client
        self._settings = settings
        self._info: dict[str, Any] | None = None
        self._cloud_id: str | None = None
        self._me: Account | None = None
        self._kept: Kept = {}
        self._configurations: dict[int, dict[str, Any]] = {}
        """Boards, as they were read for the project that is being located."""

    def remember(self, kept: Kept) -> None:
        """See `Tracker.remember`."""
        self._kept = kept

    def server_info(self) -> dict[str, Any]:
        """What the site says about itself, empty if it does not; asked for once, because it does not change."""
        if self._info is None:
            self._info = _read_or(_NO_OBJECT, lambda: self._client.get_object("serverInfo"))
        return self._info

    def myself(self) -> Account:
        """Who this connection acts as, asked for anew."""
        me = account(self._client.get_object("myself"))
        if me is None:
            raise NotATracker(
                f"{self._client.host} does not say which account this is.",
                fix="phaseloop speaks to Jira Cloud only; check the connection's URL.",
                request="GET /rest/api/2/myself",
            )
        self._me = me
        return me

    def site_identity(self) -> tuple[str, bool]:
        """What the site is known by, and whether that is its cloud id, which nothing changes. Where it does not tell
        that, its address stands in. Asked for once."""
        gateway = _GATEWAY.search(self._client.url)
        if self._cloud_id is None:
            told = {"cloudId": gateway[1]} if gateway else _told(self._tenant)
            self._cloud_id = str(told.get("cloudId") or "")
        if self._cloud_id:
            return f"jira:{self._cloud_id.lower()}", True
        return f"jira:{self._site(self.server_info()).lower()}", False

    def _tenant(self) -> dict[str, Any]:
        """What the site tells of its cloud. Where the token turns out to work at the gateway, its address says it."""
        try:
            return self._client.get_object("tenant_info", base=EDGE)
        except CredentialsRefused:
            if (found := _GATEWAY.search(self._client.url)) is None:
                raise
            return {"cloudId": found[1]}

    def identify(self, spec: ProjectSpec) -> Identity:
        """Which project an id or a key means; one that does not exist by its key in capitals, as Jira has them."""
        site, _ = self.site_identity()
        key, project = self._called(spec.id or spec.key)
        if project is None:
            wanted = (key or spec.key).strip().upper()
            return Identity(site, f"{UNMADE}{wanted}", key or spec.key.strip(), exists=False)
        found = str(project.get("key") or key)
        return Identity(site, str(project.get("id", "")), found, f"{self._site(self.server_info())}/browse/{found}")

    def _called(self, name: str) -> tuple[str, dict[str, Any] | None]:
        """The key or id that a name comes to, empty for an address of another site; and the project, if there is one
        that this account sees."""
        key = self._key(name.strip()) or ""
        try:
            return key, self._client.get_object(f"project/{segment(key)}") if key else None
        except NotVisible:
            # To somebody who is not signed in, Jira shows no project either; this read tells the two apart.
            self.myself()
            return key, None

    def _key(self, name: str) -> str | None:
        """The project's key that somebody wrote, alone or in an address of this site; None for another site's."""
        if "/" not in name:
            return name
        address = parts_of(name if "://" in name else f"https://{name}")
        sites = {self._client.host, parts_of(str(self.server_info().get("baseUrl") or "")).netloc}
        if address.netloc.casefold() not in {site.casefold() for site in sites}:
            return None
        asked = parse_qs(address.query).get("projectKey", [""])[0]
        path = _KEY.search(address.path)
        return (path[1] if path else asked).upper() or None

    def locate(self, spec: ProjectSpec) -> Place | None:
        """The place of the project, None if this account sees no such project. A key leads to a project that had it
        before, and to the next one that has it now; an id to the same one always."""
        key, project = self._called(spec.id or spec.key)
        if project is None:
            return None
        info = self.server_info()
        is_cloud = deployment_of(info) == CLOUD
        site_id, cloud = self.site_identity() if is_cloud else ("", True)
        layout = Layout(
            uid=spec.uid,
            label=spec.label,
            project_id=str(project.get("id", "")),
            project_key=str(project.get("key") or key),
            site_id=site_id,
            cloud=cloud,
            style=str(project.get("style") or ("next-gen" if project.get("simplified") else "classic")),
            site=self._site(info),
            default_assignee=str(project.get("assigneeType") or ""),
            deployment=deployment_of(info),
        )
        if layout.deployment != CLOUD:
            return place_of(layout)  # the rest is read with Cloud's routes; `check` says that this is the end
        return place_of(*self._learn(spec, layout, project), title=str(project.get("name") or ""))

    def _site(self, info: dict[str, Any]) -> str:
        """Where people go. The gateway has no pages, so there the site's own address is asked for."""
        named = info.get("baseUrl") or info.get("displayUrl")
        if self._settings.is_gateway and isinstance(named, str) and named.startswith("http"):
            return named.rstrip("/")
        return self._settings.url

    def _learn(self, spec: ProjectSpec, layout: Layout, project: dict[str, Any]) -> tuple[Layout, list[Mapped]]:
        """The layout with what stands for what, and how that was found."""
        self._configurations.clear()
        unplaced = self._kept.get(("", layout.project_id), {})
        choices = self._kept.get((layout.site_id, layout.project_id), unplaced)
        epic, ticket, types = choose_types(project.get("issueTypes") or (), choices)
        epic, _ = self._with_fields(layout, epic)
        ticket, ticket_meta = self._with_fields(layout, ticket)
        boards = self._boards(layout, spec.method, str(project.get("name") or ""))
        board_id, board_found = choose_board(boards, spec.method, choices)
        board = next((one for one in boards if one.id == board_id), None)
        # Where it has to be said which board it is, iterations are planned, and nothing is written.
        sprints = spec.method == "scrum" and (self._has_sprints(board) if board is not None else board_found.unclear)
        sprints = sprints and board_found.found is not Found.MISSING
        points_field, points_found = choose_points_field(self._configuration(board_id), ticket, choices)
        priorities, priorities_found = choose_priorities(ticket_meta, choices)
        # 404: issue linking is switched off
        link_types = _read_or(_NO_OBJECT, lambda: self._client.get_object("issueLinkType"))
        link_type, link_found = choose_link_type(link_types, choices)
        mapping = [*types, link_found, board_found, points_found, *priorities_found]
        known = layout.model_copy(
            update={
                "epic": epic,
                "ticket": ticket,
                "board_id": board_id,
                "sprints": sprints,
                "sprint_field": self._sprint_field(ticket) if sprints else None,
                "points_field": points_field,
                "priorities": priorities,
                "link_type": link_type,
                "asked": frozenset(one.role.value for one in mapping if one.found in (Found.AMBIGUOUS, Found.GONE)),
                "off": frozenset(one.role.value for one in mapping if one.found is Found.OFF),
            }
        )
        return known, mapping

    def _with_fields(self, layout: Layout, kind: IssueType | None) -> tuple[IssueType | None, list[dict[str, Any]]]:
        if kind is None:
            return None, []
        path = f"issue/createmeta/{segment(layout.project_id)}/issuetypes/{segment(kind.id)}"
        metadata = _read_or(
            _NO_LIST, lambda: list(by_index(self._client, path, ("fields", "values"), size=_CREATE_META_PAGE))
        )
        # Without the permission to create, there is nothing to read; an empty screen does not exist.
        return (kind.model_copy(update={"fields": create_fields(metadata)}) if metadata else kind), metadata

    def _boards(self, layout: Layout, method: str, name: str) -> list[Board]:
        """The boards that fit, each with what its filter shows: a request for each whose filter people can change."""
        query = {"projectKeyOrId": layout.project_id}
        listed = _read_or(
            _NO_LIST, lambda: list(by_index(self._client, "board", ("values",), params=query, base=AGILE))
        )
        boards = fitting_boards(listed, layout.project_id, method)
        if method != "scrum":
            return boards
        names = (layout.project_key, layout.project_id, name)
        return [self._with_filter(one, names) for one in boards[:_BOARDS_LOOKED_AT]]

    def _with_filter(self, board: Board, names: Sequence[str]) -> Board:
        if board.type == "simple":  # a team-managed project's own, whose filter is the project
            return board
        filter_id = _part(self._configuration(board.id), "filter").get("id")
        saved = _NO_OBJECT
        if filter_id is not None:
            saved = _read_or(_NO_OBJECT, lambda: self._client.get_object(f"filter/{segment(str(filter_id))}"))
        jql = saved.get("jql")
        if isinstance(jql, str):
            return replace(board, jql=jql, shows=shows_project(jql, names))
        # Who may not read the filter is told at least which projects it is about.
        path = f"board/{board.id}/project"
        projects = _read_or(_NO_LIST, lambda: list(by_index(self._client, path, ("values",), base=AGILE)))
        about = {str(one.get(name)) for one in projects if isinstance(one, dict) for name in ("id", "key")}
        return replace(board, shows=bool(about & set(names)) if projects else None)

    def _configuration(self, board_id: int | None) -> Any:
        if board_id is None:
            return None
        if board_id not in self._configurations:
            path = f"board/{board_id}/configuration"
            self._configurations[board_id] = _read_or(_NO_OBJECT, lambda: self._client.get_object(path, base=AGILE))
        return self._configurations[board_id]

    def _has_sprints(self, board: Board) -> bool:
        """A team-managed board is "simple" whether its Sprints feature is on or not; listing them tells."""
        if board.type == "scrum":
            return True
        path = f"board/{board.id}/sprint"
        return bool(_read_or(_NO_OBJECT, lambda: self._client.get_object(path, {"maxResults": 1}, base=AGILE)))

    def _sprint_field(self, ticket: IssueType | None) -> str | None:
        on_screen = ticket.by_schema(SPRINT_SCHEMA) if ticket else None
        if on_screen:
            return on_screen.id
        return find_sprint_field(_read_or(_NO_LIST, lambda: self._client.get_list("field")))

    def create(self, spec: ProjectSpec) -> Place:
        """Create the project with this account as its lead, and wait a little for its board to appear."""
        lead = (self._me or self.myself()).id
        body = {
            "key": spec.key,
            "name": spec.name,
            "projectTypeKey": "software",
            "projectTemplateKey": TEMPLATES.get(spec.method, TEMPLATES["scrum"]),
            "leadAccountId": lead,
            "assigneeType": "UNASSIGNED",
        }
        try:
            self._client.write("POST", "project", body)
        except ItemRejected as error:
            if (trashed := in_trash(self._client, spec.key)) is None:
                raise
            problems = (FieldProblem("key", trashed.message),)
            raise ItemRejected(
                trashed.message, problems, fix=trashed.fix, request=error.request, status=error.status
            ) from error
        try:
            place = self._once_it_has_a_board(spec)
        except TrackerError as error:
            raise _made_but_unread(spec) from error
        if place is None:
            raise _made_but_unread(spec)
        return place

    def _once_it_has_a_board(self, spec: ProjectSpec) -> Place | None:
        """Whether the vendor makes the board before it answers is not documented, so look a few times."""
        for _ in range(_BOARD_LOOKS - 1):
            place = self.locate(spec)
            if place is None or place.facts.get("board_id") is not None or not self._client.patience.try_pause(1.0):
                return place
        return self.locate(spec)


def _made_but_unread(spec: ProjectSpec) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The project {spec.key} was created, but could not be read afterwards.",
        fix="Try again: it will be found.",
        request="POST /rest/api/2/project",
    )
