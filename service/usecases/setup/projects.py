"""Projects: one template version filled in for one team on one connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.values import Identity
from service.context import Context
from service.domain.audit import rules
from service.domain.audit.shown import visible
from service.domain.commands import typed
from service.domain.plan.identity_findings import TAKEN, taken_words
from service.domain.problems import MISSING, InvalidInput, Problem
from service.domain.team import calendar_file
from service.domain.team.calendar import Calendar
from service.domain.team.calendar_file import CalendarSpec, spec_from_json
from service.domain.team.team import Team, check_team
from service.domain.team.time_zones import check_time_zone
from service.domain.template import shape
from service.domain.template.parameters import settle
from service.domain.template.reader import read_template
from service.domain.template.template import Loop, Template
from service.domain.template.yaml_marks import Marks
from service.store import identities
from service.store.access_tables import GrantRow
from service.store.secrets import new_id
from service.store.tables import ConnectionRow, ItemRow, LoopRow, PlanRow, ProjectRow, RunRow, TemplateRow
from service.templates import TemplateText
from service.usecases import ids
from service.usecases.errors import Conflict, NotFound
from service.usecases.setup import connections, project_identity, teams
from service.views.setup import ProjectView, TeamView

_Read = TypeVar("_Read")

_NUMBER = re.compile("[0-9]{1,9}")


Kept = ProjectRow | ProjectView
"""A project, as it is stored or as doors show it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for when setting up a project; `parameters` as given, not yet settled.

    `calendar` is what the project says of its working time, in place of what it said before; None leaves that as it is.
    `turning` is what it says of how its loop turns (the fields of `template.Loop`); what is not named stays.
    `audit` is what it says of how its records are audited (the fields of `rules.ProjectAudit`); what is not named
    stays, and what is None is as in the template again. `meant` is which project of the tracker the key means, where
    that was asked already. `unreadable` is what could not be read of what was asked for, a template above all, which is
    None then: it is told with everything else that is wrong.
    """

    name: str
    key: str
    connection: str
    team: str
    template: TemplateText | None
    parameters: Mapping[str, object]
    time_zone: str | None = None
    create: bool = False
    calendar: CalendarSpec | None = None
    turning: Mapping[str, Any] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)
    meant: Identity | None = None
    unreadable: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """What was found right in a request, as it is stored, with the template that was read."""

    text: TemplateText
    template: Template
    parameters: dict[str, Any]
    time_zone: str
    calendar: dict[str, Any]
    turning: dict[str, Any]
    audit: dict[str, Any]


def plan_first(context: Context, request: Request, team: Team | None = None) -> ProjectView:
    """What holds the plans of a project that nobody has set up, with `team` as the contents that a plan brings for its
    team. It shows nowhere until one of its plans is applied. Raises as `put` does, Conflict where there is one."""
    try:
        return put(context, request, may_exist=False, planned=True, team=team)
    except Conflict as error:
        if error.code != TAKEN:
            raise
        connection = connections.stored(context, request.connection)
        with context.database.session() as session:
            row = _there(session, connection, request.key, request.meant)
        if row is None or not row.planned:
            raise
        return ProjectView.of(row)  # somebody else planned it at the same moment


def put(
    context: Context, request: Request, *, may_exist: bool = True, planned: bool = False, team: Team | None = None
) -> ProjectView:
    """Set the project up, or bring an existing one to this request: the one of this connection that the key means, in
    whichever spelling, as far as the tracker can tell now. Writes nothing remotely.

    Parameters that an existing project settled before stay as they are unless given anew: the start date above all.
    Raises InvalidInput with every problem, NotFound for the connection or team, Conflict unless `may_exist`, and where
    the project of the tracker is set up on another connection.
    """
    connection, team_row = _named(context, request)
    found = _meant(context, connection, request)
    key = found.key if found is not None else request.key.strip()
    with _of_two_at_once(request), context.database.session() as session:
        row = _there(session, connection, request.key, found)
        if row is not None and row.planned and planned:
            return ProjectView.of(row)  # each of its plans brings its own settings
        if row is not None and not may_exist and not row.planned:
            raise Conflict(TAKEN, *taken_words(request.key, identities.named(session, row)))
        anew = row is None or (row.planned and not may_exist)
        checked = settled(context, request, team or team_row.team, None if anew else row)
        keep_template(session, context, checked.text, checked.template)
        if row is None:
            row = ProjectRow(
                id=new_id("prj"), key=key, connection_id=connection.id, serial=0, created_at=context.now(), memory={}
            )
            session.add(row)
            if found is not None and found.exists is not request.create:  # else the plan says what is wrong
                row.site, row.remote_id = found.site, found.id
        was = _settings(row)
        row.name, row.team_id, row.template_digest = request.name, team_row.id, checked.text.digest
        if not request.create and row.remote_id is not None and not identities.is_known(row):
            identities.let_go(session, row.id)  # what was to be made is not to be made any more
        row.create, row.parameters, row.time_zone = request.create, checked.parameters, checked.time_zone
        row.calendar, row.turning, row.audit = checked.calendar, checked.turning, checked.audit
        row.planned = planned
        if not planned:
            teams.publish(session, team_row.id, context.now())
        if _settings(row) != was:
            row.serial += 1  # plans made from other settings are stale now
        context.done(session, row.id)
    return ProjectView.of(row)


def check(context: Context, request: Request, project: str | None = None) -> None:
    """Whether this project, a new one without an id, could be set up so, as far as our records tell. Writes nothing.
    Raises as `put` does."""
    _connection, team = _named(context, request)
    settled(context, request, team.team, stored(context, project) if project is not None else None)


def _named(context: Context, request: Request) -> tuple[ConnectionRow, TeamView]:
    """The connection and the team that a request names. Raises NotFound where one of them is not there and nothing else
    is wrong with the request, InvalidInput with all that is wrong otherwise."""
    missing: dict[str, NotFound] = {}
    try:
        connection = connections.stored(context, request.connection)
    except NotFound as error:
        missing["connection"] = error
    try:
        team = teams.get(context, request.team)
    except NotFound as error:
        missing["team"] = error
    if not missing:
        return connection, team
    problems = [Problem("project", None, field, one.message, one.fix) for field, one in missing.items()]
    try:
        settled(context, request, None if "team" in missing else team.team, None)
    except InvalidInput as error:
        problems += error.problems
    if len(problems) > 1:
        raise InvalidInput(problems)
    raise next(iter(missing.values()))


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
    found = request.meant or project_identity.meant(context, connection, request.key)
    if found is not None:
        project_identity.settle(context, found.id)
    return found


def there(context: Context, connection: str, key: str) -> tuple[ProjectView | None, Identity | None]:
    """The project of this connection that is active and that a key means, in whichever spelling; and what it means to
    the tracker, None where that cannot be asked. Raises NotFound for the connection, Conflict where the project is set
    up on another one."""
    on = connections.stored(context, connection)
    found = project_identity.meant(context, on, key)
    if found is not None:
        project_identity.settle(context, found.id)
    with context.database.session() as session:
        row = _there(session, on, key, found)
    return ProjectView.of(row) if row is not None else None, found


def _there(session: Session, connection: ConnectionRow, key: str, found: Identity | None) -> ProjectRow | None:
    spelled = found.key if found is not None else key.strip()
    row = _present(session, connection, key) or _same(session, connection, spelled, found)
    if row is not None and row.connection_id != connection.id:
        if not row.planned:
            raise Conflict(TAKEN, *taken_words(key, identities.named(session, row)))
        identities.let_go(session, row.id)  # a plan that nobody applied reserves nothing
        session.flush()
        return None
    return row


def forget_planned(context: Context, before: datetime) -> int:
    """Leave no trace of projects that were only planned before that, and whose plans are gone. Returns how many."""
    bare = ProjectRow.planned.is_(True), ProjectRow.created_at < before
    with context.database.session() as session:
        old = session.scalars(
            select(ProjectRow.id).where(*bare, ProjectRow.id.not_in(select(PlanRow.project_id)))
        ).all()
    return sum(forget(context, project) for project in old)


def forget(context: Context, project_id: str) -> bool:
    """Leave no trace of a project that was to be planned and was not, and of the team that was read for it; False where
    somebody planned it meanwhile, and it stays."""
    bare = [ProjectRow.id.not_in(select(row.project_id)) for row in (PlanRow, RunRow, LoopRow, ItemRow)]
    bare.append(ProjectRow.id.not_in(select(GrantRow.project_id).where(GrantRow.project_id.is_not(None))))
    gone = delete(ProjectRow).where(ProjectRow.id == project_id, *bare)
    with context.database.session() as session:
        found = session.execute(gone.returning(ProjectRow.team_id)).scalars().all()
        for team in found:
            teams.forget(session, team)
    return bool(found)


def _present(session: Session, connection: ConnectionRow, key: str) -> ProjectRow | None:
    """The project of this connection that is active and has this key."""
    goes_on = ProjectRow.connection_id == connection.id, ProjectRow.ended_at.is_(None)
    return session.scalar(select(ProjectRow).where(ProjectRow.key == key, *goes_on))


def _same(session: Session, connection: ConnectionRow, key: str, found: Identity | None) -> ProjectRow | None:
    """The project that continues and is the same one of the tracker, on whichever connection; by the key as the tracker
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


