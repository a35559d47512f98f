"""The addresses of teams: all of them, one, and one person of it to be changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.api.given import Named
from service.domain.problems import InvalidInput
from service.pages import teams
from service.pages.frame import TEAMS
from service.pages.given import Form, Here, PressRoute, Sent, Visit, led_to
from service.pages.teams import LONGEST, LONGEST_ABSENCES, Entered
from service.usecases.errors import Conflict
from service.usecases.setup import members

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)


@router.get("/teams")
def show_all(visit: Here) -> Response:
    """All teams that somebody may see."""
    return visit.page("teams.html", teams.page_of(visit.context, visit.caller), TEAMS)


@router.get("/teams/{name}")
def show(name: Named, visit: Here) -> Response:
    """One team, and what its people have."""
    return visit.page("team.html", teams.team_of(visit.context, visit.caller, name), TEAMS)


@router.get("/teams/{name}/person")
def show_person(name: Named, visit: Here, person: Annotated[str, Query(max_length=200)] = "") -> Response:
    """The form of one person, or of somebody new."""
    return visit.page("member.html", teams.person_form(visit.context, name, person), TEAMS)


@pressing.post("/teams/{name}/person")
def put_person(name: Named, visit: Here, form: Sent) -> Response:
    """Write a person anew, or add one; where somebody else changed the team meanwhile, show what, and keep what was
    typed."""
    entered = _entered(form)
    was, version = form("was", 200), _version(form)
    try:
        found = visit.once(lambda: members.put(visit.context, name, version, was, entered.member()).id)
    except InvalidInput as error:
        page = teams.with_errors(teams.person_form(visit.context, name, was, entered), error)
        return visit.page("member.html", page, TEAMS, 422)
    except Conflict as error:
        if error.code != "version-mismatch":
            raise
        return _meanwhile(visit, name, was, form, entered)
    return led_to(f"/teams/{found}")


@pressing.post("/teams/{name}/person/remove")
def remove_person(name: Named, visit: Here, form: Sent) -> Response:
    """Take a person out of the team."""
    was, version = form("was", 200), _version(form)
    try:
        found = visit.once(lambda: members.remove(visit.context, name, version, was).id)
    except InvalidInput as error:
        page = teams.with_errors(teams.person_form(visit.context, name, was), error)
        return visit.page("member.html", page, TEAMS, 422)
    except Conflict as error:
        if error.code != "version-mismatch":
            raise
        return _meanwhile(visit, name, was, form, None)
    return led_to(f"/teams/{found}")


def _meanwhile(visit: Visit, name: str, was: str, form: Form, entered: Entered | None) -> Response:
    page = teams.person_form(visit.context, name, was, entered)
    page = teams.with_conflict(visit.context, page, was, form("seen", 100_000), _version(form))
    return visit.page("member.html", page, TEAMS, 409)


def _entered(form: Form) -> Entered:
    values = {field: form(field, longest + 1) for field, longest in LONGEST.items()}
    return Entered({**values, "absences": form.text("absences")[:LONGEST_ABSENCES]})


def _version(form: Form) -> int:
    said = form("version", 12)
    return int(said) if said.isdecimal() else -1
