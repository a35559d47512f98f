"""Who hears of what outside of the tracker: receivers, messages and what became of them, previews."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response, status

from service.api import hook_models, notice_models, openapi
from service.api.given import AUTHENTICATED, IDEMPOTENT, Given, Id, Named, Once, required_version
from service.api.pages import Asked, invalid_cursor, page
from service.api.problems import placed
from service.api.routing import CreatingRoute, JsonRoute
from service.domain.notice.kinds import NoticeKind
from service.usecases.errors import NotFound
from service.usecases.notice import hours, messages, receivers
from service.usecases.setup import projects
from service.views.notice import DeliveryView, ReceiverView

router = APIRouter(tags=["notices"], dependencies=[AUTHENTICATED], route_class=JsonRoute)
creating = APIRouter(tags=["notices"], dependencies=[AUTHENTICATED], route_class=CreatingRoute)

_NAME = {"min_length": 1, "max_length": 200, "pattern": r"^[^\x00-\x1f\x7f]+$"}
OfReceiver = Annotated[str | None, Query(description="Only those to this receiver (id or name).", **_NAME)]
OfProject = Annotated[str | None, Query(description="Only those of this project (id or key).", **_NAME)]


@router.get(
    "/receivers",
    operation_id="listReceivers",
    summary="List the receivers",
    response_model=notice_models.ReceiverList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_receivers(context: Given) -> dict[str, Any]:
    """All by name, with what is told there and how their messages stand."""
    return {"items": [one.to_json() for one in receivers.listed(context)], "next": None}


@creating.post(
    "/receivers",
    operation_id="addReceiver",
    summary="Add a receiver",
    status_code=status.HTTP_201_CREATED,
    response_model=notice_models.Receiver,
    dependencies=[IDEMPOTENT],
    responses={
        201: {"headers": openapi.location_header("receiver") | openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "name-taken", "not-found"),
    },
)
def add_receiver(body: notice_models.NewReceiver, context: Given, once: Once, response: Response) -> dict[str, Any]:
    """Keeps the settings, and the credential encrypted. Nothing is sent: see the test for that."""

    def add() -> str:
        secret = body.secret.get_secret_value()
        asked = _asked(body.subscriptions)
        return receivers.add(context, body.name, body.kind, body.settings, secret, asked).id

    with placed(lambda problem: problem.pointer):
        number = once(add)
    response.headers["Location"] = f"/api/v1/receivers/{number}"
    return receivers.get(context, number).to_json()


@router.get(
    "/receivers/{name}",
    operation_id="getReceiver",
    summary="Show a receiver",
    response_model=notice_models.Receiver,
    responses={
        200: {"headers": openapi.etag_header("receiver")},
        **openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
    },
)
def get_receiver(name: Named, context: Given, response: Response) -> dict[str, Any]:
    """The receiver without its credential. Its version counts what people change of it, not its messages."""
    return _tagged(response, receivers.get(context, name))


@creating.patch(
    "/receivers/{name}",
    operation_id="changeReceiver",
    summary="Change a receiver",
    response_model=notice_models.Receiver,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.etag_header("receiver") | openapi.REPLAYED},
        **openapi.problems(
            *openapi.ALWAYS,
            *openapi.BODY,
            *openapi.IDEMPOTENCY,
            "not-found",
            "version-mismatch",
            "precondition-required",
            "credential-unreadable",
        ),
    },
)
def change_receiver(
    name: Named,
    body: notice_models.ReceiverChange,
    context: Given,
    once: Once,
    response: Response,
    if_match: Annotated[str | None, Header(description="The ETag that was read; without it nothing is done.")] = None,
) -> dict[str, Any]:
    """What is given is written anew: the subscriptions all of them, the settings with a new credential only."""

    def change() -> str:
        present = receivers.get(context, name)
        version = required_version(if_match, present.version)
        return receivers.change(
            context,
            present.id,
            settings=body.settings,
            secret=body.secret.get_secret_value() if body.secret is not None else None,
            asked=_asked(body.subscriptions) if body.subscriptions is not None else None,
            paused=body.paused,
            expected_version=version,
        ).id

    with placed(lambda problem: problem.pointer):
        number = once(change)
    return _tagged(response, receivers.get(context, number))


@creating.delete(
    "/receivers/{name}",
    operation_id="removeReceiver",
    summary="Remove a receiver",
    response_model=hook_models.Removed,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "invalid-input"),
    },
)
def remove_receiver(name: Named, context: Given, once: Once) -> dict[str, Any]:
    """With its credential. What was not sent to it is not sent any more."""
    return {"id": once(lambda: receivers.remove(context, name))}


@creating.post(
    "/receivers/{name}/test",
    operation_id="testReceiver",
    summary="Post a test message",
    response_model=notice_models.ReceiverTried,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(
            *openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "invalid-input", "credential-unreadable"
        ),
    },
)
def test_receiver(name: Named, context: Given, once: Once) -> dict[str, Any]:
    """Posts to each of its channels, and says what was wrong where that did not work."""
    found: list[receivers.Tried] = []

    def post() -> str:
        found.append(receivers.test(context, name))
        return found[0].receiver.id

    number = once(post)
    return (found[0] if found else receivers.Tried(receivers.get(context, number), "")).to_json()


@router.get(
    "/deliveries",
    operation_id="listDeliveries",
    summary="List the messages that were made",
    response_model=notice_models.DeliveryPage,
    responses={200: {"headers": openapi.LINK}, **openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input")},
)
def list_deliveries(
    request: Request,
    response: Response,
    context: Given,
    asked: Asked,
    state: Annotated[notice_models.State | None, Query(description="Only those in this state.")] = None,
    receiver: OfReceiver = None,
    project: OfProject = None,
) -> dict[str, Any]:
    """Newest first, with what became of each."""

    def read(limit: int) -> list[DeliveryView]:
        if asked.after is not None:
            try:
                messages.get(context, asked.after)
            except NotFound:
                raise invalid_cursor() from None
        return messages.listed(context, limit, asked.after, state=state, receiver=receiver, project=project)

    return page(request, response, asked, read, lambda row: row.id, lambda row: row.to_json())


@router.get(
    "/deliveries/{message_id}",
    operation_id="getDelivery",
    summary="Show a message and what became of it",
    response_model=notice_models.Delivery,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def get_delivery(message_id: Id, context: Given) -> dict[str, Any]:
    """The message as its list has it."""
    return messages.get(context, message_id).to_json()


@creating.post(
    "/deliveries/{message_id}/replay",
    operation_id="replayDelivery",
    summary="Send a message again",
    response_model=notice_models.Delivery,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.IDEMPOTENCY, "not-found", "invalid-input", "conflict"),
    },
)
def replay_delivery(message_id: Id, context: Given, once: Once) -> dict[str, Any]:
    """One that failed, is in doubt or was skipped. Look into the channel first whether one in doubt is there."""
    number = once(lambda: messages.replay(context, message_id).id)
    return messages.get(context, number).to_json()


@creating.post(
    "/deliveries/replay",
    operation_id="replayDeliveries",
    summary="Send many messages again",
    response_model=hook_models.Replayed,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found"),
    },
)
def replay_deliveries(body: notice_models.DeliveryReplay, context: Given, once: Once) -> dict[str, Any]:
    """All messages in a state, those that failed unless another is named."""

    def again() -> str:
        found = messages.replay_all(context, state=body.state, receiver=body.receiver, project=body.project)
        return str(found)

    return {"count": int(once(again))}


@router.get(
    "/projects/{name}/notices/{kind}",
    operation_id="previewNotice",
    summary="Show what people would be sent",
    response_model=notice_models.Preview,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def preview_notice(
    name: Named,
    kind: Annotated[NoticeKind, Path(description="The kind of notice.")],
    context: Given,
    form: Annotated[
        str | None, Query(alias="as", description="In the form of this kind of receiver; else of the first.", **_NAME)
    ] = None,
) -> dict[str, Any]:
    """The message of the newest notice of this kind in a project; where there was none, an example. Sends nothing."""
    return messages.preview(context, name, kind.value, form).to_json()


@router.get(
    "/projects/{name}/notice-hours",
    operation_id="getNoticeHours",
    summary="Show when people are written to",
    response_model=notice_models.NoticeHours,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def get_notice_hours(name: Named, context: Given) -> dict[str, Any]:
    """Quiet hours and days of a project. Without any, people are written to at all hours."""
    return hours.get(context, name).to_json()


@creating.put(
    "/projects/{name}/notice-hours",
    operation_id="setNoticeHours",
    summary="Set when people are written to",
    response_model=notice_models.NoticeHours,
    dependencies=[IDEMPOTENT],
    responses={
        200: {"headers": openapi.REPLAYED},
        **openapi.problems(*openapi.ALWAYS, *openapi.BODY, *openapi.IDEMPOTENCY, "not-found"),
    },
)
def set_notice_hours(name: Named, body: notice_models.NoticeHoursAsked, context: Given, once: Once) -> dict[str, Any]:
    """All of it anew. What is due while it is quiet waits until that ends; programs are told at all hours."""

    def put() -> str:
        hours.put(context, name, body.quiet_from, body.quiet_to, body.days_off, body.stand_up)
        return projects.get(context, name).id

    with placed(lambda problem: problem.pointer):
        number = once(put)
    return hours.get(context, number).to_json()


def _asked(given: Sequence[notice_models.SubscriptionAsked]) -> list[receivers.Asked]:
    return [receivers.Asked(one.channel, tuple(one.projects), tuple(one.kinds)) for one in given]


def _tagged(response: Response, found: ReceiverView) -> dict[str, Any]:
    response.headers["ETag"] = f'"{found.version}"'
    return found.to_json()
