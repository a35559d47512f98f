"""What the Jira client makes of every answer, and of none, at the wire."""

from __future__ import annotations

import inspect
import logging
import socket
import traceback

import jira.exceptions
import pytest
import requests.exceptions

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
from connectors.jira.failures import CAUGHT, FAULTS, broken, fault_of
from tests.unit.connectors.loopback import TOKEN, Naps, Say, client_for, loopback

HTML = Say(200, "<html><title>Log in</title></html>", {"Content-Type": "text/html"})


def read_error(*script: Say, naps: Naps | None = None, timeout: float = 5.0) -> tuple[TrackerError, int]:
    """The error of a read, and how many requests it took."""
    with loopback(*script) as server, client_for(server.url, naps=naps, timeout=timeout) as client:
        with pytest.raises(TrackerError) as caught:
            client.get("myself")
        assert client.usage.reads == len(server.asked)
        assert client.usage.writes == 0
        return caught.value, len(server.asked)


def write_error(*script: Say, naps: Naps | None = None, timeout: float = 5.0) -> tuple[TrackerError, int]:
    """The error of a write, and how many requests it took."""
    with loopback(*script) as server, client_for(server.url, naps=naps, timeout=timeout) as client:
        with pytest.raises(TrackerError) as caught:
            client.write("POST", "issue/bulk", {"issueUpdates": []})
        assert client.usage.writes == len(server.asked)
        return caught.value, len(server.asked)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Say(401, {"errorMessages": ["no"], "errors": {}}), CredentialsRefused),
        (Say(401, "Client must be authenticated", {"Content-Type": "text/plain"}), CredentialsRefused),
        (Say(403, {"errorMessages": ["You may not."], "errors": {}}), PermissionMissing),
        (Say(404, {"errorMessages": ["Issue does not exist."], "errors": {}}), NotVisible),
        (Say(404, {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "No endpoint"}), NotATracker),
        (Say(404, {"timestamp": "x", "status": 404, "error": "Not Found", "path": "/ex/jira/1"}), NotATracker),
        (Say(404, "<h1>Not here</h1>", {"Content-Type": "text/html"}), NotATracker),
        (Say(410, {"errorMessages": ["removed"], "errors": {}}), TrackerRefused),
        (Say(418, "", {"Content-Type": "text/plain"}), TrackerRefused),
        (HTML, NotATracker),
        (Say(200, ""), NotATracker),
        (Say(204, "", {}), NotATracker),
        (Say(200, "plain words", {"Content-Type": "text/plain"}), NotATracker),
        (Say(200, '{"cut": "of'), NotATracker),
        (Say(302, "", {"Location": "https://id.example.com/login"}), NotATracker),
        (Say(301, "", {"Location": "/elsewhere"}), NotATracker),
    ],
)
def test_an_answer_that_says_no_is_named_by_who_can_act(answer: Say, kind: type[TrackerError]) -> None:
    error, requests_sent = read_error(answer)
    assert type(error) is kind
    # Where a credential is refused, the site is asked for its cloud id: the token may be one for the gateway.
    assert requests_sent == (2 if kind is CredentialsRefused else 1)


def test_a_page_instead_of_an_empty_answer_leaves_a_write_in_doubt() -> None:
    with loopback(HTML) as server, client_for(server.url) as client, pytest.raises(OutcomeUnknown):
        client.write("PUT", "sprint/2/properties/phaseloop", {}, empty=True)


def test_a_redirect_to_a_login_page_is_not_followed_and_names_the_fix() -> None:
    error, _ = read_error(Say(302, "", {"Location": "/login"}))
    assert "login page" in error.message
    assert "URL" in error.fix


@pytest.mark.parametrize("body", [None, [], "text", 5, {"errors": None, "errorMessages": None}, {"errors": ["x"]}])
def test_an_odd_error_body_does_no_harm(body: object) -> None:
    error, _ = write_error(Say(400, body))
    assert isinstance(error, ItemRejected)
    assert error.problems


def test_a_refused_write_tells_general_and_field_messages() -> None:
    error, _ = write_error(Say(400, {"errorMessages": ["General."], "errors": {"summary": "Too long."}}))
    assert isinstance(error, ItemRejected)
    assert [(p.field, p.message) for p in error.problems] == [(None, "General."), ("summary", "Too long.")]


