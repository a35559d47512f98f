"""Views that span projects: where somebody is needed, and how fresh figures are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.views.loop import IterationView, LoopView
from service.views.made import instant
from service.views.run import RunView
from service.views.setup import ConnectionCheck, ConnectionView, ProjectView


class Reason(StrEnum):
    """Why a project needs somebody, the most urgent first: what keeps it from going on, then what is wrong with it,
    then what is to be decided."""

    HELD = "held"
    RUN_FAILED = "run failed"
    PAUSED = "paused"
    RUN_INCOMPLETE = "run incomplete"
    REFUSED = "items refused"
    RECORDS_LATE = "records late"
    VACANCIES = "tickets without a person"


@dataclass(frozen=True, slots=True)
class NeedView:
    """That a project needs somebody, for the most urgent reason there is. `count` is how many things it is about, `run`
    the run where it is one, `who` can fix it and `fix` says how; `since` is None where that is not recorded."""

    project: ProjectView
    reason: Reason
    message: str
    who: str
    fix: str
    count: int = 1
    run: str | None = None
    since: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "project": self.project.named(),
            "reason": self.reason.value,
            "message": self.message,
            "who": self.who,
            "fix": self.fix,
            "count": self.count,
            "run": self.run,
            "since": instant(self.since),
        }


class HookState(StrEnum):
    """How the webhook of a connection stands, by our records."""

    NONE = "sends no events"
    """Trackers of the kind send none."""
    ABSENT = "not registered"
    UNSIGNED = "no secret"
    """Whatever is delivered is refused."""
    OFF = "off"
    FAILING = "failing"
    REGISTERED = "registered"


@dataclass(frozen=True, slots=True)
class HookStanding:
    """The webhook of a connection: what the last check found wrong (`trouble`), when the last event came, and how far
    the handling of its events is behind. `secrets` says until when each of its secrets counts, the newest first."""

    state: HookState
    trouble: str
    checked_at: datetime | None
    secrets: tuple[datetime | None, ...]
    last_event_at: datetime | None
    waiting: int
    waiting_since: datetime | None
    failed: int


@dataclass(frozen=True, slots=True)
class ConnectionStanding:
    """A connection: when its tracker was read last for any project, why the last look at records failed, what uses it,
    and its webhook. `projects` are the keys of those that have not ended, `triggers` names; `check` is None where it
    was not checked with its present credential."""

    connection: ConnectionView
    check: ConnectionCheck | None
    read_at: datetime | None
    trouble: str
    projects: tuple[str, ...]
    triggers: tuple[str, ...]
    hook: HookStanding


@dataclass(frozen=True, slots=True)
class ProjectFreshness:
    """When what is known of a project in its tracker was read there last, and by what: `plan`, `run` or `audit`. None
    where nothing was read yet, as of a project that was just set up."""

    project: ProjectView
    read_at: datetime | None
    by: str

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {"project": self.project.named(), "read_at": instant(self.read_at), "by": self.by}


@dataclass(frozen=True, slots=True)
class TrackerFreshness:
    """How fresh the figures from one tracker are: `read_at` is when the one of its projects was read that was not read
    for the longest, None where one was never read. `trouble` says why the last look at one of them failed, if it
    did."""

    connection: str
    name: str
    kind: str
    trouble: str
    projects: tuple[ProjectFreshness, ...]

    @property
    def read_at(self) -> datetime | None:
        """Since when the figures are at least known."""
        times = [one.read_at for one in self.projects]
        known = [one for one in times if one is not None]
        return min(known) if known and len(known) == len(times) else None

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "connection": {"id": self.connection, "name": self.name, "kind": self.kind},
            "read_at": instant(self.read_at),
            "trouble": self.trouble,
            "projects": [one.to_json() for one in self.projects],
        }


@dataclass(frozen=True, slots=True)
class ConnectionFreshness:
    """The same in short: `read_at` as there, in the `zone` of one of its projects."""

    name: str
    zone: str
    read_at: datetime | None
    trouble: str


@dataclass(frozen=True, slots=True)
class PhaseName:
    """A phase of a template: its lasting key, what it is called, and the same in a few letters."""

    key: str
    title: str
    short: str


@dataclass(frozen=True, slots=True)
class ProjectStanding:
    """One project in a list of many: where it is in its loop, and what runs for it. `tracker` is what people call the
    kind of tracker that it is in. `loop` is None before the first plan was applied, `iteration` before the first one
    has begun; `due` is when the clock does something next, and `due_for` what (`propose`, `advance`). `run` is the
    newest run, if it has not ended."""

    project: ProjectView
    tracker: str
    connection: str
    phases: tuple[PhaseName, ...]
    loop: LoopView | None
    iteration: IterationView | None
    due: datetime | None
    due_for: str
    run: RunView | None

    def to_json(self) -> dict[str, Any]:
        """The form that doors show."""
        return {
            "project": self.project.named(),
            "tracker": self.tracker,
            "connection": self.connection,
            "phases": [{"key": one.key, "title": one.title} for one in self.phases],
            "state": self.loop.state if self.loop is not None else None,
            "iteration": self.iteration.number if self.iteration is not None else None,
            "phase": self.iteration.phase if self.iteration is not None else None,
            "ends": instant(self.iteration.ends) if self.iteration is not None else None,
            "due": instant(self.due),
            "due_for": self.due_for,
            "run": self.run.id if self.run is not None else None,
        }
