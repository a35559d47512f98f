"""Cleaning up after old runs, so that a store does not grow for ever. What a run came to stays readable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.store import deliveries, hook_events
from service.store.tables import ItemRow, PlanRow, RunRow, StepRow
from service.usecases.access import kept_forms
from service.usecases.run import idempotency, run_views
from service.usecases.setup import projects

AT_ONCE = 100
"""How many runs or plans are cleaned in one unit of work: short ones, so that others can write in between."""


def clean(context: Context) -> dict[str, int]:
    """Clean up what is older than `keep_runs_days`: steps of ended runs, the plans of these, plans that were never
    applied, with the projects that nobody set up; messages that were sent; answers older than a day; forms that nobody
    asked for again; and handled events older than `keep_events_days`. Returns how many of each. Repeatable, and safe
    beside work.

    A run keeps its state, its findings and its numbers. The plan of a run is kept as long as anything that the run made
    or wrote is recorded as it left it, because undoing the run needs it.
    """
    before = context.now() - timedelta(days=context.settings.keep_runs_days)
    return {
        "runs": _repeated(context, lambda session: _clean_runs(context, session, before)),
        "plans of runs": _repeated(context, lambda session: _clean_plans(context, session)),
        "unapplied plans": _repeated(context, lambda session: _remove_plans(session, before)),
        "planned projects": projects.forget_planned(context, before),
        "answers": idempotency.forget_old(context),
        "forms": _forget_forms(context),
        "events": _repeated(context, lambda session: _forget_events(context, session)),
        "messages": _repeated(context, lambda session: deliveries.forget_old(session, before, AT_ONCE)),
    }


def _repeated(context: Context, part: Callable[[Session], int]) -> int:
    """Do `part` again and again, each time in a unit of work of its own, until it found less than it may do at once."""
    total = 0
    while True:
        with context.database.session() as session:
            done = part(session)
        total += done
        if done < AT_ONCE:
            return total


def _clean_runs(context: Context, session: Session, before: datetime) -> int:
    old = RunRow.state.in_(run_state.ENDED), RunRow.finished_at < before, RunRow.cleaned_at.is_(None)
    found = list(session.scalars(select(RunRow).where(*old).limit(AT_ONCE)))
    for run in found:
        plan = session.get(PlanRow, run.plan_id) if run.plan_id is not None else None
        run.totals = run_views.count(session, run, run_views.outline(plan.body if plan is not None else {}))
        run.batches, run.cleaned_at = None, context.now()
        if run.kind == loop_state.PROPOSE:
            run.plan_id = None  # it was never applied, and may go
    session.execute(delete(StepRow).where(StepRow.run_id.in_([run.id for run in found])))
    return len(found)


def _clean_plans(context: Context, session: Session) -> int:
    """Empty the plans all of whose runs were cleaned, those that an undo may need left out. Who is behind each account
    stays: people keep their work by it."""
    makers = select(ItemRow.made_by).where(ItemRow.made_by.is_not(None))
    writers = select(ItemRow.run_id).where(ItemRow.run_id.is_not(None))
    needed = or_(RunRow.cleaned_at.is_(None), RunRow.id.in_(makers), RunRow.id.in_(writers))
    by_plan = select(RunRow.plan_id).where(needed, RunRow.plan_id.is_not(None))
    by_run = select(RunRow.id).where(needed)  # an advance has a plan for each of its attempts
    unneeded = PlanRow.id.not_in(by_plan), PlanRow.run_id.not_in(by_run)
    old = PlanRow.run_id.is_not(None), PlanRow.cleaned_at.is_(None), *unneeded
    found = list(session.scalars(select(PlanRow).where(*old).limit(AT_ONCE)))
    for plan in found:
        plan.body, plan.cleaned_at = {"people": plan.body.get("people", {})}, context.now()
    return len(found)


def _forget_events(context: Context, session: Session) -> int:
    before = context.now() - timedelta(days=context.settings.keep_events_days)
    return hook_events.forget_old(session, before, AT_ONCE)


def _forget_forms(context: Context) -> int:
    with context.database.session() as session:
        return kept_forms.forget_old(session, context.now())


def _remove_plans(session: Session, before: datetime) -> int:
    shown = select(RunRow.plan_id).where(RunRow.plan_id.is_not(None))  # by a proposal
    old = PlanRow.run_id.is_(None), PlanRow.created_at < before, PlanRow.id.not_in(shown)
    found = list(session.scalars(select(PlanRow.id).where(*old).limit(AT_ONCE)))
    session.execute(delete(PlanRow).where(PlanRow.id.in_(found), PlanRow.run_id.is_(None)))
    return len(found)
