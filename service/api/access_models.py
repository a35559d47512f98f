"""Bodies about who may do what, and who did; each with an example, which the OpenAPI document shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from service.api.models import Body, Day, Instant, Shown, with_example
from service.domain.team.calendar import DateRange

RoleName = Literal["viewer", "operator", "lead", "auditor", "admin"]

_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

GRANT: dict[str, Any] = {
    "role": "operator",
    "project": "prj_1f0c9a3b5d7e",
    "expires_at": None,
    "period": None,
    "origin": "hand",
}
ROLE_RULE: dict[str, Any] = {
    "id": "rul_5d3f0c7a9b1e",
    "claim": "groups",
    "value": "ml-leads",
    "role": "lead",
    "project": "prj_1f0c9a3b5d7e",
    "created_at": "2026-03-02T09:00:00Z",
}
NEW_ROLE_RULE: dict[str, Any] = {"value": "ml-leads", "role": "lead", "project": "ML"}
PERSON: dict[str, Any] = {
    "id": "per_5d3f0c7a9b1e",
    "login": "lead-1@example.com",
    "grants": [{**GRANT, "role": "lead"}],
    "subject": None,
    "seen_at": "2026-03-03T07:12:00Z",
    "created_at": "2026-03-02T09:00:00Z",
    "disabled_at": None,
}
NEW_PERSON: dict[str, Any] = {"login": "lead-1@example.com", "role": "lead", "projects": ["ML"]}
NEW_GRANT: dict[str, Any] = {
    "role": "auditor",
    "project": "ML",
    "expires_at": "2126-06-01T00:00:00Z",
    "period": {"first": "2126-01-01", "last": "2126-03-31"},
}
SIGN_IN_LINK: dict[str, Any] = {
    "person": "per_5d3f0c7a9b1e",
    "login": "lead-1@example.com",
    "token": "https://phaseloop.example.com/sign-in?code=…",
}
SESSION: dict[str, Any] = {
    "id": "ses_5d3f0c7a9b1e",
    "login": "lead-1@example.com",
    "from": "192.0.2.7",
    "created_at": "2026-03-02T09:00:00Z",
    "last_used_at": "2026-03-02T09:12:00Z",
    "expires_at": "2026-03-02T21:12:00Z",
}
TOKEN: dict[str, Any] = {
    "id": "tok_5d3f0c7a9b1e",
    "name": "ci",
    "state": "active",
    "grants": [GRANT],
    "created_at": "2026-03-02T09:00:00Z",
    "expires_at": "2026-06-01T00:00:00Z",
    "last_used_at": "2026-03-03T07:12:00Z",
    "revoked_at": None,
}
NEW_TOKEN: dict[str, Any] = {
    "name": "ci",
    "role": "operator",
    "projects": ["ML"],
    "expires_at": "2126-06-01T00:00:00Z",
}
CHANGE: dict[str, Any] = {
    "seq": 7,
    "at": "2026-03-02T09:00:00Z",
    "by": {"kind": "token", "id": "tok_5d3f0c7a9b1e", "name": "ci"},
    "from": "REST, from 192.0.2.7",
    "action": "changed",
    "thing": "loop",
    "id": "prj_1f0c9a3b5d7e",
    "name": "",
    "project": "prj_1f0c9a3b5d7e",
    "before": {"state": "turning", "message": ""},
    "after": {"state": "paused", "message": "Holidays"},
    "previous": _DIGEST,
    "digest": _DIGEST[::-1],
}
CHANGES_TABLE = "seq,at,by,kind,from,action,thing,id,name,project,before,after,digest\r\n"
ME: dict[str, Any] = {"kind": "token", "id": "tok_5d3f0c7a9b1e", "name": "ci", "grants": [GRANT]}


class PeriodShown(Shown):
    """Days, both included."""

    first: Day
    last: Day


class Period(Body):
    """Days, both included."""

    first: Day
    last: Day

    def days(self) -> DateRange:
        """The same as the domain has it."""
        return DateRange(self.first, self.last)


_PERIOD = "For auditors alone: the iterations with a day in it, of which they see how they are documented; null: all."


class GrantShown(Shown):
    """A role that was given."""

    role: RoleName
    project: str | None = Field(description="Id of the project that it is for; null for all.")
    expires_at: datetime | None
    period: PeriodShown | None = Field(
        description="An auditor's: of the iterations with a day in it they see how they are documented; null: of all."
    )
    origin: Literal["hand", "provider"] = Field(
        description="Whether an administrator gave it, or what the sign-in provider says of the person."
    )


class RoleRule(Shown):
    """That a claim of the sign-in provider gives a role."""

    model_config = ConfigDict(json_schema_extra=with_example(ROLE_RULE))

    id: str
    claim: str
    value: str
    role: RoleName
    project: str | None = Field(description="Id of the project that it is for; null for all.")
    created_at: datetime


class RoleRuleList(Shown):
    """All rules."""

    model_config = ConfigDict(json_schema_extra=with_example({"items": [ROLE_RULE], "next": None}))

    items: list[RoleRule]
    next: str | None = Field(description="Always null: the list is complete.")


_LINE = r"^[^\x00-\x1f\x7f]+$"


class NewRoleRule(Body):
    """A rule to be made."""

    model_config = ConfigDict(json_schema_extra=with_example(NEW_ROLE_RULE))

    value: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_LINE)] = Field(
        description="The group, or what else stands under the claim, to the letter."
    )
    role: RoleName = Field(description="The role that it gives.")
    project: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="Only in this project (id or key); null: in all."
    )
    claim: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)] | None = Field(
        default=None, description="The claim; the one of PHASELOOP_OIDC_GROUPS_CLAIM if left out."
    )


class Person(Shown):
    """Somebody who may sign in, or was removed."""

    model_config = ConfigDict(json_schema_extra=with_example(PERSON))

    id: str
    login: str = Field(description="The e-mail address or name they go by.")
    grants: list[GrantShown]
    subject: str | None = Field(description="Who they are at the sign-in provider, if they are somebody there.")
    seen_at: datetime | None = Field(description="When they were here last, to the minute.")
    created_at: datetime
    disabled_at: datetime | None = Field(description="When they were removed.")


class PersonList(Shown):
    """All people."""

    model_config = ConfigDict(json_schema_extra=with_example({"items": [PERSON], "next": None}))

    items: list[Person]
    next: str | None = Field(description="Always null: the list is complete.")


class NewPerson(Body):
    """Somebody who is to sign in."""

    model_config = ConfigDict(json_schema_extra=with_example(NEW_PERSON))

    login: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)] = Field(
        description="The e-mail address or name they go by."
    )
    role: RoleName = Field(description="What they may do.")
    projects: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=100, description="Only in these projects (id or key); empty: in all."
    )
    expires_at: Annotated[Instant, Field(strict=False)] | None = Field(
        default=None, description="When they may do it no more; null: no end."
    )
    period: Period | None = Field(default=None, description=_PERIOD)


class NewGrant(Body):
    """A role that somebody is to hold, too."""

    model_config = ConfigDict(json_schema_extra=with_example(NEW_GRANT))

    role: RoleName = Field(description="What they may do.")
    project: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_LINE)] | None = Field(
        default=None, description="Only in this project (id or key); null: in all."
    )
    expires_at: Annotated[Instant, Field(strict=False)] | None = Field(
        default=None, description="When they may do it no more; null: no end."
    )
    period: Period | None = Field(default=None, description=_PERIOD)


class SignInLink(Shown):
    """A link that signs somebody in, once, within 15 minutes."""

    model_config = ConfigDict(json_schema_extra=with_example(SIGN_IN_LINK))

    person: str = Field(description="Id of whom it signs in.")
    login: str
    token: str | None = Field(
        description="The link: only in the first answer. Null where the answer is a repetition; make another then."
    )


class SessionEntry(Shown):
    """That somebody is signed in in one browser."""

    model_config = ConfigDict(json_schema_extra=with_example(SESSION), populate_by_name=True)

    id: str
    login: str
    source: str = Field(alias="from", description="Where they signed in from.")
    created_at: datetime
    last_used_at: datetime = Field(description="To the minute.")
    expires_at: datetime = Field(description="When it ends if it is not used.")


class SessionList(Shown):
    """All sessions that last."""

    model_config = ConfigDict(json_schema_extra=with_example({"items": [SESSION], "next": None}))

    items: list[SessionEntry]
    next: str | None = Field(description="Always null: the list is complete.")


class TokenEntry(Shown):
    """A token, without itself."""

    model_config = ConfigDict(json_schema_extra=with_example(TOKEN))

    id: str
    name: str
    state: Literal["active", "expired", "revoked"]
    grants: list[GrantShown]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None


class TokenList(Shown):
    """All tokens."""

    model_config = ConfigDict(json_schema_extra=with_example({"items": [TOKEN], "next": None}))

    items: list[TokenEntry]
    next: str | None = Field(description="Always null: the list is complete.")


class TokenMade(TokenEntry):
    """A token that was made, with itself."""

    model_config = ConfigDict(json_schema_extra=with_example({**TOKEN, "token": "phl_…"}))

    token: str | None = Field(
        description="The token: only in the first answer. Null where the answer is a repetition; revoke it then."
    )


class NewToken(Body):
    """A token to be made."""

    model_config = ConfigDict(json_schema_extra=with_example(NEW_TOKEN))

    name: Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")] = Field(
        description="What it is for; shown in runs as who started them."
    )
    role: RoleName = Field(description="What it may do.")
    projects: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=100, description="Only in these projects (id or key); empty: in all."
    )
    expires_at: Annotated[Instant, Field(strict=False)] | None = Field(
        default=None, description="When it opens nothing any more; null: never."
    )


class Identity(Shown):
    """Who asks, and what they may."""

    model_config = ConfigDict(json_schema_extra=with_example(ME))

    kind: Literal["person", "token", "local", "service"]
    id: str
    name: str
    grants: list[GrantShown] = Field(description="Those in force now.")


class ChangedBy(Shown):
    """Who made a change."""

    kind: Literal["person", "token", "local", "service"]
    id: str
    name: str


class Change(Shown):
    """A change to what is held."""

    model_config = ConfigDict(json_schema_extra=with_example(CHANGE), populate_by_name=True)

    seq: int = Field(description="Its number, from 1, without gaps.")
    at: datetime
    by: ChangedBy
    source: str = Field(alias="from", description="Where it was made from.")
    action: Literal["created", "changed", "removed", "refused"]
    thing: str = Field(description="The sort of thing: connection, team, project, run, waiver, token and so on.")
    id: str
    name: str
    project: str | None = Field(description="Id of the project that it is of.")
    before: dict[str, Any] = Field(description="The values that changed, as they were; never a secret.")
    after: dict[str, Any] = Field(description="The same as they are now.")
    previous: str = Field(description="The digest of the entry before.")
    digest: str = Field(description="SHA-256 of this entry with `previous`.")


class ChangePage(Shown):
    """A page of the log."""

    model_config = ConfigDict(json_schema_extra=with_example({"items": [CHANGE], "next": None}))

    items: list[Change]
    next: str | None


class ChangeProof(Shown):
    """Whether the log is whole."""

    model_config = ConfigDict(
        json_schema_extra=with_example({"entries": 7, "head": _DIGEST, "holds": True, "breaks": []})
    )

    entries: int
    head: str = Field(description="The digest of the newest entry, which proves all before it; empty for none.")
    holds: bool
    breaks: list[str] = Field(description="What is wrong, in words.")
