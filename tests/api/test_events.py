"""A run's events: all of them, once, in order, from wherever the client left off."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from httpx import Response

from service.domain.access.roles import Role
from service.domain.plan import run_state
from service.store import runs
from service.store.tables import RunRow
from service.usecases.access import tokens
from service.usecases.run import run_views
from tests.api.conftest import Api, assert_problem
from tests.waiting import eventually


@dataclass
class Event:
    kind: str
    data: dict[str, Any]
    id: int | None


def events(lines: Iterator[str]) -> Iterator[Event | str]:
    """Events, and comments as they stand, of a stream's lines."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            yield line
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), int(fields["id"]) if "id" in fields else None)
            fields = {}
        else:
            fields = {}


def watched(api: Api, run: str, after: int | None = None) -> list[Event]:
    headers = {"Last-Event-ID": str(after)} if after is not None else {}
    answer = api("GET", f"/runs/{run}/events", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [event for event in events(iter(answer.text.split("\n"))) if isinstance(event, Event)]


@pytest.fixture(scope="module")
def run(api: Api) -> str:
    """A run that has ended."""
    plan = api.post(f"/projects/{api.new_project('SCRUM')}/plans")
    run_id: str = api.post(f"/plans/{plan['id']}/apply", status=202)["id"]
    api.wait_for_end(run_id)
    return run_id


def test_a_run_is_followed_from_its_start_to_its_end(api: Api) -> None:
    plan = api.post(f"/projects/{api.new_project('TEAM')}/plans")
    run_id = api.post(f"/plans/{plan['id']}/apply", status=202)["id"]
    found = watched(api, run_id)
    steps = [event for event in found if event.kind == "step"]
    assert [event.data for event in steps] == api.get(f"/runs/{run_id}/steps")["items"]
    assert [event.id for event in steps] == [event.data["id"] for event in steps]
    assert {event.kind for event in found[:-1]} <= {"step", "progress"}
    assert found[-1].kind == "end"
    assert found[-1].data == api.get(f"/runs/{run_id}")
    assert found[-1].data["state"] == "completed"


def test_a_client_goes_on_after_the_last_event_it_saw(api: Api, run: str) -> None:
    steps = [event for event in watched(api, run) if event.kind == "step"]
    assert len(steps) > 3
    rest = watched(api, run, after=steps[1].id)
    assert rest[:-1] == steps[2:]
    assert [event.kind for event in watched(api, run, after=steps[-1].id)] == ["end"]


def test_what_is_no_event_id_is_refused(api: Api, run: str) -> None:
    answer = api("GET", f"/runs/{run}/events", headers={"Last-Event-ID": "x"})
    assert assert_problem(answer, "invalid-input", 422)["errors"][0]["header"].lower() == "last-event-id"


def endless(api: Api, run: str) -> str:
    """A run that does not end by itself: a copy of one, said to be waiting."""
    copy = f"{run}-{api.new_name('endless')}"
    with api.context.database.session() as session:
        row = session.get_one(RunRow, run)
        session.add(
            RunRow(
                id=copy,
                kind=row.kind,
                project_id=row.project_id,
                plan_id=row.plan_id,
                state=run_state.WAITING,
                message="for the tracker",
                started_by="tests",
                created_at=api.context.now(),
                findings=[],
            )
        )
    return copy


def test_a_silent_line_is_kept_open_by_comments_until_the_run_ends(api: Api, run: str) -> None:
    waiting = endless(api, run)
    with api.client.stream(
        "GET", f"/api/v1/runs/{waiting}/events", headers={"Authorization": f"Bearer {api.token}"}
    ) as answer:
        found = events(answer.iter_lines())
        first = next(found)
        assert isinstance(first, Event)
        assert (first.kind, first.data["message"]) == ("progress", "for the tracker")
        assert str(next(found)).startswith(":")
        with api.context.database.session() as session:
            runs.finish(session, waiting, api.context.now())
        rest = [event for event in found if isinstance(event, Event)]
    assert [event.kind for event in rest] == ["end"]


def test_a_stream_ends_with_the_access_of_whoever_reads_it(api: Api, run: str) -> None:
    waiting = endless(api, run)
    token = tokens.create(api.context, "watcher", role=Role.VIEWER)
    with api.client.stream(
        "GET", f"/api/v1/runs/{waiting}/events", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        found = events(answer.iter_lines())
        assert isinstance(next(found), Event)
        tokens.revoke(api.context, "watcher")
        with api.context.database.session() as session:
            session.get_one(RunRow, waiting).message = "told to nobody"
        rest = [event for event in found if isinstance(event, Event)]
    assert rest == []


def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were looked at, as they are."""
    seen: list[str] = []
    pulse = run_views.pulse

    def noted(context: Any, run_id: str) -> run_views.Pulse:
        seen.append(run_id)
        return pulse(context, run_id)

    monkeypatch.setattr(run_views, "pulse", noted)
    return seen


def test_nobody_looks_any_more_when_the_client_has_left(api: Api, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, seen = endless(api, run), looked(monkeypatch)
    with api.client.stream(
        "GET", f"/api/v1/runs/{waiting}/events", headers={"Authorization": f"Bearer {api.token}"}
    ) as answer:
        lines = answer.iter_lines()  # kept, because its end would be the end of the stream
        assert next(lines)
        eventually(lambda: len(seen) > 3)

    def still() -> bool:
        count = len(seen)
        threading.Event().wait(0.2)  # ten looks long
        return len(seen) == count

    eventually(still)


def test_many_watchers_do_not_hold_up_other_requests(api: Api, run: str) -> None:
    waiting = endless(api, run)
    open_streams: list[Any] = []
    try:
        for _ in range(20):
            stream = api.client.stream(
                "GET", f"/api/v1/runs/{waiting}/events", headers={"Authorization": f"Bearer {api.token}"}
            )
            answer: Response = stream.__enter__()
            open_streams.append(stream)
            assert answer.status_code == 200
        for _ in range(20):
            assert api.client.get("/healthz", timeout=60).status_code == 200
            assert api("GET", "/projects", timeout=60).status_code == 200
    finally:
        for stream in open_streams:
            stream.__exit__(None, None, None)


def test_a_service_that_stops_lets_go_of_its_watchers(api: Api, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = endless(api, run)
    with api.client.stream(
        "GET", f"/api/v1/runs/{waiting}/events", headers={"Authorization": f"Bearer {api.token}"}
    ) as answer:
        found = events(answer.iter_lines())
        assert isinstance(next(found), Event)
        monkeypatch.setattr(api.app.state, "stopping", lambda: True)
        assert [event for event in found if isinstance(event, Event)] == []
