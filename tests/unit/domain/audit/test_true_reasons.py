"""What a finding gives as its reason is what decided."""

from __future__ import annotations

import pytest

from service.domain.audit.outcome import Check, CheckFinding, Result
from service.domain.audit.text_checks import TEXT_CHECKS, read
from service.templates import BUILTIN, read_template_file
from service.usecases.audit.audit_trial import judge, rules_of
from tests.unit.domain.audit.subjects import document, subject

RULES = rules_of(read_template_file(BUILTIN / "iterative-ml.yaml"), None)


def found(check: Check, title: str, text: str) -> CheckFinding:
    trial = judge(f"## {title}\n\n{text}\n", RULES)
    return next(one for one in trial.findings if one.check is check)


def steps(text: str) -> CheckFinding:
    return found(Check.NEXT_STEPS, "Next steps", text)


@pytest.mark.parametrize("key", ["ABC-12", "KEY-1", "XYZ-7"])
def test_a_key_of_an_example_is_called_one(key: str) -> None:
    finding = steps(f"- {key} add holidays to the model")

    assert finding.result is Result.FAIL
    assert finding.reason == f'"{key}" looks like an example, not a ticket.'


def test_in_the_project_whose_key_it_is_it_counts() -> None:
    record = document(text="## Next steps\n\n- ABC-12 add holidays to the model\n")
    ours = subject(record, keys=frozenset({"ABC-1", "ABC-12"}))

    assert TEXT_CHECKS[Check.NEXT_STEPS](ours, read(ours)).result is Result.PASS


def test_two_sentences_with_a_key_each_are_two_steps() -> None:
    for text in ("HR-55 OCR for scans. HR-56 refuse contracts.", "#412 wire it in; #413 alert on ECE"):
        assert steps(text).reason == "Every step has its ticket or was dropped: 2."
    assert steps("HR-55 OCR for scans. It takes a week.").reason.endswith(": 1.")


def test_a_short_goal_without_a_measure_is_not_refused_for_its_length_alone() -> None:
    finding = found(Check.GOAL, "Goal and hypothesis", "Make the model better.")

    assert finding.result is Result.FAIL
    assert "names no measure and number" in finding.reason


def test_counts_of_releases_are_no_measure_and_that_is_the_reason() -> None:
    for text in ("Deployed 4 times in November, target 3.", "Im November viermal, also 4 Mal ausgerollt, Ziel 3."):
        finding = found(Check.PERFORMANCE, "Model performance in production", text)

        assert finding.result is Result.FAIL
        assert "of a tool, a site or the work" in finding.reason


@pytest.mark.parametrize(
    "bound",
    [
        "floor 0.95",
        "floor of 0.95",
        "at least 0.95",
        "minimum 0.95",
        "threshold 0.95",
        ">= 0.95",
        "min 0.95",
        "not below 0.95",
    ],
)
def test_a_bound_is_a_target(bound: str) -> None:
    finding = found(Check.PERFORMANCE, "Model performance in production", f"Week 45: precision 0.968 ({bound}).")

    assert finding.result is not Result.FAIL
    assert "target" not in finding.reason.partition("Lacking")[2]


def test_who_leans_towards_something_has_not_decided() -> None:
    for text in (
        "Wir tendieren zu Variante B, wollen das aber noch mit dem Fachbereich abstimmen.",
        "We are leaning towards variant B and want to talk to sales.",
        "Nous penchons pour la variante B.",
    ):
        finding = found(Check.DECISIONS, "Decisions and why", text)

        assert finding.result is Result.FAIL
        assert "nothing is decided yet" in finding.reason


def test_what_was_taken_out_of_a_tool_of_the_work_is_for_a_person_to_look_at() -> None:
    assert found(Check.DATA, "Data used", "Jira export of 2026-11-20").result is Result.UNCLEAR
    labelled = "support_tickets v4, export of 2026-11-20 from Jira, 12,000 tickets with 14 labels"
    assert found(Check.DATA, "Data used", labelled).result is Result.PASS
