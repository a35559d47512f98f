"""Projects: one template version filled in for one team on one connection."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.tracker import Identity
from service.context import Context
from service.domain import calendar_file, shape
from service.domain.audit import rules
from service.domain.audit.shown import visible
from service.domain.calendar import Calendar
from service.domain.calendar_file import CalendarSpec, spec_from_json
from service.domain.commands import typed
from service.domain.identity import TAKEN, taken_words
from service.domain.marks import Marks
from service.domain.parameters import settle
from service.domain.problems import InvalidInput, Problem
from service.domain.reading import read_template
from service.domain.shape import meant
from service.domain.team import Team, check_team
from service.domain.template import Loop, Template
from service.domain.time_zones import check_time_zone
from service.store import identities
from service.store.secrets import new_id
from service.store.tables import ConnectionRow, ProjectRow, TemplateRow
from service.templates import TemplateText
from service.usecases import connections, identity, teams
from service.usecases.errors import Conflict, NotFound

_NUMBER = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for when setting up a project; `parameters` as given, not yet settled.

    `calendar` is what the project says of its working time, in place of what it said before; None leaves that as it is.
    `turning` is what it says of how its loop turns (the fields of `template.Loop`); what is not named stays.
    `audit` is what it says of how its records are audited (the fields of `rules.ProjectAudit`); what is not named
    stays, and what is None is as in the template again. `meant` is which project of the tracker the key means, where
    that was asked already.
    """

    name: str
    key: str
    connection: str
    team: str
    template: TemplateText
    parameters: Mapping[str, object]
    time_zone: str | None = None
    create: bool = False
    calendar: CalendarSpec | None = None
    turning: Mapping[str, Any] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)
    meant: Identity | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What was found right in a request, as it is stored, with the template that was read."""

    template: Template
    parameters: dict[str, Any]
    time_zone: str
    calendar: dict[str, Any]
    turning: dict[str, Any]
    audit: dict[str, Any]


def put(context: Context, request: Request, *, may_exist: bool = True) -> ProjectRow:
    """Set the project up, or bring an existing one to this request: the one of this connection that the key means, in
    whichever spelling, as far as the tracker can tell now. Writes nothing remotely.

    Parameters that an existing project settled before stay as they are unless given anew: the start date above all.
    Raises InvalidInput with every problem, NotFound for the connection or team, Conflict unless `may_exist`, and where
    the project of the tracker is set up on another connection.
    """
    connection = connections.get(context, request.connection)
    team_row = teams.get(context, request.team)
    found = _meant(context, connection, request)
    key = found.key if found is not None else request.key.strip()
    with _of_two_at_once(request), context.database.session() as session:
        row = _present(session, connection, request.key) or _same(session, connection, key, found)
        if row is not None and (not may_exist or row.connection_id != connection.id):
            raise Conflict(TAKEN, *taken_words(request.key, identities.named(session, row)))
        checked = settled(context, request, teams.team_of(team_row), row)
        keep_template(session, context, request.template, checked.template)
        if row is None:
            row = ProjectRow(
                id=new_id("prj"), key=key, connection_id=connection.id, serial=0, created_at=context.now(), memory={}
            )
            session.add(row)
            if found is not None and found.exists is not request.create:  # else the plan says what is wrong
                row.site, row.remote_id = found.site, found.id
        was = _settings(row)
        row.name, row.team_id, row.template_digest = request.name, team_row.id, request.template.digest
        if not request.create and row.remote_id is not None and not identities.is_known(row):
            identities.let_go(session, row.id)  # what was to be made is not to be made any more
        row.create, row.parameters, row.time_zone = request.create, checked.parameters, checked.time_zone
        row.calendar, row.turning, row.audit = checked.calendar, checked.turning, checked.audit
        if _settings(row) != was:
            row.serial += 1  # plans made from other settings are stale now
        context.done(session, row.id)
    return row


@contextmanager
def _of_two_at_once(request: Request) -> Iterator[None]:
    """Refuse the second of two who set the same project up at once."""
    try:
        yield
    except IntegrityError as error:
        message = f"{request.key!r} was set up by somebody else just now."
        raise Conflict(TAKEN, message, "Look at what there is, and go on with that: phaseloop status") from error


def _meant(context: Context, connection: ConnectionRow, request: Request) -> Identity | None:
    """Which project of the tracker a request means, None for one whose key we know, and where nobody can tell now."""
    if not request.key.strip():
        return None
    with context.database.session() as session:
        if _present(session, connection, request.key) is not None:
            return None
    found = request.meant or identity.meant(context, connection, request.key)
    if found is not None:
        identity.settle(context, found.id)
    return found


def _present(session: Session, connection: ConnectionRow, key: str) -> ProjectRow | None:
    """The project of this connection that goes on and has this key."""
    goes_on = ProjectRow.connection_id == connection.id, ProjectRow.ended_at.is_(None)
    return session.scalar(select(ProjectRow).where(ProjectRow.key == key, *goes_on))


def _same(session: Session, connection: ConnectionRow, key: str, found: Identity | None) -> ProjectRow | None:
    """The project that goes on and is the same one of the tracker, on whichever connection; by the key as the tracker
    spells it where it is not known yet which one it is. Raises Conflict where that key was another one's before."""
    row = identities.holder(session, found.site, found.id) if found is not None else None
    row = row or _present(session, connection, key)
    if row is None or found is None or not identities.is_known(row) or row.remote_id == found.id:
        return row
    message = f"The project {row.id} was called {key} before, and is called otherwise now."
    raise Conflict("key-moved", message, f"Look at it, which takes its new key over: phaseloop status {row.id}")


