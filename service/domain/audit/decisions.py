"""What was decided and why, over all iterations: the decision log, and a search in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from service.domain.audit.answers import answers_of
from service.domain.audit.headings import DECISIONS
from service.domain.audit.indecision import is_open
from service.domain.audit.labels import ALTERNATIVE_LABEL, DECISION_LABEL, LABELS, REASON_LABEL, label_of, labelled
from service.domain.audit.numbers import numbers
from service.domain.audit.phrases import (
    ALTERNATIVE,
    COMPARED,
    NO_DECISION,
    NONE_KNOWN,
    NONE_OF,
    NOTHING,
    OVER,
    PREFERENCE,
    REASON,
    VERSUS,
)
from service.domain.audit.placeholders import is_placeholder
from service.domain.audit.prose import Phrases, count, flat, fold, plain, sentences, words
from service.domain.audit.search import rank
from service.domain.audit.sections import Block, Kind, Link, Section, Table, links_of
from service.domain.audit.signing import edits_by_people, person_of
from service.domain.audit.subject import Subject
from service.domain.audit.vocabulary import speaks_of

_BEGINNING = 12
"""How far into a paragraph a word still begins it."""
_ENDS = ".!?:;,\u3002\uff01\uff1f"
_SAYS_MORE = 4
"""From so many words on, a text says more than `none`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a record, in plain words. `reason` and `alternative` are empty where none is given; `nothing`
    says that the record states that nothing was decided, `cells` that it is a row of a table with a column for each, or
    has a label for each."""

    text: str
    reason: str = ""
    alternative: str = ""
    links: tuple[Link, ...] = ()
    nothing: bool = False
    cells: bool = False


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision with its place: the iteration, the phase's title, the record's address, and who wrote the record (a
    name, empty if unknown) and when it was last written to."""

    iteration: int
    title: str
    phase: str
    text: str
    reason: str
    alternative: str
    links: tuple[Link, ...]
    record: str
    by: str
    at: datetime | None


def decisions_in(section: Section) -> tuple[Decision, ...]:
    """The decisions in a section, in order: lines of a list, rows of a table, paragraphs, or what is labelled
    `Decision:`, `Reason:`, `Alternative:`."""
    return tuple(decision for draft in _drafts(section) if (decision := draft.decision()) is not None)


def _drafts(section: Section) -> list[_Draft]:
    reader = _Reader()
    for n, block in enumerate(section.blocks):
        after = section.blocks[n + 1] if n + 1 < len(section.blocks) else None
        reader.take(block, leads=after is not None and after.kind in (Kind.ITEM, Kind.TABLE) and not after.level > 1)
    return reader.drafts


def turns_down_nothing(section: Section) -> bool:
    """Whether a section says that nothing was turned down, in a sentence or in place of what was, and has no decision
    that is complete."""
    drafts = _drafts(section)
    found = [one for draft in drafts if (one := draft.decision()) is not None]
    if any(one.reason and one.alternative and not one.nothing for one in found):
        return False
    given = (text for draft in drafts for text in draft.labelled.get(ALTERNATIVE_LABEL, []))
    return none_turned_down(section.plain) or any(_filled([text]) and not _alternative_given([text]) for text in given)


def decision_log(subjects: Iterable[Subject]) -> tuple[LoggedDecision, ...]:
    """All decisions of these iterations in time order. An iteration whose record could not be read has none, nor has
    one that says that nothing was decided."""
    ordered = sorted(subjects, key=lambda one: one.iteration.number)
    return tuple(logged for subject in ordered for logged in _logged(subject))


def search(log: Iterable[LoggedDecision], question: str) -> tuple[LoggedDecision, ...]:
    """The decisions that a question is about ("why did we drop B?"), the best first; those that share no word with it
    are left out. Case, accents, endings and common synonyms of deciding make no difference. An empty question finds
    nothing."""
    told = tuple(log)
    parts = [((one.text, 2.0), (one.alternative, 2.0), (one.reason, 1.0)) for one in told]
    return tuple(told[n] for n in rank(parts, question))


