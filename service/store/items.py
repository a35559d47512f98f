"""What exists in the tracker because of us: intents before writes, references with the answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from connectors.values import Fields, ItemKey, ItemKind, RemoteRef, kind_of
from service.domain.loop.turnover import is_turn_label
from service.domain.plan.diff import UNREAD
from service.domain.plan.plan import Recorded
from service.store.tables import ItemRow

INTENDED = "intended"
"""A create was about to be sent; whether it happened is not known until its answer is recorded."""
MADE = "made"
"""It exists; its reference is known."""
REFUSED = "refused"
"""The tracker said no; it does not exist."""
RELEASED = "released"
"""We released it: it stays in the tracker and still carries our marker. Found again by that, it is again whose it was:
a person's who gave it to us, or the run's that made it. A dependency carries none: it is known by its two tickets."""

BY_RUN = "made"
"""Origin: a run of ours created it."""
BY_MARKER = "found"
"""Origin: it carries our marker; which run created it is not known."""
BY_PERSON = "given"
"""Origin: a person made it and gave it to us to keep."""


def rows(session: Session, project: str) -> dict[ItemKey, ItemRow]:
    """All items of the project by key, but those that were released."""
    found = session.scalars(select(ItemRow).where(ItemRow.project_id == project, present()))
    return {ItemKey(row.key): row for row in found}


def released(session: Session, project: str) -> dict[ItemKey, ItemRow]:
    """The items of the project that were released and that a run had made or found."""
    query = select(ItemRow).where(ItemRow.project_id == project, ItemRow.state == RELEASED, ItemRow.origin != BY_PERSON)
    return {ItemKey(row.key): row for row in session.scalars(query)}


def some(session: Session, project: str, keys: Collection[ItemKey]) -> dict[ItemKey, ItemRow]:
    """These items of the project by key, in whatever state, those that there are."""
    found: dict[ItemKey, ItemRow] = {}
    asked = list(keys)
    for start in range(0, len(asked), _AT_ONCE):
        part = ItemRow.key.in_(asked[start : start + _AT_ONCE])
        query = select(ItemRow).where(ItemRow.project_id == project, part)
        found |= {ItemKey(row.key): row for row in session.scalars(query)}
    return found


_AT_ONCE = 500


def present(*, released: bool = False) -> ColumnElement[bool]:
    """Which items are there: those that were not released, and with `released` those that a run had made or found."""
    there = ItemRow.state != RELEASED
    return there | (ItemRow.origin != BY_PERSON) if released else there


def recorded(session: Session, project: str) -> dict[ItemKey, Recorded]:
    """The project's items as the planner wants them. An intent without an answer counts as nothing recorded: the
    tracker's own marker says whether it happened."""
    return {key: record(key, row) for key, row in rows(session, project).items() if row.state != INTENDED}


def record(key: ItemKey, row: ItemRow) -> Recorded:
    """One item as the planner wants it."""
    given, theirs = row.origin == BY_PERSON, frozenset(row.theirs)
    return Recorded(key, ItemKind(row.kind), reference(row), row.wanted, row.seen, given=given, theirs=theirs)


class Located(Protocol):
    """What says where an item is."""

    @property
    def state(self) -> str: ...
    @property
    def remote_id(self) -> str | None: ...
    @property
    def remote_key(self) -> str | None: ...
    @property
    def url(self) -> str | None: ...


def reference(row: Located) -> RemoteRef | None:
    """Where the item lives, None if it does not (yet) exist."""
    if row.state not in (MADE, RELEASED) or row.remote_id is None:
        return None
    return RemoteRef(row.remote_id, row.remote_key or row.remote_id, row.url or "")


def references(found: Mapping[ItemKey, ItemRow]) -> dict[ItemKey, RemoteRef]:
    """The references of all rows that have one."""
    return {key: ref for key, row in found.items() if (ref := reference(row)) is not None}


def readable(known: Mapping[ItemKey, RemoteRef]) -> dict[ItemKey, RemoteRef]:
    """Those that a tracker shows as items of their own: epics, iterations, tickets."""
    return {key: ref for key, ref in known.items() if kind_of(key) in _READABLE}


_READABLE = frozenset({ItemKind.EPIC, ItemKind.ITERATION, ItemKind.TICKET})


def let_go_of(session: Session, project: str, keys: Collection[ItemKey]) -> dict[ItemKey, ItemRow]:
    """Those of these items that were released and stay in the tracker as far as we know, whosever they were."""
    query = select(ItemRow).where(
        ItemRow.project_id == project,
        ItemRow.key.in_(list(keys)),
        ItemRow.state == RELEASED,
        ItemRow.remote_id.is_not(None),
    )
    return {ItemKey(row.key): row for row in session.scalars(query)}


