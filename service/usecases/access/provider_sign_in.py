"""Signing in with an OpenID Connect provider: authorization code with PKCE, one row and one cookie for each attempt.

Who somebody is is issuer and subject. An e-mail address opens nothing by itself; it only finds the person that an
administrator put in under it, once, where the provider has verified it.
"""

from __future__ import annotations

import base64
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.oidc import Provider
from connectors.oidc_metadata import AnswerRefused, ProviderError
from service.context import Context
from service.domain.access import claims as said
from service.domain.access.identity import SERVICE, Grant, Kind, Origin
from service.store import changes
from service.store.access_tables import ChangeRow, OidcAttemptRow, OidcIdentityRow, PersonRow
from service.store.rows import rows_changed
from service.store.secrets import new_id, new_session, token_hash
from service.store_faults import KeyProblem
from service.usecases.access import grants, people, role_rules, sessions
from service.usecases.errors import Conflict

log = logging.getLogger(__name__)

CALLBACK = "/sign-in/oidc/callback"
"""Where the provider sends people back to, below the service's own address."""

LASTS = timedelta(minutes=10)
"""How long an attempt may take."""
MOST_OPEN = 10_000
"""Attempts that are under way at once: beginning one asks for nothing, so the oldest make room for new ones."""
MOST_LOGGED = 60
"""Refusals a minute that go into the log, which grows for ever; more are in the service's own log alone."""
LONGEST_HINT = 4000
"""Characters of an id token that fit into an address when somebody signs out."""
FOLLOWING_LIMIT = 1000

_THING = "sign-in"


class SignInRefused(Exception):
    """The provider's answer signs nobody in. The text is for whoever sent it, and says nothing of who exists; `reason`
    is for the log."""

    def __init__(self, message: str, reason: str, *, attempt: str = "", subject: str = "") -> None:
        super().__init__(message)
        self.message, self.reason, self.attempt, self.subject = message, reason, attempt, subject


class NoRole(SignInRefused):
    """The provider is sure who it is, and nobody gave them a role here. `asks` is what an administrator needs."""

    def __init__(self, subject: str, asks: Mapping[str, str]) -> None:
        message = "You are known to your provider, but nobody has given you a role in phaseloop."
        super().__init__(message, "they have no role here", subject=subject)
        self.asks = dict(asks)


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt: where the browser goes, and what it keeps meanwhile."""

    id: str
    leads_to: str
    secret: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that began by this attempt: what is to be in its cookie, until when, and where the tab is led."""

    attempt: str
    secret: str
    following: str
    lasts: timedelta


def begin(context: Context, following: str = "") -> Begun:
    """Begin an attempt; afterwards the tab is led to `following`, where that is a page of ours. Raises ProviderError;
    Conflict where no provider is set."""
    provider = required(context)
    attempt, secret, state, now = new_id("sia"), new_session(), new_session(), context.now()
    leads_to = provider.begin(redirect_uri(context), state, _made(secret, "nonce"), _made(secret, "verifier"))
    with context.database.session() as session:
        session.execute(delete(OidcAttemptRow).where(OidcAttemptRow.expires_at <= now))
        _make_room(session)
        session.add(
            OidcAttemptRow(
                id=attempt,
                state=token_hash(state),
                secret=token_hash(secret),
                following=own_page(following),
                created_at=now,
                expires_at=now + LASTS,
            )
        )
    return Begun(attempt, leads_to, secret)


def finish(
    context: Context,
    answer: Mapping[str, str],
    secret_of: Callable[[str], str | None],
    source: str,
    former: str | None = None,
) -> SignedIn:
    """Complete the attempt that the provider's `answer` (state, code or error, iss) is to, once. `secret_of` gives what
    the browser keeps for the attempt of this id; `former` is its session, which ends. Whatever comes of it is logged.
    Raises SignInRefused, NoRole, ProviderError."""
    provider = required(context)
    asking = context.acting_as(replace(SERVICE, source=f"sign-in with {provider.host}, {source}"))
    attempt = ""
    try:
        _check_no_bare_error(answer)
        row, secret = _claimed(asking, answer.get("state", ""), secret_of)
        attempt = row.id
        code = _code(provider, answer)
        nonce, verifier = _made(secret, "nonce"), _made(secret, "verifier")
        now = context.now().timestamp()
        try:
            claims, id_token = provider.finish(code, redirect_uri(context), verifier, nonce, now, _wanted(asking))
        except AnswerRefused as refused:
            raise SignInRefused(_UNPROVED, str(refused)) from None
        kept = _sealed(asking, id_token)
        lasts = timedelta(hours=context.settings.oidc_session_hours)
        begun = _settled(asking, claims, source, former, lasts, kept)
        return SignedIn(row.id, begun, row.following, lasts)
    except SignInRefused as refused:
        refused.attempt = attempt
        _note(asking, provider, refused.reason, attempt, refused.subject)
        raise
    except ProviderError as error:
        _note(asking, provider, error.message, attempt)
        raise


