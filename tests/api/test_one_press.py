"""One press, one effect: whenever a server is killed in the middle of a request, the same request with the same
`Idempotency-Key` has it done once and answered as if nothing had happened.

Every route that changes something is called in a server that is killed right before each of its commits: the one that
claims the key (for one route, as it is the same for all), those of what it does, the one that keeps its answer; and
right before the answer is sent. Another server then takes the same request on the same database. A route that is added
later fails the walk until it says how it is called.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from service.api.app import ROUTERS
from service.api.routing import CreatingRoute
from service.app import create_app
from service.context import open_context
from service.runs.engine import Engine
from service.settings import Settings
from service.usecases.access import tokens
from service.usecases.loop.advances import Advancing
from tests import plain
from tests.api.conftest import SMALL_TEAM, SMALL_TEMPLATE, Api, served
from tests.api.pressed import AT_ANSWER, Stable
from tests.waiting import eventually

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

TODAY = datetime.now(UTC).date()
MONDAY = TODAY + timedelta(days=7 + (-TODAY.weekday()) % 7)
TEMPLATE = {"text": SMALL_TEMPLATE.replace("2026-03-02", MONDAY.isoformat())}
TRIGGER = {"name": "heard", "source": "wandb", "project": "GOES", "action": "notify", "with": {"text": "heard"}}
ASKING = {"iteration": 1, "text": "Which data was the threshold chosen on?"}
KEY = {"Idempotency-Key": "one-press"}

MOST_COMMITS = 12
"""More than any request has."""


@dataclass(frozen=True)
class Base:
    """A home folder with a project whose first iteration continues, and one whose plan was applied and not begun."""

    home: Path
    token: str
    sandbox: SandboxServer
    project: str
    applied: str
    applying: str


@dataclass(frozen=True)
class Desk:
    """Where a request is prepared: a server on a copy of the base."""

    api: Api
    base: Base
    home: Path

    def sql(self, statement: str, *values: object) -> None:
        """Change the store past the service."""
        with closing(sqlite3.connect(self.home / "phaseloop.db")) as store, store:
            assert store.execute(statement, values).rowcount == 1

    def tag(self, path: str) -> dict[str, str]:
        return {"If-Match": self.api("GET", path).headers["etag"]}

    def loop(self, word: str) -> str:
        return f"/projects/{self.base.project}/loop{word}"

    def plan(self) -> str:
        return str(self.api.post(f"/projects/{self.base.project}/plans")["id"])

    def run(self) -> str:
        """Id of a run that is queued."""
        return str(self.api.post(f"/projects/{self.base.project}/advance", status=202)["id"])

    def ended(self, run: str, state: str) -> str:
        """The run, ended past the engine, while nothing else changed its project."""
        serial = "(SELECT serial FROM projects WHERE projects.id = project_id)"
        at = datetime.now(UTC).isoformat(sep=" ")
        self.sql(f"UPDATE runs SET state = ?, finished_at = ?, serial = {serial} WHERE id = ?", state, at, run)
        return run

    def event(self) -> str:
        """Id of an event that was handled, of a sender that is gone."""
        at = datetime(2026, 3, 2, 9, tzinfo=UTC).isoformat(sep=" ")
        self.sql(
            "INSERT INTO hook_events (id, owner, source, name, delivery, body, state, attempts, round, holder, "
            "error, outcome, received_at) "
            "VALUES ('evt_0', 'con_0', 'jira', 'e', 'd', x'7b7d', 'done', 1, 1, '', '', '[]', ?)",
            at,
        )
        return "evt_0"

    def trigger(self) -> str:
        """Path of a trigger."""
        self.api.post("/triggers", {"definition": TRIGGER})
        return "/triggers/heard"

    def waiver(self) -> str:
        return str(self.api.post(f"/projects/{self.base.project}/waivers", self.letting())["id"])

    def question(self) -> str:
        """A question that was asked where no ticket could be made of it."""
        faults = f"{self.base.sandbox.url}/sandbox/faults"
        away = {"action": "status", "status": 503, "method": "GET", "path": "/rest/", "times": 1000}
        plain.post(faults, json=away).raise_for_status()
        asked = self.api.post(f"/projects/{self.base.project}/questions", ASKING, status=200)
        plain.delete(faults).raise_for_status()
        assert asked["trouble"]
        return str(asked["id"])

    def token(self) -> str:
        return str(self.api.post("/tokens", {"name": "old", "role": "viewer"})["id"])

    def role_rule(self) -> str:
        return str(self.api.post("/role-rules", {"value": "old", "role": "viewer"})["id"])

    def person(self) -> str:
        """Path of somebody who may sign in."""
        body = {"login": "old@example.com", "role": "viewer"}
        return f"/people/{self.api.post('/people', body, status=200)['id']}"

    def session(self) -> str:
        """Path of a session that somebody has."""
        person = self.person()
        link = str(self.api.post(f"{person}/links")["token"])
        code = {"code": link.partition("code=")[2]}
        plain.post(f"{self.api.client.base_url}/sign-in", data=code, headers={"Sec-Fetch-Site": "same-origin"})
        return f"/sessions/{self.api.get('/sessions')['items'][0]['id']}"

    def receiver(self) -> str:
        """Path of a place where people hear of things."""
        self.api.post("/receivers", {"name": "old", **self.slack()})
        return "/receivers/old"

    def slack(self) -> dict[str, Any]:
        settings = {"url": f"{self.base.sandbox.url}/slack/api"}
        told = [{"channel": "C0000000002"}]
        return {"kind": "slack", "settings": settings, "secret": "xoxb-sandbox-token", "subscriptions": told}

    def message(self) -> str:
        """Id of a message to people that failed."""
        number = self.api.get(self.receiver())["id"]
        at = datetime(2026, 3, 2, 9, tzinfo=UTC).isoformat(sep=" ")
        self.sql(
            "INSERT INTO deliveries (id, receiver_id, project_id, channel, kind, events, seq, state, attempts, looks, "
            "error, posted, thread, created_at) "
            "VALUES ('dlv_0', ?, ?, 'C0000000002', 'run-failed', '[1]', 1, 'failed', 1, 0, '', '', '', ?)",
            *(number, self.base.project, at),
        )
        return "dlv_0"

    def letting(self) -> dict[str, Any]:
        return {"check": "D05", "reason": "No model was trained yet.", "until": str(TODAY + timedelta(days=30))}

    def connection(self) -> dict[str, Any]:
        settings = {"url": self.base.sandbox.url, "email": DEMO_EMAIL}
        return {"kind": "jira", "settings": settings, "secret": DEMO_TOKEN}


Asked = tuple[str, str, dict[str, Any]]
"""A request: its method, its path, and what else it is sent with."""


def ask(method: str, path: str, **more: Any) -> Asked:
    return method, path, more


def add_project(at: Desk) -> Asked:
    api = at.api
    body = {"name": "Other", "key": "OTHER", "connection": api.new_connection(), "team": api.new_team()}
    return ask("POST", "/projects", json={**body, "template": TEMPLATE})


def replace_team(at: Desk) -> Asked:
    team = at.api.get("/teams")["items"][0]["name"]
    path = f"/teams/{team}"
    body = {"name": team, "members": SMALL_TEAM, "calendar": {"days_off": [str(MONDAY + timedelta(days=14))]}}
    return ask("PUT", path, json=body, headers=at.tag(path))


def replace_connection(at: Desk) -> Asked:
    path = f"/connections/{at.api.new_connection()}"
    body = at.connection()
    return ask("PUT", path, json={**body, "settings": {**body["settings"], "email": "other@example.com"}})


def set_mapping(at: Desk) -> Asked:
    path = f"/connections/{at.api.get('/connections')['items'][0]['name']}/mapping?project=GOES"
    return ask("PUT", path, json={"roles": {"priority-low": "none"}}, headers=at.tag(path))


def take_decision_back(at: Desk) -> Asked:
    path = at.loop("/decision")
    decided = at.api("PUT", path, json={"move": "end", "reason": "Done."}, headers=at.tag(at.loop("")))
    assert decided.status_code == 200, decided.text
    return ask("DELETE", path, headers=at.tag(at.loop("")))


def resume_loop(at: Desk) -> Asked:
    at.api.post(at.loop("/pause"), {"reason": "Holidays"}, status=200)
    return ask("POST", at.loop("/resume"))


def cancelled(at: Desk, run: str) -> str:
    at.api.post(f"/runs/{run}/cancel", status=202)
    return run


def applying(at: Desk) -> str:
    """Id of the queued run of a plan."""
    plan = at.api.post(f"/projects/{at.base.applied}/plans")["id"]
    return str(at.api.post(f"/plans/{plan}/apply", status=202)["id"])


RECIPES: dict[str, list[Callable[[Desk], Asked]]] = {
    "POST /connections": [lambda at: ask("POST", "/connections", json={"name": "new", **at.connection()})],
    "PUT /connections/{name}": [replace_connection],
    "PUT /connections/{name}/mapping": [set_mapping],
    "POST /teams": [
        lambda at: ask("POST", "/teams", json={"name": "new", "members": SMALL_TEAM}),
        lambda at: ask(
            "POST",
            "/teams?name=table&time_zone=Europe/Berlin",
            content="person,email,roles\nA,a@example.com,lead\n",
            headers={"Content-Type": "text/csv"},
        ),
    ],
    "PUT /teams/{name}": [replace_team],
    "POST /projects": [add_project],
    "PATCH /projects/{name}": [
        lambda at: ask(
            "PATCH",
            f"/projects/{at.base.project}",
            json={"name": "Other", "wip_limit": 3},
            headers=at.tag(f"/projects/{at.base.project}"),
        )
    ],
    "POST /projects/{name}/plans": [lambda at: ask("POST", f"/projects/{at.base.project}/plans")],
    "POST /projects/{name}/removal-plans": [
        lambda at: ask("POST", f"/projects/{at.base.applied}/removal-plans", json={"undo": True}),
        lambda at: ask("POST", f"/projects/{at.base.applied}/removal-plans", json={"undo": False}),
    ],
    "POST /plans/{plan_id}/apply": [lambda at: ask("POST", f"/plans/{at.plan()}/apply")],
    "POST /runs/{run_id}/cancel": [lambda at: ask("POST", f"/runs/{at.run()}/cancel")],
    "POST /runs/{run_id}/retry": [
        lambda at: ask("POST", f"/runs/{at.ended(applying(at), 'failed')}/retry"),
        lambda at: ask("POST", f"/runs/{at.ended(at.run(), 'incomplete')}/retry"),
        lambda at: ask("POST", f"/runs/{at.ended(at.run(), 'held')}/retry"),
    ],
    "POST /runs/{run_id}/resume": [
        lambda at: ask("POST", f"/runs/{cancelled(at, applying(at))}/resume"),
        lambda at: ask("POST", f"/runs/{cancelled(at, at.run())}/resume"),
        lambda at: ask("POST", f"/runs/{at.run()}/resume"),
    ],
    "POST /runs/{run_id}/undo-plans": [lambda at: ask("POST", f"/runs/{at.base.applying}/undo-plans")],
    "POST /projects/{name}/loop/pause": [lambda at: ask("POST", at.loop("/pause"), json={"reason": "Holidays"})],
    "POST /projects/{name}/loop/resume": [resume_loop, lambda at: ask("POST", at.loop("/resume"))],
    "POST /projects/{name}/loop/skip": [lambda at: ask("POST", at.loop("/skip"), json={"reason": "Holidays"})],
    "POST /projects/{name}/loop/renew-feed": [lambda at: ask("POST", at.loop("/renew-feed"))],
    "PUT /projects/{name}/loop/decision": [
        lambda at: ask(
            "PUT", at.loop("/decision"), json={"move": "end", "reason": "Done."}, headers=at.tag(at.loop(""))
        )
    ],
    "DELETE /projects/{name}/loop/decision": [take_decision_back],
    "PATCH /projects/{name}/loop/answers": [
        lambda at: ask("PATCH", at.loop("/answers"), json={"answers": {"*": "backlog"}}, headers=at.tag(at.loop("")))
    ],
    "POST /projects/{name}/advance": [
        lambda at: ask("POST", f"/projects/{at.base.project}/advance"),
        lambda at: ask("POST", f"/projects/{at.base.project}/advance", json={"answers": {"*": "next"}}),
    ],
    "POST /projects/{name}/audit/runs": [lambda at: ask("POST", f"/projects/{at.base.project}/audit/runs")],
    "POST /projects/{name}/waivers": [
        lambda at: ask("POST", f"/projects/{at.base.project}/waivers", json=at.letting())
    ],
    "POST /projects/{name}/questions": [lambda at: ask("POST", f"/projects/{at.base.project}/questions", json=ASKING)],
    "POST /projects/{name}/questions/look": [
        lambda at: ask(
            "POST",
            f"/projects/{at.base.project}/questions/look",
        )
    ],
    "POST /projects/{name}/questions/{question_id}/ticket": [
        lambda at: ask("POST", f"/projects/{at.base.project}/questions/{at.question()}/ticket")
    ],
    "POST /tokens": [
        lambda at: ask("POST", "/tokens", json={"name": "ci", "role": "operator", "projects": [at.base.project]})
    ],
    "POST /people": [
        lambda at: ask("POST", "/people", json={"login": "a@b.c", "role": "lead", "projects": [at.base.project]})
    ],
    "DELETE /people/{person_id}": [lambda at: ask("DELETE", at.person())],
    "POST /people/{person_id}/links": [lambda at: ask("POST", f"{at.person()}/links")],
    "POST /people/{person_id}/grants": [lambda at: ask("POST", f"{at.person()}/grants", json={"role": "lead"})],
    "DELETE /people/{person_id}/grants/{role}": [lambda at: ask("DELETE", f"{at.person()}/grants/viewer")],
    "DELETE /sessions/{session_id}": [lambda at: ask("DELETE", at.session())],
    "PUT /projects/{name}/notice-hours": [
        lambda at: ask("PUT", f"/projects/{at.base.project}/notice-hours", json={"days_off": True}),
        lambda at: ask(
            "PUT",
            f"/projects/{at.base.project}/notice-hours",
            json={"quiet_from": "20:00", "quiet_to": "7:00", "stand_up": "09:30"},
        ),
    ],
    "POST /receivers": [lambda at: ask("POST", "/receivers", json={"name": "new", **at.slack()})],
    "PATCH /receivers/{name}": [
        lambda at: ask("PATCH", path := at.receiver(), json={"subscriptions": []}, headers=at.tag(path))
    ],
    "DELETE /receivers/{name}": [lambda at: ask("DELETE", at.receiver())],
    "POST /deliveries/{message_id}/replay": [lambda at: ask("POST", f"/deliveries/{at.message()}/replay")],
    "POST /deliveries/replay": [
        lambda at: ask("POST", "/deliveries/replay", json={"state": at.message() and "failed"}),
        lambda _at: ask("POST", "/deliveries/replay", json={}),
    ],
    "POST /role-rules": [
        lambda at: ask("POST", "/role-rules", json={"value": "ml", "role": "lead", "project": at.base.project})
    ],
    "DELETE /role-rules/{rule_id}": [lambda at: ask("DELETE", f"/role-rules/{at.role_rule()}")],
    "DELETE /tokens/{token_id}": [lambda at: ask("DELETE", f"/tokens/{at.token()}")],
    "DELETE /connections/{name}": [lambda at: ask("DELETE", f"/connections/{at.api.new_connection()}")],
    "DELETE /connections/{name}/hook": [lambda at: ask("DELETE", f"/connections/{at.api.new_connection()}/hook")],
    "PUT /connections/{name}/hook/secret": [
        lambda at: ask("PUT", f"/connections/{at.api.new_connection()}/hook/secret", json={"secret": "s" * 20})
    ],
    "POST /triggers": [lambda at: ask("POST", "/triggers", json={"definition": TRIGGER})],
    "PUT /triggers/{name}": [
        lambda at: ask("PUT", at.trigger(), json={"definition": TRIGGER}, headers=at.tag("/triggers/heard"))
    ],
    "PATCH /triggers/{name}": [lambda at: ask("PATCH", at.trigger(), json={"state": "off"})],
    "DELETE /triggers/{name}": [lambda at: ask("DELETE", at.trigger())],
    "PUT /triggers/{name}/secret": [lambda at: ask("PUT", f"{at.trigger()}/secret", json={"secret": "s" * 20})],
    "POST /events/{event_id}/replay": [lambda at: ask("POST", f"/events/{at.event()}/replay")],
    "POST /events/replay": [
        lambda at: ask(
            "POST", "/events/replay", json={"state": "done", "since": at.event() and "2026-01-01T00:00:00Z"}
        ),
        lambda _at: ask("POST", "/events/replay", json={}),
    ],
    "DELETE /projects/{name}/waivers/{waiver_id}": [
        lambda at: ask("DELETE", f"/projects/{at.base.project}/waivers/{at.waiver()}?reason=Trained")
    ],
}
"""How each route that changes something is called, in every way that leads through other units of work."""

REPEATABLE = {"POST /connections/{name}/hook/register", "POST /receivers/{name}/test"}
"""Routes whose effect is outside: at a tracker, in several units of work, each of which finds what the one before left;
or a test message, which may as well come twice."""

READING: dict[str, Callable[[Desk], Asked]] = {
    "POST /templates/validate": lambda _at: ask("POST", "/templates/validate", json=TEMPLATE),
    "POST /connections/{name}/check": lambda at: ask(
        "POST", f"/connections/{at.api.get('/connections')['items'][0]['name']}/check", json={}
    ),
    "POST /connections/{name}/hook/check": lambda at: ask(
        "POST", f"/connections/{at.api.get('/connections')['items'][0]['name']}/hook/check"
    ),
    "POST /connections/{name}/survey": lambda at: ask(
        "POST", f"/connections/{at.api.get('/connections')['items'][0]['name']}/survey", json={"key": "SCRUM"}
    ),
    "POST /projects/{name}/advance/preview": lambda at: ask("POST", f"/projects/{at.base.project}/advance/preview"),
    "POST /triggers/test": lambda _at: ask("POST", "/triggers/test", json={"definition": TRIGGER, "payload": {}}),
    "POST /binders/verify": lambda _at: ask("POST", "/binders/verify", json={}),
}
"""Routes that change nothing, whatever their method says, and need no key."""


def routes() -> dict[str, APIRoute]:
    """All routes by method and path, but those that only read by their method."""
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return {f"{method} {route.path}": route for route in found for method in route.methods & CHANGING}


# --- what a database holds ---


_OURS = re.compile(r"\b[a-z]{3}_[0-9a-f]{12}\b")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)?")
_RANDOM = {
    "answers": None,
    "alembic_version": None,
    "connection_checks": None,  # what a tracker answered last: a look, as the times of other looks
    "plans": ("body", "seconds"),
    "connections": ("secret",),
    "hook_secrets": ("secret",),
    "evidence": ("digest", "previous"),
    "loops": ("feed",),
    "changes": ("digest", "previous"),
    "tokens": ("hash", "last_used_at"),
    "sign_in_links": ("hash",),
    "sessions": ("hash",),
    "receivers": ("secret",),
}
"""What differs from one time to the next although the same was done; None for the whole table."""


def held(home: Path, known: str = "") -> dict[str, Counter[str]]:
    """What the database holds: its rows by table, without instants, every id that is not `known` made alike."""

    def plain(value: object) -> str:
        text = _INSTANT.sub("an instant", str(value))
        return _OURS.sub(lambda found: found[0] if found[0] in known else found[0][:3], text)

    with closing(sqlite3.connect(home / "phaseloop.db")) as store:
        store.row_factory = sqlite3.Row
        tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        shown: dict[str, Counter[str]] = {}
        for table in tables:
            left_out = _RANDOM.get(table, ())
            if left_out is None:
                continue
            rows = store.execute(f'SELECT * FROM "{table}"').fetchall()
            shown[table] = Counter(
                json.dumps({name: plain(row[name]) for name in row.keys() if name not in left_out})  # noqa: SIM118
                for row in rows
            )
        return shown


def feed(home: Path) -> list[Any]:
    with closing(sqlite3.connect(home / "phaseloop.db")) as store:
        return store.execute("SELECT project_id, feed FROM loops ORDER BY 1").fetchall()


def noted(home: Path) -> bool:
    """Whether a press that changes nothing was done: all that tells it is the note."""
    with closing(sqlite3.connect(home / "phaseloop.db")) as store:
        return bool(store.execute("SELECT count(*) FROM answers WHERE effect IS NOT NULL").fetchone()[0])


def everything(home: Path) -> str:
    """All that the database holds, but for the tokens, which tell when they were used last, and for what the last check
    of a connection found."""
    left_out = ('INSERT INTO "tokens"', 'INSERT INTO "connection_checks"')
    with closing(sqlite3.connect(home / "phaseloop.db")) as store:
        return "\n".join(line for line in store.iterdump() if not line.startswith(left_out))


# --- the walk ---


@pytest.fixture(scope="module")
def stable() -> Iterator[Stable]:
    with Stable() as opened:
        yield opened


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxServer) -> Base:
    home = tmp_path_factory.mktemp("base") / "home"
    context = open_context(Settings(_env_file=None, home=home, database_url=None, secret_key=None))
    token = tokens.create(context, "tests")
    app = create_app(context, Engine(context, Advancing()))
    with served(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        api = Api(app, context, client, token, sandbox)
        connection = api.new_connection()
        found = []
        for key in ("GOES", "WAITS"):
            project = api.new_project(key, name=key, create=True, template=TEMPLATE, connection=connection)
            plan = api.post(f"/projects/{project}/plans")["id"]
            run = api.wait_for_end(api.post(f"/plans/{plan}/apply", status=202)["id"])
            assert run["state"] == "completed", run
            found.append((project, run["id"]))
        (going, _), (waiting, run_id) = found
        loop = f"/projects/{going}/loop"
        eventually(lambda: api.get(loop)["state"] is not None)
        assert api.wait_for_end(api.post(f"/projects/{going}/advance", status=202)["id"])["state"] == "completed"
        eventually(lambda: api.get(loop)["current"] == 1)
        eventually(lambda: api.get(f"/projects/{waiting}/loop")["state"] is not None)
    with context.database.session() as session:  # no run of the clock is under way in what is copied
        assert session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").first() is not None
    context.close()
    return Base(home, token, sandbox, going, waiting, run_id)


@contextmanager
def at(stable: Stable, base: Base, home: Path, die_at: int = 0, *, working: bool = False) -> Iterator[Api]:
    """A client of a server on this home folder, which dies as `Stable.server` says."""
    with stable.server(home, die_at, working=working) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield Api(None, None, client, base.token, base.sandbox, count(100))  # type: ignore[arg-type]


def said(answer: httpx.Response, known: str) -> tuple[object, ...]:
    """What an answer says, whenever it is said."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            unlike = ("token", "seconds", "seconds_left", "feed", "estimate")
            return {name: plain(one) for name, one in value.items() if name not in unlike}
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, str):
            text = _INSTANT.sub("an instant", value)
            return _OURS.sub(lambda found: found[0] if found[0] in known else found[0][:3], text)
        return value

    return answer.status_code, plain(answer.headers.get("location")), plain(answer.json())


