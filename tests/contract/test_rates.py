"""The rates that the vendors name are kept: nothing is sent that would be refused."""

from __future__ import annotations

import pytest

from connectors.errors import TrackerUnavailable
from connectors.pacing import Patience, Quota, Window
from connectors.trello.client import TrelloClient
from connectors.trello.settings import TrelloSettings
from sandbox.testing import SandboxServer
from tests import plain
from tests.contract.benches import never


def test_trellos_limit_is_learned_from_its_first_answer_and_nothing_beyond_it_is_sent() -> None:
    with SandboxServer() as sandbox:
        plain.post(f"{sandbox.url}/sandbox/limits", json={"enabled": True, "scale": 0.1}).raise_for_status()
        settings = TrelloSettings.model_validate({"url": sandbox.url, "key": "sandbox-key", "token": "sandbox-token"})
        window = Window(Quota(100, 10.0), sleep=never)
        client = TrelloClient(settings, windows={"token": window}, patience=lambda: Patience(sleep=never))
        client.get_object("members/me")
        assert window.quota == Quota(10, 10.0)
        for _ in range(9):
            client.get_object("members/me")
        with pytest.raises(TrackerUnavailable) as caught:
            client.get_object("members/me")
        client.close()
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 10
        log = plain.get(f"{sandbox.url}/sandbox/requests", params={"limit": 100}).raise_for_status().json()
        statuses = [one["status"] for one in log["requests"] if one["path"] == "/1/members/me"]
        assert statuses == [200] * 10
