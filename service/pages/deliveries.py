"""Messages to people: what became of each, and which can be sent again."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.access.roles import Permission
from service.domain.english import counted
from service.domain.notice import delivery_state
from service.domain.notice.kinds import TITLES, NoticeKind
from service.pages.events import UTC
from service.pages.moments import Moment, moment
from service.pages.new_project import Choice
from service.pages.remedies import on_pages
from service.pages.signs import Sign
from service.usecases.notice import messages, receivers
from service.views.notice import DeliveryView

AT_ONCE = 50

SIGNS = {
    delivery_state.WAITING: Sign("pending", "wait", "Waiting"),
    delivery_state.SENDING: Sign("live", "run", "Being sent"),
    delivery_state.IN_DOUBT: Sign("warn", "unclear", "In doubt"),
    delivery_state.SENT: Sign("ok", "ok", "Sent"),
    delivery_state.FAILED: Sign("bad", "bad", "Failed"),
    delivery_state.SKIPPED: Sign("neutral", "neutral", "Not sent any more"),
}


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A message: what it tells, to whom, what became of it. `doubt` says what to look at before it is sent again."""

    id: str
    what: str
    project: str
    to: str
    sign: Sign
    said: str
    made: Moment
    again: bool
    doubt: str


@dataclass(frozen=True, slots=True)
class DeliveriesPage:
    """Messages, newest first. `all_again` is the state of which all can be sent again, as the list is narrowed."""

    states: tuple[Choice, ...]
    receivers: tuple[Choice, ...]
    project: str
    rows: tuple[DeliveryLine, ...]
    older: str
    narrowed: bool
    state: str
    receiver: str
    all_again: str
    may_replay: bool


def page_of(
    context: Context, caller: Caller, state: str = "", receiver: str = "", project: str = "", before: str = ""
) -> DeliveriesPage:
    """Messages as they are asked for; a state that there is not counts as any. Raises NotFound."""
    state = state if state in delivery_state.STATES else ""
    named = {"state": state, "receiver": receiver, "project": project}
    found = messages.listed(
        context, AT_ONCE + 1, before or None, state=state or None, receiver=receiver or None, project=project or None
    )
    last = found[AT_ONCE - 1].id if len(found) > AT_ONCE else ""
    asked = {name: value for name, value in named.items() if value}
    replayed = state in delivery_state.REPLAYED and bool(found)
    may = caller.may(Permission.OPERATE)
    return DeliveriesPage(
        states=(
            Choice("", "All", not state),
            *(Choice(one, sign.word, one == state) for one, sign in SIGNS.items()),
        ),
        receivers=tuple(Choice(one.id, one.name, receiver in (one.id, one.name)) for one in receivers.listed(context)),
        project=project,
        rows=tuple(_line(context, one, may=may) for one in found[:AT_ONCE]),
        older=f"/deliveries?{urlencode({**asked, 'before': last})}" if last else "",
        narrowed=bool(asked or before),
        state=state,
        receiver=receiver,
        all_again=SIGNS[state].word.lower() if replayed else "",
        may_replay=may,
    )


def _line(context: Context, one: DeliveryView, *, may: bool) -> DeliveryLine:
    what = TITLES[NoticeKind(one.kind)] if one.kind in list(NoticeKind) else one.kind
    doubt = (
        "Look there first: it may have arrived, and would be there twice."
        if one.state == delivery_state.IN_DOUBT
        else ""
    )
    return DeliveryLine(
        id=one.id,
        what=what if len(one.events) == 1 else f"{what}, and {len(one.events) - 1} more in one message",
        project=one.project,
        to=f"{one.receiver} {one.channel}".strip(),
        sign=SIGNS[one.state],
        said=_said(context, one),
        made=moment(one.created_at, UTC, context.now()),
        again=may and one.state in delivery_state.REPLAYED,
        doubt=doubt,
    )


def _said(context: Context, one: DeliveryView) -> str:
    """What became of it, in a line."""
    error = on_pages(one.error)
    if one.state == delivery_state.WAITING and one.next_at is not None and one.attempts:
        again = moment(one.next_at, UTC, context.now())
        return f"Tried {counted(one.attempts, 'time')}, and again {again.near}: {error}".rstrip(": ")
    if one.state == delivery_state.SENT and one.ended_at is not None:
        return f"Sent {moment(one.ended_at, UTC, context.now()).near}."
    return error
