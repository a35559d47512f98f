"""What people decide about the coming iteration: which phase it is of, and what becomes of work that is not done. Kept
in the loop until the next advance, which goes by it; writes nothing to a tracker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.values import Content, ItemKind
from service.context import Context
from service.domain.loop import loop_state
from service.domain.loop.figures import GUEST
from service.domain.loop.turnover import ANSWERS, EVERYTHING, Decision, Move, decision_words, key_of
from service.domain.plan import placement
from service.domain.plan.plan_json import plan_from_json
from service.domain.problems import MISSING, InvalidInput, Problem
from service.domain.template.shape import meant, meant_of
from service.domain.template.template import Key
from service.store import items, loops
from service.store.tables import ItemRow, LoopRow, PlanRow, RunRow
from service.usecases.errors import Conflict
from service.usecases.loop.scheduling import changing, given_reason, open_loop, refuse_at_work, tell
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects
from service.views.loop import LoopView
from service.views.setup import ProjectView

DECIDED = "decided"
"""The kind of the events that tell of a decision."""

_MOVES = (Move.STAY, Move.NEXT, Move.BACK, Move.END)


@dataclass(frozen=True, slots=True)
class Answered:
    """What is to become of the ticket with this item key, or of all others."""

    key: str
    title: str
    policy: str


def decide(context: Context, project: str, move: str, phase: Key | None, reason: str, by: str) -> LoopView:
    """Decide what follows the current iteration, whatever its phase has reached: `stay` in the phase, go to the
    `next` one, `back` to a phase that was there before, or `end` the project. It holds for the next advance, and
    replaces what was decided for that before.

    Raises NotFound, Conflict (the loop has not begun or has ended, no current iteration, an advance has begun already),
    InvalidInput with everything that is wrong with it.
    """
    row = projects.going_on(context, project)
    known = material(context, row.id)
    why = _checked(known, move, phase, reason)
    now = context.now()
    with changing(context, row, known) as (session, loop):
        _refuse_before_the_first(row, loop)
        refuse_at_work(session, row, loop)
        keep_decision(session, row, loop, Decision(Move(move), by, why, now, phase))
        context.done(session, row.id)
    return LoopView.of(loop)


def refuse_undecidable(context: Context, row: projects.Kept) -> None:
    """Raises Conflict as `decide` does where nothing can be decided now. Writes nothing."""
    with context.database.session() as session:
        loop = open_loop(row, loops.find(session, row.id))
        _refuse_before_the_first(row, loop)
        refuse_at_work(session, row, loop)


def keep_decision(session: Session, row: ProjectView, loop: LoopRow, decision: Decision) -> None:
    """Keep a checked decision in the loop, and tell it."""
    said = loops.decision_json(decision)
    loop.decision = said
    words = decision_words(decision.move, decision.phase)
    text = f"After iteration {loop.current} of {row.key}: {words}. {decision.reason}"
    tell(session, loop, DECIDED, text, decision.by, decision.at, said)


def take_back(context: Context, project: str, by: str) -> LoopView:
    """Let the exit criterion of the phase decide again. Repeatable. Raises NotFound, Conflict."""
    row = projects.going_on(context, project)
    now = context.now()
    with changing(context, row) as (session, loop):
        refuse_at_work(session, row, loop)
        if loop.decision is not None:
            was, loop.decision = dict(loop.decision), None
            text = f"After iteration {loop.current} of {row.key}, its phase decides again."
            tell(session, loop, "decision-taken-back", text, by, now, {"was": was})
        context.done(session, row.id)
    return LoopView.of(loop)


def answer(context: Context, project: str, answers: Mapping[str, str], by: str) -> LoopView:
    """Say what becomes of tickets that are not done when the current iteration is closed: `next`, `backlog` or `leave`,
    by item key, by what the tracker calls them (ML-12), by their title where no other has it, or by `*` for all that
    have no answer of their own. Added to earlier answers; of two for one ticket the later counts.

    Raises NotFound, Conflict (the loop has not begun or has ended, no current iteration, an advance has begun already),
    InvalidInput with everything that is wrong with them.
    """
    row = projects.going_on(context, project)
    now = context.now()
    with changing(context, row) as (session, loop):
        _refuse_before_the_first(row, loop)
        refuse_at_work(session, row, loop)
        keep_answers(session, row, loop, _resolved(session, row, loop, answers), by, now)
        context.done(session, row.id)
    return LoopView.of(loop)


def keep_answers(
    session: Session, row: ProjectView, loop: LoopRow, given: Mapping[str, str], by: str, now: datetime
) -> None:
    """Keep checked answers in the loop, besides those that stand, and tell them."""
    loop.answers = {**loop.answers, **given}
    if loop.state == loop_state.TURNING:  # of a paused loop, who paused it stays
        loop.changed_by = by
    called = _called(session, row.id, loop)
    said = ", ".join(f"{called.get(key, key)}: {policy}" for key, policy in given.items())
    text = f"What is not done in iteration {loop.current} of {row.key}: {said}."
    tell(session, loop, "answered", text, by, now, {"answers": dict(given)})


def answered(context: Context, project_id: str) -> list[Answered]:
    """The answers that stand."""
    with context.database.session() as session:
        loop = loops.find(session, project_id)
        if loop is None or not loop.answers:
            return []
        called = _called(session, project_id, loop)
        return [Answered(key, called.get(key, key), policy) for key, policy in loop.answers.items()]


def decision_of(context: Context, project: str, move: str, phase: Key | None, reason: str, by: str) -> Decision:
    """The decision that `decide` would keep, kept nowhere: for an advance that is begun or looked at with it.

    Raises NotFound, Conflict (no current iteration), InvalidInput with everything that is wrong with it.
    """
    row = projects.going_on(context, project)
    known = material(context, row.id)
    why = _checked(known, move, phase, reason)
    if known.loop is not None:
        _refuse_before_the_first(row, known.loop)
    return Decision(Move(move), by, why, context.now(), phase)


def answers_of(context: Context, project: str, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers by item key, as `answer` would keep them, kept nowhere.

    Raises NotFound, Conflict (no current iteration), InvalidInput with everything that is wrong with them.
    """
    row = projects.going_on(context, project)
    with context.database.session() as session:
        loop = loops.find(session, row.id)
        if loop is None:
            return dict(answers)
        _refuse_before_the_first(row, loop)
        return _resolved(session, row, loop, answers)


