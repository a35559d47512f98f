"""Receivers: where people hear of things, added with a credential that is never shown again, and what is told there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors import receivers as registry
from connectors.errors import TrackerError
from connectors.receiving import Receiver
from service.context import Context
from service.domain.commands import typed
from service.domain.notice import delivery_state
from service.domain.notice.kinds import NoticeKind
from service.domain.notice.message import trial
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import meant, one_of
from service.references import ReferenceProblem
from service.store import deliveries, unsubscribes
from service.store.notice_tables import DeliveryRow, ReceiverRow
from service.store.secrets import new_id
from service.store.tables import ProjectRow
from service.usecases import ids
from service.usecases.errors import Conflict, NotFound
from service.usecases.notice.unsubscribing import NEEDED
from service.usecases.setup import projects
from service.views.notice import ReceiverView, Subscription

_ADD = "Add one with `phaseloop notify add`."
LONGEST_ANSWER = 30.0
"""Seconds that an answer is waited for: far less than one process has a receiver for itself."""

_PUBLIC = "Set PHASELOOP_PUBLIC_URL to the address by which people reach this service."
_REMOVED = "The receiver was removed."
BY_HAND = "Somebody paused it."
_PAUSED = "The receiver was paused."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted in a channel: of which projects (by name; none: all) and of which kinds (none: all)."""

    channel: str = ""
    projects: Sequence[str] = ()
    kinds: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test: who we are there, the channels that a message was posted to, and what was wrong, each with
    what to do."""

    receiver: ReceiverView
    account: str
    posted: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether every channel has the message."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "receiver": self.receiver.name,
            "account": self.account,
            "ok": self.ok,
            "posted": list(self.posted),
            "problems": list(self.problems),
        }


def add(
    context: Context, name: str, kind: str, settings: Mapping[str, Any], secret: str, asked: Sequence[Asked]
) -> ReceiverView:
    """Add a receiver. Nothing is sent. The credential may be a reference, which is followed at each use. What happened
    before is not told.

    Raises InvalidInput with every problem; NotFound for a project; Conflict if the name is taken.
    """
    checked, plain = _validated(context, name, kind, settings, secret.strip(), new=True)
    wanted = _subscriptions(context, kind, checked, plain, asked or [Asked()])
    now = context.now()
    with context.database.session() as session:
        if session.scalar(select(ReceiverRow.id).where(ReceiverRow.name == name)) is not None:
            raise Conflict(
                "name-taken",
                f"There is a receiver {name!r} already.",
                f"Choose another name, or change it: phaseloop notify set {typed(name)}",
            )
        row = ReceiverRow(
            id=new_id("rcv"),
            name=name,
            kind=kind,
            settings=checked,
            secret=context.vault.seal(secret.strip()),
            subscriptions=wanted,
            version=1,
            holder="",
            trouble="",
            created_at=now,
            updated_at=now,
        )
        session.add(row)
        context.done(session, row.id)
    return view(context, row)


def change(
    context: Context,
    name: str,
    *,
    settings: Mapping[str, Any] | None = None,
    secret: str | None = None,
    asked: Sequence[Asked] | None = None,
    paused: bool | None = None,
    expected_version: int | None = None,
) -> ReceiverView:
    """Change a receiver: what is given is written anew, what is None stays. A new address takes a new credential: kept,
    the old one could be led elsewhere. What happens while it is paused is not told, nor is what was to be sent.

    Raises InvalidInput, NotFound; Conflict where it is not of the version that was expected.
    """
    present = stored(context, name)
    if settings is not None and secret is None and dict(settings) != present.settings:
        message = "is needed anew where the settings change: kept, it could be led to another address"
        raise InvalidInput([Problem("receiver", None, "secret", message)])
    kept = secret.strip() if secret is not None else context.vault.kept(present.secret)
    wished = present.settings if settings is None else settings
    checked, plain = _validated(context, present.name, present.kind, wished, kept)
    wanted = present.subscriptions
    if asked is not None:
        wanted = _subscriptions(context, present.kind, checked, plain, asked)
    elif secret is not None:
        _fitting(present.kind, checked, plain, wanted)
    with context.database.session() as session:
        row = session.get(ReceiverRow, present.id, with_for_update=True, populate_existing=True)
        if row is None or row.version != (present.version if expected_version is None else expected_version):
            raise Conflict("version-mismatch", f"The receiver {present.name!r} was changed meanwhile.", "Try again.")
        row.settings, row.subscriptions = checked, wanted
        if secret is not None:
            row.secret = context.vault.seal(kept)
        row.version, row.updated_at, row.next_at, row.trouble = row.version + 1, context.now(), None, ""
        if paused is not None and paused != bool(row.paused):
            row.paused = BY_HAND if paused else ""
            if paused:
                _skip_waiting(session, row.id, context.now())
        context.done(session, row.id)
    return view(context, row)


def pause_unwanted(context: Context, number: str, why: str) -> None:
    """Pause a receiver that says itself that it wants no messages any more. What was to be sent to it is skipped."""
    with context.database.session() as session:
        row = session.get(ReceiverRow, number, with_for_update=True, populate_existing=True)
        if row is not None and not row.paused:
            row.paused, row.version, row.updated_at = why, row.version + 1, context.now()
            _skip_waiting(session, number, context.now())


def _skip_waiting(session: Session, number: str, now: datetime) -> None:
    """What is being sent, or looked for, is left to whoever does that."""
    waiting = DeliveryRow.receiver_id == number, DeliveryRow.state == delivery_state.WAITING
    deliveries.skip_open(session, waiting, _PAUSED, now)


def subscribe(context: Context, name: str, asked: Asked, *, off: bool = False) -> ReceiverView:
    """Write one subscription of a receiver anew, that of these projects to this channel, or with `off` take it away;
    the others stay. Raises as `change` does, NotFound for a subscription that is to be taken away."""
    row = stored(context, name)
    plain = context.vault.open(row.secret)
    if off:
        of = set(_project_ids(context, asked.projects))
        kept = [
            one for one in row.subscriptions if one["project"] not in of or asked.channel not in ("", one["channel"])
        ]
        if len(kept) == len(row.subscriptions):
            fix = f"`phaseloop notify show {typed(row.name)}` says what there is."
            raise NotFound("subscription", ", ".join(asked.projects) or "of all projects", fix)
    else:
        new = _subscriptions(context, row.kind, row.settings, plain, [asked])
        places = {(one["project"], one["channel"]) for one in new}
        kept = [one for one in row.subscriptions if (one["project"], one["channel"]) not in places] + new
    with context.database.session() as session:
        present = session.get(ReceiverRow, row.id, with_for_update=True, populate_existing=True)
        if present is None or present.version != row.version:
            raise Conflict("version-mismatch", f"The receiver {row.name!r} was changed meanwhile.", "Try again.")
        present.subscriptions, present.version, present.updated_at = kept, row.version + 1, context.now()
        context.done(session, row.id)
    return view(context, present)


def remove(context: Context, name: str) -> str:
    """Remove a receiver with its credential; its id. What was not sent is not sent any more. Raises NotFound."""
    number = stored(context, name).id
    with context.database.session() as session:
        row = session.get(ReceiverRow, number)
        if row is not None:
            session.delete(row)
        deliveries.leave(session, number, _REMOVED, context.now())
        context.done(session, number)
    return number


def get(context: Context, name: str) -> ReceiverView:
    """The receiver of that id or name. Raises NotFound."""
    return view(context, stored(context, name))


def listed(context: Context) -> list[ReceiverView]:
    """All receivers by name."""
    with context.database.session() as session:
        rows = list(session.scalars(select(ReceiverRow).order_by(ReceiverRow.name)))
    return [view(context, row) for row in rows]


def stored(context: Context, name: str) -> ReceiverRow:
    """As `get`, with the credential. Raises NotFound."""
    with context.database.session() as session:
        row = session.scalar(select(ReceiverRow).where(or_(ReceiverRow.id == name, ReceiverRow.name == name)))
        row = row or session.get(ReceiverRow, ids.whole(session, ReceiverRow.id, name, "receivers"))
        if row is None:
            known = session.scalars(select(ReceiverRow.name)).all()
            fix = "`phaseloop notify list` names those there are." if known else _ADD
            raise NotFound("receiver", name, fix, known)
    return row


def reached(context: Context, row: ReceiverRow) -> Receiver:
    """The receiver itself, to be closed after use. Raises KeyProblem, InvalidReceiver, NetworkMisconfigured."""
    if registry.KINDS[row.kind].unsubscribes and context.settings.public_url is None:
        raise registry.InvalidReceiver([("kind", NEEDED)])
    secret = context.vault.open(row.secret)
    timeout = min(context.settings.tracker_timeout, LONGEST_ANSWER)
    return registry.connect(row.kind, row.settings, secret, timeout=timeout, network=context.network)


def test(context: Context, name: str) -> Tried:
    """Post a test to every channel of a receiver, once. Raises NotFound, KeyProblem."""
    row = stored(context, name)
    tried = _tried(context, row)
    with context.database.session() as session:
        context.done(session, row.id)
    return tried


def _tried(context: Context, row: ReceiverRow) -> Tried:
    seen = view(context, row)
    channels = list(dict.fromkeys(one.channel for one in seen.subscriptions))
    posted, problems, account = [], [], ""
    try:
        receiver = reached(context, row)
    except (TrackerError, registry.InvalidReceiver) as error:
        return Tried(seen, "", (), (str(error),))
    try:
        account = receiver.whoami()
        for channel in channels:
            try:
                receiver.send(channel, trial(row.name, context.now()), new_id("tst"))
                posted.append(channel)
            except TrackerError as error:
                problems.append(f"{channel}: {error}" if channel else str(error))
    except TrackerError as error:
        problems.append(str(error))
    finally:
        receiver.close()
    return Tried(seen, account, tuple(posted), tuple(problems))


def view(context: Context, row: ReceiverRow) -> ReceiverView:
    """A receiver as doors show it, with how its messages stand."""
    with context.database.session() as session:
        keys = dict(session.execute(select(ProjectRow.id, ProjectRow.key)).all())
        found = deliveries.counts(session, row.id)
    counted = {state: found.get(state, 0) for state in delivery_state.STATES}
    wanted = tuple(
        Subscription(
            project=one["project"],
            key=keys.get(one["project"] or "", one["project"] or ""),
            kinds=tuple(one["kinds"]),
            channel=one["channel"],
        )
        for one in row.subscriptions
    )
    return ReceiverView.of(row, wanted, counted, _unsubscribed(context, row))


def _unsubscribed(context: Context, row: ReceiverRow) -> list[tuple[str, str]]:
    if not registry.KINDS[row.kind].unsubscribes:
        return []
    with context.database.session() as session:
        unwanted = unsubscribes.unwanted(session)
    channels = dict.fromkeys(one["channel"] for one in row.subscriptions)
    return [(one, kind.value) for one in channels for kind in NoticeKind if (one.casefold(), kind.value) in unwanted]


def _validated(
    context: Context, name: str, kind: str, settings: Mapping[str, Any], secret: str, *, new: bool = False
) -> tuple[dict[str, Any], str]:
    problems = []
    if not name or len(name) > 80 or not name.isprintable():
        problems.append(Problem("receiver", None, "name", "must be 1 to 80 printable characters"))
    if new and kind in registry.KINDS and registry.KINDS[kind].unsubscribes and context.settings.public_url is None:
        problems.append(Problem("receiver", None, "kind", NEEDED, _PUBLIC))
    checked: dict[str, Any] = {}
    try:
        secret = context.vault.resolved(secret)
        checked = registry.validated(kind, settings, secret)
    except ReferenceProblem as error:
        problems.append(Problem("receiver", None, "secret", str(error)))
    except registry.InvalidReceiver as error:
        problems += [Problem("receiver", None, _place(kind, path), message) for path, message in error.problems]
    if problems:
        raise InvalidInput(problems)
    return checked, secret


def _place(kind: str, path: str) -> str:
    """Settings are a level deeper in what was given, and the credential has its own place."""
    if path == "kind":
        return path
    return "secret" if path == registry.KINDS[kind].secret_field else f"settings.{path}"


def _subscriptions(
    context: Context, kind: str, settings: Mapping[str, Any], secret: str, asked: Sequence[Asked]
) -> list[dict[str, Any]]:
    """The subscriptions as they are stored. Raises InvalidInput with every problem, NotFound for a project."""
    problems = []
    found: dict[tuple[str | None, str], dict[str, Any]] = {}
    known = [one.value for one in NoticeKind]
    for number, one in enumerate(asked):
        path = f"subscriptions[{number}]"
        for kind_asked in one.kinds:
            if kind_asked not in known:
                fix = meant(kind_asked, known) or one_of(known)
                problems.append(Problem("receiver", None, f"{path}.kinds", f"there is no notice {kind_asked!r}", fix))
        channel = one.channel.strip()
        try:
            channel = registry.checked_channel(kind, settings, secret, channel)
        except registry.InvalidReceiver as error:
            problems += [Problem("receiver", None, f"{path}.{name}", message) for name, message in error.problems]
        for project in _project_ids(context, one.projects):
            kinds = [name for name in known if name in one.kinds]
            found[project, channel] = {"project": project, "kinds": kinds, "channel": channel}
    if problems:
        raise InvalidInput(problems)
    return list(found.values())


def _project_ids(context: Context, names: Sequence[str]) -> list[str | None]:
    """The ids of projects; None, which stands for all, where none is named."""
    return [projects.get(context, name).id for name in names] if names else [None]


def _fitting(kind: str, settings: Mapping[str, Any], secret: str, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Raises InvalidInput where a new credential does not go with the channels that there are."""
    for one in wanted:
        try:
            registry.checked_channel(kind, settings, secret, one["channel"])
        except registry.InvalidReceiver as error:
            raise InvalidInput(
                [Problem("receiver", None, f"subscriptions.{name}", message) for name, message in error.problems]
            ) from None
