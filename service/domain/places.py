"""Places of an input as people call them: what a field is called inside is nobody's word. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACES: Mapping[str, Mapping[str, str]] = {
    "project": {
        "name": "the project's name",
        "key": "the project's key",
        "team": "the team",
        "connection": "the connection",
        "time_zone": "the time zone",
    },
    "parameters": {"*": "parameter {}"},
    "turning": {"carry_over": "carry-over", "ahead": "iterations ahead", "wip_limit": "WIP limit", "": "the loop"},
    "calendar": {"*": "calendar, {}", "": "the calendar"},
    "audit": {
        "gate": "the gate of the audit",
        "unclear": "unclear checks",
        "grace_working_days": "the grace of records",
        "due_soon_working_days": "the days before the end on which the audit reminds",
        "escalate_working_days": "the days after which the audit escalates",
        "checks": "the checks' weights",
        "hosts": "hosts of evidence",
        "tracking.url": "the tracking server's address",
        "tracking.experiments": "the tracked experiments",
        "tracking.models": "the tracked models",
        "*": "the audit, {}",
        "": "the audit",
    },
    "plan": {
        "restore": "what to restore",
        "adopt": "what to adopt",
        "*": "what to adopt, {}",
    },
    "decision": {"move": "what follows", "phase": "the phase", "reason": "--reason"},
    "answers": {"*": "the answer for {}", "": "the answers"},
    "waiver": {
        "check": "the check",
        "until": "--until",
        "reason": "--reason",
        "iteration": "--iteration",
        "by": "--by",
        "why": "--reason",
    },
    "mapping": {"*": "the role {}"},
    "request": {
        "reason": "--reason",
        "kind": "the kind of notice",
        "receiver_kind": "--as",
        "state": "--state",
    },
    "token": {"name": "the token's name", "expires_at": "the token's last day"},
    "person": {
        "login": "the login",
        "subject": "the provider's subject",
        "expires_at": "the role's last day",
        "period": "the period",
        "days": "when it ends",
    },
    "question": {"text": "the question", "iteration": "the iteration"},
    "sample": {"seed": "--seed", "size": "--size"},
    "receiver": {
        "secret": "the credential",
        "name": "the receiver's name",
        "subscriptions": "the subscriptions",
        "*": "the receiver's {}",
    },
    "hours": {"*": "the {}"},
    "role rule": {"value": "the group", "claim": "--claim"},
    "connection": {
        "secret": "the API token",
        "token": "the API token",
        "name": "the connection's name",
        "*": "--{}",
    },
    "hook": {"secret": "the secret", "overlap_hours": "the overlap in hours", "source": "the sender"},
    "trigger": {"state": "the trigger's state", "name": "the trigger's name", "*": "the trigger's {}"},
    "events": {"state": "the state"},
    "log": {"since": "--since", "until": "--until"},
    "simulate": {"start": "--start"},
    "template": {"": "the template"},
    "team": {"name": "the team's name", "*": "the team's {}"},
}
"""By what an input is called inside and the path in it; `*` is any other path, which stands for `{}`."""

_NUMBER = re.compile(r"\[\d+\]")


def place_words(source: str, path: str) -> str | None:
    """What people call this place, None where the source is a file or something else that people named themselves."""
    named = PLACES.get(source)
    if named is None:
        return None
    plain = _NUMBER.sub("", path)
    if plain == "*":
        return named["*"].format(_ALL.get(source, "*")) if "*" in named else None
    if plain in named:
        return named[plain]
    outer = plain.partition(".")[0]
    rest = plain.removeprefix("adopt.") if source == "plan" else plain
    if outer in named and source != "plan":
        return f"{named[outer]}, {_spoken(plain.partition('.')[2])}"
    if source in _OPTIONS:
        rest = rest.replace("_", "-")
    return named["*"].format(rest if source in _NAMES | _OPTIONS else _spoken(rest)) if "*" in named else None


_NAMES = frozenset({"parameters", "answers", "mapping", "plan"})
"""Inputs whose paths are names that people gave."""

_OPTIONS = frozenset({"connection"})
"""Inputs whose paths are options of a command."""

_ALL = {"answers": "all tickets"}
"""What `*` itself means where it is a name of the input."""


def setting_words(path: str) -> str:
    """What people call a setting of a project: `turning.carry_over` is its carry-over."""
    outer, _dot, inner = path.partition(".")
    if inner and outer in PLACES:
        return place_words(outer, inner) or _spoken(inner)
    return {"create": "created by phaseloop", "time_zone": "time zone"}.get(path, path)


def _spoken(path: str) -> str:
    return path.replace("_", " ").replace(".", ", ")
