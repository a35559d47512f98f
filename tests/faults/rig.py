"""One place to try faults in: a sandbox, a home folder and the command line, all set back in a moment."""

from __future__ import annotations

import json
import pickle
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import pytest
from pydantic import TypeAdapter

from sandbox import faults
from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from sandbox.trello import limits as trello_limits
from sandbox.trello.seed import KEY, TOKEN
from tests.faults.process import ROOT, Ended, Launcher

TEAM_FILE = ROOT / "service" / "demo_team.yaml"

TrackerName = Literal["jira", "trello"]
TRACKERS: tuple[TrackerName, ...] = ("jira", "trello")

SHORT_WAITS = {
    "PHASELOOP_TRACKER_TIMEOUT": "10",
    "PHASELOOP_SETTLE_SECONDS": "0.5",
    "PHASELOOP_BACKOFF_SECONDS": "0.2",
    "PHASELOOP_LOOK_SECONDS": "60",
}
"""What makes a case take seconds: how long an answer is waited for, and how long after a loss things settle. A look
holds for all of a case, so that the calls of a case are those of the clean run on a slow machine, too."""

_FAULT: TypeAdapter[faults.Fault] = TypeAdapter(faults.Fault)


@dataclass(frozen=True)
class Snapshot:
    """A moment to come back to: the sandbox's data and a copy of the home folder."""

    data: bytes
    home: Path


class Rig:
    """A sandbox in this process, and `phaseloop` in processes of their own that work on one home folder.

    Trello's window is made short and wide, so that runs are as fast as answers come: the client learns both from the
    headers that the vendor documents.
    """

    def __init__(self, folder: Path, tracker: TrackerName, settings: Mapping[str, str] | None = None) -> None:
        self.tracker = tracker
        self.search_lag = 0.0
        self.home = folder / "home"
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.sandbox = SandboxServer()
        self.environment = {"PHASELOOP_HOME": str(self.home), **SHORT_WAITS, **(settings or {})}
        self.launcher = Launcher(folder, self.environment)
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> Self:
        self._patch.setattr(trello_limits, "WINDOW_SECONDS", 1)
        limits = self.sandbox.world.controls.limits
        limits.enabled, limits.scale = self.tracker == "trello", 100.0
        self.sandbox.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.launcher.close()
        self.sandbox.__exit__(kind, error, trace)
        self._patch.undo()

    # -- commands --

    def connect(self) -> None:
        """Add the connection to the sandbox, as its owner."""
        url = self.sandbox.url
        who = ("--email", DEMO_EMAIL) if self.tracker == "jira" else ("--kind", "trello", "--key", KEY, "--invite")
        token = DEMO_TOKEN if self.tracker == "jira" else TOKEN
        self.ok("connections", "add", self.tracker, "--url", url, *who, stdin=token)

    def plan(self, **how: Any) -> Ended:
        """Plan the whole built-in template for a project that does not exist yet. `how` is as for `Launcher.run`."""
        new = ("plan", "ML", "--create", "--team", TEAM_FILE, "--set", "start_date=2027-01-04")
        return self.launcher.run(*new, "--time-zone", "Europe/Berlin", "--json", **how)

    def apply(self, plan: str, **how: Any) -> Ended:
        """Apply a plan and wait for the end of its run."""
        return self.launcher.run("apply", plan, "--json", **how)

    def ok(self, *arguments: object, stdin: str = "", code: int = 0) -> Ended:
        """Run a command that must end with this exit code."""
        ended = self.launcher.run(*arguments, stdin=stdin)
        assert ended.code == code, ended.out + ended.err
        return ended

    # -- setting back --

    def snapshot(self, name: str) -> Snapshot:
        """Keep how everything is now."""
        kept = self._folder / f"home-{name}"
        shutil.copytree(self.home, kept)
        world = self.sandbox.world
        return Snapshot(pickle.dumps((world.jira.data, world.trello.state.data)), kept)

    def restore(self, snapshot: Snapshot) -> None:
        """Make everything as it was, with no fault set and no request counted; search lags by `search_lag` seconds."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(snapshot.home, self.home)
        jira, trello = pickle.loads(snapshot.data)
        world = self.sandbox.world
        world.jira.replace(jira)
        world.trello.state.replace(trello)
        world.jira.data.search_lag_seconds = world.trello.state.search_lag_seconds = self.search_lag
        world.controls.clear()

    # -- the sandbox --

    def strike(self, fault: Mapping[str, Any]) -> faults.Fault:
        """Set a fault, as `POST /sandbox/faults` takes it; what is returned counts whom it struck."""
        rule = _FAULT.validate_python(dict(fault))
        self.sandbox.world.controls.rules.append(rule)
        return rule

    @property
    def requests(self) -> int:
        """How many requests arrived since the last `restore`."""
        return self.sandbox.world.controls.log.total

    # -- our own records --

    def records(self, query: str) -> list[tuple[Any, ...]]:
        """What our own tables say."""
        connection = sqlite3.connect(self.home / "phaseloop.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def stored_plan(self, plan: str) -> dict[str, Any]:
        """A plan as it is stored: with the items that it asks for."""
        ((body,),) = self.records(f"SELECT body FROM plans WHERE id = '{plan}'")
        stored: dict[str, Any] = json.loads(body)
        return stored
