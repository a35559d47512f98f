"""The commands that turn a project's loop, and people's word in it: advance, carry, phase."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape

from service.cli.going_on import how_it_goes_on
from service.cli.project_options import pairs
from service.cli.runs import report
from service.cli.shell import AsJson, Exit, err, fail, misused, opened, out, print_json, who
from service.cli.show import plan_lines
from service.cli.turnover import closing_lines, phase_line
from service.cli.words import clock_words
from service.cli.work import carry_out
from service.context import Context
from service.domain.commands import typed
from service.domain.english import ordinal
from service.domain.problems import InvalidInput, Problem
from service.domain.turnover import EVERYTHING, Decision
from service.domain.wire import published
from service.store import loops, runs
from service.store.tables import RunRow
from service.usecases import advancing, deciding
from service.usecases.applying import Enqueue
from service.usecases.history import history
from service.usecases.planning import Draft
from service.usecases.standing import Standing, standing

Named = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's key or id.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.")]
FORM = "KEY=next, KEY=backlog or KEY=leave, or one of the three for all"


def advance(
    project: Named,
    carry: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[KEY=]POLICY",
            help="What becomes of a ticket that is not done: next, backlog or leave; without a key, of all that have "
            "no answer of their own. May be repeated.",
        ),
    ] = None,
    phase: Annotated[
        str | None,
        typer.Option(metavar="MOVE", help="Which phase comes: stay, next, back:PHASE, or end. Needs --reason."),
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    everything: Annotated[bool, typer.Option("--all", help="Show what is unchanged, and every dependency.")] = False,
    as_json: AsJson = False,
) -> None:
    """Advance now: close the iteration that goes on, carry over what is not done, begin the next one.

    Shows what it would do, asks, and follows the run. It is the run that the clock would start: asked for twice, or by
    the clock as well, it is done once. Where it cannot go on it is held, says who can mend what, and goes on by itself.

    Exit code 0: done. 1: an error, or held. 2: it was only shown.
    """
    with opened() as context:
        found = standing(context, project)
        answers = deciding.answers_of(context, project, answers_given(carry)) if carry else {}
        decision = _decision(context, project, phase, reason) if phase is not None else None
        if _under_way(found):
            out_unless(as_json, "An advance is under way already; this follows it.")
        elif not yes or not (as_json or _paused(found)):
            draft = advancing.preview(context, project, answers=answers, decision=decision)
            if not as_json:
                for line in plan_lines(draft.plan, "", everything=everything):
                    out.print(line)
            if not yes and (_paused(found) or not _agreed(draft, as_json=as_json)):
                _leave(found, draft, context.now(), as_json=as_json)
        begins = found.loop.current + 1 if found.loop is not None else None  # what was shown, not what comes after it

        def begin(enqueue: Enqueue) -> RunRow:
            return advancing.advance(
                context, project, who(), enqueue, answers=answers, decision=decision, begins=begins
            )

        ended = carry_out(context, begin)
        told = history(context, found.project.id).events
    for event in told:
        if event.run_id == ended.run.id and event.kind != runs.HELD:
            out_unless(as_json, escape(event.text))
    report(ended, as_json=as_json)


def carry(
    project: Named,
    answers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=]POLICY...",
            help="A ticket's key, ours or the tracker's such as ML-12, and next, backlog or leave; without a key, for "
            "all that have no answer of their own.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what becomes of tickets that are not done when the iteration is closed: next carries them over, backlog takes
    them out of every iteration, leave leaves them where the tracker does. Without an answer, show what would become of
    them now. Answers count for the coming advance; nothing is written to the tracker before that.
    """
    with opened() as context:
        if answers:
            deciding.answer(context, project, answers_given(answers), who())
        found = standing(context, project)
        if found.turn is None:
            _no_iteration(found)
        draft = advancing.preview(context, project)
    if as_json:
        print_json(_carry_json(found, draft))
        return
    for line in _carry_lines(found, draft):
        out.print(line)


