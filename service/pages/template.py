"""Templates: what there is to build from, and what one asks of whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from service import templates as template_files
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted, sentence
from service.domain.template.reader import read_template
from service.domain.template.template import Phase, Template
from service.usecases.errors import NotFound

_PLACEHOLDER = re.compile(r"\{\{[^}]*\}\}")


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
    """What there is to build from."""

    cards: tuple[TemplateCard, ...]
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
class TemplatePage:
    """One template, to be read. `record` are the headings of the record of each iteration, with what to write."""

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
    may_start: bool


@cache
def builtin() -> dict[str, Template]:
    """The built-in templates, read once: that takes long."""
    return {one.name: one for text in template_files.builtin() for one in [read_template(text.text, text.source)]}


def gallery_of(caller: Caller) -> TemplatesPage:
    """The built-in templates."""
    cards = tuple(
        TemplateCard(one.name, one.title, one.version, one.description, _sums(one)) for one in builtin().values()
    )
    return TemplatesPage(cards, caller.may(Permission.DECIDE))


def page_of(caller: Caller, name: str) -> TemplatePage:
    """The built-in template of that name. Raises NotFound."""
    template = builtin().get(name)
    if template is None:
        raise NotFound("template", name, "", builtin())
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
        record=tuple((one.title, plain(one.prompt)) for one in template.record.sections),
        parameters=tuple(
            ParameterRow(sentence(key.replace("_", " ")), f"{sentence(one.description)}.", _said(one.default))
            for key, one in template.parameters.items()
        ),
        may_start=caller.may(Permission.DECIDE),
    )


def plain(text: str) -> str:
    """A text as it is before there is a project: what is filled in later is left open."""
    return " ".join(_PLACEHOLDER.sub("…", text).split())


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
        focus=plain(phase.focus),
        output=plain(phase.exit.output),
        tickets=tuple(_tickets(template, phase)),
    )


def _tickets(template: Template, phase: Phase) -> Iterator[TicketRow]:
    titles = {one.key: plain(one.title) for each in template.phases for one in each.tickets}
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
