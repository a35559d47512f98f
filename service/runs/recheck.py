"""The look right before a write: what people changed since the plan was made is theirs, and is not written.

One bulk read for a batch, field by field (see `domain.conflicts`). What is left is a finding for people, and is kept
with the run, so that what comes after (reading back, closing, recording) does not take it for written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from connectors.errors import (
    CredentialsRefused,
    FieldProblem,
    ItemRejected,
    NotVisible,
    TrackerError,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.values import (
    Fields,
    Finding,
    Item,
    ItemKey,
    ObservedItem,
    RemoteRef,
    Severity,
    kind_of,
)
from service.domain.loop.turnover import STATUS, record_number
from service.domain.plan import conflicts
from service.domain.plan.conflicts import Conflict, Shown, Verdict, Writing
from service.domain.plan.diff import baseline
from service.domain.plan.field_words import names_in
from service.domain.plan.plan import Change, Purpose, Reason, Recorded
from service.runs.ownership import LookTooOld
from service.runs.run_step import Work, ownership
from service.store import items
from service.store.tables import RunRow

LOOKS = 50
"""So often a batch looks again because its writes had to wait; then its step ends, and is done again later."""

CODES = {
    conflicts.Kind.CHANGED: "changed-meanwhile",
    conflicts.Kind.GONE: "gone-meanwhile",
    conflicts.Kind.ARCHIVED: "archived-meanwhile",
    conflicts.Kind.DONE: "done-meanwhile",
    conflicts.Kind.BEGUN: "begun-meanwhile",
    conflicts.Kind.EMPTIED: "emptied-meanwhile",
}

_NAMED_AT_MOST = 3
"""How many items a finding about several names."""

_AGAIN = {
    Purpose.APPLY: "Plan again: the new plan keeps what people changed, shows it as drift, and does what is left.",
    Purpose.UNDO: "Undo again: the new plan keeps what people changed, and takes back what is left.",
    Purpose.REMOVE: "Look at it in the tracker, and change it by hand if it is not meant.",
    Purpose.ADVANCE: "Nothing needs to be done if it is meant; what people changed stays theirs.",
    Purpose.DOCUMENT: "Nothing needs to be done if it is meant; the next look reads the record again.",
    Purpose.REACT: "Nothing needs to be done if it is meant; what people changed stays theirs.",
}


def holds(work: Work, looked: datetime) -> bool:
    """Whether a look that was begun then is still relied on: writing a batch may take longer. Trackers have no
    conditional write, so what somebody saves in between can be lost."""
    return (work.context.now() - looked).total_seconds() <= work.context.settings.look_seconds


def rely(work: Work) -> None:
    """Have the writes of this batch rely on what was just seen: one that has to wait for longer than a look holds is
    not sent, and the batch looks again (see `again`)."""
    ownership().rely(work.context.settings.look_seconds)


def again(work: Work, action: Callable[[], None]) -> None:
    """Do what looks and then writes; where the look ceased to hold before all was written, do it again. What was
    written by then it finds written. Raises TrackerUnavailable where it never comes to an end."""
    for _ in range(LOOKS):
        try:
            action()
        except LookTooOld:
            work.reload()
            continue
        finally:
            work.findings = [one for at, one in enumerate(work.findings) if one not in work.findings[:at]]
            ownership().rely(None)
        return
    message = "The tracker lets no write through right after a look at what is to be written."
    raise TrackerUnavailable(
        message, fix="Wait until it is less busy, or let a look hold longer: PHASELOOP_LOOK_SECONDS."
    )


@contextmanager
def refusals_told(work: Work, item: Item) -> Iterator[None]:
    """Turn what the tracker says against this one item into a finding: it stops nothing else. That the account itself
    is refused stops everything."""
    try:
        yield
    except CredentialsRefused:
        raise
    except NotVisible as error:
        report(work, [Conflict(item.key, conflicts.Kind.GONE, conflicts.WHOLE)], error.message)
    except TrackerRefused as error:
        problems = [str(problem) for problem in error.problems] if isinstance(error, ItemRejected) else []
        work.findings.append(refusal(item, problems or [error.message]))


def created_again(items: Sequence[Item]) -> list[Finding]:
    """That these are created once more, because the first try got no answer and left nothing that could be found: one
    that somebody deleted in between is back, which nothing else tells."""
    if not items:
        return []
    one = len(items) == 1
    named = ", ".join(f'"{item.title}"' for item in items[:_NAMED_AT_MOST])
    named += f" and {len(items) - _NAMED_AT_MOST} more" if len(items) > _NAMED_AT_MOST else ""
    message = f"No answer came to the creation of {named}, and {'it is' if one else 'they are'} not in the tracker: "
    message += f"{'it is' if one else 'they are'} created now."
    fix = "Nothing needs to be done, unless somebody deleted one of them in between: then delete it again."
    return [Finding(Severity.INFO, "created-again", message, fix, items[0].key)]


def refusal(item: Item, problems: Sequence[str]) -> Finding:
    """That the tracker refused an item, and why."""
    return Finding(
        Severity.ERROR,
        "item-refused",
        f'The tracker refused "{item.title}": ' + "; ".join(problems),
        "Fix what it names (in the template, the team, the project's screens, or what somebody deleted or completed "
        "meanwhile), plan again and apply: only what is missing will be done.",
        item.key,
    )


def judge(work: Work, names: Mapping[ItemKey, Sequence[str]]) -> dict[ItemKey, tuple[Verdict, ObservedItem | None]]:
    """Read these items, in one bulk read, and say which of their fields are to be written. What is left is reported.
    With each comes the item as the tracker shows it now."""
    if not names:
        return {}
    now = _read(work, names)
    known = [work.plan.known, work.rows.references]
    verdicts = {}
    over: dict[ItemKey, Collection[str]] = {}
    for key, fields in names.items():
        item, record = work.desired[key], _recorded(work, key)
        writing = Writing(
            work.changes[key], fields, item.fields(), work.tracker.written_as(work.place, item), record.wanted
        )
        verdict, shown = conflicts.judged(writing, _then(work, key, record), now.get(key), known), now.get(key)
        verdicts[key] = verdict, shown
        if shown is not None and key in work.rows and not is_given_back(work.changes[key]):
            over[key] = conflicts.written_over(writing, record, shown, verdict, known)
    _remember_people(work, over)
    found = [conflict for verdict, _ in verdicts.values() for conflict in verdict.conflicts]
    report(work, found, cleared=names)
    return verdicts


def _remember_people(work: Work, over: Mapping[ItemKey, Collection[str]]) -> None:
    """Keep with the items that people had changed these fields, before what we write there goes over it. What is
    restored is as planned again because a person asks for it: that is nobody's any more."""
    restored = {key for key in over if work.changes[key].reason is Reason.RESTORED}
    kept = {
        key: sorted(
            {*work.rows[key].theirs} - {*work.changes[key].changed}
            if key in restored
            else {*work.rows[key].theirs, *names}
        )
        for key, names in over.items()
    }
    news = {key: names for key, names in kept.items() if names != sorted(work.rows[key].theirs)}
    if not news:
        return
    with work.context.database.session() as session:
        for key, names in news.items():
            items.touched(session, work.project.id, key, names)
    work.reload()


