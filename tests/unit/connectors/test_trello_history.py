"""When work on a card began and ended, told from what the vendor says was before each change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.trello.history import changes_of, times_of
from connectors.trello.layout import ListRole
from connectors.trello.mapping import Card, points_of, status

MADE = datetime(2026, 11, 23, 8, tzinfo=UTC)
ROLES: dict[str, ListRole | None] = {
    "backlog": ListRole.BACKLOG,
    "iteration": ListRole.ITERATION,
    "doing": ListRole.IN_PROGRESS,
    "review": ListRole.REVIEW,
    "done": ListRole.DONE,
    "theirs": None,
}
CARD = Card(f"{int(MADE.timestamp()):08x}000000000000000a", "key", "", "A ticket", "", "backlog")

Step = tuple[str, Any]
NAMES = {"list_id": "idList", "closed": "closed", "complete": "dueComplete", "name": "name"}
steps = st.lists(
    st.one_of(
        st.tuples(st.just("list_id"), st.sampled_from(list(ROLES))),
        st.tuples(st.sampled_from(["closed", "complete"]), st.booleans()),
        st.tuples(st.just("name"), st.sampled_from(["A", "B"])),
    ),
    max_size=12,
)


def lived(card: Card, taken: list[Step]) -> tuple[Card, list[dict[str, Any]], list[tuple[datetime, str]]]:
    """The card after these steps, an hour apart; the actions that tell of them; and how far it was from when on."""
    actions, story = [], [(MADE, status(card, ROLES))]
    for number, (name, value) in enumerate(taken, 1):
        at = MADE + timedelta(hours=number)
        data = {"card": {"id": card.id}, "old": {NAMES[name]: getattr(card, name)}}
        actions.append({"id": str(number), "date": at.isoformat(), "data": data})
        card = replace(card, **{name: value})
        story.append((at, status(card, ROLES)))
    return card, actions, story


@given(st.sampled_from(list(ROLES)), steps)
def test_the_times_are_those_of_the_first_work_and_the_last_end(home: str, taken: list[Step]) -> None:
    card, actions, story = lived(replace(CARD, list_id=home), taken)
    times = times_of(card, changes_of(actions).get(card.id, ()), ROLES)
    assert times.created == MADE
    assert times.started == next((at for at, was in story if was != "todo"), None)
    if story[-1][1] != "done":
        assert times.done is None
    else:
        last = len(story) - next((n for n, (_, was) in enumerate(reversed(story)) if was != "done"), len(story))
        assert times.done == story[last][0]
        assert times.started is not None
        assert MADE <= times.started <= times.done


@given(steps)
def test_the_order_in_which_actions_come_does_not_matter(taken: list[Step]) -> None:
    _, actions, _ = lived(CARD, taken)
    assert changes_of(actions) == changes_of(actions[::-1])


def test_a_card_whose_id_tells_no_moment_and_that_was_never_moved_tells_nothing() -> None:
    card = replace(CARD, id="imported", list_id="done")
    times = times_of(card, (), ROLES)
    assert (times.created, times.started, times.done) == (None, None, None)


@pytest.mark.parametrize(
    ("labels", "points"),
    [
        (["points:5", "role:ml"], 5.0),
        (["points:0.5"], 0.5),
        (["points:3", "points:8"], 8.0),
        (["points:many", "5", "points:", "xpoints:5", "points:-1", "points:" + "9" * 400], None),
        ([], None),
    ],
)
def test_an_estimate_is_read_from_labels_that_tell_one(labels: list[str], points: float | None) -> None:
    assert points_of(labels) == points
