"""A campaign: cases chosen, done several at a time by processes with a rig of their own each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from tests.faults.cases import Clean, Result, calls_for, clean_run, run_case
from tests.faults.kinds import BY_NAME, Kind
from tests.faults.report import Tally
from tests.faults.rig import Rig, TrackerName

Case = tuple[TrackerName, str, int]
"""A tracker, a kind of fault by name, and the call that it strikes, counted from 1."""

TELL_EVERY = 10.0
"""Seconds between two words on how far it is."""

_rigs: dict[TrackerName, tuple[Rig, Clean]] = {}
"""Those of this worker process, made when they are first needed."""


@dataclass(frozen=True)
class Asked:
    """Which cases somebody wants: of `calls`, or every `every`-th call from the `first` on."""

    trackers: Sequence[TrackerName]
    kinds: Sequence[Kind]
    calls: Sequence[int] = ()
    every: int = 1
    first: int = 1


def cases_of(folder: Path, asked: Asked) -> Iterator[Case]:
    """The cases in an order that meets every kind early."""
    for tracker in asked.trackers:
        with Rig(folder / f"count-{tracker}", tracker) as rig:
            clean = clean_run(rig)
        wanted = [kind for kind in asked.kinds if tracker == "jira" or not kind.bulk]
        by_kind = {kind.name: asked.calls or calls_for(kind, clean, asked.every, asked.first) for kind in wanted}
        places = sorted({call for calls in by_kind.values() for call in calls})
        for call in places:
            for name, calls in by_kind.items():
                if call in calls:
                    yield tracker, name, call


def results_of(folder: Path, cases: Sequence[Case], jobs: int, say: Callable[[str], None]) -> Iterator[Result]:
    """The cases' results as they come; `say` is told how far it is and how long it will take, and what is off."""
    began, told = time.monotonic(), 0.0
    tally = Tally(len(cases))
    # A worker is a new process instead of a fork: this one may have a server's threads.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (str(folder),)) as pool:
        for done in as_completed([pool.submit(_case, case) for case in cases]):
            result = done.result()
            tally.add(result)
            now = time.monotonic()
            if not result.good:
                say(f"off: {result.command}")
            if now - told > TELL_EVERY or tally.done == tally.total:
                told = now
                say(tally.line(now - began))
            yield result


_folder = Path()


def _begin(folder: str) -> None:
    """In a worker: remember where it may write."""
    global _folder  # noqa: PLW0603 - a pool hands its workers their surroundings no other way
    _folder = Path(tempfile.mkdtemp(dir=folder))


def _case(case: Case) -> Result:
    """In a worker: one case."""
    tracker, kind, call = case
    if tracker not in _rigs:
        rig = Rig(_folder / tracker, tracker).__enter__()
        _rigs[tracker] = rig, clean_run(rig)
    rig, clean = _rigs[tracker]
    return run_case(rig, clean, BY_NAME[kind], call)
