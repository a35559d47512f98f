"""What is different between two versions of a template, to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from service.context import Context
from service.domain.english import counted, sentence
from service.domain.template.difference import Change, FieldChange, Part, PartChange, words
from service.domain.template.text import unfilled
from service.pages.signs import Sign
from service.usecases.setup import template_versions
from service.views.template import TemplateDifferenceView

_SIGNS = {
    Change.ADDED: Sign("ok", "plus", "Added"),
    Change.REMOVED: Sign("bad", "close", "Removed"),
    Change.CHANGED: Sign("info", "drift", "Changed"),
}
_PLURALS = {Part.TEMPLATE: "The template itself", Part.RECORD: "Record rules", Part.SECTION: "Sections of the record",
            Part.LINK: "Kinds of links"}  # fmt: skip

_WORDS = re.compile(r"\s+|[^\s\w]|\w+")
_MOST_WORDS = 1500
"""More words than that are not compared word by word: the time for it grows with their square."""

Marked = tuple[tuple[str, bool], ...]
"""A text in pieces, each with whether the other version does not have it."""


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field with what it says before and after."""

    name: str
    before: Marked
    after: Marked


@dataclass(frozen=True, slots=True)
class PartLine:
    """A part that differs: `where` is its phase. The fields of one that came or went are folded."""

    sign: Sign
    title: str
    key: str
    where: str
    fields: tuple[FieldLine, ...]
    folded: bool
    added: bool


@dataclass(frozen=True, slots=True)
class PartGroup:
    """All parts of one kind that differ."""

    id: str
    title: str
    said: str
    parts: tuple[PartLine, ...]


@dataclass(frozen=True, slots=True)
class TemplateDifferencePage:
    """The difference between two versions. `refs` are all versions to choose from; `empty` says why there is nothing to
    show, where there is not; `turned` is the address of the same the other way round."""

    name: str
    before: str
    after: str
    refs: tuple[str, ...]
    lead: str
    empty: str
    groups: tuple[PartGroup, ...]
    turned: str


def page_of(context: Context, name: str, before: str, after: str) -> TemplateDifferencePage:
    """The page. Of versions that are not asked for the later is the latest, and the earlier the one that came before
    it. Raises NotFound, Conflict, InvalidInput."""
    known = template_versions.versions(context, name)
    later = template_versions.version(context, name, after)[0] if after else known[0]
    if before:
        earlier = template_versions.version(context, name, before)[0]
    else:
        place = [one.digest for one in known].index(later.digest)
        earlier = known[min(place + 1, len(known) - 1)]
    found = template_versions.compared(context, name, earlier.ref, later.ref)
    return TemplateDifferencePage(
        name=name,
        before=earlier.ref,
        after=later.ref,
        refs=tuple(one.ref for one in known),
        lead=_lead(found),
        empty=_empty(found, len(known)),
        groups=tuple(_groups(found)),
        turned=f"/templates/{name}/difference?from={later.ref}&to={earlier.ref}",
    )


def _lead(found: TemplateDifferenceView) -> str:
    return ", ".join(f"{found.count(change)} {change}" for change in Change if found.count(change))


def _empty(found: TemplateDifferenceView, count: int) -> str:
    if found.parts:
        return ""
    if count == 1:
        return "There is one version of this template. Another one is here once a project or a plan was made from it."
    if found.same_text:
        return "This is the same version twice. Choose two."
    return "The two say the same: only comments or the layout of the file differ."


def _groups(found: TemplateDifferenceView) -> Iterator[PartGroup]:
    for part, each in groupby(found.parts, key=lambda one: one.part):
        parts = tuple(_part(found, one) for one in each)
        title = _PLURALS.get(part) or sentence(f"{part}s")
        said = counted(len(parts), "difference")
        yield PartGroup(part.value.replace(" ", "-"), title, said, parts)


def _part(found: TemplateDifferenceView, one: PartChange) -> PartLine:
    whole = not one.key
    return PartLine(
        sign=_SIGNS[one.change],
        title=unfilled(one.title) if not whole else "",
        key=one.key,
        where=unfilled(found.phases.get(one.phase, one.phase)),
        fields=tuple(_field(each) for each in one.fields),
        folded=one.change is not Change.CHANGED,
        added=one.change is Change.ADDED,
    )


def _field(one: FieldChange) -> FieldLine:
    before, after = words(one.before), words(one.after)
    if not before or not after:
        return FieldLine(one.name, _whole(before), _whole(after))
    return FieldLine(one.name, *_marked(before, after))


def _whole(text: str) -> Marked:
    return ((text, False),) if text else ()


def _marked(before: str, after: str) -> tuple[Marked, Marked]:
    """Both texts with what the other does not have marked, word by word; all of each where they have little in common,
    or are long."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return ((before, True),), ((after, True),)
    matched = SequenceMatcher(None, old, new, autojunk=False)
    if matched.ratio() < 0.4:
        return ((before, True),), ((after, True),)
    codes = matched.get_opcodes()
    return (
        _pieces(old, ((tag == "equal", low, high) for tag, low, high, _low, _high in codes)),
        _pieces(new, ((tag == "equal", low, high) for tag, _low, _high, low, high in codes)),
    )


def _pieces(all_: Sequence[str], codes: Iterable[tuple[bool, int, int]]) -> Marked:
    return tuple(("".join(all_[low:high]), not same) for same, low, high in codes if high > low)