def _settings(row: ProjectRow) -> tuple[object, ...]:
    of_itself = row.name, row.team_id, row.template_digest, row.create
    return *of_itself, row.parameters, row.time_zone, row.calendar, row.turning


def settled(context: Context, request: Request, team: Team, row: ProjectRow | None) -> Settled:
    """What the request comes to for this project, a new one without a row, with this team. Raises InvalidInput with
    everything that is wrong with it."""
    template = read_template(request.template.text, request.template.source)
    problems: list[Problem] = []
    if not request.name.strip() or len(request.name) > 80:
        problems.append(Problem("project", None, "name", "must be 1 to 80 characters"))
    if not request.key.strip():
        problems.append(Problem("project", None, "key", "is missing", "give the key of the tracker's project, like ML"))
    for place, text in (("name", request.name), ("key", request.key)):
        if (shown := visible(text)) != text:
            told, fix = f"holds a character that nobody sees: {shown}", "type it anew; copying brought it along"
            problems.append(Problem("project", None, place, told, fix))
    problems += check_team(team, template)
    found: dict[str, Any] = {"parameters": {}, "time_zone": "UTC", "calendar": {}, "turning": {}, "audit": {}}
    try:
        found["time_zone"], found["calendar"] = _working_time(request, team, row)
    except InvalidInput as error:
        problems += error.problems
    before = row.parameters if row is not None else {}
    kept = {name: value for name, value in before.items() if name in template.parameters}
    today = context.now().astimezone(ZoneInfo(found["time_zone"])).date()
    try:
        values = settle(template, {**kept, **request.parameters}, today)
        found["parameters"] = {n: v.isoformat() if isinstance(v, date) else v for n, v in values.items()}
    except InvalidInput as error:
        problems += error.problems
    said = {**(row.turning if row is not None else {}), **request.turning}
    try:
        turning = _turning(said, template).model_dump(mode="json")
        found["turning"] = {name: value for name, value in turning.items() if name in said}
    except InvalidInput as error:
        problems += error.problems
    try:
        found["audit"] = _audit(request.audit, row, template)
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(problems)
    return Settled(template, **found)


def _working_time(request: Request, team: Team, row: ProjectRow | None) -> tuple[str, dict[str, Any]]:
    """The project's time zone and what else it says of its working time. Raises InvalidInput."""
    said = request.calendar or CalendarSpec()
    asked = request.time_zone
    problems = check_time_zone(asked, "project", "time_zone") if asked is not None else []
    if asked is not None and said.time_zone is not None and said.time_zone != asked:
        message = f'"{said.time_zone}" stands here and "{asked}" is given for the project'
        problems.append(Problem("calendar", None, "time_zone", message, "keep one of the two"))
    if problems:
        raise InvalidInput(problems)
    zone = asked or said.time_zone or (row.time_zone if row is not None else None) or team.zone or "UTC"
    if request.calendar is None and row is not None:
        spec = row.calendar
    else:
        spec = {name: value for name, value in said.to_json().items() if name != "time_zone"}
    calendar_file.calendar_of(team.calendar, spec_from_json(spec), zone)
    return zone, spec


def calendar_of(row: ProjectRow, team: Team) -> Calendar:
    """The project's calendar: what it says itself, else what its team says. Raises InvalidInput where the two do not
    go together, as may be after a team file was changed."""
    return calendar_file.calendar_of(team.calendar, spec_from_json(row.calendar), row.time_zone)


def turning_of(row: ProjectRow, template: Template) -> Loop:
    """How the project's loop turns: what it says itself, else what its template says."""
    return _turning(row.turning, template)


def _turning(said: Mapping[str, Any], template: Template) -> Loop:
    """The template's way of turning with what a project says of it; numbers may be text, as a command line has them.
    Raises InvalidInput."""
    marks = Marks.of({**template.loop.model_dump(mode="json"), **_numbered(said)}, "turning")
    return shape.validate(Loop, marks)


