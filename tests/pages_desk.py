"""The service and a sandbox, looked at as a person does: signed in, page by page, form by form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from sandbox.jira.seed import DEMO_EMAIL, DEMO_TOKEN
from sandbox.testing import SandboxServer
from service.api.events import Pace
from service.app import create_app
from service.context import Context, open_context
from service.domain.access.roles import Role
from service.runs.engine import Engine
from service.settings import Settings
from service.usecases.access import people, sessions
from service.usecases.loop.advances import Advancing
from service.usecases.run import run_views
from service.usecases.setup import connections
from tests import plain
from tests.api.conftest import bound, served
from tests.browser import Browser
from tests.homes import furnish
from tests.waiting import eventually

PEOPLE = """\
person,email,roles,capacity
Product 1,pm-1@example.com,pm,12
ML 1,ml-1@example.com,ml,12
ML 2,ml-2@example.com,ml,12
Data 1,data-1@example.com,data,14
DevOps 1,devops-1@example.com,devops,12
"""

_HIDDEN = re.compile(r'name="(form_token|press)" value="([^"]*)"')


@dataclass(frozen=True)
class Desk:
    """The service at `url`, with a sandbox to build in."""

    context: Context
    url: str
    sandbox: SandboxServer
    clients: list[httpx.Client] = field(default_factory=list)

    def link(self, login: str = "lead-1@example.com", role: Role = Role.ADMIN, within: Sequence[str] = ()) -> str:
        """The path that signs somebody in, once."""
        people.put(self.context, login, role, within)
        return f"/sign-in?code={sessions.link(self.context, login)}"

    def visitor(
        self, login: str = "lead-1@example.com", role: Role = Role.ADMIN, within: Sequence[str] = ()
    ) -> Visitor:
        """Somebody who is signed in, without a script; with their role in these projects, or in all."""
        visitor = Visitor(self.url)
        self.clients.append(visitor.client)
        code = self.link(login, role, within).partition("code=")[2]
        answer = visitor.client.post("/sign-in", data={"code": code}, headers=visitor.ours)
        assert answer.status_code == 303, answer.text
        return visitor

    def sign_in(self, browser: Browser) -> None:
        """Sign a browser in by a link, as a person does."""
        browser.visit(self.url + self.link())
        browser.click("form button")
        browser.until("location.pathname === '/' && document.readyState === 'complete'")

    def connect(self, name: str = "work") -> str:
        """The name of a connection to the sandbox."""
        settings = {"url": self.sandbox.url, "email": DEMO_EMAIL}
        return connections.put(self.context, name, "jira", settings, DEMO_TOKEN).name

    def limited(self) -> None:
        """Have the sandbox answer the next creation of tickets with "wait an hour"."""
        body = {"action": "limit", "method": "POST", "path": "/issue/bulk$", "retryAfter": 3600, "times": 1}
        plain.post(f"{self.sandbox.url}/sandbox/faults", json=body).raise_for_status()

    def jira(self, method: str, path: str, body: object = None) -> Any:
        """Ask the sandbox's Jira, as somebody of the team does."""
        answer = plain.request(method, f"{self.sandbox.url}/rest/{path}", json=body, auth=(DEMO_EMAIL, DEMO_TOKEN))
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def finish(self, key: str) -> None:
        """Have somebody bring a ticket to done."""
        ways = self.jira("GET", f"api/2/issue/{key}/transitions")["transitions"]
        [done] = [one["id"] for one in ways if one["to"]["statusCategory"]["key"] == "done"][:1]
        self.jira("POST", f"api/2/issue/{key}/transitions", {"transition": {"id": done}})

    @contextmanager
    def demanding(self, project: str) -> Iterator[None]:
        """Have a project of the sandbox refuse every ticket meanwhile: a field is required that no plan fills in."""
        body = {"project": project, "field": "duedate", "issueType": "Task"}
        plain.post(f"{self.sandbox.url}/sandbox/required-fields", json=body).raise_for_status()
        yield
        plain.delete(f"{self.sandbox.url}/sandbox/required-fields").raise_for_status()

    @property
    def monday(self) -> date:
        """The first day of next week."""
        today = datetime.now(UTC).date()
        return today + timedelta(days=7 - today.weekday())

    def entries(self, name: str, key: str, **more: str) -> dict[str, str]:
        """What is entered for a new project."""
        entered = {"template": "iterative-ml", "connection": "work", "create": "yes", "name": name, "key": key}
        return {**entered, "zone": "Europe/Berlin", "team": "own", "people": PEOPLE, "do": "plan", **more}

    def wait_for_end(self, run: str) -> None:
        """Wait until a run is over."""
        eventually(lambda: run_views.progress(self.context, run).ended)


class Visitor:
    """A browser without a script: it follows links, and sends forms with what stands in them."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, headers={"Accept": "text/html"}, timeout=60)
        self.ours = {"Sec-Fetch-Site": "same-origin"}

    def get(self, path: str, status: int = 200) -> str:
        """A page."""
        answer = self.client.get(path)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.text

    def hidden(self, page: str) -> dict[str, str]:
        """What the forms of a page carry unseen."""
        return dict(_HIDDEN.findall(page))

    def send(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """A form, as it is."""
        return self.client.post(path, data=fields, headers=self.ours)

    def press(self, page: str, action: str, **fields: str) -> str:
        """Press a button of the page at that path; where it leads."""
        answer = self.send(action, {**self.hidden(self.get(page)), **fields})
        assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
        return answer.headers["location"]


@contextmanager
def served_desk(home: Path) -> Iterator[Desk]:
    """The service on a home of its own, in this process. Trackers reach it at the address that it is told."""
    furnish(home)
    listener = bound()
    public = f"http://127.0.0.1:{listener.getsockname()[1]}"
    many = {"requests_per_minute": 1_000_000, "refusals_per_minute": 1_000_000}
    settings = {"home": home, "database_url": None, "secret_key": None, "public_url": public, **many}
    context = open_context(Settings(_env_file=None, **settings))  # type: ignore[call-arg,arg-type]
    app = create_app(context, Engine(context, Advancing()), pace=Pace(look=0.02, heartbeat=0.5))
    with SandboxServer() as sandbox, served(app, listener) as url:
        desk = Desk(context, url, sandbox)
        yield desk
        for client in desk.clients:
            client.close()
    context.close()
