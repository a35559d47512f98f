"""What all commands share: the streams, the JSON form, the context, and errors turned into words and exit codes."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from service.cli import home
from service.cli.exits import Cause, Exit
from service.cli.streams import takes_all
from service.domain.audit.shown import visible
from service.domain.commands import typed

if TYPE_CHECKING:
    from service.context import Context
    from service.domain.access.identity import Caller as Identity
    from service.settings import Settings

__all__ = [  # Exit among them: whoever ends a command needs it
    "AsJson",
    "Exit",
    "again",
    "choice",
    "err",
    "fail",
    "interruptible",
    "kept_in",
    "misused",
    "not_text",
    "nothing",
    "opened",
    "out",
    "print_json",
    "read_settings",
    "tell",
    "told",
    "who",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

PIPED_WIDTH = 200
"""Columns when the output goes to a file or a program: tables are not cut to a terminal that is not there."""


class _Console(Console):
    """A console that leaves it to `main` how to end when its reader is gone. Commands that it proposes work in the home
    folder that this one was given."""

    def print(self, *objects: Any, **given: Any) -> None:
        """Print as any console does."""
        if home.given() is not None:
            objects = tuple(_in_this_home(one) if isinstance(one, str) else one for one in objects)
        super().print(*objects, **given)

    def on_broken_pipe(self) -> None:
        """Rise again."""
        raise BrokenPipeError(errno.EPIPE, "the reader is gone")


def _in_this_home(text: str) -> str:
    """The text, in which each command that it proposes names the home folder, as the command that says so did."""
    proposed = re.compile(rf"\bphaseloop (?=(?:{'|'.join(map(re.escape, sorted(home.commands())))})\b)")
    named = escape(typed(home.given()))
    return proposed.sub(lambda _found: f"phaseloop --home {named} ", text)


out = _Console(highlight=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = _Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def choice(names: Sequence[str], words: str) -> Any:
    """An option that is one of these words, which are not known before the program runs."""

    def chosen(given: str) -> str:
        if (plain := given.strip().casefold()) in names:
            return plain
        from service.domain.english import sentence
        from service.domain.template.shape import meant

        slip = meant(given, names)
        there = ", ".join(map(repr, names))
        raise typer.BadParameter(f"{given!r} is not one of {there}.{f' {sentence(slip)}' if slip else ''}")

    return typer.Option(parser=chosen, metavar=f"[{'|'.join(names)}]", help=words)


def print_json(document: Any) -> None:
    """One JSON document on standard output. What would hide or turn text round on a terminal is written as an escape,
    which is the same text to programs."""
    text = json.dumps(document, indent=2, ensure_ascii=not takes_all(sys.stdout), default=str)
    sys.stdout.write("\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n")) + "\n")


def _escaped(line: str) -> str:
    """A line of JSON with escapes for what cannot be shown; that is within strings only."""
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def who() -> str:
    """Who gives a command: the login of the person at this machine."""
    from service.usecases.access import local

    return local.login()


def again(*more: str, without: str | None = None) -> str:
    """The command as it was given, with all its options but the one `without`, and this added: for a text that proposes
    it."""
    return shlex.join(["phaseloop", *(one for one in sys.argv[1:] if one != without), *more])


def misused(message: str, fix: str = "") -> NoReturn:
    """Say how the command is written wrong, and leave with the exit code for that."""
    fail(message, fix, Exit.USAGE)


def not_text(file: object, raw: bytes) -> NoReturn:
    """Say that a file is no text, and what it is instead where that can be seen, and leave."""
    from service.domain.english import sentence
    from service.domain.file_forms import form_of

    if (form := form_of(raw)) is not None:
        fail(f"{file} is {form[0]}, not text.", f"{sentence(form[1])}.")
    fail(f"{file} is not UTF-8 text.", "Save it as UTF-8.")


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


def at_this_machine() -> Identity:
    """Whoever gives a command, as the local administrator: the store's files are theirs already."""
    from service.domain.access.identity import Actor, Grant, Kind
    from service.domain.access.identity import Caller as Identity
    from service.domain.access.roles import Role

    actor = Actor(Kind.LOCAL, "local", who(), f"the command line on {socket.gethostname()}, as local administrator")
    return Identity(actor, (Grant(Role.ADMIN),))


