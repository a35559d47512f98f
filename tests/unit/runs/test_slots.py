"""Slots: one holder each, noticed when the holder is gone."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from service.runs import slots
from service.runs.lock import SlotLost
from service.runs.slots import Slot, somebody_serves
from service.store.database import Database
from tests.postgres import scratch_database


@pytest.fixture
def url() -> Iterator[str]:
    with scratch_database() as address:
        yield address


@pytest.fixture
def two(url: str) -> Iterator[tuple[Slot, Slot]]:
    first, second = Slot(url), Slot(url)
    first.take()
    second.take()
    yield first, second
    first.release()
    second.release()


def cut_all(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'phaseloop slot'"
        )


def test_each_process_gets_a_slot_of_its_own_and_a_free_one_is_used_again(url: str, two: tuple[Slot, Slot]) -> None:
    assert [slot.executor for slot in two] == ["slot-1", "slot-2"]
    two[0].release()
    third = Slot(url)
    third.take()

    assert third.executor == "slot-1"
    third.release()


def test_a_living_holder_is_not_dead_and_a_gone_one_is(two: tuple[Slot, Slot]) -> None:
    first, second = two
    with second.dead("slot-1") as dead:
        assert not dead
    first.release()

    with second.dead("slot-1") as dead:
        assert dead


def test_nobody_takes_its_own_slot_for_dead(two: tuple[Slot, Slot]) -> None:
    with two[0].dead("slot-1") as dead:
        assert not dead


def test_a_name_from_before_there_were_slots_is_gone(two: tuple[Slot, Slot]) -> None:
    with two[0].dead("main") as dead:
        assert dead


def test_a_slot_whose_connection_was_cut_is_held_again(url: str, two: tuple[Slot, Slot]) -> None:
    cut_all(url)

    assert two[0].hold()
    with two[1].dead("slot-2") as dead:
        assert not dead


def test_a_slot_that_another_process_has_by_then_is_lost(url: str, two: tuple[Slot, Slot]) -> None:
    cut_all(url)
    other = Slot(url)
    other.take()
    assert other.executor == "slot-1"

    assert not any(two[0].hold() for _ in range(slots.PATIENCE - 1))
    with pytest.raises(SlotLost, match="slot-1"):
        two[0].hold()
    other.release()


def test_only_a_service_counts_as_serving_not_a_command(url: str) -> None:
    database = Database(url)
    command, service = Slot(url, visiting=True), Slot(url)
    command.take()
    alone = somebody_serves(database)
    service.take()

    assert (alone, somebody_serves(database)) == (False, True)
    for slot in (command, service):
        slot.release()
    database.dispose()
