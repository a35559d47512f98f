"""The loop over REST: how it stands, what comes next, manual overrides, and advancing, on a real engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from tests import plain
from tests.api.conftest import SMALL_TEMPLATE, Api, assert_problem
from tests.waiting import eventually

AUTH = (DEMO_EMAIL, DEMO_TOKEN)
TODAY = datetime.now(UTC).date()
MONDAY = TODAY + timedelta(days=7 + (-TODAY.weekday()) % 7)
"""The first day of the project: a Monday, in a week or two."""

TEMPLATE = {"text": SMALL_TEMPLATE.replace("2026-03-02", MONDAY.isoformat())}


def new_key(api: Api) -> str:
    return api.new_name("K").replace("-", "")


def applied(api: Api, **more: Any) -> str:
    """Id of a project whose loop has begun, in a project of its own in the tracker."""
    key = new_key(api)
    project = api.new_project(key, name=key, create=True, template=TEMPLATE, **more)
    plan = api.post(f"/projects/{project}/plans")
    run = api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    assert run["state"] == "completed", run
    eventually(lambda: loop(api, project)["state"] is not None)
    return project


def loop(api: Api, project: str) -> dict[str, Any]:
    shown: dict[str, Any] = api.get(f"/projects/{project}/loop")
    return shown


def advanced(api: Api, project: str) -> dict[str, Any]:
    """The run that advances now, when it has ended; the loop has moved on by then."""
    before = loop(api, project)["current"]
    run = api.wait_for_end(api.post(f"/projects/{project}/advance", status=202)["id"])
    assert run["state"] == "completed", run
    eventually(lambda: loop(api, project)["current"] == before + 1)
    return run


def tag(api: Api, project: str) -> dict[str, str]:
    return {"If-Match": api("GET", f"/projects/{project}/loop").headers["etag"]}


def writes(api: Api) -> int:
    return int(plain.get(f"{api.sandbox.url}/sandbox/requests").raise_for_status().json()["counts"]["writes"])


@pytest.fixture(scope="module")
def planned(api: Api) -> str:
    """A project that was set up and not yet applied."""
    return api.new_project(new_key(api), create=True, template=TEMPLATE)


@pytest.fixture(scope="module")
def begun(api: Api) -> str:
    """A project whose first iteration continues."""
    project = applied(api)
    advanced(api, project)
    return project


# --- how it stands, and what comes next ---


def test_before_the_first_apply_there_is_no_loop_and_the_schedule_is_what_would_come(api: Api, planned: str) -> None:
    shown = loop(api, planned)
    assert (shown["state"], shown["current"], shown["feed"], shown["held"]) == (None, 0, None, [])
    found = api.get(f"/projects/{planned}/schedule", params={"count": 3})
    assert [(one["kind"], one["iteration"]) for one in found["items"]] == [
        ("advance", 1),
        ("propose", 1),
        ("advance", 2),
    ]
    assert found["items"][0]["at"].startswith(f"{MONDAY}T09:00:00")
    assert found["next"] is None


@pytest.mark.parametrize("word", ["pause", "resume", "skip", "renew-feed"])
def test_a_loop_that_has_not_begun_takes_no_word(api: Api, planned: str, word: str) -> None:
    body = {} if word == "resume" else {"reason": "No time"}
    answer = api("POST", f"/projects/{planned}/loop/{word}", json=body)
    problem = assert_problem(answer, "loop-not-begun", 409)
    assert "first plan was applied" in problem["detail"]
    for path in ("advance", "advance/preview"):
        assert_problem(api("POST", f"/projects/{planned}/{path}"), "loop-not-begun", 409)


def test_the_loop_says_when_it_goes_on_in_project_time_and_in_utc(api: Api) -> None:
    shown = loop(api, applied(api, time_zone="Asia/Kolkata"))
    assert (shown["state"], shown["current"], shown["phase"], shown["time_zone"]) == (
        "turning",
        0,
        None,
        "Asia/Kolkata",
    )
    assert shown["next"]["at"] == f"{MONDAY}T09:00:00+05:30"
    assert shown["next_due"] == f"{MONDAY}T03:30:00Z"
    assert shown["turning"] == {"carry_over": "ask", "ahead": "all", "wip_limit": None}


def test_the_iteration_that_goes_on_is_told_with_its_place_in_phase_and_course(api: Api, begun: str) -> None:
    shown = loop(api, begun)
    assert (shown["current"], shown["phase"], shown["of_phase"], shown["loop"]) == (1, "ideation", 1, 1)
    assert shown["iterations"] >= 1
    [past] = api.get(f"/projects/{begun}/history")["iterations"]
    assert [datetime.fromisoformat(shown[name]) for name in ("starts", "ends")] == [
        datetime.fromisoformat(past[name]) for name in ("starts", "ends")
    ]
    assert (shown["carried_often"], shown["held"]) == ([], [])


def test_who_has_read_the_loop_is_told_when_nothing_changed(api: Api, begun: str) -> None:
    etag = api("GET", f"/projects/{begun}/loop").headers["etag"]
    assert api("GET", f"/projects/{begun}/loop", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("count", ["0", "101", "x"])
def test_a_count_out_of_range_is_refused(api: Api, planned: str, count: str) -> None:
    answer = api("GET", f"/projects/{planned}/schedule", params={"count": count})
    assert assert_problem(answer, "invalid-input", 422)["errors"][0]["parameter"] == "count"


def test_how_work_flows_is_read_from_the_tracker(api: Api, begun: str, planned: str) -> None:
    found = api.get(f"/projects/{begun}/flow")
    tickets = api.get(f"/projects/{begun}/history")["iterations"][0]["tickets"]
    assert (found["iteration"], found["todo"]["tickets"], found["wip_limit"]) == (1, len(tickets), None)
    assert_problem(api("GET", f"/projects/{planned}/flow"), "no-iteration", 409)


# --- advance ---


def test_a_preview_writes_and_keeps_nothing_and_says_what_an_advance_would_do(api: Api) -> None:
    project = applied(api)
    before = writes(api)
    found = api.post(f"/projects/{project}/advance/preview", status=200)
    assert (found["purpose"], found["blocked"]) == ("advance", False)
    assert (found["turnover"]["closes"], found["turnover"]["begins"]) == (None, 1)
    assert writes(api) == before
    assert loop(api, project)["current"] == 0
    assert api.get("/runs", params={"project": project})["items"][0]["kind"] == "apply"


def test_an_advance_closes_carries_begins_and_is_in_the_history(api: Api) -> None:
    project = applied(api)
    run = advanced(api, project)
    assert (run["id"], run["kind"], run["iteration"], run["attempt"]) == (f"advance-{project}-1", "advance", 1, 1)
    assert api.get(f"/plans/{run['plan']}")["turnover"]["begins"] == 1
    asked = {"answers": {"*": "next", "ticket:goals": "backlog"}}
    decided = {**asked, "decision": {"move": "stay", "reason": "One more experiment"}}
    preview = api.post(f"/projects/{project}/advance/preview", decided, 200)["turnover"]
    assert (preview["move"], preview["decision"]["by"]) == ("stay", "tests")
    assert {one["key"]: one["policy"] for one in preview["carried"]}["ticket:goals"] == "backlog"
    assert (loop(api, project)["answers"], loop(api, project)["decision"]) == ({}, None), "a preview keeps nothing"

    answer = api("POST", f"/projects/{project}/advance", json=decided)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/runs/advance-{project}-2"
    assert api.wait_for_end(answer.json()["id"])["state"] == "completed"
    eventually(lambda: loop(api, project)["current"] == 2)

    history = api.get(f"/projects/{project}/history")
    first, second = history["iterations"]
    outcomes = {ticket["key"]: ticket["outcome"] for ticket in first["tickets"]}
    assert (outcomes["ticket:explore"], outcomes["ticket:goals"]) == ("carried", "backlog")
    assert first["figures"]["all"]["carried"]["tickets"] == sum(one == "carried" for one in outcomes.values())
    assert (first["closed_by"], second["began_by"], second["closed_at"]) == (answer.json()["id"],) * 2 + (None,)
    assert {"began:1", "closed:1", "began:2"} <= {event["name"] for event in history["events"]}


def test_asking_to_advance_again_with_the_same_key_is_one_run(api: Api) -> None:
    project = applied(api)
    key = {"Idempotency-Key": api.new_name("advance")}
    first = api("POST", f"/projects/{project}/advance", headers=key)
    again = api("POST", f"/projects/{project}/advance", headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    api.wait_for_end(first.json()["id"])


def test_an_iteration_that_was_begun_is_not_followed_by_a_second_click(api: Api) -> None:
    project = applied(api)
    first = advanced(api, project)
    again = api("POST", f"/projects/{project}/advance", json={"begins": 1})
    assert (again.status_code, again.json()["id"]) == (202, first["id"])
    assert loop(api, project)["current"] == 1
    too_far = api("POST", f"/projects/{project}/advance", json={"begins": 3})
    assert "3" in assert_problem(too_far, "loop-moved-on", 409)["detail"]
    assert api.get(f"/projects/{project}/history")["iterations"][-1]["number"] == 1


def test_what_is_wrong_with_an_advance_is_named_by_its_place(api: Api, begun: str) -> None:
    body = {"decision": {"move": "back", "phase": "nowhere", "reason": "x"}}
    for path in ("advance", "advance/preview"):
        problem = assert_problem(api("POST", f"/projects/{begun}/{path}", json=body), "invalid-input", 422)
        assert [error["pointer"] for error in problem["errors"]] == ["/decision/phase"]
        answer = api("POST", f"/projects/{begun}/{path}", json={"answers": {"ML/9.9": "next"}})
        assert [error["pointer"] for error in assert_problem(answer, "invalid-input", 422)["errors"]] == [
            "/answers/ML~19.9"
        ]


# --- held ---


@dataclass
class Hindered:
    """A project on whose board a sprint of other people's is active, until it is fixed."""

    project: str
    url: str

    def fix(self) -> None:
        plain.post(self.url, json={"state": "closed"}, auth=AUTH).raise_for_status()


