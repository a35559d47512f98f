"""The command `audit set`: what a project says of how its records are audited, beside what its template says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from service.cli.advance import Named
from service.cli.audit_show import one_line
from service.cli.project_options import pairs
from service.cli.shell import AsJson, misused, opened, out, print_json
from service.context import Context
from service.domain.audit.rules import ProjectAudit
from service.domain.template.reader import read_template
from service.domain.template.template import Template
from service.usecases.loop import scheduling
from service.usecases.setup import projects
from service.views.setup import ProjectView

_NAMES = {
    "gate": "gate",
    "unclear": "unclear",
    "grace": "grace_working_days",
    "due-soon": "due_soon_working_days",
    "escalate": "escalate_working_days",
    "check": "checks",
    "host": "hosts",
    "tracking": "tracking",
}
"""What can be taken back, by the word of its option."""


def set_audit(
    project: Named,
    gate: Annotated[
        str | None, typer.Option(help="What a record that is not complete does to the advance: block, warn or off.")
    ] = None,
    unclear: Annotated[
        str | None,
        typer.Option(help="What a check that a person should look at does to the advance: block or warn."),
    ] = None,
    grace: Annotated[int | None, typer.Option(help="Working days after the end until a record is late.")] = None,
    due_soon: Annotated[int | None, typer.Option(help="Working days before the end to remind people on.")] = None,
    escalate: Annotated[int | None, typer.Option(help="Working days late until others hear of it.")] = None,
    checks: Annotated[
        list[str] | None,
        typer.Option(
            "--check",
            metavar="CHECK=WEIGHT",
            help="What a check weighs at least: critical, major, minor or off. May be repeated.",
        ),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", help="A host that links may lead to; in place of those given before. May be repeated."),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--tracking-url", help="The tracking server [default: the service's].")
    ] = None,
    experiments: Annotated[
        list[str] | None,
        typer.Option(
            "--tracking-experiment",
            help="An experiment whose runs are filled in; in place of those given before. May be repeated.",
        ),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--tracking-model",
            help="A registered model whose versions are filled in; in place of those given before. May be repeated.",
        ),
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(
            "--as-template",
            metavar="NAME",
            help=f"Take back what the project says of one: {', '.join(_NAMES)}. May be repeated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set how a project's records are audited, and show what holds. A project may be stricter than its template, never
    looser: what is to be waived is a waiver. Without options, only show it.
    """
    days = {"grace_working_days": grace, "due_soon_working_days": due_soon, "escalate_working_days": escalate}
    said = {name: value for name, value in {"gate": gate, "unclear": unclear, **days}.items() if value is not None}
    tracking = {"url": url, "experiments": experiments or None, "models": models or None}
    tracking = {name: value for name, value in tracking.items() if value is not None}
    back = _taken_back(template or [])
    with opened() as context:
        given = pairs("--check", checks or [], "CHECK=WEIGHT, such as D09=critical")
        weights = {check.upper(): weight.casefold() for check, weight in given.items()}
        row = projects.get(context, project)
        if said or tracking or weights or hosts or back:
            row = projects.going_on(context, row.id)
            kept = {name: value for name, value in row.audit.items() if name not in back}
            asked: dict[str, Any] = {**dict.fromkeys(back), **said}
            if weights:
                asked["checks"] = {**kept.get("checks", {}), **weights}
            if hosts:
                asked["hosts"] = hosts
            if tracking:
                asked["tracking"] = {**kept.get("tracking", {}), **tracking}
            row = _put(context, row, asked)
        of_template = read_template(projects.template_text(context, row).text, "template")
    if as_json:
        print_json({"project": row.named(), "audit": dict(row.audit)})
        return
    out.print(f"[bold]{one_line(row.key)}[/] ({one_line(row.name)})")
    for line in _lines(ProjectAudit.model_validate(row.audit), of_template):
        out.print(line)


def _taken_back(names: list[str]) -> list[str]:
    for name in names:
        if name not in _NAMES:
            misused(f"There is nothing called {name} to be as in the template.", f"One of {', '.join(_NAMES)}.")
    return [_NAMES[name] for name in names]


def _put(context: Context, row: ProjectView, asked: Mapping[str, Any]) -> ProjectView:
    """Have the project say this of its audit, and nothing else anew. Raises InvalidInput."""
    request = projects.Request(
        name=row.name,
        key=row.key,
        connection=row.connection_id,
        team=row.team_id,
        template=projects.template_text(context, row),
        parameters={},
        create=row.create,
        audit=asked,
    )
    put = projects.put(context, request)
    scheduling.follow(context, put.id)
    return put


def _lines(said: ProjectAudit, template: Template) -> Iterator[str]:
    record = template.record
    rows: list[tuple[str, object, object]] = [
        ("gate", said.gate, record.gate),
        ("unclear", said.unclear, "warn"),
        ("grace", said.grace_working_days, record.grace_working_days),
        ("due soon", said.due_soon_working_days, record.due_soon_working_days),
        ("escalate", said.escalate_working_days, record.escalate_working_days),
    ]
    for name, ours, theirs in rows:
        days = "" if name in ("gate", "unclear") else " working days"
        told = f"{theirs}{days} (as in the template)" if ours is None else f"{ours}{days} (template: {theirs})"
        yield f"  {name + ':':10} {told}"
    weights = ", ".join(f"{check}={weight}" for check, weight in sorted(said.checks.items()))
    yield f"  {'checks:':10} {weights + ' at least' if weights else 'as in the template'}"
    yield f"  {'hosts:':10} {one_line(', '.join(said.hosts)) if said.hosts else 'as in the template'}"
    tracking = said.tracking
    parts = [
        *([f"experiments {', '.join(tracking.experiments)}"] if tracking.experiments else []),
        *([f"models {', '.join(tracking.models)}"] if tracking.models else []),
        *([f"at {tracking.url}"] if tracking.url else []),
    ]
    yield f"  {'tracking:':10} {one_line('; '.join(parts)) if parts else 'nothing is filled in from a tracking server'}"
