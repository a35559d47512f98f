"""How the loop of a project stands, for people: which iteration is current, what comes next and when, what blocks
it. From our records; reads no tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from connectors.values import Content, ItemKey
from service.context import Context
from service.domain.loop import loop_state
from service.domain.loop.course import Turn
from service.domain.loop.turnover import OFTEN, Decision, key_of, unfinished
from service.domain.plan import placement, run_state
from service.domain.template.template import Key, Loop
from service.store import loops
from service.store.tables import LoopRow, RunRow
from service.usecases.loop import proposals, scheduling
from service.usecases.loop.scheduling import Firing
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects
from service.views.loop import LoopView
from service.views.made import instant
from service.views.run import RunView
from service.views.setup import ProjectView


@dataclass(frozen=True, slots=True)
class Often:
    """A ticket of the current iteration that was carried over `times` times and, as far as is known, is not
    done."""

    key: ItemKey
    remote_key: str
    title: str
    times: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The loop of one project.

    `loop` is None before it has begun, `turn` before its first iteration. `iterations` is how many there are in all, as
    known now; `phases` are the titles of the phases by key. `firings` are what the clock does next, up to the coming
    advance and with it; none while the loop stands still. `run` is the run of the loop that is running or held.
    `proposals` are the moves that events have proposed and nobody has decided about, the newest first. `turning` is how
    the loop turns, `coming` the iteration that begins next and its first day.
    """

    project: ProjectView
    loop: LoopView | None
    turn: Turn | None
    iterations: int
    phases: Mapping[Key, str]
    firings: tuple[Firing, ...]
    run: RunView | None
    often: tuple[Often, ...]
    proposals: tuple[Decision, ...]
    turning: Loop
    coming: Mapping[str, Any] | None

    @property
    def next(self) -> Firing | None:
        """What the clock does next."""
        return self.firings[0] if self.firings else None

    @property
    def turns(self) -> Firing | None:
        """When the clock closes the current iteration."""
        return self.firings[-1] if self.firings else None

    @property
    def decision(self) -> Decision | None:
        """What a person decided about the coming iteration."""
        return self.loop.decided if self.loop is not None else None

    @property
    def held(self) -> Sequence[Mapping[str, Any]]:
        """Why the newest run cannot continue, and who can fix it."""
        return self.run.findings if self.run is not None and self.run.state == run_state.HELD else ()

    def proposals_json(self) -> list[dict[str, Any]]:
        """The open proposals, the newest first, in the form of a decision."""
        return [loops.decision_json(one) for one in self.proposals]

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show. `current` is 0 before the first iteration, `state` None before the loop has
        begun; `loop` is how often a person sent it back, and once more. REST adds the address of the feed."""
        loop, turn, run = self.loop, self.turn, self.run
        coming_next = self.next if loop is not None else None
        return {
            "project": self.project.named(),
            "time_zone": self.project.time_zone,
            "state": loop.state if loop is not None else None,
            "message": loop.message if loop is not None else "",
            "changed_by": loop.changed_by if loop is not None else "",
            "current": turn.number if turn is not None else 0,
            "iterations": self.iterations,
            "phase": turn.stage.phase if turn is not None else None,
            "of_phase": turn.stage.of_phase if turn is not None else None,
            "loop": turn.stage.loop if turn is not None else 1,
            "starts": instant(turn.starts) if turn is not None else None,
            "ends": instant(turn.ends) if turn is not None else None,
            "turning": self.turning.model_dump(mode="json"),
            "answers": dict(loop.answers) if loop is not None else {},
            "decision": loop.decision if loop is not None else None,
            "proposals": self.proposals_json(),
            "carried_often": [
                {"key": one.key, "ticket": one.remote_key, "title": one.title, "times": one.times} for one in self.often
            ],
            "run": loop.run_id if loop is not None else None,
            "run_state": run.state if run is not None else None,
            "next": scheduling.firing_json(coming_next) if coming_next is not None else None,
            "next_due": coming_next.at.astimezone(UTC).isoformat() if coming_next is not None else None,
            "coming": self.coming,
            "held": [dict(finding) for finding in self.held],
        }


def standing(context: Context, project: str, contents: Sequence[Content] | None = None) -> Standing:
    """How the project's loop stands, by our records; `contents` are the tickets of the current iteration as the
    tracker shows them, where it was asked. Raises NotFound, Conflict, InvalidInput."""
    row = projects.get(context, project)
    ours = material(context, row.id)
    course = scheduling.course_of(ours)
    goes_on = row.ended_at is None and (ours.loop is None or ours.loop.state == loop_state.TURNING)
    firings = scheduling.firings_of(context, ours, 2) if goes_on else []
    if firings and firings[0].kind != loop_state.PROPOSE:
        firings = firings[:1]
    return Standing(
        project=row,
        loop=LoopView.of(ours.loop) if ours.loop is not None else None,
        turn=course.turn(ours.current) if ours.current else None,
        iterations=len(course.turns),
        phases={phase.key: phase.title for phase in ours.template.phases},
        firings=tuple(firings),
        run=_at_work(context, ours.loop),
        often=tuple(_often(ours, contents)),
        proposals=_proposals(context, ours),
        turning=ours.turning,
        coming=scheduling.coming_json(ours),
    )


def _at_work(context: Context, loop: LoopRow | None) -> RunView | None:
    if loop is None or loop.run_id is None:
        return None
    with context.database.session() as session:
        run = session.get(RunRow, loop.run_id)
    return RunView.of(run) if run is not None and run.state not in run_state.ENDED else None


def _proposals(context: Context, ours: Material) -> tuple[Decision, ...]:
    if (
        ours.loop is None
        or not ours.current
        or ours.loop.state == loop_state.ENDED
        or ours.project.ended_at is not None
    ):
        return ()
    with context.database.session() as session:
        return tuple(proposals.waiting(session, ours.loop))


def _often(ours: Material, contents: Sequence[Content] | None) -> list[Often]:
    """What is in the current iteration and was carried often; as the tracker shows it, else by our records."""
    if contents is not None:
        keys = {key_of(one) for one in unfinished(contents)}
    else:
        keys = {key for key, number in placement.tickets_in(ours.recorded).items() if number == ours.current}
    found = []
    for key, times in ours.times.items():
        record = ours.recorded.get(key)
        if key in keys and times >= OFTEN and record is not None and record.ref is not None:
            found.append(Often(key, record.ref.key, str(record.wanted.get("title") or key), times))
    return sorted(found, key=lambda one: (-one.times, one.key))
