"""The steps of a run, counted one way and named by what they are about, and what became of each of their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from connectors.values import ItemKey, Severity, kind_of
from service.context import Context
from service.domain.plan import batch_words, run_state
from service.domain.plan.batches import Batch, Op
from service.domain.plan.fixers import fixer
from service.domain.plan.plan import Plan
from service.domain.plan.plan_json import batches_from_json, plan_from_json
from service.store import items, runs
from service.store.tables import ItemRow, PlanRow, RunRow, StepRow
from service.usecases.errors import NotFound
from service.views.run import ItemResult, RunStep, RunSteps, RunView, StepResult

_STATES = {"go": "done", "again": "waiting", "stop": "stopped", "over": "done"}
"""How a step stands, by how it ended when it was last begun."""

_WITHOUT_ERRORS = ("created-again", "kept", "lines-kept")
"""Codes of findings that say more of what was done, and not that it was not."""


def steps(context: Context, run_id: str) -> RunSteps:
    """The steps of a run, those to come included. Raises NotFound."""
    with context.database.session() as session:
        run = _existing(session, run_id)
        ended = runs.steps(session, run_id)
        batches, titles = _batches(run), _titles(_plan(session, run))
    done = {step.number for step in ended if step.state == "go" and step.number > 0}
    total = run.totals["steps"] if run.totals else len(batches)
    before = [_step(run, 0, ended[0].title, None, ended)] if any(step.number == 0 for step in ended) else []
    failed = _failed(run, batches)
    shown = [
        _step(run, n, batch_words.named(one, titles), one, ended, failed[n - 1])
        for n, one in enumerate(batches, start=1)
    ]
    number = run.totals["done"] if run.totals else len(done)
    return RunSteps(RunView.of(run), total, number, (*before, *_with_present(run, shown)))


def results(context: Context, run_id: str, number: int) -> StepResult:
    """What became of each item of step `number` of a run. Raises NotFound, also for a step that there is not, or that
    was cleaned up."""
    found = next((one for one in steps(context, run_id).steps if one.number == number and number > 0), None)
    if found is None:
        raise NotFound("step", str(number), f"`phaseloop runs show {run_id}` lists those there are.")
    with context.database.session() as session:
        run = _existing(session, run_id)
        batch = _batches(run)[number - 1]
        titles = _titles(_plan(session, run))
        rows = items.rows(session, run.project_id)
    told = [_result(run, found, batch, key, titles.get(key, key), rows.get(key)) for key in batch.keys]
    return StepResult(found, tuple(told))


def _existing(session: Session, run_id: str) -> RunRow:
    run = session.get(RunRow, run_id)
    if run is None:
        raise NotFound("run", run_id, "`phaseloop runs list` names those there are.")
    return run


def _batches(run: RunRow) -> list[Batch]:
    return batches_from_json(run.batches or []) if run.cleaned_at is None else []


def _plan(session: Session, run: RunRow) -> Plan | None:
    row = session.get(PlanRow, run.plan_id) if run.plan_id is not None else None
    return plan_from_json(row.body) if row is not None and "changes" in row.body else None


def _titles(plan: Plan | None) -> Mapping[ItemKey, str]:
    return {change.key: change.title for change in plan.changes} if plan is not None else {}


def _step(
    run: RunRow, number: int, name: str, batch: Batch | None, ended: Sequence[StepRow], failed: int = 0
) -> RunStep:
    own = [step for step in ended if step.number == number]
    last = own[-1] if own else None
    state = _STATES.get(last.state, last.state) if last is not None else "to do"
    if state == "waiting" and run.state in run_state.ENDED:
        state = "stopped"
    return RunStep(
        number=number,
        name=name,
        state=state,
        items=len(batch.keys) if batch is not None else 0,
        attempts=len(own),
        reads=sum(step.reads for step in own),
        writes=sum(step.writes for step in own),
        message=last.message if last is not None else "",
        started_at=own[0].started_at if own else None,
        finished_at=last.finished_at if last is not None else None,
        part=batch_words.part(batch) if batch is not None else batch_words.BEFORE,
        failed=failed if own else 0,
    )


def _failed(run: RunRow, batches: Sequence[Batch]) -> list[int]:
    """By step, how many of its items could not be done, as far as a finding says so. What was refused in one step is
    left out of those after it, and counts there no more."""
    told = {one["subject"] for one in run.findings if one["severity"] == Severity.ERROR}
    found = []
    for batch in batches:
        own = told.intersection(batch.keys)
        found.append(len(own))
        told -= own
    return found


def _with_present(run: RunRow, shown: Sequence[RunStep]) -> list[RunStep]:
    """The steps with the one that a run is in, of which nothing is recorded before it has ended."""
    if run.state != run_state.RUNNING:
        return list(shown)
    present = next((one.number for one in shown if one.state != "done"), 0)
    return [replace(one, state="in progress") if one.number == present else one for one in shown]


def _result(run: RunRow, step: RunStep, batch: Batch, key: ItemKey, title: str, row: ItemRow | None) -> ItemResult:
    state, cause, who, fix = _became(run, step, batch, key, row)
    return ItemResult(
        key=key,
        kind=kind_of(key).value,
        title=title,
        state=state,
        remote_key=row.remote_key if row is not None else None,
        url=row.url if row is not None else None,
        cause=cause,
        who=who,
        fix=fix,
    )


def _became(run: RunRow, step: RunStep, batch: Batch, key: ItemKey, row: ItemRow | None) -> tuple[str, str, str, str]:
    """The state of an item, why, who can fix it, and how."""
    told = _told(run.findings, key)
    if told is not None:
        left = key in (run.conflicts or {}) or told["code"].endswith("-meanwhile")
        return "left" if left else "failed", told["message"], fixer(told["code"]), told["fix"]
    if batch.op is Op.CREATE and row is not None and row.state == items.REFUSED:
        fix = f"Fix what the tracker says, then: phaseloop runs retry {run.id}"
        return "failed", "; ".join(row.problems), fixer("item-refused"), fix
    if step.state == "done":
        return "done", "", "", ""
    if batch.op is Op.CREATE and row is not None and row.state == items.INTENDED:
        return "unknown", "A call was sent, and its answer is not known yet.", fixer("created-again"), ""
    if batch.op is Op.CREATE and row is not None and row.state == items.MADE:
        return "done", "", "", ""
    stopped = next((one for one in run.findings if one["severity"] == Severity.ERROR), None)
    if step.state == "stopped" and stopped is not None:
        return "to do", stopped["message"], fixer(stopped["code"]), stopped["fix"]
    return "to do", step.message, "", ""


def _told(findings: Sequence[Mapping[str, Any]], key: ItemKey) -> Mapping[str, Any] | None:
    """What a run found that kept it from doing what was planned for an item."""
    own = (one for one in findings if one["subject"] == key and one["code"] not in _WITHOUT_ERRORS)
    return next((one for one in own if one["severity"] != Severity.INFO), None)
