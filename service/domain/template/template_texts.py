"""Every text of a template, where it stands and what it may name; and the checks of placeholders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.values import ITERATION_TITLE_LIMIT
from service.domain.problems import Problem
from service.domain.template.parameters import placeholder_name
from service.domain.template.shape import meant, one_of
from service.domain.template.template import (
    ChoiceParameter,
    DateParameter,
    IntegerParameter,
    Parameter,
    Phase,
    SwitchParameter,
    Template,
)
from service.domain.template.text import BadText, Placeholder, placeholders, render
from service.domain.template.yaml_marks import Marks, Path

PROJECT = ("project.name", "project.key")
PHASE_HEAD = ("phase.key", "phase.title", "phase.short")
PHASE = (*PHASE_HEAD, "phase.focus", "phase.output")
ITERATION = ("iteration.number", "iteration.of_phase", "iteration.last", "iteration.loop")
RESERVED = frozenset(("project", "phase", "iteration"))
"""First words of placeholders, and so not names of parameters."""

KEYWORDS = frozenset(("not", "true", "false", "none", "self"))
"""Words that mean something else to Jinja2, and so not names of parameters."""

_LONGEST_KEY = "P" * 10
_LONGEST_NAME = "N" * 80  # a project's name is free text
_LONGEST_NUMBER = "999"


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A text, the way to it, and the names it may use; None: it is shown as it stands."""

    path: Path
    text: str
    names: frozenset[str] | None


def texts(template: Template) -> Iterator[PlacedText]:
    """Every text a person will read, in the order of the template."""
    base = frozenset((*template.parameters, *PROJECT))
    inner = base | frozenset((*PHASE, *ITERATION))
    yield from _plain_texts(template)
    yield PlacedText(("cadence", "iteration_name"), template.cadence.iteration_name, inner)
    ceremonies = template.ceremonies
    yield PlacedText(("ceremonies", "title"), ceremonies.title, inner)
    yield PlacedText(("ceremonies", "description"), ceremonies.description, inner)
    for i, event in enumerate(ceremonies.events):
        yield PlacedText(("ceremonies", "events", i, "title"), event.title, inner)
        yield PlacedText(("ceremonies", "events", i, "purpose"), event.purpose, inner)
    yield PlacedText(("record", "title"), template.record.title, inner)
    yield PlacedText(("record", "description"), template.record.description, inner)
    yield from _listed(("record", "done"), template.record.done, inner)
    for i, section in enumerate(template.record.sections):
        yield PlacedText(("record", "sections", i, "title"), section.title, inner)
        yield from _listed(("record", "sections", i, "aliases"), section.aliases, None)
        yield PlacedText(("record", "sections", i, "prompt"), section.prompt, inner)
    for i, rule in enumerate(template.record.links):
        yield PlacedText(("record", "links", i, "title"), rule.title, None)
        yield from _listed(("record", "links", i, "words"), rule.words, None)
        yield from _listed(("record", "links", i, "addresses"), rule.addresses, None)
    yield from _listed(("record", "hosts"), template.record.hosts, None)
    for i, phase in enumerate(template.phases):
        yield from _phase_texts(("phases", i), phase, base)


def check_texts(template: Template, marks: Marks) -> Iterator[Problem]:
    """Placeholders that name nothing, statements, and placeholders where none are filled in."""
    for placed in texts(template):
        for found in placeholders(placed.text):
            if isinstance(found, BadText):
                yield marks.problem(placed.path, found.message, found.fix, within=found.line)
            elif placed.names is None:
                message = f"`{found.name}` would not be filled in here"
                yield marks.problem(placed.path, message, "write plain text", within=found.line)
            elif found.name not in placed.names:
                yield _unknown_name(placed, placed.names, found, marks)


def check_numbers(template: Template, marks: Marks) -> Iterator[Problem]:
    """Placeholders that stand for a whole value: is the parameter there, of the right type, and in range?"""
    cadence = template.cadence
    days, start = ("cadence", "iteration_days"), ("cadence", "start_date")
    yield from _check_number(cadence.iteration_days, days, (5, 60), template, marks)
    if isinstance(cadence.start_date, str):
        yield from _check_type(cadence.start_date, start, DateParameter, "date", template, marks)
    for i, phase in enumerate(template.phases):
        yield from _check_number(phase.iterations, ("phases", i, "iterations"), (1, 26), template, marks)


def check_iteration_name(template: Template, marks: Marks) -> Iterator[Problem]:
    """The name of an iteration must be short enough for the longest values, and differ from the others'."""
    path, text = ("cadence", "iteration_name"), template.cadence.iteration_name
    found = placeholders(text)
    known = {name for placed in texts(template) if placed.path == path for name in placed.names or ()}
    if any(isinstance(one, BadText) or one.name not in known for one in found):
        return
    used = {one.name for one in found if isinstance(one, Placeholder)}
    if "iteration.number" not in used and not ("iteration.of_phase" in used and used & set(PHASE_HEAD)):
        yield marks.problem(path, "iterations would share a name", "use `{{ iteration.number }}` in it")
    longest = max((render(text, context) for context in _longest_contexts(template)), key=len)
    if len(longest) > ITERATION_TITLE_LIMIT:
        yield marks.problem(
            path,
            f'can become {len(longest)} characters long ("{longest[:60]}")',
            f"{ITERATION_TITLE_LIMIT} is the most a sprint's name can have; use `project.key` and `phase.short`",
        )


