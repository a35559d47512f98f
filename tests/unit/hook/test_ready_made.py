"""The ready-made triggers match what their senders send, and nothing near it. The payloads follow the vendors'
documents, which each names; people, hosts and projects are made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.domain.hook.delivery import Delivery
from service.domain.hook.source import SOURCES
from service.domain.hook.trigger import Trigger, read_trigger
from service.expression.evaluator import TRUTHS, Wrong, types
from service.usecases.hook.firing import Wanted, wanted

ROOT = Path(__file__).parents[3]
READY = sorted((ROOT / "templates" / "triggers").glob("*.yaml"))
PAYLOADS = sorted((Path(__file__).parent / "payloads").glob("*.json"))


def trigger(name: str, source: str = "") -> Trigger:
    text = (ROOT / "templates" / "triggers" / f"{name}.yaml").read_text(encoding="utf-8")
    found = read_trigger(text, f"{name}.yaml")
    return found.model_copy(update={"source": source}) if source else found


def made_of(file: str, source: str = "", change: tuple[str, str] = ("", "")) -> list[Wanted]:
    name, _, other = file.partition(".")
    ready = trigger(name, source or other)
    recorded = json.loads((Path(__file__).parent / "payloads" / f"{file}.json").read_text().replace(*change))
    headers = {key.lower(): value for key, value in recorded["headers"].items()}
    delivery = Delivery(headers, b"", datetime(2026, 3, 2, 9, tzinfo=UTC))
    events = SOURCES[ready.source].events(delivery, recorded["payload"])
    return [wanted(ready, ready.source, one.name, one.payload) for one in events]


def given(file: str) -> dict[str, Any]:
    (one,) = [found for found in made_of(file) if found.matches]
    return {**(one.given or {}), "key of it": one.key}


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_each_is_read_and_its_expressions_compile(path: Path) -> None:
    ready = trigger(path.stem)

    assert ready.name == path.stem
    for _path, expression, condition in ready.expressions():
        (kind,) = types([expression])
        assert not isinstance(kind, Wrong), kind
        assert not condition or kind in TRUTHS


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_each_has_a_recorded_payload_and_a_place_in_the_how_to(path: Path) -> None:
    assert path.stem in {one.name.partition(".")[0] for one in PAYLOADS}
    assert path.name in (ROOT / "docs" / "how-to" / "webhooks.md").read_text()


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_each_payload_names_the_document_that_it_follows(path: Path) -> None:
    assert json.loads(path.read_text())["documents"].startswith("https://")


def test_a_repository_made_from_the_template_is_a_project() -> None:
    found = given("github-bootstrap")

    assert (found["key"], found["name"], found["key of it"]) == ("CHURNMODEL", "churn-model", "186853002")
    assert [one.matches for one in made_of("github-bootstrap", change=("ml-template", "web-template"))] == [False]
    assert [one.matches for one in made_of("github-bootstrap", change=('"created"', '"deleted"'))] == [False]


def test_the_alias_champion_names_its_version() -> None:
    found = given("mlflow-champion")

    assert "churn was given to version 3 at 2026-03-02T09:00:00" in found["reason"]
    assert found["key of it"] == "churn/3"
    assert [one.matches for one in made_of("mlflow-champion", change=("champion", "challenger"))] == [False]


def test_the_alias_champion_is_written_down_with_when_and_which_version() -> None:
    found = given("mlflow-champion-record")

    assert found["text"].startswith("Version 3 of churn was given the alias champion in MLflow at 2026-03-02T09:00:00")


@pytest.mark.parametrize("file", ["drift-alert", "drift-alert.grafana"])
def test_an_alert_that_fires_is_a_ticket_known_by_its_fingerprint(file: str) -> None:
    found = given(file)

    assert (found["title"], found["ticket"]) == ("DriftPSI: PSI of churn is 0.31", "a3c1f5e27b9d0468")
    assert found["occurrence"].startswith("2026-03-02T09:00:00")
    assert (found["role"], found["priority"], found["label"]) == ("ml", "high", "feedback")


@pytest.mark.parametrize("file", ["drift-resolved", "drift-resolved.grafana"])
def test_an_alert_that_is_resolved_names_the_ticket_and_when_it_ended(file: str) -> None:
    found = given(file)

    of_fraud = "." not in file
    assert found["ticket"] == ("b4d2a6f38c0e1579" if of_fraud else "a3c1f5e27b9d0468")
    assert "was resolved at 2026-03-02T" in found["note"]


def test_a_finished_run_is_recorded_with_its_address() -> None:
    found = given("wandb-run-finished")

    assert found["url"] == "https://wandb.ai/example/churn/runs/1a2b3c4d"
    assert "sunny-river-12" in found["text"]
    assert [one.matches for one in made_of("wandb-run-finished", change=("finished", "failed"))] == [False]


def test_a_failed_evaluation_proposes_to_go_back_with_its_numbers() -> None:
    found = given("nightly-evaluation")

    assert (found["move"], found["phase"], found["propose"]) == ("back", "development", True)
    assert "auc was 0.71 and 0.8 is wanted" in found["reason"]
