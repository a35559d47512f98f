"""Examples that phaseloop gives of a good answer are no answer when they are copied into a record."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from service.api import audit_examples
from service.domain.audit import examples
from service.domain.audit.outcome import Check, Result, Verdict
from service.domain.audit.subject import Subject
from service.domain.audit.text_checks import TEXT_CHECKS, read
from service.usecases.audit.audit_trial import judge
from tests.unit.domain.audit.subjects import GOOD, document, rules, subject

ROOT = Path(__file__).parents[4]
OWN = {
    Check.DATA: ("Dataset churn-events, version 2026.3, hash 3f9a1c7e.", examples.DATA),
    Check.EXPERIMENTS: ("- F1 0.74, baseline 0.68, target 0.72", examples.EXPERIMENTS),
    Check.DECISIONS: (
        "- We keep the forest because it is faster by half, instead of the linear model, which was turned down.",
        examples.DECISIONS,
    ),
    Check.PERFORMANCE: ("Recall 0.71 over the last 14 days, target 0.70.", examples.PERFORMANCE),
    Check.NEXT_STEPS: ("- ML-21: try fewer features", f"- {examples.NEXT_STEPS}"),
}


def judged(what: Subject, check: Check) -> Result:
    return TEXT_CHECKS[check](what, read(what)).result


def copied(check: Check, said: str) -> Subject:
    own, _ = OWN[check]
    assert own in GOOD
    return subject(document(GOOD.replace(own, said)), phase=2)


def test_a_record_of_the_examples_alone_is_undocumented_and_not_new() -> None:
    text = GOOD
    for own, example in OWN.values():
        text = text.replace(own, example)
    trial = judge(text, rules(2))

    assert trial.verdict is Verdict.UNDOCUMENTED
    results = {one.check: one.result for one in trial.findings}
    assert {one: results[one] for one in (*OWN, Check.NEW)} == dict.fromkeys((*OWN, Check.NEW), Result.FAIL)


@pytest.mark.parametrize("check", OWN)
@pytest.mark.parametrize("form", ["{}", "{}.", "- {}", "**{}**", "> {}", '"{}"'])
def test_an_example_in_one_section_makes_the_record_not_new(check: Check, form: str) -> None:
    _, example = OWN[check]
    what = copied(check, form.format(example.removeprefix("- ")))

    assert judged(what, Check.NEW) is Result.FAIL


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (Check.DATA, "| Dataset | Version | Change |\n| --- | --- | --- |\n| orders | 2026-03-12 | |"),
        (
            Check.DECISIONS,
            (
                "| Decision | Why | Turned down |\n| --- | --- | --- |\n"
                "| We keep model B | its recall is higher | model A |"
            ),
        ),
        (Check.EXPERIMENTS, f"Example: {examples.EXPERIMENTS}"),
        (Check.DECISIONS, f"{examples.DECISIONS}. That is what we did."),
        (Check.DECISIONS, examples.DECISIONS.replace(", instead", ",\ninstead")),
        (Check.DECISIONS, examples.DECISIONS.upper()),
    ],
)
def test_an_example_is_known_in_cells_with_a_label_and_among_other_words(check: Check, said: str) -> None:
    assert judged(copied(check, said), Check.NEW) is Result.FAIL


@pytest.mark.parametrize("check", OWN)
def test_what_a_team_says_in_the_same_form_is_its_own(check: Check) -> None:
    own, _ = OWN[check]
    assert judged(copied(check, own), Check.NEW) is Result.PASS


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (Check.DATA, "orders, version 2026-03-13, without the returns of the week before"),
        (Check.EXPERIMENTS, "F1 0.84, baseline 0.79"),
        (Check.DECISIONS, "We keep model B because its recall is higher by 0.04, instead of model A, which is slower"),
        (Check.NEXT_STEPS, "- ML-14: add holidays of all regions"),
    ],
)
def test_another_number_or_a_fact_more_makes_it_a_teams_own(check: Check, said: str) -> None:
    assert judged(copied(check, said), Check.NEW) is Result.PASS


def test_what_a_template_quotes_in_its_prompts_is_an_example_too() -> None:
    said = "Switched to daily weather because it costs a third, hourly feed dropped"
    what = copied(Check.DECISIONS, said)
    own = tuple(
        replace(one, prompt=f'What was decided, as in "{said}"?') if one.key == "decisions" else one
        for one in what.rules.sections
    )

    assert judged(what, Check.NEW) is Result.PASS
    assert judged(replace(what, rules=replace(what.rules, sections=own)), Check.NEW) is Result.FAIL


def test_every_example_that_people_are_given_is_known_as_one() -> None:
    """What a finding quotes as an answer is in the list, and so is what the reference and the REST examples quote."""
    quoted = []
    for name in ("text_checks.py", "newness.py", "cases.py"):
        source = (ROOT / "service/domain/audit" / name).read_text(encoding="utf-8")
        quoted += re.findall(r'as in "([^"{\n]+)"', re.sub(r"'\s*\n\s*f?'", "", source))
    quoted += re.findall(r'as in "([^"]+)"', str(audit_examples.__dict__["_NO_DATA"]["fix"]))
    reference = (ROOT / "docs/reference/audit.md").read_text(encoding="utf-8")
    quoted += re.findall(r"`((?:recall|we keep)[^`]+)`", reference)

    assert quoted
    assert [one for one in quoted if one not in examples.EXAMPLES] == []
