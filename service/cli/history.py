"""The command `history`: what became of a project's iterations, in figures, and what happened to its loop."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from service.cli.past_projects import NamedPast
from service.cli.shell import AsJson, misused, opened, out, print_json
from service.cli.turnover import day_words
from service.domain.english import counted
from service.domain.loop.figures import Cycle, Sum, Tally
from service.domain.plan import run_state
from service.usecases.audit import history as cases
from service.usecases.audit.history import History, Past

COLUMNS = ("planned", "added", "done", "carried", "backlog", "left", "removed")


def history(
    project: NamedPast,
    roles: Annotated[bool, typer.Option("--roles", help="Count by role.")] = False,
    events: Annotated[bool, typer.Option("--events", help="Only what happened, with the reasons given.")] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="The figures as CSV, one line an iteration; with --roles, one a role.")
    ] = False,
    tickets_csv: Annotated[bool, typer.Option("--tickets-csv", help="Every ticket as CSV, one line each.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what became of a project's iterations: tickets and points that were planned, added, done, carried over and
    taken out; cycle times; and what happened to the loop. From our own records: nothing is read remotely, and it stays
    when tickets vanish.
    """
    if sum((as_csv, tickets_csv, as_json)) > 1:
        misused("--csv, --tickets-csv and --json exclude one another.", "Give one of them.")
    with opened(keyless=True) as context:
        found = cases.history(context, project)
    if as_json:
        print_json(cases.history_json(found))
    elif tickets_csv:
        sys.stdout.write(cases.tickets_csv(found))
    elif as_csv:
        sys.stdout.write(cases.roles_csv(found) if roles else cases.csv_text(found))
    else:
        _show(found, roles=roles, events_only=events)


def _show(found: History, *, roles: bool, events_only: bool) -> None:
    row = found.project
    zone = ZoneInfo(row.time_zone)
    ended = f", ended {row.ended_at.astimezone(zone):%Y-%m-%d}" if row.ended_at is not None else ""
    out.print(f"[bold]{escape(row.key)}[/] ({escape(row.name)}){ended}, times in {row.time_zone}")
    if not found.iterations and not found.events:
        never = "Nothing has happened yet: its first iteration has not begun."
        out.print(never if row.ended_at is None else "It ended before its first iteration began.")
        return
    if found.iterations and not events_only:
        out.print()
        out.print(_table(found, roles=roles))
        if found.cycle is not None:
            out.print(f"\nOver all iterations: {_cycle_in_full(found.cycle)}")
    happened = found.events and not (roles and not events_only)
    if happened:
        out.print("\n[bold]What happened[/]")
    for line in _events(found) if happened else ():
        out.print(line)


def _table(found: History, *, roles: bool) -> Table:
    """The figures: tickets and, where there are any, points. Columns in which nothing ever stood are left out."""
    shown = [name for name in COLUMNS if any(getattr(one.figures.all, name).tickets for one in found.iterations)]
    head = ("Iteration", "Phase", "Dates", *(name.capitalize() for name in shown), "Cycle")
    zone = ZoneInfo(found.project.time_zone)
    pointed = any(getattr(one.figures.all, name).points for one in found.iterations for name in shown)
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if 3 <= number < len(head) - 1 else "left", no_wrap=number > 2)
    for past in found.iterations:
        row = past.row
        name = f"{row.number} {escape(row.title)}"
        days = day_words(row.starts.astimezone(zone).date(), _last_day(past, zone))
        sums = _sums(past.figures.all, shown, open_=row.closed_at is None, pointed=pointed)
        table.add_row(name, _phase(past), days, *sums, _cycle(past))
        if roles:
            for role, tally in past.figures.by_role.items():
                sums = _sums(tally, shown, open_=row.closed_at is None, pointed=pointed)
                table.add_row(f"  [dim]{escape(role) or 'no role'}[/]", "", "", *sums, "")
    table.caption = "Tickets/points. Cycle: hours in the works, half of the done tickets and 85 of 100 no longer."
    table.caption_justify = "left"
    return table


def _last_day(past: Past, zone: ZoneInfo) -> date:
    """The last working day as planned, or the day of the close if it came before."""
    closed, last = past.row.closed_at, past.row.ends.astimezone(zone).date()
    return last if closed is None else min(last, closed.astimezone(zone).date())


def _phase(past: Past) -> str:
    again = f" (turn {past.row.loop})" if past.row.loop > 1 else ""
    return f"{escape(past.row.phase)}{again}"


def _sums(tally: Tally, shown: list[str], *, open_: bool, pointed: bool) -> Iterator[str]:
    """Each figure in one form: with points wherever the table has any, `0` for none."""
    for name in shown:
        found: Sum = getattr(tally, name)
        if open_ and name not in ("planned", "added"):
            yield ""
        else:
            yield f"{found.tickets}/{found.points:g}" if pointed and found.tickets else str(found.tickets)


def _cycle(past: Past) -> str:
    if past.row.closed_at is None:
        return "[green]active[/]"
    cycle = past.figures.cycle
    return f"{cycle.median:g} h, {cycle.p85:g} h" if cycle is not None else ""


def _cycle_in_full(cycle: Cycle) -> str:
    of = counted(cycle.tickets, "done ticket")
    return f"of {of}, half took {cycle.median:g} h or less, 85 of 100 took {cycle.p85:g} h or less."


def _events(found: History) -> Iterator[str]:
    """What happened, in order, with who did it."""
    zone = ZoneInfo(found.project.time_zone)
    for event in found.events:
        at = f"{event.at.astimezone(zone):%Y-%m-%d %H:%M}"
        held = "Held: " if event.kind == run_state.HELD else ""
        yield f"  [dim]{at}[/] {held}{escape(event.text)} [dim]({escape(event.by)})[/]"
        said = event.data.get("decision")
        if event.kind in ("began", "ended") and said:
            yield f"  {'':16} Decided by {escape(said['by'])}: {escape(said['reason'])}"
        elif event.kind == "began" and event.data.get("lacking"):
            yield f"  {'':16} Its phase continues: {escape('; '.join(event.data['lacking']))}"
