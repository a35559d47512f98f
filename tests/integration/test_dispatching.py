"""Who waits for whom: a sender whose events take long keeps those of no other from being handled."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from service.context import Context, open_context
from service.domain.hook import event_state
from service.settings import Settings
from service.store import hook_events
from service.store.hook_tables import HookEventRow
from service.usecases.hook.dispatcher import WORKERS, Dispatcher
from tests.homes import furnish
from tests.waiting import eventually


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    furnish(tmp_path)
    settings = Settings(_env_file=None, home=tmp_path, database_url=None, secret_key=None)
    with closing(open_context(settings)) as opened:
        yield opened


def arrived(context: Context, owner: str, count: int) -> None:
    now = context.now()
    about = {"name": "event", "delivery": "x", "body": b"{}"}
    rows = [hook_events.new(f"evt_{owner}_{number}", owner, "generic", about, now) for number in range(count)]
    with context.database.session() as session:
        hook_events.add(session, rows)


def test_a_sender_whose_events_take_long_holds_up_no_other(context: Context) -> None:
    ended, handled, at_once = threading.Event(), Counter[str](), Counter[str]()
    most, counting = Counter[str](), threading.Lock()

    def handle(row: HookEventRow) -> None:
        with counting:
            at_once[row.owner] += 1
            most[row.owner] = max(most[row.owner], at_once[row.owner])
        if row.owner == "slow":
            ended.wait(60)
        with context.database.session() as session:
            hook_events.end(session, row, event_state.DONE, context.now())
        with counting:
            at_once[row.owner] -= 1
            handled[row.owner] += 1

    dispatcher = Dispatcher(context, handle)
    arrived(context, "slow", 3 * WORKERS)
    dispatcher.start()
    try:
        eventually(lambda: at_once["slow"] == WORKERS - 1)
        arrived(context, "other", 20)
        dispatcher.wake()

        eventually(lambda: handled["other"] == 20)
        assert handled["slow"] == 0

        ended.set()
        eventually(lambda: handled["slow"] == 3 * WORKERS)
    finally:
        ended.set()
        dispatcher.stop(10)
    assert most["slow"] == WORKERS - 1, "one sender has all workers but one"


def test_what_a_process_has_in_hand_stays_its_own_while_it_says_so_and_is_taken_up_soon_after_it_died(
    context: Context,
) -> None:
    arrived(context, "sender", 1)
    began, second = context.now(), timedelta(seconds=1)

    def taken(at: datetime, holder: str) -> list[str]:
        with context.database.session() as session:
            return [row.id for row in hook_events.take(session, at, holder, 4, lambda _owner: 4)]

    assert taken(began, "first") == ["evt_sender_0"]
    with context.database.session() as session:
        hook_events.renew(session, "first", began + hook_events.LEASE - second)
    assert taken(began + hook_events.LEASE + second, "second") == []

    died = began + hook_events.LEASE - second
    assert taken(died + hook_events.LEASE + second, "second") == ["evt_sender_0"]
    assert timedelta(minutes=1) > hook_events.LEASE
