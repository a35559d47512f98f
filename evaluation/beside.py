"""Trains the head that says whether a text reads like work on a model, and makes the texts that it learns from, which
have the shape of an answer and say nothing of a model: everyday things in the
sentences of records, words that are none, keys that lie side by side, and good answers whose own words were replaced.
Always the same ones. What is measured was written by hand and is in the fourth corpus."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.corpus import SEEN, Answer, attacks, shams
from service.domain.audit.bearing import is_of_models
from service.domain.audit.masking import masked
from service.domain.audit.outcome import Check
from service.domain.audit.traits import as_section
from service.opinion import encoder
from service.opinion.heads import Head

_SHAPES: Mapping[Check, str] = {
    Check.GOAL: "goal",
    Check.DATA: "data",
    Check.EXPERIMENTS: "experiments",
    Check.DECISIONS: "decisions",
    Check.PERFORMANCE: "performance",
    Check.RISKS: "risks",
}
_ROUNDS = 2
"""So often each sentence is filled in by each way to fill it."""
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "qwertzuiop", "azertyuiop")
_STARTS = re.split(
    r"\s",
    "b bl br c cr d dr f fl fr g gl gn gr h j k kl kr l m n p pl pr qu r s sch sl sn sp squ st str t tr v w wh z zw",
)
_MIDDLES = re.split(
    r"\s",
    "a e i o u oo ee ou ai or ur um im an",
)
_ENDS = re.split(
    r"\s",
    "b ck d f ft g k l ll lm lt m mp n nd ng nk p r rb rf rg rt s sk sp ss st t th tz x zz",
)
_TAILS = ("", "", "", "", "er", "el", "le", "ic", "ate", "ing", "um", "y")
_WORD = re.compile(r"(?<![\w@./-])[^\W\d_]{4,}(?![\w@/-])")
_UNSPACED = ("zh", "ja")
_FEWEST = 3
"""So many words of its own a text has at least whose words are replaced."""
_KEPT, _KEPT_OF_MODELS = 0.15, 0.8
"""How many of the words stay when they are replaced, and how many of those of models."""
_STIFF = 1.0
"""How closely the examples are followed."""
_STEPS, _CLOSE = 40, 1e-4
_HEADING = re.compile(r"(?m)^#+ .*$")
_SECTIONS = 6
"""So many sections of a record are about something; then come steps."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A text, and whether it is about a model and can be read as such."""

    sensible: bool
    text: str


def made_up(by: Random) -> str:
    """A word that is none, but could be."""
    return "".join(
        by.choice(part) for _ in range(by.choice((1, 1, 2))) for part in (_STARTS, _MIDDLES, _ENDS)
    ) + by.choice(_TAILS)


def _typed(by: Random) -> str:
    row = by.choice(_KEYS)
    start = by.randrange(len(row) - 4)
    word = row[start : start + by.choice((4, 4, 5, 6))]
    return word[::-1] if by.random() < 0.25 else word


@lru_cache(maxsize=1)
def _data() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("beside.toml").read_text(encoding="utf-8"))


def shaped() -> Iterator[Beside]:
    """Texts that are only shaped like an answer, in every language and for every check."""
    by = Random(19)  # noqa: S311  # the same texts every time
    for language, told in _data().items():
        for shape in _SHAPES.values():
            for pattern in told[shape]:
                for _ in range(_ROUNDS):
                    for words in _fillings(by, language, told):
                        yield Beside(False, _filled(by, pattern, told, words))


