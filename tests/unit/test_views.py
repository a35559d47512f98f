"""What use cases hand to doors: values, and no rows of the store."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.store.tables import Table
from tests.unit.test_imports import DOORS, modules, name_of


@pytest.mark.parametrize("path", DOORS, ids=name_of)
def test_no_use_case_hands_a_row_to_a_door_or_takes_one_from_it(path: Path) -> None:
    found = {
        f"{one.__module__}.{one.__qualname__}: {where}"
        for one in called_by(path)
        for name, hint in typing.get_type_hints(one).items()
        for where in rows_in(hint, name)
    }

    assert sorted(found) == []


@pytest.mark.parametrize("path", modules("service/views"), ids=name_of)
def test_a_view_is_frozen(path: Path) -> None:
    classes = vars(importlib.import_module(name_of(path))).values()
    own = [one for one in classes if dataclasses.is_dataclass(one) and one.__module__ == name_of(path)]

    assert [one.__name__ for one in own if not one.__dataclass_params__.frozen] == []


def called_by(path: Path) -> Iterator[Callable[..., Any]]:
    """The functions of use cases that a module names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("service.usecases")
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            found = thing(f"{names[node.value.id]}.{node.attr}")
        elif isinstance(node, ast.Name) and node.id in names:
            found = thing(names[node.id])
        else:
            continue
        if inspect.isfunction(found):
            yield found


def thing(name: str) -> object:
    """What has this name in full, None if it is none of a module."""
    module, _, last = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), last, None)
    except ModuleNotFoundError:
        return None


def rows_in(hint: Any, where: str, seen: frozenset[Any] = frozenset()) -> Iterator[str]:
    """Where in a type there are rows, in the fields of its values too."""
    if hint in seen:
        return
    if inspect.isclass(hint) and issubclass(hint, Table):
        yield f"{where} is a {hint.__name__}"
    for argument in typing.get_args(hint):
        if not isinstance(argument, list):
            yield from rows_in(argument, where, seen | {hint})
    if inspect.isclass(hint) and dataclasses.is_dataclass(hint):
        for name, inner in typing.get_type_hints(hint).items():
            yield from rows_in(inner, f"{where}.{name}", seen | {hint})
