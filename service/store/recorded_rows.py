"""A project's recorded items as a step of a run looks at them: where each is, of all; all else, of those asked for."""

from __future__ import annotations

from collections.abc import Collection, ItemsView, Iterator, Mapping, ValuesView
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.values import ItemKey, RemoteRef
from service.store import items
from service.store.database import Database
from service.store.tables import ItemRow


class Standing(NamedTuple):
    """What is read of every item: its kind, its state, and where it is."""

    kind: str
    state: str
    remote_id: str | None
    remote_key: str | None
    url: str | None


class RecordedRows(Mapping[ItemKey, ItemRow]):
    """The rows by key, as `items.rows` gives them; with those that were `released`, too, if asked for.

    Made from one small read of all; a row is read when it is looked at, and stays as it was read. Who knows which rows
    will be looked at has them read at once, by `load`.
    """

    def __init__(self, session: Session, database: Database, project: str, *, released: bool = False) -> None:
        self._database, self._project = database, project
        columns = ItemRow.key, ItemRow.kind, ItemRow.state, ItemRow.remote_id, ItemRow.remote_key, ItemRow.url
        query = select(*columns).where(ItemRow.project_id == project, items.present(released=released))
        found = session.execute(query).all()
        self._standing = {ItemKey(one.key): Standing(one.kind, one.state, *one[3:]) for one in found}
        self._read: dict[ItemKey, ItemRow] = {}

    def load(self, keys: Collection[ItemKey]) -> None:
        """Read these rows at once, those that there are."""
        missing = [key for key in keys if key in self._standing and key not in self._read]
        if not missing:
            return
        with self._database.session() as session:
            self._read |= items.some(session, self._project, missing)

    @property
    def loaded(self) -> Collection[ItemKey]:
        """The keys of the rows that were read."""
        return self._read.keys()

    def standing(self) -> Mapping[ItemKey, Standing]:
        """Where each item is, without reading rows."""
        return self._standing

    @cached_property
    def references(self) -> Mapping[ItemKey, RemoteRef]:
        """Where each item lives that has a place in the tracker."""
        found = ((key, items.reference(one)) for key, one in self._standing.items())
        return {key: ref for key, ref in found if ref is not None}

    def __getitem__(self, key: ItemKey) -> ItemRow:
        if key not in self._read:
            if key not in self._standing:
                raise KeyError(key)
            self.load([key])
        return self._read[key]

    def __contains__(self, key: object) -> bool:
        return key in self._standing

    def __iter__(self) -> Iterator[ItemKey]:
        return iter(self._standing)

    def __len__(self) -> int:
        return len(self._standing)

    def items(self) -> ItemsView[ItemKey, ItemRow]:
        """All rows by key, read at once."""
        self.load(self._standing)
        return super().items()

    def values(self) -> ValuesView[ItemRow]:
        """All rows, read at once."""
        self.load(self._standing)
        return super().values()
