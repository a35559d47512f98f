"""Which home folder a command works in, and how that was said. Loads nothing, so that `--version` can tell."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

VARIABLE = "PHASELOOP_HOME"

DEFAULT = ".phaseloop"

_given: list[Path] = []
"""What `--home` named, if it did."""


_commands: set[str] = set()


def give(home: Path, commands: Iterable[str]) -> None:
    """Have this process work in that folder, whatever the environment says. `commands` are all there are."""
    _given[:] = [home]
    _commands.update(commands)
    os.environ[VARIABLE] = str(home)


def given() -> Path | None:
    """The folder that `--home` named for this command."""
    return _given[0] if _given else None


def commands() -> frozenset[str]:
    """The commands that a text may propose to be run in that folder; none where it was not given."""
    return frozenset(_commands)


def place() -> tuple[Path, str]:
    """The folder, and what says so: `--home`, the variable, the `.env` file, or nothing (the default)."""
    if _given:
        return _given[0].resolve(), "--home"
    named = {name.upper(): value for name, value in os.environ.items()}.get(VARIABLE)
    if named is not None:
        return Path(named).resolve(), VARIABLE
    if Path(".env").is_file():
        from service import env_file

        found = {name.upper(): value for name, value in env_file.variables().items()}.get(VARIABLE)
        if found is not None:
            return Path(found).resolve(), f"{VARIABLE} in .env"
    return Path(DEFAULT).resolve(), "default"


def words() -> str:
    """The folder as it is told to people, with whether anything is in it yet."""
    path, said = place()
    there = "" if (path / "phaseloop.db").exists() else ", nothing in it yet"
    return f"{path} ({said}{there})"
