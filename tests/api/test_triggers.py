"""Triggers at work: an event of each kind of sender starts what it is to start, once, within its limits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import standardwebhooks
from sqlalchemy import func, select, update

from service.store.hook_tables import FiringRow, TriggerRow
from service.store.tables import EventRow, ProjectRow
from tests.api.conftest import ML_TEAM, SMALL_TEMPLATE, Api, assert_problem
from tests.waiting import eventually

PAYLOADS = Path(__file__).parent / "payloads"
TODAY = datetime.now(UTC).date()
MONDAY = TODAY + timedelta(days=7 + (-TODAY.weekday()) % 7)
TEMPLATE = {"text": SMALL_TEMPLATE.replace("2026-03-02", MONDAY.isoformat())}
SECRET = "trigger-secret-of-the-tests"
STANDARD = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
_numbers = count(1)


@pytest.fixture(scope="module")
def project(api: Api) -> str:
    """A project whose loop has begun: SCRUM."""
    made = api.new_project("SCRUM", template=TEMPLATE)
    plan = api.post(f"/projects/{made}/plans")
    api.wait_for_end(api.post(f"/plans/{plan['id']}/apply", status=202)["id"])
    eventually(lambda: api.get(f"/projects/{made}/loop")["state"] is not None)
    assert api.wait_for_end(api.post(f"/projects/{made}/advance", status=202)["id"])["state"] == "completed"
    eventually(lambda: api.get(f"/projects/{made}/loop")["current"] == 1)
    return made


@pytest.fixture
def names() -> Iterator[int]:
    return _numbers


def add(api: Api, **more: Any) -> str:
    """Name of a new trigger with a secret; unless it is told otherwise, it tells people on a generic event."""
    name = f"t{next(_numbers)}"
    usual = {"name": name, "source": "generic", "project": "SCRUM", "action": "notify", "with": {"text": "Heard."}}
    definition = {key: value for key, value in {**usual, **more}.items() if value is not None}
    api.post("/triggers", {"definition": definition})
    secret = STANDARD if definition["source"] == "generic" else SECRET
    api("PUT", f"/triggers/{name}/secret", json={"secret": secret}).raise_for_status()
    return name


def generic(api: Api, name: str, payload: dict[str, Any], number: str = "") -> httpx.Response:
    """Deliver by Standard Webhooks."""
    body, number = json.dumps(payload), number or f"msg_{next(_numbers)}"
    now = datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(STANDARD).sign(number, now, body),
    }
    return api.client.post(f"/hooks/t/{name}", content=body.encode(), headers=headers)


def ended(api: Api, answer: httpx.Response) -> list[dict[str, Any]]:
    """The events of a delivery, once they were handled."""
    assert answer.status_code == 202, answer.text

    def look(number: str) -> dict[str, Any] | None:
        found: dict[str, Any] = api.get(f"/events/{number}")
        return found if found["state"] != "accepted" else None

    return [eventually(lambda number=number: look(number), 30) for number in answer.json()["events"]]


def said(api: Api, project: str, text: str) -> int:
    """How often people of the project were told this."""
    told = EventRow.project_id == project, EventRow.text == text
    with api.context.database.session() as session:
        return session.scalar(select(func.count()).select_from(EventRow).where(*told)) or 0


def row(api: Api, name: str) -> TriggerRow:
    with api.context.database.session() as session:
        return session.scalars(select(TriggerRow).where(TriggerRow.name == name)).one()


def test_an_event_that_meets_the_condition_is_acted_on_with_what_it_holds(api: Api, project: str) -> None:
    text = "Model ${payload.model} has drifted by ${payload.psi}."
    name = add(api, when='event == "drift" && payload.psi > 0.2', **{"with": {"text": text}})

    (met,) = ended(api, generic(api, name, {"type": "drift", "model": "churn", "psi": 0.35}))
    (unmet,) = ended(api, generic(api, name, {"type": "drift", "model": "churn", "psi": 0.1}))
    (other,) = ended(api, generic(api, name, {"type": "other"}))

    assert [one["state"] for one in (met, unmet, other)] == ["done"] * 3
    assert said(api, project, "Model churn has drifted by 0.35.") == 1
    assert [one["what"] for one in met["outcome"]] == ["done"]
    assert unmet["outcome"] == other["outcome"] == []
    assert met["firings"][0]["state"] == "done"


def test_what_is_delivered_twice_or_by_many_at_once_is_done_once(api: Api, project: str) -> None:
    name = add(api, **{"with": {"text": "Once ${payload.n}."}})
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: generic(api, name, {"n": 1}, "msg_same"), range(16)))
    for answer in answers:
        ended(api, answer)

    assert said(api, project, "Once 1.") == 1


def test_once_per_key_holds_over_events_and_replays(api: Api, project: str) -> None:
    limits = {"once_per_key": True}
    name = add(api, key="${payload.print}", limits=limits, **{"with": {"text": "Key ${payload.print}"}})
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: generic(api, name, {"print": "f1"}), range(8)))
    events = [one for answer in answers for one in ended(api, answer)]
    for one in events[:2]:
        api.post(f"/events/{one['id']}/replay", status=200)
        eventually(lambda one=one: api.get(f"/events/{one['id']}")["state"] == "done", 20)
    ended(api, generic(api, name, {"print": "f2"}))

    assert said(api, project, "Key f1") == 1
    assert said(api, project, "Key f2") == 1
    assert sum(one["outcome"][0]["what"] == "done" for one in events) == 1


def test_a_replay_of_what_was_done_does_it_anew_where_no_key_says_otherwise(api: Api, project: str) -> None:
    name = add(api, **{"with": {"text": "Again, please."}})
    (event,) = ended(api, generic(api, name, {}))
    api.post(f"/events/{event['id']}/replay", status=200)
    eventually(lambda: said(api, project, "Again, please.") == 2, 20)


def test_no_more_than_so_many_an_hour(api: Api, project: str) -> None:
    name = add(api, limits={"per_hour": 2}, **{"with": {"text": "Twice an hour."}})
    found = [one for n in range(4) for one in ended(api, generic(api, name, {"n": n}))]

    assert said(api, project, "Twice an hour.") == 2
    assert [one["outcome"][0]["what"] for one in found] == ["done", "done", "skipped", "skipped"]
    assert "within an hour" in found[-1]["outcome"][0]["text"]

    with api.context.database.session() as session:
        before = datetime(2026, 1, 1, tzinfo=UTC)
        session.execute(update(FiringRow).where(FiringRow.trigger_id == row(api, name).id).values(at=before))
    ended(api, generic(api, name, {"n": 5}))
    assert said(api, project, "Twice an hour.") == 3


def test_only_in_given_phases(api: Api, project: str) -> None:
    phase = api.get(f"/projects/{project}/loop")["phase"]
    here = add(api, limits={"phases": [phase]}, **{"with": {"text": "In the phase."}})
    more: dict[str, Any] = {"project": "${payload.project}", "limits": {"phases": ["deployment"]}}
    elsewhere = add(api, **more, **{"with": {"text": "In another phase."}})
    ended(api, generic(api, here, {}))
    (skipped,) = ended(api, generic(api, elsewhere, {"project": "SCRUM"}))

    assert said(api, project, "In the phase.") == 1
    assert said(api, project, "In another phase.") == 0
    assert skipped["outcome"][0]["what"] == "skipped"


def test_a_trigger_whose_action_fails_each_time_is_parked_with_a_finding(api: Api, project: str) -> None:
    given = {"move": "back", "phase": "${payload.to}", "reason": "It failed."}
    name = add(api, action="decide", limits={"park_after": 3}, **{"with": given})
    found = [one for n in range(3) for one in ended(api, generic(api, name, {"n": n, "to": "nowhere"}))]

    assert [one["state"] for one in found] == ["failed"] * 3
    assert "nowhere" in found[0]["error"]
    shown = api.get(f"/triggers/{name}")
    assert (shown["state"], shown["failures"]) == ("parked", 3)
    with api.context.database.session() as session:
        kind = (
            EventRow.project_id == project,
            EventRow.kind == "finding",
            EventRow.name.startswith(f"trigger-parked:{name}"),
        )
        (finding,) = session.scalars(select(EventRow).where(*kind))
    assert f"phaseloop triggers enable {name}" in finding.text

    (kept,) = ended(api, generic(api, name, {"n": 9, "to": "nowhere"}))
    assert (kept["state"], kept["outcome"]) == ("failed", [])
    assert "is parked" in kept["error"]
    assert f"phaseloop triggers enable {name}" in kept["error"]
    api.post(f"/events/{found[0]['id']}/replay", status=200)
    replayed = eventually(lambda: (one := api.get(f"/events/{found[0]['id']}"))["state"] != "accepted" and one, 20)
    assert replayed["state"] == "failed", "what is replayed while the trigger is parked waits for it"
    assert api.get(f"/triggers/{name}")["failures"] == 3
    api("PATCH", f"/triggers/{name}", json={"state": "on"}).raise_for_status()
    assert api.get(f"/triggers/{name}")["failures"] == 0


def test_one_failing_trigger_keeps_no_other_event_from_being_handled(api: Api, project: str) -> None:
    bad = add(api, project="${payload.nothing.at.all}", **{"with": {"text": "Never."}})
    good = add(api, **{"with": {"text": "All the same."}})
    answers = [generic(api, bad, {"n": n}) for n in range(3)]
    ended(api, generic(api, good, {}))

    assert said(api, project, "All the same.") == 1
    assert {one["state"] for answer in answers for one in ended(api, answer)} == {"failed"}


def test_a_failed_event_is_done_when_it_is_replayed_after_the_trigger_was_corrected(api: Api, project: str) -> None:
    name = add(api, project="NOSUCH", **{"with": {"text": "At last."}})
    (failed,) = ended(api, generic(api, name, {}))
    assert failed["state"] == "failed"
    assert "NOSUCH" in failed["error"]

    shown = api("GET", f"/triggers/{name}")
    definition = {**shown.json()["definition"], "project": "SCRUM"}
    tag = {"If-Match": shown.headers["etag"]}
    api("PUT", f"/triggers/{name}", json={"definition": definition}, headers=tag).raise_for_status()
    api.post("/events/replay", {"sender": name}, status=200)

    eventually(lambda: said(api, project, "At last.") == 1, 20)


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("paylod.a == 1", "line 1, column"),
        ("1 +", "line 1, column"),
        ("'text'", "neither true nor false"),
        ("payload.a == 1 || " * 60 + "true", "characters"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_place(api: Api, when: str, says: str) -> None:
    definition = {"name": "wrong", "source": "wandb", "project": "X", "action": "audit", "when": when}
    problem = assert_problem(api("POST", "/triggers", json={"definition": definition}), "invalid-input", 422)

    (error,) = problem["errors"]
    assert error["pointer"] == "/definition/when"
    assert says in error["detail"]


def test_an_endless_condition_fails_its_event_and_nothing_else(api: Api, project: str) -> None:
    digits = "[0,1,2,3,4,5,6,7,8,9]"
    endless = f"{digits}.all(a, " * 9 + "payload.n >= 0" + ")" * 9
    name = add(api, when=endless, **{"with": {"text": "Endless."}})
    good = add(api, **{"with": {"text": "After the endless one."}})
    (stopped,) = ended(api, generic(api, name, {"n": 1}))
    ended(api, generic(api, good, {}))

    assert stopped["state"] == "failed"
    assert said(api, project, "After the endless one.") == 1
    assert said(api, project, "Endless.") == 0


def test_a_project_that_has_ended_fails_the_event_in_words(api: Api) -> None:
    with api.context.database.session() as session:
        one = session.scalars(select(ProjectRow)).first()
        assert one is not None
    name = add(api, project="GONE")
    (failed,) = ended(api, generic(api, name, {}))

    assert failed["state"] == "failed"
    assert "GONE" in failed["error"]


def test_an_audit_is_started_as_a_run_with_the_day_s_id(api: Api, project: str) -> None:
    name = add(api, action="audit", **{"with": None})
    (event,) = ended(api, generic(api, name, {}))

    (done,) = event["outcome"]
    assert done["effect"].startswith(f"audit-{project}-")
    assert api.get(f"/runs/{done['effect']}")["started_by"] == f"trigger {name}"


def test_a_decision_stands_for_the_next_advance(api: Api, project: str) -> None:
    name = add(api, action="mark-exit", **{"with": {"reason": "Version ${payload.v} is the champion."}})
    ended(api, generic(api, name, {"v": "3"}))

    decision = api.get(f"/projects/{project}/loop")["decision"]
    assert decision["move"] == "next"
    assert decision["reason"] == "Version 3 is the champion."
    assert decision["by"] == f"trigger {name}"


def test_a_bootstrap_plans_a_project_and_waits_for_a_person(api: Api, project: str) -> None:
    given = {
        "key": "${payload.repository.name}",
        "name": "${payload.repository.name}",
        "connection": api.new_connection(),
        "team": api.post("/teams", {"name": api.new_name("team"), **ML_TEAM})["name"],
        "template": "iterative-ml",
        "create": True,
    }
    name = add(
        api, source="github", project=None, action="bootstrap", when='event == "repository.created"', **{"with": given}
    )
    payload = json.dumps({"action": "created", "repository": {"name": "BOOT"}}).encode()
    signed = "sha256=" + hmac.new(SECRET.encode(), payload, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "repository",
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": signed,
    }
    (event,) = ended(api, api.client.post(f"/hooks/t/{name}", content=payload, headers=headers))

    (done,) = event["outcome"]
    plan = api.get(f"/plans/{done['effect']}")
    assert plan["project"] == api.get("/projects/BOOT")["id"]
    assert api.get("/runs", params={"project": "BOOT"})["items"] == [], "nobody applied it"
    assert "BOOT" not in {one["key"] for one in api.get("/projects?limit=200")["items"]}, "nor set it up"


def test_a_trial_says_what_would_be_done_and_writes_nothing(api: Api, project: str) -> None:
    definition = {
        "name": "tried",
        "source": "generic",
        "project": "SCRUM",
        "action": "advance",
        "when": "payload.ok",
    }
    before = api.get("/runs")
    found = api.post("/triggers/test", {"definition": definition, "payload": {"ok": True, "type": "go"}}, status=200)

    (one,) = found["events"]
    assert (one["event"], one["matches"], one["error"]) == ("go", True, "")
    assert one["would"]["plan"]["changes"]
    assert api.get("/runs") == before
    assert api("GET", "/triggers/tried").status_code == 404

    unmet = api.post("/triggers/test", {"definition": definition, "payload": {"ok": False}}, status=200)
    assert unmet["events"][0]["matches"] is False


def test_a_trigger_without_a_secret_refuses_everything(api: Api) -> None:
    definition = {"name": "bare", "source": "wandb", "project": "SCRUM", "action": "audit"}
    api.post("/triggers", {"definition": definition})

    headers = {"Authorization": "Bearer x"}
    assert_problem(api.client.post("/hooks/t/bare", json={}, headers=headers), "sender-refused", 401)


def test_a_removed_trigger_is_an_unknown_address(api: Api) -> None:
    name = add(api)
    assert generic(api, name, {}).status_code == 202
    api("DELETE", f"/triggers/{name}").raise_for_status()

    eventually(lambda: generic(api, name, {}).status_code == 404, 5)


def test_a_stale_delivery_is_refused(api: Api) -> None:
    name = add(api)
    body = b"{}"
    old = datetime.fromtimestamp(time.time() - 600, UTC)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": "old",
        "webhook-timestamp": str(int(old.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(STANDARD).sign("old", old, body.decode()),
    }

    assert_problem(api.client.post(f"/hooks/t/{name}", content=body, headers=headers), "sender-refused", 401)


@pytest.mark.parametrize("seconds", [-3600, -301, 301, 86_400])
def test_a_stale_delivery_and_one_of_the_future_are_refused(api: Api, project: str, seconds: int) -> None:
    name = add(api, **{"with": {"text": f"Skewed by {seconds}."}})
    then, body = datetime.now(UTC) + timedelta(seconds=seconds), json.dumps({"n": 1})
    headers = {
        "Content-Type": "application/json",
        "webhook-id": f"skewed{seconds}",
        "webhook-timestamp": str(int(then.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(STANDARD).sign(f"skewed{seconds}", then, body),
    }

    assert_problem(api.client.post(f"/hooks/t/{name}", content=body.encode(), headers=headers), "sender-refused", 401)
    assert said(api, project, f"Skewed by {seconds}.") == 0


def test_a_hungry_condition_fails_its_event_and_nothing_else(api: Api, project: str) -> None:
    hungry = "[1,2,3,4,5,6,7,8,9,10].map(a, " * 7 + "payload.text" + ")" * 7 + ".size() > 0"
    name = add(api, when=hungry, **{"with": {"text": "Hungry."}})
    good = add(api, **{"with": {"text": "After the hungry one."}})
    (stopped,) = ended(api, generic(api, name, {"text": "x" * 100_000}))
    ended(api, generic(api, good, {}))

    assert stopped["state"] == "failed"
    assert said(api, project, "After the hungry one.") == 1
    assert said(api, project, "Hungry.") == 0


def test_a_trigger_has_the_events_of_another_one_and_no_address_of_its_own(api: Api, project: str) -> None:
    first = add(api, **{"with": {"text": "The first heard ${payload.n}."}})
    definition = {"source": "generic", "project": "SCRUM", "action": "notify", "address_of": first}
    second = {**definition, "name": f"{first}-too", "with": {"text": "The second heard ${payload.n}."}}
    made = api.post("/triggers", {"definition": second})
    assert made["address"] is None

    ended(api, generic(api, first, {"n": 7}))

    assert said(api, project, "The first heard 7.") == said(api, project, "The second heard 7.") == 1
    assert_problem(api.client.post(f"/hooks/t/{first}-too", json={}), "not-found", 404)
    assert_problem(api("DELETE", f"/triggers/{first}"), "conflict", 409)
    third = {"definition": {**second, "name": f"{first}-three", "address_of": f"{first}-too"}}
    problem = assert_problem(api("POST", "/triggers", json=third), "invalid-input", 422)
    assert problem["errors"][0]["pointer"] == "/definition/address_of"
    assert first in problem["errors"][0]["detail"]
