"""A project's settings: what its next plan is made from, changed by a plan that is shown first. Who is not the first to
change them is told what others changed, and keeps what they entered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.values import Finding
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import sentence
from service.domain.template.reader import read_template
from service.pages.entries import Given, P
from service.pages.new_project import Choice, Field, _parameters, _zones
from service.pages.plan import Told, told
from service.usecases.plan.planning import Asked
from service.usecases.setup import projects, teams
from service.views.setup import ProjectView

WAS = "was_"
"""What the fields begin with that hold what a value was when the form was shown."""


@dataclass(frozen=True, slots=True)
class ProjectSettingsPage:
    """The form. `meanwhile` says what others changed since it was shown first: a setting, what it was, what it is;
    `blocked` why no plan could be made."""

    id: str
    name: str
    key: str
    fields: tuple[Field, ...]
    was: tuple[tuple[str, str], ...]
    meanwhile: tuple[tuple[str, str, str], ...]
    errors: tuple[tuple[str, str], ...]
    blocked: tuple[Told, ...]
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered against what stands there now: `values` is what the form holds, `changed` what is to be asked
    for, `meanwhile` what others changed, by field, and `clashes` where both did, differently."""

    values: Mapping[str, str]
    changed: Mapping[str, str]
    meanwhile: Mapping[str, tuple[str, str]]
    clashes: Mapping[str, str]


def entered(context: Context, project: ProjectView, given: Mapping[str, str]) -> Entered:
    """The form joined with what the project says now: what somebody left as it was stays as others have it."""
    values, changed, meanwhile, clashes = {}, {}, {}, {}
    for name, now in _now(context, project).items():
        was = given.get(WAS + name, now)
        mine = given.get(name, was)
        if was != now:
            meanwhile[name] = (was, now)
        values[name] = now if mine == was else mine
        if mine not in (was, now):
            changed[name] = mine
            if was != now:
                clashes[name] = (
                    f"Somebody changed it to “{now}” meanwhile. What you entered is kept: send the form again to have"
                    " that, or enter theirs."
                )
    return Entered(values, changed, meanwhile, clashes)


def asked(context: Context, project: ProjectView, changed: Mapping[str, str]) -> Asked:
    """What a plan is to be made with: what was changed, and everything else as it is."""
    return Asked(
        projects.Request(
            name=changed.get("name", project.name),
            key=project.key,
            connection=project.connection_id,
            team=changed.get("team", project.team_id),
            template=projects.template_text(context, project),
            parameters={name.removeprefix(P): value for name, value in changed.items() if name.startswith(P)},
            time_zone=changed.get("zone"),
            create=project.create,
        )
    )


def page_of(
    context: Context,
    caller: Caller,
    project: ProjectView,
    found: Entered | None = None,
    wrong: Mapping[str, str] | None = None,
    blocked: tuple[Finding, ...] = (),
) -> ProjectSettingsPage:
    """The form with what stands there, or what was entered and what is wrong with it."""
    now = _now(context, project)
    values = found.values if found is not None else now
    problems = wrong or {}
    fields = tuple(replace(one, error=problems.get(one.name, "")) for one in _fields(context, caller, project, values))
    labels = {one.name: one.label for one in fields}
    meanwhile = found.meanwhile if found is not None else {}
    return ProjectSettingsPage(
        id=project.id,
        name=project.name,
        key=project.key,
        fields=fields,
        was=tuple((WAS + name, value) for name, value in now.items()),
        meanwhile=tuple((labels.get(name, sentence(name)), *both) for name, both in meanwhile.items()),
        errors=tuple((name, f"{labels.get(name, sentence(name))}: {said}") for name, said in problems.items()),
        blocked=tuple(told(one.severity, one.code, one.message, one.fix) for one in blocked),
        zones=_zones(),
    )


def _now(context: Context, project: ProjectView) -> dict[str, str]:
    """The settings as they stand, by field."""
    team = teams.get(context, project.team_id).name
    given = {f"{P}{name}": _said(value) for name, value in project.parameters.items()}
    return {"name": project.name, "team": team, "zone": project.time_zone, **given}


def _said(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _fields(context: Context, caller: Caller, project: ProjectView, values: Mapping[str, str]) -> list[Field]:
    own = teams.get(context, project.team_id).name
    known = [one.name for one in teams.listed(context)] if caller.may(Permission.READ) else []
    names = sorted({own, *known})
    choices = tuple(Choice(one, one, one == values["team"]) for one in names)
    text = projects.template_text(context, project)
    template = read_template(text.text, text.source)
    return [
        Field("name", "Name", values["name"], longest=200),
        Field("team", "Team", values["team"], "choice", "Who gets the tickets of its roles.", choices=choices),
        Field("zone", "Time zone", values["zone"], help="Such as Europe/Berlin."),
        *_parameters(template, Given(values)),
    ]
