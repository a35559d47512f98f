"""Events that arrived by webhook: which wait, which failed and why, what came of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted
from service.domain.hook import event_state
from service.domain.hook.payload import redacted
from service.domain.hook.source import SOURCES
from service.pages.moments import Moment, moment
from service.pages.new_project import Choice
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.usecases.hook import events, fired
from service.usecases.setup import projects
from service.views.hook import Backlog, FiringView, HookEventView

UTC = "UTC"
"""The zone of events: they are of no project before they are handled."""

AT_ONCE = 50
LONGEST_PAYLOAD = 50_000
"""Characters of a payload that are shown."""

_LONGEST_LINE = 240

_SIGNS = {
    event_state.ACCEPTED: Sign("pending", "pending", "Waiting"),
    event_state.DONE: Sign("ok", "ok", "Handled"),
    event_state.FAILED: Sign("bad", "bad", "Failed"),
}
_FIRINGS = {
    "begun": Sign("live", "run", "Begun"),
    "done": Sign("ok", "ok", "Done"),
    "failed": Sign("bad", "bad", "Failed"),
    "skipped": Sign("neutral", "neutral", "Skipped"),
}


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event: what it is, who sent it, and what came of it."""

    id: str
    name: str
    source: str
    sender: str
    sign: Sign
    received: Moment
    said: str


@dataclass(frozen=True, slots=True)
class EventsPage:
    """Events, newest first. `lag` says how far the handling is behind, `late` whether somebody should look; `failed`
    is how many can be handled again, `older` leads to those before the last one."""

    lag: str
    late: bool
    states: tuple[Choice, ...]
    senders: tuple[Choice, ...]
    sources: tuple[Choice, ...]
    rows: tuple[EventLine, ...]
    older: str
    narrowed: bool
    failed: int
    sender: str
    source: str
    may_replay: bool


@dataclass(frozen=True, slots=True)
class Came:
    """Something that came of an event: by which trigger, if by one, and where it can be looked at."""

    sign: Sign
    text: str
    trigger: str
    trigger_href: str
    href: str
    leads: str
    at: Moment | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """One event. `came` is what came of it, `did` what triggers did because of it; `payload` is without secrets."""

    id: str
    name: str
    source: str
    sender: str
    sender_href: str
    sign: Sign
    said: str
    received: Moment
    handled: Moment | None
    error: str
    came: tuple[Came, ...]
    did: tuple[Came, ...]
    facts: tuple[tuple[str, str], ...]
    payload: str
    cut: bool
    may_replay: bool
    may_try: bool
    again: str


def page_of(
    context: Context, caller: Caller, state: str = "", sender: str = "", source: str = "", before: str = ""
) -> EventsPage:
    """Events as they are asked for; a state or a kind of sender that there is not counts as any."""
    names = events.owners(context)
    state = state if state in event_state.STATES else ""
    source = source if source in SOURCES else ""
    known = not sender or sender in names or sender in names.values()
    of = {"sender": sender or None, "source": source or None}
    found = events.listed(context, AT_ONCE + 1, before or None, state=state or None, **of) if known else []
    backlog = events.backlog(context, **of) if known else Backlog()
    last = found[AT_ONCE - 1].id if len(found) > AT_ONCE else ""
    asked = {name: value for name, value in (("state", state), ("sender", sender), ("source", source)) if value}
    states = {"": "All", event_state.FAILED: "Failed", event_state.ACCEPTED: "Waiting", event_state.DONE: "Handled"}
    by_name = sorted(names.items(), key=lambda one: one[1].casefold())
    return EventsPage(
        lag=_lag(context, backlog),
        late=bool(backlog.failed),
        states=tuple(Choice(value, label, value == state) for value, label in states.items()),
        senders=tuple(Choice(number, name, sender in (number, name)) for number, name in by_name),
        sources=tuple(Choice(key, one.title, key == source) for key, one in SOURCES.items()),
        rows=tuple(_line(context, one, names) for one in found[:AT_ONCE]),
        older=f"/events?{urlencode({**asked, 'before': last})}" if last else "",
        narrowed=bool(asked or before),
        failed=backlog.failed,
        sender=sender,
        source=source,
        may_replay=caller.may(Permission.OPERATE),
    )


def _lag(context: Context, backlog: Backlog) -> str:
    failed = f"{counted(backlog.failed, 'event')} failed." if backlog.failed else "None failed."
    if backlog.since is None:
        return f"Nothing waits to be handled. {failed}"
    since = moment(backlog.since, UTC, context.now())
    waits = f"{counted(backlog.waiting, 'event')} wait{'s' if backlog.waiting == 1 else ''}"
    return f"{waits} to be handled, the first of them since {since.text} ({since.near}). {failed}"


