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
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.network import Network
from connectors.registry import KINDS
from service.cli import local_trackers
from service.cli.people import new_link
from service.cli.shell import again, choice, err, fail, interruptible, misused, out, print_json
from service.context import open_context
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.team.team import read_team
from service.settings import Settings
from service.usecases.access import tokens

SANDBOX_PORT = 9100
SERVICE_PORT = 8000
PROJECT_KEY = "ML"
PROJECT_NAME = "ML demo"
TEAM_FILE = Path(__file__).parent.parent / "demo_team.yaml"
NEAR = Network().way_to("http://127.0.0.1").for_httpx()
"""How the demo's own processes are reached: never through a proxy."""
PATIENCE = 60.0
"""Seconds to wait for a process of ours to answer; it takes about two on a laptop."""


EVERY = "all"
"""The word for every kind of tracker that the sandbox has."""
CHOICES = [*(name for name, kind in KINDS.items() if kind.sandbox), EVERY]


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop when everything is built.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="With --once: leave sandbox and service running.")] = False,
    tracker: Annotated[str, choice(CHOICES, "Which tracker to build in.")] = EVERY,
) -> None:
    """Build the ML template in sandbox trackers on this machine and show what came of it. Nothing leaves it."""
    if keep and not once:
        misused("--keep goes with --once.", f"Without --once both run until you stop them. Such as: {again('--once')}")
    stage = Stage(home=Path(tempfile.mkdtemp(prefix="phaseloop-demo-")))
    stopping = not (once and keep)
    with interruptible(), stage.torn_down(stopping):
        stage.start()
        built = Bootstrap(stage, quiet=as_json).run(CHOICES[:-1] if tracker == EVERY else [tracker])
        document = {
            "service_url": stage.service_url,
            "sandbox_url": stage.sandbox_url,
            "projects": built,
            "running": not (once and stopping),
            "look_again": _look_again(tracker) if once and stopping else None,
        }
        if as_json:
            print_json(document)
            sys.stdout.flush()
        else:
            _show(stage, built, links=not (once and stopping))
            if once and stopping:
                out.print(f"\nSandbox and service have ended with it. To look at what is built: {_look_again(tracker)}")
        if once and keep:
            err.print(f"Both keep running; stop them with: kill {' '.join(str(p.pid) for p in stage.processes)}")
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
        self.token = self._make_token()
        sandbox_port = local_trackers.free_port(SANDBOX_PORT)
        service_port = local_trackers.free_port(SERVICE_PORT)
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

    def sign_in_link(self) -> str:
        """A link that signs whoever runs the demo in, once."""
        context = open_context(self._settings())
        try:
            return new_link(context, base=self.service_url)
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
        return local_trackers.account(tracker, self._stage.sandbox_url)

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
            task = bar.add_task(f"Building the template in {KINDS[tracker].title}", total=None)
            event = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "progress":
                    progress = json.loads(value)["progress"]
                    bar.update(task, total=progress["steps"] or None, completed=progress["done"])
                elif name == "data" and event == "step":
                    bar.update(task, description=f"{KINDS[tracker].title}: {escape(json.loads(value)['title'])}")
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


def _look_again(tracker: str) -> str:
    """The command that builds the same and leaves it running, since addresses work only while the demo runs."""
    running = Path(sys.argv[0])
    here = running.name == "phaseloop" and shutil.which("phaseloop") is None
    return f"{typed(running) if here else 'phaseloop'} demo --once --keep" + (
        "" if tracker == EVERY else f" --tracker {tracker}"
    )


def _show(stage: Stage, built: Sequence[dict[str, Any]], *, links: bool) -> None:
    """What was built; where to look at it as well, if that continues running."""
    for project in built:
        requests = project["requests"]
        table = Table(box=None, show_header=False, pad_edge=False)
        made = ", ".join(counted(project[f"{one}s"], one) for one in ("epic", "iteration", "ticket"))
        table.add_row("made", f"{made}, {project['vacancies']} without a person")
        table.add_row("calls", f"{counted(requests['reads'], 'read')}, {counted(requests['writes'], 'write')}")
        kind = KINDS[project["tracker"]]
        if links:
            table.add_row("board", project["url"])
        if links and kind.ticket_page:
            page = kind.ticket_page.format(site=stage.sandbox_url, project=project["key"], number=20)
            table.add_row("a ticket", page)
        out.print(f"\n[bold green]Built[/] in [bold]{kind.title}[/], in {project['seconds']} s")
        out.print(table)
    if not links:
        return
    out.print(f"\nservice   {stage.service_url}/api/v1/openapi.json\ntoken     {stage.token}")
    out.print(
        f"pages     {stage.sign_in_link()}\n          (signs you in, once within 15 minutes, and leads to the projects)"
    )


def _serve(stage: Stage, *, quiet: bool) -> None:
    """Continue serving until Ctrl-C, or until one of the two stops by itself."""
    try:
        if not quiet:
            out.print("\nSandbox and service keep running. Stop them with Ctrl-C.")
        while all(process.poll() is None for process in stage.processes):
            time.sleep(0.2)
    except KeyboardInterrupt:
        if not quiet:
            out.print("Stopped.")
        return
    fail("One of the two processes stopped by itself.", f"See the logs in {stage.home}.")
