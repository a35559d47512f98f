"""Reading what a Jira project is made of, in about eight requests, and creating one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

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
from connectors.jira.dialect import CLOUD, deployment_of
from connectors.jira.layout import (
    SPRINT_SCHEMA,
    IssueType,
    Layout,
    LinkType,
    choose_board,
    choose_link_type,
    choose_points_field,
    choose_priorities,
    choose_types,
    create_fields,
    find_sprint_field,
    remembered_board,
)
from connectors.jira.mapping import account
from connectors.jira.paging import by_index
from connectors.jira.settings import JiraSettings
from connectors.tracker import UNMADE, Account, Identity, Place, ProjectSpec, RemoteRef

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


_KEY = re.compile(r"/(?:browse|projects)/([A-Za-z][A-Za-z0-9_]*)(?:-\d+)?(?:/|$)")


def place_of(layout: Layout) -> Place:
    """The place that a layout describes."""
    return Place(
        site=layout.site_id,
        memory=layout.memory,
        ref=RemoteRef(layout.project_id, layout.project_key, layout.browse(layout.project_key)),
        capabilities=layout.capabilities,
        board_url=layout.board_url,
        facts=layout.model_dump(mode="json", exclude={"memory"}),
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


class Locator:
    """Finds the project of a spec and learns its ids."""

    def __init__(self, client: JiraClient, settings: JiraSettings) -> None:
        self._client = client
        self._settings = settings
        self._info: dict[str, Any] | None = None
        self._cloud_id: str | None = None
        self._me: Account | None = None

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
        """Which project a key means; one that does not exist by its key in capitals, as Jira has them."""
        site, _ = self.site_identity()
        key, project = self._called(spec.key)
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
        address = urlsplit(name if "://" in name else f"https://{name}")
        sites = {self._client.host, urlsplit(str(self.server_info().get("baseUrl") or "")).netloc}
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
            memory=spec.memory,
            style=str(project.get("style") or ("next-gen" if project.get("simplified") else "classic")),
            site=self._site(info),
            default_assignee=str(project.get("assigneeType") or ""),
            deployment=deployment_of(info),
        )
        if layout.deployment != CLOUD:
            return place_of(layout)  # the rest is read with Cloud's routes; `check` says that this is the end
        return place_of(self._learn(spec, layout, project))

    def _site(self, info: dict[str, Any]) -> str:
        """Where people go. The gateway has no pages, so there the site's own address is asked for."""
        named = info.get("baseUrl") or info.get("displayUrl")
        if self._settings.is_gateway and isinstance(named, str) and named.startswith("http"):
            return named.rstrip("/")
        return self._settings.url

    def _learn(self, spec: ProjectSpec, layout: Layout, project: dict[str, Any]) -> Layout:
        epic, ticket = choose_types(project.get("issueTypes") or ())
        epic, _ = self._with_fields(layout, epic)
        ticket, ticket_meta = self._with_fields(layout, ticket)
        before = remembered_board(layout.memory) if spec.method == "scrum" else None
        board = self._board(layout, spec.method)
        configuration = self._configuration(board)
        # A project that had sprints has them still, also while its board is gone: they are read by their ids.
        sprints = spec.method == "scrum" and (before is not None if board is None else self._has_sprints(board))
        return layout.model_copy(
            update={
                "epic": epic,
                "ticket": ticket,
                "board_id": board["id"] if board else None,
                "former_board": before if before is not None and (board is None or board["id"] != before) else None,
                "sprints": sprints,
                "sprint_field": self._sprint_field(ticket) if sprints else None,
                "points_field": choose_points_field(configuration, ticket),
                "priorities": choose_priorities(ticket_meta),
                "link_type": self._link_type(),
            }
        )

    def _with_fields(self, layout: Layout, kind: IssueType | None) -> tuple[IssueType | None, list[dict[str, Any]]]:
        if kind is None:
            return None, []
        path = f"issue/createmeta/{segment(layout.project_id)}/issuetypes/{segment(kind.id)}"
        metadata = _read_or(
            _NO_LIST, lambda: list(by_index(self._client, path, ("fields", "values"), size=_CREATE_META_PAGE))
        )
        # Without the permission to create, there is nothing to read; an empty screen does not exist.
        return (kind.model_copy(update={"fields": create_fields(metadata)}) if metadata else kind), metadata

    def _board(self, layout: Layout, method: str) -> dict[str, Any] | None:
        query = {"projectKeyOrId": layout.project_id}
        boards = _read_or(
            _NO_LIST, lambda: list(by_index(self._client, "board", ("values",), params=query, base=AGILE))
        )
        return choose_board(boards, layout.project_id, method, remembered_board(layout.memory))

    def _configuration(self, board: dict[str, Any] | None) -> Any:
        if board is None:
            return None
        return _read_or(_NO_OBJECT, lambda: self._client.get_object(f"board/{board['id']}/configuration", base=AGILE))

    def _has_sprints(self, board: dict[str, Any]) -> bool:
        """A team-managed board is "simple" whether its Sprints feature is on or not; listing them tells."""
        if board.get("type") == "scrum":
            return True
        path = f"board/{board['id']}/sprint"
        return bool(_read_or(_NO_OBJECT, lambda: self._client.get_object(path, {"maxResults": 1}, base=AGILE)))

    def _sprint_field(self, ticket: IssueType | None) -> str | None:
        on_screen = ticket.by_schema(SPRINT_SCHEMA) if ticket else None
        if on_screen:
            return on_screen.id
        return find_sprint_field(_read_or(_NO_LIST, lambda: self._client.get_list("field")))

    def _link_type(self) -> LinkType | None:
        # 404: issue linking is switched off
        return choose_link_type(_read_or(_NO_OBJECT, lambda: self._client.get_object("issueLinkType")))

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
