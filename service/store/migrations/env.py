"""Alembic's entry: migrations always run on a connection handed in by `Database.upgrade`."""

from alembic import context
from sqlalchemy import Connection

from service.store import hook_tables, notice_tables  # noqa: F401 - so that their tables are known
from service.store.tables import Table

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
