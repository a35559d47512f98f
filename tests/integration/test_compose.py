"""The compose file: what it starts exists here. That it starts in a container engine is not shown by this."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from connectors.mlflow.settings import MlflowSettings
from service.cli.main import app
from service.cli.reference import commands
from service.settings import Settings
from tests.integration.conftest import ROOT


@pytest.fixture(scope="module")
def compose() -> Any:
    return YAML(typ="safe").load((ROOT / "compose.yaml").read_text())


def test_every_command_that_it_starts_exists(compose: Any) -> None:
    known = {path for path, _command in commands(typer.main.get_command(app))}
    ours = {name: one for name, one in compose["services"].items() if one["image"] == "phaseloop"}

    assert {f"phaseloop {' '.join(one['command'])}" for one in ours.values()} <= known
    assert ours.keys() == {"upgrade", "service"}


def test_every_variable_that_it_sets_is_a_setting(compose: Any) -> None:
    for one in compose["services"].values():
        ours = [name for name in one["environment"] if name.startswith("PHASELOOP_")]
        assert all(name.removeprefix("PHASELOOP_").lower() in Settings.model_fields for name in ours)


def test_what_is_said_of_mlflow_and_a_model_is_passed_on_and_nothing_said_is_none(
    compose: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {f"PHASELOOP_{name.upper()}" for name in Settings.model_fields if name.startswith(("mlflow_", "judge_"))}
    passed = {n: v for n, v in compose["services"]["service"]["environment"].items() if n in known}

    assert passed.keys() == known
    for name, value in passed.items():
        found = re.fullmatch(rf"\$\{{{name}:-(.*)\}}", value)
        assert found, value
        monkeypatch.setenv(name, found[1])
    settings = Settings(_env_file=None)
    assert (settings.mlflow_url, settings.mlflow_username, settings.mlflow_allow_http) == (None, "", False)
    assert settings.judge_url is None
    with_url = MlflowSettings(
        url="http://mlflow.example.com", token=settings.mlflow_token, password=settings.mlflow_password
    )
    assert not with_url.credential


def test_the_example_names_every_setting_of_mlflow() -> None:
    text = (ROOT / ".env.example").read_text()

    named = set(re.findall(r"^#?PHASELOOP_(MLFLOW_\w+)=", text, re.MULTILINE))
    assert {name.lower() for name in named} == {name for name in Settings.model_fields if name.startswith("mlflow_")}


def test_three_replicas_start_after_one_upgrade_of_a_healthy_database(compose: Any) -> None:
    services = compose["services"]

    assert services["service"]["deploy"]["replicas"] == 3
    assert services["service"]["depends_on"] == {"upgrade": {"condition": "service_completed_successfully"}}
    assert services["upgrade"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "/readyz" in str(services["service"]["healthcheck"]["test"])


def test_it_waits_longer_for_a_replica_to_stop_than_the_replica_takes(compose: Any) -> None:
    service = compose["services"]["service"]

    assert float(service["stop_grace_period"].rstrip("s")) > service["environment"]["PHASELOOP_GRACE_SECONDS"]


def test_no_secret_stands_in_it(compose: Any) -> None:
    for one in compose["services"].values():
        for name, value in one["environment"].items():
            if any(word in name for word in ("PASSWORD", "SECRET", "DATABASE_URL")):
                assert "${" in value, name
