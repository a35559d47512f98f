"""The keeper's jobs on a real engine with a journal of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dbos import DBOS

from service.context import Context, open_context, utc_now
from service.runs.active_runs import Traffic
from service.runs.engine import EXECUTOR, QUEUE, Engine
from service.runs.maintenance import Keeper
from service.settings import Settings
from service.usecases.loop.advances import Advancing
from tests.homes import furnish
from tests.waiting import eventually


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    furnish(tmp_path)
    opened = open_context(Settings(home=tmp_path, _env_file=None))
    yield opened
    opened.close()


@pytest.fixture
def engine(context: Context) -> Iterator[Engine]:
    with Engine(context, Advancing()) as launched:
        yield launched


def keeper(context: Context, engine: Engine, chores: list[Context]) -> Keeper:
    return Keeper(context, Traffic(), QUEUE, EXECUTOR, None, engine.start, chores.append, chores.append)


def statuses() -> list[str]:
    return [workflow.status for workflow in DBOS.list_workflows(load_input=False, load_output=False)]


def test_workflows_that_ended_long_ago_leave_the_journal_and_chores_are_done(context: Context, engine: Engine) -> None:
    engine.start("of-a-run-that-is-gone", "partition")  # nothing to be found, so it ends at once
    eventually(lambda: statuses() == ["ERROR"])
    chores: list[Context] = []

    keeper(context, engine, chores).clean()
    assert statuses() == ["ERROR"]
    later = replace(context, now=lambda: utc_now() + timedelta(days=context.settings.keep_runs_days + 1))
    keeper(later, engine, chores).clean()

    assert statuses() == []
    assert chores == [context, later]