def load(session: Session, project: str, keys: Collection[ItemKey]) -> None:
    """Read these rows in one query, for a unit of work that continues to record many of them one by one."""
    known = session.info.setdefault(_LOADED, {})
    known.update({(project, key): None for key in keys})
    query = select(ItemRow).where(ItemRow.project_id == project, ItemRow.key.in_(list(keys)))
    known.update({(project, row.key): row for row in session.scalars(query)})


_LOADED = "items"


def _row(session: Session, project: str, key: ItemKey) -> ItemRow | None:
    known: dict[tuple[str, str], ItemRow | None] = session.info.get(_LOADED, {})
    place = (project, key)
    return known[place] if place in known else session.get(ItemRow, place)


def _present(session: Session, project: str, key: ItemKey) -> ItemRow:
    row = _row(session, project, key)
    if row is None:
        raise NoResultFound(f"{key} of {project} is not recorded")
    return row


def _row_or_new(session: Session, project: str, key: ItemKey, kind: ItemKind) -> ItemRow:
    row = _row(session, project, key)
    if row is None:
        row = ItemRow(project_id=project, key=key, kind=kind.value, wanted={}, problems=[], theirs=[])
        session.add(row)
        if _LOADED in session.info:
            session.info[_LOADED][project, key] = row
    return row


def intend(
    session: Session, project: str, keys: Iterable[tuple[ItemKey, ItemKind]], run: str, since: str, now: datetime
) -> None:
    """Say that these items are about to be created. Committed before the call is sent."""
    about = list(keys)
    load(session, project, [key for key, _kind in about])
    for key, kind in about:
        row = _row_or_new(session, project, key, kind)
        if row.state == RELEASED:
            row.wanted, row.seen, row.comments = {}, None, []
        row.theirs = []
        row.state, row.run_id, row.since, row.updated_at = INTENDED, run, since, now
        row.origin, row.made_by = BY_RUN, run


def made(
    session: Session,
    project: str,
    key: ItemKey,
    kind: ItemKind,
    ref: RemoteRef,
    wanted: Fields,
    run: str,
    now: datetime,
    seen: Fields | None = None,
    origin: str = BY_RUN,
) -> None:
    """Record that the item exists, where, and with which fields we wrote it.

    `made_by` of an item that was intended before stays the run that intended it; `origin` counts for others.
    """
    row = _row_or_new(session, project, key, kind)
    anew = kind is ItemKind.LINK and origin == BY_RUN  # one that was deleted and is made again has the same id
    if row.state == RELEASED and row.remote_id == ref.id and not anew:
        pass  # it is again whose it was
    elif row.state != INTENDED or row.made_by is None:
        row.origin, row.made_by = origin, run if origin == BY_RUN else None
    row.state, row.remote_id, row.remote_key, row.url = MADE, ref.id, ref.key, ref.url
    row.wanted, row.seen, row.problems, row.run_id, row.updated_at = wanted, seen, [], run, now


def refused(
    session: Session, project: str, key: ItemKey, kind: ItemKind, problems: Collection[str], run: str, now: datetime
) -> None:
    """Record that the tracker refused the item, and why."""
    row = _row_or_new(session, project, key, kind)
    row.state, row.problems, row.run_id, row.updated_at = REFUSED, list(problems), run, now


def written(session: Session, project: str, key: ItemKey, fields: Fields, run: str, now: datetime) -> None:
    """Record that these fields of an existing item were written. What was seen of them before no longer counts; until
    they are read back, what was written does, where trackers show it as it is written. A ticket that was released and
    is one of people's own since is recorded as both: whoever looks at it as ours must not take our words for theirs."""
    row = _present(session, project, key)
    _write(row, fields)
    row.run_id, row.updated_at = run, now
    if row.kind == ItemKind.GUEST and (former := _as_ours(session, row)) is not None:
        _write(former, _placing(former, fields))


def _write(row: ItemRow, fields: Fields) -> None:
    row.wanted = {**row.wanted, **fields}
    if row.seen is not None:
        row.seen = {name: value for name, value in row.seen.items() if name not in fields} | {
            name: value for name, value in fields.items() if name in row.seen and name not in UNREAD
        }


