"""The way to the site: each call is one request, which is counted, and may fail as requests do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from connectors.calls import Permit
from connectors.errors import OutcomeUnknown, PermissionMissing, TrackerUnavailable
from connectors.values import Account, Usage
from tests.contract.losing_proxy import Orders, Passing
from tests.contract.memory_tracker.site import Site

Answer = TypeVar("Answer")


@dataclass
class Between:
    """What is between a tracker and its site: what passed, and what is to go wrong."""

    passed: list[Passing] = field(default_factory=list)
    orders: Orders = field(default_factory=Orders)


@dataclass
class Wire:
    """The requests of one connection."""

    site: Site
    token: str
    permit: Permit
    between: Between
    usage: Usage = field(default_factory=Usage)

    def read(self, path: str, work: Callable[[Account], Answer]) -> Answer:
        """One request that changes nothing."""
        self.usage = Usage(self.usage.reads + 1, self.usage.writes)
        return self._send(Passing("GET", path), work)

    def write(self, path: str, work: Callable[[Account], Answer]) -> Answer:
        """One request that changes something; its answer may be lost afterwards."""
        self.permit()
        self.usage = Usage(self.usage.reads, self.usage.writes + 1)
        return self._send(Passing("POST", path), work)

    def _send(self, passing: Passing, work: Callable[[Account], Answer]) -> Answer:
        self.between.passed.append(passing)
        for matches, status, body in self.between.orders.fake:
            if matches(passing):
                raise TrackerUnavailable(f"{self.site.name} answers {json.loads(body)}.", status=status)
        with self.site.lock:
            account, writes = self.site.who(self.token)
            if passing.method != "GET" and not writes:
                raise PermissionMissing(
                    f"{account.name} may not write on {self.site.name}.", fix="Give the account a token that may."
                )
            answer = work(account)
        for matches in self.between.orders.lose:
            if matches(passing):
                self.between.orders.lose.remove(matches)
                raise OutcomeUnknown(f"{passing.method} {passing.path} was not answered.")
        return answer