def _plain_texts(template: Template) -> Iterator[PlacedText]:
    """What is shown before there is a project."""
    yield PlacedText(("title",), template.title, None)
    yield PlacedText(("description",), template.description, None)
    if template.source is not None:
        yield PlacedText(("source",), template.source, None)
    for name, parameter in template.parameters.items():
        yield PlacedText(("parameters", name, "description"), parameter.description, None)
    for key, role in template.roles.items():
        yield PlacedText(("roles", key, "title"), role.title, None)
        yield PlacedText(("roles", key, "responsibility"), role.responsibility, None)
        yield from _listed(("roles", key, "skills"), role.skills, None)


def _phase_texts(path: Path, phase: Phase, base: frozenset[str]) -> Iterator[PlacedText]:
    head = base | frozenset(PHASE_HEAD)
    inside = base | frozenset(PHASE)
    in_tickets = inside | frozenset(ITERATION) if phase.recurring else inside
    yield PlacedText((*path, "title"), phase.title, base)
    yield PlacedText((*path, "short"), phase.short, None)
    yield PlacedText((*path, "focus"), phase.focus, head)
    for i, epic in enumerate(phase.epics):
        yield PlacedText((*path, "epics", i, "title"), epic.title, inside)
        yield PlacedText((*path, "epics", i, "description"), epic.description, inside)
    for i, ticket in enumerate(phase.tickets):
        at = (*path, "tickets", i)
        yield PlacedText((*at, "title"), ticket.title, in_tickets)
        yield PlacedText((*at, "description"), ticket.description, in_tickets)
        yield from _listed((*at, "done"), ticket.done, in_tickets)
        yield PlacedText((*at, "deliverable"), ticket.deliverable, in_tickets)
    yield PlacedText((*path, "exit", "output"), phase.exit.output, head)


def _listed(path: Path, lines: Iterable[str], names: frozenset[str] | None) -> Iterator[PlacedText]:
    for i, line in enumerate(lines):
        yield PlacedText((*path, i), line, names)


def _unknown_name(placed: PlacedText, names: frozenset[str], found: Placeholder, marks: Marks) -> Problem:
    if found.name in PHASE or found.name in ITERATION:
        where = "in meetings, records, iteration names and tickets"
        fix = f"it is {where} of recurring phases" if found.name in ITERATION else f"it is {where}"
        return marks.problem(placed.path, f"`{found.name}` is not known here", fix, within=found.line)
    fix = meant(found.name, names) or one_of(sorted(names))
    return marks.problem(placed.path, f'unknown placeholder "{found.name[:60]}"', fix, within=found.line)


def _check_number(
    value: int | str, path: Path, limits: tuple[int, int], template: Template, marks: Marks
) -> Iterator[Problem]:
    if not isinstance(value, str):
        return
    wrong = list(_check_type(value, path, IntegerParameter, "whole number", template, marks))
    yield from wrong
    parameter = template.parameters.get(placeholder_name(value))
    if isinstance(parameter, IntegerParameter) and not (
        limits[0] <= parameter.minimum and parameter.maximum <= limits[1]
    ):
        message = f'"{placeholder_name(value)}" goes from {parameter.minimum} to {parameter.maximum}'
        yield marks.problem(path, message, f"here it may go from {limits[0]} to {limits[1]}")


def _check_type(
    value: str, path: Path, wanted: type[Parameter], words: str, template: Template, marks: Marks
) -> Iterator[Problem]:
    name = placeholder_name(value)
    parameter = template.parameters.get(name)
    fitting = [key for key, other in template.parameters.items() if isinstance(other, wanted)]
    fix = one_of(fitting) if fitting else f"add a parameter for the {words}"
    if parameter is None:
        yield marks.problem(path, f'unknown parameter "{name}"', meant(name, fitting) or fix)
    elif not isinstance(parameter, wanted):
        yield marks.problem(path, f'"{name}" is of type {parameter.type}, and a {words} is wanted', fix)


def _longest_contexts(template: Template) -> Iterator[dict[str, object]]:
    """For every phase, a context in which every value is as long as it can become."""
    context: dict[str, object] = {name: _longest(parameter) for name, parameter in template.parameters.items()}
    context["project"] = {"name": _LONGEST_NAME, "key": _LONGEST_KEY}
    context["iteration"] = dict.fromkeys(("number", "of_phase", "last", "loop"), _LONGEST_NUMBER)
    for phase in template.phases:
        # What a text of the phase itself holds is filled in only as far as this check needs it.
        names = {"key": phase.key, "title": phase.title, "short": phase.short, "focus": phase.focus}
        yield {**context, "phase": {**names, "output": phase.exit.output}}


def _longest(parameter: Parameter) -> str:
    if isinstance(parameter, IntegerParameter):
        return max(str(parameter.minimum), str(parameter.maximum), key=len)
    if isinstance(parameter, ChoiceParameter):
        return max(parameter.choices, key=len)
    return "yes" if isinstance(parameter, SwitchParameter) else "2026-01-05"
