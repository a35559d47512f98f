"""A client that leaves in the middle of its request changes nothing, and is no fault of the sandbox's."""

from __future__ import annotations

import json
import logging
import socket

import pytest

from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, TOKEN
from tests import plain
from tests.waiting import eventually

JIRA = ("/rest/api/3/issue", "authorization: Basic ZGVtb0BleGFtcGxlLmNvbTpzYW5kYm94LXRva2Vu")
TRELLO = ("/1/cards", f'authorization: OAuth oauth_consumer_key="{KEY}", oauth_token="{TOKEN}"')


@pytest.mark.parametrize(("path", "credential"), [JIRA, TRELLO], ids=["jira", "trello"])
def test_half_a_request_is_not_carried_out_and_logs_no_fault(
    sandbox: SandboxServer, path: str, credential: str, caplog: pytest.LogCaptureFixture
) -> None:
    def seen() -> list[int]:
        found = plain.get(f"{sandbox.url}/sandbox/requests", params={"path": path, "method": "POST"}).json()
        return [one["status"] for one in found["requests"]]

    body = json.dumps({"fields": {"summary": "Half a ticket"}, "name": "Half a card"})
    lines = [f"POST {path} HTTP/1.1", "host: sandbox", credential, "content-type: application/json"]
    before = len(sandbox.site.data.issues), len(sandbox.trello.data.cards)
    plain.delete(f"{sandbox.url}/sandbox/requests").raise_for_status()
    with caplog.at_level(logging.ERROR), socket.create_connection(("127.0.0.1", sandbox.port)) as half:
        head = "\r\n".join([*lines, f"content-length: {len(body) + 100}", "", ""])
        half.sendall((head + body).encode())
        half.shutdown(socket.SHUT_RDWR)
        eventually(lambda: seen() == [400])
    assert (len(sandbox.site.data.issues), len(sandbox.trello.data.cards)) == before
    assert [record for record in caplog.records if record.name.startswith(("sandbox", "uvicorn"))] == []
