"""Triggers: what events start, which are parked and why; and what one would do, tried without any effect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.commands import typed
from service.domain.english import counted, sentence
from service.domain.hook import payload
from service.domain.hook.action import ACTIONS
from service.domain.hook.payload import Unreadable
from service.domain.hook.source import SOURCES
from service.domain.hook.trigger import Trigger, read_marked, trigger_from_json, written
from service.domain.problems import InvalidInput
from service.domain.template.yaml_marks import Marks
from service.pages.entries import Given, Wrong
from service.pages.events import UTC, Came, came_of
from service.pages.moments import Moment, moment
from service.pages.new_project import Field
from service.pages.plan import Contents, contents_of
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.usecases.errors import NotFound
from service.usecases.hook import events, fired, triggers
from service.usecases.setup import projects
from service.views.hook import TriedEvent, TriggerView

SIGNS = {
    "on": Sign("ok", "ok", "On"),
    "off": Sign("neutral", "stop", "Off"),
    "parked": Sign("bad", "hold", "Parked"),
}
_OUTCOMES = {
    "none": Sign("neutral", "neutral", "Does not match"),
    "done": Sign("ok", "ok", "Matches"),
    "skipped": Sign("warn", "hold", "Matches, and is skipped"),
    "failed": Sign("bad", "bad", "Would fail"),
}


@dataclass(frozen=True, slots=True)
class TriggerLine:
    """A trigger: what it does on whose events."""

    id: str
    name: str
    source: str
    does: str
    when: str
    sign: Sign
    message: str


@dataclass(frozen=True, slots=True)
class TriggersPage:
    """All triggers, those that are parked first."""

    said: str
    rows: tuple[TriggerLine, ...]
    may_try: bool


@dataclass(frozen=True, slots=True)
class TriggerPage:
    """One trigger. `switch` is the state that its button sets, empty without the right; `holds` says what keeps it
    from being removed, `warns` what keeps it from being delivered to."""

    id: str
    name: str
    sign: Sign
    description: str
    message: str
    warns: str
    facts: tuple[tuple[str, str], ...]
    condition: str
    given: tuple[tuple[str, str], ...]
    definition: str
    did: tuple[Came, ...]
    switch: str
    switch_label: str
    may_remove: bool
    holds: str
    may_try: bool
    changed: Moment


@dataclass(frozen=True, slots=True)
class TriedShown:
    """What would come of one event. `contents` is the plan that it would make, where it would make one."""

    name: str
    sign: Sign
    why: str
    would: str
    given: tuple[tuple[str, str], ...]
    contents: Contents | None


@dataclass(frozen=True, slots=True)
class TryPage:
    """The form to try a trigger with, and what came of it; `tried` is None before anything was."""

    trigger: Field
    payload: Field
    event: Field
    errors: tuple[tuple[str, str], ...]
    tried: tuple[TriedShown, ...] | None
    said: str


def page_of(context: Context, caller: Caller) -> TriggersPage:
    """All triggers."""
    found = sorted(triggers.listed(context), key=lambda one: (one.state != "parked", one.name))
    parked = sum(one.state == "parked" for one in found)
    it, does = ("it", "does") if parked == 1 else ("they", "do")
    stand = f"{parked} {'is' if parked == 1 else 'are'} parked: {it} {does} nothing until somebody switches "
    stand += f"{'it' if parked == 1 else 'them'} on again."
    said = f"{counted(len(found), 'trigger')}. {stand if parked else 'None is parked.'}"
    return TriggersPage(said, tuple(_line(one) for one in found), caller.may(Permission.OPERATE))


def _line(one: TriggerView) -> TriggerLine:
    project = f" ({one.body['project']})" if "project" in one.body else ""
    return TriggerLine(
        one.id,
        one.name,
        _title(one.source),
        f"{one.body['action']}{project}",
        str(one.body.get("when", "")),
        SIGNS[one.state],
        on_pages(one.message),
    )


def _title(source: str) -> str:
    return SOURCES[source].title if source in SOURCES else source


def trigger_of(context: Context, caller: Caller, name: str) -> TriggerPage:
    """One trigger, with what it did. Raises NotFound."""
    row = triggers.get(context, name)
    said = triggers.trigger_json(context, row)
    trigger = trigger_from_json(row.body)
    keys = projects.keys(context)
    others = triggers.hearing(context, row.name)
    holds = (
        f"{', '.join(others)} {'has' if len(others) == 1 else 'have'} its events: remove that first." if others else ""
    )
    may = caller.may(Permission.ADMINISTER)
    on = row.state == "on"
    own_address = said["address"] is not None
    return TriggerPage(
        id=row.id,
        name=row.name,
        sign=SIGNS[row.state],
        description=trigger.description,
        message=on_pages(row.message),
        warns=_no_secret(row) if own_address and not said["secrets"] else "",
        facts=tuple(_facts(row, trigger, said)),
        condition=trigger.when or "",
        given=tuple(_flat(trigger.given)),
        definition=written(trigger),
        did=tuple(came_of(context, one, keys) for one in fired.by_trigger(context, row.id)),
        switch=("off" if on else "on") if may else "",
        switch_label="Switch it off" if on else "Switch it on again",
        may_remove=may and not others,
        holds=holds if may else "",
        may_try=caller.may(Permission.OPERATE),
        changed=moment(row.updated_at, UTC, context.now()),
    )


def _no_secret(row: TriggerView) -> str:
    return (
        "It has no secret, so every delivery is refused. Whoever runs the service sets one: "
        f"phaseloop triggers secret {typed(row.name)}"
    )


def _facts(row: TriggerView, trigger: Trigger, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "From", _title(row.source)
    if trigger.connection is not None:
        yield "Connection", trigger.connection
    if trigger.address_of is not None:
        yield "Has the events of", trigger.address_of
    if said["address"] is not None:
        yield "Delivered to", said["address"]
    yield "Does", on_pages(f"{trigger.action}: {ACTIONS[trigger.action].what}")
    if trigger.project is not None:
        yield "Project", trigger.project
    if trigger.key is not None:
        yield "Acts once for", trigger.key
    yield "Limits", _limits(trigger)
    yield "Added by", row.created_by


def _limits(trigger: Trigger) -> str:
    limits = trigger.limits
    said = ["once for each key"] if limits.once_per_key else []
    if limits.per_hour is not None:
        said.append(f"{counted(limits.per_hour, 'time')} an hour at most")
    if limits.phases:
        said.append(f"only in {', '.join(limits.phases)}")
    said.append(f"parked after {counted(limits.park_after, 'failure')} in a row")
    return sentence(", ".join(said))


def _flat(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", str(one)) for inner, one in value.items())
        else:
            yield name, str(value)


# --- trying one -------------------------------------------------------------------------------------------------------


def try_form(context: Context, given: Given, problems: Mapping[str, str] | None = None) -> TryPage:
    """The form with what was entered, and what is wrong with it."""
    wrong = problems or {}
    yaml, sent, name = (
        replace(one, error=wrong.get(one.name, ""))
        for one in (
            Field("yaml", "Trigger in YAML", given("yaml"), "lines", "As its file has it.", example=_EXAMPLE),
            Field("payload", "Payload in JSON", given("payload"), "lines", "What the sender would send.", example="{}"),
            Field("event", "Name of the event", given("event"), help="Empty: as the payload has it."),
        )
    )
    errors = tuple((one.name, f"{one.label}: {one.error}") for one in (yaml, sent, name) if one.error)
    return TryPage(yaml, sent, name, errors, None, wrong.get("", ""))


_EXAMPLE = "kind: trigger\nname: heard\nsource: generic\nproject: ML\naction: notify\nwith:\n  text: Heard."


def prefilled(context: Context, trigger: str, event: str) -> Given:
    """The form with a trigger that is there, and the payload of an event that arrived. Raises NotFound."""
    values = {"yaml": written(trigger_from_json(triggers.get(context, trigger).body))} if trigger else {}
    if event:
        row = events.get(context, event)
        body = payload.redacted(json.loads(row.body))
        values |= {"payload": json.dumps(body, indent=2, ensure_ascii=False), "event": row.name}
        if not trigger:
            values |= _of_the_sender(context, row.owner)
    return Given(values)


def _of_the_sender(context: Context, owner: str) -> dict[str, str]:
    try:
        return {"yaml": written(trigger_from_json(triggers.get(context, owner).body))}
    except NotFound:
        return {}


def tried(context: Context, given: Given) -> TryPage:
    """What the trigger would make of the payload. Writes nothing. Raises Wrong with what is wrong by field."""
    problems: dict[str, str] = {}
    trigger, marks, sent = None, None, None
    try:
        trigger, marks = read_marked(given("yaml"), "trigger")
    except InvalidInput as error:
        problems["yaml"] = _lines(error)
    try:
        sent = payload.read(given("payload").encode(), "application/json")
    except Unreadable as error:
        problems["payload"] = f"{error}"
    if problems or trigger is None or sent is None:
        raise Wrong(problems)
    return _shown(context, given, trigger, marks, sent)


def _shown(context: Context, given: Given, trigger: Trigger, marks: Marks | None, sent: Mapping[str, Any]) -> TryPage:
    try:
        found = triggers.tried(context, trigger, sent, {}, given("event"), marks)
    except InvalidInput as error:
        raise Wrong({"yaml": _lines(error)}) from error
    return replace(try_form(context, given), tried=tuple(_tried(one) for one in found), said=_said(found))


def _said(found: Sequence[TriedEvent]) -> str:
    number = sum(one.outcome == "done" for one in found)
    return f"{number} of {counted(len(found), 'event')} would be acted on. Nothing was written."


def _tried(one: TriedEvent) -> TriedShown:
    sign = _OUTCOMES[one.outcome]
    if one.outcome == "none" and one.matches:
        sign = _OUTCOMES["done"]
    given = tuple(_flat(one.given or {})) if one.matches else ()
    facts = [("Project", one.project or ""), ("Acts once for", one.key or "")] if one.matches else []
    return TriedShown(
        one.event,
        sign,
        on_pages(sentence(one.error or one.why)) if one.error or one.why else "",
        on_pages(one.would),
        tuple((name, value) for name, value in (*facts, *given) if value),
        contents_of(one.plan) if one.plan is not None else None,
    )


def _lines(error: InvalidInput) -> str:
    return "; ".join(on_pages(str(one)) for one in error.problems)
