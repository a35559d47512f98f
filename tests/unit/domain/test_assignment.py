"""Who does what: by role and fallback, within capacity, evenly, whatever the order of the team's list."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import ItemKey
from service.domain.plan.assignment import Assigned, Assignment, assign
from service.domain.plan.blueprint import blueprint
from service.domain.team.calendar import Calendar, absence_days, working_days
from service.domain.team.team import Member, Team, check_team, read_team, team_from_json
from service.domain.template.parameters import settle
from service.domain.template.reader import read_template
from service.domain.template.template import Template
from tests.effort import examples
from tests.unit.domain.samples import MONDAY, draw, person, phase, settled, team, template, ticket

ROOT = Path(__file__).parents[3]

NO_RECORD = {"epic": "work", "author": "ml", "sign_off": "pm", "points": 0}


def outcome(process: Template, people: Team, **given_parameters: object) -> Assignment:
    parameters = settled(process, **given_parameters)
    return assign(blueprint(process, parameters, "Churn", "ML", Calendar()), process, parameters, people, Calendar())


def one(process: Template, people: Team, key: str, **given_parameters: object) -> Assigned:
    return outcome(process, people, **given_parameters).tickets[ItemKey(key)]


def points_of(assignment: Assignment, iteration: int = 1) -> dict[str, int]:
    return {load.person: load.points for load in assignment.loads if load.iteration == iteration}


def test_a_ticket_goes_to_the_holder_of_its_role_with_a_reason() -> None:
    process = template(phase(ticket("make", 5), record={**NO_RECORD, "points": 2}))
    people = team(person("ml-1", "ml", capacity=16), person("pm-1", "pm"))
    assert one(process, people, "ticket:make") == Assigned(
        "ml", "ml-1", "ml-1@example.com", "ml: ml-1 has 7 of 16 points in iteration 1, the only one"
    )
    assert one(process, people, "ceremonies:1").person == "pm-1"


def test_work_is_shared_evenly_the_largest_first() -> None:
    sizes = {"a": 8, "b": 5, "c": 3, "d": 3, "e": 2, "f": 1}
    process = template(phase(*(ticket(key, points) for key, points in sizes.items()), record=NO_RECORD))
    people = team(person("ml-1", "ml"), person("ml-2", "ml"))
    assert points_of(outcome(process, people)) == {"ml-1": 11, "ml-2": 11}


def test_who_had_less_so_far_gets_more_in_the_next_iteration() -> None:
    turns = phase(ticket("large", 5), ticket("small", 3), recurring=True, iterations=4, record=NO_RECORD)
    found = outcome(template(turns), team(person("ml-1", "ml"), person("ml-2", "ml")))
    assert [points_of(found, turn)["ml-1"] for turn in (1, 2, 3, 4)] == [5, 3, 5, 3]


def test_half_the_capacity_means_half_the_work() -> None:
    process = template(phase(*(ticket(f"t{n}", 2) for n in range(9)), record=NO_RECORD))
    found = outcome(process, team(person("ml-1", "ml", capacity=24), person("ml-2", "ml", capacity=12)))
    assert points_of(found) == {"ml-1": 12, "ml-2": 6}


def test_half_the_time_present_means_half_the_work_even_without_a_limit() -> None:
    process = template(phase(*(ticket(f"t{n}", 2) for n in range(9)), record=NO_RECORD))
    away = [{"from": "2026-03-16", "to": "2026-03-20"}]
    found = outcome(process, team(person("ml-1", "ml"), person("ml-2", "ml", absences=away)))
    assert points_of(found) == {"ml-1": 12, "ml-2": 6}


def test_capacity_shrinks_with_absences() -> None:
    process = template(phase(ticket("make", 5), ticket("rest", 4), record=NO_RECORD))
    away = [{"from": "2026-03-19", "to": "2026-03-20"}, "2026-03-20", "2026-03-21"]
    found = outcome(process, team(person("ml-1", "ml", capacity=10, absences=away)))
    assert [(load.points, load.capacity) for load in found.loads] == [(5, Fraction(8))]
    reasons = {vacancy.key: vacancy.reason for vacancy in found.vacancies}
    assert reasons[ItemKey("ticket:rest")] == "nobody who holds the role ml has 4 points left in iteration 1"


def test_who_is_absent_for_the_whole_iteration_gets_nothing_in_it() -> None:
    away = [{"from": "2026-03-14", "to": "2026-03-30"}]
    process = template(phase(ticket("make"), ticket("test"), iterations=2))
    people = team(person("ml-1", "ml", absences=away), person("ml-2", "ml"))
    found = outcome(process, people)
    assert points_of(found, 1)["ml-1"] == 0
    assert points_of(found, 2)["ml-1"] > 0


def test_when_everybody_is_absent_the_vacancy_says_so() -> None:
    away = [{"from": "2026-03-01", "to": "2026-12-31"}]
    found = one(template(), team(person("ml-1", "ml", absences=away)), "ticket:make")
    assert (found.person, found.note) == (None, "everybody who holds the role ml is absent in iteration 1")


def test_a_capacity_of_none_takes_not_even_a_ticket_of_no_points() -> None:
    process = template(phase(ticket("make", 0)))
    assert one(process, team(person("ml-1", "ml", capacity=0)), "ticket:make").person is None


def test_who_has_too_much_already_still_gets_what_takes_no_points() -> None:
    process = template(phase(ticket("make", 8), record={**NO_RECORD, "points": 0}))
    people = team(person("ml-1", "ml", capacity=5), person("pm-1", "pm"))
    parameters = settled(process)
    plan = blueprint(process, parameters, "Churn", "ML", Calendar())
    carried = ItemKey("ticket:make")

    found = assign(plan, process, parameters, people, Calendar(), {carried: "ml-1"}, pinned={carried})

    assert {key: one.person for key, one in found.tickets.items() if one.role == "ml"} == {
        "ticket:make": "ml-1",
        "record:1": "ml-1",
    }


def test_a_role_nobody_holds_is_a_vacancy_and_never_a_silent_default() -> None:
    found = outcome(template(phase(ticket("make", role="qa"))), team(person("ml-1", "ml"), person("pm-1", "pm")))
    (vacancy,) = found.vacancies
    assert (vacancy.key, vacancy.title, vacancy.role, vacancy.reason) == (
        "ticket:make",
        "Do make",
        "qa",
        "nobody holds the role qa",
    )
    assert found.tickets[ItemKey("ticket:make")].handle is None


def test_a_scaling_role_that_is_off_falls_to_its_fallback_even_if_somebody_holds_it() -> None:
    process = template(phase(ticket("make", role="feature")))
    people = team(person("ml-1", "ml"), person("feature-1", "feature"))
    small = one(process, people, "ticket:make")
    assert (small.role, small.person) == ("ml", "ml-1")
    assert small.note.endswith("; feature is switched off")
    assert one(process, people, "ticket:make", scale="growing").person == "feature-1"


def test_a_scaling_role_that_nobody_holds_falls_to_its_fallback() -> None:
    process = template(phase(ticket("make", role="feature")))
    found = one(process, team(person("ml-1", "ml")), "ticket:make", scale="growing")
    assert (found.role, found.person) == ("ml", "ml-1")
    assert found.note.endswith("; feature is held by nobody")


def test_fallbacks_are_followed_to_the_end() -> None:
    value = template(phase(ticket("make", role="feature"))).model_dump()
    value["roles"]["ml"]["fallback"] = "data"
    process = Template.model_validate(value)
    assert one(process, team(person("data-1", "data")), "ticket:make").role == "data"
    nobody = one(process, team(person("qa-1", "qa")), "ticket:make")
    assert (nobody.role, nobody.note) == (
        "data",
        "nobody holds the role data, which takes over because feature is switched off",
    )


def test_a_role_that_is_full_does_not_fall_to_its_fallback() -> None:
    process = template(phase(ticket("make", 5, role="feature")))
    people = team(person("feature-1", "feature", capacity=3), person("ml-1", "ml"))
    found = one(process, people, "ticket:make", scale="growing")
    assert (found.role, found.person) == ("feature", None)


def test_several_roles_of_one_person_share_one_capacity() -> None:
    process = template(phase(ticket("make", 5), ticket("feed", 5, role="data"), record=NO_RECORD))
    found = outcome(process, team(person("both", "ml", "data", capacity=8)))
    assert points_of(found) == {"both": 5}
    assert len([vacancy for vacancy in found.vacancies if vacancy.key.startswith("ticket")]) == 1


def test_roles_of_few_holders_are_served_first() -> None:
    process = template(phase(ticket("make", 5), ticket("feed", 5, role="data"), record=NO_RECORD))
    found = outcome(process, team(person("both", "ml", "data", capacity=6), person("ml-1", "ml", capacity=6)))
    assert found.tickets[ItemKey("ticket:feed")].person == "both"
    assert found.tickets[ItemKey("ticket:make")].person == "ml-1"


def test_the_only_reviewer_does_not_write_what_must_be_reviewed_if_somebody_else_can() -> None:
    process = template(phase(ticket("make", reviewers=["pm"])))
    people = team(person("lead", "ml", "pm"), person("ml-1", "ml"))
    found = outcome(process, people)
    assert found.tickets[ItemKey("ticket:make")].person == "ml-1"
    assert found.tickets[ItemKey("record:1")].person == "ml-1"


def test_where_author_and_reviewer_cannot_be_kept_apart_the_reason_says_so() -> None:
    found = one(template(phase(ticket("make", reviewers=["pm"]))), team(person("lead", "ml", "pm")), "ticket:make")
    assert found.person == "lead"
    assert found.note.endswith("; nobody else can review it as pm")


def test_everybody_with_work_is_named_by_handle() -> None:
    people = team(person("ml-1", "ml", account="712020:1"), person("pm-1", "pm"), person("qa-1", "qa"))
    assert outcome(template(), people).people == {"712020:1", "pm-1@example.com"}


def test_every_ticket_has_its_reason() -> None:
    process = template()
    found = outcome(process, team(person("ml-1", "ml")))
    assert set(found.notes) == {ticket.key for ticket in draw(process).tickets}
    assert all(found.notes.values())


def test_the_demo_team_fills_every_ticket_of_the_built_in_template_and_nobody_is_without_limit() -> None:
    process = read_template((ROOT / "templates/iterative-ml.yaml").read_text(encoding="utf-8"), "iterative-ml.yaml")
    people = read_team((ROOT / "service/demo_team.yaml").read_text(encoding="utf-8"), "demo_team.yaml")
    parameters = settle(process, {}, MONDAY)
    drawn = blueprint(process, parameters, "Churn", "ML", Calendar())
    found = assign(drawn, process, parameters, people, Calendar())
    assert check_team(people, process) == []
    assert found.vacancies == ()
    assert all(load.capacity is not None and load.capacity > 0 for load in found.loads)
    assert found.people == {member.handle for member in people.members}


# From here on: whatever the team and the work.

relaxed = settings(deadline=None, max_examples=examples(60))

ROLES = ["ml", "data", "pm", "qa", "feature"]


@st.composite
def absences(draw_from: st.DrawFn) -> list[dict[str, str]]:
    spans = []
    for _ in range(draw_from(st.integers(0, 2))):
        first = MONDAY + timedelta(days=draw_from(st.integers(-5, 60)))
        last = first + timedelta(days=draw_from(st.integers(0, 30)))
        spans.append({"from": first.isoformat(), "to": last.isoformat()})
    return spans


@st.composite
def members(draw_from: st.DrawFn) -> list[dict[str, Any]]:
    """Up to six people; some of them equal in everything but their name."""
    people: list[dict[str, Any]] = []
    while len(people) < draw_from(st.integers(1, 6)):
        roles = draw_from(st.lists(st.sampled_from(ROLES), min_size=1, max_size=3, unique=True))
        capacity = draw_from(st.none() | st.integers(0, 20))
        away = draw_from(absences())
        for _ in range(draw_from(st.integers(1, 3))):
            people.append(person(f"p-{len(people)}", *roles, capacity=capacity, absences=away))
    return people


@st.composite
def processes(draw_from: st.DrawFn) -> Template:
    tickets = [
        ticket(
            f"t{number}",
            draw_from(st.integers(0, 13)),
            role=draw_from(st.sampled_from(ROLES)),
            reviewers=draw_from(st.lists(st.sampled_from(ROLES), max_size=2, unique=True)),
        )
        for number in range(draw_from(st.integers(1, 12)))
    ]
    return template(phase(*tickets, iterations=draw_from(st.integers(1, 3)), recurring=draw_from(st.booleans())))


scales = st.sampled_from(["small", "growing"])


def room(member: Member, iteration_dates: Any) -> Fraction | None:
    """What the member can take in an iteration by the rule's own words."""
    days = len(working_days(iteration_dates, Calendar()))
    present = days - absence_days(member.away, iteration_dates, Calendar())
    return None if member.capacity is None else Fraction(member.capacity * present, days)


