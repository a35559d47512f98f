"""The versions of templates that there are, the built-in ones and those that projects were made from, and what is
different between two."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from service import templates as template_files
from service.context import Context
from service.domain.template.difference import difference
from service.domain.template.reader import read_template
from service.domain.template.template import Template
from service.store.tables import ProjectRow, TemplateRow
from service.templates import TemplateText
from service.usecases.errors import Conflict, NotFound
from service.views.template import ComparedView, TemplateDifferenceView, TemplateVersionView

_SHORT = 12
"""Digits of a digest in a reference; more may be given."""

_DIGEST = re.compile(r"[0-9a-f]{8,64}")


def names(context: Context) -> tuple[str, ...]:
    """The names of all templates that there is a version of, sorted: the built-in ones, and those that projects were
    made from, of somebody who may not see all projects those of the projects that they see."""
    with context.database.session() as session:
        kept = set(session.scalars(select(TemplateRow.name).where(*_seen(context))))
    return tuple(sorted({*template_files.builtin_names(), *kept}))


def versions(context: Context, name: str) -> tuple[TemplateVersionView, ...]:
    """The versions of that template, the latest first: the built-in one, and those that projects were made from, as
    `names` has them. Raises NotFound."""
    found = {one.digest: one for one in _built_in(name)}
    with context.database.session() as session:
        rows = session.scalars(select(TemplateRow).where(TemplateRow.name == name, *_seen(context))).all()
        made = _made(session, context, name)
    for row in rows:
        built_in = row.digest in found
        said = row.name, row.version, row.digest, row.source, built_in, row.created_at
        found[row.digest] = TemplateVersionView(row.version, *said, tuple(made.get(row.digest, ())))
    if not found:
        raise NotFound("template", name, "`phaseloop templates list` names the built-in ones.", names(context))
    times = Counter(one.version for one in found.values())
    named = [replace(one, ref=one.digest[:_SHORT]) if times[one.version] > 1 else one for one in found.values()]
    return tuple(sorted(named, key=_lateness, reverse=True))


def version(context: Context, name: str, ref: str = "") -> tuple[TemplateVersionView, TemplateText]:
    """One version with its text: by its version or by the beginning of its digest; without either the built-in one,
    else the latest. Raises NotFound, and Conflict where several texts say that version."""
    known = versions(context, name)
    if not ref:
        found = [next((one for one in known if one.built_in), known[0])]
    else:
        found = [one for one in known if one.version == ref]
        if not found and _DIGEST.fullmatch(ref):
            found = [one for one in known if one.digest.startswith(ref)]
    if not found:
        there = ", ".join(one.ref for one in known)
        raise NotFound(f"version of the template {name}", ref, f"There are: {there}.")
    if len(found) > 1:
        there = ", ".join(one.digest[:_SHORT] for one in found)
        raise Conflict("ambiguous", f"Several texts of {name} say {ref!r}: {there}.", "Name one by its digest.")
    return found[0], _text(context, found[0])


def read(context: Context, name: str, ref: str = "") -> Template:
    """The template that version is. Raises as `version` does, and InvalidInput where it is of a format that is not read
    any more."""
    text = version(context, name, ref)[1]
    return read_template(text.text, text.source)


def compared(context: Context, name: str, before: str, after: str) -> TemplateDifferenceView:
    """What is different between two versions of a template. Raises as `read` does."""
    return between(version(context, name, before)[1], version(context, name, after)[1])


def between(before: TemplateText, after: TemplateText) -> TemplateDifferenceView:
    """What is different between two texts, whatever they are called. Raises InvalidInput."""
    was, now = read_template(before.text, before.source), read_template(after.text, after.source)
    return TemplateDifferenceView(
        before=_compared(before, was),
        after=_compared(after, now),
        parts=difference(was, now),
        phases={one.key: one.title for one in (*was.phases, *now.phases)},
    )


def _compared(text: TemplateText, template: Template) -> ComparedView:
    return ComparedView(template.name, template.version, template.title, text.digest)


def _built_in(name: str) -> Sequence[TemplateVersionView]:
    if name not in template_files.builtin_names():
        return ()
    text = template_files.load_builtin(name)
    said = read_template(text.text, text.source).version
    return (TemplateVersionView(said, name, said, text.digest, text.source, True, None, ()),)


def _text(context: Context, found: TemplateVersionView) -> TemplateText:
    with context.database.session() as session:
        row = session.get(TemplateRow, found.digest)
    return TemplateText(row.text, row.source, row.digest) if row else template_files.load_builtin(found.name)


def _seen(context: Context) -> Iterator[ColumnElement[bool]]:
    """Which of the kept texts somebody may see: those of projects that they see."""
    if context.sees is not None:
        theirs = select(ProjectRow.template_digest).where(ProjectRow.id.in_(context.sees))
        yield TemplateRow.digest.in_(theirs)


def _made(session: Session, context: Context, name: str) -> dict[str, list[str]]:
    """The keys of the projects that are made from each text, by its digest."""
    query = (
        select(ProjectRow.template_digest, ProjectRow.key)
        .join(TemplateRow, TemplateRow.digest == ProjectRow.template_digest)
        .where(TemplateRow.name == name, ProjectRow.planned.is_(False))
        .order_by(ProjectRow.key)
    )
    if context.sees is not None:
        query = query.where(ProjectRow.id.in_(context.sees))
    found: dict[str, list[str]] = {}
    for digest, key in session.execute(query):
        found.setdefault(digest, []).append(key)
    return found


def _lateness(one: TemplateVersionView) -> tuple[object, ...]:
    numbers = tuple(int(part) for part in one.version.split(".") if part.isdigit())
    return numbers, one.kept_at.timestamp() if one.kept_at else 0.0, one.digest