def _logged(subject: Subject) -> Iterator[LoggedDecision]:
    document = subject.record.document
    section = answers_of(subject).sections.get(DECISIONS)
    if document is None or section is None:
        return
    edits = edits_by_people(subject, document)
    account = edits[-1].by if edits else document.assignee or ""
    by = person_of(subject, account, edits[-1].person if edits else "") if account else ""
    at = edits[-1].at if edits else document.created_at
    place = subject.iteration
    for one in decisions_in(section):
        if not one.nothing:
            yield LoggedDecision(
                place.number,
                place.title,
                place.phase_title,
                one.text,
                one.reason or _why(one.text),
                one.alternative,
                one.links,
                document.ref.url,
                by,
                at,
            )


@dataclass(slots=True)
class _Draft:
    """A decision while it is put together; `headed` by a heading of its own, which takes in all that follows."""

    headed: bool = False
    cells: bool = False
    said: list[str] = field(default_factory=list)
    labelled: dict[str, list[str]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)

    def add(self, markdown: str) -> None:
        """Take in a line, or the parts of it that labels tell apart."""
        self.links.update((link.url, link) for link in links_of(markdown))
        for role, text in labelled(plain(markdown)):
            if role in (REASON_LABEL, ALTERNATIVE_LABEL):
                self.labelled.setdefault(role, []).append(text)
            elif text:
                self.said.append(text)

    def decision(self) -> Decision | None:
        """The decision, None if too little was said for one."""
        *before, last = [line for line in self.said if line] or [""]
        text = " ".join([*(line if line[-1] in _ENDS else f"{line}." for line in before), last])
        parts = [one for line in self.said for one in sentences(line)]
        reason = _reason_given(self.labelled.get(REASON_LABEL, [])) or _reason(parts)
        given = _alternative_given(self.labelled.get(ALTERNATIVE_LABEL, []))
        alternative = given or ("" if none_turned_down(" ".join(parts)) else _alternative(parts))
        if count(text) < (1 if self.labelled else 2):
            return None
        nothing = NO_DECISION.within(text) or (bool(self.labelled) and is_open(text))
        reason, alternative = _told_apart(reason, alternative)
        return Decision(text, reason, alternative, tuple(self.links.values()), nothing, self.cells or self._is_labelled)

    @property
    def _is_labelled(self) -> bool:
        """Whether a label says what is the reason, and another what was turned down."""
        return all(_filled(self.labelled.get(role, [])) for role in (REASON_LABEL, ALTERNATIVE_LABEL))


class _Reader:
    """Puts the blocks of a section together to decisions."""

    def __init__(self) -> None:
        self.drafts: list[_Draft] = []
        self._apart = True  # whether what comes next is a decision of its own, unless it says otherwise

    def take(self, block: Block, *, leads: bool) -> None:
        """Take in the next block; `leads` says that a list or table follows."""
        if block.table is not None:
            self._table(block.table)
        elif block.kind is Kind.HEADING:
            self.drafts.append(_Draft(headed=True))
            self.drafts[-1].add(block.text)
        elif (
            leads and block.kind is Kind.PARAGRAPH and not block.level and block.text.rstrip().endswith((":", "\uff1a"))
        ):
            return
        else:
            lines = block.text.split("\n") if any(label_of(line) for line in block.text.split("\n")) else [block.text]
            for n, line in enumerate(lines):
                if block.kind is Kind.ITEM and block.level == 1 and n == 0 and _is_whole(line):
                    self.drafts.append(_Draft())
                    self.drafts[-1].add(line)
                    continue
                self._line(line, inner=block.level > 1 or (block.level == 1 and block.kind is not Kind.ITEM) or n > 0)

    def _line(self, line: str, *, inner: bool) -> None:
        label = label_of(line)
        current = self.drafts[-1] if self.drafts else None
        opens = label == DECISION_LABEL and (current is None or (bool(current.said) and not _only_heading(current)))
        if current is None or opens or not (current.headed or inner or label or _goes_on(line)):
            self.drafts.append(_Draft())
        self.drafts[-1].add(line)

    def _table(self, table: Table) -> None:
        roles = [_role_of_column(cell) for cell in table.header]
        for row in table.rows:
            draft = _Draft(cells={DECISION_LABEL, REASON_LABEL, ALTERNATIVE_LABEL} <= set(roles))
            for role, cell in zip(roles, row, strict=False):
                text = " ".join(plain(cell).split())
                draft.links.update((link.url, link) for link in links_of(cell))
                if role in (REASON_LABEL, ALTERNATIVE_LABEL):
                    draft.labelled.setdefault(role, []).append(text)
                elif role == DECISION_LABEL or DECISION_LABEL not in roles:
                    draft.said.append(text)
            self.drafts.append(draft)


