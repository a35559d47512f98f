"""Which metrics of runs matter, and which value of one is the best. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.tracking import TrackedRun

MAIN_METRICS = 4
"""The most metrics that are told of a run."""

_OF_THE_MACHINE = "system/"
_OF_TRAINING = frozenset({"train", "training"})
_LOWER_IS_BETTER = """
    loss error errors err rmse mse mae mape smape wmape rmsle logloss nll perplexity ppl wer cer ter brier ece fpr fnr
    latency time seconds secs duration ms cost costs drift gap size bytes memory distance fid toxicity rejects
"""
_LOWER = frozenset(_LOWER_IS_BETTER.split())
_THOUSAND, _MANY_DIGITS = 1_000, 1e12
_PARTS = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Best:
    """A value and the run that has it."""

    value: float
    run: TrackedRun


def main_metrics(runs: Sequence[TrackedRun]) -> tuple[str, ...]:
    """The metrics that most of the runs have, at most `MAIN_METRICS`: those of training only where there are no others,
    those of the machine never."""
    counted: dict[str, int] = {}
    for run in runs:
        for name in run.metrics:
            if not name.startswith(_OF_THE_MACHINE):
                counted[name] = counted.get(name, 0) + 1
    names = [name for name in counted if not _OF_TRAINING & _words(name)] or list(counted)
    return tuple(sorted(names, key=lambda name: (-counted[name], name))[:MAIN_METRICS])


def best_of(runs: Iterable[TrackedRun], metric: str) -> Best | None:
    """The best value of a metric, by what its name says about which that is; the first run of several that have it."""
    found = [Best(run.metrics[metric], run) for run in runs if metric in run.metrics]
    if not found:
        return None
    pick = min if taken_as(metric) == "lower" else max
    return pick(found, key=lambda one: one.value)


def taken_as(metric: str) -> str:
    """`lower` if a metric of this name is better the lower it is, else `higher`: a guess, to be told as one."""
    return "lower" if _LOWER & _words(metric) else "higher"


def number_text(value: float) -> str:
    """A number as people write it: no more digits than tell something."""
    if value == round(value) and abs(value) < _MANY_DIGITS:
        return f"{value:.0f}"
    return f"{value:.1f}" if _THOUSAND <= abs(value) < _MANY_DIGITS else f"{value:.4g}"


def _words(name: str) -> set[str]:
    return {part.lower() for part in _PARTS.findall(name)}
