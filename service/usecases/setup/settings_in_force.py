"""The settings in force, and where each is from. Secrets are not shown."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from service import env_file
from service.settings import PREFIX, Settings

SECRET = "(secret)"
DEFAULT, ENVIRONMENT, FILE, OPTION = "default", "environment", env_file.NAME, "an option"

_PASSWORD = re.compile(r"(://[^/@\s:]*):[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """A setting: `name` is its variable, `value` a plain value or None where it is unset, `source` what says so."""

    name: str
    value: str | bool | int | float | None
    source: str
    description: str

    def to_json(self) -> dict[str, Any]:
        """The form that the command line shows."""
        return {"name": self.name, "value": self.value, "from": self.source}


def in_force(settings: Settings) -> list[SettingInForce]:
    """All settings, in the order of their reference."""
    of_file = {name.upper() for name in env_file.variables()}
    of_environment = {name.upper() for name in os.environ}
    found = []
    for name, told in Settings.model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        value = getattr(settings, name)
        if variable in of_environment:
            source = ENVIRONMENT
        elif variable in of_file:
            source = FILE
        else:
            source = DEFAULT if value == told.default else OPTION
        found.append(SettingInForce(variable, _plain(value), source, told.description or ""))
    return found


def _plain(value: object) -> str | bool | int | float | None:
    """The value as it may be shown: no secret, and of an address no password."""
    if isinstance(value, SecretStr):
        return SECRET
    if value is None or isinstance(value, bool | int | float):
        return value
    return _PASSWORD.sub(r"\1:***@", str(value))
