"""What people decide about the coming iteration: which phase it is of, and what becomes of work that is not done. Kept
in the loop until the next advance, which goes by it; writes nothing to a tracker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.tracker import Content, ItemKind
from service.context import Context
from service.domain.figures import GUEST
from service.domain.problems import InvalidInput, Problem
from service.domain.template import Key
from service.domain.turnover import ANSWERS, EVERYTHING, Decision, Move, decision_words, key_of
from service.domain.wire import plan_from_json
from service.store import loops
from service.store.tables import ItemRow, LoopRow, PlanRow, ProjectRow, RunRow
from service.usecases import projects
from service.usecases.errors import Conflict
from service.usecases.material import Material, material
from service.usecases.scheduling import changing, given_reason, refuse_at_work, tell

_DECISION = TypeAdapter(Decision)

_MOVES = (Move.STAY, Move.NEXT, Move.BACK, Move.END)


def decide(context: Context, project: str, move: str, phase: Key | None, reason: str, by: str) -> LoopRow:
    """Decide what follows the iteration that goes on, whatever its phase has reached: `stay` in the phase, go on to the
    `next` one, `back` to a phase that was there before, or `end` the project. It holds for the next advance, and
    replaces what was decided for that before.

    Raises NotFound, Conflict (the loop has not begun or has ended, no iteration goes on, an advance has begun already),
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
    return loop


def stands(loop: LoopRow) -> Decision | None:
    """The decision that stands for the next advance."""
    return _DECISION.validate_python(loop.decision) if loop.decision is not None else None


def keep_decision(session: Session, row: ProjectRow, loop: LoopRow, decision: Decision) -> None:
    """Keep a checked decision in the loop, and tell it."""
    said = _DECISION.dump_python(decision, mode="json")
    loop.decision = said
    words = decision_words(decision.move, decision.phase)
    text = f"After iteration {loop.current} of {row.key}: {words}. {decision.reason}"
    tell(session, loop, "decided", text, decision.by, decision.at, said)


def take_back(context: Context, project: str, by: str) -> LoopRow:
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
    return loop


def answer(context: Context, project: str, answers: Mapping[str, str], by: str) -> LoopRow:
    """Say what becomes of tickets that are not done when the iteration that goes on is closed, by item key, by what the
    tracker calls them (ML-12), or `*` for all that have no answer of their own: `next`, `backlog` or `leave`. Added to
    earlier answers; of two for one ticket the later counts.

    Raises NotFound, Conflict (the loop has not begun or has ended, no iteration goes on, an advance has begun already),
    InvalidInput with everything that is wrong with them.
    """
    row = projects.going_on(context, project)
    now = context.now()
    with changing(context, row) as (session, loop):
        _refuse_before_the_first(row, loop)
        refuse_at_work(session, row, loop)
        keep_answers(session, row, loop, _resolved(session, row, loop, answers), by, now)
        context.done(session, row.id)
    return loop


def keep_answers(
    session: Session, row: ProjectRow, loop: LoopRow, given: Mapping[str, str], by: str, now: datetime
) -> None:
    """Keep checked answers in the loop, besides those that stand, and tell them."""
    loop.answers = {**loop.answers, **given}
    if loop.state == loops.TURNING:  # of a paused loop, who paused it stays
        loop.changed_by = by
    said = ", ".join(f"{'all others' if key == EVERYTHING else key}: {policy}" for key, policy in given.items())
    text = f"What is not done in iteration {loop.current} of {row.key}: {said}."
    tell(session, loop, "answered", text, by, now, {"answers": dict(given)})


def decision_of(context: Context, project: str, move: str, phase: Key | None, reason: str, by: str) -> Decision:
    """The decision that `decide` would keep, kept nowhere: for an advance that is begun or looked at with it.

    Raises NotFound, Conflict (no iteration goes on), InvalidInput with everything that is wrong with it.
    """
    row = projects.going_on(context, project)
    known = material(context, row.id)
    why = _checked(known, move, phase, reason)
    if known.loop is not None:
        _refuse_before_the_first(row, known.loop)
    return Decision(Move(move), by, why, context.now(), phase)


def answers_of(context: Context, project: str, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers by item key, as `answer` would keep them, kept nowhere.

    Raises NotFound, Conflict (no iteration goes on), InvalidInput with everything that is wrong with them.
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
        yield Problem("decision", None, "move", f"{move!r} is none", f"one of {', '.join(_MOVES)}")
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
        yield Problem("decision", None, "phase", "is missing", fix)
    elif phase not in before:
        what = "was not reached yet" if phase in there else "is no phase of the template"
        yield Problem("decision", None, "phase", f"{phase!r} {what}", fix)


def _refuse_before_the_first(row: ProjectRow, loop: LoopRow) -> None:
    if loop.current == 0:
        raise Conflict(
            "no-iteration", f"No iteration of {row.key} goes on yet.", "Wait until the first has begun, or advance now."
        )


def _resolved(session: Session, row: ProjectRow, loop: LoopRow, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers by item key, or everything that is wrong with them."""
    problems = [] if answers else [Problem("answers", None, "", "there are none", "name a ticket, or `*` for all")]
    names = _names(session, row.id, loop)
    given: dict[str, str] = {}
    for name, policy in answers.items():
        key = name if name == EVERYTHING or name.startswith(GUEST) else names.get(name.casefold())
        if key is None:
            fix = f"name a ticket of {row.key} by its key, or `*` for all"
            problems.append(Problem("answers", None, name, "there is no such ticket", fix))
        if policy not in ANSWERS:
            problems.append(Problem("answers", None, name, f"{policy!r} is no answer", f"one of {', '.join(ANSWERS)}"))
        if key is not None:
            given[key] = policy
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


def _proposed(session: Session, project_id: str, loop: LoopRow) -> Sequence[Content]:
    """The tickets that the newest proposal for this iteration saw in it."""
    of_this = RunRow.project_id == project_id, RunRow.kind == loops.PROPOSE, RunRow.iteration == loop.current
    newest = select(RunRow.plan_id).where(*of_this, RunRow.plan_id.is_not(None)).order_by(RunRow.created_at.desc())
    plan_id = session.scalar(newest.limit(1))
    row = session.get(PlanRow, plan_id) if plan_id is not None else None
    turnover = plan_from_json(row.body).turnover if row is not None and "changes" in row.body else None
    return turnover.contents if turnover is not None else ()
