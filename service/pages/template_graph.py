"""What waits for what in a template, as a picture and the table that says the same: epics, or one of them opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from service.domain.english import counted
from service.domain.template.template import Epic, Phase, Template, Ticket
from service.domain.template.text import unfilled
from service.pages.graph import Node, Picture, picture


@dataclass(frozen=True, slots=True)
class GraphRow:
    """A box in the table: `where` is its epic or phase, `amount` its size, `waits` for what it waits."""

    title: str
    href: str
    where: str
    amount: str
    waits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GraphShown:
    """The picture with its table. `said` is what it shows, in words; `epics` are all there are to open, with whether
    this one is; `whole` leads back to all of them and is empty there."""

    title: str
    said: str
    picture: Picture
    rows: tuple[GraphRow, ...]
    epics: tuple[tuple[str, str, bool], ...]
    whole: str


_READ = "Arrows that follow from others are left out of the picture; the table has all."


class _Template:
    """A template by its tickets and epics."""

    def __init__(self, template: Template, ref: str) -> None:
        self.ref = ref
        self.base = f"/templates/{template.name}"
        self.epics: dict[str, tuple[Phase, Epic]] = {
            one.key: (each, one) for each in template.phases for one in each.epics
        }
        self.tickets: dict[str, Ticket] = {one.key: one for each in template.phases for one in each.tickets}
        waits: dict[str, dict[str, None]] = {key: dict.fromkeys(one.needs) for key, one in self.tickets.items()}
        for key, one in self.tickets.items():
            for later in one.before:
                waits[later][key] = None
        self.waits: Mapping[str, tuple[str, ...]] = {key: tuple(of) for key, of in waits.items()}

    def address(self, epic: str = "") -> str:
        asked = {name: value for name, value in (("version", self.ref), ("epic", epic)) if value}
        return f"{self.base}{'?' + urlencode(asked) if asked else ''}#graph"

    def inside(self, epic: str) -> list[Ticket]:
        return [one for one in self.tickets.values() if one.epic == epic]

    def title(self, key: str) -> str:
        return unfilled(self.tickets[key].title)

    def epic_title(self, key: str) -> str:
        return unfilled(self.epics[key][1].title)

    def phase_title(self, epic: str) -> str:
        return unfilled(self.epics[epic][0].title)


def graph_of(template: Template, ref: str, epic: str) -> GraphShown:
    """The graph of the epics or, where `epic` is the key of one, of its tickets and what they are joined with. `ref` is
    how the version is asked for in addresses; empty for the one that is shown without."""
    known = _Template(template, ref)
    return _one(known, epic) if epic in known.epics else _whole(known)


def _whole(known: _Template) -> GraphShown:
    waits = {key: _epics_before(known, key) for key in known.epics}
    nodes = [
        Node(key, unfilled(one.title), counted(len(known.inside(key)), "ticket"), known.address(key))
        for key, (_phase, one) in known.epics.items()
    ]
    joined = sum(map(len, waits.values()))
    return GraphShown(
        title="What waits for what",
        said=f"{counted(len(nodes), 'epic')}; an arrow leads to one whose tickets wait for tickets of the other, "
        f"{counted(joined, 'time')} in all. {_READ} Open an epic to see its tickets.",
        picture=picture(nodes, waits),
        rows=tuple(
            GraphRow(
                one.title, one.href, known.phase_title(one.key), one.more, tuple(map(known.epic_title, waits[one.key]))
            )
            for one in nodes
        ),
        epics=tuple(_to_open(known, "")),
        whole="",
    )


def _one(known: _Template, epic: str) -> GraphShown:
    own = {one.key for one in known.inside(epic)}
    around = {each for key in own for each in known.waits[key]}
    around |= {key for key, of in known.waits.items() if own.intersection(of)}
    shown = [key for key in known.tickets if key in own or key in around]
    waits = {key: [one for one in known.waits[key] if key in own or one in own] for key in shown}
    nodes = [_ticket(known, key, outside=key not in own) for key in shown]
    others = counted(len(shown) - len(own), "ticket")
    joined = f" and {others} of other epics, on grey, that they wait for or that wait for them. {_READ}"
    alone = ". None of them waits for another epic, and no other epic waits for them."
    return GraphShown(
        title=f"What waits for what in {known.epic_title(epic)}",
        said=counted(len(own), "ticket") + (joined if len(shown) > len(own) else alone),
        picture=picture(nodes, waits),
        rows=tuple(_ticket_row(known, one, waits[one.key]) for one in nodes),
        epics=tuple(_to_open(known, epic)),
        whole=known.address(),
    )


def _ticket_row(known: _Template, one: Node, waits: Sequence[str]) -> GraphRow:
    ticket = known.tickets[one.key]
    amount = counted(ticket.points, "point")
    return GraphRow(one.title, one.href, known.epic_title(ticket.epic), amount, tuple(map(known.title, waits)))


def _ticket(known: _Template, key: str, *, outside: bool) -> Node:
    one = known.tickets[key]
    more = known.epic_title(one.epic) if outside else f"{one.role}, {counted(one.points, 'point')}"
    return Node(key, unfilled(one.title), more, known.address(one.epic) if outside else "", outside)


def _epics_before(known: _Template, epic: str) -> list[str]:
    """The other epics for whose tickets those of this one wait, in the order of the template."""
    found = {known.tickets[each].epic for one in known.inside(epic) for each in known.waits[one.key]} - {epic}
    return [one for one in known.epics if one in found]


def _to_open(known: _Template, epic: str) -> Iterator[tuple[str, str, bool]]:
    for key in known.epics:
        yield key, known.epic_title(key), key == epic
