"""A project in the store with its loop, without a tracker and without an engine: for tests about when the loop advances
and what is kept of it. Time stands where the test puts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from service.context import Context, open_context
from service.domain.loop import loop_state
from service.domain.loop.figures import TicketRecord
from service.domain.team.team import Team, read_team
from service.settings import Settings
from service.store import dues
from service.store.database import Database
from service.store.tables import ConnectionRow, EventRow, IterationRow, LoopRow, ProjectRow, RunRow
from service.templates import load_builtin
from service.usecases.loop import advance_outcome
from service.usecases.loop.scheduling import course_of
from service.usecases.plan.project_state import material
from service.usecases.setup import projects, teams
from tests.homes import furnish

START = date(2026, 3, 2)
"""The first day of the project, a Monday."""


def at(text: str) -> datetime:
    """That UTC instant: `2026-03-02T08:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Clock:
    """Where time stands."""

    now: datetime = field(default_factory=lambda: at("2026-02-20T12:00"))

    def __call__(self) -> datetime:
        return self.now

    def set(self, text: str) -> None:
        self.now = at(text)


def team() -> Team:
    demo = Path(__file__).parents[2] / "service" / "demo_team.yaml"
    return read_team(demo.read_text(), demo.name)


def request(**asked: Any) -> projects.Request:
    """What the project is set up with, and what is asked for besides."""
    usual: dict[str, Any] = {
        "parameters": {"start_date": START.isoformat(), "iteration_days": 14},
        "time_zone": "Europe/Berlin",
    }
    template = load_builtin("iterative-ml")
    return projects.Request("Churn", "ML", "site", team().name, template, **{**usual, **asked})


@dataclass
class Shop:
    """A store with one project ML in Berlin, two weeks an iteration, from 2026-03-02 at 09:00."""

    context: Context
    clock: Clock
    project: ProjectRow

    @classmethod
    def open(cls, settings: Settings, **asked: Any) -> Shop:
        clock = Clock()
        if not settings.embedded:
            database = Database(settings.store_url)
            database.upgrade()
            database.dispose()
        else:
            furnish(settings.home)
        context = replace(open_context(settings), now=clock)
        connection = ConnectionRow(
            id="con_1", name="site", kind="jira", settings={}, secret=context.vault.seal("{}"), created_at=clock()
        )
        with context.database.session() as session:
            session.add(connection)
        teams.put(context, team())
        made = projects.put(context, request(**asked))
        return cls(context, clock, projects.stored(context, made.id))

    def change(self, **asked: Any) -> None:
        """As a person does who sets the project up anew."""
        projects.put(self.context, request(**asked))

    def begin_loop(self) -> None:
        """As the end of the first run does."""
        with self.context.database.session() as session:
            session.get_one(ProjectRow, self.project.id).url = "https://tracker.example.com/ML"
        advance_outcome.begin_loop(self.context, self.project.id)

    def advance(self, tickets: Sequence[TicketRecord] = (), closed: Sequence[TicketRecord] = ()) -> None:
        """As a finished advance does: the current iteration is closed, the next one begun with these tickets."""
        known = material(self.context, self.project.id)
        turn = course_of(known, ahead=2).turn(known.current + 1)
        with self.context.database.session() as session:
            loop = session.get_one(LoopRow, self.project.id)
            before = session.get(IterationRow, (self.project.id, loop.current))
            if before is not None:
                before.closed_at, before.tickets = turn.starts, [one.to_json() for one in closed]
            session.add(
                IterationRow(
                    project_id=self.project.id,
                    number=turn.number,
                    phase=turn.stage.phase,
                    loop=turn.stage.loop,
                    of_phase=turn.stage.of_phase,
                    title=f"ML {turn.number}",
                    first=turn.dates.first,
                    last=turn.dates.last,
                    starts=turn.starts,
                    ends=turn.ends,
                    began_at=turn.starts,
                    tickets=[one.to_json() for one in tickets],
                )
            )
            loop.current, loop.next_first, loop.decision, loop.answers = turn.number, None, None, {}
            loop.due, loop.run_id = loop_state.PROPOSE, None
            dues.put(session, self.project.id, dues.TURN, turn.ends)

    def loop(self) -> LoopRow:
        with self.context.database.session() as session:
            return session.get_one(LoopRow, self.project.id)

    def due(self, kind: str = dues.TURN) -> datetime | None:
        """When the clock does that with the project; None: not at all."""
        with self.context.database.session() as session:
            return dues.at(session, self.project.id, kind)

    def behind(self) -> int | None:
        """The version of its team that the loop is yet to follow."""
        with self.context.database.session() as session:
            return dict(dues.behind(session)).get(self.project.id)

    def iteration(self, number: int) -> IterationRow:
        with self.context.database.session() as session:
            return session.get_one(IterationRow, (self.project.id, number))

    def serial(self) -> int:
        with self.context.database.session() as session:
            return session.get_one(ProjectRow, self.project.id).serial

    def events(self) -> list[EventRow]:
        with self.context.database.session() as session:
            return list(session.query(EventRow).order_by(EventRow.id))

    def run(self, kind: str, iteration: int, state: str) -> RunRow:
        """A run of the loop, the newest there is."""
        row = RunRow(
            id=f"{kind}-{self.project.id}-{iteration}",
            kind=kind,
            project_id=self.project.id,
            iteration=iteration,
            state=state,
            started_by="clock",
            created_at=self.clock(),
        )
        with self.context.database.session() as session:
            session.add(row)
            session.flush()
            session.get_one(LoopRow, self.project.id).run_id = row.id
        return row
