"""The `phaseloop` command: where its commands are, and the last line of defence against stack traces. What a command
needs is imported when it is called."""

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
from service.cli import home as homes
from service.cli.exits import Cause, Exit
from service.cli.lazy import Later, LaterGroup
from service.cli.streams import writable

INTERRUPTED = 130
"""The exit code after Ctrl-C."""

READER_GONE = 141
"""The exit code when nobody reads the output any more, as a shell gives it."""


class Program(LaterGroup):
    """All commands, in the order in which they are listed."""

    places = {
        "plan": Later("plans", "plan", "Show what applying would change."),
        "apply": Later("plans", "apply", "Apply a saved plan and follow it until it is done."),
        "adopt": Later("plans", "adopt", "Take items that people made in the tracker over as items of the plan."),
        "undo": Later(
            "undo",
            "undo",
            "Take back what a run did: what it made and nobody touched since goes, what it wrote is put back.",
        ),
        "advance": Later(
            "advance",
            "advance",
            "Advance now: close the current iteration, carry over what is not done, begin the next one.",
        ),
        "carry": Later(
            "advance",
            "carry",
            "Say what becomes of tickets that are not done when the iteration is closed: next carries "
            "them over, backlog takes them out of every iteration, leave leaves them where the "
            "tracker does.",
        ),
        "phase": Later(
            "advance",
            "phase",
            "Decide what follows the current iteration: another one of the same phase (stay), "
            "the next phase whether or not this one has reached its output (next), a phase that was "
            "there before, with new tickets (back), or the end of the project (end).",
        ),
        "history": Later(
            "history",
            "history",
            "Show what became of a project's iterations: tickets and points that were planned, added, "
            "done, carried over and taken out; cycle times; and what happened to the loop.",
        ),
        "status": Later(
            "status",
            "status",
            "Show where projects are in their loops and what comes next; what they have in their "
            "trackers, vacancies first; what people changed there since; and what a plan would change "
            "now.",
        ),
        "demo": Later(
            "demo", "demo", "Build the ML template in sandbox trackers on this machine and show what came of it."
        ),
        "simulate": Later(
            "simulate",
            "simulate",
            "Play months of a project in minutes: a made-up team works, falls ill, leaves work undone "
            "and moves tickets by hand in a sandbox tracker, and phaseloop closes, carries over, "
            "seeds and begins.",
        ),
        "login-link": Later("people", "login_link", "Print a link that signs somebody in once, within 15 minutes."),
        "serve": Later("admin", "serve", "Run the service: REST API and durable runs."),
        "sandbox": Later(
            "sandbox",
            "sandbox",
            "Run sandbox trackers on this machine, for trying out and for tests; nothing leaves it.",
        ),
        "templates": Later("template_versions", "templates", "The processes that can be built."),
        "connections": Later("mapping", "connections", "Trackers we speak to."),
        "teams": Later("library", "team", "Teams: people, roles, capacity."),
        "runs": Later("run_control", "runs", "Durable runs."),
        "schedule": Later("schedule", "schedule", "When a project's loop advances."),
        "audit": Later("audit", "audit", "Whether every iteration is documented, with evidence."),
        "projects": Later("undo", "project", "Projects."),
        "hooks": Later("hooks", "hooks", "Webhooks: where trackers send events."),
        "events": Later("events", "events", "Events that arrived by webhook."),
        "triggers": Later("triggers", "triggers", "What events from outside start."),
        "notify": Later("notify", "notify", "Who hears of what outside of the tracker."),
        "db": Later("admin", "db", "The database."),
        "tokens": Later("access", "tokens", "Tokens for the REST API."),
        "log": Later("access", "log", "The log of every change: who, when, from where, before and after."),
        "people": Later("people", "people", "People who sign in, and their roles."),
        "sessions": Later("people", "sessions", "Who is signed in."),
        "oidc": Later("oidc", "oidc", "Signing in with an OpenID Connect provider."),
        "keys": Later("admin", "keys", "Keys that encrypt stored credentials."),
        "config": Later(
            "config",
            "config",
            "Show the settings in force and where each is from: an option, the environment, the .env file, or the "
            "default.",
        ),
    }


app = typer.Typer(
    name="phaseloop",
    cls=Program,
    help="Builds the ML team's loop in your Jira or Trello.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and the home folder, and exit.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="The home folder to work in, in place of PHASELOOP_HOME.")
    ] = None,
) -> None:
    """Builds the ML team's loop in your Jira or Trello."""
    if home is not None:
        homes.give(home, Program.places)
    if show_version:
        sys.stdout.write(f"phaseloop {__version__}\nhome {homes.words()}\n")
        raise typer.Exit(Exit.NOTHING)


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
                _tell(Cause(what, "Write it in UTF-8; a terminal set to another encoding sends other bytes."))
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
        from service.cli.causes import cause_of

        cause = cause_of(error)
        if cause is not None:
            _tell(cause)
            sys.exit(cause.code)
        _tell_bug(error)
        sys.exit(Exit.ERROR)
    finally:
        sys.stdout.flush()  # so that a reader who is gone is noticed here, not when the interpreter ends


def _tell_bug(error: Exception) -> None:
    what = f"phaseloop failed ({type(error).__name__}). This is a bug in phaseloop."
    if os.environ.get("PHASELOOP_DEBUG"):
        traceback.print_exception(error)
        _tell(Cause(what, f"Report it with the lines above and the version: {__version__}."))
    else:
        _tell(Cause(what, f"Run it again with PHASELOOP_DEBUG=1, and report what that prints. Version: {__version__}."))


def _tell(cause: Cause) -> None:
    from service.cli.shell import tell

    tell(cause)


def _leave_quietly() -> NoReturn:
    """End as programs do whose reader is gone (`| head`), and let the interpreter write nothing more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os._exit(READER_GONE)
