"""What a tracker project's own things stand for: shown with how each was found, and set by people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from connectors.mapped import NEW, NONE, PURPOSES, Choice, Found, Mapped, Role
from connectors.port import Tracker
from connectors.values import Finding, Place, ProjectSpec
from service.context import Context
from service.domain.plan import mapping_findings as words
from service.domain.plan.plan_json import finding_to_json
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import meant, one_of
from service.store import identities, mappings
from service.store.tables import ConnectionRow, MappingRow, ProjectRow
from service.usecases.errors import Conflict, NotFound
from service.usecases.setup import connections
from service.views.setup import ConnectionView


@dataclass(frozen=True, slots=True)
class MappingShown:
    """The mapping of a tracker project as it is now. `version` is that of what is kept: 0 while nothing is."""

    connection: ConnectionView
    place: Place
    entries: tuple[Mapped, ...]
    version: int
    findings: tuple[Finding, ...]


def shown(context: Context, name: str, project: str) -> MappingShown:
    """What stands for what in a project of the tracker, and how each was found. Reads the tracker; keeps nothing.

    Raises NotFound for the connection and for the project, TrackerError when the tracker cannot be read.
    """
    connection = connections.stored(context, name)
    with context.tracker(connection) as tracker:
        return _shown(context, tracker, connection, connections.spec_of(context, tracker, connection, project))


def put(
    context: Context,
    name: str,
    project: str,
    values: Mapping[str, str],
    by: str,
    *,
    unset: Collection[str] = (),
    whole: bool = False,
    expected_version: int | None = None,
) -> MappingShown:
    """Set roles to things of the tracker, named by id or by name, and released others (`unset`): those are found anew.
    With `whole`, whatever a person set before and is not among the values is released as well. Plans that were made
    before are stale then.

    Raises NotFound; InvalidInput with every value that is wrong; Conflict where the mapping is of another version than
    expected; TrackerError.
    """
    connection = connections.stored(context, name)
    with context.tracker(connection) as tracker:
        spec = connections.spec_of(context, tracker, connection, project)
        before = _shown(context, tracker, connection, spec)
        chosen = _chosen(before, values, unset)
        at = context.now().isoformat()
        with context.database.session() as session:
            row = mappings.kept_row(session, connection.id, before.place, context.now())
            if expected_version is not None and row.version != expected_version:
                raise Conflict(
                    "mapping-changed", "The mapping was changed since it was read.", "Read it again, then set it."
                )
            entries = dict(row.entries)
            dropped = {role for role, one in entries.items() if whole and (one["found"] == Found.SET or one["by"])}
            for role in dropped | set(unset):
                entries.pop(role, None)
            for role, one in chosen.items():
                known = row.entries.get(role, {})
                is_made = one.id == NEW and known.get("found") == Found.OWN
                if is_made or (known.get("id") == one.id and known.get("found") == Found.SET):
                    entries[role] = known
                else:
                    entries[role] = {"id": one.id, "name": one.name, "found": Found.SET.value, "by": by, "at": at}
            context.done(session, connection.id)
            if entries != row.entries:
                _moved_on(context, row, entries)
                meant = before.place.site, before.place.ref.id, {project, before.place.ref.key}
                ours = [row.id for row in identities.on(session, connection.id, *meant)]
                session.execute(update(ProjectRow).where(ProjectRow.id.in_(ours)).values(serial=ProjectRow.serial + 1))
        with context.database.session() as session:
            tracker.remember(mappings.remembered(session, connection.id))
        return _shown(context, tracker, connection, spec)


def _moved_on(context: Context, row: MappingRow, entries: dict[str, dict[str, Any]]) -> None:
    row.entries, row.version, row.updated_at = entries, row.version + 1, context.now()


def _shown(context: Context, tracker: Tracker, connection: ConnectionRow, spec: ProjectSpec) -> MappingShown:
    place = tracker.locate(spec)
    if place is None:
        raise NotFound("project", spec.key, "Check its key, or have the connection's account let into it.")
    with context.database.session() as session:
        row = mappings.row_for(session, connection.id, place)
        version = row.version if row is not None else 0
    found = tuple(words.findings(connection.name, place))
    return MappingShown(ConnectionView.of(connection), place, place.mapping, version, found)


def _chosen(before: MappingShown, values: Mapping[str, str], unset: Collection[str]) -> dict[str, Choice]:
    """The values as choices. Raises InvalidInput with all that is wrong."""
    entries = {one.role.value: one for one in before.entries}
    problems: list[Problem] = []
    chosen: dict[str, Choice] = {}
    for role in (*values, *unset):
        if role not in entries:
            known = [str(one) for one in entries]
            fix = meant(role, known) or one_of(known)
            problems.append(Problem("mapping", None, role, f'there is no role "{role}" here', fix))
    both = sorted(set(values) & set(unset))
    problems += [Problem("mapping", None, role, "is set and released at once", "do one of the two") for role in both]
    for role, value in values.items():
        if role in entries:
            found = _candidate(entries[role], value)
            if isinstance(found, Choice):
                chosen[role] = found
            else:
                problems.append(found)
    problems += _twice(chosen)
    if problems:
        raise InvalidInput(problems)
    return chosen


def _twice(chosen: Mapping[str, Choice]) -> list[Problem]:
    """Roles whose things must differ and do not: what is planned and what is done, one type for both levels."""
    apart = (Role.BACKLOG_LIST, Role.IN_PROGRESS_LIST, Role.DONE_LIST)
    problems = []
    for place, role in enumerate(apart):
        for other in apart[:place]:
            one, two = chosen.get(role), chosen.get(other)
            if one is not None and two is not None and one.id == two.id and one.id not in (NEW, NONE):
                message = f"is the same list as {other}, so nothing would tell the two apart"
                problems.append(Problem("mapping", None, role, message, "choose two lists"))
    return problems


def _candidate(entry: Mapped, value: str) -> Choice | Problem:
    wanted = value.strip()
    if wanted in {one.id for one in entry.candidates}:
        named = [one for one in entry.candidates if one.id == wanted]
    else:
        named = [one for one in entry.candidates if _same(one.name, wanted)]
    if len(named) == 1:
        return Choice(named[0].id, named[0].name)
    if not named and wanted.casefold() in entry.special:
        return Choice(wanted.casefold(), "")
    if named:
        ids = ", ".join(f"{one.id}{f' ({one.note})' if one.note else ''}" for one in named)
        return Problem("mapping", None, entry.role, f"{wanted!r} could be several", f"name it by its id: {ids}")
    offered = [*(f"{one.name} ({one.id})" for one in entry.candidates), *entry.special]
    fix = f"there is: {', '.join(offered)}" if offered else "there is nothing to choose from"
    return Problem("mapping", None, entry.role, f"there is no {wanted!r} to be {PURPOSES[entry.role]}", fix)


def _same(name: str, wanted: str) -> bool:
    return " ".join(name.split()).casefold() == " ".join(wanted.split()).casefold()


def shown_json(found: MappingShown) -> dict[str, Any]:
    """A mapping as plain values, the form that CLI and REST show."""
    return {
        "connection": found.connection.name,
        "project": found.place.ref.key,
        "project_id": found.place.ref.id,
        "version": found.version,
        "roles": [words.entry_json(one) for one in found.entries],
        "findings": [finding_to_json(finding) for finding in found.findings],
    }
