"""What a receiver of signed webhooks is made of, and what people are told of their mistakes with it."""

from __future__ import annotations

import base64

import pytest

from connectors.receivers import InvalidReceiver, checked_channel, validated

SECRET = "whsec_" + base64.b64encode(b"a" * 24).decode()
NEXT = "whsec_" + base64.b64encode(b"b" * 64).decode()
ADDRESS = "https://example.com/hook"


def problems(secret: str = SECRET, **settings: object) -> str:
    with pytest.raises(InvalidReceiver) as caught:
        validated("webhook", {"url": ADDRESS, **settings}, secret)
    assert not any(part and part in str(caught.value) for part in secret.split() if len(part) > 12)
    return str(caught.value)


def test_an_address_and_its_secrets_are_taken_in_their_plain_form() -> None:
    kept = validated("webhook", {"url": " https://Example.com?of=ml "}, f"\n{SECRET}\n{NEXT}\n{SECRET}\n")

    assert kept == {"url": "https://example.com/?of=ml", "allow_http": False}
    assert checked_channel("webhook", kept, SECRET, " ") == ""


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "must not be empty"),
        (" \n", "must not be empty"),
        ("hunter2hunter2hunter2", "does not begin with whsec_"),
        ("whsec_not-base64-at-all", "is not base64"),
        ("whsec_" + base64.b64encode(b"short").decode(), "5 bytes"),
        ("whsec_" + base64.b64encode(b"a" * 65).decode(), "65 bytes"),
        (f"{SECRET}\nwhsec_*", "in line 2"),
        ("\n".join("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in range(6)), "at most 5"),
    ],
)
def test_a_secret_that_does_not_sign_is_refused_and_not_repeated(secret: str, said: str) -> None:
    assert said in problems(secret)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "must not be empty"),
        ("example.com/hook", "must start with https://"),
        ("ftp://example.com", "must be a web address"),
        ("https://ana:secret@example.com", "without a user name"),
        ("https://example.com/#top", "must end before its #"),
        ("http://example.com/hook", "--allow-http"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(address: str, said: str) -> None:
    assert said in problems(url=address)


def test_http_is_taken_on_this_machine_and_where_it_is_allowed() -> None:
    assert validated("webhook", {"url": "http://localhost:8000/"}, SECRET)["url"] == "http://localhost:8000/"
    assert validated("webhook", {"url": "http://example.com", "allow_http": True}, SECRET)["allow_http"] is True


def test_a_webhook_has_no_channel() -> None:
    with pytest.raises(InvalidReceiver, match="no channels"):
        checked_channel("webhook", {"url": ADDRESS}, SECRET, "C0123456789")


def test_a_setting_that_it_has_not_is_named() -> None:
    assert "room: is not a setting" in problems(room="x")
