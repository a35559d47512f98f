"""Every kind of problem that the REST API answers with: its stable code, status, cause and fix, from `problems.toml`.

The table is what the handlers, the OpenAPI document and `docs/reference/problems.md` agree on; a test compares them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

PREFIX = "urn:phaseloop:problem:"
"""Type URIs are this prefix and the code. They name a kind of problem and are not meant to be fetched."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `title` is always the same for it; `cause` and `fix` are for its page in the reference."""

    code: str
    status: int
    title: str
    cause: str
    fix: str

    @property
    def type(self) -> str:
        """The URI that identifies it."""
        return PREFIX + self.code


def _read() -> dict[str, Kind]:
    table = tomllib.loads(files("service.api").joinpath("problems.toml").read_text(encoding="utf-8"))
    return {code: Kind(code=code, **entry) for code, entry in table.items()}


KINDS: dict[str, Kind] = _read()
"""All kinds by code."""
