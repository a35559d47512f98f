"""Connections: when each was read last, what uses it, how its webhook stands, and what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.registry import KINDS
from connectors.values import Severity
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted
from service.domain.hook.source import SOURCES
from service.pages import entries
from service.pages.entries import UNSHOWN, Given
from service.pages.events import UTC
from service.pages.moments import Moment, moment
from service.pages.new_project import Checked, Choice, Field, KindShown, checked_of, kinds_of
from service.pages.plan import Told, told
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.usecases.hook import registration
from service.usecases.hook.registration import Cared
from service.usecases.hook.sender import Kind
from service.usecases.overview.connecting import connection_standing, connection_standings
from service.usecases.setup import connections
from service.usecases.setup.connections import Preflight
from service.views.overview import ConnectionStanding, HookState
from service.views.setup import ConnectionCheck

_HOOKS = {
    HookState.NONE: Sign("neutral", "neutral", "Sends no events"),
    HookState.ABSENT: Sign("pending", "pending", "No webhook"),
    HookState.UNSIGNED: Sign("bad", "bad", "No secret"),
    HookState.OFF: Sign("bad", "stop", "Switched off"),
    HookState.FAILING: Sign("warn", "warn", "Failing"),
    HookState.REGISTERED: Sign("ok", "ok", "Registered"),
}
_MEANS = {
    HookState.NONE: "Trackers of this kind send no events; phaseloop looks by itself.",
    HookState.ABSENT: "Without a webhook phaseloop looks when the clock says so; with one it looks within seconds.",
    HookState.UNSIGNED: "It has no secret, so whatever is delivered is refused.",
    HookState.OFF: "It is switched off at the tracker. “Repair” switches it on.",
    HookState.FAILING: "Something was wrong with it at the last check.",
    HookState.REGISTERED: "What changes in the tracker is looked at within seconds.",
}


@dataclass(frozen=True, slots=True)
class ConnectionLine:
    """A connection: where it leads, what uses it, how it stands."""

    id: str
    name: str
    kind: str
    site: str
    projects: str
    read: Moment | None
    trouble: str
    check: Sign
    checked: Moment | None
    check_trouble: str
    hook: Sign
    lag: str


@dataclass(frozen=True, slots=True)
class ConnectionsPage:
    """All connections by name."""

    said: str
    rows: tuple[ConnectionLine, ...]
    may_add: bool


@dataclass(frozen=True, slots=True)
class HookShown:
    """The webhook of a connection. `address` is where the tracker delivers, `steps` what an administrator of the
    tracker does by hand, `own_secret` what its secret has to be where the tracker has one of its own."""

    sign: Sign
    means: str
    trouble: str
    facts: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    own_secret: str
    secret: Field
    registered: bool
    sends: bool


@dataclass(frozen=True, slots=True)
class Came:
    """What came of something that was pressed and is not to be read from our records."""

    checked: Checked | None = None
    title: str = ""
    findings: tuple[Told, ...] = ()
    steps: tuple[str, ...] = ()
    fine: str = ""
    secret: str = ""
    error: str = ""


NOTHING = Came()


@dataclass(frozen=True, slots=True)
class Change:
    """The form that changes the credential of a connection, and whether it stands open. `more` are the settings that
    can change with it."""

    secret: Field
    fields: tuple[Field, ...]
    more: tuple[Field, ...]
    unless: Field
    errors: tuple[tuple[str, str], ...]
    refused: Checked | None
    open: bool


@dataclass(frozen=True, slots=True)
class Changing:
    """What was entered to change a credential, and what came of it."""

    given: Given
    wrong: Mapping[str, str] = field(default_factory=dict)
    refused: Preflight | None = None


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """One connection. `holds` says what uses it, so that it cannot be removed."""

    id: str
    name: str
    kind: str
    site: str
    read: Moment | None
    trouble: str
    facts: tuple[tuple[str, str], ...]
    projects: tuple[str, ...]
    triggers: tuple[str, ...]
    hook: HookShown
    check: Checked | None
    checked: Moment | None
    change: Change | None
    came: Came
    may_check: bool
    may_change: bool
    holds: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A connection that has the name already: it can be changed in place."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AddPage:
    """The form to add a connection with; the same as on the page for a new project."""

    adding: tuple[KindShown, ...]
    adding_name: Field
    errors: tuple[tuple[str, str], ...]
    taken: Taken | None


def page_of(context: Context, caller: Caller) -> ConnectionsPage:
    """All connections."""
    found = connection_standings(context)
    failed = sum(one.check is not None and not one.check.ok for one in found)
    off = sum(one.hook.state in (HookState.UNSIGNED, HookState.OFF, HookState.FAILING) for one in found)
    said = f"{counted(len(found), 'connection')}. " + (
        f"The webhook of {off} needs somebody." if off else "No webhook needs anybody."
    )
    said += f" The last check of {failed} failed." if failed else ""
    rows = tuple(_line(context, one) for one in found)
    return ConnectionsPage(said, rows, caller.may(Permission.ADMINISTER))


def _line(context: Context, one: ConnectionStanding) -> ConnectionLine:
    return ConnectionLine(
        one.connection.id,
        one.connection.name,
        _title(one),
        _site(one),
        counted(len(one.projects), "project"),
        moment(one.read_at, UTC, context.now()) if one.read_at is not None else None,
        on_pages(one.trouble),
        _check_sign(one.check),
        moment(one.check.checked_at, UTC, context.now()) if one.check is not None else None,
        _check_trouble(one.check),
        _HOOKS[one.hook.state],
        _lag(context, one),
    )


def _check_sign(check: ConnectionCheck | None) -> Sign:
    if check is None:
        return Sign("pending", "pending", "Not checked")
    return Sign("ok", "ok", "Ready") if check.ok else Sign("bad", "bad", "Not ready")


def _check_trouble(check: ConnectionCheck | None) -> str:
    """The first of what blocks it; how many more do."""
    if check is None or check.ok:
        return ""
    blocking = [on_pages(one.message) for one in check.findings if one.severity is Severity.ERROR]
    return blocking[0] + (f" And {len(blocking) - 1} more." if len(blocking) > 1 else "")


def _title(one: ConnectionStanding) -> str:
    kind = KINDS.get(one.connection.kind)
    return kind.title if kind is not None else one.connection.kind


def _site(one: ConnectionStanding) -> str:
    kind = KINDS.get(one.connection.kind)
    address = str(one.connection.settings.get(kind.address_field) or "") if kind is not None else ""
    return address.removeprefix("https://").removeprefix("http://").rstrip("/")


def _lag(context: Context, one: ConnectionStanding) -> str:
    said = []
    if one.hook.waiting and one.hook.waiting_since is not None:
        since = moment(one.hook.waiting_since, UTC, context.now())
        waits = "waits" if one.hook.waiting == 1 else "wait"
        said.append(f"{counted(one.hook.waiting, 'event')} {waits}, the first since {since.text} ({since.near})")
    if one.hook.failed:
        said.append(f"{counted(one.hook.failed, 'event')} failed")
    return ", ".join(said)


# --- one connection ---------------------------------------------------------------------------------------------------


def connection_of(
    context: Context,
    caller: Caller,
    name: str,
    came: Came = NOTHING,
    wrong: str = "",
    changing: Changing | None = None,
) -> ConnectionPage:
    """One connection, and what came of a press. Raises NotFound."""
    one = connection_standing(context, name)
    now = context.now()
    shown = {"Kind": _title(one), "Added": moment(one.connection.created_at, UTC, now).text}
    settings = {key: value for key, value in one.connection.settings.items() if key not in UNSHOWN}
    shown |= {_label(key): _value(value) for key, value in settings.items() if value not in ("", None)}
    users = [*(f"the project {key}" for key in one.projects), *(f"the trigger {each}" for each in one.triggers)]
    return ConnectionPage(
        id=one.connection.id,
        name=one.connection.name,
        kind=_title(one),
        site=_site(one),
        read=moment(one.read_at, UTC, now) if one.read_at is not None else None,
        trouble=on_pages(one.trouble),
        facts=tuple(shown.items()),
        projects=one.projects,
        triggers=one.triggers,
        hook=_hook(context, one, wrong),
        check=_checked(one.check) if one.check is not None else None,
        checked=moment(one.check.checked_at, UTC, now) if one.check is not None else None,
        change=_change(one, changing) if caller.may(Permission.ADMINISTER) and one.connection.kind in KINDS else None,
        came=came,
        may_check=caller.may(Permission.OPERATE),
        may_change=caller.may(Permission.ADMINISTER),
        holds=_holds(users),
    )


def _checked(check: ConnectionCheck) -> Checked:
    """What the last check found, as it is told right after it."""
    who = f"Signed in as {check.account}. " if check.account else ""
    if check.former:
        who += f"Before, it was {check.former}: what is written from now on is written by the other account. "
    findings = tuple(told(one.severity, one.code, one.message, one.fix) for one in check.findings)
    if not check.ok:
        return Checked(_check_sign(check), f"{who if check.former else ''}What is below blocks it.", findings)
    return Checked(_check_sign(check), who.strip(), findings)


def _change(one: ConnectionStanding, changing: Changing | None) -> Change:
    kind = KINDS[one.connection.kind]
    changing = changing or Changing(Given({}))
    prefix = f"c_{kind.name}_"
    kept = {f"{prefix}{name}": _entered(name, value) for name, value in one.connection.settings.items()}
    given = Given({**kept, **changing.given.values, "c_kind": kind.name})
    shown = next(each for each in kinds_of(given, changing.wrong) if each.chosen)
    *fields, secret = shown.fields
    labels = {each.name: each.label for each in (*shown.fields, *shown.more)}
    choices = (
        Choice("leave", "Leave the former credential in place", changing.given("unchecked") != "yes"),
        Choice("yes", "Replace it all the same", changing.given("unchecked") == "yes"),
    )
    unless = Field("unchecked", "If the check fails", kind="choice", choices=choices)
    return Change(
        secret=replace(secret, label=f"New {secret.label}"),
        fields=tuple(_hidden(each) for each in fields),
        more=tuple(_hidden(each) for each in shown.more),
        unless=unless,
        errors=tuple((name, f"{labels.get(name, name)}: {words}") for name, words in changing.wrong.items()),
        refused=checked_of(changing.refused) if changing.refused is not None else None,
        open=bool(changing.wrong) or changing.refused is not None or (one.check is not None and not one.check.ok),
    )


def _entered(name: str, value: Any) -> str:
    if name in UNSHOWN:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else "" if value is None else str(value)


def _hidden(one: Field) -> Field:
    """A setting that is kept out of sight stays as it is where nothing is entered."""
    unshown = one.name.rpartition("_")[2] in UNSHOWN
    return replace(one, help=f"{one.help} Empty: it stays as it is.".strip()) if unshown else one


def _holds(users: Sequence[str]) -> str:
    if not users:
        return ""
    named = ", ".join(users[:10]) + (f" and {len(users) - 10} more" if len(users) > 10 else "")
    use = "uses" if len(users) == 1 else "use"
    return f"{named[0].upper()}{named[1:]} {use} it, so it cannot be removed. End projects and remove triggers first."


def _label(key: str) -> str:
    return {"url": "Address", "email": "Account"}.get(key, key.replace("_", " ").capitalize())


def _value(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _hook(context: Context, one: ConnectionStanding, wrong: str) -> HookShown:
    sends = one.hook.state is not HookState.NONE
    source = SOURCES.get(one.connection.kind)
    own = source.own_secret if source is not None else ""
    help_ = f"It is {own}. Encrypted, and never shown again." if own else ""
    return HookShown(
        sign=_HOOKS[one.hook.state],
        means=_MEANS[one.hook.state],
        trouble=on_pages(one.hook.trouble),
        facts=tuple(_hook_facts(context, one)) if sends else (),
        steps=tuple(_by_hand(context, one)) if sends else (),
        own_secret=own,
        secret=Field("secret", "Secret", kind="password", help=help_, error=wrong, longest=1000),
        registered=one.hook.state not in (HookState.NONE, HookState.ABSENT),
        sends=sends,
    )


def _hook_facts(context: Context, one: ConnectionStanding) -> Iterable[tuple[str, str]]:
    now = context.now()
    address = registration.address(context, Kind.CONNECTION, one.connection.id)
    if context.settings.public_url is None:
        address += " (the service was not told its own address: PHASELOOP_PUBLIC_URL)"
    yield "Delivers to", address
    checked = one.hook.checked_at
    unchecked = "never" if one.hook.state in (HookState.NONE, HookState.ABSENT) else "soon, by itself"
    yield "Checked", _when(moment(checked, UTC, now)) if checked is not None else unchecked
    last = one.hook.last_event_at
    yield "Last event", _when(moment(last, UTC, now)) if last is not None else "none yet"
    yield "Events", _lag(context, one) or "none wait, none failed"
    yield "Secrets", _secrets(context, one)


def _when(at: Moment) -> str:
    return f"{at.text} ({at.near})"


def _secrets(context: Context, one: ConnectionStanding) -> str:
    if not one.hook.secrets:
        return "none: what is delivered is refused"
    former = [moment(until, UTC, context.now()) for until in one.hook.secrets if until is not None]
    return "one is set" + (f"; the former one counts until {_when(former[0])}" if former else "")


def _by_hand(context: Context, one: ConnectionStanding) -> Iterable[str]:
    return (steps_on_pages(each) for each in registration.by_hand(context, one.connection.id))


def steps_on_pages(step: str) -> str:
    """A step for an administrator of the tracker, with the buttons of this page for commands."""
    return on_pages(step)


# --- what came of a press ---------------------------------------------------------------------------------------------


def of_check(found: Preflight) -> Came:
    """What a check of the connection found."""
    return Came(checked=checked_of(found))


def of_care(title: str, cared: Cared, fine: str) -> Came:
    """What looking after the webhook came to; `fine` is said where nothing is wrong."""
    findings = tuple(told(one.severity, one.code, one.message, one.fix) for one in cared.findings)
    steps = tuple(steps_on_pages(one) for one in cared.steps)
    return Came(title=title, findings=findings, steps=steps, fine="" if findings or steps else fine)


# --- adding one -------------------------------------------------------------------------------------------------------


def taken(context: Context, given: Given, wrong: Mapping[str, str]) -> Taken | None:
    """The connection that has the name which was entered, where that is what is wrong."""
    name = entries.connection_name(given)
    found = next((one for one in connections.listed(context) if one.name == name), None) if "c_name" in wrong else None
    return Taken(found.id, found.name) if found is not None else None


def add_form(given: Given, wrong: dict[str, str] | None = None, there: Taken | None = None) -> AddPage:
    """The form with what was entered, and what is wrong with it; `there` has the name already."""
    problems = wrong or {}
    adding = tuple(kinds_of(given, problems))
    name = Field("c_name", "Name of the connection", given("c_name"), longest=80)
    if "c_name" in problems:
        name = replace(name, error=problems["c_name"])
    labels = {one.name: one.label for kind in adding for one in (*kind.fields, *kind.more)} | {name.name: name.label}
    errors = tuple((field, f"{labels.get(field, field)}: {said}") for field, said in problems.items())
    return AddPage(adding, name, errors, there)


def has_own_secret(kind: str) -> bool:
    """Whether the tracker signs with a secret of its own, which has to be given."""
    return kind in SOURCES and bool(SOURCES[kind].own_secret)
