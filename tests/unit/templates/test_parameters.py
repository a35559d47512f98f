"""Parameters are settled from what people give, in whatever form, or refused all at once."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.problems import InvalidInput
from service.domain.template.parameters import day, effective_role, is_on, needs, number, settle
from service.domain.template.reader import read_template
from service.domain.template.template import Template

WEDNESDAY = date(2026, 3, 4)
TEMPLATE = read_template((Path(__file__).parent / "small.yaml").read_text(encoding="utf-8"), "small.yaml")


def counted(**fields: int) -> Template:
    """The template with its number counted in days."""
    value = TEMPLATE.model_dump()
    value["parameters"]["days"] |= {"unit": "days", **fields}
    return Template.model_validate(value)


COUNTED = counted()


def refusal(**given: object) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        settle(TEMPLATE, given, WEDNESDAY)
    return [str(problem) for problem in refused.value.problems]


def test_without_anything_given_the_defaults_hold() -> None:
    assert settle(TEMPLATE, {}, WEDNESDAY) == {"days": 14, "start": date(2026, 3, 9), "scale": "small", "ux": False}


def test_values_of_a_command_line_are_text_and_are_understood() -> None:
    settled = settle(TEMPLATE, {"days": "7", "start": "2026-05-04", "scale": " Large ", "ux": "yes"}, WEDNESDAY)
    assert settled == {"days": 7, "start": date(2026, 5, 4), "scale": "large", "ux": True}


def test_values_of_their_own_type_are_kept() -> None:
    settled = settle(TEMPLATE, {"days": 21, "start": date(2026, 5, 4), "ux": True}, WEDNESDAY)
    assert (settled["days"], settled["start"], settled["ux"]) == (21, date(2026, 5, 4), True)


@pytest.mark.parametrize(
    ("today", "monday"),
    [
        (date(2026, 3, 1), date(2026, 3, 2)),
        (date(2026, 3, 2), date(2026, 3, 9)),
        (date(2026, 12, 31), date(2027, 1, 4)),
    ],
)
def test_next_monday_is_the_first_monday_after_today(today: date, monday: date) -> None:
    assert settle(TEMPLATE, {}, today)["start"] == monday


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("next-tuesday", date(2026, 3, 10)),
        ("next-wednesday", date(2026, 3, 11)),
        ("next-thursday", date(2026, 3, 5)),
        (" Next-Sunday ", date(2026, 3, 8)),
    ],
)
def test_any_weekday_can_be_the_next_one(word: str, day: date) -> None:
    assert settle(TEMPLATE, {"start": word}, WEDNESDAY)["start"] == day


@pytest.mark.parametrize(
    ("given", "days"), [("2 weeks", 14), ("3w", 21), ("1 week", 7), ("10 days", 10), ("14d", 14), (" 2 Weeks ", 14)]
)
def test_days_can_be_given_as_weeks(given: str, days: int) -> None:
    assert settle(COUNTED, {"days": given}, WEDNESDAY)["days"] == days


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("0", "0 is out of range"),
        (400, "400 is out of range"),
        ("0 weeks", "0 is out of range"),
        ("9 weeks", "63 is out of range"),
        ("two weeks", '"two weeks" is not a whole number'),
        ("-2 weeks", '"-2 weeks" is not a whole number'),
        ("2 months", '"2 months" is not a whole number'),
    ],
)
def test_an_unfit_length_is_refused_with_the_range_in_days_and_weeks(given: object, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        settle(COUNTED, {"days": given}, WEDNESDAY)
    fix = "give a whole number from 5 to 60 days, or 1 to 8 weeks (`2 weeks`, `3w`)"
    assert [(found.message, found.fix) for found in refused.value.problems] == [(message, fix)]


def test_weeks_are_not_offered_where_the_range_has_none() -> None:
    narrow = counted(minimum=8, maximum=13, default=10)
    with pytest.raises(InvalidInput, match=r"give a whole number from 8 to 13 days$"):
        settle(narrow, {"days": "soon"}, WEDNESDAY)
    one = counted(minimum=7, maximum=13, default=10)
    with pytest.raises(InvalidInput, match=r"from 7 to 13 days, or 1 week \("):
        settle(one, {"days": "soon"}, WEDNESDAY)


def test_weeks_are_for_what_is_counted_in_days_only() -> None:
    assert refusal(days="2 weeks") == [
        'parameters days: "2 weeks" is not a whole number; give a whole number from 5 to 60'
    ]


def test_today_is_today() -> None:
    assert settle(TEMPLATE, {"start": "today"}, WEDNESDAY)["start"] == WEDNESDAY


def test_every_wrong_value_is_said_at_once() -> None:
    assert refusal(days="70", start="soon", scale="larg", ux="maybe", scael="small") == [
        'parameters scael: unknown parameter; did you mean "scale"?',
        "parameters days: 70 is out of range; give a whole number from 5 to 60",
        'parameters start: "soon" is not a date; give one such as 2026-01-05, or `today`, or `next-monday`',
        'parameters scale: "larg" is not a choice; did you mean "large"? It is one of: small, large',
        'parameters ux: "maybe" is neither yes nor no; give true or false',
    ]


@pytest.mark.parametrize("value", [None, True, 7.0, "7.5", "", "\u0667", [7], "9" * 30])
def test_a_whole_number_is_wanted_where_one_is(value: object) -> None:
    (said,) = refusal(days=value)
    assert said.endswith("; give a whole number from 5 to 60")


@pytest.mark.parametrize("value", [None, 0, 1, "", "2", []])
def test_a_switch_is_yes_or_no(value: object) -> None:
    (said,) = refusal(ux=value)
    assert said.endswith("is neither yes nor no; give true or false")


@pytest.mark.parametrize("value", [None, 20260504, "2026-02-30", "04.05.2026", datetime(2026, 5, 4, 9), True])  # noqa: DTZ001
def test_a_date_is_one_of_the_calendar(value: object) -> None:
    (said,) = refusal(start=value)
    assert "is not a date" in said


@given(st.dictionaries(st.sampled_from(["days", "start", "scale", "ux", "x"]), st.one_of(st.text(), st.integers())))
def test_whatever_is_given_is_settled_or_refused(given: dict[str, object]) -> None:
    try:
        settled = settle(TEMPLATE, given, WEDNESDAY)
    except InvalidInput:
        return
    assert set(settled) == set(TEMPLATE.parameters)
    assert isinstance(settled["days"], int)
    assert 5 <= settled["days"] <= 60
    assert settled["scale"] in ("small", "large")


def test_a_part_is_on_when_all_its_conditions_hold() -> None:
    parameters = {"scale": "large", "ux": False}
    assert is_on({}, parameters)
    assert is_on({"scale": "large"}, parameters)
    assert is_on({"scale": ("small", "large"), "ux": False}, parameters)
    assert not is_on({"scale": "large", "ux": True}, parameters)


def test_numbers_and_dates_come_from_the_template_or_from_the_parameter_it_names() -> None:
    parameters = {"days": 21, "start": date(2026, 5, 4)}
    assert number(14, parameters) == 14
    assert number("{{ days }}", parameters) == 21
    assert day(date(2026, 1, 5), parameters) == date(2026, 1, 5)
    assert day("{{start}}", parameters) == date(2026, 5, 4)


def test_a_placeholder_of_another_type_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(TypeError):
        number("{{ start }}", {"start": date(2026, 5, 4)})
    with pytest.raises(TypeError):
        day("{{ days }}", {"days": 21})


def test_a_role_that_is_off_is_taken_over_by_its_fallback() -> None:
    assert effective_role(TEMPLATE, "expert", {"scale": "small", "ux": False}) == "ml"
    assert effective_role(TEMPLATE, "expert", {"scale": "large", "ux": False}) == "expert"
    with pytest.raises(LookupError):
        effective_role(TEMPLATE, "designer", {"scale": "small", "ux": False})


def test_before_is_needs_from_the_other_end_and_only_while_the_ticket_exists() -> None:
    text = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")
    template = read_template(
        text.replace("when: {ux: true}\n    record", "before: [test]\n        when: {ux: true}\n    record"), "it"
    )
    assert needs(template, {"scale": "small", "ux": True})["test"] == ("train", "draw")
    assert needs(template, {"scale": "small", "ux": False})["test"] == ("train",)
