"""Decisions read from records, kept in a log, and found by a question."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.records import Edit
from service.domain.audit.decisions import Decision, LoggedDecision, decision_log, decisions_in, search
from service.domain.audit.sections import Link, sections_of
from service.domain.audit.subject import Person, Reading
from tests.effort import examples
from tests.unit.domain.audit.corpus import AT, rules, sample, subject_of


def read(text: str) -> tuple[Decision, ...]:
    return decisions_in(sections_of(f"## Decisions and why\n\n{text}", rules())["decisions"])


SHAPES = {
    "sentences": "Use B. The reason is speed. Alternative: A",
    "labels on lines": "**Decision:** Use B\n**Reason:** speed\n**Alternative:** A",
    "labels on one line": "Decision: Use B. Reason: speed Alternative: A",
    "a list below": "- Use B\n  - Why: speed\n  - Rejected: A",
    "a table": "| What | Why | Alternatives |\n|---|---|---|\n| Use B | speed | A |",
    "a heading": "### Use B\n\nReason: speed\n\nAlternative: A",
    "paragraphs": "Use B\n\nBecause of speed, that is.\n\nAlternative: A",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_one_decision_is_read_whole_from_every_shape(text: str) -> None:
    (one,) = read(text)

    assert one.text.startswith("Use B")
    assert "speed" in one.reason
    assert one.alternative == "A"


def test_each_line_of_a_list_is_a_decision_of_its_own() -> None:
    found = read("We agreed:\n\n- Use B because it is fast\n- Keep the [calendar](https://c.example.com) of the state")

    assert [one.text for one in found] == ["Use B because it is fast", "Keep the calendar of the state"]
    assert [one.reason for one in found] == ["because it is fast", ""]
    assert found[1].links == (Link("https://c.example.com", "calendar"),)


@pytest.mark.parametrize(
    ("text", "reason", "alternative"),
    [
        ("Use B since it is faster", "since it is faster", False),
        ("We chose B over A", "", True),
        ("B vs A: B", "", True),
        ("Use B because 0.83 vs 0.79", "because 0.83 vs 0.79", False),
        ("Nutzen B, weil es schneller ist, statt A", "weil es schneller ist", True),
        ("Usamos B porque es más rápido; se descartó A", "porque es más rápido;", True),
    ],
)
def test_reasons_and_alternatives_are_told_by_words(text: str, reason: str, alternative: bool) -> None:
    (one,) = read(text)

    assert one.reason == reason
    assert (one.alternative != "") is alternative


@pytest.mark.parametrize(
    ("text", "reason", "alternative"),
    [
        (
            "We keep B because its recall is higher, instead of model A.",
            "because its recall is higher",
            "instead of model A.",
        ),
        (
            "We keep B instead of model A because its recall is higher.",
            "because its recall is higher.",
            "instead of model A",
        ),
        (
            "B stays, the linear model was rejected because it is slow.",
            "because it is slow.",
            "the linear model was rejected",
        ),
        (
            "Threshold .35 instead of .5, nurses would check more charts than miss one.",
            "nurses would check more charts than miss one.",
            "instead of .5",
        ),
        ("Reverted to v1.1: v1.2 lost 7 % accuracy.", "v1.2 lost 7 % accuracy.", ""),
        ("Chosen option: two-tower retrieval.", "", ""),
    ],
)
def test_the_log_has_why_and_what_was_turned_down_each_in_its_own_words(
    text: str, reason: str, alternative: str
) -> None:
    (one,) = decision_log([subject_of(f"## Decisions and why\n\n{text}")])

    assert (one.reason, one.alternative) == (reason, alternative)


def test_a_label_without_an_answer_gives_none() -> None:
    (one,) = read("Decision: Use B\nReason: TBD\nAlternative: none")

    assert (one.text, one.reason, one.alternative) == ("Use B", "", "")


def test_that_nothing_was_decided_is_no_decision_of_the_log() -> None:
    assert [one.nothing for one in read("No decision was taken because data was late.")] == [True]
    assert decision_log([subject_of("## Decisions and why\n\nNo decision, because data was late.")]) == ()


def test_the_log_is_in_time_order_and_names_place_author_and_record() -> None:
    later = subject_of(sample("good-preference").text, number=6)
    first = subject_of(sample("good-decisions-in-a-table").text, number=5)
    document = first.record.document
    assert document is not None
    edits = (Edit("acc-1", "someone", AT - timedelta(days=1)), Edit("bot", "bot", AT, "d1"))
    first = replace(
        first,
        record=replace(first.record, document=replace(document, edits=edits)),
        people={"acc-1": Person("ml-1@example.com")},
        ours="bot",
        written=("d1",),
    )
    unread = replace(subject_of("", number=7), record=Reading(None, unread="down"))

    log = decision_log([unread, later, first])

    assert [(one.iteration, one.text.split()[0]) for one in log] == [(5, "Boosting"), (5, "Holidays"), (6, "We")]
    assert (log[0].reason, log[0].alternative) == ("lowest WAPE", "linear model")
    assert (log[0].by, log[0].at) == ("ml-1@example.com", AT - timedelta(days=1))
    assert log[0].record == "https://example.atlassian.net/browse/ML-5"
    assert log[0].phase == "Ideation"


def test_the_prompt_is_no_decision() -> None:
    prompt = next(rule.prompt for rule in rules() if rule.key == "decisions")

    assert decision_log([subject_of(f"## Decisions and why\n\n> {prompt}")]) == ()


def logged(*texts: str) -> list[LoggedDecision]:
    return [LoggedDecision(n, "", "", text, "", "", (), "", "", None) for n, text in enumerate(texts, 1)]


LOG = logged(
    "We dropped model B",
    "Model A was chosen for all regions",
    "Holidays come from the state",
    "Wir haben den Anbieter verworfen",
    "\u7dda\u5f62\u30e2\u30c7\u30eb\u306f\u5374\u4e0b\u3057\u305f",
)


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("why did we drop B?", 1),
        ("Why was B rejected", 1),
        ("model b", 1),
        ("who choose A", 2),
        ("HOLIDAY", 3),
        ("Warum haben wir die Anbieter verworfen?", 4),
        ("\u7dda\u5f62\u30e2\u30c7\u30eb", 5),
    ],
)
def test_a_question_finds_its_decision_first(question: str, first: int) -> None:
    assert search(LOG, question)[0].iteration == first


def test_a_question_finds_nothing_that_shares_no_word_with_it() -> None:
    assert search(LOG, "databases") == ()
    assert search(LOG, "why did we?") == ()
    assert search([], "why did we drop B?") == ()


@settings(max_examples=examples(80), deadline=None)
@given(text=st.text(max_size=200), question=st.text(max_size=60))
def test_no_text_and_no_question_can_raise(text: str, question: str) -> None:
    log = decision_log([subject_of(f"## Decisions and why\n\n{text}")])

    assert set(search(log, question)) <= set(log)


def test_a_line_that_turns_something_down_and_says_why_is_a_decision_of_its_own() -> None:
    text = (
        "- We keep model B because its recall is higher, instead of model A.\n"
        "- We drop the neural model because it is too slow to serve.\n"
        "- Instead of a larger one, because that costs more."
    )
    told = read(text)
    assert [one.text.split(" because")[0] for one in told] == ["We keep model B", "We drop the neural model"]
