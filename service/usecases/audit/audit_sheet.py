"""The findings of a project's audits as a table for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from service import __version__
from service.domain.audit.chain import digest
from service.domain.audit.titles import TITLES
from service.domain.sheet import safe, sheet
from service.usecases.audit.audit_reports import Line, Matrix

COLUMNS = (
    "project",
    "iteration",
    "iteration_title",
    "phase",
    "verdict",
    "looked_at",
    "check",
    "check_title",
    "weight",
    "result",
    "confidence",
    "close_call",
    "reason",
    "fix",
    "quote",
    "confirmed_by",
    "waived_by",
    "record",
    "made_at",
    "made_by",
    "sha256",
)


def findings_csv(found: Matrix, made_at: datetime) -> str:
    """The findings as CSV, one line each; an iteration that was never looked at has none. Instants are on
    the project's clock, with how far that is from UTC. Every line says when and by what it was made, and ends with the
    SHA-256 of its other cells as they stand there, as a compact JSON list of texts: one that was changed shows."""
    zone = ZoneInfo(found.project.time_zone)
    stamp = [_instant(made_at, zone), f"phaseloop {__version__}"]
    lines = ([*cells, *stamp] for line in found.lines for cells in _cells(found.project.key, line, zone))
    return sheet(COLUMNS, ([*cells, digest([safe(cell) for cell in cells])] for cells in lines))


def _cells(project: str, line: Line, zone: tzinfo) -> Iterator[list[str]]:
    if line.audited is None:
        return
    for one in line.audited.findings:
        yield [
            project,
            str(line.number),
            line.title,
            line.phase,
            line.audited.verdict.value,
            _instant(line.audited_at, zone),
            one.check.value,
            TITLES[one.check],
            one.weight.value,
            one.result.value,
            "" if one.confidence is None else f"{one.confidence:g}",
            "yes" if one.close_call else "",
            one.reason,
            one.fix,
            next((piece.quote for piece in one.evidence if piece.quote), ""),
            one.confirmed.by if one.confirmed is not None else "",
            one.waived.by if one.waived is not None else "",
            line.url,
        ]


def _instant(at: datetime | None, zone: tzinfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds") if at is not None else ""
