"""Before the first iteration there is no phase to go back to, and the command says so."""

from __future__ import annotations

import pytest

from tests.integration.conftest import SMALL, TEAM_FILE, Installation


@pytest.mark.parametrize(("phase", "code"), [((), 64), (("only",), 1)], ids=["none named", "one named"])
def test_who_goes_back_before_anything_began_is_told_that_nothing_was_there(
    here: Installation, phase: tuple[str, ...], code: int
) -> None:
    here.ok("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, code=2)
    here.ok("apply", "ML")

    refused = here.ok("phase", "ML", "back", *phase, "--reason", "x", code=code)

    assert "no phase was there before" in refused.err
