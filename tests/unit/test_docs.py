"""The documentation is in step with the code: settings, commands, links between pages."""

from __future__ import annotations

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
