"""What is different between two versions of a template: which parts came, went and changed, and what they said before
and say now. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from service.domain.template.template import Strict, Template


class Part(StrEnum):
    """What sort of part it is, in the order in which they are told."""

    TEMPLATE = "template"
    PARAMETER = "parameter"
    PHASE = "phase"
    ROLE = "role"
    EPIC = "epic"
    TICKET = "ticket"
    MEETING = "meeting"
    RECORD = "record rules"
    SECTION = "section of the record"
    LINK = "kind of link"


class Change(StrEnum):
    """What became of a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field by the name that it has in the file (`exit.output`), with what it says in each version, as JSON has it;
    None where it says nothing."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PartChange:
    """One part. `phase` is the key of the phase that it is in; empty for what is in none. The fields of one that came
    or went are all that it says."""

    part: Part
    key: str
    title: str
    phase: str
    change: Change
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """A part of one version, ready to be held against the other. `order` is what is kept in an order in it: the keys,
    by what they are of."""

    title: str
    phase: str
    fields: Mapping[str, Any]
    order: Mapping[str, Sequence[str]]


def difference(before: Template, after: Template) -> tuple[PartChange, ...]:
    """Everything that the versions do not say alike, by kind of part, each kind in the order of the later version, what
    went last. A part is the same one where its key is; a phase, a ticket or a section that stands elsewhere among those
    of both versions is a change of their order. The version itself is none."""
    was, now = dict(_parts(before)), dict(_parts(after))
    found = [one for name in [*now, *(one for one in was if one not in now)] for one in _held(name, was, now)]
    return tuple(sorted(found, key=lambda one: list(Part).index(one.part)))  # a stable sort: the order stays


def words(value: Any) -> str:
    """What a field says, for people: text as it is, each entry of a list of texts on a line, keys beside each other."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{name.replace('_', ' ')}: {_either(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        entries = [words(one) for one in value]
        return ("\n" if any(" " in one for one in entries) else ", ").join(entries)
    return str(value)


def _either(value: Any) -> str:
    return " or ".join(map(words, value)) if isinstance(value, list | tuple) else words(value)


def _held(
    name: tuple[Part, str], was: Mapping[tuple[Part, str], _Known], now: Mapping[tuple[Part, str], _Known]
) -> Iterator[PartChange]:
    part, key = name
    before, after = was.get(name), now.get(name)
    if before is not None and after is not None:
        fields = (*_fields(before.fields, after.fields), *_orders(before.order, after.order))
        if fields:
            yield PartChange(part, key, after.title, after.phase, Change.CHANGED, fields)
    elif after is not None:
        yield PartChange(part, key, after.title, after.phase, Change.ADDED, tuple(_fields({}, after.fields)))
    elif before is not None:
        yield PartChange(part, key, before.title, before.phase, Change.REMOVED, tuple(_fields(before.fields, {})))


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in [*after, *(one for one in before if one not in after)]:
        old, new = _given(before.get(name)), _given(after.get(name))
        if old != new or type(old) is not type(new):  # yes is not the number 1
            yield FieldChange(name, old, new)


def _given(value: Any) -> Any:
    """None for what says nothing: an empty list is a field that was left out."""
    return None if value in ("", [], {}) else value


def _orders(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> Iterator[FieldChange]:
    """The order of what both versions have, where it is another one."""
    for of, keys in after.items():
        old = [one for one in before.get(of, ()) if one in keys]
        new = [one for one in keys if one in before.get(of, ())]
        if old != new:
            yield FieldChange(f"order of {of}", old, new)


def _parts(template: Template) -> Iterator[tuple[tuple[Part, str], _Known]]:
    """All that a version consists of, by kind and key. Every field of the format is in one of them."""
    whole = _said(template, "parameters", "roles", "phases", "record", "version", "format", "kind")
    whole.pop("ceremonies.events")
    order = {
        "phases": [one.key for one in template.phases],
        "meetings": [one.key for one in template.ceremonies.events],
    }
    yield (Part.TEMPLATE, ""), _Known(template.title, "", whole, order)
    for name, parameter in template.parameters.items():
        yield (Part.PARAMETER, name), _Known(name.replace("_", " "), "", _said(parameter), {})
    for key, role in template.roles.items():
        yield (Part.ROLE, key), _Known(role.title, "", _said(role), {})
    for phase in template.phases:
        order = {"epics": [one.key for one in phase.epics], "tickets": [one.key for one in phase.tickets]}
        said = _said(phase, "key", "epics", "tickets")
        yield (Part.PHASE, phase.key), _Known(phase.title, "", said, order)
        for kind, parts in ((Part.EPIC, phase.epics), (Part.TICKET, phase.tickets)):
            for one in parts:
                yield (kind, one.key), _Known(one.title, phase.key, {**_said(one, "key"), "phase": phase.key}, {})
    for event in template.ceremonies.events:
        yield (Part.MEETING, event.key), _Known(event.title, "", _said(event, "key"), {})
    record = template.record
    order = {"sections": [one.key for one in record.sections]}
    yield (Part.RECORD, ""), _Known(record.title, "", _said(record, "sections", "links"), order)
    for section in record.sections:
        yield (Part.SECTION, section.key), _Known(section.title, "", _said(section, "key"), {})
    for link in record.links:
        yield (Part.LINK, link.key), _Known(link.title, "", _said(link, "key"), {})


def _said(part: Strict, *without: str) -> dict[str, Any]:
    """The fields of a part as JSON has them, those of parts within by their path; conditions stay in one."""
    return dict(_flat(part.model_dump(mode="json", exclude=set(without)), ""))


def _flat(fields: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, Mapping) and name != "when":
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
