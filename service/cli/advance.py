"""The commands that turn a project's loop, and manual overrides: advance, carry, phase."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape

from service.cli.execution import carry_out
from service.cli.loop_words import how_it_goes_on, proposal_lines
from service.cli.plan_words import plan_lines
from service.cli.project_options import pairs
from service.cli.runs import report
from service.cli.shell import AsJson, Exit, again, err, fail, misused, opened, out, print_json, who
from service.cli.turnover import closing_lines, phase_line
from service.cli.words import clock_words
from service.context import Context
from service.domain.commands import typed
from service.domain.english import ordinal
from service.domain.loop import loop_state
from service.domain.loop.turnover import EVERYTHING, Decision, key_of
from service.domain.plan import run_state
from service.domain.plan.plan_json import published
from service.domain.problems import InvalidInput, Problem
from service.usecases.audit.history import history
from service.usecases.loop import advances, decisions
from service.usecases.loop.decisions import Answered
from service.usecases.loop.loop_status import Standing, standing
from service.usecases.plan.planning import Draft
from service.usecases.queue import Enqueue
from service.usecases.setup import projects
from service.views.run import RunView

Named = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's key, name or id.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.")]
FORM = "KEY=next, KEY=backlog or KEY=leave, or one of the three for all"


def advance(
    project: Named,
    carry: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[KEY=]POLICY",
            help="What becomes of a ticket that is not done: next, backlog or leave; the ticket by its key or its "
            "title, without one of all that have no answer of their own. May be repeated.",
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
    """Advance now: close the current iteration, carry over what is not done, begin the next one.

    Shows what it would do, asks, and follows the run. It is the run that the clock would start: asked for twice, or by
    the clock as well, it is done once. Where it cannot continue it is held, says who can fix what, and resumes
    automatically.

    Exit code 0: done. 1: an error, or held. 2: it was only shown.
    """
    said: list[str] = []
    with opened() as context:
        found = standing(context, project)
        answers = decisions.answers_of(context, project, answers_given(carry)) if carry else {}
        decision = _decision(context, project, phase, reason) if phase is not None else None
        if _under_way(found):
            out_unless(as_json, "An advance is under way already; this follows it.")
        elif not yes or not (as_json or _paused(found)):
            draft = advances.preview(context, project, answers=answers, decision=decision)
            if not as_json:
                there = projects.connection_of(context, found.project.id)
                for line in plan_lines(draft.plan, "", everything=everything, connection=there, phases=found.phases):
                    out.print(line)
                said = [one.message for one in draft.plan.findings]
            if not yes and (_paused(found) or not _agreed(draft, as_json=as_json)):
                given = bool(answers) or decision is not None
                by_itself = given and not as_json and not draft.plan.blocked and found.turns is not None
                without = advances.preview(context, project) if by_itself and not _paused(found) else None
                _leave(found, draft, context.now(), without, as_json=as_json)
        begins = found.loop.current + 1 if found.loop is not None else None  # what was shown, not what comes after it

        def begin(enqueue: Enqueue) -> RunView:
            return advances.advance(context, project, who(), enqueue, answers=answers, decision=decision, begins=begins)

        ended = carry_out(context, begin)
        told = history(context, found.project.id).events
    for event in told:
        if event.run_id == ended.run.id and event.kind != run_state.HELD:
            out_unless(as_json, escape(untold(event.text, (*said, *(one["message"] for one in ended.run.findings)))))
    report(ended, as_json=as_json, said=said)


def carry(
    project: Named,
    answers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=]POLICY...",
            help="A ticket's key, ours or the tracker's such as ML-12, or its title, and next, backlog or leave; "
            "without any, for all that have no answer of their own.",
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
            decisions.answer(context, project, answers_given(answers), who())
        found = standing(context, project)
        if found.turn is None:
            _no_iteration(found)
        draft = advances.preview(context, project)
        answered = decisions.answered(context, found.project.id)
    if as_json:
        print_json(_carry_json(found, draft))
        return
    for line in _carry_lines(found, draft, answered):
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
    """Decide what follows the current iteration: another one of the same phase (stay), the next phase whether or
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
            decisions.take_back(context, project, who())
        elif move is not None:
            decisions.decide(context, project, move, to, reason, who())
        found = standing(context, project)
        if found.turn is None:
            _no_iteration(found)
        draft = advances.preview(context, project)
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
    return decisions.decision_of(context, project, move.strip(), to.strip() if sign else None, reason, who())


