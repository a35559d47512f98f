"""Each sender's way to prove itself, held against signatures that others make: by the vendor's code where there is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st
from mlflow.webhooks import delivery as mlflow_delivery

from sandbox.jira import deliveries as jira_deliveries
from sandbox.trello import deliveries as trello_deliveries
from service.domain.hook.delivery import TOLERANCE, Delivery
from service.domain.hook.source import SOURCES

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
BODY = b'{"a": "b", "\xc3\xa4": 1}'
SECRET = "a secret of sixteen or more"
ADDRESS = "https://phaseloop.example.com/hooks/con_1"
STANDARD = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


def stamp(at: datetime = NOW) -> str:
    return str(int(at.timestamp()))


def jira(secret: str, body: bytes, _at: datetime) -> dict[str, str]:
    return {"x-hub-signature": jira_deliveries.signature(secret, body)}


def trello(secret: str, body: bytes, _at: datetime) -> dict[str, str]:
    return {"x-trello-webhook": trello_deliveries.signature(secret, body, ADDRESS)}


def github(secret: str, body: bytes, _at: datetime) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def mlflow(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    signed = mlflow_delivery._generate_hmac_signature(secret, "one", stamp(at), body.decode("utf-8", "surrogateescape"))
    return {"x-mlflow-delivery-id": "one", "x-mlflow-timestamp": stamp(at), "x-mlflow-signature": signed}


def bearer(secret: str, _body: bytes, _at: datetime) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def grafana(secret: str, body: bytes, _at: datetime) -> dict[str, str]:
    return {"x-grafana-alerting-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def timed_grafana(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    signed = stamp(at).encode() + b":" + body
    return {"x-own": hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(), "x-time": stamp(at)}


def generic(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    signed = standardwebhooks.Webhook(secret).sign("msg_1", at, body.decode("utf-8", "surrogateescape"))
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp(at), "webhook-signature": signed}


def wandb(secret: str, body: bytes, _at: datetime) -> dict[str, str]:
    """As the vendor's own script for trying a webhook signs: base64; others have seen hexadecimal."""
    return {"x-wandb-signature": base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()}


