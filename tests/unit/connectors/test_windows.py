"""A vendor's window is never overfilled, however late calls arrive, and its own word is taken for what is left."""

from __future__ import annotations

import threading

import pytest

from connectors.calls import Call
from connectors.jira import failures as jira_failures
from connectors.pacing import Crowded, Quota, Window, shared_windows
from connectors.trello import failures as trello_failures


class Clock:
    """Time that moves when told, and when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def window(calls: int, seconds: float = 10.0) -> tuple[Window, Clock]:
    clock = Clock()
    return Window(Quota(calls, seconds), clock=clock, sleep=clock.sleep), clock


def test_as_many_calls_as_the_quota_pass_at_once_and_the_next_waits_for_the_first_to_leave() -> None:
    places, clock = window(3)
    begun = []
    for _ in range(7):
        with places.slot():
            begun.append(clock.now)
            clock.now += 0.5
    assert [round(moment - 1000, 3) for moment in begun] == [0, 0.5, 1.0, 10.5, 11.0, 11.5, 21.0]


def test_no_span_of_the_vendors_holds_more_than_the_quota_whenever_calls_arrive() -> None:
    places, clock = window(5)
    arrived = []
    for number in range(40):
        with places.slot():
            lasts = 3.0 if number % 4 == 0 else 0.01
            # The vendor may count a call right after its sending or right before its answer.
            arrived.append(clock.now + (lasts * 0.99 if number % 3 else 0))
            clock.now += lasts
    arrived.sort()
    assert all(sum(1 for other in arrived if start <= other < start + 10) <= 5 for start in arrived)


def test_a_place_is_given_back_counting_from_the_answer() -> None:
    places, clock = window(1)
    with places.slot():
        clock.now += 7
    with places.slot():
        assert clock.now == 1017


def test_calls_under_way_hold_their_places_until_one_is_answered() -> None:
    clock = Clock()
    places = Window(Quota(1, 10.0), clock=clock, sleep=clock.sleep)
    order = []

    def second() -> None:
        with places.slot():
            order.append("second")

    thread = threading.Thread(target=second)
    with places.slot():
        thread.start()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert clock.now == 1010


def test_how_long_was_waited_for_a_place_is_told() -> None:
    places, clock = window(1)
    with places.slot() as waited:
        assert waited == 0.0
    clock.now += 4
    with places.slot() as waited:
        assert waited == 6.0


def test_a_wait_that_is_too_long_is_refused_before_anything_is_sent() -> None:
    places, _ = window(1, 900.0)
    with places.slot():
        pass
    with pytest.raises(Crowded) as caught, places.slot(45.0):
        pass
    assert caught.value.seconds == 900.0


@pytest.mark.parametrize(("left", "told"), [(0.2, "1 s"), (1.0, "1 s"), (44.2, "45 s")])
def test_a_wait_is_told_rounded_up_and_never_as_none(left: float, told: str) -> None:
    call = Call("GET", "/x", "host", False)

    assert str(Crowded(left)) == f"no room for {told}"
    assert jira_failures.refused(call, 429, None, left).fix == f"Try again in {told}."
    assert trello_failures.refused(call, 429, trello_failures.Refusal(""), left).fix == f"Try again in {told}."


def test_calls_of_others_with_the_same_credential_are_counted_when_the_vendor_tells() -> None:
    places, clock = window(10)
    with places.slot():
        places.told(remaining=2)  # 8 used, of which 1 is ours
    begun = []
    for _ in range(3):
        with places.slot():
            begun.append(clock.now)
    assert begun == [1000.0, 1000.0, 1010.0]


def test_more_room_than_we_count_is_not_taken() -> None:
    places, clock = window(2)
    for _ in range(2):
        with places.slot():
            places.told(remaining=2)
    with places.slot():
        assert clock.now == 1010


def test_after_a_refusal_nothing_passes_until_the_time_is_over() -> None:
    places, clock = window(100)
    places.close(10.0)
    with places.slot():
        assert clock.now == 1010


def test_a_limit_that_the_vendor_names_is_kept_from_then_on() -> None:
    places, clock = window(3)
    with places.slot():
        places.learn(Quota(2, 20.0))
    begun = []
    for _ in range(3):
        with places.slot():
            begun.append(clock.now)
    assert begun == [1000.0, 1020.0, 1020.0]
    assert places.quota == Quota(2, 20.0)


def test_one_connection_has_one_window_of_each_name_in_this_process() -> None:
    quotas = {"token": Quota(100, 10.0), "members": Quota(100, 900.0)}
    first = shared_windows("trello a", quotas)
    assert shared_windows("trello a", quotas) == first
    assert shared_windows("trello b", quotas)["token"] is not first["token"]
    assert first["token"] is not first["members"]
