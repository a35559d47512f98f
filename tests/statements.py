"""What a store is sent, for tests of what a look costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident

from sqlalchemy import event

from service.context import Context


@contextmanager
def statements(
    context: Context, *, but: str | None = None, events: bool = False, here: bool = False
) -> Iterator[list[str]]:
    """The statements that our store is sent meanwhile, without those that have the words `but` in them. Those about
    `events` from outside count only if asked for: a service looks for such on its own, whenever it likes. With `here`
    only those of this thread."""
    sent: list[str] = []
    thread = get_ident()

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        theirs = here and get_ident() != thread
        if not theirs and (but is None or but not in statement) and (events or "hook_events" not in statement):
            sent.append(statement)

    event.listen(context.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(context.database.engine, "before_cursor_execute", note)
