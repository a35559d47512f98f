"""Secrets that are planted wherever somebody can put one are seen nowhere again: not in what commands print, not in
what the service answers or logs, not in its databases, exports and arguments."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from sandbox.testing import SandboxServer
from tests import plain
from tests.integration.conftest import QUICK, ROOT, SMALL, TEAM_FILE, Installation
from tests.waiting import eventually

CANARIES = {
    name: f"canary-{name}-6f1c2d9b7a".replace("_", "-")
    for name in (
        "wrong_token",
        "url_password",
        "hook_secret",
        "trigger_secret",
        "mlflow_token",
        "mlflow_password",
        "judge_key",
        "proxy_password",
        "database_password",
        "event_token",
        "event_header",
        "event_query",
        "rejected_body",
    )
}
KEY = Fernet.generate_key().decode()

ONCE_SHOWN = re.compile(r"\b(?:phl_|pl_)[\w-]{20,}")
"""Tokens and codes of links: printed when they are made, and never after that."""

TRIGGER = "{name: told, source: wandb, project: ML, action: notify, with: {text: hello}}"


@dataclass
class Seen:
    """Everything that came out, each with where it was seen."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, text: str | bytes) -> None:
        self.texts.append((where, text.decode("utf-8", "replace") if isinstance(text, bytes) else text))

    def holding(self, secret: str) -> list[str]:
        return [where for where, text in self.texts if secret in text]


@dataclass
class Planted:
    """An installation with a canary in every place, and what was seen of it."""

    home: Installation
    seen: Seen
    url: str
    token: str
    code: str


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("canaries")
    with SandboxServer() as sandbox:
        home = Installation(folder / "home", {**QUICK, **settings(sandbox.url)})
        seen = Seen()
        plant(home, seen, sandbox.url, folder)
        token = home.ok("tokens", "create", "canary", "--role", "admin").out.strip()
        code = ONCE_SHOWN.findall(home.ok("login-link").out)[-1]
        ports = ["serve", "--port", "0"]
        with (folder / "log").open("wb") as log:
            service = subprocess.Popen(home.command(*ports), env=home.environment, cwd=ROOT, stdout=log, stderr=log)
            try:
                url = eventually(lambda: listening((folder / "log").read_text()))
                deliver(url, seen)
                walk(home, seen, url, token)
                seen.add("the service's arguments", Path(f"/proc/{service.pid}/cmdline").read_bytes())
            finally:
                service.terminate()
                service.wait(timeout=300)
        seen.add("the service's log", (folder / "log").read_bytes())
        look(home, seen, folder)
        for file in sorted((folder / "home").rglob("*")):
            if file.is_file() and file.name != "key":
                seen.add(f"the file {file.name}", file.read_bytes())
        yield Planted(home, seen, url, token, code)


def settings(url: str) -> dict[str, str]:
    return {
        "PHASELOOP_SECRET_KEY": KEY,
        "PHASELOOP_MLFLOW_URL": url,
        "PHASELOOP_MLFLOW_TOKEN": CANARIES["mlflow_token"],
        "PHASELOOP_MLFLOW_PASSWORD": CANARIES["mlflow_password"],
        "PHASELOOP_JUDGE_URL": f"{url}/v1",
        "PHASELOOP_JUDGE_MODEL": "m",
        "PHASELOOP_JUDGE_KEY": CANARIES["judge_key"],
        "HTTPS_PROXY": f"http://lead:{CANARIES['proxy_password']}@127.0.0.1:9",
        "PHASELOOP_LOG_LEVEL": "debug",
        "PHASELOOP_DEBUG": "1",
    }


