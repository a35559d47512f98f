"""Every address and every method against every role and none, from the application's own table of routes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.access import Address, addresses
from service.api.app import install
from service.api.middleware import Door
from service.app import create_app
from service.context import Context
from service.domain.access import policy
from service.domain.access.policy import Where
from service.domain.access.roles import MAY, Permission, Role
from service.runs.engine import Engine
from service.store.access_tables import GrantRow
from service.usecases.access import tokens
from service.usecases.loop.advances import Advancing
from tests.api.conftest import SMALL_TEMPLATE, Api, assert_problem

READS = frozenset(
    {
        "POST /api/v1/templates/validate",
        "POST /api/v1/binders/verify",
        "POST /api/v1/projects/{name}/advance/preview",
    }
)
"""What changes nothing although its method says so, and is open to whoever may read."""

PAGES = frozenset(call for call in policy.RULES if call.startswith("GET ") and not call.startswith("GET /api/"))
"""Pages for people: who is not signed in is led to the form."""

SCOPED = (Where.PROJECT, Where.PLAN, Where.RUN, Where.TEAM)


@dataclass
class Gate:
    """The service's own door, with nothing behind it: what is let in is answered with 200, and with its path."""

    door: ASGIApp
    known: list[Address]

    def answer(self, method: str, path: str, token: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return asked(self.door, method, path, headers)


def asked(app: ASGIApp, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    """What an application answers."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())


@dataclass(frozen=True)
class Thing:
    """A project with all that addresses name, by the parameters of addresses."""

    project: str
    named: dict[str, str]

    def path(self, address: Address) -> str:
        of_a_team = address.path.removeprefix("/api/v1").startswith("/teams")
        names = self.named | {"name": self.named["team"]} if of_a_team else self.named
        return address.path_format.format(**names)


@pytest.fixture(scope="module")
def gate(context: Context) -> Gate:
    app = create_app(context, Engine(context, Advancing()))

    async def inside(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    door = Door(inside, context)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await door(scope | {"app": app}, receive, send)

    return Gate(serve, list(addresses(app)))


@pytest.fixture(scope="module")
def things(api: Api) -> tuple[Thing, Thing]:
    """Two projects of two teams, each with a plan and a run."""
    found = []
    for key in ("MINE", "THEIRS"):
        team = api.new_team()
        project = api.new_project(key, name=key, create=True, team=team, template={"text": SMALL_TEMPLATE})
        plan = api.post(f"/projects/{project}/plans")["id"]
        run = api.post(f"/plans/{plan}/apply", status=202)["id"]
        api.wait_for_end(run)
        named = {"name": project, "plan_id": plan, "run_id": run, "team": team, "number": "1", "seq": "1"}
        named |= {
            "waiver_id": "wvr_1",
            "token_id": "tok_1",
            "rule_id": "rul_1",
            "measure": "score",
            "secret": "feed_x",
            "event_id": "evt_1",
            "message_id": "dlv_1",
            "kind": "message",
            "session_id": "ses_1",
            "form_id": "frm_1",
            "person_id": "per_1",
            "question_id": "question-1",
            "role": "viewer",
            "digest": "0",
            "file": "style.css",
        }
        found.append(Thing(project, named))
    return found[0], found[1]


def of_service() -> list[str]:
    """Every method and address of the service, as the application itself has them."""
    app = FastAPI(openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)
    install(app, None, None)  # type: ignore[arg-type]  # nothing is served
    return sorted(f"{method} {one.path}" for one in addresses(app) for method in one.methods if method != "HEAD")


CALLS = of_service()


def split(call: str, gate: Gate) -> tuple[str, Address]:
    method, path = call.split(" ")
    return method, next(one for one in gate.known if one.path == path and method in one.methods)


@pytest.mark.parametrize("call", CALLS)
def test_every_address_has_one_rule_or_is_an_exception_with_a_reason(call: str) -> None:
    assert (call in policy.RULES) != (call in policy.EXCEPTIONS), (
        f"{call}: add a line to service/domain/access/policy.py"
    )


def test_the_policy_has_no_address_that_is_not_there_and_few_exceptions() -> None:
    assert set(policy.RULES) | set(policy.EXCEPTIONS) == set(CALLS)
    assert {call for call in policy.EXCEPTIONS if call.startswith("GET /api")} == {"GET /api/v1/openapi.json"}
    assert all(reason.strip() for reason in policy.EXCEPTIONS.values())


@pytest.mark.parametrize("call", policy.RULES)
def test_nobody_who_only_reads_may_call_what_changes_something(call: str) -> None:
    changes = not call.startswith("GET ") and call not in READS

    for role in (Role.VIEWER, Role.AUDITOR):
        rule = policy.RULES[call]
        asks = role is Role.AUDITOR and rule.permission is Permission.ASK and "/questions" in call
        assert rule.where is Where.OWN or asks or not (changes and rule.permission in MAY[role]), f"{role} {call}"


def test_the_right_to_waive_and_to_decide_is_the_lead_s_and_credentials_are_the_administrator_s() -> None:
    def who_may(call: str) -> set[Role]:
        return {role for role in Role if policy.RULES[call].permission in MAY[role]}

    assert who_may("POST /api/v1/projects/{name}/waivers") == {Role.LEAD, Role.ADMIN}
    assert who_may("PUT /api/v1/projects/{name}/loop/decision") == {Role.LEAD, Role.ADMIN}
    assert who_may("POST /api/v1/plans/{plan_id}/apply") == {Role.OPERATOR, Role.LEAD, Role.ADMIN}
    assert who_may("POST /api/v1/connections") == who_may("POST /api/v1/tokens") == {Role.ADMIN}
    assert who_may("GET /api/v1/changes") == {Role.AUDITOR, Role.ADMIN}


@pytest.mark.parametrize("role", Role)
def test_a_role_in_all_projects_opens_what_it_may_and_nothing_else(
    gate: Gate, things: tuple[Thing, Thing], context: Context, role: Role
) -> None:
    token = tokens.create(context, f"all-{role}", role=role)
    for call, rule in policy.RULES.items():
        method, address = split(call, gate)
        answer = gate.answer(method, things[0].path(address), token)
        allowed = rule.where is Where.OWN or rule.permission in MAY[role]
        assert answer.status_code == (200 if allowed else 403), f"{role} {call}: {answer.text}"


@pytest.mark.parametrize("role", Role)
def test_a_role_in_one_project_opens_that_one_and_does_not_tell_of_others(
    gate: Gate, things: tuple[Thing, Thing], context: Context, role: Role
) -> None:
    mine, theirs = things
    token = tokens.create(context, f"one-{role}", role=role, within=[mine.project])
    for call, rule in policy.RULES.items():
        method, address = split(call, gate)
        own = gate.answer(method, mine.path(address), token)
        allowed = rule.permission in MAY[role] and rule.where is not Where.EVERYWHERE
        assert own.status_code == (200 if allowed or rule.where is Where.OWN else 403), f"{role} {call}: {own.text}"
        if rule.where in SCOPED:
            other = gate.answer(method, theirs.path(address), token)
            missing = gate.answer(method, mine.path(address).replace(mine.named["name"], "none"), token)
            assert other.status_code == 404, f"{role} {call}: {other.text}"
            if rule.where is Where.PROJECT:
                assert missing.status_code == 404
                assert other.json()["detail"].replace(theirs.project, "none") == missing.json()["detail"]


def test_an_identity_without_a_role_may_ask_who_it_is_and_nothing_else(
    gate: Gate, things: tuple[Thing, Thing], context: Context
) -> None:
    until = context.now() + timedelta(seconds=60)
    token = tokens.create(context, "none", role=Role.ADMIN, expires_at=until)
    with context.database.session() as session:
        held = tokens.get(context, "none").row.id
        session.execute(delete(GrantRow).where(GrantRow.holder_id == held))
    for call, rule in policy.RULES.items():
        method, address = split(call, gate)
        answer = gate.answer(method, things[0].path(address), token)
        expected = {Where.OWN: 200}.get(rule.where, 404 if rule.where in SCOPED else 403)
        assert answer.status_code == expected, f"{call}: {answer.text}"


@pytest.mark.parametrize("token", [None, "phl_nobodys", "", "%C3%BC", "x" * 5000], ids=range(5))
def test_without_a_good_token_only_the_exceptions_answer(
    gate: Gate, things: tuple[Thing, Thing], token: str | None
) -> None:
    for call in CALLS:
        method, address = split(call, gate)
        answer = gate.answer(method, things[0].path(address), token)
        refused = 303 if call in PAGES else 401
        assert answer.status_code == (200 if call in policy.EXCEPTIONS else refused), f"{call}: {answer.text}"


def test_a_route_that_was_added_without_a_rule_is_refused_to_everybody(gate: Gate, context: Context) -> None:
    app = create_app(context, Engine(context, Advancing()))
    app.get("/api/v1/forgotten")(lambda: {"secret": "told"})
    app.get("/forgotten")(lambda: {"secret": "told"})
    token = tokens.create(context, "admin")
    for path in ("/api/v1/forgotten", "/forgotten"):
        assert asked(app, "GET", path, {}).status_code == (401 if path.startswith("/api") else 303)
        assert_problem(asked(app, "GET", path, {"Authorization": f"Bearer {token}"}), "forbidden", 403)


# --- what lists leave out, what plans bring with them -----------------------------------------------------------------


def as_role(api: Api, role: Role, *within: str, **more: Any) -> Api:
    """The same service, asked with a token of this role."""
    name = api.new_name(role.value)
    return replace(api, token=tokens.create(api.context, name, role=role, within=within, **more))


def test_lists_hold_only_the_projects_that_somebody_may_see(api: Api, things: tuple[Thing, Thing]) -> None:
    mine, theirs = things
    viewer = as_role(api, Role.VIEWER, mine.project)

    assert [one["id"] for one in viewer.get("/projects")["items"]] == [mine.project]
    assert {one["project"] for one in viewer.get("/runs")["items"]} == {mine.project}
    assert [one["project"]["id"] for one in viewer.get("/audit")["items"]] == [mine.project]
    assert [one["id"] for one in viewer.get("/teams")["items"]] == [mine.named["team"]]
    assert_problem(viewer("GET", f"/runs?project={theirs.project}"), "not-found", 404)
    everyone = as_role(api, Role.VIEWER)
    assert {mine.project, theirs.project} <= {one["id"] for one in everyone.get("/projects")["items"]}


def test_who_has_a_role_in_one_project_names_it_by_its_key_too(api: Api, things: tuple[Thing, Thing]) -> None:
    viewer = as_role(api, Role.VIEWER, things[0].project)

    assert viewer.get("/projects/mine")["id"] == things[0].project
    told = assert_problem(viewer("GET", "/projects/THEIRS"), "not-found", 404)["detail"]
    assert told == assert_problem(viewer("GET", "/projects/NOBODYS"), "not-found", 404)["detail"].replace(
        "NOBODYS", "THEIRS"
    )


def test_a_plan_that_changes_settings_or_ends_the_project_is_applied_by_who_decides(
    api: Api, things: tuple[Thing, Thing]
) -> None:
    operator = as_role(api, Role.OPERATOR)
    project = things[1].project
    plain = operator.post(f"/projects/{project}/plans")["id"]
    ending = api.post(f"/projects/{project}/removal-plans", {"undo": False})["id"]

    assert_problem(operator("POST", f"/plans/{ending}/apply"), "forbidden", 403)
    assert operator("POST", f"/plans/{plain}/apply").status_code == 202


def test_to_decide_a_phase_with_an_advance_takes_the_right_to_decide(api: Api, things: tuple[Thing, Thing]) -> None:
    operator = as_role(api, Role.OPERATOR)
    body = {"decision": {"move": "end", "reason": "Done."}}

    assert_problem(operator("POST", f"/projects/{things[0].project}/advance", json=body), "forbidden", 403)


def test_who_made_a_plan_and_started_a_run_is_the_token_s_name(api: Api, things: tuple[Thing, Thing]) -> None:
    assert api.get(f"/plans/{things[0].named['plan_id']}")["made_by"] == "tests"
    assert api.get(f"/runs/{things[0].named['run_id']}")["started_by"] == "tests"


def test_the_permissions_are_all_used() -> None:
    assert {rule.permission for rule in policy.RULES.values()} == set(Permission)
