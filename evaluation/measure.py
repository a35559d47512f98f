"""Measures how well records are judged, always on texts that the heads were not trained on: by cross-validation over
documents, and from one corpus to the other. `make eval`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

from evaluation.corpus import (
    FIRST,
    SECOND,
    THIRD,
    TITLES,
    Answer,
    Attack,
    Figure,
    Record,
    answers,
    attacks,
    figures,
    lesson,
    records,
    shams,
)
from evaluation.training import train
from service import templates
from service.binder.page import PAGES
from service.domain.audit.metrics import Metric, metrics_in
from service.domain.audit.outcome import Check, Result
from service.domain.audit.subject import Rules, Subject
from service.domain.audit.traits import as_section
from service.opinion.asking import opined
from service.opinion.heads import Heads, shipped
from service.usecases.audit.audit_trial import Trial, judge, rules_of

FOLDS = 5
FILE = PAGES / "measured.json"
CROSS = "from one corpus to the other"
WITHIN = "by cross-validation over documents"
ALONE = "by the rules alone"


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled answer and what came of it."""

    check: Check
    language: str
    passes: bool
    result: Result
    name: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted for a check: answers that deserve a pass, by what came of them, and those that do not."""

    good: Counter[Result]
    bad: Counter[Result]

    @property
    def precision(self) -> float:
        """Of what passed, the share that deserves it."""
        return _share(self.good[Result.PASS], self.good[Result.PASS] + self.bad[Result.PASS])

    @property
    def recall(self) -> float:
        """Of what deserves a pass and was decided, the share that passed."""
        return _share(self.good[Result.PASS], self.good[Result.PASS] + self.good[Result.FAIL])

    @property
    def recall_of_all(self) -> float:
        """Of what deserves a pass, the share that passed."""
        return _share(self.good[Result.PASS], self.good.total())

    @property
    def accuracy(self) -> float:
        """Of what was decided, the share that is right."""
        right = self.good[Result.PASS] + self.bad[Result.FAIL]
        return _share(right, right + self.good[Result.FAIL] + self.bad[Result.PASS])

    @property
    def unclear(self) -> float:
        """The share that a person should look at."""
        return _share(self.good[Result.UNCLEAR] + self.bad[Result.UNCLEAR], self.good.total() + self.bad.total())


def tally(judged: Iterable[Judged]) -> Tally:
    """Count what came of answers."""
    found = Tally(Counter(), Counter())
    for one in judged:
        (found.good if one.passes else found.bad)[one.result] += 1
    return found


def splits(texts: Sequence[Answer]) -> Iterator[tuple[str, list[Answer], frozenset[str]]]:
    """What to train on, and the documents to test on: each corpus by the other, and each fold by the others."""
    for tested, trained in ((SECOND, FIRST), (FIRST, SECOND)):
        documents = frozenset(_name(one) for one in texts if one.corpus == tested)
        yield CROSS, [one for one in texts if one.corpus == trained], documents
    names = sorted({_name(one) for one in texts})
    Random(0).shuffle(names)  # noqa: S311  # which document is in which fold, always the same
    for fold in range(FOLDS):
        documents = frozenset(names[fold::FOLDS])
        yield WITHIN, [one for one in texts if _name(one) not in documents], documents


def measure() -> dict[str, Any]:
    """All figures, as plain values."""
    rules = Ruling()
    texts = answers()
    judged: dict[str, list[Judged]] = {}
    verdicts: dict[str, list[tuple[Record, Trial]]] = {}
    whole: dict[str, list[Judged]] = {}
    for how, taught, documents in splits(texts):
        heads = train(taught)
        judged.setdefault(how, []).extend(rules.answers([one for one in texts if _name(one) in documents], heads))
        for record in records():
            if record.deserves and how == CROSS and any(one.corpus == record.corpus for one in taught):
                continue  # a record of the second corpus is no document of the answers; it goes with its corpus
            if record.expected and f"{record.corpus}/{record.name}" not in documents:
                continue
            if record.deserves and how == WITHIN:
                continue
            whole.setdefault(f"{how}, as written", []).extend(rules.record(record, record.text, heads))
            whole.setdefault(f"{how}, under our headings", []).extend(rules.record(record, record.sorted, heads))
            if record.deserves:
                verdicts.setdefault(how, []).append((record, rules.trial(record, record.text, heads)))
    judged[ALONE] = list(rules.answers(texts, None))
    verdicts[ALONE] = [(one, rules.trial(one, one.text, None)) for one in records() if one.deserves]
    return {
        "answers": {how: _table(found) for how, found in judged.items()},
        "records": {how: _table(found) for how, found in whole.items() if found},
        "verdicts": {how: _verdicts(found) for how, found in verdicts.items()},
        "figures": _figures(figures()),
        "attacks": _attacks(rules, attacks()),
        "shams": _attacks(rules, shams()),
        "wrong": {how: [_told(one) for one in found if _wrong(one)] for how, found in judged.items() if how != ALONE},
    }


class Ruling:
    """The rules of the built-in template, by phase."""

    def __init__(self) -> None:
        template = templates.read_template_file(templates.BUILTIN / "iterative-ml.yaml")
        self._rules: dict[str | None, Rules] = {
            phase: rules_of(template, phase) for phase in (None, *(one.key for one in template.phases))
        }

    def answers(self, texts: Iterable[Answer], heads: Heads | None) -> Iterator[Judged]:
        """Short answers, each under its heading."""
        for one in texts:
            title = TITLES.get(one.check, TITLES[Check.EXPERIMENTS])
            body = (
                one.text if one.check is Check.NEW and "\n#" in f"\n{one.text}" else f"## {title}\n\n{_lower(one.text)}"
            )
            found = self._trial(body, None, heads, only=one.check)
            finding = next(each for each in found.findings if each.check is one.check)
            yield Judged(one.check, one.language, one.passes, finding.result, one.document, finding.confidence)

    def record(self, record: Record, text: str, heads: Heads | None) -> Iterator[Judged]:
        """The checks of a whole record that are labelled."""
        if not record.expected:
            return
        for finding in self.trial(record, text, heads).findings:
            label = record.expected[finding.check]
            if label in "PF" and finding.result is not Result.NOT_APPLICABLE:
                yield Judged(finding.check, record.language, label == "P", finding.result, record.name)

    def trial(self, record: Record, text: str, heads: Heads | None) -> Trial:
        """A whole record, by the rules of its phase."""
        return self._trial(text, record.phase, heads)

    def _trial(self, text: str, phase: str | None, heads: Heads | None, only: Check | None = None) -> Trial:
        return judge(text, self._rules[phase], opinion=partial(_opined, heads=heads, only=only))


def _opined(subject: Subject, heads: Heads | None, only: Check | None) -> Subject:
    return opined(subject, heads, only)


def _lower(text: str) -> str:
    """Headings in an answer, so that they stay below the section's own."""
    return "\n".join(f"##{line}" if line.startswith("#") else line for line in text.split("\n"))


