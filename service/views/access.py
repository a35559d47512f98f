"""Views of who may do what, and of who changed what. No secret is in them, and no digest of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from service.views.made import instant, made

if TYPE_CHECKING:
    from service.store.access_tables import ChangeRow, PersonRow, SessionRow
    from service.store.tables import TokenRow


@dataclass(frozen=True, slots=True)
class TokenView:
    """An API token; what it may do is in its grants."""

    id: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: TokenRow) -> TokenView:
        """The view of what is stored."""
        return made(cls, row)


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody who signs in, or did (`disabled_at`)."""

    id: str
    login: str
    created_at: datetime
    disabled_at: datetime | None

    @classmethod
    def of(cls, row: PersonRow) -> PersonView:
        """The view of what is stored."""
        return made(cls, row)


@dataclass(frozen=True, slots=True)
class SessionView:
    """That a person is signed in in one browser."""

    id: str
    person_id: str
    source: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: SessionRow) -> SessionView:
        """The view of what is stored."""
        return made(cls, row)


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One entry of the log of changes: `body` says all of it, the other fields repeat what is in that."""

    seq: int
    at: datetime
    action: str
    thing: str
    thing_id: str
    project_id: str | None
    by: str
    body: Mapping[str, Any]
    previous: str
    digest: str

    @classmethod
    def of(cls, row: ChangeRow) -> ChangeView:
        """The view of what is stored."""
        return made(cls, row)

    def to_json(self) -> dict[str, Any]:
        """The form that the command line, exports and REST show."""
        return {
            "seq": self.seq,
            "at": instant(self.at),
            "by": self.body["by"],
            "from": self.body["from"],
            "action": self.action,
            "thing": self.thing,
            "id": self.thing_id,
            "name": self.body["name"],
            "project": self.project_id,
            "before": self.body["before"],
            "after": self.body["after"],
            "previous": self.previous,
            "digest": self.digest,
        }
