"""What is right of a document that is not: a person who wrote six mistakes is told of six, and not of the last three
once the first three are put right. Pure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

_LEAVE_OUT = object()
_STAND_INS: tuple[Any, ...] = (_LEAVE_OUT, "x", 1, "2026-01-05", "1.0.0", True, ["x"], {}, [])
"""What is put in the place of a fault, one after the other, until the model takes one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A place that its model does not take, and the words that it takes there, where it is one of some."""

    path: Path
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """A document in which nothing is wrong by its model any more, and the places that stand for something else."""

    value: Any
    touched: frozenset[Path]

    def holds(self, path: Path) -> bool:
        """Whether what lies there is as it was written."""
        return not any(path[: len(one)] == one for one in self.touched)


def rest_of(document: Any, faults: Callable[[Any], Iterable[Fault]]) -> Rest | None:
    """The document with stand-ins for what is wrong with it, None where none fits. It is only to be looked at: what is
    found wrong at a stand-in is nobody's mistake."""
    value, touched = copy.deepcopy(document), set[Path]()
    for stand_in in _STAND_INS:
        found = {one.path: one for one in faults(value)}
        if not found:
            return Rest(value, frozenset(touched))
        if () in found:
            return None
        for path, fault in found.items():
            if any(len(other) > len(path) and other[: len(path)] == path for other in found):
                continue  # it may well be right once what is in it is
            _put(value, path, fault.words[0] if fault.words and stand_in is not _LEAVE_OUT else stand_in)
            touched.add(path)
    return None


def fault_of(path: Path, problem: Mapping[str, Any]) -> Fault:
    """The fault that a problem is, as pydantic gives it, at this place."""
    expected = str((problem.get("ctx") or {}).get("expected", "")) if problem["type"] == "literal_error" else ""
    return Fault(path, [word.strip(" '") for word in expected.replace(" or ", ",").split(",") if word.strip(" '")])


def _put(document: Any, path: Path, value: Any) -> None:
    node = document
    for part in path[:-1]:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    if isinstance(node, dict) and isinstance(last, str):
        if value is _LEAVE_OUT:
            node.pop(last, None)
        else:
            node[last] = copy.deepcopy(value)
    elif isinstance(node, list) and isinstance(last, int) and last < len(node) and value is not _LEAVE_OUT:
        node[last] = copy.deepcopy(value)
