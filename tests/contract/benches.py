"""The trackers that the contract suite runs against. To add one: write its bench and list it in `BENCHES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from connectors.jira.client import JiraClient
from connectors.jira.settings import JiraSettings
from connectors.jira.tracker import JiraTracker
from connectors.pacing import Pacer, Patience
from connectors.port import Tracker
from connectors.trello.client import TrelloClient
from connectors.trello.settings import TrelloSettings
from connectors.trello.tracker import TrelloTracker
from connectors.values import ProjectSpec
from sandbox.testing import SandboxServer
from sandbox.trello.seed import member_id
from sandbox.trello.state import Token, made_id
from tests.contract.losing_proxy import LosingProxy, Orders, Passing
from tests.contract.memory_tracker.person import MemoryPerson
from tests.contract.memory_tracker.site import OWNER, VIEWER, Project, Site
from tests.contract.memory_tracker.tracker import MemoryTracker
from tests.contract.memory_tracker.wire import Between
from tests.contract.people import JiraPerson, Person, TrelloPerson

_numbers = count(1)


class Middle(Protocol):
    """What stands between a tracker and the connector."""

    @property
    def passed(self) -> list[Passing]:
        """The requests that came by."""

    @property
    def orders(self) -> Orders:
        """What is to go wrong with the next ones."""


def never(_seconds: float) -> None:
    """Stands in for sleep."""


@dataclass(frozen=True)
class Bench:
    """One tracker to test, with what the tests need to know about it.

    `connect` makes a tracker for a role: `owner` may do everything, `viewer` may only look (by its account, or by its
    token), `observer` by its account, `stranger` has a wrong credential. `blind_the_index` makes the tracker's search
    find nothing until the test ends. `stands_under` tells writes of what items stand on (labels, lists), which a
    tracker may make without being asked. `known_email` names a person who can be assigned, `left_email` one who is
    gone. `person` works in the tracker by hand, past the proxy.
    """

    name: str
    connect: Callable[[str], Tracker]
    project_key: str
    method: str
    proxy: Middle
    is_write: Callable[[Passing], bool]
    blind_the_index: Callable[[Middle], None]
    person: Person
    stands_under: Callable[[Passing], bool] = lambda _passing: False
    known_email: str = "ml-1@example.com"
    other_email: str = "data-1@example.com"
    left_email: str = "left-1@example.com"
    used: list[Tracker] = field(default_factory=list)

    def tracker(self, role: str = "owner") -> Tracker:
        """A tracker that is closed when the test ends."""
        made = self.connect(role)
        self.used.append(made)
        return made

    def spec(self, *, key: str | None = None, create: bool = False, uid: str | None = None) -> ProjectSpec:
        """A project of this tracker under a uid and label of its own, so that tests do not see each other's items."""
        number = next(_numbers)
        return ProjectSpec(
            uid=uid or f"uid-{number}",
            key=key or self.project_key,
            name=f"Contract {number}",
            create=create,
            method=self.method,
            label=f"phaseloop-{number}",
        )

    def fresh_key(self) -> str:
        """The key of a project that does not exist."""
        return f"NEW{next(_numbers)}"

    def writes_an_item(self, passing: Passing) -> bool:
        """Whether a request writes an item or a project itself."""
        return self.is_write(passing) and not self.stands_under(passing)

    def lose_the_next_write(self) -> None:
        """The next write of an item is carried out, and its answer lost."""
        self.proxy.orders.lose.append(self.writes_an_item)

    def requests(self) -> tuple[int, int]:
        """Reads and writes that reached the tracker so far."""
        writes = sum(1 for one in self.proxy.passed if self.is_write(one))
        return len(self.proxy.passed) - writes, writes


JIRA_ROLES = {
    "owner": ("demo@example.com", "sandbox-token"),
    "member": ("member@example.com", "member-token"),
    "viewer": ("viewer@example.com", "viewer-token"),
    "observer": ("viewer@example.com", "viewer-token"),
    "stranger": ("demo@example.com", "not-the-token"),
}