def without_secret(answer: httpx.Response) -> Any:
    """An answer as it is repeated: what is shown once is not."""
    body = answer.json()
    return {**body, "token": None} if "token" in body else body


CASES = [
    pytest.param(recipe, id=f"{route} {number}")
    for route, told in RECIPES.items()
    for number, recipe in enumerate(told)
]


@pytest.mark.parametrize("recipe", CASES)
def test_whenever_the_server_is_killed_the_same_press_has_one_effect(
    stable: Stable, base: Base, tmp_path: Path, recipe: Callable[[Desk], Asked]
) -> None:
    scene = Scene(stable, base, tmp_path, recipe)
    *found, clean = scene.pressed_until_nobody_dies()
    assert len(found) > 1
    assert [one.was_done for one in found] == [False] + [True] * (len(found) - 1), "killed before and after it was done"
    assert all(one.said == clean.said for one in found)
    assert all(one.held == clean.held for one in found)


@pytest.mark.parametrize("moment", [1, AT_ANSWER])
def test_a_press_that_was_never_heard_of_or_only_not_answered_has_one_effect_too(
    stable: Stable, base: Base, tmp_path: Path, moment: int
) -> None:
    scene = Scene(stable, base, tmp_path, RECIPES["POST /projects/{name}/loop/skip"][0])
    killed, clean = scene.pressed(moment), scene.pressed(0)
    assert killed.killed
    assert killed.was_done == (moment == AT_ANSWER)
    assert (killed.said, killed.held) == (clean.said, clean.held)


