"""`phaseloop demo`: a sandbox tracker and the service on this machine, and the built-in template built in it.

It is the product's own main job done the way a user's program would do it: two processes, REST, server-sent progress.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.network import Network
from service.cli.shell import err, fail, interruptible, out, print_json
from service.context import open_context
from service.domain.english import counted
from service.domain.team import read_team
from service.settings import Settings
from service.usecases import tokens

SANDBOX_PORT = 9100
SERVICE_PORT = 8000
PROJECT_KEY = "ML"
PROJECT_NAME = "ML demo"
TEAM_FILE = Path(__file__).parent.parent / "demo_team.yaml"
NEAR = Network().way_to("http://127.0.0.1").for_httpx()
"""How the demo's own processes are reached: never through a proxy."""
PATIENCE = 60.0
"""Seconds to wait for a process of ours to answer; it takes about two on a laptop."""


class DemoTracker(StrEnum):
    """Trackers that the demo can build in."""

    JIRA = "jira"
    TRELLO = "trello"
    BOTH = "both"

    @property
    def each(self) -> list[str]:
        """The trackers that are meant, one by one."""
        return ["jira", "trello"] if self is DemoTracker.BOTH else [self.value]


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop when everything is built.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="With --once: leave sandbox and service running.")] = False,
    tracker: Annotated[DemoTracker, typer.Option(help="Which tracker to build in.")] = DemoTracker.BOTH,
) -> None:
    """Build the ML template in a Jira and a Trello on this machine and show what came of it. Nothing leaves it."""
    stage = Stage(home=Path(tempfile.mkdtemp(prefix="phaseloop-demo-")))
    stopping = not (once and keep)
    with interruptible(), stage.torn_down(stopping):
        stage.start()
        built = Bootstrap(stage, quiet=as_json).run(tracker.each)
        document = {"service_url": stage.service_url, "sandbox_url": stage.sandbox_url, "projects": built}
        if as_json:
            print_json(document)
            sys.stdout.flush()
        else:
            _show(stage, built)
        if once and keep:
            err.print(f"Both go on running; stop them with: kill {' '.join(str(p.pid) for p in stage.processes)}")
        if not once:
            _serve(stage, quiet=as_json)


