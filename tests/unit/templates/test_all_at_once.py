"""Every mistake in a template is told at once, of whatever sort: what has the wrong form does not hide what refers to
nothing, and what stands in for it is nobody's mistake."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from service.domain.problems import InvalidInput
from service.domain.template.reader import read_template
from tests.api.conftest import SMALL_TEMPLATE

MISTAKES = {
    # what is written instead, and the place and the words of what is said
    "loop": ("cadence:", "loop: {carry_over: nxt}\ncadence:", "loop.carry_over: unknown word"),
    "number": ("points: 3", "points: many", "tickets[1].points: "),
    "misspelt": ("type: choice, description: How", "type: choice, descripton: How", "descripton: unknown field"),
    "role": ("role: lead\n        description: Write", "role: leed\n        description: Write", 'unknown role "leed"'),
    "needs": ("needs: [goals]", "needs: [gaols]", 'unknown ticket "gaols"'),
    "exit": ("needs: [explore]", "needs: [explor]", 'unknown ticket "explor"'),
    "signer": ("sign_off: lead", "sign_off: laed", 'unknown role "laed"'),
    "placeholder": ("Write them down.", "Write {{ nosuch }} down.", "nosuch"),
}


def told(changes: Mapping[str, str]) -> str:
    text = SMALL_TEMPLATE
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    with pytest.raises(InvalidInput) as caught:
        read_template(text, "small.yaml")
    return str(caught.value)


def test_what_has_the_wrong_form_hides_nothing_that_refers_to_nothing() -> None:
    said = told({before: after for before, after, _words in MISTAKES.values()})

    for _before, _after, words in MISTAKES.values():
        assert words in said
    assert len(said.splitlines()) == len(MISTAKES) + 1  # a field that is misspelt is one that is missing, too


@pytest.mark.parametrize("name", ["loop", "number", "misspelt"])
def test_a_mistake_of_form_brings_no_other_with_it(name: str) -> None:
    before, after, words = MISTAKES[name]
    said = told({before: after}).splitlines()

    assert len([one for one in said if "missing" not in one]) == 1
    assert any(words in one for one in said)


@pytest.mark.parametrize(
    "change",
    [
        {"key: goals": "key: Not A Key"},
        {"{title: Lead,": "{titel: Lead,"},
        {"phases:": "phase:"},
        {"  lead: {title": "  Lead!: {title"},
        {"roles: [scientist, lead, engineer]": "roles: 5"},
        {"tickets:": "tickets: none\n    other:"},
    ],
)
def test_what_hangs_on_a_name_that_is_written_wrong_is_no_mistake(change: dict[str, str]) -> None:
    assert "unknown ticket" not in told(change)
    assert "unknown role" not in told(change)
