"""A thousand deliveries at once, the same ones twice and forged ones among them, to a service that is running: what is
accepted is kept and handled, each once, and nobody is told of a failure of ours."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

import httpx
import pytest
import standardwebhooks

from service.context import Context, open_context
from service.settings import Settings
from tests.integration.conftest import QUICK, Installation
from tests.integration.replicas import replicas
from tests.integration.test_hooks_killed import SECRET, handled, prepared, states, told
from tests.plain import NO_TLS
from tests.postgres import scratch_database
from tests.waiting import eventually

VALID, AGAIN, FORGED, STALE, TRUNCATED = 600, 200, 100, 50, 50
SENDERS = 32
"""How many send at once."""


@dataclass(frozen=True)
class Sent:
    """One delivery, and what it has to be answered."""

    number: str
    body: str
    at: datetime
    forged: bool
    status: int

    @property
    def headers(self) -> dict[str, str]:
        signed = "another body" if self.forged else self.body
        return {
            "Content-Type": "application/json",
            "webhook-id": self.number,
            "webhook-timestamp": str(int(self.at.timestamp())),
            "webhook-signature": standardwebhooks.Webhook(SECRET).sign(self.number, self.at, signed),
        }


def burst() -> list[Sent]:
    """What is sent, in no order; of what is sent twice, the two come as they come."""
    now, dice = datetime.now(UTC), random.Random(17)  # the same burst each time
    stale = now - timedelta(minutes=10)
    valid = [Sent(f"msg_{n}", json.dumps({"n": n}), now, False, 202) for n in range(VALID)]
    forged = [Sent(f"msg_f{n}", json.dumps({"n": f"forged {n}"}), now, True, 401) for n in range(FORGED - 10)]
    forged += [Sent(f"msg_{n}", json.dumps({"n": f"forged {n}"}), now, True, 401) for n in range(10)]
    old = [Sent(f"msg_s{n}", json.dumps({"n": f"stale {n}"}), stale, False, 401) for n in range(STALE)]
    broken = [Sent(f"msg_b{n}", '{"n": ', now, False, 400) for n in range(TRUNCATED)]
    found = [*valid, *dice.sample(valid, AGAIN), *forged, *old, *broken]
    dice.shuffle(found)
    return found


@contextmanager
def served(home: Path, url: str | None) -> Iterator[tuple[Context, str]]:
    """A service that is running on this database, and its store."""
    installation = Installation(home, {**QUICK, **({"PHASELOOP_DATABASE_URL": url} if url else {})})
    if url:
        installation.ok("db", "upgrade")
    installation.furnish()
    settings = Settings(_env_file=None, home=home, database_url=url, secret_key=None)
    with closing(open_context(settings)) as context:
        prepared(context)
        with replicas(installation) as group:
            yield context, group.start().url


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Context, str]]:
    if request.param == "sqlite":
        with served(tmp_path / "home", None) as found:
            yield found
        return
    with scratch_database() as url, served(tmp_path / "home", url) as found:
        yield found


def test_a_burst_of_a_thousand_loses_nothing_doubles_nothing_and_fails_nowhere(service: tuple[Context, str]) -> None:
    context, url = service
    sent = burst()
    assert len(sent) == 1000

    limits = httpx.Limits(max_connections=SENDERS, max_keepalive_connections=SENDERS)
    with (
        httpx.Client(verify=NO_TLS, trust_env=False, timeout=120, limits=limits) as client,
        ThreadPoolExecutor(SENDERS) as threads,
    ):
        answers = list(threads.map(_answer, repeat(client), repeat(f"{url}/hooks/t/told"), sent))
    accepted = {number for answer in answers for number in answer.json().get("events", ())}
    eventually(lambda: handled(context), 300)

    # Who proves nothing too often is told to come later (429) instead of why, and nobody else is.
    statuses = [401 if answer.status_code == 429 else answer.status_code for answer in answers]
    assert statuses == [one.status for one in sent]
    proved = [answer.status_code for answer, one in zip(answers, sent, strict=True) if one.status != 401]
    assert Counter(proved) == Counter({202: VALID + AGAIN, 400: TRUNCATED})
    assert len(accepted) == VALID, "a repetition is the same event"
    assert told(context) == Counter({f"Event {n}.": 1 for n in range(VALID)})
    assert states(context) == Counter({"done": VALID})


def _answer(client: httpx.Client, address: str, one: Sent) -> httpx.Response:
    return client.post(address, content=one.body, headers=one.headers)
