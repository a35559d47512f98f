"""Puts the Trello half together."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.trello import (
    action_routes,
    batch,
    boards,
    card_parts,
    cards,
    checklists,
    custom_fields,
    lists,
    members,
    organizations,
    search,
    tokens,
)
from sandbox.trello.deliveries import TrelloDeliveries
from sandbox.trello.router import Router
from sandbox.trello.seed import seed
from sandbox.trello.state import Trello, TrelloData

TABLES = (
    boards.table,
    lists.table,
    cards.table,
    card_parts.table,
    checklists.table,
    custom_fields.table,
    members.table,
    organizations.table,
    action_routes.table,
    search.table,
    batch.table,
    tokens.table,
)


@dataclass
class TrelloWorld:
    """A live Trello, what sends its webhooks, and what answers its routes."""

    state: Trello
    deliveries: TrelloDeliveries
    router: Router


def make_trello(clock: Clock, data: TrelloData | None = None) -> TrelloWorld:
    """A Trello with the given data, or freshly seeded."""
    state = Trello(data if data is not None else seed(clock.now()), clock)
    return TrelloWorld(state, TrelloDeliveries(state, clock), Router(state, TABLES))
