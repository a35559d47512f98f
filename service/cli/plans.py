"""The commands around plans: plan, apply, adopt."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import service.templates as template_files
from service.cli.library import keep_team_file
from service.cli.runs import report
from service.cli.shell import AsJson, Exit, err, fail, opened, out, print_json
from service.cli.show import plan_lines
from service.cli.work import carry_out
from service.context import Context
from service.domain.calendar_file import CalendarSpec, read_calendar
from service.domain.problems import InvalidInput, Problem
from service.store.tables import ProjectRow
from service.usecases import applying, connections, planning, projects, running, scheduling, teams
from service.usecases.errors import NotFound, UseCaseError
from service.usecases.wishes import Wish


def plan(
    project: Annotated[str, typer.Argument(help="Key of the tracker's project, such as ML, or our project's id.")],
    template: Annotated[
        str | None, typer.Option(help="Template name or file [default: iterative-ml, or the project's own].")
    ] = None,
    team: Annotated[str | None, typer.Option(help="Team name or file; needed the first time.")] = None,
    connection: Annotated[str | None, typer.Option(help="Connection name [default: the only one].")] = None,
    name: Annotated[str | None, typer.Option(help="The project's name [default: its key].")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A template parameter, NAME=VALUE. May be repeated.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA time zone [default: the team's, else UTC].")] = None,
    create: Annotated[
        bool | None, typer.Option("--create/--existing", help="Create the tracker's project, or use one that is there.")
    ] = None,
    calendar: Annotated[
        Path | None, typer.Option(help="A calendar file: working days, holidays, freezes, in place of the team's.")
    ] = None,
    carry_over: Annotated[
        str | None,
        typer.Option(help="What becomes of unfinished work: ask, next, backlog or leave [default: the template's]."),
    ] = None,
    ahead: Annotated[
        str | None, typer.Option(help="How many iterations are kept prepared, or all [default: the template's].")
    ] = None,
    wip_limit: Annotated[
        str | None, typer.Option(help="How many tickets may be in progress at once, or none [default: the template's].")
    ] = None,
    file: Annotated[Path | None, typer.Option("--out", help="Write the plan to this file as well.")] = None,
    restore: Annotated[
        list[str] | None,
        typer.Option(
            help="An item that people changed or deleted, to be as planned again: its key, or the tracker's such as "
            "ML-12; `deleted` for all that were deleted. May be repeated."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show what is unchanged, and every dependency.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what applying would change. Reads the tracker, writes nothing there.

    Exit code 0: nothing to do. 1: an error, or findings that stand in the way. 2: there are changes.
    """
    with opened() as context:
        asked = _Asked(template, team, connection, name, time_zone, create, calendar)
        turning = _turning(carry_over=carry_over, ahead=ahead, wip_limit=wip_limit)
        row = _set_up(context, project, asked, values or [], turning)
        kept = planning.make_plan(context, row.id, Wish(restore=tuple(restore or ())))
    made = planning.plan_of(kept)
    document = planning.plan_json(kept)
    if file is not None:
        file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(document)
    else:
        for line in plan_lines(made, kept.id, everything=everything):
            out.print(line)
        if not made.empty and not made.blocked:
            out.print(f"Apply it with: phaseloop apply {file or kept.id}")
    if made.blocked:
        if not as_json:
            err.print("[bold red]The findings above marked error must be mended before this can be applied.[/]")
        raise typer.Exit(Exit.ERROR)
    raise typer.Exit(Exit.NOTHING if made.empty else Exit.CHANGES)


