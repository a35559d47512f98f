"""The checks of what a record says: D02 to D08 and D12, each a pure function of what was read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from service.domain.audit import headings
from service.domain.audit.advice import PARTS, advised
from service.domain.audit.answers import answers_in, answers_of
from service.domain.audit.cases import Case, Text, rows_of
from service.domain.audit.cells import filled_rows
from service.domain.audit.datasets import dataset_in
from service.domain.audit.decisions import decisions_in
from service.domain.audit.languages import is_measured
from service.domain.audit.learned import learned
from service.domain.audit.links import is_ticket, kinds_of, links_in
from service.domain.audit.metrics import Metric, metrics_in
from service.domain.audit.newness import judge_new
from service.domain.audit.numbers import DATE, SPAN, names, numbers
from service.domain.audit.opinions import Question, key_of, opinion_of
from service.domain.audit.outcome import Check, CheckFinding, Result, Weight
from service.domain.audit.phrases import (
    COMPARED,
    DROPPED,
    NO_EXPERIMENTS,
    NO_MODEL,
    NONE_KNOWN,
    REASON,
    TARGET,
    WINDOW,
)
from service.domain.audit.placeholders import is_placeholder
from service.domain.audit.prose import Phrases, count, fold, plain, short, words
from service.domain.audit.sections import Kind, Section, body_of, links_of
from service.domain.audit.subject import Subject
from service.domain.audit.tickets import tickets_in
from service.domain.audit.traits import as_section
from service.domain.audit.vetoes import veto
from service.domain.audit.vocabulary import speaks_of
from service.domain.audit.weighing import unmeasured, weighed

__all__ = ["TEXT_CHECKS", "Text", "questions", "read", "unsettled"]

GOAL_WORDS = 15
"""The fewest words of a goal."""
_DISTINCT = 8
"""The fewest different words of a goal: fifteen times the same one is none."""
_RISK_WORDS = 4
_SIGNED = Phrases("signed|signed by|unterschrieben|gezeichnet|firmado|signe|assinado|署名|签字|签名")
"""Words by which somebody answers in the text itself for there being no risks."""
_NONE_WORDS = 25
"""The most words of a section that says that no risks are known."""
_RUN = re.compile(r"/(?:runs?|experiments?|trials?|jobs)/[\w#-]|wandb\.ai/|comet\.com/|neptune\.ai/", re.IGNORECASE)


def read(subject: Subject, signed: bool = False) -> Text:
    """The record's text, ready to be checked. Without a record, or with one whose text could not be read, it is empty;
    the checks then say so. Raises nothing, whatever people wrote."""
    found = answers_of(subject)
    apart = replace(subject, template="\n\n".join((subject.template, *subject.filled)))
    own = answers_of(apart).own if subject.filled else found.own
    former = answers_in(subject.former, apart).own if subject.former else ""
    return Text(found.sections, own, former, found.unanswered, signed, found.loose, is_measured(own))


def _goal(case: Case) -> CheckFinding:
    lines = case.lines()
    told = "\n".join(lines)
    length = count(told)
    if length < GOAL_WORDS:
        return case.failed(f'"{case.title}" has {length} of the {GOAL_WORDS} words that a goal takes at least.', told)
    if len(set(words(told))) < _DISTINCT and told.isascii():
        return case.failed(f'"{case.title}" repeats the same few words.', told)
    return case.passed(f"The goal is told in {length} words.", told)


def _data(case: Case) -> CheckFinding:
    rows = [row for row in rows_of(case.section) if not is_placeholder(row[1])]
    for row in filled_rows(case.section, "dataset", "version"):
        if any(char.isdigit() for char in row["version"]) or "://" in row["version"]:
            return case.certain("A dataset and its version stand in the table.", f"{row['dataset']} | {row['version']}")
    found = dataset_in(rows)
    if found.line:
        return case.passed("A dataset is named with its version, date or link.", found.line)
    if found.named:
        return case.failed("A dataset is named, but not in which version.", found.named)
    if found.dated:
        return case.failed("A version, date or link is given, but not of which dataset.", found.dated)
    return case.failed("No dataset is named with its version.", *case.lines()[:1])


def _experiments(case: Case) -> CheckFinding:
    section = case.section
    document = case.subject.record.document
    own = document.ref.url if document is not None else ""
    linked = [link for link in links_in(section.text) if not is_ticket(link.url, own)]
    runs = [link for link in linked if "run" in kinds_of(link, case.subject.rules.link_kinds)]
    runs = runs or [link for link in linked if _RUN.search(link.url)]
    if runs:
        finding = case.certain(f"Runs are linked: {len(runs)}.")
        return replace(finding, evidence=tuple(replace(case.evidence(one.label), url=one.url) for one in runs[:3]))
    if row := _in_cells(section, "compared", "target"):
        return case.certain("A measure, its value and what it is compared with stand in the table.", row)
    measured = metrics_in(section, learned(case.subject))
    lines = [line for _, line in rows_of(section) if not is_placeholder(line)]
    compared = _comparison(measured, lines)
    if compared:
        return case.passed("A measure has a number and something to compare it with.", compared)
    denied = next((line for line in lines if NO_EXPERIMENTS.within(line)), None)
    if denied is not None:
        if REASON.within(section.plain):
            return case.passed("There were no experiments, and it says why.", denied)
        return case.failed("It says that there were no experiments, but not why.", denied, fix=_WHY.format(case.title))
    if measured:
        return case.failed(f"{_called(measured[0])} has a number, but nothing to compare it with.", *_lines_of(lines))
    return case.failed("No measure has a number, and no run is linked.", *lines[:1])


def _in_cells(section: Section, *beside: str, needed: tuple[str, ...] = ()) -> str:
    """The first row of a table that has a measure, its value as a number, all that is needed, and a number in one of
    the columns `beside`; empty for none."""
    for row in filled_rows(section, "measure", "value", *needed):
        if speaks_of("agile", fold(row["measure"])):
            continue
        told = [row.get(one, "") for one in beside]
        if any(map(str.isdigit, row["value"])) and any(any(map(str.isdigit, cell)) for cell in told):
            return " | ".join(filter(None, row.values()))
    return ""


_WHY = 'Add the reason under "{}": because ...'


def _comparison(measured: Iterable[Metric], lines: Iterable[str]) -> str:
    """The line that compares a measured value with another, empty if none does."""
    told = list(measured)
    by_name: dict[str, set[float]] = {}
    for one in told:
        by_name.setdefault(one.name, set()).add(one.value)
    beside = any(one.baseline is not None for one in told) or any(len(values) > 1 for values in by_name.values())
    numbered = [line for line in lines if any(True for _ in numbers(fold(line)))]
    if told and beside:
        return next((line for line in numbered if any(True for _ in names(fold(line)))), "\n".join(numbered[:2]))
    named = any(True for line in numbered for _ in names(fold(line)))
    return next((line for line in numbered if (told or named) and COMPARED.within(line)), "") or _spread(told, lines)


def _spread(told: list[Metric], lines: Iterable[str]) -> str:
    """A number in one sentence and what it is compared with in another: `F1 is 0.83. That is better than before.`"""
    return next((line for line in lines if COMPARED.within(line)), "") if told else ""


def _called(metric: Metric) -> str:
    return f'"{metric.name}"'


def _lines_of(lines: list[str]) -> list[str]:
    return [line for line in lines if any(True for _ in numbers(fold(line)))][:2]


def _decisions(case: Case) -> CheckFinding:
    found = decisions_in(case.section)
    complete = next((one for one in found if one.reason and one.alternative and not one.nothing), None)
    if complete is not None:
        reason = "A decision stands with its reason and the alternative that was turned down."
        quotes = (complete.text, complete.reason, complete.alternative)
        plainly = complete.cells and not speaks_of("hollow", fold(" ".join(quotes)))
        return case.certain(reason, *quotes) if plainly else case.passed(reason, *quotes)
    nothing = next((one for one in found if one.nothing), None)
    if nothing is not None:
        if nothing.reason or REASON.within(case.section.plain):
            return case.passed("Nothing was decided, and it says why.", nothing.text)
        return case.failed("It says that nothing was decided, but not why.", nothing.text, fix=_WHY.format(case.title))
    if not found:
        return case.failed("No decision stands there.", *case.lines()[:1])
    reasoned = next((one for one in found if one.reason), None)
    if reasoned is not None:
        fix = f'Name under "{case.title}" what was turned down for it: "instead of ...", or a line "Alternative: ..."'
        return case.failed("A decision has a reason, but no alternative that was turned down.", reasoned.text, fix=fix)
    other = next((one for one in found if one.alternative), None)
    fix = f'Add to a decision under "{case.title}" why: "because ...", or a line "Reason: ..."'
    if other is not None:
        return case.failed("A decision names an alternative, but no reason.", other.text, fix=fix)
    return case.failed("No decision has a reason and an alternative.", found[0].text)


def _performance(case: Case) -> CheckFinding:
    section, lines = case.section, [line for _, line in rows_of(case.section) if not is_placeholder(line)]
    if row := _in_cells(section, "target", needed=("period",)):
        return case.certain("A measure, its value, period and target stand in the table.", row)
    measured = [one for one in metrics_in(section, learned(case.subject)) if one.value is not None]
    folded = fold("\n".join(section.lines))
    window = DATE.search(folded) or SPAN.search(folded) or WINDOW.first(folded)
    target = any(one.target is not None for one in measured) or any(
        TARGET.within(line) and any(True for _ in numbers(fold(line))) for line in lines
    )
    if not measured and (denied := next((line for line in lines if NO_MODEL.within(line)), None)) is not None:
        if window or tickets_in(section.plain):
            return case.certain("No model is in production yet, and it says when one is to be.", denied)
        reason = "It says that no model is in production yet, but not when one is to be."
        return case.failed(
            reason, denied, fix=f'{_MEASURE_IT} Or say when the first release is planned: "with ML-31, in May".'
        )
    lacks = [
        name
        for name, there in (("a measure with a number", measured), ("the period", window), ("the target", target))
        if not there
    ]
    if not lacks:
        return case.passed(f"{_called(measured[0])} is given with its period and target.", *_lines_of(lines))
    return case.failed(f"Lacking: {', '.join(lacks)}.", *(_lines_of(lines) or lines[:1]))


_MEASURE_IT = 'Give a measure from production, its period and its target: "recall 0.81 over 14 days, target 0.80".'


def _risks(case: Case) -> CheckFinding:
    lines = case.lines()
    told = "\n".join(lines)
    none = NONE_KNOWN.first(fold(told))
    if none is not None and none.start() < 3 and count(told) <= _NONE_WORDS:
        if case.text.signed or _SIGNED.first(fold(told)):
            return case.certain("No risks are known, and it is signed.", told)
        fix = "Have the record signed: whoever signs answers for it that there are none. Or write down the risks."
        return case.failed("It says that no risks are known, and nobody has signed that.", told, fix=fix)
    if count(told) < _RISK_WORDS:
        return case.failed("That is too short to tell a risk.", told)
    return case.passed("Risks and limits are written down.", told)


def _next_steps(case: Case) -> CheckFinding:
    steps = _steps(case.section)
    if not steps:
        return case.failed("No next step stands there.", *case.lines()[:1])
    if len(steps) == 1 and speaks_of("closed", fold(steps[0][0])):
        return case.failed("These tickets are done; what comes next is not said.", steps[0][0])
    open_ones = [step for step, raw in steps if not (_has_ticket(case.subject, step, raw) or _is_dropped(step))]
    if open_ones:
        told = f"{len(open_ones)} of {len(steps)} steps" if len(steps) > 1 else "The step"
        have = "have" if len(open_ones) > 1 else "has"
        fix = "Put the key of its ticket beside each step, make one where there is none, or write that it was dropped: "
        quoted = ", ".join(f'"{short(step)}"' for step in open_ones[:3])
        return case.failed(f"{told} {have} no ticket and {have} not been dropped.", *open_ones[:5], fix=fix + quoted)
    return case.passed(f"Every step has its ticket or was dropped: {len(steps)}.", *(step for step, _ in steps[:3]))


def _is_dropped(step: str) -> bool:
    return DROPPED.within(step) or speaks_of("waved-off", fold(step)) > 0


def _steps(section: Section) -> list[tuple[str, str]]:
    """The steps in plain words and as they were written: the lines of lists, with what stands below them, and rows of
    tables; where there are none of these, the paragraphs."""
    listed = any(block.kind in (Kind.ITEM, Kind.TABLE) for block in section.blocks)
    steps: list[list[str]] = []
    for block in section.blocks:
        if block.table is not None:
            steps += ([" | ".join(row)] for row in block.table.rows if any(count(plain(cell)) for cell in row))
        elif block.kind is Kind.ITEM and block.level == 1:
            steps.append([block.text])
        elif block.level and block.kind is not Kind.HEADING and steps:
            steps[-1].append(block.text)
        elif not listed and block.kind in (Kind.PARAGRAPH, Kind.QUOTE):
            steps += ([line] for line in block.text.split("\n") if not line.rstrip().endswith((":", "\uff1a")))
    told = ((" ".join(plain(raw := "\n".join(parts)).split()), raw) for parts in steps)
    return [(step, raw) for step, raw in told if (count(step) and not is_placeholder(step)) or links_of(raw)]


def _has_ticket(subject: Subject, step: str, raw: str) -> bool:
    if links_of(raw):
        return True
    known = frozenset(key.partition("-")[0] for key in subject.keys if "-" in key)
    if tickets_in(step, known):
        return True
    spelt = set(re.findall(r"#?[\w-]+", step.casefold()))
    return any(key.casefold() in spelt for key in subject.keys if len(key) > 1)


_ASKS: Mapping[Check, tuple[str, str, Callable[[Case], CheckFinding]]] = {
    Check.GOAL: (
        headings.GOAL,
        (
            "what this iteration is to find out or achieve, the measure it is judged by, and the value that would "
            f"prove it wrong; at least {GOAL_WORDS} words."
        ),
        _goal,
    ),
    Check.DATA: (
        headings.DATA,
        (
            "each dataset by its name with its version: a number, hash, date or link, as in "
            '"orders, version 2026-03-12". '
            "If no data was used, name what the model in question was trained on."
        ),
        _data,
    ),
    Check.EXPERIMENTS: (
        headings.EXPERIMENTS,
        (
            'a measure as a number next to what it is compared with, as in "F1 0.83, baseline 0.79"; or links to '
            'the runs; or "no experiments, because ...".'
        ),
        _experiments,
    ),
    Check.DECISIONS: (
        headings.DECISIONS,
        (
            'what was decided, why, and what was turned down, as in "We keep model B because its recall is higher, '
            'instead of model A"; or "no decision, because ...".'
        ),
        _decisions,
    ),
    Check.PERFORMANCE: (
        headings.PERFORMANCE,
        'a measure from production with its period and target, as in "recall 0.81 over the last 14 days, target 0.80".',
        _performance,
    ),
    Check.RISKS: (
        headings.RISKS,
        'where the model fails, whom that could harm and what is done about it; or "none known", and have it signed.',
        _risks,
    ),
    Check.NEXT_STEPS: (
        headings.NEXT_STEPS,
        'each step with the key of its ticket, as in "ML-14: add holidays", or that it was dropped.',
        _next_steps,
    ),
    Check.NEW: ("", "what happened in this iteration.", judge_new),
}


def _check(check: Check) -> Callable[[Subject, Text], CheckFinding]:
    key, ask, look = _ASKS[check]

    def checked(subject: Subject, text: Text) -> CheckFinding:
        case = Case(check, key, ask, subject, text)
        hindered = case.hindered()
        if hindered is not None:
            return _not_yet(case) if hindered.result is Result.NOT_APPLICABLE else hindered
        return case.settled(_judged(case, look))

    return checked


def _judged(case: Case, look: Callable[[Case], CheckFinding]) -> CheckFinding:
    """What comes of a check where there is a text to look at. What is not there, or has no word of an answer, fails
    without a second opinion."""
    if not case.key:
        return weighed(look(case), opinion_of(case.subject.opinions, case.check, whole(case.text)), "", case.to_write)
    lacking = case.lacking()
    if lacking is None:
        return _weighed(case, look, case.section, placed=True)
    if case.section.title or lacking.result is not Result.FAIL:
        return lacking
    return _elsewhere(case, look) or lacking


def _weighed(case: Case, look: Callable[[Case], CheckFinding], section: Section, *, placed: bool) -> CheckFinding:
    score, against = opinion_of(case.subject.opinions, case.check, section, placed=placed), veto(case.check, section)
    read_by_rules = look(case)
    if case.text.measured or case.check in _OF_ANY_LANGUAGE:
        finding = weighed(read_by_rules, score, against, case.to_write)
    else:
        finding = unmeasured(read_by_rules, case.to_write)
    if not finding.evidence and finding.result is not Result.FAIL:
        finding = replace(finding, evidence=tuple(case.evidence(line) for line in section.lines[:1]))
    if against or not placed:
        return finding  # what a rule speaks against, or stands elsewhere, no model settles
    return advised(finding, section, case.subject.advice.get(key_of(case.check, section)))


_OF_ANY_LANGUAGE = (Check.NEXT_STEPS, Check.NEW)
"""Checks that rest on keys, links and what was copied or left in, whatever the language."""
_RANKED = (Result.PASS, Result.UNCLEAR)


def _elsewhere(case: Case, look: Callable[[Case], CheckFinding]) -> CheckFinding | None:
    """The best of what stands under none of the headings, where a section has none: a pass or unclear, None if nothing
    there reads like an answer."""
    best: CheckFinding | None = None
    for section in candidates(case.text, case.key):
        apart = replace(case, text=replace(case.text, sections={**case.text.sections, case.key: section}))
        if opinion_of(case.subject.opinions, case.check, section, placed=False) is None:
            continue  # what stands anywhere is nothing that the rules alone can place
        found = _weighed(apart, look, section, placed=False)
        if found.result in _RANKED and (best is None or _order(found) < _order(best)):
            best = _suggested(case, found, section)
    return best


def _order(finding: CheckFinding) -> tuple[int, float]:
    return _RANKED.index(finding.result), -(finding.confidence or 0.0)


def _suggested(case: Case, finding: CheckFinding, section: Section) -> CheckFinding:
    if not section.title:
        return finding
    asked = f'Is "{section.title}" your "{case.title}"? Then call it so, and it is found for sure.'
    return replace(
        finding,
        reason=f'{finding.reason} It stands under "{section.title}".',
        fix=" ".join(filter(None, (finding.fix, asked))),
    )


def whole(text: Text) -> Section:
    """All of a record that is its own, as one section."""
    return as_section(text.own)


_MOST_CANDIDATES = 40


def candidates(text: Text, key: str) -> list[Section]:
    """What may answer for a section that has no heading: all that stands under one heading that is not known, and each
    paragraph, list and table of it."""
    found = []
    for loose in text.loose:
        found.append(replace(loose, key=key))
        if len(loose.blocks) > 1:
            found += [body_of(key, loose.title, [block]) for block in loose.blocks if block.kind is not Kind.ITEM]
        found += [
            body_of(key, loose.title, [replace(block, text=line)])
            for block in loose.blocks
            if block.kind is Kind.PARAGRAPH and "\n" in block.text
            for line in block.text.split("\n")
        ]
    return [one for one in found if not one.empty][:_MOST_CANDIDATES]


def questions(subject: Subject) -> Iterator[Question]:
    """What the second opinion is asked about a record: each check about its section, or about all that may stand for
    one."""
    text = read(subject)
    for check, (key, _, _) in _ASKS.items():
        if subject.rules.weights.get(check, Weight.MAJOR) is Weight.OFF:
            continue
        if not key:
            yield Question(check, whole(text))
            continue
        section = text.sections.get(key)
        if section is None or key in text.unanswered:
            continue
        if section.title and not section.empty:
            yield Question(check, section)
        elif not section.title:
            yield from (Question(check, one, placed=False) for one in candidates(text, key))


def unsettled(subject: Subject) -> Iterator[Question]:
    """What of a record a language model may be asked about: sections that stand in their place and are unclear, with
    no rule against them."""
    text = read(subject)
    for question in questions(subject):
        section, check = question.section, question.check
        asked = question.placed and check in PARTS and not veto(check, section)
        if asked and TEXT_CHECKS[check](subject, text).result is Result.UNCLEAR:
            yield question


def _not_yet(case: Case) -> CheckFinding:
    """What is off; where the record says that no model is in production, in its words."""
    denied = [line for line in case.section.lines if NO_MODEL.within(line)][:1]
    if case.check is Check.PERFORMANCE and denied:
        return case.not_applicable(
            "No model is in production yet, as the record says; this phase asks for none.", *denied
        )
    return case.not_applicable("This is not asked for in this phase.")


TEXT_CHECKS: Mapping[Check, Callable[[Subject, Text], CheckFinding]] = {check: _check(check) for check in _ASKS}
"""The check of each kind. What weighs OFF is not applicable; without a record a check fails; where its text could not
be read it is inconclusive."""