@dataclass
class Stage:
    """The two processes of the demo, with a home folder of their own."""

    home: Path
    token: str = ""
    sandbox_url: str = ""
    service_url: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start sandbox and service on free ports and wait until both answer."""
        free_port = import_module("sandbox.server").free_port
        self.token = self._make_token()
        sandbox_port, service_port = free_port(SANDBOX_PORT), free_port(SERVICE_PORT)
        self.sandbox_url = f"http://127.0.0.1:{sandbox_port}"
        self.service_url = f"http://127.0.0.1:{service_port}"
        with err.status("Starting the sandbox and the service …"):
            sandbox = self._spawn("sandbox", "--port", str(sandbox_port), "--quiet")
            service = self._spawn("serve", "--port", str(service_port))
            self._await(sandbox, f"{self.sandbox_url}/rest/api/2/serverInfo", "sandbox")
            self._await(service, f"{self.service_url}/readyz", "serve")

    def _make_token(self) -> str:
        context = open_context(self._settings())
        try:
            return tokens.create(context, "demo")
        finally:
            context.close()

    def _settings(self) -> Settings:
        return Settings(home=self.home, database_url=None, secret_key=None)

    def _spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOP_")}
        log = (self.home / f"{arguments[0]}.log").open("wb")
        with log:
            process = subprocess.Popen(  # noqa: S603 - our own command, fixed arguments
                [sys.executable, "-m", "service.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment, "PHASELOOP_HOME": str(self.home)},
                start_new_session=True,  # Ctrl-C is for us: we stop them in order
            )
        self.processes.append(process)
        return process

    def _await(self, process: subprocess.Popen[bytes], url: str, name: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                if httpx.get(url, timeout=2, **NEAR).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        log = (self.home / f"{name}.log").read_text(errors="replace").strip().splitlines()
        fail(f"The demo's `phaseloop {name}` did not start.", "\n".join(log[-5:]))

    @contextmanager
    def torn_down(self, stopping: bool) -> Iterator[None]:
        """Stop the processes and remove the home folder at the end; if asked to keep them, only after an error."""
        try:
            yield
        except BaseException:
            self._stop()
            raise
        if stopping:
            self._stop()

    def _stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Bootstrap:
    """The main job over REST: connection, team, project, plan, apply, progress."""

    def __init__(self, stage: Stage, *, quiet: bool) -> None:
        self._stage = stage
        self._quiet = quiet
        self._client = httpx.Client(
            base_url=f"{stage.service_url}/api/v1",
            headers={"Authorization": f"Bearer {stage.token}"},
            timeout=httpx.Timeout(60, read=120),
            **NEAR,
        )

    def run(self, trackers: Sequence[str]) -> list[dict[str, Any]]:
        """Build the template in each tracker; returns the entries of the demo's JSON document."""
        with self._client:
            team = self._post("/teams", read_team(TEAM_FILE.read_text(encoding="utf-8"), TEAM_FILE.name).to_json())
            return [self._build(tracker, team["id"]) for tracker in trackers]

    def _build(self, tracker: str, team: str) -> dict[str, Any]:
        started = time.monotonic()
        settings, secret = self._credentials(tracker)
        connection = self._post(
            "/connections", {"name": tracker, "kind": tracker, "settings": settings, "secret": secret}
        )
        request = {"name": PROJECT_NAME, "key": PROJECT_KEY, "connection": connection["id"], "team": team}
        project = self._post("/projects", {**request, "template": "iterative-ml", "create": True})
        plan = self._post(f"/projects/{project['id']}/plans")
        run = self._follow(self._post(f"/plans/{plan['id']}/apply"), tracker)
        project = self._get(f"/projects/{project['id']}")
        if run["state"] != "completed":
            fail(
                f"The run ended {run['state']}: " + " ".join(finding["message"] for finding in run["findings"]),
                f"Its records are in {self._stage.home}.",
            )
        return {
            "id": project["id"],
            "tracker": tracker,
            "key": project["key"],
            "url": project["url"],
            "epics": project["counts"].get("epic", 0),
            "iterations": project["counts"].get("iteration", 0),
            "tickets": project["counts"].get("ticket", 0),
            "vacancies": len(project["vacancies"]),
            "requests": {
                "reads": plan["requests"]["reads"] + run["requests"]["reads"],
                "writes": plan["requests"]["writes"] + run["requests"]["writes"],
            },
            "seconds": round(time.monotonic() - started, 2),
        }

    def _credentials(self, tracker: str) -> tuple[dict[str, str | bool], str]:
        """The settings and the secret of the sandbox's own account."""
        if tracker == "trello":
            seed = import_module("sandbox.trello.seed")
            return {"url": self._stage.sandbox_url, "key": seed.KEY, "invite": True}, seed.TOKEN
        seed = import_module("sandbox.jira.seed")
        return {"url": self._stage.sandbox_url, "email": seed.DEMO_EMAIL}, seed.DEMO_TOKEN

    def _follow(self, run: dict[str, Any], tracker: str) -> dict[str, Any]:
        """Show the run's progress as the service sends it, until it ends."""
        with (
            Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=err,
                transient=True,
                disable=self._quiet or not err.is_terminal,
            ) as bar,
            self._client.stream("GET", f"/runs/{run['id']}/events") as answer,
        ):
            task = bar.add_task(f"Building the template in {tracker.capitalize()}", total=None)
            event = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "progress":
                    progress = json.loads(value)["progress"]
                    bar.update(task, total=progress["steps"] or None, completed=progress["done"])
                elif name == "data" and event == "step":
                    bar.update(task, description=f"{tracker.capitalize()}: {escape(json.loads(value)['title'])}")
        return self._get(f"/runs/{run['id']}")

    def _get(self, path: str) -> dict[str, Any]:
        return self._answer(self._client.get(path))

    def _post(self, path: str, body: Any = None) -> dict[str, Any]:
        return self._answer(self._client.post(path, json=body) if body is not None else self._client.post(path))

    @staticmethod
    def _answer(answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            problem = answer.json()
            fail(f"{problem.get('title')}: {problem.get('detail')}")
        document: dict[str, Any] = answer.json()
        return document


def _show(stage: Stage, built: Sequence[dict[str, Any]]) -> None:
    for project in built:
        requests = project["requests"]
        table = Table(box=None, show_header=False, pad_edge=False)
        made = f"{project['epics']} epics, {project['iterations']} iterations, {project['tickets']} tickets"
        table.add_row("made", f"{made}, {project['vacancies']} without a person")
        table.add_row("calls", f"{counted(requests['reads'], 'read')}, {counted(requests['writes'], 'write')}")
        table.add_row("board", project["url"])
        if project["tracker"] == "jira":
            table.add_row("a ticket", f"{stage.sandbox_url}/browse/{project['key']}-20")
        out.print(f"\n[bold green]Built[/] in [bold]{project['tracker'].capitalize()}[/], in {project['seconds']} s")
        out.print(table)
    out.print(f"\nservice   {stage.service_url}/api/v1/openapi.json\ntoken     {stage.token}")


def _serve(stage: Stage, *, quiet: bool) -> None:
    """Go on serving until Ctrl-C, or until one of the two stops by itself."""
    try:
        if not quiet:
            out.print("\nSandbox and service go on running. Stop them with Ctrl-C.")
        while all(process.poll() is None for process in stage.processes):
            time.sleep(0.2)
    except KeyboardInterrupt:
        if not quiet:
            out.print("Stopped.")
        return
    fail("One of the two processes stopped by itself.", f"See the logs in {stage.home}.")