@pytest.fixture
def hindered(api: Api) -> Hindered:
    project = applied(api)
    agile = f"{api.sandbox.url}/rest/agile/1.0"
    key = api.get(f"/projects/{project}")["key"]
    boards = plain.get(f"{agile}/board", params={"projectKeyOrId": key}, auth=AUTH).raise_for_status().json()
    sprint = {"name": "Fixes", "originBoardId": boards["values"][0]["id"]}
    made = plain.post(f"{agile}/sprint", json=sprint, auth=AUTH).raise_for_status().json()
    dates = {"startDate": f"{TODAY}T08:00:00.000Z", "endDate": f"{MONDAY}T08:00:00.000Z"}
    change = {"state": "active", **dates}
    hindered = Hindered(project, f"{agile}/sprint/{made['id']}")
    plain.post(hindered.url, json=change, auth=AUTH).raise_for_status()
    return hindered


def held_run(api: Api, hindered: Hindered) -> str:
    run = str(api.post(f"/projects/{hindered.project}/advance", status=202)["id"])
    eventually(lambda: api.get(f"/runs/{run}")["state"] == "held")
    return run


def test_a_run_that_cannot_go_on_says_why_and_when_it_looks_again(api: Api, hindered: Hindered) -> None:
    run, project = held_run(api, hindered), hindered.project
    held = api.get(f"/runs/{run}")
    assert held["finished_at"] is None
    assert "held" in {one["state"] for one in api.get("/runs", params={"project": project})["items"]}
    shown = loop(api, project)
    assert (shown["run"], shown["next"]["run"], shown["next"]["state"]) == (run, run, "held")
    assert any("Fixes" in finding["message"] for finding in shown["held"]), shown["held"]
    assert shown["held"] == held["findings"]
    assert datetime.fromisoformat(shown["next_due"]) == datetime.fromisoformat(held["waiting_until"])
    answer = api("POST", f"/projects/{project}/loop/skip", json={"reason": "Not now"})
    assert_problem(answer, "advance-in-progress", 409)
    assert api.post(f"/runs/{run}/cancel", status=202)["state"] == "cancelled"
    assert (loop(api, project)["state"], loop(api, project)["held"]) == ("paused", [])


