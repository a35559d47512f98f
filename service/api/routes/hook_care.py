"""The webhook of a connection: its address, and the secret by which its tracker proves itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from service.api import hook_models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Named, Once
from service.api.problems import placed
from service.api.routing import CreatingRoute, JsonRoute
from service.context import Context
from service.usecases.hook import registration, secret
from service.usecases.setup import connections

router = APIRouter(prefix="/connections", tags=["webhooks"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
listing = APIRouter(tags=["webhooks"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(prefix="/connections", tags=["webhooks"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)


@listing.get(
    "/hooks",
    operation_id="listHooks",
    summary="List the webhooks of all connections",
    response_model=hook_models.HookList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_hooks(context: Given) -> dict[str, Any]:
    """As our records have them: what was registered, what was wrong at the last check, and when the last event came."""
    return {"items": registration.listed_json(context), "next": None}


@router.get(
    "/{name}/hook",
    operation_id="getHook",
    summary="Show a connection's webhook",
    response_model=hook_models.Hook,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def get_hook(name: Named, context: Given) -> dict[str, Any]:
    """Where its tracker sends events, whether a secret is set, and how far the handling is behind."""
    return registration.hook_json(context, name)


@creating.put(
    "/{name}/hook/secret",
    operation_id="setHookSecret",
    summary="Set or rotate the secret of a connection's webhook",
    response_model=hook_models.Hook,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found"),
    },
)
def set_hook_secret(name: Named, body: hook_models.NewSecret, context: Given, once: Once) -> dict[str, Any]:
    """The secret that the tracker signs with: ours, or its own where it has one. The former one counts, too,
    until the overlap is over, so that nothing is refused while both sides change. The connection is not touched."""

    def put() -> str:
        whose = secret.owner(context, name, trigger=False)
        secret.put(context, whose, body.secret.get_secret_value(), body.overlap_hours)
        return whose.id

    with placed(lambda problem: f"/{problem.path}"):
        once(put)
    return registration.hook_json(context, name)


_CARE = openapi.problems(
    *openapi.ALWAYS, *openapi.IDEMPOTENCY, *openapi.TRACKER, "not-found", "conflict", "invalid-input"
)


@creating.post(
    "/{name}/hook/register",
    operation_id="registerHook",
    summary="Have the tracker of a connection send events",
    response_model=hook_models.HookCared,
    dependencies=[IDEMPOTENT],
    responses={200: {"headers": openapi.REPLAYED}, **_CARE},
)
def register_hook(name: Named, context: Given, once: Once) -> dict[str, Any]:
    """One webhook for the whole site, or one for each project of ours; what is there already is put right. What the
    account may not do is told as `steps`."""
    return _cared(registration.register, name, context, once)


@router.post(
    "/{name}/hook/check",
    operation_id="checkHook",
    summary="Look at a connection's webhooks at its tracker",
    response_model=hook_models.HookCared,
    responses=openapi.problems(*openapi.ALWAYS, *openapi.TRACKER, "not-found", "invalid-input"),
)
def check_hook(name: Named, context: Given) -> dict[str, Any]:
    """Which are missing, switched off, failing. Changes nothing there."""
    return registration.cared_json(context, name, registration.check(context, name))


@creating.delete(
    "/{name}/hook",
    operation_id="removeHook",
    summary="Remove a connection's webhooks at its tracker",
    response_model=hook_models.HookCared,
    dependencies=[IDEMPOTENT],
    responses={200: {"headers": openapi.REPLAYED}, **_CARE},
)
def remove_hook(name: Named, context: Given, once: Once) -> dict[str, Any]:
    """With its secrets: nothing is taken in any more."""
    return _cared(registration.remove, name, context, once)


def _cared(
    act: Callable[[Context, str], registration.Cared], name: str, context: Context, once: Once
) -> dict[str, Any]:
    """What came of looking after the webhooks; of a repeated request, how they are."""
    found: list[registration.Cared] = []

    def care() -> str:
        found.append(act(context, name))
        return connections.get(context, name).id

    once(care)
    return registration.cared_json(context, name, found[0] if found else registration.Cared())
