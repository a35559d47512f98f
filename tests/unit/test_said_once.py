"""What a command said is not said again by what it shows afterwards."""

from __future__ import annotations

from service.cli.advance import untold

DEBT = "This is not documented, and continues all the same: the record of iteration 1 (ML-1): D05 No decision."


def test_what_happened_is_told_without_what_the_preview_said_of_each_record() -> None:
    event = f"Iteration 1 of ML was closed while records are not complete. {DEBT}"

    assert untold(event, [DEBT]) == "Iteration 1 of ML was closed while records are not complete."
    assert untold(event, [DEBT.rstrip(".")]) == "Iteration 1 of ML was closed while records are not complete."


def test_what_nobody_said_stays() -> None:
    assert untold("Iteration 2 of ML began.", [DEBT]) == "Iteration 2 of ML began."