@pytest.mark.parametrize("asked", ["/projects/{project}/advance", "/runs/{run}/resume", "/runs/{run}/retry"])
def test_a_run_that_is_held_looks_again_when_it_is_asked_to(api: Api, hindered: Hindered, asked: str) -> None:
    run = held_run(api, hindered)
    hindered.fix()
    again = api.post(asked.format(project=hindered.project, run=run), status=202)
    assert (again["id"], again["attempt"]) == (run, 2)
    ended = api.wait_for_end(run)
    assert (ended["state"], ended["findings"]) == ("completed", [])
    eventually(lambda: loop(api, hindered.project)["current"] == 1)


# --- pause, resume, skip ---


def test_a_paused_loop_starts_nothing_until_it_is_resumed(api: Api) -> None:
    project = applied(api)
    paused = api.post(f"/projects/{project}/loop/pause", {"reason": "Nobody is here"}, 200)
    assert (paused["state"], paused["message"], paused["changed_by"]) == ("paused", "Nobody is here", "tests")
    assert (paused["next"], paused["next_due"]) == (None, None)
    assert api.get(f"/projects/{project}/schedule")["items"] == []
    refused = assert_problem(api("POST", f"/projects/{project}/advance"), "loop-paused", 409)
    assert "Nobody is here" in refused["detail"]
    again = api.post(f"/projects/{project}/loop/resume", status=200)
    assert (again["state"], again["next"]["at"][:10]) == ("turning", MONDAY.isoformat())
    assert api.post(f"/projects/{project}/loop/resume", {"catch_up": True}, 200)["state"] == "turning"


