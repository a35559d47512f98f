"""Ranking short texts by a question that people ask in their own words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log

from service.domain.audit.prose import flat, fold

_WORD = re.compile(r"[^\W_]+")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_ASKING = frozenset(
    re.split(
        r"\s",
        "why did do does we the an is are was were what when who how which of to in and for on with by it this "
        "that be been "
        "our us you they not no as at from or so warum wieso haben hat wir die der das den ein eine ist war "
        "wurde und von mit "
        "por que el la los las un una es fue hemos se en de con del pourquoi avons nous le les des est ete du "
        "au et perche "
        "abbiamo il lo gli di da che foi os uma waarom hebben wij het een van dlaczego czy na do jest proc jsme "
        "varfor har vi",
    )
)
"""Words that say that something is asked, but not what; folded."""

_SAME: Mapping[str, str] = {
    word: group.split("|", maxsplit=1)[0]
    for group in (
        "drop|reject|discard|abandon|remove|dismiss|refus|elimin|verworf|verworfen|ablehn|abgelehnt|descart|rechaz|ecart|rejet",
        "keep|choos|chos|chosen|select|pick|adopt|prefer|gewahlt|wahl|eleg|elegi|retenu|choisi|scelt|gekoz|wybra",
        "releas|deploy|ship|rollout|launch|veroffentlich|desplieg|deploi",
        "measur|metric|kennzahl|metrica",
    )
    for word in group.split("|")
}
"""Stems that ask for the same, by what they count as."""

_ENDINGS = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ings",
    "ing",
    "ions",
    "ion",
    "ies",
    "ed",
    "es",
    "er",
    "en",
    "s",
    "e",
    "n",
)


def rank(texts: Sequence[Sequence[tuple[str, float]]], question: str) -> list[int]:
    """The places of the texts that the question is about, the best first; of equals the later one. A text is told in
    parts, each with what a word in it counts. Those that share no word with the question are left out."""
    asked = dict.fromkeys(_asked(question))
    told = [_weights(parts) for parts in texts]
    seen = Counter(word for weights in told for word in weights)
    rarity = {word: log(1 + len(told) / (1 + seen[word])) for word in asked}
    scores = [
        sum(rarity[word] * weights.get(word, 0.0) for word in asked) * (1 + sum(word in weights for word in asked))
        for weights in told
    ]
    return sorted((n for n, score in enumerate(scores) if score > 0), key=lambda n: (-scores[n], -n))


def _weights(parts: Sequence[tuple[str, float]]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for text, weight in parts:
        for word in _told(text):
            weights[word] = max(weights.get(word, 0.0), weight)
    return weights


def _told(text: str) -> Iterator[str]:
    for found in _WORD.finditer(text):
        word = found.group(0)
        if len(word) > 1 or word.isupper() or word.isdigit() or _DENSE.match(word):
            yield from _stems(word)


def _asked(question: str) -> Iterator[str]:
    """What is asked for. A single letter is the name of something (`B`), unless it is an article."""
    for n, found in enumerate(_WORD.finditer(question)):
        word = found.group(0)
        article = len(word) == 1 and (word in "aeioy" or (n == 0 and word in "AI"))
        if not article and flat(word) not in _ASKING:
            yield from _stems(word)


def _stems(word: str) -> Iterator[str]:
    """What a word counts as: without its ending, as the first of those that mean the same; pairs of characters where
    words are not set apart."""
    folded = fold(word)
    if _DENSE.search(folded):
        yield from (folded[n : n + 2] for n in range(max(1, min(len(folded) - 1, 200))))
        return
    stem = next(
        (folded[: -len(end)] for end in _ENDINGS if folded.endswith(end) and len(folded) - len(end) >= 3), folded
    )
    if len(stem) > 3 and stem[-1] == stem[-2]:
        stem = stem[:-1]
    yield _SAME.get(stem, _SAME.get(folded, stem))
