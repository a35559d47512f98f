"""Views of what a project is made of, and of the project itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.values import Finding, Severity
from service.domain.team.team import Team, team_from_json
from service.views.made import instant, made

if TYPE_CHECKING:
    from service.store.tables import ConnectionCheckRow, ConnectionRow, ProjectRow, TeamRow

TURNING = ("carry_over", "ahead", "wip_limit")
"""What a project may say of how its loop turns."""


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A tracker site or account, without its credential."""

    id: str
    name: str
    kind: str
    settings: Mapping[str, Any]
    created_at: datetime

    @classmethod
    def of(cls, row: ConnectionRow) -> ConnectionView:
        """The view of what is stored."""
        return made(cls, row)

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "settings": dict(self.settings),
            "created_at": instant(self.created_at),
        }


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """What the last check of a connection found. `account` is who phaseloop was there, `former` who it was before,
    where that was somebody else."""

    checked_at: datetime
    account: str
    former: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing blocked it."""
        return all(one.severity is not Severity.ERROR for one in self.findings)

    @classmethod
    def of(cls, row: ConnectionCheckRow | None) -> ConnectionCheck | None:
        """The view of what is stored; None where it was not checked with its present credential."""
        if row is None or row.checked_at is None:
            return None
        findings = tuple(
            Finding(Severity(one["severity"]), one["code"], one["message"], one["fix"], one["subject"])
            for one in row.findings
        )
        return cls(row.checked_at, _called(row.account), _called(row.former), findings)


def _called(account: Mapping[str, Any]) -> str:
    return str(account.get("email") or account.get("name") or "")


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team as it was last imported; `body` is the team as its file has it. `version` grows with each import."""

    id: str
    name: str
    body: Mapping[str, Any]
    version: int
    updated_at: datetime

    @classmethod
    def of(cls, row: TeamRow) -> TeamView:
        """The view of what is stored."""
        return made(cls, row)

    @property
    def team(self) -> Team:
        """The team as a value."""
        return team_from_json(self.body, source=self.name)

    @property
    def people(self) -> int:
        """How many people are in it."""
        return len(self.body["members"])

    def to_json(self) -> dict[str, Any]:
        """The form of an entry in a list, on CLI and REST."""
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "people": self.people,
            "updated_at": instant(self.updated_at),
        }

    def in_full(self, notes: Iterable[str] = ()) -> dict[str, Any]:
        """The form of a team alone: with its file, and with `notes` on how that was read."""
        return {**self.to_json(), "team": dict(self.body), "notes": list(notes)}


@dataclass(frozen=True, slots=True)
class ProjectView:
    """One template version filled in for one team on one connection. `parameters`, `calendar`, `turning` and `audit`
    are what it says itself. One that is only `planned` is no project before a plan of it is applied."""

    id: str
    name: str
    key: str
    url: str | None
    create: bool
    planned: bool
    connection_id: str
    team_id: str
    template_digest: str
    parameters: Mapping[str, Any]
    time_zone: str
    calendar: Mapping[str, Any]
    turning: Mapping[str, Any]
    audit: Mapping[str, Any]
    serial: int
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: ProjectRow) -> ProjectView:
        """The view of what is stored."""
        return made(cls, row)

    def named(self) -> dict[str, Any]:
        """Which project something else is of."""
        return {"id": self.id, "key": self.key, "name": self.name}

    def to_json(self) -> dict[str, Any]:
        """The form of an entry in a list, on CLI and REST."""
        return {
            "id": self.id,
            "name": self.name,
            "key": self.key,
            "url": self.url,
            "connection": self.connection_id,
            "team": self.team_id,
            "template": self.template_digest,
            "parameters": dict(self.parameters),
            "time_zone": self.time_zone,
            "create": self.create,
            "planned": self.planned,
            "calendar": dict(self.calendar),
            **{name: self.turning.get(name) for name in TURNING},
            "audit": dict(self.audit),
            "serial": self.serial,
            "created_at": instant(self.created_at),
            "ended_at": instant(self.ended_at),
        }
