"""What people decide about the coming iteration, on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.problems import InvalidInput
from service.settings import Settings
from service.store.tables import ItemRow
from service.usecases.errors import Conflict
from service.usecases.loop import decisions, scheduling
from service.usecases.plan.project_state import material
from tests.integration.loops import Shop

PM = "pm-1@example.com"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop.open(Settings(home=tmp_path, _env_file=None))
    opened.begin_loop()
    yield opened
    opened.context.close()


@pytest.fixture
def begun(shop: Shop) -> Shop:
    shop.advance()
    return shop


def phases(shop: Shop) -> list[str]:
    return [phase.key for phase in material(shop.context, shop.project.id).template.phases]


def coming(shop: Shop) -> tuple[str, int, int]:
    stage = scheduling.coming(material(shop.context, shop.project.id)).stage
    return stage.phase, stage.loop, stage.of_phase


def ticket(shop: Shop, key: str, remote_key: str) -> None:
    row = ItemRow(
        project_id=shop.project.id,
        key=key,
        kind="ticket",
        state="made",
        remote_id=remote_key,
        remote_key=remote_key,
        wanted={},
        updated_at=shop.clock(),
    )
    with shop.context.database.session() as session:
        session.add(row)


def test_a_phase_goes_on_by_decision(begun: Shop) -> None:
    first = phases(begun)[0]
    loop = decisions.decide(begun.context, "ML", "stay", None, " the goals\nare not agreed ", PM)
    assert loop.decision == {
        "move": "stay",
        "phase": None,
        "reason": "the goals are not agreed",
        "by": PM,
        "at": begun.clock().isoformat().replace("+00:00", "Z"),
    }
    assert coming(begun) == (first, 1, 2)
    [event] = begun.events()
    assert (event.kind, event.by, event.iteration) == ("decided", PM, 1)
    assert "another iteration of the same phase. the goals are not agreed" in event.text


def test_the_next_phase_comes_by_decision(begun: Shop) -> None:
    decisions.decide(begun.context, "ML", "next", None, "good enough", PM)
    assert coming(begun) == (phases(begun)[1], 1, 1)


def test_a_phase_that_was_there_before_begins_a_new_turn_of_the_loop(begun: Shop) -> None:
    first, second, *_others = phases(begun)
    decisions.decide(begun.context, "ML", "next", None, "good enough", PM)
    begun.advance()
    assert begun.iteration(2).phase == second
    decisions.decide(begun.context, "ML", "back", first, "users want something else", PM)
    assert coming(begun) == (first, 2, 1)
    begun.advance()
    assert (begun.iteration(3).phase, begun.iteration(3).loop, begun.iteration(3).of_phase) == (first, 2, 1)


def test_the_later_of_two_decisions_counts_and_both_are_in_the_history(begun: Shop) -> None:
    decisions.decide(begun.context, "ML", "next", None, "good enough", PM)
    decisions.decide(begun.context, "ML", "stay", None, "not after all", PM)
    assert coming(begun)[2] == 2
    assert [event.name for event in begun.events()] == ["decided:1", "decided:2"]


def test_a_decision_can_be_taken_back(begun: Shop) -> None:
    before = coming(begun)
    decisions.decide(begun.context, "ML", "stay", None, "not there", PM)
    decisions.take_back(begun.context, "ML", PM)
    decisions.take_back(begun.context, "ML", PM)
    assert begun.loop().decision is None
    assert coming(begun) == before
    assert [event.kind for event in begun.events()] == ["decided", "decision-taken-back"]


@pytest.mark.parametrize(
    ("move", "phase", "message"),
    [
        ("begin", None, "move"),
        ("sideways", None, "one of: stay, next, back, end"),
        ("stay", "anything", "does not go with `stay`"),
        ("back", None, "is missing; one that was there before"),
        ("back", "no-such", "'no-such' is no phase of the template"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(begun: Shop, move: str, phase: str | None, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decisions.decide(begun.context, "ML", move, phase, "", PM)
    assert message in str(caught.value)
    assert "reason" in str(caught.value)
    assert begun.loop().decision is None


def test_back_leads_only_to_where_the_project_was(begun: Shop) -> None:
    with pytest.raises(InvalidInput, match="was not reached yet"):
        decisions.decide(begun.context, "ML", "back", phases(begun)[2], "why not", PM)


def test_before_the_first_iteration_nothing_is_decided_or_answered(shop: Shop) -> None:
    with pytest.raises(Conflict, match="ML has no current iteration"):
        decisions.decide(shop.context, "ML", "stay", None, "why not", PM)
    with pytest.raises(Conflict, match="ML has no current iteration"):
        decisions.answer(shop.context, "ML", {"*": "next"}, PM)


def test_answers_name_tickets_by_either_key_and_are_added_to_those_before(begun: Shop) -> None:
    ticket(begun, "ticket:set-goals", "ML-3")
    ticket(begun, "record:1", "ML-4")
    decisions.answer(begun.context, "ML", {"ml-3": "backlog", "guest:77": "leave"}, PM)
    loop = decisions.answer(begun.context, "ML", {"record:1": "next", "ML-3": "leave", "*": "backlog"}, PM)
    assert loop.answers == {"ticket:set-goals": "leave", "guest:77": "leave", "record:1": "next", "*": "backlog"}
    assert loop.changed_by == PM
    assert begun.events()[-1].text == (
        "What is not done in iteration 1 of ML: record:1: next, ticket:set-goals: leave, all others: backlog."
    )


def test_everything_wrong_with_answers_is_told_at_once(begun: Shop) -> None:
    with pytest.raises(InvalidInput) as caught:
        decisions.answer(begun.context, "ML", {"ML-99": "next", "*": "later"}, PM)
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [
        ("ML-99", "there is no such ticket"),
        ("*", "'later' is no answer"),
    ]
    with pytest.raises(InvalidInput, match="there are none"):
        decisions.answer(begun.context, "ML", {}, PM)
    ticket(begun, "ticket:load", "ML-12")
    with pytest.raises(InvalidInput, match="and 'ticket:load' are the same ticket, with two answers"):
        decisions.answer(begun.context, "ML", {"ticket:load": "backlog", "ML-12": "leave"}, PM)
    assert begun.loop().answers == {}


def test_a_decision_and_answers_for_one_advance_are_checked_and_kept_nowhere(begun: Shop) -> None:
    ticket(begun, "ticket:load", "ML-12")

    decision = decisions.decision_of(begun.context, "ML", "stay", None, "not agreed", PM)
    answers = decisions.answers_of(begun.context, "ML", {"ml-12": "backlog", "*": "leave"})

    assert (decision.move, decision.by, decision.reason, decision.at) == ("stay", PM, "not agreed", begun.clock())
    assert answers == {"ticket:load": "backlog", "*": "leave"}
    assert begun.loop().decision is None
    assert begun.loop().answers == {}
    with pytest.raises(InvalidInput, match="there is no such ticket"):
        decisions.answers_of(begun.context, "ML", {"ML-99": "next"})
    with pytest.raises(InvalidInput, match="was not reached yet"):
        decisions.decision_of(begun.context, "ML", "back", phases(begun)[-1], "", PM)


def test_nothing_is_decided_for_one_advance_before_the_first_iteration(shop: Shop) -> None:
    with pytest.raises(Conflict, match="ML has no current iteration yet"):
        decisions.decision_of(shop.context, "ML", "end", None, "no money", PM)
    with pytest.raises(Conflict, match="ML has no current iteration yet"):
        decisions.answers_of(shop.context, "ML", {"*": "next"})
