"""Whether a record is about a model is asked of the whole of it."""

from __future__ import annotations

import pytest

from evaluation.corpus import records
from service.domain.audit.about import NOT_OF_A_MODEL, is_about_a_model, is_of_a_tool
from service.domain.audit.outcome import Check, Result
from service.domain.audit.prose import fold
from service.templates import BUILTIN, read_template_file
from service.usecases.audit.audit_trial import judge, rules_of

RULES = rules_of(read_template_file(BUILTIN / "iterative-ml.yaml"), None)
LAMPS = """## Goal and hypothesis

See if the new desk lamps cut complaints about the light from 9 a month to under 3; otherwise the old ones come back.

## Data used

lamp-survey v2, 2025-10-03

## Experiments and results

Complaints 2 a month instead of 9; 410 lux at the desk, before 280.

## Decisions and why

We keep the lamps because complaints fell to 2; ceiling spots were turned down, they cost 4,000 €.

## Model performance in production

1-31 October, in use on floor 1: 2 complaints, target 3.

## Risks and limits

The lamps flicker when the lift starts.

## Next steps

- OFF-31 order for floor 2
"""


def test_a_record_about_something_else_is_for_a_person_to_look_at_and_says_why() -> None:
    trial = judge(LAMPS, RULES)
    findings = {one.check: one for one in trial.findings}

    assert trial.verdict != "documented"
    assert findings[Check.DECISIONS].result is Result.UNCLEAR
    assert NOT_OF_A_MODEL[1:].rstrip(".") in findings[Check.DECISIONS].reason
    assert "Name the model" in findings[Check.DECISIONS].fix


def test_the_complete_records_of_the_corpora_are_about_a_model() -> None:
    for one in records():
        if one.deserves in ("documented", "partly"):
            assert is_about_a_model(one.text), one.name


def test_a_few_words_do_not_tell() -> None:
    assert is_about_a_model("It fails in fog.")


@pytest.mark.parametrize(
    "text", ["Jira had 99.9 % uptime.", "14 deployments in October.", "Verfügbarkeit der Webseite 99,9 %."]
)
def test_uptime_of_a_tool_and_counts_of_releases_are_no_measure_of_a_model(text: str) -> None:
    assert is_of_a_tool(fold(text))
    assert not is_of_a_tool(fold("After 3 deployments the precision is 0.93."))