def settled(context: Context, request: Request, team: Team | None, row: ProjectRow | None) -> Settled:
    """What the request comes to for this project, a new one without a row, with this team; None where there is no such
    team, which is a problem already. Raises InvalidInput with everything that is wrong with it."""
    problems: list[Problem] = [*request.unreadable, *_problems_of_names(request)]
    text = request.template
    template = _or_problems(problems, lambda: read_template(text.text, text.source)) if text is not None else None
    if team is not None and template is not None:
        problems += check_team(team, template)
    time = _or_problems(problems, lambda: _working_time(request, team, row))
    if text is None or template is None:
        raise InvalidInput(problems)
    zone, calendar = time or ("UTC", {})
    parameters = _or_problems(problems, lambda: _parameters(context, request, template, zone, row))
    turning = _or_problems(problems, lambda: _turning_said(request, template, row))
    audit = _or_problems(problems, lambda: _audit(request.audit, row, template))
    if problems:
        raise InvalidInput(problems)
    return Settled(text, template, parameters or {}, zone, calendar, turning or {}, audit or {})


def _or_problems(problems: list[Problem], read: Callable[[], _Read]) -> _Read | None:
    """What is read; where that is wrong nothing, and why is among the problems, which are told together."""
    try:
        return read()
    except InvalidInput as error:
        problems += error.problems
        return None


