"""Mistakes with a Trello connection are found when it is added, in words, and no credential is shown."""

from __future__ import annotations

import pytest

from connectors.registry import InvalidSettings, connect, validated


def kept(**settings: object) -> dict[str, object]:
    return validated("trello", {"key": "k3y", **settings}, "t0ken")


def problem(secret: str = "t0ken", **settings: object) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as caught:
        validated("trello", {"key": "k3y", **settings}, secret)
    assert secret.strip() not in str(caught.value) or not secret.strip()
    return dict(caught.value.problems)


def test_the_vendors_address_is_the_default_and_the_token_is_not_kept() -> None:
    assert kept() == {
        "url": "https://api.trello.com",
        "key": "k3y",
        "workspace": "",
        "invite": False,
        "allow_http": False,
    }
    assert validated("trello", kept(), "t0ken") == kept()


@pytest.mark.parametrize("url", ["https://api.trello.com/", "https://API.trello.com/1", " https://api.trello.com/1/ "])
def test_the_address_is_kept_in_one_form(url: str) -> None:
    assert kept(url=url)["url"] == "https://api.trello.com"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://trello.com", "use https://api.trello.com"),
        ("https://www.trello.com/b/abc", "use https://api.trello.com"),
        ("api.trello.com", "use https://api.trello.com"),
        ("https://api.trello.com?key=1", "own places"),
        ("https://me:x@api.trello.com", "own places"),
        ("http://trello.example.com", "must start with https://"),
        ("ftp://api.trello.com", "like https://api.trello.com"),
        ("https://api.trello.com:port", "is not a web address"),
        ("", "must not be empty"),
    ],
)
def test_a_wrong_address_is_told_with_the_right_one(url: str, words: str) -> None:
    assert words in next(iter(problem(url=url).values()))


def test_plain_http_is_taken_on_this_machine_and_where_it_is_allowed() -> None:
    assert kept(url="http://127.0.0.1:9100")["url"] == "http://127.0.0.1:9100"
    assert kept(url="http://trello.example.com", allow_http=True)["allow_http"] is True


def test_a_key_or_token_that_cannot_stand_in_the_header_is_refused() -> None:
    assert set(problem(key='k"3y')) == {"key"}
    assert set(problem(key="k 3y")) == {"key"}
    assert set(problem("to,ken")) == {"token"}
    assert set(problem("tökén")) == {"token"}
    assert set(problem("  ")) == {"token"}


def test_a_workspace_may_be_given_by_its_pages_address() -> None:
    assert kept(workspace="https://trello.com/w/acme_team/")["workspace"] == "acme_team"
    assert set(problem(workspace="Acme, Inc.")) == {"workspace"}


def test_connecting_sends_nothing_and_shows_nothing() -> None:
    tracker = connect("trello", {"url": "https://nowhere.invalid", "key": "k3y"}, "t0ken")
    assert (tracker.usage.reads, tracker.usage.writes) == (0, 0)
    assert "t0ken" not in repr(tracker)
    assert "k3y" not in repr(tracker)
    tracker.close()
