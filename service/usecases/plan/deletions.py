"""What people deleted that others stood in, epics, iterations, the project: what is said of it, and how to fix it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.kinds import Kind
from connectors.port import Tracker
from connectors.values import (
    Finding,
    Item,
    ItemKey,
    ItemKind,
    ObservedItem,
    Place,
    RemoteRef,
    Severity,
)
from service.domain.commands import typed
from service.domain.english import counted
from service.domain.plan.diff import Restore, closed_to_new, lost
from service.domain.plan.overlay import EMPTIED
from service.domain.plan.plan import Drift, Recorded
from service.store.tables import ProjectRow
from service.usecases.plan.plan_options import DELETED


def is_gone(project: ProjectRow, place: Place | None, recorded: Mapping[ItemKey, Recorded], restore: Restore) -> bool:
    """Whether the tracker no longer shows the project that was built in, and it is not to be built anew."""
    was_built = any(record.ref is not None for record in recorded.values())
    return place is None and was_built and not (project.create and restore.deleted)


def project_drift(project: ProjectRow) -> Drift:
    """A project that is gone, in place of everything that was in it."""
    key = ItemKey(f"{ItemKind.PROJECT}:{project.key}")
    return Drift(key, ItemKind.PROJECT, project.name, None, project.url, None)


def project_findings(project: ProjectRow, kind: Kind, put_away: Sequence[Finding] = ()) -> list[Finding]:
    """That a project is gone, or only `put_away`, and what can be done."""
    if put_away:
        return list(put_away)
    fix = f"Put it back in the tracker (from {kind.trash}) or give the account access"
    anew = (
        f"; or build all of it anew: phaseloop plan {typed(project.key)} --restore {DELETED}" if project.create else ""
    )
    return [
        Finding(
            Severity.ERROR,
            "project-deleted",
            f"The tracker no longer shows the project {project.key} that was built in: somebody deleted it, or this "
            "account may not see it any more.",
            f"{fix}{anew}.",
            project.key,
        )
    ]


def moved_away(
    tracker: Tracker, place: Place, recorded: Mapping[ItemKey, Recorded], observed: Mapping[ItemKey, ObservedItem]
) -> dict[ItemKey, RemoteRef]:
    """Of the epics and tickets that are not in the project any more those that people moved to another one. Asks the
    tracker only where something is missing."""
    missing = {
        key: record.ref
        for key, record in recorded.items()
        if record.kind in (ItemKind.EPIC, ItemKind.TICKET) and record.ref is not None and key not in observed
    }
    return dict(tracker.elsewhere(place, missing)) if missing else {}


def told_as_moved(drift: Sequence[Drift], moved: Mapping[ItemKey, RemoteRef]) -> list[Drift]:
    """The drift, with what is gone because it was moved told so."""
    return [
        replace(entry, observed=moved[entry.key].key) if entry.field is None and entry.key in moved else entry
        for entry in drift
    ]


def item_findings(
    project: ProjectRow,
    wanted: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
    restore: Restore,
) -> list[Finding]:
    """What it means for tickets that people deleted their epic, or deleted or completed their iteration, and what to do
    about it."""
    away = lost(recorded, observed, restore)
    findings = []
    for item in wanted:
        if item.key in closed_to_new(observed):
            findings += _left_out(item, wanted, recorded)
        if item.key not in away or item.kind is ItemKind.TICKET:
            continue
        inside = [one.key for one in wanted if item.key in (one.epic, one.iteration)]
        there = sum(key in observed for key in inside)
        new = sum(key not in observed and key not in away for key in inside)
        stays = "stays" if there == 1 else "stay"
        what = f"Of its tickets {there} {stays} that {'is' if there == 1 else 'are'} there"
        what += f", {counted(new, 'new one')} {'is' if new == 1 else 'are'} made without it." if new else "."
        was_moved = item.key in restore.moved
        done = "moved" if was_moved else "deleted"
        what_is = f'Somebody {done} the {item.kind.value} "{item.title}"{" to another project" if was_moved else ""}.'
        if item.key in observed:
            what_is = f'The {item.kind.value} "{item.title}" is there, but {EMPTIED}.'
        findings.append(
            Finding(
                Severity.WARNING if new else Severity.INFO,
                f"{item.kind.value}-{'emptied' if item.key in observed else done}",
                f"{what_is} {what}",
                f"To have it again with its tickets: phaseloop plan {typed(project.key)} --restore {typed(item.key)}",
                item.key,
            )
        )
    return findings


def _left_out(iteration: Item, wanted: Sequence[Item], recorded: Mapping[ItemKey, Recorded]) -> list[Finding]:
    """That tickets which are to be in a closed iteration, and never were, come to be in none."""

    def was_in(item: Item) -> bool:
        return item.key in recorded and recorded[item.key].wanted.get("iteration") == iteration.key

    out = [one for one in wanted if one.iteration == iteration.key and not was_in(one)]
    if not out:
        return []
    message = f'"{iteration.title}" is completed in the tracker and takes no more tickets: '
    message += f"{counted(len(out), 'ticket')} planned for it {'is' if len(out) == 1 else 'are'} in no iteration."
    fix = "Put them into a later iteration in the tracker; or reopen this one there, and plan again."
    return [Finding(Severity.WARNING, "iteration-completed", message, fix, iteration.key)]
