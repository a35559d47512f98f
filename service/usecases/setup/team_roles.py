"""The roles that the people of a team can hold: those of the templates of its projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select

from service import templates
from service.context import Context
from service.domain.problems import InvalidInput
from service.domain.template.reader import read_template
from service.store.tables import ProjectRow, TemplateRow
from service.views.setup import TeamView


@dataclass(frozen=True, slots=True)
class TeamRoles:
    """Roles by key with their titles. `of_projects` says whether the team has projects whose templates these are of;
    else they are those of the built-in templates."""

    known: Mapping[str, str]
    of_projects: bool


def of_team(context: Context, team: TeamView) -> TeamRoles:
    """The roles of the templates of the team's projects that have not ended; of the built-in ones where it has none."""
    ours = ProjectRow.team_id == team.id, ProjectRow.ended_at.is_(None), ProjectRow.planned.is_(False)
    digests = select(ProjectRow.template_digest).where(*ours)
    with context.database.session() as session:
        texts = session.scalars(
            select(TemplateRow.text).where(TemplateRow.digest.in_(digests)).order_by(TemplateRow.created_at)
        ).all()
    known = {key: title for text in texts for key, title in _roles_in(text)}
    if known:
        return TeamRoles(known, of_projects=True)
    built_in = {key: title for one in templates.builtin() for key, title in _roles_in(one.text)}
    return TeamRoles(built_in, of_projects=False)


@lru_cache(maxsize=64)
def _roles_in(text: str) -> tuple[tuple[str, str], ...]:
    """The roles of a template; kept, because a template takes long to read. None of one that an earlier version kept
    and this one cannot read."""
    try:
        template = read_template(text, "template")
    except InvalidInput:
        return ()
    return tuple((key, one.title) for key, one in template.roles.items())
