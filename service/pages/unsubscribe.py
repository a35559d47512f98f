"""The page on which somebody says that they want no more mails of a kind."""

from __future__ import annotations

from dataclasses import dataclass

from service.views.notice import UnsubscribeView


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """What a link is about, and whether it is wanted. `done` says that this was just changed."""

    address: str
    meaning: str
    wanted: bool
    done: bool


def page_of(view: UnsubscribeView, *, done: bool = False) -> UnsubscribePage:
    """The page of a link."""
    return UnsubscribePage(view.address, view.meaning, view.wanted, done)
