"""What the batches of a look at the records do: fill sections in, and say something on a record.

Both may run again after a crash or a lost answer: the tracker writes no section twice and says nothing twice. What was
written is remembered as soon as it is, for what is ours in a record is told from people's by it. That one record cannot
be written is said and keeps nothing else from being done: nobody's work hangs on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from connectors.errors import CredentialsRefused, TrackerRefused
from connectors.records import Fill
from connectors.values import Finding, ItemKey, ObservedItem, RemoteRef, Severity
from service.domain.loop.turnover import record_number
from service.domain.plan.batches import Batch
from service.domain.plan.plan import COMMENT, OTHERWISE, SECTIONS, Change, Purpose
from service.runs import recheck
from service.runs.run_step import Work, ownership
from service.store import audits, items
from service.store.tables import AuditRow


def fill(work: Work, batch: Batch) -> None:
    """Write what is known into these records, where nobody wrote anything but us."""
    refs = {key: ref for key in batch.keys if (ref := work.ref(key)) is not None}
    before = _shown(work, refs)
    ours = [key for key, shown in before.items() if _is_as_we_left_it(work, shown)]
    with work.context.database.session() as session:
        for key in ours:  # from the write on until it is read back, the text is compared with nothing
            items.unsee(session, work.project.id, key, ("text",), work.context.now())
    done = []
    for key, ref in refs.items():
        with _refusals_told(work, key):
            if key in before:
                _fill(work, key, ref)
                done.append(key)
    after = _shown(work, {key: refs[key] for key in done})
    now = work.context.now()
    with work.context.database.session() as session:
        for key in done:
            # What we wrote is no change of people's. Where they had changed the text already, it stays theirs.
            if key in after and key in ours:
                text = {"text": after[key].fields.get("text")}
                items.seen(session, work.project.id, key, {**(work.rows[key].seen or {}), **text}, now)


def comment(work: Work, batch: Batch) -> None:
    """Say on these tickets what the plan says."""
    for key in batch.keys:
        ref, said = work.ref(key), work.changes[key].after or {}
        if ref is None:
            continue
        text, mentions = str(said[COMMENT]), [str(one) for one in said.get("mentions", ())]
        with _refusals_told(work, key):
            made = work.tracker.comment(work.place, ref, text, mentions)
            with work.context.database.session() as session:
                items.commented(session, work.project.id, key, made)
        if "clock" in said:
            with work.context.database.session() as session:
                audits.note(session, work.project.id, _number(key), nudged=str(said["clock"]))


def fills_of(change: Change) -> list[Fill]:
    """What a change of a record writes, section by section."""
    after: Mapping[str, str] = (change.after or {}).get(SECTIONS, {})
    former: Mapping[str, list[str]] = (change.before or {}).get(SECTIONS, {})
    return [Fill(heading, body, tuple(former.get(heading, ()))) for heading, body in after.items()]


def _fill(work: Work, key: ItemKey, ref: RemoteRef) -> None:
    fills = fills_of(work.changes[key])
    if work.run.kind == Purpose.REACT:
        fills = _after_others(work, key, fills)
    recheck.rely(work)  # it reads the text in the same call
    filled = work.tracker.fill(work.place, ref, fills)
    ownership().rely(None)
    bodies = {one.heading: one.body for one in fills}  # those that were left, too: they are not tried again and again
    ours = filled.digest if filled.written else None  # where all was left, the text is people's as it stands
    with work.context.database.session() as session:
        audits.note(session, work.project.id, _number(key), bodies=bodies, digest=ours)
    said = (work.changes[key].after or {}).get(OTHERWISE)
    if filled.left and said:
        made = work.tracker.comment(work.place, ref, str(said))
        with work.context.database.session() as session:
            items.commented(session, work.project.id, key, made)


def _after_others(work: Work, key: ItemKey, fills: Sequence[Fill]) -> list[Fill]:
    """The fills with what was written there since they were planned: several events come close upon one another, and
    each has with it what those before it had."""
    with work.context.database.session() as session:
        row = session.get(AuditRow, (work.project.id, _number(key)))
        written = audits.bodies(row) if row is not None else {}
    return [replace(one, former=tuple(dict.fromkeys((*one.former, *written.get(one.heading, ()))))) for one in fills]


@contextmanager
def _refusals_told(work: Work, key: ItemKey) -> Iterator[None]:
    """Turn what the tracker says against writing to this one record into a finding."""
    try:
        yield
    except CredentialsRefused:
        raise
    except TrackerRefused as error:
        work.findings.append(_not_written(work, key, error))


def _not_written(work: Work, key: ItemKey, error: TrackerRefused) -> Finding:
    message = f'The tracker refused to have "{work.changes[key].title}" written to: {error.message}'
    fix = error.fix or "See whether the record is still there, and may be edited and commented on by this account."
    return Finding(Severity.WARNING, "record-refused", message, fix, key)


def _shown(work: Work, refs: Mapping[ItemKey, RemoteRef]) -> Mapping[ItemKey, ObservedItem]:
    """How the tracker shows these records now."""
    if not refs:
        return {}
    return work.tracker.find(work.place, items.readable(work.rows.references), only=list(refs))


def _is_as_we_left_it(work: Work, shown: ObservedItem) -> bool:
    """Whether nobody changed the text since we saw it; where it was not seen again yet, we broke off filling it in."""
    seen = work.rows[shown.key].seen
    return seen is not None and ("text" not in seen or seen["text"] == shown.fields.get("text"))


def _number(key: ItemKey) -> int:
    return record_number(key) or 0  # plans to document are about records
