"""A PostgreSQL for tests that need one; they say so and skip where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

DEFAULT = "postgresql://postgres@127.0.0.1:5432/test"


@contextmanager
def scratch_database() -> Iterator[str]:
    """The URL of a database of its own, dropped afterwards. Skips the test where no server answers."""
    base = os.environ.get("PHASELOOP_TEST_DATABASE_URL", DEFAULT)
    name = f"phaseloop_{uuid4().hex[:12]}"
    try:
        with psycopg.connect(base, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"CREATE DATABASE {name}")
    except psycopg.OperationalError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(
            f"no PostgreSQL at {base.rpartition('@')[2]} ({str(error).splitlines()[0]}); "
            "set PHASELOOP_TEST_DATABASE_URL"
        )
    try:
        yield base.rpartition("/")[0].replace("postgresql://", "postgresql+psycopg://") + f"/{name}"
    finally:
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
