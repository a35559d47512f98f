"""Replicas on PostgreSQL that are killed at random. `make faults` kills more of them."""

from __future__ import annotations

from pathlib import Path

from tests.faults.replicas import killing


def test_whichever_replicas_die_each_item_exists_once(tmp_path: Path) -> None:
    outcome = killing(tmp_path, kills=3, projects=1, seed=1)

    assert outcome.kills >= 2
    assert outcome.good, outcome
