"""The addresses of a new project: the form, the check of its connection, and its plan."""

from __future__ import annotations

from fastapi import APIRouter, Response

from connectors.errors import TrackerError
from connectors.values import Finding, Severity
from service.domain.access.roles import Permission
from service.domain.problems import InvalidInput
from service.pages import entries, new_project
from service.pages.connections import taken
from service.pages.entries import Given, Wrong
from service.pages.frame import PROJECTS
from service.pages.given import Form, Here, PressRoute, Sent, Visit, led_to
from service.pages.new_project import Shown
from service.usecases.errors import Conflict, Forbidden, NotFound
from service.usecases.plan.new_project import NotKept, entered, planned
from service.usecases.setup import connections

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)

_LONG = ("people", "template_text")
_LONGEST = 200_000


@router.get("/projects/new")
def show(visit: Here, plan: str = "") -> Response:
    """The form; the address can carry what is to stand in it, a field each, or the plan to begin with."""
    if plan:
        return _shown(visit, entries.given_by(entered(visit.context, plan), visit.context))
    return _shown(visit, _given(Form(dict(visit.request.query_params))))


@router.post("/projects/new/form")
def work_on(visit: Here, form: Sent) -> Response:
    """Check the connection, or add one, and show the form again with what was entered."""
    given = _given(form)
    if form("do") == "connect":
        return _connect(visit, form, given)
    return _checked(visit, given)


@pressing.post("/projects/new")
def plan(visit: Here, form: Sent) -> Response:
    """Make the plan and lead to it; show the form again where something is wrong."""
    given = _given(form)
    try:
        request, team = entries.request_of(visit.context, given)
        made = visit.once(lambda: planned(visit.context, request, team).id)
    except Wrong as error:
        return _shown(visit, given, Shown(error.problems), 422)
    except (InvalidInput, Conflict, NotFound) as error:
        return _shown(visit, given, Shown(entries.wrong_of(error, given)), 422)
    except NotKept as error:
        found = entries.severe(error.plan.plan.findings)
        fields = entries.blocking_fields(found)
        others = [one for one in found if not entries.blocking_fields([one])]
        return _shown(visit, given, Shown(fields, blocked=others), 422)
    except TrackerError as error:
        trouble = Finding(Severity.ERROR, "unreachable", error.message, error.fix)
        return _shown(visit, given, Shown(blocked=(trouble,)), 503)
    return led_to(f"/plans/{made}")


def _connect(visit: Visit, form: Form, given: Given) -> Response:
    if not visit.may(Permission.ADMINISTER):
        raise Forbidden("You may not add a connection: that takes the role admin.", "An administrator grants roles.")
    secret = form(f"c_{given('c_kind')}_secret", 4000)
    try:
        name = entries.connect(visit.context, given, secret)
    except Wrong as error:
        there = taken(visit.context, given, error.problems)
        leads = _credential(there.id, there.name) if there is not None else None
        return _shown(visit, given, Shown(error.problems, connecting=True, leads=leads), 422)
    kept = {field: value for field, value in given.values.items() if not field.startswith("c_")}
    return _checked(visit, Given({**kept, "connection": name}), added=True)


def _credential(number: str, name: str) -> tuple[str, str]:
    return f"/connections/{number}#credential", f"Change the credential of “{name}”"


def _checked(visit: Visit, given: Given, *, added: bool = False) -> Response:
    key, create = given("key").strip(), given("create", "yes") != "no"
    try:
        found = connections.check(visit.context, given("connection"), key or None, create=create)
    except NotFound as error:
        return _shown(visit, given, Shown(entries.wrong_of(error)), 422)
    one, working = found.connection, connections.last_checks(visit.context).get(found.connection.id)
    broken = working is not None and not working.ok
    said = f"The connection “{one.name}” was added." if added else ""
    if said and broken:
        said += " Its check failed. It is kept: change its credential, or remove it, on its page."
    leads = _credential(one.id, one.name) if broken and visit.may(Permission.ADMINISTER) else None
    return _shown(visit, given, Shown(preflight=found, said=said, leads=leads))


def _given(form: Form) -> Given:
    """What was entered, but for credentials and what proves the form."""
    kept = {name for name in form.values if not name.endswith("_secret") and name not in ("form_token", "press", "do")}
    return Given({name: form.text(name)[:_LONGEST] if name in _LONG else form(name) for name in kept})


def _shown(visit: Visit, given: Given, shown: Shown | None = None, status: int = 200) -> Response:
    page = new_project.page_of(visit.context, visit.caller, given, shown)
    return visit.page("new-project.html", page, PROJECTS, status)
