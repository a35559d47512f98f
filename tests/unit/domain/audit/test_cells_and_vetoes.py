"""Cells before sentences, what keeps a text from passing, and what is found without its heading."""

from __future__ import annotations

import pytest

from service.domain.audit.cells import filled_rows
from service.domain.audit.datasets import dataset_in
from service.domain.audit.outcome import Check, Result
from service.domain.audit.placeholders import is_placeholder, placeholders
from service.domain.audit.sections import loose_from, parse, sections_of
from service.domain.audit.subject import SectionRule
from service.domain.audit.text_checks import TEXT_CHECKS, read
from service.domain.audit.tickets import tickets_in
from service.domain.audit.traits import as_section
from service.domain.audit.vetoes import veto
from tests.unit.domain.audit.corpus import subject_of

RULES = tuple(
    SectionRule(key, (title,), "") for key, title in (("data", "Data used"), ("decisions", "Decisions and why"))
)
RESULTS = "| Measure | Value | Compared with | Target |\n| --- | --- | --- | --- |\n"


def result_of(check: Check, title: str, body: str) -> Result:
    subject = subject_of(f"## {title}\n\n{body}")
    return TEXT_CHECKS[check](subject, read(subject)).result


@pytest.mark.parametrize(
    ("check", "title", "table"),
    [
        (Check.DATA, "Data used", "| Dataset | Version |\n| --- | --- |\n| orders | 2026-03-12 |"),
        (Check.EXPERIMENTS, "Experiments and results", RESULTS + "| MAPE | 9.0 | 9.8 | |"),
        (
            Check.DECISIONS,
            "Decisions and why",
            "| Decision | Why | Turned down |\n| --- | --- | --- |\n| hourly weather | 0.8 points | daily weather |",
        ),
        (Check.NEXT_STEPS, "Next steps", "| Step | Ticket |\n| --- | --- |\n| alert | ML-12 |\n| docs | #231 |"),
    ],
)
def test_a_row_of_the_form_passes_by_its_cells_without_a_second_opinion(check: Check, title: str, table: str) -> None:
    assert result_of(check, title, table) is Result.PASS


@pytest.mark.parametrize(
    "row", ["| MAPE | | 9.8 | |", "| MAPE | TBD | 9.8 | |", "| velocity | 44 | 39 | |", "| | | | |"]
)
def test_a_row_with_a_hole_or_about_the_work_does_not(row: str) -> None:
    assert result_of(Check.EXPERIMENTS, "Experiments and results", RESULTS + row) is not Result.PASS


def test_cells_are_found_by_what_their_columns_are_for_in_any_order_and_language() -> None:
    table = "| Ziel | Wert | Messgröße |\n|---|---|---|\n| 0,8 | 0,83 | Trefferquote |"

    assert [row["value"] for row in filled_rows(as_section(table), "measure", "value", "target")] == ["0,83"]


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (Check.EXPERIMENTS, "Velocity 44 points vs. 39 in sprint 23; coverage 86 % vs. 81 %."),
        (Check.EXPERIMENTS, "epochs 40, batch 32, dropout 0.3 vs. 0.2"),
        (Check.EXPERIMENTS, "Run 44 started 2025-03-02 18:10, finished 02:45"),
        (Check.PERFORMANCE, "Test accuracy 0.91 on the holdout, target 0.90, trained for 10 days."),
        (Check.PERFORMANCE, "Precision is 0.83, target 0.80."),
        (Check.DATA, "All data that we have."),
        (Check.DECISIONS, "MAE 4.1 instead of 4.6 because of the new feed."),
        (Check.RISKS, "Where does the model fail?"),
    ],
)
def test_what_speaks_of_something_else_is_vetoed(check: Check, text: str) -> None:
    assert veto(check, as_section(text))


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (Check.GOAL, "Can a linear model match the tuned one within 1 % AUC?"),
        (Check.GOAL, "In this sprint we find out whether 32k tokens buy 0.5 BLEU."),
        (Check.PERFORMANCE, "In week 38 the deployed v5 had MAE 6.2 min against the 7 min SLO."),
        (Check.EXPERIMENTS, "RMSE val: naive 148, ridge 121, gbm 97."),
    ],
)
def test_what_answers_is_not(check: Check, text: str) -> None:
    assert veto(check, as_section(text)) == ""