def _sealed(context: Context, id_token: str) -> bytes | None:
    """The id token as it is kept; None where it would not fit into an address, or cannot be encrypted just now."""
    try:
        return context.vault.seal(id_token) if len(id_token) <= LONGEST_HINT else None
    except KeyProblem as error:
        log.warning("the provider's session cannot be ended later: %s", error)
        return None


def signing_out(context: Context, session_id: str) -> str:
    """Where whoever is in this session ends the one at the provider, too; empty where that is not to be done. Ask
    before the session ends: what it keeps of the provider goes with it."""
    provider = context.provider
    if provider is None:
        return ""
    kept = sessions.id_token_of(context, session_id)
    if kept is None:
        return ""
    try:
        hint = context.vault.open(kept)
    except KeyProblem:
        hint = ""
    try:
        return provider.end_session(public(context, "/sign-in"), hint)
    except ProviderError as error:
        log.warning("the provider's session was not ended: %s", error.message)
        return ""


def required(context: Context) -> Provider:
    """The provider. Raises Conflict where none is set."""
    if context.provider is None:
        raise Conflict("no-provider", "No sign-in provider is set.", "Set PHASELOOP_OIDC_ISSUER.")
    return context.provider


def public(context: Context, path: str) -> str:
    """The address of a page of ours, as the provider and browsers know it."""
    return str(context.settings.public_url or "").rstrip("/") + path


def redirect_uri(context: Context) -> str:
    """Where the provider sends people back to, as it has to be registered there."""
    return public(context, CALLBACK)


def own_page(following: str) -> str:
    """A path of this service as it was given; empty for whatever could lead elsewhere."""
    plain = following.isascii() and following.isprintable() and "\\" not in following and " " not in following
    local = following.startswith("/") and not following.startswith("//")
    return following if plain and local and len(following) <= FOLLOWING_LIMIT else ""


# --- the answer ---

_OVER = "This sign-in was completed already, has expired, or was not begun in this browser. Begin again."
_UNPROVED = "The provider's answer does not prove who you are. Begin again; if it stays so, tell your administrator."
_DENIED = {
    "access_denied": "The provider did not let you in: you, or a rule there, said no.",
    "login_required": "The provider asks you to sign in there first. Begin again.",
    "interaction_required": "The provider needs you to do something there first. Begin again.",
    "consent_required": "The provider needs your consent. Begin again, and give it there.",
    "temporarily_unavailable": "The provider cannot sign anybody in just now. Try again later.",
    "server_error": "The provider failed. Try again later.",
}
_WRONG = "The provider did not accept the request; your administrator finds the reason in the log of changes."


def _check_no_bare_error(answer: Mapping[str, str]) -> None:
    """Raise what the provider refuses with where it forgets the state, as some do: what is said opens nothing."""
    error = answer.get("error")
    if error is not None and not answer.get("state"):
        reason = f"its state is of no attempt; the provider answered {_plain(error)}"
        raise SignInRefused(_DENIED.get(error, _OVER), reason)


def _make_room(session: Session) -> None:
    """Forget the oldest attempts where there are too many. Whoever floods us with them shuts nobody out, unless there
    are so many in the time that signing in takes."""
    count = session.scalar(select(func.count()).select_from(OidcAttemptRow)) or 0
    if count >= MOST_OPEN:
        oldest = select(OidcAttemptRow.id).order_by(OidcAttemptRow.created_at).limit(count - MOST_OPEN + 1)
        session.execute(delete(OidcAttemptRow).where(OidcAttemptRow.id.in_(oldest)))


def _claimed(context: Context, state: str, secret_of: Callable[[str], str | None]) -> tuple[OidcAttemptRow, str]:
    """The attempt that an answer is to, and its secret; nobody can complete it any more."""
    now = context.now()
    with context.database.session() as session:
        row = session.scalar(select(OidcAttemptRow).where(OidcAttemptRow.state == token_hash(state)))
        if not state or row is None:
            raise SignInRefused(_OVER, "its state is of no attempt")
        secret = secret_of(row.id) or ""
        if not hmac.compare_digest(token_hash(secret), row.secret):
            raise SignInRefused(_OVER, "it came in another browser than the attempt was begun in")
        free = OidcAttemptRow.id == row.id, OidcAttemptRow.used_at.is_(None), OidcAttemptRow.expires_at > now
        if rows_changed(session.execute(update(OidcAttemptRow).where(*free).values(used_at=now))) != 1:
            raise SignInRefused(_OVER, "its attempt was completed before, or has expired")
    return row, secret


def _code(provider: Provider, answer: Mapping[str, str]) -> str:
    """The code of an answer that is of our provider and no refusal."""
    issuer = answer.get("iss")
    if issuer is None and provider.metadata().names_itself:
        raise SignInRefused(_UNPROVED, "the answer does not say whose it is (iss)")
    if issuer is not None and issuer != provider.settings.issuer:
        raise SignInRefused(_UNPROVED, "the answer is of another provider (iss)")
    if (error := answer.get("error")) is not None:
        raise SignInRefused(_DENIED.get(error, _WRONG), f"the provider answered {_plain(error)}")
    if not (code := answer.get("code", "")):
        raise SignInRefused(_UNPROVED, "the answer has neither a code nor an error")
    return code


