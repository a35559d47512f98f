"""The pages of receivers and messages when there is something to see on them, for `tests/screenshots.py`."""

from __future__ import annotations

from collections.abc import Iterator

from service.notify.port import Notice, Outbox
from service.usecases.notice import messages
from tests import plain
from tests.pages_desk import Desk, Visitor
from tests.waiting import eventually

ML_TEAM, OPS, TOKEN = "C0000000002", "C0000000003", "xoxb-sandbox-token"


def shots(desk: Desk, visitor: Visitor, project: str) -> Iterator[tuple[str, str, str]]:
    """Name, address and what is clicked first; `project` is the id of one that was built."""
    yield "receivers-none", "/receivers", ""
    entered = {"kind": "slack", "r_slack_url": f"{desk.sandbox.url}/slack/api", "r_slack_secret": TOKEN}
    path = visitor.press("/receivers/new", "/receivers/new", **entered, name="ml-team", channel=ML_TEAM)
    told = {"channel": OPS, "projects": "SUP", "notice.run-held": "yes", "notice.run-failed": "yes"}
    visitor.press(path, f"{path}/subscribe", **told)
    fault = {"action": "status", "path": "chat.postMessage", "status": 200, "body": {"ok": False, "error": "no_text"}}
    plain.post(f"{desk.sandbox.url}/sandbox/faults", json=fault).raise_for_status()
    happened = (("x", "The model drifted."), ("y", "The training finished."))
    for name, text in happened:
        with desk.context.database.session() as session:
            Outbox().notify(session, Notice(project, f"trigger:{name}", "trigger", text, desk.context.now(), "clock"))
    eventually(lambda: len([one for one in messages.listed(desk.context, 9) if one.ended_at]) >= 1, 30)
    yield "receivers", "/receivers", ""
    yield "receiver-new", "/receivers/new", ""
    yield "receiver", path, ""
    yield "receiver-tried", path, "form[action$='/test'] button"
    yield "deliveries", "/deliveries", ""
    yield "preview", f"/receivers/preview?project={project}&kind=iteration-started", ""
