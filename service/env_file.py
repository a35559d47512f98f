"""The `.env` file of the folder that a command is given in: its variables, and the lines that say none."""

from __future__ import annotations

import io
import logging
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

NAME = ".env"

ENCODING = "utf-8-sig"
"""UTF-8; editors that put a byte order mark before it are as welcome."""


class NotUtf8(Exception):
    """The file is in an encoding that would have to be guessed."""


def variables() -> dict[str, str | None]:
    """What the file sets, by name as written there; nothing where there is none. Raises NotUtf8."""
    return dict(dotenv_values(stream=io.StringIO(text())))


def unread_lines() -> list[int]:
    """The numbers of the lines that set nothing: those without `=`, and those that cannot be read. Raises NotUtf8."""
    return [
        one.original.line + _before(one.original.string).count("\n")
        for one in parse_stream(io.StringIO(text()))
        if one.error or (one.key is not None and one.value is None)
    ]


def _before(statement: str) -> str:
    """The empty lines that the library counts to what follows them."""
    return statement[: len(statement) - len(statement.lstrip())]


def text() -> str:
    """The file's text; empty where there is none. Raises NotUtf8, which names the first line that is not."""
    # The library warns of lines that it cannot read, at each reading; `unread_lines` has them told once.
    logging.getLogger("dotenv").setLevel(logging.ERROR)
    file = Path(NAME)
    if not file.is_file():
        return ""
    data = file.read_bytes()
    try:
        found = data.decode(ENCODING)
        wrong = data.find(b"\0")
    except UnicodeDecodeError as error:
        found, wrong = "", error.start
    if wrong >= 0:
        line = data.count(b"\n", 0, wrong) + 1
        raise NotUtf8(f"{file.resolve()}, line {line}: the file is not UTF-8 text. Save it as UTF-8.")
    return found