@relaxed
@given(processes(), members(), scales)
def test_capacity_is_never_exceeded_and_vacancies_have_no_way_out(
    process: Template, people: list[dict[str, Any]], scale: str
) -> None:
    drawn, crew = draw(process, scale=scale), team(*people)
    found = assign(drawn, process, settled(process, scale=scale), crew, Calendar())
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one_ticket in drawn.tickets:
        if (name := found.tickets[one_ticket.key].person) is not None:
            used[one_ticket.iteration][name] += one_ticket.points
    dates = {iteration.key: iteration.dates for iteration in drawn.iterations}
    for iteration, points in used.items():
        for member in crew.members:
            limit = room(member, dates[ItemKey(iteration)])
            assert limit is None or points[member.person] <= limit
    vacant = {vacancy.key for vacancy in found.vacancies}
    for one_ticket in drawn.tickets:
        assigned = found.tickets[one_ticket.key]
        assert (assigned.person is None) == (one_ticket.key in vacant)
        if assigned.person is not None:
            continue
        span = dates[one_ticket.iteration]
        for member in crew.members:
            if assigned.role not in member.roles or (assigned.role == "feature" and scale == "small"):
                continue
            limit = room(member, span)
            away = absence_days(member.away, span, Calendar()) == len(working_days(span, Calendar()))
            full = limit is not None and used[one_ticket.iteration][member.person] + one_ticket.points > limit
            assert away or full or limit == 0


