"""One event is told from another by what its sender says, and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from service.domain.hook.delivery import Delivery
from service.domain.hook.payload import Unreadable
from service.domain.hook.source import MOST_ALERTS, SOURCES, Incoming, event_id

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)


def events(source: str, payload: Mapping[str, Any], **headers: str) -> list[Incoming]:
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return list(SOURCES[source].events(Delivery(named, json.dumps(payload).encode(), NOW), payload))


@pytest.mark.parametrize(
    ("source", "payload", "headers", "delivery", "name"),
    [
        (
            "jira",
            {"webhookEvent": "jira:issue_updated"},
            {"X_Atlassian_Webhook_Identifier": "a"},
            "a",
            "jira:issue_updated",
        ),
        ("trello", {"action": {"id": "5f", "type": "updateCard"}}, {}, "5f", "updateCard"),
        (
            "github",
            {"action": "created"},
            {"X_GitHub_Delivery": "g", "X_GitHub_Event": "repository"},
            "g",
            "repository.created",
        ),
        (
            "mlflow",
            {"entity": "model_version_alias", "action": "created"},
            {"X_MLflow_Delivery_Id": "m"},
            "m",
            "model_version_alias.created",
        ),
        ("generic", {"type": "evaluation.failed"}, {"webhook_id": "w"}, "w", "evaluation.failed"),
    ],
)
def test_a_delivery_is_known_by_the_vendor_s_id(
    source: str, payload: dict[str, Any], headers: dict[str, str], delivery: str, name: str
) -> None:
    assert events(source, payload, **headers) == [Incoming(delivery, name, payload)]


@pytest.mark.parametrize("source", ["alertmanager", "grafana"])
def test_each_alert_of_a_group_is_an_event_of_its_own(source: str) -> None:
    one = {"fingerprint": "f1", "startsAt": "2026-03-16T11:00:00Z", "status": "firing"}
    two = {"fingerprint": "f2", "startsAt": "2026-03-16T11:30:00Z", "status": "firing"}
    first = events(source, {"receiver": "r", "alerts": [one]})
    second = events(source, {"receiver": "r", "alerts": [one, two]})
    resolved = events(source, {"receiver": "r", "alerts": [{**one, "status": "resolved"}]})

    assert second[0].delivery == first[0].delivery
    assert len({each.delivery for each in (*second, *resolved)}) == 3
    assert first[0].payload == {"receiver": "r", "alert": one}
    assert resolved[0].name == "alert.resolved"


def test_a_sender_that_names_no_delivery_is_known_by_its_body() -> None:
    assert events("wandb", {"a": 1})[0].delivery == events("wandb", {"a": 1})[0].delivery
    assert events("wandb", {"a": 1})[0].delivery != events("wandb", {"a": 2})[0].delivery


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "payload",
    [{}, {"action": 3}, {"action": []}, {"alerts": {}}, {"alerts": [1, None, []]}, {"entity": {}, "type": None}],
)
def test_a_payload_of_another_shape_is_an_event_all_the_same(source: str, payload: dict[str, Any]) -> None:
    (one,) = events(source, payload)

    assert one.delivery
    assert one.name


@pytest.mark.parametrize("sent", ["x" * 5000, "a\nb", "\x00"])
def test_an_odd_delivery_id_is_kept_in_a_form_that_a_column_holds(sent: str) -> None:
    (one,) = events("generic", {"type": "y" * 5000 + "\n"}, webhook_id=sent)

    assert len(one.delivery) <= 200
    assert one.delivery.isprintable()
    assert len(one.name) <= 200


def test_the_same_delivery_of_two_senders_is_two_events() -> None:
    assert event_id("con_1", "a") == event_id("con_1", "a")
    assert len({event_id("con_1", "a"), event_id("con_2", "a"), event_id("con_1", "b")}) == 3


HALF = "\ud800"
"""Half of a character, which JSON can hold and UTF-8 cannot."""


@pytest.mark.parametrize("where", ["fingerprint", "startsAt", "status"])
def test_half_a_character_in_an_alert_is_told_apart_like_any_other_text(where: str) -> None:
    one = {"fingerprint": "f1", "startsAt": "2026-03-16T11:00:00Z", "status": "firing"}
    found = events("alertmanager", {"alerts": [{**one, where: HALF}, {**one, where: HALF * 2}]})

    assert len({each.delivery for each in found}) == 2
    assert all(each.delivery.isprintable() and each.name.isprintable() for each in found)


def alerts(count: int) -> list[dict[str, str]]:
    return [{"fingerprint": f"f{number}", "status": "firing"} for number in range(count)]


def test_every_alert_of_a_storm_is_an_event() -> None:
    assert len({each.delivery for each in events("alertmanager", {"alerts": alerts(MOST_ALERTS)})}) == MOST_ALERTS


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"alerts": alerts(MOST_ALERTS + 1)}, "at most 5,000 are taken at once"),
        ({"alerts": alerts(1000), "commonAnnotations": {"note": "x" * 1_000_000}}, "too long to be kept with each"),
        ({"alerts": [*alerts(2), "f2"]}, r"alerts\[2\] is no object"),
    ],
)
def test_what_is_too_much_or_cannot_be_read_is_refused_whole_and_not_cut(payload: dict[str, Any], why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        events("alertmanager", payload)
