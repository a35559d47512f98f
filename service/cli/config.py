"""The command `config`: which settings are in force, and where each is from."""

from __future__ import annotations

from dataclasses import replace

from rich.markup import escape
from rich.table import Table

from service.cli import home
from service.cli.shell import AsJson, out, print_json, read_settings
from service.usecases.setup.settings_in_force import in_force


def config(as_json: AsJson = False) -> None:
    """Show the settings in force and where each is from: an option, the environment, the .env file, or the default.
    Secrets are not shown."""
    path, said = home.place()
    found = [
        replace(one, value=str(path), source=said) if one.name == home.VARIABLE else one
        for one in in_force(read_settings())
    ]
    if as_json:
        print_json([one.to_json() for one in found])
        return
    table = Table("Setting", "Value", "From", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.name, escape("" if one.value is None else str(one.value)), one.source)
    out.print(table)
