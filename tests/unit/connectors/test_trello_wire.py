"""What the Trello client makes of every answer, and of none, at the wire."""

from __future__ import annotations

import inspect
import logging
import socket
import traceback

import httpx
import pytest
import trello.exceptions

from connectors.calls import Call, Fault
from connectors.errors import (
    CredentialsRefused,
    ItemRejected,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.pacing import Patience, Quota, Window
from connectors.trello.client import TrelloClient, within
from connectors.trello.failures import CAUGHT, FAULTS, broken, fault_of
from tests.unit.connectors.loopback import Naps, Say, loopback
from tests.unit.connectors.trello_loopback import KEY, TOKEN, client_for, settings_for

HTML = Say(200, "<html><title>Log in</title></html>", {"Content-Type": "text/html"})


def plain(status: int, text: str) -> Say:
    return Say(status, text, {"Content-Type": "text/plain; charset=utf-8"})


def read_error(*script: Say, naps: Naps | None = None, timeout: float = 5.0) -> tuple[TrackerError, int]:
    """The error of a read, and how many requests it took."""
    with loopback(*script) as server, client_for(server.url, naps=naps, timeout=timeout) as client:
        with pytest.raises(TrackerError) as caught:
            client.get_object("members/me")
        assert client.usage.reads == len(server.asked)
        assert client.usage.writes == 0
        return caught.value, len(server.asked)


def write_error(*script: Say, naps: Naps | None = None, timeout: float = 5.0) -> tuple[TrackerError, int]:
    """The error of a write, and how many requests it took."""
    with loopback(*script) as server, client_for(server.url, naps=naps, timeout=timeout) as client:
        with pytest.raises(TrackerError) as caught:
            client.write("POST", "cards", {"name": "A card"})
        assert client.usage.writes == len(server.asked)
        return caught.value, len(server.asked)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (plain(401, "invalid key"), CredentialsRefused),
        (plain(401, "invalid token"), CredentialsRefused),
        (plain(401, "invalid app token"), CredentialsRefused),
        (plain(401, "expired token"), CredentialsRefused),
        (plain(400, "invalid key"), CredentialsRefused),
        (plain(401, ""), CredentialsRefused),
        (Say(401, {"message": "missing scopes"}), CredentialsRefused),
        (plain(401, "unauthorized permission requested"), PermissionMissing),
        (plain(401, "unauthorized card permission requested"), PermissionMissing),
        (Say(403, {"message": "Power-Up is not enabled", "error": "ERROR"}), PermissionMissing),
        (Say(403, {"message": "label limit exceeded", "error": "LABEL_LIMIT_EXCEEDED"}), TrackerRefused),
        (plain(404, "The requested resource was not found."), NotVisible),
        (plain(404, "Cannot GET /1/members/me"), NotATracker),
        (Say(404, "<h1>Not here</h1>", {"Content-Type": "text/html"}), NotATracker),
        (Say(403, "<h1>Blocked by a proxy</h1>", {"Content-Type": "text/html"}), NotATracker),
        (plain(400, "invalid id"), TrackerRefused),
        (plain(409, "conflict"), TrackerUnavailable),
        (plain(423, "locked"), TrackerUnavailable),
        (Say(302, "", {"Location": "https://elsewhere.example.com"}), NotATracker),
        (HTML, NotATracker),
        (plain(200, "ok"), NotATracker),
        (Say(200, "", {}), NotATracker),
        (Say(200, ["a list"]), NotATracker),
    ],
)
def test_an_answer_to_a_read_is_named_by_who_can_act(answer: Say, kind: type[TrackerError]) -> None:
    error, requests = read_error(answer)
    assert type(error) is kind
    assert requests == 1


@pytest.mark.parametrize(
    ("answer", "kind", "field"),
    [
        (plain(400, "invalid value for name"), ItemRejected, "title"),
        (plain(400, "invalid value for desc"), ItemRejected, "text"),
        (plain(400, "invalid value for idMembers"), ItemRejected, "assignee"),
        (plain(400, "invalid value for idLabels"), ItemRejected, "labels"),
        (plain(400, "invalid value for idList"), ItemRejected, "idList"),
        (plain(400, "something else"), ItemRejected, None),
        (Say(413, "", {}), ItemRejected, None),
    ],
)
def test_a_refused_write_says_which_field(answer: Say, kind: type[ItemRejected], field: str | None) -> None:
    error, requests = write_error(answer)
    assert isinstance(error, kind)
    assert [problem.field for problem in error.problems] == [field]
    assert error.problems[0].message
    assert requests == 1


@pytest.mark.parametrize("answer", [Say(500, "x"), Say(502, "<html>"), Say(503, ""), Say(504, ""), Say(408, "")])
def test_a_passing_trouble_is_waited_out_for_reads_and_in_doubt_for_writes(answer: Say) -> None:
    error, requests = read_error(answer)
    assert type(error) is TrackerUnavailable
    assert requests == 4
    error, requests = write_error(answer)
    assert type(error) is OutcomeUnknown
    assert requests == 1


