"""On working days at the project's hour its people are told how it stands: once, within an hour, or it is noted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from connectors.values import ItemKey
from sandbox.slack.state import ML_TEAM
from service import schedule
from service.domain.loop import loop_state
from service.domain.loop.figures import TicketRecord
from service.store import dues, loops
from service.store.tables import EventRow, IterationRow, LoopRow, TeamRow
from service.usecases.notice import hours, messages
from tests.integration.telling import Desk, desk
from tests.integration.test_telling_in_hours import TEAM

MONDAY = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with desk(request.param, tmp_path) as found:
        found.clock.now = MONDAY - 3 * DAY - HOUR  # Friday
        tickets = [
            TicketRecord(ItemKey("a"), "Explore <the> data", remote_key="ML-1", person="Ana"),
            TicketRecord(ItemKey("b"), "Train", remote_key="ML-2"),
        ]
        with found.context.database.session() as session:
            session.get_one(TeamRow, "team").body = TEAM
            loops.create_if_missing(session, "ML", found.clock(), next_due=None)
            session.execute(update(LoopRow).values(current=1))
            about = {"phase": "ideation", "of_phase": 1, "title": "Ideation 1", "findings": []}
            spans = {"first": date(2026, 3, 9), "last": date(2026, 3, 20), "starts": MONDAY, "ends": MONDAY}
            begun = {"began_at": MONDAY - 7 * DAY, "tickets": [one.to_json() for one in tickets]}
            session.add(IterationRow(project_id="ML", number=1, **about, **spans, **begun))
        found.by_bot()
        hours.put(found.context, "ML", None, None, days_off=False, stand_up="9:30")
        yield found


def ticks(at: Desk) -> None:
    """Have the clock do what is due, and people be told."""
    schedule.fire(at.context, at.clock())
    at.told(3)


def coming(at: Desk) -> datetime | None:
    with at.context.database.session() as session:
        return dues.at(session, "ML", dues.STAND_UP)


def kinds(at: Desk) -> list[str]:
    with at.context.database.session() as session:
        return list(session.scalars(select(EventRow.kind).order_by(EventRow.id)))


def test_it_is_told_once_on_each_working_day(at: Desk) -> None:
    at.clock.now = MONDAY - 4 * DAY
    while at.clock() < MONDAY + 2 * DAY:
        ticks(at)
        at.clock.now += 10 * MINUTE

    assert [row.kind for row in at.messages()] == ["stand-up"] * 3  # Friday, Monday, Tuesday
    assert at.states() == ["sent"] * 3
    assert coming(at) == MONDAY + 2 * DAY
    assert "Day 6 of 10" in at.texts()[1]


def test_it_says_what_happened_since_the_last_and_who_has_what(at: Desk) -> None:
    at.clock.now = MONDAY - 3 * DAY
    at.happens("Before the first.")
    ticks(at)
    at.clock.now += HOUR
    at.happens("After the first.")
    at.told()
    at.clock.now = MONDAY
    ticks(at)

    [_first, second] = [one for one in at.channel().messages if "Stand-up" in one.text]
    said = "\n".join(str(block.get("text", {}).get("text", "")) for block in second.blocks)
    assert "After the first." in said
    assert "Before the first." not in said
    assert "*Ana (1 ticket)*" in said
    assert "ML-1 Explore &lt;the&gt; data" in said
    assert "*nobody yet (1 ticket)*" in said


def test_several_processes_tell_it_once(at: Desk) -> None:
    at.clock.now = MONDAY
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda _: schedule.fire(at.context, at.clock()), range(4)))
    at.told()

    assert (kinds(at), at.states()) == (["stand-up"], ["sent"])


@pytest.mark.parametrize(("late", "told"), [(59, ["sent"]), (61, [])])
def test_who_was_down_over_it_tells_it_within_an_hour_and_else_notes_it(at: Desk, late: int, told: list[str]) -> None:
    at.clock.now = MONDAY + late * MINUTE

    ticks(at)
    ticks(at)

    assert at.states() == told
    assert kinds(at) == (["stand-up"] if told else ["stand-up-skipped"])
    assert coming(at) == MONDAY + DAY


def test_what_could_not_be_sent_within_an_hour_is_not_sent(at: Desk) -> None:
    at.clock.now = MONDAY
    at.fault(action="status", status=200, body={"ok": False, "error": "channel_not_found"}, times=100)

    ticks(at)
    at.settled()

    assert at.states() == ["skipped"]
    assert at.texts() == []


def test_while_it_is_paused_nobody_is_told_and_afterwards_again(at: Desk) -> None:
    with at.context.database.session() as session:
        assert loops.pause(session, "ML", "ana", "away", at.clock())
    at.clock.now = MONDAY
    ticks(at)
    assert kinds(at) == []

    with at.context.database.session() as session:
        session.execute(update(LoopRow).values(state=loop_state.TURNING))
    at.clock.now = MONDAY + DAY
    ticks(at)
    assert kinds(at) == ["stand-up"]


def test_it_is_neither_kept_quiet_nor_gathered(at: Desk) -> None:
    hours.put(at.context, "ML", "09:00", "10:00", days_off=True, stand_up="09:30")
    at.clock.now = MONDAY
    for _ in range(20):
        at.happens()
    ticks(at)

    assert [text for text in at.texts(ML_TEAM) if "Stand-up" in text]
    assert {row.kind: row.state for row in at.messages()} == {"digest": "waiting", "stand-up": "sent"}


def test_other_hours_hold_from_now_on_and_none_means_none(at: Desk) -> None:
    hours.put(at.context, "ML", None, None, days_off=False, stand_up="15:00")
    assert coming(at) == (MONDAY - 3 * DAY).replace(hour=15, minute=0)

    hours.put(at.context, "ML", None, None, days_off=False)
    assert coming(at) is None


def test_a_preview_shows_it_before_the_first(at: Desk) -> None:
    found = messages.preview(at.context, "ML", "stand-up")

    assert not found.real
    assert [part.title for part in found.message.parts if part.title] == ["nobody yet (1 ticket)", "Ana (1 ticket)"]
