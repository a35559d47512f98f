"""The sandbox's Slack, by Slack's own client: what it takes, what it refuses, and how it misbehaves on request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from slack_sdk import WebClient, WebhookClient
from slack_sdk.errors import SlackApiError

from sandbox.slack.state import ELSEWHERE, HALF_TOKEN, ML_TEAM, OLD, OLD_WEBHOOK, OPS, TOKEN, WEBHOOK
from sandbox.testing import SandboxServer
from tests import plain


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer() as found:
        yield found


def client(sandbox: SandboxServer, token: str = TOKEN, **more: Any) -> WebClient:
    return WebClient(token, base_url=f"{sandbox.url}/slack/api/", retry_handlers=[], **more)


def webhook(sandbox: SandboxServer, secret: str = WEBHOOK) -> WebhookClient:
    return WebhookClient(f"{sandbox.url}/slack/services/{secret}", retry_handlers=[])


def refused(act: Any, *given: Any, **named: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        act(*given, **named)
    return str(caught.value.response["error"])


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_a_message_is_posted_updated_and_read_back_with_its_metadata(sandbox: SandboxServer) -> None:
    slack = client(sandbox)
    metadata = {"event_type": "told", "event_payload": {"delivery": "dlv_1"}}
    assert slack.auth_test()["team"] == "Sandbox"
    posted = slack.chat_postMessage(channel=ML_TEAM, text="Hello", blocks=[section("*Hello*")], metadata=metadata)
    slack.chat_update(channel=ML_TEAM, ts=posted["ts"], text="Hello again")

    [read] = slack.conversations_history(channel=ML_TEAM, include_all_metadata=True)["messages"]
    [without] = slack.conversations_history(channel=ML_TEAM)["messages"]

    assert (read["text"], read["metadata"], read["ts"]) == ("Hello again", metadata, posted["ts"])
    assert "metadata" not in without


def test_replies_are_not_in_the_history_but_below_their_message(sandbox: SandboxServer) -> None:
    slack = client(sandbox)
    parent = slack.chat_postMessage(channel=ML_TEAM, text="parent")["ts"]
    slack.chat_postMessage(channel=ML_TEAM, text="reply", thread_ts=parent)

    history = slack.conversations_history(channel=ML_TEAM)["messages"]
    replies = slack.conversations_replies(channel=ML_TEAM, ts=parent)["messages"]

    assert [one["text"] for one in history] == ["parent"]
    assert [one["text"] for one in replies] == ["parent", "reply"]
    assert refused(slack.chat_postMessage, channel=ML_TEAM, text="x", thread_ts="1.0") == "thread_not_found"


def test_a_history_comes_in_pages(sandbox: SandboxServer) -> None:
    slack = client(sandbox)
    for number in range(5):
        slack.chat_postMessage(channel=ML_TEAM, text=str(number))

    first = slack.conversations_history(channel=ML_TEAM, limit=3)
    rest = slack.conversations_history(channel=ML_TEAM, limit=3, cursor=first["response_metadata"]["next_cursor"])

    assert [one["text"] for one in first["messages"] + rest["messages"]] == ["4", "3", "2", "1", "0"]
    assert (first["has_more"], rest["has_more"]) == (True, False)


def test_people_are_found_by_their_address(sandbox: SandboxServer) -> None:
    slack = client(sandbox)

    assert slack.users_lookupByEmail(email="ML-1@example.com")["user"]["name"] == "ml-1"
    assert refused(slack.users_lookupByEmail, email="left-1@example.com") == "users_not_found"


@pytest.mark.parametrize(
    ("channel", "word"),
    [("C9", "channel_not_found"), (OLD, "is_archived"), (ELSEWHERE, "not_in_channel")],
)
def test_a_channel_that_takes_nothing_is_named(sandbox: SandboxServer, channel: str, word: str) -> None:
    assert refused(client(sandbox).chat_postMessage, channel=channel, text="x") == word


def test_a_token_is_asked_for_its_scope(sandbox: SandboxServer) -> None:
    assert refused(client(sandbox, "xoxb-wrong").auth_test) == "invalid_auth"
    assert refused(client(sandbox, HALF_TOKEN).conversations_history, channel=ML_TEAM) == "missing_scope"


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ({"text": " "}, "no_text"),
        ({"text": "x", "blocks": [section("x")] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": [section("x" * 3001)]}, "invalid_blocks"),
        ({"text": "x", "blocks": [{**section("x"), "colour": "red"}]}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "paragraph"}]}, "invalid_blocks"),
        ({"text": "x", "blocks": [section("")]}, "invalid_blocks"),
        ({"text": "x", "blocks": [section("x" * 2900)] * 10}, "msg_blocks_too_long"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_schema"),
    ],
)
@pytest.mark.filterwarnings("ignore:The top-level `text`:UserWarning")
def test_what_slack_does_not_take_is_refused(sandbox: SandboxServer, message: dict[str, Any], word: str) -> None:
    assert refused(client(sandbox).chat_postMessage, channel=ML_TEAM, **message) == word


def test_a_webhook_posts_to_its_channel_and_says_so_in_plain_text(sandbox: SandboxServer) -> None:
    answer = webhook(sandbox).send(text="Hello")

    assert (answer.status_code, answer.body) == (200, "ok")
    assert [one.text for one in sandbox.slack.data.channels[ML_TEAM].messages] == ["Hello"]


@pytest.mark.parametrize(
    ("secret", "message", "status", "word"),
    [
        ("T0/B0/wrong", {"text": "x"}, 404, "no_service"),
        (OLD_WEBHOOK, {"text": "x"}, 410, "channel_is_archived"),
        (WEBHOOK, {"text": ""}, 400, "no_text"),
        (WEBHOOK, {"text": "x", "blocks": [{"type": "paragraph"}]}, 400, "invalid_blocks"),
    ],
)
def test_a_webhook_refuses_by_a_status_and_a_word(
    sandbox: SandboxServer, secret: str, message: dict[str, Any], status: int, word: str
) -> None:
    answer = webhook(sandbox, secret).send(**message)

    assert (answer.status_code, answer.body) == (status, word)


def test_the_rate_is_limited_for_each_channel(sandbox: SandboxServer) -> None:
    plain.post(f"{sandbox.url}/sandbox/limits", json={"enabled": True}).raise_for_status()
    plain.post(f"{sandbox.url}/sandbox/clock", json={"frozen": True}).raise_for_status()
    slack = client(sandbox)
    for _ in range(3):
        slack.chat_postMessage(channel=ML_TEAM, text="x")
    with pytest.raises(SlackApiError) as caught:
        slack.chat_postMessage(channel=ML_TEAM, text="x")

    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    slack.chat_postMessage(channel=OPS, text="x")


def test_the_vendors_client_posts_twice_when_an_answer_is_lost_unless_it_is_told_not_to(sandbox: SandboxServer) -> None:
    def lost(slack: WebClient) -> int:
        fault = {"action": "lose", "path": "chat.postMessage"}
        plain.post(f"{sandbox.url}/sandbox/faults", json=fault).raise_for_status()
        before = len(sandbox.slack.data.channels[ML_TEAM].messages)
        with suppress(OSError):
            slack.chat_postMessage(channel=ML_TEAM, text="x")
        return len(sandbox.slack.data.channels[ML_TEAM].messages) - before

    assert lost(client(sandbox)) == 1
    assert lost(WebClient(TOKEN, base_url=f"{sandbox.url}/slack/api/")) == 2


def test_a_limit_on_request_is_answered_as_slack_does(sandbox: SandboxServer) -> None:
    fault = {"action": "limit", "path": "/slack/", "retryAfter": 7}
    plain.post(f"{sandbox.url}/sandbox/faults", json=fault).raise_for_status()

    with pytest.raises(SlackApiError) as caught:
        client(sandbox).chat_postMessage(channel=ML_TEAM, text="x")

    assert (caught.value.response["error"], caught.value.response.headers["Retry-After"]) == ("ratelimited", "7")


def test_channels_are_archived_by_a_control_and_restored(sandbox: SandboxServer) -> None:
    plain.post(
        f"{sandbox.url}/sandbox/slack-channels", json={"channel": "ml-team", "archived": True}
    ).raise_for_status()
    assert refused(client(sandbox).chat_postMessage, channel=ML_TEAM, text="x") == "is_archived"

    plain.delete(f"{sandbox.url}/sandbox/slack-channels").raise_for_status()
    client(sandbox).chat_postMessage(channel=ML_TEAM, text="x")


def test_a_page_shows_a_channel_as_people_see_it(sandbox: SandboxServer) -> None:
    slack = client(sandbox)
    text = "*Bold* &lt;!channel&gt; <https://example.com/a|a link> <@U0000000102> & <script>"
    parent = slack.chat_postMessage(channel=ML_TEAM, text="x", blocks=[section(text)])["ts"]
    slack.chat_postMessage(channel=ML_TEAM, text="below", thread_ts=parent)

    page = plain.get(f"{sandbox.url}/slack/channels/{ML_TEAM}").text

    assert "<strong>Bold</strong> &lt;!channel&gt;" in page
    assert '<a href="https://example.com/a" rel="nofollow noreferrer">a link</a>' in page
    assert not re.search("<script", page)
    assert "1 reply" in page
    assert "#ml-team" in plain.get(f"{sandbox.url}/slack").text
    assert plain.get(f"{sandbox.url}/slack/channels/nowhere").status_code == 404
