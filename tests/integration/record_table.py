"""A project whose records are seen to by the clock, and the people who document its iterations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.records import Document
from connectors.values import ItemKey
from service.domain.loop.turnover import record_key
from service.domain.plan import run_state
from service.store import audits
from service.store.tables import AuditRow, EventRow, RunRow
from service.usecases.plan import planning
from service.usecases.plan.project_state import material
from tests import plain
from tests.integration.record_desks import DATA, PM, RecordDesk, record_desk
from tests.integration.turntable import Turntable, turntable

FIRST, SECOND = "2026-03-02T09:00", "2026-03-16T09:00"
SOON, DUE, GRACE = "2026-03-11T09:00", "2026-03-13T09:00", "2026-03-13T17:00"
OVERDUE, ESCALATED = "2026-03-17T17:00", "2026-03-20T17:00"
"""When the record of the first iteration, Monday to Friday of the week after, comes nearer to its time."""

ONE, TWO = "Document iteration 1", "Document iteration 2"
GOAL = (
    "We wanted to learn whether the customer data of one year can be loaded in a single night, so that a first model "
    "can be trained on it in the week after. If it takes longer than eight hours, we go on with a sample."
)


@dataclass
class RecordTable:
    """The installation, and the people at their desks."""

    table: Turntable
    desk: RecordDesk

    def look_id(self, at: str) -> str:
        return f"audit-{self.table.project}-{at[:10]}"

    def looked(self, at: str) -> RunRow:
        """Let time come to that instant; the look that the clock begins then, once it is over or held."""
        self.table.set(at)
        return self.table.ended(self.look_id(at), *run_state.ENDED, run_state.HELD)

    def looks(self) -> list[str]:
        """The looks there were, oldest first."""
        query = select(RunRow.id).where(RunRow.kind == "audit").order_by(RunRow.created_at, RunRow.id)
        with self.table.context.database.session() as session:
            return list(session.scalars(query))

    def document(self, number: int = 1) -> Document:
        """The record as the tracker shows it."""
        ours = material(self.table.context, self.table.project)
        key = record_key(number)
        with self.table.context.tracker(ours.connection) as tracker:
            place = tracker.locate(replace(planning.spec_of(ours.project, ours.method), create=False))
            assert place is not None
            return tracker.documents(place, {key: ours.known[key]}, [key])[key]

    def reminders(self, number: int = 1) -> list[str]:
        """What was said on the record for people to be reminded, oldest first."""
        texts = (comment.text for comment in self.document(number).comments)
        return [text for text in texts if "Still lacking" in text]

    def row(self, number: int = 1) -> AuditRow:
        with self.table.context.database.session() as session:
            return audits.rows(session, self.table.project)[number]

    def notices(self) -> list[str]:
        """What people were told of records, by name."""
        return [name for name in self.table.events() if name.startswith("record-due")]

    def event(self, name: str) -> EventRow:
        with self.table.context.database.session() as session:
            found = EventRow.project_id == self.table.project, EventRow.name == name
            return session.scalars(select(EventRow).where(*found)).one()

    def documents(self, number: int = 1) -> None:
        """The data engineer writes the record, the product manager signs it."""
        title = f"Document iteration {number}"
        self.desk.writes(DATA, title, f"## Goal\n\n{GOAL} This was {title}.")
        self.desk.says(PM, title, "/approve")

    def fault(self, **fault: object) -> None:
        plain.post(f"{self.table.url}/sandbox/faults", json={"times": None, **fault}).raise_for_status()

    def fix(self) -> None:
        plain.delete(f"{self.table.url}/sandbox/faults").raise_for_status()

    def wanted_text(self, number: int = 1) -> dict[str, Any]:
        return dict(self.table.wanted(ItemKey(record_key(number))))


@contextmanager
def record_table(
    home: Path, tracker: str = "jira", *, gate: str = "warn", begun: bool = True, **asked: Any
) -> Iterator[RecordTable]:
    """An installation whose first iteration continues, its record filled with what was known then."""
    with turntable(home, tracker, audit={"gate": gate}, **asked) as table:
        table.plan_and_apply()
        found = RecordTable(table, record_desk(table.sandbox, tracker))
        if begun:
            run = table.turned(1, FIRST)
            assert run.state == run_state.COMPLETED, run.findings
            look = table.ended(found.look_id(FIRST), *run_state.ENDED, run_state.HELD)
            assert look.state == run_state.COMPLETED, look.findings
        yield found