@pytest.mark.parametrize("act", ["reset", "truncate", "hang"])
def test_a_write_without_a_whole_answer_is_in_doubt_and_sent_once(act: str) -> None:
    error, requests = write_error(Say(act=act), timeout=0.5)
    assert type(error) is OutcomeUnknown
    assert requests == 1


@pytest.mark.parametrize("answer", [HTML, plain(200, "ok"), Say(200, "", {})])
def test_a_write_that_was_answered_by_something_else_is_in_doubt(answer: Say) -> None:
    error, _ = write_error(answer)
    assert type(error) is OutcomeUnknown


def test_a_read_without_a_whole_answer_is_repeated() -> None:
    error, requests = read_error(Say(act="reset"))
    assert type(error) is TrackerUnavailable
    assert requests == 4
    with loopback(Say(act="reset"), Say(act="truncate"), Say(200, {"id": "1"})) as server:
        with client_for(server.url) as client:
            assert client.get_object("members/me") == {"id": "1"}
        assert len(server.asked) == 3


def test_a_429_is_waited_out_for_the_rest_of_the_window_and_sent_again_writes_too() -> None:
    limited = Say(429, {"error": "API_TOKEN_LIMIT_EXCEEDED", "message": "Rate limit exceeded"})
    naps = Naps()
    with loopback(limited, Say(200, {"id": "1"})) as server, client_for(server.url, naps=naps) as client:
        assert client.write("POST", "cards", {}) == {"id": "1"}
    assert len(naps) == 1
    assert 10 <= naps[0] <= 10.2
    error, requests = write_error(limited)
    assert type(error) is TrackerUnavailable
    assert requests == 4


@pytest.mark.parametrize(("asked", "least"), [("3", 3), ("1.5", 1.5)])
def test_what_an_answer_asks_for_is_kept(asked: str, least: float) -> None:
    naps = Naps()
    with (
        loopback(Say(429, "", {"Retry-After": asked}), Say(200, {"id": "1"})) as server,
        client_for(server.url, naps=naps) as client,
    ):
        client.get_object("members/me")
    assert least <= naps[0] <= least + 0.2


def test_a_longer_wait_is_handed_back_with_its_length() -> None:
    error, requests = write_error(Say(429, "", {"Retry-After": "600"}))
    assert isinstance(error, TrackerUnavailable)
    assert error.retry_after == 600
    assert requests == 1


def test_after_a_429_other_calls_of_the_token_wait_too() -> None:
    window = Window(Quota(100, 10.0), clock=lambda: 0.0, sleep=Naps())
    with loopback(Say(429, "", {}), Say(200, {"id": "1"})) as server:
        client = TrelloClient(settings_for(server.url), windows={"token": window}, patience=lambda: Patience(1.0))
        with pytest.raises(TrackerUnavailable):
            client.get_object("members/me")
        window.close(100.0)
        with pytest.raises(TrackerUnavailable) as caught:
            client.get_object("members/me")
        client.close()
        assert caught.value.retry_after == 100.0
        assert len(server.asked) == 1


def test_a_call_waits_no_longer_for_its_answer_than_was_asked() -> None:
    with loopback(Say(act="hang")) as server:
        client = TrelloClient(settings_for(server.url), windows={}, timeout=within(0.05))
        with pytest.raises(OutcomeUnknown):
            client.write("POST", "cards")
        client.close()


def limit(most: str, interval: str, remaining: str = "1") -> dict[str, str]:
    name = "x-rate-limit-api-token"
    return {f"{name}-max": most, f"{name}-interval-ms": interval, f"{name}-remaining": remaining}


def test_the_limit_that_the_vendor_names_is_kept_and_says_how_long_a_refusal_lasts() -> None:
    window = Window(Quota(100, 10.0), clock=lambda: 0.0, sleep=Naps())
    naps = Naps()
    answers = [Say(200, {"id": "1"}, limit("50", "20000")), Say(429, "", limit("50", "20000", "0")), Say(200, {})]
    with loopback(*answers) as server:
        client = TrelloClient(
            settings_for(server.url), windows={"token": window}, patience=lambda: Patience(30.0, sleep=naps)
        )
        client.get_object("boards/1")
        assert window.quota == Quota(50, 20.0)
        with pytest.raises(TrackerUnavailable):
            client.get_object("boards/1")
        client.close()
    assert 20 <= naps[0] <= 20.2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        limit("0", "10000"),
        limit("100", "0"),
        limit("-5", "10000"),
        limit("many", "10000"),
        limit("1000000", "10000"),
        limit("100", "99999999"),
        {"x-rate-limit-api-token-max": "5"},
    ],
)
def test_a_limit_that_cannot_be_meant_is_not_believed(headers: dict[str, str]) -> None:
    window = Window(Quota(100, 10.0))
    with loopback(Say(200, {"id": "1"}, headers)) as server:
        client = TrelloClient(settings_for(server.url), windows={"token": window})
        client.get_object("boards/1")
        client.close()
    assert window.quota == Quota(100, 10.0)


