"""Records of the fourth corpus: such as have only the shape of one, and good ones full of jargon and odd names."""

from __future__ import annotations

from functools import cache

import pytest

from evaluation.corpus import KEPT_BACK, SEEN, Attack, shams
from evaluation.measure import Ruling, came_of
from service.opinion.heads import shipped

pytestmark = pytest.mark.skipif(shipped() is None, reason="the encoder is left out")


@cache
def ruling() -> Ruling:
    return Ruling()


def verdict(one: Attack) -> str:
    return came_of(ruling(), one, shipped())[1]


def named(one: Attack) -> str:
    return one.name


@pytest.mark.parametrize("one", [one for one in shams() if one.expected == "never"], ids=named)
def test_a_record_that_is_only_shaped_like_one_is_not_documented(one: Attack) -> None:
    assert verdict(one) != "documented"


@pytest.mark.parametrize("one", [one for one in shams() if one.expected == "documented"], ids=named)
def test_a_good_record_full_of_jargon_is_never_refused(one: Attack) -> None:
    assert verdict(one) in ("documented", "unclear")


def test_most_good_records_full_of_jargon_are_documented() -> None:
    good = [verdict(one) for one in shams() if one.expected == "documented"]

    assert good.count("documented") >= 0.8 * len(good)


def test_half_of_the_shams_and_all_good_ones_were_kept_back() -> None:
    bad = [one.half for one in shams() if one.expected == "never"]

    assert bad.count(SEEN) == bad.count(KEPT_BACK)
    assert {one.half for one in shams() if one.expected == "documented"} == {KEPT_BACK}