@relaxed
@given(processes(), members(), scales)
def test_every_ticket_goes_to_a_holder_of_its_role_or_of_the_fallback(
    process: Template, people: list[dict[str, Any]], scale: str
) -> None:
    drawn, crew = draw(process, scale=scale), team(*people)
    found = assign(drawn, process, settled(process, scale=scale), crew, Calendar())
    holders: dict[str, set[str]] = {role: {m.person for m in crew.members if role in m.roles} for role in ROLES}
    if scale == "small":
        holders["feature"] = set()
    for one_ticket in drawn.tickets:
        assigned = found.tickets[one_ticket.key]
        falls = one_ticket.role == "feature" and not holders["feature"]
        assert assigned.role == ("ml" if falls else one_ticket.role)
        assert assigned.person is None or assigned.person in holders[assigned.role]


@relaxed
@given(processes(), members(), scales, st.randoms())
def test_the_order_of_the_team_s_list_changes_nothing(
    process: Template, people: list[dict[str, Any]], scale: str, random: Any
) -> None:
    drawn, parameters = draw(process, scale=scale), settled(process, scale=scale)
    shuffled = list(people)
    random.shuffle(shuffled)
    first = assign(drawn, process, parameters, team(*people), Calendar())
    assert assign(drawn, process, parameters, team(*shuffled), Calendar()) == first


