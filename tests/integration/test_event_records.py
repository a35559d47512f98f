"""What events have noted stands in the record of the current iteration, where nobody wrote but us; else beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.usecases.hook import handler
from tests.integration.record_desks import DATA
from tests.integration.record_table import ONE, SECOND, record_table
from tests.integration.triggered import Triggered, triggered

IN_JIRA = pytest.mark.parametrize("at", ["jira"], indirect=True)
"""What is the same in every tracker."""


@pytest.fixture(params=["jira", "trello"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Triggered]:
    with record_table(tmp_path / "home", request.param) as table, triggered(table) as found:
        yield found


def run(number: int) -> dict[str, Any]:
    name = f"sunny-river-{number}"
    return {"state": "finished", "run_id": f"r{number}", "run_name": name, "url": f"https://wandb.ai/example/r{number}"}


def champion(version: str = "3") -> dict[str, Any]:
    return {
        "entity": "model_version_alias",
        "action": "created",
        "timestamp": "2026-03-02T09:00:00.000000+00:00",
        "data": {"name": "churn", "alias": "champion", "version": version},
    }


def test_the_champion_ends_its_phase_and_stands_in_the_record_with_when_and_which_version(at: Triggered) -> None:
    table = at.table.table
    at.ready_made("mlflow-champion", project="ML", given={"phase": "data"})
    at.ready_made("mlflow-champion-record", project="ML")

    said = at.done(at.delivered("mlflow-champion", champion()))

    assert len(said) == 2, said
    assert table.loop.decision is not None
    assert table.loop.decision["move"] == "next"
    text = at.table.document().text
    assert "Version 3 of churn was given the alias champion in MLflow at 2026-03-02T09:00:00" in text
    assert "trigger mlflow-champion-record" in text
    assert "Noted:" in text

    turned = table.turned(2, SECOND)
    assert turned.state == "completed", turned.findings
    assert table.iteration(2).phase == "model", "the next phase follows, though the first is to have two iterations"
    assert "alias champion" in at.table.document().text, "closing the iteration wrote its figures around it"


def test_runs_that_finish_close_upon_one_another_are_all_linked(at: Triggered) -> None:
    at.ready_made("wandb-run-finished", project="ML")
    rows = [row for number in (1, 2, 3) for row in at.delivered("wandb-run-finished", run(number))]
    at.done(rows)
    at.done(at.delivered("wandb-run-finished", {**run(1), "sent": "again"}))

    text = at.table.document().text
    for number in (1, 2, 3):
        assert text.count(f"(https://wandb.ai/example/r{number})") == 1, text
    assert at.table.document().comments == ()


@IN_JIRA
def test_where_somebody_wrote_in_the_section_it_is_said_beside_it(at: Triggered) -> None:
    at.ready_made("wandb-run-finished", project="ML")
    at.table.desk.writes(DATA, ONE, "## Goal\n\nOurs alone.\n\n## Overview\n\nWe write this ourselves.")

    at.done(at.delivered("wandb-run-finished", run(1)))

    document = at.table.document()
    assert "We write this ourselves." in document.text
    assert "sunny-river-1" not in document.text
    assert [one for one in document.comments if "sunny-river-1" in one.text]


@IN_JIRA
def test_a_record_that_is_signed_is_not_changed_any_more(at: Triggered) -> None:
    at.ready_made("wandb-run-finished", project="ML")
    at.table.documents()
    signed = at.table.document().digest

    (said,) = at.done(at.delivered("wandb-run-finished", run(1)))

    assert "finished, so it is said in a comment" in said
    assert at.table.document().digest == signed
    assert [one for one in at.table.document().comments if "sunny-river-1" in one.text]


@IN_JIRA
def test_a_record_that_somebody_deleted_leaves_it_in_the_history(at: Triggered) -> None:
    at.ready_made("wandb-run-finished", project="ML")
    at.table.desk.deletes(ONE)

    (said,) = at.done(at.delivered("wandb-run-finished", run(1)))

    assert "kept in the history alone" in said
    assert any(name.startswith("noted:fir_") for name in at.table.table.events())


@IN_JIRA
def test_a_burst_about_one_record_is_written_whole_however_long_each_waits_for_the_others(
    at: Triggered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for the runs of the others, which is no failure: more of them than tries there are."""
    monkeypatch.setattr(handler, "TRIES", 1)
    at.ready_made("wandb-run-finished", project="ML")
    url, count = f"{at.door.url}/hooks/t/wandb-run-finished", 6
    numbers = [at.sent(url, run(number)) for number in range(count)]
    at.done([at.handled(number) for number in numbers])

    text = at.table.document().text
    assert [text.count(f"(https://wandb.ai/example/r{number})") for number in range(count)] == [1] * count
