"""A record that has the shape of one and says nothing is for a person to look at."""

from __future__ import annotations

import pytest

from service.domain.audit.fillers import filled, fillers_in
from service.domain.audit.opinions import sense_key
from service.domain.audit.outcome import Check
from service.domain.audit.sense import RECORD, SECTION, record_doubt, section_doubt, sense_of_record
from service.domain.audit.subject import Opinions
from service.domain.audit.traits import as_section

SECTIONS = [as_section(text) for text in ("the one", "the other", "the third")]
WHOLE = as_section("all of it")


def opinions(*scores: float) -> Opinions:
    asked = zip((*SECTIONS, WHOLE), scores, strict=False)
    return Opinions("somebody", {sense_key(section): score for section, score in asked})


@pytest.mark.parametrize(
    "text",
    [
        "foo v1 bar 2026-01-01",
        "asdf 0.9 vs 0.8 qwerty",
        "xyz 95 % in May target 90 %",
        "blah because blah 12",
        "ほげほげ v3 2026-01-01",
    ],
)
def test_words_that_stand_for_nothing_are_named(text: str) -> None:
    assert fillers_in(text)
    assert f'"{fillers_in(text)[0]}"' in filled(text)


@pytest.mark.parametrize(
    "text",
    [
        "churn_2026 v3, 2026-10-05",
        "Error bars of the bar chart overlap; recall 0.81, baseline 0.79.",
        "The QWERTY layout is what most users of the keyboard model type on, so that errors on other layouts are high.",
        "We were there: pool party photos v2, 2026-09-01",
    ],
)
def test_a_bar_chart_a_keyboard_and_short_words_are_words(text: str) -> None:
    assert filled(text) == ""


def test_what_all_sections_come_to_decides_and_not_one_of_them() -> None:
    mixed = sense_of_record(opinions(0.9, 0.9, 0.2, 0.1), SECTIONS, WHOLE)
    low = sense_of_record(opinions(0.3, 0.4, 0.6, 0.9), SECTIONS, WHOLE)

    assert record_doubt(Check.DECISIONS, mixed, 2) == ""
    assert record_doubt(Check.DECISIONS, low, 2) == RECORD


def test_a_record_without_known_headings_is_told_by_all_of_it_unless_that_is_little() -> None:
    long = as_section("all of it " * 20)
    said = Opinions("somebody", {sense_key(long): 0.1})

    assert record_doubt(Check.GOAL, sense_of_record(said, SECTIONS[:1], long), 2) == RECORD
    assert sense_of_record(opinions(0.1, 0.1, 0.1, 0.1), SECTIONS[:2], WHOLE) is None
    assert sense_of_record(opinions(0.1, 0.1), SECTIONS[:2], None) is None
    assert sense_of_record(Opinions(), SECTIONS, WHOLE) is None


def test_many_different_signs_of_a_model_need_less_and_checks_of_structure_nothing() -> None:
    assert record_doubt(Check.GOAL, -0.4, 2) == RECORD
    assert record_doubt(Check.GOAL, -0.4, 7) == ""
    assert record_doubt(Check.NEXT_STEPS, -3.0, 0) == ""
    assert record_doubt(Check.GOAL, None, 0) == ""


def test_a_section_in_a_record_that_makes_sense_may_be_odd() -> None:
    odd = opinions(0.25)

    assert section_doubt(Check.RISKS, SECTIONS[0], odd, 1.0) == ""
    assert section_doubt(Check.RISKS, SECTIONS[0], odd, 0.0) == SECTION
    assert section_doubt(Check.RISKS, SECTIONS[0], odd, None) == ""
    assert section_doubt(Check.RISKS, SECTIONS[0], opinions(0.05), None) == SECTION
    assert section_doubt(Check.RISKS, SECTIONS[1], odd, None) == ""