@relaxed
@given(processes(), members(), scales)
def test_equal_people_differ_by_no_more_than_the_largest_ticket_in_each_iteration_and_in_all(
    process: Template, people: list[dict[str, Any]], scale: str
) -> None:
    drawn, crew = draw(process, scale=scale), team(*people)
    found = assign(drawn, process, settled(process, scale=scale), crew, Calendar())
    largest = max(one_ticket.points for one_ticket in drawn.tickets)
    groups: defaultdict[object, set[str]] = defaultdict(set)
    for member in crew.members:
        groups[frozenset(member.roles), member.capacity, member.away].add(member.person)
    totals: Counter[str] = Counter()
    for iteration in drawn.iterations:
        points = points_of(found, iteration.number)
        totals.update(points)
        for group in groups.values():
            assert max(points[name] for name in group) - min(points[name] for name in group) <= largest
            assert max(totals[name] for name in group) - min(totals[name] for name in group) <= largest


def test_five_hundred_people_and_a_long_plan_are_assigned_in_passing() -> None:
    people = [person(f"p-{n}", ROLES[n % 4], capacity=8) for n in range(500)]
    work = [ticket(f"t{n}", n % 8, role=ROLES[n % 4]) for n in range(40)]
    process = template(phase(*work, recurring=True, iterations=26))
    crew = team_from_json({"name": "T", "members": people})
    found = outcome(process, crew)
    assert len(found.tickets) == 26 * 42
    assert found.vacancies == ()


def held(found: Assignment) -> dict[ItemKey, str]:
    return {key: assigned.person for key, assigned in found.tickets.items() if assigned.person is not None}


def test_somebody_new_takes_no_ticket_away() -> None:
    process = template(phase(*(ticket(f"t{number}", 3) for number in range(4))))
    drawn, parameters = draw(process), settled(process)
    before = held(assign(drawn, process, parameters, team(person("ml-1", "ml"), person("pm-1", "pm")), Calendar()))
    larger = team(person("ml-1", "ml"), person("ml-2", "ml"), person("pm-1", "pm"))

    after = held(assign(drawn, process, parameters, larger, Calendar(), before))

    assert after == before


def test_who_no_longer_holds_the_role_gives_the_ticket_up() -> None:
    process = template(phase(ticket("t", 3)))
    drawn, parameters = draw(process), settled(process)

    found = assign(drawn, process, parameters, team(person("ml-2", "ml")), Calendar(), {ItemKey("ticket:t"): "ml-1"})

    assert found.tickets[ItemKey("ticket:t")].person == "ml-2"


