"""What a receiver in Slack is made of, and what people are told of their mistakes with it."""

from __future__ import annotations

import pytest

from connectors.receivers import InvalidReceiver, checked_channel, connect, validated

HOOK = "https://hooks.slack.com/services/T0/B0/secret"


def problem(secret: str, **settings: object) -> str:
    with pytest.raises(InvalidReceiver) as caught:
        validated("slack", settings, secret)
    return str(caught.value)


@pytest.mark.parametrize("secret", ["xoxb-1-abc", f" {HOOK} ", "http://127.0.0.1:9100/slack/services/a/b/c"])
def test_a_bots_token_and_a_webhook_are_taken_and_not_kept_among_the_settings(secret: str) -> None:
    found = validated("slack", {}, secret)

    assert found == {"url": "https://slack.com/api", "allow_http": False}


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("xoxp-1", "begins with xoxb-"),
        ("something", "neither a bot's token"),
        ("xoxb-ä", "no credential has"),
        ("http://hooks.example.com/a", "must start with https://"),
        ("https://", "must be a web address"),
    ],
)
def test_a_credential_that_is_none_is_refused_without_being_repeated(secret: str, said: str) -> None:
    found = problem(secret)

    assert said in found
    assert secret not in found or secret == "https://"


def test_what_is_no_setting_is_named() -> None:
    assert "room: is not a setting" in problem("xoxb-1", room="x")
    with pytest.raises(InvalidReceiver, match="there is no receiver"):
        validated("pigeon", {}, "x")


def test_a_bot_is_told_its_channel_by_id_and_a_webhook_has_one() -> None:
    assert checked_channel("slack", {}, "xoxb-1", " C0123456789 ") == "C0123456789"
    assert checked_channel("slack", {}, HOOK, "") == ""
    for secret, channel in (("xoxb-1", ""), ("xoxb-1", "#general"), (HOOK, "C0123456789")):
        with pytest.raises(InvalidReceiver):
            checked_channel("slack", {}, secret, channel)


def test_the_credential_is_in_no_representation() -> None:
    receiver = connect("slack", {}, HOOK)

    assert "secret" not in repr(receiver)
    receiver.close()
