"""What happened is sent to programs as signed webhooks: each event once by its id, whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from connectors.guard import Guard
from connectors.network import Network
from service.api import openapi, outgoing
from service.domain.notice import examples
from service.domain.notice.kinds import NoticeKind
from service.notify.port import Notice, Outbox
from service.store.tables import IterationRow, TemplateRow
from service.usecases.errors import Conflict
from service.usecases.notice import messages, receivers
from service.usecases.notice.receivers import Asked
from tests.integration.telling import Desk, desk
from tests.integration.webhook_listener import NEXT, SECRET, Listener, listening
from tests.unit.stores import NOON, project_row

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with desk(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def desk_of_one(tmp_path: Path) -> Iterator[Desk]:
    with desk("sqlite", tmp_path) as found:
        yield found


@pytest.fixture
def program() -> Iterator[Listener]:
    with listening() as found:
        yield found


def tells(at: Desk, program: Listener, *asked: Asked, secret: str = SECRET) -> None:
    receivers.add(at.context, "program", "webhook", {"url": program.url}, secret, asked or [Asked()])


def test_an_event_is_signed_and_sent_once(at: Desk, program: Listener) -> None:
    tells(at, program)
    at.happens("The champion has a new version.", to=("ana",))

    at.told(3)

    [event] = program.events
    body = event.verified()
    assert (body["type"], body["timestamp"]) == ("notice.message", "2026-03-16T12:00:00Z")
    assert body["data"]["text"] == "The champion has a new version."
    assert body["data"]["people"] == ["ana"]
    [row] = at.messages()
    assert (row.state, row.id, row.posted) == ("sent", event.id, event.id)


def test_while_a_secret_is_replaced_both_verify(desk_of_one: Desk, program: Listener) -> None:
    tells(desk_of_one, program, secret=f"{NEXT}\n{SECRET}\n")
    desk_of_one.happens()
    desk_of_one.told()
    receivers.change(desk_of_one.context, "program", secret=NEXT)
    desk_of_one.happens()
    desk_of_one.told()

    first, second = program.events
    assert first.verified(SECRET) == first.verified(NEXT)
    assert second.verified(NEXT)
    with pytest.raises(Exception, match="No matching signature"):
        second.verified(SECRET)


@pytest.mark.parametrize("kind", NoticeKind)
def test_the_document_shows_each_event_as_it_arrives(desk_of_one: Desk, program: Listener, kind: NoticeKind) -> None:
    of_one = desk_of_one
    settings = of_one.context.settings.model_copy(update={"public_url": examples.PAGES})
    of_one.context = replace(of_one.context, settings=settings)
    of_one.sender = of_one.another("snd_first")
    about, happened = examples.PROJECT, examples.EXAMPLES[kind]
    of_one.clock.now = examples.AT
    template = (ROOT / "templates/iterative-ml.yaml").read_text(encoding="utf-8")
    with of_one.context.database.session() as session:
        session.add(TemplateRow(digest="ml", name="s", version="1", source="s", text=template, created_at=NOON))
        session.flush()
        session.add(project_row(about.id, name=about.name, key=about.key, template_digest="ml"))
        session.flush()
        tickets = [one.to_json() for of_role in examples.TICKETS for one in of_role.tickets]
        session.add(iteration(about.id, tickets))
    tells(of_one, program)

    text = happened.text.format(key=about.key)
    notice = Notice(about.id, "x", happened.event, text, of_one.clock(), happened.by, 1, happened.to, happened.data)
    with of_one.context.database.session() as session:
        Outbox().notify(session, replace(notice, run=happened.run))
    of_one.told()

    [event] = program.events
    app = FastAPI()
    openapi.install(app)
    shown = app.openapi()["webhooks"][event.body["type"]]["post"]["requestBody"]["content"]["application/json"]
    arrived = event.verified()
    assert arrived == shown["example"]


def iteration(project: str, tickets: list[dict[str, Any]]) -> IterationRow:
    """An iteration that has begun."""
    spans = {"first": date(2026, 3, 2), "last": date(2026, 3, 13), "starts": NOON, "ends": NOON, "began_at": NOON}
    about = {"phase": "ideation", "loop": 1, "of_phase": 1, "title": "Ideation 1", "began_by": "r", "findings": []}
    return IterationRow(project_id=project, number=1, tickets=tickets, **spans, **about)


@pytest.mark.parametrize("trouble", ["reset", "close", "hang", "drip", 500, 408, 404, 301])
def test_what_has_no_good_answer_is_sent_again_under_the_same_id(at: Desk, program: Listener, trouble: Any) -> None:
    tells(at, program)
    program.script = [trouble]
    at.happens()

    at.told()
    assert at.states() == ["waiting"]
    at.settled()

    assert at.states() == ["sent"]
    assert list(program.ids.values()) == [2]


def test_who_asks_to_wait_is_waited_for_but_not_for_more_than_a_day(desk_of_one: Desk, program: Listener) -> None:
    tells(desk_of_one, program)
    program.script = [(429, {"Retry-After": "100"}), (503, {"Retry-After": "9999999999"})]
    desk_of_one.happens()

    desk_of_one.told()
    assert desk_of_one.messages()[0].next_at == NOON + timedelta(seconds=100)
    program.script += [(429, {"Retry-After": "9999999999"})] * 20
    desk_of_one.settled(hours=60)

    assert desk_of_one.states() == ["failed"]
    assert desk_of_one.messages()[0].ended_at <= NOON + timedelta(days=1, minutes=1)


def test_half_a_day_is_waited_for_where_somebody_asks_for_it(desk_of_one: Desk, program: Listener) -> None:
    tells(desk_of_one, program)
    program.script = [(429, {"Retry-After": "43200"})]
    desk_of_one.happens()

    desk_of_one.told()
    assert desk_of_one.messages()[0].next_at == NOON + timedelta(hours=12)
    desk_of_one.settled()
    assert desk_of_one.states() == ["sent"]


def test_who_wants_no_more_is_paused_and_shown(at: Desk, program: Listener) -> None:
    tells(at, program)
    program.script = [410]
    for _ in range(3):
        at.happens()
    at.told()
    at.happens("while it is paused")
    at.told()

    seen = receivers.get(at.context, "program")
    assert "410" in seen.paused
    assert at.states() == ["failed", "skipped", "skipped"]
    with pytest.raises(Conflict, match="paused"):
        messages.replay(at.context, at.messages("skipped")[0].id)

    receivers.change(at.context, "program", paused=False)
    assert messages.replay_all(at.context, state="skipped") == 2
    at.happens("after it was resumed")
    at.told(4)

    assert receivers.get(at.context, "program").paused == ""
    assert at.states() == ["failed", "sent", "sent", "sent"]
    assert not any("while it is paused" in str(one.body) for one in program.events)


def test_a_redirect_is_not_followed(desk_of_one: Desk, program: Listener) -> None:
    with listening() as inside:
        tells(desk_of_one, program)
        program.script = [(307, {"Location": inside.url})] * 40
        desk_of_one.happens()

        desk_of_one.settled()

        assert inside.events == []
    assert desk_of_one.states() == ["failed"]
    assert "was not followed" in desk_of_one.messages()[0].error


def test_an_address_inside_is_not_called(desk_of_one: Desk, program: Listener) -> None:
    desk_of_one.context = replace(desk_of_one.context, network=Network(guard=Guard(())))
    desk_of_one.sender = desk_of_one.another("snd_first")
    tells(desk_of_one, program)
    desk_of_one.happens()

    desk_of_one.told()
    tried = receivers.test(desk_of_one.context, "program")

    assert program.events == []
    assert "PHASELOOP_ALLOWED_ADDRESSES" in receivers.get(desk_of_one.context, "program").trouble
    assert not tried.ok
    assert desk_of_one.states() == ["waiting"]


def test_of_a_burst_each_event_is_sent_and_none_is_gathered(desk_of_one: Desk, program: Listener) -> None:
    tells(desk_of_one, program)
    for number in range(60):
        desk_of_one.happens(f"number {number}")

    desk_of_one.told()

    assert [one.body["data"]["text"] for one in program.events] == [f"number {number}" for number in range(60)]
    assert set(program.ids.values()) == {1}


def test_a_test_is_an_event_of_its_own(desk_of_one: Desk, program: Listener) -> None:
    tells(desk_of_one, program)

    tried = receivers.test(desk_of_one.context, "program")

    assert tried.ok
    [event] = program.events
    assert event.verified()["type"] == "notice.test"
    assert event.body["data"]["project"] is None


def test_the_how_to_shows_an_event_as_it_is_sent() -> None:
    page = (ROOT / "docs/how-to/tell-a-program.md").read_text(encoding="utf-8")
    shown = page[page.index('    {"type"') : page.index("1. **Verify**")]

    assert json.loads(shown) == outgoing.EXAMPLES["notice.run_failed"]
