"""The command `config`: which settings are in force, and where each is from."""

from __future__ import annotations

import os
from typing import Any

from pydantic import SecretStr
from rich.markup import escape
from rich.table import Table
from sqlalchemy.engine import make_url

from service import env_file
from service.cli import home
from service.cli.shell import AsJson, out, print_json, read_settings
from service.settings import PREFIX, Settings

SECRET = "(secret)"


def config(as_json: AsJson = False) -> None:
    """Show the settings in force and where each is from: an option, the environment, the .env file, or the default.
    Secrets are not shown."""
    settings = read_settings()
    found = [_entry(settings, name) for name in Settings.model_fields]
    if as_json:
        print_json(found)
        return
    table = Table("Setting", "Value", "From", box=None, pad_edge=False)
    for one in found:
        table.add_row(one["name"], escape("" if one["value"] is None else str(one["value"])), one["from"])
    out.print(table)


def _entry(settings: Settings, name: str) -> dict[str, Any]:
    variable = f"{PREFIX}{name.upper()}"
    value = getattr(settings, name)
    if name == "home":
        path, said = home.place()
        return {"name": variable, "value": str(path), "from": said}
    if isinstance(value, SecretStr):
        value = SECRET
    elif name == "database_url" and value is not None:
        value = make_url(value).render_as_string(hide_password=True)
    elif value is not None and not isinstance(value, bool | int | float):
        value = str(value)
    return {"name": variable, "value": value, "from": _source(variable)}


def _source(variable: str) -> str:
    if variable in {name.upper() for name in os.environ}:
        return "environment"
    return ".env" if variable in {name.upper() for name in env_file.variables()} else "default"