def test_a_bound_is_skipped_once_for_one_key(api: Api) -> None:
    project = applied(api)
    key = {"Idempotency-Key": api.new_name("skip")}
    for _ in range(2):
        answer = api("POST", f"/projects/{project}/loop/skip", json={"reason": "A fair"}, headers=key)
        assert answer.status_code == 200, answer.text
    later = MONDAY + timedelta(days=14)
    assert loop(api, project)["next"]["at"].startswith(later.isoformat())
    assert answer.headers["etag"] == api("GET", f"/projects/{project}/loop").headers["etag"]
    [event] = [one for one in api.get(f"/projects/{project}/history")["events"] if one["kind"] == "skipped"]
    assert (event["by"], event["data"]["reason"]) == ("tests", "A fair")


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 1001, 5, None])
@pytest.mark.parametrize("word", ["pause", "skip"])
def test_a_word_without_a_reason_is_refused(api: Api, begun: str, word: str, reason: object) -> None:
    answer = api("POST", f"/projects/{begun}/loop/{word}", json={"reason": reason})
    assert [one["pointer"] for one in assert_problem(answer, "invalid-input", 422)["errors"]] == ["/reason"]


# --- decision and answers ---


def test_a_decision_is_given_replaced_and_taken_back_by_who_has_read_the_loop(api: Api, begun: str) -> None:
    path, stay = f"/projects/{begun}/loop/decision", {"move": "stay", "reason": "One more experiment"}
    assert_problem(api("PUT", path, json=stay), "precondition-required", 428)
    former = tag(api, begun)
    given = api("PUT", path, json=stay, headers=former)
    assert given.status_code == 200, given.text
    assert {name: given.json()["decision"][name] for name in ("move", "reason", "by")} == {**stay, "by": "tests"}
    assert_problem(api("PUT", path, json=stay, headers=former), "version-mismatch", 412)
    back = {"move": "back", "phase": "ideation", "reason": "The data is bad"}
    replaced = api("PUT", path, json=back, headers={"If-Match": given.headers["etag"]})
    assert (replaced.json()["decision"]["move"], replaced.json()["next"]["phase"]) == ("back", "ideation")
    assert_problem(api("DELETE", path), "precondition-required", 428)
    assert api("DELETE", path, headers=tag(api, begun)).json()["decision"] is None
    kinds = [one["kind"] for one in api.get(f"/projects/{begun}/history")["events"]]
    assert kinds[-3:] == ["decided", "decided", "decision-taken-back"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"move": "back", "reason": "x"}, ["/phase"]),
        ({"move": "back", "phase": "nowhere", "reason": "x"}, ["/phase"]),
        ({"move": "next", "phase": "ideation", "reason": "x"}, ["/phase"]),
        ({"move": "sideways", "reason": "x"}, ["/move"]),
        ({"move": "stay"}, ["/reason"]),
    ],
)
def test_a_decision_that_cannot_be_is_refused_with_its_place(
    api: Api, begun: str, body: dict[str, str], pointers: list[str]
) -> None:
    answer = api("PUT", f"/projects/{begun}/loop/decision", json=body, headers={"If-Match": "*"})
    problem = assert_problem(answer, "invalid-input", 422)
    assert [error["pointer"] for error in problem["errors"]] == pointers


