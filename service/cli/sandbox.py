"""The command `sandbox`: trackers on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli import local_trackers
from service.cli.shell import fail, told


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 9100,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    state: Annotated[Path | None, typer.Option(help="File to keep the state in; in memory if left out.")] = None,
    limits: Annotated[bool, typer.Option("--limits", help="Limit rates as the vendor does.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print address and credentials.")] = False,
) -> None:
    """Run sandbox trackers on this machine, for trying out and for tests; nothing leaves it."""
    with told():
        try:
            local_trackers.serve(host, port, state, limits=limits, quiet=quiet)
        except OSError as error:
            fail(f"The sandbox cannot listen on {host}:{port}: {error.strerror or error}.", "Choose another --port.")
