"""What can be wrong with the input, the tracker or the machine, and what to do about it: one table, asked by the
outermost handler of every command. What is in no row of it is a bug in phaseloop."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
from sqlalchemy.exc import DBAPIError

from connectors.errors import TrackerError
from service.cli.exits import Cause, Exit
from service.domain.english import counted
from service.domain.problems import InvalidInput
from service.env_file import NotUtf8
from service.runs.lock import AlreadyRunning, SlotLost
from service.settings import Settings
from service.store_faults import KeyProblem, SchemaMismatch
from service.usecases.errors import UseCaseError


def cause_of(error: BaseException) -> Cause | None:
    """The cause of an error, None if it is a bug."""
    errors = list(_chain(error))
    return next((found for row in TABLE for one in errors if (found := row(one)) is not None), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those it was raised from, the outermost first."""
    seen: set[int] = set()
    coming: list[BaseException | None] = [error]
    while coming:
        one = coming.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        coming += [one.orig if isinstance(one, DBAPIError) else None, one.__cause__]
        coming += one.exceptions if isinstance(one, BaseExceptionGroup) else ()


# --- what people asked for, and what a tracker answered ---------------------------------------------------------------


def _input(error: BaseException) -> Cause | None:
    if not isinstance(error, InvalidInput):
        return None
    count = len(error.problems)
    message = f"{counted(count, 'problem')} found; nothing was changed."
    lacks = any(problem.missing for problem in error.problems)  # then the command itself is written wrong
    return Cause(
        message, each=tuple(problem.told for problem in error.problems), code=Exit.USAGE if lacks else Exit.ERROR
    )


def _said(error: BaseException) -> Cause | None:
    """Errors that say themselves what is so and what to do."""
    match error:
        case UseCaseError() | TrackerError():
            return Cause(error.message, error.fix)
        case NotUtf8() | SchemaMismatch() | KeyProblem() | AlreadyRunning() | SlotLost():
            return Cause(str(error))
        case _:
            return None


# --- the network ------------------------------------------------------------------------------------------------------

_BUNDLES = ("PHASELOOP_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR")
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def _socks(error: BaseException) -> Cause | None:
    if "SOCKS" not in str(error).upper() or not isinstance(error, ImportError | OSError | ValueError):
        return None
    named = [name for name in _PROXIES if os.environ.get(name, os.environ.get(name.lower(), "")).startswith("socks")]
    where = f" ({' and '.join(named)})" if named else ""
    return Cause(
        f"A SOCKS proxy is set{where}, and phaseloop speaks to HTTP proxies only.",
        "Set an http:// proxy there, or name the tracker's host in NO_PROXY.",
    )


def _certificates(error: BaseException) -> Cause | None:
    """A bundle of certificates that is named and not there. Libraries raise the bare error of opening it."""
    lost = [name for name in _BUNDLES if os.environ.get(name) and not Path(os.environ[name]).exists()]
    bare = isinstance(error, FileNotFoundError) and error.filename is None
    if not lost or not (bare or (isinstance(error, OSError) and "CA certificate bundle" in str(error))):
        return None
    return Cause(
        f"{lost[0]} names {os.environ[lost[0]]} as the file of certificates to trust, and there is no such file.",
        "Correct the variable, or unset it to trust what this machine trusts.",
    )


# --- the disk ---------------------------------------------------------------------------------------------------------


def _disk_full(error: BaseException) -> Cause | None:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not full and not (isinstance(error, sqlite3.Error) and "disk is full" in str(error)):
        return None
    place = getattr(error, "filename", None) or _home()
    return Cause(
        f"The disk is full: {place} cannot be written.",
        "Free some space, then repeat the command. Nothing that was recorded before is lost.",
    )


def _damaged(error: BaseException) -> Cause | None:
    """A file of ours that is no SQLite database any more."""
    if not isinstance(error, sqlite3.DatabaseError) or not any(
        sign in str(error) for sign in ("not a database", "malformed", "file is encrypted")
    ):
        return None
    engine, store = _home() / "engine.db", _home() / "phaseloop.db"
    if not _is_sound(store):
        return Cause(
            f"{store} is damaged: {error}.",
            "Put a backup in its place. Without one, move it away and set everything up again: what is in the tracker "
            "stays, and `phaseloop adopt` takes it over.",
        )
    if not _is_sound(engine):
        return Cause(
            f"{engine} is damaged: {error}.",
            f"It can be spared: move it away (mv {engine} {engine}.damaged) and repeat the command. Runs that were at "
            "work are begun again from what is recorded.",
        )
    return None


