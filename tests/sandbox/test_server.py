"""Starting, keeping and stopping a sandbox."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sandbox import server, state_file
from sandbox.jira.ranking import between, last_rank
from sandbox.testing import SandboxServer
from tests import plain

ROOT = Path(__file__).resolve().parents[2]
LOGIN = ("demo@example.com", "sandbox-token")
ISSUE = {"fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "Kept"}}


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A sandbox in its own process, and its address once it answers."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found is not None
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
        client.get(f"{found.group()}/rest/api/3/serverInfo", timeout=10)
    return process, found.group()


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode in {0, -signal.SIGTERM}
    assert "Traceback" not in errors


def test_what_was_made_is_there_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "jira.json"
    process, url = start("--state", str(path))
    key = plain.post(f"{url}/rest/api/3/issue", json=ISSUE, auth=LOGIN).json()["key"]
    stop(process)
    process, url = start("--state", str(path))
    found = plain.get(f"{url}/rest/api/3/issue/{key}", auth=LOGIN).json()
    stop(process)
    assert found["fields"]["summary"] == "Kept"


def test_a_state_file_holds_the_whole_site(tmp_path: Path) -> None:
    with SandboxServer() as sandbox:
        for number in range(3):
            plain.post(f"{sandbox.url}/rest/api/3/issue", json=ISSUE, auth=LOGIN).raise_for_status()
            plain.post(
                f"{sandbox.url}/rest/agile/1.0/sprint", json={"name": f"S{number}", "originBoardId": 1}, auth=LOGIN
            )
        state_file.save(tmp_path / "kept.json", sandbox.site.data)
        assert state_file.load(tmp_path / "kept.json") == sandbox.site.data
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept.json"]


def test_a_file_that_is_no_state_is_refused_with_a_fix(tmp_path: Path) -> None:
    path = tmp_path / "jira.json"
    path.write_text('{"issues": 3}')
    with pytest.raises(state_file.StateFileError, match=r"issues.*Move it away"):
        state_file.load(path)
    assert state_file.load(tmp_path / "absent.json") is None


def test_a_taken_port_is_not_offered() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert server.free_port(port) != port


def test_a_taken_port_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "sandbox", "--port", port]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_banner_names_address_credentials_and_pages() -> None:
    text = server.banner("127.0.0.1", 9100, None)
    for part in ("http://127.0.0.1:9100", "demo@example.com / sandbox-token", "/jira/boards/1", "in memory"):
        assert part in text


def test_a_rank_fits_between_any_two_others() -> None:
    ranks = [last_rank(number) for number in range(1, 4)]
    for place in (0, 1, 1, 1, 3, 0, 2, 2, 2, 2, 2, 9):
        at = min(place, len(ranks))
        before, after = ranks[at - 1] if at else None, ranks[at] if at < len(ranks) else None
        ranks.insert(at, between(before, after))
    assert ranks == sorted(set(ranks))