def test_an_advance_whose_answer_was_lost_turns_the_loop_once_in_the_tracker(
    stable: Stable, base: Base, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(base.home, tmp_path / "home"))
    path, headers = f"/projects/{base.project}/advance", KEY
    with at(stable, base, home, 3, working=True) as api, pytest.raises(httpx.TransportError):
        api("POST", path, headers=headers)
    with at(stable, base, home, working=True) as api:
        loop = f"/projects/{base.project}/loop"
        eventually(lambda: api.get(loop)["current"] == 2)
        again = api("POST", path, headers=headers)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        run = api.wait_for_end(again.json()["id"])
        assert (run["state"], run["iteration"]) == ("completed", 2)
        assert api.get(loop)["current"] == 2
        kinds = [one["kind"] for one in api.get("/runs", params={"project": base.project})["items"]]
        assert kinds.count("advance") == 2
    sprints = sprints_of(base, "GOES")
    assert sorted(one["state"] for one in sprints if one["state"] != "future") == ["active", "closed"]


def sprints_of(base: Base, key: str) -> list[dict[str, Any]]:
    def get(path: str, **params: str) -> list[dict[str, Any]]:
        auth = (DEMO_EMAIL, DEMO_TOKEN)
        answer = plain.get(f"{base.sandbox.url}/rest/agile/1.0/{path}", params=params, auth=auth).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["values"]
        return found

    return [sprint for board in get("board", projectKeyOrId=key) for sprint in get(f"board/{board['id']}/sprint")]