@pytest.mark.parametrize("retry_after", ["3", "1.5", "Mon, 23 Nov 2026 10:00:03 GMT", None])
@pytest.mark.parametrize("status", [429, 503])
def test_a_read_waits_as_told_and_comes_through(status: int, retry_after: str | None) -> None:
    headers = {"Date": "Mon, 23 Nov 2026 10:00:00 GMT"} | ({"Retry-After": retry_after} if retry_after else {})
    naps = Naps()
    with (
        loopback(Say(status, "", headers), Say(200, {"ok": True})) as server,
        client_for(server.url, naps=naps) as client,
    ):
        assert client.get("myself") == {"ok": True}
        assert client.usage.reads == 2
    assert len(naps) == 1
    if retry_after == "1.5":
        assert 1.5 <= naps[0] < 2
    elif retry_after:
        assert 3 <= naps[0] < 4
    else:
        assert 0.7 <= naps[0] <= 1.3


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_read_gives_up_after_four_attempts(status: int) -> None:
    naps = Naps()
    error, sent = read_error(Say(status, ""), naps=naps)
    assert isinstance(error, TrackerUnavailable)
    assert sent == 4
    assert sum(naps) <= 20


def test_a_long_retry_after_is_handed_on_instead_of_slept() -> None:
    naps = Naps()
    error, sent = read_error(Say(429, "", {"Retry-After": "1847"}), naps=naps)
    assert isinstance(error, TrackerUnavailable)
    assert error.retry_after == 1847
    assert sent == 1
    assert naps == []


@pytest.mark.parametrize("reason", ["jira-quota-tenant-based", "jira-quota-global-based"])
def test_a_quota_that_is_used_up_is_handed_on_at_once_however_short_the_wait(reason: str) -> None:
    naps = Naps()
    error, sent = read_error(Say(429, "", {"RateLimit-Reason": reason, "Retry-After": "4"}), naps=naps)
    assert isinstance(error, TrackerUnavailable)
    assert (error.retry_after, sent, naps) == (4, 1, [])
    error, _ = write_error(Say(429, "", {"RateLimit-Reason": reason}))
    assert isinstance(error, TrackerUnavailable)
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 3600


def test_a_conflict_is_handed_on_with_the_time_that_it_names() -> None:
    error, sent = write_error(Say(409, {"errorMessages": ["Conflict."]}, {"Retry-After": "7"}))
    assert isinstance(error, TrackerUnavailable)
    assert (error.retry_after, sent) == (7, 1)


def test_a_write_that_was_rate_limited_is_sent_again() -> None:
    with (
        loopback(Say(429, "", {"Retry-After": "2"}), Say(201, {"id": "1"})) as server,
        client_for(server.url) as client,
    ):
        assert client.write("POST", "issue/bulk", {}).body == {"id": "1"}
        assert client.usage.writes == 2


@pytest.mark.parametrize(
    "answer",
    [
        Say(503, "", {"Retry-After": "1"}),
        Say(500, {"errorMessages": ["Internal server error"], "errors": {}}),
        Say(502, "<h1>Bad gateway</h1>", {"Content-Type": "text/html"}),
        Say(504, ""),
        Say(201, ""),
        Say(201, '{"issues": [{"id": "1'),
        Say(201, {"issues": []}, act="truncate"),
        Say(200, "<html>proxy</html>", {"Content-Type": "text/html"}),
        Say(act="reset"),
    ],
)
def test_a_write_without_a_trustworthy_answer_is_sent_once_and_called_unknown(answer: Say) -> None:
    error, sent = write_error(answer, Say(201, {"issues": []}))
    assert isinstance(error, OutcomeUnknown)
    assert sent == 1


def test_a_write_that_is_never_answered_is_unknown_after_the_timeout() -> None:
    error, sent = write_error(Say(act="hang"), timeout=0.2)
    assert isinstance(error, OutcomeUnknown)
    assert sent == 1


@pytest.mark.parametrize("broken_answer", [Say(act="reset"), Say(200, {}, act="truncate"), Say(503, "")])
def test_a_read_with_a_broken_answer_is_sent_again(broken_answer: Say) -> None:
    with loopback(broken_answer, Say(200, {"ok": 1})) as server, client_for(server.url) as client:
        assert client.get("myself") == {"ok": 1}
        assert len(server.asked) == 2


def test_a_read_that_times_out_is_sent_again() -> None:
    with loopback(Say(act="hang"), Say(200, {"ok": 1})) as server, client_for(server.url, timeout=0.2) as client:
        assert client.get("myself") == {"ok": 1}


def test_a_search_by_post_is_a_read_and_may_be_sent_again() -> None:
    with loopback(Say(502, ""), Say(200, {"issues": []})) as server, client_for(server.url) as client:
        assert client.query("search/jql", {"jql": "project = 1"}) == {"issues": []}
        assert (client.usage.reads, client.usage.writes) == (2, 0)


