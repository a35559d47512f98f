"""Reading costs no more than the text is long. Counted in calls, because clocks lie on a busy machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from service.domain.problems import InvalidInput
from service.domain.template import marked_yaml
from service.domain.template.reader import read_template

SMALL = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")
TICKET = """\
      - key: more-{n}
        title: More {n}
        epic: models
        role: qa
        description: Test more of {{{{ project.name }}}}.
        done: [Tested, Written]
        deliverable: Report
        points: 3
        needs: [{need}]
        seed_ref: [P1.qa.test]
"""


def calls(act: Callable[[], object]) -> int:
    """Python functions called by `act`."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def with_tickets(number: int) -> str:
    added = "".join(TICKET.format(n=n, need=f"more-{n - 1}" if n else "test") for n in range(number))
    mark = "    record: {epic: models"
    return SMALL.replace(mark, added + mark, 1)


def refusal(text: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        read_template(text, "it.yaml")
    return str(refused.value)


def test_twice_the_tickets_cost_no_more_than_twice_the_calls() -> None:
    read_template(with_tickets(1), "it.yaml")
    once = calls(lambda: read_template(with_tickets(100), "it.yaml"))
    twice = calls(lambda: read_template(with_tickets(200), "it.yaml"))
    assert twice < 2.2 * once


def test_a_ten_megabyte_text_is_refused_without_being_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(_text: str) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(marked_yaml, "_events", unwanted)
    assert refusal("a: " + "x" * 10_000_000) == (
        "it.yaml: the text has 10,000,003 characters; up to 1,000,000 are read; check that this is the right file"
    )


@pytest.mark.parametrize("text", ["[" * 500_000, "{" * 500_000, "- " * 400_000, "? " * 400_000, "a: [" * 200_000])
def test_deep_nesting_is_refused_after_a_few_levels(text: str) -> None:
    # The parser looks 1,024 characters ahead to see whether a bracket begins a name; that is all it may look at.
    assert calls(lambda: refusal(text)) < 1.5 * calls(lambda: refusal(text[:2000])) + 1000


def test_aliases_are_counted_as_what_they_stand_for() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert "more than 20,000 values" in refusal(bomb)
    assert calls(lambda: refusal(bomb)) < 100_000


def test_a_long_text_repeated_often_is_refused() -> None:
    bomb = "a: &a " + "x" * 100_000 + "\nb: [" + ", ".join(["*a"] * 1000) + "]\n"
    assert "2,000,000 characters" in refusal(bomb)


def test_many_values_are_refused_when_the_budget_is_spent() -> None:
    text = "a: [" + "x, " * 300_000 + "x]"
    assert "more than 20,000 values" in refusal(text)


def test_a_long_chain_of_needs_is_no_deep_recursion() -> None:
    depth = 700
    template = read_template(with_tickets(depth), "it.yaml")
    assert len(template.phases[0].tickets) == depth + 3
