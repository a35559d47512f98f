"""Who people are at the sign-in provider, where an administrator says so, and whether that provider can be used."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from connectors.oidc import Noted
from service.context import Context
from service.domain.access.identity import Kind, Origin
from service.domain.problems import InvalidInput, Problem
from service.store.access_tables import OidcIdentityRow
from service.store.secrets import new_id
from service.usecases.access import grants, people, provider_sign_in, sessions
from service.usecases.errors import Conflict

SUBJECT_LIMIT = 255


def link(context: Context, login: str, subject: str) -> None:
    """Have whoever has this subject at the provider sign in as this person. Repeatable. Raises InvalidInput, NotFound;
    Conflict where the subject is somebody else's, or the person is somebody else there."""
    issuer = provider_sign_in.required(context).settings.issuer
    subject = subject.strip()
    if not subject or len(subject) > SUBJECT_LIMIT or not subject.isprintable():
        message = f"must be one line of 1 to {SUBJECT_LIMIT} characters"
        raise InvalidInput([Problem("person", None, "subject", message, "the page that refuses them names it")])
    person = people.get(context, login).row
    with context.database.session() as session:
        people.alone(session)
        here = session.scalar(select(OidcIdentityRow).where(OidcIdentityRow.person_id == person.id))
        theirs = select(OidcIdentityRow).where(OidcIdentityRow.issuer == issuer, OidcIdentityRow.subject == subject)
        there = session.scalar(theirs)
        if here is not None and here is there:
            return
        if here is not None or there is not None:
            raise Conflict(
                "conflict",
                f"{person.login} is somebody else at the provider, or the subject is another person's.",
                "Take that apart first: phaseloop oidc unlink LOGIN",
            )
        made = context.now()
        row = OidcIdentityRow(id=new_id("idn"), person_id=person.id, issuer=issuer, subject=subject, created_at=made)
        session.add(row)


def unlink(context: Context, login: str) -> bool:
    """Have nobody sign in as this person with the provider; the roles that its groups gave and their sessions end.
    Whether anybody could. Raises NotFound."""
    person = people.get(context, login).row
    with context.database.session() as session:
        mine = OidcIdentityRow.person_id == person.id
        found = session.scalar(select(OidcIdentityRow.id).where(mine)) is not None
        session.execute(delete(OidcIdentityRow).where(mine))
        grants.replace_with(session, Kind.PERSON, person.id, (), Origin.PROVIDER, context.now())
    sessions.revoke_all(context, person.id)
    return found


def check(context: Context) -> list[Noted]:
    """Ask the provider, and say what is as it has to be and what is not, and what it has to be told of us. Raises
    Conflict where none is set."""
    provider = provider_sign_in.required(context)
    ours = (
        Noted(f"Redirect URI to register at the provider: {provider_sign_in.redirect_uri(context)}"),
        Noted(f"Where it sends people after they signed out: {provider_sign_in.public(context, '/sign-in')}"),
    )
    return [*provider.check(), *ours]


def noted_json(noted: Noted) -> dict[str, Any]:
    """Something that a check found, as plain values."""
    return {"message": noted.message, "fix": noted.fix, "wrong": noted.wrong}
