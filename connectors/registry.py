"""Which trackers there are: kind to factory, by hand.

The service uses `validated` when a connection is added and `connect` when it is used; nothing else of a connector's
package is imported from outside.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from connectors.calls import Permit, permitted
from connectors.jira.settings import JiraSettings
from connectors.network import Network
from connectors.tracker import Tracker
from connectors.trello.settings import TrelloSettings
from connectors.values import in_words


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of tracker: its settings (the credential is the field named `secret_field`) and how to connect."""

    settings: type[BaseModel]
    secret_field: str
    connect: Callable[[Any, float | None, Permit, Network | None], Tracker]
    learned: frozenset[str] = frozenset()
    """Settings that a tracker finds out by itself: nobody sets them, and they go when the connection is replaced."""


def _jira(settings: Any, timeout: float | None, permit: Permit, network: Network | None) -> Tracker:
    from connectors.jira.tracker import JiraTracker  # half a second of imports, for commands that reach no tracker

    return JiraTracker.connect(settings, timeout, permit, network)


def _trello(settings: Any, timeout: float | None, permit: Permit, network: Network | None) -> Tracker:
    from connectors.trello.tracker import TrelloTracker  # a quarter of a second of imports

    return TrelloTracker.connect(settings, timeout, permit, network)


KINDS: dict[str, Kind] = {
    "jira": Kind(JiraSettings, "token", _jira, frozenset({"api_url"})),
    "trello": Kind(TrelloSettings, "token", _trello),
}


class InvalidSettings(Exception):
    """A connection's settings are wrong; `problems` are (field, what is wrong and what would be right), all of them."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems))
        self.problems = problems


def validated(kind: str, settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """The settings as plain values in their canonical form, without the credential. No I/O. Raises InvalidSettings."""
    learned = KINDS[kind].learned if kind in KINDS else frozenset()
    model = _model(kind, {name: value for name, value in settings.items() if name not in learned}, secret)
    return model.model_dump(mode="json", exclude={KINDS[kind].secret_field, *learned})


def connect(
    kind: str,
    settings: Mapping[str, Any],
    secret: str,
    *,
    timeout: float | None = None,
    permit: Permit = permitted,
    network: Network | None = None,
) -> Tracker:
    """A tracker for these settings; nothing is sent yet. `timeout` is how many seconds a call waits for its answer,
    None for the connector's own choice; `permit` is asked before each write; `network` says which proxy and
    certificates, None for what the environment says. Raises InvalidSettings, NetworkMisconfigured."""
    model = _model(kind, settings, secret)
    return KINDS[kind].connect(model, timeout, permit, network)


def _model(kind: str, settings: Mapping[str, Any], secret: str) -> BaseModel:
    if kind not in KINDS:
        _unknown(kind)
    entry = KINDS[kind]
    if broken := [
        name for name, value in {**settings, entry.secret_field: secret}.items() if _is_broken((name, value))
    ]:
        # Named in a form that can be written: half a character cannot, neither into an answer nor into the store.
        raise InvalidSettings(
            [
                (name.encode("ascii", "backslashreplace").decode(), "holds half a character (a lone surrogate)")
                for name in broken
            ]
        )
    try:
        return entry.settings.model_validate({**settings, entry.secret_field: secret})
    except ValidationError as error:
        raise InvalidSettings(
            [
                (".".join(str(part) for part in problem["loc"]) or "settings", _words(problem))
                for problem in error.errors(include_url=False, include_input=False)
            ]
        ) from None  # the original holds the input, and so the credential


def _is_broken(value: object) -> bool:
    """Whether text in it, at any depth, is none that UTF-8 can write: JSON lets half a character through."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    return False


def _words(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "is not a setting of this kind of connection"
    return in_words(problem)


def _unknown(kind: str) -> Any:
    raise InvalidSettings([("kind", f"there is no tracker {kind!r}; there is: {', '.join(KINDS)}")])
