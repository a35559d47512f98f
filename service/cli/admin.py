"""Commands of the person who runs the service: serve, database, tokens, keys."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from cryptography.fernet import Fernet

from service.cli.shell import opened, out, read_settings, told
from service.store.database import Database
from service.store.folder import own_files, own_folder
from service.usecases import tokens as token_cases

db = typer.Typer(help="The database.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens for the REST API.", no_args_is_help=True)
keys = typer.Typer(help="Keys that encrypt stored credentials.", no_args_is_help=True)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [default: PHASELOOP_HOST].")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on [default: PHASELOOP_PORT].")
    ] = None,
) -> None:
    """Run the service: REST API and durable runs."""
    from service.app import run

    settings = read_settings()
    with told():
        run(settings, host or settings.host, settings.port if port is None else port)


@db.command()
def upgrade() -> None:
    """Bring the database's tables to this version."""
    settings = read_settings()
    with told():
        if settings.embedded:
            own_folder(settings.home)
            own_files(settings.home)
        database = Database(settings.store_url)
        database.upgrade()
        database.dispose()
    out.print("The database is up to date.")


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="What the token is for; shown in runs as who started them.")],
) -> None:
    """Make a token and print it, once."""
    with opened() as context:
        token = token_cases.create(context, name)
    sys.stdout.write(token + "\n")


@keys.command()
def new() -> None:
    """Print a new key for PHASELOOP_SECRET_KEY."""
    sys.stdout.write(Fernet.generate_key().decode() + "\n")