def _plain(error: str) -> str:
    """An error's code, where it is one that may stand in the log."""
    return error if error.replace("_", "").isalpha() and error.isascii() and len(error) < 60 else "an error"


def _wanted(context: Context) -> list[str]:
    """The claims that matter; the provider is asked for those that are not in the id token."""
    with context.database.session() as session:
        named = {rule.claim for rule in role_rules.in_force(session)}
    return ["email", *sorted(one.partition(".")[0] for one in named if "://" not in one)]


# --- who it is ---


def _settled(
    context: Context,
    claims: Mapping[str, Any],
    source: str,
    former: str | None,
    lasts: timedelta,
    id_token: bytes | None,
) -> str:
    """The session of whoever these claims are of, with the roles that they hold from now on."""
    for last in (False, True):
        try:
            with context.database.session() as session:
                person = _person(context, session, claims)
                return sessions.begin(session, person.id, context.now(), source, former, lasts=lasts, id_token=id_token)
        except IntegrityError:  # their first sign-in in two tabs at once: the other one was first
            if last:
                raise
    raise AssertionError


def _person(context: Context, session: Session, claims: Mapping[str, Any]) -> PersonRow:
    """The person that signed in. Raises NoRole, for somebody who was removed in the same words as for a stranger."""
    people.alone(session)
    issuer, subject, now = context.settings.oidc_issuer or "", str(claims["sub"]), context.now()
    given = said.granted(role_rules.in_force(session), claims)
    known = select(PersonRow).join(OidcIdentityRow, OidcIdentityRow.person_id == PersonRow.id)
    person = session.scalar(known.where(OidcIdentityRow.issuer == issuer, OidcIdentityRow.subject == subject))
    if person is None:
        person = _invited(session, claims) or _new(session, claims, given, now)
        if person is not None and person.disabled_at is None:
            session.add(
                OidcIdentityRow(id=new_id("idn"), person_id=person.id, issuer=issuer, subject=subject, created_at=now)
            )
            session.flush()
    if person is None or person.disabled_at is not None:
        raise NoRole(subject, _asks(context, claims, subject))
    grants.replace_with(session, Kind.PERSON, person.id, given, Origin.PROVIDER, now)
    return person


def _invited(session: Session, claims: Mapping[str, Any]) -> PersonRow | None:
    """The person who was put in under the address that the provider has verified: exactly one, who is nobody else at
    the provider. Also one who was removed."""
    email = said.verified_email(claims)
    if email is None:
        return None
    alike = session.scalars(select(PersonRow).where(func.lower(PersonRow.login) == email.lower())).all()
    if len(alike) != 1:
        return None
    taken = session.scalar(select(OidcIdentityRow.id).where(OidcIdentityRow.person_id == alike[0].id))
    return alike[0] if taken is None else None


def _new(session: Session, claims: Mapping[str, Any], given: tuple[Grant, ...], now: datetime) -> PersonRow | None:
    """A person of their own for somebody who has a role by what the provider says; None for anybody else."""
    if not given:
        return None
    login = ""
    for login in said.logins(claims, str(claims["sub"])):
        if session.scalar(select(PersonRow.id).where(func.lower(PersonRow.login) == login.lower())) is None:
            break
    else:
        login = f"{login[: said.LOGIN_LIMIT - 10]}-{new_id('')[1:7]}"
    person = PersonRow(id=new_id("per"), login=login, created_at=now)
    session.add(person)
    session.flush()
    return person


def _asks(context: Context, claims: Mapping[str, Any], subject: str) -> dict[str, str]:
    """What somebody without a role tells an administrator: who they are there, and what is said of them."""
    claim = context.settings.oidc_groups_claim
    groups = said.values_of(claims, claim)
    asks = {"Issuer": context.settings.oidc_issuer or "", "Subject": subject}
    if (email := said.verified_email(claims)) is not None:
        asks["E-mail"] = email
    overage = claims.get("_claim_names")
    too_many = isinstance(overage, Mapping) and claim in overage
    shown = ", ".join(groups[:20]) + (f" and {len(groups) - 20} more" if len(groups) > 20 else "")
    asks[f"Groups ({claim})"] = "too many for one token: use app roles instead" if too_many else shown or "none"
    return {name: value[:1000] for name, value in asks.items()}


# --- the log ---


def _note(context: Context, provider: Provider, reason: str, attempt: str, subject: str = "") -> None:
    """Log a refusal. Anybody can cause one, so only so many a minute go into the log that grows for ever."""
    log.warning("sign-in refused: %s", reason)
    recent = (ChangeRow.thing == _THING, ChangeRow.at > context.now() - timedelta(minutes=1))
    with context.database.session() as session:
        if (session.scalar(select(func.count()).select_from(ChangeRow).where(*recent)) or 0) >= MOST_LOGGED:
            return
        why = {"reason": reason, "issuer": provider.settings.issuer}
        changes.refused(session, _THING, attempt, subject, {**why, **({"subject": subject} if subject else {})})


def _made(secret: str, word: str) -> str:
    """A value of the attempt that only its browser's cookie gives: 256 bits, as 43 characters."""
    digest = hmac.new(secret.encode(), word.encode(), sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
