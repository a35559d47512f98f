"""The command line's reference page, written from the commands themselves: `python -m service.cli.reference`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer

HEAD = """# Command line

`phaseloop COMMAND --help` says the same in short. Output for people goes to standard output, progress and errors to
standard error; with `--json` standard output is one JSON document. Questions (a credential, whether to continue) are
asked on a terminal only; `--yes` answers them, and in a pipe nothing is done without it.

`phaseloop --home FOLDER COMMAND` works in that home folder in place of `PHASELOOP_HOME`; `phaseloop --version` says
which one is used. A unique prefix of an id is enough.

Exit codes: 0 done (for `plan`: nothing to do), 1 an error, or a run that did not complete or is held, 2 there are
changes that were only shown (`plan`, `undo`, `projects remove`, `advance`), 3 what `audit report --fail-on` names was
found, 64 the command is written wrong (an option or argument that it does not have, or one that is missing; a value
that the project, its template or its tracker does not take is an error), 130 interrupted.

This page is generated: `python -m service.cli.reference > docs/reference/command-line.md`.
"""


def commands(command: Any, path: str = "phaseloop") -> Iterator[tuple[str, Any]]:
    """Every command with its path, groups left out."""
    if hasattr(command, "commands"):
        for name, sub in command.commands.items():
            yield from commands(sub, f"{path} {name}")
    else:
        yield path, command


def page() -> str:
    """The whole page as Markdown."""
    from service.cli.main import app

    return HEAD + "".join(_section(path, command) for path, command in commands(typer.main.get_command(app)))


def _section(path: str, command: Any) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    words = " ".join([path, *(_shape(argument) for argument in arguments)])
    rows = [f"| `{_shape(argument)}` | {argument.help or ''} |" for argument in arguments]
    rows += [f"| `{', '.join([*o.opts, *o.secondary_opts])}` | {o.help or ''}{_default(o)} |" for o in options]
    table = "\n".join(["| | |", "| --- | --- |", *rows]) + "\n" if rows else ""
    return f"\n## `{words}`\n\n{' '.join((command.help or '').split())}\n" + (f"\n{table}" if table else "")


def _shape(argument: Any) -> str:
    name = argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _default(option: Any) -> str:
    if option.is_flag or option.default in (None, "", ()):
        return ""
    return f" Default: `{getattr(option.default, 'value', option.default)}`."


if __name__ == "__main__":
    sys.stdout.write(page())
