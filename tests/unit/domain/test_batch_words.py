"""How the steps of a run are named: by what they do, and by what they are about."""

from __future__ import annotations

import pytest

from connectors.values import ItemKey, ItemKind
from service.domain.plan.batch_words import named, title
from service.domain.plan.batches import Batch, Op

TITLES = {ItemKey(f"ticket:{name}"): f"Do {name}" for name in "abcd"}


def batch(op: Op, *names: str, kind: ItemKind = ItemKind.TICKET) -> Batch:
    return Batch(op, kind, tuple(ItemKey(f"{kind.value}:{name}") for name in names))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("a", "Create 1 ticket: Do a"),
        ("ab", "Create 2 tickets: Do a, Do b"),
        ("abc", "Create 3 tickets: Do a, Do b, Do c"),
        ("abcd", "Create 4 tickets: Do a, Do b and 2 more"),
    ],
)
def test_a_step_names_two_of_its_items_and_how_many_more_there_are(names: str, words: str) -> None:
    assert named(batch(Op.CREATE, *names), TITLES) == words


def test_an_item_without_a_title_is_known_by_its_key() -> None:
    assert named(batch(Op.UPDATE, "z"), TITLES) == "Update 1 ticket: ticket:z"


def test_a_step_about_one_iteration_names_it_once() -> None:
    closing = batch(Op.CLOSE, "3", kind=ItemKind.ITERATION)

    assert named(closing, {}) == title(closing) == "Close iteration 3"


def test_a_step_about_nothing_is_named_by_what_it_does() -> None:
    assert named(Batch(Op.END, ItemKind.PROJECT, ()), {}) == "End the project"
