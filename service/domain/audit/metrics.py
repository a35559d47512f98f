"""The measures that records report, as numbers, and how each went from iteration to iteration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from service.domain.audit import numbers
from service.domain.audit.answers import answers_of
from service.domain.audit.headings import DECISIONS, EXPERIMENTS, PERFORMANCE
from service.domain.audit.learned import learned
from service.domain.audit.phrases import AGAINST, BASELINE, CHOSEN, MEASURE, MOVED, NO_MEASURE, TARGET
from service.domain.audit.phrases import WINDOW as _WHEN
from service.domain.audit.preferred import preferred
from service.domain.audit.prose import Phrases, fold, plain, sentences, words
from service.domain.audit.sections import Kind, Section, Table, plain_of
from service.domain.audit.subject import Subject
from service.domain.audit.vocabulary import vocabulary

_FROM = Phrases("from|up from|down from|von|desde|de|du|da|do|od|från|van|从|から")
_WAS = Phrases("was|war|era|était|fue")
"""Before the first number of a measure these tell its value, before the second what it was before."""
_BY = Phrases("by|um|por|di|med|met|o")
"""Before a number these tell a change, not a value."""
_OURS = Phrases(
    "ours|ours is|ours has|our model|the new one|now|unseres|das neue|el nuestro|la nuestra|le notre|o nosso|我们的"
)
"""Before a number these tell the value, whatever was told before."""
_TO = re.compile(r"^[\s%]{0,3}(?:->|→|=>|⇒|to|auf|a|à|na|till|naar|até|到)\s{0,2}$")
_OF = re.compile(r"\s?(?:(?:de|d'|of|der|di|do|da)\s)?")
"""What may stand between a number and the name that it comes before: `0.62 % of chargebacks`."""
_NEAR, _FAR = 3, 48
"""How many characters may stand between a number and the name before which it stands, or the word that says what it
is."""
_LABELLED = re.compile(r"^\W{0,3}([^\W\d][\w /()%-]{1,60}?)\s{0,2}[:=]\s{0,2}[~≈<>≥≤]{0,2}\s?(?=[-+\d.])")
_IN_PRODUCTION = " (in production)"
_SCALES = {("%", ""): 0.01, ("", "%"): 100.0, ("ms", "s"): 0.001, ("s", "ms"): 1000.0}


Learned = re.Pattern[str] | None
"""What finds the names of measures that a project uses besides the known ones, in a folded text."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure with its value as it was written: `83 %` is 83 with the unit `%`. `target` and `baseline` are in the
    same unit, None where they are not given; `section` is the key of the section it stands in. `of` is what was
    measured where a table compares several (`model B`); `said` is the sentence or the row it stands in."""

    name: str
    value: float
    unit: str
    target: float | None
    baseline: float | None
    section: str
    of: str = ""
    said: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Point:
    """The value of a measure in one iteration."""

    iteration: int
    title: str
    value: float
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One measure over the iterations that report it, in their order, one point each, all in one unit."""

    name: str
    unit: str
    points: tuple[Point, ...]


def metrics_in(section: Section, names: Learned = None) -> tuple[Metric, ...]:
    """The measures in a section, in order, from sentences and tables. `names` finds those that were learned."""
    found: list[Metric] = []
    for block in section.blocks:
        if block.table is not None:
            found += _of_table(block.table, section.key, names)
        elif block.kind is Kind.CODE:
            found += (metric for line in plain_of(block) for metric in _of_text([line], section.key, names))
        elif block.kind is not Kind.HEADING:
            found += _of_text([one for line in plain_of(block) for one in sentences(line)], section.key, names)
    return tuple(found)


def metrics_of(subject: Subject) -> tuple[Metric, ...]:
    """The measures of an iteration's record: those of its experiments, then those of production. None if the record
    could not be read."""
    found = answers_of(subject).sections
    names = learned(subject)
    return tuple(
        metric for key in (EXPERIMENTS, PERFORMANCE) if key in found for metric in metrics_in(found[key], names)
    )


