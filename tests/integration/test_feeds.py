"""A project's calendar feed, read back as a calendar program does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from service.settings import Settings
from service.usecases.errors import Conflict, NotFound
from service.usecases.loop import scheduling
from service.usecases.loop.feeds import feed, feed_secret, renew_feed
from tests.integration.loops import Shop

PM = "pm-1@example.com"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop.open(Settings(home=tmp_path, _env_file=None))
    opened.begin_loop()
    opened.advance()
    yield opened
    opened.context.close()


def entries(shop: Shop) -> dict[str, Any]:
    read = icalendar.Calendar.from_ical(feed(shop.context, feed_secret(shop.context, "ML")))
    return {str(entry["UID"]).partition("@")[0].partition(".")[2]: entry for entry in read.walk("VEVENT")}


def test_the_feed_has_the_iterations_begun_and_to_come_with_their_meetings(shop: Shop) -> None:
    found = entries(shop)
    assert (found["iteration-1"].start, found["iteration-1"].end) == (date(2026, 3, 2), date(2026, 3, 14))
    assert str(found["iteration-1"]["SUMMARY"]) == "ML 1"
    assert found["iteration-2"].start == date(2026, 3, 16)
    planning = min(
        (entry for name, entry in found.items() if name.startswith("meeting-3-")), key=lambda entry: entry.start
    )
    assert planning.start == datetime(2026, 3, 30, 9, tzinfo=BERLIN)
    assert found["record-1"].start > date(2026, 3, 13)


def test_the_feed_is_the_same_until_something_changes(shop: Shop) -> None:
    secret = feed_secret(shop.context, "ML")
    before = feed(shop.context, secret)
    assert feed(shop.context, secret) == before
    shop.clock.set("2026-03-05T12:00")
    scheduling.skip(shop.context, "ML", PM, "a fair")
    moved = entries(shop)["iteration-2"]
    assert moved.start == date(2026, 3, 30)
    former: list[Any] = icalendar.Calendar.from_ical(before).walk("VEVENT")
    [was] = [entry for entry in former if str(entry["UID"]) == str(moved["UID"])]
    assert int(moved["SEQUENCE"]) > int(was["SEQUENCE"])


def test_while_the_loop_is_paused_nothing_is_announced(shop: Shop) -> None:
    scheduling.pause(shop.context, "ML", PM, "summer")
    assert [name for name in entries(shop) if name.startswith("iteration-")] == ["iteration-1"]
    scheduling.resume(shop.context, "ML", PM)
    assert "iteration-2" in entries(shop)


def test_the_address_can_be_renewed_and_the_former_one_leads_nowhere(shop: Shop) -> None:
    former = feed_secret(shop.context, "ML")
    assert renew_feed(shop.context, "ML", PM).feed == feed_secret(shop.context, "ML") != former
    with pytest.raises(NotFound) as caught:
        feed(shop.context, former)
    assert former not in str(caught.value)
    assert feed_secret(shop.context, "ML") not in str([(event.text, event.data) for event in shop.events()])


def test_a_project_whose_loop_has_not_begun_has_no_feed(tmp_path: Path) -> None:
    shop = Shop.open(Settings(home=tmp_path, _env_file=None))
    with pytest.raises(Conflict, match="has not begun"):
        feed_secret(shop.context, "ML")
    shop.context.close()
