"""When a project's loop advances, and manual overrides: on a real store, where time stands as the test puts it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from service import schedule
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.domain.problems import InvalidInput
from service.domain.team.calendar_file import read_calendar
from service.settings import Settings
from service.store import dues, loops
from service.store.tables import LoopRow
from service.usecases.errors import Conflict, NotFound
from service.usecases.loop import decisions, scheduling
from service.usecases.loop.loop_status import standing
from service.usecases.plan.project_state import material
from service.usecases.setup import teams
from tests.integration.loops import Shop, at, team
from tests.postgres import scratch_database

PM = "pm-1@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop.open(Settings(home=tmp_path, _env_file=None))
    yield opened
    opened.context.close()


@pytest.fixture
def begun(shop: Shop) -> Shop:
    """Iteration 1 continues: from Monday 2 March to Friday 13 March 2026."""
    shop.begin_loop()
    shop.advance()
    shop.clock.set("2026-03-05T12:00")
    return shop


def firings(shop: Shop, count: int = 10) -> list[tuple[str, int, str]]:
    found = scheduling.next_firings(shop.context, "ML", count)
    return [(one.kind, one.iteration, one.at.isoformat(timespec="minutes")) for one in found]


def turns(shop: Shop) -> list[str]:
    """The runs that the clock begins now to turn the loop; what it begins to look at the records is left out."""
    begun = schedule.fire(shop.context, shop.clock())
    return [workflow for workflow, _ in begun if not workflow.startswith(loop_state.AUDIT)]


# --- what comes next --------------------------------------------------------------------------------------------------


def test_before_the_first_apply_the_firings_are_those_that_would_come(shop: Shop) -> None:
    assert firings(shop, 3) == [
        ("advance", 1, "2026-03-02T09:00+01:00"),
        ("propose", 1, "2026-03-13T17:00+01:00"),
        ("advance", 2, "2026-03-16T09:00+01:00"),
    ]


def test_firings_are_in_project_time_over_the_change_of_the_clocks(begun: Shop) -> None:
    assert firings(begun, 4) == [
        ("propose", 1, "2026-03-13T17:00+01:00"),
        ("advance", 2, "2026-03-16T09:00+01:00"),
        ("propose", 2, "2026-03-27T17:00+01:00"),
        ("advance", 3, "2026-03-30T09:00+02:00"),
    ]


def test_there_are_as_many_firings_as_asked_for_however_far_ahead_they_are(begun: Shop) -> None:
    found = scheduling.next_firings(begun.context, "ML", 60)
    assert len(found) == 60
    assert found == sorted(found, key=lambda one: one.at)
    assert scheduling.next_firings(begun.context, "ML", 0) == []
    last = found[-1]
    assert last.phase == material(begun.context, begun.project.id).template.phases[-1].key


def test_a_project_that_does_not_ask_makes_no_proposals(tmp_path: Path) -> None:
    shop = Shop.open(Settings(home=tmp_path, _env_file=None), turning={"carry_over": "next"})
    assert {kind for kind, _number, _at in firings(shop, 10)} == {"advance"}
    shop.context.close()


def test_once_it_was_proposed_the_advance_comes_next(begun: Shop) -> None:
    with begun.context.database.session() as session:
        loop = session.get_one(LoopRow, begun.project.id)
        loop.due = loop_state.ADVANCE
        dues.put(session, begun.project.id, dues.TURN, at("2026-03-16T08:00"))
    assert firings(begun, 2) == [("advance", 2, "2026-03-16T09:00+01:00"), ("propose", 2, "2026-03-27T17:00+01:00")]


def test_a_held_run_is_named_with_the_time_at_which_it_looks_again(begun: Shop) -> None:
    run = begun.run("advance", 2, run_state.HELD)
    with begun.context.database.session() as session:
        loop = session.get_one(LoopRow, begun.project.id)
        loop.due = loop_state.ADVANCE
        dues.put(session, begun.project.id, dues.TURN, at("2026-03-16T08:20"))
    first, second = scheduling.next_firings(begun.context, "ML", 2)
    assert (first.run, first.state, first.at) == (run.id, "held", at("2026-03-16T08:20"))
    assert (second.run, second.state) == (None, None)


def test_after_a_decision_to_end_the_last_firing_is_the_end(begun: Shop) -> None:
    decisions.decide(begun.context, "ML", "end", None, "the model is in use", PM)
    assert firings(begun) == [("propose", 1, "2026-03-13T17:00+01:00"), ("end", 1, "2026-03-16T09:00+01:00")]


def test_an_unknown_project_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound):
        scheduling.next_firings(shop.context, "NONE")


# --- pause and resume -------------------------------------------------------------------------------------------------


def test_a_paused_loop_fires_nothing(begun: Shop) -> None:
    loop = scheduling.pause(begun.context, "ML", PM, "  summer \n break ")
    assert (loop.state, loop.message, loop.changed_by, begun.due()) == ("paused", "summer break", PM, None)
    assert firings(begun) == []
    assert schedule.fire(begun.context, at("2027-01-01T00:00")) == []
    assert [(event.kind, event.by, event.data) for event in begun.events()] == [
        ("paused", PM, {"reason": "summer break"})
    ]


def test_who_paused_first_stays(begun: Shop) -> None:
    scheduling.pause(begun.context, "ML", PM, "summer")
    loop = scheduling.pause(begun.context, "ML", "lead-1@example.com", "autumn")
    assert (loop.message, loop.changed_by) == ("summer", PM)
    assert len(begun.events()) == 1


def test_a_reason_is_needed(begun: Shop) -> None:
    for reason in ("", "  ", "x" * 1001):
        with pytest.raises(InvalidInput, match="reason"):
            scheduling.pause(begun.context, "ML", PM, reason)
    assert begun.loop().state == "turning"


def test_a_loop_that_has_not_begun_cannot_be_paused(shop: Shop) -> None:
    with pytest.raises(Conflict, match="has not begun"):
        scheduling.pause(shop.context, "ML", PM, "summer")


def test_a_short_pause_moves_nothing(begun: Shop) -> None:
    scheduling.pause(begun.context, "ML", PM, "an audit")
    begun.clock.set("2026-03-10T12:00")
    loop = scheduling.resume(begun.context, "ML", PM)
    assert (loop.state, loop.message, loop.next_first) == ("turning", "", None)
    assert firings(begun, 2) == [("propose", 1, "2026-03-13T17:00+01:00"), ("advance", 2, "2026-03-16T09:00+01:00")]


def test_after_a_long_pause_the_next_iteration_begins_on_the_same_weekday_and_not_before_today(begun: Shop) -> None:
    before = begun.serial()
    scheduling.pause(begun.context, "ML", PM, "summer")
    begun.clock.set("2026-07-15T12:00")  # a Wednesday
    loop = scheduling.resume(begun.context, "ML", PM)
    assert loop.next_first == date(2026, 7, 20)
    assert firings(begun, 3) == [
        ("propose", 1, "2026-07-17T17:00+02:00"),
        ("advance", 2, "2026-07-20T09:00+02:00"),
        ("propose", 2, "2026-07-31T17:00+02:00"),
    ]
    assert begun.iteration(1).last == date(2026, 7, 19)
    assert begun.iteration(1).ends == at("2026-07-17T15:00")
    assert begun.serial() == before + 1
    assert "begins on 2026-07-20" in begun.events()[-1].text


def test_resumed_on_the_weekday_itself_the_next_iteration_begins_today(begun: Shop) -> None:
    scheduling.pause(begun.context, "ML", PM, "summer")
    begun.clock.set("2026-07-20T12:00")
    scheduling.resume(begun.context, "ML", PM)
    assert firings(begun, 1) == [("advance", 2, "2026-07-20T09:00+02:00")]
    assert len(turns(begun)) == 1


def test_today_is_the_project_s_day(tmp_path: Path) -> None:
    shop = Shop.open(Settings(home=tmp_path, _env_file=None))
    shop.begin_loop()
    scheduling.pause(shop.context, "ML", PM, "not yet")
    shop.clock.set("2026-03-08T23:30")  # Monday, half past midnight, in Berlin
    assert scheduling.resume(shop.context, "ML", PM).next_first == date(2026, 3, 9)
    shop.context.close()


def test_a_project_that_was_to_begin_long_ago_begins_now_unless_it_shall_catch_up(shop: Shop) -> None:
    shop.begin_loop()
    scheduling.pause(shop.context, "ML", PM, "it begins in the past")
    shop.clock.set("2026-04-01T12:00")
    scheduling.resume(shop.context, "ML", PM)
    assert firings(shop, 2) == [("advance", 1, "2026-04-06T09:00+02:00"), ("propose", 1, "2026-04-17T17:00+02:00")]


def test_a_loop_whose_first_iteration_is_over_turns_once_another_first_day_is_given(
    shop: Shop,
) -> None:
    shop.clock.set("2026-04-01T12:00")
    shop.begin_loop()
    assert shop.loop().state == loop_state.PAUSED
    assert "2026-03-02 to 2026-03-13, which is past" in shop.loop().message

    shop.change(parameters={"start_date": "2026-03-09", "iteration_days": 14})
    assert not scheduling.follow(shop.context, shop.project.id)
    assert "2026-03-09 to 2026-03-20, which is past" in shop.loop().message

    shop.change(parameters={"start_date": "2026-03-30", "iteration_days": 14})
    assert scheduling.follow(shop.context, shop.project.id)
    assert (shop.loop().state, shop.loop().message) == (loop_state.TURNING, "")
    assert firings(shop, 1) == [("advance", 1, "2026-03-30T09:00+02:00")]

    shop.change(parameters={"start_date": "2026-03-02", "iteration_days": 14})
    assert scheduling.follow(shop.context, shop.project.id)
    assert firings(shop, 1) == []


def test_a_loop_that_a_person_paused_before_it_began_waits_for_a_person(shop: Shop) -> None:
    shop.begin_loop()
    scheduling.pause(shop.context, "ML", PM, "not yet")
    shop.change(parameters={"start_date": "2026-03-30", "iteration_days": 14})
    assert not scheduling.follow(shop.context, shop.project.id)
    assert (shop.loop().state, shop.loop().message) == (loop_state.PAUSED, "not yet")


def test_catching_up_runs_through_what_was_missed(shop: Shop) -> None:
    shop.begin_loop()
    scheduling.pause(shop.context, "ML", PM, "it begins in the past")
    shop.clock.set("2026-04-01T12:00")
    loop = scheduling.resume(shop.context, "ML", PM, catch_up=True)
    assert (loop.next_first, shop.due()) == (None, at("2026-03-02T08:00"))
    assert len(turns(shop)) == 1


def test_an_advance_that_failed_goes_on_at_once_while_its_iteration_is_not_over(begun: Shop) -> None:
    begun.run("advance", 2, run_state.FAILED)
    scheduling.pause(begun.context, "ML", "clock", "the run failed")
    begun.clock.set("2026-03-17T12:00")
    scheduling.resume(begun.context, "ML", PM)
    loop = begun.loop()
    assert (loop.next_first, loop.due, begun.due()) == (None, "advance", at("2026-03-16T08:00"))
    [workflow] = turns(begun)
    assert workflow.startswith(f"advance-{begun.project.id}-2")


def test_an_advance_that_failed_long_ago_does_not_begin_an_iteration_that_is_over(begun: Shop) -> None:
    begun.run("advance", 2, run_state.FAILED)
    scheduling.pause(begun.context, "ML", "clock", "the run failed")
    begun.clock.set("2026-04-15T12:00")
    assert scheduling.resume(begun.context, "ML", PM).next_first == date(2026, 4, 20)


def test_a_loop_that_turns_is_not_touched_by_a_resume(begun: Shop) -> None:
    before = begun.due()
    scheduling.resume(begun.context, "ML", PM)
    assert begun.due() == before
    assert begun.events() == []


def test_nothing_can_be_said_about_a_loop_that_has_ended(begun: Shop) -> None:
    with begun.context.database.session() as session:
        loops.end(session, begun.project.id, PM, "The project was ended.", begun.clock())
    assert firings(begun) == []
    assert standing(begun.context, "ML").to_json()["state"] == "ended"
    with pytest.raises(Conflict, match="has ended"):
        scheduling.pause(begun.context, "ML", PM, "summer")
    with pytest.raises(Conflict, match="has ended"):
        scheduling.resume(begun.context, "ML", PM)
    with pytest.raises(Conflict, match="has ended"):
        scheduling.skip(begun.context, "ML", PM, "a fair")
    with pytest.raises(Conflict, match="has ended"):
        decisions.decide(begun.context, "ML", "stay", None, "not yet", PM)
    assert not scheduling.follow(begun.context, begun.project.id)


# --- skip -------------------------------------------------------------------------------------------------------------


def test_a_skipped_bound_comes_one_length_later(begun: Shop) -> None:
    before = begun.serial()
    loop = scheduling.skip(begun.context, "ML", PM, "half the team is at a fair")
    assert loop.next_first == date(2026, 3, 30)
    assert firings(begun, 2) == [("propose", 1, "2026-03-27T17:00+01:00"), ("advance", 2, "2026-03-30T09:00+02:00")]
    assert (begun.iteration(1).first, begun.iteration(1).last) == (date(2026, 3, 2), date(2026, 3, 29))
    assert begun.serial() == before + 1
    [event] = begun.events()
    assert event.text == "Iteration 2 of ML begins on 2026-03-30 instead of 2026-03-16: half the team is at a fair"
    assert event.data["was"] == "2026-03-16"


def test_skipped_twice_it_comes_two_lengths_later(begun: Shop) -> None:
    scheduling.skip(begun.context, "ML", PM, "a fair")
    scheduling.skip(begun.context, "ML", PM, "another fair")
    assert begun.loop().next_first == date(2026, 4, 13)
    assert [event.name for event in begun.events()] == ["skipped:1", "skipped:2"]


def test_the_first_iteration_can_be_skipped_too(shop: Shop) -> None:
    shop.begin_loop()
    scheduling.skip(shop.context, "ML", PM, "the team is not complete")
    assert firings(shop, 1) == [("advance", 1, "2026-03-16T09:00+01:00")]
    assert shop.due() == at("2026-03-16T08:00")


def test_a_skip_while_paused_holds_after_the_resume(begun: Shop) -> None:
    scheduling.pause(begun.context, "ML", PM, "summer")
    scheduling.skip(begun.context, "ML", PM, "a fair")
    assert begun.due() is None
    scheduling.resume(begun.context, "ML", PM)
    assert firings(begun, 2)[1] == ("advance", 2, "2026-03-30T09:00+02:00")


@pytest.mark.parametrize("state", [run_state.QUEUED, run_state.RUNNING, run_state.WAITING, run_state.HELD])
def test_a_bound_at_which_a_run_is_at_work_cannot_be_skipped_or_decided_on(begun: Shop, state: str) -> None:
    begun.run("advance", 2, state)
    with pytest.raises(Conflict, match=f"is {state}") as caught:
        scheduling.skip(begun.context, "ML", PM, "a fair")
    assert "runs cancel" in caught.value.fix
    with pytest.raises(Conflict, match=f"is {state}"):
        decisions.decide(begun.context, "ML", "stay", None, "not there yet", PM)
    with pytest.raises(Conflict, match=f"is {state}"):
        decisions.take_back(begun.context, "ML", PM)
    with pytest.raises(Conflict, match=f"is {state}"):
        decisions.answer(begun.context, "ML", {"*": "backlog"}, PM)
    assert begun.events() == []


# --- when settings change ---------------------------------------------------------------------------------------------


def test_what_is_due_follows_a_calendar_that_changes(begun: Shop) -> None:
    closed = read_calendar("days_off: [2026-03-13, 2026-03-16]", "calendar.yaml")
    begun.change(calendar=closed)
    assert scheduling.follow(begun.context, begun.project.id)
    assert begun.due() == at("2026-03-12T16:00")
    assert firings(begun, 2) == [("propose", 1, "2026-03-12T17:00+01:00"), ("advance", 2, "2026-03-17T09:00+01:00")]
    assert not scheduling.follow(begun.context, begun.project.id)


def test_what_is_due_follows_a_policy_that_changes(begun: Shop) -> None:
    begun.change(turning={"carry_over": "backlog"})
    assert scheduling.follow(begun.context, begun.project.id)
    assert (begun.loop().due, begun.due()) == ("advance", at("2026-03-16T08:00"))


def test_all_projects_of_a_team_follow_its_calendar(begun: Shop) -> None:
    changed = team().model_copy(update={"calendar": read_calendar("end: '16:00'", "calendar.yaml")})
    row = teams.put(begun.context, changed)
    assert scheduling.follow_team(begun.context, row.id) == 1
    assert begun.due() == at("2026-03-13T15:00")
    assert scheduling.following(begun.context, row.id) == 0


def test_nothing_begins_by_a_former_calendar_and_the_clock_goes_on_where_it_was_killed(begun: Shop) -> None:
    before = begun.due()
    changed = team().model_copy(update={"calendar": read_calendar("end: '16:00'", "calendar.yaml")})
    row = teams.put(begun.context, changed)  # and whoever was to have its projects follow is killed here
    assert (begun.behind(), begun.due()) == (row.version, before)
    begun.clock.set("2026-03-13T16:30")
    assert schedule.fire(begun.context, begun.clock()) == []

    assert scheduling.keep_up(begun.context) == 1

    assert (begun.behind(), begun.due()) == (None, at("2026-03-13T15:00"))
    fired = [run for run, _ in schedule.fire(begun.context, begun.clock())]
    assert f"propose-{begun.project.id}-1" in fired


def test_a_team_that_is_changed_again_while_it_is_followed_is_followed_again(begun: Shop) -> None:
    first = teams.put(begun.context, team().model_copy(update={"time_zone": "Asia/Tokyo"}))
    second = teams.put(begun.context, team().model_copy(update={"time_zone": "Asia/Dubai"}))
    with begun.context.database.session() as session:
        dues.caught_up(session, begun.project.id, first.version)
    assert begun.behind() == second.version


def test_nothing_follows_while_a_run_is_at_work_or_the_loop_is_paused(begun: Shop) -> None:
    begun.change(turning={"carry_over": "backlog"})
    begun.run("advance", 2, run_state.HELD)
    assert not scheduling.follow(begun.context, begun.project.id)
    scheduling.pause(begun.context, "ML", PM, "summer")
    assert not scheduling.follow(begun.context, begun.project.id)
    assert begun.due() is None


# --- how it stands ----------------------------------------------------------------------------------------------------


def test_how_the_loop_stands_is_told_in_plain_values(begun: Shop) -> None:
    decisions.answer(begun.context, "ML", {"*": "backlog"}, PM)
    told = standing(begun.context, "ML").to_json()
    assert (told["state"], told["current"], told["loop"], told["answers"]) == ("turning", 1, 1, {"*": "backlog"})
    assert told["phase"] == material(begun.context, begun.project.id).template.phases[0].key
    assert told["turning"] == {"carry_over": "ask", "ahead": "all", "wip_limit": None}
    assert told["next"] == {
        "kind": "propose",
        "iteration": 1,
        "phase": told["phase"],
        "at": "2026-03-13T17:00:00+01:00",
        "run": None,
        "state": None,
    }
    assert begun.loop().feed not in str(told)


def test_before_it_has_begun_the_loop_has_no_state(shop: Shop) -> None:
    told = standing(shop.context, "ML").to_json()
    assert (told["state"], told["current"], told["phase"], told["next"]) == (None, 0, None, None)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Iteration 1 continues, on either kind of store."""
    with ExitStack() as stack:
        settings = Settings(home=tmp_path, _env_file=None)
        if request.param == "postgresql":
            settings = Settings(home=tmp_path, database_url=stack.enter_context(scratch_database()), _env_file=None)
        opened = Shop.open(settings)
        stack.callback(opened.context.close)
        opened.begin_loop()
        opened.advance()
        yield opened


