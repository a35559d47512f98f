"""What is different between two versions of a template."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.domain.template.difference import Change, Part, PartChange, difference, words
from service.domain.template.reader import read_template
from service.domain.template.template import Template
from service.templates import load_builtin


def version(*edits: tuple[str, str]) -> Template:
    """The built-in template, with text replaced in it."""
    text = load_builtin("iterative-ml").text
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return read_template(text, "edited.yaml")


PLAIN = version()
NEW_TICKET = """\
      - key: name-sponsor
        title: Name the sponsor
        epic: goals-and-hypotheses
        role: pm
        description: Find who pays.
        done: [A name stands there]
        deliverable: Sponsor
        points: 1
        origin: extension
"""
FIRST = "      - key: set-goals\n"


def test_a_version_does_not_differ_from_itself() -> None:
    assert difference(PLAIN, version()) == ()


def test_the_version_alone_is_no_difference() -> None:
    assert difference(PLAIN, version(("version: 1.1.0", "version: 1.1.1"))) == ()


def test_a_ticket_that_was_added_is_told_with_all_that_it_says() -> None:
    [found] = difference(PLAIN, version((FIRST, NEW_TICKET + FIRST)))

    assert (found.part, found.key, found.change, found.phase) == (Part.TICKET, "name-sponsor", Change.ADDED, "ideation")
    assert {one.name: one.after for one in found.fields} == {
        "title": "Name the sponsor",
        "epic": "goals-and-hypotheses",
        "role": "pm",
        "description": "Find who pays.",
        "done": ["A name stands there"],
        "deliverable": "Sponsor",
        "points": 1,
        "origin": "extension",
        "phase": "ideation",
    }
    assert {one.before for one in found.fields} == {None}


def test_a_ticket_that_was_removed_is_the_same_the_other_way_round() -> None:
    later = version((FIRST, NEW_TICKET + FIRST))

    [found] = difference(later, PLAIN)

    assert (found.key, found.change) == ("name-sponsor", Change.REMOVED)
    assert [(one.before, one.after) for one in found.fields if one.name == "points"] == [(1, None)]


CHANGES: dict[str, tuple[tuple[str, str], Part, str, str, str, str]] = {
    "a phase": (("title: Ideation & Experimentation", "title: Exploring"), Part.PHASE, "ideation", "title",
                "Ideation & Experimentation", "Exploring"),
    "a role": (("title: Product Manager", "title: Owner"), Part.ROLE, "pm", "title", "Product Manager", "Owner"),
    "a ticket": (("deliverable: Goal statement", "deliverable: Goals"), Part.TICKET, "set-goals", "deliverable",
                 "Goal statement", "Goals"),
    "a record rule": (("gate: warn", "gate: block"), Part.RECORD, "", "gate", "warn", "block"),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "part", "key", "field", "before", "after"), CHANGES.values(), ids=CHANGES)
def test_what_changed_is_told_with_before_and_after(
    edit: tuple[str, str], part: Part, key: str, field: str, before: str, after: str
) -> None:
    [found] = difference(PLAIN, version(edit))

    assert (found.part, found.key, found.change) == (part, key, Change.CHANGED)
    assert [(one.name, one.before, one.after) for one in found.fields] == [(field, before, after)]


def test_two_tickets_in_another_order_change_their_phase_and_nothing_else() -> None:
    phase = PLAIN.phases[0]
    first, second, *others = phase.tickets
    turned = phase.model_copy(update={"tickets": (second, first, *others)})
    later = PLAIN.model_copy(update={"phases": (turned, *PLAIN.phases[1:])})

    [found] = difference(PLAIN, later)

    assert (found.part, found.key, [one.name for one in found.fields]) == (Part.PHASE, "ideation", ["order of tickets"])


def test_a_ticket_in_another_phase_is_changed_not_added_and_removed() -> None:
    here, there = PLAIN.phases[:2]
    moved = here.tickets[-1]
    phases = (
        here.model_copy(update={"tickets": here.tickets[:-1]}),
        there.model_copy(update={"tickets": (*there.tickets, moved)}),
        *PLAIN.phases[2:],
    )

    [found] = difference(PLAIN, PLAIN.model_copy(update={"phases": phases}))

    assert (found.key, found.change) == (moved.key, Change.CHANGED)
    assert [(one.name, one.before, one.after) for one in found.fields] == [("phase", here.key, there.key)]


EVERY: list[tuple[str, Callable[[Template], Template]]] = [
    (f"{name}", lambda template, name=name: template.model_copy(update={name: _other(getattr(template, name))}))  # type: ignore[misc]
    for name in ("title", "description", "source")
]


def _other(value: object) -> object:
    return f"{value} otherwise"


@pytest.mark.parametrize("edit", [one for _name, one in EVERY], ids=[name for name, _edit in EVERY])
def test_a_field_of_the_template_itself_is_told(edit: Callable[[Template], Template]) -> None:
    [found] = difference(PLAIN, edit(PLAIN))

    assert (found.part, len(found.fields)) == (Part.TEMPLATE, 1)


def test_every_part_of_a_template_is_held_against_the_other() -> None:
    """Against one that shares no key, each part is there once as added and once as removed."""
    other = read_template(load_small(), "small.yaml")

    found = difference(PLAIN, other)

    gone = {(one.part, one.key) for one in found if one.change is Change.REMOVED}
    tickets = {one.key for phase in PLAIN.phases for one in phase.tickets}
    kept = {one.key for phase in other.phases for one in phase.tickets}
    assert {key for part, key in gone if part is Part.TICKET} == tickets - kept
    assert _count(found, Part.RECORD) == 1
    assert [one.part for one in found] == sorted((one.part for one in found), key=list(Part).index)


def test_a_value_is_written_as_people_read_it() -> None:
    assert words(True) == "yes"
    assert words(["pm", "ml"]) == "pm, ml"
    assert words(["The goal stands", "Signed"]) == "The goal stands\nSigned"
    assert words({"ux": True, "scale": ["growing", "governed"]}) == "ux: yes; scale: growing or governed"
    assert words(None) == ""


def _count(found: tuple[PartChange, ...], part: Part) -> int:
    return sum(one.part is part for one in found)


def load_small() -> str:
    from pathlib import Path

    return (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")
