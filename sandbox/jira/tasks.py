"""Long-running work as the vendor reports it. The sandbox does the work at once, so every task is born complete."""

from __future__ import annotations

import zlib
from typing import Any

from sandbox.jira import times
from sandbox.jira.state import Site, Task
from sandbox.jira.views import Body, View


def finish(site: Site, kind: str, submitted_by: str, *, description: str = "", result: Any = None) -> Task:
    """Note a piece of work that is done."""
    task = Task(str(site.next_id("task")), kind, submitted_by, site.clock.now(), result=result, description=description)
    site.data.tasks[task.id] = task
    site.touch()
    return task


def body(view: View, task: Task) -> Body:
    """The vendor's progress bean. ``submittedBy`` is a number there; the account id's checksum stands for it."""
    moment = times.epoch_ms(task.submitted)
    found: Body = {
        "self": view.link(f"/task/{task.id}"),
        "id": task.id,
        "description": task.description or task.kind,
        "status": task.status,
        "submittedBy": zlib.crc32(task.submitted_by.encode()),
        "progress": 100,
        "elapsedRuntime": 0,
        "submitted": moment,
        "started": moment,
        "finished": moment,
        "lastUpdate": moment,
    }
    return found if task.result is None else found | {"result": task.result}