def _line(context: Context, one: HookEventView, names: Mapping[str, str]) -> EventLine:
    return EventLine(
        one.id,
        one.name,
        _title(one.source),
        names.get(one.owner, "removed since"),
        _SIGNS[one.state],
        moment(one.received_at, UTC, context.now()),
        _said(context, one),
    )


def _title(source: str) -> str:
    return SOURCES[source].title if source in SOURCES else source


def _said(context: Context, one: HookEventView) -> str:
    """What came of it, in a line."""
    if one.state == event_state.FAILED:
        return _short(on_pages(one.error))
    if one.state == event_state.ACCEPTED:
        if one.attempts and one.next_at is not None and one.error:
            again = moment(one.next_at, UTC, context.now())
            return _short(f"Tried {counted(one.attempts, 'time')}, and again {again.near}: {on_pages(one.error)}")
        return "To be handled."
    texts = [str(each.get("text", "")) for each in one.outcome]
    if not texts:
        return "Nothing was to be done."
    more = f" And {len(texts) - 1} more." if len(texts) > 1 else ""
    return _short(on_pages(texts[0])) + more


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"


# --- one event --------------------------------------------------------------------------------------------------------


def event_of(context: Context, caller: Caller, event_id: str) -> EventPage:
    """One event, with its payload. Raises NotFound."""
    row = events.get(context, event_id)
    names, now = events.owners(context), context.now()
    text = json.dumps(redacted(json.loads(row.body)), indent=2, ensure_ascii=False)
    sign = _SIGNS[row.state]
    is_tracker = row.source in SOURCES and SOURCES[row.source].tracker
    place = "connections" if is_tracker else "triggers"
    facts = [
        ("Event", row.id),
        ("Delivery", row.delivery),
        ("Tried", counted(row.attempts, "time") + (f", in round {row.round}" if row.round > 1 else "")),
    ]
    done = row.state == event_state.DONE
    keys = projects.keys(context)
    return EventPage(
        id=row.id,
        name=row.name,
        source=_title(row.source),
        sender=names.get(row.owner, "a sender that was removed"),
        sender_href=f"/{place}/{row.owner}" if row.owner in names else "",
        sign=sign,
        said="" if row.error else _said(context, row),
        received=moment(row.received_at, UTC, now, seconds=True),
        handled=moment(row.handled_at, UTC, now, seconds=True) if row.handled_at is not None else None,
        error=on_pages(row.error),
        came=tuple(_outcomes(row, keys)),
        did=tuple(came_of(context, one, keys) for one in fired.because_of(context, row.id)),
        facts=tuple(facts),
        payload=text[:LONGEST_PAYLOAD],
        cut=len(text) > LONGEST_PAYLOAD,
        may_replay=caller.may(Permission.OPERATE),
        may_try=caller.may(Permission.OPERATE),
        again="Handle it once more" if done else "Handle it again",
    )


def _outcomes(row: HookEventView, keys: Mapping[str, str]) -> Iterator[Came]:
    """What came of it but for what triggers did, which is told apart."""
    for one in row.outcome:
        what, run, project = str(one.get("what", "")), str(one.get("run") or ""), str(one.get("project") or "")
        if one.get("trigger") and what != "skipped":
            continue
        sign = Sign("neutral", "neutral", "Skipped") if what == "skipped" else Sign("ok", "ok", "Done")
        href, leads = (f"/runs/{run}", "The run") if run else ("", "")
        if not run and project in keys:
            href, leads = f"/projects/{project}", f"Project {keys[project]}"
        yield Came(sign, on_pages(str(one.get("text", what))), str(one.get("trigger") or ""), "", href, leads, None)


def came_of(context: Context, one: FiringView, keys: Mapping[str, str]) -> Came:
    """What a trigger did, with where to look at it; `keys` are those of projects by id."""
    if one.run:
        href, leads = f"/runs/{one.run}", "The run"
    elif one.plan:
        href, leads = f"/plans/{one.plan}", "The plan"
    elif one.project_id is not None and one.project_id in keys:
        href, leads = f"/projects/{one.project_id}", f"Project {keys[one.project_id]}"
    else:
        href, leads = "", ""
    text = on_pages(one.message) or ("Begun and not done yet." if one.state == "begun" else "")
    trigger = one.trigger or "A trigger that was removed"
    at = moment(one.at, UTC, context.now())
    trigger_href = f"/triggers/{one.trigger_id}" if one.trigger else ""
    return Came(_FIRINGS[one.state], f"{one.action}: {text}", trigger, trigger_href, href, leads, at)
