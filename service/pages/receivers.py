"""Where people hear of things outside of a tracker: what is told there and how its messages stand, adding one, trying
it, and what a message would look like. Made from what each kind of receiver says of itself: none is known by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.messages import Part
from connectors.receivers import KINDS
from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.audit.shown import address
from service.domain.english import counted, sentence
from service.domain.notice import delivery_state
from service.domain.notice.kinds import MEANINGS, TITLES, NoticeKind
from service.domain.problems import InvalidInput
from service.pages.events import UTC
from service.pages.moments import Moment, moment
from service.pages.new_project import Choice, Field
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.usecases.errors import Conflict, NotFound
from service.usecases.notice import messages, receivers
from service.usecases.notice.receivers import Asked, Tried
from service.usecases.setup import projects
from service.views.notice import ReceiverView, Subscription

K = "notice."
"""Fields of kinds of notices begin so."""

_CALLED = {"url": "Address", "allow_http": "Allow plain http"}
_SECRET_HELP = (
    "Encrypted, and never shown again. It may be a reference, env:NAME or file:PATH, where the settings allow it."
)


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """What is told where: `channel` is empty where the receiver knows its one place. What takes it away is named by
    `project` and `channel`."""

    told: str
    of: str
    where: str
    project: str
    channel: str


@dataclass(frozen=True, slots=True)
class ReceiverLine:
    """A receiver in the list."""

    id: str
    name: str
    kind: str
    told: tuple[str, ...]
    sign: Sign
    counts: str
    trouble: str


@dataclass(frozen=True, slots=True)
class ReceiversPage:
    """All receivers by name, and what to look at a message of."""

    said: str
    late: bool
    rows: tuple[ReceiverLine, ...]
    projects: tuple[Choice, ...]
    notices: tuple[Choice, ...]
    kinds: str
    may_add: bool


@dataclass(frozen=True, slots=True)
class NoticeBox:
    """A kind of notice to be ticked, with when it is given."""

    name: str
    label: str
    means: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """The part of a form that says what is told: no box ticked means every kind."""

    channel: Field
    projects: Field
    boxes: tuple[NoticeBox, ...]
    error: str


@dataclass(frozen=True, slots=True)
class ReceiverKindShown:
    """A kind that can be added: its settings, those few need folded, and its credential."""

    value: str
    title: str
    chosen: bool
    secret: Field
    fields: tuple[Field, ...]
    opened: bool


@dataclass(frozen=True, slots=True)
class AddReceiverPage:
    """The form to add one with."""

    kinds: tuple[ReceiverKindShown, ...]
    name: Field
    wanted: Wanted
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TriedShown:
    """What came of a test."""

    sign: Sign
    account: str
    posted: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReceiverPage:
    """One receiver."""

    id: str
    name: str
    kind: str
    sign: Sign
    trouble: str
    facts: tuple[tuple[str, str], ...]
    added: Moment
    told: tuple[SubscriptionLine, ...]
    counts: tuple[tuple[str, str, str], ...]
    wanted: Wanted
    secret: Field
    tried: TriedShown | None
    errors: tuple[str, ...]
    may_try: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What people would be sent. `body` is the message in the form of the kind of receiver."""

    project: str
    kind: str
    title: str
    when: str
    real: bool
    parts: tuple[Part, ...]
    url: str
    link: str
    foot: str
    form: str
    body: str


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered in a form, and what is wrong with it by field."""

    values: Mapping[str, str]
    wrong: Mapping[str, str]

    def __call__(self, name: str) -> str:
        return self.values.get(name, "")

    def asked(self) -> Asked:
        """What is wanted."""
        kinds = [one.value for one in NoticeKind if self(f"{K}{one.value}")]
        named = tuple(one for one in re.split(r"[\s,;]+", self("projects")) if one)
        return Asked(self("channel"), named, kinds)


NOTHING = Entered({}, {})


def page_of(context: Context, caller: Caller) -> ReceiversPage:
    """All receivers."""
    rows = receivers.listed(context)
    open_ = sum(one.counts[delivery_state.FAILED] + one.counts[delivery_state.IN_DOUBT] for one in rows)
    there = [one for one in projects.listed(context) if one.ended_at is None]
    return ReceiversPage(
        said=_said(rows, open_),
        late=bool(open_) or any(one.trouble for one in rows),
        rows=tuple(_line(one) for one in rows),
        projects=tuple(Choice(one.id, f"{one.key} {one.name}", False) for one in there[:200]),
        notices=tuple(Choice(one.value, TITLES[one], False) for one in NoticeKind),
        kinds=" or ".join(one.title for one in KINDS.values()),
        may_add=caller.may(Permission.ADMINISTER),
    )


def add_form(entered: Entered = NOTHING) -> AddReceiverPage:
    """The form to add a receiver with."""
    chosen = entered("kind") if entered("kind") in KINDS else next(iter(KINDS))
    kinds = tuple(_kind(name, entered, chosen=name == chosen) for name in KINDS)
    name = Field("name", "Name", entered("name"), help="Left empty it is called as its kind.", longest=80)
    words = tuple(dict.fromkeys(one.channel_words for one in KINDS.values()))
    shown = {"name", "channel", "projects", "kinds"} | {
        each.name for one in kinds for each in (one.secret, *one.fields)
    }
    return AddReceiverPage(
        kinds,
        name.filled({}, entered.wrong),
        _wanted(entered, " ".join(words)),
        tuple(said for at, said in entered.wrong.items() if at not in shown),
    )


def receiver_of(
    context: Context, caller: Caller, name: str, entered: Entered = NOTHING, tried: Tried | None = None
) -> ReceiverPage:
    """One receiver, with what was entered in its forms. Raises NotFound."""
    found = receivers.get(context, name)
    kind = KINDS.get(found.kind)
    secret = Field(
        "secret",
        f"New {_lower(kind.secret_words)}" if kind is not None else "New credential",
        kind="password",
        help=_SECRET_HELP,
        longest=4000,
    )
    shown = {"channel", "projects", "kinds", "secret"}
    return ReceiverPage(
        id=found.id,
        name=found.name,
        kind=kind.title if kind is not None else found.kind,
        sign=_sign(found),
        trouble=on_pages(found.trouble),
        facts=tuple((_called(at), _value(value)) for at, value in found.settings.items()),
        added=moment(found.created_at, UTC, context.now()),
        told=tuple(_subscription(one) for one in found.subscriptions),
        counts=tuple(
            (_STATES[state], str(number), f"/deliveries?receiver={found.id}&state={state}")
            for state, number in found.counts.items()
            if number
        ),
        wanted=_wanted(entered, kind.channel_words if kind is not None else ""),
        secret=secret.filled({}, entered.wrong),
        tried=_tried(tried) if tried is not None else None,
        errors=tuple(said for at, said in entered.wrong.items() if at not in shown),
        may_try=caller.may(Permission.OPERATE),
        may_change=caller.may(Permission.ADMINISTER),
    )


def preview_of(context: Context, project: str, kind: str, form: str) -> PreviewPage:
    """What people would be sent of the newest notice of this kind. Sends nothing. Raises NotFound, InvalidInput."""
    found = messages.preview(context, project, kind, form if form in KINDS else None)
    message = found.message
    return PreviewPage(
        project=found.project,
        kind=found.kind,
        title=message.title,
        when=MEANINGS[NoticeKind(found.kind)],
        real=found.real,
        parts=tuple(_safe(one) for one in message.parts),
        url=address(message.url) or "",
        link=message.link,
        foot=message.foot,
        form=KINDS[found.receiver_kind].title,
        body=json.dumps(dict(found.body), indent=2, ensure_ascii=False),
    )


def wrong_of(error: InvalidInput | NotFound | Conflict, kind: str) -> dict[str, str]:
    """What is wrong, by the field that it is about."""
    if isinstance(error, NotFound) and error.what == "project":
        return {"projects": on_pages(f"{error.message} {error.fix}".strip())}
    if not isinstance(error, InvalidInput):
        at = "name" if error.code == "name-taken" else "receiver"
        return {at: on_pages(f"{error.message} {error.fix}".strip())}
    found: dict[str, str] = {}
    for one in error.problems:
        place = one.path.rpartition(".")[2]
        at = place if one.path.startswith("subscriptions") or place in ("name", "kind") else f"r_{kind}_{place}"
        at = "secret" if one.path == "secret" and not kind else at
        said = sentence(on_pages(f"{one.message}; {one.fix}" if one.fix else one.message))
        found[at] = f"{found[at]}; {said}" if at in found else said
    return found


def settings_of(kind: str, values: Mapping[str, str]) -> dict[str, object]:
    """The settings of a receiver of this kind, as they were entered; what was left empty is not said."""
    found: dict[str, object] = {}
    for name, _words, switch in KINDS[kind].given if kind in KINDS else ():
        value = values.get(f"r_{kind}_{name}", "").strip()
        if switch:
            found[name] = value == "yes"
        elif value:
            found[name] = value
    return found


def _safe(part: Part) -> Part:
    """The part with the links that may be followed from a page; the others are text."""
    return replace(part, lines=tuple(replace(one, url=address(one.url) or "") for one in part.lines))


_STATES = {
    delivery_state.WAITING: "Waiting",
    delivery_state.SENDING: "Being sent",
    delivery_state.IN_DOUBT: "In doubt",
    delivery_state.SENT: "Sent",
    delivery_state.FAILED: "Failed",
    delivery_state.SKIPPED: "Not sent any more",
}


def _said(rows: Sequence[ReceiverView], open_: int) -> str:
    if not rows:
        return ""
    trouble = sum(bool(one.trouble) for one in rows)
    said = counted(len(rows), "receiver")
    if trouble:
        said += f", {trouble} of them with trouble"
    return f"{said}. {counted(open_, 'message')} failed or in doubt." if open_ else f"{said}. No message failed."


def _line(one: ReceiverView) -> ReceiverLine:
    counts = ", ".join(f"{number} {_lower(_STATES[state])}" for state, number in one.counts.items() if number)
    return ReceiverLine(
        id=one.id,
        name=one.name,
        kind=_title(one.kind),
        told=tuple(" ".join(part for part in (each.told, each.of, each.where) if part)
                   for each in map(_subscription, one.subscriptions)),
        sign=_sign(one),
        counts=counts or "none yet",
        trouble=on_pages(one.trouble),
    )  # fmt: skip


def _sign(one: ReceiverView) -> Sign:
    if one.trouble:
        return Sign("bad", "bad", "Trouble")
    if one.counts[delivery_state.FAILED] or one.counts[delivery_state.IN_DOUBT]:
        return Sign("warn", "warn", "Needs a look")
    return Sign("ok", "ok", "Fine") if one.subscriptions else Sign("neutral", "neutral", "Told nothing")


def _subscription(one: Subscription) -> SubscriptionLine:
    kinds = [TITLES[NoticeKind(kind)] if kind in list(NoticeKind) else kind for kind in one.kinds]
    return SubscriptionLine(
        told="; ".join(kinds) if kinds else "Every kind of notice",
        of=f"of {one.key}" if one.project else "of all projects",
        where=f"to {one.channel}" if one.channel else "",
        project=one.project or "",
        channel=one.channel,
    )


def _wanted(entered: Entered, words: str) -> Wanted:
    channel = Field("channel", "Channel", entered("channel"), help=words)
    help_ = "Their keys, with blanks between them. Left empty it is of all projects."
    of = Field("projects", "Only of these projects", entered("projects"), help=help_, longest=2000)
    boxes = tuple(
        NoticeBox(f"{K}{one.value}", TITLES[one], sentence(MEANINGS[one]), bool(entered(f"{K}{one.value}")))
        for one in NoticeKind
    )
    return Wanted(
        channel.filled({}, entered.wrong), of.filled({}, entered.wrong), boxes, entered.wrong.get("kinds", "")
    )


def _kind(name: str, entered: Entered, *, chosen: bool) -> ReceiverKindShown:
    kind = KINDS[name]
    secret = Field(f"r_{name}_secret", kind.secret_words, kind="password", help=_SECRET_HELP, longest=4000)
    fields = tuple(one.filled({}, entered.wrong) for one in _settings(name, entered))
    opened = any(one.error or one.value not in ("", "no") for one in fields)
    return ReceiverKindShown(name, kind.title, chosen, secret.filled({}, entered.wrong), fields, opened)


def _settings(kind: str, entered: Entered) -> Iterator[Field]:
    for name, words, switch in KINDS[kind].given:
        at = f"r_{kind}_{name}"
        if switch:
            on = entered(at) == "yes"
            choices = (Choice("no", "No", not on), Choice("yes", "Yes", on))
            yield Field(at, _called(name), "yes" if on else "no", "choice", sentence(words), choices=choices)
        else:
            yield Field(at, _called(name), entered(at), help=sentence(words))


def _tried(found: Tried) -> TriedShown:
    sign = Sign("ok", "ok", "Posted") if found.ok else Sign("bad", "bad", "Not all was posted")
    posted = tuple(one or "its one place" for one in found.posted)
    return TriedShown(sign, found.account, posted, tuple(on_pages(one) for one in found.problems))


def _called(name: str) -> str:
    return _CALLED.get(name, sentence(name.replace("_", " ")))


def _title(kind: str) -> str:
    return KINDS[kind].title if kind in KINDS else kind


def _value(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
