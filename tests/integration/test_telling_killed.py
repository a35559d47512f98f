"""A process that tells people is killed at every moment: each message is there once, or in doubt, and none is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import HttpUrl

from sandbox.slack.state import ML_TEAM
from sandbox.testing import SandboxServer
from service.context import open_context
from service.settings import Settings
from service.store.tables import ConnectionRow, TeamRow, TemplateRow
from service.usecases.notice import receivers
from service.usecases.notice.fan_out import fan_out
from service.usecases.notice.receivers import Asked
from tests.homes import furnish
from tests.integration.conftest import ROOT
from tests.integration.mail_server import serving
from tests.integration.telling import Clock, Desk
from tests.integration.webhook_listener import SECRET, listening
from tests.unit.stores import NOON, project_row

COMMITS = 7
"""More than a process makes for one message: made, taken, held, begun, ended, let go."""
MOMENTS = [*range(1, COMMITS + 1), -1, -2]


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    furnish(tmp_path)
    clock = Clock(datetime.now(UTC))
    context = replace(
        open_context(Settings(_env_file=None, home=tmp_path, database_url=None, secret_key=None)), now=clock
    )
    with context.database.session() as session:
        session.add(ConnectionRow(id="con", name="c", kind="jira", settings={}, secret=b"", created_at=NOON))
        session.add(TeamRow(id="team", name="t", body={}, updated_at=NOON))
        session.add(TemplateRow(digest="d", name="n", version="1", source="s", text="", created_at=NOON))
    with context.database.session() as session:
        session.add(project_row("ML"))
    with SandboxServer() as sandbox:
        yield Desk(context, sandbox, clock)
    context.close()


def killed_at(at: Desk, *moments: int) -> list[int]:
    """Lives that end at these moments, one after the other; those that were outlived."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOP_")}
    ahead = (at.clock() - datetime.now(UTC)).total_seconds()
    given = [str(at.context.settings.home), f"{ahead:.0f}", ",".join(map(str, moments))]
    command = [sys.executable, "-m", "tests.integration.notice_killing", *given]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return [int(one) for one in done.stdout.split(",") if one]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_message_of_a_bot_is_there_once_whenever_its_process_is_killed(at: Desk, moment: int) -> None:
    at.by_bot()
    at.clock.pass_by(seconds=5)

    outlived = killed_at(at, moment)
    at.clock.pass_by(minutes=10)
    at.settled()

    assert outlived == ([] if moment < COMMITS else [moment])
    assert at.states() == ["sent"]
    assert len(at.texts()) == 1


def test_messages_of_a_webhook_are_there_once_or_in_doubt(at: Desk) -> None:
    at.by_webhook(Asked())
    at.clock.pass_by(seconds=5)

    for moment in MOMENTS:
        killed_at(at, moment)
        at.clock.pass_by(minutes=10)
        at.settled()
        at.clock.pass_by(minutes=1)

    assert all(number == 1 for number in Counter(at.texts(ML_TEAM)).values())
    assert set(at.states()) == {"sent", "in-doubt"}
    assert len(at.states()) == len(MOMENTS)


def test_an_event_for_a_program_is_there_once_by_its_id_whenever_its_process_is_killed(at: Desk) -> None:
    with listening() as program:
        receivers.add(at.context, "program", "webhook", {"url": program.url}, SECRET, [Asked()])
        at.clock.pass_by(seconds=5)

        for moment in MOMENTS:
            killed_at(at, moment)
            at.clock.pass_by(minutes=10)
            at.settled()
            at.clock.pass_by(minutes=1)

        assert at.states() == ["sent"] * len(MOMENTS)
        assert len(program.ids) == len(MOMENTS)
        assert len({event.body["data"]["text"] for event in program.events}) == len(MOMENTS)


def test_a_notice_that_is_mailed_is_in_one_mail_or_in_doubt_whenever_its_process_is_killed(at: Desk) -> None:
    settings = at.context.settings.model_copy(update={"public_url": HttpUrl("https://loop.example.com")})
    at.context = replace(at.context, settings=settings)
    at.sender = at.another("snd_first")
    with serving() as server:
        of = {"host": "127.0.0.1", "port": server.port, "sender": "loop@example.com", "security": "none"}
        receivers.add(at.context, "mail", "email", of, "", [Asked("ana@example.com")])

        for moment in MOMENTS:
            at.clock.pass_by(days=2)
            at.happens(f"Before {moment}.")
            fan_out(at.context)
            at.clock.pass_by(minutes=20)
            killed_at(at, moment)
            at.clock.pass_by(minutes=10)
            at.settled()

        said = [str(part.get_content()) for mail in server.mails if (part := mail.get_body(("plain",))) is not None]
        expected = [f"{when} {moment}." for moment in MOMENTS for when in ("Before", "Moment")]
        assert all(sum(text in one for one in said) <= 1 for text in expected)
        told = [event for row in at.messages() for event in row.events]
        assert sorted(told) == sorted(set(told))
        assert len(told) == len(expected)
        assert set(at.states()) == {"sent", "in-doubt"}
        assert len(server.mails) >= at.states().count("sent")