@contextmanager
def opened(*, founds: bool = False, keyless: bool = False) -> Iterator[Context]:
    """The context of this process's settings, closed afterwards.

    Only a command that `founds` makes a home folder. Any other finds nothing where there is none, and leaves no trace.
    One that shows what is recorded does so `keyless` where the key is lost that opens credentials.
    """
    from service.context import open_context

    settings = read_settings()
    bare = settings.embedded and not (settings.home / "phaseloop.db").exists() and _could_be(settings.home)
    with told(settings), _somewhere(settings, bare=bare and not founds) as meant:
        context = open_context(meant, keyless=keyless)
        try:
            yield context.acting(at_this_machine())
        finally:
            context.close()
        if bare and founds and err.is_terminal:
            err.print(f"[dim]Made the home folder {_plain(_home())}.[/]")


@contextmanager
def _somewhere(settings: Settings, *, bare: bool) -> Iterator[Settings]:
    """The settings, with an empty folder as home for as long as the command takes where nothing is to be made."""
    if not bare:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="phaseloop-") as folder:
        yield settings.model_copy(update={"home": Path(folder)})


def _could_be(folder: Path) -> bool:
    """Whether the folder is there or could be made; where it cannot, whoever opens it is told why."""
    place = folder.resolve()
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def _home() -> str:
    path, said = home.place()
    return f"{path} ({said})"


def kept_in(settings: Settings) -> str:
    """Where what a command looks for is kept: said where it finds nothing."""
    if settings.database_url is None:
        there = "" if (settings.home / "phaseloop.db").exists() else ", where nothing is kept yet"
        return f"The home folder is {_home()}{there}."
    from sqlalchemy.engine import make_url

    return f"The database is {make_url(settings.database_url).render_as_string(hide_password=True)}."


def nothing(what: str) -> None:
    """Say that there is nothing to show, and where it was looked for."""
    from service.settings import Settings

    out.print(f"{what}\n[dim]{_plain(kept_in(Settings()))}[/]")


def read_settings() -> Settings:
    """The settings, or a plain word on which variable is wrong."""
    from pydantic import ValidationError

    from connectors.setting_errors import in_words
    from service import env_file
    from service.settings import Settings, misspelt

    for line in env_file.unread_lines():
        place = _plain(f"{Path(env_file.NAME).resolve()}, line {line}")
        err.print(f"[bold yellow]Note:[/] {place}: sets nothing and is not read; write NAME=value, or # first.")
    for name, meant in misspelt().items():
        advice = f"did you mean {meant}?" if meant else "`phaseloop config` lists those there are."
        err.print(f"[bold yellow]Note:[/] {_plain(name)} is no setting and is not read; {advice}")
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            place = f"PHASELOOP_{name}: " if name else ""
            err.print(f"[bold red]Error:[/] {place}{_plain(in_words(problem))}")
        raise typer.Exit(Exit.ERROR) from None


_NOT_HERE = frozenset({"not-found", "no-connection", "no-plan"})
"""Codes of errors that may only mean that another home folder was meant."""


@contextmanager
def told(settings: Settings | None = None) -> Iterator[None]:
    """Turn the errors that people can act on into words and an exit code; where something is not found, with where the
    settings have it looked for. Others are ours and rise."""
    try:
        yield
    except Exception as error:
        from service.cli.causes import cause_of

        cause = cause_of(error)
        if cause is None:
            raise
        if settings is not None and getattr(error, "code", "") in _NOT_HERE:
            cause = replace(cause, fix=f"{cause.fix}\n{kept_in(settings)}".strip())
        tell(cause)
        raise typer.Exit(cause.code) from None


def tell(cause: Cause) -> None:
    """Say why a command did not do what it was asked for, and what to do about it."""
    for one in cause.each:
        err.print(_plain(one))
    err.print(f"[bold red]Error:[/] {_plain(cause.message)}" + (f"\n{_plain(cause.fix)}" if cause.fix else ""))


def _plain(text: str) -> str:
    """The text as it is: brackets in titles and messages are not markup, and what would hide or forge text is shown."""
    return escape(visible(text))