def test_a_refused_connection_wrote_nothing_and_was_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        naps = Naps()
        with client_for(f"http://127.0.0.1:{unused.getsockname()[1]}", naps=naps) as client:
            with pytest.raises(TrackerUnavailable, match="nothing was sent"):
                client.write("POST", "issue/bulk", {})
            assert client.usage.writes == 4
    assert len(naps) == 3


def test_a_host_that_does_not_exist_wrote_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_host(*_args: object, **_more: object) -> object:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_host)
    with client_for("http://nowhere.localhost:9") as client, pytest.raises(TrackerUnavailable):
        client.write("POST", "issue/bulk", {})


def test_a_value_without_a_json_form_is_refused_before_it_is_sent() -> None:
    with loopback(Say(201)) as server, client_for(server.url) as client:
        with pytest.raises(TrackerRefused, match="no JSON form"):
            client.write("PUT", "issue/1", {"fields": {"points": float("nan")}})
        assert server.asked == []


def test_json_of_another_shape_is_not_a_tracker() -> None:
    with loopback(Say(200, ["a", "list"])) as server, client_for(server.url) as client:
        with pytest.raises(NotATracker):
            client.get_object("myself")
        with pytest.raises(NotATracker):
            client.query("search/jql", {})


def test_the_constructor_makes_no_call_and_the_session_signs_every_one() -> None:
    with loopback(Say(200, {})) as server, client_for(server.url) as client:
        assert server.asked == []
        client.get("myself")
        assert server.asked[0].path == "/rest/api/2/myself"
        assert server.asked[0].headers["Authorization"].startswith("Basic ")


def test_the_gateway_form_keeps_its_path() -> None:
    with loopback(Say(200, {})) as server, client_for(f"{server.url}/ex/jira/11223344-a1b2") as client:
        client.get("myself")
        assert server.asked[0].path == "/ex/jira/11223344-a1b2/rest/api/2/myself"


@pytest.mark.parametrize("module", [requests.exceptions, jira.exceptions])
def test_every_exception_of_the_libraries_has_its_own_line_in_the_table(module: object) -> None:
    own = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception)
        and not issubclass(kind, Warning)
        and kind.__module__ in {"requests.exceptions", "jira.exceptions"}
    ]
    assert own
    assert [kind.__name__ for kind in own if kind not in FAULTS] == []
    assert all(issubclass(kind, CAUGHT) for kind in own)


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("writes", [True, False])
def test_a_write_that_may_have_happened_is_never_called_unavailable(fault: Fault, writes: bool) -> None:
    error = broken(Call("POST", "/rest/api/2/issue/bulk", "acme.atlassian.net", writes), fault)
    if writes and fault in {Fault.LOST, Fault.UNREADABLE}:
        assert isinstance(error, OutcomeUnknown)
    else:
        assert not isinstance(error, OutcomeUnknown)


def test_an_exception_unknown_to_the_table_falls_back_to_its_base() -> None:
    class Newer(requests.exceptions.Timeout):
        """A class that a later version brings."""

    assert fault_of(Newer()) is Fault.LOST


EVERYTHING = [
    Say(401, {"errorMessages": [f"echo {TOKEN}"]}),
    Say(400, {"errorMessages": [f"Authorization: Basic {TOKEN}"], "errors": {"summary": TOKEN}}),
    Say(403, {"errorMessages": [TOKEN]}),
    Say(404, {"errorMessages": [TOKEN]}),
    Say(302, "", {"Location": f"/login?token={TOKEN}"}),
    Say(500, {"errorMessages": [TOKEN]}),
    Say(429, "", {"Retry-After": "999"}),
    HTML,
    Say(act="reset"),
]


@pytest.mark.parametrize("answer", EVERYTHING)
def test_no_secret_query_or_header_is_in_an_error_or_a_log(answer: Say, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with loopback(answer) as server, client_for(server.url) as client:
        for attempt in (
            lambda: client.get("user/search", {"query": "ml-1@example.com"}),
            lambda: client.write("POST", "issue/bulk", {}),
        ):
            with pytest.raises(TrackerError) as caught:
                attempt()
            error = caught.value
            shown = f"{error} {error!r} {error.args} {vars(error)} {client!r} {vars(client.patience)}"
            assert TOKEN not in shown
            assert TOKEN not in "".join(traceback.format_exception(error))
            assert "ml-1" not in shown
            assert "Authorization: Basic s" not in shown
    assert TOKEN not in caplog.text
    assert "Authorization" not in caplog.text
