"""Who signs in: people with their roles, the links that let them in, and their sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, status

from service.api import access_models, cookies, hook_models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Id, Once
from service.api.problems import placed
from service.api.routing import CreatingRoute, JsonRoute, SecretRoute
from service.domain.access.roles import Role
from service.domain.problems import Problem
from service.domain.team.calendar import DateRange
from service.usecases.access import people, sessions
from service.usecases.setup import projects

router = APIRouter(tags=["access"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(tags=["access"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)
secretive = APIRouter(tags=["access"], dependencies=[AUTHENTICATED], route_class=SecretRoute)

Somebody = Annotated[
    str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="Id or login.")
]
_CHANGED: dict[int | str, dict[str, Any]] = {200: {"headers": openapi.REPLAYED}}


@router.get(
    "/people",
    operation_id="listPeople",
    summary="List who may sign in",
    response_model=access_models.PersonList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_people(context: Given) -> dict[str, Any]:
    """By login, those who were removed included."""
    return {"items": [people.person_json(one) for one in people.listed(context)], "next": None}


@router.get(
    "/people/{person_id}",
    operation_id="getPerson",
    summary="Show a person",
    response_model=access_models.Person,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def get_person(person_id: Somebody, context: Given) -> dict[str, Any]:
    """Their roles, by whom they were given, and when they were here last."""
    return people.person_json(people.get(context, person_id))


@creating.post(
    "/people",
    operation_id="putPerson",
    summary="Let somebody sign in",
    response_model=access_models.Person,
    dependencies=[IDEMPOTENT],
    responses={
        **_CHANGED,
        **openapi.problems(
            *openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found", "ambiguous", "last-administrator"
        ),
    },
)
def put_person(body: access_models.NewPerson, context: Given, once: Once) -> dict[str, Any]:
    """With this role, in place of all others that they were given by hand; somebody who was removed is back. They need
    a link, or a provider, to sign in with."""

    def put() -> str:
        role, within = Role(body.role), body.projects
        return people.put(context, body.login, role, within, body.expires_at, _days(body.period)).row.id

    with placed(_pointer):
        return people.person_json(people.get(context, once(put)))


@creating.delete(
    "/people/{person_id}",
    operation_id="removePerson",
    summary="Remove a person",
    response_model=access_models.Person,
    dependencies=[IDEMPOTENT],
    responses={
        **_CHANGED,
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "invalid-input", "last-administrator"),
    },
)
def remove_person(person_id: Somebody, context: Given, once: Once) -> dict[str, Any]:
    """They sign in no more, and what they have open ends with its next request. Repeatable."""
    return people.person_json(people.get(context, once(lambda: people.remove(context, person_id).row.id)))


@creating.post(
    "/people/{person_id}/grants",
    operation_id="grantRole",
    summary="Give somebody another role",
    response_model=access_models.Person,
    dependencies=[IDEMPOTENT],
    responses={
        **_CHANGED,
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found", "ambiguous", "conflict"),
    },
)
def grant_role(person_id: Somebody, body: access_models.NewGrant, context: Given, once: Once) -> dict[str, Any]:
    """Beside those that they hold. Who was removed is let in by `POST /people` first."""

    def give() -> str:
        within = [body.project] if body.project is not None else []
        return people.grant(context, person_id, Role(body.role), within, body.expires_at, _days(body.period)).row.id

    with placed(_pointer):
        return people.person_json(people.get(context, once(give)))


@creating.delete(
    "/people/{person_id}/grants/{role}",
    operation_id="withdrawRole",
    summary="Take a role away",
    response_model=access_models.Person,
    dependencies=[IDEMPOTENT],
    responses={
        **_CHANGED,
        **openapi.problems(
            *openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "ambiguous", "invalid-input", "last-administrator"
        ),
    },
)
def withdraw_role(
    person_id: Somebody,
    role: Annotated[access_models.RoleName, Path(description="The role.")],
    context: Given,
    once: Once,
    project: Annotated[
        str | None,
        Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="In it; left out: in all."),
    ] = None,
) -> dict[str, Any]:
    """One that was given by hand; what a provider says of them is not touched. Repeatable."""

    def take() -> str:
        where = projects.past_or_present(context, project).id if project is not None else None
        return people.withdraw(context, person_id, Role(role), where).row.id

    return people.person_json(people.get(context, once(take)))


@secretive.post(
    "/people/{person_id}/links",
    operation_id="createSignInLink",
    summary="Make a link that signs somebody in",
    status_code=status.HTTP_201_CREATED,
    response_model=access_models.SignInLink,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "invalid-input"),
    },
)
def create_link(person_id: Somebody, request: Request, context: Given, once: Once) -> dict[str, Any]:
    """Once, within 15 minutes. It is in this answer and nowhere else."""
    made: list[str] = []

    def make() -> str:
        person = people.get(context, person_id).row.id
        made.append(sessions.link(context, person))
        return person

    person = people.get(context, once(make)).row
    origin = cookies.origin(context, request.scope)
    link = sessions.link_address(origin, made[0]) if made else None
    return {"person": person.id, "login": person.login, "token": link}


@router.get(
    "/sessions",
    operation_id="listSessions",
    summary="List who is signed in",
    response_model=access_models.SessionList,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def list_sessions(
    context: Given,
    person: Annotated[
        str | None,
        Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="Only of this person."),
    ] = None,
) -> dict[str, Any]:
    """Newest first, those that last."""
    whose = people.get(context, person).row.id if person is not None else None
    return {"items": [sessions.session_json(one) for one in sessions.listed(context, whose)], "next": None}


@creating.delete(
    "/sessions/{session_id}",
    operation_id="endSession",
    summary="End a session",
    response_model=hook_models.Removed,
    dependencies=[IDEMPOTENT],
    responses={
        **_CHANGED,
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "ambiguous", "invalid-input"),
    },
)
def end_session(session_id: Id, context: Given, once: Once) -> dict[str, Any]:
    """From its next request on. Repeatable."""

    def end() -> str:
        sessions.revoke(context, session_id)
        return session_id

    return {"id": once(end)}


def _days(period: access_models.Period | None) -> DateRange | None:
    return period.days() if period is not None else None


def _pointer(problem: Problem) -> str | None:
    return problem.pointer if problem.source == "person" else None
