"""What a receiver of mails is made of, and what people are told of their mistakes with it."""

from __future__ import annotations

import pytest

from connectors.receivers import InvalidReceiver, checked_channel, validated

GIVEN = {"host": "smtp.example.com", "sender": "loop@example.com"}
PASSWORD = "s3cret-of-the-mail"


def problems(secret: str = "", **settings: object) -> str:
    with pytest.raises(InvalidReceiver) as caught:
        validated("email", {**GIVEN, **settings}, secret)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_a_server_is_taken_in_its_plain_form() -> None:
    kept = validated("email", {"host": " SMTP.example.com. ", "sender": "Loop  <loop@Example.COM>"}, "")

    assert kept == {
        "host": "smtp.example.com",
        "sender": "Loop <loop@example.com>",
        "security": "starttls",
        "port": 0,
        "username": "",
    }
    assert validated("email", {**GIVEN, "port": "2525", "username": "u"}, PASSWORD)["port"] == 2525


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "https://smtp.example.com"}, "the server's name alone"),
        ({"host": "smtp.example.com:587"}, "the port has its own place"),
        ({"host": ""}, "the server's name"),
        ({"host": "a\r\nb"}, "the server's name"),
        ({"sender": "nobody"}, "must be one mail address"),
        ({"sender": "a@b.example, c@d.example"}, "must be an address"),
        ({"sender": "a@b.example\r\nBcc: c@d.example"}, "must be"),
        ({"security": "ssl"}, "starttls"),
        ({"port": 70000}, "at most 65535"),
        ({"port": "smtp"}, "whole number"),
        ({"username": "u"}, "the password is missing"),
        ({"room": "x"}, "is not a setting"),
    ],
)
def test_what_cannot_be_right_is_refused_in_words(settings: dict[str, object], said: str) -> None:
    assert said in problems(**settings)


def test_a_password_goes_with_a_user_name_and_over_tls_alone() -> None:
    assert "user name is missing" in problems(PASSWORD)
    assert "readably" in problems(PASSWORD, username="u", security="none")
    assert validated("email", {**GIVEN, "host": "localhost", "username": "u", "security": "none"}, PASSWORD)


def test_a_channel_is_one_address_in_its_plain_form() -> None:
    assert checked_channel("email", GIVEN, "", " Ana.B+x@Example.com ") == "Ana.B+x@example.com"
    assert checked_channel("email", GIVEN, "", "ana@bücher.example") == "ana@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@-x.example",
        "ana@example.com, ben@example.com",
        "ana@example.com\r\nBcc: ben@example.com",
        "<ana@example.com>",
        "änne@example.com",
        f"ana@{'x' * 63}.{'y' * 63}.{'z' * 63}.{'w' * 63}.example",
        "a" * 65 + "@example.com",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidReceiver, match="channel"):
        checked_channel("email", GIVEN, "", text)
