"""Expressions of users: checked before they are used, and stopped where they take too long or too much."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.expression import evaluator
from service.expression.evaluator import Wrong, types, values

DIGITS = "[0,1,2,3,4,5,6,7,8,9]"
ENDLESS = f"{DIGITS}.all(a, " * 9 + "true" + ")" * 9
DOUBLED = "payload.s+payload.s+payload.s+payload.s"
HUNGRY = f"[{','.join([DOUBLED] * 20)}].map(x, x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x)"


def value(expression: str, payload: Any) -> Any:
    (found,) = values([expression], {"payload": payload, "event": "e", "source": "s"})
    return found


def test_a_wrong_name_is_found_before_anything_is_evaluated_with_its_place() -> None:
    (found,) = types(["payload.a == 1 && paylod.b"])

    assert isinstance(found, Wrong)
    assert str(found).startswith("line 1, column ")
    assert "paylod" in str(found)


@pytest.mark.parametrize(
    ("expression", "kind"),
    [("payload.a == 1", "BOOL"), ("payload.a", "DYN"), ("event + source", "STRING"), ("size(payload.a)", "INT")],
)
def test_the_type_is_known(expression: str, kind: str) -> None:
    assert types([expression]) == [kind]


@pytest.mark.parametrize("expression", ["1 +", "'", "payload.", "event == 1", "nothing()", "\ud800", ""])
def test_what_is_no_expression_is_told(expression: str) -> None:
    (found,) = types([expression])

    assert isinstance(found, Wrong)
    assert "\n" not in str(found)


def test_an_expression_that_is_too_long_is_not_even_read() -> None:
    (found,) = types(["payload.a == 1 || " * 100 + "true"])

    assert "1000 bytes" in str(found)


def test_values_are_those_of_the_payload() -> None:
    assert value("payload.a.b + 1", {"a": {"b": 2}}) == 3
    assert value("payload.list.filter(x, x > 1)", {"list": [1, 2, 3]}) == [2, 3]
    assert value("has(payload.a) ? 'yes' : 'no'", {}) == "no"


def test_an_endless_expression_is_stopped() -> None:
    assert isinstance(value(ENDLESS, {}), Wrong)
    assert value("payload.a", {"a": 1}) == 1


def test_a_hungry_expression_takes_only_its_own_process_with_it() -> None:
    assert types([HUNGRY]) == ["LIST<DYN>"]
    try:
        found = value(HUNGRY, {"s": "x" * 2_000_000})
    except Wrong as error:  # it died of it
        found = error
    assert isinstance(found, Wrong)
    assert "memory" in str(found) or "longer" in str(found)
    assert value("payload.a", {"a": 1}) == 1


def test_a_child_that_was_killed_is_replaced() -> None:
    assert value("payload.a", {"a": 1}) == 1
    process = evaluator._child._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)

    with pytest.raises(Wrong):
        value("payload.a", {"a": 1})
    assert value("payload.a", {"a": 1}) == 1


def test_a_child_that_hangs_is_ended_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert value("payload.a", {"a": 1}) == 1
    process = evaluator._child._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    monkeypatch.setattr(evaluator, "SECONDS", 0.2)

    with pytest.raises(Wrong, match="longer than"):
        value("payload.a", {"a": 1})
    assert process.poll() is not None
    monkeypatch.undo()
    assert value("payload.a", {"a": 1}) == 1


def test_one_that_took_too_long_is_asked_apart_from_the_others_until_it_is_quick_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert value("payload.a", {"a": 1}) == 1
    process = evaluator._child._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    monkeypatch.setattr(evaluator, "SECONDS", 0.2)
    with pytest.raises(Wrong, match="longer than"):
        value("payload.slow", {"slow": 1})
    monkeypatch.undo()

    assert value("payload.a", {"a": 1}) == 1
    others = evaluator._child._process
    assert ("payload.slow",) in evaluator._slow
    assert value("payload.slow", {"slow": 1}) == 1

    assert evaluator._slow_child._process is not None
    assert evaluator._child._process is others
    assert ("payload.slow",) not in evaluator._slow


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(payload=st.dictionaries(st.text(max_size=5), JSON, max_size=4))
@settings(max_examples=60)
def test_any_payload_can_be_asked(payload: dict[str, Any]) -> None:
    assert value("size(payload) >= 0", payload) is True


def test_numbers_and_texts_that_it_cannot_hold_spoil_nothing_else() -> None:
    payload = {"big": 10**30, "half": "\ud800", "huge": 10**400, "a": 1}

    assert value("payload.a", payload) == 1
    assert value("payload.big > 1e29", payload) is True
