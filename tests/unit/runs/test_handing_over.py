"""A run is handed to the process that works, also where that has not made its journal yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from service.runs.engine import hand_over
from service.settings import Settings


def test_where_there_is_no_journal_yet_the_record_is_enough(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, _env_file=None, database_url=None)

    hand_over(settings, "apply-pln_1", "con")


def test_a_journal_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "nowhere", _env_file=None, database_url=None)

    with pytest.raises(OperationalError):
        hand_over(settings, "apply-pln_1", "con")
