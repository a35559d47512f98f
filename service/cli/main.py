"""The `phaseloop` command: its groups of commands put together, and the last line of defence against stack traces."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from service import __version__
from service.cli import (
    admin,
    advance,
    audit,
    demo,
    history,
    library,
    mapping,
    mending,
    plans,
    project,
    schedule,
    simulate,
    status,
    undo,
)
from service.cli.causes import Cause, cause_of
from service.cli.shell import Exit, fail, tell, told, writable

INTERRUPTED = 130
"""The exit code after Ctrl-C."""

READER_GONE = 141
"""The exit code when nobody reads the output any more, as a shell gives it."""

app = typer.Typer(
    name="phaseloop",
    help="Builds the ML team's loop in your Jira or Trello.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(library.templates, name="templates")
app.add_typer(mapping.connections, name="connections")
app.add_typer(library.team, name="team")
app.add_typer(mending.runs, name="runs")
app.add_typer(schedule.schedule, name="schedule")
app.add_typer(audit.audit, name="audit")
app.add_typer(project.project, name="project")
app.add_typer(admin.db, name="db")
app.add_typer(admin.tokens, name="tokens")
app.add_typer(admin.keys, name="keys")
app.command("plan")(plans.plan)
app.command("apply")(plans.apply)
app.command("adopt")(plans.adopt)
app.command("undo")(undo.undo)
app.command("advance")(advance.advance)
app.command("carry")(advance.carry)
app.command("phase")(advance.phase)
app.command("history")(history.history)
app.command("status")(status.status)
app.command("demo")(demo.demo)
app.command("simulate")(simulate.simulate)
app.command("serve")(admin.serve)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Builds the ML team's loop in your Jira or Trello."""
    if show_version:
        sys.stdout.write(f"phaseloop {__version__}\n")
        raise typer.Exit(Exit.NOTHING)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 9100,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    state: Annotated[Path | None, typer.Option(help="File to keep the state in; in memory if left out.")] = None,
    limits: Annotated[bool, typer.Option("--limits", help="Limit rates as the vendor does.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print address and credentials.")] = False,
) -> None:
    """Run a Jira and a Trello on this machine, for trying out and for tests; nothing leaves it."""
    # Loaded by name: the service must not depend on the sandbox, which is a product of its own.
    from importlib import import_module

    server = import_module("sandbox.server")
    with told():
        try:
            server.run(host=host, port=port, state=state, limits=limits, quiet=quiet)
        except OSError as error:
            fail(f"The sandbox cannot listen on {host}:{port}: {error.strerror or error}.", "Choose another --port.")


def main() -> None:
    """Run the command line. Whatever rises from a command is told with what to do about it (`causes.TABLE`), and only
    what is in no row of that is called a bug; nothing is a stack trace."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        writable(stream)
    try:
        _refuse_what_is_no_text(sys.argv[1:])
        _run()
    except BrokenPipeError:
        _leave_quietly()


def _refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    """End where an argument cannot be written as UTF-8, into an answer or the store; a file may be called so."""
    for place, text in enumerate(arguments, 1):
        try:
            text.encode()
        except UnicodeEncodeError:
            if not Path(text).exists():
                what = f"Argument {place} is not UTF-8 text: {text!a}."
                tell(Cause(what, "Write it in UTF-8; a terminal set to another encoding sends other bytes."))
                sys.exit(Exit.USAGE)


def _run() -> None:
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SystemExit:
        if not isinstance(sys.stdout, io.TextIOWrapper):  # typer has put another in place, because its reader is gone
            raise BrokenPipeError from None
        raise
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is is told in words
        cause = cause_of(error)
        if cause is not None:
            tell(cause)
            sys.exit(Exit.ERROR)
        _tell_bug(error)
        sys.exit(Exit.ERROR)
    finally:
        sys.stdout.flush()  # so that a reader who is gone is noticed here, not when the interpreter ends


def _tell_bug(error: Exception) -> None:
    what = f"phaseloop failed ({type(error).__name__}). This is a bug in phaseloop."
    if os.environ.get("PHASELOOP_DEBUG"):
        traceback.print_exception(error)
        tell(Cause(what, f"Report it with the lines above and the version: {__version__}."))
    else:
        tell(Cause(what, f"Run it again with PHASELOOP_DEBUG=1, and report what that prints. Version: {__version__}."))


def _leave_quietly() -> NoReturn:
    """End as programs do whose reader is gone (`| head`), and let the interpreter write nothing more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os._exit(READER_GONE)
