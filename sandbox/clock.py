"""The sandbox's one clock: real by default, frozen or moved on request, so that tests never have to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time in UTC. ``freeze`` stops it, ``advance`` moves it, ``reset`` returns to the machine's time."""

    def __init__(self) -> None:
        self._offset = timedelta(0)
        self._frozen: datetime | None = None

    @property
    def frozen(self) -> bool:
        """Whether time stands still until somebody advances it."""
        return self._frozen is not None

    @property
    def offset_seconds(self) -> float:
        """How far the running clock is from the machine's, in seconds; positive is the future."""
        return self._offset.total_seconds()

    def now(self) -> datetime:
        """The present moment, in UTC, with milliseconds (the vendor writes no more)."""
        moment = self._frozen if self._frozen is not None else datetime.now(UTC) + self._offset
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def freeze(self, at: datetime | None = None) -> None:
        """Stand still, at the given moment or at the present one."""
        self._frozen = (at or self.now()).astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move the clock by a span; a frozen clock stays frozen at the new moment."""
        if self._frozen is not None:
            self._frozen += by
        else:
            self._offset += by

    def reset(self) -> None:
        """Run with the machine's clock again."""
        self._offset = timedelta(0)
        self._frozen = None
