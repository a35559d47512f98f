"""What an interrupted call costs: the requests beyond those of a clean run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.cases import Clean, clean_run, run_case
from tests.faults.kinds import BY_NAME
from tests.faults.rig import Rig

GOAL = 2


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, Clean]]:
    with Rig(tmp_path_factory.mktemp("jira"), "jira") as rig:
        yield rig, clean_run(rig)


@pytest.mark.parametrize("name", ["lost", "kill-answered"])
def test_a_bulk_create_without_answer_costs_two_requests_at_most_and_its_links_none(
    ready: tuple[Rig, Clean], name: str
) -> None:
    rig, clean = ready
    with_links = clean.bulks[-1]  # the first creates have no ticket to be linked to yet

    result = run_case(rig, clean, BY_NAME[name], with_links)

    assert result.good, result
    assert result.extra_requests <= GOAL
