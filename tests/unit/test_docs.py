"""The documentation is in step with the code: settings, commands, links between pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from service.cli.main import app
from service.cli.reference import commands, page
from service.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


ALL_COMMANDS = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented_and_in_the_example(name: str) -> None:
    variable = f"PHASELOOP_{name.upper()}"

    assert variable in (ROOT / "docs/reference/settings.md").read_text()
    assert variable in (ROOT / ".env.example").read_text()


def test_the_example_environment_starts_the_service() -> None:
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    values = dict(line.split("=", 1) for line in lines)

    settings = Settings(**{name.removeprefix("PHASELOOP_").lower(): value for name, value in values.items()})

    assert settings.embedded


@pytest.mark.parametrize(("path", "command"), ALL_COMMANDS, ids=[path for path, _command in ALL_COMMANDS])
def test_every_command_argument_and_option_says_what_it_is_for(path: str, command: Any) -> None:
    assert command.help
    assert [parameter.name for parameter in command.params if not parameter.help and parameter.name != "help"] == []


def test_the_reference_of_the_command_line_is_the_generated_one() -> None:
    assert (ROOT / "docs/reference/command-line.md").read_text() == page()


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_every_link_between_pages_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_every_command_that_a_page_shows_exists(path: Path) -> None:
    known = {name for name, _command in ALL_COMMANDS}
    groups = {name.rsplit(" ", 1)[0] for name in known if name.count(" ") > 1}

    for words in re.findall(r"(?m)^    (?:.*\| )?phaseloop ((?:[a-z-]+ ?)+)", path.read_text()):
        parts = words.split()
        one, two = f"phaseloop {parts[0]}", "phaseloop " + " ".join(parts[:2])
        assert one in known or two in known or one in groups, words


def places() -> list[tuple[str, str]]:
    """File and name of each line of the table "Where is …"."""
    _, _, rest = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## Where is …")
    rows = re.findall(r"^\|[^|]*\| (`[^|]+`) \| (`[^|]+`) \|$", rest.partition("\n## ")[0], re.MULTILINE)
    pairs = [(re.findall("`([^`]+)`", files), re.findall("`([^`]+)`", names)) for files, names in rows]
    pairs = [(files * len(names) if len(files) == 1 else files, names) for files, names in pairs]
    return [pair for files, names in pairs for pair in zip(files, names, strict=True) if pair[0].endswith(".py")]


@pytest.mark.parametrize(("path", "name"), places())
def test_what_the_architecture_says_is_somewhere_is_there(path: str, name: str) -> None:
    body: list[ast.stmt] = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    for part in name.split("."):
        found = [one for one in body if isinstance(one, ast.FunctionDef | ast.ClassDef) and one.name == part]
        assert found, f"{path} has no {name}"
        body = found[0].body


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_ours_that_a_page_names_is_there(path: Path) -> None:
    floors = "service|connectors|domain|usecases|runs|cli|api|store|tests|simulation|sandbox|bench"
    named = set(re.findall(rf"`((?:{floors})/[\w/*.-]+\.py)`", path.read_text(encoding="utf-8")))
    there = {name for name in named if any(list((ROOT / floor).glob(name)) for floor in ("", "service"))}

    assert named - there == set()


def test_the_architecture_says_where_the_main_behaviours_are() -> None:
    assert len(places()) >= 25


def test_what_a_setting_means_stands_above_it_in_the_example_environment() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    meant = {f"# {field.description}": f"PHASELOOP_{name.upper()}=" for name, field in Settings.model_fields.items()}
    told = {line: lines[place + 1].removeprefix("#") for place, line in enumerate(lines[:-1]) if line in meant}
    assert len(told) > 5
    assert {line: one.partition("=")[0] + "=" for line, one in told.items()} == {line: meant[line] for line in told}
    assert "#PHASELOOP_PLAN_HOURS=24" in {f"#{one}" for one in told.values()}
