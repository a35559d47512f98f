"""The whole policy: for every address that the service answers at, what a caller must be allowed to do, and where.

An address that is neither here nor among the exceptions is refused to everybody; a test walks the application's own
table of routes and fails for one that has no rule. What the roles may do is in `roles.MAY`.

To add a route: add a line to `RULES`. Only an address that proves its callers in another way (a signature of a webhook,
a secret in the address) or that has to answer before anybody is known (health, signing in) goes into `EXCEPTIONS`,
with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from service.domain.access.roles import Permission

API = "/api/v1"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""What is asked of an address that answers by itself which methods it takes."""


class Where(Enum):
    """What the permission must have been granted for."""

    EVERYWHERE = auto()
    """All projects: a role in one project does not do."""
    ANYWHERE = auto()
    """Any project: what is answered is of no project, such as the built-in templates."""
    LISTED = auto()
    """Any project: the answer leaves out the projects in which it is not granted."""
    PROJECT = auto()
    """The project that `name` in the address names."""
    PLAN = auto()
    """The project of the plan that `plan_id` in the address names."""
    RUN = auto()
    """The project of the run that `run_id` in the address names."""
    TEAM = auto()
    """One of the projects of the team that `name` in the address names."""
    OWN = auto()
    """Nothing: everybody who is signed in may ask about themselves."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What an address asks for."""

    permission: Permission
    where: Where


def _rules(permission: Permission, where: Where, *addresses: str) -> dict[str, Rule]:
    return {f"{one.split(' ')[0]} {API}{one.split(' ')[1]}": Rule(permission, where) for one in addresses}


def _pages(permission: Permission, *addresses: str) -> dict[str, Rule]:
    """Pages of what belongs to no project."""
    return {one: Rule(permission, Where.EVERYWHERE) for one in addresses}


