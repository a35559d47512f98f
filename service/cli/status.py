"""The command `status`: what projects have, what people changed since, what a plan would change now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape

from connectors.tracker import ItemKind
from service.cli.shell import AsJson, Exit, opened, out, print_json
from service.cli.words import count_line, drift_lines, finding_lines
from service.usecases import looking, projects
from service.usecases.looking import Look
from service.usecases.planning import Draft


def status(
    project: Annotated[str | None, typer.Argument(help="The project's key or id; all of them if left out.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="From our records only: nothing is read remotely.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what projects have in their trackers, vacancies first; what people changed there since; and what a plan
    would change now. Reads the trackers, writes nothing anywhere.

    Exit code 1 if a tracker could not be read; what is recorded is shown all the same.
    """
    with opened() as context:
        if project is None:
            found = looking.look_at_all(context, offline=offline)
        else:
            found = [looking.look(context, projects.get(context, project), offline=offline)]
    if as_json:
        print_json([looking.look_json(entry) for entry in found])
    elif not found:
        out.print("No projects yet. Start one with: phaseloop plan KEY --team team.yaml --create")
    else:
        for entry in found:
            for line in _lines(entry):
                out.print(line)
    raise typer.Exit(Exit.ERROR if any(entry.trouble for entry in found) else Exit.NOTHING)


def _lines(found: Look) -> Iterator[str]:
    row, inventory = found.project, found.inventory
    kinds = (ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET)
    counts = ", ".join(f"{inventory.count(kind)} {kind.value}s" for kind in kinds)
    ended = f", ended {row.ended_at:%Y-%m-%d}" if row.ended_at is not None else ""
    yield f"[bold]{escape(row.key)}[/] ({escape(row.name)}) {row.id}: {counts}{ended}"
    if row.url:
        yield f"  {row.url}"
    for vacancy in inventory.vacancies:
        yield f"  [bold red]vacant[/] {vacancy.remote_key} {escape(str(vacancy.wanted.get('title')))}"
    for refused in inventory.refused:
        yield f"  [bold red]refused[/] {escape(refused.key)}: {escape('; '.join(refused.problems))}"
    if found.trouble is not None:
        yield f"  [bold red]The tracker could not be read:[/] {escape(found.trouble.message)}"
        yield f"  {escape(found.trouble.fix)}"
    elif found.draft is not None:
        yield from _seen(row.key, found.draft)


def _seen(key: str, draft: Draft) -> Iterator[str]:
    plan = draft.plan
    if plan.drift:
        yield from drift_lines(plan.drift, plan.people)
        yield f"To have any of it as planned again: phaseloop plan {escape(key)} --restore ITEM"
    yield from finding_lines(plan.findings)
    yield ""
    if plan.blocked:
        yield "[bold red]A plan could not be applied[/] before the findings marked error are mended."
    elif plan.empty:
        yield "A plan would change nothing."
    else:
        yield f"A plan would change: {count_line(plan)}."
        yield f"See it with: phaseloop plan {escape(key)}"
