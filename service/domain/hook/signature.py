"""Who sent a delivery: one small verifier for each way in which senders prove it, behind one interface.

A verifier answers yes or no. Whatever is missing, malformed, stale or of another secret is a no, and never an error.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from service.domain.hook.delivery import TOLERANCE, Delivery

STANDARD_PREFIX = "whsec_"
"""What secrets of Standard Webhooks begin with; base64 follows."""


GRAFANA_HEADER = "X-Grafana-Alerting-Signature"
"""The header that Grafana signs in unless it is told another."""


class Verifier(Protocol):
    """Whether a delivery is from somebody who has the secret."""

    def accepts(self, delivery: Delivery, secret: str) -> bool:
        """Whether it is. Compares in constant time; an empty secret accepts nothing."""
        ...


@dataclass(frozen=True, slots=True)
class HubSignature:
    """`method=hexadecimal` over the body, the method named by the header: Jira and GitHub. A method that is not one of
    `methods` is refused, whatever its signature."""

    header: str
    methods: tuple[str, ...] = ("sha256",)

    def accepts(self, delivery: Delivery, secret: str) -> bool:
        """As `Verifier`."""
        method, _, sent = delivery.header(self.header).partition("=")
        if not secret or method.lower() not in self.methods:
            return False
        return _same(hmac.new(secret.encode(), delivery.body, method.lower()).hexdigest(), sent.lower())


@dataclass(frozen=True, slots=True)
class TrelloSignature:
    """Base64 of HMAC-SHA1 over the body and the address that was registered, as Trello signs with an app's secret."""

    def accepts(self, delivery: Delivery, secret: str) -> bool:
        """As `Verifier`; without a registered address there is nothing to compare with."""
        sent = _decoded(delivery.header("X-Trello-Webhook"))
        if not secret or not delivery.address or sent is None:
            return False
        signed = delivery.body + delivery.address.encode()
        return hmac.compare_digest(hmac.new(secret.encode(), signed, hashlib.sha1).digest(), sent)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """`Authorization: Bearer SECRET`, for a sender that signs nothing: Alertmanager."""

    def accepts(self, delivery: Delivery, secret: str) -> bool:
        """As `Verifier`."""
        scheme, _, token = delivery.header("Authorization").partition(" ")
        return bool(secret) and scheme.lower() == "bearer" and _same(secret, token.strip())


@dataclass(frozen=True, slots=True)
class WandbSignature:
    """The secret as bearer token or, where it is a webhook's other secret, HMAC-SHA256 over the body with it, in base64
    or hexadecimal. One of the two is enough: Weights & Biases signs with whatever that other secret is."""

    def accepts(self, delivery: Delivery, secret: str) -> bool:
        """As `Verifier`."""
        expected = hmac.new(secret.encode(), delivery.body, hashlib.sha256)
        sent = delivery.header("X-Wandb-Signature")
        decoded = _decoded(sent)
        matched = BearerToken().accepts(delivery, secret)
        matched |= _same(expected.hexdigest(), sent.lower())
        matched |= decoded is not None and hmac.compare_digest(expected.digest(), decoded)
        return bool(secret) and matched


@dataclass(frozen=True, slots=True)
class TimedSignature:
    """`v1,base64` over `id.timestamp.body`, in headers that differ by sender, not older nor newer than `TOLERANCE`.
    Several signatures may be sent, separated by spaces. `key` makes the bytes that sign from the secret."""

    id_header: str
    time_header: str
    signature_header: str
    key: Callable[[str], bytes | None]

    def accepts(self, delivery: Delivery, secret: str) -> bool:
        """As `Verifier`."""
        number, time = delivery.header(self.id_header), delivery.header(self.time_header)
        key = self.key(secret) if secret else None
        if not key or not number or not is_fresh(time, delivery):
            return False
        signed = f"{number}.{time}.".encode() + delivery.body
        expected = hmac.new(key, signed, hashlib.sha256).digest()
        matched = False
        for one in delivery.header(self.signature_header).split(" "):
            version, _, text = one.partition(",")
            sent = _decoded(text) if version == "v1" else None
            matched |= sent is not None and hmac.compare_digest(expected, sent)
        return matched


@dataclass(frozen=True, slots=True)
class GrafanaSignature:
    """Hexadecimal HMAC-SHA256 over the body or, where a header for the time is set, over `time:body`. Both headers have
    names that the sender chooses."""

    header: str = GRAFANA_HEADER
    time_header: str = ""

    def accepts(self, delivery: Delivery, secret: str) -> bool:
        """As `Verifier`."""
        signed, time = delivery.body, ""
        if self.time_header:
            time = delivery.header(self.time_header)
            if not is_fresh(time, delivery):
                return False
            signed = f"{time}:".encode() + signed
        sent = delivery.header(self.header).lower()
        return bool(secret) and _same(hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(), sent)


def raw_key(secret: str) -> bytes | None:
    """The secret's own bytes, as MLflow signs."""
    return secret.encode()


def standard_key(secret: str) -> bytes | None:
    """The bytes behind `whsec_…`, as Standard Webhooks writes them; None for a secret that is not base64."""
    return _decoded(secret.removeprefix(STANDARD_PREFIX))


def is_fresh(time: str, delivery: Delivery) -> bool:
    """Whether a time in seconds since 1970 is as near to ours as it has to be."""
    if not time.isascii() or not time.isdecimal() or len(time) > 12:
        return False
    return abs(delivery.at.timestamp() - int(time)) <= TOLERANCE


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) or None
    except (ValueError, binascii.Error):
        return None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode("utf-8", "surrogateescape"))


def grafana(settings: Mapping[str, str]) -> Verifier:
    """Grafana's, with the headers that a trigger names."""
    header = settings.get("signature_header") or GRAFANA_HEADER
    return GrafanaSignature(header, settings.get("timestamp_header", ""))
