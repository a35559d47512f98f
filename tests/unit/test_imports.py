"""Imports point downward, as docs/architecture.md draws them."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS = [
    ["service.cli", "service.api", "service.pages", "service.app"],
    ["simulation"],
    ["service.usecases"],
    ["service.views"],
    ["service.runs"],
    ["service.schedule", "service.stand_up"],
    ["service.context"],
    ["service.verification"],
    ["service.binder", "service.opinion", "service.expression"],
    ["service.store", "service.templates", "service.notify"],
    ["service.settings", "service.clock", "service.home_folder", "service.store_faults"],
    ["service.references"],
    ["service.env_file"],
    ["service.domain"],
    ["connectors"],
]
"""From the doors down. A module may import its own layer's package and those below."""

PURE = {
    "fastapi",
    "starlette",
    "sqlalchemy",
    "alembic",
    "httpx",
    "requests",
    "jira",
    "trello",
    "dbos",
    "typer",
    "socket",
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path) -> frozenset[str]:
    """What a module imports, by statement, in types alone, or by a name in a string."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name_of(path)} imports relative to itself"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and called(node.func) in ("import_module", "__import__", "find_spec"):
            found.add(text_of(node.args[0]))
    return frozenset(found)


def called(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def text_of(argument: ast.expr) -> str:
    """The beginning of a name that is put together: what follows it cannot be known here."""
    if isinstance(argument, ast.JoinedStr):
        argument = argument.values[0]
    assert isinstance(argument, ast.Constant), "what is imported by name begins with the name of its package"
    return str(argument.value).rstrip(".")


ROOMS = {
    "service.domain": ["template", "team", "loop", "audit", "plan", "access", "hook", "notice"],
    "service.usecases": ["setup", "access", "plan", "audit", "loop", "run", "hook", "notice", "overview"],
}
"""From the bottom up, on each floor that has rooms. What stands beside the rooms of a floor is below them all."""

PORT = ["values", "port", "mapped", "records", "tracking", "events", "errors", "memory", "english", "messages"]
"""What the port consists of: the values it speaks in, and what may go wrong."""

SANDBOX_DOOR = "service.cli.local_trackers"


def within(name: str, packages: list[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def layer_of(name: str) -> int:
    return next(number for number, packages in enumerate(LAYERS) if within(name, packages))


@pytest.mark.parametrize("path", [*modules("service"), *modules("connectors"), *modules("simulation")], ids=name_of)
def test_a_module_imports_nothing_from_above_its_layer(path: Path) -> None:
    name = name_of(path)
    if name == "service":
        return
    above = [package for packages in LAYERS[: layer_of(name)] for package in packages]

    assert [target for target in sorted(imports(path)) if within(target, above)] == []


@pytest.mark.parametrize("path", modules("service/domain"), ids=name_of)
def test_the_domain_is_pure(path: Path) -> None:
    assert {target.partition(".")[0] for target in imports(path)} & PURE == set()


@pytest.mark.parametrize("path", modules("service/domain"), ids=name_of)
def test_the_domain_knows_trackers_only_by_the_port_s_values(path: Path) -> None:
    values = [f"connectors.{name}" for name in PORT]
    of_connectors = {target for target in imports(path) if within(target, ["connectors"])}

    assert all(within(target, values) for target in of_connectors)


@pytest.mark.parametrize("path", [*modules("service"), *modules("connectors")], ids=name_of)
def test_the_product_reaches_the_sandbox_through_one_door(path: Path) -> None:
    if name_of(path) != SANDBOX_DOOR:
        assert not any(within(target, ["sandbox"]) for target in imports(path))


def test_nothing_below_the_command_line_reaches_that_door() -> None:
    others = [path for path in modules("service") if not within(name_of(path), ["service.cli"])]

    assert [name_of(path) for path in others if SANDBOX_DOOR in imports(path)] == []


@pytest.mark.parametrize("path", modules("sandbox"), ids=name_of)
def test_the_sandbox_imports_nothing_of_the_product(path: Path) -> None:
    assert not any(within(target, ["service", "connectors"]) for target in imports(path))


@pytest.mark.parametrize("path", modules("service"), ids=name_of)
def test_a_connector_is_reached_through_the_registry_alone(path: Path) -> None:
    vendors = [f"connectors.{each.name}" for each in (ROOT / "connectors").iterdir() if each.is_dir()]

    assert [target for target in sorted(imports(path)) if within(target, vendors)] == []


@pytest.mark.parametrize("floor", ROOMS)
def test_every_room_of_a_floor_is_listed(floor: str) -> None:
    folders = [each for each in (ROOT / floor.replace(".", "/")).iterdir() if (each / "__init__.py").exists()]

    assert sorted(each.name for each in folders) == sorted(ROOMS[floor])


@pytest.mark.parametrize("path", [path for floor in ROOMS for path in modules(floor.replace(".", "/"))], ids=name_of)
def test_a_module_imports_only_from_its_room_and_from_rooms_below(path: Path) -> None:
    floor = next(each for each in ROOMS if within(name_of(path), [each]))
    own = height(floor, name_of(path))
    there = [target for target in imports(path) if within(target, [floor])]

    assert [target for target in sorted(there) if height(floor, target) > own] == []


def height(floor: str, name: str) -> int:
    room = name.removeprefix(floor).lstrip(".").partition(".")[0]
    return ROOMS[floor].index(room) if room in ROOMS[floor] else -1


@pytest.mark.parametrize("package", ["service", "connectors", "simulation"])
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    known = {name_of(path) for path in modules(package)}
    drawn = {name_of(path): imports(path) & known for path in modules(package)}
    inner = {name: {each for each in targets if not each.startswith(f"{name}.")} for name, targets in drawn.items()}

    TopologicalSorter(inner).prepare()  # raises CycleError with the circle


DOORS = [path for package in LAYERS[0] for path in modules(package.replace(".", "/"))] + [ROOT / "service/app.py"]


@pytest.mark.parametrize("path", DOORS, ids=name_of)
def test_a_door_imports_nothing_of_the_store(path: Path) -> None:
    assert [target for target in sorted(imports(path)) if within(target, ["service.store"])] == []


@pytest.mark.parametrize("path", DOORS, ids=name_of)
def test_a_door_opens_no_unit_of_work(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]

    assert [node.lineno for node in calls if called(node.func) == "session"] == []


EVERYTHING = [path for package in ("service", "connectors", "sandbox", "simulation") for path in modules(package)]


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_a_module_opens_with_a_line_on_its_job(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{name_of(path)} has no docstring"
