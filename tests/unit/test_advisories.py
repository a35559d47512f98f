"""What `make lint` says of the packages that are pinned."""

from __future__ import annotations

from bench.advisories import said


def test_an_advisory_is_named_with_what_fixes_it_and_what_was_not_asked_is_counted() -> None:
    packages = [
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "weak", "version": "2.1", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.2", "3.0"]}]},
        {"name": "weaker", "version": "3", "vulns": [{"id": "PYSEC-2026-2", "fix_versions": []}]},
        {"name": "unknown", "version": "1", "skip_reason": "not found"},
    ]

    assert said(packages).splitlines() == [
        "weak 2.1: PYSEC-2026-1, fixed in 2.2, 3.0",
        "weaker 3: PYSEC-2026-2, fixed in no version yet",
        "advisories: 3 of 4 pinned packages asked about, 2 concern us; 1 not known to the service that answers here",
    ]