def _checked(known: Material, move: str, phase: Key | None, reason: str) -> str:
    """The reason, or everything that is wrong with the decision."""
    problems = list(_problems(known, move, phase))
    why = ""
    try:
        why = given_reason(reason)
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return why


def _problems(known: Material, move: str, phase: Key | None) -> Iterator[Problem]:
    if move not in _MOVES:
        yield Problem("decision", None, "move", f"{move!r} is none", meant_of(move, [one.value for one in _MOVES]))
        return
    if move != Move.BACK:
        if phase is not None:
            yield Problem("decision", None, "phase", f"does not go with `{move}`", "leave it out, or go `back`")
        return
    there = {each.key for each in known.template.phases}
    before = list(dict.fromkeys(one.stage.phase for one in known.begun if one.stage.phase in there))
    fix = (
        f"one that was there before: {', '.join(before)}"
        if before
        else "no phase was there before: no iteration has begun"
    )
    if phase is None:
        yield Problem("decision", None, "phase", MISSING, fix)
    elif phase not in before:
        what = "was not reached yet" if phase in there else "is no phase of the template"
        slip = meant(phase, before)
        yield Problem("decision", None, "phase", f"{phase!r} {what}", f"{slip} It is {fix}" if slip else fix)


def _refuse_before_the_first(row: projects.Kept, loop: LoopRow) -> None:
    if loop.current == 0:
        raise Conflict(
            "no-iteration",
            f"{row.key} has no current iteration yet.",
            "Wait until the first has begun, or advance now.",
        )


