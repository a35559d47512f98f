"""What to do, for whoever speaks REST: messages are written once, with the command that helps, and this door says which
request does the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

API = "/api/v1"

_WORD = r"(?:'[^']*'|[^\s`'.,;:()]+(?:[.:][^\s`'.,;:()]+)*)"
"""One argument of a command, as `typed` writes it."""

Rule = tuple[str, Callable[[Mapping[str, str | None]], str]]


def _at(method: str, path: str, body: Callable[[Mapping[str, str | None]], Any] | None = None) -> Any:
    """The request that a command is: of the path, `{name}` is the command's argument, or stays where it had none."""

    def request(given: Mapping[str, str | None]) -> str:
        def filled(found: re.Match[str]) -> str:
            value = given.get(found[1])
            return found[0] if value is None or (value.isupper() and value in _PLACES) else value.strip("'")

        said = f"{method} {API}{re.sub('{([a-z]+)}', filled, path)}"
        sent = body(given) if body is not None else None
        return f"{said} with {json.dumps(sent, ensure_ascii=False)}" if sent is not None else said

    return request


_PLACES = frozenset({"NAME", "ID", "RUN", "PROJECT", "CONNECTION", "KEY", "LOGIN", "FILE"})
"""Words of messages that stand for what the reader puts there."""


def _restore(given: Mapping[str, str | None]) -> Any:
    restored = given.get("restore")
    return {"restore": [restored.strip("'")]} if restored else None


_NAMED = rf"(?: (?P<name>{_WORD}))?"
_REST = r"(?: --?[a-z-]+| [A-Z][A-Z-]+(?=[ `)]|$)| …| \.\.\.)*"

RULES: tuple[Rule, ...] = (
    (rf"plan{_NAMED}(?: --restore (?P<restore>{_WORD}))?", _at("POST", "/projects/{name}/plans", _restore)),
    (rf"apply{_NAMED}", _at("POST", "/plans/{name}/apply")),
    (rf"undo{_NAMED}", _at("POST", "/runs/{name}/undo-plans")),
    (rf"projects remove{_NAMED}", _at("POST", "/projects/{name}/removal-plans", lambda _: {"undo": False})),
    (rf"projects set{_NAMED}", _at("PATCH", "/projects/{name}")),
    (rf"status (?P<name>{_WORD})", _at("GET", "/projects/{name}")),
    ("status", _at("GET", "/projects")),
    (rf"history{_NAMED}", _at("GET", "/projects/{name}/history")),
    (rf"advance{_NAMED}", _at("POST", "/projects/{name}/advance")),
    (rf"phase{_NAMED}(?: back PHASE)?{_REST}", _at("PUT", "/projects/{name}/loop/decision")),
    (rf"carry{_NAMED}", _at("PATCH", "/projects/{name}/loop/answers")),
    (rf"schedule next{_NAMED}", _at("GET", "/projects/{name}/schedule")),
    *(
        (rf"schedule {one}{_NAMED}", _at("POST", f"/projects/{{name}}/loop/{one}"))
        for one in ("pause", "resume", "skip")
    ),
    ("templates list", _at("GET", "/templates")),
    ("runs list", _at("GET", "/runs")),
    (rf"runs show{_NAMED}", _at("GET", "/runs/{name}")),
    (rf"runs watch{_NAMED}", _at("GET", "/runs/{name}/events")),
    *((rf"runs {one}{_NAMED}", _at("POST", f"/runs/{{name}}/{one}")) for one in ("cancel", "retry", "resume")),
    (rf"connections add{_NAMED}(?: --kind [a-z]+)? --replace{_REST}", _at("PUT", "/connections/{name}")),
    (rf"connections add{_NAMED}{_REST}", _at("POST", "/connections")),
    ("connections list", _at("GET", "/connections")),
    (rf"connections check{_NAMED}", _at("POST", "/connections/{name}/check")),
    (
        rf"connections map{_NAMED} --project (?P<key>{_WORD}) --set (?P<role>[a-z-]+)=(?P<value>{_WORD})",
        _at("PUT", "/connections/{name}/mapping?project={key}"),
    ),
    (rf"connections map{_NAMED}", _at("PUT", "/connections/{name}/mapping?project={key}")),
    (r"teams import(?: FILE)?", _at("POST", "/teams")),
    ("teams list", _at("GET", "/teams")),
    (rf"tokens create{_NAMED}{_REST}", _at("POST", "/tokens")),
    ("tokens list", _at("GET", "/tokens")),
    (rf"people add{_NAMED}{_REST}", _at("POST", "/people")),
    ("people list", _at("GET", "/people")),
    ("sessions list", _at("GET", "/sessions")),
    ("oidc rules", _at("GET", "/role-rules")),
    (rf"oidc map{_NAMED}{_REST}", _at("POST", "/role-rules")),
    (rf"audit report{_NAMED}", _at("GET", "/projects/{name}/audit")),
    (rf"audit waive{_NAMED}", _at("POST", "/projects/{name}/waivers")),
    ("triggers list", _at("GET", "/triggers")),
    ("triggers test", _at("POST", "/triggers/test")),
    (rf"triggers add{_NAMED} --replace", _at("PUT", "/triggers/{name}")),
    (rf"triggers add{_NAMED}", _at("POST", "/triggers")),
    (rf"triggers enable{_NAMED}", _at("PATCH", "/triggers/{name}", lambda _: {"enabled": True})),
    ("events list", _at("GET", "/events")),
    (rf"events replay{_NAMED}", _at("POST", "/events/{name}/replay")),
    (rf"notify add{_NAMED}{_REST}", _at("POST", "/receivers")),
    (rf"notify hours{_NAMED}", _at("PUT", "/projects/{name}/notice-hours")),
    ("notify list", _at("GET", "/receivers")),
    (rf"notify show{_NAMED}", _at("GET", "/receivers/{name}")),
    (rf"notify set{_NAMED}{_REST}", _at("PATCH", "/receivers/{name}")),
    (rf"notify pause{_NAMED}", _at("PATCH", "/receivers/{name}", lambda _: {"paused": True})),
    (rf"notify resume{_NAMED}", _at("PATCH", "/receivers/{name}", lambda _: {"paused": False})),
    (rf"notify test{_NAMED}", _at("POST", "/receivers/{name}/test")),
    ("notify deliveries", _at("GET", "/deliveries")),
    (rf"notify replay{_NAMED}", _at("POST", "/deliveries/{name}/replay")),
    ("hooks list", _at("GET", "/hooks")),
    (rf"hooks secret{_NAMED}(?: --secret-file FILE)?", _at("PUT", "/connections/{name}/hook/secret")),
    (rf"hooks (?:register|repair){_NAMED}", _at("POST", "/connections/{name}/hook/register")),
    (rf"hooks check{_NAMED}", _at("POST", "/connections/{name}/hook/check")),
)
"""What commands are called by, and the request that does the same; the first that fits counts."""

