"""What of ours a plan is made from: the project with its template, team and calendar, how far its loop is, and what was
recorded. Reads our store only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors import registry
from connectors.kinds import Kind
from connectors.values import ItemKey, RemoteRef
from service.context import Context
from service.domain.loop import loop_state
from service.domain.loop.course import Begun
from service.domain.loop.turnover import Policy, Turnover
from service.domain.plan import placement
from service.domain.plan.plan import Recorded
from service.domain.plan.plan_json import plan_from_json
from service.domain.plan.project_settings import SettingsChange
from service.domain.team.calendar import Calendar
from service.domain.team.team import Team
from service.domain.template.parameters import settle
from service.domain.template.reader import read_template
from service.domain.template.template import Loop, ParameterValue, Template
from service.store import items, loops
from service.store.tables import CarryRow, ConnectionRow, LoopRow, PlanRow, ProjectRow, RunRow, TeamRow, TemplateRow
from service.usecases.setup import projects
from service.usecases.setup.project_changes import Proposed
from service.usecases.setup.teams import team_of


@dataclass(frozen=True)
class Material:
    """One project as our store knows it.

    `loop` is None before the first apply has ended. `begun` are the iterations that have begun, `times` how often each
    ticket was carried over, `shelved` the tickets that were sent to the backlog, `left_open` those that were not
    carried on when their iteration was closed, `released` what was released and stays in the tracker, `people` who is
    behind each account.
    `pending` is what an advance does that has begun and not come to its end. `settings` is how project, team and
    template here differ from those that are stored: a plan brings that along.
    """

    project: ProjectRow
    connection: ConnectionRow
    team: Team
    template: Template
    parameters: Mapping[str, ParameterValue]
    calendar: Calendar
    turning: Loop
    recorded: Mapping[ItemKey, Recorded]
    people: Mapping[str, str]
    loop: LoopRow | None = None
    begun: Sequence[Begun] = ()
    times: Mapping[ItemKey, int] = field(default_factory=dict)
    shelved: frozenset[ItemKey] = frozenset()
    released: Mapping[ItemKey, RemoteRef] = field(default_factory=dict)
    left_open: frozenset[ItemKey] = frozenset()
    pending: Turnover | None = None
    settings: SettingsChange | None = None

    @cached_property
    def continued(self) -> Mapping[ItemKey, ItemKey]:
        """The open tickets that became those of phases entered again: as decided last, by an advance that has begun or
        by the one before it."""
        if self.pending is not None:
            return self.pending.continued
        stored = self.loop.continued if self.loop is not None else {}
        return {ItemKey(new): ItemKey(key) for new, key in stored.items()}

    @property
    def kind(self) -> Kind:
        """The kind of tracker that the project is in."""
        return registry.kind_of(self.connection.kind)

    @property
    def method(self) -> str:
        """How the team works: `scrum` or `kanban`."""
        return str(self.project.parameters.get("method", "scrum"))

    @property
    def current(self) -> int:
        """The number of the current iteration, 0 before the first."""
        return self.loop.current if self.loop is not None else 0

    @cached_property
    def known(self) -> dict[ItemKey, RemoteRef]:
        """The references of everything that exists by our records."""
        return {key: record.ref for key, record in self.recorded.items() if record.ref is not None}

    @cached_property
    def holding(self) -> dict[ItemKey, str]:
        """Who has which ticket, as we wrote it last."""
        return {
            key: self.people[account]
            for key, record in self.recorded.items()
            if record.ref is not None and (account := str(record.wanted.get("assignee"))) in self.people
        }

    @property
    def coming_dates(self) -> tuple[date | None, date | None]:
        """The first and the last day of the next iteration, as far as they do not follow: as the pending advance has
        them, unless people moved them on since."""
        moved = self.loop.next_first if self.loop is not None else None
        dates = self.pending.dates if self.pending is not None else None
        if dates is None or (moved is not None and moved > dates.first):
            return moved, None
        return dates.first, dates.last

    @cached_property
    def carrying(self) -> dict[ItemKey, int | None]:
        """Where the pending advance has put tickets already, by our records."""
        placed = placement.tickets_in(self.recorded)
        return {
            one.key: one.to
            for one in (self.pending.carried if self.pending is not None else ())
            if one.policy.moves and one.key in self.recorded and placed.get(one.key) == one.to
        }

    @cached_property
    def reach(self) -> int:
        """How far the course goes at least once the loop turns: to the last iteration that something was made for."""
        return placement.last_prepared(self.recorded) if self.begun else 0

    @cached_property
    def rounds(self) -> int:
        """How many iterations of the last phase are prepared and have not begun."""
        return placement.rounds(self.recorded, self.template.phases[-1], self.current) if self.begun else 0

    def ahead(self, first: int) -> int | None:
        """How many iterations are kept prepared from iteration `first` on: as the loop has it, and never fewer than are
        there already. None: all that are planned."""
        if self.turning.ahead == "all":
            return None
        return max(self.turning.ahead, placement.last_prepared(self.recorded) - first + 1)


def material(context: Context, project_id: str, proposed: Proposed | None = None) -> Material:
    """Read what a plan for this project is made from, with the settings that are `proposed`. Raises InvalidInput."""
    with context.database.session() as session:
        project = session.get_one(ProjectRow, project_id)
        connection = session.get_one(ConnectionRow, project.connection_id)
        if proposed is None:
            team = team_of(session.get_one(TeamRow, project.team_id))
            stored = session.get_one(TemplateRow, project.template_digest)
        states = loops.brought_to(session, project_id)
        recorded = {
            key: replace(
                one,
                brought_to=states.get(key, ""),
                ended=states.get(ItemKey(str(one.wanted.get("iteration")))) == "closed",
            )
            for key, one in items.recorded(session, project_id).items()
        }
        released = items.references(items.released(session, project_id))
        people = _people_of_last_run(session, project_id)
        loop = session.get(LoopRow, project_id)
        begun = loops.begun(session, project_id)
        times = loops.carried(session, project_id)
        fates = _last_fates(session, project_id)
        shelved = _shelved(fates, recorded)
        pending = _pending(session, loop)
    if proposed is None:
        template = read_template(stored.text, stored.source)
    else:
        project, team, template = proposed.row, proposed.team, proposed.template
    return Material(
        project=project,
        connection=connection,
        team=team,
        template=template,
        parameters=settle(template, project.parameters, context.now().date()),
        calendar=projects.calendar_of(project, team),
        turning=projects.turning_of(project, template),
        recorded=recorded,
        released=released,
        people=people,
        loop=loop,
        begun=begun,
        times=times,
        shelved=shelved,
        left_open=frozenset(key for key, policy in fates.items() if policy in (Policy.BACKLOG, Policy.LEAVE)),
        pending=pending,
        settings=proposed.change if proposed is not None else None,
    )


def _people_of_last_run(session: Session, project_id: str) -> dict[str, str]:
    """Who is behind each account id, as the plans that were applied had it, the newest last."""
    # Of the plans only this: their bodies are large, and a project that turns for years has many.
    query = select(PlanRow.body["people"]).where(PlanRow.project_id == project_id, PlanRow.run_id.is_not(None))
    people: dict[str, str] = {}
    for named in session.scalars(query.order_by(PlanRow.created_at)):
        people |= named or {}
    return people


def _last_fates(session: Session, project_id: str) -> dict[ItemKey, str]:
    """What became of each ticket when it was last in an iteration that was closed without it being done."""
    query = select(CarryRow).where(CarryRow.project_id == project_id).order_by(CarryRow.number)
    return {ItemKey(row.ticket): row.policy for row in session.scalars(query)}


def _shelved(fates: Mapping[ItemKey, str], recorded: Mapping[ItemKey, Recorded]) -> frozenset[ItemKey]:
    """The tickets whose last carry-over took them to the backlog, where they are by our records."""
    placed = placement.tickets_in(recorded)
    return frozenset(key for key, policy in fates.items() if policy == Policy.BACKLOG and key not in placed)


def _pending(session: Session, loop: LoopRow | None) -> Turnover | None:
    """What an advance that has begun and not come to its end does to the loop, by its newest plan."""
    run = session.get(RunRow, loop.run_id) if loop is not None and loop.run_id is not None else None
    if loop is None or run is None or run.kind != loop_state.ADVANCE or (run.iteration or 0) <= loop.current:
        return None
    made = [row for row in loops.plans(session, run) if "changes" in row.body]
    return plan_from_json(made[-1].body).turnover if made else None
