"""The one door from the product to the sandbox: trackers on this machine, for trying out. Loaded when called, because
nothing else of the product depends on it."""

from __future__ import annotations

from pathlib import Path


def serve(host: str, port: int, state: Path | None, *, limits: bool, quiet: bool) -> None:
    """Serve trackers until the process is told to end. Raises OSError where the port cannot be had."""
    from sandbox import server

    server.run(host=host, port=port, state=state, limits=limits, quiet=quiet)


def free_port(wanted: int) -> int:
    """The wanted port, or another one that is free."""
    from sandbox.server import free_port as found

    return found(wanted)


def account(tracker: str, url: str) -> tuple[dict[str, str | bool], str]:
    """The settings of a connection to the sandbox at `url`, and its secret."""
    return ACCOUNTS[tracker](url)


def _jira(url: str) -> tuple[dict[str, str | bool], str]:
    from sandbox.jira import seed

    return {"url": url, "email": seed.DEMO_EMAIL}, seed.DEMO_TOKEN


def _trello(url: str) -> tuple[dict[str, str | bool], str]:
    from sandbox.trello import seed

    return {"url": url, "key": seed.KEY, "invite": True}, seed.TOKEN


ACCOUNTS = {"jira": _jira, "trello": _trello}
"""The sandbox's account in each kind of tracker that it has."""
