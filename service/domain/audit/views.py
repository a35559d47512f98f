"""What the records show for each item of a law, a framework or a form, and what they do not, said plainly. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.domain.audit.metrics import metrics_of
from service.domain.audit.outcome import Audited, Check, Result
from service.domain.audit.subject import Subject
from service.domain.audit.titles import TITLES
from service.domain.audit.view_items import SOURCES, Also, Item, Source

NOT_COVERED = "not covered by these records"
"""What is said of an item that nothing in the records bears on."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Something in the records that bears on an item, and the iterations where it is. `check` is the name of the check
    (D03) that was passed there, empty for other evidence; `text` says in words what it is."""

    check: str
    text: str
    iterations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One item of a view. `number` is its own in the source (2(d), MEASURE 1), `title` what it asks in short, `shown`
    what the records have on it (nothing: not covered), `without` the iterations that have nothing on it although
    others do, `beyond` what no record of ours tells, empty if nothing."""

    number: str
    title: str
    shown: tuple[Shown, ...]
    without: tuple[int, ...] = ()
    beyond: str = ""

    @property
    def covered(self) -> bool:
        """Whether there is anything; never that it is enough."""
        return bool(self.shown)


@dataclass(frozen=True, slots=True)
class View:
    """A source's items with what the records show. `about` names the source exactly and says what this view is not."""

    key: str
    title: str
    about: str
    answers: tuple[Answer, ...]

    def to_json(self) -> dict[str, Any]:
        """The view as plain values, with `covered` of each item and, where it is not, `says` in words."""
        return {
            "key": self.key,
            "title": self.title,
            "about": self.about,
            "items": [_answer_json(answer) for answer in self.answers],
        }


VIEWS: tuple[str, ...] = tuple(SOURCES)
"""The keys of the views: EU AI Act Annex IV, NIST AI RMF 1.0, model card."""


def view(key: str, audited: Sequence[Audited], subjects: Iterable[Subject]) -> View:
    """The view of that key over these iterations: `subjects` are what their audits read, the newest of each. Only what
    passed a check counts, never what was waived. Raises KeyError for a key that is none of `VIEWS`."""
    return _view(SOURCES[key], _found(audited, list(subjects)), audited)


def all_views(audited: Sequence[Audited], subjects: Iterable[Subject]) -> tuple[View, ...]:
    """Every view, in the order of `VIEWS`, as `view` gives it."""
    found = _found(audited, list(subjects))
    return tuple(_view(source, found, audited) for source in SOURCES.values())


def _view(source: Source, found: Mapping[Check | Also, Shown], audited: Sequence[Audited]) -> View:
    numbers = sorted({one.number for one in audited})
    answers = tuple(_answer(item, found, numbers) for item in source.items)
    return View(source.key, source.title, source.about, answers)


_ALSO: Mapping[Also, tuple[str, Callable[[Subject], bool]]] = {
    Also.MEASURES: ("Measures with numbers", lambda subject: bool(metrics_of(subject))),
    Also.FIGURES: ("Figures of the work planned and done", lambda subject: subject.iteration.figures is not None),
}


def _found(audited: Sequence[Audited], subjects: Sequence[Subject]) -> dict[Check | Also, Shown]:
    """What there is of each source, with the iterations where it is."""
    found: dict[Check | Also, Shown] = {}
    for check in Check:
        passed = (one.number for one in audited if _passed(one, check))
        found[check] = Shown(check.value, TITLES[check], tuple(sorted(passed)))
    for also, (text, there) in _ALSO.items():
        having = (subject.iteration.number for subject in subjects if there(subject))
        found[also] = Shown("", text, tuple(sorted(having)))
    return found


def _passed(audited: Audited, check: Check) -> bool:
    return any(finding.check is check and finding.result is Result.PASS for finding in audited.findings)


def _answer(item: Item, found: Mapping[Check | Also, Shown], numbers: Sequence[int]) -> Answer:
    shown = tuple(found[source] for source in item.sources if found[source].iterations)
    having = {number for one in shown for number in one.iterations}
    without = tuple(number for number in numbers if number not in having) if shown else ()
    return Answer(item.number, item.title, shown, without, item.beyond)


def _answer_json(answer: Answer) -> dict[str, Any]:
    value: dict[str, Any] = {
        "number": answer.number,
        "title": answer.title,
        "covered": answer.covered,
        "shown": [{"check": one.check, "text": one.text, "iterations": list(one.iterations)} for one in answer.shown],
        "without": list(answer.without),
        "beyond": answer.beyond,
    }
    return value if answer.covered else {**value, "says": NOT_COVERED}
