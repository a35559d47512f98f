"""The commands for whoever inspects: samples of findings that can be drawn again, and questions about iterations."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from service.cli.advance import Named
from service.cli.audit_show import one_line
from service.cli.execution import carry_out
from service.cli.periods import period_of
from service.cli.runs import tell
from service.cli.shell import AsJson, Exit, at_this_machine, err, opened, out, print_json, who
from service.cli.words import clock_words
from service.context import Context
from service.domain.audit.outcome import Result
from service.domain.audit.sampling import LARGEST
from service.domain.audit.titles import TITLES
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.plan import run_state
from service.usecases.audit import questions as question_cases
from service.usecases.audit import room
from service.usecases.audit.questions import Asked, Draft
from service.usecases.hook import question_ticket
from service.usecases.queue import Enqueue
from service.usecases.run import run_views
from service.usecases.setup import projects
from service.views.run import RunView

Period = Annotated[
    str | None,
    typer.Option(
        metavar="FIRST/LAST",
        help="Only of the iterations with a day in it, as an auditor of that period draws [default: of all].",
    ),
]

STATUSES = {
    "": "not answered yet",
    "todo": "not done",
    "doing": "being worked on",
    "done": "done",
    "gone": "its ticket was deleted",
}
"""How the ticket of a question stands."""


def sample(
    project: Named,
    size: Annotated[int, typer.Option(min=1, max=LARGEST, help="How many findings at most.")] = 10,
    result: Annotated[
        Result | None, typer.Option(help="Draw among those with this result [default: all that say something].")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="The same seed draws the same [default: a new one, which is printed].")
    ] = None,
    period: Period = None,
    as_json: AsJson = False,
) -> None:
    """Draw findings at random to look at, so that anybody can draw the same again."""
    within = period_of(period)
    with opened() as context:
        found = room.of(context, at_this_machine(), project, (seed or secrets.token_hex(4), size, result), within)
    drawn, key = found.drawn, found.matrix.project.key
    assert drawn is not None  # noqa: S101 - it was asked for
    if as_json:
        print_json(room.room_json(found)["sample"])
        return
    if not drawn.places:
        out.print(f"{one_line(key)} has no finding to draw from. Look first: phaseloop audit run {typed(key)}")
        return
    named = f" with the result {drawn.result.value}" if drawn.result is not None else ""
    out.print(f"{len(drawn.places)} of {counted(drawn.among, 'finding')}{named}, seed {one_line(drawn.seed)}\n")
    lines = {one.number: one for one in found.matrix.lines}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Iteration", "Check", "Result", "Record", "Reason"):
        table.add_column(heading, overflow="fold")
    for number, check in drawn.places:
        line = lines[number]
        finding = next(one for one in line.audited.findings if one.check is check) if line.audited is not None else None
        result_, reason = (finding.result.value, finding.reason) if finding is not None else ("", "")
        title = f"{check.value} {TITLES[check]}"
        table.add_row(str(number), title, result_, one_line(line.record), one_line(reason))
    out.print(table)
    out.print(f"\nAsk about one: phaseloop audit ask {typed(key)} --iteration N TEXT")


def ask(
    project: Named,
    text: Annotated[str, typer.Argument(help="What you want to know.")],
    iteration: Annotated[int, typer.Option(min=1, help="About which iteration.")],
    as_json: AsJson = False,
) -> None:
    """Ask the people of an iteration something. It is kept as evidence and becomes a ticket in the current iteration,
    for whoever signs records; what is said there is evidence, too."""
    with opened() as context:
        row = projects.past_or_present(context, project)
        question = question_cases.draft(context, row.id, iteration, text, who())
        ended, trouble = _asked(context, question)
        found = question_cases.get(context, row.id, question.id)
    done = ended is not None and ended.run.state == run_state.COMPLETED
    if as_json:
        run = ended.run.id if ended is not None else None
        print_json({**question_cases.asked_json(found), "run": run, "trouble": trouble})
    else:
        out.print(f"The question is kept as evidence {found.question.seq}.")
        if found.ticket is not None:
            out.print(f"Its ticket is {one_line(found.ticket.key)}: {found.ticket.url}")
        elif ended is not None:
            tell(ended)
        else:
            err.print(f"Its ticket could not be made yet: {one_line(trouble)} Ask the same again then.")
    if not done:
        raise typer.Exit(Exit.ERROR)


def questions(
    project: Named,
    look: Annotated[bool, typer.Option("--look", help="Read their tickets in the tracker first.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the questions about a project's iterations, with what was answered. Each audit looks at those that are
    open."""
    with opened() as context:
        row = projects.past_or_present(context, project)
        if look:
            question_cases.look(context, row.id)
        found = question_cases.listed(context, row.id)
    if as_json:
        print_json([question_cases.asked_json(one) for one in found])
    elif not found:
        out.print(f"Nobody has asked anything. Ask: phaseloop audit ask {typed(row.key)} --iteration N TEXT")
    else:
        _show(found, ZoneInfo(row.time_zone))


def _asked(context: Context, question: Draft) -> tuple[run_views.Progress | None, str]:
    """Ask, and follow the run that makes the ticket to its end; None with the reason where none could be begun."""

    def begin(enqueue: Enqueue) -> RunView:
        outcome = question_ticket.ask(context, question, enqueue)
        if outcome.run is None:
            raise _NoRun(outcome.trouble)
        return run_views.progress(context, outcome.run).run

    try:
        return carry_out(context, begin), ""
    except _NoRun as none:
        return None, str(none)


class _NoRun(Exception):
    """No run was begun, for this reason."""


def _show(found: Sequence[Asked], zone: ZoneInfo) -> None:
    for one in found:
        question = one.question
        where = f", {one.ticket.key} {one.ticket.url}" if one.ticket is not None else ", no ticket"
        out.print(f"[bold]Iteration {question.number}[/]: {one_line(question.text)}")
        asked_at = clock_words(question.at.astimezone(zone))
        out.print(f"  {one_line(question.by)}, {asked_at}{where}: {STATUSES[question.status]}")
        for said in question.said:
            out.print(f"  {one_line(said.person)}, {clock_words(said.at.astimezone(zone))}: {one_line(said.text)}")
