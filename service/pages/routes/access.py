"""The addresses of access: people and their roles, tokens, sessions, and roles by group."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Response

from service.api import cookies
from service.api.given import Id
from service.domain.access.roles import Role
from service.domain.problems import InvalidInput
from service.domain.team.calendar import DateRange
from service.pages import access
from service.pages.access import GROUPS, PEOPLE, SESSIONS, TOKENS, Secret, Shown
from service.pages.frame import ACCESS
from service.pages.given import Form, Here, PressRoute, Sent, Visit, led_to
from service.usecases.access import people, role_rules, sessions, tokens
from service.usecases.errors import Conflict, NotFound

router = APIRouter(include_in_schema=False)
pressing = APIRouter(include_in_schema=False, route_class=PressRoute)

PERSON = "/access/people/{person_id}"


@router.get(PEOPLE)
def show_people(visit: Here) -> Response:
    """People, their roles, and when each was seen last."""
    return visit.page("people.html", access.people_of(visit.context), ACCESS)


@pressing.post(PEOPLE)
def add_person(visit: Here, form: Sent) -> Response:
    """Let somebody sign in with a role, and show the link that lets them in, once."""
    login = form("login", 300)
    made: list[str] = []

    def act() -> str:
        found = people.put(visit.context, login, _role(form), _projects(form), *_terms(visit, form)).row
        made.append(sessions.link(visit.context, found.id))
        return found.id

    try:
        person_id = visit.once(act)
    except (InvalidInput, NotFound, Conflict) as error:
        at = "login" if isinstance(error, Conflict) and error.code == "last-administrator" else "projects"
        shown = Shown(access.wrong_of(error, at), given=_given(form))
        return visit.page("people.html", access.people_of(visit.context, shown), ACCESS, 422)
    return _with_link(visit, person_id, made, f"{login} can sign in now.")


@router.get(PERSON)
def show_person(person_id: Id, visit: Here) -> Response:
    """One person: their roles and sessions."""
    return _person(visit, person_id)


@pressing.post(PERSON)
def new_link(person_id: Id, visit: Here) -> Response:
    """A new link that lets them in, shown once."""
    made: list[str] = []

    def act() -> str:
        made.append(sessions.link(visit.context, person_id))
        return person_id

    visit.once(act)
    return _with_link(visit, person_id, made, "A new sign-in link.")


@pressing.post(PERSON + "/roles")
def give_role(person_id: Id, visit: Here, form: Sent) -> Response:
    """Give them another role; who was removed is let in again with it, and holds no other."""

    def act() -> str:
        found = people.get(visit.context, person_id).row
        give = people.put if found.disabled_at is not None else people.grant
        login = found.login if found.disabled_at is not None else found.id
        return give(visit.context, login, _role(form), _projects(form), *_terms(visit, form)).row.id

    try:
        visit.once(act)
    except (InvalidInput, NotFound, Conflict) as error:
        return _person(visit, person_id, Shown(access.wrong_of(error), given=_given(form)), 422)
    return led_to(f"/access/people/{person_id}")


@pressing.post(PERSON + "/roles/remove")
def take_role(person_id: Id, visit: Here, form: Sent) -> Response:
    """Take a role away that was given by hand."""
    value = form("role", 200)
    role, project = access.role_of(value)
    return _done_to(visit, person_id, value, lambda: people.withdraw(visit.context, person_id, role, project).row.id)


@pressing.post(PERSON + "/remove")
def remove_person(person_id: Id, visit: Here) -> Response:
    """Let them sign in no more."""
    return _done_to(visit, person_id, "remove", lambda: people.remove(visit.context, person_id).row.id)


@pressing.post(PERSON + "/sessions/end")
def end_their_sessions(person_id: Id, visit: Here) -> Response:
    """End all sessions of theirs."""

    def act() -> str:
        sessions.revoke_all(visit.context, person_id)
        return person_id

    visit.once(act)
    return led_to(f"/access/people/{person_id}")


@router.get(TOKENS)
def show_tokens(visit: Here) -> Response:
    """Tokens: what each may do, and when it was used last."""
    return visit.page("tokens.html", access.tokens_of(visit.context), ACCESS)


@pressing.post(TOKENS)
def make_token(visit: Here, form: Sent) -> Response:
    """Make a token, and show it once."""
    name = form("name", 200)
    made: list[str] = []

    def act() -> str:
        ends = access.ends_of(form("days", 5), visit.context.now())
        row, token = tokens.make(visit.context, name, role=_role(form), within=_projects(form), expires_at=ends)
        made.append(token)
        return row.id

    try:
        visit.once(act)
    except (InvalidInput, NotFound, Conflict) as error:
        shown = Shown(access.wrong_of(error), given=_given(form))
        return visit.page("tokens.html", access.tokens_of(visit.context, shown), ACCESS, 422)
    note = "It is not shown again, and kept as a digest alone. Send it as “Authorization: Bearer TOKEN”."
    if not made:
        note = "It was shown once, when the form was sent first. If you did not see it, revoke it and make another."
    secret = Secret(f"The token {name} was made.", "Token", made[0] if made else "", note)
    return visit.once_shown("tokens.html", access.tokens_of(visit.context, Shown(secret=secret)), ACCESS)


@pressing.post(TOKENS + "/{token_id}/revoke")
def revoke_token(token_id: Id, visit: Here) -> Response:
    """Have it open nothing any more."""
    visit.once(lambda: tokens.revoke(visit.context, token_id).row.id)
    return led_to(TOKENS)


@router.get(SESSIONS)
def show_sessions(visit: Here) -> Response:
    """Who is signed in, from where."""
    return visit.page("sessions.html", access.sessions_of(visit.context, visit.session), ACCESS)


@pressing.post(SESSIONS + "/{session_id}/end")
def end_session(session_id: Id, visit: Here, form: Sent) -> Response:
    """End a session, and lead back to the list, or to the person it was of."""

    def act() -> str:
        sessions.revoke(visit.context, session_id)
        return session_id

    visit.once(act)
    person = form("person", 40)
    return led_to(f"/access/people/{person}" if person.isalnum() or person.replace("_", "").isalnum() else SESSIONS)


@router.get(GROUPS)
def show_groups(visit: Here) -> Response:
    """Which groups hold which roles."""
    return visit.page("groups.html", access.groups_of(visit.context), ACCESS)


@pressing.post(GROUPS)
def add_rule(visit: Here, form: Sent) -> Response:
    """Have a group hold a role, from each one's next sign-in on."""

    def act() -> str:
        project = form("project", 200) or None
        return role_rules.add(visit.context, form("value", 600), _role(form), form("claim", 300), project).id

    try:
        visit.once(act)
    except (InvalidInput, NotFound, Conflict) as error:
        shown = Shown(access.wrong_of(error, "project"), given=_given(form))
        return visit.page("groups.html", access.groups_of(visit.context, shown), ACCESS, 422)
    return led_to(GROUPS)


