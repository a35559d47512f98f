"""Results of short texts are kept, those of huge ones are worked out each time."""

from __future__ import annotations

from connectors.memory import LONGEST, remembered


def test_a_short_text_is_worked_out_once_and_a_huge_one_each_time() -> None:
    worked_out: list[tuple[int, int]] = []

    @remembered(2)
    def length(text: str, times: int) -> int:
        worked_out.append((len(text), times))
        return len(text) * times

    huge = "x" * (LONGEST + 1)

    assert [length("ab", 2), length("ab", 2), length("ab", 3)] == [4, 4, 6]
    assert length(huge, 1) == length(huge, 1) == LONGEST + 1
    assert worked_out == [(2, 2), (2, 3), (LONGEST + 1, 1), (LONGEST + 1, 1)]


def test_the_results_that_were_not_asked_for_lately_are_given_up() -> None:
    worked_out: list[str] = []

    @remembered(1)
    def same(text: str) -> str:
        worked_out.append(text)
        return text

    assert [same(one) for one in "aba"] == ["a", "b", "a"]
    assert worked_out == ["a", "b", "a"]
