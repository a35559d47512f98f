"""The commands about when: what comes next, pause, resume, skip, run now, the calendar feed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.advance import Named, advance
from service.cli.loop_words import WORDS, how_it_goes_on
from service.cli.past_projects import none_going_on
from service.cli.shell import AsJson, err, fail, nothing, opened, out, print_json, who
from service.cli.words import clock_words
from service.context import Context
from service.domain.loop import loop_state
from service.domain.problems import InvalidInput
from service.usecases.loop import feeds, scheduling
from service.usecases.loop.loop_status import Standing, standing
from service.usecases.loop.scheduling import Firing
from service.usecases.setup import projects
from service.views.setup import ProjectView

schedule = typer.Typer(help="When a project's loop advances.", no_args_is_help=True)

Why = Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.")]


@schedule.command("next")
def next_firings(
    project: Annotated[
        str | None, typer.Argument(metavar="PROJECT", help="The project's key, name or id; all of them if left out.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show what the clock does next and when, in each project's own time."""
    with opened() as context:
        if project is not None:
            rows = [projects.going_on(context, project)]
        else:
            rows = [row for row in projects.listed(context) if row.ended_at is None]
        found = [_planned(context, row, count, alone=project is not None) for row in rows]
        none = none_going_on(context) if not found else ""
        now = context.now()
    if as_json:
        print_json([_json(one, firings) for one, firings in found])
        return
    if not found:
        nothing(none)
    for line in _lines(found, now):
        out.print(line)
    coming = sorted(
        ((firing, one) for one, firings in found for firing in firings),
        key=lambda pair: (pair[0].at, pair[1].project.key),
    )[:count]
    if coming:
        out.print(_table(coming, several=project is None))


@schedule.command("pause")
def pause(project: Named, reason: Why = "", as_json: AsJson = False) -> None:
    """Pause the schedule of a project until it is resumed. A run in progress is not stopped. Needs --reason."""
    with opened() as context:
        scheduling.pause(context, project, who(), reason)
        _tell(context, project, as_json=as_json)


@schedule.command("resume")
def resume(
    project: Named,
    catch_up: Annotated[
        bool,
        typer.Option("--catch-up", help="Run through what was missed, one advance after the other, as it was planned."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let the loop of a paused project turn again. What should have begun meanwhile begins on the next such weekday."""
    with opened() as context:
        before = projects.going_on(context, project)
        turned = standing(context, before.id).loop
        scheduling.resume(context, project, who(), catch_up=catch_up)
        if turned is not None and turned.state == loop_state.TURNING and not as_json:
            out.print(f"{escape(before.key)} was not paused: nothing changed.")
        _tell(context, project, as_json=as_json)


@schedule.command("skip")
def skip(project: Named, reason: Why = "", as_json: AsJson = False) -> None:
    """Let the coming bound pass: the next iteration begins one length later. Needs --reason."""
    with opened() as context:
        loop = scheduling.skip(context, project, who(), reason)
        if loop.state == loop_state.PAUSED and not as_json and (said := _moved(context, project)):
            out.print(said)
        _tell(context, project, as_json=as_json)


@schedule.command("run")
def run(project: Named, as_json: AsJson = False) -> None:
    """Advance now, without asking: as `phaseloop advance PROJECT --yes`."""
    advance(project, yes=True, as_json=as_json)


@schedule.command("ics")
def ics(
    project: Named,
    file: Annotated[Path | None, typer.Option("--output", help="Write the calendar to this file.")] = None,
    renew: Annotated[bool, typer.Option("--renew", help="Rotate the feed URL; the former one stops working.")] = False,
) -> None:
    """Print a project's calendar: iterations, meetings, deadlines of records, as iCalendar. The address under which
    calendar programs may subscribe to it goes to standard error; who knows it can read the calendar.
    """
    with opened() as context:
        secret = feeds.renew_feed(context, project, who()).feed if renew else feeds.feed_secret(context, project)
        document = feeds.feed(context, secret)
        settings = context.settings
    if file is not None:
        try:
            file.write_bytes(document)
        except OSError as error:
            fail(f"{file} cannot be written: {error.strerror}.", "Name a file in a folder that is there.")
        out.print(f"Written to {file}.")
    else:
        sys.stdout.write(document.decode("utf-8"))
    err.print(f"While phaseloop serve runs: http://{settings.host}:{settings.port}/feeds/{secret}.ics")


def _planned(context: Context, row: ProjectView, count: int, *, alone: bool) -> tuple[Standing, Sequence[Firing]]:
    try:
        return standing(context, row.id), scheduling.next_firings(context, row.id, count)
    except InvalidInput as error:
        if alone:
            raise
        err.print(f"[bold red]{escape(row.key)}[/]: {escape(error.told)}")
        return standing(context, row.id), []


def _lines(found: Sequence[tuple[Standing, Sequence[Firing]]], now: datetime) -> Iterator[str]:
    """What there is to say of projects before the table of what comes."""
    for one, firings in found:
        if not firings:
            lines = list(how_it_goes_on(one, now))
            run = one.run
            if one.loop is not None and one.loop.state == loop_state.TURNING and run is not None:
                lines = [f"The run {run.id} is {run.state}: phaseloop runs watch {run.id}"]
            yield from (f"[bold]{escape(one.project.key)}[/]: {line}" for line in lines)
        elif one.loop is None:
            yield f"[bold]{escape(one.project.key)}[/]: as it will be once a first plan is applied."


def _table(coming: Sequence[tuple[Firing, Standing]], *, several: bool) -> Table:
    headings = ["When", *(["Project", "Time zone"] if several else []), "Iteration", "Phase", "What", ""]
    title = None if several else f"In {coming[0][1].project.time_zone}"
    table = Table(*headings, box=None, pad_edge=False, title=title, title_justify="left", title_style="dim")
    table.columns[0].no_wrap = True
    for firing, one in coming:
        where = [escape(one.project.key), one.project.time_zone] if several else []
        doing = f"{firing.state}: {firing.run}" if firing.run is not None else ""
        cells = (
            clock_words(firing.at),
            *where,
            str(firing.iteration),
            escape(one.phases.get(firing.phase, firing.phase)),
            WORDS[firing.kind],
            doing,
        )
        table.add_row(*cells)
    return table


def _json(one: Standing, firings: Sequence[Firing]) -> dict[str, Any]:
    return {
        "project": one.project.named(),
        "time_zone": one.project.time_zone,
        "state": one.loop.state if one.loop is not None else None,
        "message": one.loop.message if one.loop is not None else "",
        "firings": [scheduling.firing_json(firing) for firing in firings],
    }


def _moved(context: Context, project: str) -> str:
    """To when the coming iteration of a paused loop was moved, which the clock says nothing of until it is resumed."""
    coming = standing(context, project).coming
    if coming is None:
        return ""
    return (
        f"Skipped: iteration {coming['iteration']} begins on {coming['first']} at the earliest, and not before the "
        "schedule is resumed."
    )


def _tell(context: Context, project: str, *, as_json: bool) -> None:
    """Say how the loop stands now."""
    if as_json:
        print_json(standing(context, project).to_json())
        return
    for line in how_it_goes_on(standing(context, project), context.now()):
        out.print(line)
