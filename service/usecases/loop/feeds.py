"""A project's calendar feed: who knows its address may read it, so the address holds a secret that can be renewed."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from service.context import Context
from service.domain.loop import loop_state
from service.domain.loop.course import Course
from service.domain.plan import feed as calendar_feed
from service.store import loops
from service.store.secrets import new_feed_secret
from service.store.tables import IterationRow, LoopRow, ProjectRow, TeamRow
from service.usecases.errors import Conflict, NotFound
from service.usecases.loop.scheduling import changing, course_of, tell
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects
from service.views.loop import LoopView


def feed(context: Context, secret: str) -> bytes:
    """The iterations and meetings of the project whose feed has this secret, as an iCalendar document: what has begun
    and, while its loop turns, what is planned to come. The same document as long as nothing changed.

    Raises NotFound, InvalidInput (an iteration cannot be placed on the calendar).
    """
    with context.database.session() as session:
        loop = session.scalar(select(LoopRow).where(LoopRow.feed == secret))
        if loop is None:
            raise NotFound("calendar feed", "at this address", "Its address was renewed, or never was.")
        project = session.get_one(ProjectRow, loop.project_id)
        team = session.get_one(TeamRow, project.team_id)
        begun = session.scalars(select(IterationRow).where(IterationRow.project_id == project.id))
        titles = {row.number: row.title for row in begun}
    known = material(context, project.id)
    return calendar_feed.feed(
        known.template,
        known.parameters,
        project.name,
        project.key,
        project.id,
        _shown(known),
        known.calendar,
        url=project.url,
        stamp=max(loop.updated_at, team.updated_at),
        titles=titles,
    )


def feed_secret(context: Context, project: str) -> str:
    """The secret in the address of the project's feed. Raises NotFound, Conflict (the loop has not begun)."""
    row = projects.get(context, project)
    with context.database.session() as session:
        loop = loops.find(session, row.id)
    if loop is None:
        raise Conflict("loop-not-begun", f"The loop of {row.key} has not begun.", "It does when a plan was applied.")
    return loop.feed


def renew_feed(context: Context, project: str, by: str) -> LoopView:
    """Rotate the URL of the project's feed; the former one stops working. Raises NotFound, Conflict."""
    row = projects.going_on(context, project)
    now = context.now()
    with changing(context, row) as (session, loop):
        loop.feed = new_feed_secret()
        tell(session, loop, "feed-renewed", f"The URL of the calendar feed of {row.key} was rotated.", by, now, {})
        context.done(session, row.id)
    return LoopView.of(loop)


def _shown(known: Material) -> Course:
    """The iterations in the feed: of a loop that does not turn, nobody knows when the next one begins."""
    if known.loop is not None and known.loop.state == loop_state.TURNING and known.project.ended_at is None:
        return course_of(known)
    found = course_of(known, ahead=1)
    return replace(found, turns=found.turns[: len(known.begun)])
