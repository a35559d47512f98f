"""Held over the whole suite: nothing that the product logs or prints has a secret in it, no property is a matter of how
fast a machine is, and the longest tests come first."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.effort import LONG, examples

settings.register_profile("here", deadline=None, max_examples=examples(100), derandomize=not LONG)
settings.load_profile("here")

SECRETS = (
    "sandbox-token",
    "viewer-token",
    "member-token",
    "readonly-token",
    "sandbox-key",
    "not-the-token",
    "oidc-s3cr3t",
    "phl_",
)
"""Credentials that tests connect with, and the beginning of every API token of ours."""

WATCHED = ("tests/contract", "tests/unit", "tests/api", "tests/integration/test_apply.py")
"""Where the product speaks to trackers. Other people's clients, elsewhere, put secrets into addresses as they like."""

OURS = ("service", "connectors")
THEIRS = ("urllib3", "requests", "httpcore", "jira", "trello", "dbos", "sqlalchemy", "uvicorn")
"""What libraries log goes to the ear alone, but in tests that read the log: keeping it for reports took a third
of the time of tests that reach a database. Of that the statements with their parameters are heard, not each row."""


LONGEST_FIRST = ("simulation", "faults", "integration", "api", "contract", "sandbox", "unit")
"""The folders of tests in the order in which their files are handed to the processes, so that none is left with a long
one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders into their order; within a folder nothing changes."""
    places = {folder: place for place, folder in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places[item.nodeid.split("/")[1]])


class Ear(logging.Handler):
    """Hears everything that the product and the libraries under it log, and keeps what has a secret in it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard = 0
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look at the record as it would be written."""
        text = self.format(record)
        self.heard += 1
        if any(secret in text for secret in SECRETS):
            self.leaks.append(f"{record.name}: {text[:500]}")


@pytest.fixture(scope="session")
def ear() -> Iterator[Ear]:
    listener = Ear()
    yield listener
    assert listener.leaks == []


@pytest.fixture(autouse=True)
def _nothing_secret_is_logged(request: pytest.FixtureRequest, ear: Ear) -> Iterator[None]:
    if not request.node.nodeid.startswith(WATCHED):
        yield
        return
    loggers = {name: logging.getLogger(name) for name in (*OURS, *THEIRS)}
    before = [(logger.level, logger.propagate) for logger in loggers.values()]
    for name, logger in loggers.items():
        logger.addHandler(ear)
        logger.setLevel(logging.INFO if name == "sqlalchemy" else logging.DEBUG)
        logger.propagate = logger.propagate and (name in OURS or "caplog" in request.fixturenames)
    yield
    for logger, (level, propagate) in zip(loggers.values(), before, strict=True):
        logger.removeHandler(ear)
        logger.setLevel(level)
        logger.propagate = propagate