def test_of_people_who_skip_at_once_each_moves_the_bound_once_or_is_told(either: Shop) -> None:
    together = Barrier(4)

    def skipped(number: int) -> str:
        together.wait(timeout=300)
        try:
            scheduling.skip(either.context, "ML", f"lead-{number}@example.com", "a fair")
        except Conflict as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(4) as people:
        told = list(people.map(skipped, range(4)))
    done = told.count("done")
    assert done >= 1
    assert set(told) <= {"done", "loop-moved-on"}
    assert either.loop().next_first == date(2026, 3, 16) + done * timedelta(days=14)
    assert [event.name for event in either.events()] == [f"skipped:{n}" for n in range(1, done + 1)]


def test_what_people_do_to_a_loop_is_kept_on_either_store(either: Shop) -> None:
    decisions.decide(either.context, "ML", "stay", None, "not there yet", PM)
    decisions.answer(either.context, "ML", {"*": "backlog"}, PM)
    scheduling.pause(either.context, "ML", PM, "summer")
    either.clock.now += timedelta(days=100)
    loop = scheduling.resume(either.context, "ML", PM)
    assert (loop.state, loop.next_first) == ("turning", date(2026, 6, 1))
    assert loop.decision is not None
    assert [event.kind for event in either.events()] == ["decided", "answered", "paused", "resumed"]
