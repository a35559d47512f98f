"""Iterations for trackers that have none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from connectors.inferred_iterations import LENGTH, fortnights, worked_on
from connectors.records import Document, Step
from connectors.values import RemoteRef

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def made(at: datetime | None, done: datetime | None = None, status: str = "todo") -> Document:
    steps = (Step("done", "1", "One", done),) if done else ()
    return Document(RemoteRef("1", "A-1", ""), "T", "", "", status, created_at=at, steps=steps)


def test_a_ticket_is_in_the_two_weeks_in_which_it_was_done() -> None:
    old = made(datetime(2026, 10, 7, tzinfo=UTC))
    late = made(datetime(2026, 10, 7, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC), "done")
    reopened = made(datetime(2026, 10, 18, 23, 59, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))
    first, last = fortnights([late, old, reopened, made(None)], "https://example.com", NOW)
    assert (first.title, first.status, first.documents) == ("2026-10-05 to 2026-10-18", "closed", (old, reopened))
    assert (last.title, last.status, last.documents) == ("2026-11-16 to 2026-11-29", "active", (late,))
    assert (first.ref, first.starts) == (
        RemoteRef("2026-10-05", "2026-10-05", "https://example.com"),
        datetime(2026, 10, 5, tzinfo=UTC),
    )


def test_no_tickets_are_no_stretches() -> None:
    assert fortnights([], "", NOW) == fortnights([made(None)], "", NOW) == ()


ZONES = [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))]
MOMENTS = st.builds(
    lambda days, zone: (datetime(2000, 1, 3, tzinfo=UTC) + timedelta(days=days)).astimezone(zone),
    st.floats(0, 10_000),
    st.sampled_from(ZONES),
)


@given(st.lists(MOMENTS, max_size=20))
def test_every_dated_ticket_is_in_one_stretch_that_holds_its_moment(moments: list[datetime]) -> None:
    documents = [made(one) for one in moments]
    found = fortnights(documents, "", NOW)
    assert sum(len(one.documents) for one in found) == len(documents)
    assert [one.title for one in found] == sorted({one.title for one in found})
    for stretch in found:
        assert stretch.starts is not None
        assert stretch.ends == stretch.starts + LENGTH
        assert all(stretch.starts <= (worked_on(one) or NOW) < stretch.ends for one in stretch.documents)