def untold(text: str, said: Iterable[str]) -> str:
    """What happened, without what this command says beside it: which records are not complete, and why."""
    for one in said:
        text = text.replace(f"{one.rstrip('.')}.", "").replace(one, "")
    return " ".join(text.split())


def _under_way(found: Standing) -> bool:
    run = found.run
    return run is not None and run.kind == loop_state.ADVANCE and run.state != run_state.HELD


def _paused(found: Standing) -> bool:
    return found.loop is not None and found.loop.state == loop_state.PAUSED


def _agreed(draft: Draft, *, as_json: bool) -> bool:
    """Whether a person says yes; where nobody can be asked, or something blocks it, nobody did."""
    asked = not as_json and not draft.plan.blocked and sys.stdin.isatty()
    return asked and typer.confirm("Advance now?", err=True)


def _leave(found: Standing, draft: Draft, now: datetime, without: Draft | None, *, as_json: bool) -> NoReturn:
    """Leave with what was shown and not done. `without` is what the service does by itself, where that was shown with
    answers or a decision of this command, which are not kept."""
    if as_json:
        print_json(_draft_json(draft))
    if draft.plan.blocked:
        if not as_json:
            err.print("[bold red]It cannot continue before the findings above marked error are fixed.[/]")
            err.print(f"To have it held until they are, and then resume automatically: {escape(again('--yes'))}")
        raise typer.Exit(Exit.ERROR)
    if not as_json and _paused(found):
        for line in how_it_goes_on(found, now):
            out.print(line)
    elif not as_json:
        out.print(f"Nothing was changed yet. Do it with: {escape(again('--yes'))}")
        if found.turns is not None:
            when = "it is due" if found.turns.at <= now else f"on {clock_words(found.turns.at)}"
            if without is None:
                out.print(f"Else the service does it: {when}.")
            else:
                for line in _by_itself(found, draft, without, when):
                    out.print(line)
    raise typer.Exit(Exit.CHANGES)


def _by_itself(found: Standing, draft: Draft, without: Draft, when: str) -> Iterator[str]:
    """What the service does without the answers and the decision that were only shown, and how these are kept."""
    shown, plain = draft.plan.turnover, without.plan.turnover
    key = escape(typed(found.project.key))
    yield "What was given here for phase and tickets was not kept."
    if shown is None or plain is None:
        return
    yield f"Without it the service advances as things stand then ({when}). As they stand now:"
    yield f"  {phase_line(plain, found.phases)}"
    policies = {one.key: one.policy for one in shown.carried}
    for one in plain.carried:
        if policies.get(one.key) is not one.policy:
            yield f"  {escape(one.title)}: {one.policy.value}"
    yield f"To keep a decision or answers for that advance: phaseloop phase {key}, phaseloop carry {key}"


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


def _carry_lines(found: Standing, draft: Draft, answered: Sequence[Answered]) -> Iterator[str]:
    turnover, turn = draft.plan.turnover, found.turn
    if turnover is None or turn is None:
        return
    yield f"Iteration {turn.number} of [bold]{escape(found.project.key)}[/] ends on {clock_words(turn.ends)}."
    yield "As it stands now:"
    yield from closing_lines(draft.plan, turnover)
    yield ""
    if answered:
        yield f"Answered so far: {escape(', '.join(f'{one.title}: {one.policy}' for one in answered))}"
        here = {str(key_of(content)) for content in turnover.contents} | {EVERYTHING}
        if apart := [one.title for one in answered if one.key not in here]:
            yield f"[dim]Not in the iteration as it stands now: {escape(', '.join(apart))}.[/]"
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
        "proposals": found.proposals_json(),
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
    yield phase_line(turnover, found.phases, why=turnover.decision is not None or not turnover.lacking)
    yield from proposal_lines(found)
    if found.decision is not None:
        yield f"To take that back: phaseloop phase {typed(key)} --take-back"
    if found.turns is not None:
        yield f"The next advance comes on {clock_words(found.turns.at)}, and goes by how things stand then."
