"""What a tracking server knows of an iteration: experiments, runs, the data they read, registered models. Plain values.

Names, addresses and numbers are the server's, and so anybody's who may write there: whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Experiment:
    """A place where runs are collected. `url` opens it in a browser."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a run read: `digest` is its version as the server computed it, `context` what for (`training`), `source`
    where it came from, empty where that is not told in plain words."""

    name: str
    digest: str
    context: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One run. `experiment` is an experiment's id; `status` is `running`, `finished`, `failed`, `killed` or what else
    the server says, in small letters; `metrics` are the last values, finite numbers only; `repository` and `commit` are
    the code that ran, empty where it was not told. The instants are aware."""

    id: str
    name: str
    experiment: str
    url: str
    status: str
    started: datetime
    ended: datetime | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    datasets: tuple[Dataset, ...] = ()
    repository: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version of a registered model. `stage` is empty where the server has none for it; `run` is the id of the run
    that made it, empty if none did."""

    model: str
    version: str
    url: str
    created: datetime
    stage: str = ""
    aliases: tuple[str, ...] = ()
    run: str = ""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What was read: `runs` oldest first, `versions` by model and oldest first. `missing` are the names of experiments
    and models that were asked for and are not there, or not for us; `cut` says that there are more runs than were
    read (then the newest were)."""

    server: str
    experiments: tuple[Experiment, ...] = ()
    runs: tuple[TrackedRun, ...] = ()
    versions: tuple[ModelVersion, ...] = ()
    missing: tuple[str, ...] = ()
    cut: bool = False


class TrackingServer(Protocol):
    """Where experiments are tracked and models registered. Only read from; open as a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def read(self, experiments: Collection[str], models: Collection[str], since: datetime, until: datetime) -> Tracked:
        """The runs of these experiments that began between the two moments, and the versions of these models; names
        that are not there are `missing`. Raises TrackerError."""
        ...
