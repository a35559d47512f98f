"""Connections to trackers: added with their credential, which is written and never shown again; checked in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as but
from typing import Any

from sqlalchemy import or_, select

from connectors import registry
from connectors.errors import CredentialsRefused, TrackerError
from connectors.tracker import Account, Finding, Place, ProjectSpec, Severity, Tracker
from service.context import Context
from service.domain import mapping
from service.domain.problems import InvalidInput, Problem
from service.store import identities
from service.store.secrets import new_id
from service.store.tables import ConnectionRow, ProjectRow
from service.usecases.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a check of a connection found: who we are there, the project that was asked for, and every finding."""

    account: Account | None
    place: Place | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing stands in the way."""
        return not _stops(self.findings)


def put(
    context: Context, name: str, kind: str, settings: Mapping[str, Any], secret: str, *, replace: bool = False
) -> ConnectionRow:
    """Add a connection, or with `replace` write its settings and credential anew. Nothing is sent to the tracker.

    Raises InvalidInput with every problem of kind, settings and credential; Conflict if the name is taken, or if
    another kind of tracker would take the place of one that has projects.
    """
    checked = _validated(name, kind, settings, secret)
    with context.database.session() as session:
        row = session.scalar(select(ConnectionRow).where(ConnectionRow.name == name))
        if row is not None and not replace:
            raise Conflict(
                "name-taken",
                f"There is a connection {name!r} already.",
                "Choose another name, or replace it (phaseloop connections add --replace; PUT over REST).",
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
        context.done(session, row.id)
    return row


def _validated(name: str, kind: str, settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    problems = []
    if not name or len(name) > 80 or not name.isprintable():
        problems.append(Problem("connection", None, "name", "must be 1 to 80 printable characters"))
    try:
        checked = registry.validated(kind, settings, secret)
    except registry.InvalidSettings as error:
        problems += [Problem("connection", None, path, message) for path, message in error.problems]
        checked = {}
    if problems:
        raise InvalidInput(problems)
    return checked


def get(context: Context, name: str) -> ConnectionRow:
    """The connection of that id or name. Raises NotFound."""
    with context.database.session() as session:
        row = session.scalar(select(ConnectionRow).where(or_(ConnectionRow.id == name, ConnectionRow.name == name)))
    if row is None:
        raise NotFound("connection", name, "Add one with `phaseloop connections add`.")
    return row


def listed(context: Context) -> list[ConnectionRow]:
    """All connections by name."""
    with context.database.session() as session:
        return list(session.scalars(select(ConnectionRow).order_by(ConnectionRow.name)))


def check(context: Context, name: str, project_key: str | None = None, *, create: bool = False) -> Preflight:
    """Look, without writing: who we are, whether the project is there, what would be refused and who can mend it."""
    row = get(context, name)
    account, place = None, None
    findings: list[Finding] = []
    try:
        with context.tracker(row) as tracker:
            account, refused = _who(tracker)
            findings += tracker.access()
            if refused is not None:
                raise refused
            if project_key and not _stops(findings):
                spec = but(spec_of(context, tracker, row, project_key), create=create)
                place = tracker.locate(spec)
                findings += [one for one in tracker.check(spec, place, ()) if one not in findings]
                findings += mapping.findings(row.name, place) if place is not None else []
    except TrackerError as error:
        if not _stops(findings):  # which otherwise say the reason
            findings.append(Finding(Severity.ERROR, "unreachable", error.message, error.fix, row.name))
    return Preflight(account, place, tuple(findings))


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
