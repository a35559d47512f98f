"""Asks a language model about what is unclear in a record, where one is set; what it says becomes evidence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from connectors.errors import TrackerError
from connectors.network import Network
from service.domain.audit.advice import messages_for
from service.domain.audit.subject import Advice, Subject
from service.domain.audit.text_checks import unsettled
from service.settings import Settings

if TYPE_CHECKING:
    from connectors.chat import ChatClient, ChatSettings

log = logging.getLogger(__name__)

MOST_ASKED = 8
"""So many questions are asked about one record."""
_LONGEST = 8000

Advising = Callable[[Subject, Mapping[str, Advice]], Subject]
"""Gives a subject the advice on what is unclear in it; what was answered before is not asked again."""


class Model(Protocol):
    """A model that can be asked."""

    settings: ChatSettings

    def body_of(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The request that asks this."""

    def ask(self, body: str) -> str:
        """The answer. Raises TrackerError."""


@contextmanager
def advising(settings: Settings, network: Network) -> Iterator[Advising]:
    """What asks the model that the settings name, for one look. Without one it leaves all as it is, and so it does
    where the settings cannot be used or the model does not answer: that is logged, and what is unclear stays so."""
    client = _client(settings, network)
    if client is None:
        yield lambda subject, _: subject
        return
    broken: list[str] = []

    def ask(subject: Subject, before: Mapping[str, Advice]) -> Subject:
        return subject if broken else with_advice(subject, before, client, broken)

    try:
        yield ask
    finally:
        client.close()


def with_advice(subject: Subject, before: Mapping[str, Advice], model: Model, broken: list[str]) -> Subject:
    """The subject with this model's advice. A model that does not answer is not asked any more: why is put into
    `broken`."""
    found: dict[str, Advice] = {}
    for question in list(unsettled(subject))[:MOST_ASKED]:
        body = model.body_of(messages_for(question.check, question.section))
        kept = before.get(question.key)
        if kept is not None and (kept.request, kept.host) == (body, model.settings.host):
            found[question.key] = kept
            continue
        try:
            answer = model.ask(body) if not broken else None
        except TrackerError as error:
            log.warning("what is unclear stays so: %s", error)
            broken.append(str(error))
            continue
        if answer is not None:
            found[question.key] = Advice(model.settings.model, model.settings.host, body, answer[:_LONGEST])
    return replace(subject, advice=found)


def _client(settings: Settings, network: Network) -> ChatClient | None:
    if settings.judge_url is None:
        return None
    # What only those need who set a model is loaded for them alone.
    from pydantic import ValidationError

    from connectors.chat import ChatClient, ChatSettings

    try:
        chosen = ChatSettings(
            url=settings.judge_url,
            model=settings.judge_model,
            key=settings.judge_key,
            header=settings.judge_header,
            json_mode=settings.judge_json,
            tokens_field=settings.judge_tokens_field,
            extra=settings.judge_extra,
            seconds=settings.judge_seconds,
            allow_http=settings.judge_allow_http,
        )
        return ChatClient(chosen, network=network)
    except ValidationError as error:
        wrong = (f"{_variable(one['loc'])} {one['msg'].removeprefix('Value error, ')}" for one in error.errors())
        log.warning("no language model is asked: %s", "; ".join(wrong))
    except TrackerError as error:
        log.warning("no language model is asked: %s", error)
    return None


def _variable(place: Sequence[int | str]) -> str:
    """What a setting of the model is called in the environment."""
    name = str(place[0]) if place else "url"
    return f"PHASELOOP_JUDGE_{ {'json_mode': 'json'}.get(name, name).upper() }"
