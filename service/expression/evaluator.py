"""The two functions behind which the library of expressions is: `types` and `values`.

The library has no memory bound, so that it runs in one child process, with limits on memory and time. A child that
dies or does not answer in time is ended, and the next question has a new one.
"""

from __future__ import annotations

import atexit
import json
import re
import select
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LONGEST = 1000
"""Bytes of an expression."""

SECONDS = 2.0
"""How long the child may take for one question, beside its start."""

START_SECONDS = 20.0

TRUTHS = frozenset({"BOOL", "DYN"})
"""Types that a condition may have."""

_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_STATUS = re.compile(r"\s*\[[A-Z_]+\]$")


class Wrong(Exception):
    """An expression cannot be checked or evaluated; the text says why."""


class TooMuch(Wrong):
    """It takes too long or too much memory."""


class _Child:
    """The process, made when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any], seconds: float) -> list[dict[str, Any]]:
        """Its answer. Raises Wrong where it takes too long or too much."""
        with self._lock:
            waits = seconds if self._process is not None else seconds + START_SECONDS
            process = self._process = self._process or _started()
            try:
                line = _line(process, request, waits)
            except (OSError, ValueError):
                line = ""
            if not line:
                self._end()
                why = "it takes too much memory" if line == "" else f"it takes longer than {seconds:g} s"
                raise TooMuch(why)
        answers: list[dict[str, Any]] = json.loads(line)
        return answers

    def end(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _started() -> subprocess.Popen[str]:
    command = [sys.executable, "-I", str(Path(__file__).with_name("child.py"))]
    return subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    )


def _line(process: subprocess.Popen[str], request: Mapping[str, Any], seconds: float) -> str | None:
    """Its answer: empty where it died, None where it does not come in time."""
    assert process.stdin is not None  # noqa: S101 - pipes, as it was started
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline() if ready else None


_child, _slow_child = _Child(), _Child()
atexit.register(_child.end)
atexit.register(_slow_child.end)

MOST_SLOW = 1000
"""Conditions that are remembered as slow."""

_slow: dict[tuple[str, ...], None] = {}
"""Expressions that took too much when they were evaluated last. They have a child of their own, so that only they wait
for one another."""


def types(expressions: Sequence[str]) -> list[str | Wrong]:
    """The type of each expression, or what is wrong with it, with line and column. Nothing is evaluated."""
    found: list[str | Wrong] = []
    for expression in expressions:
        if len(expression.encode("utf-8", "replace")) > LONGEST:
            found.append(Wrong(f"it has more than {LONGEST} bytes"))
            continue
        try:
            (answer,) = _child.ask({"expressions": [expression]}, SECONDS)
        except Wrong as error:
            found.append(error)
            continue
        found.append(answer["type"] if "type" in answer else Wrong(_words(answer["error"])))
    return found


def values(expressions: Sequence[str], variables: Mapping[str, Any]) -> list[Any]:
    """The value of each expression for these variables: `payload`, `event` and `source`. An expression that has none is
    a `Wrong` in its place. Raises Wrong where they take too long or too much."""
    which = tuple(expressions)
    child = _slow_child if which in _slow else _child
    try:
        answers = child.ask({"expressions": list(which), "variables": _taken(variables)}, SECONDS)
    except TooMuch:
        if len(_slow) >= MOST_SLOW:
            _slow.clear()
        _slow[which] = None
        raise
    _slow.pop(which, None)
    return [answer["value"] if "value" in answer else Wrong(_words(answer["error"])) for answer in answers]


def _taken(value: Any) -> Any:
    """The value as the library takes it: no half characters, no zeros in texts, no whole number of over 64 bits."""
    if isinstance(value, Mapping):
        return {_taken(name): _taken(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_taken(inner) for inner in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 10**300 else str(value)
    return value


def _words(error: str) -> str:
    """What the library says, on one line, with the place as people write it."""
    first = error.strip().splitlines()[0] if error.strip() else "it cannot be evaluated"
    if (found := _PLACE.search(first)) is not None:
        line, column, said = found.groups()
        said = _STATUS.sub("", said).removesuffix(" (in container '')")
        return f"line {line}, column {column}: {said}"
    return _STATUS.sub("", first.partition(": ")[2] or first)[:300]
