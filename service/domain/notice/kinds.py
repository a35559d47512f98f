"""The kinds of notices that people can ask for, and which of them something that happened is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

INCOMPLETE, FAILED, WAITING = "incomplete", "failed", "waiting"
"""What happened to a run, as its event is called."""


STAND_UP, STAND_UP_SKIPPED = "stand-up", "stand-up-skipped"
"""That it is time for the stand-up, and that nobody was there to say so; of this nobody is told."""


class NoticeKind(StrEnum):
    """What people can ask for, by the word that is typed."""

    ITERATION_STARTED = "iteration-started"
    ITERATION_CLOSED = "iteration-closed"
    CARRY_OVER = "carry-over"
    RECORD_DUE = "record-due"
    RECORD_OVERDUE = "record-overdue"
    RECORD_ESCALATED = "record-escalated"
    PHASE_PROPOSAL = "phase-proposal"
    RUN_WAITING = "run-waiting"
    RUN_HELD = "run-held"
    RUN_FAILED = "run-failed"
    LOOP_PAUSED = "loop-paused"
    FINDING = "finding"
    MESSAGE = "message"
    PROJECT_ENDED = "project-ended"
    STAND_UP = "stand-up"


TITLES: Mapping[NoticeKind, str] = {
    NoticeKind.ITERATION_STARTED: "A new iteration",
    NoticeKind.ITERATION_CLOSED: "An iteration was closed",
    NoticeKind.CARRY_OVER: "What is not done",
    NoticeKind.RECORD_DUE: "A record is due",
    NoticeKind.RECORD_OVERDUE: "A record is late",
    NoticeKind.RECORD_ESCALATED: "A record is late and not fixed",
    NoticeKind.PHASE_PROPOSAL: "A change of phase is proposed",
    NoticeKind.RUN_WAITING: "A run waits",
    NoticeKind.RUN_HELD: "A run is held: somebody is needed",
    NoticeKind.RUN_FAILED: "A run did not do all it should",
    NoticeKind.LOOP_PAUSED: "The project is paused",
    NoticeKind.FINDING: "Something was found",
    NoticeKind.MESSAGE: "Something happened",
    NoticeKind.PROJECT_ENDED: "The project has ended",
    NoticeKind.STAND_UP: "Stand-up",
}
"""What a message of a kind says above everything else."""

MEANINGS: Mapping[NoticeKind, str] = {
    NoticeKind.ITERATION_STARTED: "an iteration began, with the tickets of each role",
    NoticeKind.ITERATION_CLOSED: "an iteration was closed, with what was done and what was not documented",
    NoticeKind.CARRY_OVER: "an iteration is over: what is carried over unless somebody answers, and what often was",
    NoticeKind.RECORD_DUE: "a record is due soon or now",
    NoticeKind.RECORD_OVERDUE: "a record is late",
    NoticeKind.RECORD_ESCALATED: "a record is late and was not fixed",
    NoticeKind.PHASE_PROPOSAL: "a trigger proposes what the next phase should be; a person decides",
    NoticeKind.RUN_WAITING: "a run waits for its tracker for ten minutes or more",
    NoticeKind.RUN_HELD: "a run cannot continue until somebody has fixed something",
    NoticeKind.RUN_FAILED: "a run failed, or ended with something left undone",
    NoticeKind.LOOP_PAUSED: "somebody paused a project, or cancelled a run that turned it",
    NoticeKind.FINDING: "something in the tracker is not as it should be",
    NoticeKind.MESSAGE: "a trigger has something to tell",
    NoticeKind.PROJECT_ENDED: "a project has ended",
    NoticeKind.STAND_UP: "it is time for the stand-up: what happened since the last one, who has what, what is held",
}
"""When people hear of a kind."""

_KINDS: Mapping[str, NoticeKind] = {
    "began": NoticeKind.ITERATION_STARTED,
    "closed": NoticeKind.ITERATION_CLOSED,
    "debt": NoticeKind.ITERATION_CLOSED,
    "proposed": NoticeKind.CARRY_OVER,
    "carried-often": NoticeKind.CARRY_OVER,
    "move-proposed": NoticeKind.PHASE_PROPOSAL,
    "held": NoticeKind.RUN_HELD,
    INCOMPLETE: NoticeKind.RUN_FAILED,
    FAILED: NoticeKind.RUN_FAILED,
    WAITING: NoticeKind.RUN_WAITING,
    "trigger": NoticeKind.MESSAGE,
    "ended": NoticeKind.PROJECT_ENDED,
    STAND_UP: NoticeKind.STAND_UP,
}
_RECORD = "record-due"
_CLOCKS = {"overdue": NoticeKind.RECORD_OVERDUE, "escalated": NoticeKind.RECORD_ESCALATED}
SERVICE = "phaseloop"
"""Who pauses a loop because its run failed."""


def kind_of(event: str, data: Mapping[str, Any], by: str) -> NoticeKind | None:
    """The kind of notice that an event of a project is, by its own kind, data and author; None where nobody is told."""
    if event == _RECORD:
        return _CLOCKS.get(str(data.get("clock")), NoticeKind.RECORD_DUE)
    if event == "paused":
        return NoticeKind.RUN_FAILED if by == SERVICE else NoticeKind.LOOP_PAUSED
    if event == "finding":
        return NoticeKind.FINDING if data.get("severity") != "info" else None
    return _KINDS.get(event)


def events_of(kind: NoticeKind) -> tuple[str, ...]:
    """The events that can be of this kind of notice."""
    found = [event for event, one in _KINDS.items() if one is kind]
    found += [_RECORD] if kind in (*_CLOCKS.values(), NoticeKind.RECORD_DUE) else []
    found += ["paused"] if kind in (NoticeKind.RUN_FAILED, NoticeKind.LOOP_PAUSED) else []
    found += ["finding"] if kind is NoticeKind.FINDING else []
    return tuple(found)


def channels(subscriptions: Sequence[Mapping[str, Any]], project: str, kind: NoticeKind) -> list[str]:
    """The channels in which a notice is wanted, each once. A subscription without a project is for all of them, one
    without kinds for every kind."""
    wanted = (
        str(one.get("channel", ""))
        for one in subscriptions
        if one.get("project") in (None, project) and (not one.get("kinds") or kind.value in one["kinds"])
    )
    return list(dict.fromkeys(wanted))
