"""People who sign in, and the roles they hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.access.identity import Grant, Kind, Origin
from service.domain.access.roles import Role
from service.domain.problems import InvalidInput, Problem
from service.domain.team.calendar import DateRange
from service.store import rows
from service.store.access_tables import OidcIdentityRow, PersonRow, ProviderTokenRow, SessionRow
from service.store.secrets import new_id
from service.usecases.access import grants
from service.usecases.errors import Conflict, NotFound
from service.usecases.setup import projects
from service.views.access import PersonView

LOGIN_LIMIT = 200


@dataclass(frozen=True, slots=True)
class PersonShown:
    """A person, the roles they hold, their subject at the sign-in provider, if they are somebody there, and when a
    session of theirs was used last; None for one who never signed in."""

    row: PersonView
    grants: tuple[Grant, ...]
    subject: str | None = None
    seen: datetime | None = None


def put(
    context: Context,
    login: str,
    role: Role,
    within: Sequence[str] = (),
    expires_at: datetime | None = None,
    period: DateRange | None = None,
) -> PersonShown:
    """Let somebody sign in, with this role in these projects (id or key; none named: in all), until then if it is to
    end, for the iterations in a period if one is given, and no other by hand; what their provider says of them may give
    more. Repeatable; a person who was removed is back. Raises InvalidInput, NotFound, Conflict: the last administrator
    stays one."""
    login = login.strip()
    wrong = []
    if not login or len(login) > LOGIN_LIMIT or not login.isprintable() or " " in login:
        message = f"must be 1 to {LOGIN_LIMIT} characters without blanks"
        wrong.append(Problem("person", None, "login", message, "give the e-mail address or login they go by"))
    wrong += _wrong(context, role, expires_at, period)
    if wrong:
        raise InvalidInput(wrong)
    ids: list[str | None] = list(dict.fromkeys(projects.get(context, one).id for one in within))
    granted = [Grant(role, project, expires_at, period=period) for project in ids or [None]]
    with context.database.session() as session:
        alone(session)
        row = session.scalar(select(PersonRow).where(PersonRow.login == login))
        if row is None:
            row = PersonRow(id=new_id("per"), login=login, created_at=context.now())
            session.add(row)
            session.flush()
        elif not any(_administers(grant) for grant in granted):
            _check_not_last(session, row)
        row.disabled_at = None
        grants.replace_with(session, Kind.PERSON, row.id, granted, Origin.HAND, context.now())
        context.done(session, row.id)
        return _shown(session, row)


def grant(
    context: Context,
    login: str,
    role: Role,
    within: Sequence[str] = (),
    expires_at: datetime | None = None,
    period: DateRange | None = None,
) -> PersonShown:
    """Have somebody hold this role, too, in these projects (id or key; none named: in all), until then if it is to end,
    for the iterations in a period if one is given. Repeatable. Raises InvalidInput, NotFound, Conflict."""
    if wrong := _wrong(context, role, expires_at, period):
        raise InvalidInput(wrong)
    ids: list[str | None] = list(dict.fromkeys(projects.get(context, one).id for one in within))
    with context.database.session() as session:
        alone(session)
        row = _find(session, login)
        if row.disabled_at is not None:
            message = f"{row.login} was removed, and holds no role that counts."
            raise Conflict("conflict", message, "Let them in again first: phaseloop people add LOGIN")
        more = {Grant(role, project, expires_at, period=period) for project in ids or [None]}
        grants.replace_with(session, Kind.PERSON, row.id, {*_by_hand(session, row), *more}, Origin.HAND, context.now())
        context.done(session, row.id)
        return _shown(session, row)


def withdraw(context: Context, login: str, role: Role, project: str | None = None) -> PersonShown:
    """Take a role away that somebody was given by hand, in the project of that id or (None) in all. Repeatable. Raises
    NotFound; Conflict where that would leave no administrator."""
    with context.database.session() as session:
        alone(session)
        row = _find(session, login)
        held = _by_hand(session, row)
        left = {one for one in held if (one.role, one.project) != (role, project)}
        if row.disabled_at is None and not any(_administers(one) for one in left):
            _check_not_last(session, row)
        grants.replace_with(session, Kind.PERSON, row.id, left, Origin.HAND, context.now())
        context.done(session, row.id)
        return _shown(session, row)


def _wrong(context: Context, role: Role, expires_at: datetime | None, period: DateRange | None) -> list[Problem]:
    found = []
    if expires_at is not None and expires_at <= context.now():
        fix = "give a time to come, or none for no end"
        found.append(Problem("person", None, "expires_at", "is over already", fix))
    if period is not None and role is not Role.AUDITOR:
        message = f"is for auditors alone, and this is the role {role.value}"
        found.append(Problem("person", None, "period", message, "leave it out, or give the role auditor"))
    if period is not None and period.last < period.first:
        message = f"ends on {period.last}, before it begins on {period.first}"
        found.append(Problem("person", None, "period", message, "give the first day first"))
    return found


def _by_hand(session: Session, row: PersonRow) -> set[Grant]:
    return {one for one in grants.of(session, Kind.PERSON, row.id) if one.origin is Origin.HAND}


def remove(context: Context, login: str) -> PersonShown:
    """Let somebody sign in no more, and open nothing from their next request on. Repeatable. Raises NotFound; Conflict
    for the last administrator."""
    with context.database.session() as session:
        alone(session)
        row = _find(session, login)
        if row.disabled_at is None:
            _check_not_last(session, row)
            now = row.disabled_at = context.now()
            # They end for good: who is let in again signs in again.
            open_ones = SessionRow.person_id == row.id, SessionRow.revoked_at.is_(None), SessionRow.expires_at > now
            ended = select(SessionRow.id).where(*open_ones)
            session.execute(delete(ProviderTokenRow).where(ProviderTokenRow.id.in_(ended)))
            session.execute(update(SessionRow).where(*open_ones).values(revoked_at=now))
        context.done(session, row.id)
        return _shown(session, row)


def get(context: Context, login: str) -> PersonShown:
    """The person of that login or id. Raises NotFound."""
    with context.database.session() as session:
        return _shown(session, _find(session, login))


def listed(context: Context) -> list[PersonShown]:
    """All people by login, those who were removed included: a fixed number of queries."""
    with context.database.session() as session:
        held = grants.of_all(session, Kind.PERSON)
        subjects = dict(session.execute(select(OidcIdentityRow.person_id, OidcIdentityRow.subject)).all())
        used = select(SessionRow.person_id, func.max(SessionRow.last_used_at)).group_by(SessionRow.person_id)
        seen = dict(session.execute(used).all())
        rows_ = session.scalars(select(PersonRow).order_by(PersonRow.login)).all()
        return [
            PersonShown(PersonView.of(row), held.get(row.id, ()), subjects.get(row.id), seen.get(row.id))
            for row in rows_
        ]


def logins_of(context: Context, person_ids: Collection[str]) -> dict[str, str]:
    """What these people sign in as, by id."""
    if not person_ids:
        return {}
    query = select(PersonRow.id, PersonRow.login).where(PersonRow.id.in_(sorted(set(person_ids))))
    with context.database.session() as session:
        return dict(session.execute(query).all())


def first_administrator(context: Context, login: str) -> PersonShown:
    """The person of that login, an administrator if there was nobody of the name."""
    with context.database.session() as session:
        row = session.scalar(select(PersonRow).where(PersonRow.login == login))
        if row is not None:
            return _shown(session, row)
    return put(context, login, Role.ADMIN)


def person_json(found: PersonShown) -> dict[str, Any]:
    """A person as plain values."""
    row = found.row
    return {
        "id": row.id,
        "login": row.login,
        "grants": [grants.grant_json(one) for one in found.grants],
        "subject": found.subject,
        "seen_at": found.seen.isoformat() if found.seen is not None else None,
        "created_at": row.created_at.isoformat(),
        "disabled_at": row.disabled_at.isoformat() if row.disabled_at is not None else None,
    }


def _find(session: Session, login: str) -> PersonRow:
    row = session.scalar(select(PersonRow).where((PersonRow.login == login.strip()) | (PersonRow.id == login)))
    if row is None:
        raise NotFound("person", login, "`phaseloop people list` names those there are.")
    return row


def _shown(session: Session, row: PersonRow) -> PersonShown:
    subject = session.scalar(select(OidcIdentityRow.subject).where(OidcIdentityRow.person_id == row.id))
    seen = session.scalar(select(func.max(SessionRow.last_used_at)).where(SessionRow.person_id == row.id))
    return PersonShown(PersonView.of(row), grants.of(session, Kind.PERSON, row.id), subject, seen)


def _administers(grant: Grant) -> bool:
    """Whether it makes an administrator for good: not until a day, nor for as long as a provider says so."""
    everywhere = grant.role is Role.ADMIN and grant.project is None
    return everywhere and grant.expires_at is None and grant.origin is Origin.HAND


def alone(session: Session) -> None:
    """Let nobody else change who administers until this unit of work ends: two who remove each other come one after
    the other."""
    rows.keep_others_out(session)
    session.execute(select(PersonRow.id).order_by(PersonRow.id).with_for_update())


def _check_not_last(session: Session, row: PersonRow) -> None:
    """Raise Conflict if this person is the only one who administers for good."""
    people = session.scalars(select(PersonRow.id).where(PersonRow.disabled_at.is_(None))).all()
    those = {one for one in people if any(_administers(grant) for grant in grants.of(session, Kind.PERSON, one))}
    if those == {row.id}:
        raise Conflict(
            "last-administrator",
            f"{row.login} is the last administrator, and somebody has to be.",
            "Make somebody else an administrator first: phaseloop people add LOGIN --role admin",
        )
