"""Projects that were built before mappings were kept continue with what their last run used."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from connectors.mapped import Choice, Found, Mapped, Role
from connectors.trello.layout import CAPABILITIES
from connectors.values import Place, RemoteRef
from service.store import mappings
from service.store.database import Database

AT = "2026-01-01 00:00:00"
FACTS = {
    "project_id": "10000",
    "project_key": "ML",
    "board_id": 7,
    "ticket": {"id": "3", "name": "Task"},
    "link_type": {"id": "10001", "name": "Blocks"},
    "priorities": {"high": "2"},
}


def insert(connection: Connection, table: str, **values: Any) -> None:
    columns = ", ".join(f'"{name}"' for name in values)
    connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES (:{', :'.join(values)})"), values)


def test_what_the_last_run_wrote_with_is_kept_by_its_ids(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/phaseloop.db")
    database.upgrade("0014")
    place = json.dumps({"facts": FACTS})
    with database.engine.begin() as connection:
        insert(connection, "connections", id="c", name="j", kind="jira", settings="{}", secret=b"x", created_at=AT)
        insert(connection, "teams", id="t", name="t", body="{}", version=1, updated_at=AT)
        insert(connection, "templates", digest="d", name="n", version="1", source="s", text="t", created_at=AT)
        project = {"id": "p", "name": "ML", "key": "ML", "create": False, "connection_id": "c", "team_id": "t"}
        more = {"template_digest": "d", "parameters": "{}", "time_zone": "UTC", "serial": 0, "created_at": AT}
        insert(connection, "projects", **project, **more)
        run = {"id": "r", "kind": "apply", "project_id": "p", "state": "completed", "started_by": "x"}
        insert(connection, "runs", **run, created_at=AT, place=place, message="", findings="[]")

    database.upgrade()

    with database.session() as session:
        kept = mappings.remembered(session, "c")["", "10000"]
    database.dispose()
    assert {role: one.id for role, one in kept.items()} == {
        "ticket-type": "3",
        "link-type": "10001:inward",
        "board": "7",
        "priority-high": "2",
    }


def test_a_list_that_somebody_had_made_is_known_by_its_id_from_then_on(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/phaseloop.db")
    database.upgrade()
    asked = {"id": "new", "name": "", "found": "set", "by": "Ana", "at": AT}
    with database.engine.begin() as connection:
        insert(connection, "connections", id="c", name="t", kind="trello", settings="{}", secret=b"x", created_at=AT)
        row = {"connection_id": "c", "site": "", "tracker_project": "b1", "name": "ML", "version": 1, "updated_at": AT}
        insert(connection, "mappings", **row, entries=json.dumps({"epics-list": asked}))
    place = Place(RemoteRef("b1", "ML", ""), CAPABILITIES, site="trello")
    made = Mapped(Role.EPICS_LIST, Found.OWN, "l1", "Epics")

    for found in (made, replace(made, name="Große Dinge")):
        with database.session() as session:
            mappings.keep(session, "c", place, (found,), datetime.now(UTC))

    with database.session() as session:
        kept = mappings.remembered(session, "c")["trello", "b1"]["epics-list"]
    database.dispose()
    assert kept == Choice("l1", "Große Dinge", Found.OWN, "Ana")