def series(subjects: Iterable[Subject]) -> Mapping[str, Series]:
    """How each measure went, by its name, in alphabetical order; what was measured in production is apart: `recall (in
    production)`. Of several values in one iteration that of what its decisions keep counts (`preferred`), else the last
    that is no baseline. A value in another unit than the first one's is put into it where that is possible (0.83 and
    83 %), and left out otherwise."""
    lines: dict[str, Series] = {}
    for subject in sorted(subjects, key=lambda one: one.iteration.number):
        for name, metric in _headlines(subject).items():
            line = lines.setdefault(name, Series(name, metric.unit, ()))
            point = _point(subject, metric, line.unit)
            others = tuple(one for one in line.points if one.iteration != subject.iteration.number)
            if point is not None:
                lines[name] = replace(line, points=(*others, point))
    return dict(sorted(lines.items()))


def _headlines(subject: Subject) -> dict[str, Metric]:
    """The one value of each measure by which an iteration is shown."""
    found: dict[str, list[Metric]] = {}
    for metric in metrics_of(subject):
        found.setdefault(metric.name + _IN_PRODUCTION * (metric.section == PERFORMANCE), []).append(metric)
    decided: list[str] = []
    if any(len(several) > 1 for several in found.values()) and (told := answers_of(subject).sections.get(DECISIONS)):
        decided = [one for block in told.blocks for line in plain_of(block) for one in sentences(line)]
    return {name: several[preferred([one.said for one in several], decided)] for name, several in found.items()}


def _point(subject: Subject, metric: Metric, unit: str) -> Point | None:
    scale = 1.0 if metric.unit == unit else _SCALES.get((metric.unit, unit))
    fraction = {metric.unit, unit} == {"%", ""}
    if scale is None or (fraction and metric.unit == "" and not -1 <= metric.value <= 1):
        return None
    target = None if metric.target is None else round(metric.target * scale, 9)
    return Point(subject.iteration.number, subject.iteration.title, round(metric.value * scale, 9), target)


@dataclass(slots=True)
class _Draft:
    """A measure while its sentence is read. `first` says which number came first."""

    name: str
    value: float | None = None
    unit: str = ""
    target: float | None = None
    baseline: float | None = None
    moved: bool = False
    said: str = ""

    @property
    def is_told(self) -> bool:
        """Whether a number of its own was read, or one before: `recall de 0,83`."""
        return self.value is not None or self.baseline is not None

    def take(self, number: numbers.Found, role: str, *, arrow: bool) -> None:
        """Take in a number that is said to be the `target`, the `baseline`, or nothing."""
        if role != "change":
            self.unit = self.unit or number.unit
        if role == "target":
            self.target = number.value if self.target is None else self.target
        elif role == "change":
            return
        elif role == "baseline" and self.baseline is None:
            self.baseline = number.value
        elif role == "baseline" and self.value is None:  # `recall de 0,83, frente a 0,79`: the first was none
            self.value, self.baseline = self.baseline, number.value
        elif role == "ours":
            if self.value is not None and self.baseline is None:
                self.baseline = self.value
            self.value = number.value
        elif self.value is None:
            self.value = number.value
        elif arrow and not self.moved and self.baseline is None:
            self.baseline, self.value, self.moved = self.value, number.value, True

    def metric(self, section: str) -> Metric | None:
        """The measure, if a number was found for it. What was only said to be before is its value: `recall de 0,83`."""
        value, baseline = (self.value, self.baseline) if self.value is not None else (self.baseline, None)
        if value is None:
            return None
        return Metric(self.name, value, self.unit, self.target, baseline, section, said=self.said)


