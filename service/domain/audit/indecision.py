"""Whether a text leaves open what it is to decide, and whether it says that there is nothing to tell and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from service.domain.audit.phrases import (
    ALTERNATIVE,
    DROPPED,
    EXCUSE,
    KEPT,
    LEANING,
    MAYBE,
    NO_DECISION,
    NOTHING,
    NOTHING_WITH,
    OPEN,
    OPINION,
    PREFERENCE,
    REASON,
    UNDECIDED,
    WAITING,
)
from service.domain.audit.placeholders import is_placeholder
from service.domain.audit.prose import Phrases, count, fold, sentences, words
from service.domain.audit.rows import rows_of
from service.domain.audit.sections import Section
from service.domain.audit.vocabulary import speaks_of

_ACTS = (ALTERNATIVE, PREFERENCE, KEPT, DROPPED)
_SAYS_WHY = 2
"""The fewest words of a reason."""
_TELLS_WHY = 4
"""The fewest words of a reason that follows without a word that says so."""
_TOLD = re.compile(r"[^:(\u2013\u2014\uff1a\uff08]{0,40}[:(\u2013\u2014\uff1a\uff08]\s*(.+)", re.DOTALL)
"""What is told after a colon, a dash or in brackets: `no runs this week: the cluster was down`."""
_DENSE_FROM = "\u3040"
_LABELLED_OPEN = re.compile(r"\W{0,4}(?P<label>[^:\uff1a|]{2,30})[:\uff1a](?=.)", re.DOTALL)
_FEW = 4
"""The most words of a cell that says that something is open, besides what says so."""
_BETWEEN = re.compile(r"^\W*(?P<words>[^,.;:()\u2013\u2014\uff0c\u3002\uff1a\uff1b\u3001-]*)")


def undecided(section: Section) -> bool:
    """Whether a section leaves its decision open: it says so, or every choice in it is a `maybe`. Where something is
    decided besides it does not, nor where the doubt is only in the reason (`because B is perhaps too slow`). What
    somebody would rather have decides nothing beside it."""
    told = [one for _, line in rows_of(section) for one in sentences(line)]
    denials = {one for n, one in enumerate(told) if _denies_bare(told[n : n + 2])}
    openly = [
        one for one in told if one in denials or (_says_open(one) and not _denies_with_reason([one], NO_DECISION))
    ]
    doubted = [one for one in told if one not in openly and _is_maybe(one)]
    if not openly and not doubted:
        return False
    rest = [one for one in told if one not in openly and one not in doubted]
    if openly:
        return not any(_is_act(one) for one in rest)
    if any(phrases.within(one) for one in rest for phrases in _ACTS):
        return False
    return not any(speaks_of("chosen", fold(one)) for one in rest)


def is_open(text: str) -> bool:
    """Whether a cell or an answer of a few words says that this is open, or that something is waited for."""
    folded = fold(text)
    if UNDECIDED.first(folded) or WAITING.first(folded):
        return True
    found = OPEN.first(folded)
    return found is not None and len(words(folded)) - len(words(found.group(0))) < _FEW and _begins(folded, found)


def _begins(folded: str, found: re.Match[str]) -> bool:
    """Whether it stands at the beginning or at the end: `not yet known`, `model A: open`, and not `open the gate`."""
    return not words(folded[found.end() :]) or (
        not words(folded[: found.start()]) and folded[found.end() :].lstrip(" ")[:1] in ",;:.(-\u2013\u2014"
    )


def _says_open(sentence: str) -> bool:
    label, cell = _LABELLED_OPEN.match(sentence), sentence.partition(" | ")[0]
    labelled = label is not None and is_open(label["label"])
    return UNDECIDED.within(sentence) or labelled or (cell != sentence and is_open(cell))


def _denies_bare(told: Sequence[str]) -> bool:
    """Whether a sentence says that there was no decision, and neither it nor the next one why."""
    return NO_DECISION.within(told[0]) and not _denies_with_reason(told, NO_DECISION)


def _is_act(sentence: str) -> bool:
    """Whether a sentence decides something, beside others that say that it is open."""
    folded = fold(sentence)
    if DROPPED.first(folded) or ALTERNATIVE.first(folded):
        return True
    return PREFERENCE.first(folded) is not None and OPINION.first(folded) is None


def _is_maybe(sentence: str) -> bool:
    """Whether a sentence chooses, but only perhaps: the doubt stands before the reason."""
    folded = fold(sentence)
    leaning = LEANING.first(folded)
    doubt, reason = leaning or MAYBE.first(folded), REASON.first(folded)
    if doubt is None or (reason is not None and reason.group(0)[0] < _DENSE_FROM and reason.start() < doubt.start()):
        return False
    chooses = any(phrases.first(folded) for phrases in _ACTS) or speaks_of("chosen", folded) > 0
    return chooses or leaning is not None


def denied(lines: Sequence[str], phrases: Phrases) -> tuple[str, bool] | None:
    """The line that says that there is nothing to tell, by these phrases or as a bare `None`, and whether a real reason
    follows; None where no line says so."""
    told = [(line, one) for line in lines for one in sentences(line)]
    for n, (line, sentence) in enumerate(told):
        if _end_of_denial(sentence, phrases) is not None:
            following = [one for _, one in told[n : n + 2]]
            return line, _denies_with_reason(following, phrases)
    return None


def goes_on(lines: Sequence[str], phrases: Phrases) -> bool:
    """Whether a sentence of its own follows one that says that there is nothing to tell, without a word that says that
    it is the reason: `None. The cluster was down.`"""
    told = [one for line in lines for one in sentences(line)]
    for n, sentence in enumerate(told[:-1]):
        if _end_of_denial(sentence, phrases) is not None:
            said = told[n + 1]
            return (
                count(said) >= _TELLS_WHY and not _is_open(fold(said)) and not is_open(said) and _says_why(fold(said))
            )
    return False


def _denies_with_reason(told: Iterable[str], phrases: Phrases) -> bool:
    """Whether the first of these sentences denies and says why, or the next one does."""
    first, *then = told
    end = _end_of_denial(first, phrases)
    return end is not None and (_is_reason(first, end) or any(_is_reason(one, 0) for one in then))


def _end_of_denial(sentence: str, phrases: Phrases) -> int | None:
    folded = fold(sentence)
    if found := phrases.first(folded):
        return found.end()
    bare = NOTHING.first(folded)
    if bare is None or words(folded[: bare.start()]):
        return None
    rest = folded[bare.end() :]
    reason = REASON.first(rest)
    until = _BETWEEN.match(rest[: reason.start()] if reason is not None else rest)
    between = words(until["words"]) if until is not None else []
    return bare.end() if all(NOTHING_WITH.first(word) for word in between) else None


def _is_reason(sentence: str, end: int) -> bool:
    """Whether a reason stands in a sentence after what it denies, and speaks of that: nothing is chosen in between. In
    Japanese it stands before."""
    folded = fold(sentence)
    for found in REASON.all(folded):
        dense = found.group(0)[0] >= _DENSE_FROM
        if found.start() < end and not dense:
            continue
        between, why = folded[end : found.start()], folded[found.end() :]
        if _is_open(between):
            return False
        if _says_why(why) or (dense and _says_why(folded[: found.start()])):
            return True
    told = _TOLD.match(folded[end:]) if end else None
    return told is not None and count(told[1]) >= _TELLS_WHY and not _is_open(told[1]) and _says_why(told[1])


def _is_open(folded: str) -> bool:
    return MAYBE.first(folded) is not None or ALTERNATIVE.first(folded) is not None


def _says_why(folded: str) -> bool:
    """Whether this is a reason: words of its own, and no filler."""
    said = " ".join(word for word in words(folded) if not REASON.within(word))
    if EXCUSE.first(folded) and not any(map(str.isdigit, folded)):
        return False  # that there was no time may be said of anything
    return count(said) >= _SAYS_WHY and not is_placeholder(folded) and not speaks_of("hollow", folded)
