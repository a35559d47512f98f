"""What all commands share: the streams, the JSON form, the context, and errors turned into words and exit codes."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import OperationalError

from connectors.errors import TrackerError
from service.context import Context, open_context
from service.domain.audit.shown import visible
from service.domain.problems import InvalidInput
from service.runs.lock import AlreadyRunning, SlotLost
from service.settings import Settings
from service.store.database import SchemaMismatch
from service.store.secrets import KeyProblem
from service.usecases.errors import UseCaseError


class Exit(IntEnum):
    """Exit codes. `plan` answers NOTHING, ERROR or CHANGES; the other commands NOTHING (done) or ERROR."""

    NOTHING = 0
    ERROR = 1
    CHANGES = 2


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

PIPED_WIDTH = 200
"""Columns when the output goes to a file or a program: tables are not cut to a terminal that is not there."""

out = Console(highlight=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """One JSON document on standard output. What would hide or turn text round on a terminal is written as an escape,
    which is the same text to programs."""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n")) + "\n")


def _escaped(line: str) -> str:
    """A line of JSON with escapes for what cannot be shown; that is within strings only."""
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def fail(message: str, fix: str = "") -> NoReturn:
    """Say what is wrong and what to do, and leave with the exit code for errors."""
    err.print(f"[bold red]Error:[/] {_plain(message)}" + (f"\n{_plain(fix)}" if fix else ""))
    raise typer.Exit(Exit.ERROR)


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
            err.print(f"[bold red]Error:[/] PHASELOOP_{name}: {_plain(problem['msg'])}")
        raise typer.Exit(Exit.ERROR) from None


@contextmanager
def told() -> Iterator[None]:
    """Turn the errors that people can act on into words and an exit code. Others are ours and rise."""
    try:
        yield
    except InvalidInput as error:
        for problem in error.problems:
            err.print(_plain(str(problem)))
        count = len(error.problems)
        fail(f"{count} problem{'' if count == 1 else 's'} found; nothing was changed.")
    except UseCaseError as error:
        fail(error.message, error.fix)
    except TrackerError as error:
        fail(error.message, error.fix)
    except (SchemaMismatch, KeyProblem, AlreadyRunning, SlotLost) as error:
        fail(str(error))
    except OperationalError as error:
        fail(
            f"The database cannot be used: {_first_line(error.orig)}",
            "Check PHASELOOP_HOME or PHASELOOP_DATABASE_URL, and that nothing else holds it.",
        )


def _first_line(error: BaseException | None) -> str:
    return str(error).splitlines()[0] if error is not None and str(error) else "unknown reason"


def _plain(text: str) -> str:
    """The text as it is: brackets in titles and messages are not markup, and what would hide or forge text is shown."""
    from rich.markup import escape

    return escape(visible(text))
