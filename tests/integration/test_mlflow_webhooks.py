"""A real MLflow server delivers its own webhooks: an alias that is set moves the project on, once, by its trigger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from service.domain.hook.trigger import read_trigger
from service.domain.loop import loop_state
from service.domain.plan import run_state
from service.usecases.hook import secret, triggers
from tests import plain
from tests.integration.conftest import ROOT
from tests.integration.hooked import Hooked, hooked
from tests.integration.mlflow_server import Lab, mlflow_server, unique
from tests.integration.turntable import Turntable, turntable
from tests.waiting import eventually

ALIAS = ROOT / "templates" / "triggers" / "mlflow-champion.yaml"
SECRET = "mlflow-secret-\u00e4-of-the-tests"


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Turntable]:
    """The first iteration continues, and time is the present: MLflow signs with it."""
    now = datetime.now(UTC)
    monday = (now - timedelta(days=now.weekday() or 7)).date().isoformat()
    with turntable(tmp_path / "home", parameters={"start_date": monday}) as opened:
        opened.set(now.replace(tzinfo=None).isoformat())
        opened.plan_and_apply()
        assert opened.ended(f"advance-{opened.project}-1").state == run_state.COMPLETED
        eventually(lambda: opened.has_begun(1))
        yield opened


@pytest.fixture
def door(table: Turntable) -> Iterator[Hooked]:
    with hooked(table.context, table.engine.start) as opened:
        yield opened


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """MLflow, which may deliver to this machine."""
    home = tmp_path / "mlflow"
    home.mkdir()
    allowed = {
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": Fernet.generate_key().decode(),
    }
    with mlflow_server(home, **allowed) as started:
        yield started


def test_an_alias_set_in_mlflow_is_delivered_verified_and_decides_the_next_phase(
    table: Turntable, door: Hooked, lab: Lab
) -> None:
    text = ALIAS.read_text().replace("project: ML", f"project: {table.project}").replace("  phase: development\n", "")
    triggers.put(door.context, read_trigger(text, ALIAS.name), "tests")
    secret.put(door.context, secret.owner(door.context, "mlflow-champion", trigger=True), SECRET)
    event = {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}
    body = {"name": "phaseloop", "url": f"{door.url}/hooks/t/mlflow-champion", "secret": SECRET, "events": [event]}
    made = plain.post(f"{lab.url}/api/2.0/mlflow/webhooks", json=body, timeout=30)
    assert made.status_code == 200, made.text

    model = unique("churn")
    lab.model(model)
    run = lab.run(lab.experiment(unique("e")), "r", table.clock())
    other = lab.version(model, run, alias="challenger")
    champion = lab.version(model, run, alias="champion")
    eventually(lambda: len(door.events("done", "failed")) >= 2, 60)

    assert [row.error for row in door.events()] == ["", ""]
    assert {row.name for row in door.events()} == {"model_version_alias.created"}
    decision = table.loop.decision
    assert decision is not None
    assert decision["move"] == "next"
    assert decision["by"] == "trigger mlflow-champion"
    assert f"version {champion}" in decision["reason"]
    assert other != champion
    assert table.loop.state == loop_state.TURNING
