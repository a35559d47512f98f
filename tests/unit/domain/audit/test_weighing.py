"""How the rules and the second opinion are put together, and what a person confirms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.records import Comment
from service.domain.audit.audit import audit, holding
from service.domain.audit.opinions import key_of
from service.domain.audit.outcome import Check, CheckFinding, Clock, Gate, Result, Verdict, Weight, verdict_of
from service.domain.audit.subject import Opinions, Subject, subject_from_json, subject_to_json
from service.domain.audit.text_checks import TEXT_CHECKS, questions, read
from service.domain.audit.version import by_rules_of_now
from service.domain.audit.weighing import weighed
from tests.unit.domain.audit.subjects import AFTER, GOOD, SIGNED, document, subject

PROSE = "Sticking with ResNet-50. ViT-B got the same mAP at three times the inference cost."


def finding(result: Result, check: Check = Check.DECISIONS, weight: Weight = Weight.CRITICAL) -> CheckFinding:
    return CheckFinding(check, weight, result, "The rules say so.", fix="Write it.")


def with_decision(text: str, score: float | None, phase: int = 0, comment: str = "/approve") -> Subject:
    """An iteration whose decision is this text, with this second opinion on it."""
    before = "- We keep the forest because it is faster by half, instead of the linear model, which was turned down."
    record = document(GOOD.replace(before, text))
    record = replace(record, comments=(Comment("c1", "a-pm", "pm-1", comment, SIGNED),))
    plain = subject(record, phase=phase, at=AFTER)
    asked = {one.check: one for one in questions(plain)}
    scores = {} if score is None else {asked[Check.DECISIONS].key: score}
    return by_rules_of_now(replace(plain, opinions=Opinions("test", scores)))


def result_of(one: Subject, check: Check = Check.DECISIONS) -> CheckFinding:
    return next(found for found in audit(one).findings if found.check is check)


def test_a_critical_check_never_fails_on_wording_alone() -> None:
    assert weighed(finding(Result.FAIL), None).result is Result.UNCLEAR
    assert weighed(finding(Result.FAIL, weight=Weight.MAJOR), None).result is Result.FAIL


def test_a_second_opinion_that_agrees_lets_it_fail_and_one_that_differs_lets_it_pass() -> None:
    assert weighed(finding(Result.FAIL), 0.1).result is Result.FAIL
    assert weighed(finding(Result.FAIL), 0.9).result is Result.PASS
    assert weighed(finding(Result.FAIL), 0.5).result is Result.UNCLEAR
    assert weighed(finding(Result.PASS), 0.1).result is Result.FAIL


@pytest.mark.parametrize("check", [one for one in TEXT_CHECKS if one not in (Check.NEXT_STEPS, Check.NEW)])
@pytest.mark.parametrize("said", [Result.PASS, Result.FAIL])
def test_where_the_second_opinion_cannot_tell_a_person_looks_whatever_the_rules_say(check: Check, said: Result) -> None:
    for score in (0.41, 0.5, 0.51, 0.55, 0.59):
        found = weighed(finding(said, check), score)

        assert found.result is Result.UNCLEAR
        assert "the second opinion cannot tell" in found.reason
    assert weighed(finding(Result.PASS, check), 0.6).result is Result.PASS
    assert weighed(finding(Result.FAIL, check), 0.4).result is Result.FAIL


def test_keys_links_and_what_was_copied_are_structure_and_settle_it() -> None:
    assert weighed(finding(Result.PASS, Check.NEW), 0.5).result is Result.PASS
    assert weighed(finding(Result.FAIL, Check.NEW), 0.99).result is Result.FAIL
    assert weighed(finding(Result.PASS, Check.NEXT_STEPS), 0.5).result is Result.PASS
    assert weighed(finding(Result.FAIL, Check.NEXT_STEPS), 0.5).result is Result.FAIL


def test_a_pass_is_told_as_sure_and_only_what_is_near_the_line_as_a_close_call() -> None:
    near, far = weighed(finding(Result.PASS), 0.65), weighed(finding(Result.PASS), 0.9)
    keyed = weighed(finding(Result.PASS, Check.NEXT_STEPS), 0.12)

    assert (near.close_call, far.close_call) == (True, False)
    assert keyed.confidence is not None
    assert keyed.confidence > 0.5
    assert not weighed(finding(Result.PASS), 0.5).close_call, "that it is unclear is said already"
    assert not finding(Result.PASS).close_call


@pytest.mark.parametrize(
    ("veto", "of_rules"),
    [
        ("No measure has a number, and no run is linked.", "No measure has a number, and no run is linked."),
        (
            "A number stands alone, with nothing to compare it with.",
            '"f1" has a number, but nothing to compare it with.',
        ),
        ("No measure has a number.", "Lacking: a measure with a number, the target."),
        ("No period is given.", "Lacking: the period."),
        ("No version, date, hash or link stands there.", "A dataset is named, but not in which version."),
        ("It says that nothing is decided yet.", "It says that nothing was decided, but not why."),
    ],
)
def test_what_is_lacking_is_said_once(veto: str, of_rules: str) -> None:
    assert weighed(replace(finding(Result.FAIL), reason=of_rules), 0.1, veto).reason == of_rules


def test_a_veto_that_says_something_else_is_said_beside_the_reason() -> None:
    assert weighed(finding(Result.FAIL), 0.1, "It speaks of a meeting.").reason == (
        "It speaks of a meeting. The rules say so."
    )


def test_a_veto_lets_nothing_pass_however_sure_the_second_opinion_is() -> None:
    assert weighed(finding(Result.PASS), 0.6, "It speaks of sprints.").result is Result.FAIL
    assert weighed(finding(Result.FAIL), 0.95, "It speaks of sprints.").result is Result.UNCLEAR


def test_what_rests_on_no_wording_needs_no_second_opinion() -> None:
    certain = replace(finding(Result.PASS), confidence=0.97)

    assert weighed(certain, 0.01) == certain


def test_a_decision_in_other_words_passes_with_the_second_opinion_and_is_unclear_without() -> None:
    assert result_of(with_decision(PROSE, 0.9)).result is Result.PASS
    unclear = result_of(with_decision(PROSE, None))
    assert unclear.result is Result.UNCLEAR
    assert "/approve D05" in unclear.fix


def test_an_unclear_critical_check_makes_the_verdict_unclear_and_holds_only_where_the_rules_say_so() -> None:
    found = audit(with_decision(PROSE, None))
    blocked = with_decision(PROSE, None)
    blocked = replace(blocked, rules=replace(blocked.rules, unclear=Gate.BLOCK))

    assert found.verdict is Verdict.UNCLEAR
    assert [one.check for one in found.unclear] == [Check.DECISIONS]
    assert Check.DECISIONS not in {one.check for one in holding(found)}
    assert Check.DECISIONS in {one.check for one in holding(audit(blocked))}


def test_the_signer_confirms_what_is_unclear_by_name_and_that_is_evidence_with_its_author() -> None:
    confirmed = result_of(with_decision(PROSE, None, comment="/approve D05, I was there."))

    assert (confirmed.result, confirmed.was) == (Result.PASS, Result.UNCLEAR)
    assert confirmed.confirmed is not None
    assert confirmed.confirmed.by == "pm-1@example.com"
    assert any(piece.source == "comment" and piece.by == "pm-1@example.com" for piece in confirmed.evidence)


@pytest.mark.parametrize("comment", ["/approve", "/approve D03", "LGTM D05", "/approve\n\nD05 was read by nobody"])
def test_any_other_comment_confirms_nothing(comment: str) -> None:
    assert result_of(with_decision(PROSE, None, comment=comment)).result is Result.UNCLEAR


def test_who_wrote_the_record_confirms_nothing() -> None:
    own = with_decision(PROSE, None, comment="/approve D05")
    record = own.record.document
    assert record is not None
    by_author = replace(record, comments=(Comment("c1", "a-ml", "ml-1", "/approve D05", SIGNED),))

    assert result_of(replace(own, record=replace(own.record, document=by_author))).result is Result.UNCLEAR


def test_looks_good_to_me_by_the_right_person_says_how_to_sign() -> None:
    said = result_of(with_decision(PROSE, 0.9, comment="LGTM, approved"), Check.SIGN_OFF)

    assert said.result is Result.FAIL
    assert "begin the comment with /approve" in said.reason


def test_a_verdict_comes_out_the_same_from_the_evidence_with_the_scores_in_it() -> None:
    one = with_decision(PROSE, 0.9)

    assert audit(subject_from_json(subject_to_json(one))) == audit(one)


def test_evidence_from_before_there_were_opinions_is_read_as_such() -> None:
    old = subject_to_json(subject())
    del old["opinions"], old["judged_by"], old["rules"]["unclear"]

    assert subject_from_json(old).judged_by == 1
    assert audit(subject_from_json(old)).findings


def test_a_few_unclear_major_checks_let_a_record_be_documented_and_more_do_not() -> None:
    majors = [Check.GOAL, Check.DATA, Check.RISKS]
    unclear = [finding(Result.UNCLEAR, check, Weight.MAJOR) for check in majors]

    assert verdict_of(unclear[:2], Clock.OVERDUE) is Verdict.DOCUMENTED
    assert verdict_of(unclear, Clock.OVERDUE) is Verdict.UNCLEAR


def test_a_question_is_named_by_its_check_and_its_text() -> None:
    text = read(subject())
    section = text.sections["decisions"]

    assert key_of(Check.DECISIONS, section) != key_of(Check.GOAL, section)
    assert key_of(Check.DECISIONS, section) != key_of(Check.DECISIONS, section, placed=False)
