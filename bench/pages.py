"""What pages cost with few and with many projects in one store: processor time, statements, bytes.

Each page is asked of the application itself, with no network between and nobody else beside it; the processor time is
the median of several looks at a page that was looked at before. Bytes are those of the page with its style, script and
icons, as they are sent without compression.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import httpx
from sqlalchemy import insert, select

from bench import audit
from bench.turning import statements
from connectors.values import ItemKind
from service.app import create_app
from service.context import Context
from service.pages import assets
from service.runs.engine import Engine
from service.store import items
from service.store.tables import AuditRow, ItemRow
from service.usecases.access import tokens
from service.usecases.loop.advances import Advancing

SIZES = (10, 1000)
TICKETS = 100
"""Of each project."""

LOOKS = 9


@dataclass(frozen=True)
class Page:
    """One page with so many projects: milliseconds of processor time, statements, and bytes of the page, and with all
    that it loads."""

    projects: int
    page: str
    milliseconds: float
    statements: int
    size: int
    whole: int

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def measure(size: int) -> list[Page]:
    """All pages of a store with that many projects."""
    with audit.store() as context:
        ids = audit.fill(context, size)
        _fill(context, ids)
        return asyncio.run(_looked(context, size, ids))


def pages_of(project: str) -> Iterator[tuple[str, str]]:
    """What pages are called here, and where they are."""
    yield "home", "/"
    yield "home, searched", "/?q=prj_0000"
    yield "runs", "/runs"
    yield "audit", "/audit"
    yield "schedule", "/schedule"
    yield "teams", "/teams"
    yield "templates", "/templates"
    yield "connections", "/connections"
    yield "auditor's room", "/room"
    yield "project", f"/projects/{project}"
    yield "project, audit", f"/projects/{project}/audit?finding=1.D05"
    yield "project, schedule", f"/projects/{project}/schedule"
    yield "project, settings", f"/projects/{project}/settings"
    yield "project, decisions", f"/projects/{project}/evolution"
    yield "project, inspected", f"/projects/{project}/room?seed=a&size=20"
    yield "new project", "/projects/new"
    yield "go to", "/go?q=prj"


async def _looked(context: Context, size: int, ids: list[str]) -> list[Page]:
    token = tokens.create(context, "bench")
    app = create_app(context, Engine(context, Advancing()))
    loaded = sum(len(body) for body in assets.FILES.values())
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    found = []
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://bench", headers=headers, timeout=600
    ) as client:
        for name, address in pages_of(ids[0]):
            spent, sent, answer = [], [], await client.get(address)
            if answer.status_code != httpx.codes.OK:
                raise SystemExit(f"{address}: {answer.status_code} {answer.text[:300]}")
            for _ in range(LOOKS):
                with statements(context) as counted:
                    began = time.process_time()
                    answer = await client.get(address)
                    spent.append(time.process_time() - began)
                sent.append(counted[0])
            body = len(answer.content)
            found.append(Page(size, name, round(1000 * median(spent), 1), min(sent), body, body + loaded))
    return found


def _fill(context: Context, ids: list[str]) -> None:
    """The audits of the first project, for all of them, and tickets."""
    audit.audit_one(context, ids[0], audit.subjects())
    now = context.now()
    with context.database.session() as session:
        session.execute(
            insert(ItemRow),
            [
                {
                    "project_id": project,
                    "key": f"ticket:t{number}",
                    "kind": ItemKind.TICKET.value,
                    "state": items.MADE,
                    "remote_id": f"{project}-{number}",
                    "remote_key": f"{project}-{number}",
                    "wanted": {"title": f"Ticket {number}", "points": 3},
                    "problems": [],
                    "theirs": [],
                    "updated_at": now,
                }
                for project in ids
                for number in range(TICKETS)
            ],
        )
        rows = session.scalars(select(AuditRow).where(AuditRow.project_id == ids[0])).all()
        shared = [{column.key: getattr(row, column.key) for column in AuditRow.__table__.columns} for row in rows]
        copies = [{**values, "project_id": project, "evidence_id": None} for project in ids[1:] for values in shared]
        if copies:
            session.execute(insert(AuditRow), copies)
