"""Imports point downward, as docs/architecture.md draws them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LAYERS = [
    ["service.cli", "service.api", "service.app"],
    ["simulation"],
    ["service.usecases"],
    ["service.runs"],
    ["service.schedule"],
    ["service.context"],
    ["service.verification"],
    ["service.binder", "service.opinion"],
    ["service.store", "service.templates", "service.notify"],
    ["service.settings", "service.clock"],
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


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


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
    values = [f"connectors.{name}" for name in ("tracker", "mapped", "records", "tracking", "errors")]
    of_connectors = {target for target in imports(path) if within(target, ["connectors"])}

    assert all(within(target, values) for target in of_connectors)


@pytest.mark.parametrize("path", [*modules("service"), *modules("connectors")], ids=name_of)
def test_the_product_never_imports_the_sandbox(path: Path) -> None:
    assert not any(within(target, ["sandbox"]) for target in imports(path))


@pytest.mark.parametrize("path", modules("sandbox"), ids=name_of)
def test_the_sandbox_imports_nothing_of_the_product(path: Path) -> None:
    assert not any(within(target, ["service", "connectors"]) for target in imports(path))


@pytest.mark.parametrize("path", modules("service"), ids=name_of)
def test_a_connector_is_reached_through_the_registry_alone(path: Path) -> None:
    assert not any(within(target, ["connectors.jira"]) for target in imports(path))


EVERYTHING = [path for package in ("service", "connectors", "sandbox", "simulation") for path in modules(package)]


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_a_module_opens_with_a_line_on_its_job(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{name_of(path)} has no docstring"
