"""Plans as JSON: the stored form, read back whole, and the published form, which is versioned and stable."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from connectors.mapped import Mapped
from connectors.values import Finding, Place
from service.domain.loop.turnover import Carried, Decision, Turnover
from service.domain.plan.batches import Batch
from service.domain.plan.mapping_findings import how
from service.domain.plan.plan import PLAN_FORMAT, Change, Drift, Plan, Purpose
from service.domain.plan.project_settings import entries

_PLAN = TypeAdapter(Plan)
_PLACE = TypeAdapter(Place)
_BATCHES = TypeAdapter(list[Batch])


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The stored form: everything a run needs, as plain values."""
    return _plain(_PLAN.dump_python(plan, mode="json"))


def plan_from_json(body: dict[str, Any]) -> Plan:
    """The plan that `plan_to_json` wrote."""
    return _PLAN.validate_python(body)


def place_to_json(place: Place) -> dict[str, Any]:
    """A located project as plain values."""
    return _plain(_PLACE.dump_python(place, mode="json"))


def place_from_json(body: dict[str, Any]) -> Place:
    """The place that `place_to_json` wrote."""
    return _PLACE.validate_python(body)


def batches_to_json(batches: list[Batch]) -> list[dict[str, Any]]:
    """A run's batches as plain values."""
    dumped: list[dict[str, Any]] = _BATCHES.dump_python(batches, mode="json")
    return dumped


def batches_from_json(body: list[dict[str, Any]]) -> list[Batch]:
    """The batches that `batches_to_json` wrote."""
    return _BATCHES.validate_python(body)


def published(plan: Plan) -> dict[str, Any]:
    """The form that `plan --json`, saved plan files and REST show; documented in `docs/reference/plan-format.md`."""
    return {
        "format_version": PLAN_FORMAT,
        "purpose": plan.purpose.value,
        "undoes": plan.undoes or None,
        "project": plan.project,
        "serial": plan.serial,
        "tracker_project": plan.spec.key,
        "creates_project": plan.place is None and plan.spec.create and plan.purpose is Purpose.APPLY,
        "template": plan.template,
        "turnover": turnover_to_json(plan.turnover) if plan.turnover is not None else None,
        "settings": [
            {"field": entry.field, "before": entry.before, "after": entry.after}
            for entry in (entries(plan.settings) if plan.settings is not None else ())
        ],
        "summary": plan.counts(),
        "blocked": plan.blocked,
        "changes": [_change(change) for change in plan.changes],
        "people": dict(plan.people),
        "mapping": [_mapped(one) for one in plan.place.mapping] if plan.place is not None else [],
        "drift": [_drift(entry) for entry in plan.drift],
        "vacancies": [
            {"key": vacancy.key, "title": vacancy.title, "role": vacancy.role, "reason": vacancy.reason}
            for vacancy in plan.vacancies
        ],
        "findings": [finding_to_json(finding) for finding in plan.findings],
        "estimate": {
            "reads": plan.estimate.reads,
            "writes": plan.estimate.writes,
            "seconds": plan.estimate.seconds,
        },
    }


def turnover_to_json(turnover: Turnover) -> dict[str, Any]:
    """What an advance does to the loop, in the published form: instants with their offset, dates as they are."""
    stage, dates = turnover.stage, turnover.dates
    return {
        "closes": turnover.closes or None,
        "begins": turnover.begins or None,
        "move": turnover.move.value,
        "title": turnover.title or None,
        "phase": stage.phase if stage is not None else None,
        "loop": stage.loop if stage is not None else None,
        "of_phase": stage.of_phase if stage is not None else None,
        "first": dates.first.isoformat() if dates is not None else None,
        "last": dates.last.isoformat() if dates is not None else None,
        "starts": turnover.starts.isoformat() if turnover.starts is not None else None,
        "ends": turnover.ends.isoformat() if turnover.ends is not None else None,
        "carried": [_carried(one) for one in turnover.carried],
        "continued": {str(new): str(key) for new, key in turnover.continued.items()},
        "lacking": list(turnover.lacking),
        "decision": _decision(turnover.decision) if turnover.decision is not None else None,
    }


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """A finding as plain values, the form that plans and runs keep and doors show."""
    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "subject": finding.subject,
        "message": finding.message,
        "fix": finding.fix,
    }


def _carried(one: Carried) -> dict[str, Any]:
    return {
        "key": one.key,
        "title": one.title,
        "policy": one.policy.value,
        "to": one.to,
        "times": one.times,
        "decided_by": one.decided_by,
        "person": one.person or None,
        "points": one.points,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "move": decision.move.value,
        "phase": decision.phase,
        "by": decision.by,
        "reason": decision.reason,
        "at": decision.at.isoformat(),
    }


def _mapped(one: Mapped) -> dict[str, Any]:
    return {
        "role": one.role.value,
        "id": one.id or None,
        "name": one.name or None,
        "found": one.found.value,
        "how": how(one),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "key": change.key,
        "kind": change.kind.value,
        "title": change.title,
        "reason": change.reason.value,
        "note": change.note,
        "change": {
            "action": change.action.value,
            "changed": list(change.changed),
            "before": change.before,
            "after": change.after,
        },
    }


def _drift(entry: Drift) -> dict[str, Any]:
    return {
        "key": entry.key,
        "kind": entry.kind.value,
        "title": entry.title,
        "field": entry.field,
        "recorded": entry.recorded,
        "observed": entry.observed,
    }


def _plain(dumped: Any) -> dict[str, Any]:
    assert isinstance(dumped, dict)  # noqa: S101 - these types dump to mappings, by construction
    return dumped