def _only_heading(draft: _Draft) -> bool:
    return draft.headed and len(draft.said) == 1 and not draft.labelled


def _goes_on(line: str) -> bool:
    """Whether a paragraph continues with the decision before it: it begins with a reason, or what was turned down."""
    folded = fold(plain(line))
    begins = [phrases.first(folded) for phrases in (REASON, ALTERNATIVE)]
    return any(found is not None and found.start() <= _BEGINNING for found in begins)


def _is_whole(line: str) -> bool:
    """Whether a line of a list turns something down and says why: "We drop A because it is too slow" is a decision of
    its own, "Instead of A, because ..." continues with one."""
    folded = fold(plain(line))
    alternative, reason = ALTERNATIVE.first(folded), REASON.first(folded)
    if label_of(line) or alternative is None or reason is None:
        return False
    return 0 < alternative.start() < reason.start()


def _role_of_column(cell: str) -> str:
    name = fold(plain(cell)).strip(" :?")
    return next((role for role, names in LABELS.items() if name and names.first(name)), "")


def _filled(texts: Iterable[str]) -> str:
    return " ".join(text for text in texts if not is_placeholder(text) and count(text)).strip()


def _alternative_given(texts: Iterable[str]) -> str:
    """What a label names as the alternative; `none` is one only if it says why, and what is not known yet is none."""
    text = _filled(texts)
    folded = fold(text)
    none = any(found is not None and not words(folded[: found.start()]) for found in _none_in(folded))
    if is_open(text) or (none and not REASON.within(text) and count(text) < _SAYS_MORE):
        return ""
    return text


def _none_in(folded: str) -> Iterable[re.Match[str] | None]:
    return (NONE_KNOWN.first(folded), NOTHING.first(folded))


def _reason_given(texts: Iterable[str]) -> str:
    """What a label names as the reason; that something is waited for is none, nor is a single letter."""
    text = _filled(texts)
    return "" if is_open(text) or not _tells(text) else text


def _tells(text: str) -> bool:
    """Whether there is a number, or a word of more than a letter."""
    return any(len(word) > 1 or word.isdigit() or not word.isascii() for word in words(text))


def none_turned_down(text: str) -> bool:
    """Whether a plain text says that nothing was turned down, and not why: `nothing was rejected`."""
    for sentence in sentences(text):
        folded = fold(sentence)
        for found in ALTERNATIVE.all(folded):
            before = _CLAUSE.split(folded[: found.start()])[-1].rstrip()
            none = max(NONE_OF.all(before), key=lambda one: one.end(), default=None)
            if none is not None and not words(before[none.end() :]) and not REASON.first(folded[found.end() :]):
                return True
    return False


