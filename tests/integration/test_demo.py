"""`phaseloop demo`: what it prints is true, and it leaves nothing behind unless asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import plain
from tests.integration.conftest import ROOT, Installation, plain_client
from tests.trello_client import plain_trello
from tests.unit.connectors.relay import relay
from tests.waiting import eventually


@pytest.fixture
def demo(tmp_path: Path) -> Installation:
    """The demo makes its home folders in a temporary directory of this test."""
    return Installation(tmp_path / "unused", {"TMPDIR": str(tmp_path)})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The document of a demo that was asked to keep running."""
    folder = tmp_path_factory.mktemp("kept")
    demo = Installation(folder / "unused", {"TMPDIR": str(folder)})
    answer = demo.ok("demo", "--once", "--json", "--keep")
    pids = [int(word) for word in answer.err.rpartition("kill ")[2].split()]
    assert len(pids) == 2
    yield answer.json
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: not any(answers(answer.json[name]) for name in ("sandbox_url", "service_url")))


def answers(url: str) -> bool:
    try:
        plain.get(url)
    except httpx.TransportError:
        return False
    return True


def test_once_prints_one_document_in_the_promised_form_and_leaves_nothing(demo: Installation, tmp_path: Path) -> None:
    document = demo.ok("demo", "--once", "--json", "--tracker", "jira").json

    assert set(document) == {"service_url", "sandbox_url", "projects", "running", "look_again"}
    assert (document["running"], document["look_again"]) == (False, "phaseloop demo --once --keep --tracker jira")
    for project in document["projects"]:
        assert set(project) == {
            *("id", "tracker", "key", "url", "epics", "iterations", "tickets", "vacancies", "requests", "seconds")
        }
        assert set(project["requests"]) == {"reads", "writes"}
    assert not answers(document["service_url"])
    assert not answers(document["sandbox_url"])
    assert list(tmp_path.glob("phaseloop-demo-*")) == []


def test_once_prints_no_address_that_leads_nowhere_but_how_to_look_again(demo: Installation) -> None:
    printed = demo.ok("demo", "--once", "--tracker", "jira").out

    assert "http://" not in printed
    assert "phaseloop demo --once --keep --tracker jira" in printed


def test_the_demo_asks_no_proxy_for_this_machine(tmp_path: Path) -> None:
    with relay() as proxy:
        away = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), f"http://{proxy.place}")
        behind = Installation(tmp_path / "unused", {"TMPDIR": str(tmp_path), **away})
        document = behind.ok("demo", "--once", "--json", "--tracker", "trello").json
    assert document["projects"][0]["tickets"] > 0
    assert proxy.asked == []


def test_what_the_document_says_is_what_the_tracker_has(kept: dict[str, Any]) -> None:
    (project,) = [entry for entry in kept["projects"] if entry["tracker"] == "jira"]
    jira = plain_client(kept["sandbox_url"])

    issues = jira.search_issues(f"project = {project['key']}", maxResults=False)
    epics = [issue for issue in issues if issue.fields.issuetype.name == "Epic"]
    (board,) = jira.boards(projectKeyOrID=project["key"])

    assert len(epics) == project["epics"] == 16
    assert len(issues) - len(epics) == project["tickets"] == 51
    assert len(jira.sprints(board.id)) == project["iterations"] == 7
    assert sum(issue.fields.assignee is None for issue in issues if issue not in epics) == project["vacancies"]
    counts = plain.get(f"{kept['sandbox_url']}/sandbox/requests").json()["counts"]
    assert project["requests"]["writes"] <= counts["writes"]
    assert plain.get(project["url"]).status_code == httpx.codes.OK
    assert plain.get(f"{kept['service_url']}/readyz").status_code == httpx.codes.OK
    jira.close()


def test_both_trackers_have_the_same_from_the_one_template(kept: dict[str, Any]) -> None:
    jira, trello = kept["projects"]

    assert (kept["running"], kept["look_again"]) == (True, None)
    assert (jira["tracker"], trello["tracker"]) == ("jira", "trello")
    for name in ("epics", "iterations", "tickets", "vacancies"):
        assert jira[name] == trello[name]
    assert plain.get(trello["url"]).status_code == httpx.codes.OK
    client = plain_trello(kept["sandbox_url"])
    names = [card.name for board in client.list_boards() if board.url == trello["url"] for card in board.all_cards()]
    assert len(names) >= trello["epics"] + trello["tickets"]
    assert len([name for name in names if name == "Set the goals"]) == 1
    client.http_service.session.close()


def test_taken_ports_are_left_to_whoever_has_them(demo: Installation) -> None:
    with socket.socket() as first, socket.socket() as second:
        taken = [listening(first, 9100), listening(second, 8000)]

        document = demo.ok("demo", "--once", "--json", "--tracker", "jira").json

    assert [port for port in taken if document["service_url"].endswith(f":{port}")] == []
    assert [port for port in taken if document["sandbox_url"].endswith(f":{port}")] == []


def listening(held: socket.socket, port: int) -> int:
    """Hold the port, unless somebody else does already; either way it is taken."""
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or a connection that has just ended is in the way
    try:
        held.bind(("127.0.0.1", port))
        held.listen()
    except OSError:
        pass
    return port


def test_an_interrupt_stops_everything(demo: Installation, tmp_path: Path) -> None:
    process = subprocess.Popen(
        demo.command("demo", "--tracker", "jira"),
        env={**demo.environment, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=300)

    assert process.returncode == 0, said + rest
    assert "Stopped" in rest
    assert list(tmp_path.glob("phaseloop-demo-*")) == []
