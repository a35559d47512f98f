"""The tables of identities, of what they may do, and of who changed what. Secrets stand in them as digests only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.store.tables import Instant, Table


class GrantRow(Table):
    """A role that a token or a person was given (`holder_kind`, `holder_id`): in one project or (None) in all, until
    `expires_at`, if that is set. `origin` says whether by hand, or by what a provider says of the person. One with a
    period (`first`, `last`) is for the iterations in it alone."""

    __tablename__ = "grants"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder_kind: Mapped[str] = mapped_column(String(20))
    holder_id: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(20))
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id"))
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    origin: Mapped[str] = mapped_column(String(20), server_default="hand", default="hand")
    first: Mapped[date | None] = mapped_column(Date)
    last: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ix_grants_holder", "holder_kind", "holder_id"),)


class ChangeRow(Table):
    """That something we hold was changed, never changed itself and never deleted: the database refuses both.

    `action` is created, changed, removed or refused; `thing` the sort of what it was, `thing_id` which. `body` says all
    of it: who (kind, id, name), from where, and the values before and after, without secrets. The rows are one chain:
    `seq` counts from 1, `digest` is the SHA-256 of the row with `previous`, the digest of the one before it (see
    `domain.audit.chain`). The columns beside `body` repeat what is in it, to look rows up by.
    """

    __tablename__ = "changes"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    action: Mapped[str] = mapped_column(String(20))
    thing: Mapped[str] = mapped_column(String(40))
    thing_id: Mapped[str] = mapped_column(String(200))
    project_id: Mapped[str | None] = mapped_column(String(40), index=True)
    by: Mapped[str] = mapped_column(String(200))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class PersonRow(Table):
    """Somebody who signs in. What they may do is in `grants`. One who was removed (`disabled_at`) is kept: what they
    did names them."""

    __tablename__ = "people"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    login: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)


class SignInLinkRow(Table):
    """A link that signs a person in once, until `expires_at`; only the hash of its code is kept."""

    __tablename__ = "sign_in_links"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class SessionRow(Table):
    """That a person is signed in in one browser; only the hash of the cookie is kept. It ends at `expires_at`, when it
    was not used for a while, or when it is revoked."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    source: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class KeptFormRow(Table):
    """A form that somebody sent after their session had ended, until they have signed in again or `expires_at`: one of
    a session at most. `secret` is what was in it, encrypted, but for credentials, which are kept nowhere."""

    __tablename__ = "kept_forms"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class ProviderTokenRow(Table):
    """The id token that somebody signed in with, encrypted, of the session of the same id until that ends: some
    providers ask for it to end their own."""

    __tablename__ = "provider_tokens"
    id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)


class OidcIdentityRow(Table):
    """Who a person is at a provider: its issuer and the subject there, which nobody can choose or change. A person has
    one such identity at most."""

    __tablename__ = "oidc_identities"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), unique=True)
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class OidcAttemptRow(Table):
    """A sign-in with the provider that was begun in one tab, to be completed once before `expires_at`. `state` is the
    digest of what the provider sends back, `secret` that of the cookie, from which the nonce and the verifier are
    made: what is here completes nothing. `following` is where the tab is led afterwards."""

    __tablename__ = "oidc_attempts"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(64), unique=True)
    secret: Mapped[str] = mapped_column(String(64))
    following: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class RoleRuleRow(Table):
    """That people of whom the provider says this (`value` among what it says under `claim`) hold a role, in one project
    or (None) in all."""

    __tablename__ = "role_rules"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    claim: Mapped[str] = mapped_column(String(200))
    value: Mapped[str] = mapped_column(String(500))
    role: Mapped[str] = mapped_column(String(20))
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
