"""Projects whose records were read, and records of people who never used us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from service.domain.audit.audit import audit
from service.domain.audit.outcome import Audited, Clock, Verdict
from service.store import audits
from service.store.tables import IterationRow
from tests import plain
from tests.api.conftest import Api
from tests.unit.domain.audit import binders

AUTH = (DEMO_EMAIL, DEMO_TOKEN)


def read_project(api: Api, numbers: tuple[int, ...] = (1, 2, 3), text: str | None = None) -> str:
    """Id of a project with these iterations: the first says all that a record is to say, the second nothing, the third
    could not be read. `text` is what the first one's record says instead."""
    project = api.new_project(api.new_name("READ").replace("-", ""))
    now = api.context.now()
    with api.context.database.session() as session:
        session.add_all(_iteration(project, number) for number in numbers)
        session.flush()
        subjects = [binders.subject(n, text) if n == 1 else binders.subject(n, "TBD") for n in numbers if n < 3]
        audits.keep(session, project, [(subject, audit(subject)) for subject in subjects], now)
        for number in numbers:
            if number >= 3:
                unread = Audited(number, Verdict.UNKNOWN, Clock.OVERDUE, 0, ())
                audits.trouble(session, project, unread, "The tracker refused us.", now)
    return project


def _iteration(project: str, number: int) -> IterationRow:
    starts = binders.START + timedelta(weeks=2 * (number - 1))
    return IterationRow(
        project_id=project,
        number=number,
        phase="ideation",
        of_phase=number,
        title=f"Idea {number}",
        first=starts.date(),
        last=starts.date() + timedelta(days=11),
        starts=starts,
        ends=starts + timedelta(days=11),
        began_at=starts,
        closed_at=starts + timedelta(days=11) if number < 3 else None,
    )


def read_records(api: Api, key: str) -> None:
    """A project of that key in the tracker, past us: one sprint with its record."""

    def send(method: str, path: str, **body: object) -> dict[str, object]:
        answer = plain.request(method, f"{api.sandbox.url}/rest/{path}", auth=AUTH, json=body)
        assert answer.is_success, answer.text
        return dict(answer.json()) if answer.content else {}

    me = send("GET", "api/2/myself")["accountId"]
    template = "com.pyxis.greenhopper.jira:gh-simplified-agility-scrum"
    made = {"key": key, "name": "Churn of old", "projectTypeKey": "software", "leadAccountId": me}
    send("POST", "api/2/project", **made, projectTemplateKey=template)
    boards = plain.get(f"{api.sandbox.url}/rest/agile/1.0/board", params={"projectKeyOrId": key}, auth=AUTH).json()
    board = boards["values"][0]["id"]
    now = datetime.now(UTC)
    dates = {"startDate": (now - timedelta(days=3)).isoformat(), "endDate": (now + timedelta(days=8)).isoformat()}
    sprint = send("POST", "agile/1.0/sprint", name="Sprint 1", originBoardId=board, **dates)["id"]
    text = "\n".join(f"h2. {line[3:]}" if line.startswith("## ") else line for line in binders.record(1).splitlines())
    fields = {"project": {"key": key}, "issuetype": {"name": "Task"}, "summary": "What came of it", "description": text}
    issue = send("POST", "api/2/issue", fields=fields)["key"]
    send("POST", f"agile/1.0/sprint/{sprint}/issue", issues=[issue])
    send("POST", f"agile/1.0/sprint/{sprint}", state="active")