HERE_ONLY = frozenset(
    {
        *("audit verify", "db upgrade", "keys new", "serve", "people add", "people list", "sessions list"),
        *("login-link", "oidc check", "oidc unlink"),
    }
)
"""Commands of whoever runs the service, which no request does."""

_RULES = tuple((re.compile(rf"phaseloop {pattern}(?![\w-])"), request) for pattern, request in RULES)


OPTIONS: tuple[tuple[str, str], ...] = (
    # An option that a text names outside of any command, and what a request has for it.
    (r"add --create(?![\w-])", 'send "create": true'),
    (r"--create(?![\w-])", "`create`"),
    (rf"--map (?P<one>\"[^\"]*\"|{_WORD})", r"?map=\g<one>"),
    (r"--encoding (?P<one>[\w-]+)", r"charset=\g<one> in the Content-Type"),
    (r"--time-zone (?P<one>[\w/]+)", r"?time_zone=\g<one>"),
    (r"--(?:name|reason|until|iteration|by|since|url|email|key|token)(?![\w-])", ""),
    (r"--wip-limit(?![\w-])", "`wip_limit`"),
    (r"--allow-http(?![\w-])(?: \(REST: allow_http\))?", "`allow_http`"),
)

_OPTIONS = tuple((re.compile(rf"(?<![\w-]){pattern}"), put) for pattern, put in OPTIONS)
_COMMAND = re.compile(rf"phaseloop (?:{'|'.join(sorted(HERE_ONLY))})(?![\w-])")


def over_rest(text: str) -> str:
    """The text, in which each command that it proposes is the request that does the same, and each option the field."""
    for pattern, request in _RULES:
        text = pattern.sub(lambda found, request=request: request(found.groupdict()), text)  # type: ignore[misc]
    if "--" in text and not _COMMAND.search(text):  # what is left are commands of whoever runs the service
        for pattern, put in _OPTIONS:
            text = pattern.sub(put or (lambda found: f"`{found[0].removeprefix('--').replace('-', '_')}`"), text)
    return text