def _is_sound(file: Path) -> bool:
    if not file.is_file():
        return True
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=1)) as opened:
            return bool(opened.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # held by somebody, or not readable: not damaged
        return True
    except sqlite3.DatabaseError:
        return False


def _store_file(error: BaseException) -> Cause | None:
    """SQLite's words for a file that it may not use."""
    if not isinstance(error, sqlite3.OperationalError):
        return None
    said = str(error)
    if "unable to open" in said or "readonly" in said:
        return _unwritable(_home() / "phaseloop.db", said)
    if "locked" in said:
        return Cause(
            f"The database in {_home()} is held by another process: {said}.",
            "Wait until that has ended, or stop it, then repeat the command.",
        )
    return Cause(f"The database in {_home()} cannot be used: {said}.", "Check PHASELOOP_HOME and the disk it is on.")


def _file(error: BaseException) -> Cause | None:
    if not isinstance(error, OSError) or not isinstance(error.filename, str) or not error.filename:
        return None
    path, home = Path(error.filename), _home()
    if path == home or home in path.parents or path in home.parents:
        return _unwritable(path, error.strerror or str(error))
    return Cause(
        f"{path} cannot be used: {error.strerror or error}.", "Check that it is there and that you may use it."
    )


def _unwritable(path: Path, why: str) -> Cause:
    if path.is_file() and path == _home():
        fix = "Name a folder: with --home, or PHASELOOP_HOME."
        return Cause(f"{path} is a file, and the home folder is to be there.", fix)
    return Cause(
        f"{path} cannot be written: {why}.",
        f"phaseloop keeps its files in {_home()}. Make that a folder that you own, or set PHASELOOP_HOME to another.",
    )


# --- PostgreSQL -------------------------------------------------------------------------------------------------------

_CHECK_URL = "Correct PHASELOOP_DATABASE_URL, which is postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
_POSTGRES = (
    # What the server or its client says, what is so, and what to do.
    ("password authentication failed", "PostgreSQL refuses the user or the password", _CHECK_URL),
    ("no password supplied", "PostgreSQL asks for a password, and none is set", _CHECK_URL),
    ("role ", "PostgreSQL does not know the user", _CHECK_URL),
    ("no pg_hba.conf entry", "PostgreSQL takes no connections from here", "Have its administrator allow this host."),
    (
        "database ",
        "PostgreSQL has no such database",
        "Create it (createdb NAME), then: phaseloop db upgrade. Or correct PHASELOOP_DATABASE_URL.",
    ),
    ("too many", "PostgreSQL takes no more connections", "Raise its max_connections, or run fewer processes."),
    ("permission denied", "The user may not do this in PostgreSQL", "Let it own the database or the schema."),
    ("resolve", "The host of PostgreSQL is not known", _CHECK_URL),
    ("refused", "PostgreSQL cannot be reached", "Start it, or correct PHASELOOP_DATABASE_URL."),
    ("timeout", "PostgreSQL cannot be reached", "Start it, or correct PHASELOOP_DATABASE_URL."),
)

_CLIENT_REFUSES = ("bad value for ", "invalid ", "could not parse network address ")


def _postgres(error: BaseException) -> Cause | None:
    if not isinstance(error, psycopg.Error):
        return None
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in lines if "FATAL" in line or "failed:" in line), lines[0] if lines else "no reason")
    words = said.partition("FATAL:")[2] or said.rpartition("failed:")[2]
    # Without a state it is no answer of a server: the client does not take what it was given to connect with.
    refused = said.removeprefix("connection is bad:").strip()
    if error.sqlstate is None and refused.startswith(_CLIENT_REFUSES):
        return Cause(f"An option in the database's address is wrong: {refused}", _CHECK_URL)
    for sign, message, fix in _POSTGRES:
        if sign in words:
            return Cause(f"{message}: {said}", fix)
    if isinstance(error, psycopg.OperationalError):
        return Cause(f"The database cannot be used: {said}", "Check PHASELOOP_DATABASE_URL, and the server's log.")
    return None


TABLE: tuple[Callable[[BaseException], Cause | None], ...] = (
    *(_input, _said),
    *(_socks, _certificates),
    *(_disk_full, _damaged, _store_file, _postgres, _file),
)
"""Asked in this order; the first that knows an error, or one that it was raised from, says what is so."""


def _home() -> Path:
    """The home folder; its default where the settings cannot be read, which was told before anything else."""
    try:
        return Settings().home.resolve()
    except ValueError:
        return Path(Settings.model_fields["home"].default).resolve()
