"""A run's progress as server-sent events (the WHATWG HTML standard's event streams)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from starlette.concurrency import run_in_threadpool

from service.api import examples, project_models
from service.context import Context
from service.domain.plan import run_state
from service.usecases.run import run_views
from service.usecases.run.run_views import Pulse


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks at the store, and between two comments that keep a silent line open."""

    look: float = 0.2
    heartbeat: float = 15.0


def _event(kind: str, data: dict[str, Any], event_id: int | None = None) -> str:
    """One event; its data is the run or step exactly as the API shows it elsewhere."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    model = project_models.Step if kind == "step" else project_models.Run
    return f"{head}event: {kind}\ndata: {model.model_validate(data).model_dump_json()}\n\n"


HEARTBEAT = ": still here\n\n"
_RECONNECT = "retry: 1000\n\n"

EXAMPLE = _event("step", examples.STEP, examples.STEP["id"]) + _event("end", examples.ENDED_RUN)


async def follow(
    context: Context,
    run_id: str,
    after: int,
    *,
    stopping: Callable[[], bool],
    admitted: Callable[[], bool],
    pace: Pace,
) -> AsyncIterator[str]:
    """Events of the steps with an id above `after`, of progress between them, and of the end.

    Nothing is told to somebody who is not `admitted` any more. Stops early when the service is `stopping`: the client
    then comes back with `Last-Event-ID`. When the client leaves, the server cancels this generator. The store is read
    in worker threads.
    """
    yield _RECONNECT
    seen: Pulse | None = None
    spoke = monotonic()
    while not stopping():
        # The state first and the steps after it: a run seen as ended has all its steps by then.
        now = await run_in_threadpool(run_views.pulse, context, run_id)
        if (now != seen or monotonic() - spoke >= pace.heartbeat) and not await run_in_threadpool(admitted):
            return
        if now != seen:
            steps, run = await run_in_threadpool(_look, context, run_id, after)
            for step in steps:
                yield _event("step", step, step["id"])
                after = step["id"]
            ended = now.state in run_state.ENDED
            yield _event("end" if ended else "progress", run)
            if ended:
                return
            seen, spoke = now, monotonic()
        elif monotonic() - spoke >= pace.heartbeat:
            yield HEARTBEAT
            spoke = monotonic()
        await asyncio.sleep(pace.look)


def _look(context: Context, run_id: str, after: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    steps = [row.to_json() for row in run_views.steps(context, run_id, after)]
    return steps, run_views.run_json(run_views.progress(context, run_id))