def test_a_full_window_of_member_requests_is_handed_on_and_leaves_the_others_alone() -> None:
    windows = {"token": Window(Quota(100, 10.0)), "members": Window(Quota(100, 900.0))}
    full = Say(429, {"error": "RATE_LIMIT_EXCEEDED", "message": "Exceeded rate limit to /1/member"})
    with loopback(full, Say(200, {"id": "1"})) as server:
        client = TrelloClient(settings_for(server.url), windows=windows)
        with pytest.raises(TrackerUnavailable) as caught:
            client.get_object("members/me")
        assert caught.value.retry_after == 900.0
        assert client.get_object("boards/1") == {"id": "1"}
        client.close()
        assert len(server.asked) == 2


def test_waits_for_a_place_and_waits_after_a_refusal_share_one_patience() -> None:
    naps = Naps()
    window = Window(Quota(100, 10.0), clock=lambda: sum(naps), sleep=naps)
    window.close(30.0)
    with loopback(Say(503, "", {"Retry-After": "20"}), Say(200, {"id": "1"})) as server:
        client = TrelloClient(
            settings_for(server.url), windows={"token": window}, patience=lambda: Patience(45.0, sleep=naps)
        )
        with pytest.raises(TrackerUnavailable) as caught:
            client.get_object("boards/1")
        client.close()
        assert len(server.asked) == 1
    assert (naps, caught.value.retry_after) == ([30.0], 20.0)


def test_a_host_that_refuses_connections_got_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    naps = Naps()
    with client_for(url, naps=naps) as client, pytest.raises(TrackerUnavailable) as caught:
        client.write("POST", "cards", {})
    assert "nothing was sent" in str(caught.value)
    assert len(naps) == 3


def test_credentials_travel_in_the_header_only() -> None:
    with loopback(Say(200, {"id": "1"})) as server, client_for(server.url) as client:
        client.get_object("members/me", {"fields": "id"})
        client.write("POST", "cards", {"name": "A card"})
        client.write("DELETE", "cards/1/attachments/2")
    for asked in server.asked:
        assert asked.headers["Authorization"] == f'OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"'
        others = [text for name, text in asked.headers.items() if name != "Authorization"]
        rest = f"{asked.path} {asked.body} {others}"
        assert KEY not in rest
        assert TOKEN not in rest
    assert [asked.path for asked in server.asked] == ["/1/members/me?fields=id", "/1/cards", "/1/cards/1/attachments/2"]


@pytest.mark.parametrize(
    "answer",
    [
        plain(401, f"invalid token {TOKEN} for {KEY}"),
        Say(400, {"message": f"bad {TOKEN}", "error": KEY}),
        plain(500, TOKEN),
        Say(200, f"<html>{TOKEN} {KEY}", {"Content-Type": "text/html"}),
        Say(302, "", {"Location": "https://x.example.com/"}),
        Say(act="reset"),
    ],
)
def test_no_credential_is_in_an_error_its_causes_or_a_log(answer: Say, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for failing in (read_error, write_error):
            error, _ = failing(answer)
            written = "".join(traceback.format_exception(error)) + repr(vars(error)) + caplog.text
            assert TOKEN not in written
            assert KEY not in written
            assert "Authorization" not in written


def test_pages_are_not_quoted_and_long_texts_are_cut() -> None:
    error, _ = read_error(Say(400, "<html><p>Secret page</p>", {"Content-Type": "text/html"}))
    assert "Secret page" not in str(error)
    error, _ = read_error(plain(400, "word " * 1000))
    assert len(str(error)) < 700


def every_exception(module: object, root: type[BaseException]) -> list[type[BaseException]]:
    return [one for _, one in inspect.getmembers(module, inspect.isclass) if issubclass(one, root)]


@pytest.mark.parametrize("kind", [*every_exception(httpx, httpx.HTTPError), httpx.InvalidURL])
def test_every_error_of_httpx_is_in_the_table(kind: type[BaseException]) -> None:
    assert kind in FAULTS
    assert issubclass(kind, CAUGHT)


@pytest.mark.parametrize("kind", every_exception(trello.exceptions, Exception))
def test_every_error_of_the_library_is_in_the_table(kind: type[BaseException]) -> None:
    assert kind in FAULTS
    assert issubclass(kind, CAUGHT)


def test_a_certificate_that_is_not_trusted_is_no_passing_trouble() -> None:
    error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    assert fault_of(error) is Fault.UNTRUSTED
    assert fault_of(httpx.ConnectError("refused")) is Fault.NEVER_SENT


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("writes", [True, False])
def test_every_fault_says_what_to_do(fault: Fault, writes: bool) -> None:
    error = broken(Call("POST", "/1/cards", "api.trello.com", writes), fault)
    assert "api.trello.com" in error.message
    lost = writes and fault in {Fault.LOST, Fault.UNREADABLE}
    assert isinstance(error, OutcomeUnknown) == lost
