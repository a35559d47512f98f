"""What a provider says of somebody who signed in, as far as it matters here: which roles it gives, which e-mail address
is theirs for sure, and what to call them. Who they are is issuer and subject alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from service.domain.access.identity import Grant, Origin
from service.domain.access.roles import Role

LOGIN_LIMIT = 200

UNPROVED = "oidc:"
"""What a login begins with that is only what the provider calls somebody: an address that an administrator invites
later is never one of these, so nobody can be there first under a name that they chose."""


@dataclass(frozen=True, slots=True)
class RoleRule:
    """People of whom the provider says `value` under `claim` hold this role: in one project (by id) or in all."""

    claim: str
    value: str
    role: Role
    project: str | None = None


def granted(rules: Iterable[RoleRule], claims: Mapping[str, Any]) -> tuple[Grant, ...]:
    """The roles that these claims give by these rules: none where no rule fits."""
    found = (
        Grant(rule.role, rule.project, None, Origin.PROVIDER)
        for rule in rules
        if rule.value in values_of(claims, rule.claim)
    )
    return tuple(dict.fromkeys(found))


def values_of(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """What is said under this name, as texts: one or a list of them. A name with dots leads into objects where no claim
    is called so itself (`realm_access.roles`)."""
    value: Any = claims
    for part in [claim] if claim in claims else claim.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    listed = value if isinstance(value, list) else [value]
    return tuple(_text(one) for one in listed if isinstance(one, str | bool | int))


def root_of(claims: Mapping[str, Any], claim: str) -> str:
    """The claim itself that this name begins at."""
    return claim if claim in claims else claim.partition(".")[0]


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """The e-mail address that the provider has verified to be theirs; None where it does not say so."""
    email = claims.get("email")
    proved = claims.get("email_verified") is True or claims.get("email_verified") == "true"
    return email if proved and isinstance(email, str) and _is_login(email) else None


def logins(claims: Mapping[str, Any], subject: str) -> Iterable[str]:
    """What to call somebody who is new, the best first: their verified address, what the provider calls them, their
    subject. The last is always one of its own."""
    if (email := verified_email(claims)) is not None:
        yield email
    for name in ("preferred_username", "upn", "email", "name"):
        said = claims.get(name)
        if isinstance(said, str) and _is_login(login := UNPROVED + "-".join(said.split())):
            yield login
            break
    yield UNPROVED + "".join(one if one.isalnum() or one in "-_.@|:" else "-" for one in subject)[:150]


def _is_login(text: str) -> bool:
    return 0 < len(text) <= LOGIN_LIMIT and text.isprintable() and " " not in text


def _text(value: str | bool | int) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
