"""People are written to in the hours of their project; programs at all hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.slack.state import ML_TEAM
from service.domain.problems import InvalidInput
from service.store.tables import TeamRow
from service.usecases.notice import hours, receivers
from service.usecases.notice.receivers import Asked
from tests.integration.conftest import Installation
from tests.integration.telling import Desk, desk
from tests.integration.webhook_listener import SECRET, listening

EVENING = datetime(2026, 3, 13, 21, tzinfo=UTC)  # a Friday
MONDAY = datetime(2026, 3, 16, 7, tzinfo=UTC)
TEAM = {
    "format": "phaseloop/v1",
    "kind": "team",
    "name": "t",
    "members": [{"person": "Ana", "email": "ana@example.com", "roles": ["ml"]}],
}


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with desk(request.param, tmp_path) as found:
        with found.context.database.session() as session:
            session.get_one(TeamRow, "team").body = TEAM
        found.clock.now = EVENING - timedelta(hours=2)
        found.by_bot()
        yield found


def test_what_is_due_at_night_and_on_days_off_is_told_in_the_morning(at: Desk) -> None:
    hours.put(at.context, "ML", "20:00", "7:00", days_off=True)
    at.happens("before")
    at.told()
    at.clock.now = EVENING
    at.happens("at night")
    at.told()
    at.clock.pass_by(hours=20)
    at.happens("on Saturday")
    at.told(3)

    assert len(at.texts()) == 1
    assert [row.attempts for row in at.messages("waiting")] == [0, 0]
    assert hours.get(at.context, "ML").quiet_until == MONDAY

    at.settled(hours=60)
    assert len(at.texts()) == 3
    assert all(row.asked_at >= MONDAY for row in at.messages()[1:] if row.asked_at is not None)


def test_a_night_that_is_not_quiet_any_more_is_no_reason_to_wait(at: Desk) -> None:
    hours.put(at.context, "ML", "20:00", "07:00", days_off=False)
    at.clock.now = EVENING
    at.happens()
    at.told()
    assert at.states() == ["waiting"]

    hours.put(at.context, "ML", None, None, days_off=False)
    at.told()

    assert at.states() == ["sent"]


def test_many_that_wait_for_the_morning_are_gathered(at: Desk) -> None:
    hours.put(at.context, "ML", "20:00", "07:00", days_off=False)
    at.clock.now = EVENING
    for _ in range(30):
        at.happens()
        at.told()
    at.settled()

    assert len(at.texts()) == 1
    assert at.messages()[0].kind == "digest"


def test_what_could_not_be_sent_is_not_tried_again_at_night(at: Desk) -> None:
    hours.put(at.context, "ML", "20:00", "07:00", days_off=False)
    at.clock.now = EVENING - timedelta(hours=1, minutes=1)
    at.fault(action="status", status=200, body={"ok": False, "error": "channel_not_found"}, times=3)
    at.happens()
    at.settled()

    assert at.states() == ["sent"]
    [row] = at.messages()
    assert row.asked_at is not None
    assert row.asked_at.hour < 20
    assert row.asked_at.hour >= 7


def test_programs_are_told_at_night(at: Desk) -> None:
    hours.put(at.context, "ML", "20:00", "07:00", days_off=True)
    with listening() as program:
        receivers.add(at.context, "program", "webhook", {"url": program.url}, SECRET, [Asked()])
        at.clock.now = EVENING
        at.happens()
        at.told()

        assert len(program.events) == 1
    assert at.texts(ML_TEAM) == []


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        ("20:00", None, "is missing"),
        (None, "07:00", "is missing"),
        ("8pm", "25:00", "no time of day"),
        ("20:00", "20:00", "nobody would ever be written to"),
    ],
)
def test_hours_that_cannot_be_meant_are_refused(at: Desk, begins: str | None, ends: str | None, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        hours.put(at.context, "ML", begins, ends, days_off=False)


def test_hours_are_shown_and_set_on_the_command_line(tmp_path: Path) -> None:
    shell = Installation(tmp_path)
    shell.furnish()
    more = ("--url", "https://tracker.invalid", "--email", "a@example.com")
    shell.ok("connections", "add", "jira", *more, stdin="secret\n")
    shell.has_project("ML", "jira")

    assert "at all hours" in shell.ok("notify", "hours", "ML").out
    shell.ok("notify", "hours", "ML", "--quiet", "20:00-07:00")
    said = shell.ok("notify", "hours", "ML", "--days-off", "--json").json
    assert (said["quiet_from"], said["quiet_to"], said["days_off"]) == ("20:00", "07:00", True)
    assert "from 20:00 to 07:00 and on days" in shell.ok("notify", "hours", "ML").out
    assert shell.ok("notify", "hours", "ML", "--quiet", "off", "--no-days-off", "--json").json["quiet_from"] is None
    assert shell.run("notify", "hours", "ML", "--quiet", "late").code == 64
    assert "no time of day" in shell.run("notify", "hours", "ML", "--quiet", "8pm-9am").err