def judge_status(work: Work, keys: Sequence[ItemKey]) -> dict[ItemKey, Verdict]:
    """The same for what is brought to another status: which of these items are, and which stand so already."""
    if not keys:
        return {}
    now = _read(work, keys)
    known = [work.plan.known, work.rows.references]
    verdicts = {}
    over: dict[ItemKey, Collection[str]] = {}
    for key in keys:
        then = _then(work, key, _recorded(work, key))
        grounds = ("text",) if record_number(key) is not None and key in work.plan.observed else ()
        shown = now.get(key)
        verdicts[key] = conflicts.judged_status(work.changes[key], then, shown, known, grounds)
        row = work.rows.get(key)
        brought = row is not None and shown is not None and shown.status != row.wanted.get(STATUS, "todo")
        if brought and verdicts[key].write:
            over[key] = (STATUS,)  # there by people, who had begun or reopened it
    _remember_people(work, over)
    report(
        work,
        [one for verdict in verdicts.values() for one in verdict.conflicts],
        cleared=dict.fromkeys(keys, (STATUS,)),
    )
    return verdicts


def kept_status(change: Change, problems: Sequence[FieldProblem]) -> Finding:
    """That the tracker did not bring a ticket to the status that was planned, and why."""
    wanted = (change.after or {})[STATUS]
    done = {"done": "completed", "todo": "opened again"}.get(wanted, f"brought to {wanted}")
    return Finding(
        Severity.WARNING,
        "status-kept",
        f'"{change.title}" could not be {done}: ' + "; ".join(map(str, problems)),
        "Bring it there by hand, if it is to be there; nothing else waits for it.",
        change.key,
    )


