"""Judging texts without a project: what the audit would say of them if they were records. Reads no tracker and no
store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from connectors.markups import Markup, markup_of, to_markdown
from connectors.records import Document, text_digest
from connectors.values import ItemKey, RemoteRef
from service.domain.audit.cases import without_signer
from service.domain.audit.outcome import Check, CheckFinding, Clock, Verdict, Weight, score_of, verdict_of
from service.domain.audit.rules import WEIGHTS, settle
from service.domain.audit.subject import Deadlines, Iteration, Reading, Rules, Subject
from service.domain.audit.text_checks import TEXT_CHECKS, read
from service.domain.plan.ticket_text import Wording
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import meant, one_of
from service.domain.template.template import Phase, Template
from service.domain.template.text import render
from service.opinion.asking import with_opinions

MOST_BYTES = 1_000_000
"""A bigger file is no record, and is refused without being read."""

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_DEADLINES = Deadlines(_ANY_TIME, _ANY_TIME, _ANY_TIME, _ANY_TIME, _ANY_TIME)
_KEY = ItemKey("record:1")
Opinion = Callable[[Subject], Subject]
"""Gives a subject its second opinion."""


NOT_LOOKED_AT: Mapping[Check, str] = {
    Check.RECORD: "needs the tracker",
    Check.LINKS: "needs the project: which links its phase asks for, and which hosts are its own",
    Check.SIGN_OFF: "needs the comments and the people of the project",
    Check.ON_TIME: "needs the dates of the project",
    Check.DELIVERABLES: "needs the exit tickets",
    Check.RETROSPECTIVE: "needs the tickets of the iteration",
    Check.DONE_TICKETS: "needs the tickets of the iteration",
}
"""The checks that a text alone cannot answer, and why."""


@dataclass(frozen=True, slots=True)
class Untried:
    """A file that could not be judged, and every reason why."""

    file: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of judging one file: the findings of the checks of its text, and the verdict and score from them. `by`
    says who gave the second opinion, empty where the rules decided alone."""

    file: str
    verdict: Verdict
    score: int
    findings: tuple[CheckFinding, ...]
    by: str = ""


def rules_of(template: Template, phase: str | None) -> Rules:
    """The rules for the texts of a phase; without one, those by which everything is asked for that any phase asks for.

    Raises InvalidInput where the template has no such phase."""
    known = [one.key for one in template.phases]
    if phase is not None and phase not in known:
        fix = meant(phase, known) or one_of(known)
        raise InvalidInput([Problem("--phase", None, "", f'the template has no phase "{phase[:80]}"', fix)])
    chosen = next((one for one in template.phases if one.key == phase), template.phases[0])
    rules = settle(template, chosen, words=lambda text: render(text, _words(template, chosen)))
    if phase is not None:
        return rules
    asked = {rule.key for rule in rules.sections}
    weights = {check: weight if weight is not Weight.OFF else WEIGHTS[check] for check, weight in rules.weights.items()}
    return replace(rules, weights=weights) if asked else rules


def judge(text: str, rules: Rules, name: str = "", opinion: Opinion = with_opinions) -> Trial:
    """What the audit says of a Markdown text as the record of an iteration with these rules. Raises nothing."""
    subject = opinion(_subject(text, rules))
    read_text = read(subject)
    found = (look(subject, read_text) for look in TEXT_CHECKS.values())
    findings = tuple(replace(one, fix=without_signer(one.fix)) for one in found)
    return Trial(name, verdict_of(findings, Clock.OVERDUE), score_of(findings), findings, subject.opinions.by)


def judge_file(name: str, content: bytes, rules: Rules, opinion: Opinion = with_opinions) -> Trial:
    """What the audit says of a file: Markdown, Jira's wiki markup, or ADF. Raises InvalidInput where it is no text, too
    big, or not written as its name says."""
    if len(content) > MOST_BYTES:
        said = f"it has {len(content):,} bytes, more than the {MOST_BYTES:,} of any record"
        raise InvalidInput([Problem(name, None, "", said, "give the record alone")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        said = f"it is not UTF-8 text (byte {error.start})"
        raise InvalidInput([Problem(name, None, "", said, "save it as UTF-8")]) from None
    markup = markup_of(text, name)
    try:
        return judge(to_markdown(text, markup), rules, name, opinion)
    except ValueError as error:
        fix = "give the description of an issue as Jira's REST API v3 answers it" if markup is Markup.ADF else ""
        raise InvalidInput([Problem(name, None, "", str(error), fix)]) from None


def trials_json(trials: Iterable[Trial | Untried]) -> list[dict[str, Any]]:
    """Trials as plain values, one element a file; of one that could not be judged, why."""
    return [_trial_json(one) if isinstance(one, Trial) else _untried_json(one) for one in trials]


def _trial_json(one: Trial) -> dict[str, Any]:
    return {
        "file": one.file,
        "verdict": one.verdict.value,
        "score": one.score,
        "checks": {finding.check.value: _finding_json(finding) for finding in one.findings},
        "not_looked_at": {check.value: why for check, why in NOT_LOOKED_AT.items()},
        "second_opinion": one.by,
    }


def _untried_json(one: Untried) -> dict[str, Any]:
    return {
        "file": one.file,
        "error": "; ".join(problem.message for problem in one.problems),
        "fix": "; ".join(problem.fix for problem in one.problems if problem.fix),
    }


def _finding_json(finding: CheckFinding) -> Mapping[str, Any]:
    return {
        "result": finding.result.value,
        "confidence": 1.0 if finding.confidence is None else finding.confidence,
        "close_call": finding.is_near,
        "quote": next((piece.quote for piece in finding.evidence if piece.quote), ""),
        "reason": finding.reason,
        "fix": finding.fix,
        "weight": finding.weight.value,
    }


def _words(template: Template, phase: Phase) -> Mapping[str, Any]:
    base = {"project": {"name": "", "key": ""}}
    return Wording(template, {}, base).context(phase, {"number": 1, "of_phase": 1, "last": 1, "loop": 1})


def _subject(text: str, rules: Rules) -> Subject:
    day = date(2026, 1, 1)
    iteration = Iteration(1, "", "", "", 1, day, day, None, _DEADLINES)
    document = Document(RemoteRef("1", "", ""), "", text, text_digest(text), "done")
    return Subject(iteration, rules, Reading(_KEY, document), _ANY_TIME)
