"""Views: every item of its source, what the records show on it, and plainly what they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.domain.audit import views
from service.domain.audit.audit import audit
from service.domain.audit.outcome import Audited, Check, CheckFinding, Clock, Result, Verdict, Weight
from service.domain.audit.titles import TITLES
from service.domain.audit.view_items import SOURCES
from tests.unit.domain.audit import binders


def audited(number: int, **results: Result) -> Audited:
    """An iteration in which these checks came to this, and no other was made."""
    findings = tuple(CheckFinding(Check(name), Weight.MAJOR, result, "so it is") for name, result in results.items())
    return Audited(number, Verdict.PARTLY, Clock.OVERDUE, 50, findings)


def answer(view: views.View, number: str) -> views.Answer:
    return next(one for one in view.answers if one.number == number)


def test_annex_iv_has_the_items_of_the_law_by_its_numbering() -> None:
    numbers = [item.number for item in SOURCES["eu-ai-act"].items]

    assert numbers == [f"1({letter})" for letter in "abcdefgh"] + [f"2({letter})" for letter in "abcdefgh"] + [
        str(point) for point in range(3, 10)
    ]


def test_the_ai_rmf_has_the_categories_of_its_four_functions() -> None:
    functions = {"GOVERN": 6, "MAP": 5, "MEASURE": 4, "MANAGE": 4}

    assert [item.number for item in SOURCES["nist-ai-rmf"].items] == [
        f"{name} {number}" for name, most in functions.items() for number in range(1, most + 1)
    ]


def test_a_model_card_has_its_nine_sections() -> None:
    assert [item.number for item in SOURCES["model-card"].items] == [str(number) for number in range(1, 10)]


def test_what_passed_is_shown_with_its_iterations_and_where_there_is_nothing() -> None:
    three = [audited(3, D07=Result.PASS), audited(1, D07=Result.PASS), audited(2, D07=Result.FAIL)]

    found = answer(views.view("eu-ai-act", three, []), "5")

    assert found.shown == (views.Shown("D07", TITLES[Check.RISKS], (1, 3)),)
    assert found.without == (2,)
    assert found.covered
    assert "risk management system itself" in found.beyond


@pytest.mark.parametrize("result", [one for one in Result if one is not Result.PASS])
def test_what_did_not_pass_covers_nothing(result: Result) -> None:
    found = answer(views.view("eu-ai-act", [audited(1, D07=result)], []), "5")

    assert not found.covered
    assert found.without == ()


@pytest.mark.parametrize("key", views.VIEWS)
def test_without_records_nothing_is_covered_and_every_item_says_so(key: str) -> None:
    told = views.view(key, [], []).to_json()

    assert {item["says"] for item in told["items"]} == {"not covered by these records"}
    assert not any(item["covered"] for item in told["items"])


@pytest.mark.parametrize("key", views.VIEWS)
def test_what_no_record_is_about_stays_uncovered_when_every_check_passes(key: str) -> None:
    all_passed = audited(1, **{check.value: Result.PASS for check in Check})

    found = views.view(key, [all_passed], [binders.subject(1)])

    uncovered = {one.number for one in found.answers if not one.covered}
    assert uncovered == {item.number for item in SOURCES[key].items if not item.sources}
    assert uncovered


def test_no_item_is_said_to_be_covered_in_full() -> None:
    assert all(item.beyond for source in SOURCES.values() for item in source.items if item.sources)
    assert all("for people to judge" in source.about for source in SOURCES.values())


def test_measures_and_figures_count_where_they_are() -> None:
    with_both = binders.subject(1)
    without = binders.subject(2, "## Goal and hypothesis\n\nNothing with a number.")
    without = replace(without, iteration=replace(without.iteration, figures=None))

    view = views.view("eu-ai-act", [audit(with_both), audit(without)], [with_both, without])

    shown = {one.text: one.iterations for one in (*answer(view, "4").shown, *answer(view, "2(a)").shown)}
    assert shown["Measures with numbers"] == (1,)
    assert shown["Figures of the work planned and done"] == (1,)


def test_a_view_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError):
        views.view("iso-42001", [], [])
