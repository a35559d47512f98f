"""Commands of the person who runs the service: serve, database, keys."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from cryptography.fernet import Fernet

from connectors.english import counted
from service.cli.shell import AsJson, fail, opened, out, print_json, read_settings, told
from service.context import upgrade_store
from service.usecases.setup import keys as key_cases
from service.usecases.setup.keys import KeyUse

db = typer.Typer(help="The database.", no_args_is_help=True)
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
    if host is not None:
        settings = settings.model_copy(update={"host": host})
    with told():
        run(settings, settings.host, settings.port if port is None else port)


@db.command()
def upgrade() -> None:
    """Bring the database's tables to this version."""
    settings = read_settings()
    with told():
        found, now = upgrade_store(settings)
    if found is None:
        out.print(f"The tables were made, in version {now}.")
    elif found != now:
        out.print(f"The tables were brought from version {found} to {now}.")
    else:
        out.print(f"The database is up to date (version {now}).")


@keys.command()
def new() -> None:
    """Print a new key for PHASELOOP_SECRET_KEY."""
    sys.stdout.write(Fernet.generate_key().decode() + "\n")


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Show how many keys there are, where they are, and whether former ones are still needed; never a key itself."""
    with opened() as context:
        found = key_cases.use(context)
    if as_json:
        print_json({**asdict(found), "former_needed": found.former_needed})
        return
    if not found.keys:
        out.print("No key yet: the first credential that is stored makes the key file.")
        return
    out.print(f"{counted(found.keys, 'key')} in {_place(found)}; the first encrypts.")
    out.print(f"{counted(found.stored, 'secret')} stored, {found.by_first} of them encrypted with the first key.")
    if found.former_needed:
        out.print("The other keys are still needed. Encrypt all with the first: phaseloop keys rotate")


@keys.command()
def rotate(as_json: AsJson = False) -> None:
    """Encrypt all stored secrets with a new key and forget the former, while everything runs. One that was cut off is
    continued by the next.

    Where the key is the file in the home folder of one installation, the new key is made here. Where the keys are in
    PHASELOOP_SECRET_KEY or the database is PostgreSQL, put the new key before the former one in every replica first:
    NEW,OLD.
    """
    with opened() as context:
        done = key_cases.rotate(context)
        own = context.settings.embedded and done.use.in_file
    if as_json:
        print_json({**asdict(done.use), "made": done.made, "resealed": done.resealed, "dropped": done.dropped})
    elif not done.use.keys:
        out.print("Nothing is stored yet, so there is no key to rotate.")
    elif own:
        out.print(f"{_all(done.use)} encrypted with the new key, and the former one is gone from the key file.")
        out.print("A copy of the database that was made before still needs the former key.")
    elif done.use.keys > 1:
        out.print(f"{_all(done.use)} encrypted with the first key: {done.resealed} anew.")
        out.print(f"The others are not needed any more: take them out of {_place(done.use)} in every replica.")
    if not own and done.use.keys == 1:
        where = f"in {_place(done.use)} of every replica"
        fix = f"Put a new one before it {where} (phaseloop keys new makes one), then repeat this."
        fail("There is only one key, so there is none to change to.", fix)


def _all(found: KeyUse) -> str:
    return f"{counted(found.stored, 'stored secret')} {'is' if found.stored == 1 else 'are'}"


def _place(found: KeyUse) -> str:
    return "the key file" if found.in_file else "PHASELOOP_SECRET_KEY"
