"""Kinds of trackers are found by name, and wrong settings are answered with every problem at once."""

from __future__ import annotations

import socket

import pytest

from connectors.errors import OutcomeUnknown
from connectors.jira.layout import Layout
from connectors.jira.location import place_of
from connectors.registry import KINDS, InvalidSettings, connect, validated
from connectors.values import ItemKey, RemoteRef

GOOD = {"url": "https://acme.atlassian.net/", "email": "demo@example.com"}


def test_settings_are_kept_in_their_canonical_form_and_without_the_credential() -> None:
    kept = validated("jira", GOOD, "tok-en")
    known = {"url": "https://acme.atlassian.net", "email": "demo@example.com", "gateway": "", "allow_http": False}
    assert kept == known
    assert validated("jira", kept, "tok-en") == kept


def test_what_a_tracker_found_out_is_not_taken_from_who_sets_a_connection_anew() -> None:
    away = {"api_url": "https://elsewhere.example.com/ex/jira/1234"}
    assert "api_url" not in validated("jira", {**GOOD, **away}, "tok-en")


def test_connecting_sends_nothing() -> None:
    tracker = connect("jira", {"url": "https://nowhere.invalid", "email": "demo@example.com"}, "tok-en")
    assert (tracker.usage.reads, tracker.usage.writes) == (0, 0)
    assert "tok-en" not in repr(tracker)
    tracker.close()


def test_every_problem_is_told_at_once_without_the_credential() -> None:
    with pytest.raises(InvalidSettings) as caught:
        validated("jira", {"url": "https://acme.atlassian.net/browse/ML-1", "mail": "x"}, " tok-en ")
    assert dict(caught.value.problems) == {
        "url": "must be the site alone, without the path '/browse/ML-1'; use https://acme.atlassian.net",
        "email": "is missing",
        "mail": "is not a setting of this kind of connection",
    }
    assert "tok-en" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


@pytest.mark.parametrize("host", ["\u00e9" * 70, "xn--", "xn--a", "[::1", "a:port"])
@pytest.mark.parametrize("setting", ["url", "gateway"])
def test_a_host_that_no_client_can_call_is_refused_when_it_is_set(setting: str, host: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        validated("jira", {**GOOD, setting: f"https://{host}"}, "tok-en")
    assert caught.value.problems == [(setting, "is not a web address")]


@pytest.mark.parametrize("setting", [{"url": "https://a\ud800"}, {"gateway": "\udc00"}, {"\ud800": "x"}])
def test_half_a_character_is_refused_in_words_that_can_be_written(setting: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings) as caught:
        validated("jira", {**GOOD, **setting}, "tok-en")
    assert [words for _, words in caught.value.problems] == ["holds half a character (a lone surrogate)"]
    assert str(caught.value).encode()


def test_an_empty_credential_is_a_problem() -> None:
    with pytest.raises(InvalidSettings) as caught:
        connect("jira", GOOD, "  ")
    assert caught.value.problems == [("token", "must not be empty")]


@pytest.mark.parametrize("call", [validated, connect])
def test_an_unknown_kind_is_answered_with_the_known_ones(call: object) -> None:
    with pytest.raises(InvalidSettings, match="there is: " + ", ".join(KINDS)):
        call("excel", GOOD, "tok-en")  # type: ignore[operator]


def test_a_tracker_waits_no_longer_for_an_answer_than_it_was_told_to() -> None:
    layout = Layout(uid="uid-1", project_id="1", project_key="ML", site="")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {"url": f"http://127.0.0.1:{silent.getsockname()[1]}", "email": "demo@example.com"}
        tracker = connect("jira", settings, "tok-en", timeout=0.05)
        with pytest.raises(OutcomeUnknown, match="nothing came back in time"):
            tracker.mark(place_of(layout), ItemKey("ticket:a"), RemoteRef("1", "ML-1", ""))
        tracker.close()