def test_nothing_is_decided_or_answered_before_the_first_iteration(api: Api) -> None:
    project = applied(api)
    any_version = {"If-Match": "*"}
    decision = {"move": "stay", "reason": "x"}
    answers = {"answers": {"*": "leave"}}
    for method, path, body in (("PUT", "decision", decision), ("PATCH", "answers", answers)):
        answer = api(method, f"/projects/{project}/loop/{path}", json=body, headers=any_version)
        assert_problem(answer, "no-iteration", 409)


def test_answers_are_added_up_by_key_or_by_what_the_tracker_says(api: Api, begun: str) -> None:
    items = {one["key"]: one["remote_key"] for one in api.get(f"/projects/{begun}/items")["items"]}
    path = f"/projects/{begun}/loop/answers"
    body = {"answers": {items["ticket:goals"]: "backlog"}}
    assert_problem(api("PATCH", path, json=body), "precondition-required", 428)
    first = api("PATCH", path, json=body, headers=tag(api, begun))
    assert first.json()["answers"] == {"ticket:goals": "backlog"}
    more = {"answers": {"*": "next", "ticket:goals": "leave"}}
    then = api("PATCH", path, json=more, headers={"If-Match": first.headers["etag"]})
    assert then.json()["answers"] == {"ticket:goals": "leave", "*": "next"}


@pytest.mark.parametrize(
    ("answers", "pointers"),
    [
        ({}, ["/answers"]),
        ({"ML-404": "next", "*": "soon"}, ["/answers/ML-404", "/answers/*"]),
        ({"*": 5}, ["/answers/*"]),
    ],
)
def test_answers_that_cannot_be_are_refused_with_their_place(
    api: Api, begun: str, answers: dict[str, Any], pointers: list[str]
) -> None:
    body = {"answers": answers}
    answer = api("PATCH", f"/projects/{begun}/loop/answers", json=body, headers={"If-Match": "*"})
    assert [one["pointer"] for one in assert_problem(answer, "invalid-input", 422)["errors"]] == pointers


# --- tables, feed ---


def test_the_history_comes_as_tables(api: Api, begun: str) -> None:
    for name, heading in (("history", "iteration,title"), ("roles", "iteration,title"), ("tickets", "iteration,key")):
        answer = api("GET", f"/projects/{begun}/{name}.csv")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
        assert answer.text.startswith(heading)
        assert answer.text.count("\r\n") > 1
    etag = api("GET", f"/projects/{begun}/history").headers["etag"]
    assert api("GET", f"/projects/{begun}/history", headers={"If-None-Match": etag}).status_code == 304