def _audit(asked: Mapping[str, Any], row: ProjectRow | None, template: Template) -> dict[str, Any]:
    """What the project says of its audit, as it is stored; numbers may be text. Raises InvalidInput where it is wrong
    or looser than the template."""
    said = {**(row.audit if row is not None else {}), **_numbered(asked)}
    given = {name: value for name, value in said.items() if value is not None}
    audit = shape.validate(rules.ProjectAudit, Marks.of(given, "audit"))
    if problems := rules.problems(template, audit):
        raise InvalidInput(problems)
    return audit.model_dump(mode="json", exclude_unset=True)


def _numbered(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, with numbers for text that is one."""
    return {n: int(v) if isinstance(v, str) and _NUMBER.fullmatch(v) else v for n, v in said.items()}


def keep_template(session: Session, context: Context, text: TemplateText, template: Template) -> None:
    """Keep the template's text by its digest, so that the project never loses what it was made from."""
    if session.get(TemplateRow, text.digest) is None:
        session.add(
            TemplateRow(
                digest=text.digest,
                name=template.name,
                version=template.version,
                source=text.source,
                text=text.text,
                created_at=context.now(),
            )
        )
        session.flush()


def get(context: Context, name: str, *, ask: bool = True) -> ProjectRow:
    """The project of that id, or the one with that tracker key that has not ended, capitals or not; where none has it
    here, the one that had that key before, or that has it in the tracker by now, if that is to be asked. Raises
    NotFound, Conflict."""
    with context.database.session() as session:
        found = identities.spelled_alike(session, name)
    if not found and (renamed := identity.find(context, name, ask=ask)) is not None:
        return renamed
    if not found:
        raise NotFound("project", name, _instead(context, name))
    if len(found) > 1:
        ids = ", ".join(row.id for row in found)
        raise Conflict("ambiguous", f"Several projects have the key {name!r}: {ids}.", "Name one by its id.")
    return found[0]


def _instead(context: Context, name: str) -> str:
    """What to do where no project goes by a name: one that has ended is told, one that is called alike is proposed."""
    rows = listed(context)
    ended = [row for row in rows if row.ended_at is not None and row.key.casefold() == name.strip().casefold()]
    if ended:
        return f"The one of that key has ended: phaseloop history {typed(ended[-1].key)}"
    going = [row for row in rows if row.ended_at is None]
    slip = meant(name, [word for row in going for word in (row.key, row.name)])
    return f"{slip[:1].upper()}{slip[1:]} `phaseloop status` names those there are.".strip()


def past_or_present(context: Context, name: str, *, ask: bool = True) -> ProjectRow:
    """The project as `get` finds it; where none goes on by that key, the last that did and has ended. Raises NotFound,
    Conflict."""
    try:
        return get(context, name, ask=ask)
    except NotFound:
        plain = name.strip().casefold()
        ended = [row for row in listed(context) if row.ended_at is not None and row.key.casefold() == plain]
        if not ended:
            raise
        return max(ended, key=lambda row: row.ended_at or row.created_at)


def going_on(context: Context, name: str) -> ProjectRow:
    """The project, as `get` finds it, if it has not ended. Raises NotFound, Conflict."""
    row = get(context, name)
    if row.ended_at is not None:
        raise has_ended(row)
    return row


def has_ended(row: ProjectRow) -> Conflict:
    """That nothing more can be planned or applied for this project, and what to do."""
    return Conflict(
        "project-ended",
        f"The project {row.key} ({row.id}) has ended.",
        "Its key can be used anew: set a new project up with it.",
    )


def listed(context: Context) -> list[ProjectRow]:
    """All projects, oldest first."""
    with context.database.session() as session:
        return list(session.scalars(select(ProjectRow).order_by(ProjectRow.created_at, ProjectRow.id)))


def template_text(context: Context, row: ProjectRow) -> TemplateText:
    """The template as the project has kept it."""
    with context.database.session() as session:
        kept = session.get_one(TemplateRow, row.template_digest)
    return TemplateText(text=kept.text, source=kept.source, digest=kept.digest)


def page(context: Context, limit: int, after: str | None = None) -> list[ProjectRow]:
    """Projects, oldest first: at most `limit`, those after the one with the id `after`. Raises NotFound."""
    query = select(ProjectRow).order_by(ProjectRow.created_at, ProjectRow.id).limit(limit)
    with context.database.session() as session:
        if after is not None:
            last = session.get(ProjectRow, after)
            if last is None:
                raise NotFound("project", after)
            query = query.where(
                (ProjectRow.created_at > last.created_at)
                | ((ProjectRow.created_at == last.created_at) & (ProjectRow.id > last.id))
            )
        return list(session.scalars(query))