@dataclass(slots=True)
class _Reader:
    """Reads the sentences of one paragraph: a later one may say what a measure of an earlier one was before."""

    drafts: list[_Draft] = field(default_factory=list)
    loose: list[tuple[numbers.Found, str]] = field(default_factory=list)
    former: _Draft | None = None
    names: Learned = None

    def read(self, sentence: str) -> None:
        """Take in one sentence."""
        folded = fold(sentence)
        named = [(start, end, name) for name, start, end in numbers.names(folded, self.names)]
        found = list(numbers.numbers(folded))
        if not named and found and _is_share(found[0]) and (label := _label(folded)) is not None:
            named = [label]
        self.loose = []
        events: list[tuple[int, int, str | numbers.Found]] = [*named, *((one.start, one.end, one) for one in found)]
        roles = _Roles(folded)
        before, last = "", 0
        for start, end, what in sorted(events, key=lambda one: one[0]):
            gap = folded[last:start]
            if isinstance(what, str):
                self._name(what, start, sentence, gap)
            else:
                self._number(what, roles.of(start, max(last, start - _FAR), fresh=before == "name"), gap)
            before, last = "name" if isinstance(what, str) else "number", end
        self._settle()

    def _name(self, name: str, start: int, sentence: str, gap: str) -> None:
        """Take in a name that stands at `start`, after `gap`, which is all since the name or number before."""
        earlier = next((one for one in self.drafts if one.name == name and one.is_told), None)
        if earlier is not None and _is_compared(gap):
            self.former = earlier
            return
        draft = _Draft(name, said=sentence)
        before = self.loose[-1] if self.loose else None
        if before is not None and before[1] == "" and _OF.fullmatch(fold(sentence)[before[0].end : start]):
            draft.take(self.loose.pop()[0], "", arrow=False)
        self.drafts.append(draft)

    def _number(self, found: numbers.Found, role: str, gap: str) -> None:
        if self.former is not None:
            self.former.take(found, "baseline", arrow=False)
            self.former = None
            return
        if not self.drafts or (self.drafts[-1].value is not None and role == "" and not _TO.match(gap)):
            self.loose.append((found, role))
        else:
            self.drafts[-1].take(found, role, arrow=bool(_TO.match(gap)))

    def _settle(self) -> None:
        """Give what was said before the first name (`against a baseline of 0.79, F1 is 0.83`) to it, and forget a name
        that no number came with."""
        for found, role in self.loose:
            if role in ("target", "baseline") and self.drafts:
                self.drafts[-1].take(found, role, arrow=False)
        self.drafts = [draft for draft in self.drafts if draft.is_told]


def _is_compared(gap: str) -> bool:
    """Whether the words before a measure that was told already say that it is told again of what it is compared with:
    `CV 0.58; before: CV 0.62`, `against a recall of 0.58`, `the old rules, our baseline, reached recall 0.58`."""
    against = list(AGAINST.all(gap))[-1:]
    if against and not _CLAUSE.search(gap[against[0].end() :]):
        return True
    former = list(BASELINE.all(gap))[-1:]
    if not former or (against and not _CLAUSE.search(gap[against[0].end() : former[0].start()])):
        return bool(former) and not gap[former[0].end() :].strip(" :=")
    return len(_CLAUSE.findall(gap[former[0].end() :])) <= 1


class _Roles:
    """Where a sentence says that the next number is a target or what was before."""

    def __init__(self, folded: str) -> None:
        self._marks = sorted(
            [(one.end(), one.start(), "target") for one in TARGET.all(folded)]
            + [(one.end(), one.start(), "target") for one in numbers.BOUND.finditer(folded)]
            + [(one.end(), one.start(), "baseline") for one in BASELINE.all(folded)]
            + [(one.end(), one.start(), "baseline") for one in AGAINST.all(folded)]
            + [(one.end(), one.start(), "from") for one in _FROM.all(folded)]
            + [(one.end(), one.start(), "was") for one in _WAS.all(folded)]
            + [(one.end(), one.start(), "change") for one in _BY.all(folded)]
            + [(one.end(), one.start(), "ours") for one in _OURS.all(folded)]
        )
        self._next = 0

    def of(self, start: int, since: int, *, fresh: bool) -> str:
        """What the number at `start` is said to be after `since`: `target`, `baseline`, or nothing. Asked in order;
        `fresh`: it is the first after a name, where `was` tells the value."""
        said = ""
        while self._next < len(self._marks) and self._marks[self._next][0] <= start:
            end, begin, role = self._marks[self._next]
            self._next += 1
            if begin < since:
                continue
            if role in ("from", "was", "change"):
                role = _near_by(role, fresh=fresh) if start - end <= _NEAR else said
            said = role if said != "target" or role == "target" else said
        return said