def _problems_of_names(request: Request) -> Iterator[Problem]:
    if not request.name.strip() or len(request.name) > 80:
        yield Problem("project", None, "name", "must be 1 to 80 characters")
    elif len(request.name.splitlines()) > 1:
        yield Problem("project", None, "name", "must be one line", "leave the line breaks out")
    if not request.key.strip():
        yield Problem("project", None, "key", MISSING, "give the key of the tracker's project, like ML")
    for place, text in (("name", request.name), ("key", request.key)):
        if (shown := visible(text)) != text:
            told, fix = f"holds a character that nobody sees: {shown}", "type it anew; copying brought it along"
            yield Problem("project", None, place, told, fix)


def _parameters(
    context: Context, request: Request, template: Template, zone: str, row: ProjectRow | None
) -> dict[str, Any]:
    """The parameters as they are stored: those that an existing project settled stay unless given anew."""
    before = row.parameters if row is not None else {}
    kept = {name: value for name, value in before.items() if name in template.parameters}
    today = context.now().astimezone(ZoneInfo(zone)).date()
    values = settle(template, {**kept, **request.parameters}, today)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


def _turning_said(request: Request, template: Template, row: ProjectRow | None) -> dict[str, Any]:
    """What the project says of how its loop turns, as it is stored."""
    said = {**(row.turning if row is not None else {}), **request.turning}
    turning = _turning(said, template).model_dump(mode="json")
    return {name: value for name, value in turning.items() if name in said}


