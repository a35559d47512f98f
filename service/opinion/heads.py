"""The heads: for each check, how much what an encoder makes of a text and the traits of that text speak for a pass;
and one for all, how much it speaks for work on a model.

Trained by `make heads` from the corpus in `evaluation/`; see `evaluation/MODEL_CARD.md`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from service.domain.audit.masking import masked
from service.domain.audit.outcome import Check
from service.domain.audit.sections import Section
from service.domain.audit.traits import traits
from service.opinion import encoder

DIGITS = 3
"""So many digits of a score are kept: more would differ from machine to machine."""


@dataclass(frozen=True, slots=True)
class Head:
    """The weights of one check: of the encoder's dimensions, of the traits by name, and the bias."""

    words: tuple[float, ...]
    traits: Mapping[str, float]
    bias: float


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads by check, with the name of the encoder that they were trained on: whether a text answers, whether it
    belongs there, and whether it still answers with those who know texts that only sound so (`cautions`); and `sense`,
    whether a text reads like work on a model at all. `digest` is that of the file that they were read from, empty for
    those that were just trained."""

    encoder: str
    by_check: Mapping[Check, Head]
    places: Mapping[Check, Head]
    cautions: Mapping[Check, Head]
    sense: Head
    digest: str = ""

    @property
    def called(self) -> str:
        """What scores are by: the encoder, and which heads."""
        return f"{self.encoder}, heads {self.digest or 'not shipped'}"

    def score(self, check: Check, section: Section, *, placed: bool = True) -> float:
        """How sure it is that a section answers what a check asks, from 0 to 1; where it is not `placed` under the
        heading that asks, also that it belongs there."""
        answers = _chance(self.by_check[check], section)
        return answers if placed or check not in self.places else min(answers, _chance(self.places[check], section))

    def caution(self, check: Check, section: Section) -> float | None:
        """How sure it is, from 0 to 1, beside what is known of texts that get past; None for a check that is about
        structure."""
        return _chance(self.cautions[check], section) if check in self.cautions else None

    def makes_sense(self, section: Section) -> float:
        """How sure it is, from 0 to 1, that a text reads like work on a model, whatever it is to answer."""
        return _chance(self.sense, section)


def _chance(head: Head, section: Section) -> float:
    """What a head says of a section. Plain floats in order: the same on every machine, but for the encoder's own."""
    spoken = sum(map(float.__mul__, head.words, map(float, encoder.encode(masked(section.text)))))
    shown = sum(head.traits.get(name, 0.0) * value for name, value in traits(section).items())
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, spoken + shown + head.bias)))), DIGITS)


def to_json(heads: Heads) -> dict[str, Any]:
    """Heads as plain values, as they are kept in the data file."""
    return {
        "encoder": heads.encoder,
        "heads": {check.value: _head_json(head) for check, head in heads.by_check.items()},
        "places": {check.value: _head_json(head) for check, head in heads.places.items()},
        "cautions": {check.value: _head_json(head) for check, head in heads.cautions.items()},
        "sense": _head_json(heads.sense),
    }


def _head_json(head: Head) -> dict[str, Any]:
    return {"words": list(head.words), "traits": dict(head.traits), "bias": head.bias}


def from_json(value: Mapping[str, Any]) -> Heads:
    """Heads from plain values."""
    by_check, places, cautions = (_heads(value[name]) for name in ("heads", "places", "cautions"))
    return Heads(value["encoder"], by_check, places, cautions, _head(value["sense"]))


def _heads(value: Mapping[str, Any]) -> dict[Check, Head]:
    return {Check(check): _head(head) for check, head in value.items()}


def _head(value: Mapping[str, Any]) -> Head:
    return Head(tuple(map(float, value["words"])), value["traits"], value["bias"])


@lru_cache(maxsize=1)
def shipped() -> Heads | None:
    """The heads that ship with phaseloop; None where their encoder is not installed, or another version of it is: they
    would say something else."""
    heads = _read()
    return heads if heads.encoder == encoder.name() else None


def absent() -> str:
    """Why there is no second opinion and what to do about it, for people; empty where there is one."""
    wanted, there = _read().encoder, encoder.name()
    if wanted == there:
        return ""
    found = f"{there} is" if there else "no sentence encoder is"
    package = wanted.replace(" ", "==")
    return (
        f"There is no second opinion: {found} installed, and it needs {wanted}. The rules decide alone, and more is "
        f"unclear. Install it with: pip install {package}"
    )


@lru_cache(maxsize=1)
def _read() -> Heads:
    content = files("service.opinion").joinpath("heads.json").read_bytes()
    return replace(from_json(json.loads(content)), digest=hashlib.sha256(content).hexdigest()[:12])
