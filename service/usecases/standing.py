"""How the loop of a project stands, for people: which iteration goes on, what comes next and when, what stands in the
way. From our records; reads no tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.tracker import Content, ItemKey
from service.context import Context
from service.domain import placement
from service.domain.course import Turn
from service.domain.template import Key
from service.domain.turnover import OFTEN, Decision, key_of, unfinished
from service.store import loops, runs
from service.store.tables import LoopRow, ProjectRow, RunRow
from service.usecases import deciding, projects, scheduling
from service.usecases.material import Material, material
from service.usecases.scheduling import Firing


@dataclass(frozen=True, slots=True)
class Often:
    """A ticket of the iteration that goes on that was carried over `times` times and, as far as is known, is not
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
    advance and with it; none while the loop stands still. `run` is the run of the loop that is at work or held.
    """

    project: ProjectRow
    loop: LoopRow | None
    turn: Turn | None
    iterations: int
    phases: Mapping[Key, str]
    firings: tuple[Firing, ...]
    run: RunRow | None
    often: tuple[Often, ...]

    @property
    def next(self) -> Firing | None:
        """What the clock does next."""
        return self.firings[0] if self.firings else None

    @property
    def turns(self) -> Firing | None:
        """When the clock closes the iteration that goes on."""
        return self.firings[-1] if self.firings else None

    @property
    def decision(self) -> Decision | None:
        """What a person decided about the coming iteration."""
        return deciding.stands(self.loop) if self.loop is not None else None


def standing(context: Context, project: str, contents: Sequence[Content] | None = None) -> Standing:
    """How the project's loop stands, by our records; `contents` are the tickets of the iteration that goes on as the
    tracker shows them, where it was asked. Raises NotFound, Conflict, InvalidInput."""
    row = projects.get(context, project)
    ours = material(context, row.id)
    course = scheduling.course_of(ours)
    goes_on = row.ended_at is None and (ours.loop is None or ours.loop.state == loops.TURNING)
    firings = scheduling.firings_of(context, ours, 2) if goes_on else []
    if firings and firings[0].kind != loops.PROPOSE:
        firings = firings[:1]
    return Standing(
        project=row,
        loop=ours.loop,
        turn=course.turn(ours.current) if ours.current else None,
        iterations=len(course.turns),
        phases={phase.key: phase.title for phase in ours.template.phases},
        firings=tuple(firings),
        run=_at_work(context, ours.loop),
        often=tuple(_often(ours, contents)),
    )


def standing_json(found: Standing) -> dict[str, Any]:
    """How a loop stands as plain values, the form that `status` shows; see `scheduling.loop_json` for the rest."""
    turn = found.turn
    return {
        "state": found.loop.state if found.loop is not None else None,
        "message": found.loop.message if found.loop is not None else "",
        "changed_by": found.loop.changed_by if found.loop is not None else "",
        "iteration": turn.number if turn is not None else None,
        "iterations": found.iterations,
        "phase": turn.stage.phase if turn is not None else None,
        "of_phase": turn.stage.of_phase if turn is not None else None,
        "loop": turn.stage.loop if turn is not None else None,
        "starts": turn.starts.isoformat() if turn is not None else None,
        "ends": turn.ends.isoformat() if turn is not None else None,
        "next": scheduling.firing_json(found.next) if found.next is not None else None,
        "decision": found.loop.decision if found.loop is not None else None,
        "answers": dict(found.loop.answers) if found.loop is not None else {},
        "run": found.run.id if found.run is not None else None,
        "run_state": found.run.state if found.run is not None else None,
        "findings": found.run.findings if found.run is not None else [],
        "carried_often": [
            {"key": one.key, "ticket": one.remote_key, "title": one.title, "times": one.times} for one in found.often
        ],
    }


def _at_work(context: Context, loop: LoopRow | None) -> RunRow | None:
    if loop is None or loop.run_id is None:
        return None
    with context.database.session() as session:
        run = session.get(RunRow, loop.run_id)
    return run if run is not None and run.state not in runs.ENDED else None


def _often(ours: Material, contents: Sequence[Content] | None) -> list[Often]:
    """What is in the iteration that goes on and was carried often; as the tracker shows it, else by our records."""
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
