"""The auditor's room: what is seen of a period and what is not, samples, and questions that become tickets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from service.domain.access import policy
from service.domain.access.roles import IN_A_PERIOD, Role
from service.domain.team.calendar import DateRange
from service.usecases.access import people
from service.usecases.audit import audit_reports, questions
from service.usecases.run import run_views
from tests import plain
from tests.api.test_pages import HOSTILE, words
from tests.pages_desk import Desk, Visitor, served_desk
from tests.waiting import eventually

AUTH = (DEMO_EMAIL, DEMO_TOKEN)
QUESTION = "Which data was the threshold chosen on?"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with served_desk(tmp_path_factory.mktemp("desk") / "home") as found:
        found.connect()
        yield found


@pytest.fixture(scope="module")
def lead(desk: Desk) -> Visitor:
    return desk.visitor()


@pytest.fixture(scope="module")
def project(desk: Desk, lead: Visitor) -> str:
    """The id of a project whose first iteration began last week and was audited."""
    start = str(desk.monday - timedelta(days=7))
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Support triage", "SUP", p_start_date=start))
    run = lead.press(plan, f"{plan}/apply").rpartition("/")[2]
    desk.wait_for_end(run)
    found = run_views.progress(desk.context, run).project.id
    eventually(lambda: "finding=1.D05" in lead.get(f"/projects/{found}/audit"))
    return found


@pytest.fixture(scope="module")
def auditor(desk: Desk, project: str) -> Visitor:
    """Somebody who may inspect the days of the first iteration."""
    return inspector(desk, "auditor-1@example.com", project, DateRange(desk.monday - timedelta(days=30), desk.monday))


def inspector(desk: Desk, login: str, project: str, period: DateRange) -> Visitor:
    visitor = desk.visitor(login, Role.AUDITOR, [project])
    people.put(desk.context, login, Role.AUDITOR, [project], None, period)
    return visitor


def ticket_of(desk: Desk, project: str, text: str) -> str:
    """The key of the ticket of the question that says this, once it is made."""

    def made() -> list[str]:
        asked = questions.listed(desk.context, project)
        return [one.ticket.key for one in asked if text in one.question.text and one.ticket is not None]

    eventually(made)
    return made()[0]


def jira(desk: Desk, method: str, path: str, **body: object) -> dict[str, Any]:
    answer = plain.request(method, f"{desk.sandbox.url}/rest/api/2/{path}", auth=AUTH, json=body or None)
    assert answer.is_success, answer.text
    return dict(answer.json()) if answer.content else {}


def finish(desk: Desk, key: str) -> None:
    """Move a ticket to done, as a person does."""
    found = jira(desk, "GET", f"issue/{key}/transitions")["transitions"]
    done = next(one["id"] for one in found if one["to"]["statusCategory"]["key"] == "done")
    jira(desk, "POST", f"issue/{key}/transitions", transition={"id": done})


# --- what is seen -----------------------------------------------------------------------------------------------------


def test_an_auditor_of_a_period_is_led_to_the_room_and_sees_its_iterations(auditor: Visitor, project: str) -> None:
    assert auditor.client.get("/").headers["location"] == "/room"
    rooms = auditor.get("/room")
    assert f"/projects/{project}/room" in rooms
    assert "Support triage" in rooms
    room = auditor.get(f"/projects/{project}/room?finding=1.D05")
    assert "D05 Decisions and why" in room
    assert "Inspect Support triage" in words(room)
    assert f"/projects/{project}/room/1/binder" in room


def test_every_other_address_of_theirs_refuses_whatever_it_is(auditor: Visitor, project: str) -> None:
    asked = 0
    for call, rule in policy.RULES.items():
        method, path = call.split(" ")
        if rule.permission in IN_A_PERIOD or rule.where is policy.Where.OWN:
            continue
        address = re.sub(r"\{[^}]+\}", project if "/projects/" in path else "x", path, count=1)
        address = re.sub(r"\{[^}]+\}", "1", address)
        answer = auditor.client.request(method, address, headers=auditor.ours)
        assert answer.status_code in (403, 404, 405), f"{call}: {answer.status_code} {answer.text}"
        asked += 1
    assert asked > 150


def test_of_iterations_outside_of_the_period_nothing_is_seen(desk: Desk, project: str) -> None:
    past = DateRange(date(2020, 1, 1), date(2020, 12, 31))
    other = inspector(desk, "auditor-2@example.com", project, past)

    page = other.get(f"/projects/{project}/room")
    assert "No iteration of these days has begun" in page
    assert "D05" not in page
    assert other.client.get(f"/projects/{project}/room/1/binder").status_code == 404
    assert "Ideation" not in other.get(f"/projects/{project}/room/findings.csv")
    form = {**other.hidden(other.get("/account")), "iteration": "1", "text": QUESTION}
    assert other.send(f"/projects/{project}/room/questions", form).status_code == 404
    assert other.client.get(f"/api/v1/projects/{project}/room").json()["iterations"] == []


def test_of_projects_of_others_it_is_not_told_whether_there_are_any(
    desk: Desk, auditor: Visitor, lead: Visitor, project: str
) -> None:
    plan = lead.press("/projects/new", "/projects/new", **desk.entries("Fraud scoring", "FRD"))
    run = lead.press(plan, f"{plan}/apply").rpartition("/")[2]
    desk.wait_for_end(run)
    other = run_views.progress(desk.context, run).project.id

    theirs, none = (auditor.client.get(f"/projects/{one}/room") for one in (other, "prj_none"))
    assert (theirs.status_code, none.status_code) == (404, 404)
    said = [re.sub("req_[0-9a-f]+", "", words(one.text)) for one in (theirs, none)]
    assert said[0].replace(other, "prj_none") == said[1]
    assert "Fraud scoring" not in auditor.get("/room")
    assert "Fraud scoring" not in auditor.get("/room?q=Fraud")


def test_a_period_is_for_auditors_and_its_days_are_in_order(desk: Desk, lead: Visitor) -> None:
    form = lead.hidden(lead.get("/access"))
    entered = {"login": "x-1@example.com", "role": "lead", "first": "2026-03-31", "last": "2026-01-01", "days": "30"}
    answer = lead.send("/access", {**form, **entered})

    assert answer.status_code == 422
    assert "is for auditors alone" in words(answer.text)
    assert "before it begins" in words(answer.text)
    assert 'value="2026-03-31"' in answer.text
    for wrong in ({"first": "2026-01-01", "last": ""}, {"first": "soon", "last": "2026-01-01"}, {"days": "1000"}):
        refused = lead.send("/access", {**form, **entered, "role": "auditor", **wrong})
        assert refused.status_code == 422, wrong
    assert "x-1@example.com" not in lead.get("/access")


def test_an_auditor_is_let_in_for_a_period_and_a_time_in_one_form(desk: Desk, lead: Visitor, project: str) -> None:
    first, last = str(desk.monday - timedelta(days=30)), str(desk.monday)
    entered = {"login": "x-2@example.com", "role": "auditor", "projects": "SUP", "first": first, "last": last}
    answer = lead.send("/access", {**lead.hidden(lead.get("/access")), **entered, "days": "30"})

    assert answer.status_code == 200, words(answer.text)
    said = words(answer.text)
    assert f"in SUP, for iterations from {first} to {last}, until" in said
    assert "nothing else" in said
    code = re.search(r"sign-in\?code=([^\"&]+)", unescape(answer.text))
    assert code is not None
    visitor = Visitor(desk.url)
    desk.clients.append(visitor.client)
    assert visitor.client.post("/sign-in", data={"code": code[1]}, headers=visitor.ours).status_code == 303
    assert "Your access ends" in visitor.get("/room")
    assert f"for iterations from {first}" in words(visitor.get("/account"))


# --- samples ----------------------------------------------------------------------------------------------------------


def test_a_sample_is_drawn_again_by_its_seed_and_downloaded(auditor: Visitor, project: str) -> None:
    query = "seed=2026-Q1&size=3&result=any"
    once, again = (words(auditor.get(f"/projects/{project}/room?{query}")) for _ in range(2))
    sheet = auditor.get(f"/projects/{project}/room/findings.csv?{query}")
    shown = auditor.client.get(f"/api/v1/projects/{project}/room?seed=2026-Q1&size=3").json()["sample"]

    assert "3 of " in once
    assert once.partition("3 of ")[2][:400] == again.partition("3 of ")[2][:400]
    assert len(sheet.strip().splitlines()) == 4
    assert [one["check"] for one in shown["findings"]] == [row.split(",")[6] for row in sheet.splitlines()[1:]]


@pytest.mark.parametrize("query", ["seed=&size=3", "seed=a&size=0", "seed=a&size=x", "seed=a&size=99999"])
def test_a_sample_that_cannot_be_drawn_says_which_field_is_wrong(auditor: Visitor, project: str, query: str) -> None:
    page = auditor.get(f"/projects/{project}/room?{query}")

    assert 'aria-invalid="true"' in page


# --- questions --------------------------------------------------------------------------------------------------------


def test_a_question_becomes_a_ticket_and_what_is_said_there_is_evidence(
    desk: Desk, auditor: Visitor, project: str
) -> None:
    room = f"/projects/{project}/room"
    back = auditor.press(room, f"{room}/questions", iteration="1", text=QUESTION)
    key = ticket_of(desk, project, QUESTION)
    fields = jira(desk, "GET", f"issue/{key}")["fields"]

    assert back == f"{room}#questions"
    assert fields["summary"] == f"Question on iteration 1: {QUESTION}"
    assert "auditor-1@example.com asks about the record of iteration 1" in fields["description"]
    assert "question" in fields["labels"]
    assert fields["assignee"] is not None

    jira(desk, "POST", f"issue/{key}/comment", body="On the *validation* split of orders, version 2026-03-12.")
    finish(desk, key)
    auditor.press(room, f"{room}/questions/look")
    page = auditor.get(room)

    assert "On the **validation** split of orders" in page
    assert "Done" in page.partition(QUESTION)[0].rpartition("Iteration 1")[2]
    proof = audit_reports.verify(desk.context, project)
    assert proof.ok, (proof.breaks, proof.differences)
    kinds = [one.question.answer_seq for one in questions.listed(desk.context, project)]
    assert all(seq is not None for seq in kinds)


def test_looking_again_where_nothing_was_said_adds_no_evidence(desk: Desk, auditor: Visitor, project: str) -> None:
    room = f"/projects/{project}/room"
    auditor.press(room, f"{room}/questions", iteration="1", text="Who looked at the risks, and when?")
    ticket_of(desk, project, "Who looked at the risks")
    before = audit_reports.verify(desk.context, project).entries

    auditor.press(room, f"{room}/questions/look")
    auditor.press(room, f"{room}/questions/look")

    assert audit_reports.verify(desk.context, project).entries == before


def test_the_same_question_is_asked_once_also_from_two_tabs(desk: Desk, auditor: Visitor, project: str) -> None:
    room = f"/projects/{project}/room"
    for _ in range(2):
        auditor.press(room, f"{room}/questions", iteration="1", text="Is there a copy of the second dataset?")
    key = ticket_of(desk, project, "copy of the second dataset")
    query = {"jql": 'project = SUP AND summary ~ "second dataset"'}
    found = plain.get(f"{desk.sandbox.url}/rest/api/2/search/jql", params=query, auth=AUTH).json()["issues"]

    assert len([one for one in questions.listed(desk.context, project) if "second dataset" in one.question.text]) == 1
    assert len(found) == 1, (key, found)


def test_a_question_that_is_wrong_stays_in_its_field_with_what_is_wrong(auditor: Visitor, project: str) -> None:
    room = f"/projects/{project}/room"
    form = auditor.hidden(auditor.get(room))
    for text in ("short", "x" * 3000, "has\x07bells in it"):
        answer = auditor.send(f"{room}/questions", {**form, "iteration": "1", "text": text})
        assert answer.status_code == 422, text
        assert text[:20] in answer.text
        assert "write" in words(answer.text)
        form = auditor.hidden(auditor.get(room))
    assert auditor.send(f"{room}/questions", {**form, "iteration": "7", "text": QUESTION}).status_code == 404


def test_what_is_asked_and_answered_is_shown_as_it_is_whatever_it_holds(
    desk: Desk, auditor: Visitor, project: str
) -> None:
    room = f"/projects/{project}/room"
    auditor.press(room, f"{room}/questions", iteration="1", text='What is "><script>alert(1)</script>{{ 7*7 }} for?')
    key = ticket_of(desk, project, "alert(1)")
    jira(desk, "POST", f"issue/{key}/comment", body=HOSTILE)
    auditor.press(room, f"{room}/questions/look")
    page = auditor.get(room)

    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in unescape(page)


def test_a_ticket_that_cannot_be_made_now_is_made_later_and_the_question_is_kept(
    desk: Desk, auditor: Visitor, project: str
) -> None:
    room = f"/projects/{project}/room"
    fault = {"action": "status", "status": 503, "method": "GET", "path": "/rest/", "times": 200}
    plain.post(f"{desk.sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    form = {**auditor.hidden(auditor.get(room)), "iteration": "1", "text": "Where is the dashboard of latency?"}
    answer = auditor.send(f"{room}/questions", form)
    plain.delete(f"{desk.sandbox.url}/sandbox/faults").raise_for_status()

    assert answer.status_code == 200
    assert "The question is kept as evidence. Its ticket could not be made yet" in words(answer.text)
    action = re.search(r'action="([^"]+/ticket)"', answer.text)
    assert action is not None
    auditor.press(room, action[1])
    assert ticket_of(desk, project, "dashboard of latency")


def test_a_viewer_inspects_and_does_not_ask(desk: Desk, project: str) -> None:
    viewer = desk.visitor("viewer-1@example.com", Role.VIEWER, [project])
    page = viewer.get(f"/projects/{project}/room")

    assert "D05" in page
    assert f"/projects/{project}/room/questions" not in page
    form = {**viewer.hidden(viewer.get("/account")), "iteration": "1", "text": QUESTION}
    assert viewer.send(f"/projects/{project}/room/questions", form).status_code == 403


def test_a_binder_of_the_iteration_holds_its_questions(desk: Desk, auditor: Visitor, project: str) -> None:
    answer: httpx.Response = auditor.client.get(f"/projects/{project}/room/1/binder")

    assert answer.status_code == 200
    assert QUESTION in unescape(answer.text)