RULES: Mapping[str, Rule] = {
    **_rules(
        Permission.READ,
        Where.ANYWHERE,
        "GET /templates",
        "GET /templates/{name}",
        "POST /templates/validate",
        "GET /signing-keys",
        "POST /binders/verify",
    ),
    **_rules(
        Permission.READ,
        Where.LISTED,
        *("GET /projects", "GET /runs", "GET /audit", "GET /teams"),
        *("GET /templates/{name}/versions", "GET /templates/{name}/difference"),
    ),
    **_rules(Permission.READ, Where.TEAM, "GET /teams/{name}"),
    **_rules(
        Permission.READ,
        Where.PROJECT,
        "GET /projects/{name}",
        "GET /projects/{name}/items",
        "GET /projects/{name}/drift",
        "GET /projects/{name}/loop",
        "GET /projects/{name}/schedule",
        "GET /projects/{name}/flow",
        "GET /projects/{name}/history",
        "GET /projects/{name}/history.csv",
        "GET /projects/{name}/roles.csv",
        "GET /projects/{name}/tickets.csv",
        "GET /projects/{name}/audit",
        "GET /projects/{name}/audit/{number}",
        "GET /projects/{name}/waivers",
        "GET /projects/{name}/evidence",
        "GET /projects/{name}/evidence/proof",
        "GET /projects/{name}/evidence/{seq}",
        "GET /projects/{name}/binder",
        "GET /projects/{name}/decisions",
        "GET /projects/{name}/metrics",
        "GET /projects/{name}/metrics/{measure:path}.svg",
        "GET /projects/{name}/notices/{kind}",
        "GET /projects/{name}/notice-hours",
        "POST /projects/{name}/advance/preview",
    ),
    # What holds nothing but the iterations that somebody may inspect.
    **_rules(
        Permission.INSPECT,
        Where.PROJECT,
        "GET /projects/{name}/room",
        "GET /projects/{name}/room/{number}/binder",
    ),
    **_rules(
        Permission.ASK,
        Where.PROJECT,
        "POST /projects/{name}/questions",
        "POST /projects/{name}/questions/look",
        "POST /projects/{name}/questions/{question_id}/ticket",
    ),
    **_rules(Permission.READ, Where.PLAN, "GET /plans/{plan_id}"),
    **_rules(Permission.READ, Where.RUN, "GET /runs/{run_id}", "GET /runs/{run_id}/steps", "GET /runs/{run_id}/events"),
    **_rules(
        Permission.OPERATE,
        Where.PROJECT,
        "POST /projects/{name}/plans",
        "POST /projects/{name}/advance",
        "PATCH /projects/{name}/loop/answers",
        "POST /projects/{name}/audit/runs",
    ),
    **_rules(Permission.OPERATE, Where.PLAN, "POST /plans/{plan_id}/apply"),
    **_rules(
        Permission.OPERATE,
        Where.RUN,
        "POST /runs/{run_id}/cancel",
        "POST /runs/{run_id}/retry",
        "POST /runs/{run_id}/resume",
        "POST /runs/{run_id}/undo-plans",
    ),
    **_rules(
        Permission.DECIDE,
        Where.PROJECT,
        "PATCH /projects/{name}",
        "PUT /projects/{name}/notice-hours",
        "POST /projects/{name}/removal-plans",
        "POST /projects/{name}/loop/pause",
        "POST /projects/{name}/loop/resume",
        "POST /projects/{name}/loop/skip",
        "POST /projects/{name}/loop/renew-feed",
        "PUT /projects/{name}/loop/decision",
        "DELETE /projects/{name}/loop/decision",
        "POST /projects/{name}/waivers",
        "DELETE /projects/{name}/waivers/{waiver_id}",
    ),
    # What belongs to no project, or to several: a role in one of them does not do.
    **_rules(
        Permission.READ,
        Where.EVERYWHERE,
        "GET /connections",
        "GET /connections/{name}",
        "GET /connections/{name}/mapping",
        "GET /connections/{name}/hook",
        "GET /hooks",
        "GET /events",
        "GET /events/{event_id}",
        "GET /triggers",
        "GET /triggers/{name}",
        "GET /receivers",
        "GET /receivers/{name}",
        "GET /deliveries",
        "GET /deliveries/{message_id}",
    ),
    **_rules(
        Permission.OPERATE,
        Where.EVERYWHERE,
        "POST /connections/{name}/check",
        "POST /connections/{name}/survey",
        "POST /connections/{name}/hook/check",
        "POST /events/{event_id}/replay",
        "POST /events/replay",
        "POST /triggers/test",
        "POST /receivers/{name}/test",
        "POST /deliveries/{message_id}/replay",
        "POST /deliveries/replay",
    ),
    **_rules(
        Permission.DECIDE,
        Where.EVERYWHERE,
        "POST /projects",
        "POST /teams",
        "PUT /teams/{name}",
        "PUT /connections/{name}/mapping",
    ),
    **_rules(
        Permission.ADMINISTER,
        Where.EVERYWHERE,
        "POST /connections",
        "PUT /connections/{name}",
        "PUT /connections/{name}/hook/secret",
        "POST /connections/{name}/hook/register",
        "DELETE /connections/{name}",
        "DELETE /connections/{name}/hook",
        # What a trigger starts, it starts as the service itself.
        "POST /triggers",
        "PUT /triggers/{name}",
        "PATCH /triggers/{name}",
        "DELETE /triggers/{name}",
        "PUT /triggers/{name}/secret",
        "GET /people",
        "POST /people",
        "GET /people/{person_id}",
        "DELETE /people/{person_id}",
        "POST /people/{person_id}/links",
        "POST /people/{person_id}/grants",
        "DELETE /people/{person_id}/grants/{role}",
        "GET /sessions",
        "DELETE /sessions/{session_id}",
        # A receiver is told of all projects, and takes a credential.
        "POST /receivers",
        "PATCH /receivers/{name}",
        "DELETE /receivers/{name}",
        "GET /tokens",
        "POST /tokens",
        "DELETE /tokens/{token_id}",
        "GET /role-rules",
        "POST /role-rules",
        "DELETE /role-rules/{rule_id}",
    ),
    **_rules(Permission.READ_LOG, Where.EVERYWHERE, "GET /changes", "GET /changes.csv", "GET /changes/proof"),
    **_rules(Permission.READ, Where.OWN, "GET /me"),
    # Pages. Each asks for what the request of the API asks for that does or shows the same.
    "GET /": Rule(Permission.INSPECT, Where.LISTED),  # whoever may see no project whole is led to the room
    "GET /room": Rule(Permission.INSPECT, Where.LISTED),
    "GET /projects/{name}/room": Rule(Permission.INSPECT, Where.PROJECT),
    "GET /projects/{name}/room/findings.csv": Rule(Permission.INSPECT, Where.PROJECT),
    "GET /projects/{name}/room/{number}/binder": Rule(Permission.INSPECT, Where.PROJECT),
    "POST /projects/{name}/room/questions": Rule(Permission.ASK, Where.PROJECT),
    "POST /projects/{name}/room/questions/look": Rule(Permission.ASK, Where.PROJECT),
    "POST /projects/{name}/room/questions/{question_id}/ticket": Rule(Permission.ASK, Where.PROJECT),
    "GET /runs": Rule(Permission.READ, Where.LISTED),
    "GET /go": Rule(Permission.READ, Where.LISTED),
    "GET /audit": Rule(Permission.READ, Where.LISTED),
    **{f"GET /templates{one}": Rule(Permission.READ, Where.LISTED) for one in ("", "/{name}", "/{name}/difference")},
    "GET /projects/new": Rule(Permission.DECIDE, Where.EVERYWHERE),
    "POST /projects/new": Rule(Permission.DECIDE, Where.EVERYWHERE),
    "POST /projects/new/form": Rule(Permission.DECIDE, Where.EVERYWHERE),  # a connection takes the right to administer
    "GET /projects/{name}": Rule(Permission.READ, Where.PROJECT),
    "GET /projects/{name}/advance": Rule(Permission.READ, Where.PROJECT),
    "GET /projects/{name}/evolution": Rule(Permission.READ, Where.PROJECT),
    "GET /projects/{name}/burn-up": Rule(Permission.READ, Where.PROJECT),
    "GET /projects/{name}/drift": Rule(Permission.READ, Where.PROJECT),
    "POST /projects/{name}/drift": Rule(Permission.OPERATE, Where.PROJECT),
    "GET /projects/{name}/settings": Rule(Permission.DECIDE, Where.PROJECT),
    "POST /projects/{name}/settings": Rule(Permission.DECIDE, Where.PROJECT),
    "GET /projects/{name}/audit": Rule(Permission.READ, Where.PROJECT),
    "POST /projects/{name}/waivers": Rule(Permission.DECIDE, Where.PROJECT),
    "POST /projects/{name}/advance": Rule(Permission.OPERATE, Where.PROJECT),
    "POST /projects/{name}/plans": Rule(Permission.OPERATE, Where.PROJECT),
    "POST /projects/{name}/audit": Rule(Permission.OPERATE, Where.PROJECT),
    "POST /projects/{name}/waivers/{waiver_id}/revoke": Rule(Permission.DECIDE, Where.PROJECT),
    "POST /projects/{name}/decision": Rule(Permission.DECIDE, Where.PROJECT),
    "POST /projects/{name}/decision/remove": Rule(Permission.DECIDE, Where.PROJECT),
    "POST /projects/{name}/pause": Rule(Permission.DECIDE, Where.PROJECT),
    "POST /projects/{name}/resume": Rule(Permission.DECIDE, Where.PROJECT),
    "GET /plans/{plan_id}": Rule(Permission.READ, Where.PLAN),
    "POST /plans/{plan_id}/apply": Rule(Permission.OPERATE, Where.PLAN),
    "GET /runs/{run_id}": Rule(Permission.READ, Where.RUN),
    **{
        f"POST /runs/{{run_id}}/{one}": Rule(Permission.OPERATE, Where.RUN)
        for one in ("cancel", "retry", "resume", "undo")
    },
    **_pages(
        Permission.ADMINISTER,
        "GET /access",
        "POST /access",
        "GET /access/people/{person_id}",
        "POST /access/people/{person_id}",
        "POST /access/people/{person_id}/roles",
        "POST /access/people/{person_id}/roles/remove",
        "POST /access/people/{person_id}/remove",
        "POST /access/people/{person_id}/sessions/end",
        "GET /access/tokens",
        "POST /access/tokens",
        "POST /access/tokens/{token_id}/revoke",
        "GET /access/sessions",
        "POST /access/sessions/{session_id}/end",
        "GET /access/groups",
        "POST /access/groups",
        "POST /access/groups/{rule_id}/remove",
    ),
    **_pages(Permission.READ_LOG, "GET /changes"),
    **_pages(Permission.ADMINISTER, "GET /settings"),
    "GET /schedule": Rule(Permission.READ, Where.LISTED),
    "GET /projects/{name}/schedule": Rule(Permission.READ, Where.PROJECT),
    "POST /projects/{name}/skip": Rule(Permission.DECIDE, Where.PROJECT),
    "POST /projects/{name}/freezes": Rule(Permission.DECIDE, Where.PROJECT),
    "POST /projects/{name}/freezes/remove": Rule(Permission.DECIDE, Where.PROJECT),
    "GET /teams": Rule(Permission.READ, Where.LISTED),
    "GET /teams/{name}": Rule(Permission.READ, Where.TEAM),
    "GET /teams/{name}/person": Rule(Permission.DECIDE, Where.EVERYWHERE),
    "POST /teams/{name}/person": Rule(Permission.DECIDE, Where.EVERYWHERE),
    "POST /teams/{name}/person/remove": Rule(Permission.DECIDE, Where.EVERYWHERE),
    "GET /events": Rule(Permission.READ, Where.EVERYWHERE),
    "GET /events/{event_id}": Rule(Permission.READ, Where.EVERYWHERE),
    "POST /events/replay": Rule(Permission.OPERATE, Where.EVERYWHERE),
    "POST /events/{event_id}/replay": Rule(Permission.OPERATE, Where.EVERYWHERE),
    "GET /triggers": Rule(Permission.READ, Where.EVERYWHERE),
    "GET /triggers/test": Rule(Permission.OPERATE, Where.EVERYWHERE),
    "POST /triggers/test": Rule(Permission.OPERATE, Where.EVERYWHERE),
    "GET /triggers/{name}": Rule(Permission.READ, Where.EVERYWHERE),
    "POST /triggers/{name}/state": Rule(Permission.ADMINISTER, Where.EVERYWHERE),
    "POST /triggers/{name}/remove": Rule(Permission.ADMINISTER, Where.EVERYWHERE),
    **_pages(Permission.READ, "GET /receivers", "GET /receivers/preview", "GET /receivers/{name}", "GET /deliveries"),
    **_pages(
        Permission.OPERATE,
        *("POST /receivers/{name}/test", "POST /deliveries/replay", "POST /deliveries/{message_id}/replay"),
    ),
    **_pages(Permission.ADMINISTER, "GET /receivers/new", "POST /receivers/new"),
    **_pages(
        Permission.ADMINISTER,
        *(f"POST /receivers/{{name}}/{one}" for one in ("subscribe", "unsubscribe", "credential", "remove")),
    ),
    "GET /connections": Rule(Permission.READ, Where.EVERYWHERE),
    "GET /connections/{name}": Rule(Permission.READ, Where.EVERYWHERE),
    "GET /connections/new": Rule(Permission.ADMINISTER, Where.EVERYWHERE),
    "POST /connections/new": Rule(Permission.ADMINISTER, Where.EVERYWHERE),
    "POST /connections/{name}/check": Rule(Permission.OPERATE, Where.EVERYWHERE),
    "POST /connections/{name}/hook/check": Rule(Permission.OPERATE, Where.EVERYWHERE),
    **{
        f"POST /connections/{{name}}/{one}": Rule(Permission.ADMINISTER, Where.EVERYWHERE)
        for one in ("remove", "credential", "hook/register", "hook/remove", "hook/secret")
    },
    "GET /account": Rule(Permission.READ, Where.OWN),
    "GET /kept/{form_id}": Rule(Permission.READ, Where.OWN),
    "POST /kept/{form_id}/discard": Rule(Permission.READ, Where.OWN),
    "POST /account/sessions/{session_id}/revoke": Rule(Permission.READ, Where.OWN),
    "POST /sign-out": Rule(Permission.READ, Where.OWN),
}

