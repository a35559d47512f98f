"""A token's name says in runs who started them: it is there, and short enough to be read."""

from __future__ import annotations

import pytest

from tests.integration.conftest import Installation


@pytest.mark.parametrize("name", ["", "  ", "n" * 81, "two\nlines"], ids=["empty", "blank", "long", "lines"])
def test_a_name_that_says_nothing_or_cannot_be_read_is_refused(installation: Installation, name: str) -> None:
    refused = installation.ok("tokens", "create", name, code=1)

    assert "must be one line of 1 to 80 characters" in refused.err
    assert refused.out == ""
