"""A form that was sent after a session had ended, shown again to whoever sent it."""

from __future__ import annotations

from dataclasses import dataclass

from service.context import Context
from service.domain.access.identity import Caller
from service.domain.english import sentence
from service.pages.events import UTC
from service.pages.moments import Moment, moment
from service.usecases.access import kept_forms

_LONGEST_SHOWN = 400
_OF_BUTTONS = frozenset({"do", "back"})
"""Fields that say which button was pressed, and where it stood."""


@dataclass(frozen=True, slots=True)
class KeptFormPage:
    """The form. `fields` is what it is sent with, `shown` what somebody entered, in words; `lacking` are credentials to
    be entered again: name and words."""

    id: str
    action: str
    page: str
    fields: tuple[tuple[str, str], ...]
    shown: tuple[tuple[str, str], ...]
    lacking: tuple[tuple[str, str], ...]
    sent: Moment
    until: Moment


def page_of(context: Context, caller: Caller, form_id: str) -> KeptFormPage:
    """The form of that id, where this person sent it. Raises NotFound, KeyProblem."""
    found = kept_forms.get(context, caller.actor.id, form_id)
    now = context.now()
    return KeptFormPage(
        id=found.id,
        action=found.action,
        page=found.page,
        fields=tuple(found.fields.items()),
        shown=tuple(
            (_words(name), _short(value)) for name, value in found.fields.items() if value and name not in _OF_BUTTONS
        ),
        lacking=tuple((name, _words(name)) for name in found.lacking),
        sent=moment(found.sent_at, UTC, now),
        until=moment(found.until, UTC, now),
    )


def _words(name: str) -> str:
    return sentence(name.replace("_", " ").replace(".", " ").replace("-", " "))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
