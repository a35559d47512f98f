"""The people of a team as the tracker knows them: their accounts, and what is wrong with any of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connectors.port import Tracker
from connectors.values import Account, Finding, Place, Severity
from service.domain.team.team import Member, Team
from service.usecases.plan.project_state import Material


@dataclass(frozen=True, slots=True)
class Known:
    """Account ids by handle, and what blocks giving people work."""

    accounts: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


def working(tracker: Tracker, place: Place | None, ours: Material, handles: Collection[str]) -> Known:
    """The accounts of these people of the team, with an error for each who cannot be given work."""
    members = [member for member in ours.team.members if member.handle in handles]
    found = tracker.people(place, [member.handle for member in members])
    wrong = (_trouble(member, found.get(member.handle), ours) for member in members)
    return Known({handle: account.id for handle, account in found.items()}, tuple(one for one in wrong if one))


def still_there(tracker: Tracker, place: Place | None, ours: Material) -> tuple[Team, Known]:
    """The team without those who cannot be given work any more, each with a warning: their work goes to others of the
    role."""
    team = ours.team
    known = working(tracker, place, ours, [member.handle for member in team.members])
    left = {finding.subject: finding for finding in known.findings}
    staying = tuple(member for member in team.members if member.handle not in left)
    findings = tuple(
        Finding(
            Severity.WARNING,
            "person-left",
            f"{finding.message} What {member.person} had goes to others who hold the role, or to nobody.",
            finding.fix,
            member.handle,
        )
        for member in team.members
        if (finding := left.get(member.handle)) is not None
    )
    accounts = {handle: account for handle, account in known.accounts.items() if handle not in left}
    return team.model_copy(update={"members": staying}), Known(accounts, findings)


def _trouble(member: Member, account: Account | None, ours: Material) -> Finding | None:
    project_key = ours.project.key

    def finding(code: str, message: str, fix: str) -> Finding:
        called = f"{member.person} ({member.email})" if member.email else member.person  # nobody knows an account's id
        return Finding(Severity.ERROR, code, f"{called} {message}", fix, member.handle)

    if account is None:
        return finding(
            "account-unknown",
            "is not known to the tracker as somebody who can be assigned here.",
            f"Check the address in the team file, give the account access to {project_key}, or write the tracker's "
            "account id as `account` where addresses are hidden.",
        )
    if not account.active:
        return finding("account-inactive", "has left: the account is not active.", "Take the person out of the team.")
    if account.assignable is False:
        return finding(
            "account-not-assignable",
            f"cannot be given work in {project_key}.",
            f"Somebody who administers it lets the account in: {ours.kind.admission}.",
        )
    return None
