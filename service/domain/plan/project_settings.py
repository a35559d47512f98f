"""What a project is made from, as plain values, and a change of it that travels with a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

_NESTED = ("parameters", "calendar", "turning", "audit")
"""Settings that hold settings of their own: each of those changes, and is taken back, by itself."""

_NOT_SAID = object()
"""Of a setting within another that is not there: team or template decide. That is not the same as None (no limit)."""

_WORDS = frozenset({"template_title", "team_name"})
"""Fields that say in words what another field identifies."""


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The settings of one project as they are stored: `team` is a team's id, `template` the SHA-256 of a template's
    text; `template_title` (name and version) and `team_name` say the same to people."""

    name: str
    team: str
    team_name: str
    template: str
    template_title: str
    create: bool
    parameters: Mapping[str, Any]
    time_zone: str
    calendar: Mapping[str, Any]
    turning: Mapping[str, Any]
    audit: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TeamChange:
    """New contents of a team (as a team file's JSON). `version` is the team's when the change was made: it is written
    only while the team still has that one. `projects` are the keys of the other projects that follow the same team."""

    id: str
    name: str
    version: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """Settings that a plan was made with and that become the project's when it is applied, in the same unit of work."""

    before: ProjectSettings
    after: ProjectSettings
    team: TeamChange | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting that changes: its path (`parameters.start_date`), and both values as people read them; None where the
    project says nothing of it, so that its team or template decides."""

    field: str
    before: Any
    after: Any


def entries(change: SettingsChange) -> list[Entry]:
    """The settings that differ, in a fixed order; of a team's contents the people who come, go or change."""
    found = [
        Entry(path, _shown(change.before, path), _shown(change.after, path))
        for path in _paths(change.before, change.after)
    ]
    return [*found, *(_people(change.team) if change.team is not None else ())]


def reverse(
    applied: SettingsChange, current: ProjectSettings, team: Mapping[str, Any] | None, version: int
) -> tuple[SettingsChange | None, list[str]]:
    """The change that takes `applied` back from the settings as they are now, None if nothing of it is left; and the
    paths of settings that were changed again since, which stay as they are. `team` and `version` are the contents and
    version now of the team that was changed, None where it is gone."""
    after, kept = current, []
    for path in _paths(applied.before, applied.after):
        if _value(current, path) == _value(applied.after, path):
            after = _with(after, applied.before, path)
        elif _value(current, path) != _value(applied.before, path):
            kept.append(path)
    back = None
    if applied.team is not None and team is not None and applied.team.before != applied.team.after:
        if team == applied.team.after:
            changed = applied.team
            back = replace(changed, version=version, before=changed.after, after=changed.before)
        elif team != applied.team.before:
            kept.append("team people")
    if back is None and not _paths(current, after):
        return None, kept
    return SettingsChange(current, after, back), kept


def differ(one: ProjectSettings, other: ProjectSettings) -> bool:
    """Whether any setting differs; words for people do not count."""
    return bool(_paths(one, other))


def _paths(before: ProjectSettings, after: ProjectSettings) -> list[str]:
    """The paths of the settings that differ; a setting within another by its own."""
    return [path for path in _all_paths(before, after) if _value(before, path) != _value(after, path)]


def _all_paths(before: ProjectSettings, after: ProjectSettings) -> Iterator[str]:
    for one in fields(ProjectSettings):
        if one.name in _NESTED:
            names = {*getattr(before, one.name), *getattr(after, one.name)}
            yield from (f"{one.name}.{name}" for name in sorted(names))
        elif one.name not in _WORDS:
            yield one.name


def _value(settings: ProjectSettings, path: str) -> Any:
    outer, _dot, inner = path.partition(".")
    value = getattr(settings, outer)
    return value.get(inner, _NOT_SAID) if inner else value


def _with(settings: ProjectSettings, other: ProjectSettings, path: str) -> ProjectSettings:
    """The settings with what another has at this path."""
    outer, _dot, inner = path.partition(".")
    if not inner:
        words = {name: getattr(other, name) for name in _WORDS if name.startswith(outer)}
        return replace(settings, **{outer: getattr(other, outer)}, **words)
    theirs: Mapping[str, Any] = getattr(other, outer)
    nested: dict[str, Any] = {name: value for name, value in getattr(settings, outer).items() if name != inner}
    values: dict[str, Any] = {outer: {**nested, inner: theirs[inner]} if inner in theirs else nested}
    return replace(settings, **values)


def _shown(settings: ProjectSettings, path: str) -> Any:
    match path:
        case "team":
            return settings.team_name
        case "template":
            return f"{settings.template_title} ({settings.template[:8]})"
        case _:
            value = _value(settings, path)
            return None if value is _NOT_SAID else "none" if value is None else value


def _people(change: TeamChange) -> list[Entry]:
    """Who comes, who goes, and whose entry changes; and whatever else of the team does."""
    before, after = (_by_person(body) for body in (change.before, change.after))
    people = [
        Entry(f"team {name}", before.get(name), after.get(name))
        for name in [*before, *(name for name in after if name not in before)]
        if before.get(name) != after.get(name)
    ]
    names = sorted(({*change.before} | {*change.after}) - {"members"})
    return people + [
        Entry(f"team {name}", change.before.get(name), change.after.get(name))
        for name in names
        if change.before.get(name) != change.after.get(name)
    ]


def _by_person(body: Mapping[str, Any]) -> dict[str, Any]:
    return {str(member.get("person")): member for member in body.get("members", ())}
