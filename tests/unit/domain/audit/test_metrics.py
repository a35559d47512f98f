"""Measures read from records as numbers, and how they went."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.audit.metrics import Metric, Point, metrics_in, metrics_of, series
from service.domain.audit.sections import sections_of
from service.domain.audit.subject import Reading
from tests.effort import examples
from tests.unit.domain.audit.corpus import rules, subject_of


def read(text: str) -> list[tuple[str, float, str, float | None, float | None]]:
    found = metrics_in(sections_of(f"## Experiments\n\n{text}", rules())["experiments"])
    return [(one.name, one.value, one.unit, one.target, one.baseline) for one in found]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("F1 is 0.83 against a baseline of 0.79.", ("F1", 0.83, "", None, 0.79)),
        ("Against a baseline of 0.79, F1 is 0.83.", ("F1", 0.83, "", None, 0.79)),
        ("0.83 F1, baseline 0.79", ("F1", 0.83, "", None, 0.79)),
        ("recall improved from 0.71 to 0.78", ("recall", 0.78, "", None, 0.71)),
        ("F1: 0.79 \N{RIGHTWARDS ARROW} 0.83", ("F1", 0.83, "", None, 0.79)),
        ("F1 fell by 0.02 to 0.81", ("F1", 0.81, "", None, None)),
        ("WAPE 18.4 % (target: below 20 %, before 21.2 %)", ("WAPE", 18.4, "%", 20.0, 21.2)),
        ("Accuracy was 91 %. The baseline was 88 %. Target: 90 %.", ("accuracy", 91.0, "%", 90.0, 88.0)),
        ("- recall@10: 0.31 (was 0.29)", ("recall@10", 0.31, "", None, 0.29)),
        ("p95 latency 120 ms, threshold 150 ms", ("p95 latency", 120.0, "ms", 150.0, None)),
        ("Der F1-Wert stieg von 0,79 auf 0,83.", ("F1", 0.83, "", None, 0.79)),
        ("recall de 0,83, frente a 0,79", ("recall", 0.83, "", None, 0.79)),
        ("val_f1 0.83", ("F1", 0.83, "", None, None)),
        ("stock-outs fell from 6.1 % to 4.2 %", ("stock-outs", 4.2, "%", None, 6.1)),
        ("throughput 1,234 and then nothing", ("throughput", 1234.0, "", None, None)),
    ],
)
def test_a_measure_is_read_from_a_sentence(text: str, told: tuple[object, ...]) -> None:
    assert read(text) == [told]


@pytest.mark.parametrize(
    "text",
    [
        "12 runs on 2026-03-12",
        "orders v3, iteration 4, ML-12",
        "learning rate: 0.01",
        "F1 is better",
        "F1. Then 12 people left.",
    ],
)
def test_what_only_looks_like_a_measure_is_none(text: str) -> None:
    assert read(text) == []


def test_a_table_of_models_gives_the_chosen_one_last_with_the_baseline_beside_it() -> None:
    table = "| Model | F1 |\n|---|---|\n| baseline | 0.79 |\n| B (chosen) | 0.83 |\n| C | 0.85 |"

    assert read(table) == [("F1", 0.85, "", None, 0.79), ("F1", 0.83, "", None, 0.79)]


def test_a_table_of_measures_has_its_columns_by_name() -> None:
    head = "| Metric | Before | Now | Target |\n|---|---|---|---|"
    table = f"{head}\n| WAPE | 21 % | 18 % | 20 % |\n| returns | 3.1 % | 2.9 % | |"

    assert read(table) == [("WAPE", 18.0, "%", 20.0, 21.0), ("returns", 2.9, "%", None, 3.1)]


def record(experiments: str, production: str = "") -> str:
    return f"## Experiments\n\n{experiments}\n\n## Model performance in production\n\n{production}"


def test_an_iteration_s_measures_are_those_of_its_experiments_and_of_production() -> None:
    found = metrics_of(subject_of(record("F1 0.83", "recall 0.7, target 0.8")))

    assert found == (
        Metric("F1", 0.83, "", None, None, "experiments"),
        Metric("recall", 0.7, "", 0.8, None, "performance"),
    )
    assert metrics_of(replace(subject_of(""), record=Reading(None, unread="down"))) == ()


@pytest.mark.parametrize("told_by", ["former", "filled"])
def test_a_measure_of_the_project_s_own_is_known_once_a_table_named_it(told_by: str) -> None:
    table = "## Experiments\n\n| Measure | Value |\n| --- | --- |\n| returns per thousand | 3.4 |"
    record = subject_of("## Experiments\n\nFor returns per thousand we got 3.1 in stores, target 2.9.")
    told = replace(record, former=table) if told_by == "former" else replace(record, filled=(table,))

    assert [(one.name, one.value, one.target) for one in metrics_of(told)] == [("returns per thousand", 3.1, 2.9)]
    assert [one.name for one in metrics_of(record)] != ["returns per thousand"]


def test_a_series_has_one_point_for_each_iteration_in_one_unit() -> None:
    subjects = [
        subject_of(record("recall 83 %", "recall 0.7, target 0.8"), number=6),
        subject_of(record("recall 0.79 for A\n\nrecall 0.81 for B"), number=5),
        subject_of(record("recall 120 ms"), number=7),
    ]

    found = series(subjects)

    assert list(found) == ["recall", "recall (in production)"]
    assert found["recall"].points == (Point(5, "ML 5 Ideation", 0.81), Point(6, "ML 6 Ideation", 0.83))
    assert found["recall (in production)"].points == (Point(6, "ML 6 Ideation", 0.7, 0.8),)


MODELS = "Model B: recall 0.74, baseline 0.61. Model A: recall 0.69."
TABLE = "| Model | recall |\n|---|---|\n| B | 0.74 |\n| A | 0.69 |"


@pytest.mark.parametrize(
    ("experiments", "decisions", "value"),
    [
        (MODELS, "We keep model B because its recall is higher, instead of model A, which we dropped.", 0.74),
        (MODELS, "We keep model A: it is faster than model B.", 0.69),
        (MODELS, "Instead of model A we take model B.", 0.74),
        (MODELS, "Model B goes on, model A is dropped.", 0.74),
        (MODELS, "Model A was dropped because it is slow.", 0.74),
        (MODELS, "We chose B over A.", 0.74),
        (MODELS, "Wir behalten Modell B statt Modell A, weil es mehr findet.", 0.74),
        (MODELS, "A decision comes next week.", 0.69),
        (MODELS, "", 0.69),
        ("Model B (chosen): recall 0.74. Model A: recall 0.69.", "", 0.74),
        ("recall 0.74 with XGBoost\n\nrecall 0.69 with a forest", "XGBoost replaces the forest.", 0.74),
        ("recall of model 1 is 0.74\n\nrecall of model 2 is 0.69", "Model 1 is kept; model 2 is abandoned.", 0.74),
        (TABLE, "We keep B rather than A.", 0.74),
        (TABLE, "", 0.69),
        (TABLE.replace("| A |", "| **A** |"), "", 0.69),
        (TABLE.replace("| B |", "| **B** |"), "", 0.74),
    ],
)
def test_of_several_that_were_measured_the_one_that_is_kept_counts(
    experiments: str, decisions: str, value: float
) -> None:
    text = f"## Experiments and results\n\n{experiments}\n\n## Decisions and why\n\n{decisions}"

    assert [point.value for point in series([subject_of(text)])["recall"].points] == [value]


@settings(max_examples=examples(100), deadline=None)
@given(st.one_of(st.text(max_size=200), st.text(alphabet="F1 recall0.,%-|\n:=vsto", max_size=200)))
def test_no_text_can_raise_and_every_value_is_a_number(text: str) -> None:
    found = metrics_of(subject_of(record(text, text)))

    assert all(abs(one.value) < 1e13 for one in found)
