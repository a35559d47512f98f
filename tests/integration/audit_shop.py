"""A project with records, as it was made once, for the tests of the audit's commands."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import sqlite3
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.testing import SandboxServer
from service.domain.plan import run_state
from tests import plain
from tests.integration.conftest import QUICK, ROOT, Controls, Installation
from tests.integration.record_desks import DATA, PM, JiraRecords
from tests.integration.record_table import GOAL, ONE
from tests.integration.turntable import TEMPLATE, turntable

HOSTILE = "\u202e[red]moc.elpmaxe\u202c \x9b31m"
"""What would turn text round, colour it, or speak to the terminal."""

WRITTEN = f"""## Goal

{GOAL} A recall below 0.80 on the customers of March would prove it wrong.

## Decisions and why

We keep gradient boosting because its recall beats the baseline {HOSTILE}; the neural network was turned down, as it
is slow.

## Experiments and results

recall 0.83 against a baseline of 0.74"""

SECTIONS = """sections:
    - {key: goal, title: Goal, prompt: What was the goal?}
    - {key: decisions, title: Decisions and why, prompt: What was decided?}
    - {key: experiments, title: Experiments and results, prompt: What was tried?}"""

LAST_DAY = f"{datetime.now(UTC) + timedelta(days=60):%Y-%m-%d}"


@dataclass
class Shop:
    """An installation with the project ML in Jira: its first iteration is documented, its second one continues since
    long and nobody wrote its record."""

    installation: Installation
    people: JiraRecords
    controls: Controls

    def ok(self, *arguments: object, code: int = 0) -> str:
        return self.installation.ok("audit", *arguments, code=code).out

    def json(self, *arguments: object, code: int = 0) -> Any:
        return self.installation.ok("audit", *arguments, "--json", code=code).json

    def refused(self, *arguments: object, code: int = 1) -> str:
        """What a command says that is refused."""
        return self.installation.ok("audit", *arguments, code=code).err

    def line(self, number: int) -> Any:
        return self.json("report", "ML")["iterations"][number - 1]

    def change(self, statement: str) -> None:
        """Change what is kept, past us."""
        with sqlite3.connect(self.installation.home / "phaseloop.db") as database:
            assert database.execute(statement).rowcount

    def on_a_terminal(self, *arguments: object, columns: int) -> list[str]:
        """The lines that a command shows on a terminal of that width, without colours."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        environment = {**self.installation.environment, "TERM": "xterm-256color"}
        environment.pop("COLUMNS", None)
        command = self.installation.command("audit", *arguments)
        done = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT)
        os.close(theirs)
        said = b""
        while piece := _piece(ours):
            said += piece
        os.close(ours)
        assert done.wait(30) == 0
        assert b"\x1b[" in said, "it is in colours"
        return re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).splitlines()


def _piece(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # nobody has it any more
        return b""


@dataclass
class Stage:
    """The project as it was made once."""

    sandbox: SandboxServer
    home: Path
    data: Any = field(init=False)

    def __post_init__(self) -> None:
        self.data = deepcopy(self.sandbox.site.data)

    def at(self, home: Path) -> Shop:
        shutil.copytree(self.home, home)
        url = self.sandbox.url
        plain.post(f"{url}/sandbox/reset", json={}).raise_for_status()
        self.sandbox.site.replace(deepcopy(self.data))
        return Shop(Installation(home, dict(QUICK)), JiraRecords(self.sandbox), Controls(url))


@contextmanager
def opened(place: Path) -> Iterator[Stage]:
    """The project on its stage, made in this folder."""
    template = place / "turning.yaml"
    before = "sections: [{key: goal, title: Goal, prompt: What was the goal?}]"
    assert before in TEMPLATE.read_text()
    template.write_text(TEMPLATE.read_text().replace(before, SECTIONS))
    today = datetime.now(UTC)
    monday = today - timedelta(days=today.weekday() + 12 * 7)
    dates = [f"{monday + timedelta(days=days):%Y-%m-%d}" for days in (-3, 0, 8, 14)]
    asked: dict[str, Any] = {"audit": {"gate": "warn"}, "parameters": {"start_date": dates[1]}, "template": template}
    with turntable(place / "home", **asked) as table:
        table.set(f"{dates[0]}T12:00")
        table.plan_and_apply()
        assert table.turned(1, f"{dates[1]}T09:00").state == run_state.COMPLETED
        table.ended(f"audit-{table.project}-{dates[1]}")
        people = JiraRecords(table.sandbox)
        table.set(f"{dates[2]}T09:00")
        people.writes(DATA, ONE, WRITTEN)
        people.says(PM, ONE, "/approve")
        assert table.turned(2, f"{dates[3]}T09:00").state == run_state.COMPLETED
        table.ended(f"audit-{table.project}-{dates[3]}")
        table.engine.stop()
        table.sandbox.world.clock.reset()
        shutil.copytree(place / "home", place / "kept")
        yield Stage(table.sandbox, place / "kept")
