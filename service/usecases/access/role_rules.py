"""Which roles people hold by what their sign-in provider says of them. Without a rule that fits it gives none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.access.claims import RoleRule
from service.domain.access.roles import Role
from service.domain.problems import InvalidInput, Problem
from service.store.access_tables import RoleRuleRow
from service.store.secrets import new_id
from service.usecases import ids
from service.usecases.errors import NotFound
from service.usecases.setup import projects

CLAIM_LIMIT, VALUE_LIMIT = 200, 500


@dataclass(frozen=True, slots=True)
class RuleShown:
    """A rule as it is kept."""

    id: str
    rule: RoleRule
    created_at: str


def add(context: Context, value: str, role: Role, claim: str = "", project: str | None = None) -> RuleShown:
    """Have people of whom the provider says `value` under `claim` (the groups' if empty) hold this role from their next
    sign-in on, in this project (id or key; None: in all). Repeatable. Raises InvalidInput, NotFound, Conflict."""
    claim = claim.strip() or context.settings.oidc_groups_claim
    if problems := list(_wrong(claim, value)):
        raise InvalidInput(problems)
    project_id = projects.get(context, project).id if project is not None else None
    with context.database.session() as session:
        same = (
            RoleRuleRow.claim == claim,
            RoleRuleRow.value == value,
            RoleRuleRow.role == role.value,
            RoleRuleRow.project_id.is_(None) if project_id is None else RoleRuleRow.project_id == project_id,
        )
        row = session.scalar(select(RoleRuleRow).where(*same).limit(1))
        if row is None:
            row = RoleRuleRow(
                id=new_id("rul"),
                claim=claim,
                value=value,
                role=role.value,
                project_id=project_id,
                created_at=context.now(),
            )
            session.add(row)
            session.flush()
        context.done(session, row.id)
        return _shown(row)


def remove(context: Context, given: str) -> RuleShown:
    """Take a rule (by id) away: the role that it gave is gone from each one's next sign-in on. What it was. Raises
    NotFound, Conflict."""
    with context.database.session() as session:
        row = session.get(RoleRuleRow, ids.whole(session, RoleRuleRow.id, given, "role rules"))
        if row is None:
            raise _missing(given)
        shown = _shown(row)
        session.delete(row)
        context.done(session, row.id)
        return shown


def listed(context: Context) -> list[RuleShown]:
    """All rules, oldest first."""
    with context.database.session() as session:
        rows = session.scalars(select(RoleRuleRow).order_by(RoleRuleRow.created_at, RoleRuleRow.id))
        return [_shown(row) for row in rows if row.role in set(Role)]


def in_force(session: Session) -> list[RoleRule]:
    """The rules, for a sign-in. A role that this version does not know gives nothing."""
    return [_shown(row).rule for row in session.scalars(select(RoleRuleRow)) if row.role in set(Role)]


def get(context: Context, rule_id: str) -> RuleShown:
    """The rule of that id. Raises NotFound."""
    with context.database.session() as session:
        row = session.get(RoleRuleRow, rule_id)
        if row is None:
            raise _missing(rule_id)
        return _shown(row)


def rule_json(found: RuleShown) -> dict[str, Any]:
    """A rule as plain values."""
    rule = found.rule
    return {
        "id": found.id,
        "claim": rule.claim,
        "value": rule.value,
        "role": rule.role.value,
        "project": rule.project,
        "created_at": found.created_at,
    }


def _missing(given: str) -> NotFound:
    return NotFound("role rule", given, "`phaseloop oidc rules` names those there are.")


def _wrong(claim: str, value: str) -> Iterable[Problem]:
    fix = "write it as the provider does, to the letter"
    if not claim.strip() or len(claim) > CLAIM_LIMIT or not claim.isprintable():
        yield Problem("role rule", None, "claim", f"must be one line of 1 to {CLAIM_LIMIT} characters", fix)
    if not value.strip() or len(value) > VALUE_LIMIT or not value.isprintable():
        yield Problem("role rule", None, "value", f"must be one line of 1 to {VALUE_LIMIT} characters", fix)


def _shown(row: RoleRuleRow) -> RuleShown:
    rule = RoleRule(row.claim, row.value, Role(row.role), row.project_id)
    return RuleShown(row.id, rule, row.created_at.isoformat())
