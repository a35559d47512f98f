"""Texts that try to get past the judging: rubbish, what is only hoped for, what is not decided; and good ones beside
them."""

from __future__ import annotations

from functools import cache

import pytest

from evaluation.corpus import FRESH, KEPT_BACK, Attack, attacks
from evaluation.measure import Ruling, came_of
from service.opinion.heads import shipped

pytestmark = pytest.mark.skipif(shipped() is None, reason="the encoder is left out")


@cache
def ruling() -> Ruling:
    return Ruling()


def came(one: Attack) -> str:
    return came_of(ruling(), one, shipped())[1]


def named(one: Attack) -> str:
    return one.name


@pytest.mark.parametrize("one", [one for one in attacks() if one.expected == "never"], ids=named)
def test_a_record_about_no_model_is_never_documented(one: Attack) -> None:
    assert came(one) != "documented"


@pytest.mark.parametrize("one", [one for one in attacks() if one.expected in ("tentative", "unmeasured")], ids=named)
def test_a_record_whose_decision_or_numbers_are_open_does_not_pass_that_check(one: Attack) -> None:
    assert came(one) in ("fail", "unclear")


@pytest.mark.parametrize("one", [one for one in attacks() if one.expected == "F" and one.half != FRESH], ids=named)
def test_what_is_tentative_conditional_delegated_or_not_measured_does_not_pass(one: Attack) -> None:
    assert came(one) in ("fail", "unclear")


@pytest.mark.parametrize("one", [one for one in attacks() if one.expected == "documented"], ids=named)
def test_a_good_record_beside_them_is_documented_or_looked_at_and_never_refused(one: Attack) -> None:
    assert came(one) in ("documented", "unclear")


def test_nearly_all_good_answers_beside_them_pass_and_none_fails() -> None:
    good = [came(one) for one in attacks() if one.expected == "P" and one.half != FRESH]

    assert "fail" not in good
    assert good.count("pass") >= 0.94 * len(good)


def test_in_words_that_no_rule_knows_one_in_four_gets_past_at_most_and_no_good_one_is_refused() -> None:
    """A bound that may only be lowered: nothing knows every way to leave something open."""
    fresh = [(one.expected, came(one)) for one in attacks() if one.half == FRESH]
    bad = [result for expected, result in fresh if expected == "F"]

    assert bad.count("pass") <= 0.25 * len(bad)
    assert ("P", "fail") not in fresh


def test_half_of_the_texts_were_kept_back_while_the_rules_were_written() -> None:
    texts = [one for one in attacks() if one.half != FRESH]
    back = sum(one.half == KEPT_BACK for one in texts)

    assert 0.45 < back / len(texts) < 0.55
