"""One bootstrap in Trello two ways, with the vendor's rate limits on: phaseloop, and one call for each thing.

The lower bound on writes is what Trello's API allows: the board, its six lists, every label, one call a card, and for
every checklist that differs from all others one call and one for each of its lines; people who are let in, one each.
The pace is what 100 calls in any 10 seconds take. The script waits ten seconds when it is refused, as scripts do.
"""

from __future__ import annotations

import time
from typing import Any

import httpx
import requests
from trello import TrelloClient
from trello.exceptions import ResourceUnavailable

from bench.common import PEOPLE, Measured, Target, build, measured, sandbox, start_counting, template
from connectors.values import Item, ItemKind
from sandbox.trello.seed import KEY, TOKEN
from service.domain.plan.plan import Plan

LISTS = 6
WINDOW = 10.0
PER_WINDOW = 100


def measure(tickets: int, latency: int) -> list[Measured]:
    """Do a bootstrap of that many tickets each way against a fresh sandbox, and count."""
    text = template(tickets)
    with sandbox() as url:
        httpx.post(f"{url}/sandbox/limits", json={"enabled": True}).raise_for_status()
        target = Target("trello", {"url": url, "key": KEY, "invite": True}, TOKEN, "Bench", create=True)
        plan, seconds = build(url, target, text, latency)
        bound = bound_of(plan)
        ours = measured(url, plan, "phaseloop", latency, seconds, bound)
        ours = _paced(ours)
        httpx.post(f"{url}/sandbox/reset", json={}).raise_for_status()
        httpx.post(f"{url}/sandbox/limits", json={"enabled": True}).raise_for_status()
        seconds = _obvious(url, plan, latency)
        return [ours, _paced(measured(url, plan, "the obvious script", latency, seconds, bound))]


def bound_of(plan: Plan) -> int:
    """The lower bound on writes for this plan's items."""
    cards = [item for item in plan.items if item.kind in (ItemKind.EPIC, ItemKind.TICKET)]
    iterations = sum(item.kind is ItemKind.ITERATION for item in plan.items)
    labels = {label for item in cards for label in item.labels} | {i.priority for i in cards if i.priority}
    checklists = {item.checklist for item in cards if item.checklist}
    lines = sum(1 + len(checklist) for checklist in checklists)
    return 1 + LISTS + len(labels) + iterations + len(cards) + lines + len(PEOPLE)


def _paced(entry: Measured) -> Measured:
    """With the time that the rate limit alone costs for the requests that were really sent."""
    sent = entry.writes + entry.reads - entry.refused
    return Measured(**{**entry.to_json(), "pace": (sent - 1) // PER_WINDOW * WINDOW})


class _Here:
    """The client's HTTP service: it knows only the vendor's address; refused for its rate, it waits and asks again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send, and again after ten seconds as often as the answer is 429."""
        while True:
            here = url.replace("https://api.trello.com", self._url)
            answer = self._session.request(method, here, timeout=60, **options)
            if answer.status_code != 429:
                return answer
            time.sleep(WINDOW)


def _obvious(url: str, plan: Plan, latency: int) -> float:
    """What a script does with the plain client: add_card, add_checklist, assign, add_label; seconds."""
    client = TrelloClient(KEY, TOKEN, http_service=_Here(url))
    start_counting(url, latency)
    started = time.monotonic()
    board = client.add_board("Bench", default_lists=False)
    lists = [board.add_list(name) for name in ("Epics", "Backlog", "Iteration", "In progress", "Review", "Done")]
    labels: dict[str, Any] = {}
    for item in plan.items:
        if item.kind in (ItemKind.EPIC, ItemKind.TICKET):
            _card(board, lists[0 if item.kind is ItemKind.EPIC else 1], item, labels)
    return time.monotonic() - started


def _card(board: Any, column: Any, item: Item, labels: dict[str, Any]) -> None:
    card = column.add_card(item.title, item.text)
    for label in item.labels:
        if label not in labels:
            labels[label] = board.add_label(label, None)
        card.add_label(labels[label])
    if item.checklist:
        card.add_checklist("Done means", list(item.checklist))
    if item.assignee:
        try:
            card.assign(item.assignee)
        except ResourceUnavailable:
            board.client.fetch_json(f"boards/{board.id}/members/{item.assignee}", "PUT", post_args={"type": "normal"})
            card.assign(item.assignee)
