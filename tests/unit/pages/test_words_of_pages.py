"""What pages say of instants, spans, states and remedies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from service.domain.audit.outcome import Clock, Verdict
from service.domain.plan import run_state
from service.pages import moments, signs
from service.pages.given import MOST_FIELDS, form_of
from service.pages.plan import EPIC, _groups
from service.pages.remedies import on_pages
from service.usecases.audit.audit_reports import Standing
from service.views.overview import PhaseName
from service.views.plan import PlannedTicket, TicketGroup

NOW = datetime(2027, 1, 21, 12, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("apart", "zone", "text", "near"),
    [
        (timedelta(0), "Europe/Berlin", "13:58 +01:00", "now"),
        (timedelta(days=4), "Europe/Berlin", "Mon 25 Jan, 13:58 +01:00", "in 4 days"),
        (timedelta(minutes=-1), "America/New_York", "07:57 \N{MINUS SIGN}05:00", "1 minute ago"),
        (timedelta(days=-30), "UTC", "Tue 22 Dec 2026, 12:58 +00:00", "30 days ago"),
        (timedelta(hours=2), "Asia/Kolkata", "20:28 +05:30", "in 2 hours"),
    ],
)
def test_an_instant_is_exact_in_its_zone_and_relative_beside_that(
    apart: timedelta, zone: str, text: str, near: str
) -> None:
    found = moments.moment(NOW + apart, zone, NOW)
    assert (found.text, found.near) == (text, near)


def test_days_name_a_month_and_a_year_once_where_they_are_the_same() -> None:
    assert moments.days(date(2027, 1, 11), date(2027, 1, 22), 2027) == "11 to 22 Jan"
    assert moments.days(date(2026, 12, 28), date(2027, 1, 8), 2027) == "28 Dec to 8 Jan"
    assert moments.days(date(2027, 12, 20), date(2028, 1, 2), 2027) == "20 Dec to 2 Jan 2028"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.02, "under 0.1 s"), (3.0, "3 s"), (0.44, "0.4 s"), (65, "65 s"), (240, "4 min")]
)
def test_a_span_has_its_unit(seconds: float, said: str) -> None:
    assert moments.lasting(seconds) == said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Retry it: phaseloop runs retry apply-pln_1", "Retry it: “Retry what failed” on the run's page"),
        ("Make one with `phaseloop plan`; it is new.", "Make one with “Plan again” on the project's page; it is new."),
        ("See which: phaseloop status ML. Plan again.", "See which: the project's page. Plan again."),
        ("`phaseloop runs list` names those there are.", "The list of runs names those there are."),
        ("No 'X'. `phaseloop status` names those.", "No 'X'. The page of projects names those."),
        (
            "Correct it, then: phaseloop triggers enable t1",
            "Correct it, then: “Switch it on again” on the trigger's page",
        ),
        (
            "Renew it: `phaseloop connections add x --replace`.",
            "Renew it: “Change the credential” on the connection's page.",
        ),
        ("Print one: phaseloop login-link", "Print one: phaseloop login-link"),
        ("give it as `2 weeks`", "give it as “2 weeks”"),
    ],
)
def test_a_command_that_a_button_does_is_told_as_that_button(text: str, told: str) -> None:
    assert on_pages(text) == told


def test_every_state_of_a_run_and_every_verdict_has_a_sign() -> None:
    states = {value for name, value in vars(run_state).items() if name.isupper() and isinstance(value, str)}
    assert all(signs.of_run(one).word for one in states)
    assert all(signs.of_verdict(one, clock).word for one in Verdict for clock in Clock)


def test_phases_are_told_by_their_position() -> None:
    phases = [PhaseName(one, one.title(), one[:3]) for one in ("ideas", "build", "watch")]
    track = signs.track(phases, "build")

    assert [one.look for one in track.bars] == ["b0", "b1", "b2"]
    assert track.said == "Phase 2 of 3: Build"
    assert signs.track(phases, None).said == "Not started, 3 phases planned"


def test_a_load_beyond_what_somebody_can_take_is_a_part_of_its_own() -> None:
    assert [(one.look, one.width) for one in signs.load(2, 6, 7)] == [("b1", 25.0), ("b0", 62.5), ("f", 12.5)]
    assert signs.load(0, 0, None) == ()


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=1&" * (MOST_FIELDS + 1), b""])
def test_a_body_that_is_no_form_is_an_empty_one(body: bytes) -> None:
    assert form_of(body).values == {}


def test_the_sums_of_an_audit_say_of_each_iteration_what_its_row_says() -> None:
    states = {
        (Verdict.PENDING, Clock.IN_GRACE): 2,
        (Verdict.PENDING, Clock.UPCOMING): 1,
        (Verdict.DOCUMENTED, Clock.ESCALATED): 3,
        (Verdict.DOCUMENTED, Clock.DUE): 1,
    }
    said = signs.counts(states)
    assert said == "4 documented; 2 due, in grace; 1 in progress"
    for verdict, clock in states:
        assert signs.of_verdict(verdict, clock).word.lower() in said
    standing = Standing("p", "P", "P", 7, {verdict: 1 for verdict, _ in states}, states=states)
    assert signs.of_verdict(standing.worst, standing.worst_clock).word == "Due, in grace"


def test_a_group_of_a_plan_sums_what_it_lists_and_nothing_that_stays_as_it_is() -> None:
    changed = PlannedTicket("ticket:a", "A", "update", "epic:e", "iteration:1", "Somebody", 5, "")
    same = PlannedTicket("ticket:b", "B", "keep", "epic:e", "iteration:1", "Somebody", 5, "")
    group = TicketGroup("epic:e", "Epic", (changed, same))

    [shown] = _groups([group], {"ticket:a"}, {}, {}, EPIC, {})

    assert shown.sums == "1 ticket, 5 points"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "To waive it: phaseloop audit waive CHURN D04 --iteration 3 --until 2027-02-01 --reason 'too early for it'",
            "To waive it: “Waive” at the finding, on the project's audit page",
        ),
        (
            "Send it back: phaseloop phase CHURN back data --reason 'the data is late'.",
            "Send it back: “Decide what follows” on the project's schedule.",
        ),
        (
            "Change it with `phaseloop projects set` if need be.",
            "Change it with “Settings” on the project's page if need be.",
        ),
    ],
)
def test_a_command_that_a_page_does_is_the_place_on_that_page(said: str, shown: str) -> None:
    assert on_pages(said) == shown
