"""What people deleted that others stood in, epics, iterations, the project: what is said of it, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.tracker import Finding, Item, ItemKey, ItemKind, ObservedItem, Place, Severity
from service.domain.commands import typed
from service.domain.diff import Restore, lost
from service.domain.english import counted
from service.domain.overlay import EMPTIED
from service.domain.plan import Drift, Recorded
from service.store.tables import ProjectRow
from service.usecases.wishes import DELETED


def is_gone(project: ProjectRow, place: Place | None, recorded: Mapping[ItemKey, Recorded], restore: Restore) -> bool:
    """Whether the tracker no longer shows the project that was built in, and it is not to be built anew."""
    was_built = any(record.ref is not None for record in recorded.values())
    return place is None and was_built and not (project.create and restore.deleted)


def project_drift(project: ProjectRow) -> Drift:
    """A project that is gone, in place of everything that was in it."""
    key = ItemKey(f"{ItemKind.PROJECT}:{project.key}")
    return Drift(key, ItemKind.PROJECT, project.name, None, project.url, None)


def project_findings(project: ProjectRow) -> list[Finding]:
    """That a project is gone, and what can be done."""
    fix = "Put it back in the tracker (from Jira's trash, from Trello's closed boards) or give the account access"
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


def item_findings(
    project: ProjectRow,
    wanted: Sequence[Item],
    recorded: Mapping[ItemKey, Recorded],
    observed: Mapping[ItemKey, ObservedItem],
    restore: Restore,
) -> list[Finding]:
    """What it means for tickets that people deleted their epic or their iteration, and how to have it back."""
    away = lost(recorded, observed, restore)
    findings = []
    for item in wanted:
        if item.key not in away or item.kind is ItemKind.TICKET:
            continue
        inside = [one.key for one in wanted if item.key in (one.epic, one.iteration)]
        there = sum(key in observed for key in inside)
        new = sum(key not in observed and key not in away for key in inside)
        stays = "stays" if there == 1 else "stay"
        what = f"Of its tickets {there} {stays} that {'is' if there == 1 else 'are'} there"
        what += f", {counted(new, 'new one')} {'is' if new == 1 else 'are'} made without it." if new else "."
        what_is = f'Somebody deleted the {item.kind.value} "{item.title}".'
        if item.key in observed:
            what_is = f'The {item.kind.value} "{item.title}" is there, but {EMPTIED}.'
        findings.append(
            Finding(
                Severity.WARNING if new else Severity.INFO,
                f"{item.kind.value}-{'emptied' if item.key in observed else 'deleted'}",
                f"{what_is} {what}",
                f"To have it again with its tickets: phaseloop plan {typed(project.key)} --restore {typed(item.key)}",
                item.key,
            )
        )
    return findings
