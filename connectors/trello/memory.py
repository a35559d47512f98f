"""By which ids a board's own labels and further lists are known, whatever people call them now. Pure.

A name serves to find a thing the first time. From then on its id does: a list that was Done stays so when it is
renamed, and a label that says what a card is about continues to say it. What people may choose is no memory: see
`columns`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from connectors.trello.layout import ListRole
from connectors.values import Memory

FURTHER = "further"
"""By list: what it is for, where another one serves. Which ones serve is chosen, see `columns`."""
LABELS = "labels"
"""By the name that we gave or found: the label."""
TURNS = "turns"
"""By the card of an iteration: the label that says who is in it."""
GIVEN = "given"
"""By the label of an iteration: the name that we gave it last. What people call it otherwise is theirs."""
BOARD = "board"
"""The board's `name`, as it was seen last."""


class Ids:
    """What is known of one board for one project, and what of that is new since it was asked for."""

    def __init__(self, memory: Memory) -> None:
        self._known: dict[str, dict[str, Any]] = {name: dict(entries) for name, entries in memory.items()}
        self._learned: dict[str, dict[str, Any]] = {}

    def of(self, section: str) -> Mapping[str, Any]:
        """The entries of a section."""
        return self._known.get(section, {})

    @property
    def roles(self) -> dict[str, ListRole]:
        """What each further list is for; an entry of another version that says nothing to this one is passed over."""
        return {one: ListRole(role) for one, role in self.of(FURTHER).items() if role in set(ListRole)}

    @property
    def names(self) -> dict[str, str]:
        """The name by which each known label is ours."""
        return {str(identity): name for name, identity in self.of(LABELS).items()}

    def learn(self, section: str, key: str, value: Any) -> None:
        """Know this from now on."""
        if self.of(section).get(key) != value:
            self._known.setdefault(section, {})[key] = value
            self._learned.setdefault(section, {})[key] = value

    def forget(self, ids: Collection[str]) -> None:
        """Know nothing more of these lists, labels and cards, which were removed."""
        for section, entries in self._known.items():
            for key in [key for key, value in entries.items() if key in ids or value in ids]:
                del entries[key]
                self._learned.setdefault(section, {})[key] = None

    def cover(self, memory: Memory) -> bool:
        """Whether all of this is known, or was learned to be otherwise since."""
        return all(
            self.of(name).get(key) == value or key in self._learned.get(name, {})
            for name, entries in memory.items()
            for key, value in entries.items()
        )

    def renewed(self, memory: Memory) -> Ids:
        """This memory, and what was learned and not asked for yet."""
        fresh = Ids(memory)
        for section, entries in self._learned.items():
            for key, value in entries.items():
                fresh.learn(section, key, value)
        return fresh

    def taken(self) -> dict[str, dict[str, Any]]:
        """What is new since the last asking, None for what is no more."""
        learned, self._learned = self._learned, {}
        return learned