def test_text_above_the_first_heading_and_under_unknown_ones_is_kept_apart() -> None:
    loose = loose_from(parse("Above.\n\n## Weather\n\nRain.\n\n## Data used\n\norders v3"), RULES)

    assert [(one.title, one.plain) for one in loose] == [("", "Above."), ("Weather", "Rain.")]


def test_headings_pasted_right_below_one_of_the_template_stay_in_its_section() -> None:
    found = sections_of("## Decisions and why\n\n## Context and weather\n\nWe keep B.", RULES)

    assert "We keep B." in found["decisions"].plain


def test_performance_is_of_production_only_if_it_speaks_of_it() -> None:
    rules = (SectionRule("experiments", ("Results",), ""), SectionRule("performance", ("Model performance",), ""))
    offline = sections_of("## Performance\n\naccuracy 0.9 on the test set", rules)
    live = sections_of("## Performance\n\nlive last week: accuracy 0.9, target 0.88", rules)

    assert (offline["performance"].empty, offline["experiments"].empty) == (True, False)
    assert (live["performance"].empty, live["experiments"].empty) == (False, True)


@pytest.mark.parametrize(
    "text",
    ["[Explanation]", "XX.X", "N/A", "- Dataset:", "wird noch nachgetragen", "待定", "\uff08ここに結果を記入\uff09"],
)
def test_what_is_to_be_filled_in_is_a_placeholder(text: str) -> None:
    assert is_placeholder(text)


def test_a_label_before_a_bare_address_is_no_empty_one() -> None:
    links = as_section("- Run: https://mlflow.example.com/#/experiments/7/runs/0001\n- Dashboard:")

    assert list(placeholders(links)) == ["Dashboard:"]


@pytest.mark.parametrize(
    "text", ["n/a values in tariff were filled with the street median (2.1 % of rows)", "We cleaned the TODO list"]
)
def test_a_sentence_that_only_names_one_is_none(text: str) -> None:
    assert not is_placeholder(text)


@pytest.mark.parametrize(
    ("text", "count"), [("#231 and gh-118, !45", 3), ("ML-12", 1), ("ISO-9001, SHA-256, PROJ-XXX", 0)]
)
def test_numbers_of_issues_and_requests_are_tickets_and_names_with_numbers_are_none(text: str, count: int) -> None:
    assert len(tickets_in(text)) == count


def _record(numbers: str) -> str:
    said = f"We keep model B because its recall is higher than that of model A, {numbers}; A was dropped."
    return f"## Decisions and why\n\n{said}"


def test_a_form_filled_in_anew_is_no_copy_and_the_same_facts_in_other_words_are_one() -> None:
    before = _record("0.71 0.72 0.73 0.74 0.75 0.76 ML-7")
    anew = _record("0.81 0.82 0.83 0.84 0.85 0.86 ML-8")
    reworded = before.replace("We keep model B", "Model B is what we keep")

    assert _new(anew, before) is Result.PASS
    assert _new(reworded, before) is Result.FAIL


def _new(text: str, former: str) -> Result:
    subject = subject_of(text, former=former)
    return TEXT_CHECKS[Check.NEW](subject, read(subject)).result


@pytest.mark.parametrize(
    "text",
    [
        "80/20 split, version 3",
        "Random 80/20 split of 2026-03-12",
        "Stratified split 80/20, seed 42, v3",
        "80/20 Aufteilung, Stand 2026-03-12",
        "5 folds, v2",
        "12,000 rows of 2026-03-12",
    ],
)
def test_how_data_is_split_and_how_much_of_it_there_is_names_no_dataset(text: str) -> None:
    found = dataset_in([(text, text)])

    assert (found.line, found.named) == ("", "")


def test_a_split_of_a_dataset_with_its_name_and_version_does() -> None:
    text = "Split 80/20, version 3 of the churn table"

    assert dataset_in([(text, text)]).line == text
