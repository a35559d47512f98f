"""What is kept of an audit is what its evidence gives, also where older rules found it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from service.domain.audit.audit import audit
from service.domain.audit.forms import audited_to_json
from service.domain.audit.proof import Kept, body_of, compared
from service.domain.audit.subject import Subject
from service.domain.audit.version import JUDGED_BY, data_digest
from tests.unit.domain.audit.subjects import AFTER, GOOD, document, subject

UNSIGNED = document(GOOD, comments=())
Forgery = Callable[[dict[str, Any]], object]


def kept_of(one: Subject, forge: Forgery | None = None) -> Kept:
    """What is kept of the audit of this subject; forged, with what is sorted by forged as well."""
    result = audited_to_json(audit(one))
    if forge is not None:
        forge(result)
    return Kept(result["verdict"], result["clock"], result["score"], result)


def body(one: Subject, version: int) -> dict[str, Any]:
    """The evidence as phaseloop of that version of the rules sealed it; version 1 sealed no verdicts."""
    found = body_of(replace(one, judged_by=version, judged_with=data_digest()), audit(one))
    if version == 1:
        for name in ("found", "judged_by", "judged_with", "opinions"):
            del found[name]
    return found


def passes(name: str) -> Forgery:
    """The forgery that lets a check pass, and the verdict with it."""

    def forge(result: dict[str, Any]) -> None:
        for finding in result["findings"]:
            if finding["check"] == name:
                finding["result"] = "pass"
        result["verdict"] = "documented"

    return forge


@pytest.mark.parametrize("version", [1, 0, JUDGED_BY])
def test_what_is_kept_as_it_was_found_is_no_difference(version: int) -> None:
    one = subject(UNSIGNED, at=AFTER)

    found = compared(1, kept_of(one), 7, body(one, version))

    assert found.differences == ()
    assert (found.note != "") == (version != JUDGED_BY)


@pytest.mark.parametrize("version", [1, 0, JUDGED_BY])
@pytest.mark.parametrize(
    "forge",
    [
        lambda result: result.update(verdict="documented"),
        lambda result: result.update(score=100),
        lambda result: result.update(findings=[]),
        passes("D10"),
    ],
    ids=["the verdict", "the score", "no findings", "a signature"],
)
def test_a_verdict_that_was_forged_is_a_difference_whichever_rules_found_it(version: int, forge: Forgery) -> None:
    one = subject(UNSIGNED, at=AFTER)

    found = compared(1, kept_of(one, forge), 7, body(one, version))

    assert found.differences
    assert found.note == ""


@pytest.mark.parametrize("version", [0, JUDGED_BY])
def test_a_text_that_was_forged_to_pass_is_one_too_where_what_was_found_is_sealed(version: int) -> None:
    one = subject(document(GOOD.replace("Dataset churn-events, version 2026.3, hash 3f9a1c7e.", "TBD")), at=AFTER)

    assert compared(1, kept_of(one, passes("D03")), 7, body(one, version)).differences


def test_evidence_from_before_verdicts_were_sealed_names_the_checks_that_the_rules_of_now_judge_otherwise() -> None:
    one = subject(document(GOOD.replace("Dataset churn-events, version 2026.3, hash 3f9a1c7e.", "TBD")), at=AFTER)
    result = audited_to_json(audit(one))
    weights = {finding["check"]: finding["weight"] for finding in result["findings"]}
    gone = {"D03", "D12"}
    better = [{**each, "result": "pass"} if each["check"] in gone else each for each in result["findings"]]
    then = {**result, "findings": better, "verdict": "documented", "score": 100}

    found = compared(1, Kept("documented", result["clock"], 100, then), 7, body(one, 1))

    assert weights["D03"] == "major"
    assert found.differences == ()
    assert "D03 (pass then, fail now)" in found.note


def test_a_reading_or_an_audit_that_is_not_there_is_a_difference() -> None:
    one = subject()

    assert compared(3, None, 7, body(one, JUDGED_BY)).differences == ("iteration 3: what came of it is missing",)
    assert compared(3, kept_of(one), 0, None).differences == ("iteration 3: what was read of it is missing",)
    assert compared(3, kept_of(one), 7, {}).differences == ("entry 7 is not what was read of an iteration",)


def test_what_was_judged_by_other_words_stays_as_it_was_found_and_is_named() -> None:
    one = subject(UNSIGNED, at=AFTER)
    other = body_of(replace(one, judged_by=JUDGED_BY, judged_with="0123456789ab"), audit(one))

    found = compared(1, kept_of(one), 7, other)
    forged = compared(1, kept_of(one, passes("D10")), 7, other)

    assert found.differences == ()
    assert f"the rules of version {JUDGED_BY} (words 0123456789ab)" in found.note
    assert forged.differences
