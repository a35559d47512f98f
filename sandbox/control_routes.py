"""The control panel: ``/sandbox/<name>``, JSON both ways. GET shows a setting, POST sets it, DELETE clears it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.controls import PREFIX, ControlState
from sandbox.faults import Fault, Latency
from sandbox.jira.access import GLOBAL_PERMISSIONS, PROJECT_PERMISSIONS
from sandbox.jira.deliveries import Deliveries
from sandbox.jira.gateway import known_scopes
from sandbox.jira.seed import seed
from sandbox.jira.state import Denial, Project, ScopedToken, Site, User
from sandbox.slack.app import SlackWorld
from sandbox.slack.state import seed as seed_slack
from sandbox.trello.app import TrelloWorld
from sandbox.trello.caps import CAPS
from sandbox.trello.seed import seed as seed_trello
from sandbox.trello.state import Token

Json = Any


class PanelError(Exception):
    """A control request that cannot be carried out; the problems are for the person who sent it."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = list(problems)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class LimitsBody(_Body):
    """``scale`` multiplies every figure of the vendor's."""

    enabled: bool = True
    scale: float = Field(default=1.0, gt=0, le=1000)


class SearchBody(_Body):
    """How long a new issue stays out of search results."""

    lag_seconds: float = Field(ge=0, le=86_400, alias="lagSeconds")


class ClockBody(_Body):
    """Any of: the moment to stand at, whether to stand, how far to move."""

    now: datetime | None = None
    frozen: bool | None = None
    advance_seconds: float = Field(default=0, alias="advanceSeconds")


class PermissionBody(_Body):
    """A permission to take from a person (e-mail or account id), on one project or everywhere."""

    user: str
    permission: str
    project: str | None = None


class FieldBody(_Body):
    """A field of a project's create screen, for one issue type (id or name) or for all."""

    project: str
    field: str
    issue_type: str | None = Field(default=None, alias="issueType")


class ScreenBody(FieldBody):
    """``shown`` false takes the field off the screen, true puts it there."""

    shown: bool = False


class UserBody(_Body):
    """Whether a person's account is active."""

    user: str
    active: bool = False


class TokenBody(_Body):
    """A token that a person has from now on, for Jira and for Trello; one with scopes is for Jira's gateway alone."""

    user: str
    scopes: list[str] | None = None
    token: Annotated[str, Field(min_length=8, max_length=200)]


class ChannelBody(_Body):
    """Whether a channel of Slack's (id or name) is archived, and whether the bot is in it."""

    channel: str
    archived: bool | None = None
    member: bool | None = None


class DeploymentBody(_Body):
    """What ``serverInfo`` says the site is."""

    deployment: Literal["Cloud", "Server"]


class DeliveriesBody(_Body):
    """How long to wait before a webhook is sent again; none for the vendor's 5 to 15 minutes."""

    retry_delay_seconds: float | None = Field(default=None, ge=0, alias="retryDelaySeconds")


class ResetBody(_Body):
    """What to keep when starting over."""

    keep: list[Literal["controls", "data", "clock"]] = Field(default_factory=list)


_FAULTS: TypeAdapter[Fault | list[Fault]] = TypeAdapter(Fault | list[Fault])
_FIGURES: TypeAdapter[dict[str, Annotated[int, Field(ge=0)]]] = TypeAdapter(dict[str, Annotated[int, Field(ge=0)]])
_LATENCIES: TypeAdapter[Latency | list[Latency]] = TypeAdapter(Latency | list[Latency])


