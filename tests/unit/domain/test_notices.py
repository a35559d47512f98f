"""Which event is which kind of notice, who asked for it, and what its message says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.values import ItemKey
from service.domain.loop.figures import TicketRecord
from service.domain.notice.examples import EXAMPLES
from service.domain.notice.kinds import MEANINGS, TITLES, NoticeKind, channels, events_of, kind_of
from service.domain.notice.message import About, Tickets, Told, digest, message

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ABOUT = About("ML", "Churn", BERLIN, "https://tracker.example.com/ML", "https://loop.example.com")


@pytest.mark.parametrize(
    ("event", "data", "by", "kind"),
    [
        ("began", {}, "clock", NoticeKind.ITERATION_STARTED),
        ("record-due", {"clock": "due soon"}, "clock", NoticeKind.RECORD_DUE),
        ("record-due", {"clock": "overdue"}, "clock", NoticeKind.RECORD_OVERDUE),
        ("record-due", {"clock": "escalated"}, "clock", NoticeKind.RECORD_ESCALATED),
        ("paused", {}, "phaseloop", NoticeKind.RUN_FAILED),
        ("paused", {}, "ana@example.com", NoticeKind.LOOP_PAUSED),
        ("finding", {"severity": "warning"}, "tracker", NoticeKind.FINDING),
        ("finding", {"severity": "info"}, "tracker", None),
        ("answered", {}, "ana@example.com", None),
    ],
)
def test_an_event_is_a_kind_of_notice_or_none(
    event: str, data: dict[str, Any], by: str, kind: NoticeKind | None
) -> None:
    assert kind_of(event, data, by) is kind


def test_every_kind_has_a_title_a_meaning_an_example_and_an_event() -> None:
    for kind in NoticeKind:
        assert TITLES[kind]
        assert MEANINGS[kind]
        assert "{key}" in EXAMPLES[kind].text
        assert kind_of(EXAMPLES[kind].event, EXAMPLES[kind].data, EXAMPLES[kind].by) is kind
        assert events_of(kind)


def test_a_notice_goes_to_each_channel_that_asked_for_it_once() -> None:
    wanted = [
        {"project": None, "kinds": [], "channel": "C1"},
        {"project": "p1", "kinds": ["run-held"], "channel": "C2"},
        {"project": "p1", "kinds": [], "channel": "C1"},
        {"project": "p2", "kinds": [], "channel": "C3"},
    ]

    assert channels(wanted, "p1", NoticeKind.RUN_HELD) == ["C1", "C2"]
    assert channels(wanted, "p1", NoticeKind.RUN_FAILED) == ["C1"]
    assert channels(wanted, "p2", NoticeKind.RUN_HELD) == ["C1", "C3"]


def ticket(title: str, person: str, **more: Any) -> TicketRecord:
    return TicketRecord(ItemKey(title), title, remote_key="ML-1", url="https://t.example/ML-1", person=person, **more)


def test_a_new_iteration_is_told_with_the_tickets_of_each_role() -> None:
    told = Told(NoticeKind.ITERATION_STARTED, 'Iteration 2 of ML began: "Tuning".', AT, 2)
    by_role = [Tickets("Data", [ticket("Collect", "Ana", points=3.0), ticket("Label", "")])]

    found = message(told, ABOUT, by_role)

    assert found.title == "A new iteration: Churn (ML)"
    assert found.url == "https://loop.example.com/projects/ML"
    assert found.foot == "phaseloop, ML, iteration 2, Mon 2 Mar 2026 09:00 CET"
    assert [part.title for part in found.parts] == ["", "Data (2 tickets)"]
    assert [line.more for line in found.parts[1].lines] == ["(Ana, 3 points)", "(nobody yet)"]


@pytest.mark.parametrize(
    ("kind", "pages", "url"),
    [
        (NoticeKind.RUN_HELD, "https://l.example", "https://l.example/runs/run_1"),
        (NoticeKind.RECORD_DUE, "https://l.example", "https://l.example/projects/ML/audit"),
        (NoticeKind.MESSAGE, "https://l.example", "https://l.example/projects/ML"),
        (NoticeKind.MESSAGE, "", "https://tracker.example.com/ML"),
    ],
)
def test_a_message_leads_to_where_something_can_be_done(kind: NoticeKind, pages: str, url: str) -> None:
    about = About("ML", "ML", BERLIN, "https://tracker.example.com/ML", pages)

    assert message(Told(kind, "Text.", AT, run="run_1"), about).url == url


def test_many_notices_are_told_by_kind_in_one_message() -> None:
    several = [Told(NoticeKind.MESSAGE, f"Number {number}.", AT, 1) for number in range(3)]
    several.append(Told(NoticeKind.RUN_HELD, "Held.", AT, 1))

    found = digest([(ABOUT, several)])

    assert found.title == "4 notices: Churn (ML)"
    assert [part.title for part in found.parts] == ["A run is held: somebody is needed (1)", "Something happened (3)"]
    assert "iteration 1" in found.foot


def test_notices_of_several_projects_are_told_by_project() -> None:
    other = About("OTHER", "OTHER", BERLIN, "https://tracker.example.com/OTHER", "https://loop.example.com")
    held = Told(NoticeKind.RUN_HELD, "Held.", AT, 1)

    found = digest([(ABOUT, [held, held]), (other, [held])])

    assert found.title == "3 notices: 2 projects"
    assert [part.title.partition(":")[0] for part in found.parts] == ["Churn (ML)", "OTHER"]
    assert found.url == "https://loop.example.com/"
