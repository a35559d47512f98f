"""Which kinds of trackers there are: one line each, by hand.

The service uses `validated` when a connection is added and `connect` when it is used; nothing else of a connector's
package is imported from outside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from connectors.calls import Permit, permitted
from connectors.hooks import HookKeeper
from connectors.jira.kind import JIRA
from connectors.kinds import Kind
from connectors.network import Network
from connectors.port import Tracker
from connectors.setting_errors import in_words
from connectors.tracking import TrackingServer
from connectors.trello.kind import TRELLO

KINDS: dict[str, Kind] = {kind.name: kind for kind in (JIRA, TRELLO)}
"""Every kind of tracker, by its name."""

DEFAULT_KIND = next(iter(KINDS))
"""The kind that is meant where nobody names one."""


class InvalidSettings(Exception):
    """A connection's settings are wrong; `problems` are (field, what is wrong and what would be right), all of them."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems))
        self.problems = problems


def validated(kind: str, settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """The settings as plain values in their canonical form, without the credential. No I/O. Raises InvalidSettings."""
    entry = kind_of(kind)
    model = _model(kind, {name: value for name, value in settings.items() if name not in entry.learned}, secret)
    return model.model_dump(mode="json", exclude={entry.secret_field, *entry.learned})


def kind_of(name: str) -> Kind:
    """The kind of that name, as connections in the store name it. Raises InvalidSettings."""
    return KINDS[name] if name in KINDS else _unknown(name)


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


def hook_keeper(
    kind: str,
    settings: Mapping[str, Any],
    secret: str,
    *,
    timeout: float | None = None,
    network: Network | None = None,
) -> HookKeeper | None:
    """Who keeps webhooks at the tracker of these settings; nothing is sent yet. None where the kind sends no events.
    Raises as `connect` does."""
    model = _model(kind, settings, secret)
    hooks = KINDS[kind].hooks
    return hooks(model, timeout, network) if hooks is not None else None


def tracking_server(
    url: str | None, service: Mapping[str, Any] | None, *, network: Network | None = None
) -> TrackingServer | None:
    """The tracking server of a project: the one at `url`, else that of the `service`, which are its settings; None
    where there is neither. The service's credential goes to the service's own server alone. Nothing is sent yet.
    Raises InvalidSettings."""
    from connectors.mlflow.server import MlflowServer
    from connectors.mlflow.settings import MlflowSettings

    try:
        own = MlflowSettings.model_validate(service) if service is not None else None
        named = MlflowSettings(url=url) if url is not None else None
    except ValidationError as error:
        raise InvalidSettings([("tracking", in_words(one)) for one in error.errors(include_url=False)]) from None
    chosen = own if named is None or (own is not None and own.url == named.url) else named
    return MlflowServer(chosen, network=network) if chosen is not None else None


def _model(kind: str, settings: Mapping[str, Any], secret: str) -> BaseModel:
    entry = kind_of(kind)
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
                (".".join(str(part) for part in problem["loc"]) or entry.address_field, _words(problem))
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


def _unknown(kind: str) -> NoReturn:
    raise InvalidSettings([("kind", f"there is no tracker {kind!r}; there is: {', '.join(KINDS)}")])