def _read(work: Work, keys: Collection[ItemKey]) -> Mapping[ItemKey, ObservedItem]:
    known = {**work.plan.known, **work.rows.references}
    readable = items.readable(known) | {key: known[key] for key in keys if key in known}
    found = work.tracker.find(work.place, readable, only=[key for key in keys if key in known])
    rely(work)
    return found


def _recorded(work: Work, key: ItemKey) -> Recorded:
    row = work.rows.get(key)
    if row is None:
        return Recorded(key, kind_of(key), None, {})
    return items.record(key, row)


def _then(work: Work, key: ItemKey, record: Recorded) -> Shown:
    """What the plan saw of an item. It has seen nothing of what this run has made: that is as we wrote it."""
    if key in work.plan.observed:
        return Shown(work.plan.observed[key], work.plan.stood.get(key, ""))
    fresh: Fields = {"iteration": None, **baseline(record)}
    return Shown(fresh, "todo")


def _named(work: Work, found: Sequence[Conflict]) -> dict[str, str]:
    """What people call what conflicts are about. Who is in no plan is asked of the tracker."""
    titles = {str(key): str(row.wanted["title"]) for key, row in work.rows.items() if row.wanted.get("title")}
    names = titles | names_in(work.plan)
    values = {str(value) for one in found if one.field == "assignee" for value in (one.then, one.now) if value}
    unknown = values - names.keys()
    if unknown:
        with suppress(TrackerError):  # then it is somebody who is not in the team
            names |= {account.id: account.name for account in work.tracker.people(work.place, unknown).values()}
    return names


def report(
    work: Work, found: Sequence[Conflict], why: str = "", *, cleared: Mapping[ItemKey, Sequence[str]] | None = None
) -> None:
    """Tell people what is left to them, and keep it with the run, in place of what an earlier attempt at the same
    (`cleared`) had found."""
    names = _named(work, found)
    texts = {one.key for one in found if one.field == "text"}
    for one in found:
        if one.field == "checklist" and one.key in texts:
            continue  # it stands in the text
        seen = work.plan.observed.get(one.key, {})
        title = str(seen.get("title") or names.get(one.key) or work.changes[one.key].title)
        text = f"{conflicts.described(one, title, names)} {why}".strip()
        finding = Finding(Severity.ERROR, CODES[one.kind], text, _AGAIN[work.plan.purpose], one.key)
        if finding not in work.findings:  # what is left of a batch may be looked at again
            work.findings.append(finding)
    before = work.run.conflicts or {}
    kept = {
        key: {name: kind for name, kind in fields.items() if name not in (cleared or {}).get(ItemKey(key), ())}
        for key, fields in before.items()
    }
    for one in found:
        kept.setdefault(one.key, {})[one.field] = one.kind.value
    kept = {key: fields for key, fields in kept.items() if fields}
    if kept != before:
        with work.context.database.session() as session:
            session.get_one(RunRow, work.run.id).conflicts = kept
        work.run.conflicts = kept


def left_of(work: Work, key: ItemKey) -> Mapping[str, str]:
    """The fields of an item that this run left to people, with what they did."""
    found: Mapping[str, str] = (work.run.conflicts or {}).get(key, {})
    return found


def is_given_back(change: Change) -> bool:
    """Whether what a change writes is people's own again: our records stay as they are, so that it shows as such."""
    return change.reason is Reason.GIVEN_BACK


def written_of(work: Work, change: Change) -> list[str]:
    """The fields that a change has written: without those that were left, and those that are people's own again."""
    if is_given_back(change):
        return []
    left = left_of(work, change.key)
    return [] if conflicts.WHOLE in left else [name for name in change.changed if name not in left or name == "labels"]


def ref_of(work: Work, keys: Collection[ItemKey]) -> list[tuple[ItemKey, RemoteRef]]:
    """The items of these that exist, with their references."""
    return [(key, ref) for key in keys if (ref := work.ref(key)) is not None]