def listening(log: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:[1-9]\d+", log)
    return found.group(0) if found else ""


def said(home: Installation, seen: Seen, *arguments: object, stdin: str = "") -> str:
    answer = home.run(*arguments, stdin=stdin)
    seen.add(f"phaseloop {' '.join(str(one) for one in arguments[:3])}", answer.out + answer.err)
    return answer.out


def plant(home: Installation, seen: Seen, url: str, folder: Path) -> None:
    """A secret wherever a command takes one, also where it is wrong there."""
    home.connect(url)
    account = ("--email", "lead@example.com")
    said(home, seen, "connections", "add", "wrong", "--url", url, *account, stdin=CANARIES["wrong_token"])
    far = "https://example.atlassian.net"
    said(home, seen, "connections", "add", "far", "--url", far, *account, stdin=CANARIES["wrong_token"])
    typed = f"https://lead:{CANARIES['url_password']}@example.com"
    said(home, seen, "connections", "add", "typed", "--url", typed, *account, stdin="a-token")
    for name in ("wrong", "far"):
        said(home, seen, "connections", "check", name)
    (folder / "secret").write_text(CANARIES["hook_secret"])
    said(home, seen, "hooks", "secret", "jira", "--secret-file", folder / "secret")
    (folder / "told.yaml").write_text(TRIGGER)
    (folder / "secret").write_text(CANARIES["trigger_secret"])
    said(home, seen, "triggers", "add", folder / "told.yaml", "--secret-file", folder / "secret")
    plan = home.ok(
        "plan", "ML", "--create", "--connection", "jira", "--team", TEAM_FILE, "--template", SMALL, "--json", code=2
    )
    seen.add("plan", plan.out + plan.err)
    said(home, seen, "apply", plan.json["id"])


def deliver(url: str, seen: Seen) -> None:
    """Events that carry secrets of others; one is taken, one is not, one is none."""
    taken = {"event_type": "run", "api_key": CANARIES["event_token"], "nested": {"password": CANARIES["event_token"]}}
    bearer = {"Authorization": f"Bearer {CANARIES['trigger_secret']}", "X-Api-Key": CANARIES["event_header"]}
    wrong = {"Authorization": f"Bearer {CANARIES['event_header']}"}
    query = f"?token={CANARIES['event_query']}"
    for body, headers in ((taken, bearer), (taken, wrong), (CANARIES["rejected_body"], bearer)):
        for path in (f"/hooks/t/told{query}", f"/hooks/jira{query}"):
            answer = plain.post(url + path, json=body, headers=headers)
            seen.add(f"POST {path.partition('?')[0]}", answer.text)


def walk(home: Installation, seen: Seen, url: str, token: str) -> None:
    """Every address that can be read, with what is there in place of its parameters."""
    bearer = {"Authorization": f"Bearer {token}"}
    known = {
        "project": "ML",
        "name": "jira",
        "connection": "jira",
        "number": "1",
        "trigger": "told",
        "run": first(home, "runs", "list"),
        "event": first(home, "events", "list"),
    }
    for path in plain.get(f"{url}/api/v1/openapi.json").json()["paths"]:
        for body in ({}, {"token": CANARIES["wrong_token"], "settings": {"url": CANARIES["url_password"]}}):
            address = re.sub(r"\{(\w+)\}", lambda found: known.get(found.group(1), "ML"), path)
            if address.endswith(("/stream", "/events/live")):
                continue
            answer = (
                plain.get(url + address, headers=bearer)
                if not body
                else plain.put(url + address, json=body, headers=bearer)
            )
            # What is wrong in a body is told by its place; what was sent is the sender's own.
            seen.add(f"{'PUT' if body else 'GET'} {path}", answer.text)


def first(home: Installation, *command: str) -> str:
    found = json.loads(home.run(*command, "--json").out or "[]")
    rows = found.get("items", found.get("runs", [])) if isinstance(found, dict) else found
    return str(rows[0]["id"]) if rows else "none"


def look(home: Installation, seen: Seen, folder: Path) -> None:
    """Every command that shows something."""
    for command in (
        ("config",),
        ("config", "--json"),
        ("status", "ML"),
        ("connections", "list", "--json"),
        ("hooks", "show", "jira"),
        ("hooks", "check", "jira"),
        ("triggers", "list", "--json"),
        ("triggers", "show", "told"),
        ("events", "list", "--json"),
        ("tokens", "list", "--json"),
        ("sessions", "list", "--json"),
        ("people", "list", "--json"),
        ("keys", "list"),
        ("keys", "rotate"),
        ("runs", "list", "--json"),
        ("audit", "run", "ML"),
        ("audit", "report", "ML", "--json"),
        ("audit", "export", "ML", "--output", str(folder / "binder.html")),
        ("log", "list", "--json"),
        ("log", "export"),
        ("log", "export", "--csv"),
        ("history", "ML", "--json"),
    ):
        said(home, seen, *command)
    for event in json.loads(home.run("events", "list", "--json").out or "[]"):
        said(home, seen, "events", "show", event["id"])
        said(home, seen, "events", "show", event["id"], "--json")
    seen.add("binder.html", (folder / "binder.html").read_bytes())
    away = f"postgresql://lead:{CANARIES['database_password']}@127.0.0.1:9/none"
    elsewhere = Installation(home.home, {**home.extra, "PHASELOOP_DATABASE_URL": away})
    for name in ("status", "config", "serve"):
        said(elsewhere, seen, name)


@pytest.mark.parametrize("name", sorted(CANARIES))
def test_a_planted_secret_is_seen_nowhere(planted: Planted, name: str) -> None:
    assert planted.seen.holding(CANARIES[name]) == []


def test_the_key_is_seen_nowhere(planted: Planted) -> None:
    assert planted.seen.holding(KEY) == []


def test_a_token_and_a_code_are_seen_nowhere_after_they_were_shown(planted: Planted) -> None:
    assert planted.seen.holding(planted.token) == []
    assert planted.seen.holding(planted.code) == []


def test_everything_was_looked_at(planted: Planted) -> None:
    """What finds nothing because it looks nowhere would pass as well."""
    places = {where for where, _text in planted.seen.texts}
    shown = dict(planted.seen.texts)
    assert {"the service's log", "the file phaseloop.db", "binder.html", "phaseloop log export"} <= places
    assert {"POST /hooks/t/told", "GET /api/v1/connections"} <= places
    assert any(where.startswith("phaseloop events show") for where in places)
    assert json.loads(shown["phaseloop events list --json"])
    assert "ML" in shown["phaseloop status ML"]
