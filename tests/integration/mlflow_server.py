"""A real MLflow server for tests, and what people's training code does with it, through its REST interface."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from tests import plain
from tests.waiting import eventually

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True)
class Lab:
    """A server with what is on it. `url` opens it in a browser."""

    url: str

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = plain.post(f"{self.url}/api/2.0/mlflow/{path}", json=dict(body), timeout=30)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def experiment(self, name: str) -> str:
        return str(self.ask("experiments/create", {"name": name})["experiment_id"])

    def run(
        self,
        experiment: str,
        name: str,
        at: datetime,
        metrics: Mapping[str, float | str] | None = None,
        data: Sequence[tuple[str, str]] = (),
        status: str = "FINISHED",
        **tags: str,
    ) -> str:
        """A run that began then; `data` are names and digests of datasets. Its id."""
        began = int(at.timestamp() * 1000)
        said = [{"key": key.replace("_", "."), "value": value} for key, value in tags.items()]
        made = self.ask(
            "runs/create", {"experiment_id": experiment, "run_name": name, "start_time": began, "tags": said}
        )
        run = str(made["run"]["info"]["run_id"])
        values = [{"key": k, "value": v, "timestamp": began, "step": 0} for k, v in (metrics or {}).items()]
        self.ask("runs/log-batch", {"run_id": run, "metrics": values})
        read = [
            {
                "tags": [{"key": "mlflow.data.context", "value": "training"}],
                "dataset": {
                    "name": title,
                    "digest": digest,
                    "source_type": "s3",
                    "source": json.dumps({"uri": f"s3://bucket/{title}"}),
                },
            }
            for title, digest in data
        ]
        self.ask("runs/log-inputs", {"run_id": run, "datasets": read})
        self.ask("runs/update", {"run_id": run, "status": status, "end_time": began + 60_000})
        return run

    def model(self, name: str) -> None:
        self.ask("registered-models/create", {"name": name})

    def version(self, model: str, run: str, alias: str = "") -> str:
        made = self.ask("model-versions/create", {"name": model, "source": "s3://bucket/model", "run_id": run})
        version = str(made["model_version"]["version"])
        if alias:
            self.ask("registered-models/alias", {"name": model, "alias": alias, "version": version})
        return version


def unique(word: str) -> str:
    """A name that no other test uses."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


@contextmanager
def mlflow_server(home: Path, **settings: str) -> Iterator[Lab]:
    """MLflow's own server on this machine, with its own database and these variables; it and its workers are ended
    afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / "mlflow.log"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{home / 'mlflow.db'}",
        "--artifacts-destination",
        str(home / "files"),
    ]
    command += ["--gunicorn-opts", "--log-level warning --timeout 120"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=home, env={**os.environ, **QUIET, **settings}, stdout=out, stderr=out, start_new_session=True
        )
    lab = Lab(f"http://127.0.0.1:{port}")
    try:
        eventually(lambda: process.poll() is not None or _answers(lab), 120)
        assert process.poll() is None, log.read_text()
        yield lab
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _answers(lab: Lab) -> bool:
    try:
        return plain.get(f"{lab.url}/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
