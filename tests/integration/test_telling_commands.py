"""Who hears of what, on the command line; and what an iteration's beginning looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import HttpUrl

from connectors.values import ItemKey
from sandbox.slack.state import ML_TEAM, OPS, TOKEN
from sandbox.testing import SandboxServer
from service.domain.loop.figures import TicketRecord
from service.settings import Settings
from service.store import loops
from service.store.tables import ProjectRow
from service.usecases.notice import messages, receivers
from service.usecases.notice.fan_out import fan_out
from service.usecases.notice.receivers import Asked
from service.usecases.notice.sending import Sender
from tests.integration.conftest import Installation
from tests.integration.loops import Shop
from tests.integration.mail_server import serving
from tests.integration.webhook_listener import NEXT, SECRET, listening


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[tuple[Installation, SandboxServer]]:
    with SandboxServer() as sandbox:
        found = Installation(tmp_path)
        found.furnish()
        yield found, sandbox


def test_a_receiver_from_adding_to_removing(installed: tuple[Installation, SandboxServer]) -> None:
    shell, sandbox = installed
    url = f"{sandbox.url}/slack/api"

    added = shell.ok("notify", "add", "slack", "--url", url, "--channel", ML_TEAM, stdin=TOKEN)
    assert "every kind of notice of all projects" in added.out
    assert shell.run("notify", "add", "slack", "--url", url, "--channel", ML_TEAM, stdin=TOKEN).code == 1
    assert "posted" in shell.ok("notify", "test", "slack").out
    assert len(sandbox.slack.data.channels[ML_TEAM].messages) == 1

    changed = shell.ok("notify", "set", "slack", "--channel", OPS, "--notice", "run-failed", "--json").json
    assert [one["channel"] for one in changed["subscriptions"]] == [ML_TEAM, OPS]
    off = shell.ok("notify", "set", "slack", "--channel", OPS, "--off", "--json").json
    assert [one["channel"] for one in off["subscriptions"]] == [ML_TEAM]

    assert TOKEN not in shell.ok("notify", "show", "slack", "--json").out
    assert shell.ok("notify", "list", "--json").json[0]["messages"]["sent"] == 0
    assert "No messages" in shell.ok("notify", "deliveries").out
    assert shell.ok("notify", "replay", "--state", "failed", "--json").json == {"count": 0}
    assert shell.run("notify", "set", "slack").code == 64
    wrong = shell.run("notify", "set", "slack", "--channel", OPS, "--notice", "run-fialed")
    assert "run-failed" in wrong.err
    shell.ok("notify", "remove", "slack")
    assert "Nobody is told anything yet" in shell.ok("notify", "list").out


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop.open(Settings(home=tmp_path, _env_file=None))
    opened.begin_loop()
    yield opened
    opened.context.close()


def test_an_iteration_that_began_is_told_with_each_roles_tickets(shop: Shop) -> None:
    tickets = [
        TicketRecord(ItemKey("a"), "Explore <the> data", remote_key="ML-1", role="data", person="data-1", points=3),
        TicketRecord(ItemKey("b"), "Train & tune", remote_key="ML-2", url="https://t.example/ML-2", role="ml"),
    ]
    settings = shop.context.settings.model_copy(update={"public_url": HttpUrl("https://loop.example.com")})
    context = replace(shop.context, settings=settings)
    with SandboxServer() as sandbox:
        receivers.add(context, "slack", "slack", {"url": f"{sandbox.url}/slack/api"}, TOKEN, [Asked(ML_TEAM, ["ML"])])
        shop.advance(tickets)
        with context.database.session() as session:
            project = session.get_one(ProjectRow, shop.project.id).id
            loops.record_event(
                session,
                project,
                "began:1",
                "began",
                'Iteration 1 of ML began: "ML 1".',
                at=context.now(),
                by="clock",
                iteration=1,
            )
        fan_out(context)
        sender = Sender(context, "snd_test")
        while sender.turn():
            pass

        [found] = sandbox.slack.data.channels[ML_TEAM].messages
    said = "\n".join(str(block.get("text", {}).get("text", "")) for block in found.blocks)
    assert "*A new iteration: Churn (ML)*" in said
    assert "• ML-1 Explore &lt;the&gt; data (data-1, 3 points)" in said
    assert "• <https://t.example/ML-2|ML-2 Train &amp; tune> (nobody yet)" in said
    assert "<https://loop.example.com/projects/ML|Open the project in phaseloop>" in said

    preview = messages.preview(context, "ML", "iteration-started")
    assert (preview.real, preview.body["blocks"]) == (True, found.blocks)


def test_a_program_is_added_paused_resumed_and_given_another_address(
    installed: tuple[Installation, SandboxServer],
) -> None:
    shell, _sandbox = installed
    with listening() as program, listening() as other:
        shell.ok("notify", "add", "webhook", "--url", program.url, "--notice", "run-held", stdin=SECRET)
        assert "posted" in shell.ok("notify", "test", "webhook").out
        assert program.events[0].verified()["type"] == "notice.test"

        assert shell.ok("notify", "pause", "webhook", "--json").json["paused"]
        assert "paused" in shell.ok("notify", "list").out
        assert "Paused" not in shell.ok("notify", "resume", "webhook").out

        assert shell.run("notify", "set", "webhook", "--url", other.url).code == 64
        moved = shell.ok("notify", "set", "webhook", "--url", other.url, "--credential-file", "-", "--json", stdin=NEXT)
        assert moved.json["settings"]["url"] == other.url
        assert moved.json["subscriptions"][0]["kinds"] == ["run-held"]
        shell.ok("notify", "test", "webhook")
        assert other.events[0].verified(NEXT)
        assert len(program.events) == 1

    assert "whsec_" not in shell.ok("notify", "show", "webhook", "--json").out
    wrong = shell.run("notify", "add", "webhook", "--name", "w", "--url", "http://example.com", stdin="whsec_short")
    assert "openssl" in wrong.err


def test_mail_is_added_for_one_person_and_then_another(tmp_path: Path) -> None:
    shell = Installation(tmp_path, {"PHASELOOP_PUBLIC_URL": "https://loop.example.com"})
    shell.furnish()
    with serving() as server:
        told = ("--host", "127.0.0.1", "--port", str(server.port), "--security", "none", "--sender", "loop@example.com")
        wrong = shell.run("notify", "add", "email", *told, stdin="")
        assert "address of who is told" in wrong.err
        shell.ok("notify", "add", "email", *told, "--channel", "ana@example.com", stdin="")
        shell.ok("notify", "set", "email", "--channel", "ben@example.com", "--notice", "run-held")

        shell.ok("notify", "test", "email")

        assert [to for _sender, to in server.envelopes] == ["ana@example.com", "ben@example.com"]
        assert server.subjects == ["A test of email"] * 2
