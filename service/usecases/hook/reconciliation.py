"""What webhooks did not tell: while one is off, or the service was down, the projects are looked at all the same."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from enum import Enum, auto

from sqlalchemy import select, update

from connectors.errors import TrackerError
from service.context import Context
from service.store.hook_tables import HookRow
from service.store.rows import rows_changed
from service.store.tables import ProjectRow
from service.store_faults import KeyProblem
from service.usecases.errors import UseCaseError
from service.usecases.hook import registration, sync
from service.usecases.hook.following import Following

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
"""How often the webhooks of each connection are looked at, by one of the replicas."""

TOLD = (TrackerError, UseCaseError, KeyProblem)
"""What keeps one connection from being looked at, and no other."""


def reconcile(context: Context, *, at_start: bool = False) -> list[str]:
    """Look at the webhooks that are due for that, and at the projects of each one that something is wrong with; at the
    start of a service, which may have been down, at the projects of all. Returns the ids of the connections looked at.
    """
    done = []
    with context.database.session() as session:
        numbers = list(session.scalars(select(HookRow.connection_id).order_by(HookRow.connection_id)))
    for number in numbers:
        taken = _Taken.WHOLE if at_start else _taken(context, number)
        if taken is _Taken.NOT:
            continue
        trouble = taken is _Taken.WHOLE
        if not at_start:
            try:
                trouble = bool(registration.check(context, number).findings) or trouble
            except TOLD as error:
                trouble = True
                log.info("the webhooks of %s cannot be looked at: %s", number, error)
        if trouble:
            follower = Following(context)
            for project in _projects(context, number):
                sync.look_again(context, project)
                with suppress(*TOLD):  # it tells of itself wherever it is needed
                    follower.follow(project, context.now())
        done.append(number)
    return done


class _Taken(Enum):
    """What this replica is to look at: nothing, the webhooks, or the projects as well, whatever the webhooks are like:
    after a start, and after the webhooks were registered or repaired."""

    NOT = auto()
    DUE = auto()
    WHOLE = auto()


def _taken(context: Context, number: str) -> _Taken:
    now, mine = context.now(), HookRow.connection_id == number
    with context.database.session() as session:
        for which, taken in (
            (HookRow.checked_at.is_(None), _Taken.WHOLE),
            (HookRow.checked_at <= now - EVERY, _Taken.DUE),
        ):
            if rows_changed(session.execute(update(HookRow).where(mine, which).values(checked_at=now))) == 1:
                return taken
    return _Taken.NOT


def _projects(context: Context, number: str) -> list[ProjectRow]:
    with context.database.session() as session:
        going = ProjectRow.connection_id == number, ProjectRow.ended_at.is_(None)
        return list(session.scalars(select(ProjectRow).where(*going)))
