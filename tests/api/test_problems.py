"""Errors: always a problem, in plain words, with the place; never a trace, never a secret."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.exc import OperationalError

from connectors import errors as tracker_errors
from connectors.errors import FieldProblem
from sandbox.jira.seed import DEMO_EMAIL
from service.api.catalogue import KINDS
from service.api.problems import translate
from service.context import Context
from service.store.tables import TeamRow
from service.store.vault import Vault
from service.store_faults import KeyProblem
from service.usecases.setup import connections, teams
from tests import plain
from tests.api.conftest import SMALL_TEAM, SMALL_TEMPLATE, Api, assert_problem
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        ({}, 'Bearer realm="phaseloop"'),
        ({"Authorization": "Basic ZGVtbzpkZW1v"}, 'Bearer realm="phaseloop"'),
        ({"Authorization": "Bearer"}, 'Bearer realm="phaseloop"'),
        ({"Authorization": "Bearer phl_nobodys"}, 'Bearer realm="phaseloop", error="invalid_token"'),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/projects", "/api/v1/nothing-here", "/api/v1"])
def test_without_a_good_token_nothing_is_told(api: Api, path: str, header: dict[str, str], challenge: str) -> None:
    answer = api.client.get(path, headers=header)
    assert_problem(answer, "unauthorized", 401)
    assert answer.headers["www-authenticate"] == challenge


def test_the_token_is_asked_for_before_the_body_is_read(api: Api) -> None:
    answer = api.client.post("/api/v1/teams", content=b"x" * 3_000_000)
    assert_problem(answer, "unauthorized", 401)


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_the_calendar_has_no_room_for_is_refused_wherever_one_is_taken(api: Api, edge: str) -> None:
    document = api.get("/openapi.json")
    asked = [
        (path, parameter["name"])
        for path, methods in document["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", ())
        if "date-time" in str(parameter["schema"])
    ]
    assert ("/api/v1/changes", "since") in asked
    for path, name in asked:
        answer = api("GET", path.removeprefix("/api/v1"), params={name: edge})
        problem = assert_problem(answer, "invalid-input", 422)
        assert [error["parameter"] for error in problem["errors"]] == [name]

    bodies = {"/events/replay": {"since": edge}, "/tokens": {"name": "x", "role": "viewer", "expires_at": edge}}
    for path, body in bodies.items():
        problem = assert_problem(api("POST", path, json=body), "invalid-input", 422)
        assert [error["pointer"] for error in problem["errors"]] == [f"/{[*body][-1]}"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/openapi.json"])
def test_health_and_the_document_need_no_token(api: Api, path: str) -> None:
    assert api.client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1", "/api/v1/", "/docs", "/redoc", "/x"])
def test_an_unknown_address_is_a_problem(api: Api, path: str) -> None:
    answer = api.client.get(path, headers={"Authorization": f"Bearer {api.token}"})
    assert_problem(answer, "unknown-address", 404)


@pytest.mark.parametrize("path", ["/runs/", "/api/v1/projects/", "/sign-in/"])
def test_an_address_with_a_slash_too_many_leads_nowhere(api: Api, path: str) -> None:
    headers = {"Authorization": f"Bearer {api.token}", "Host": "elsewhere.example"}
    answer = api.client.get(path, headers=headers)
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "elsewhere.example" not in answer.text


@pytest.mark.parametrize("path", ["/templates", "/projects", "/openapi.json"])
def test_head_says_what_get_says_but_for_the_body(api: Api, path: str) -> None:
    whole, head = api("GET", path), api("HEAD", path)
    assert (head.status_code, head.headers["content-type"]) == (whole.status_code, whole.headers["content-type"])
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.content == b""
    assert api("HEAD", "/projects/none").status_code == 404


def test_head_of_a_stream_does_not_wait_for_its_end(api: Api) -> None:
    plan = api.post(f"/projects/{api.new_project('HEADED', create=True)}/plans")
    run = api.post(f"/plans/{plan['id']}/apply", status=202)["id"]
    answer = api("HEAD", f"/runs/{run}/events")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert api("HEAD", "/runs/none/events").status_code == 404


def test_a_method_that_is_not_taken_names_those_that_are(api: Api) -> None:
    answer = api("DELETE", "/connections")
    assert_problem(answer, "method-not-allowed", 405)
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "POST"}


@pytest.mark.parametrize(
    "path", ["/templates/x", "/connections/x", "/teams/x", "/projects/x", "/plans/x", "/runs/x", "/runs/x/events"]
)
def test_an_unknown_name_is_a_problem(api: Api, path: str) -> None:
    assert_problem(api("GET", path), "not-found", 404)


@pytest.mark.parametrize(
    "body", [b"{", b'{"name": }', b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"nul"]
)
@pytest.mark.parametrize("path", ["/connections", "/projects", "/teams", "/templates/validate"])
def test_a_broken_body_is_a_problem(api: Api, path: str, body: bytes) -> None:
    answer = api("POST", path, content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, "malformed-request", 400)


@pytest.mark.parametrize("path", ["/connections", "/projects", "/teams", "/templates/validate"])
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", ""])
def test_a_body_of_another_type_is_a_problem(api: Api, path: str, kind: str) -> None:
    answer = api("POST", path, content=b"{}", headers={"Content-Type": kind} if kind else {})
    assert_problem(answer, "unsupported-media-type", 415)


def test_a_body_over_two_megabytes_is_refused_before_it_is_sent(api: Api) -> None:
    answer = api("POST", "/teams", content=b"x" * 2_000_001, headers={"Content-Type": "text/csv"})
    assert_problem(answer, "body-too-large", 413)


def test_a_body_that_grows_over_two_megabytes_is_refused_on_the_way(api: Api) -> None:
    chunks = (b"x" * 100_000 for _ in range(21))
    answer = api("POST", "/teams", content=chunks, headers={"Content-Type": "text/csv"})
    assert_problem(answer, "body-too-large", 413)


def project_body(**more: Any) -> dict[str, Any]:
    return {"name": "N", "key": "ML", "connection": "c", "team": "t", "template": "iterative-ml", **more}


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (project_body(kee=1), "/kee", "is not a field here"),
        ({k: v for k, v in project_body().items() if k != "team"}, "/team", "is missing"),
        (project_body(name=""), "/name", "must not be empty"),
        (project_body(name="a\nb"), "/name", "holds a character that cannot stand here"),
        (project_body(name="x" * 201), "/name", "may have at most 200 characters"),
        (project_body(create="yes"), "/create", "must be true or false"),
        (project_body(parameters=[]), "/parameters", "must be an object"),
        (project_body(template={"source": "a.yaml"}), "/template/text", "is missing"),
        ([], "", "must be an object"),
    ],
)
def test_a_field_that_is_wrong_is_named_by_its_pointer(api: Api, body: Any, pointer: str, detail: str) -> None:
    problem = assert_problem(api("POST", "/projects", json=body), "invalid-input", 422)
    assert {"pointer": pointer, "detail": detail} in problem["errors"]


def test_every_wrong_field_is_named_at_once(api: Api) -> None:
    problem = assert_problem(api("POST", "/projects", json={"nmae": 1}), "invalid-input", 422)
    named = {error["pointer"] for error in problem["errors"]}
    assert named == {"/nmae", "/name", "/key", "/connection", "/team", "/template"}


@pytest.mark.parametrize(
    ("path", "name"), [("/projects?limit=0", "limit"), ("/runs?limit=x", "limit"), ("/projects?cursor=!", "cursor")]
)
def test_a_wrong_parameter_is_named(api: Api, path: str, name: str) -> None:
    problem = assert_problem(api("GET", path), "invalid-input", 422)
    assert [error["parameter"] for error in problem["errors"]] == [name]


def test_a_wrong_template_is_answered_with_every_line(api: Api) -> None:
    text = SMALL_TEMPLATE.replace("role: scientist", "role: scientits").replace("epic: data\n", "epic: dta\n", 1)
    kind = {"Content-Type": "application/yaml"}
    by_yaml = assert_problem(api("POST", "/templates/validate", content=text, headers=kind), "invalid-input", 422)
    by_json = assert_problem(api("POST", "/templates/validate", json={"text": text}), "invalid-input", 422)
    assert by_yaml["errors"] == by_json["errors"]
    lines = text.splitlines()
    found = {error["pointer"]: lines[error["line"] - 1] for error in by_yaml["errors"]}
    assert found["/phases/0/tickets/1/role"].strip() == "role: scientits"
    assert found["/phases/0/tickets/0/epic"].strip() == "epic: dta"
    assert all(error["fix"] for error in by_yaml["errors"])


def test_problems_of_settings_point_to_where_the_body_has_them(api: Api) -> None:
    body = {"name": "x" * 81, "kind": "jira", "settings": {"url": "example.com", "extra": 1}, "secret": " "}
    problem = assert_problem(api("POST", "/connections", json=body), "invalid-input", 422)
    assert {error["pointer"] for error in problem["errors"]} == {
        "/name",
        "/settings/url",
        "/settings/email",
        "/settings/extra",
        "/secret",
    }


def test_problems_of_parameters_point_to_where_the_body_has_them(api: Api) -> None:
    body = project_body(connection=api.new_connection(), team=api.new_team(), parameters={"iteration_days": 1, "x": 2})
    problem = assert_problem(api("POST", "/projects", json=body), "invalid-input", 422)
    assert {"/parameters/iteration_days", "/parameters/x"} <= {error.get("pointer") for error in problem["errors"]}


def test_a_template_is_never_read_from_the_servers_disk(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL_TEMPLATE)
    body = project_body(connection=api.new_connection(), team=api.new_team(), template=str(file))
    problem = assert_problem(api("POST", "/projects", json=body), "invalid-input", 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/template"]
    assert api("GET", f"/templates/{str(file).replace('/', '%2F')}").status_code == 404


def test_a_taken_name_is_a_conflict(api: Api) -> None:
    name = api.get(f"/connections/{api.new_connection()}")["name"]
    body = {"name": name, "kind": "jira", "settings": {"url": api.sandbox.url, "email": DEMO_EMAIL}, "secret": "x"}
    assert_problem(api("POST", "/connections", json=body), "name-taken", 409)


def test_of_many_who_take_a_name_at_the_same_time_one_gets_it(api: Api) -> None:
    settings = {"url": api.sandbox.url, "email": DEMO_EMAIL}
    body = {"name": api.new_name("raced"), "kind": "jira", "settings": settings, "secret": "x"}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: api("POST", "/connections", json=body), range(16)))
    assert sorted(answer.status_code for answer in found) == [201] + [409] * 15
    assert sum(item["name"] == body["name"] for item in api.get("/connections")["items"]) == 1


def test_who_was_overtaken_between_looking_and_writing_is_told_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = api.get(f"/teams/{api.new_team()}")
    row = TeamRow(id=taken["id"], name=taken["name"], body={}, version=1, updated_at=api.context.now())

    def overtaken(context: Context, *_: object, **__: object) -> None:
        with context.database.session() as session:
            session.add(row)

    monkeypatch.setattr(teams, "put", overtaken)
    assert_problem(api("POST", "/teams", json={"name": "x", "members": SMALL_TEAM}), "conflict", 409)
    monkeypatch.undo()
    assert api.get(f"/teams/{taken['id']}") == taken


def test_a_connection_that_has_projects_stays_in_its_kind_of_tracker(api: Api) -> None:
    project = api.get(f"/projects/{api.new_project()}")
    path = f"/connections/{project['connection']}"
    before = api.get(path)
    body = {"kind": "trello", "settings": {"key": "a" * 32}, "secret": "b" * 64}
    free = api("PUT", f"/connections/{api.new_connection()}", json=body)
    assert free.status_code == 200, free.text
    assert_problem(api("PUT", path, json=body), "conflict", 409)
    assert api.get(path) == before


def test_a_project_that_exists_is_a_conflict(api: Api) -> None:
    project = api.get(f"/projects/{api.new_project()}")
    body = project_body(key=project["key"], connection=project["connection"], team=project["team"])
    body["template"] = {"text": SMALL_TEMPLATE}
    assert_problem(api("POST", "/projects", json=body), "project-exists", 409)


def test_a_key_on_two_connections_is_ambiguous(api: Api) -> None:
    nowhere = api.new_connection(url="http://127.0.0.1:9")  # a tracker that cannot tell which project that is
    ids = [api.new_project("KANBAN", connection=nowhere), api.new_project("KANBAN")]
    problem = assert_problem(api("GET", "/projects/KANBAN"), "ambiguous", 409)
    assert all(project in problem["detail"] for project in ids)


def test_a_refused_credential_is_the_trackers_answer_and_does_not_show_it(api: Api) -> None:
    secret = "s3cret-that-nobody-knows"
    connection = api.new_connection(secret)
    project = api.new_project(connection=connection)
    answer = api("POST", f"/projects/{project}/plans")
    assert_problem(answer, "tracker-credentials-refused", 502)
    check = api.post(f"/connections/{connection}/check", {}, 200)
    assert not check["ok"]
    assert check["findings"][0]["fix"]
    told = answer.text + str(check) + api("GET", f"/connections/{connection}").text
    assert secret not in told


def test_a_secret_in_a_refused_body_is_not_told(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    secret = "s3cret-in-the-wrong-place"
    for body in (
        {"name": "n", "kind": "jira", "settings": {"token": secret, "email": secret}, "secret": secret},
        {"name": "n", "kind": secret, "settings": [], "secret": secret},
        {"name": "n", "kind": "jira", "settings": {}, "secret": [secret]},
    ):
        answer = api("POST", "/connections", json=body, headers={"Idempotency-Key": f"k-{len(str(body))}"})
        assert answer.status_code == 422
        # A kind that nobody knows is repeated, so that its writer sees the misspelling; nothing else is.
        told = answer.text if body["kind"] == "jira" else answer.text.replace(f"'{secret}'", "")
        assert secret not in told
    assert secret not in caplog.text


@pytest.mark.parametrize(
    ("error", "code", "headers"),
    [
        (tracker_errors.TrackerUnavailable("m", retry_after=11.2), "tracker-unavailable", {"Retry-After": "12"}),
        (tracker_errors.TrackerUnavailable("m"), "tracker-unavailable", {"Retry-After": "2"}),
        (tracker_errors.OutcomeUnknown("m"), "tracker-unknown-outcome", {}),
        (tracker_errors.CredentialsRefused("m"), "tracker-credentials-refused", {}),
        (tracker_errors.PermissionMissing("m"), "tracker-permission-missing", {}),
        (tracker_errors.NotVisible("m"), "tracker-not-visible", {}),
        (tracker_errors.TrackerRefused("m"), "tracker-refused", {}),
        (tracker_errors.ItemRejected("m", [FieldProblem("points", "no")]), "tracker-refused", {}),
        (tracker_errors.NotATracker("m"), "not-a-tracker", {}),
        (tracker_errors.NetworkMisconfigured("m"), "network-misconfigured", {}),
        (KeyProblem("m"), "credential-unreadable", {}),
        (OperationalError("SELECT secret", {}, Exception("at db.internal")), "store-unavailable", {"Retry-After": "2"}),
        (RuntimeError("in /srv/phaseloop/x.py: s3cret"), "internal-error", {}),
    ],
)
def test_every_error_has_its_problem(error: Exception, code: str, headers: dict[str, str]) -> None:
    problem = translate(error)
    assert problem.kind is KINDS[code]
    assert problem.headers == headers
    assert not re.search("s3cret|SELECT|db.internal|Traceback", problem.detail)


def test_every_tracker_error_there_is_has_a_problem_of_its_own_or_its_parents() -> None:
    kinds = [
        kind
        for kind in vars(tracker_errors).values()
        if isinstance(kind, type) and issubclass(kind, tracker_errors.TrackerError)
    ]
    for kind in kinds:
        error = kind("m", []) if kind is tracker_errors.ItemRejected else kind("m")
        assert translate(error).kind.status in (502, 503), kind


def test_a_mistake_of_ours_is_a_problem_with_an_id_and_says_no_more(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("s3cret in /srv/phaseloop/x.py")

    monkeypatch.setattr(connections, "listed", broken)
    answer = api("GET", "/connections", headers={"X-Request-Id": "trace-17"})
    assert_problem(answer, "internal-error", 500)
    assert answer.headers["x-request-id"] == "trace-17"
    assert "s3cret" not in answer.text
    assert "Traceback" not in answer.text
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("given", ["a b", "x" * 129, "\u00fc".encode()])
def test_a_request_id_that_is_not_harmless_is_replaced(api: Api, given: str | bytes) -> None:
    answer = plain.get(f"{api.client.base_url}/healthz", headers={b"X-Request-Id": given})  # type: ignore[dict-item]
    assert re.fullmatch(r"req_[0-9a-f]{16}", answer.headers["x-request-id"])


def test_a_line_end_in_an_address_begins_no_line_of_the_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="service"):
        api("GET", "/x%0Aforged?token=s3cret", headers={"X-Request-Id": "log-1"})

        def written() -> list[str]:
            # A copy, because the server's thread writes on: its line comes after the answer.
            return [r.getMessage() for r in list(caplog.records) if getattr(r, "request_id", "") == "log-1"]

        lines = eventually(written)
    assert len(lines) == 1
    assert "\n" not in lines[0]
    assert "s3cret" not in lines[0]
    assert "status=404" in lines[0]


def test_the_service_is_not_ready_without_its_engine(api: Api) -> None:
    api.app.state.launched = False
    try:
        problem = assert_problem(api.client.get("/readyz"), "not-ready", 503)
        assert [error["subject"] for error in problem["errors"]] == ["engine"]
        assert api.client.get("/healthz").status_code == 200
    finally:
        api.app.state.launched = True


def test_the_service_is_not_ready_where_its_key_opens_no_credential(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.new_connection()
    opens = Vault([Fernet.generate_key().decode()]).open
    monkeypatch.setattr(Vault, "open", lambda _vault, sealed: opens(sealed))

    problem = assert_problem(api.client.get("/readyz"), "not-ready", 503)

    assert [error["subject"] for error in problem["errors"]] == ["key"]
    assert "Put the old key back" in problem["errors"][0]["detail"]


def test_the_reference_explains_every_problem() -> None:
    text = (ROOT / "docs" / "reference" / "problems.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        section = text.split(f"\n## {kind.code}\n")
        assert len(section) == 2, kind.code
        body = section[1].split("\n## ")[0]
        for part in (kind.type, str(kind.status), kind.title, kind.cause, kind.fix):
            assert part in body, (kind.code, part)
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == len(KINDS)
