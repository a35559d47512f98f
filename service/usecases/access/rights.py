"""Whether a caller may do what a request asks for: the policy applied to what the address names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.policy import Rule, Where, rule_of
from service.domain.access.roles import MAY, Permission, Role
from service.domain.plan.plan import Purpose
from service.store import identities
from service.store.tables import PlanRow, ProjectRow, RunRow, TeamRow
from service.usecases.errors import Conflict, Forbidden, NotFound


def check(context: Context, caller: Caller, method: str, path: str, named: Mapping[str, str]) -> dict[str, str]:
    """Whether the caller may call the route `path` with this method, where the address has the parameters `named`.

    Gives the parameters that are to take the place of those: a project that somebody may not see in full is named by
    its id from here on, so that what is checked is what is done. Raises Forbidden; NotFound where the caller may not
    even know whether there is such a thing; Conflict where the name is ambiguous.
    """
    rule = rule_of(method, path)
    if rule is None:
        raise Forbidden("Nobody may use this address: it has no rule in the policy.", "This is a bug in phaseloop.")
    match rule.where:
        case Where.OWN:
            return {}
        case Where.EVERYWHERE:
            if not caller.may(rule.permission):
                raise _forbidden(caller, rule.permission, "in all projects")
            return {}
        case Where.ANYWHERE | Where.LISTED:
            if not caller.may_somewhere(rule.permission):
                raise _forbidden(caller, rule.permission, "in a project")
            return {}
        case Where.PROJECT | Where.PLAN | Where.RUN | Where.TEAM:
            return _checked(context, caller, rule, method, named)


def require(caller: Caller, permission: Permission, project: str) -> None:
    """Raise Forbidden unless this is allowed in the project of that id."""
    if not caller.may(permission, project):
        raise _forbidden(caller, permission, "in this project")


def _checked(context: Context, caller: Caller, rule: Rule, method: str, named: Mapping[str, str]) -> dict[str, str]:
    permission = rule.permission
    with context.database.session() as session:
        if rule.where is Where.PLAN and permission is Permission.OPERATE:
            permission = _to_apply(session, named["plan_id"])
        if caller.may(permission):
            return {}
        what, given, found = _meant(session, rule.where, named)
    seen = [project for project in found if caller.may(Permission.INSPECT, project)]
    if not seen:
        raise NotFound(what, given, "Or you may not see it.")
    allowed = [project for project in seen if caller.may(permission, project)]
    if rule.where is Where.PROJECT and len(seen) > 1:
        several = f"Several projects go by {given!r}: {', '.join(seen)}."
        raise Conflict("ambiguous", several, "Name one by its id.")
    if not allowed:
        raise _forbidden(caller, permission, "in this project")
    return {"name": allowed[0]} if rule.where is Where.PROJECT else {}


def _meant(session: Session, where: Where, named: Mapping[str, str]) -> tuple[str, str, Sequence[str]]:
    """What sort of thing the address names, how, and the ids of the projects that it is of."""
    match where:
        case Where.PLAN:
            query = select(PlanRow.project_id).where(PlanRow.id == named["plan_id"])
            return "plan", named["plan_id"], session.scalars(query).all()
        case Where.RUN:
            query = select(RunRow.project_id).where(RunRow.id == named["run_id"])
            return "run", named["run_id"], session.scalars(query).all()
        case Where.TEAM:
            of_team = select(ProjectRow.id).join(TeamRow, TeamRow.id == ProjectRow.team_id)
            query = of_team.where((TeamRow.id == named["name"]) | (TeamRow.name == named["name"]))
            return "team", named["name"], session.scalars(query).all()
        case _:
            rows = identities.spelled_alike(session, named["name"]) or identities.titled_alike(session, named["name"])
            return "project", named["name"], [row.id for row in rows]


def _to_apply(session: Session, plan_id: str) -> Permission:
    """What it takes to apply a plan: one that ends its project or changes its settings is a decision about it."""
    body = session.scalar(select(PlanRow.body).where(PlanRow.id == plan_id)) or {}
    decides = body.get("settings") is not None or body.get("purpose") == Purpose.REMOVE.value
    return Permission.DECIDE if decides else Permission.OPERATE


def _forbidden(caller: Caller, permission: Permission, where: str) -> Forbidden:
    if not caller.grants:
        return Forbidden(
            f"You are signed in as {caller.actor.name}, and nobody has given you a role.",
            "Ask an administrator for one, and say what you are to do in which project.",
        )
    having = [role.value for role in Role if permission in MAY[role]]
    roles = f"the role {having[0]} has" if len(having) == 1 else f"the roles {_listed(having)} have"
    return Forbidden(
        f"You may not do this: it needs the right to {permission.value} {where}, which {roles}.",
        "An administrator grants roles.",
    )


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
