"""What is held over the whole suite can fail: a secret in a line that a library logs is heard."""

from __future__ import annotations

import logging

import pytest

from tests.conftest import OURS, SECRETS, THEIRS, Ear


@pytest.mark.parametrize("speaker", [*OURS, *THEIRS])
def test_a_secret_that_is_logged_anywhere_is_heard(ear: Ear, speaker: str) -> None:
    level = logging.INFO if speaker == "sqlalchemy" else logging.DEBUG

    logging.getLogger(f"{speaker}.something").log(level, "Authorization: %s", SECRETS[0])

    assert ear.leaks.pop() == f"{speaker}.something: Authorization: {SECRETS[0]}"
    assert ear.leaks == []
