"""The checks of what was written: D02, D05, D07 and D08. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from service.domain.audit.bearing import is_of_life, is_of_models
from service.domain.audit.cases import WHY, Case
from service.domain.audit.commitment import open_cells
from service.domain.audit.decisions import decisions_in
from service.domain.audit.indecision import denied, goes_on
from service.domain.audit.numbers import names
from service.domain.audit.outcome import CheckFinding
from service.domain.audit.phrases import (
    COMMON,
    DROPPED,
    NO_DECISION,
    NONE_KNOWN,
    REASON,
)
from service.domain.audit.placeholders import is_placeholder
from service.domain.audit.prose import Phrases, count, fold, plain, sentences, short, words
from service.domain.audit.sections import Kind, Section, body_of, links_of, parse
from service.domain.audit.subject import Subject
from service.domain.audit.tickets import TICKET, example_in, lower_case_tickets_in, tickets_in
from service.domain.audit.vetoes import remedy
from service.domain.audit.vocabulary import speaks_of, vocabulary

GOAL_WORDS = 15
"""The fewest words of a goal."""
_DISTINCT = 8
"""The fewest different words of a goal: fifteen times the same one is none."""
_RISK_WORDS = 4
_SIGNED = Phrases("signed|signed by|unterschrieben|gezeichnet|firmado|signe|assinado|署名|签字|签名")
"""Words by which somebody answers in the text itself for there being no risks."""
_NONE_WORDS = 25
"""The most words of a section that says that no risks are known."""


_NO_SIGN = "does not read like something that is to be found out."
_NO_MEASURE = "names no measure and number by which one would see that it is reached."


def judge_goal(case: Case) -> CheckFinding:
    """D02: what is to be found out or reached is told in enough words; whether they say it, no rule knows."""
    lines = case.lines()
    told = "\n".join(lines)
    length = count(told)
    if length < GOAL_WORDS:
        measured = any(map(str.isdigit, told)) and any(True for _ in names(fold(told)))
        short_one = f'"{case.title}" has {length} words, which is few, and '
        return case.failed(short_one + (_NO_SIGN if measured else _NO_MEASURE), told)
    if len(set(words(told))) < _DISTINCT and told.isascii():
        return case.failed(f'"{case.title}" repeats the same few words.', told)
    return case.passed(f"The goal is told in {length} words.", told)


def judge_decisions(case: Case) -> CheckFinding:
    """D05: a decision stands with its reason and what was turned down; or there was none, because."""
    found = decisions_in(case.section)
    full = [one for one in found if one.reason and one.alternative and not one.nothing]
    said_open = {one.text: open_cells(one.text, one.reason) for one in full if one.cells}
    complete = next((one for one in full if not said_open.get(one.text)), None)
    if complete is not None:
        reason = "A decision stands with its reason and the alternative that was turned down."
        quotes = (complete.text, complete.reason, complete.alternative)
        if _is_hollow(complete.reason):
            return case.unclear("the reason says no more than that it is good.", *quotes)
        if not complete.cells or is_of_life(" ".join(quotes)):
            return case.passed(reason, *quotes)
        # A row is short, and need not name the model that all the record is about.
        if is_of_models(case.text.own) or any(map(str.isdigit, complete.reason)) or not case.text.measured:
            return case.certain(reason, *quotes)
        return case.unclear("it may not be about the model or its data.", *quotes)
    if (nothing := denied(case.lines(), NO_DECISION)) is not None:
        line, says_why = nothing
        if says_why:
            return case.certain("Nothing was decided, and it says why.", line)
        if goes_on(case.lines(), NO_DECISION):
            return case.unclear("nothing was decided; whether the rest says why, words do not tell.", line)
        return case.failed("It says that nothing was decided, but not why.", line, fix=WHY.format(case.title))
    if not found:
        return case.failed("No decision stands there.", *case.lines()[:1])
    if full:
        said = said_open[full[0].text]
        return case.failed(said, full[0].text, full[0].reason, fix=remedy(said))
    reasoned = next((one for one in found if one.reason), None)
    if reasoned is not None:
        fix = f'Name under "{case.title}" what was turned down for it: "instead of ...", or a line "Alternative: ..."'
        return case.failed("A decision has a reason, but no alternative that was turned down.", reasoned.text, fix=fix)
    other = next((one for one in found if one.alternative), None)
    fix = f'Add to a decision under "{case.title}" why: "because ...", or a line "Reason: ..."'
    if other is not None:
        return case.failed("A decision names an alternative, but no reason.", other.text, fix=fix)
    return case.failed("No decision has a reason and an alternative.", found[0].text)


def _is_hollow(reason: str) -> bool:
    """Whether a reason is nothing but praise: `because it is good`."""
    said = [one for one in words(reason) if one not in COMMON and not REASON.within(one)]
    return bool(said) and all(speaks_of("hollow", one) for one in said)


def judge_risks(case: Case) -> CheckFinding:
    """D07: risks are written down; or none are known, and somebody signed that."""
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


def judge_next_steps(case: Case) -> CheckFinding:
    """D08: every step has its ticket or was dropped."""
    steps = _steps(case.section)
    if not steps:
        return case.failed("No next step stands there.", *case.lines()[:1])
    if _are_filled_in(case, steps):
        told = "The tickets that phaseloop filled in are there; nobody has written what comes next."
        return (case.unclear if case.text.own else case.failed)(told, *(step for step, _ in steps[:3]))
    if len(steps) == 1 and speaks_of("closed", fold(steps[0][0])):
        return case.failed("These tickets are done; what comes next is not said.", steps[0][0])
    if hollow := next((step for step, _ in steps if _is_elsewhere(step)), ""):
        return case.failed("Beside a ticket it only says to look elsewhere.", hollow)
    open_ones = [step for step, raw in steps if not (_has_ticket(case.subject, step, raw) or _is_dropped(step))]
    if open_ones:
        told = f"{len(open_ones)} of {len(steps)} steps" if len(steps) > 1 else "The step"
        have = "have" if len(open_ones) > 1 else "has"
        fix = "Put the key of its ticket beside each step, make one where there is none, or write that it was dropped: "
        quoted = ", ".join(f'"{short(step)}"' for step in open_ones[:3])
        if examples := [one for step in open_ones if (one := example_in(step, _projects(case.subject)))]:
            like = f'"{examples[0]}" looks like an example, not a ticket.'
            also = f" {told} {have} no ticket of a project." if len(open_ones) > len(examples) else ""
            return case.failed(f"{like}{also}", *open_ones[:5], fix=fix + quoted)
        return case.failed(f"{told} {have} no ticket and {have} not been dropped.", *open_ones[:5], fix=fix + quoted)
    if shared := next((step for step, raw in steps if not links_of(raw) and _is_shared(step)), ""):
        told = "the key stands beside some of these steps; whether it is the ticket of the others, words do not tell."
        return case.unclear(told, shared)
    return case.passed(f"Every step has its ticket or was dropped: {len(steps)}.", *(step for step, _ in steps[:3]))


_LISTED = re.compile(r",\s|\s(?:and|und|y|et|e|sowie)\s|[\uff0c\u3001]")
_MOST_PARTS = 2
"""So many parts of a sentence one key may be the ticket of."""


def _is_shared(step: str) -> bool:
    """Whether prose tells of more steps than it has keys: a sentence without one beside sentences with one, or a list
    in a sentence whose key does not head it."""
    told = [one for one in sentences(step) if count(one) > 1 and not _is_dropped(one)]
    keyed = [bool(TICKET.search(one) or lower_case_tickets_in(one)) for one in told]
    if len(told) > 1 and not all(keyed) and not keyed[0]:
        return True
    if len(told) > 1 and sum(keyed) == 1 and len(told) - sum(keyed) > 1:
        return True
    for one in told:
        keys = [found.start() for found in TICKET.finditer(one)]
        if len(keys) == 1 and keys[0] > _HEAD and len(_LISTED.findall(one)) > _MOST_PARTS:
            return True
    return False


_HEAD = 12
"""So far into a sentence a key still heads it."""


def _are_filled_in(case: Case, steps: Iterable[tuple[str, str]]) -> bool:
    """Whether phaseloop wrote all of these steps, and nobody any."""
    bodies = (body_of(case.key, "", parse(body)) for body in case.subject.filled)
    ours = {tuple(words(step)) for body in bodies for step, _ in _steps(body)}
    return bool(ours) and all(tuple(words(step)) in ours for step, _ in steps)


_MOST_BESIDE = 2


def _is_elsewhere(step: str) -> bool:
    """Whether a step says no more than where to look: `ML-12 see there`."""
    folded = fold(TICKET.sub(" ", step))
    found = next(vocabulary()["elsewhere"].all(folded), None)
    return found is not None and count(folded[: found.start()] + folded[found.end() :]) <= _MOST_BESIDE


_DETAIL = Phrases(
    "owner|owners|assignee|assigned to|responsible|who|due|due date|deadline|by when|when|until|status|priority",
    "estimate|effort|ticket|issue|note|notes|depends on|verantwortlich|zuständig|wer|fällig|frist|termin|bis|aufwand",
    "priorität|abhängig von|responsable|encargado|encargada|fecha|plazo|prioridad|estado|échéance|priorité|statut",
    "responsável|prazo|prioridade|负责人|截止|状态|优先级|担当|担当者|期限|優先度|状態",
)
"""What labels a line that tells more of the step above it."""
_LABEL = re.compile(r"^\W{0,4}([^:\uff1a]{2,24}?)\W{0,4}[:\uff1a]")


def is_detail(markdown: str) -> bool:
    """Whether a line of a list tells who does the step above it, until when and the like, and is no step."""
    found = _LABEL.match(plain(markdown))
    if found is None:
        return False
    label = fold(found[1]).strip()
    named = _DETAIL.first(label)
    return named is not None and named.span() == (0, len(label))


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
        elif block.kind is Kind.ITEM and block.level == 1 and not (steps and is_detail(block.text)):
            steps.append([block.text])
        elif block.level and block.kind is not Kind.HEADING and steps:
            steps[-1].append(block.text)
        elif not listed and block.kind in (Kind.PARAGRAPH, Kind.QUOTE):
            lines = (line for line in block.text.split("\n") if not line.rstrip().endswith((":", "\uff1a")))
            steps += ([step] for line in lines for step in _told_apart(line))
    told = ((" ".join(plain(raw := "\n".join(parts)).split()), raw) for parts in steps)
    return [(step, raw) for step, raw in told if (count(step) and not is_placeholder(step)) or links_of(raw)]


def _told_apart(line: str) -> list[str]:
    """The steps of a line of prose: its sentences, where each of them has a key of its own."""
    told = [one.rstrip(" ;") for one in sentences(line)]
    return told if len(told) > 1 and all(TICKET.search(plain(one)) for one in told) else [line]


def _projects(subject: Subject) -> frozenset[str]:
    """What the keys of this project's tickets begin with."""
    return frozenset(key.partition("-")[0] for key in subject.keys if "-" in key)


def _has_ticket(subject: Subject, step: str, raw: str) -> bool:
    if links_of(raw):
        return True
    if tickets_in(step, _projects(subject)) or lower_case_tickets_in(step):
        return True
    spelt = set(re.findall(r"#?[\w-]+", step.casefold()))
    return any(key.casefold() in spelt for key in subject.keys if len(key) > 1)