def _fillings(by: Random, language: str, told: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """The words for one sentence: of one thing, of several, made up, and typed."""
    things: Sequence[Sequence[str]] = told["things"]
    yield by.sample(by.choice(things), 4)
    yield [by.choice(group) for group in by.sample(things, 4)]
    if language not in _UNSPACED:
        yield [made_up(by) for _ in range(4)]
        yield [
            _typed(by) if by.random() < 0.7 else by.choice(("foo", "bar", "baz", "blah", "xyz", "thing", "stuff"))
            for _ in range(4)
        ]


def _filled(by: Random, pattern: str, told: Mapping[str, Any], words: Sequence[str]) -> str:
    percent = by.random() < 0.5
    x, z, y = sorted(by.sample(range(10, 99), 3))
    shown = [f"{n} %" if percent else f"0.{n}" for n in (x, y, z)]
    return pattern.format(
        **dict(zip("abcd", words, strict=True)),
        act=by.choice(told["acts"]),
        m=by.choice(told["measures"]),
        x=shown[0],
        y=shown[1],
        z=shown[2],
        n=by.randrange(2, 30),
        date=f"2026-{by.randrange(1, 13):02}-{by.randrange(1, 29):02}",
        hash=f"{by.randrange(16**7, 16**8):x}",
        month=by.choice(told["months"]),
    )


def turned(good: Sequence[Answer]) -> Iterator[Beside]:
    """Good answers as they are and with a name that nobody knows; and the same with nearly all of their own words
    replaced, by words that are none or by everyday things: the shape, the measures and the numbers stay."""
    by = Random(7)  # noqa: S311  # the same texts every time
    for one in good:
        if one.check not in _SHAPES or not one.passes:
            continue
        yield Beside(True, one.text)
        if one.language in _UNSPACED:
            continue
        own = [found.group() for found in _WORD.finditer(one.text) if not is_of_models(found.group())]
        if len(own) < _FEWEST:
            continue
        named = by.choice(own)
        yield Beside(True, one.text.replace(named, made_up(by).capitalize()))
        everyday = [thing for group in _data()[one.language]["things"] for thing in group]
        yield Beside(False, _replaced(by, one.text, made_up))
        yield Beside(False, _replaced(by, one.text, partial(_one_of, everyday)))


def _one_of(things: Sequence[str], by: Random) -> str:
    return by.choice(things)


def _replaced(by: Random, text: str, other: Callable[[Random], str]) -> str:
    def put(found: re.Match[str]) -> str:
        word = found.group()
        return word if by.random() < (_KEPT_OF_MODELS if is_of_models(word) else _KEPT) else other(by)

    return _WORD.sub(put, text)


def seen() -> Iterator[Beside]:
    """What may be learned of the third and fourth corpus: good answers and sections, and sections about no model."""
    for one in (*attacks(), *shams()):
        if one.half != SEEN:
            continue
        if one.check is not None:
            if one.check in _SHAPES and one.expected == "P":
                yield Beside(True, one.text)
        elif one.expected == "documented" or (one.expected == "never" and one.kind != "hollow"):
            parts = [part.strip() for part in _HEADING.split(one.text)]
            yield from (
                Beside(one.expected == "documented", part) for part in [part for part in parts if part][:_SECTIONS]
            )


def sense_head(texts: Sequence[Answer]) -> Head:
    """The head that these answers and the texts that are made teach, by the encoder's words alone."""
    told = [*shaped(), *turned(texts), *seen()]
    features = np.array([[*_words(one.text), 1.0] for one in told])
    wanted = np.array([float(one.sensible) for one in told])
    share = wanted.mean()
    found = _fit(features, wanted, np.where(wanted > 0, 0.5 / share, 0.5 / (1 - share)))
    return Head(tuple(round(float(one), 4) for one in found[:-1]), {}, round(float(found[-1]), 4))


@lru_cache(maxsize=4096)
def _words(text: str) -> NDArray[np.float64]:
    return np.asarray(encoder.encode(masked(as_section(text).text)), dtype=np.float64)


def _fit(
    features: NDArray[np.float64], wanted: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Regularised logistic regression by Newton's method; the last feature is the bias, which is free."""
    found = np.zeros(features.shape[1])
    stiff = np.eye(len(found)) / _STIFF
    stiff[-1, -1] = 1e-6
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-features @ found))
        spread = np.maximum(chance * (1 - chance), 1e-6) * counts
        slope = features.T @ (counts * (chance - wanted)) + stiff @ found
        step = np.linalg.solve((features.T * spread) @ features + stiff, slope)
        found -= np.clip(step, -20, 20)
        if np.abs(step).max() < _CLOSE:
            break
    return found
