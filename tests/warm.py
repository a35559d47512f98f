"""What processes import that are forked for commands of ours: all that a command imports at some time."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy.orm import configure_mappers

from service.cli.main import Program

MODULES = (
    "service.cli.causes",
    "service.runs.engine",
    "service.runs.slots",
    "connectors.jira.tracker",
    "connectors.trello.tracker",
    "alembic.command",
    "alembic.config",
    "apscheduler.triggers.interval",
    "dbos._sys_db_sqlite",
    "encodings.idna",
    "rich._emoji_codes",
    "uvicorn",
)


def warm() -> None:
    """Import them, and work out what is worked out once; nothing is opened and no thread is started by that."""
    for name in (*MODULES, *(f"service.cli.{command.module}" for command in Program.places.values())):
        import_module(name)
    configure_mappers()
