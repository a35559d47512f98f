"""Alerts become tickets: one for each fingerprint, closed with a note when it is over, in whatever order events come.
People own what they touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.domain.hook.trigger import trigger_from_json
from service.usecases.hook import events, triggers
from service.usecases.plan import planning, undo_plan
from tests.integration.record_desks import ML
from tests.integration.record_table import SECOND, record_table
from tests.integration.triggered import Shown, Triggered, triggered

TITLE = "DriftPSI: PSI of churn is 0.31"
FIRST_TIME, SECOND_TIME = "2026-03-02T09:30:00.000Z", "2026-03-03T09:30:00.000Z"

IN_JIRA = pytest.mark.parametrize("at", ["jira"], indirect=True)
"""What is the same in every tracker."""


@pytest.fixture(params=["jira", "trello"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Triggered]:
    with record_table(tmp_path / "home", request.param) as table, triggered(table) as found:
        add = {"project": "ML", "given": {"role": "ml"}, "limits": {}}
        found.ready_made("drift-alert", **add)
        found.ready_made("drift-resolved", project="ML")
        yield found


def alert(status: str, began: str = FIRST_TIME, fingerprint: str = "a3c1f5e27b9d0468") -> dict[str, Any]:
    one = {
        "status": status,
        "labels": {"alertname": "DriftPSI", "model": "churn"},
        "annotations": {"summary": "PSI of churn is 0.31"},
        "startsAt": began,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph",
        "fingerprint": fingerprint,
    }
    return {"version": "4", "status": status, "receiver": "phaseloop", "alerts": [one]}


def the_ticket(at: Triggered) -> Shown:
    (found,) = at.looking.tickets(TITLE)
    return found


def test_an_alert_is_one_ticket_of_the_current_iteration_and_is_closed_with_a_note_when_it_is_resolved(
    at: Triggered,
) -> None:
    (said,) = at.done(at.delivered("drift-alert", alert("firing")))
    made = the_ticket(at)

    assert "is added to iteration 1 of ML" in said
    assert (made.status, made.iteration, made.assigned) == ("todo", "Data 1", True)
    assert {"feedback", "role:ml", "phase:data"} <= made.labels
    assert "prometheus.example.com" in made.text

    at.done(at.delivered("drift-alert", {**alert("firing"), "groupKey": "sent again with another"}))
    assert len(at.looking.tickets(TITLE)) == 1

    (said,) = at.done(at.delivered("drift-alert", alert("resolved")))
    closed = the_ticket(at)

    assert "closed with a note" in said
    assert closed.status == "done"
    assert [one for one in closed.comments if "resolved" in one]
    assert f"ticket-resolved:event:a3c1f5e27b9d0468:{FIRST_TIME}" in at.table.table.events()


def test_what_comes_again_after_it_was_over_opens_the_same_ticket(at: Triggered) -> None:
    at.done(at.delivered("drift-alert", alert("firing")))
    at.done(at.delivered("drift-alert", alert("resolved")))

    (said,) = at.done(at.delivered("drift-alert", alert("firing", SECOND_TIME)))
    opened = the_ticket(at)

    assert "is opened again in iteration 1" in said
    assert (opened.status, opened.iteration) == ("todo", "Data 1")
    assert [one for one in opened.comments if "This came again" in one]

    (said,) = at.done(at.delivered("drift-alert", {**alert("resolved"), "groupKey": "late, of the first time"}))
    assert the_ticket(at).status == "todo", said


@IN_JIRA
def test_the_end_of_an_earlier_occurrence_that_comes_late_closes_nothing(at: Triggered) -> None:
    at.done(at.delivered("drift-alert", alert("firing")))
    (said,) = at.done(at.delivered("drift-alert", alert("firing", SECOND_TIME)))
    assert "is there for it already" in said

    (said,) = at.done(at.delivered("drift-alert", alert("resolved", FIRST_TIME)))

    assert SECOND_TIME in said
    assert the_ticket(at).status == "todo"


@IN_JIRA
def test_what_was_over_before_it_was_told_of_is_not_added(at: Triggered) -> None:
    (said,) = at.done(at.delivered("drift-alert", alert("resolved")))
    assert said == "There is no ticket for 'a3c1f5e27b9d0468'."

    (said,) = at.done(at.delivered("drift-alert", alert("firing")))

    assert "was over before" in said
    assert at.looking.tickets(TITLE) == []


def test_a_ticket_that_somebody_works_on_gets_the_note_and_stays_theirs(at: Triggered) -> None:
    at.done(at.delivered("drift-alert", alert("firing")))
    at.table.desk.begins(ML, TITLE)

    (said,) = at.done(at.delivered("drift-alert", alert("resolved")))
    left = the_ticket(at)

    assert "stays open" in said
    assert left.status == "doing"
    assert [one for one in left.comments if "resolved" in one]


@IN_JIRA
def test_a_ticket_that_somebody_deleted_is_not_made_again(at: Triggered) -> None:
    at.done(at.delivered("drift-alert", alert("firing")))
    at.table.desk.deletes(TITLE)

    (said,) = at.done(at.delivered("drift-alert", alert("firing", SECOND_TIME)))
    assert "was deleted by somebody" in said
    (said,) = at.done(at.delivered("drift-alert", alert("resolved", SECOND_TIME)))
    assert "not in the tracker any more" in said

    assert at.looking.tickets(TITLE) == []


def test_an_open_ticket_goes_on_with_the_iteration_and_no_plan_lets_go_of_it(at: Triggered) -> None:
    table = at.table.table
    at.done(at.delivered("drift-alert", alert("firing")))
    plan = planning.plan_of(planning.make_plan(table.context, table.project))
    assert plan.empty, [change for change in plan.changes if change.action != "keep"]

    at.table.documents()
    run = table.turned(2, SECOND)
    assert run.state == "completed", run.findings
    carried = the_ticket(at)

    assert (carried.status, carried.iteration) == ("todo", "Data 2")
    at.done(at.delivered("drift-alert", alert("resolved")))
    assert the_ticket(at).status == "done"


@IN_JIRA
def test_a_run_that_added_a_ticket_is_undone_as_any_other(at: Triggered) -> None:
    table = at.table.table
    (row,) = at.delivered("drift-alert", alert("firing"))
    at.done([row])
    run = str(row.outcome[0]["effect"])

    table.applied(undo_plan.plan_undo(table.context, run))
    assert at.looking.tickets(TITLE) == []

    at.done(at.delivered("drift-alert", alert("resolved", SECOND_TIME)))
    assert at.looking.tickets(TITLE) == []


@IN_JIRA
def test_a_trial_shows_the_plan_and_writes_nothing(at: Triggered) -> None:
    trigger = trigger_from_json(triggers.get(at.door.context, "drift-alert").body)
    before = at.table.table.writes(), at.table.table.events()

    found = triggers.try_out(at.door.context, trigger, alert("firing"), {})

    (one,) = found["events"]
    assert one["error"] == ""
    (change,) = one["would"]["plan"]["changes"]
    assert (change["change"]["action"], change["title"], change["reason"]) == ("create", TITLE, "asked-for")
    assert (at.table.table.writes(), at.table.table.events()) == before
    assert at.looking.tickets(TITLE) == []


@IN_JIRA
def test_a_role_that_the_template_has_not_fails_the_event_in_words(at: Triggered) -> None:
    at.add(
        {
            "name": "wrong-role",
            "source": "wandb",
            "project": "ML",
            "action": "add-ticket",
            "with": {"ticket": "x", "title": "X", "role": "astronaut"},
        }
    )
    (row,) = at.delivered("wrong-role", {"n": 1})

    assert row.state == "failed"
    assert "the template has no role 'astronaut'" in row.error
    assert "ml, data, devops, qa, pm" in row.error


@IN_JIRA
def test_alerts_of_one_fingerprint_that_come_at_once_by_several_ways_are_one_ticket(at: Triggered) -> None:
    at.ready_made("drift-alert", name="drift-alert-2", project="ML", given={"role": "ml"}, limits={})
    with ThreadPoolExecutor(4) as threads:
        ways = [("drift-alert", FIRST_TIME), ("drift-alert-2", FIRST_TIME), ("drift-alert", SECOND_TIME)]
        rows = list(threads.map(lambda way: at.delivered(way[0], alert("firing", way[1])), ways))

    for found in rows:
        at.done(found)
    assert len(at.looking.tickets(TITLE)) == 1


def test_a_process_that_dies_before_it_hands_the_run_on_loses_and_doubles_nothing(tmp_path: Path) -> None:
    died: list[str] = []

    def start(workflow: str, partition: str) -> None:
        if not died:
            died.append(workflow)
            msg = "the process died here"
            raise RuntimeError(msg)
        table.table.engine.start(workflow, partition)

    with record_table(tmp_path / "home", "jira") as table, triggered(table, start) as at:
        at.ready_made("drift-alert", project="ML", given={"role": "ml"}, limits={})
        (row,) = at.delivered("drift-alert", alert("firing"))
        assert row.state == "failed"
        events.replay(at.door.context, row.id)
        again = at.handled(row.id)

        assert [one["what"] for one in again.outcome] == ["done-before"]
        assert table.table.ended(died[0]).state == "completed", "whoever keeps the runs found it"
        assert len(at.looking.tickets(TITLE)) == 1