_DELIVERIES = {
    f"{method} /hooks/{one}": why
    for method in sorted(METHODS - {"HEAD"})
    for one, why in (
        ("{name}", "takes what a tracker signs with the connection's secret, and refuses where none is set"),
        ("t/{name}", "takes what a sender signs with the trigger's secret, and refuses where none is set"),
    )
}

EXCEPTIONS: Mapping[str, str] = {
    **_DELIVERIES,
    "GET /healthz": "says only that the process lives, to whoever watches over it",
    "GET /readyz": "says only whether the service can work, to whoever watches over it",
    "GET /feeds/{secret}.ics": "its address holds a secret of 192 random bits, for calendar programs send no token",
    "GET /unsubscribe/{secret}": "shows what mails a link ends; it holds a secret of 192 random bits",
    "POST /unsubscribe/{secret}": "ends them, as mail programs do by themselves (RFC 8058): they send no cookie",
    "GET /sign-in": "shows the form to sign in with",
    "POST /sign-in": "takes the code of a link, 256 random bits, and checks where the form came from",
    "GET /sign-in/oidc": "leads to the provider to sign in with; its answer opens nothing by itself",
    "GET /sign-in/oidc/callback": "takes the provider's answer, which is held against the attempt of this browser",
    "GET /assets/{digest}/{file}": "is how pages look, the same for everybody",
    f"GET {API}/openapi.json": "describes the API and holds nothing of anybody's",
}
"""Addresses that ask for no role, with the reason. Each is a method and a path as the route has it."""


def rule_of(method: str, path: str) -> Rule | None:
    """The rule for a route; None where there is none, which means that it is refused."""
    return RULES.get(f"{'GET' if method == 'HEAD' else method} {path}")


def is_exception(method: str, path: str) -> bool:
    """Whether a route asks for no role."""
    return f"{'GET' if method == 'HEAD' else method} {path}" in EXCEPTIONS