def _as_ours(session: Session, guest: ItemRow) -> ItemRow | None:
    """The same ticket as the one of ours that was released."""
    same = (ItemRow.project_id == guest.project_id, ItemRow.remote_id == guest.remote_id)
    return session.scalar(select(ItemRow).where(*same, ItemRow.state == RELEASED, ItemRow.kind == ItemKind.TICKET))


def _placing(row: ItemRow, fields: Fields) -> dict[str, Any]:
    """Of these fields of a ticket of people's own what says in which iteration it is: the rest of its labels is
    people's, and is told from what we wrote when it was ours."""
    said = {name: value for name, value in fields.items() if name != "labels"}
    if "labels" not in fields:
        return said
    kept = [one for one in row.wanted.get("labels") or () if not is_turn_label(one)]
    return {**said, "labels": [*kept, *(one for one in fields["labels"] or () if is_turn_label(one))]}


def touched(session: Session, project: str, key: ItemKey, fields: Collection[str]) -> None:
    """Record in which fields people had changed an item before what we write there goes over it: all of them. That
    stays with the item whatever is written to it later."""
    _present(session, project, key).theirs = sorted(fields)


def seen(session: Session, project: str, key: ItemKey, fields: Fields, now: datetime) -> None:
    """Record how the tracker shows an item right after we wrote it."""
    row = _present(session, project, key)
    row.seen, row.updated_at = fields, now


def shown_as(session: Session, project: str, key: ItemKey, fields: Fields, now: datetime) -> None:
    """Record how the tracker shows what was just written, where that is known without reading it back: a run that stops
    before it does must not find its own words to be people's."""
    row = _present(session, project, key)
    if row.seen is not None:
        row.seen, row.updated_at = {**row.seen, **fields}, now


def unsee(session: Session, project: str, key: ItemKey, fields: Collection[str], now: datetime) -> None:
    """Release what was seen in these fields of an existing item, because we are about to write there ourselves: until
    they are seen again, nothing in them is told for people's."""
    row = _present(session, project, key)
    if row.seen is not None:
        row.seen = {name: value for name, value in row.seen.items() if name not in fields}
        row.updated_at = now


def unwrite(session: Session, project: str, key: ItemKey, fields: Collection[str], now: datetime) -> None:
    """Release what we wrote in these fields of an existing item, because it is to be written again. What was seen
    there stays known: people's changes are told from it."""
    row = _present(session, project, key)
    row.wanted = {name: value for name, value in row.wanted.items() if name not in fields}
    row.updated_at = now


def called(session: Session, project: str, refs: Mapping[ItemKey, RemoteRef]) -> None:
    """Record what people call these items now, and where they are found."""
    load(session, project, list(refs))
    for key, ref in refs.items():
        row = _row(session, project, key)
        if row is not None and row.remote_id == ref.id:
            row.remote_key, row.url = ref.key, ref.url


def commented(session: Session, project: str, key: ItemKey, comment: str) -> None:
    """Record that a comment on the item is ours."""
    row = _present(session, project, key)
    if comment and comment not in row.comments:
        row.comments = [*row.comments, comment]


def release(session: Session, project: str, keys: Collection[ItemKey]) -> None:
    """Release items that stay in the tracker: they are no longer ours, and it is remembered that they were. What was
    never made is forgotten."""
    named = (ItemRow.project_id == project, ItemRow.key.in_(list(keys)))
    session.execute(update(ItemRow).where(*named, ItemRow.state == MADE).values(state=RELEASED))
    session.execute(delete(ItemRow).where(*named, ItemRow.state != RELEASED))
    session.info.pop(_LOADED, None)


def take_back(session: Session, project: str, keys: Collection[ItemKey]) -> None:
    """Make items that were released ours again, with all that was known of them: what people changed in between shows
    as theirs."""
    named = (ItemRow.project_id == project, ItemRow.key.in_(list(keys)))
    session.execute(update(ItemRow).where(*named, ItemRow.state == RELEASED).values(state=MADE))
    session.info.pop(_LOADED, None)


def forget(session: Session, project: str, keys: Collection[ItemKey]) -> None:
    """Forget items that are gone or were never made. What people gave us is remembered as theirs."""
    named = (ItemRow.project_id == project, ItemRow.key.in_(list(keys)))
    theirs = (ItemRow.origin == BY_PERSON, ItemRow.kind != ItemKind.LINK, ItemRow.state == MADE)
    session.execute(update(ItemRow).where(*named, *theirs).values(state=RELEASED))
    session.execute(delete(ItemRow).where(*named, or_(ItemRow.state != RELEASED, ItemRow.origin != BY_PERSON)))
    session.info.pop(_LOADED, None)
