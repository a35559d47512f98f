"""The audit of records over REST: the matrix, all projects, waivers, evidence, looks; projects of strangers."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from service.domain.audit import chain
from service.store.tables import AuditRow
from tests import plain
from tests.api.audited import read_project, read_records
from tests.api.conftest import SMALL_TEMPLATE, Api, assert_problem
from tests.statements import statements
from tests.waiting import eventually

TODAY = datetime.now(UTC).date()
SOON = (TODAY + timedelta(days=30)).isoformat()
WHY = "The data are the customer's own"


@pytest.fixture(scope="module")
def project(api: Api) -> str:
    """A project whose iterations 1 and 2 were read, of which the second says nothing; 3 could not be read."""
    return read_project(api)


def waive(api: Api, project: str, **more: Any) -> httpx.Response:
    body = {"check": "D03", "iteration": 2, "reason": WHY, "until": SOON, **more}
    return api("POST", f"/projects/{project}/waivers", json={n: v for n, v in body.items() if v is not None})


def results(api: Api, project: str, number: int) -> dict[str, str]:
    found: dict[str, str] = api.get(f"/projects/{project}/audit/{number}")["results"]
    return found


# --- the matrix -------------------------------------------------------------------------------------------------------


def test_the_matrix_has_every_iteration_with_every_check(api: Api, project: str) -> None:
    found = api.get(f"/projects/{project}/audit")

    assert (found["project"]["id"], found["gate"], len(found["checks"])) == (project, "off", 15)
    assert [one["number"] for one in found["iterations"]] == [1, 2, 3]
    first, second, third = found["iterations"]
    assert set(first["results"]) == set(second["results"]) == set(found["checks"])
    assert (first["results"]["D05"], second["results"]["D05"]) == ("pass", "fail")
    [decisions] = [one for one in second["findings"] if one["check"] == "D05"]
    assert "Decisions and why" in decisions["reason"]
    assert decisions["fix"]
    [signed] = [one for one in first["findings"] if one["check"] == "D10"]
    assert [(one["source"], one["by"]) for one in signed["evidence"]] == [("comment", "pm-1@example.com")]
    assert (third["verdict"], third["results"], third["trouble"]) == ("unknown", {}, "The tracker refused us.")


def test_one_iteration_is_told_as_in_the_matrix(api: Api, project: str) -> None:
    second = api.get(f"/projects/{project}/audit")["iterations"][1]
    assert api.get(f"/projects/{project}/audit/2") == second
    assert "iteration" in assert_problem(api("GET", f"/projects/{project}/audit/4"), "not-found", 404)["detail"]
    problem = assert_problem(api("GET", f"/projects/{project}/audit/0"), "invalid-input", 422)
    assert problem["errors"][0]["parameter"] == "number"


@pytest.mark.parametrize("path", ["audit", "audit/1"])
def test_who_has_read_an_audit_is_told_when_nothing_changed(api: Api, project: str, path: str) -> None:
    etag = api("GET", f"/projects/{project}/{path}").headers["etag"]
    assert api("GET", f"/projects/{project}/{path}", headers={"If-None-Match": etag}).status_code == 304


def test_a_project_that_was_never_audited_has_an_empty_matrix(api: Api) -> None:
    project = api.new_project(api.new_name("NEW").replace("-", ""))
    found = api.get(f"/projects/{project}/audit")
    assert (found["iterations"], found["waivers"]) == ([], [])
    assert api.get(f"/projects/{project}/evidence/proof") == {
        "ok": True,
        "entries": 0,
        "head": "",
        "audits": 0,
        "breaks": [],
        "differences": [],
    }


# --- all projects -----------------------------------------------------------------------------------------------------


def test_the_portfolio_comes_in_pages_the_worst_first_and_each_project_once(api: Api) -> None:
    names = [read_project(api, numbers=numbers) for numbers in ((1,), (1, 2), (1, 2, 3), (1,), (1, 2))]
    whole = api.get("/audit", params={"limit": 200})
    assert whole["next"] is None
    lates = [one["late"] for one in whole["items"]]
    assert lates == sorted(lates, reverse=True)
    shown = {one["project"]["id"]: one for one in whole["items"]}
    assert set(names) <= set(shown)
    assert [shown[name]["iterations"] for name in names] == [1, 2, 3, 1, 2]
    worst = shown[names[2]]
    assert (worst["worst"], worst["late"], worst["troubles"]) == ("partly", 3, 1)
    assert worst["verdicts"] == {
        "documented": 0,
        "partly": 2,
        "undocumented": 0,
        "unclear": 0,
        "pending": 0,
        "unknown": 1,
    }

    pages, path = [], "/audit?limit=2"
    while path:
        answer = api("GET", path)
        pages.append(answer.json())
        assert len(pages[-1]["items"]) == min(2, len(whole["items"]) - 2 * (len(pages) - 1))
        path = answer.links.get("next", {}).get("url", "")
    assert [one for page in pages for one in page["items"]] == whole["items"]


def test_a_page_of_the_portfolio_takes_as_many_statements_however_many_projects_there_are(api: Api) -> None:
    read_project(api)
    cursor = api.get("/audit", params={"limit": 1})["next"]
    with statements(api.context, but="FROM tokens") as few:
        api.get("/audit", params={"limit": 2, "cursor": cursor})
    for _ in range(8):
        read_project(api, numbers=(1,))
    with statements(api.context, but="FROM tokens") as many:
        api.get("/audit", params={"limit": 200, "cursor": cursor})
    assert len(many) == len(few)


def test_a_cursor_stays_good_when_its_project_has_ended(api: Api) -> None:
    project = read_project(api)
    read_project(api, numbers=())  # never audited: comes after it
    order = [one["project"]["id"] for one in api.get("/audit", params={"limit": 200})["items"]]
    first = api.get("/audit", params={"limit": order.index(project) + 1})
    following = api.get("/audit", params={"limit": 1, "cursor": first["next"]})["items"]
    assert [one["project"]["id"] for one in following] == [order[order.index(project) + 1]]
    plan = api.post(f"/projects/{project}/removal-plans", {"undo": False})
    api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    eventually(lambda: api.get(f"/projects/{project}")["ended_at"] is not None)
    assert api.get("/audit", params={"limit": 1, "cursor": first["next"]})["items"] == following


@pytest.mark.parametrize("cursor", ["x", "MQ", "MDowOnByal9ub25l", "LTE6OTpw"])
def test_a_cursor_that_is_none_is_refused(api: Api, project: str, cursor: str) -> None:
    for path in ("/audit", f"/projects/{project}/evidence"):
        if (path, cursor) == (f"/projects/{project}/evidence", "MQ"):
            continue  # that is the number 1
        problem = assert_problem(api("GET", path, params={"cursor": cursor}), "invalid-input", 422)
        assert problem["errors"][0]["parameter"] == "cursor"


# --- waivers ----------------------------------------------------------------------------------------------------------


def test_a_waived_check_passes_at_once_until_it_is_taken_back(api: Api) -> None:
    project = read_project(api)
    assert results(api, project, 2)["D03"] == "fail"

    waiver = waive(api, project, by="pm-1@example.com").json()

    assert (waiver["by"], waiver["state"], waiver["until"]) == ("pm-1@example.com (token tests)", "holds", SOON)
    shown = api.get(f"/projects/{project}/audit/2")
    assert shown["results"]["D03"] == "waived"
    [finding] = [one for one in shown["findings"] if one["check"] == "D03"]
    assert (finding["was"], finding["waived"]["by"], finding["waived"]["reason"]) == ("fail", waiver["by"], WHY)
    assert api.get(f"/projects/{project}/waivers") == {"items": [waiver], "next": None}
    assert api.get(f"/projects/{project}/audit")["waivers"] == [waiver]

    path = f"/projects/{project}/waivers/{waiver['id']}"
    taken = api("DELETE", path, params={"reason": "They may be named now"}).json()
    assert (taken["state"], taken["revoked_by"]) == ("revoked", "tests")
    assert results(api, project, 2)["D03"] == "fail"
    assert api("DELETE", path).json() == taken
    [last] = api.get(f"/projects/{project}/evidence", params={"cursor": "Mw"})["items"][-2:-1]
    told = api.get(f"/projects/{project}/evidence/{last['seq']}")
    assert (last["kind"], told["body"]["why"], told["body"]["id"]) == ("revoked", "They may be named now", waiver["id"])


def test_asking_for_the_same_waiver_again_is_one_waiver_and_all_iterations_may_be_meant(api: Api) -> None:
    project = read_project(api)
    key = {"Idempotency-Key": api.new_name("waiver")}
    body = {"check": "D05", "reason": WHY, "until": SOON}
    first = api("POST", f"/projects/{project}/waivers", json=body, headers=key)
    again = api("POST", f"/projects/{project}/waivers", json=body, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    third = api("POST", f"/projects/{project}/waivers", json=body)
    assert first.json() == again.json() == third.json()
    assert (first.json()["iteration"], first.json()["by"]) == (None, "tests")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"check": "D16"}, "/check"),
        ({"iteration": 9}, "/iteration"),
        ({"until": (TODAY - timedelta(days=2)).isoformat()}, "/until"),
        ({"until": (TODAY + timedelta(days=402)).isoformat()}, "/until"),
        ({"until": "soon"}, "/until"),
        ({"reason": "Short"}, "/reason"),
        ({"by": " "}, "/by"),
        ({"until": None}, "/until"),
    ],
)
def test_what_is_wrong_with_a_waiver_is_named_by_its_place(
    api: Api, project: str, wrong: dict[str, Any], pointer: str
) -> None:
    problem = assert_problem(waive(api, project, **wrong), "invalid-input", 422)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_a_waiver_is_taken_back_at_its_own_project_alone(api: Api, project: str) -> None:
    other = read_project(api)
    waiver = waive(api, other).json()["id"]
    assert_problem(api("DELETE", f"/projects/{project}/waivers/{waiver}"), "not-found", 404)
    assert api.get(f"/projects/{other}/waivers")["items"][0]["state"] == "holds"


# --- evidence ---------------------------------------------------------------------------------------------------------


def test_evidence_comes_in_pages_and_its_chain_can_be_followed_by_whoever_reads_it(api: Api) -> None:
    project = read_project(api)
    waive(api, project)
    first = api("GET", f"/projects/{project}/evidence", params={"limit": 2})
    rest = api("GET", first.links["next"]["url"]).json()
    outlines = [*first.json()["items"], *rest["items"]]
    assert [one["seq"] for one in outlines] == list(range(1, len(outlines) + 1))
    assert [one["kind"] for one in outlines] == ["reading", "reading", "waiver", "reading"]
    assert all("body" not in one for one in outlines)
    assert rest["next"] is None

    whole = [api.get(f"/projects/{project}/evidence/{one['seq']}") for one in outlines]
    assert chain.breaks([chain.entry_from_json(one) for one in whole]) == []
    for one in whole:  # as the reference says, with nothing of ours
        rest = {name: value for name, value in one.items() if name != "digest"}
        written = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(written.encode()).hexdigest() == one["digest"]
    assert [one["digest"] for one in whole] == [one["digest"] for one in outlines]
    assert_problem(api("GET", f"/projects/{project}/evidence/{len(outlines) + 1}"), "not-found", 404)


def test_the_proof_computes_every_audit_again_and_names_what_is_otherwise(api: Api) -> None:
    project = read_project(api)
    proof = api.get(f"/projects/{project}/evidence/proof")
    assert (proof["ok"], proof["entries"], proof["audits"]) == (True, 2, 2)
    assert proof["head"] == api.get(f"/projects/{project}/evidence/2")["digest"]
    with api.context.database.session() as session:
        session.execute(
            update(AuditRow).where(AuditRow.project_id == project, AuditRow.number == 2).values(verdict="documented")
        )
    proof = api.get(f"/projects/{project}/evidence/proof")
    assert not proof["ok"]
    assert proof["breaks"] == []
    assert any("iteration 2" in one and "documented is kept" in one for one in proof["differences"])


HOSTILE = (
    "## Decisions and why\n\n- We drop <script>alert(1)</script> \u202e\ud800 B because it is slow; alternative: A."
)


def test_hostile_text_of_people_is_shown_as_text_and_breaks_no_answer(api: Api) -> None:
    project = read_project(api, numbers=(1,), text=HOSTILE)
    for path in ("audit", "audit/1", "evidence", "evidence/1", "evidence/proof", "decisions", "metrics"):
        answer = api("GET", f"/projects/{project}/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), path
    for form in ("html", "json"):
        answer = api("GET", f"/projects/{project}/binder", params={"format": form})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text.partition('<script type="application/json"')[0] or form == "json"
        kind = {"html": "text/html", "json": "application/json"}[form]
        found = api("POST", "/binders/verify", content=answer.content, headers={"Content-Type": kind}).json()
        assert found["ok"], found


# --- having the records looked at -------------------------------------------------------------------------------------

AUTH = (DEMO_EMAIL, DEMO_TOKEN)
MONDAY = TODAY + timedelta(days=7 + (-TODAY.weekday()) % 7)


@pytest.fixture(scope="module")
def begun(api: Api) -> str:
    """A project in the tracker whose first iteration continues; its gate is `warn`."""
    key = api.new_name("LOOK").replace("-", "")
    text = SMALL_TEMPLATE.replace("2026-03-02", MONDAY.isoformat())
    project = api.new_project(key, name=key, create=True, template={"text": text}, audit={"gate": "warn"})
    plan = api.post(f"/projects/{project}/plans")
    run = api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    assert run["state"] == "completed", run
    eventually(lambda: api.get(f"/projects/{project}/loop")["state"] == "turning")
    run = api.wait_for_end(api.post(f"/projects/{project}/advance", status=202)["id"])
    assert run["state"] == "completed", run
    eventually(lambda: api.get(f"/projects/{project}/loop")["current"] == 1)
    return project


def looked(api: Api, project: str) -> dict[str, Any]:
    """The run that looks at the records, when it has ended."""
    answer = api("POST", f"/projects/{project}/audit/runs")
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert answer.headers["location"] == f"/api/v1/runs/{run['id']}"
    assert run["kind"] == "audit"
    ended = api.wait_for_end(run["id"])
    assert ended["state"] == "completed", ended
    return ended


def test_a_look_reads_the_record_keeps_it_and_shows_what_it_lacks(api: Api, begun: str) -> None:
    looked(api, begun)
    before = api.get(f"/projects/{begun}/audit/1")
    assert (before["verdict"], before["clock"], before["goes_on"]) == ("pending", "upcoming", True)
    assert before["record"]

    url = f"{api.sandbox.url}/rest/api/2/issue/{before['record']}"
    text = "h2. Results\n\nThe forest has an F1 of 0.83, the baseline 0.74."
    plain.put(url, json={"fields": {"description": text}}, auth=AUTH).raise_for_status()
    seen = len(api.get(f"/projects/{begun}/evidence")["items"])
    looked(api, begun)
    newest = api.get(f"/projects/{begun}/evidence")["items"][seen:]
    assert newest, "what was written since was not read"
    entry = api.get(f"/projects/{begun}/evidence/{newest[-1]['seq']}")
    assert "F1 of 0.83" in entry["body"]["record"]["document"]["text"]
    assert api.get(f"/projects/{begun}/evidence/proof")["ok"]


def test_the_plan_of_a_look_is_shown_as_any_other_and_not_applied_by_itself(api: Api, begun: str) -> None:
    looked(api, begun)
    runs = api.get("/runs", params={"project": begun})["items"]
    planned = [one["plan"] for one in runs if one["kind"] == "audit" and one["plan"] is not None]
    for plan in planned:
        assert api.get(f"/plans/{plan}")["purpose"] == "document"
        assert_problem(api("POST", f"/plans/{plan}/apply"), "conflict", 409)


def test_records_are_looked_at_once_a_loop_has_begun(api: Api, project: str) -> None:
    assert_problem(api("POST", f"/projects/{project}/audit/runs"), "loop-not-begun", 409)


def test_asking_for_a_look_with_the_same_key_is_one_run(api: Api, begun: str) -> None:
    key = {"Idempotency-Key": api.new_name("look")}
    first = api("POST", f"/projects/{begun}/audit/runs", headers=key)
    again = api("POST", f"/projects/{begun}/audit/runs", headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    api.wait_for_end(first.json()["id"])


# --- what a project says of its audit ---------------------------------------------------------------------------------


def change(api: Api, project: str, **audit: Any) -> httpx.Response:
    tag = {"If-Match": api("GET", f"/projects/{project}").headers["etag"]}
    return api("PATCH", f"/projects/{project}", json={"audit": audit}, headers=tag)


def test_what_a_project_says_of_its_audit_is_kept_until_it_is_taken_back(api: Api) -> None:
    key = api.new_name("SET").replace("-", "")
    project = api.new_project(key, audit={"gate": "block", "checks": {"D09": "critical"}})
    assert api.get(f"/projects/{project}")["audit"] == {"gate": "block", "checks": {"D09": "critical"}}
    assert api.get(f"/projects/{project}/audit")["gate"] == "block"

    tracking = {"url": "https://mlflow.example.com", "experiments": ["churn"]}
    changed = change(api, project, grace_working_days=1, tracking=tracking, gate=None)

    assert changed.status_code == 200, changed.text
    said = {"checks": {"D09": "critical"}, "grace_working_days": 1, "tracking": tracking}
    assert changed.json()["audit"] == said
    assert api.get(f"/projects/{project}/audit")["gate"] == "off"
    tag = {"If-Match": changed.headers["etag"]}
    assert api("PATCH", f"/projects/{project}", json={"name": "Other"}, headers=tag).json()["audit"] == said


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"grace_working_days": 5}, "/audit/grace_working_days"),
        ({"checks": {"D01": "minor"}}, "/audit/checks/D01"),
        ({"hosts": ["wiki.example.com", "http://x/y"]}, "/audit/hosts/1"),
        ({"gate": "never"}, "/audit/gate"),
        ({"checks": {"D1": "minor"}}, "/audit/checks/D1"),
        ({"grace": 1}, "/audit/grace"),
    ],
)
def test_what_is_looser_than_the_template_or_wrong_is_refused_by_its_place(
    api: Api, project: str, said: dict[str, Any], pointer: str
) -> None:
    problem = assert_problem(change(api, project, **said), "invalid-input", 422)
    [error] = problem["errors"]
    assert error["pointer"].startswith(pointer), error


# --- a project of strangers -------------------------------------------------------------------------------------------


def test_a_project_that_never_used_us_gets_the_same_report_and_nothing_is_written(api: Api) -> None:
    read_records(api, "OLD")
    connection = api.new_connection()
    before = plain.get(f"{api.sandbox.url}/sandbox/requests").json()["counts"]["writes"]

    found = api.post(f"/connections/{connection}/survey", {"key": "OLD", "team": api.new_team()}, 200)

    assert (found["project"]["id"], found["project"]["key"], found["gate"]) == (None, "OLD", "off")
    [one] = found["iterations"]
    assert one["told_by"]
    assert (one["results"]["D01"], one["results"]["D05"]) == ("pass", "pass")
    assert set(one["results"]) == set(found["checks"])
    assert found["assumed"]
    assert found["reads"] > 0
    assert plain.get(f"{api.sandbox.url}/sandbox/requests").json()["counts"]["writes"] == before
    assert "OLD" not in {entry["project"]["key"] for entry in api.get("/audit", params={"limit": 200})["items"]}


@pytest.mark.parametrize(
    ("body", "code", "status", "pointer"),
    [
        ({"key": "NONE"}, "not-found", 404, None),
        ({"key": "SCRUM", "team": "nobody"}, "not-found", 404, None),
        ({"key": "SCRUM", "template": "waterfall"}, "invalid-input", 422, "/template"),
        ({"key": "SCRUM", "time_zone": "Europe/Nowhere"}, "invalid-input", 422, "/time_zone"),
        ({"team": "nobody"}, "invalid-input", 422, "/key"),
    ],
)
def test_a_survey_that_cannot_be_names_why(
    api: Api, body: dict[str, Any], code: str, status: int, pointer: str | None
) -> None:
    problem = assert_problem(api("POST", f"/connections/{api.new_connection()}/survey", json=body), code, status)
    assert [error["pointer"] for error in problem.get("errors", [])] == ([pointer] if pointer else [])


def test_a_survey_with_a_credential_that_is_refused_says_so(api: Api) -> None:
    connection = api.new_connection(secret="nobody's")
    answer = api("POST", f"/connections/{connection}/survey", json={"key": "SCRUM"})
    assert_problem(answer, "tracker-credentials-refused", 502)
