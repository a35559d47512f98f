"""The checks of what was measured and on what: D03, D04 and D06. Cells are read before sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from service.domain.audit import examples
from service.domain.audit.about import is_of_a_tool
from service.domain.audit.bearing import is_of_life, is_of_models
from service.domain.audit.cases import WHY, Case
from service.domain.audit.cells import filled_rows
from service.domain.audit.datasets import dataset_in, names_dataset
from service.domain.audit.indecision import denied, goes_on
from service.domain.audit.learned import learned
from service.domain.audit.links import is_ticket, kinds_of, links_in
from service.domain.audit.metrics import Metric, metrics_in
from service.domain.audit.numbers import BOUND, COMPARISON, DATE, SPAN, names, numbers
from service.domain.audit.outcome import Check, CheckFinding
from service.domain.audit.phrases import (
    COMPARED,
    DATA_NOUN,
    DOCUMENT,
    EVERYDAY,
    NO_EXPERIMENTS,
    NO_MODEL,
    TARGET,
    TOOLING,
    WINDOW,
)
from service.domain.audit.placeholders import is_placeholder
from service.domain.audit.prose import count, fold
from service.domain.audit.rows import rows_of
from service.domain.audit.sections import Section
from service.domain.audit.tickets import tickets_in
from service.domain.audit.unmeasured import is_measured_row
from service.domain.audit.vetoes import is_offline
from service.domain.audit.vocabulary import speaks_of

_RUN = re.compile(r"/(?:runs?|experiments?|trials?|jobs)/[\w#-]|wandb\.ai/|comet\.com/|neptune\.ai/", re.IGNORECASE)


def judge_data(case: Case) -> CheckFinding:
    """D03: a dataset is named with its version, in a row or in a line."""
    rows = [row for row in rows_of(case.section) if not is_placeholder(row[1])]
    for row in filled_rows(case.section, "dataset", "version"):
        versioned = any(char.isdigit() for char in row["version"]) or "://" in row["version"]
        if versioned and not _is_no_data(row["dataset"]):
            return case.certain("A dataset and its version stand in the table.", f"{row['dataset']} | {row['version']}")
    if named := next((line for _, line in rows if names_dataset(line) and not _is_no_data(line)), ""):
        return case.certain("A dataset is named with its version, and nothing else.", named)
    found = dataset_in(rows)
    if found.line and _is_no_data(found.line):
        return case.unclear("what is named is seldom data of a model.", found.line)
    if found.line:
        return case.passed("A dataset is named with its version, date or link.", found.line)
    if found.named:
        return case.failed("A dataset is named, but not in which version.", found.named)
    if found.dated:
        return case.failed("A version, date or link is given, but not of which dataset.", found.dated)
    return case.failed("No dataset is named with its version.", *case.lines()[:1])


_EXPORT = re.compile(
    r"(?<!\w)(?:export\w*|extract\w*|auszug|abzug|extraccion|extracao|extraction)(?!\w)|导出|エクスポート"
)
_BARE_EXPORT = 7
"""So few words that it is not said what the export of a tool has in it."""


def _is_no_data(line: str) -> bool:
    """Whether a line names a document or something of everyday life, and nothing that data are called; or what was
    taken out of a tool that the work is kept in, and no more."""
    folded = fold(line)
    if TOOLING.first(folded) and _EXPORT.search(folded) and count(folded) <= _BARE_EXPORT:
        return True  # `Jira export of 2026-11-20`
    return (EVERYDAY.first(folded) or DOCUMENT.first(folded)) is not None and not (
        DATA_NOUN.first(folded) or speaks_of("data", folded)
    )


def judge_experiments(case: Case) -> CheckFinding:
    """D04: runs are linked, or a measure has a number and something to compare it with; or there were none, because."""
    section = case.section
    document = case.subject.record.document
    own = document.ref.url if document is not None else ""
    linked = [link for link in links_in(section.text) if not is_ticket(link.url, own)]
    runs = [link for link in linked if "run" in kinds_of(link, case.subject.rules.link_kinds)]
    runs = runs or [link for link in linked if _RUN.search(link.url)]
    if runs:
        finding = case.certain(f"Runs are linked: {len(runs)}.")
        return replace(finding, evidence=tuple(replace(case.evidence(one.label), url=one.url) for one in runs[:3]))
    if row := _in_cells(case.check, section, "compared", "target"):
        told = "A measure, its value and what it is compared with stand in the table."
        return _by_cells(case, told, row)
    measured = metrics_in(section, learned(case.subject))
    lines = [line for _, line in rows_of(section) if not is_placeholder(line)]
    compared = _comparison(measured, lines)
    if compared:
        return case.passed("A measure has a number and something to compare it with.", compared)
    if (none := denied(lines, NO_EXPERIMENTS)) is not None:
        line, says_why = none
        if says_why:
            return case.certain("There were no experiments, and it says why.", line)
        if goes_on(lines, NO_EXPERIMENTS):
            return case.unclear("there were no experiments; whether the rest says why, words do not tell.", *lines[:2])
        return case.failed("It says that there were no experiments, but not why.", line, fix=WHY.format(case.title))
    if measured:
        return case.failed(f"{_called(measured[0])} has a number, but nothing to compare it with.", *_lines_of(lines))
    return case.failed("No measure has a number, and no run is linked.", *lines[:1])


def _in_cells(check: Check, section: Section, *beside: str, needed: tuple[str, ...] = ()) -> str:
    """The first row of a table that has a measure, its value as a number, all that is needed, and a number in one of
    the columns `beside`; empty for none."""
    for row in filled_rows(section, "measure", "value", *needed):
        if speaks_of("agile", fold(row["measure"])) or not is_measured_row(check, row):
            continue
        told = [row.get(one, "") for one in beside]
        if any(map(str.isdigit, row["value"])) and any(any(map(str.isdigit, cell)) for cell in told):
            return " | ".join(filter(None, row.values()))
    return ""


def _by_cells(case: Case, told: str, row: str) -> CheckFinding:
    """What a row of measures comes to: certain where it names a measure that is known or a word of models, unclear
    where it is of everyday life; else its words are looked at, too."""
    known = learned(replace(case.subject, record=replace(case.subject.record, document=None)))
    taught = known is not None and known.search(fold(row)) is not None
    if taught or not case.text.measured or (is_of_models(row) and not is_of_a_tool(fold(row))):
        return case.certain(told, row)
    beside = is_of_life(row) or is_of_a_tool(fold(row))
    return case.unclear("what is measured is seldom of a model.", row) if beside else case.passed(told, row)


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


def judge_performance(case: Case) -> CheckFinding:
    """D06: a measure of production has its period and target; or none is in use yet, and when one is to be."""
    section, lines = case.section, [line for _, line in rows_of(case.section) if not is_placeholder(line)]
    if row := _in_cells(case.check, section, "target", needed=("period",)):
        told = "A measure, its value, period and target stand in the table."
        return case.passed(told, row) if is_offline(fold(section.plain)) else _by_cells(case, told, row)
    measured = [one for one in metrics_in(section, learned(case.subject)) if one.value is not None]
    folded = fold("\n".join(section.lines))
    window = DATE.search(folded) or SPAN.search(folded) or WINDOW.first(folded)
    target = (
        any(one.target is not None for one in measured)
        or any(TARGET.within(line) and any(True for _ in numbers(fold(line))) for line in lines)
        or any(_has_bound(fold(line)) for line in lines)
    )
    if not measured and (none := next((line for line in lines if NO_MODEL.within(line)), None)) is not None:
        if window or tickets_in(section.plain):
            return case.certain("No model is in production yet, and it says when one is to be.", none)
        reason = "It says that no model is in production yet, but not when one is to be."
        return case.failed(
            reason, none, fix=f'{_MEASURE_IT} Or say when the first release is planned: "{examples.RELEASE}".'
        )
    lacks = [
        name
        for name, there in (("a measure with a number", measured), ("the period", window), ("the target", target))
        if not there
    ]
    if not lacks:
        return case.passed(f"{_called(measured[0])} is given with its period and target.", *_lines_of(lines))
    return case.failed(f"Lacking: {', '.join(lacks)}.", *(_lines_of(lines) or lines[:1]))


def _has_bound(folded: str) -> bool:
    """Whether a folded line has a number that is not to be passed, by a word or sign right before it, and another."""
    told = sum(1 for _ in numbers(folded))
    return told > 1 and (BOUND.search(folded) or COMPARISON.search(folded)) is not None


_MEASURE_IT = f'Give a measure from production, its period and its target: "{examples.PERFORMANCE_SHORT}".'