def _near_by(role: str, *, fresh: bool) -> str:
    if role == "change":
        return role
    return "" if role == "was" and fresh else "baseline"


def _label(folded: str) -> tuple[int, int, str] | None:
    """A name that is none of the known ones, before a colon or an equals sign."""
    found = _LABELLED.match(folded)
    if found is None or NO_MEASURE.first(found[1]) or TARGET.first(found[1]) or BASELINE.first(found[1]):
        return None
    if not _names_something(found[1]):
        return None
    return found.start(1), found.end(1), " ".join(found[1].split())


def _names_something(label: str) -> bool:
    """Whether a label says more than when and where: `production october` names no measure."""
    for shape in (numbers.DATE, numbers.SPAN):
        label = shape.sub(" ", label)
    label = _WHEN.without(label)
    for name in ("production", "period", "offline"):
        label = vocabulary()[name].without(label)
    return any(len(one) > 1 for one in words(label))


def _is_share(found: numbers.Found) -> bool:
    """Whether a number whose name is not known is one of a measure, not a mere count."""
    return bool(found.unit) or found.value != int(found.value)


def _of_text(lines: Sequence[str], section: str, names: Learned) -> Iterator[Metric]:
    reader = _Reader(names=names)
    for line in lines:
        reader.read(line)
    known = (draft.metric(section) for draft in reader.drafts)
    found = [metric for metric in known if metric is not None]
    yield from found or (
        metric for line in lines if (metric := _moved(line, section) or _beside(line, section)) is not None
    )


_CLAUSE = re.compile(r"[,;:.!?()\u3001\uff0c\u3002]")
_PART = re.compile(r"[,;:.!?()\u3001\uff0c\u3002](?!\d)|\s[\u2013\u2014-]\s")
_JOINS = frozenset(re.split(" ", "de of der des du a an the la le el per by with on in am im um"))


def _beside(sentence: str, section: str) -> Metric | None:
    """A share that its neighbours name, where a target or something before stands in the same sentence: `0.62 % of
    chargebacks, ceiling 0.70 %`. Without these a percent may be anything."""
    folded = fold(sentence)
    found = list(numbers.numbers(folded))
    roles = _Roles(folded)
    told = [(one, roles.of(one.start, max(0, one.start - _FAR), fresh=False)) for one in found]
    first = next((one for one, role in told if role == "" and _is_share(one)), None)
    if first is None or not any(role in ("target", "baseline") for _, role in told):
        return None
    name = _named_beside(folded, first)
    if not name or NO_MEASURE.first(name) or not _names_something(name):
        return None
    draft = _Draft(name, said=sentence)
    for one, role in told:
        if one.start >= first.start:
            draft.take(one, role, arrow=False)
    return draft.metric(section)


def _named_beside(folded: str, number: numbers.Found) -> str:
    """The words right after a number that name it, or else those right before it, in the same part of the sentence."""
    after = _words(_PART.split(folded[number.end :], maxsplit=1)[0])
    before = _words(_PART.split(folded[: number.start])[-1])
    return " ".join(after[:3] or before[-3:])


def _words(text: str) -> list[str]:
    return [one for one in re.findall(r"[^\W\d][\w'-]*", text) if one not in _JOINS and not _WHEN.first(one)]


