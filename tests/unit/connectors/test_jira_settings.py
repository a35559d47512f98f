"""The address of a Jira connection: what is accepted, and how each mistake is answered."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.jira.settings import JiraSettings


def settings(url: str, email: str = "demo@example.com", token: str = "tok-en", **more: bool) -> JiraSettings:
    return JiraSettings.model_validate({"url": url, "email": email, "token": token, **more})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://acme.atlassian.net", "https://acme.atlassian.net"),
        ("https://acme.atlassian.net/", "https://acme.atlassian.net"),
        (" https://Acme.Atlassian.net \n", "https://acme.atlassian.net"),
        ("https://api.atlassian.com/ex/jira/1122-aB/", "https://api.atlassian.com/ex/jira/1122-aB"),
        ("http://127.0.0.1:9100", "http://127.0.0.1:9100"),
        ("http://localhost:9100/", "http://localhost:9100"),
        ("http://[::1]:9100", "http://[::1]:9100"),
    ],
)
def test_a_site_address_is_accepted_and_tidied(given: str, kept: str) -> None:
    assert settings(given).url == kept


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("https://acme.atlassian.net/jira/software/projects/ML/boards/1", "use https://acme.atlassian.net"),
        ("https://acme.atlassian.net/browse/ML-1", "use https://acme.atlassian.net"),
        ("https://acme.atlassian.net/?rapidView=2", "use https://acme.atlassian.net"),
        ("https://acme.atlassian.net/#top", "use https://acme.atlassian.net"),
        ("http://acme.atlassian.net", "use https://acme.atlassian.net"),
        ("acme.atlassian.net", "use https://acme.atlassian.net"),
        ("ftp://acme.atlassian.net", "must be a web address"),
        ("https://", "must be a web address"),
        ("https://host:port", "not a web address"),
        ("", "must not be empty"),
        ("https://me:pw@acme.atlassian.net", "must not hold a user name"),
        ("https://api.atlassian.com/ex/jira/", "must be the site alone"),
    ],
)
def test_a_wrong_address_is_refused_with_what_to_write_instead(given: str, says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(given)
    assert says in str(caught.value)


def test_plain_http_elsewhere_must_be_allowed_by_name() -> None:
    assert settings("http://sandbox:9100", allow_http=True).url == "http://sandbox:9100"


@pytest.mark.parametrize("email", ["", "demo", "de mo@example.com", "demo@example.com:x"])
def test_an_account_that_is_no_email_is_refused(email: str) -> None:
    with pytest.raises(ValidationError):
        settings("https://acme.atlassian.net", email=email)


@pytest.mark.parametrize("token", ["", " ", "two words", "to\nken", "token\u200b", "\u201ctoken\u201d"])
def test_what_cannot_be_a_token_is_refused(token: str) -> None:
    with pytest.raises(ValidationError):
        settings("https://acme.atlassian.net", token=token)


def test_an_address_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(ValidationError, match="ASCII"):
        settings("https://acme.atlassian.net", email="\u0434\u0435\u043c\u043e@example.com")


def test_the_token_is_in_no_text_made_from_the_settings_or_their_errors() -> None:
    made = settings("https://acme.atlassian.net", token="hush-hush\n")
    assert made.token.get_secret_value() == "hush-hush"
    assert "hush" not in f"{made} {made!r} {made.model_dump()} {made.model_dump_json()}"
    with pytest.raises(ValidationError) as caught:
        settings("https://acme.atlassian.net/browse/ML-1", token="hush-hush")
    assert "hush" not in str(caught.value)
