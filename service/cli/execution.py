"""How a command has a run done: by the process that serves this store, else by this one, for as long as it takes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

import typer

from service.cli.runs import follow
from service.cli.shell import err
from service.context import Context
from service.runs.lock import AlreadyRunning
from service.usecases.queue import Enqueue
from service.usecases.run import run_views
from service.views.run import RunView

LOOK_FOR_HELP_EVERY = 2.0
"""Seconds between two looks whether somebody else still does the work."""

BY_SIGNAL = 128
"""A command that a signal stopped exits with this and the signal's number, as shells have it."""


class _Told(BaseException):
    """A signal told us to stop."""

    def __init__(self, number: int) -> None:
        self.number = number


def carry_out(
    context: Context,
    begin: Callable[[Enqueue], RunView],
    enough: Callable[[run_views.Progress], bool] = lambda _found: False,
) -> run_views.Progress:
    """Have `begin` start a run with the way to enqueue it that fits, and follow the run to its end, or until that is
    `enough`; the run continues then as when this process is told to stop.

    Where a service runs on this store it does the run; otherwise, or when it leaves in the middle, this process
    does. Told to stop, this process parks the run and says how it continues.
    """
    from service.runs.engine import leave  # the engine is slow to load, and only this needs it

    run_id = ""
    hands = _Hands(context)
    try:
        with _signals_noted() as heed, hands:

            def beside() -> None:
                hands.lend_if_needed()
                heed()

            beside()
            run_id = begin(hands.enqueue).id
            found = follow(context, run_id, beside, enough=enough)
    except _Told as told:
        if run_id:
            err.print(_how_it_goes_on(run_id, working=hands.working))
        leave(BY_SIGNAL + told.number)
        raise typer.Exit(BY_SIGNAL + told.number) from None
    return found


def _how_it_goes_on(run_id: str, *, working: bool) -> str:
    if not working:
        return f"The service continues with the run. Follow it: phaseloop runs watch {run_id}"
    return (
        f"Stopped; nothing is lost. The run continues with: phaseloop runs resume {run_id}\n"
        "or with the next start of phaseloop serve."
    )


class _Hands:
    """This process's share of the work: none while somebody serves, the engine otherwise."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stack = ExitStack()
        self._enqueue: Enqueue | None = None
        self._next_look = 0.0

    def __enter__(self) -> None:
        return

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    @property
    def working(self) -> bool:
        """Whether this process does the work."""
        return self._enqueue is not None

    def lend_if_needed(self) -> None:
        """Launch the engine here if nobody else works; looks every two seconds."""
        if self.working or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_FOR_HELP_EVERY
        from service.runs.engine import Engine
        from service.runs.slots import somebody_serves
        from service.usecases.loop.advances import Advancing

        settings = self._context.settings
        if not settings.embedded and somebody_serves(self._context.database):
            return
        with suppress(AlreadyRunning):  # then the process that has the home folder does the work
            self._enqueue = self._stack.enter_context(Engine(self._context, Advancing(), visiting=True)).start

    def enqueue(self, run_id: str, partition: str) -> None:
        """Enqueue a run, here or for who serves."""
        from service.runs.engine import hand_over

        if self._enqueue is not None:
            self._enqueue(run_id, partition)
        else:
            hand_over(self._context.settings, run_id, partition)


@contextmanager
def _signals_noted() -> Iterator[Callable[[], None]]:
    """Note SIGINT and SIGTERM, so that neither a statement to the store nor the begin of a run is torn in the middle;
    what is handed out raises an error of ours once one came, and so has the engine stopped in order. A second signal
    ends this process as usual."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    told: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        for each, handler in before.items():
            signal.signal(each, handler)
        told.append(number)

    def heed() -> None:
        if told:
            raise _Told(told[0])

    for number in before:
        signal.signal(number, note)
    try:
        yield heed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