def _moved(sentence: str, section: str) -> Metric | None:
    """A measure that only its sentence names: `stock-outs fell from 6.1 % to 4.2 %`. Of shares and fractions
    alone."""
    folded = fold(sentence)
    found = next((one for one in numbers.numbers(folded) if _is_share(one)), None)
    if found is None:
        return None
    verb = next((one for one in MOVED.all(folded[: found.start]) if found.start - one.end() <= _FAR), None)
    name = " ".join(re.findall(r"[^\W\d][\w'-]*", folded[: verb.start()])[-3:]) if verb is not None else ""
    if not name or NO_MEASURE.first(name) or not _names_something(name):
        return None
    reader = _Reader([_Draft(name, said=sentence)])
    reader.read(folded[verb.start() if verb else 0 :])
    return reader.drafts[0].metric(section) if reader.drafts else None


def _of_table(table: Table, section: str, names: Learned) -> Iterator[Metric]:
    """The measures of a table: in its columns, one row for each thing that was measured; or in its rows."""
    header = [fold(plain(cell)) for cell in table.header]
    columns = {n: next(numbers.names(cell, names), None) for n, cell in enumerate(header)}
    measured = {n: found[0] for n, found in columns.items() if found is not None}
    if measured and not any(MEASURE.first(cell) for cell in header):
        yield from _by_column(table, measured, section)
    else:
        yield from _by_row(table, header, section)


def _by_column(table: Table, measured: Mapping[int, str], section: str) -> Iterator[Metric]:
    told: list[tuple[str, str, dict[int, numbers.Found]]] = []
    for row in table.rows:
        label = plain(next((cell for n, cell in enumerate(row) if n not in measured and plain(cell)), ""))
        values = {n: value for n in measured if n < len(row) and (value := _cell(row[n])) is not None}
        folded = fold(" ".join((label, *(plain(cell) for n, cell in enumerate(row) if n not in measured))))
        chosen = CHOSEN.first(folded) or any(cell.startswith(("**", "__")) for cell in row)
        role = (
            "target" if TARGET.first(folded) else "baseline" if BASELINE.first(folded) else "chosen" if chosen else ""
        )
        told.append((role, " ".join(label.split()), values))
    given = {side: cells for side, _, cells in reversed(told) if side in ("target", "baseline")}
    rows = [one for one in told if one[0] not in ("target", "baseline")] or [
        one for one in told if one[0] == "baseline"
    ]
    for role, label, values in sorted(rows, key=lambda one: one[0] == "chosen"):
        for n, found in values.items():
            sides = [given[side].get(n) if side in given and role != side else None for side in ("target", "baseline")]
            target, baseline = (side.value if side is not None else None for side in sides)
            yield Metric(measured[n], found.value, found.unit, target, baseline, section, label, f"{label} {role}")


def _by_row(table: Table, header: Sequence[str], section: str) -> Iterator[Metric]:
    roles = ["target" if TARGET.first(cell) else "baseline" if BASELINE.first(cell) else "" for cell in header]
    has_measures = any(MEASURE.first(cell) for cell in header)
    for row in table.rows:
        label = next((n for n, cell in enumerate(row) if plain(cell)), None)
        if label is None:
            continue
        words = " ".join(plain(row[label]).split())
        named = next(numbers.names(fold(words)), None)
        if named is None and (not has_measures or NO_MEASURE.first(fold(words))):
            continue
        draft, unmarked = _Draft(named[0] if named else fold(words)), []
        for n, cell in enumerate(row):
            if n == label or (found := _cell(cell)) is None:
                continue
            if roles[n]:
                draft.take(found, roles[n], arrow=False)
            else:
                unmarked.append(found)
        for found in unmarked[-1:]:
            draft.take(found, "", arrow=False)
        if len(unmarked) > 1 and draft.baseline is None:
            draft.baseline = unmarked[0].value
        if (metric := draft.metric(section)) is not None:
            yield metric


def _cell(markdown: str) -> numbers.Found | None:
    return next(numbers.numbers(fold(plain(markdown))), None)
