"""Which of several things that were measured the decisions of a record keep: `Model B: recall 0.74. Model A: recall
0.69.`, and `we keep model B, instead of model A`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from service.domain.audit.phrases import ALTERNATIVE, CHOSEN, DROPPED, KEPT, OVER, PREFERENCE, VERSUS
from service.domain.audit.prose import flat

_NAME = re.compile(r"[^\W\d_][\w-]*(?: \d{1,3}(?![\w.,%]))?")
"""A word, with the number after it that belongs to it: `model 2`, `XGBoost`, `B`."""
_CLAUSE = re.compile(r"[,;:()\u3001\uff0c]")
_TELLING = ((ALTERNATIVE, False), (OVER, False), (VERSUS, False), (DROPPED, False), (PREFERENCE, True), (KEPT, True))
_NEAR = 24
"""So many characters after a name `was dropped` still speaks of it."""


def preferred(told: Sequence[str], decisions: Iterable[str]) -> int:
    """The place of that text among these (at least one) which speaks of what the sentences of the decisions keep; the
    last one's where they do not tell them apart. Only words that are not in all of the texts count."""
    names = [frozenset(_names(one)) for one in told]
    apart = frozenset().union(*names) - frozenset.intersection(*names)
    stands: dict[str, int] = {}
    for sentence in decisions if apart else ():
        for name, kept in _judged(sentence):
            if name in apart:
                stands[name] = stands.get(name, 0) + (1 if kept else -1)
    marked = [CHOSEN.first(flat(one)) is not None for one in told]
    worth = [sum(stands.get(name, 0) for name in own & apart) for own in names]
    return max(range(len(told)), key=lambda n: (worth[n], marked[n], n))


def _judged(sentence: str) -> Iterator[tuple[str, bool]]:
    """The names in a sentence, and whether what it says of each is that it is kept: by the last word before it in the
    same clause that tells, else by the first one right after it, else yes."""
    for clause in _CLAUSE.split(sentence):
        flattened = flat(clause)
        words = sorted((one.start(), one.end(), kept) for phrases, kept in _TELLING for one in phrases.all(flattened))
        dropped = {one.start() for one in DROPPED.all(flattened)}
        said = 0
        for name, start, end in _spans(clause):
            while said < len(words) and words[said][1] <= start:
                said += 1
            following = words[said][0] if said < len(words) else -1
            yield name, words[said - 1][2] if said else not (following in dropped and following - end <= _NEAR)


def _names(text: str) -> Iterator[str]:
    return (name for name, _, _ in _spans(text))


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """The names in a text and where they stand. Case makes no difference, but a single letter names something as a
    capital only: `a` is a word."""
    for one in _NAME.finditer(text):
        if len(one[0]) > 1:
            yield flat(one[0]), one.start(), one.end()
        elif one[0].isupper():
            yield one[0], one.start(), one.end()
