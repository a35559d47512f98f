"""Secrets that stand elsewhere and are named in place of a value: `env:NAME` for a variable, `file:PATH` for a file.

A setting is the operator's own, and may name whatever that account can read. What is stored, and so was typed by
whoever may add a connection, leads only where the operator's `PHASELOOP_SECRET_SOURCES` allows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from service import env_file

VARIABLE, FILE = "env:", "file:"

OWN = "PHASELOOP_"
"""What our own variables begin with: a stored reference never reads them."""

LONGEST = 65_536
"""Bytes of a file that holds a secret."""


class ReferenceProblem(ValueError):
    """A reference leads nowhere, or not where it may. The message names the place and never what is in it."""


def is_reference(text: str) -> bool:
    """Whether the text names the place of a secret in place of one."""
    return text.startswith((VARIABLE, FILE))


def read(text: str) -> str:
    """The secret that stands there, without white space around it. Raises ReferenceProblem."""
    found = _of_file(text.removeprefix(FILE)) if text.startswith(FILE) else _of_variable(text.removeprefix(VARIABLE))
    if not found.strip():
        raise ReferenceProblem(f"{text} is empty")
    return found.strip()


def read_allowed(text: str, sources: Sequence[str]) -> str:
    """The same, where one of the sources allows it: `env:` and a name, `*` standing for any letters, or a folder.
    Raises ReferenceProblem."""
    if not _allowed(text, sources):
        raise ReferenceProblem(
            f"{text} is not among the places that PHASELOOP_SECRET_SOURCES allows: "
            + (", ".join(sources) or "it is not set")
        )
    return read(text)


def checked(sources: Sequence[str]) -> tuple[str, ...]:
    """The sources without those that are empty. Raises ValueError for one that is neither `env:NAME` nor a whole
    path."""
    given = tuple(one.strip() for one in sources if one.strip())
    for one in given:
        name = one.removeprefix(VARIABLE)
        if name == one and not Path(one).is_absolute():
            raise ValueError(f"{one!r} is neither env: and a name nor the whole path of a folder")
        if name != one and (not name.strip("*") or name.upper().startswith(OWN)):
            raise ValueError(f"{one!r} must name variables, and none of phaseloop's own")
    return given


def _allowed(text: str, sources: Sequence[str]) -> bool:
    if text.startswith(VARIABLE):
        name = text.removeprefix(VARIABLE)
        patterns = [one.removeprefix(VARIABLE) for one in sources if one.startswith(VARIABLE)]
        return not name.upper().startswith(OWN) and any(fnmatchcase(name, pattern) for pattern in patterns)
    path = Path(text.removeprefix(FILE))
    folders = [Path(one).resolve() for one in sources if not one.startswith(VARIABLE)]
    return path.is_absolute() and any(path.resolve().is_relative_to(folder) for folder in folders)


def _of_variable(name: str) -> str:
    found = os.environ.get(name)
    if found is None:
        found = env_file.variables().get(name)
    if found is None:
        raise ReferenceProblem(f"the variable {name or '(without a name)'} is not set")
    return found


def _of_file(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise ReferenceProblem(f"the file {name} cannot be read: {error.strerror or error}") from error
    if len(data) > LONGEST:
        raise ReferenceProblem(f"the file {name} is longer than {LONGEST} bytes, so it holds no secret")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ReferenceProblem(f"the file {name} is not UTF-8 text") from error
