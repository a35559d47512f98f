"""Why a use case did not do what was asked, for the doors to translate."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.tracker import Finding
from service.domain.english import counted


class UseCaseError(Exception):
    """`code` is a stable kebab-case word; `message` says what is so; `fix` what to do next."""

    def __init__(self, code: str, message: str, fix: str = "") -> None:
        super().__init__(f"{message} {fix}".strip())
        self.code = code
        self.message = message
        self.fix = fix


class NotFound(UseCaseError):
    """Nothing goes by that id or name."""

    def __init__(self, what: str, name: str, fix: str = "") -> None:
        super().__init__("not-found", f"There is no {what} {name!r}.", fix)


class Conflict(UseCaseError):
    """It clashes with what is there."""


class StalePlan(Conflict):
    """The project has moved on since the plan was made."""


class PlanExpired(Conflict):
    """The plan is too old to be applied: people may have changed anything since."""


class PlanBlocked(Conflict):
    """The plan has findings that must be mended first; `findings` are these."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        what = f"This plan cannot be applied: {counted(len(findings), 'finding')} must be mended first: "
        super().__init__(
            "plan-blocked", what + " ".join(found.message for found in findings), "Mend them and plan again."
        )
        self.findings = tuple(findings)
