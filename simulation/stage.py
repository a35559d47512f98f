"""The stage of a simulation: a sandbox process, a home folder, a virtual clock, and the product in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from connectors.pacing import time_kept_by
from sandbox.jira import seed as jira_seed
from sandbox.server import free_port
from sandbox.trello import seed as trello_seed
from service.context import Context, open_context
from service.domain.team.team import Team
from service.runs.engine import Engine
from service.settings import Settings
from service.usecases.loop.advances import Advancing
from service.usecases.setup import connections
from simulation.clock import VirtualClock
from simulation.jira_office import JiraOffice
from simulation.office import SHORT, Office, token_of
from simulation.trello_office import TrelloOffice

PATIENCE = 300.0
"""Seconds to wait for the sandbox to answer at the start; it takes about one on a laptop."""

_PLENTY = 1000.0
"""How many times the vendor's usual rate the sandbox grants: two weeks pass in a second here."""

_WHILE_RUNS_LAST = 60.0
"""How many seconds a look at items holds: nobody in a play acts while a run writes, and how many requests a run makes
must not depend on how fast the machine is."""


class Stage:
    """Use as a context manager. `clock` is everybody's; `context` lives by it, and so does the sandbox."""

    def __init__(self, home: Path, tracker: str, starts: datetime) -> None:
        self.home, self.tracker = home, tracker
        self.clock = VirtualClock(starts)
        self.url = ""
        self._exit = ExitStack()
        self._controls = httpx.Client(
            timeout=30, limits=SHORT, trust_env=False
        )  # one for all: to make one takes longer than to send
        self._engine: Engine | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._controls.close)
            stack.enter_context(time_kept_by(self.clock.seconds, self.clock.sleep))
            self.home.mkdir(parents=True, exist_ok=True)
            self._start_sandbox(stack)
            self.control("limits", enabled=True, scale=_PLENTY)
            self.clock.follow(lambda now: self.control("clock", now=now.isoformat(), frozen=False))
            settings = Settings(home=self.home, database_url=None, secret_key=None, look_seconds=_WHILE_RUNS_LAST)
            opened = open_context(settings)
            stack.callback(opened.close)
            self.context: Context = replace(opened, now=self.clock)
            stack.callback(self.rest)
            self.wake()
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    @property
    def awake(self) -> bool:
        """Whether the service is running."""
        return self._engine is not None

    def wake(self) -> None:
        """Have the service running. Its clock does not tick by itself: whoever plays begins what is due."""
        if self._engine is None:
            self._engine = Engine(self.context, Advancing(), visiting=True)
            self._engine.launch()

    def rest(self) -> None:
        """Stop the service, as for a time when nothing runs."""
        if self._engine is not None:
            self._engine.stop()
        self._engine = None

    def enqueue(self, workflow: str, partition: str) -> None:
        """Have the service do a run. Raises RuntimeError while it rests."""
        if self._engine is None:
            raise RuntimeError("the service rests")
        self._engine.start(workflow, partition)

    def connect(self, name: str) -> None:
        """Add the connection to the sandbox's tracker."""
        settings: dict[str, Any] = {"url": self.url}
        if self.tracker == "trello":
            settings |= {"key": trello_seed.KEY, "invite": True}
            connections.put(self.context, name, "trello", settings, trello_seed.TOKEN)
        else:
            settings |= {"email": jira_seed.DEMO_EMAIL}
            connections.put(self.context, name, "jira", settings, jira_seed.DEMO_TOKEN)

    def admit(self, team: Team) -> None:
        """Give everybody of the team a token in the sandbox, and an account if they have none. Raises
        httpx.HTTPStatusError."""
        known = {email for email, _name in jira_seed.TEAM}
        for member in team.members:
            if member.email is None or member.email in known:
                continue
            if self.tracker == "trello":
                header = f'OAuth oauth_consumer_key="{trello_seed.KEY}", oauth_token="{trello_seed.TOKEN}"'
                body = {"email": member.email, "fullName": member.person}
                path = "/1/organizations/demoworkspace/members"
                httpx.put(self.url + path, json=body, headers={"Authorization": header}).raise_for_status()
            else:
                auth = (jira_seed.DEMO_EMAIL, jira_seed.DEMO_TOKEN)
                new = {"emailAddress": member.email, "displayName": member.person, "products": ["jira-software"]}
                httpx.post(f"{self.url}/rest/api/3/user", json=new, auth=auth).raise_for_status()
        for email in {member.email for member in team.members if member.email is not None}:
            self.control("tokens", user=email, token=token_of(email))

    def close_account(self, email: str) -> bool:
        """Deactivate somebody's account; False where that cannot be played."""
        if self.tracker != "jira":
            return False
        self.control("users", user=email, active=False)
        return True

    def office(self, key: str, remote_id: str, emails: Iterable[str]) -> Office:
        """Where the team works, once the project was made there."""
        office: Office
        if self.tracker == "trello":
            office = TrelloOffice(self.url, remote_id, trello_seed.KEY, trello_seed.TOKEN, emails)
        else:
            admin = jira_seed.DEMO_EMAIL, jira_seed.DEMO_TOKEN
            office = JiraOffice(self.url, key, admin, ("member@example.com", "member-token"))
        self._exit.callback(office.close)
        return office

    def control(self, name: str, **body: object) -> None:
        """Turn a knob of the sandbox."""
        self._controls.post(f"{self.url}/sandbox/{name}", json=body).raise_for_status()

    def _start_sandbox(self, stack: ExitStack) -> None:
        port = free_port(0)
        self.url = f"http://127.0.0.1:{port}"
        log = self.home / "sandbox.log"
        state = self.home / "sandbox.json"
        command = [
            sys.executable,
            "-m",
            "service.cli",
            "sandbox",
            "--quiet",
            "--port",
            str(port),
            "--state",
            str(state),
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOP_")}
        with log.open("wb") as told:
            process = subprocess.Popen(  # noqa: S603 - our own command, fixed arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us: we stop it in order
            )
        stack.callback(_end, process)
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if self._controls.get(f"{self.url}/sandbox").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        said = " ".join(log.read_text(errors="replace").split()[-60:])
        raise RuntimeError(f"the sandbox did not start: {said}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
