"""The page that people read: one self-contained HTML file without scripts, made from a binder's content alone, so that
it can be made again and compared."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from hashlib import sha256
from inspect import getsourcefile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from service.binder.file import CLOSE, OPEN
from service.domain.audit import plot, shown, titles, views
from service.domain.audit.binder import fingerprint, measures_from
from service.domain.audit.chain import ANSWER, QUESTION, READING, REVOKED, WAIVER, entry_from_json
from service.domain.audit.forms import audited_from_json
from service.domain.audit.outcome import Check, Verdict
from service.domain.audit.questions import Question, questions_of
from service.domain.audit.summary import standing, summary_of

PAGES = Path(__file__).parent / "pages"

_WORDS = {
    "pass": "pass",
    "fail": "FAIL",
    "not_applicable": "n/a",
    "waived": "waived",
    "unclear": "unclear",
    "inconclusive": "not read",
}
"""How results are called in the matrix, where there is little room."""

_VERDICTS = {
    Verdict.DOCUMENTED: "documented",
    Verdict.PARTLY: "partly documented",
    Verdict.UNDOCUMENTED: "not documented",
    Verdict.UNCLEAR: "unclear: a person is to look",
    Verdict.PENDING: "pending",
    Verdict.UNKNOWN: "could not be read",
}
"""Verdicts in plain words."""

_KINDS = {
    READING: "what was read",
    WAIVER: "waiver",
    REVOKED: "waiver taken back",
    QUESTION: "question",
    ANSWER: "answer",
}

_OUTCOMES = ("planned", "added", "done", "carried", "backlog", "left", "removed")


@cache
def version() -> str:
    """What tells whether two phaseloops make the same page of the same content: the digest of what makes it."""
    sources = [Path(getsourcefile(module) or "") for module in (plot, shown, titles)]
    parts = [Path(__file__), *sources, *sorted(PAGES.iterdir())]
    return sha256(b"\0".join(part.read_bytes() for part in parts if part.is_file())).hexdigest()[:16]


def render(content: Mapping[str, Any], public: str) -> str:
    """The page of this content, signed by this key (hexadecimal), with an empty place for the binder itself.

    Raises what reading a value raises that is not shaped as a content is, a ValueError among others.
    """
    try:
        return _rendered(content, public)
    except TemplateError as error:
        msg = f"it has no page: {error.message}"
        raise ValueError(msg) from error


def _rendered(content: Mapping[str, Any], public: str) -> str:
    evidence = {one["seq"]: one for one in content["evidence"]["entries"]}
    found = [audited_from_json(one) for _, one in sorted(content["audits"].items(), key=lambda pair: int(pair[0]))]
    return (
        _environment()
        .get_template("binder.html.j2")
        .render(
            content=content,
            zone=_zone(content),
            fingerprint=fingerprint(public),
            style=_style(),
            style_digest=b64encode(sha256(_style().encode()).digest()).decode(),
            place=Markup(OPEN + CLOSE),  # noqa: S704 - constants of ours
            iterations=[_iteration(one, content, evidence) for one in content["iterations"]],
            checks=[(check.value, titles.TITLES[check]) for check in Check],
            standing=standing(found),
            summaries=[summary_of(one) for one in found],
            judges=_judges(evidence.values()),
            measured=_measured(),
            plots=[(one, plot.svg(one), plot.rows(one)) for one in measures_from(content)],
            waivers=[_waiver(one) for one in evidence.values() if one["kind"] in (WAIVER, REVOKED) and one["body"]],
            questions=_questions(evidence.values()),
            not_covered=views.NOT_COVERED,
        )
    )


def _iteration(one: Mapping[str, Any], content: Mapping[str, Any], evidence: Mapping[int, Any]) -> dict[str, Any]:
    """An iteration with its audit and what was read of its record, None for what there is not."""
    body = evidence[one["reading"]]["body"] if one["reading"] is not None else None
    audited = content["audits"].get(str(one["number"]))
    by_check = {finding["check"]: finding for finding in audited["findings"]} if audited else {}
    return {
        **one,
        "audited": audited,
        "by_check": by_check,
        "close_calls": _close_calls(audited) if audited else frozenset(),
        "document": body["record"]["document"] if body else None,
        "phase_title": body["iteration"]["phase_title"] if body else one["phase"],
        "unread": (body["record"]["unread"] or body["record"]["missing"]) if body else "",
        "tallies": _tallies(one.get("figures")),
    }


def _close_calls(audited: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(one.check.value for one in audited_from_json(audited).findings if one.close_call)


def _judges(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Who gave a second opinion on what was read, each once; empty for the rules alone."""
    bodies = [one["body"] for one in entries if one["kind"] == READING and one["body"]]
    return list(dict.fromkeys(str(body.get("opinions", {}).get("by", "")) for body in bodies))


@cache
def _measured() -> Mapping[str, Any]:
    """How good the judging is on the labelled corpora, by check."""
    found: Mapping[str, Any] = json.loads((PAGES / "measured.json").read_text(encoding="utf-8"))
    return found


def _questions(entries: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    """What was asked about the iterations, with what was answered."""
    return questions_of(entry_from_json(one) for one in entries if one["kind"] in (QUESTION, ANSWER) and one["body"])


_WAIVER = ("check", "by", "reason", "until", "revoked_by", "why")


def _waiver(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A waiver, or that one was taken back, with an empty text for whatever it does not say."""
    return {**entry, "body": {name: entry["body"].get(name) or "" for name in _WAIVER}}


def _tallies(figures: Mapping[str, Any] | None) -> list[tuple[str, int, str]]:
    if not figures:
        return []
    sums = figures["all"]
    return [(name, sums[name]["tickets"], f"{sums[name]['points']:g}") for name in _OUTCOMES if name in sums]


@cache
def _style() -> str:
    return (PAGES / "binder.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {"instant": _instant, "address": shown.address, "word": _word, "numbers": _numbers}
    environment.globals |= {"kinds": _KINDS, "verdicts": _VERDICTS}
    return environment


def _visible(value: Any) -> Any:
    """What is put into the page: text of people with nothing hidden in it; what we made ourselves as it is."""
    return shown.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@pass_context
def _instant(context: Context, value: str | None) -> str:
    """An instant as people read it, on the project's clock and with how far that is from UTC, as in the sentences of
    findings."""
    if not value:
        return "unknown"
    local = datetime.fromisoformat(value).astimezone(context["zone"])
    return f"{local:%Y-%m-%d %H:%M} {timezone(local.utcoffset() or timedelta())}"


def _zone(content: Mapping[str, Any]) -> tzinfo:
    """The project's time zone; UTC where it has none that is known here."""
    try:
        return ZoneInfo(content["project"]["time_zone"])
    except (KeyError, TypeError, ValueError, OSError):
        return UTC


def _word(result: str) -> str:
    return _WORDS.get(result, result)


def _numbers(numbers: list[int]) -> str:
    """Numbers as people write them: `1 to 3, 5`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in spans)
