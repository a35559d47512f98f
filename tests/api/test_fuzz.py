"""Whatever is sent, the API answers as its OpenAPI document says, and never with a mistake of its own."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote
from zlib import crc32

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as openapi_checks

from service.api.app import OUTSIDE, ROUTERS
from service.domain.access.roles import Role
from service.store import hook_events
from service.store.notice_tables import DeliveryRow
from service.usecases.access import people, sessions
from tests.api.conftest import Api
from tests.api.test_receivers import new_receiver
from tests.conftest import SECRETS
from tests.effort import examples
from tests.waiting import eventually

CHECKS = [
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.unsupported_method,
]
"""Not among them is that whatever fits the schema is accepted: a project may name a team that does not exist."""

OWN = {"number", "seq", "measure", "waiver_id", "question_id", "role"}
"""Parameters of addresses that are no names of what the address begins with."""

RIGHT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
"""A name as addresses take it."""

SKIPPED = {
    # Its schema is text, as OpenAPI 3.1 has no words for events; the check holds each event against it.
    ("watchRun", openapi_checks.response_schema_conformance),
    # What is no binder is an answer of its own, and none that was sent wrongly.
    ("verifyBinder", openapi_checks.negative_data_rejection),
}


@schemathesis.serializer("text/csv", "text/html")
def as_text(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A table or a page is text in the document, and goes out as it is."""
    return str(value).encode("utf-8", "replace")


def feed(api: Api, project: str) -> str:
    """The secret of the project's calendar feed."""
    path = eventually(lambda: api.get(f"/projects/{project}/loop")["feed"])
    return str(path).removeprefix("/feeds/").removesuffix(".ics")


def arrived(api: Api) -> str:
    """Id of an event that was handled."""
    now = api.context.now()
    about = {"name": "jira:issue_updated", "delivery": "d", "body": b"{}"}
    kept = hook_events.new("evt_of_the_fuzz", "con_gone", "jira", about, now)
    with api.context.database.session() as session:
        hook_events.add(session, [{**kept, "state": "done", "next_at": None}])
    return "evt_of_the_fuzz"


def heard(api: Api) -> str:
    """Name of a trigger."""
    definition = {"name": "heard", "source": "wandb", "project": "SCRUM", "action": "notify", "with": {"text": "heard"}}
    return str(api.post("/triggers", {"definition": definition})["name"])


def failed(api: Api, project: str) -> str:
    """Id of a message to people that failed."""
    about = {"receiver_id": "rcv_gone", "project_id": project, "kind": "run-failed", "events": [], "seq": 0}
    with api.context.database.session() as session:
        session.add(DeliveryRow(id="dlv_of_the_fuzz", state="failed", created_at=api.context.now(), **about))
    return "dlv_of_the_fuzz"


def signed_in(api: Api) -> str:
    """Id of a session that somebody has."""
    person = people.put(api.context, "fuzzed@example.com", Role.VIEWER).row
    sessions.sign_in(api.context, sessions.link(api.context, person.id), "a test")
    return sessions.listed(api.context, person.id)[0].row.id


@pytest.fixture(scope="module")
def document(api: Api) -> Any:
    """The API's document, with half of all names in addresses such as there are."""
    plan = api.post(f"/projects/{api.new_project('SCRUM')}/plans")
    run = api.post(f"/plans/{plan['id']}/apply", status=202)
    api.wait_for_end(run["id"])
    known = {
        "/templates/": "iterative-ml",
        "/connections/": api.new_connection(),
        "/teams/": api.new_team(),
        "/projects/": plan["project"],
        "/plans/": plan["id"],
        "/runs/": run["id"],
        "/people/": api.post("/people", {"login": "fuzzed@example.com", "role": "viewer"}, status=200)["id"],
        "/sessions/": signed_in(api),
        "/tokens/": api.post("/tokens", {"name": "unused", "role": "viewer"})["id"],
        "/role-rules/": api.post("/role-rules", {"value": "unused", "role": "viewer"})["id"],
        "/feeds/": feed(api, plan["project"]),
        "/events/": arrived(api),
        "/triggers/": heard(api),
        "/receivers/": new_receiver(api)["id"],
        "/deliveries/": failed(api, plan["project"]),
    }
    written = api.new_connection()  # never one that is checked: its new address would be called up
    schema = schemathesis.openapi.from_url(f"{api.client.base_url}/api/v1/openapi.json")
    schema.config.update(headers={"Authorization": f"Bearer {api.token}"})
    schema.config.checks.negative_data_rejection.expected_statuses.append("413")

    @schema.hook
    def map_path_parameters(context: HookContext, path_parameters: Any) -> Any:
        operation = context.operation
        if operation is None or not path_parameters:
            return path_parameters
        found = next(name for prefix, name in known.items() if prefix in operation.path)
        if operation.method.upper() == "PUT" and operation.path.endswith("/connections/{name}"):
            found = written
        reads_tracker = operation.path.endswith(
            (
                "/check",
                "/hook",
                "/look",
                "/mapping",
                "/plans",
                "/preview",
                "/questions",
                "/register",
                "/survey",
                "/ticket",
            )
        )

        def given(name: str, value: Any) -> Any:
            if name in OWN or not RIGHT.fullmatch(unquote(str(value))):  # what is sent wrongly stays wrong
                return value
            return found if reads_tracker or crc32(str(value).encode()) % 2 == 0 else value

        return {name: given(name, value) for name, value in path_parameters.items()}

    return schema


def has_secret(case: Case) -> bool:
    """Whether a credential of the tests stands where clients log it: Hypothesis takes words out of our own code, too.
    Such a request would be heard as a leak."""
    sent = unquote(f"{case.path_parameters} {case.query}")
    return any(secret in sent for secret in SECRETS)


OPERATIONS = [
    route.operation_id for router in (*OUTSIDE, *ROUTERS) for route in router.routes if isinstance(route, APIRoute)
]


@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_as_documented(document: Any, name: str, mode: GenerationMode) -> None:
    operation = document.find_operation_by_id(name)
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.path_parameters or operation.query):
        pytest.skip("there is nothing to send wrongly")

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples(20, least=4),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Case) -> None:
        assume(not has_secret(case))
        checks = [check for check in CHECKS if (name, check) not in SKIPPED]
        case.call_and_validate(checks=checks, timeout=30)

    call()


@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("role", Role)
def test_to_whatever_role_every_answer_is_as_documented(api: Api, document: Any, role: Role) -> None:
    token = api.post("/tokens", {"name": f"fuzz-{role.value}", "role": role.value})["token"]
    checks = [not_a_server_error, openapi_checks.status_code_conformance, openapi_checks.response_schema_conformance]

    for name in OPERATIONS:
        told = [check for check in checks if (name, check) not in SKIPPED]
        _answers(document.find_operation_by_id(name), {"Authorization": f"Bearer {token}"}, told)


def _answers(operation: Any, headers: dict[str, str], checks: list[Any]) -> None:
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    @settings(
        max_examples=examples(4, least=1),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Case) -> None:
        assume(not has_secret(case))
        case.validate_response(case.call(headers=headers, timeout=30), checks=checks)

    call()