@relaxed
@given(processes(), members(), scales)
def test_assigning_again_changes_nothing(process: Template, people: list[dict[str, Any]], scale: str) -> None:
    drawn, crew, parameters = draw(process, scale=scale), team(*people), settled(process, scale=scale)
    first = assign(drawn, process, parameters, crew, Calendar())

    again = assign(drawn, process, parameters, crew, Calendar(), held(first))

    assert held(again) == held(first)


@relaxed
@given(processes(), members(), scales, st.data())
def test_work_that_has_begun_stays_with_who_has_it_and_leaves_the_less_room_for_new_work(
    process: Template, people: list[dict[str, Any]], scale: str, data: st.DataObject
) -> None:
    drawn, crew, parameters = draw(process, scale=scale), team(*people), settled(process, scale=scale)
    roles = {key: found.role for key, found in assign(drawn, process, parameters, crew, Calendar()).tickets.items()}
    having: dict[ItemKey, str] = {}
    for key, role in roles.items():
        holders = [member.person for member in crew.members if role in member.roles]
        begun: bool = data.draw(st.booleans())
        if holders and begun:
            having[key] = data.draw(st.sampled_from(holders))

    found = assign(drawn, process, parameters, crew, Calendar(), having, pinned=having)

    assert {key: found.tickets[key].person for key in having} == having
    points = {planned.key: planned.points for planned in drawn.tickets}
    numbers = {iteration.key: iteration.number for iteration in drawn.iterations}
    given: Counter[tuple[str, int]] = Counter()
    fixed: Counter[tuple[str, int]] = Counter()
    for planned in drawn.tickets:
        person = found.tickets[planned.key].person
        if person is not None:
            given[person, numbers[planned.iteration]] += points[planned.key]
            fixed[person, numbers[planned.iteration]] += points[planned.key] if planned.key in having else 0
    for load in found.loads:
        assert load.points == given[load.person, load.iteration]
        if load.capacity is not None and load.points > load.capacity:
            assert load.points == fixed[load.person, load.iteration]


def test_what_somebody_is_at_already_stays_theirs_even_if_it_no_longer_fits() -> None:
    process = template(phase(ticket("old", 8), ticket("new", 3), record=NO_RECORD))
    drawn, parameters = draw(process), settled(process)
    crew = team(person("ml-1", "ml", capacity=6), person("ml-2", "ml", capacity=6), person("pm-1", "pm"))
    old = ItemKey("ticket:old")

    loose = assign(drawn, process, parameters, crew, Calendar(), {old: "ml-1"})
    assert loose.tickets[old].person is None

    found = assign(drawn, process, parameters, crew, Calendar(), {old: "ml-1"}, pinned={old})
    assert (found.tickets[old].person, found.tickets[ItemKey("ticket:new")].person) == ("ml-1", "ml-2")
    assert found.tickets[old].note.endswith("; has it already; more than fits")


def test_what_somebody_is_at_stays_theirs_while_they_are_away() -> None:
    process = template(phase(ticket("t", 3), record=NO_RECORD))
    away = [{"from": "2026-03-01", "to": "2026-04-30"}]
    crew = team(person("ml-1", "ml", absences=away), person("ml-2", "ml"), person("pm-1", "pm"))
    key = ItemKey("ticket:t")

    found = assign(draw(process), process, settled(process), crew, Calendar(), {key: "ml-1"}, pinned={key})

    assert found.tickets[key].person == "ml-1"


def test_who_has_left_the_team_or_the_role_keeps_nothing_even_if_it_was_begun() -> None:
    process = template(phase(ticket("t", 3), record=NO_RECORD))
    drawn, parameters, key = draw(process), settled(process), ItemKey("ticket:t")
    for crew in (team(person("ml-2", "ml")), team(person("ml-1", "pm"), person("ml-2", "ml"))):
        found = assign(drawn, process, parameters, crew, Calendar(), {key: "ml-1"}, pinned={key})
        assert found.tickets[key].person == "ml-2"

    gone = assign(drawn, process, parameters, team(person("pm-1", "pm")), Calendar(), {key: "ml-1"}, pinned={key})
    assert gone.tickets[key].person is None


def test_an_iteration_whose_days_were_all_taken_off_since_has_nobody_at_work() -> None:
    process = template(phase(ticket("t", 3)))
    closed = Calendar(days_off=frozenset(MONDAY + timedelta(days=n) for n in range(14)))

    found = assign(draw(process), process, settled(process), team(person("ml-1", "ml")), closed)

    assert found.tickets[ItemKey("ticket:t")].note == "everybody who holds the role ml is absent in iteration 1"
