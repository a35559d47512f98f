"""Which runs a process executes, and how it releases them."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from sqlalchemy.exc import OperationalError

from service.runs.active_runs import Parked, Traffic

FULL = OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))


def test_a_run_is_active_while_it_is_worked_on() -> None:
    traffic = Traffic()
    with traffic.working("a"), traffic.working("a"), traffic.working("b"):
        assert traffic.active == {"a", "b"}

    assert traffic.active == frozenset()


def test_a_journal_that_cannot_be_written_parks_the_run() -> None:
    traffic = Traffic()

    with pytest.raises(Parked), traffic.working("a"):
        raise FULL

    assert traffic.active == frozenset()


def test_a_defect_is_not_hidden_by_parking() -> None:
    with pytest.raises(ZeroDivisionError), Traffic().working("a"):
        raise ZeroDivisionError


def test_whatever_goes_wrong_while_stopping_is_no_failure_of_the_run() -> None:
    traffic = Traffic()

    def fail() -> None:
        traffic.stop()
        raise RuntimeError

    with pytest.raises(Parked), traffic.working("a"):
        fail()


def test_no_run_begins_once_the_process_stops() -> None:
    traffic = Traffic()
    traffic.stop()

    with pytest.raises(Parked), traffic.working("a"):
        pytest.fail("it began")


def test_stopping_ends_a_pause_at_once() -> None:
    traffic = Traffic()
    paused, ended = threading.Event(), threading.Event()

    def pause() -> None:
        paused.set()
        traffic.pause(3600)

    def run() -> None:
        with pytest.raises(Parked), traffic.working("a"):
            pause()
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert paused.wait(10)
    traffic.stop()

    assert ended.wait(10)
    thread.join()
    assert traffic.drain(0) == frozenset()


def test_draining_names_what_is_still_in_the_middle_of_a_step() -> None:
    traffic = Traffic()
    with traffic.working("a"):
        traffic.stop()

        assert traffic.drain(0.01) == {"a"}


def test_a_database_that_is_away_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    traffic = Traffic()
    pauses: list[float] = []
    monkeypatch.setattr(traffic, "pause", pauses.append)
    answers = iter([FULL, FULL, "done"])

    def call() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert traffic.patiently(call) == "done"
    assert pauses == [1.0, 2.0]
