"""How a project's model evolved: what was decided and why, and its measures by iteration. Told from the evidence; reads
no tracker."""

from __future__ import annotations

from typing import Any

from service.context import Context
from service.domain.audit import plot
from service.domain.audit.decisions import LoggedDecision, decision_log, search
from service.domain.audit.metrics import Series, series
from service.domain.audit.subject import Subject
from service.store import audits
from service.usecases.errors import NotFound
from service.usecases.setup import projects


def decisions(context: Context, project: str, words: str = "") -> tuple[LoggedDecision, ...]:
    """All decisions of the project's records in time order; with `words` ("why did we drop B?") those that they are
    about, the best first. Raises NotFound, Conflict."""
    log = decision_log(_subjects(context, project))
    return search(log, words) if words.strip() else log


def measures(context: Context, project: str) -> list[Series]:
    """Each measure of the project's records by iteration, in alphabetical order. Raises NotFound, Conflict."""
    return list(series(_subjects(context, project)).values())


def measure(context: Context, project: str, name: str) -> Series:
    """The measure of that name, in any case. Raises NotFound, which names those there are; Conflict."""
    found = measures(context, project)
    for one in found:
        if one.name.casefold() == name.strip().casefold():
            return one
    known = ", ".join(one.name for one in found)
    raise NotFound("measure", name, f"There are: {known}." if known else "No record that was read reports one yet.")


def decision_json(one: LoggedDecision) -> dict[str, Any]:
    """A decision as plain values, the form that CLI and REST show."""
    return {
        "iteration": one.iteration,
        "title": one.title,
        "phase": one.phase,
        "decision": one.text,
        "reason": one.reason,
        "alternative": one.alternative,
        "links": [{"title": link.text, "url": link.url} for link in one.links],
        "record": one.record,
        "by": one.by,
        "at": one.at.isoformat() if one.at is not None else None,
    }


def measure_json(one: Series) -> dict[str, Any]:
    """A measure as plain values, the form that CLI and REST show."""
    return {
        "name": one.name,
        "unit": one.unit,
        "points": [
            {"iteration": point.iteration, "title": point.title, "value": point.value, "target": point.target}
            for point in one.points
        ],
    }


def picture(one: Series) -> str:
    """The measure as a picture: one SVG element that needs nothing else."""
    return plot.svg(one)


def _subjects(context: Context, project: str) -> list[Subject]:
    row = projects.get(context, project)
    with context.database.session() as session:
        found = audits.readings(session, row.id)
    return [found[number] for number in sorted(found)]
