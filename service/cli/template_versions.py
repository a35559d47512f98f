"""`phaseloop templates versions` and `diff`: which versions of a template there are, and what is different between
two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

import service.templates as template_files
from service.cli.library import templates
from service.cli.shell import AsJson, opened, out, print_json, told
from service.domain.audit.shown import visible
from service.domain.template.difference import Change, PartChange, words
from service.templates import TemplateText
from service.usecases.setup import template_versions
from service.views.template import TemplateDifferenceView

__all__ = ["templates"]

_SIGNS = {Change.ADDED: "[green]+[/]", Change.REMOVED: "[red]-[/]", Change.CHANGED: "[yellow]~[/]"}

Compared = Annotated[
    str,
    typer.Argument(
        help="A built-in template's name, a file, or NAME@VERSION for one that a project was made from.",
        show_default=False,
    ),
]


@templates.command("versions")
def list_versions(
    name: Annotated[str, typer.Argument(help="The template's name.")] = "iterative-ml", as_json: AsJson = False
) -> None:
    """List the versions of a template: the built-in one, and those that projects were made from."""
    with opened(keyless=True) as context:
        found = template_versions.versions(context, name)
    if as_json:
        print_json([one.to_json() for one in found])
        return
    table = Table("Version", "Digest", "From", "Projects", box=None, header_style="dim", pad_edge=False)
    for one in found:
        origin = "built in" if one.built_in else escape(visible(one.source))
        table.add_row(one.version, one.digest[:12], origin, escape(visible(" ".join(one.projects))))
    out.print(table)


@templates.command("diff")
def diff(before: Compared, after: Compared, as_json: AsJson = False) -> None:
    """Show what is different between two versions of a template: phases, roles, tickets, record rules and all else,
    with what each field says before and after."""
    with told():
        found = template_versions.between(_text(before), _text(after))
    if as_json:
        print_json(found.to_json())
    else:
        _tell(found)


def _text(given: str) -> TemplateText:
    """The text that an argument names; a file is itself, whatever its name."""
    name, at, ref = given.rpartition("@")
    if not at or not name or Path(given).exists():
        return template_files.load(given)
    with opened(keyless=True) as context:
        return template_versions.version(context, name, ref)[1]


def _tell(found: TemplateDifferenceView) -> None:
    was, now = found.before, found.after
    out.print(f"{escape(visible(was.name))} {was.version} → {escape(visible(now.name))} {now.version}")
    if not found.parts:
        out.print("The same text." if found.same_text else "They say the same; only comments or layout differ.")
        return
    for one in found.parts:
        out.print(f"\n{_SIGNS[one.change]} {_named(found, one)}")
        for each in one.fields:
            out.print(f"    {escape(visible(each.name))}: {_both(one.change, each.before, each.after)}")
    counts = ", ".join(f"{found.count(change)} {change}" for change in Change)
    out.print(f"\n{counts}")


def _named(found: TemplateDifferenceView, one: PartChange) -> str:
    """A part as people look for it: what it is, its key, its title, and where it is."""
    where = f" in {found.phases.get(one.phase, one.phase)}" if one.phase else ""
    title = f" {one.title}" if one.title and one.key else ""
    return escape(visible(f"{one.part} {one.key}".strip() + title + where))


def _both(change: Change, before: object, after: object) -> str:
    old, new = (escape(visible(words(one).replace("\n", " / "))) or "[dim]nothing[/]" for one in (before, after))
    if change is Change.CHANGED:
        return f"{old} → {new}"
    return new if change is Change.ADDED else old
