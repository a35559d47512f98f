"""`phaseloop simulate`: months of a project, played in minutes against a sandbox on a clock that jumps."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import service.templates as template_files
from connectors.registry import KINDS
from service.cli.library import read_team_file
from service.cli.project_options import pairs
from service.cli.shell import AsJson, choice, err, fail, interruptible, out, print_json, told
from service.domain.commands import typed
from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar import DateRange
from service.domain.team.team import Team

if TYPE_CHECKING:
    from simulation.play import Script
    from simulation.report import Entry, Report


TRACKERS = [name for name, kind in KINDS.items() if kind.sandbox]
"""Where it can be played."""

_LAST_YEAR = 9990
"""The longest play, with what is planned ahead of it, stays within what dates can say."""


class Method(StrEnum):
    """How the team works."""

    SCRUM = "scrum"
    KANBAN = "kanban"


class CarryOver(StrEnum):
    """What becomes of unfinished work."""

    ASK = "ask"
    NEXT = "next"
    BACKLOG = "backlog"
    LEAVE = "leave"


def simulate(
    months: Annotated[int, typer.Option(min=1, max=36, help="How many months to play.")] = 6,
    tracker: Annotated[str, choice(TRACKERS, "Which tracker to play in.")] = TRACKERS[0],
    method: Annotated[Method, typer.Option(help="How the team works.")] = Method.SCRUM,
    seed: Annotated[
        int, typer.Option(help="What is drawn at random follows from it: the same seed, the same play.")
    ] = 1,
    team: Annotated[
        Path | None, typer.Option(help="A team file; accounts are made for its people [default: a team of six].")
    ] = None,
    template: Annotated[str, typer.Option(help="Template name or file.")] = "iterative-ml",
    start: Annotated[
        str | None, typer.Option(metavar="DATE", help="First day of the first iteration [default: next Monday].")
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A template parameter, NAME=VALUE. May be repeated.")
    ] = None,
    carry_over: Annotated[
        CarryOver | None, typer.Option(help="What becomes of unfinished work [default: as the template says].")
    ] = None,
    ahead: Annotated[
        str | None, typer.Option(help="How many iterations are kept prepared, or all [default: as the template says].")
    ] = None,
    calm: Annotated[bool, typer.Option("--calm", help="Nobody gets in the way of an advance, nobody leaves.")] = False,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep what was played in this new folder, to look at it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play months of a project in minutes: a made-up team works, falls ill, leaves work undone and moves tickets by
    hand in a sandbox tracker, and phaseloop closes, carries over, seeds and begins. Nothing leaves this machine.
    """
    from simulation.play import Script, Stuck  # slow to load, and only this needs them

    with told():
        if keep is not None and keep.exists() and any(keep.iterdir()):
            fail(f"{keep} is not empty.", "Name a new folder.")
        first = _first(start)
        turning = {"carry_over": carry_over.value if carry_over else None, "ahead": ahead}
        script = Script(
            template=template_files.load(template),
            team=_team(team, seed, first, months),
            first=first,
            months=months,
            tracker=tracker,
            method=method.value,
            seed=seed,
            values=pairs("--set", values or [], "NAME=VALUE"),
            turning={name: value for name, value in turning.items() if value is not None},
            trouble=not calm,
        )
        try:
            with interruptible():
                report = _play(script, keep, None if as_json else _show)
        except Stuck as error:
            fail(str(error), "This is a bug in phaseloop or in the simulation. Please report it with this command.")
        except KeyboardInterrupt:
            err.print("Stopped.")
            raise typer.Exit(128 + signal.SIGINT) from None
    _end(report, keep, as_json=as_json)


def _play(script: Script, keep: Path | None, tell: Callable[[Entry], None] | None) -> Report:
    from simulation.play import Play
    from simulation.stage import Stage

    with (
        tempfile.TemporaryDirectory(prefix="phaseloop-simulation-", ignore_cleanup_errors=True) as folder,
        Stage(keep or Path(folder), script.tracker, script.opens) as stage,
    ):
        return Play(stage, script, tell or (lambda _entry: None)).run()


def _show(entry: Entry) -> None:
    from simulation.show import lines

    for line in lines(entry):
        out.print(line)
    sys.stdout.flush()


def _end(report: Report, keep: Path | None, *, as_json: bool) -> None:
    from simulation.show import summary

    if as_json:
        print_json(report.to_json())
        return
    for line in summary(report):
        out.print(line)
    if keep is not None:
        out.print(f"\nThe board:     phaseloop sandbox --state {typed(keep / 'sandbox.json')}", markup=False)
        out.print(
            f"The history:   PHASELOOP_HOME={typed(keep)} phaseloop history {typed(report.project)}", markup=False
        )


def _first(start: str | None) -> date:
    if start is None:
        today = datetime.now(UTC).date()
        return today + timedelta(days=7 - today.weekday())
    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise InvalidInput([Problem("simulate", None, "start", f"{start!r} is no date", "write 2026-03-02")]) from None
    if not 1970 <= first.year <= _LAST_YEAR:
        fix = f"give a day of the years 1970 to {_LAST_YEAR}"
        raise InvalidInput([Problem("simulate", None, "start", f"{start!r} is too far away to play from", fix)])
    return first


def _team(file: Path | None, seed: int, first: date, months: int) -> Team:
    from simulation.cast import come_along

    if file is None:
        return come_along(seed, DateRange(first, first + timedelta(days=31 * months)))
    return read_team_file(file)