def test_the_feed_needs_no_token_and_its_secret_is_in_no_log(
    api: Api, begun: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = loop(api, begun)["feed"]
    with caplog.at_level("INFO", logger="service"):
        answer = api.client.get(path, headers={"X-Request-Id": "feed-1"})
        eventually(lambda: [r for r in list(caplog.records) if getattr(r, "request_id", "") == "feed-1"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")
    secret = path.removeprefix("/feeds/").removesuffix(".ics")
    assert len(secret) > 30
    assert not [
        record for record in caplog.records if secret in record.getMessage() and record.name.startswith("service")
    ]
    known = api.client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_a_feed_that_was_renewed_is_gone_from_its_former_address(api: Api) -> None:
    project = applied(api)
    former = loop(api, project)["feed"]
    present = api.post(f"/projects/{project}/loop/renew-feed", status=200)["feed"]
    assert api.client.get(present).status_code == 200
    problem = assert_problem(api.client.get(former), "not-found", 404)
    assert former not in problem["detail"]


@pytest.mark.parametrize("name", ["feed_unknown.ics", "x"])
def test_an_unknown_feed_is_not_found(api: Api, name: str) -> None:
    assert api.client.get(f"/feeds/{name}").status_code == 404


# --- what a project says of its time and its turning ---


def test_a_project_says_where_its_working_time_and_its_turning_differ(api: Api) -> None:
    calendar = {"working_days": ["sun", "mon", "tue", "wed", "thu"], "holidays": {"country": "AE"}}
    turning = {"carry_over": "backlog", "ahead": 2, "wip_limit": 5}
    project = api.new_project(new_key(api), template=TEMPLATE, calendar=calendar, **turning)
    shown = api.get(f"/projects/{project}")
    assert {name: shown[name] for name in turning} == turning
    assert shown["calendar"] == calendar
    assert loop(api, project)["turning"] == turning
    read = api("GET", f"/projects/{project}").headers["etag"]
    change: dict[str, Any] = {"wip_limit": None, "ahead": "all", "calendar": {}}
    changed = api("PATCH", f"/projects/{project}", json=change, headers={"If-Match": read})
    assert changed.status_code == 200, changed.text
    assert {name: changed.json()[name] for name in (*turning, "calendar")} == {
        "carry_over": "backlog",
        "ahead": "all",
        "wip_limit": None,
        "calendar": {},
    }
    kept = api("PATCH", f"/projects/{project}", json={"name": "N"}, headers={"If-Match": changed.headers["etag"]})
    assert (kept.json()["carry_over"], kept.json()["ahead"]) == ("backlog", "all")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"calendar": {"holidays": {"country": "XX"}}}, "/calendar/holidays/country"),
        ({"calendar": {"working_days": []}}, "/calendar/working_days"),
        ({"calendar": {"freeze": []}}, "/calendar/freeze"),
        ({"calendar": {"time_zone": "Mars/Base"}}, "/calendar/time_zone"),
        ({"calendar": []}, "/calendar"),
        ({"carry_over": "soon"}, "/carry_over"),
        ({"ahead": 0}, "/ahead"),
        ({"ahead": "some"}, "/ahead"),
        ({"wip_limit": 0}, "/wip_limit"),
    ],
)
def test_what_is_wrong_with_it_is_named_by_its_pointer(api: Api, said: dict[str, Any], pointer: str) -> None:
    body = {"name": "N", "key": new_key(api), "connection": api.new_connection(), "team": api.new_team()}
    answer = api("POST", "/projects", json={**body, "template": TEMPLATE, **said})
    problem = assert_problem(answer, "invalid-input", 422)
    assert {error["pointer"] for error in problem["errors"]} == {pointer}


def test_a_calendar_that_does_not_go_together_is_said_to_lie_outside_of_the_request(api: Api) -> None:
    team = api.get(f"/teams/{api.new_team()}")
    key = new_key(api)
    project = api.new_project(key, team=team["id"], template=TEMPLATE, calendar={"start": "14:30"})
    changed = {**team["team"], "calendar": {"end": "16:00"}}
    answer = api("PUT", f"/teams/{team['id']}", json=changed, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    for path in ("loop", "schedule"):
        problem = assert_problem(api("GET", f"/projects/{project}/{path}"), "invalid-input", 422)
        assert [set(error) & {"pointer", "subject"} for error in problem["errors"]] == [{"subject"}]


def test_what_is_due_follows_a_team_that_is_replaced_and_the_answer_says_so(api: Api) -> None:
    team = api.new_team()
    project = applied(api, team=team)
    read = api("GET", f"/teams/{team}")
    before = loop(api, project)["next"]["at"]
    body = {**read.json()["team"], "calendar": {"start": "11:00"}}

    answer = api("PUT", f"/teams/{team}", json=body, headers={"If-Match": read.headers["etag"]})

    assert answer.status_code == 200, answer.text
    assert answer.json()["notes"] == [
        "What is due in 1 project of this team follows its calendar within a minute or two."
    ]
    eventually(lambda: loop(api, project)["next"]["at"] != before)
