"""The kinds of senders: how each proves itself, what tells one event of it from another, what its events are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from service.domain.hook.delivery import Delivery
from service.domain.hook.payload import Payload, Unreadable, at, one_line, written
from service.domain.hook.signature import (
    BearerToken,
    HubSignature,
    TimedSignature,
    TrelloSignature,
    Verifier,
    WandbSignature,
    grafana,
    raw_key,
    standard_key,
)

MOST_ALERTS = 5000
"""Alerts of one delivery, each of which becomes an event."""

MOST_BYTES = 20_000_000
"""Bytes, about, of the events of one delivery: what is common to its alerts stands in each of them."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of a delivery. `delivery` tells it from every other of its sender, and is the same when it is sent
    again; `name` is what kind of event it is, in the sender's words."""

    delivery: str
    name: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of sender. `verifier` takes the settings of a trigger; `events` tells what a delivery brings. `answer` is
    the status that the sender takes for "arrived". `tracker`: its events come to a connection's address, not to a
    trigger's. `own_secret`: what the secret is where the sender has one of its own, and takes none that phaseloop makes
    up."""

    key: str
    title: str
    verifier: Callable[[Mapping[str, str]], Verifier]
    events: Callable[[Delivery, Payload], Iterator[Incoming]]
    answer: int = 202
    forms: bool = False
    tracker: bool = False
    own_secret: str = ""


def event_id(owner: str, delivery: str) -> str:
    """The id of an event: the same for every repetition of it, so that the store itself keeps it once."""
    return "evt_" + sha256(f"{owner}\n{delivery}".encode()).hexdigest()[:24]


def _by_header(header: str, name: Callable[[Delivery, Payload], str]) -> Callable[..., Iterator[Incoming]]:
    def events(delivery: Delivery, payload: Payload) -> Iterator[Incoming]:
        yield _incoming(delivery.header(header) or _digest(delivery), name(delivery, payload), payload)

    return events


def _trello(delivery: Delivery, payload: Payload) -> Iterator[Incoming]:
    yield _incoming(at(payload, "action", "id") or _digest(delivery), at(payload, "action", "type"), payload)


def _github_name(delivery: Delivery, payload: Payload) -> str:
    action = at(payload, "action")
    return delivery.header("X-GitHub-Event") + (f".{action}" if action else "")


def _mlflow_name(_delivery: Delivery, payload: Payload) -> str:
    return f"{at(payload, 'entity')}.{at(payload, 'action')}".strip(".")


def _alerts(delivery: Delivery, payload: Payload) -> Iterator[Incoming]:
    """One event for each alert of a group, as `alert` beside what is common to the group: it is sent again whenever
    another alert joins, and each alert counts by its fingerprint, its beginning and its status."""
    alerts: Any = payload.get("alerts")
    found = [one for one in alerts if isinstance(one, dict)] if isinstance(alerts, list) else []
    if found and len(found) < len(alerts):
        number = next(number for number, one in enumerate(alerts) if not isinstance(one, dict))
        raise Unreadable(f"what stands at alerts[{number}] is no object")
    common = {name: value for name, value in payload.items() if name != "alerts"}
    _check_amount(delivery, len(found), common)
    for alert in found:
        status = at(alert, "status")
        mark = at(alert, "fingerprint") or sha256(written(alert)).hexdigest()
        yield _incoming(f"{mark}/{at(alert, 'startsAt')}/{status}", f"alert.{status}", {**common, "alert": alert})
    if not found:
        yield _incoming(_digest(delivery), "alert.none", payload)


def _check_amount(delivery: Delivery, count: int, common: Payload) -> None:
    """Refuse what is too much whole, so that its sender knows: a part of it would be missing without a word."""
    fix = "have it send fewer at once: group by more labels, or set max_alerts of the receiver"
    if count > MOST_ALERTS:
        raise Unreadable(f"it has {count:,} alerts, and at most {MOST_ALERTS:,} are taken at once; {fix}")
    if count > 1 and len(delivery.body) + count * len(written(common)) > MOST_BYTES:
        raise Unreadable(f"what is common to its {count:,} alerts is too long to be kept with each of them; {fix}")


def _incoming(delivery: str, name: str, payload: Payload) -> Incoming:
    kept = delivery if len(delivery) <= 200 and delivery.isprintable() else _of_text(delivery)
    return Incoming(kept, one_line(name) or "event", payload)


def _of_text(text: str) -> str:
    """A digest of any text, also of one with halves of characters, which JSON can hold and UTF-8 cannot."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _digest(delivery: Delivery) -> str:
    """For senders that name no delivery: the body, so that the same text counts once."""
    return "sha256:" + sha256(delivery.body).hexdigest()


_TIMED_MLFLOW = TimedSignature("X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature", raw_key)
_TIMED_STANDARD = TimedSignature("webhook-id", "webhook-timestamp", "webhook-signature", standard_key)

SOURCES: Mapping[str, Source] = {
    one.key: one
    for one in (
        Source(
            "jira",
            "Jira",
            lambda _: HubSignature("X-Hub-Signature", ("sha256", "sha384", "sha512")),
            _by_header("X-Atlassian-Webhook-Identifier", lambda _, payload: at(payload, "webhookEvent")),
            tracker=True,
        ),
        # Trello sends an event again unless it is answered 200, and nothing else.
        Source(
            "trello",
            "Trello",
            lambda _: TrelloSignature(),
            _trello,
            answer=200,
            tracker=True,
            own_secret="the OAuth secret of your Power-Up",
        ),
        Source(
            "github",
            "GitHub",
            lambda _: HubSignature("X-Hub-Signature-256"),
            _by_header("X-GitHub-Delivery", _github_name),
            forms=True,
        ),
        Source("mlflow", "MLflow", lambda _: _TIMED_MLFLOW, _by_header("X-MLflow-Delivery-Id", _mlflow_name)),
        Source("alertmanager", "Alertmanager", lambda _: BearerToken(), _alerts),
        Source("grafana", "Grafana", grafana, _alerts),
        Source(
            "wandb",
            "Weights & Biases",
            lambda _: WandbSignature(),
            _by_header("X-Wandb-Delivery", lambda _, payload: at(payload, "event_type") or at(payload, "event")),
        ),
        Source(
            "generic",
            "Standard Webhooks",
            lambda _: _TIMED_STANDARD,
            _by_header("webhook-id", lambda _, payload: at(payload, "type")),
        ),
    )
}
"""By the word that triggers name them by."""
