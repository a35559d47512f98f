"""What we send to others, as the document describes it: `webhooks` of OpenAPI 3.1, an event for each kind of notice."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import ConfigDict, Field

from connectors import receivers
from service.api.models import Shown, with_example
from service.domain.notice import examples
from service.domain.notice.kinds import MEANINGS, NoticeKind
from service.domain.notice.message import trial

FORM = "webhook"
"""The kind of receiver whose events these are."""

router = APIRouter(tags=["notices"])


def example(kind: NoticeKind) -> dict[str, Any]:
    """The event that tells of the example of a kind, made as each event is."""
    return receivers.laid_out(FORM, examples.example(kind))


class EventProject(Shown):
    """The project that an event is of, as it is called now; its id stays."""

    id: str
    key: str
    name: str


class NoticeData(Shown):
    """What happened."""

    kind: str = Field(description="The kind of notice, as people ask for it.")
    text: str = Field(description="What people read.")
    project: EventProject | None = Field(description="null: it is of none, as a test is.")
    iteration: int | None
    people: list[str] = Field(description="Who it concerns most, by handle or name.")
    run: str | None = Field(description="The run that it is about.")
    url: str = Field(description="The page that shows it; empty where there is none.")
    details: dict[str, Any] = Field(description="What else is known, by kind. More may be added.")


class NoticeEvent(Shown):
    """An event, in the form of the Standard Webhooks."""

    model_config = ConfigDict(json_schema_extra=with_example(example(NoticeKind.RUN_FAILED)))

    type: str = Field(description="What happened: `notice.` and the kind.")
    timestamp: datetime = Field(description="When it happened.")
    data: NoticeData


Id = Annotated[
    str,
    Header(alias="webhook-id", description="The event's own id, the same each time it is sent. Take each id once."),
]
Sent = Annotated[
    str,
    Header(alias="webhook-timestamp", description="When it was sent, in seconds since 1970. Refuse what is old."),
]
Signature = Annotated[
    str,
    Header(
        alias="webhook-signature",
        description="`v1,` and the base64 of an HMAC-SHA256 of `id.timestamp.body`, once for each secret.",
    ),
]

_RESPONSES: dict[int | str, dict[str, Any]] = {
    204: {"description": "Taken. Any 2xx counts."},
    410: {"description": "No events are wanted any more: the receiver is paused."},
    429: {"description": "Too many; sent again after `Retry-After`. Anything else is sent again later, for a day."},
}


EXAMPLES: dict[str, dict[str, Any]] = {}
"""One event of each type."""


def _describe(summary: str, shown: dict[str, Any]) -> None:
    name = shown["type"]
    EXAMPLES[name] = shown
    router.add_api_route(
        name,
        _told,
        methods=["POST"],
        summary=summary,
        status_code=204,
        responses=_RESPONSES,
        operation_id="".join(["on", *(part.capitalize() for part in name.replace(".", "_").split("_"))]),
    )


def _told(body: NoticeEvent, webhook_id: Id, webhook_timestamp: Sent, webhook_signature: Signature) -> None:
    """Sent to each webhook that asked for it, until it is taken, for a day."""


for _kind in NoticeKind:
    _describe(f"{MEANINGS[_kind][0].upper()}{MEANINGS[_kind][1:]}", example(_kind))
_describe("Somebody tests the webhook", receivers.laid_out(FORM, trial("webhook", examples.AT)))
