"""A PostgreSQL for tests that need one; they say so and skip where there is none."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import uuid4

import psycopg
import pytest

from service.store.database import Database

DEFAULT = "postgresql://postgres@127.0.0.1:5432/test"


@contextmanager
def scratch_database(*, tables: bool = False) -> Iterator[str]:
    """The URL of a database of its own, dropped afterwards; with the tables in it if they are asked for. Skips the test
    where no server answers."""
    base = _server()
    name = _new_name()
    try:
        model = f" TEMPLATE {_with_tables()}" if tables else ""
        with psycopg.connect(base, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"CREATE DATABASE {name}{model}")
    except psycopg.OperationalError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(
            f"no PostgreSQL at {base.rpartition('@')[2]} ({str(error).splitlines()[0]}); "
            "set PHASELOOP_TEST_DATABASE_URL"
        )
    try:
        yield _url(name)
    finally:
        _drop(name)


def _server() -> str:
    return os.environ.get("PHASELOOP_TEST_DATABASE_URL", DEFAULT)


def _new_name() -> str:
    return f"phaseloop_{uuid4().hex[:12]}"


def _url(name: str) -> str:
    return _server().rpartition("/")[0].replace("postgresql://", "postgresql+psycopg://") + f"/{name}"


def _drop(name: str) -> None:
    with psycopg.connect(_server(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@cache
def _with_tables() -> str:
    """A database in which nothing is but the tables, made once in a process of tests, to be copied."""
    name = _new_name()
    with psycopg.connect(_server(), autocommit=True, connect_timeout=3) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    atexit.register(_drop, name)
    store = Database(_url(name))
    store.upgrade()
    store.dispose()
    return name
