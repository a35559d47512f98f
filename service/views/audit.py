"""Views of what people decided about a project's records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from service.views.made import instant, made

if TYPE_CHECKING:
    from service.store.tables import WaiverRow


@dataclass(frozen=True, slots=True)
class WaiverView:
    """That a person lets a check of a project pass, for iteration `number` or (None) for all, until a day, included."""

    id: str
    project_id: str
    number: int | None
    check: str
    by: str
    reason: str
    until: date
    at: datetime
    revoked_at: datetime | None
    revoked_by: str | None

    @classmethod
    def of(cls, row: WaiverRow) -> WaiverView:
        """The view of what is stored."""
        return made(cls, row)

    def said(self) -> dict[str, Any]:
        """What it says, as it is kept in the evidence."""
        return {
            "id": self.id,
            "check": self.check,
            "iteration": self.number,
            "by": self.by,
            "reason": self.reason,
            "until": self.until.isoformat(),
        }

    def to_json(self, today: date) -> dict[str, Any]:
        """The form that CLI and REST show; `state` is `holds`, `over` or `revoked`."""
        over = "over" if self.until < today else "holds"
        return {
            **self.said(),
            "state": "revoked" if self.revoked_at is not None else over,
            "at": instant(self.at),
            "revoked_at": instant(self.revoked_at),
            "revoked_by": self.revoked_by,
        }