def _resolved(session: Session, row: ProjectView, loop: LoopRow, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers by item key, or everything that is wrong with them."""
    problems = [] if answers else [Problem("answers", None, "", "there are none", "name a ticket, or `*` for all")]
    titles = {title.casefold(): keys for title, keys in _titles(session, row.id, loop).items()}
    names = {title: min(keys) for title, keys in titles.items() if len(keys) == 1} | _names(session, row.id, loop)
    given: dict[str, str] = {}

    def given_as(name: str) -> str | None:
        return name if name == EVERYTHING or name.startswith(GUEST) else names.get(name.casefold())

    for name, policy in answers.items():
        key = given_as(name)
        if key is None:
            fix = f"name a ticket of {row.key} by its key or its title, or `*` for all"
            several = len(titles.get(name.casefold(), ())) > 1
            what = "several tickets have this title" if several else "there is no such ticket"
            problems.append(Problem("answers", None, name, what, fix))
        if policy not in ANSWERS:
            one = "; for one ticket, KEY=ANSWER" if name == EVERYTHING else ""
            fix = f"{meant_of(policy, list(ANSWERS))}{one}"
            problems.append(Problem("answers", None, name, f"{policy!r} is no answer", fix))
        if key is not None and given.setdefault(key, policy) != policy:
            before = next(each for each in answers if each != name and given_as(each) == key)
            what = f"and {before!r} are the same ticket, with two answers"
            problems.append(Problem("answers", None, name, what, "keep one of them"))
    if problems:
        raise InvalidInput(problems)
    return given


def _names(session: Session, project_id: str, loop: LoopRow) -> dict[str, str]:
    """Item keys by what tickets are called: ours, and people's own as far as a proposal saw them."""
    of_project = ItemRow.project_id == project_id, ItemRow.kind == ItemKind.TICKET.value
    names = {content.ref.key.casefold(): str(key_of(content)) for content in _proposed(session, project_id, loop)}
    for key, remote_key in session.execute(select(ItemRow.key, ItemRow.remote_key).where(*of_project)):
        names |= {name.casefold(): key for name in (key, remote_key) if name}
    return names


def _titles(session: Session, project_id: str, loop: LoopRow) -> dict[str, set[str]]:
    """Item keys by the titles of tickets; of several with one title those of the current iteration."""
    titles: dict[str, set[str]] = {}
    for content in _proposed(session, project_id, loop):
        titles.setdefault(content.title, set()).add(str(key_of(content)))
    current: dict[str, set[str]] = {}
    for key, record in items.recorded(session, project_id).items():
        if record.kind is ItemKind.TICKET and record.ref is not None and (title := record.wanted.get("title")):
            titles.setdefault(str(title), set()).add(str(key))
            if placement.iteration_of(record) == loop.current:
                current.setdefault(str(title), set()).add(str(key))
    return titles | current


def _called(session: Session, project_id: str, loop: LoopRow) -> dict[str, str]:
    """What people call what answers are given for, by item key."""
    titles = {key: title for title, keys in _titles(session, project_id, loop).items() for key in keys}
    return {**titles, EVERYTHING: "all others"}


def _proposed(session: Session, project_id: str, loop: LoopRow) -> Sequence[Content]:
    """The tickets that the newest proposal for this iteration saw in it."""
    of_this = RunRow.project_id == project_id, RunRow.kind == loop_state.PROPOSE, RunRow.iteration == loop.current
    newest = select(RunRow.plan_id).where(*of_this, RunRow.plan_id.is_not(None)).order_by(RunRow.created_at.desc())
    plan_id = session.scalar(newest.limit(1))
    row = session.get(PlanRow, plan_id) if plan_id is not None else None
    turnover = plan_from_json(row.body).turnover if row is not None and "changes" in row.body else None
    return turnover.contents if turnover is not None else ()
