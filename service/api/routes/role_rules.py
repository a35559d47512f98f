"""Which roles the sign-in provider's groups and other claims give."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, status

from service.api import access_models, hook_models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Id, Once
from service.api.problems import placed
from service.api.routing import CreatingRoute, JsonRoute
from service.domain.access.roles import Role
from service.domain.problems import Problem
from service.usecases.access import role_rules

_PREFIX = "/role-rules"

router = APIRouter(prefix=_PREFIX, tags=["access"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix=_PREFIX, tags=["access"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)


@router.get(
    "",
    operation_id="listRoleRules",
    summary="List which claims give which roles",
    response_model=access_models.RoleRuleList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_rules(context: Given) -> dict[str, Any]:
    """Oldest first. What is in none of them gives no role."""
    return {"items": [role_rules.rule_json(one) for one in role_rules.listed(context)], "next": None}


@creating.post(
    "",
    operation_id="addRoleRule",
    summary="Have a claim give a role",
    status_code=status.HTTP_201_CREATED,
    response_model=access_models.RoleRule,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found", "ambiguous"),
    },
)
def add_rule(body: access_models.NewRoleRule, context: Given, once: Once) -> dict[str, Any]:
    """Everybody of whom the provider says so holds the role from their next sign-in on."""

    def add() -> str:
        return role_rules.add(context, body.value, Role(body.role), body.claim or "", body.project).id

    with placed(_pointer):
        return role_rules.rule_json(role_rules.get(context, once(add)))


@creating.delete(
    "/{rule_id}",
    operation_id="removeRoleRule",
    summary="Take a rule away",
    response_model=hook_models.Removed,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "ambiguous", "invalid-input"),
    },
)
def remove_rule(rule_id: Id, context: Given, once: Once) -> dict[str, Any]:
    """The role that it gave is gone from each one's next sign-in on."""
    return {"id": once(lambda: role_rules.remove(context, rule_id).id)}


def _pointer(problem: Problem) -> str | None:
    return problem.pointer if problem.source == "role rule" else None
