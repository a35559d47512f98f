"""One person of a team changed, added or removed: each is a new version of the team, made from the version that was
looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from service.context import Context
from service.domain.problems import InvalidInput, Problem
from service.domain.team.team import team_from_json
from service.domain.template.shape import meant_of
from service.usecases.errors import Conflict
from service.usecases.setup import team_roles, teams
from service.views.setup import TeamView

Body = dict[str, Any]


def put(context: Context, team: str, version: int, person: str, member: Mapping[str, Any]) -> TeamView:
    """Write a person anew (`person` is the name as it was), or with no name add one. `member` is as in a team file. A
    role that no template of the team's projects has is refused; of a team without projects nobody knows which there
    are.

    Raises NotFound; InvalidInput, whose paths begin with the field of the person; Conflict if the team is not at that
    version.
    """

    unknown = _unknown_roles(context, teams.get(context, team), member)

    def change(members: list[Body]) -> int:
        if not person:
            members.append(dict(member))
            return len(members) - 1
        at = _index(members, person)
        members[at] = dict(member)
        return at

    return _changed(context, team, version, change, unknown)


def _unknown_roles(context: Context, team: TeamView, member: Mapping[str, Any]) -> list[Problem]:
    roles = team_roles.of_team(context, team)
    if not roles.of_projects:
        return []
    named = [str(one) for one in member.get("roles", ())]
    return [
        Problem(
            "team", None, "roles", f'no template of its projects has the role "{one}"', meant_of(one, [*roles.known])
        )
        for one in named
        if one not in roles.known
    ]


def remove(context: Context, team: str, version: int, person: str) -> TeamView:
    """Take a person out of the team; what they have in the tracker stays theirs until the next plan. Raises NotFound,
    InvalidInput (the last person), Conflict."""

    def change(members: list[Body]) -> None:
        del members[_index(members, person)]
        if not members:
            fix = "add another person first"
            raise InvalidInput([Problem("team", None, "person", "is the last one of the team", fix)])

    return _changed(context, team, version, change)


def _index(members: Sequence[Body], person: str) -> int:
    for at, one in enumerate(members):
        if one["person"] == person:
            return at
    raise InvalidInput([Problem("team", None, "person", f"{person!r} is nobody of the team", "look at the team again")])


def _changed(
    context: Context,
    name: str,
    version: int,
    change: Callable[[list[Body]], int | None],
    also: Sequence[Problem] = (),
) -> TeamView:
    row = teams.get(context, name)
    if row.version != version:
        raise Conflict("version-mismatch", f"The team {row.name!r} was changed meanwhile.", "Read it again first.")
    members = [dict(one) for one in row.body["members"]]
    at = change(members)
    try:
        team = team_from_json({**row.body, "members": members}, source="team")
    except InvalidInput as error:
        raise InvalidInput([*also, *(_of_the_person(one, at) for one in error.problems)]) from error
    if also:
        raise InvalidInput(also)
    return teams.put(context, team, expected_version=version)


def _of_the_person(one: Problem, at: int | None) -> Problem:
    path = one.path.removeprefix(f"members[{at}]").removeprefix(".")
    return Problem(one.source, one.line, path or "person", one.message, one.fix)
