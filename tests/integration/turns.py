"""A project sent on early, back and on again, in any order: processes of several shapes, and what has to be true of
the tracker after every turn, whatever was decided before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.values import ItemKind
from service.cli import turnover as words
from service.domain.loop.turnover import Decision, Move
from service.domain.plan import run_state
from service.domain.plan.plan import Action, Plan, Reason
from service.store import items
from service.usecases.audit import history
from service.usecases.loop import advances
from service.usecases.plan import planning
from tests.integration.turntable import TEMPLATE, Turntable

BY = "lead@example.com"


@dataclass(frozen=True)
class Shape:
    """A phase of a process: its tickets, one after the other, over so many iterations."""

    key: str
    tickets: tuple[str, ...]
    iterations: int = 1
    recurring: bool = False


EXPLORE = Shape("explore", ("frame", "probe"))
BUILD = Shape("build", ("train", "prove"), iterations=2)
RUN = Shape("run", ("watch",), recurring=True)
CARE = Shape("care", ("watch", "tend"), iterations=2, recurring=True)

SHAPES: Mapping[str, tuple[Shape, ...]] = {
    "two of the second": (EXPLORE, BUILD, RUN),
    "two of the first": (Shape("explore", ("frame", "probe", "sum"), iterations=2), BUILD, CARE),
    "one that comes again in the middle": (EXPLORE, CARE, BUILD, Shape("end", ("hand",), iterations=2)),
    "three of the second": (EXPLORE, Shape("build", ("train", "tune", "prove"), iterations=3), CARE),
}


def process(shapes: Sequence[Shape]) -> str:
    """The text of a template with these phases, otherwise as that of the turntable."""
    head, _, _ = TEMPLATE.read_text().partition("phases:\n")
    head = head.replace("{{ phase.short }} {{ iteration.number }}", "It {{ iteration.number }}")
    return head + "phases:\n" + "".join(_phase(shape) for shape in shapes)


def _phase(shape: Shape) -> str:
    tickets = "".join(
        f"\n      - {{key: {key}, title: {_title(key, shape)}, epic: {shape.key}, role: ml, description: Do it.,"
        f"\n         done: [It is done], deliverable: a file, points: {number + 2}{_needs(shape, number)}}}"
        for number, key in enumerate(shape.tickets)
    )
    recurring = "\n    recurring: true" if shape.recurring else ""
    return f"""  - key: {shape.key}
    title: {shape.key.title()}
    short: {shape.key.title()}
    focus: Do it.
    roles: [ml, data, pm, devops, qa]
    iterations: {shape.iterations}{recurring}
    epics: [{{key: {shape.key}, title: {shape.key.title()}, description: All of it.}}]
    tickets:{tickets}
    record: {{epic: {shape.key}, author: ml, sign_off: pm, points: 1}}
    exit: {{output: It is done., needs: [{shape.tickets[-1]}]}}
"""


def _title(key: str, shape: Shape) -> str:
    return f'"{key.title()} ({{{{ iteration.number }}}})"' if shape.recurring else key.title()


def _needs(shape: Shape, number: int) -> str:
    return f", needs: [{shape.tickets[number - 1]}]" if number else ""


def decision(table: Turntable, move: str) -> Decision | None:
    """What a move says: `next`, `stay`, `back:explore`; nothing is decided by `go`."""
    if move == "go":
        return None
    name, _, phase = move.partition(":")
    return Decision(Move(name), BY, "We say so.", table.context.now(), phase or None)


def advance(table: Turntable, number: int, move: str, answers: Mapping[str, str] | None = None) -> Plan:
    """Look at the advance, begin it and hold the two against one another; the plan that was applied."""
    said = decision(table, move)
    looked = advances.preview(table.context, "ML", answers=answers, decision=said).plan
    run = table.advanced(number, answers=answers, decision=said)
    assert run.state == run_state.COMPLETED, (run.state, run.findings)
    assert run.plan_id is not None
    plan = planning.plan_of(planning.get(table.context, run.plan_id))
    told_truly(table, looked, plan, number)
    return plan


def told_truly(table: Turntable, looked: Plan, plan: Plan, number: int) -> None:
    """What was said before, what was planned and what the history says are the same; nothing is said to have left a
    template that nobody changed, nor to be anybody's doing where nobody did anything."""
    said = [(one.key, one.action, one.reason, one.changed) for one in looked.changes]
    assert said == [(one.key, one.action, one.reason, one.changed) for one in plan.changes]
    left = [one for one in plan.changes if one.action is Action.FORGET and one.kind is not ItemKind.LINK]
    assert not left, [(one.key, one.reason) for one in left]
    links = [one for one in plan.changes if one.reason is Reason.LEFT_THE_TEMPLATE]
    assert not [one.key for one in links if not one.note], links
    assert not plan.drift, plan.drift
    past = history.history(table.context, "ML")
    began = next(one for one in past.iterations if one.row.number == number)
    turnover = looked.turnover
    assert turnover is not None
    assert words.begins_with(looked, turnover) == began.figures.all.planned
    for one in past.iterations[:-1]:
        assert one.figures.all.added.tickets == 0, (one.row.number, one.figures.all)


def is_whole(table: Turntable, opened: Counter[str]) -> None:
    """Nothing is left to plan, and no ticket is `opened` twice, by the titles in the tracker."""
    assert not [title for title, count in opened.items() if count > 1], opened
    with table.context.database.session() as session:
        recorded = items.recorded(session, table.project)
    refs = Counter(one.ref.id for one in recorded.values() if one.ref is not None and one.kind is ItemKind.TICKET)
    assert not [key for key, count in refs.items() if count > 1]
    again = planning.draft(table.context, "ML").plan
    assert again.empty, [(one.key, one.action, one.changed) for one in again.changes if one.action is not Action.KEEP]
    assert not again.drift, again.drift
