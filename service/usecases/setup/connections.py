"""Connections to trackers: added with their credential, which is written and never shown again; checked in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as but
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from connectors import registry
from connectors.errors import CredentialsRefused, TrackerError
from connectors.port import Tracker
from connectors.values import Account, Finding, Place, ProjectSpec, Severity
from service.context import Context
from service.domain.commands import typed
from service.domain.plan import mapping_findings
from service.domain.plan.plan_json import finding_to_json
from service.domain.problems import InvalidInput, Problem
from service.references import ReferenceProblem
from service.store import connection_checks, hook_secrets, identities
from service.store.hook_tables import HookRow, TriggerRow
from service.store.secrets import new_id
from service.store.tables import REMOVED, ConnectionCheckRow, ConnectionRow, MappingRow, ProjectRow
from service.usecases import ids
from service.usecases.errors import Conflict, NotFound
from service.views.setup import ConnectionCheck, ConnectionView


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a check of a connection found: who we are there, the project that was asked for, and every finding."""

    connection: ConnectionView
    account: Account | None
    place: Place | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing blocks it."""
        return not _stops(self.findings)

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        account, place = self.account, self.place
        return {
            "connection": self.connection.name,
            "ok": self.ok,
            "account": account and {"id": account.id, "name": account.name, "email": account.email},
            "project": place
            and {
                "key": place.ref.key,
                "url": place.ref.url,
                "board_url": place.board_url,
                "iterations": place.capabilities.iterations,
                "points": place.capabilities.points,
                "links": place.capabilities.links,
            },
            "mapping": [mapping_findings.entry_json(one) for one in place.mapping] if place else [],
            "findings": [finding_to_json(finding) for finding in self.findings],
        }


_ADD = "Add one with `phaseloop connections add`."


def put(
    context: Context, name: str, kind: str, settings: Mapping[str, Any], secret: str, *, replace: bool = False
) -> ConnectionView:
    """Add a connection, or with `replace` write its settings and credential anew. Nothing is sent to the tracker. The
    credential may be a reference (`service.references`), which is followed at each use.

    Raises InvalidInput with every problem of kind, settings and credential; Conflict if the name is taken, or if
    another kind of tracker would take the place of one that has projects.
    """
    checked = _validated(context, name, kind, settings, secret.strip())
    with context.database.session() as session:
        row = session.scalar(select(ConnectionRow).where(ConnectionRow.name == name))
        if row is not None and not replace:
            raise Conflict(
                "name-taken",
                f"There is a connection {name!r} already.",
                f"Choose another name, or replace it: phaseloop connections add {typed(name)} --replace",
            )
        if row is None:
            row = ConnectionRow(id=new_id("con"), name=name, created_at=context.now())
            session.add(row)
        elif row.kind != kind and session.scalar(select(ProjectRow.id).where(ProjectRow.connection_id == row.id)):
            raise Conflict(
                "kind-differs",
                f"The connection {name!r} has projects, and they are in {row.kind}, not in {kind}.",
                "Add the other tracker under another name.",
            )
        row.kind, row.settings, row.secret = kind, checked, context.vault.seal(secret.strip())
        connection_checks.outdated(session, row.id)
        context.done(session, row.id)
    return ConnectionView.of(row)


def _validated(context: Context, name: str, kind: str, settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    problems = []
    if not name or len(name) > 80 or not name.isprintable():
        problems.append(Problem("connection", None, "name", "must be 1 to 80 printable characters"))
    try:
        secret = context.vault.resolved(secret)
    except ReferenceProblem as error:
        problems.append(Problem("connection", None, "secret", str(error)))
    try:
        checked = registry.validated(kind, settings, secret)
    except registry.InvalidSettings as error:
        problems += [Problem("connection", None, path, message) for path, message in error.problems]
        checked = {}
    if problems:
        raise InvalidInput(problems)
    return checked


def get(context: Context, name: str) -> ConnectionView:
    """The connection of that id or name. Raises NotFound."""
    return ConnectionView.of(stored(context, name))


def kind_title(context: Context, connection_id: str) -> str:
    """What people call the kind of tracker of a connection, also of one that was removed."""
    with context.database.session() as session:
        kind = session.get_one(ConnectionRow, connection_id).kind
    return registry.KINDS[kind].title if kind in registry.KINDS else kind


def stored(context: Context, name: str) -> ConnectionRow:
    """As `get`, with the credential: for who is to reach the tracker. Raises NotFound."""
    with context.database.session() as session:
        row = session.scalar(select(ConnectionRow).where(or_(ConnectionRow.id == name, ConnectionRow.name == name)))
        row = row or session.get(ConnectionRow, ids.whole(session, ConnectionRow.id, name, "connections"))
        if row is None or row.removed:
            known = session.scalars(select(ConnectionRow.name).where(ConnectionRow.secret != REMOVED)).all()
            fix = "`phaseloop connections list` names those there are." if known else _ADD
            raise NotFound("connection", name, fix, known)
    return row


def listed(context: Context) -> list[ConnectionView]:
    """All connections by name."""
    with context.database.session() as session:
        query = select(ConnectionRow).where(ConnectionRow.secret != REMOVED).order_by(ConnectionRow.name)
        return [ConnectionView.of(row) for row in session.scalars(query)]


def remove(context: Context, name: str) -> str:
    """Remove a connection with its credential, its webhook's secrets and what was chosen for its projects; its id.
    Nothing is sent to the tracker. Where projects that have ended were built with it, its kind and address stay, for
    these to be read, and its name is free.

    Raises NotFound; Conflict where a project that has not ended, or a trigger, uses it.
    """
    number = get(context, name).id
    with context.database.session() as session:
        row = session.get_one(ConnectionRow, number)
        keys = session.scalars(_using(number, ended=False).order_by(ProjectRow.created_at)).all()
        if keys:
            message = f"The connection {row.name!r} is used by {', '.join(keys)}."
            raise Conflict("connection-in-use", message, "End these first: phaseloop projects remove PROJECT")
        bodies = session.execute(select(TriggerRow.name, TriggerRow.body).order_by(TriggerRow.name)).all()
        if firing := [one for one, body in bodies if is_named(body, row)]:
            message = f"The connection {row.name!r} is used by the trigger {', '.join(firing)}."
            raise Conflict("connection-in-use", message, "Remove that first, or have it name another connection.")
        _forget(session, row)
        context.done(session, number)
    return number


def _using(number: str, *, ended: bool) -> Select[str]:
    """The keys of the projects on a connection that have ended, or of those that have not."""
    over = ProjectRow.ended_at.is_not(None) if ended else ProjectRow.ended_at.is_(None)
    return select(ProjectRow.key).where(ProjectRow.connection_id == number, over)


def is_named(body: Mapping[str, Any], row: ConnectionRow | ConnectionView) -> bool:
    """Whether a trigger names the connection: as its sender, or as where it sets a project up."""
    return {body.get("connection"), (body.get("with") or {}).get("connection")} & {row.id, row.name} != set()


def _forget(session: Session, row: ConnectionRow) -> None:
    hook_secrets.remove(session, row.id)
    connection_checks.remove(session, row.id)
    if (hook := session.get(HookRow, row.id)) is not None:
        session.delete(hook)
    for kept in session.scalars(select(MappingRow).where(MappingRow.connection_id == row.id)):
        session.delete(kept)
    session.flush()
    if session.scalar(_using(row.id, ended=True).limit(1)) is None:
        session.delete(row)
    else:
        row.name, row.secret = row.id, REMOVED


def check(context: Context, name: str, project_key: str | None = None, *, create: bool = False) -> Preflight:
    """Look, without writing: who we are, whether the project is there, what would be refused and who can fix it. What
    is found of the connection itself is kept until the next check of it."""
    row = stored(context, name)
    found, own = _looked(context, row, project_key, create=create)
    with context.database.session() as session:
        connection_checks.keep(session, row, found.account, own, context.now())
    return found


def last_checks(context: Context) -> dict[str, ConnectionCheck]:
    """What the last check of each connection found, by its id; nothing of one that was not checked with its present
    credential."""
    with context.database.session() as session:
        found = {row.connection_id: ConnectionCheck.of(row) for row in session.scalars(select(ConnectionCheckRow))}
    return {number: one for number, one in found.items() if one is not None}


def preselected(context: Context) -> str:
    """The name of the connection that a new project begins with: the first whose last check did not fail; empty where
    each did, or there is none."""
    checks = last_checks(context)
    return next((one.name for one in listed(context) if one.id not in checks or checks[one.id].ok), "")


class NotReplaced(Exception):
    """The new credential does not work, so the former one stays; `found` says what its check came to."""

    def __init__(self, found: Preflight) -> None:
        super().__init__("the credential was not replaced")
        self.found = found


def change(context: Context, name: str, settings: Mapping[str, Any], secret: str, *, unchecked: bool = False) -> str:
    """Write the settings and the credential of a connection anew, as `put` does, once they are found to work; or
    `unchecked`, whatever their check comes to. Its id. What the check found is kept, with the former account where
    the new one is another.

    Raises NotFound, InvalidInput, and NotReplaced where the check fails and nothing is replaced.
    """
    row = stored(context, name)
    checked = _validated(context, row.name, row.kind, settings, secret.strip())
    if row.id not in last_checks(context):
        check(context, row.id)  # so that it is known whose credential goes
    sealed = context.vault.seal(secret.strip())
    tried = ConnectionRow(id=new_id("con"), name=row.name, kind=row.kind, settings=checked, secret=sealed)
    tried.created_at = row.created_at
    apart = but(context, user=f"tries {tried.id}")
    try:
        found, own = _looked(apart, tried, None, create=False)
    finally:
        context.pool.drop(apart.user)
    if not found.ok and not unchecked:
        raise NotReplaced(found)
    put(context, row.name, row.kind, settings, secret, replace=True)
    with context.database.session() as session:
        connection_checks.keep(session, session.get_one(ConnectionRow, row.id), found.account, own, context.now())
    return row.id


def _looked(
    context: Context, row: ConnectionRow, project_key: str | None, *, create: bool
) -> tuple[Preflight, tuple[Finding, ...]]:
    """What a check finds, and what of it is about the connection itself rather than one project."""
    account, place, reached = None, None, False
    findings: list[Finding] = []
    own: tuple[Finding, ...] = ()
    try:
        with context.tracker(row) as tracker:
            account, refused = _who(tracker)
            findings += tracker.access()
            if refused is not None:
                raise refused
            own, reached = tuple(findings), True
            if create and not project_key and not _stops(findings):
                findings += _to_create(tracker)
            if project_key and not _stops(findings):
                spec = but(spec_of(context, tracker, row, project_key), create=create)
                place = tracker.locate(spec)
                findings += [one for one in tracker.check(spec, place, ()) if one not in findings]
                findings += mapping_findings.findings(row.name, place) if place is not None else []
    except TrackerError as error:
        if not _stops(findings):  # which otherwise say the reason
            findings.append(Finding(Severity.ERROR, "unreachable", error.message, error.fix, row.name))
    return Preflight(ConnectionView.of(row), account, place, tuple(findings)), own if reached else tuple(findings)


_ANY = ProjectSpec(uid="", key="CHECK", name="Check", create=True)
"""A project that is made nowhere: what is found of its key and name is about no project of anybody's."""


def _to_create(tracker: Tracker) -> Iterable[Finding]:
    """What prevents the account from creating projects, whatever they are called."""
    return [one for one in tracker.check(_ANY, None, ()) if not one.code.startswith("project-")]


def _who(tracker: Tracker) -> tuple[Account | None, CredentialsRefused | None]:
    """The account; or why the credential may not even ask for that, which its scopes may be the reason of."""
    try:
        return tracker.whoami(), None
    except CredentialsRefused as error:
        return None, error


def _stops(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def spec_of(context: Context, tracker: Tracker, connection: ConnectionRow, key: str) -> ProjectSpec:
    """The tracker's project of that key, to be looked at: by its id, and where one of ours is built there, with how its
    team works and what is known of it. Scrum where there is none yet."""
    spec = ProjectSpec(uid="", key=key, name=key)
    found = tracker.identify(spec)
    with context.database.session() as session:
        ours = identities.on(session, connection.id, found.site, found.id, {key, found.key})
    if found.exists:
        spec = but(spec, id=found.id)
    if not ours:
        return spec
    return but(spec, method=str(ours[0].parameters.get("method", "scrum")), memory=ours[0].memory)
