"""What is open, hoped for, of others or of everyday life answers no check; what is compared with is no value."""

from __future__ import annotations

import pytest

from service.domain.audit.decisions import none_turned_down
from service.domain.audit.indecision import is_open, undecided
from service.domain.audit.metrics import metrics_in
from service.domain.audit.outcome import Check, Result
from service.domain.audit.traits import as_section
from service.domain.audit.vetoes import UNMEASURED, veto
from service.usecases.audit.audit_trial import judge
from tests.unit.domain.audit.subjects import rules

TITLES = {
    Check.DATA: "Data used",
    Check.EXPERIMENTS: "Experiments and results",
    Check.DECISIONS: "Decisions and why",
    Check.NEXT_STEPS: "Next steps",
}
FORM = "| Decision | Why | Turned down |\n| --- | --- | --- |\n| {} |"
DATA = "| Dataset | Version |\n| --- | --- |\n| {} |"


def result(check: Check, said: str) -> Result:
    findings = judge(f"## {TITLES[check]}\n\n{said}\n", rules(1)).findings
    return next(one.result for one in findings if one.check is check)


@pytest.mark.parametrize(
    "text",
    [
        "We have to decide between the net and the forest. Maybe the net, because it is smaller; to be discussed.",
        "Which of them we take will be decided later, because the labels came late.",
        "Open: one of us prefers the net because it is smaller, the other the forest.",
        "One prefers the net because it is smaller. No decision was taken.",
        "Offen: das Netz ist kleiner, der Wald schneller.",
        "Decisión pendiente: la red es más pequeña.",
        FORM.format("pending | we wait for the labels | none"),
        FORM.format("noch offen | wir warten | noch nichts"),
    ],
)
def test_a_decision_that_is_put_off_is_none(text: str) -> None:
    assert undecided(as_section(text))
    assert result(Check.DECISIONS, text) is not Result.PASS


@pytest.mark.parametrize("text", ["We use the open source model", "Open the gate at 0.5", "ship it"])
def test_open_means_undecided_only_where_it_says_so(text: str) -> None:
    assert not is_open(text)


@pytest.mark.parametrize(
    "row", ["a | b | c", "Ship the net | recall 0.83 against 0.79 | nothing", "Cake on Monday | we all like it | beer"]
)
def test_a_row_of_letters_without_alternative_or_of_everyday_life_does_not_pass(row: str) -> None:
    assert result(Check.DECISIONS, FORM.format(row)) is not Result.PASS


@pytest.mark.parametrize("row", ["Keep B | 4 ms faster | A", "Ship the net v3 | recall 0.83 against 0.79 | the forest"])
def test_a_short_row_of_a_team_passes(row: str) -> None:
    assert result(Check.DECISIONS, FORM.format(row)) is Result.PASS


def test_that_nothing_was_turned_down_is_no_alternative_unless_it_says_why() -> None:
    assert none_turned_down("We took the net. Nothing was turned down.")
    assert none_turned_down("Es gab keine Alternativen.")
    assert not none_turned_down("No alternatives, because only the net runs on the device.")
    assert not none_turned_down("The forest was turned down.")


@pytest.mark.parametrize(
    "text",
    [
        "F1 was not measured; we expect 0.8 against 0.7.",
        "We hope for an F1 of 0.8 against 0.7.",
        "The target is F1 0.8, the baseline 0.7.",
        "F1 0.8 against 0.7 is what the paper reports; we have not run it.",
        "Wir erwarten ein F1 von 0,8 gegenüber 0,7.",
        "Esperamos un F1 de 0,8 frente a 0,7.",
    ],
)
def test_what_is_hoped_for_or_told_by_others_was_not_measured(text: str) -> None:
    assert veto(Check.EXPERIMENTS, as_section(text)) == UNMEASURED


@pytest.mark.parametrize(
    "text",
    [
        "F1 0.8 against 0.7, better than we expected. Latency was not measured.",
        "We expected 0.7 and F1 reached 0.8.",
        "We will keep the net: F1 0.8 against 0.7.",
        "The target is F1 0.7, it reached 0.8.",
    ],
)
def test_what_was_measured_beside_what_was_hoped_for_counts(text: str) -> None:
    assert veto(Check.EXPERIMENTS, as_section(text)) != UNMEASURED


def test_none_with_a_sentence_beside_it_is_for_a_person() -> None:
    assert result(Check.EXPERIMENTS, "None. The machine was down all week.") is Result.UNCLEAR


@pytest.mark.parametrize(
    "text",
    [
        "F1 0.8 for the net, against 0.7 F1 for the forest.",
        "The net reached F1 0.8; the forest, our baseline, F1 0.7.",
        "F1 0.8 with the net, compared with an F1 of 0.7 with the forest.",
        "F1 0.8 instead of F1 0.7.",
        "F1 0,8 für das Netz; die Basislinie hat F1 0,7.",
        "F1 de 0,8 frente a un F1 de 0,7 del bosque.",
        "F1 de 0,8 contre un F1 de 0,7.",
        "F1 0,8 rispetto a F1 0,7.",
    ],
)
def test_what_a_measure_is_compared_with_is_not_its_value(text: str) -> None:
    assert [(one.value, one.baseline) for one in metrics_in(as_section(text))] == [(0.8, 0.7)]


def test_slides_and_recipes_are_seldom_data() -> None:
    assert result(Check.DATA, DATA.format("slides | 2026-10-01 https://www.example.com/pizza")) is Result.UNCLEAR
    assert result(Check.DATA, DATA.format("orders | 2026-10-01")) is Result.PASS


def test_a_key_that_only_says_to_look_elsewhere_is_no_step() -> None:
    assert result(Check.NEXT_STEPS, "ML-1 see there") is Result.FAIL
    assert result(Check.NEXT_STEPS, "ML-1: add holidays") is Result.PASS


def test_praise_is_no_reason_by_itself() -> None:
    assert result(Check.DECISIONS, "We decided on the net because it is good, instead of the forest.") is Result.UNCLEAR
