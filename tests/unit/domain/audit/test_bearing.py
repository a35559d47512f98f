"""What is not about a model settles nothing by its form, and what is, and concrete, needs less of a second opinion."""

from __future__ import annotations

import pytest

from service.domain.audit.bearing import Bearing, bearing_of
from service.domain.audit.outcome import Check, CheckFinding, Result, Weight
from service.domain.audit.traits import as_section
from service.domain.audit.weighing import weighed
from service.usecases.audit.audit_trial import judge
from tests.unit.domain.audit.subjects import rules

DECISIONS = "## Decisions and why\n\n| Decision | Why | Turned down |\n| --- | --- | --- |\n"
RESULTS = "## Experiments and results\n\n| Measure | Value | Compared with | Target |\n| --- | --- | --- | --- |\n"
IN_USE = "## Model performance in production\n\n| Measure | Value | Period | Target |\n| --- | --- | --- | --- |\n"


def found(check: Check, text: str) -> CheckFinding:
    return next(one for one in judge(text, rules(3)).findings if one.check is check)


@pytest.mark.parametrize(
    "row",
    [
        "| Move the screens to the window | more light | the corner |",
        "| Hire a second analyst | many years of practice | a contractor |",
        "| Order pizza | it is cheap | sushi |",
        "| Paint the office green | people like it | blue |",
    ],
)
def test_a_row_that_may_be_about_anything_is_no_decision_by_its_cells(row: str) -> None:
    assert found(Check.DECISIONS, DECISIONS + row).result is not Result.PASS


@pytest.mark.parametrize(
    "row",
    [
        "| Keep LightGBM | faster | CatBoost |",
        "| hourly weather | 0.8 points | daily weather |",
        "| k = 10 | k = 20 does not fit in memory | k = 20 |",
        "| embeddings in two languages | half of the texts are in the other one | one language |",
    ],
)
def test_a_row_about_a_model_or_with_a_number_as_its_reason_is_one(row: str) -> None:
    said = found(Check.DECISIONS, DECISIONS + row)

    assert said.result is Result.PASS
    assert not said.close_call


def test_a_short_row_counts_in_a_record_about_a_model_and_alone_a_person_looks() -> None:
    row = f"{DECISIONS}| Keep B | faster | A |"

    assert found(Check.DECISIONS, row).result is Result.UNCLEAR
    assert found(Check.DECISIONS, f"## Goal and hypothesis\n\nRecall of model B is to reach 0.8.\n\n{row}").result is (
        Result.PASS
    )


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (Check.EXPERIMENTS, f"{RESULTS}| Coffees a day | 8 | 6 | 5 |"),
        (Check.PERFORMANCE, f"{IN_USE}| Guests of the party | 40 | 3 May 2026 | 50 |"),
        (Check.PERFORMANCE, f"{IN_USE}| recall on the test set | 0.83 | 3 May 2026 | 0.8 |"),
    ],
)
def test_a_number_of_something_else_is_no_measure_of_a_model_in_use(check: Check, text: str) -> None:
    assert found(check, text).result is not Result.PASS


@pytest.mark.parametrize(
    ("check", "text", "bearing"),
    [
        (Check.DECISIONS, "We keep the forest: recall 0.83.", Bearing.CONCRETE),
        (Check.DECISIONS, "We keep the forest, it is faster than the network.", Bearing.PLAIN),
        (Check.DECISIONS, "We meet on Friday at 9 instead of Thursday.", Bearing.BESIDE),
        (Check.GOAL, "Recall is to reach 0.8.", Bearing.CONCRETE),
        (Check.GOAL, "Train on fewer rows: 3 months.", Bearing.PLAIN),
        (Check.GOAL, "New colleagues are to find their way within 2 weeks.", Bearing.BESIDE),
        (Check.RISKS, "New colleagues are to find their way within 2 weeks.", Bearing.PLAIN),
    ],
)
def test_what_a_text_bears_on(check: Check, text: str, bearing: Bearing) -> None:
    assert bearing_of(check, as_section(text)) is bearing


def test_few_words_need_not_name_the_model_that_the_record_around_them_is_about() -> None:
    said = as_section("We take the one with the nights; the other costs ten times as much.")

    assert bearing_of(Check.DECISIONS, said) is Bearing.BESIDE
    assert bearing_of(Check.DECISIONS, said, "Recall of the model rose to 0.8.") is Bearing.PLAIN


def test_what_is_concrete_passes_with_less_and_what_may_be_about_anything_with_more() -> None:
    reads = CheckFinding(Check.DECISIONS, Weight.CRITICAL, Result.PASS, "The rules say so.")

    assert weighed(reads, 0.45).result is Result.UNCLEAR
    assert weighed(reads, 0.45, bearing=Bearing.CONCRETE).result is Result.PASS
    assert weighed(reads, 0.25, bearing=Bearing.CONCRETE).result is Result.UNCLEAR
    assert weighed(reads, 0.7).result is Result.PASS
    assert weighed(reads, 0.7, bearing=Bearing.BESIDE).result is Result.UNCLEAR
    assert "may not be about the model" in weighed(reads, 0.7, bearing=Bearing.BESIDE).reason
    assert weighed(reads, 0.8, bearing=Bearing.BESIDE).result is Result.PASS


@pytest.mark.parametrize(
    "text",
    [
        "Seguimos con boosting porque es el único por debajo del 23,1 %; se descartó el modelo lineal.",
        "On garde le seuil à 0,7 plutôt que 0,5 car les faux positifs coûtent 12 euros pièce.",
        "Wir bleiben beim kleinen Modell, weil das große nur 0,3 Punkte mehr bringt und viermal so teuer ist.",
    ],
)
def test_a_clear_decision_in_words_passes(text: str) -> None:
    assert found(Check.DECISIONS, f"## Decisions and why\n\n{text}").result is Result.PASS


def test_a_decision_that_is_worded_like_what_is_left_open_is_looked_at_and_never_refused() -> None:
    text = (
        "We train on two years instead of five, because what was bought before 2024 says little about road works now."
    )

    assert found(Check.DECISIONS, f"## Decisions and why\n\n{text}").result is Result.UNCLEAR
