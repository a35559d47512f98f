"""The part of one process that takes events in and handles them."""

from __future__ import annotations

from service.context import Context
from service.usecases.hook.dispatcher import Dispatcher
from service.usecases.hook.handler import Handler
from service.usecases.hook.intake import Intake
from service.usecases.hook.reconciliation import reconcile
from service.usecases.queue import Enqueue


class HookService:
    """Intake and dispatcher of one process, which wake one another. Events are taken in from the beginning, and handled
    from `start` to `stop`."""

    def __init__(self, context: Context, enqueue: Enqueue) -> None:
        self._context = context
        self._dispatcher = Dispatcher(
            context, Handler(context, enqueue), lambda at_start: reconcile(context, at_start=at_start)
        )
        self.intake = Intake(context, self._dispatcher.wake)

    def start(self) -> None:
        """Begin to handle what was taken in."""
        self._dispatcher.start()

    def wake(self) -> None:
        """Look now for what is to be handled."""
        self._dispatcher.wake()

    def stop(self) -> None:
        """Handle nothing more. What was taken in and not handled waits for the next start, or for another replica."""
        self.intake.close()
        self._dispatcher.stop(self._context.settings.grace_seconds)
