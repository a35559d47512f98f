"""Keeps a site in a file: read at the start, written whole and put in place in one step."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import TypeAdapter, ValidationError

from sandbox.jira.state import SiteData

_ADAPTER: TypeAdapter[SiteData] = TypeAdapter(SiteData)


class StateFileError(Exception):
    """The state file cannot be read; the message names the file, the place in it and the mend."""


def load(path: Path) -> SiteData | None:
    """The data kept in the file, or none if there is no file yet."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _ADAPTER.validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise StateFileError(
            f"{path} is not a sandbox state file ({place}: {first['msg']}). Move it away to start from the seed."
        ) from error


def save(path: Path, data: SiteData) -> None:
    """Write the data beside the file and move it into place, so that a crash leaves the old or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
        temporary.write(_ADAPTER.dump_json(data))
        temporary.flush()
        os.fsync(temporary.fileno())
    Path(temporary.name).replace(path)
