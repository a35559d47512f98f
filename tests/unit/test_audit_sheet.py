"""Findings as a table for spreadsheets: one line each, stamped, and each line vouches for itself."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from io import StringIO

from service import __version__
from service.domain.audit.outcome import Check, Gate
from service.usecases.audit.audit_reports import Line, Matrix
from service.usecases.audit.audit_sheet import COLUMNS, findings_csv
from tests.unit.stores import project_row
from tests.unit.test_audit_show import NOON, finding, line


def test_every_finding_is_a_line_that_says_when_it_was_made_and_shows_a_change() -> None:
    audited = line(2, url="https://t.example.com/ML-9").audited
    assert audited is not None
    evil = replace(audited, findings=(finding(Check.GOAL, reason="=HYPERLINK(1);=2"), finding(Check.DATA)))
    never = Line(3, "Sprint", "data", goes_on=True, audited=None)
    text = findings_csv(Matrix(project_row("prj_1"), Gate.WARN, (line(2, audited=evil), never)), NOON)

    rows = list(csv.DictReader(StringIO(text)))

    assert tuple(rows[0]) == COLUMNS
    assert [(row["iteration"], row["check"], row["result"]) for row in rows] == [
        ("2", "D02", "fail"),
        ("2", "D03", "fail"),
    ]
    assert rows[0]["reason"] == "'=HYPERLINK(1);'=2"
    assert {(row["made_at"], row["made_by"]) for row in rows} == {
        ("2026-03-02T12:00:00+00:00", f"phaseloop {__version__}")
    }
    for row in rows:
        *cells, told = row.values()
        said = json.dumps(cells, separators=(",", ":"), ensure_ascii=False).encode()
        assert hashlib.sha256(said).hexdigest() == told


def test_its_times_are_on_the_clock_of_the_project() -> None:
    found = Matrix(project_row("prj_1", time_zone="Europe/Paris"), Gate.WARN, (line(2),))

    rows = list(csv.DictReader(StringIO(findings_csv(found, NOON))))

    assert {row["made_at"] for row in rows} == {"2026-03-02T13:00:00+01:00"}
    assert all(row["looked_at"].endswith("+01:00") for row in rows if row["looked_at"])