@dataclass
class Panel:
    """Answers ``/sandbox/*``. Screens and required fields remember how they were, so that DELETE restores them."""

    state: ControlState
    site: Site
    deliveries: Deliveries
    trello: TrelloWorld
    slack: SlackWorld
    _screens: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _required: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _deactivated: dict[str, bool] = field(default_factory=dict)
    _given: dict[str, str] = field(default_factory=dict)

    async def __call__(self, request: Request) -> Response:
        """Answer one control request; 400 names every problem, 404 lists what there is."""
        name = request.url.path.removeprefix(PREFIX).strip("/")
        if name == "" and request.method == "GET":
            return JSONResponse({key: self._show(key, request) for key in control_names() if key != "requests"})
        if name not in _SETTINGS:
            return _refused(404, f"There is no control '{name}'. There are: {', '.join(control_names())}.")
        try:
            return JSONResponse(await self._act(name, request))
        except PanelError as error:
            return _refused(400, *error.problems)
        except ValidationError as error:
            return _refused(400, *(_problem(part) for part in error.errors()))

    async def _act(self, name: str, request: Request) -> Json:
        setter, clearer, _ = _SETTINGS[name]
        if request.method == "POST" and setter is not None:
            setter(self, _json(await request.body()))
        elif request.method == "DELETE" and clearer is not None:
            clearer(self)
        elif request.method != "GET":
            raise PanelError(f"{request.method} is not possible on {PREFIX}/{name}.")
        if request.method != "GET":
            self.site.touch()
            self.trello.state.touch()
            self.slack.state.touch()
        return self._show(name, request)

    def _show(self, name: str, request: Request) -> Json:
        return _SETTINGS[name][2](self, request)

    # -- finding what a body names -----------------------------------------------------------------------------------

    def user(self, text: str) -> User:
        """A person by e-mail address or account id."""
        user = self.site.user_by_email(text) or self.site.data.users.get(text)
        if user is None:
            raise PanelError(f"user: nobody has the e-mail address or account id '{text}'.")
        return user

    def project(self, text: str) -> Project:
        """A project by key or id."""
        project = self.site.find_project(text)
        if project is None:
            raise PanelError(f"project: there is no project '{text}'.")
        return project

    def screens(self, body: FieldBody) -> list[tuple[Project, str, str]]:
        """The (project, issue type id, field id) that a body is about."""
        project = self.project(body.project)
        wanted = body.field.lower()
        known = self.site.data.fields.values()
        found = next((f.id for f in known if wanted in {f.id.lower(), f.name.lower()}), None)
        if found is None:
            raise PanelError(f"field: there is no field '{body.field}'.")
        types = [self.site.data.issue_types[key] for key in project.issue_type_ids]
        if body.issue_type is not None:
            types = [t for t in types if body.issue_type.lower() in {t.id, t.name.lower()}]
            if not types:
                raise PanelError(f"issueType: project {project.key} has no issue type '{body.issue_type}'.")
        return [(project, issue_type.id, found) for issue_type in types]

    # -- settings ----------------------------------------------------------------------------------------------------

    def set_faults(self, sent: Json) -> None:
        """Add one rule or several."""
        rules = _FAULTS.validate_python(sent)
        self.state.rules += rules if isinstance(rules, list) else [rules]

    def set_latency(self, sent: Json) -> None:
        """Add one wait or several."""
        waits = _LATENCIES.validate_python(sent)
        self.state.latencies += waits if isinstance(waits, list) else [waits]

    def set_limits(self, sent: Json) -> None:
        """Turn the vendor's limits on or off."""
        body = LimitsBody.model_validate(sent)
        self.state.limits.enabled, self.state.limits.scale = body.enabled, body.scale
        self.state.limits.forget()
        self.state.trello_limits.forget()
        self.slack.app.limits.forget()

    def clear_limits(self) -> None:
        """No limits."""
        self.set_limits({"enabled": False})

    def set_search(self, sent: Json) -> None:
        """Let search lag."""
        self.site.data.search_lag_seconds = SearchBody.model_validate(sent).lag_seconds
        self.trello.state.search_lag_seconds = self.site.data.search_lag_seconds

    def clear_search(self) -> None:
        """Let search find everything at once."""
        self.site.data.search_lag_seconds = self.trello.state.search_lag_seconds = 0.0

    def set_clock(self, sent: Json) -> None:
        """Stop, move or start the clock."""
        body = ClockBody.model_validate(sent)
        clock = self.site.clock
        if body.now is not None and body.now.tzinfo is None:
            raise PanelError("now: give the offset from UTC, as in 2026-11-23T09:00:00Z.")
        if body.frozen is False and body.now is not None:
            clock.reset()
            clock.advance(body.now - clock.now())
        elif body.frozen or body.now is not None:
            clock.freeze(body.now)
        elif body.frozen is False:
            moment = clock.now()
            clock.reset()
            clock.advance(moment - clock.now())
        clock.advance(timedelta(seconds=body.advance_seconds))
        self._wake()

    def _wake(self) -> None:
        self.deliveries.wake()
        self.trello.deliveries.wake()

    def clear_clock(self) -> None:
        """Run with the machine's time."""
        self.site.clock.reset()
        self._wake()

    def show_clock(self) -> Json:
        """The sandbox's moment."""
        clock = self.site.clock
        return {
            "now": clock.now().isoformat(timespec="milliseconds"),
            "frozen": clock.frozen,
            "offsetSeconds": clock.offset_seconds,
        }

    def set_permission(self, sent: Json) -> None:
        """Take a permission from a person."""
        body = PermissionBody.model_validate(sent)
        if body.permission not in {**GLOBAL_PERMISSIONS, **PROJECT_PERMISSIONS}:
            raise PanelError(f"permission: there is no permission '{body.permission}'.")
        project = self.project(body.project).id if body.project else None
        self.site.data.denials.append(Denial(self.user(body.user).account_id, body.permission, project))

    def set_required(self, sent: Json) -> None:
        """Make a field required when creating."""
        for project, type_id, name in self.screens(FieldBody.model_validate(sent)):
            required = project.required_fields.setdefault(type_id, [])
            self._required.setdefault((project.id, type_id), list(required))
            if name not in required:
                required.append(name)

    def clear_required(self) -> None:
        """Restore which fields are required."""
        for (project_id, type_id), names in self._required.items():
            if project_id in self.site.data.projects:
                self.site.data.projects[project_id].required_fields[type_id] = names
        self._required.clear()

    def set_screen(self, sent: Json) -> None:
        """Take a field off a create screen, or put it there."""
        body = ScreenBody.model_validate(sent)
        for project, type_id, name in self.screens(body):
            shown = project.screen_fields[type_id]
            self._screens.setdefault((project.id, type_id), list(shown))
            if body.shown and name not in shown:
                shown.append(name)
            elif not body.shown and name in shown:
                shown.remove(name)

    def clear_screens(self) -> None:
        """Restore the create screens."""
        for (project_id, type_id), names in self._screens.items():
            if project_id in self.site.data.projects:
                self.site.data.projects[project_id].screen_fields[type_id] = names
        self._screens.clear()

    def set_user(self, sent: Json) -> None:
        """Deactivate or reactivate a person."""
        body = UserBody.model_validate(sent)
        user = self.user(body.user)
        self._deactivated.setdefault(user.account_id, user.active)
        user.active = body.active

    def clear_users(self) -> None:
        """Restore who is active."""
        for account, active in self._deactivated.items():
            if account in self.site.data.users:
                self.site.data.users[account].active = active
        self._deactivated.clear()

    def set_token(self, sent: Json) -> None:
        """Give a person a token, as if they had made one in their settings: in Jira, in Trello, or in both."""
        body = TokenBody.model_validate(sent)
        user, member = self.site.user_by_email(body.user), self.trello.state.member_by_email(body.user)
        if user is None and member is None:
            raise PanelError(f"user: nobody has the e-mail address '{body.user}'.")
        if user is not None and user.token and body.scopes is None:
            raise PanelError(f"user: {body.user} has a token already.")
        taken, scoped = self.trello.state.data.tokens, self.site.data.scoped_tokens
        if body.token in {*taken, *scoped} or any(one.token == body.token for one in self.site.data.users.values()):
            raise PanelError("token: somebody has it already.")
        if body.scopes is not None:
            if unknown := sorted(set(body.scopes) - known_scopes()):
                raise PanelError(*(f"scopes: no operation asks for '{name}'." for name in unknown))
            scoped[body.token] = ScopedToken(self.user(body.user).account_id, body.scopes)
            return
        if user is not None:
            user.token = body.token
        if member is not None:
            taken[body.token] = Token(body.token[::-1], body.token, member.id, self.site.clock.now())
        self._given[body.token] = body.user

    def token_owners(self) -> list[str]:
        """Who was given a token here, one entry for each."""
        users = self.site.data.users
        scoped = [users[token.account_id].email for token in self.site.data.scoped_tokens.values()]
        return sorted([*self._given.values(), *scoped])

    def clear_tokens(self) -> None:
        """Take back the tokens that were given here."""
        for user in self.site.data.users.values():
            user.token = None if user.token in self._given else user.token
        for token in self._given:
            self.trello.state.data.tokens.pop(token, None)
        self.site.data.scoped_tokens.clear()
        self._given.clear()

    def set_deliveries(self, sent: Json) -> None:
        """Set how long to wait before a webhook is sent again."""
        self.deliveries.delay = DeliveriesBody.model_validate(sent).retry_delay_seconds

    def set_deployment(self, sent: Json) -> None:
        """Say what the site is."""
        self.site.data.deployment = DeploymentBody.model_validate(sent).deployment

    def clear_deployment(self) -> None:
        """A Cloud site again."""
        self.site.data.deployment = "Cloud"

    def reset(self, sent: Json) -> None:
        """Start over from the seed."""
        keep = ResetBody.model_validate(sent).keep
        if "clock" not in keep:
            self.clear_clock()
        if "controls" not in keep:
            self.state.clear()
        if "data" not in keep:
            fresh = seed(self.site.clock.now())
            fresh.cloud_id = self.site.data.cloud_id  # it stays the same site
            self.site.replace(fresh)
            for remembered in (self._screens, self._required, self._deactivated, self._given):
                remembered.clear()
            self.deliveries.clear()
            self.trello.state.replace(seed_trello(self.site.clock.now()))
            self.trello.state.search_lag_seconds = 0.0
            self.trello.deliveries.clear()
            self.slack.state.replace(seed_slack())

    def set_channel(self, sent: Json) -> None:
        """Archive a channel of Slack's, or take the bot out of it; or the other way round."""
        body = ChannelBody.model_validate(sent)
        channel = self.slack.state.named(body.channel)
        if channel is None:
            raise PanelError(f"channel: there is no channel '{body.channel}'.")
        channel.archived = channel.archived if body.archived is None else body.archived
        channel.member = channel.member if body.member is None else body.member

    def clear_channels(self) -> None:
        """Have channels as they were seeded, with the messages that are in them."""
        for name, seeded in seed_slack().channels.items():
            if (channel := self.slack.state.data.channels.get(name)) is not None:
                channel.archived, channel.member = seeded.archived, seeded.member

    def show_channels(self) -> Json:
        """The channels of Slack's."""
        return {
            one.id: {"name": one.name, "archived": one.archived, "member": one.member, "messages": len(one.messages)}
            for one in self.slack.state.data.channels.values()
        }

    def set_trello_limits(self, sent: Json) -> None:
        """Let Trello's boards, cards, checklists and workspaces hold fewer things, or more."""
        figures = _FIGURES.validate_python(sent)
        if unknown := sorted(set(figures) - set(CAPS)):
            raise PanelError(*(f"{name}: there is no such limit; there are {', '.join(CAPS)}." for name in unknown))
        self.trello.state.data.caps.update(figures)