def _working_time(request: Request, team: Team | None, row: ProjectRow | None) -> tuple[str, dict[str, Any]]:
    """The project's time zone and what else it says of its working time. Raises InvalidInput."""
    said = request.calendar or CalendarSpec()
    asked = request.time_zone
    problems = check_time_zone(asked, "project", "time_zone") if asked is not None else []
    if asked is not None and said.time_zone is not None and said.time_zone != asked:
        message = f'"{said.time_zone}" stands here and "{asked}" is given for the project'
        problems.append(Problem("calendar", None, "time_zone", message, "keep one of the two"))
    if problems:
        raise InvalidInput(problems)
    zone = asked or said.time_zone or (row.time_zone if row is not None else None) or (team and team.zone) or "UTC"
    if request.calendar is None and row is not None:
        spec = row.calendar
    else:
        spec = {name: value for name, value in said.to_json().items() if name != "time_zone"}
    calendar_file.calendar_of(team.calendar if team is not None else None, spec_from_json(spec), zone)
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


def get(context: Context, name: str, *, ask: bool = True, by_name: bool = True) -> ProjectView:
    """The project of that id, or the one with that tracker key that has not ended, capitals or not; where none has it
    here, the one that had that key before, or that has it in the tracker by now, if that is to be asked; else, where
    `by_name` is set, the one that is called so. Raises NotFound, Conflict."""
    with context.database.session() as session:
        found = identities.spelled_alike(session, name)
        if not found and context.sees is None:
            found = identities.spelled_alike(session, ids.whole(session, ProjectRow.id, name, "projects"))
        titled = identities.titled_alike(session, name) if by_name and not found else []
    if context.sees is not None:
        found = [row for row in found or titled if row.id in context.sees]
        if not found:
            raise NotFound("project", name, "Or you may not see it.")
    if not found and (renamed := project_identity.find(context, name, ask=ask)) is not None:
        return ProjectView.of(renamed)
    found = found or titled
    found = [row for row in found if not row.planned] or found
    if not found:
        raise _missing(context, name)
    if len(found) > 1:
        raise _several(context, name, found)
    return ProjectView.of(found[0])


def stored(context: Context, project_id: str) -> ProjectRow:
    """The project as it is stored: for who is to reach its tracker, or plans for it."""
    with context.database.session() as session:
        return session.get_one(ProjectRow, project_id)


def connection_of(context: Context, project_id: str) -> str:
    """The name of the project's connection, also of one that was removed."""
    with context.database.session() as session:
        project = session.get_one(ProjectRow, project_id)
        return session.get_one(ConnectionRow, project.connection_id).name


def up_to_date(context: Context, project_id: str) -> ProjectView:
    """The project under the key that the tracker has for it now; as it is known where that cannot be asked."""
    return ProjectView.of(project_identity.up_to_date(context, stored(context, project_id)))


def _several(context: Context, name: str, found: Sequence[ProjectRow]) -> Conflict:
    """That a key does not say which project is meant, and how it says so again."""
    with context.database.session() as session:
        named = ", ".join(f"{row.id} on {session.get_one(ConnectionRow, row.connection_id).name!r}" for row in found)
    fix = "Name one by its id. To drop one, without a change in the tracker: phaseloop projects remove ID"
    what = "have the key" if all(row.key.casefold() == name.casefold() for row in found) else "are called"
    return Conflict("ambiguous", f"Several projects {what} {name!r}: {named}.", fix)


def _missing(context: Context, name: str) -> NotFound:
    """That no project goes by a name: one that has ended is told, one that is called alike is proposed."""
    rows = listed(context)
    ended = [row for row in rows if row.ended_at is not None and row.key.casefold() == name.strip().casefold()]
    if ended:
        return NotFound("project", name, f"The one of that key has ended: phaseloop history {typed(ended[-1].key)}")
    known = [word for row in rows if row.ended_at is None for word in (row.key, row.name)]
    return NotFound("project", name, "`phaseloop status` names those there are.", known)


def past_or_present(context: Context, name: str, *, ask: bool = True) -> ProjectView:
    """The project as `get` finds it; where no active project has that key, the last that did and has ended. Raises
    NotFound, Conflict."""
    try:
        return get(context, name, ask=ask)
    except NotFound:
        plain = name.strip().casefold()
        past = [row for row in listed(context) if row.ended_at is not None]
        ended = [row for row in past if row.key.casefold() == plain]
        ended = ended or [row for row in past if row.name.casefold() == plain]
        if not ended:
            raise
        return max(ended, key=lambda row: row.ended_at or row.created_at)


