"""The labelled corpora that ship with this repository: short answers and whole records, with what they deserve."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from service.domain.audit.outcome import Check

HERE = Path(__file__).parent / "corpus"
FIRST, SECOND, THIRD, FOURTH = "first", "second", "third", "fourth"
SEEN, KEPT_BACK, FRESH = "seen", "kept back", "fresh"
"""The parts of the third corpus: the first was looked at while rules were written, the second only afterwards; the
third was written when the rules were done, in other words. Of the first alone something is trained: caution and sense.
The records of the fourth corpus have the first two parts."""

SECTIONS = {
    "goal": Check.GOAL,
    "data": Check.DATA,
    "experiments": Check.EXPERIMENTS,
    "decisions": Check.DECISIONS,
    "performance": Check.PERFORMANCE,
    "risks": Check.RISKS,
    "next": Check.NEXT_STEPS,
}
"""What the marks of the first corpus stand for."""

TITLES = {
    Check.GOAL: "Goal and hypothesis",
    Check.DATA: "Data used",
    Check.EXPERIMENTS: "Experiments and results",
    Check.DECISIONS: "Decisions and why",
    Check.PERFORMANCE: "Model performance in production",
    Check.RISKS: "Risks and limits",
    Check.NEXT_STEPS: "Next steps",
}
PHASES = {"0": "ideation", "1": "development", "2": "deployment"}
_MARK = re.compile(r"@@(\w+)\s*$")


@dataclass(frozen=True, slots=True)
class Answer:
    """A text with what a check is to say of it. `document` is what it comes from: none is tested and trained on."""

    corpus: str
    document: str
    check: Check
    passes: bool
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A whole record: as it was written (`text`), and put under the headings of the template (`sorted`). `expected` has
    P, F or N by check where that is labelled; `deserves` a verdict (`never`: undocumented) where that is."""

    corpus: str
    name: str
    language: str
    phase: str | None
    text: str
    sorted: str
    expected: dict[Check, str]
    deserves: str = ""


@dataclass(frozen=True, slots=True)
class Attack:
    """A text of the third corpus, which tries to get past the judging: a short answer, or a whole record (`check` is
    None) with its `kind`. `expected` is P or F for an answer; for a record `documented`, `never` (it is about no
    model), `tentative` or `unmeasured`, of which `kind` names the check that cannot pass."""

    name: str
    check: Check | None
    expected: str
    language: str
    kind: str
    half: str
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A text and the measure that a reader would plot from it; an empty `measure` for none."""

    name: str
    language: str
    text: str
    measure: str
    value: float | None
    unit: str
    compared: float | None
    target: float | None
    setting: str


@cache
def answers() -> tuple[Answer, ...]:
    """All labelled texts: short answers, and the sections of the records of the first corpus."""
    return tuple(_answers())


@cache
def records() -> tuple[Record, ...]:
    """All whole records of both corpora."""
    return (*_first_records(), *_second_records())


@cache
def figures() -> tuple[Figure, ...]:
    """All headline figures."""
    return tuple(
        Figure(
            row["id"],
            row["lang"],
            row["text"],
            row["measure"],
            _number(row["value"]),
            row["unit"],
            _number(row["compared"]),
            _number(row["target"]),
            row["setting"],
        )
        for row in _rows("second-figures.csv")
    )


@cache
def attacks() -> tuple[Attack, ...]:
    """All texts of the third corpus."""
    told = [
        Attack(
            row["id"],
            Check(row["check"]),
            row["label"],
            row["lang"],
            row["kind"],
            row["half"],
            row["text"].replace("\\n", "\n"),
        )
        for row in _rows("third-answers.csv")
    ]
    whole = [
        Attack(
            row["file"],
            None,
            row["deserves"],
            row["lang"],
            row["kind"],
            row["half"],
            (HERE / THIRD / row["file"]).read_text(encoding="utf-8"),
        )
        for row in _rows("third-records.csv")
    ]
    return (*told, *whole)


@cache
def shams() -> tuple[Attack, ...]:
    """All records of the fourth corpus: such as have the shape of one and say nothing, or nothing of a model, and good
    ones full of jargon and odd names."""
    return tuple(
        Attack(
            row["file"],
            None,
            row["deserves"],
            row["lang"],
            row["kind"],
            row["half"],
            (HERE / FOURTH / row["file"]).read_text(encoding="utf-8"),
        )
        for row in _rows("fourth-records.csv")
    )


def lesson(one: Attack) -> Answer:
    """A short answer of the third corpus as one of the others."""
    if one.check is None:
        raise ValueError(f"{one.name} is a whole record")
    return Answer(THIRD, one.name, one.check, one.expected == "P", one.language, one.text)


def _answers() -> Iterator[Answer]:
    for record in _first_records():
        parts = _parts(record.text_marked)
        for name, check in SECTIONS.items():
            if name in parts and record.expected[check] in "PF":
                yield Answer(FIRST, record.name, check, record.expected[check] == "P", record.language, parts[name])
        yield Answer(FIRST, record.name, Check.NEW, record.expected[Check.NEW] == "P", record.language, record.text)
    for corpus in (FIRST, SECOND):
        for row in _rows(f"{corpus}-answers.csv"):
            text = row["text"].replace("\\n", "\n")
            if text.strip():  # one is empty by a slip of the pen
                yield Answer(corpus, row["id"], Check(row["check"]), row["label"] == "P", row["lang"], text)


@dataclass(frozen=True, slots=True)
class _Marked(Record):
    text_marked: str = ""


def _first_records() -> Iterator[_Marked]:
    for row in _rows("first-labels.csv"):
        marked = (HERE / FIRST / row["file"]).read_text(encoding="utf-8")
        parts = _parts(marked)
        under = [f"## {TITLES[check]}\n\n{parts[name]}" for name, check in SECTIONS.items() if name in parts]
        yield _Marked(
            FIRST,
            row["file"],
            row["lang"],
            PHASES[row["phase"]] if row["phase"] != "0" else None,
            "\n".join(line for line in marked.split("\n") if not _MARK.match(line)),
            "\n\n".join(under),
            {check: row[check.value] for check in (*SECTIONS.values(), Check.NEW)},
            text_marked=marked,
        )


def _second_records() -> Iterator[Record]:
    for row in _rows("second-records.csv"):
        text = (HERE / SECOND / row["file"]).read_text(encoding="utf-8")
        yield Record(SECOND, row["file"], row["lang"], row["phase"], text, text, {}, row["deserves"])


def _parts(marked: str) -> dict[str, str]:
    """The text under each mark, without the marks."""
    parts: dict[str, list[str]] = {}
    current = ""
    for line in marked.split("\n"):
        if mark := _MARK.match(line):
            current = mark[1]
        elif current:
            parts.setdefault(current, []).append(line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> float | None:
    return float(text) if text else None