def _reason(parts: Iterable[str]) -> str:
    """The first sentence part that gives a reason: from the word that says so, or all if that stands at its end."""
    for part in parts:
        found = REASON.first(flat(part))
        if found is None:
            continue
        if found.group(0)[0] < "\u3040" and count(part[found.end() :]) >= 2:
            return part[found.start() :].strip()
        if count(part) >= _SAYS_MORE:  # the reason stands before the word, as it does in Japanese
            return part
    return ""


def _alternative(parts: Iterable[str]) -> str:
    """The first sentence that names what was turned down."""
    for part in parts:
        folded = flat(part)
        found = ALTERNATIVE.first(folded)
        if (found is not None and count(part) > 2) or _over(folded) or _versus(folded):
            return part
    return ""


_BEFORE_NAMES = Phrases(
    "instead of|rather than|as opposed to|in place of|over|statt|anstatt|anstelle|en lugar de|en vez de|en lugar del"
    "|en vez del|au lieu de|plutôt que|em vez de|ao invés de|versus|vs",
)
"""What is turned down stands after these; before the others, as in `A was dropped`."""
_CLAUSE = re.compile(r"[,;:(]\s|\s[\u2013\u2014-]\s|[\uff0c\uff1b\uff1a\u3001]")


def _told_apart(reason: str, alternative: str) -> tuple[str, str]:
    """A reason and an alternative that one sentence gives, each in its own words: `B because it is fast, instead of A`
    is `because it is fast` and `instead of A`. As they were where they cannot be told apart."""
    at = alternative.find(reason) if reason else -1
    found = ALTERNATIVE.first(flat(alternative))
    if found is None:
        return reason, alternative
    begin, end = found.span()
    if at < 0:
        if not _BEFORE_NAMES.first(flat(found.group(0))):
            return reason, alternative
        rest = _CLAUSE.split(alternative[begin:], maxsplit=1)[0].strip()
        return reason, rest if count(rest) > 1 else alternative
    if begin >= at:  # it follows the reason, or stands in it
        clause = max((one.end() for one in _CLAUSE.finditer(alternative) if at < one.end() <= begin), default=begin)
        begin = begin if _BEFORE_NAMES.first(flat(alternative[begin:end])) else clause
        why, other = alternative[at:begin], alternative[begin:]
    else:
        clause = max((one.end() for one in _CLAUSE.finditer(alternative) if one.end() <= begin), default=0)
        begin = begin if _BEFORE_NAMES.first(flat(alternative[begin:end])) else clause
        why, other = alternative[at:], alternative[begin:at]
    why, other = why.strip(" ,;:(\uff0c"), other.strip(" ,;:(\uff0c")
    return (why, other) if count(why) > 1 and count(other) > 1 else (reason, alternative)


_NEXT = re.compile(r"(?<=[.;!?])\s+|\s?[:(]\s?|\s[\u2013\u2014-]\s|,\s|[\uff0c\uff1b\uff1a\u3002]")
_FEWEST_OF_WHY = 3


def _why(text: str) -> str:
    """What follows a decision without a word that says why, where it weighs: `Reverted to v1.1: v1.2 lost 7 points`."""
    for found in _NEXT.finditer(text):
        rest = text[found.end() :].strip(" )")
        if found.start() and count(rest) >= _FEWEST_OF_WHY and _weighs(rest):
            return rest
    return ""


def _weighs(text: str) -> bool:
    folded = fold(text)
    measured = any(one.unit or one.value != int(one.value) for one in numbers(folded))
    return measured or COMPARED.first(folded) is not None or speaks_of("limit", folded) > 0


def _over(folded: str) -> bool:
    chosen = PREFERENCE.first(folded)
    return chosen is not None and OVER.first(folded[chosen.end() : chosen.end() + 120]) is not None


def _versus(folded: str) -> bool:
    """`B vs A` turns down A; `0.83 vs 0.79` only compares."""
    return any(re.match(r"\.?\s*[^\W\d]", folded[one.end() : one.end() + 5]) for one in VERSUS.all(folded))
