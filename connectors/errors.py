"""What can go wrong with a tracker, named by who can act.

    TrackerError
    ├── TrackerUnavailable    wait: nothing was written, the same call may be sent again (after `retry_after`)
    ├── OutcomeUnknown        look first: a write was sent and its answer was lost, it may have happened
    ├── TrackerRefused        an administrator: the tracker understood and said no
    │   ├── CredentialsRefused    the connection's owner: the account or its token is not accepted
    │   ├── PermissionMissing     an administrator of the project or site
    │   ├── NotVisible            it does not exist, or this account may not see it (trackers do not say which)
    │   ├── SeveralMeant          whoever typed it: the name means more than one project
    │   └── NotWanted             whoever reads there: a receiver says that it wants no messages any more
    ├── ItemRejected          the template's author, the team's owner or an administrator, field by field
    ├── NotATracker           the connection's owner: the address answered, but not as the tracker's API does
    └── NetworkMisconfigured  whoever runs phaseloop: this machine's certificates or proxies cannot be used

Messages are for people: they name the place and, in `fix`, what to do next. They never hold a header, a
cookie, a credential or a URL's query; tests grep for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One reason why the tracker refused an item. `field` is None for a general message."""

    field: str | None
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class TrackerError(Exception):
    """A call to a tracker did not do what was asked.

    `message` says what happened and where; `fix` says what to do about it; `request` is "METHOD /path"
    without query; `status` is the HTTP status where there was an answer.
    """

    def __init__(self, message: str, *, fix: str = "", request: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.request = request
        self.status = status

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class TrackerUnavailable(TrackerError):
    """Nothing was written; wait and send the same call again. `retry_after` is in seconds, None if not told."""

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        request: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, fix=fix, request=request, status=status)
        self.retry_after = retry_after


class OutcomeUnknown(TrackerError):
    """A write was sent and no trustworthy answer came back: it may or may not have happened."""


class TrackerRefused(TrackerError):
    """The tracker understood the call and said no; sending it again changes nothing."""


class CredentialsRefused(TrackerRefused):
    """The account or its token is wrong, expired or revoked."""


class PermissionMissing(TrackerRefused):
    """The account is known, but may not do this here."""


class NotVisible(TrackerRefused):
    """The thing does not exist, or the account may not see it; trackers do not say which."""


class SeveralMeant(TrackerRefused):
    """A name means more than one project of the tracker; the message says which."""


class NotWanted(TrackerRefused):
    """A receiver of messages says, for good, that it wants none any more."""


class ItemRejected(TrackerRefused):
    """One item was refused for what it holds; `problems` says why, field by field."""

    def __init__(
        self,
        message: str,
        problems: Sequence[FieldProblem],
        *,
        fix: str = "",
        request: str = "",
        status: int | None = None,
    ) -> None:
        super().__init__(message, fix=fix, request=request, status=status)
        self.problems = tuple(problems)


def problems_of(error: TrackerRefused) -> tuple[FieldProblem, ...]:
    """Why an item was refused, field by field where the tracker said so."""
    own = error.problems if isinstance(error, ItemRejected) else ()
    return own or (FieldProblem(None, error.message),)


class NotATracker(TrackerError):
    """The address answered with something that is not the tracker's API: a login page, HTML, nothing at all."""


class NetworkMisconfigured(TrackerError):
    """This machine's own settings block it: its trusted certificates or its proxy. Nothing was written."""
