"""Trains the heads of the second opinion: logistic regression, one for all checks together and one for each, in its
dual form. `make heads` writes them from all of the corpus.

What all checks have in common (concrete or hollow, filled in or not) is learned once, what is a check's own on top of
it. Good answers to one check are weak examples against the others: the right words in the wrong place are no answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.beside import sense_head
from evaluation.corpus import SEEN, TITLES, Answer, answers, attacks, lesson
from service.domain.audit.masking import masked
from service.domain.audit.outcome import Check
from service.domain.audit.traits import as_section, traits
from service.opinion import encoder, heads
from service.opinion.heads import Head, Heads

SHARED, CERTAIN, TRAITS, WEAK, OTHER = 0.7, 3.0, 0.2, 0.01, 0.3
"""How much checks learn from each other, how closely the examples are followed, how much traits count beside words, and
how much an answer to another check counts against: as an answer, and as being in its place."""
WORDED = (Check.GOAL, Check.DATA, Check.EXPERIMENTS, Check.DECISIONS, Check.PERFORMANCE, Check.RISKS)
"""The checks that texts pass by their words."""
_COMMON_BIAS, _OWN_BIAS = 4.0, 1.0
_STEPS, _CLOSE = 30, 1e-4

Matrix = NDArray[np.float64]
FILE = Path(heads.__file__).with_name("heads.json")


@dataclass(frozen=True, slots=True)
class _Examples:
    features: Matrix
    checks: NDArray[np.int64]
    wanted: Matrix
    weights: Matrix


@lru_cache(maxsize=4096)
def _features(text: str) -> tuple[Matrix, tuple[tuple[str, float], ...]]:
    section = as_section(text)
    return np.asarray(encoder.encode(masked(section.text)), dtype=float), tuple(traits(section).items())


Row = tuple[int, Check, float, float]
"""The number of a text, the check it is an example for, what is wanted (1 or 0), and how much it counts."""


def train(texts: Sequence[Answer]) -> Heads:
    """The heads that these answers teach."""
    table = _table(texts)
    answering, placing = table.heads(_answering(texts)), table.heads(_placing(texts))
    return Heads(encoder.name(), answering, placing, _cautions(texts), sense_head(texts))


def _cautions(texts: Sequence[Answer]) -> dict[Check, Head]:
    """The heads that were also shown the first half of the texts that try to get past. These teach no other heads:
    what only sounds like an answer is mostly made of the words of one, and whoever learns that fails good ones, too."""
    every = [*texts, *(lesson(one) for one in attacks() if one.check is not None and one.half == SEEN)]
    return {check: head for check, head in _table(every).heads(_answering(every)).items() if check in WORDED}


def _table(texts: Sequence[Answer]) -> _Table:
    words = np.array([_features(one.text)[0] for one in texts])
    names = [name for name, _ in _features(texts[0].text)[1]]
    shown = np.array([[value for _, value in _features(one.text)[1]] for one in texts])
    return _Table(words, shown, names)


def _answering(texts: Sequence[Answer]) -> list[Row]:
    """Whether a text answers what its check asks."""
    rows = [(n, one.check, float(one.passes), 1.0) for n, one in enumerate(texts)]
    good = [(n, one) for n, one in enumerate(texts) if one.passes and one.check in TITLES]
    return rows + [(n, other, 0.0, WEAK) for n, one in good for other in _neighbours(one.check)]


def _placing(texts: Sequence[Answer]) -> list[Row]:
    """Whether a text, if it is a good answer, is one to this check and not to another."""
    good = [(n, one) for n, one in enumerate(texts) if one.passes and one.check in TITLES]
    return [
        (n, other, float(other is one.check), 1.0 if other is one.check else OTHER)
        for n, one in good
        for other in TITLES
    ]


class _Table:
    """What is known of the texts that are trained on: what the encoder makes of them, and their traits."""

    def __init__(self, words: Matrix, shown: Matrix, names: Sequence[str]) -> None:
        self._names, self._width = names, words.shape[1]
        self._mean, self._scale = shown.mean(0), TRAITS / (shown.std(0) + 0.1)
        self._features = np.hstack([words, (shown - self._mean) * self._scale])

    def heads(self, rows: Sequence[Row]) -> dict[Check, Head]:
        """The heads that these examples teach."""
        order = tuple(Check)
        place, checks, wanted, weights = zip(*rows, strict=True)
        examples = _Examples(
            self._features[list(place)],
            np.array([order.index(one) for one in checks]),
            np.array(wanted),
            np.array(weights),
        )
        pull = _solve(examples)
        return {check: self._head(examples, pull, order.index(check)) for check in sorted(set(checks))}

    def _head(self, examples: _Examples, pull: Matrix, check: int) -> Head:
        own = examples.checks == check
        weights = SHARED**2 * (pull @ examples.features) + pull[own] @ examples.features[own]
        of_words, of_traits = weights[: self._width], weights[self._width :] * self._scale
        bias = _COMMON_BIAS * pull.sum() + _OWN_BIAS * pull[own].sum() - of_traits @ self._mean
        return Head(
            tuple(round(float(one), 4) for one in of_words),
            {name: round(float(one), 4) for name, one in zip(self._names, of_traits, strict=True)},
            round(float(bias), 4),
        )


def _neighbours(check: Check) -> tuple[Check, ...]:
    """Two other checks, always the same: that many examples against are enough."""
    order = tuple(TITLES)
    place = order.index(check)
    return order[place - 1], order[(place + 2) % len(order)]


def _solve(examples: _Examples) -> Matrix:
    """The pull of each example, by Newton's method on the regularised likelihood."""
    same = examples.checks[:, None] == examples.checks[None, :]
    kernel = (SHARED**2 + same) * (examples.features @ examples.features.T) + _COMMON_BIAS + _OWN_BIAS * same
    said = np.zeros(len(examples.wanted))
    pull = said
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-said))
        spread = np.maximum(chance * (1 - chance), 1e-6)
        target = said + (examples.wanted - chance) / spread
        pull = np.linalg.solve(kernel + np.diag(1 / (CERTAIN * examples.weights * spread)), target)
        step = kernel @ pull - said
        said = said + np.clip(step, -4, 4)
        if np.abs(step).max() < _CLOSE:
            break
    return pull


def write(texts: Iterable[Answer]) -> None:
    """Train on these answers, and write the heads that ship."""
    FILE.write_text(json.dumps(heads.to_json(train(tuple(texts))), separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(answers())
