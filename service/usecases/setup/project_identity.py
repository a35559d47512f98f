"""Finding a project in its tracker by what nobody can rename, and keeping which one it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from connectors.errors import SeveralMeant, TrackerError
from connectors.port import Tracker
from connectors.registry import InvalidSettings, kind_of
from connectors.values import Finding, Identity, Place, ProjectSpec
from service.context import Context
from service.domain.commands import typed
from service.domain.plan import identity_findings
from service.store import identities
from service.store.tables import ConnectionRow, ProjectRow
from service.store_faults import KeyProblem
from service.usecases.errors import Conflict

PROJECT_ID = "prj_"
"""How the ids of our projects begin."""


@dataclass(frozen=True, slots=True)
class Located:
    """Where a project is in the tracker, by the key that it has there now. Without a place, `findings` say so where it
    is more than that it is not to be seen. `news` is what is worth telling of where it is; `put_away` says so where it
    is there and people closed it: it can be opened again."""

    spec: ProjectSpec
    place: Place | None
    findings: tuple[Finding, ...] = ()
    news: tuple[Finding, ...] = ()
    put_away: tuple[Finding, ...] = ()


def meant(context: Context, connection: ConnectionRow, key: str) -> Identity | None:
    """Which project a key means, as the tracker tells; None where it cannot be asked now: then it is asked when the
    project is planned. Raises Conflict where it means several."""
    return _identified(context, connection, ProjectSpec(uid="", key=key, name=key))


def _identified(context: Context, connection: ConnectionRow, spec: ProjectSpec) -> Identity | None:
    try:
        with context.tracker(connection) as tracker:
            return tracker.identify(spec)
    except SeveralMeant as error:
        raise Conflict("ambiguous", error.message, error.fix) from error
    except (TrackerError, KeyProblem, InvalidSettings):
        return None


MOST_ASKED = 3
"""As many connections are asked for a name that nobody here knows: it may be misspelt as well, and who typed it waits.
Where there are more, a key that is new in the tracker is known once `status` or a plan came by."""


def find(context: Context, name: str, *, ask: bool = True) -> ProjectRow | None:
    """The project of ours that a name means which is not its id, nor its key as we know it: a key that it had before it
    was renamed in the tracker, or the one that it has there now, as far as the tracker can be asked and is to be.
    Raises Conflict where the tracker has several of that name."""
    if name.startswith(PROJECT_ID) or not name.strip():
        return None
    with context.database.session() as session:
        former, connections = identities.formerly_called(session, name), identities.connections_at_work(session)
    ask = ask and len(connections) <= MOST_ASKED
    for connection in connections:
        had_it = [row for row in former if row.connection_id == connection.id]
        found = meant(context, connection, name) if ask else None
        if found is None or not found.exists:
            if len(had_it) == 1:
                return had_it[0]
        elif (row := known_as(context, connection, found)) is not None:
            return up_to_date(context, row)
    return None


def make_sure_of(context: Context, project_id: str, name: str) -> None:
    """Look once more which project is meant that was found by this name of it, before something is planned or done for
    it. Raises Conflict where people have renamed it in the tracker since, and another project there goes by that name
    now: nobody can tell which of them is meant. Where the tracker cannot be asked, it is the one that is known."""
    with context.database.session() as session:
        row = session.get_one(ProjectRow, project_id)
        if name == row.id or not identities.is_known(row) or row.ended_at is not None:
            return
        connection = session.get_one(ConnectionRow, row.connection_id)
    try:
        found = meant(context, connection, name)
    except Conflict:
        title = str((row.names.get("told") or {}).get("title") or row.name)
        if plain(title) != plain(name):
            return  # it was made for that key, and never called so
        raise
    if found is None or not found.exists or (found.site, found.id) == (row.site, row.remote_id):
        return
    spec = ProjectSpec(uid=row.id, key=row.key, name=row.name, id=row.remote_id or "", memory=row.memory)
    ours = _identified(context, connection, spec)
    if ours is None or not ours.exists or found.site != row.site:
        return  # that another one is in its place is for the plan to tell
    message = (
        f"{name!r} was the name of the project {ours.key} ({ours.url}), and another one goes by it now: {found.url}."
    )
    fix = f"Say which one is meant: {typed(ours.key)} (or {row.id}), or the other one by its address."
    raise Conflict("ambiguous", message, fix)


def plain(name: str) -> str:
    """A name with its capitals and white space aside."""
    return " ".join(name.split()).casefold()


def up_to_date(context: Context, row: ProjectRow) -> ProjectRow:
    """The project under the key that the tracker has for it now; as it is known where that cannot be asked."""
    if not identities.is_known(row) or row.ended_at is not None:
        return row
    with context.database.session() as session:
        connection = session.get_one(ConnectionRow, row.connection_id)
    spec = ProjectSpec(uid=row.id, key=row.key, name=row.name, id=row.remote_id or "", memory=row.memory)
    now = _identified(context, connection, spec)
    if now is None or (now.site, now.id) != (row.site, row.remote_id):
        return row
    with context.database.session() as session:
        identities.spell(session, row.id, now.key)
        identities.remember(session, row.id, now.memory)
        return session.get_one(ProjectRow, row.id)


def settle(context: Context, remote_id: str) -> None:
    """Learn the site of projects that an earlier version set up, as far as they may be the one of this id."""
    with context.database.session() as session:
        rows = identities.unsettled(session, remote_id)
        of = {row.id: session.get_one(ConnectionRow, row.connection_id) for row in rows}
    for row in rows:
        found = meant(context, of[row.id], remote_id)
        if found is not None and found.exists and found.id == remote_id:
            with context.database.session() as session:
                identities.claim(session, row.id, found.site, found.id)


def known_as(context: Context, connection: ConnectionRow, found: Identity) -> ProjectRow | None:
    """The project of ours on this connection that is this one of the tracker, whatever we call it."""
    settle(context, found.id)
    with context.database.session() as session:
        row = identities.holder(session, found.site, found.id)
    return row if row is not None and row.connection_id == connection.id else None


def locate(context: Context, tracker: Tracker, project: ProjectRow, spec: ProjectSpec) -> Located:
    """Find a project in its tracker: by its id, once that is known. What is new of it is kept: which one it is, how it
    is called now, where it is. Raises TrackerError."""
    place = tracker.locate(spec)
    if place is None:
        findings = _replaced(context, tracker, project, spec) or _reserved(context, tracker, project, spec)
        return Located(spec, None, findings, put_away=() if findings else _put_away(tracker, spec))
    if project.site is not None and place.site != project.site:
        return Located(spec, None, (identity_findings.elsewhere(project.key, project.site, place.site),))
    if project.create and project.url is None and not identities.is_known(project):
        return Located(spec, place)  # somebody else's: it was to be made
    with context.database.session() as session:
        other = identities.claim(session, project.id, place.site, place.ref.id)
        if other is not None:
            return Located(spec, None, (identity_findings.taken(project.key, other),))
        row = session.get_one(ProjectRow, project.id)
        if place.ref.key != row.key:
            identities.spell(session, project.id, place.ref.key)
        if row.url is not None:
            row.url = place.board_url or place.ref.url
        told = dict(row.names.get("told") or {})
    project.site, project.remote_id, project.key, project.url = row.site, row.remote_id, row.key, row.url
    project.names = row.names
    remember(context, tracker, project.id, place)  # by the name that a board had last, a key follows the next one
    news = tuple(identity_findings.renamed(told, row.key, place.title))
    return Located(replace(spec, id=place.ref.id, key=row.key), place, news=news)


def _replaced(context: Context, tracker: Tracker, project: ProjectRow, spec: ProjectSpec) -> tuple[Finding, ...]:
    """That another project goes by the key of one that is gone."""
    if not spec.id:
        return ()
    now = tracker.identify(replace(spec, id=""))
    if not now.exists or (now.site, now.id) == (project.site, spec.id):
        return ()
    with context.database.session() as session:
        kind = kind_of(session.get_one(ConnectionRow, project.connection_id).kind)
    return (identity_findings.replaced(project.key, now.url, kind.trash),)


def _put_away(tracker: Tracker, spec: ProjectSpec) -> tuple[Finding, ...]:
    """That a project which was built in is closed, not gone."""
    if not spec.id:
        return ()
    found = tracker.check(replace(spec, create=False), None, ())
    return tuple(one for one in found if one.code == identity_findings.CLOSED)


def _reserved(context: Context, tracker: Tracker, project: ProjectRow, spec: ProjectSpec) -> tuple[Finding, ...]:
    """That the project which is to be made is to be made for another one of ours already; from now on for this one."""
    if not spec.create or project.remote_id is not None:
        return ()
    wish = tracker.identify(spec)
    if wish.exists:
        return ()
    with context.database.session() as session:
        other = identities.claim(session, project.id, wish.site, wish.id)
    return (identity_findings.taken(project.key, other),) if other is not None else ()


def remember(context: Context, tracker: Tracker, project_id: str, place: Place | None) -> None:
    """Keep what the connector has come to know of what is the project's own."""
    learned = tracker.learned(place) if place is not None else {}
    if any(learned.values()):
        with context.database.session() as session:
            identities.remember(session, project_id, learned)