def _table(judged: Sequence[Judged]) -> dict[str, Any]:
    by_check = {check: [one for one in judged if one.check is check] for check in sorted({one.check for one in judged})}
    by_language = {
        lang: [one for one in judged if one.language == lang] for lang in sorted({one.language for one in judged})
    }
    groups: Mapping[str, Sequence[Judged]] = {
        **{check.value: found for check, found in by_check.items()},
        **by_language,
        "all": judged,
    }
    return {name: _row(tally(found)) for name, found in groups.items()}


def _row(found: Tally) -> dict[str, Any]:
    return {
        "n": found.good.total() + found.bad.total(),
        "precision": round(found.precision, 2),
        "recall": round(found.recall, 2),
        "recall of all": round(found.recall_of_all, 2),
        "accuracy": round(found.accuracy, 2),
        "unclear": round(found.unclear, 2),
    }


def _verdicts(found: Sequence[tuple[Record, Trial]]) -> dict[str, Any]:
    table = {f"{one.name} ({one.deserves})": _said(trial) for one, trial in found}
    deserved = {"documented": {"documented"}, "partly": {"partly"}, "never": {"undocumented"}}
    return {
        "agree": sum(trial.verdict.value in deserved[one.deserves] for one, trial in found),
        "of": len(found),
        "rubbish documented": sum(one.deserves == "never" and trial.verdict == "documented" for one, trial in found),
        "complete undocumented": sum(
            one.deserves == "documented" and trial.verdict == "undocumented" for one, trial in found
        ),
        "each": table,
    }


