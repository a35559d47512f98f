"""Which project of which site each project of ours is; no two active ones are the same."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.values import UNMADE, Memory
from service.domain.plan.identity_findings import Holder
from service.store.tables import ConnectionRow, ProjectRow


def is_known(row: ProjectRow) -> bool:
    """Whether the tracker has told which of its projects this is; one that is to be made is none yet."""
    return row.remote_id is not None and not row.remote_id.startswith(UNMADE)


def holder(session: Session, site: str, remote_id: str, but: str = "") -> ProjectRow | None:
    """The active project that is this one of this site; another one than `but`."""
    same = ProjectRow.site == site, ProjectRow.remote_id == remote_id, ProjectRow.ended_at.is_(None)
    return session.scalar(select(ProjectRow).where(*same, ProjectRow.id != but))


def named(session: Session, row: ProjectRow) -> Holder:
    """A project as it is named to people."""
    return Holder(row.id, row.key, session.get_one(ConnectionRow, row.connection_id).name)


def claim(session: Session, project_id: str, site: str, remote_id: str) -> Holder | None:
    """Record that this project of ours is that one of that site; None if it is now. Where another one is, that stays,
    and is returned: of two that ask at once one is refused."""
    row = session.get_one(ProjectRow, project_id)
    if (row.site, row.remote_id) == (site, remote_id):
        return None
    try:
        with session.begin_nested():
            row.site, row.remote_id = site, remote_id
            session.flush()
    except IntegrityError:
        session.refresh(row)
        other = holder(session, site, remote_id, but=project_id)
        if other is None:
            raise
        return named(session, other)
    return None


def let_go(session: Session, project_id: str) -> None:
    """Record that this project of ours is none of the tracker's any more."""
    row = session.get_one(ProjectRow, project_id)
    row.site, row.remote_id, row.memory = None, None, {}


def spell(session: Session, project_id: str, key: str) -> bool:
    """Call a project by the key that it has now, and remember the one that it had; False, and nothing is changed, where
    another one of its connection is still called so."""
    row = session.get_one(ProjectRow, project_id)
    same = ProjectRow.connection_id == row.connection_id, ProjectRow.key == key, ProjectRow.ended_at.is_(None)
    if session.scalar(select(ProjectRow.id).where(*same, ProjectRow.id != project_id)) is not None:
        return False
    if row.key != key:
        former = [one for one in row.names.get("former", ()) if one not in (key, row.key)]
        row.names = {"told": {"key": row.key}, **row.names, "former": [*former, row.key]}
        row.key = key
    return True


def told(session: Session, project_id: str, key: str, title: str) -> None:
    """Record by which key and title people were told of a project: what it is called otherwise from now on is news."""
    row = session.get_one(ProjectRow, project_id)
    known = {"key": key, "title": title}
    if row.names.get("told") != known:
        row.names = {**row.names, "told": known}


def remember(session: Session, project_id: str, learned: Memory) -> None:
    """Keep by which ids a connector knows what is the project's own: entries that are new, None for one no more."""
    if not any(learned.values()):
        return
    row = session.get_one(ProjectRow, project_id, with_for_update=True)
    memory = {name: dict(entries) for name, entries in row.memory.items()}
    for name, entries in learned.items():
        kept = {**memory.get(name, {}), **entries}
        memory[name] = {key: value for key, value in kept.items() if value is not None}
    row.memory = memory


def on(session: Session, connection_id: str, site: str, remote_id: str, names: Collection[str]) -> list[ProjectRow]:
    """The active projects of a connection that are this one of the tracker; those of which that is not known yet by
    one of these names."""
    known = (ProjectRow.remote_id == remote_id) & (ProjectRow.site.is_(None) | (ProjectRow.site == site))
    called = ProjectRow.remote_id.is_(None) & func.lower(ProjectRow.key).in_({name.strip().lower() for name in names})
    here = ProjectRow.connection_id == connection_id, ProjectRow.ended_at.is_(None)
    return list(session.scalars(select(ProjectRow).where(*here, known | called).order_by(called)))


def unsettled(session: Session, remote_id: str) -> list[ProjectRow]:
    """The active projects that have this id on a site that is not known yet: those of an earlier version."""
    same = ProjectRow.remote_id == remote_id, ProjectRow.site.is_(None), ProjectRow.ended_at.is_(None)
    return list(session.scalars(select(ProjectRow).where(*same)))


def spelled_alike(session: Session, name: str) -> list[ProjectRow]:
    """The projects of that id, or the active ones that have that key; where none has, those whose key differs in
    case."""
    goes_on = ProjectRow.ended_at.is_(None)
    exact = or_(ProjectRow.id == name, (ProjectRow.key == name) & goes_on)
    if found := list(session.scalars(select(ProjectRow).where(exact))):
        return found
    plain = name.strip().casefold()
    return [row for row in session.scalars(select(ProjectRow).where(goes_on)) if row.key.casefold() == plain]


def titled_alike(session: Session, name: str) -> list[ProjectRow]:
    """The active projects of that name, capitals or not: for who names one as people do, where no key is that."""
    plain = " ".join(name.split()).casefold()
    found = session.scalars(select(ProjectRow).where(ProjectRow.ended_at.is_(None)).order_by(ProjectRow.id))
    return [row for row in found if plain and " ".join(row.name.split()).casefold() == plain]


def formerly_called(session: Session, name: str) -> list[ProjectRow]:
    """The active projects that had that key before they were renamed in the tracker, capitals or not."""
    plain = name.strip().casefold()
    rows = session.scalars(select(ProjectRow).where(ProjectRow.ended_at.is_(None)))
    return [row for row in rows if plain in {str(one).casefold() for one in row.names.get("former", ())}]


def connections_at_work(session: Session) -> list[ConnectionRow]:
    """The connections that have projects that are active and are known to be there."""
    of = select(ProjectRow.connection_id).where(ProjectRow.ended_at.is_(None), ProjectRow.remote_id.is_not(None))
    query = select(ConnectionRow).where(ConnectionRow.id.in_(of)).order_by(ConnectionRow.created_at, ConnectionRow.id)
    return list(session.scalars(query))