@dataclass(frozen=True)
class Outcome:
    """What a press was answered, what the database holds then, whether the server was killed in it, and whether it was
    done before it was repeated."""

    said: tuple[object, ...]
    held: dict[str, Counter[str]]
    killed: bool = False
    was_done: bool = False


class Scene:
    """A home folder in which everything is prepared for one press."""

    def __init__(self, stable: Stable, base: Base, folder: Path, recipe: Callable[[Desk], Asked]) -> None:
        self._stable, self._base, self._folder = stable, base, folder
        self._before = folder / "before"
        shutil.copytree(base.home, self._before)
        with self._at(self._before) as api:
            self._asked = recipe(Desk(api, base, self._before))
        self._known = everything(self._before)

    def pressed_until_nobody_dies(self) -> list[Outcome]:
        """What comes of a kill at each commit after the one that claims the key; the last one survived."""
        found = [self.pressed(2)]
        while found[-1].killed:
            assert len(found) < MOST_COMMITS
            found.append(self.pressed(2 + len(found)))
        return found

    def pressed(self, die_at: int) -> Outcome:
        """A press in which the server is killed, if it comes so far; then what comes of the same press at the next."""
        home = self._copy(str(die_at))
        with self._at(home, die_at) as api:
            try:
                answer = self._press(api)
            except httpx.TransportError:
                pass
            else:
                assert answer.status_code < 300, answer.text
                assert "idempotency-replayed" not in answer.headers
                return Outcome(said(answer, self._known), held(home, self._known))
        left = self._held(home)
        was_done = left != self._held(self._before) or noted(home)
        with self._at(home) as api:
            answer = self._press(api)
            assert answer.status_code < 300, f"killed at {die_at}: {answer.text}"
            assert answer.headers.get("idempotency-replayed") == ("true" if was_done else None)
            if was_done:
                assert self._held(home) == left, "it was not done again"
            again = self._press(api)
            assert (again.json(), again.headers["idempotency-replayed"]) == (without_secret(answer), "true")
        return Outcome(said(answer, self._known), held(home, self._known), killed=True, was_done=was_done)

    def _at(self, home: Path, die_at: int = 0) -> AbstractContextManager[Api]:
        return at(self._stable, self._base, home, die_at)

    def _copy(self, name: str) -> Path:
        return Path(shutil.copytree(self._before, self._folder / name))

    def _press(self, api: Api) -> httpx.Response:
        method, path, more = self._asked
        return api(method, path, **{**more, "headers": {**more.get("headers", {}), **KEY}})

    def _held(self, home: Path) -> tuple[dict[str, Counter[str]], list[Any]]:
        return held(home, self._known), feed(home)


def test_every_route_that_changes_something_is_in_the_walk() -> None:
    """A new one is added to RECIPES, with a call for each unit of work it may end in; its handler does what it is there
    for by `once`, and its use case calls `Context.done`. One that changes nothing is added to READING."""
    assert set(routes()) == set(RECIPES) | set(READING) | REPEATABLE
    for name, route in routes().items():
        told = {parameter.alias for needed in route.dependant.dependencies for parameter in needed.header_params}
        assert isinstance(route, CreatingRoute) == ("Idempotency-Key" in told) == (name in {*RECIPES, *REPEATABLE}), (
            name
        )


@pytest.mark.parametrize("name", READING)
def test_a_route_without_a_key_changes_nothing(stable: Stable, base: Base, tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    shutil.copytree(base.home, home)
    with at(stable, base, home) as api:
        method, path, more = READING[name](Desk(api, base, home))
        before = everything(home)
        answer = api(method, path, **more)
    assert answer.status_code == 200, answer.text
    assert everything(home) == before
