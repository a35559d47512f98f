"""A person lets a check pass, for a reason, until a day; it is in the evidence, and so is its end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from service.domain.audit import chain
from service.domain.audit.outcome import Check, Result, Verdict
from service.domain.problems import InvalidInput
from service.settings import Settings
from service.usecases.audit import audit_reports, waiver_log
from service.usecases.errors import NotFound
from tests.integration.loops import Shop, at
from tests.integration.record_desks import DATA, PM
from tests.integration.test_auditing import GOAL, LATE, ONE, SECOND, Scene, opened, results

WHY = "The product manager is ill until June"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Iteration 1 continues; it is 2026-02-20 in Berlin."""
    made = Shop.open(Settings(home=tmp_path, _env_file=None))
    made.begin_loop()
    made.advance()
    yield made
    made.context.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    yield from opened(tmp_path / "home", "jira")


def test_a_waived_check_lets_its_iteration_pass_until_its_day_and_no_longer(scene: Scene) -> None:
    scene.desk.writes(DATA, ONE, GOAL)
    scene.table.turned(2, SECOND)
    scene.table.set(LATE)
    assert scene.run(1)[1].verdict is Verdict.UNDOCUMENTED

    waiver = waiver_log.waive(
        scene.table.context, "ML", Check.SIGN_OFF, number=1, by="lead@example.com", reason=WHY, until=date(2026, 3, 25)
    )

    # Told at once, without another look.
    assert scene.row(1).verdict != Verdict.UNDOCUMENTED
    found = scene.run(1)[1]
    (signed,) = [one for one in found.findings if one.check is Check.SIGN_OFF]
    assert (signed.result, signed.was) == (Result.WAIVED, Result.FAIL)
    assert signed.waived is not None
    assert (signed.waived.by, signed.waived.reason) == ("lead@example.com", WHY)
    kinds = [one.kind for one in scene.entries()]
    assert kinds == [chain.READING, chain.WAIVER, chain.READING]
    assert scene.entries()[1].body["id"] == waiver.id
    assert audit_reports.verify(scene.table.context, "ML").ok

    scene.table.set("2026-03-26T00:30")
    assert results(scene.run(1)[1])[Check.SIGN_OFF] is Result.FAIL
    assert scene.row(1).verdict == Verdict.UNDOCUMENTED


def test_a_waiver_that_is_taken_back_counts_no_more_and_both_are_on_record(scene: Scene) -> None:
    scene.table.turned(2, SECOND)
    scene.table.set(LATE)
    scene.run(1)
    ask = {"by": "lead@example.com", "reason": WHY, "until": date(2026, 6, 1)}
    waiver = waiver_log.waive(scene.table.context, "ML", "D10", **ask)  # type: ignore[arg-type]
    assert results(scene.run(1)[1])[Check.SIGN_OFF] is Result.WAIVED

    first = waiver_log.revoke(scene.table.context, waiver.id, by=PM, reason="She is back.")
    second = waiver_log.revoke(scene.table.context, waiver.id, by=DATA)

    assert (first.revoked_by, second.revoked_by) == (PM, PM)
    assert scene.row(1).verdict == Verdict.UNDOCUMENTED
    assert [one.kind for one in scene.entries()].count(chain.REVOKED) == 1
    (told,) = audit_reports.matrix(scene.table.context, "ML").waivers
    assert (told["state"], told["revoked_by"]) == ("revoked", PM)
    assert chain.breaks(scene.entries()) == []


def test_asking_for_the_same_waiver_again_gives_the_same(shop: Shop) -> None:
    def ask() -> str:
        return waiver_log.waive(shop.context, "ML", "D05", by="lead", reason=WHY, until=date(2026, 3, 20)).id

    assert ask() == ask()
    assert len(waiver_log.listed(shop.context, "ML")) == 1
    assert waiver_log.waive(shop.context, "ML", "D05", by="lead", reason=WHY, until=date(2026, 3, 21)).id != ask()


def test_everything_that_is_wrong_with_a_waiver_is_said_at_once(shop: Shop) -> None:
    with pytest.raises(InvalidInput) as refused:
        waiver_log.waive(shop.context, "ML", "D99", number=7, by=" ", reason="because", until=date(2026, 2, 19))

    found = {problem.path: problem.message for problem in refused.value.problems}
    assert set(found) == {"check", "iteration", "by", "reason", "until"}
    assert "2026-02-19 is past" in found["until"]
    assert "has not begun" in found["iteration"]
    assert waiver_log.listed(shop.context, "ML") == []


@pytest.mark.parametrize(("until", "refused"), [("2026-02-20", False), ("2027-03-27", False), ("2027-03-28", True)])
def test_a_waiver_ends_within_four_hundred_days(shop: Shop, until: str, *, refused: bool) -> None:
    def ask() -> None:
        waiver_log.waive(shop.context, "ML", "D05", by="lead", reason=WHY, until=date.fromisoformat(until))

    if refused:
        with pytest.raises(InvalidInput, match="400 days"):
            ask()
    else:
        ask()


def test_a_waiver_says_whether_it_holds(shop: Shop) -> None:
    row = waiver_log.waive(shop.context, "ML", "D05", number=1, by="lead", reason=WHY, until=date(2026, 3, 20))

    assert row.to_json(date(2026, 3, 20))["state"] == "holds"
    assert row.to_json(date(2026, 3, 21)) == {
        "id": row.id,
        "check": "D05",
        "iteration": 1,
        "by": "lead",
        "reason": WHY,
        "until": "2026-03-20",
        "state": "over",
        "at": at("2026-02-20T12:00").isoformat(),
        "revoked_at": None,
        "revoked_by": None,
    }


def test_what_is_not_there_is_said(shop: Shop) -> None:
    with pytest.raises(NotFound):
        waiver_log.revoke(shop.context, "wvr_none", by="lead")
    with pytest.raises(NotFound):
        waiver_log.waive(shop.context, "NONE", "D05", by="lead", reason=WHY, until=date(2026, 3, 20))
