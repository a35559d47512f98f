"""Every other action of a trigger, from its sender's delivery to what the tracker shows."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from service.domain.hook.trigger import trigger_from_json
from service.domain.plan import run_state
from service.domain.problems import InvalidInput
from service.store.tables import PlanRow, ProjectRow, RunRow
from service.usecases.hook import events, triggers
from service.usecases.loop import decisions
from service.usecases.loop.loop_status import standing
from service.usecases.setup import projects, teams
from tests import plain
from tests.integration.record_desks import DATA, ML
from tests.integration.record_table import ONE, SECOND, record_table
from tests.integration.triggered import Triggered, triggered
from tests.integration.turntable import team
from tests.waiting import eventually

SECOND_RECORD = "Document iteration 2"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Triggered]:
    with record_table(tmp_path / "home", "jira") as table, triggered(table) as found:
        yield found


def sprints(at: Triggered) -> dict[str, str]:
    """The sprints that Jira shows, by name, with their states."""
    auth = (DEMO_EMAIL, DEMO_TOKEN)
    boards = plain.get(f"{at.table.table.url}/rest/agile/1.0/board", params={"projectKeyOrId": "ML"}, auth=auth).json()
    number = boards["values"][0]["id"]
    found = plain.get(f"{at.table.table.url}/rest/agile/1.0/board/{number}/sprint", auth=auth).json()
    return {one["name"]: one["state"] for one in found["values"]}


def simple(name: str, action: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "source": "wandb", "project": "ML", "action": action, **more}


def test_an_advance_closes_and_begins_the_sprints(at: Triggered) -> None:
    at.add(simple("go", "advance"))
    (row,) = at.delivered("go", {"n": 1})

    run = at.table.table.ended(str(row.outcome[0]["effect"]))

    assert (run.state, run.started_by) == (run_state.COMPLETED, "trigger go")
    assert at.table.table.loop.current == 2
    assert sprints(at)["Data 1"] == "closed"
    assert sprints(at)["Data 2"] == "active"


def test_a_decision_sends_the_next_advance_back_a_phase(at: Triggered) -> None:
    table = at.table.table
    decisions.decide(
        table.context, table.project, "next", None, "To have something to go back from.", "lead@example.com"
    )
    assert table.turned(2, SECOND).state == run_state.COMPLETED
    assert table.iteration(2).phase == "model"
    given = {"move": "back", "phase": "data", "reason": "The evaluation ${payload.id} failed."}
    at.add(simple("failed", "decide", **{"with": given}))

    at.done(at.delivered("failed", {"id": "e-7"}))
    at.add(simple("go", "advance"))
    (row,) = at.delivered("go", {"n": 1})
    assert table.ended(str(row.outcome[0]["effect"])).state == run_state.COMPLETED

    assert (table.iteration(3).phase, table.iteration(3).loop) == ("data", 2)
    assert "active" in [state for name, state in sprints(at).items() if name.startswith("Data")]
    assert "The evaluation e-7 failed." in str(at.table.event("began:3").data)


def test_a_failed_evaluation_proposes_to_go_back_and_a_person_accepts_it_by_what_it_says(at: Triggered) -> None:
    table = at.table.table
    decisions.decide(
        table.context, table.project, "next", None, "To have something to go back from.", "lead@example.com"
    )
    assert table.turned(2, SECOND).state == run_state.COMPLETED
    at.ready_made("nightly-evaluation", project="ML", given={"phase": "data"}, limits={})
    payload = {"type": "evaluation.failed", "run_id": "e-7", "metric": "auc", "value": 0.71, "threshold": 0.8}

    (said,) = at.done(at.delivered("nightly-evaluation", payload))

    assert table.loop.decision is None, "nothing is decided before a person says so"
    (name,) = [one for one in table.events() if one.startswith("move-proposed:")]
    assert said.endswith(table.told(name))
    (record,) = at.looking.tickets(SECOND_RECORD)
    assert "Accept it with: phaseloop phase ML back data" in record.comments[-1]
    words = shlex.split(said.partition("Accept it with: ")[2])
    assert words[:5] == ["phaseloop", "phase", "ML", "back", "data"]
    assert words[5:] == ["--reason", "The evaluation e-7 failed, auc was 0.71 and 0.8 is wanted."]

    at.done(at.delivered("nightly-evaluation", {**payload, "run_id": "e-8"}))
    (waiting,) = standing(table.context, table.project).proposals
    assert (waiting.move, waiting.phase, waiting.by) == ("back", "data", "trigger nightly-evaluation")
    assert waiting.reason.startswith("The evaluation e-8 failed"), "of one move the newest is shown"
    decisions.decide(table.context, table.project, "back", "data", waiting.reason, "lead@example.com")
    assert standing(table.context, table.project).proposals == (), "somebody decided"


def test_a_resync_has_a_held_run_look_again(tmp_path: Path) -> None:
    later = {"hold_seconds": 86_400.0}
    with record_table(tmp_path / "home", "jira", gate="block", settings=later) as table, triggered(table) as at:
        held = table.table.turned(2, SECOND)
        assert held.state == run_state.HELD
        table.documents()
        at.add(simple("look", "resync"))

        at.done(at.delivered("look", {"n": 1}))

        assert table.table.ended(held.id).state == run_state.COMPLETED
        assert sprints(at)["Data 2"] == "active"


def test_an_audit_reads_the_records_and_writes_what_is_known(at: Triggered) -> None:
    at.add(simple("audit", "audit"))
    at.table.desk.writes(DATA, ONE, "## Goal\n\nTo be read by the audit.")
    before = at.table.row().evidence_id

    (row,) = at.delivered("audit", {"n": 1})
    run = at.table.table.ended(str(row.outcome[0]["effect"]))

    assert run.state == run_state.COMPLETED, run.findings
    assert at.table.row().evidence_id != before


def test_a_notice_is_a_comment_on_the_record_and_in_the_history_with_whom_it_is_for(at: Triggered) -> None:
    at.add(simple("tell", "notify", **{"with": {"text": "Heard of ${payload.n}.", "to": f"{ML}, {DATA}"}}))

    (said,) = at.done(at.delivered("tell", {"n": 4}))

    (name,) = [one for one in at.table.table.events() if one.startswith("trigger:")]
    assert at.table.event(name).data["to"] == [ML, DATA]
    assert at.table.table.told(name) == "Heard of 4."
    assert said == "Said in a comment on the record of iteration 1 of ML: Heard of 4."
    (record,) = at.looking.tickets(ONE)
    (comment,) = record.comments
    assert "Trigger tell: Heard of 4." in comment


@pytest.mark.parametrize("to", ["everybody-else", f"{ML}, everybody-else"])
def test_a_notice_for_nobody_of_the_team_is_refused_when_it_is_added_and_fails_where_the_event_names_them(
    at: Triggered, to: str
) -> None:
    given = {"text": "Heard.", "to": to}
    with pytest.raises(InvalidInput, match="'everybody-else' is nobody of the team"):
        at.add(simple("tell", "notify", **{"with": given}))

    at.add(simple("tell", "notify", **{"with": {**given, "to": "${payload.to}"}}))
    (row,) = at.delivered("tell", {"to": to})
    assert row.state == "failed"
    assert "'everybody-else' is nobody of the team" in row.error
    assert at.looking.tickets(ONE)[0].comments == ()


def test_a_bootstrap_that_is_to_be_applied_builds_the_project_in_the_tracker(at: Triggered) -> None:
    context = at.door.context
    teams.put(context, team())
    given = {"connection": "tracker", "team": team().name, "create": True, "apply": True, "key": "NEWML"}
    at.ready_made("github-bootstrap", given=given)
    payload = {
        "action": "created",
        "repository": {"id": 1, "name": "new-ml", "template_repository": {"name": "ml-template"}},
    }

    (row,) = at.delivered("github-bootstrap", payload, **{"X-GitHub-Event": "repository"})
    assert row.error == ""
    run = at.table.table.ended(str(row.outcome[0]["effect"]))

    assert run.state in (run_state.COMPLETED, run_state.INCOMPLETE), run.findings
    found = plain.get(f"{at.table.table.url}/rest/api/3/project/NEWML", auth=(DEMO_EMAIL, DEMO_TOKEN))
    assert found.json()["key"] == "NEWML"


def test_a_bootstrap_without_apply_waits_for_a_person(at: Triggered) -> None:
    context = at.door.context
    given = {"connection": "tracker", "team": team().name, "create": True, "key": "LATER"}
    at.ready_made("github-bootstrap", given=given)
    payload = {
        "action": "created",
        "repository": {"id": 2, "name": "later", "template_repository": {"name": "ml-template"}},
    }

    (row,) = at.delivered("github-bootstrap", payload, **{"X-GitHub-Event": "repository"})

    project = projects.get(context, "LATER")
    with context.database.session() as session:
        plans = list(session.scalars(select(PlanRow).where(PlanRow.project_id == project.id)))
        assert [one.id for one in plans] == [row.outcome[0]["effect"]]
        assert list(session.scalars(select(RunRow).where(RunRow.project_id == project.id))) == []
    found = plain.get(f"{at.table.table.url}/rest/api/3/project/LATER", auth=(DEMO_EMAIL, DEMO_TOKEN))
    assert found.status_code == 404


def test_a_trigger_that_fails_each_time_is_parked_with_a_finding_and_goes_on_once_it_is_enabled(at: Triggered) -> None:
    given = {"ticket": "${payload.n}", "title": "T", "role": "astronaut"}
    at.add(simple("bad", "add-ticket", **{"with": given, "limits": {"park_after": 2}}))
    rows = [row for number in range(3) for row in at.delivered("bad", {"n": number})]

    assert [row.state for row in rows] == ["failed", "failed", "failed"]
    assert rows[2].outcome == [], "a parked trigger does nothing"
    assert "is parked" in rows[2].error
    (name,) = [one for one in at.table.table.events() if one.startswith("trigger-parked:bad")]
    assert "phaseloop triggers enable bad" in at.table.table.told(name)
    assert at.looking.tickets("T") == []

    body = {**triggers.get(at.door.context, "bad").body, "with": {**given, "role": "ml"}}
    triggers.put(at.door.context, trigger_from_json(body), "lead@example.com", replace=True)
    assert events.replay_all(at.door.context, state="failed", sender="bad") == 3
    eventually(lambda: len(at.looking.tickets("T")) == 3, 60)


def test_an_exit_of_another_phase_is_skipped_with_its_reason_and_parks_nothing(at: Triggered) -> None:
    at.ready_made("mlflow-champion", project="ML", given={"phase": "model"})
    for version in range(6):
        data = {"name": "churn", "alias": "champion", "version": str(version)}
        payload = {"entity": "model_version_alias", "action": "created", "timestamp": "now", "data": data}
        (row,) = at.delivered("mlflow-champion", payload)
        assert (row.state, row.error) == ("done", "")
        assert [one["what"] for one in row.outcome] == ["skipped"]
        assert "ML is in the phase data, not in model." in row.outcome[0]["text"]

    assert triggers.get(at.door.context, "mlflow-champion").state == "on"
    assert at.table.table.loop.decision is None


def test_limits_hold_for_what_is_written_to_the_tracker(at: Triggered) -> None:
    given = {"ticket": "${payload.n}", "title": "T${payload.n}", "role": "ml"}
    usual = {"with": given, "key": "${payload.about}"}
    at.add(simple("keyed", "add-ticket", **usual, limits={"once_per_key": True}))
    at.add(simple("hourly", "add-ticket", **usual, limits={"per_hour": 1}))
    at.add(simple("elsewhere", "add-ticket", **usual, limits={"phases": ["model"]}))

    said = [text for n in (1, 2) for text in at.done(at.delivered("keyed", {"n": n, "about": "x"}))]
    said += [text for n in (3, 4) for text in at.done(at.delivered("hourly", {"n": n, "about": n}))]
    said += at.done(at.delivered("elsewhere", {"n": 5, "about": 5}))

    assert [len(at.looking.tickets(f"T{n}")) for n in (1, 2, 3, 4, 5)] == [1, 0, 1, 0, 0]
    assert "done for the key 'x' before" in said[1]
    assert "within an hour" in said[3]
    assert "is in another phase than model" in said[4]


def test_a_project_that_has_ended_is_written_to_no_more(at: Triggered) -> None:
    at.add(simple("late", "add-ticket", **{"with": {"ticket": "x", "title": "Late", "role": "ml"}}))
    with at.door.context.database.session() as session:
        session.get_one(ProjectRow, at.table.table.project).ended_at = at.door.context.now()

    (row,) = at.delivered("late", {"n": 1})

    assert row.state == "failed"
    assert "has ended" in row.error
    assert at.looking.tickets("Late") == []
