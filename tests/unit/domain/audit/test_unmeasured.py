"""What is expected, asked for, open, simulated or told by others was not measured."""

from __future__ import annotations

import pytest

from service.domain.audit.outcome import Check
from service.domain.audit.traits import as_section
from service.domain.audit.unmeasured import partly_unmeasured, unmeasured

TABLE = "| Measure | Value | Compared with | Target |\n| --- | --- | --- | --- |\n| F1 | {} | 0.85 | 0.87 |"


@pytest.mark.parametrize(
    "text",
    [
        "We expect F1 to rise from 0.85 to 0.88.",
        "F1 0.88 (expected) vs. 0.85.",
        "F1: tbd, baseline 0.85, target 0.88",
        "The larger net would reach 0.86 against 0.82.",
        "In the paper it gets 0.86 AUC vs. 0.82.",
        "The vendor claims 97 % against 94 %.",
        "Target F1 0.88, minimum 0.85.",
        "Wir rechnen mit einem F1 von 0,88 statt 0,85.",
        "Se espera un F1 de 0,88 frente a 0,85.",
        "Le F1 devrait passer de 0,85 à 0,88.",
        "O F1 deve chegar a 0,88 contra 0,85.",
        "预计F1从0.85升到0.88。",
        "F1は0.88になる見込み、目標は0.87。",
        *(
            TABLE.format(cell)
            for cell in ("0.88 (expected)", "not measured yet", "tbd", "0.88 (target)", "ca. 0.88, estimate")
        ),
    ],
)
def test_numbers_that_nobody_measured_are_told(text: str) -> None:
    assert unmeasured(Check.EXPERIMENTS, as_section(text))


@pytest.mark.parametrize(
    "text",
    [
        "F1 0.88, as expected, against 0.85 before.",
        "F1 0.88, a bit more than the 0.87 that we had expected.",
        "We hoped for 0.9; it was 0.83, before 0.80.",
        "AUC 0.83 on our test set (the vendor's brochure says 0.85), baseline 0.81.",
        "The paper reports 0.86, ours reached 0.83 against 0.81.",
        "Forecast error 5.4 %, before 6.8 %.",
        "MAE从4.9降到4.2\uff0c与预期一致。",
        "Recall 0,78 statt 0,71, wie erwartet.",
        TABLE.format("0.88"),
    ],
)
def test_numbers_that_came_out_are_measured(text: str) -> None:
    assert not unmeasured(Check.EXPERIMENTS, as_section(text))
    assert not unmeasured(Check.PERFORMANCE, as_section("In October live: recall 0.86. The goal is 0.85."))


def test_in_production_a_simulation_and_somebody_elses_model_do_not_count() -> None:
    for text in ("Simulated October traffic: 0.4 % false alarms.", "The competitor's model has 93 % accuracy live."):
        assert unmeasured(Check.PERFORMANCE, as_section(text))
        assert not unmeasured(Check.EXPERIMENTS, as_section("In simulation 0.4 % false alarms, before 0.6 %."))


def test_what_is_partly_hoped_for_is_told_and_a_target_is_no_hope() -> None:
    assert partly_unmeasured(Check.PERFORMANCE, as_section("October live: recall 0.8. In November we expect 0.85."))
    assert not partly_unmeasured(Check.PERFORMANCE, as_section("October live: recall 0.86; the goal is 0.85."))
