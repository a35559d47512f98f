"""How a command has a run done: in this process where it may run the engine, else by the process that does."""

from __future__ import annotations

from collections.abc import Callable

from service.cli.runs import follow
from service.context import Context
from service.runs.lock import AlreadyRunning
from service.store.tables import RunRow
from service.usecases import running
from service.usecases.applying import Enqueue


def carry_out(context: Context, begin: Callable[[Enqueue], RunRow]) -> running.Progress:
    """Have `begin` start a run with the way to enqueue it that fits this process, and follow the run to its end."""
    from service.runs.engine import Engine, hand_over  # the engine is slow to load, and only this needs it

    settings = context.settings
    if settings.embedded:
        try:
            with Engine(context) as engine:
                return follow(context, begin(engine.start).id)
        except AlreadyRunning:
            pass  # the process that has the home folder does the work
    # On a shared database two engines of one name would take each other's runs: the service does the work.
    run = begin(lambda run_id, partition: hand_over(settings, run_id, partition))
    return follow(context, run.id)
