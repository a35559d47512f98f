"""How commands end: the exit codes, also of a command line that is refused before a command is reached, and the reason
that is told."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import typer


class Exit(IntEnum):
    """Exit codes. CHANGES: they were only shown. FOUND: what was looked for. USAGE: the command is written wrong."""

    NOTHING = 0
    ERROR = 1
    CHANGES = 2
    FOUND = 3
    USAGE = 64


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a command did not do what it was asked for: what is so, what to do next, each single thing first where there
    are several, and the exit code."""

    message: str
    fix: str = ""
    each: tuple[str, ...] = ()
    code: Exit = Exit.ERROR


def _no_such_option(self: Any) -> str:
    """What is said of an option that there is not: as of a command, with what is like it."""
    near = [f"'{one}'" for one in self.possibilities or ()]
    return f"No such option '{self.option_name}'." + (f" Did you mean {' or '.join(near)}?" if near else "")


_OURS = "value_error"
"""What the library calls a problem that a check of ours told in a sentence of its own."""
_worded = typer.BadParameter.format_message


def _bad_value(self: Any) -> str:
    """What is said of a value: in our words where a library's own check refused it."""
    problems = getattr(self.__context__, "errors", None)
    first = problems(include_url=False)[0] if callable(problems) else {"type": _OURS}
    if first["type"] != _OURS:
        from connectors.setting_errors import in_words

        self.message = f"it {in_words(first)}."
    self.message = str(self.message).removeprefix("Value error, ")
    return _worded(self)


typer.BadParameter.format_message = _bad_value  # type: ignore[method-assign]


# Whatever refuses a command line is a UsageError; without this it would leave with 2, which means changes here.
for _kind in typer.BadParameter.__mro__:
    if _kind.__name__ == "UsageError":
        _kind.exit_code = Exit.USAGE  # type: ignore[attr-defined]
        sys.modules[_kind.__module__].NoSuchOption.format_message = _no_such_option