def hexadecimal_wandb(secret: str, body: bytes, _at: datetime) -> dict[str, str]:
    return {"x-wandb-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


OWN_HEADERS = {"signature_header": "X-Own", "timestamp_header": "X-Time"}
WAYS: dict[str, tuple[str, Any, str, Mapping[str, str]]] = {
    "jira": ("jira", jira, SECRET, {}),
    "trello": ("trello", trello, SECRET, {}),
    "github": ("github", github, SECRET, {}),
    "mlflow": ("mlflow", mlflow, SECRET, {}),
    "alertmanager": ("alertmanager", bearer, SECRET, {}),
    "wandb": ("wandb", bearer, SECRET, {}),
    "wandb signed": ("wandb", wandb, SECRET, {}),
    "wandb signed in hexadecimal": ("wandb", hexadecimal_wandb, SECRET, {}),
    "grafana": ("grafana", grafana, SECRET, {}),
    "grafana with a time": ("grafana", timed_grafana, SECRET, OWN_HEADERS),
    "generic": ("generic", generic, STANDARD, {}),
}
TIMED = ("mlflow", "grafana with a time", "generic")
OVER_THE_BODY = tuple(name for name in WAYS if name not in ("alertmanager", "wandb"))


def accepts(way: str, headers: Mapping[str, str], body: bytes = BODY, secret: str = "", at: datetime = NOW) -> bool:
    source, _sign, right, settings = WAYS[way]
    delivery = Delivery(headers, body, at, ADDRESS)
    return SOURCES[source].verifier(settings).accepts(delivery, secret or right)


def signed(way: str, at: datetime = NOW) -> dict[str, str]:
    _source, sign, secret, _settings = WAYS[way]
    headers: dict[str, str] = sign(secret, BODY, at)
    return headers


@pytest.mark.parametrize("way", WAYS)
def test_what_the_sender_signed_is_accepted(way: str) -> None:
    assert accepts(way, signed(way))


@pytest.mark.parametrize("way", WAYS)
def test_with_another_secret_it_is_refused(way: str) -> None:
    other = (
        "whsec_" + base64.b64encode(b"another-secret-of-24-byt").decode() if way == "generic" else "another secret!!"
    )

    assert not accepts(way, signed(way), secret=other)


@pytest.mark.parametrize("way", OVER_THE_BODY)
def test_a_body_of_which_one_byte_differs_is_refused(way: str) -> None:
    assert not accepts(way, signed(way), BODY.replace(b"b", b"c", 1))


@pytest.mark.parametrize("way", WAYS)
def test_without_headers_it_is_refused(way: str) -> None:
    assert not accepts(way, {})


@pytest.mark.parametrize("way", [way for way in WAYS if way != "generic"])  # whose library cannot sign so
def test_an_empty_secret_accepts_nothing(way: str) -> None:
    source, sign, _secret, settings = WAYS[way]
    delivery = Delivery(sign("", BODY, NOW), BODY, NOW, ADDRESS)

    assert not SOURCES[source].verifier(settings).accepts(delivery, "")


@pytest.mark.parametrize("way", TIMED)
@pytest.mark.parametrize("seconds", [-TOLERANCE - 1, TOLERANCE + 1])
def test_a_stale_or_future_time_is_refused(way: str, seconds: float) -> None:
    assert not accepts(way, signed(way, NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("way", TIMED)
@pytest.mark.parametrize("seconds", [-TOLERANCE, TOLERANCE])
def test_clocks_may_differ_by_the_tolerance(way: str, seconds: float) -> None:
    assert accepts(way, signed(way, NOW + timedelta(seconds=seconds)))


def test_jira_s_own_test_vector_is_accepted() -> None:
    digest = "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    delivery = Delivery({"x-hub-signature": f"sha256={digest}"}, b"Hello World!", NOW)

    assert SOURCES["jira"].verifier({}).accepts(delivery, "It's a Secret to Everybody")


def test_a_weak_method_is_refused_though_its_signature_is_right() -> None:
    weak = hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()

    assert not accepts("jira", {"x-hub-signature": f"sha1={weak}"})
    assert not accepts("github", {"x-hub-signature-256": f"sha1={weak}"})


def test_trello_signs_the_registered_address() -> None:
    delivery = Delivery(signed("trello"), BODY, NOW, ADDRESS + "?other")

    assert not SOURCES["trello"].verifier({}).accepts(delivery, SECRET)


def test_a_run_of_weights_and_biases_is_told_by_the_token_beside_a_signature_of_another_secret() -> None:
    """A webhook there may have a second secret, for its payload, and is signed with that."""
    assert accepts("wandb", {**signed("wandb"), **wandb("a password for something else", BODY, NOW)})
    assert not accepts("wandb", {**bearer("another", BODY, NOW), **wandb("a password for something else", BODY, NOW)})


def test_of_several_signatures_one_has_to_be_right() -> None:
    headers = signed("generic")
    headers["webhook-signature"] = f"v1,AAAA v2,zzz {headers['webhook-signature']}"

    assert accepts("generic", headers)


def test_a_secret_that_is_not_base64_accepts_nothing_of_standard_webhooks() -> None:
    assert not accepts("generic", signed("generic"), secret="whsec_%%%")


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["v1,", "v1,%%", ",", "sha256=", "=", "v1,\u00e4", "Bearer", "bearer ", "1e9", "-1", "9" * 400, "\u0661"]
    ),
)


@pytest.mark.parametrize("way", WAYS)
@given(values=st.lists(HOSTILE, min_size=8, max_size=8), body=st.binary(max_size=50))
def test_whatever_is_sent_is_refused_and_never_an_error(way: str, values: list[str], body: bytes) -> None:
    names = sorted({name for one in WAYS for name in signed(one)})
    headers = dict(zip(names, values * 4, strict=False))

    assert accepts(way, headers, body) is False


def test_a_signature_over_now_is_as_the_library_verifies_it() -> None:
    """The library has its own clock, so this one is of the present."""
    now = datetime.now(UTC)
    headers = generic(STANDARD, BODY, now)

    standardwebhooks.Webhook(STANDARD).verify(BODY, headers)
    assert accepts("generic", headers, at=datetime.fromtimestamp(time.time(), UTC))
