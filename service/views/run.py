"""Views of runs and their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.domain.plan import run_state
from service.views.made import instant, made

if TYPE_CHECKING:
    from service.store.tables import RunRow, StepRow


@dataclass(frozen=True, slots=True)
class RunView:
    """One durable execution. `kind`: apply, undo, remove, advance, propose, audit; `state` is one of
    `service.domain.plan.run_state`. `serial` is the project's when it ended."""

    id: str
    kind: str
    project_id: str
    plan_id: str | None
    attempt: int
    iteration: int | None
    state: str
    started_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    message: str
    findings: Sequence[Mapping[str, Any]]
    continues: str | None
    serial: int | None
    waiting_until: datetime | None
    cancel_requested_at: datetime | None
    cancelled_by: str | None
    cleaned_at: datetime | None

    @classmethod
    def of(cls, row: RunRow) -> RunView:
        """The view of what is stored."""
        return made(cls, row)

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in run_state.ENDED

    def to_json(self) -> dict[str, Any]:
        """The form of an entry in a list; a run alone shows these, and how far it is (`run_views.run_json`)."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "project": self.project_id,
            "plan": self.plan_id,
            "iteration": self.iteration,
            "started_by": self.started_by,
            "created_at": instant(self.created_at),
            "started_at": instant(self.started_at),
            "finished_at": instant(self.finished_at),
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a run that has ended: what it did, how it ended, what it cost."""

    id: int
    number: int
    title: str
    state: str
    message: str
    reads: int
    writes: int
    started_at: datetime
    finished_at: datetime

    @classmethod
    def of(cls, row: StepRow) -> StepView:
        """The view of what is stored."""
        return made(cls, row)

    def to_json(self) -> dict[str, Any]:
        """The form that CLI, REST and events show."""
        return {
            "id": self.id,
            "number": self.number,
            "title": self.title,
            "state": self.state,
            "message": self.message,
            "requests": {"reads": self.reads, "writes": self.writes},
            "started_at": instant(self.started_at),
            "finished_at": instant(self.finished_at),
        }


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step of a run as it is counted: `number` from 1, 0 for what comes before the steps and is none of them.
    `state`: `to do`, `in progress`, `waiting`, `done`, `stopped`. `attempts` is how often it was begun, `items` how
    many it is about; of one that was not begun `started_at` is None. `part` is what it belongs to, in words: neighbours
    of one part are shown together. `failed` counts its items of which a run found why they could not be done."""

    number: int
    name: str
    state: str
    items: int
    attempts: int
    reads: int
    writes: int
    message: str
    started_at: datetime | None
    finished_at: datetime | None
    part: str = ""
    failed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "number": self.number,
            "name": self.name,
            "part": self.part,
            "state": self.state,
            "items": self.items,
            "failed": self.failed,
            "attempts": self.attempts,
            "requests": {"reads": self.reads, "writes": self.writes},
            "message": self.message,
            "started_at": instant(self.started_at),
            "finished_at": instant(self.finished_at),
        }


@dataclass(frozen=True, slots=True)
class RunSteps:
    """The steps of a run, those to come included: `done` of `total`, which count what `steps` lists from number 1 on.
    Of a run whose steps were cleaned up the numbers alone are left."""

    run: RunView
    total: int
    done: int
    steps: tuple[RunStep, ...]

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "run": self.run.id,
            "total": self.total,
            "done": self.done,
            "steps": [one.to_json() for one in self.steps],
        }


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item of a run's step. `state`: `done`, `failed`, `left` (people changed it meanwhile, and it
    stays theirs), `unknown` (a call was sent and its answer is not known yet), `to do`. Where it is not done, `cause`
    says why, `who` can fix it and `fix` how; empty where nothing is known yet."""

    key: str
    kind: str
    title: str
    state: str
    remote_key: str | None
    url: str | None
    cause: str = ""
    who: str = ""
    fix: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "key": self.key,
            "kind": self.kind,
            "title": self.title,
            "state": self.state,
            "remote_key": self.remote_key,
            "url": self.url,
            "cause": self.cause,
            "who": self.who,
            "fix": self.fix,
        }


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a run with what became of each of its items, in the order in which they are written."""

    step: RunStep
    items: tuple[ItemResult, ...]

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {**self.step.to_json(), "results": [one.to_json() for one in self.items]}
