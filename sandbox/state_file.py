"""Keeps a site, with the Trello and the Slack beside it, in a file: read at the start, written whole and put in place
in one step."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from sandbox.jira.state import SiteData
from sandbox.slack.state import SlackData
from sandbox.trello.state import TrelloData


@dataclass
class _Kept:
    """The part of the file that is not Jira's."""

    trello: TrelloData | None = None
    slack: SlackData | None = None


Data = TypeVar("Data")
_ADAPTER: TypeAdapter[SiteData] = TypeAdapter(SiteData)
_KEPT: TypeAdapter[_Kept] = TypeAdapter(_Kept)


class StateFileError(Exception):
    """The state file cannot be read; the message names the file, the place in it and the fix."""


def load(path: Path) -> SiteData | None:
    """The data of Jira kept in the file, or none if there is no file yet."""
    return _read(path, _ADAPTER)


def load_trello(path: Path) -> TrelloData | None:
    """The data of Trello kept in the file, or none if there is none yet."""
    kept = _read(path, _KEPT)
    return kept.trello if kept else None


def load_slack(path: Path) -> SlackData | None:
    """The data of Slack kept in the file, or none if there is none yet."""
    kept = _read(path, _KEPT)
    return kept.slack if kept else None


def _read(path: Path, adapter: TypeAdapter[Data]) -> Data | None:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return adapter.validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise StateFileError(
            f"{path} is not a sandbox state file ({place}: {first['msg']}). Move it away to start from the seed."
        ) from error


def save(path: Path, data: SiteData, trello: TrelloData | None = None, slack: SlackData | None = None) -> None:
    """Write the data beside the file and move it into place, so that a crash leaves the old or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
        # One object: the members of Jira's data, and one more for each of the others.
        temporary.write(_KEPT.dump_json(_Kept(trello, slack))[:-1] + b"," + _ADAPTER.dump_json(data)[1:])
        temporary.flush()
        os.fsync(temporary.fileno())
    Path(temporary.name).replace(path)
