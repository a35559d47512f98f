"""What leaves a decision open is none, and what says that there is nothing to tell passes where it says why."""
# ruff: noqa: RUF001 (texts in the writing of their languages)

from __future__ import annotations

import pytest

from service.domain.audit.indecision import denied, undecided
from service.domain.audit.outcome import Check, Result
from service.domain.audit.phrases import NO_DECISION, NO_EXPERIMENTS
from service.domain.audit.traits import as_section
from service.domain.audit.weighing import weighed
from service.usecases.audit.audit_trial import judge
from tests.unit.domain.audit.subjects import rules


@pytest.mark.parametrize(
    "text",
    [
        "We could not decide between A and B. Maybe B instead of A because it is faster.",
        "We could not decide, maybe B instead of A because it is faster.",
        "We are leaning towards B instead of A because it is faster.",
        "- Undecided between the forest and the net\n- The net instead of the forest, perhaps, because it is smaller",
        "Wir konnten uns nicht entscheiden. Vielleicht B statt A, weil es schneller ist.",
        "No pudimos decidir. Quizás B en lugar de A porque es más rápido.",
        "On n'a pas pu décider. Peut-être B au lieu de A, parce qu'il est plus rapide.",
        "Não conseguimos decidir. Talvez B em vez de A, já que é mais rápido.",
        "Non abbiamo deciso. Forse B, perché è più veloce.",
        "We konden niet kiezen. Misschien B, want die is sneller.",
        "Nie zdecydowaliśmy. Może B, bo jest szybszy.",
        "Vi kunde inte bestämma oss. Kanske B, för den är snabbare.",
        "Karar veremedik. Belki B, çünkü daha hızlı.",
        "Мы пока не решили. Возможно B, потому что он быстрее.",
        "我们还没有决定，可能会用B而不是A，因为更快。",
        "まだ決めていない。Aの代わりにBかもしれない。",
        "아직 결정하지 못했다. 아마 B.",
    ],
)
def test_what_is_left_open_is_no_decision(text: str) -> None:
    assert undecided(as_section(text))


@pytest.mark.parametrize(
    "text",
    [
        "We keep B because it is faster, instead of A. Maybe we try C next time.",
        "We keep A instead of B because B is perhaps too slow.",
        "Status last week: undecided. We rejected A because it is slow, and B is kept.",
        "Sticking with ResNet-50. ViT-B got the same mAP at three times the inference cost.",
        "No decision, because the labels came late.",
    ],
)
def test_a_doubt_beside_what_is_decided_leaves_it_decided(text: str) -> None:
    assert not undecided(as_section(text))


def test_an_undecided_text_with_the_words_of_a_decision_fails() -> None:
    said = "## Decisions and why\n\nWe could not decide between A and B. Maybe B instead of A because it is faster."
    found = next(one for one in judge(said, rules(1)).findings if one.check is Check.DECISIONS)

    assert found.result is Result.FAIL
    assert "nothing is decided yet" in found.reason


def test_it_is_so_in_a_language_in_which_no_other_sentence_is_judged() -> None:
    italian = (
        "Non siamo riusciti a decidere tra i due modelli, perché i risultati di questa settimana sono troppo vicini. "
        "Forse prendiamo il secondo modello invece del primo, che sarebbe più veloce."
    )
    found = next(
        one for one in judge(f"## Decisions and why\n\n{italian}", rules(1)).findings if one.check is Check.DECISIONS
    )

    assert "nothing is decided yet" in found.reason


@pytest.mark.parametrize(
    "text",
    [
        "None, because the labels came late.",
        "None this iteration, because we waited for the new labels.",
        "No runs this time: the cluster was down until Thursday.",
        "No experiments. We waited because the labels were late.",
        "Keine, weil die neuen Daten fehlten.",
        "Ninguno, porque faltaban datos.",
        "Aucune, parce que les données manquaient.",
        "Nenhum, já que faltavam dados.",
        "无，因为数据还没到。",
        "なし。データが届いていないため。",
    ],
)
def test_none_passes_where_a_real_reason_follows_whatever_the_second_opinion_says(text: str) -> None:
    found = next(
        one
        for one in judge(f"## Experiments and results\n\n{text}", rules(1)).findings
        if one.check is Check.EXPERIMENTS
    )

    assert found.result is Result.PASS
    assert weighed(found, 0.01).result is Result.PASS


@pytest.mark.parametrize("text", ["None.", "None, because ...", "None, because", "None, because of reasons", "Keine."])
def test_none_without_a_real_reason_fails(text: str) -> None:
    said = denied([text], NO_EXPERIMENTS)

    assert said is not None
    assert not said[1]


@pytest.mark.parametrize(
    "text",
    [
        "None of the three models beat the baseline because of noise",
        "Nothing beat the baseline because of noise",
        "Nothing but the forest was tried",
    ],
)
def test_none_of_something_tells_of_experiments(text: str) -> None:
    assert denied([text], NO_EXPERIMENTS) is None


@pytest.mark.parametrize(
    ("text", "says_why"),
    [
        ("Nothing, because the A/B test runs until May.", True),
        ("Nothing decided yet: the two are within one standard error.", True),
        ("No decision was taken this iteration.", False),
        ("No decision. Maybe B instead of A because it is faster.", False),
    ],
)
def test_that_nothing_was_decided_needs_its_own_reason(text: str, says_why: bool) -> None:
    assert denied([text], NO_DECISION) == (text, says_why)
