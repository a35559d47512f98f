"""MLflow's REST interface when it does not answer as it should; what it answers when it does is tested with a real
server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors.errors import (
    CredentialsRefused,
    NotATracker,
    NotVisible,
    PermissionMissing,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.mlflow import client as http
from connectors.mlflow.client import MlflowClient
from connectors.mlflow.server import MlflowServer
from connectors.mlflow.settings import MlflowSettings
from connectors.pacing import Patience
from tests.unit.connectors.loopback import Asked, Naps, Say, loopback, serving

TOKEN = "t0ken-of-the-test"
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


@contextmanager
def client_of(url: str, naps: Naps | None = None, **more: Any) -> Iterator[MlflowClient]:
    sleep = Naps() if naps is None else naps
    settings = MlflowSettings.model_validate({"url": url, "token": TOKEN})
    client = MlflowClient(
        settings, timeout=httpx.Timeout(2.0), patience=lambda: Patience(4.0, attempts=2, sleep=sleep), **more
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def reader_of(url: str) -> Iterator[MlflowServer]:
    with client_of(url) as client:
        yield MlflowServer(MlflowSettings(url=url), client)


REFUSALS = [
    (Say(401, "who are you?"), CredentialsRefused),
    (Say(403, "Permission denied"), PermissionMissing),
    (Say(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"no such thing, {TOKEN}"}), NotVisible),
    (Say(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "what?"}), TrackerRefused),
    (Say(404, "<html>not here</html>"), NotATracker),
    (Say(200, "<html>log in</html>"), NotATracker),
    (Say(200, "[" * 100_000), NotATracker),
    (Say(200, "[1]"), NotATracker),
    (Say(302, "", {"Location": "https://login.example.com"}), NotATracker),
    (Say(503, "later"), TrackerUnavailable),
    (Say(429, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slowly"}), TrackerUnavailable),
    (Say(act="reset"), TrackerUnavailable),
    (Say(act="truncate"), TrackerUnavailable),
]


@pytest.mark.parametrize(("say", "error"), REFUSALS, ids=[f"{say.status}-{error.__name__}" for say, error in REFUSALS])
def test_a_refusal_is_told_by_who_can_act_and_without_the_credential(say: Say, error: type[TrackerError]) -> None:
    with loopback(say) as server, client_of(server.url) as client, pytest.raises(error) as raised:
        client.get("experiments/get-by-name", {"experiment_name": "churn"})

    assert type(raised.value) is error
    assert server.url.removeprefix("http://") in raised.value.message
    assert TOKEN not in str(raised.value)
    assert "churn" not in str(raised.value)


def test_a_server_that_is_not_there_is_unavailable_after_a_second_try() -> None:
    with loopback(Say()) as server:
        url = server.url
    naps = Naps()

    with client_of(url, naps) as client, pytest.raises(TrackerUnavailable, match="could not be reached"):
        client.get("experiments/get-by-name", {})

    assert len(naps) == 1


def test_what_passes_is_read_at_the_second_try() -> None:
    with loopback(Say(503), Say(200, {"experiment": {}})) as server, client_of(server.url) as client:
        assert client.get("experiments/get-by-name", {}) == {"experiment": {}}


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST", 1024 * 1024)
    endless = Say(200, "x" * 2_000_000)
    larger = pytest.raises(NotATracker, match="larger than 1 MB")
    with loopback(endless) as server, client_of(server.url) as client, larger:
        client.get("experiments/get-by-name", {})


def test_all_that_one_record_needs_is_read_within_a_minute() -> None:
    now = [0.0]
    with loopback(Say(200, {})) as server, client_of(server.url, clock=lambda: now[0]) as client:
        assert client.get("experiments/get-by-name", {}) == {}
        now[0] = 61.0
        with pytest.raises(TrackerUnavailable, match="longer than 60 seconds"):
            client.get("experiments/get-by-name", {})

    assert len(server.asked) == 1


def test_a_server_that_gives_the_same_page_for_ever_is_read_once() -> None:
    run = {"info": {"run_id": "r1", "experiment_id": "1", "start_time": 1772500000000, "status": "FINISHED"}}

    def answer(asked: Asked) -> Say:
        if "get-by-name" in asked.path:
            return Say(200, {"experiment": {"experiment_id": "1", "name": "churn"}})
        if "runs/search" in asked.path:
            return Say(200, {"runs": [run], "next_page_token": str(len(server.asked))})
        return Say(200, {})

    with serving(answer) as server, reader_of(server.url) as mlflow:
        found = mlflow.read(["churn"], [], MARCH, APRIL)

        assert [one.id for one in found.runs] == ["r1"]
        assert sum("runs/search" in asked.path for asked in server.asked) == 2


ODD: list[Any] = [None, 7, "x", [], {}, [None], {"info": None}, {"key": []}]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_what_has_not_the_shape_that_is_documented_is_passed_over(odd: Any) -> None:
    answer = dict.fromkeys(("experiment", "runs", "model_versions", "registered_model", "next_page_token"), odd)
    with loopback(Say(200, answer)) as server, reader_of(server.url) as mlflow:
        found = mlflow.read(["churn"], ["model"], MARCH, APRIL)

    assert (found.runs, found.versions) == ((), ())


def test_nothing_is_ever_written() -> None:
    answer = Say(200, {"experiment": {"experiment_id": "1", "name": "churn"}})
    with loopback(answer) as server, reader_of(server.url) as mlflow:
        mlflow.read(["churn"], ["model"], MARCH, APRIL)

    sent = {(asked.method, asked.path.partition("?")[0].removeprefix("/api/2.0/mlflow/")) for asked in server.asked}
    assert sent == {
        ("GET", "experiments/get-by-name"),
        ("POST", "runs/search"),
        ("GET", "registered-models/get"),
        ("GET", "model-versions/search"),
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://MLflow.example.com/", "https://mlflow.example.com"),
        ("https://example.com/mlflow/", "https://example.com/mlflow"),
        ("https://example.com/api/2.0/mlflow", "https://example.com"),
        ("https://example.com/#/experiments/3", "https://example.com"),
    ],
)
def test_the_address_may_be_given_as_people_copy_it(given: str, kept: str) -> None:
    assert MlflowSettings(url=given).url == kept


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "mlflow.example.com"}, "must start with https://"),
        ({"url": "https://user:pass@mlflow.example.com"}, "must be the address alone"),
        ({"url": "https://mlflow.example.com?x=1"}, "must be the address alone"),
        ({"url": "http://mlflow.example.com", "token": TOKEN}, "plain http would send the credential readably"),
        ({"url": "http://mlflow.example.com", "username": "u", "password": TOKEN}, "plain http"),
        ({"url": "https://mlflow.example.com", "token": f"{TOKEN}\nX"}, "holds a character"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_without_the_credential(given: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as raised:
        MlflowSettings.model_validate(given)

    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"token": "abc"}, "Bearer abc"),
        ({"username": "u", "password": "p"}, "Basic dTpw"),
        ({"token": " "}, None),
        ({}, None),
    ],
)
def test_the_credential_is_sent_as_the_server_expects_it(given: dict[str, str], sent: str | None) -> None:
    with loopback(Say(200, {})) as server:
        with closing(MlflowClient(MlflowSettings.model_validate({"url": server.url, **given}))) as client:
            client.get("experiments/get-by-name", {})

        assert server.asked[0].headers.get("Authorization") == sent
