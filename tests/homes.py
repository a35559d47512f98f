"""Stores with nothing in them but their tables. A test that is about something else need not wait until these are made:
that is done once in a process of tests, by the product itself, and copied."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from dbos import run_dbos_database_migrations

from service.settings import Settings
from service.store.database import Database

STORE, ENGINE = "phaseloop.db", "engine.db"


def furnish(home: Path) -> None:
    """Have the tables of the store and of the engine in a home where nothing is yet, as a command that was there would
    leave them. Each home makes a key of its own."""
    if home.exists() and any(home.iterdir()):
        return
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (STORE, ENGINE):
        file = home / name
        file.touch(mode=0o600)
        shutil.copyfile(_made() / name, file)


@cache
def _made() -> Path:
    home = Path(tempfile.mkdtemp(prefix="phaseloop-tables-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    settings = Settings(_env_file=None, home=home, database_url=None, secret_key=None)
    store = Database(settings.store_url)
    store.upgrade()
    store.dispose()
    run_dbos_database_migrations(system_database_url=settings.engine_url)
    with closing(sqlite3.connect(home / ENGINE)) as engine:
        engine.execute("PRAGMA journal_mode=WAL")
    return home