def going_on(context: Context, name: str, *, by_name: bool = True) -> ProjectView:
    """The project, as `get` finds it, if it has not ended. Raises NotFound, Conflict."""
    row = get(context, name, by_name=by_name)
    if row.ended_at is not None:
        raise has_ended(row)
    return row


def has_ended(row: Kept) -> Conflict:
    """That nothing more can be planned or applied for this project, and what to do."""
    return Conflict(
        "project-ended",
        f"The project {row.key} ({row.id}) has ended.",
        "Its key can be used anew: set a new project up with it.",
    )


def listed(context: Context) -> list[ProjectView]:
    """All projects, oldest first; none that is only planned."""
    return _all(context, planned=False)


def keys(context: Context) -> dict[str, str]:
    """The keys of all projects by id, those that have ended included: what people call them by."""
    with context.database.session() as session:
        query = select(ProjectRow.id, ProjectRow.key).where(ProjectRow.planned.is_(False))
        return dict(session.execute(query).all())


def active(context: Context, among: Collection[str] | None = None) -> list[ProjectView]:
    """The projects that have not ended, were set up and may be seen, oldest first: all, or those with these ids."""
    query = select(ProjectRow).where(ProjectRow.planned.is_(False), ProjectRow.ended_at.is_(None))
    for ids_ in (among, context.sees):
        if ids_ is not None:
            query = query.where(ProjectRow.id.in_(sorted(ids_)))
    with context.database.session() as session:
        rows = session.scalars(query.order_by(ProjectRow.created_at, ProjectRow.id))
        return [ProjectView.of(row) for row in rows]


def keys_of(context: Context, project_ids: Collection[str]) -> dict[str, str]:
    """What people call these projects, by id: their keys, also of those that have ended. Who is none is not in it."""
    if not project_ids:
        return {}
    query = select(ProjectRow.id, ProjectRow.key).where(ProjectRow.id.in_(sorted(set(project_ids))))
    with context.database.session() as session:
        return dict(session.execute(query).all())


def some(context: Context, project_ids: Collection[str]) -> dict[str, ProjectView]:
    """These projects by id, also those that have ended or were only planned; of those that may be seen."""
    wanted = set(project_ids) if context.sees is None else set(project_ids) & context.sees
    if not wanted:
        return {}
    with context.database.session() as session:
        rows = session.scalars(select(ProjectRow).where(ProjectRow.id.in_(sorted(wanted))))
        return {row.id: ProjectView.of(row) for row in rows}


def only_planned(context: Context) -> list[ProjectView]:
    """Those that have a plan, none of which was applied yet, oldest first."""
    return [row for row in _all(context, planned=True) if row.ended_at is None]


def _all(context: Context, *, planned: bool) -> list[ProjectView]:
    query = select(ProjectRow).where(ProjectRow.planned.is_(planned))
    with context.database.session() as session:
        rows = session.scalars(query.order_by(ProjectRow.created_at, ProjectRow.id))
        return [ProjectView.of(row) for row in rows]


def template_text(context: Context, row: ProjectView) -> TemplateText:
    """The template as the project has kept it."""
    return template_kept(context, row.template_digest)


def template_kept(context: Context, digest: str) -> TemplateText:
    """The template of that digest, as it was kept for a project."""
    with context.database.session() as session:
        kept = session.get_one(TemplateRow, digest)
    return TemplateText(text=kept.text, source=kept.source, digest=kept.digest)


def page(context: Context, limit: int, after: str | None = None) -> list[ProjectView]:
    """Projects, oldest first: at most `limit`, those after the one with the id `after`; none that is only planned.
    Raises NotFound."""
    query = (
        select(ProjectRow)
        .where(ProjectRow.planned.is_(False))
        .order_by(ProjectRow.created_at, ProjectRow.id)
        .limit(limit)
    )
    if context.sees is not None:
        query = query.where(ProjectRow.id.in_(context.sees))
    with context.database.session() as session:
        if after is not None:
            last = session.get(ProjectRow, after)
            if last is None:
                raise NotFound("project", after)
            query = query.where(
                (ProjectRow.created_at > last.created_at)
                | ((ProjectRow.created_at == last.created_at) & (ProjectRow.id > last.id))
            )
        return [ProjectView.of(row) for row in session.scalars(query)]
