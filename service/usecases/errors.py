"""Why a use case did not do what was asked, for the doors to translate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.values import Finding
from service.domain.english import counted
from service.domain.template.shape import meant


class UseCaseError(Exception):
    """`code` is a stable kebab-case word; `message` says what is so; `fix` what to do next."""

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(f"{message} {fix}".strip())
        self.code = code
        self.message = message
        self.fix = fix


class NotFound(UseCaseError):
    """Nothing goes by that id or name. Of the `known` names the one that is spelt alike is proposed before the fix."""

    def __init__(self, what: str, name: str, fix: str = "", known: Iterable[str] = ()) -> None:
        self.what = what
        slip = meant(name, known)
        super().__init__("not-found", f"There is no {what} {name!r}.", f"{slip[:1].upper()}{slip[1:]} {fix}".strip())


class Forbidden(UseCaseError):
    """Whoever asks may not do it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__("forbidden", message, fix)


class Conflict(UseCaseError):
    """Conflict."""


class StalePlan(Conflict):
    """The project has moved on since the plan was made."""


class PlanExpired(Conflict):
    """The plan is too old to be applied: people may have changed anything since."""


class PlanBlocked(Conflict):
    """The plan has findings that must be fixed first; `findings` are these."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        what = f"This plan cannot be applied: {counted(len(findings), 'finding')} must be fixed first: "
        super().__init__(
            "plan-blocked", what + " ".join(found.message for found in findings), "Fix them and plan again."
        )
        self.findings = tuple(findings)
