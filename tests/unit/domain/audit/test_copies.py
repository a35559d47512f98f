"""What phaseloop tells people about records is no answer when it is copied into one."""

from __future__ import annotations

import pytest

from evaluation.told import FILE, told
from service.domain.audit.copies import copied_in, is_copied
from service.domain.audit.outcome import Check, Result
from service.domain.audit.traits import as_section
from service.usecases.audit.audit_trial import judge
from tests.unit.domain.audit.subjects import rules

OF_US = (
    "what was decided, why (a number or a cost counts) and what was turned down (named, or plain from the sentence)",
    "Write what only people know: what was decided and why, what was turned down, what the numbers mean, risks.",
    "| D05 | Decisions and why | what was decided, why (a number or a cost counts) and what was turned down |",
)


@pytest.mark.parametrize("said", OF_US)
def test_a_sentence_of_the_documentation_is_no_decision_and_not_new(said: str) -> None:
    results = {one.check: one.result for one in judge(f"## Decisions and why\n\n{said}", rules(1)).findings}

    assert results[Check.DECISIONS] is Result.FAIL
    assert results[Check.NEW] is Result.FAIL


def test_words_of_a_team_beside_a_copied_sentence_are_an_answer_and_the_sentence_is_named() -> None:
    own = (
        "We keep the forest because its recall is higher by 0.04 on small stores, instead of the linear model, which "
        "missed most of the holidays and was slower to train by half an hour a day in March."
    )
    section = as_section(f"{OF_US[1]}\n\n{own}")

    assert not is_copied(section)
    assert copied_in(section) == (OF_US[1],)
    assert not copied_in(as_section(own))


def test_all_that_is_told_today_is_known() -> None:
    """`make told` adds what is new in the documentation and in the hints."""
    known = set(FILE.read_text(encoding="utf-8").splitlines())

    assert [one for one in told() if one not in known] == []