def adopt(
    project: Annotated[str, typer.Argument(help="The project's key or id.")],
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="ITEM=KEY...",
            help="The plan's item, such as ticket:load, and what the tracker calls the one to take over: its key "
            "(ML-12), its address, or an iteration's title.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take items that people made in the tracker over as items of the plan. They get our marker and stay as they are;
    nothing of ours ever removes them.
    """
    given = pairs("ITEM", items, "ITEM=KEY")
    with opened() as context:
        kept = planning.make_plan(context, project, Wish(adopt=given))
        if not as_json:
            for line in plan_lines(planning.plan_of(kept), kept.id, everything=False):
                out.print(line)
        if not yes and not _agreed():
            fail("Nothing was taken over.", f"Do it with: phaseloop apply {kept.id}")
        found = apply_and_follow(context, kept.id)
    report(found, as_json=as_json)


def _agreed() -> bool:
    """Whether a person says yes; where nobody can be asked, nobody did."""
    return sys.stdin.isatty() and typer.confirm("Take these over?", err=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was given of a project's setting-up, None for what was not."""

    template: str | None
    team: str | None
    connection: str | None
    name: str | None
    time_zone: str | None
    create: bool | None
    calendar: Path | None


def _turning(*, wip_limit: str | None, **given: str | None) -> dict[str, str | None]:
    """What was given of how the loop turns, in the words of a template."""
    said: dict[str, str | None] = {name: value for name, value in given.items() if value is not None}
    if wip_limit is None:
        return said
    return {**said, "wip_limit": None if wip_limit.casefold() == "none" else wip_limit}


def _set_up(
    context: Context, key: str, asked: _Asked, values: list[str], turning: Mapping[str, str | None]
) -> ProjectRow:
    """The project to plan: as it stands, or set up or changed by what was given."""
    try:
        present: ProjectRow | None = projects.going_on(context, key)
    except NotFound:
        present = None
    if present is not None and not values and not turning and asked == _NOTHING:
        return present
    request = projects.Request(
        name=asked.name or (present.name if present else key),
        key=present.key if present else key,
        connection=asked.connection or (present.connection_id if present else only_connection(context)),
        team=_team(context, asked.team, present),
        template=_template(context, asked.template, present),
        parameters=pairs("--set", values, "NAME=VALUE"),
        time_zone=asked.time_zone,
        create=asked.create if asked.create is not None else (present.create if present else False),
        calendar=_calendar(asked.calendar) if asked.calendar is not None else None,
        turning=turning,
    )
    row = projects.put(context, request)
    scheduling.follow(context, row.id)
    return row


_NOTHING = _Asked(None, None, None, None, None, None, None)


def _calendar(file: Path) -> CalendarSpec:
    try:
        return read_calendar(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.", "Name a calendar file (YAML).")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text.", "Save it as UTF-8.")


def only_connection(context: Context) -> str:
    """The id of the connection where there is one only. Raises UseCaseError."""
    rows = connections.listed(context)
    if len(rows) == 1:
        return rows[0].id
    if not rows:
        message, fix = "There is no connection yet.", "Add one with: phaseloop connections add NAME --url … --email …"
    else:
        message, fix = (
            "There are several connections.",
            "Name one with --connection: " + ", ".join(r.name for r in rows),
        )
    raise UseCaseError("no-connection", message, fix)


def _team(context: Context, given: str | None, present: ProjectRow | None) -> str:
    if given is None:
        if present is not None:
            return present.team_id
        fail("A new project needs a team.", "Give a team file with --team team.yaml, or the name of an imported team.")
    if Path(given).suffix.casefold() in {".yaml", ".yml", ".csv"} or Path(given).is_file():
        return keep_team_file(Path(given)).id
    return teams.get(context, given).id


def _template(context: Context, given: str | None, present: ProjectRow | None) -> template_files.TemplateText:
    if given is None and present is not None:
        return projects.template_text(context, present)
    return template_files.load(given or "iterative-ml")


def pairs(name: str, values: list[str], form: str) -> dict[str, str]:
    """Arguments of the form NAME=VALUE, of which all that are not so are told at once."""
    problems: list[Problem] = []
    pairs: dict[str, str] = {}
    for value in values:
        left, sign, right = value.partition("=")
        if not sign or not left.strip():
            problems.append(Problem(name, None, value, "is not two things with = between", f"write {form}"))
        elif left.strip() in pairs:
            problems.append(Problem(name, None, value, f"gives {left.strip()} twice", "give it once"))
        pairs[left.strip()] = right.strip()
    if problems:
        raise InvalidInput(problems)
    return pairs


def apply(
    plan: Annotated[str, typer.Argument(help="A plan's id, a file written by `plan --out`, or a project's key.")],
    as_json: AsJson = False,
) -> None:
    """Apply a saved plan and follow it until it is done. A project's key stands for its latest plan."""
    with opened() as context:
        plan_id = _plan_id(context, plan)
        before = running.ended(context, planning.get(context, plan_id).run_id)
        found = apply_and_follow(context, plan_id)
    if before and not as_json:
        out.print(
            "This plan was applied before, and ended so. To see what is left: phaseloop plan " + found.project.key
        )
    report(found, as_json=as_json)


def apply_and_follow(context: Context, plan_id: str) -> running.Progress:
    """Apply the plan and wait for the end."""
    return carry_out(context, lambda enqueue: applying.apply(context, plan_id, "command line", enqueue))


def _plan_id(context: Context, given: str) -> str:
    path = Path(given)
    if path.is_file():
        return _plan_id_in(path)
    if given.startswith("pln_"):
        return given
    row = planning.latest(context, projects.get(context, given).id)
    if row is None:
        raise UseCaseError("no-plan", f"{given} has no plan yet.", f"Make one with: phaseloop plan {given}")
    return row.id


def _plan_id_in(path: Path) -> str:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        plan_id = document["id"]
    except (OSError, ValueError, TypeError, KeyError):
        fail(f"{path} is not a plan.", "Write one with: phaseloop plan PROJECT --out FILE")
    return str(plan_id)
