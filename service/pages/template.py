"""Templates: what there is to build from, and what one asks of whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from service import templates as template_files
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted, sentence
from service.domain.template.reader import read_template
from service.domain.template.template import Phase, Template
from service.domain.template.text import unfilled
from service.pages.moments import Moment, moment
from service.pages.template_graph import GraphShown, graph_of
from service.usecases.setup import template_versions
from service.views.template import TemplateVersionView


@dataclass(frozen=True, slots=True)
class TemplateCard:
    """A template in the gallery."""

    name: str
    title: str
    version: str
    description: str
    sums: str


@dataclass(frozen=True, slots=True)
class TemplatesPage:
    """What there is to build from; `own` are other templates that projects were made from, with their versions."""

    cards: tuple[TemplateCard, ...]
    own: tuple[tuple[str, str], ...]
    may_start: bool


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket of a phase: who does it, how large it is, what it waits for, and on what condition it is there."""

    title: str
    role: str
    points: int
    needs: str
    when: str
    ends: bool


@dataclass(frozen=True, slots=True)
class PhaseShown:
    """A phase, with its tickets in the order to do them."""

    number: int
    title: str
    lead: str
    focus: str
    output: str
    tickets: tuple[TicketRow, ...]


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role, and what it answers for."""

    title: str
    key: str
    core: bool
    responsibility: str
    skills: str


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """What can be decided when a project is started."""

    name: str
    description: str
    default: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of a template: where it is from, who uses it, and where what it changed is shown, if one came before;
    `shown` is the one that is read on this page."""

    title: str
    href: str
    origin: str
    kept: Moment | None
    projects: str
    since: str
    since_title: str
    shown: bool


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """One version of a template, to be read. `record` are the headings of the record of each iteration, with what to
    write; `ref` is what asks for the version, and `fresh` has a new project made from it."""

    name: str
    title: str
    version: str
    description: str
    source: str
    figures: tuple[tuple[str, str], ...]
    phases: tuple[PhaseShown, ...]
    roles: tuple[RoleRow, ...]
    record: tuple[tuple[str, str], ...]
    parameters: tuple[ParameterRow, ...]
    origin: str
    ref: str
    graph: GraphShown
    versions: tuple[VersionLine, ...]
    fresh: str


@cache
def builtin() -> dict[str, Template]:
    """The built-in templates, read once: that takes long."""
    return {one.name: one for text in template_files.builtin() for one in [read_template(text.text, text.source)]}


def gallery_of(context: Context, caller: Caller) -> TemplatesPage:
    """The built-in templates, and what else projects were made from."""
    cards = tuple(
        TemplateCard(one.name, one.title, one.version, one.description, _sums(one)) for one in builtin().values()
    )
    names = [one for one in template_versions.names(context) if one not in builtin()]
    own = tuple((one, ", ".join(each.ref for each in template_versions.versions(context, one))) for one in names)
    return TemplatesPage(cards, own, caller.may(Permission.DECIDE))


def page_of(context: Context, caller: Caller, name: str, ref: str = "", epic: str = "") -> TemplatePage:
    """A version of the template of that name, with one of its epics opened in the graph. Raises NotFound, Conflict, and
    InvalidInput where it is of a format that is not read any more."""
    known = template_versions.versions(context, name)
    version, text = template_versions.version(context, name, ref)
    template = read_template(text.text, text.source)
    core = sum(one.core for one in template.roles.values())
    return TemplatePage(
        name=template.name,
        title=template.title,
        version=template.version,
        description=template.description,
        source=template.source or "",
        figures=(
            ("Phases", str(len(template.phases))),
            ("Tickets", str(sum(len(phase.tickets) for phase in template.phases))),
            ("Roles", f"{core} in every team, {len(template.roles) - core} as it grows"),
            ("Record", f"one in every iteration, {counted(len(template.record.sections), 'section')}"),
        ),
        phases=tuple(_phase(template, number, one) for number, one in enumerate(template.phases, start=1)),
        roles=tuple(
            RoleRow(one.title, key, one.core, one.responsibility, ", ".join(one.skills))
            for key, one in sorted(template.roles.items(), key=lambda found: not found[1].core)
        ),
        record=tuple((one.title, unfilled(one.prompt)) for one in template.record.sections),
        parameters=tuple(
            ParameterRow(sentence(key.replace("_", " ")), f"{sentence(one.description)}.", _said(one.default))
            for key, one in template.parameters.items()
        ),
        origin=_origin(version),
        ref=version.ref,
        graph=graph_of(template, ref, epic),
        versions=tuple(_lines(context, known, version)),
        fresh=f"/projects/new?template={name}" if version.built_in and caller.may(Permission.DECIDE) else "",
    )


def _lines(context: Context, known: Sequence[TemplateVersionView], shown: TemplateVersionView) -> Iterator[VersionLine]:
    """All versions, the latest first, each with the way to what it changed since the one before."""
    for one, before in zip(known, (*known[1:], None), strict=True):
        asked = urlencode({"from": before.ref, "to": one.ref}) if before else ""
        yield VersionLine(
            title=one.ref,
            href=f"/templates/{one.name}?{urlencode({'version': one.ref})}",
            origin=_origin(one),
            kept=moment(one.kept_at, "UTC", context.now()) if one.kept_at else None,
            projects=", ".join(one.projects),
            since=f"/templates/{one.name}/difference?{asked}" if before else "",
            since_title=before.ref if before else "",
            shown=one.digest == shown.digest,
        )


def _origin(one: TemplateVersionView) -> str:
    return "built in" if one.built_in else f"from {one.source}"


def _sums(template: Template) -> str:
    tickets = sum(len(phase.tickets) for phase in template.phases)
    phases, roles = counted(len(template.phases), "phase"), counted(len(template.roles), "role")
    return f"{phases}, {roles}, {counted(tickets, 'ticket')} to choose from"


def _said(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _phase(template: Template, number: int, phase: Phase) -> PhaseShown:
    points = sum(one.points for one in phase.tickets)
    turns = " It recurs: each of its iterations has all its tickets again." if phase.recurring else ""
    return PhaseShown(
        number=number,
        title=phase.title,
        lead=f"{counted(len(phase.tickets), 'ticket')}, {counted(points, 'point')}.{turns}",
        focus=unfilled(phase.focus),
        output=unfilled(phase.exit.output),
        tickets=tuple(_tickets(template, phase)),
    )


def _tickets(template: Template, phase: Phase) -> Iterator[TicketRow]:
    titles = {one.key: unfilled(one.title) for each in template.phases for one in each.tickets}
    for one in phase.tickets:
        conditions = [f"{name.replace('_', ' ')}: {_words(value)}" for name, value in one.when.items()]
        yield TicketRow(
            title=titles[one.key],
            role=template.roles[one.role].title,
            points=one.points,
            needs=", ".join(titles.get(key, key) for key in one.needs),
            when="; ".join(conditions),
            ends=one.key in phase.exit.needs,
        )


def _words(value: object) -> str:
    return " or ".join(_said(one) for one in value) if isinstance(value, tuple) else _said(value)
