"""What all commands share: the streams, the JSON form, the context, and errors turned into words and exit codes."""

from __future__ import annotations

import errno
import getpass
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any, NoReturn, TextIO

import typer
from pydantic import ValidationError
from rich.console import Console

from connectors.values import in_words
from service.cli.causes import Cause, cause_of
from service.context import Context, open_context
from service.domain.audit.shown import visible
from service.settings import Settings


class Exit(IntEnum):
    """Exit codes. CHANGES: they were only shown. FOUND: what was looked for. USAGE: the command is written wrong."""

    NOTHING = 0
    ERROR = 1
    CHANGES = 2
    FOUND = 3
    USAGE = 64


def _no_such_option(self: Any) -> str:
    """What is said of an option that there is not: as of a command, with what is like it."""
    near = [f"'{one}'" for one in self.possibilities or ()]
    return f"No such option '{self.option_name}'." + (f" Did you mean {' or '.join(near)}?" if near else "")


# Whatever refuses a command line is a UsageError; without this it would leave with 2, which means changes here.
for _kind in typer.BadParameter.__mro__:
    if _kind.__name__ == "UsageError":
        _kind.exit_code = Exit.USAGE  # type: ignore[attr-defined]
        sys.modules[_kind.__module__].NoSuchOption.format_message = _no_such_option


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

PIPED_WIDTH = 200
"""Columns when the output goes to a file or a program: tables are not cut to a terminal that is not there."""


class _Console(Console):
    """A console that leaves it to `main` how to end when its reader is gone."""

    def on_broken_pipe(self) -> None:
        """Rise again."""
        raise BrokenPipeError(errno.EPIPE, "the reader is gone")


out = _Console(highlight=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = _Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """One JSON document on standard output. What would hide or turn text round on a terminal is written as an escape,
    which is the same text to programs."""
    text = json.dumps(document, indent=2, ensure_ascii=not _takes_all(sys.stdout), default=str)
    sys.stdout.write("\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n")) + "\n")


def writable(stream: TextIO) -> None:
    """Have a stream take any text: what its encoding does not have is written as an escape, not as a failure."""
    if not _takes_all(stream) and isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _takes_all(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("_", "-").startswith(("utf-8", "utf8", "utf-16"))


def _escaped(line: str) -> str:
    """A line of JSON with escapes for what cannot be shown; that is within strings only."""
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def who() -> str:
    """Who gives a command: the login of the person at this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody at this machine"


def misused(message: str, fix: str = "") -> NoReturn:
    """Say how the command is written wrong, and leave with the exit code for that."""
    fail(message, fix, Exit.USAGE)


def fail(message: str, fix: str = "", code: Exit = Exit.ERROR) -> NoReturn:
    """Say what is wrong and what to do, and leave with the exit code for errors."""
    tell(Cause(message, fix))
    raise typer.Exit(code)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM ends what is done here as Ctrl-C does: cleanly."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def opened() -> Iterator[Context]:
    """The context of this process's settings, closed afterwards."""
    with told():
        context = open_context(read_settings())
        try:
            yield context
        finally:
            context.close()


def read_settings() -> Settings:
    """The settings, or a plain word on which variable is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            err.print(f"[bold red]Error:[/] PHASELOOP_{name}: {_plain(in_words(problem))}")
        raise typer.Exit(Exit.ERROR) from None


@contextmanager
def told() -> Iterator[None]:
    """Turn the errors that people can act on into words and an exit code. Others are ours and rise."""
    try:
        yield
    except Exception as error:
        cause = cause_of(error)
        if cause is None:
            raise
        tell(cause)
        raise typer.Exit(Exit.ERROR) from None


def tell(cause: Cause) -> None:
    """Say why a command did not do what it was asked for, and what to do about it."""
    for one in cause.each:
        err.print(_plain(one))
    err.print(f"[bold red]Error:[/] {_plain(cause.message)}" + (f"\n{_plain(cause.fix)}" if cause.fix else ""))


def _plain(text: str) -> str:
    """The text as it is: brackets in titles and messages are not markup, and what would hide or forge text is shown."""
    from rich.markup import escape

    return escape(visible(text))
