"""A process that is killed while it writes into records, and answers that are lost: another continues, and nothing is
written or said twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.domain.plan import run_state
from service.store import audits
from service.usecases.plan import planning
from tests.integration.conftest import Controls
from tests.integration.record_desks import PM
from tests.integration.record_table import SOON, RecordTable, record_table
from tests.waiting import eventually

WRITES: dict[tuple[str, str], dict[str, Any]] = {
    ("jira", "the sections"): {"method": "PUT", "path": r"/api/3/issue/[^/]+$"},
    ("jira", "the reminder"): {"method": "POST", "path": r"/api/3/issue/[^/]+/comment$"},
    ("trello", "the sections"): {"method": "PUT", "path": r"^/1/cards/[^/]+$"},
    ("trello", "the reminder"): {"method": "POST", "path": r"/actions/comments$"},
}


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("write", WRITES, ids=" ".join)
def test_a_look_that_is_killed_goes_on_and_does_nothing_twice(
    tmp_path: Path, write: tuple[str, str], done: bool
) -> None:
    with record_table(tmp_path / "home", write[0]) as records:
        table, controls = records.table, Controls(records.table.url)
        records.desk.finishes(PM, "Set the goals")
        controls.set("faults", action="hang", done=done, **WRITES[write])

        with table.elsewhere(SOON) as process:
            eventually(lambda: struck(controls) == 1)
            process.kill()
            process.wait()
            controls.clear("faults")
            assert changed_by_people(records) == [], "our own text is at no time taken for people's"
        run = table.ended(records.look_id(SOON), *run_state.ENDED, run_state.HELD)

        assert run.state == run_state.COMPLETED, run.findings
        assert_written_once(records)


@pytest.mark.parametrize("write", WRITES, ids=" ".join)
def test_a_lost_answer_does_nothing_twice(tmp_path: Path, write: tuple[str, str]) -> None:
    with record_table(tmp_path / "home", write[0]) as records:
        controls = Controls(records.table.url)
        records.desk.finishes(PM, "Set the goals")
        controls.set("faults", action="lose", **WRITES[write])

        run = records.looked(SOON)

        assert struck(controls) == 1
        assert run.state == run_state.COMPLETED, run.findings
        assert_written_once(records)


def assert_written_once(records: RecordTable) -> None:
    """The record says once what is known, people were reminded once, and what was written is known to be ours."""
    document = records.document()
    headings = [line for line in document.text.splitlines() if line.startswith("## ")]
    assert len(headings) == len(set(headings))
    assert document.text.count("Set the goals") == 1
    assert len(records.reminders()) == 1
    assert records.notices() == ["record-due:1:due-soon"]
    assert audits.nudged(records.row()) == ("due soon",)
    assert document.digest in audits.digests(records.row())
    assert changed_by_people(records) == []


def changed_by_people(records: RecordTable) -> list[str | None]:
    """The fields of the record that are shown as changed by people."""
    drift = planning.draft(records.table.context, records.table.project).plan.drift
    return [entry.field for entry in drift if entry.key == "record:1"]


def struck(controls: Controls) -> int:
    """How often the fault has struck."""
    faults = controls.get("faults")
    rules = faults if isinstance(faults, list) else faults.get("faults", [])
    return int(rules[0]["struck"])