def _writes_to_jira(passing: Passing) -> bool:
    path = passing.path.partition("?")[0]
    return passing.method != "GET" and not path.endswith(("/search/jql", "/issue/bulkfetch", "/changelog/bulkfetch"))


def _blind_jira(proxy: Middle) -> None:
    proxy.orders.fake.append((lambda passing: "/search/jql" in passing.path, 200, b'{"issues": [], "isLast": true}'))


def _jira(name: str, project_key: str, method: str) -> Callable[[], Iterator[Bench]]:
    def bench() -> Iterator[Bench]:
        with SandboxServer() as sandbox, LosingProxy(sandbox.url) as proxy:

            def connect(role: str) -> Tracker:
                email, token = JIRA_ROLES[role]
                settings = JiraSettings.model_validate({"url": proxy.url, "email": email, "token": token})
                client = JiraClient(settings, pacer=Pacer({}), patience=Patience(sleep=never))
                return JiraTracker(settings, client)

            person = JiraPerson(sandbox.url)
            yield Bench(name, connect, project_key, method, proxy, _writes_to_jira, _blind_jira, person)

    return bench


TRELLO_ROLES = {
    "owner": "sandbox-token",
    "viewer": "readonly-token",
    "observer": "observers-token",
    "stranger": "not-the-token",
}


def _writes_to_trello(passing: Passing) -> bool:
    # That a board was looked at is noted nowhere that anybody sees.
    return passing.method != "GET" and not passing.path.endswith("/markedAsViewed")


def _stands_under_cards(passing: Passing) -> bool:
    return passing.method == "POST" and passing.path in {"/1/labels", "/1/lists"}


def _blind_trello(proxy: Middle) -> None:
    proxy.orders.fake.append((lambda passing: passing.path.startswith("/1/search?"), 200, b'{"cards": []}'))


def _trello() -> Iterator[Bench]:
    with SandboxServer() as sandbox, LosingProxy(sandbox.url) as proxy:
        token, now = TRELLO_ROLES["observer"], sandbox.site.clock.now()
        sandbox.trello.data.tokens[token] = Token(made_id(now, 999), token, member_id("viewer@example.com"), now)

        def connect(role: str) -> Tracker:
            settings = TrelloSettings.model_validate(
                {"url": proxy.url, "key": "sandbox-key", "token": TRELLO_ROLES[role]}
            )
            client = TrelloClient(settings, windows={}, patience=lambda: Patience(sleep=never))
            return TrelloTracker(settings, client)

        yield Bench(
            "trello",
            connect,
            "Demo board",
            "scrum",
            proxy,
            _writes_to_trello,
            _blind_trello,
            TrelloPerson(sandbox.url),
            stands_under=_stands_under_cards,
        )


def _memory() -> Iterator[Bench]:
    site, between = Site(f"bench-{next(_numbers)}"), Between()
    for email in ("ml-1@example.com", "data-1@example.com"):
        site.admit(email)
    site.admit("left-1@example.com", active=False)
    site.projects["1"] = Project("1", "MEM", "In memory")

    def connect(role: str) -> Tracker:
        return MemoryTracker(site, MEMORY_ROLES[role], between)

    def writes(passing: Passing) -> bool:
        return passing.method != "GET"

    def nothing_to_blind(_proxy: Middle) -> None:
        """There is no index: what was written is found at once."""

    yield Bench("memory", connect, "MEM", "scrum", between, writes, nothing_to_blind, MemoryPerson(site))


MEMORY_ROLES = {"owner": OWNER, "viewer": VIEWER, "observer": VIEWER, "stranger": "not-the-token"}

BENCHES: dict[str, Callable[[], Iterator[Bench]]] = {
    "jira company-managed": _jira("jira company-managed", "SCRUM", "scrum"),
    "jira team-managed": _jira("jira team-managed", "TEAM", "scrum"),
    "jira kanban": _jira("jira kanban", "KANBAN", "kanban"),
    "trello": _trello,
    "memory": _memory,
}


@contextmanager
def opened(name: str) -> Iterator[Bench]:
    """The named bench, while its server runs."""
    yield from BENCHES[name]()
