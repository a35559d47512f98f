"""Examples of the bodies about the audit of records. Tests check each against its schema."""

from __future__ import annotations

from service.api.examples import Example

_PROJECT: Example = {"id": "prj_1f0c9a3b5d7e", "key": "ML", "name": "Churn model"}
_AT = "2026-03-30T07:00:00Z"
_BROWSE = "https://example.atlassian.net/browse"
_DIGEST = "4f0d6c2f1c8a7d9be0a35c1d2b7e6f90814263c5d7e8f9a0b1c2d3e4f5061728"
_PUBLIC = "9c1f5a7be3d2c40816fa0b95d7e8263149c0a5b7e1d3f28460c9b7a5e3d1f208"
_FINGERPRINT = f"SHA256:{_DIGEST}"

_SIGNED: Example = {
    "check": "D10",
    "weight": "critical",
    "result": "pass",
    "reason": "pm-1@example.com signed it on 2026-03-27 16:00 UTC; ml-1@example.com wrote it.",
    "evidence": [
        {
            "source": "comment",
            "quote": "/approve",
            "url": f"{_BROWSE}/ML-12",
            "by": "pm-1@example.com",
            "at": "2026-03-27T16:00:00Z",
            "digest": _DIGEST,
        }
    ],
    "fix": "",
    "waived": None,
    "was": None,
    "share": None,
}
_NO_DATA: Example = {
    "check": "D03",
    "weight": "major",
    "result": "fail",
    "reason": "The section names no dataset with a version, hash, date or link.",
    "evidence": [],
    "fix": 'Name each dataset with its version, as in "orders, version 2026-03-12".',
    "waived": None,
    "was": None,
    "share": None,
}
ITERATION: Example = {
    "number": 2,
    "title": "Ideation 2",
    "phase": "ideation",
    "goes_on": False,
    "verdict": "partly",
    "clock": "overdue",
    "score": 88,
    "record": "ML-12",
    "url": f"{_BROWSE}/ML-12",
    "changed_after_sign_off": False,
    "results": {"D03": "fail", "D10": "pass"},
    "findings": [_NO_DATA, _SIGNED],
    "audited_at": _AT,
    "trouble": "",
}
NEW_WAIVER: Example = {
    "check": "D03",
    "iteration": 2,
    "reason": "The data are the customer's and may not be named",
    "until": "2026-06-30",
    "by": "pm-1@example.com",
}
WAIVER: Example = {
    "id": "wvr_7d1e0b4c9a52",
    **NEW_WAIVER,
    "by": "pm-1@example.com (token office)",
    "state": "holds",
    "at": _AT,
    "revoked_at": None,
    "revoked_by": None,
}
WAIVER_LIST: Example = {"items": [WAIVER], "next": None}
MATRIX: Example = {
    "project": {**_PROJECT, "url": f"{_BROWSE}/ML"},
    "gate": "warn",
    "checks": [f"D{number:02}" for number in range(1, 16)],
    "iterations": [ITERATION],
    "waivers": [WAIVER],
}
NEW_SURVEY: Example = {"key": "ML", "team": "ml-team"}
SURVEYED: Example = {
    **MATRIX,
    "project": {**_PROJECT, "id": None, "url": f"{_BROWSE}/ML"},
    "template": "iterative-ml 1.0.0",
    "gate": "off",
    "iterations": [{**ITERATION, "told_by": "its headings"}],
    "waivers": [],
    "assumed": ["Working days are those of the calendar in UTC."],
    "reads": 9,
}
PORTFOLIO: Example = {
    "items": [
        {
            "project": _PROJECT,
            "iterations": 6,
            "verdicts": {"documented": 4, "partly": 1, "undocumented": 0, "unclear": 0, "pending": 1, "unknown": 0},
            "worst": "partly",
            "late": 1,
            "score": 91.5,
            "waivers": 1,
            "troubles": 0,
            "audited_at": _AT,
        }
    ],
    "next": None,
}

_OUTLINE: Example = {
    "seq": 1,
    "iteration": 2,
    "kind": "waiver",
    "at": "2026-03-30T07:00:00+00:00",
    "previous": "",
    "digest": _DIGEST,
}
EVIDENCE_PAGE: Example = {"items": [_OUTLINE], "next": None}
EVIDENCE_ENTRY: Example = {**_OUTLINE, "project": _PROJECT["id"], "body": {"id": WAIVER["id"], **NEW_WAIVER}}
PROOF: Example = {"ok": True, "entries": 31, "head": _DIGEST, "audits": 6, "breaks": [], "differences": []}
BINDER: Example = {
    "format": "phaseloop-binder/1",
    "content": {"project": {"key": "ML"}, "scope": {"iteration": 2}},
    "seal": {"algorithm": "Ed25519", "public": _PUBLIC},
}
"""The beginning of one."""
BINDER_PAGE = '<!DOCTYPE html>\n<html lang="en">\n'
VERIFIED: Example = {
    "ok": False,
    "mismatches": [{"place": "verdict of iteration 3", "text": "it is undocumented by its evidence"}],
    "notes": [],
    "fingerprint": _FINGERPRINT,
    "expected": True,
    "project": "Churn model",
    "iteration": None,
    "made_at": _AT,
    "iterations": 6,
    "entries": 31,
}
SIGNING_KEYS: Example = {
    "items": [{"public": _PUBLIC, "fingerprint": _FINGERPRINT, "created_at": _AT}],
    "next": None,
}
DECISION_LIST: Example = {
    "items": [
        {
            "iteration": 2,
            "title": "Ideation 2",
            "phase": "Ideation",
            "decision": "We keep model A.",
            "reason": "its recall is higher",
            "alternative": "model B",
            "links": [{"title": "run 41", "url": "https://runs.example.com/41"}],
            "record": f"{_BROWSE}/ML-12",
            "by": "ml-1@example.com",
            "at": "2026-03-27T14:10:00Z",
        }
    ],
    "next": None,
}
MEASURE_LIST: Example = {
    "items": [
        {
            "name": "recall",
            "unit": "",
            "points": [{"iteration": 2, "title": "Ideation 2", "value": 0.81, "target": 0.8}],
        }
    ],
    "next": None,
}
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 240" role="img"></svg>'
SETTINGS: Example = {"gate": "block", "grace_working_days": 1, "checks": {"D09": "critical"}}

NEW_QUESTION: Example = {"iteration": 2, "text": "Which data was the threshold of 0.62 chosen on?"}
QUESTION: Example = {
    "id": "question-9f86d081884c7d65",
    "iteration": 2,
    "text": "Which data was the threshold of 0.62 chosen on?",
    "by": "auditor-1@example.com",
    "at": "2026-03-30T07:00:00Z",
    "evidence": 32,
    "ticket": "ML-48",
    "url": f"{_BROWSE}/ML-48",
    "status": "done",
    "said": [
        {
            "person": "Product Manager",
            "text": "On the validation split of orders, version 2026-03-12.",
            "at": "2026-03-31T09:12:00Z",
        }
    ],
    "read_at": "2026-03-31T10:00:00Z",
    "answer_evidence": 33,
    "trouble": "",
}
QUESTION_LIST: Example = {"items": [QUESTION], "next": None}
ROOM: Example = {
    **MATRIX,
    "periods": [{"first": "2026-01-01", "last": "2026-03-31"}],
    "questions": [QUESTION],
    "sample": {
        "seed": "2026-Q1",
        "size": 1,
        "result": "pass",
        "among": 1,
        "findings": [{"iteration": 2, "check": "D10"}],
    },
}
