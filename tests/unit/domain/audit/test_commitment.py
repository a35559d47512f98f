"""What is tentative, on a condition, somebody else's to decide, elsewhere or without a reason is no decision."""

from __future__ import annotations

import pytest

from service.domain.audit.commitment import (
    ASKED,
    CONDITION,
    ELSEWHERE,
    ELSEWHERE_DECIDED,
    NO_GROUND,
    PUT_FORWARD,
    TENTATIVE,
    open_cells,
    uncommitted,
    unexplained,
)
from service.domain.audit.traits import as_section

OPEN = {
    "We will most likely keep the small net, because it is faster than the large one.": TENTATIVE,
    "Wahrscheinlich nehmen wir das kleine Netz, weil es schneller ist.": TENTATIVE,
    "Seguramente elegimos la red pequeña porque es más rápida.": TENTATIVE,
    "On garde probablement le petit réseau car il est plus rapide.": TENTATIVE,
    "Provavelmente ficamos com a rede menor, pois é mais rápida.": TENTATIVE,
    "可能采用小模型\uff0c因为更快。": TENTATIVE,
    "おそらく小さいモデルを採用する。": TENTATIVE,
    "Subject to a security review we ship v4, since its recall is 0.9.": CONDITION,
    "If the owner agrees we ship v4, since its recall is 0.9.": CONDITION,
    "We ship v4, recall 0.9 instead of 0.8. Approval is pending.": CONDITION,
    "Wenn der Betriebsrat zustimmt, geht v4 live, da der Recall bei 0,9 liegt.": CONDITION,
    "Si el comité lo aprueba, usamos v4.": CONDITION,
    "如果法务同意\uff0c就采用新模型。": CONDITION,
    "部長の承認が得られれば切り替える。": CONDITION,
    "It is up to the product owner whether v3 or v4 is used.": ELSEWHERE_DECIDED,
    "Der Lenkungskreis entscheidet zwischen v3 und v4.": ELSEWHERE_DECIDED,
    "由产品经理决定用哪个模型。": ELSEWHERE_DECIDED,
    "We propose to drop the rules.": PUT_FORWARD,
    "The model was chosen, see the minutes": ELSEWHERE,
    "Should we drop the bureau feature?": ASKED,
}


@pytest.mark.parametrize("text", OPEN)
def test_what_is_open_is_told_by_what_makes_it_so(text: str) -> None:
    assert uncommitted(as_section(text)) == OPEN[text]


@pytest.mark.parametrize(
    "text",
    [
        "Int8 goes live, latency fell from 90 to 41 ms; fp16 is retired.",
        "We decided against the hosted model although it might be faster: 0.02 € a page is too much.",
        "We keep v3, because v4 would double the memory.",
        "Approved by the board on 14 October: v4 replaces v3, its recall is 0.9.",
        "We tried whether weather would help; it did not, so the simple model is kept.",
        "If a score is above 0.8 the claim is refused; we chose 0.8 and not 0.7 since wrong refusals halve.",
        "We keep CatBoost because it is faster. XGBoost will probably be tried again next year.",
        "CatBoost wird übernommen, weil der F1 bei 0,88 liegt; XGBoost ist verworfen.",
        "决定采用小模型而不是大模型\uff0c因为延迟更低。",
    ],
)
def test_what_is_asserted_is_decided_whatever_stands_beside_it(text: str) -> None:
    assert uncommitted(as_section(text)) == ""


@pytest.mark.parametrize("text", ["We go on with YOLOv8s.", "Model v3 is used from now on.", "Es bleibt bei v3."])
def test_a_bare_choice_says_no_why(text: str) -> None:
    assert unexplained(as_section(text)) == NO_GROUND


@pytest.mark.parametrize(
    "text", ["The LSTM is out, too slow.", "Zurück auf v3: F1 0,88.", "Se queda v3, cuesta menos."]
)
def test_a_cost_a_number_or_a_fault_is_a_why(text: str) -> None:
    assert unexplained(as_section(text)) == ""


def test_cells_are_open_by_a_doubt_a_condition_or_a_reason_that_stands_elsewhere() -> None:
    assert open_cells("probably v4", "F1 0.88") == TENTATIVE
    assert open_cells("v4", "F1 0.88, if QA agrees") == CONDITION
    assert open_cells("v4", "see minutes") == ELSEWHERE
    assert open_cells("v4", "probably the cheaper labels") == ""
    assert open_cells("v4", "F1 0.88, see notes") == ""