def phase(
    project: Named,
    move: Annotated[
        str | None,
        typer.Argument(metavar="MOVE", help="stay, next, back or end; left out to show how the phase stands."),
    ] = None,
    to: Annotated[
        str | None, typer.Argument(metavar="PHASE", help="With back: the phase, one that was there before.")
    ] = None,
    reason: Reason = "",
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Let what the phase has reached decide again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Decide what follows the iteration that goes on: another one of the same phase (stay), the next phase whether or
    not this one has reached its output (next), a phase that was there before, with new tickets (back), or the end of
    the project (end). It needs a reason, holds for the coming advance, and can be taken back until then.

    Without a move, show the phase, what it lacks, and the decision that stands.
    """
    with opened() as context:
        if take_back:
            if move is not None:
                misused(
                    "--take-back goes without a move.", "Take the former decision back, or replace it by a new one."
                )
            deciding.take_back(context, project, who())
        elif move is not None:
            deciding.decide(context, project, move, to, _given_reason(reason), who())
        found = standing(context, project)
        if found.turn is None:
            _no_iteration(found)
        draft = advancing.preview(context, project)
    if as_json:
        print_json(_phase_json(found, draft))
        return
    for line in _phase_lines(found, draft):
        out.print(line)


def answers_given(values: list[str]) -> dict[str, str]:
    """Answers from arguments: KEY=POLICY, or a policy for all that have none of their own. Raises InvalidInput."""
    alone = [value for value in values if "=" not in value]
    if len(alone) > 1:
        message = f"are {len(alone)} answers for all: {', '.join(alone)}"
        raise InvalidInput([Problem("answers", None, "", message, f"give {FORM}, once")])
    given = pairs("answers", [value for value in values if "=" in value], FORM)
    return {**given, **({EVERYTHING: alone[0].strip()} if alone else {})}


def out_unless(as_json: bool, line: str) -> None:
    """Print a line for people."""
    if not as_json:
        out.print(line)


# --- what was asked for -----------------------------------------------------------------------------------------------


def _decision(context: Context, project: str, given: str, reason: str) -> Decision:
    """The decision of `--phase`, such as `next` or `back:data`."""
    move, sign, to = given.partition(":")
    return deciding.decision_of(
        context, project, move.strip(), to.strip() if sign else None, _given_reason(reason), who()
    )


def _given_reason(reason: str) -> str:
    if not reason.strip():
        misused("A decision about the phase needs a reason.", 'Give it with --reason "..."; it is kept in the history.')
    return reason


def _under_way(found: Standing) -> bool:
    run = found.run
    return run is not None and run.kind == loops.ADVANCE and run.state != runs.HELD


def _paused(found: Standing) -> bool:
    return found.loop is not None and found.loop.state == loops.PAUSED


def _agreed(draft: Draft, *, as_json: bool) -> bool:
    """Whether a person says yes; where nobody can be asked, or something stands in the way, nobody did."""
    asked = not as_json and not draft.plan.blocked and sys.stdin.isatty()
    return asked and typer.confirm("Advance now?", err=True)


def _leave(found: Standing, draft: Draft, now: datetime, *, as_json: bool) -> NoReturn:
    """Leave with what was shown and not done."""
    key = escape(found.project.key)
    if as_json:
        print_json(_draft_json(draft))
    if draft.plan.blocked:
        if not as_json:
            err.print("[bold red]It cannot go on before the findings above marked error are mended.[/]")
            err.print(f"To have it held until they are, and go on by itself then: phaseloop advance {typed(key)} --yes")
        raise typer.Exit(Exit.ERROR)
    if not as_json and _paused(found):
        for line in how_it_goes_on(found, now):
            out.print(line)
    elif not as_json:
        out.print(f"Nothing was changed yet. Do it with: phaseloop advance {typed(key)} --yes")
        if found.turns is not None:
            when = "it is due" if found.turns.at <= now else f"on {clock_words(found.turns.at)}"
            out.print(f"Else the service does it: {when}.")
    raise typer.Exit(Exit.CHANGES)


def _no_iteration(found: Standing) -> NoReturn:
    key = escape(found.project.key)
    if found.loop is None:
        fail(f"The loop of {key} has not begun.", f"It does when a first plan was applied: phaseloop plan {typed(key)}")
    when = f" It does on {clock_words(found.next.at)}." if found.next is not None else ""
    fail(f"The first iteration of {key} has not begun.{when}", f"To begin it now: phaseloop advance {typed(key)}")


# --- how things stand -------------------------------------------------------------------------------------------------


def _draft_json(draft: Draft) -> dict[str, Any]:
    return {**published(draft.plan), "requests": {"reads": draft.reads, "writes": draft.writes}}


def _carry_json(found: Standing, draft: Draft) -> dict[str, Any]:
    turnover = published(draft.plan)["turnover"]
    return {
        "project": found.project.key,
        "iteration": turnover["closes"],
        "answers": dict(found.loop.answers) if found.loop is not None else {},
        "carried": turnover["carried"],
    }


def _carry_lines(found: Standing, draft: Draft) -> Iterator[str]:
    turnover, turn = draft.plan.turnover, found.turn
    if turnover is None or turn is None:
        return
    yield f"Iteration {turn.number} of [bold]{escape(found.project.key)}[/] ends on {clock_words(turn.ends)}."
    yield "As it stands now:"
    yield from closing_lines(draft.plan, turnover)
    yield ""
    if found.loop is not None and found.loop.answers:
        answers = ", ".join(f"{'all others' if k == EVERYTHING else k}={p}" for k, p in found.loop.answers.items())
        yield f"Answered so far: {escape(answers)}"
    if turnover.carried:
        key = escape(found.project.key)
        yield (
            f"To have it otherwise: phaseloop carry {typed(key)} KEY=backlog (or next, or leave; without KEY= for all)"
        )


def _phase_json(found: Standing, draft: Draft) -> dict[str, Any]:
    turnover = published(draft.plan)["turnover"]
    turn = found.turn
    return {
        "project": found.project.key,
        "phase": turn.stage.phase if turn is not None else None,
        "loop": turn.stage.loop if turn is not None else None,
        "iteration": turn.number if turn is not None else None,
        "lacking": turnover["lacking"],
        "decision": found.loop.decision if found.loop is not None else None,
        "coming": {name: turnover[name] for name in ("move", "phase", "loop", "of_phase")},
    }


def _phase_lines(found: Standing, draft: Draft) -> Iterator[str]:
    turnover, turn = draft.plan.turnover, found.turn
    if turnover is None or turn is None:
        return
    key, title = escape(found.project.key), escape(found.phases.get(turn.stage.phase, turn.stage.phase))
    again = f", turn {turn.stage.loop} of the loop" if turn.stage.loop > 1 else ""
    nth = f"iteration {turn.number}, its {ordinal(turn.stage.of_phase)} of {turn.turns}"
    yield f"[bold]{key}[/] is in the phase [bold]{title}[/] ({escape(turn.stage.phase)}){again}: {nth}."
    if turnover.lacking:
        yield "It has not reached its output:"
        yield from (f"  - {escape(each)}" for each in turnover.lacking)
    else:
        yield "It has reached its output."
    yield phase_line(turnover, why=turnover.decision is not None or not turnover.lacking)
    if found.decision is not None:
        yield f"To take that back: phaseloop phase {typed(key)} --take-back"
    if found.turns is not None:
        yield f"The next advance comes on {clock_words(found.turns.at)}, and goes by how things stand then."
