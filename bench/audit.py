"""What looking at the records costs: requests for each audited iteration, counted at the wire, beside the lower bound
and beside a script that reads each ticket by itself; and, of 10 to 1,000 projects in one store, statements and
milliseconds for each project, and how much evidence an iteration leaves.

The lower bound is what the trackers' limits allow. In Jira: a hundred tickets in a call, the changes of a thousand in
another, and one call for the web links of each record, which come in no other way. In Trello: one call for all cards,
and one for each thousand things that happened on the board.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from sqlalchemy import func, insert, select

from bench.common import PEOPLE, counted, sandbox, start_counting, template
from bench.turning import BEFORE, START, Floor, floor, opened, statements
from connectors.records import Document, text_digest
from connectors.values import ItemKey, RemoteRef
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.trello.seed import KEY, TOKEN
from service.context import Context
from service.domain.audit import chain
from service.domain.audit.deadlines import deadlines_of
from service.domain.audit.rules import settle
from service.domain.audit.subject import Iteration, Person, Reading, Subject
from service.domain.loop import loop_state
from service.domain.plan.plan_json import place_from_json
from service.domain.team.calendar import Calendar
from service.domain.team.team import Team
from service.domain.template.reader import read_template
from service.settings import Settings
from service.store import audits
from service.store.tables import ConnectionRow, EvidenceRow, IterationRow, LoopRow, ProjectRow, RunRow
from service.templates import load_builtin
from service.usecases.audit import audit_inputs, audit_reports, record_audit
from service.usecases.plan.project_state import material
from service.usecases.setup import projects, teams
from simulation.jira_office import JiraOffice
from simulation.office import Office
from simulation.records import About, Manner, answers_for, fill_in
from simulation.trello_office import TrelloOffice

SIZES = (44, 200)
TURNS = (1, 4, 8)
"""After so many iterations all records are looked at."""

PROJECTS = (10, 100, 1000)
ITERATIONS = 3
"""So many of each project are audited, which have a good record each."""

MONDAY = BEFORE.replace(hour=9) + timedelta(days=3)
_BULK, _CHANGES, _ACTIONS = 100, 1000, 1000


@dataclass(frozen=True)
class Looked:
    """One look at all records of a project. `read` is how many tickets were evidence, `requests` what it took with
    finding out who and where we are, `bound` the lower bound, `apart` what the obvious script takes for the same."""

    tracker: str
    tickets: int
    iterations: int
    read: int
    requests: int
    bound: int
    apart: int
    seconds: float

    @property
    def each(self) -> float:
        """Requests for each iteration."""
        return self.requests / self.iterations

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "each": round(self.each, 2)}


@dataclass(frozen=True)
class Kept:
    """So many projects audited one after the other. For each: `statements` to our store and `milliseconds` of processor
    time; `last` are those of the tenth that came last. `size` is what an iteration leaves as evidence, in bytes;
    `portfolio` how many statements, and `shown` how many milliseconds, the view over all projects takes."""

    projects: int
    statements: float
    milliseconds: float
    last: float
    size: int
    portfolio: int
    shown: float

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


# --- requests ---------------------------------------------------------------------------------------------------------


def measure(tracker: str, size: int) -> list[Looked]:
    """Look at the records of a project of that many tickets, after some of its iterations."""
    with sandbox() as url:
        if tracker == "trello":  # its answers say that much is allowed; else the client keeps to the usual pace
            httpx.post(f"{url}/sandbox/limits", json={"enabled": True, "scale": 100}).raise_for_status()
        with floor(url) as made:
            return list(_looked(made, tracker, size))


def _looked(made: Floor, tracker: str, size: int) -> Iterator[Looked]:
    project = made.project("AUD", made.connect("tracker", tracker), template(size), turning={"ahead": "all"})
    made.reach(0, [project])
    for number in range(1, max(TURNS) + 1):
        made.set(MONDAY + timedelta(days=14 * (number - 1)))
        made.reach(number, [project])
        made.run(number, project)
        with closing(_office(made, tracker, project)) as office:
            for ticket in office.at_work(number):
                office.finish(ticket)
        if number in TURNS:
            yield _look(made, tracker, size, project)


def _look(made: Floor, tracker: str, size: int, project: str) -> Looked:
    start_counting(made.url, 0)
    began = time.monotonic()
    audited = record_audit.run(made.context, project)
    seconds = time.monotonic() - began
    requests = counted(made.url)
    assert requests["writes"] == 0, "a look writes nothing"
    with made.context.database.session() as session:
        read = audits.readings(session, project, [one.number for one in audited])
    records = {one.record.document.ref.id for one in read.values() if one.record.document is not None}
    others = {
        reading.document.ref.id
        for one in read.values()
        for reading in (*one.done, *one.deliverables)
        if reading.document is not None
    }
    tickets = sorted(records | others)
    start_counting(made.url, 0)
    happened = _apart_in_jira(made.url, tickets) if tracker == "jira" else _apart_in_trello(made.url, tickets)
    apart = counted(made.url)["total"]
    if tracker == "jira":
        bound = ceil(len(tickets) / _BULK) + ceil(len(tickets) / _CHANGES) + len(records)
    else:
        bound = 1 + ceil(happened / _ACTIONS)
    return Looked(tracker, size, len(audited), len(tickets), requests["total"], bound, apart, round(seconds, 2))


def _apart_in_jira(url: str, tickets: Sequence[str]) -> int:
    """Read each ticket with its changes, its comments and its web links, as one does first; how much happened."""
    happened = 0
    with httpx.Client(base_url=f"{url}/rest/api/3/issue", auth=(DEMO_EMAIL, DEMO_TOKEN), timeout=60) as http:
        for one in tickets:
            http.get(f"/{one}").raise_for_status()
            http.get(f"/{one}/comment").raise_for_status()
            happened += http.get(f"/{one}/changelog").raise_for_status().json()["total"]
            http.get(f"/{one}/remotelink").raise_for_status()
    return happened


def _apart_in_trello(url: str, tickets: Sequence[str]) -> int:
    """Read each card with its checklists and attachments, and what happened to it; how much that is."""
    happened = 0
    header = {"Authorization": f'OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"'}
    with httpx.Client(base_url=f"{url}/1/cards", headers=header, timeout=60) as http:
        for one in tickets:
            http.get(f"/{one}", params={"checklists": "all", "attachments": "true"}).raise_for_status()
            happened += len(http.get(f"/{one}/actions", params={"filter": "all"}).raise_for_status().json())
    return happened


def _office(made: Floor, tracker: str, project: str) -> Office:
    if tracker == "jira":
        return JiraOffice(made.url, "AUD", (DEMO_EMAIL, DEMO_TOKEN), ("member@example.com", "member-token"))
    with made.context.database.session() as session:
        run = session.scalar(select(RunRow).where(RunRow.project_id == project, RunRow.place.is_not(None)).limit(1))
    assert run is not None
    assert run.place is not None
    board = place_from_json(run.place).ref.id
    return TrelloOffice(made.url, board, KEY, TOKEN, [f"{handle}@example.com" for handle in PEOPLE.values()])


# --- the store --------------------------------------------------------------------------------------------------------


def keep(size: int) -> Kept:
    """Audit that many projects, one after the other, in a store of their own, without a tracker."""
    with store() as context:
        ids = fill(context, size)
        looks = subjects()
        spent = []
        with statements(context) as sent:
            for project in ids:
                began = time.process_time()
                audit_one(context, project, looks)
                spent.append(time.process_time() - began)
        with statements(context) as shown:
            began = time.process_time()
            found = audit_reports.portfolio(context)
            portfolio = time.process_time() - began
        assert len(found) == size
        with context.database.session() as session:
            entries = session.scalar(select(func.count()).select_from(EvidenceRow)) or 0
            body = session.scalars(select(EvidenceRow.body).limit(ITERATIONS)).all()
        assert entries == size * ITERATIONS
    tail = spent[-max(1, size // 10) :]
    return Kept(
        size,
        round(sent[0] / size, 2),
        round(1000 * sum(spent) / size, 1),
        round(1000 * sum(tail) / len(tail), 1),
        round(sum(len(chain.canonical(one)) for one in body) / len(body)),
        shown[0],
        round(1000 * portfolio, 1),
    )


@contextmanager
def store() -> Iterator[Context]:
    """An empty installation on SQLite."""
    with TemporaryDirectory(prefix="phaseloop-bench-") as home:
        settings = Settings(home=Path(home), database_url=None, secret_key=None)
        with closing(opened(settings)) as context:
            yield context


def fill(context: Context, size: int) -> list[str]:
    """Set that many projects up, which are in the iteration after those that are audited; their ids."""
    now = context.now()
    with context.database.session() as session:
        secret = context.vault.seal("{}")
        session.add(ConnectionRow(id="con", name="con", kind="jira", settings={}, secret=secret, created_at=now))
    members = tuple(
        {"person": handle, "email": f"{handle}@example.com", "roles": (role,)} for role, handle in PEOPLE.items()
    )
    teams.put(context, Team.model_validate({"name": "bench", "members": members}))
    values = {"start_date": START}
    one = projects.put(
        context, projects.Request("Bench", "ONE", "con", "bench", load_builtin("iterative-ml"), values, time_zone="UTC")
    )
    stored = projects.stored(context, one.id)
    shared = {column.key: getattr(stored, column.key) for column in ProjectRow.__table__.columns}
    ids = [one.id, *(f"prj_{number:06}" for number in range(size - 1))]
    turning = [
        {"project_id": id_, "state": loop_state.TURNING, "current": ITERATIONS + 1, "feed": id_, "updated_at": now}
        for id_ in ids
    ]
    begun = [_iteration(id_, number) for id_ in ids for number in range(1, ITERATIONS + 2)]
    with context.database.session() as session:
        if size > 1:
            session.execute(insert(ProjectRow), [{**shared, "id": id_, "key": id_} for id_ in ids[1:]])
        session.execute(insert(LoopRow), turning)
        session.execute(insert(IterationRow), begun)
    return ids


def audit_one(context: Context, project: str, looks: Sequence[Subject]) -> None:
    """What an audit of one project does in the store: find out what is known of it, and keep what was looked at."""
    ours = material(context, project)
    audit_inputs.past_of(context, ours)
    record_audit.keep(context, ours, looks)


def subjects() -> list[Subject]:
    """What a look at the records would have read: good ones, as long as people write them."""
    drafted = read_template(load_builtin("iterative-ml").text, "iterative-ml")
    calendar, phase = Calendar("UTC"), drafted.phases[0]
    rules = settle(drafted, phase)
    seeded = "\n\n".join(f"## {section.title}\n\n> {section.prompt}" for section in drafted.record.sections)
    found = []
    for number in range(1, ITERATIONS + 1):
        row = _iteration("", number)
        text = fill_in(seeded, answers_for(Manner.GOOD, About(1, number, live=False, steps=("ONE-7",))))
        ref = RemoteRef(str(number), f"ONE-{number}", f"https://jira.example.com/browse/ONE-{number}")
        document = Document(ref, f"Document iteration {number}", text, text_digest(text), "done", assignee="acc-ml")
        about = Iteration(
            number,
            row["title"],
            phase.key,
            phase.title,
            1,
            row["first"],
            row["last"],
            row["closed_at"],
            deadlines_of(row["starts"], row["ends"], calendar, rules),
        )
        people = {"acc-ml": Person("ml-1", ("ml",)), "acc-pm": Person("pm-1", ("pm",))}
        key = ItemKey(f"record:{number}")
        found.append(Subject(about, rules, Reading(key, document), row["ends"], template=seeded, people=people))
    return [replace(one, former=found[at - 1].record.document.text) if at else one for at, one in enumerate(found)]  # type: ignore[union-attr]


def _iteration(project: str, number: int) -> Mapping[str, Any]:
    first = date.fromisoformat(START) + timedelta(days=14 * (number - 1))
    starts = datetime(first.year, first.month, first.day, 9, tzinfo=UTC)
    ends = starts + timedelta(days=11, hours=8)
    return {
        "project_id": project,
        "number": number,
        "phase": "ideation",
        "loop": 1,
        "of_phase": number,
        "title": f"ONE {number}",
        "first": first,
        "last": first + timedelta(days=13),
        "starts": starts,
        "ends": ends,
        "began_at": starts,
        "closed_at": ends if number <= ITERATIONS else None,
    }