def _json(raw: bytes) -> Json:
    try:
        return json.loads(raw or b"{}")
    except ValueError as error:
        raise PanelError(f"The body is not JSON: {error}.") from error


def _refused(status: int, *problems: str) -> Response:
    return JSONResponse({"problems": list(problems)}, status_code=status)


def _problem(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "the body"
    return f"{place}: {error['msg']}"


def _show_permissions(panel: Panel, _request: Request) -> Json:
    data = panel.site.data
    return [
        {
            "user": data.users[denial.account_id].email,
            "permission": denial.permission,
            "project": data.projects[denial.project_id].key if denial.project_id else None,
        }
        for denial in data.denials
    ]


def _show_requests(panel: Panel, request: Request) -> Json:
    query = request.query_params
    last = query.get("last", "1000")
    if not last.isdigit():
        raise PanelError("last: must be a whole number.")
    try:
        return panel.state.log.as_json(query.get("method"), query.get("path"), int(last))
    except ValueError as error:
        raise PanelError(f"path: {error}") from error


def _by_project(panel: Panel, attribute: str) -> Json:
    types = panel.site.data.issue_types
    return {
        project.key: {types[key].name: names for key, names in getattr(project, attribute).items()}
        for project in panel.site.data.projects.values()
    }


def _dumped(models: list[Any]) -> Json:
    return [model.model_dump(by_alias=True) for model in models]


_Setter = Callable[[Panel, Json], None] | None
_Clearer = Callable[[Panel], None] | None
_SETTINGS: dict[str, tuple[_Setter, _Clearer, Callable[[Panel, Request], Json]]] = {
    "clock": (Panel.set_clock, Panel.clear_clock, lambda panel, _: panel.show_clock()),
    "deliveries": (
        Panel.set_deliveries,
        lambda panel: panel.deliveries.clear(),
        lambda panel, _: panel.deliveries.as_json(),
    ),
    "deployment": (
        Panel.set_deployment,
        Panel.clear_deployment,
        lambda panel, _: {"deployment": panel.site.data.deployment},
    ),
    "faults": (
        Panel.set_faults,
        lambda panel: panel.state.rules.clear(),
        lambda panel, _: _dumped(panel.state.rules),
    ),
    "latency": (
        Panel.set_latency,
        lambda panel: panel.state.latencies.clear(),
        lambda panel, _: _dumped(panel.state.latencies),
    ),
    "limits": (
        Panel.set_limits,
        Panel.clear_limits,
        lambda panel, _: {"enabled": panel.state.limits.enabled, "scale": panel.state.limits.scale},
    ),
    "permissions": (Panel.set_permission, lambda panel: panel.site.data.denials.clear(), _show_permissions),
    "requests": (None, lambda panel: panel.state.log.clear(), _show_requests),
    "required-fields": (
        Panel.set_required,
        Panel.clear_required,
        lambda panel, _: _by_project(panel, "required_fields"),
    ),
    "reset": (Panel.reset, None, lambda panel, _: {"issues": len(panel.site.data.issues)}),
    "screens": (Panel.set_screen, Panel.clear_screens, lambda panel, _: _by_project(panel, "screen_fields")),
    "search": (
        Panel.set_search,
        Panel.clear_search,
        lambda panel, _: {"lagSeconds": panel.site.data.search_lag_seconds},
    ),
    "slack-channels": (Panel.set_channel, Panel.clear_channels, lambda panel, _: panel.show_channels()),
    "tokens": (Panel.set_token, Panel.clear_tokens, lambda panel, _: panel.token_owners()),
    "trello-deliveries": (
        None,
        lambda panel: panel.trello.deliveries.clear(),
        lambda panel, _: panel.trello.deliveries.as_json(),
    ),
    "trello-limits": (
        Panel.set_trello_limits,
        lambda panel: panel.trello.state.data.caps.clear(),
        lambda panel, _: {**CAPS, **panel.trello.state.data.caps},
    ),
    "users": (
        Panel.set_user,
        Panel.clear_users,
        lambda panel, _: {user.email: user.active for user in panel.site.data.users.values()},
    ),
}


def control_names() -> list[str]:
    """The names of all controls."""
    return sorted(_SETTINGS)