def _attacks(rules: Ruling, texts: Sequence[Attack]) -> dict[str, dict[str, dict[str, int]]]:
    """What came of the third or fourth corpus by what ships, which was trained on no more of them than the first half:
    by part and by what was tried, how often each result."""
    heads, table = shipped(), dict[str, dict[str, Counter[str]]]()
    for one in texts:
        tried, came = came_of(rules, one, heads)
        table.setdefault(one.half, {}).setdefault(tried, Counter())[came] += 1
    return {half: {tried: dict(found) for tried, found in sorted(by.items())} for half, by in table.items()}


def came_of(rules: Ruling, one: Attack, heads: Heads | None) -> tuple[str, str]:
    """What a text of the third corpus tries, and what comes of it: the result of the check that it is about, or the
    verdict on the record."""
    if one.check is not None:
        answer = lesson(one)
        (judged,) = rules.answers([answer], heads)
        return f"{one.check.value} {'good' if answer.passes else 'bad'}", judged.result.value
    trial = rules.trial(Record(THIRD, one.name, one.language, None, one.text, one.text, {}), one.text, heads)
    if one.expected in ("documented", "never"):
        return f"record, {one.kind}", trial.verdict.value
    result = next(found.result for found in trial.findings if found.check.value == one.kind)
    return f"record, {one.expected} {one.kind}", result.value


def _said(trial: Trial) -> str:
    lacking = [
        f"{one.check.value} {one.result.value}" for one in trial.findings if one.result in (Result.FAIL, Result.UNCLEAR)
    ]
    return f"{trial.verdict.value}: {', '.join(lacking)}"


def _figures(found: Sequence[Figure]) -> dict[str, Any]:
    outcomes = {one.name: _outcome(one) for one in found}
    counted = Counter(said.partition(":")[0] for said in outcomes.values())
    return {**counted, "each": {name: said for name, said in outcomes.items() if not said.startswith("right")}}


def _outcome(figure: Figure) -> str:
    read = metrics_in(
        replace(as_section(figure.text), key="performance" if figure.setting == "production" else "experiments")
    )
    if figure.value is None:
        return "right" if not read else f"invented: {_shown(read)}"
    if not read:
        return f"missed: {figure.text[:60]}"
    headlines = {one.name: one for one in read}.values()
    right = any(one.value == figure.value and one.unit in (figure.unit, "") for one in headlines)
    return "right" if right else f"wrong: {_shown(read)} for {figure.measure} {figure.value}"


def _shown(read: Sequence[Metric]) -> str:
    return "; ".join(f"{one.name} {one.value}{one.unit}" for one in read)


def _wrong(one: Judged) -> bool:
    return one.result is (Result.FAIL if one.passes else Result.PASS)


def _told(one: Judged) -> str:
    return f"{one.check.value} {one.name} {'P' if one.passes else 'F'} {one.confidence}"


def _name(one: Answer) -> str:
    return f"{one.corpus}/{one.document}"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def write(found: Mapping[str, Any]) -> None:
    """Write the figures that each binder shows: by check, from one corpus to the other."""
    columns = ("n", "precision", "recall", "unclear")
    shown = {name: {each: row[each] for each in columns} for name, row in found["answers"][CROSS].items()}
    kept = {name: row for name, row in shown.items() if name == "all" or name in list(Check)}
    FILE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Print all figures: tables for people, or JSON with --json; --write keeps those that binders show."""
    found = measure()
    if "--write" in sys.argv:
        write(found)
    if "--json" in sys.argv:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    columns = ("n", "precision", "recall", "recall of all", "accuracy", "unclear")
    for kind in ("answers", "records"):
        for how, table in found[kind].items():
            print(f"\n{kind}, {how}\n{'':6}" + "".join(f"{name:>15}" for name in columns))
            for name, row in table.items():
                print(f"{name:6}" + "".join(f"{row[column]:>15}" for column in columns))
    for how, said in found["verdicts"].items():
        print(f"\nverdicts, {how}: {json.dumps({name: value for name, value in said.items() if name != 'each'})}")
        for name, value in said["each"].items():
            print(f"  {name:32} {value}")
    for corpus, kind in (("third", "attacks"), ("fourth", "shams")):
        for half, tried in found[kind].items():
            print(f"\n{corpus} corpus, {half}:")
            for name, came in tried.items():
                print(f"  {name:28} {json.dumps(came)}")
    print(f"\nfigures: {json.dumps(found['figures'], indent=1, ensure_ascii=False)}")
    for how, names in found["wrong"].items():
        print(f"\nwrong, {how}: " + ", ".join(names))


if __name__ == "__main__":
    main()