@pressing.post(GROUPS + "/{rule_id}/remove")
def remove_rule(rule_id: Id, visit: Here) -> Response:
    """Take a rule away."""
    visit.once(lambda: role_rules.remove(visit.context, rule_id).id)
    return led_to(GROUPS)


def _person(visit: Visit, person_id: str, shown: Shown | None = None, status: int = 200) -> Response:
    page = access.person_of(visit.context, visit.caller, person_id, visit.session, shown)
    return visit.page("person.html", page, ACCESS, status)


def _with_link(visit: Visit, person_id: str, made: list[str], title: str) -> Response:
    """The person's page with the link of which `made` has the code; without it where a repetition finds that one was
    made."""
    origin = cookies.origin(visit.context, visit.request.scope)
    link = sessions.link_address(origin, made[0]) if made else ""
    note = "It signs them in once, within 15 minutes, and is not shown again."
    if not link:
        note = "The link was shown once, when the form was sent first. “New sign-in link” makes another."
    shown = Shown(secret=Secret(title, "Sign-in link", link, note))
    page = access.person_of(visit.context, visit.caller, person_id, visit.session, shown)
    return visit.once_shown("person.html", page, ACCESS)


def _done_to(visit: Visit, person_id: str, at: str, act: Callable[[], str]) -> Response:
    """Their page after something was done to them; why it was not, beside the button."""
    try:
        visit.once(act)
    except Conflict as error:
        return _person(visit, person_id, Shown(refused=access.refused_of(error), at=at), 409)
    return led_to(f"/access/people/{person_id}")


def _role(form: Form) -> Role:
    return access.role_of(form("role", 20))[0]


def _terms(visit: Visit, form: Form) -> tuple[datetime | None, DateRange | None]:
    return access.terms_of({name: form(name, 20) for name in ("days", "first", "last")}, visit.context.now())


def _projects(form: Form) -> list[str]:
    return [one.strip() for one in form("projects", 1000).split(",") if one.strip()]


def _given(form: Form) -> dict[str, str]:
    return {name: form(name, 1000) for name in form.values if name not in ("form_token", "press")}
