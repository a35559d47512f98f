"""A record is signed by the right person, who did not write it, after its last change; D10 and D11."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from connectors.records import Comment, Document, Edit, Part, Tick, text_digest
from service.domain.audit.audit import audit
from service.domain.audit.outcome import Check, Result, Weight
from service.domain.audit.subject import Person, Subject
from tests.unit.domain.audit.subjects import (
    AFTER,
    GOOD,
    LATE,
    PEOPLE,
    SIGNED,
    WRITTEN,
    document,
    found,
    later,
    moved,
    result,
    subject,
)

D10, D11 = Check.SIGN_OFF, Check.ON_TIME
TICK = Tick(
    "Signed off by the Product Manager, who is not the author, after the last change", True, "a-pm", "pm-1", SIGNED
)


def unsigned(**changes: Any) -> Document:
    return document(**{"comments": (), **changes})


def said(text: str, by: str = "a-pm", **changes: Any) -> Comment:
    return replace(Comment("c1", by, f"name of {by}", text, SIGNED), **changes)


def edit(by: str, hours: float, digest: str = "other") -> Edit:
    return Edit(by, f"name of {by}", later(hours=hours), digest)


@pytest.mark.parametrize("text", ["/approve", "/Approve: looks right", "  /approved\nThanks", "/APPROVE."])
def test_a_comment_that_begins_with_approve_signs(text: str) -> None:
    assert result(subject(document(comments=(said(text),))), D10) is Result.PASS


@pytest.mark.parametrize("text", ["I /approve", "> /approve", "/approver", "approve", "/reject", "", "/approve/x"])
def test_another_comment_does_not_sign(text: str) -> None:
    assert result(subject(document(comments=(said(text),))), D10) is Result.FAIL


@pytest.mark.parametrize(
    "line",
    [TICK.text, "Signed off by PM", "Somebody other than the author has signed", "Abgenommen von PM", "承認済み"],
)
def test_a_line_that_says_signed_off_signs_once_it_is_ticked(line: str) -> None:
    assert result(subject(unsigned(ticks=(replace(TICK, text=line),))), D10) is Result.PASS
    assert result(subject(unsigned(ticks=(replace(TICK, text=line, done=False),))), D10) is Result.FAIL


def test_another_line_does_not_sign() -> None:
    assert result(subject(unsigned(ticks=(replace(TICK, text="Every section is filled in"),))), D10) is Result.FAIL


def test_moving_to_done_signs_until_it_is_taken_back() -> None:
    signed = unsigned(steps=(moved("a-pm"),))
    assert result(subject(signed), D10) is Result.PASS
    back = replace(signed, status="doing", steps=(*signed.steps, moved("a-ml", later(hours=1), "doing")))
    assert result(subject(back), D10) is Result.FAIL
    again = replace(back, status="done", steps=(*back.steps, moved("a-ml", later(hours=2))))
    assert result(subject(again), D10) is Result.FAIL


@pytest.mark.parametrize(
    ("way", "record"),
    [
        ("comment", document()),
        ("tick", unsigned(ticks=(TICK,))),
        ("done", unsigned(steps=(moved("a-pm"),))),
    ],
)
def test_only_the_ways_that_the_rules_name_sign(way: str, record: Document) -> None:
    what = subject(record)
    for allowed in ("comment", "tick", "done"):
        of = replace(what, rules=replace(what.rules, sign_by=(allowed,)))
        assert result(of, D10) is (Result.PASS if allowed == way else Result.FAIL)


def test_the_author_cannot_sign_though_they_hold_the_role() -> None:
    people = {**PEOPLE, "a-ml": Person("ml-1@example.com", ("ml", "pm"))}
    finding = found(subject(document(comments=(said("/approve", "a-ml"),)), people=people))[D10]
    assert finding.result is Result.FAIL
    assert "also wrote in it" in finding.reason
    assert finding.evidence[0].by == "ml-1@example.com"


def test_whoever_is_assigned_is_the_author_where_nobody_edited() -> None:
    fresh = document(edits=(), assignee="a-pm")
    assert result(subject(fresh), D10) is Result.FAIL
    assert result(subject(replace(fresh, assignee="a-ml")), D10) is Result.PASS
    assert result(subject(replace(fresh, assignee=None, created_by="a-pm")), D10) is Result.FAIL


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("a-data", "does not hold the role that signs, Product Manager"),
        ("a-stranger", "not known as one of the team's"),
        ("", "not known as one of the team's"),
        ("a-us", "with the account that phaseloop works with, which is nobody's of the team"),
    ],
)
def test_nobody_else_can_sign_and_it_is_said_why(by: str, words: str) -> None:
    finding = found(subject(document(comments=(said("/approve", by),))))[D10]
    assert finding.result is Result.FAIL
    assert words in finding.reason
    assert "comments /approve" in finding.fix


def test_that_nobody_can_sign_because_nobody_holds_the_role_is_said() -> None:
    people = {"a-ml": PEOPLE["a-ml"]}
    assert "nobody whose account is known holds the role" in found(subject(unsigned(), people=people))[D10].reason


def test_a_stand_in_for_the_role_can_sign() -> None:
    people = {**PEOPLE, "a-data": Person("data-1@example.com", ("data", "pm"))}
    assert result(subject(document(comments=(said("/approve", "a-data"),)), people=people), D10) is Result.PASS


def test_a_change_after_sign_off_shows_with_who_made_it_and_asks_for_a_new_signature() -> None:
    changed = document(edits=(*document().edits, edit("a-data", 2)), digest="other")
    what = audit(subject(changed))
    finding = {one.check: one for one in what.findings}[D10]
    assert what.changed_after_sign_off
    assert finding.result is Result.FAIL
    assert "changed after sign-off" in finding.reason
    assert "data-1@example.com changed it on 2026-03-13 12:00 UTC+01:00" in finding.reason
    assert finding.evidence[-1].by == "data-1@example.com"
    again = replace(changed, comments=(*changed.comments, said("/approve", id="c2", at=later(hours=3))))
    assert result(subject(again), D10) is Result.PASS
    assert not audit(subject(again)).changed_after_sign_off


def test_a_change_that_was_taken_back_is_none() -> None:
    back = document(edits=(*document().edits, edit("a-ml", 2), edit("a-ml", 3, text_digest(GOOD))))
    assert result(subject(back), D10) is Result.PASS


def test_what_phaseloop_writes_after_sign_off_is_no_change_of_people() -> None:
    filled = document(edits=(*document().edits, edit("a-us", 2, "filled")), digest="filled")
    assert result(subject(filled, written=("filled",)), D10) is Result.PASS
    assert result(subject(filled, written=()), D10) is Result.FAIL


def test_a_person_whose_account_phaseloop_uses_is_an_author_of_what_phaseloop_never_wrote() -> None:
    shared = document(
        edits=(Edit("a-pm", "pm-1", WRITTEN - timedelta(hours=1), "filled"), *document().edits), created_by="a-pm"
    )
    assert result(subject(shared, ours="a-pm", written=("filled",)), D10) is Result.PASS
    assert result(subject(shared, ours="a-pm", written=()), D10) is Result.FAIL


def test_what_phaseloop_s_account_wrote_before_the_iteration_began_has_no_author() -> None:
    seeded_anew = document(edits=(Edit("a-pm", "pm-1", WRITTEN - timedelta(days=9), "another"), *document().edits))
    shared = subject(seeded_anew, ours="a-pm")
    begun = replace(shared, iteration=replace(shared.iteration, begun_at=WRITTEN - timedelta(days=9)))
    assert result(shared, D10) is Result.FAIL
    assert result(begun, D10) is Result.PASS


def test_a_comment_that_was_edited_signs_when_it_was_edited() -> None:
    late = document(comments=(said("/approve", edited_at=LATE + timedelta(days=1)),))
    assert result(subject(late), D10) is Result.PASS
    assert result(subject(late), D11) is Result.FAIL


@pytest.mark.parametrize(
    ("unread", "record", "expected"),
    [
        ((Part.HISTORY,), document(), Result.INCONCLUSIVE),
        ((Part.CHECKLIST,), document(), Result.PASS),
        ((Part.COMMENTS,), unsigned(), Result.INCONCLUSIVE),
        ((Part.CHECKLIST,), unsigned(), Result.INCONCLUSIVE),
        ((Part.ATTACHMENTS, Part.LINKS, Part.TEXT), unsigned(), Result.FAIL),
        ((Part.COMMENTS,), document(edits=(*document().edits, edit("a-ml", 2)), digest="x"), Result.INCONCLUSIVE),
    ],
)
def test_what_could_not_be_read_is_neither_signed_nor_unsigned(
    unread: tuple[Part, ...], record: Document, expected: Result
) -> None:
    assert result(subject(replace(record, unread=unread)), D10) is expected


def at(what: Subject, **ahead: float) -> Subject:
    return replace(what, at=LATE + timedelta(**ahead))


def test_times_are_told_on_the_clock_of_the_project_whatever_the_tracker_s_is() -> None:
    signed = document(comments=(said("/approve", at=SIGNED.astimezone(UTC)),))
    assert f"signed it on {SIGNED:%Y-%m-%d %H:%M} UTC+01:00" in found(subject(signed))[D10].reason
    assert found(subject(signed, at=AFTER.astimezone(UTC)))[D10] == found(subject(signed))[D10]


def test_signed_before_the_grace_is_over_is_on_time_to_the_second() -> None:
    assert result(subject(document(comments=(said("/approve", at=LATE),))), D11) is Result.PASS
    late = document(comments=(said("/approve", at=LATE + timedelta(seconds=1)),))
    finding = found(subject(late))[D11]
    assert finding.result is Result.FAIL
    assert "due by 2026-03-17 17:00" in finding.reason
    assert "waive D11" in finding.fix


def test_an_unsigned_record_is_late_only_when_it_is() -> None:
    what = subject(unsigned())
    assert result(at(what, seconds=-1), D11) is Result.NOT_APPLICABLE
    assert result(at(what), D11) is Result.FAIL


def test_what_was_signed_on_time_and_changed_later_was_on_time_but_is_not_signed() -> None:
    changed = document(edits=(*document().edits, edit("a-ml", 200)), digest="other")
    again = replace(changed, comments=(*changed.comments, said("/approve", at=LATE + timedelta(days=20))))

    assert result(subject(changed), D11) is Result.PASS
    assert result(subject(changed), D10) is Result.FAIL
    assert result(at(subject(again), days=30), D11) is Result.PASS
    assert result(at(subject(again), days=30), D10) is Result.PASS


def test_a_signature_that_was_void_when_the_grace_was_over_is_not_on_time() -> None:
    changed = document(edits=(*document().edits, edit("a-ml", 26)), digest="other")
    late = found(subject(changed))[D11]

    assert late.result is Result.FAIL
    assert "so that no signature stands" in late.reason
    assert "Have it signed again" in late.fix


def test_a_change_that_was_taken_back_in_time_makes_no_signature_void() -> None:
    back = (*document().edits, edit("a-ml", 2), edit("a-ml", 3, text_digest(GOOD)))

    assert result(subject(document(edits=back)), D11) is Result.PASS
    assert result(subject(document(edits=(*back, edit("a-ml", 200)), digest="other")), D11) is Result.PASS


def test_what_was_signed_before_anybody_wrote_was_not_on_time() -> None:
    after = document(edits=(edit("a-ml", 200),), created_by="a-us")

    assert result(subject(after), D11) is Result.FAIL
    assert result(subject(replace(after, created_by="a-data")), D11) is Result.PASS


def test_a_void_signature_is_not_late_before_the_grace_is_over_and_one_made_anew_by_then_is_on_time() -> None:
    changed = document(edits=(*document().edits, edit("a-ml", 26)), digest="other")
    again = replace(changed, comments=(*changed.comments, said("/approve", at=LATE)))
    too_late = replace(changed, comments=(*changed.comments, said("/approve", at=LATE + timedelta(seconds=1))))

    assert result(at(subject(changed), seconds=-1), D11) is Result.NOT_APPLICABLE
    assert result(subject(again), D11) is Result.PASS
    assert result(subject(too_late), D11) is Result.FAIL


def test_the_first_of_several_signatures_that_stand_says_whether_it_was_on_time() -> None:
    twice = document(comments=(said("/approve"), said("/approve", at=AFTER)))

    assert result(subject(twice), D11) is Result.PASS


def test_where_nobody_has_to_sign_it_is_on_time_if_it_was_written_in_time() -> None:
    def free(record: Document) -> Subject:
        what = subject(record)
        return replace(what, rules=replace(what.rules, weights={**what.rules.weights, D10: Weight.OFF}))

    assert result(free(unsigned()), D11) is Result.PASS
    assert result(free(unsigned(edits=(edit("a-ml", 200),))), D11) is Result.FAIL
    assert result(free(unsigned(edits=())), D11) is Result.FAIL
    assert result(at(free(unsigned(edits=())), hours=-1), D11) is Result.NOT_APPLICABLE
    assert result(free(unsigned(edits=(), unread=(Part.HISTORY,))), D11) is Result.INCONCLUSIVE


def test_when_it_was_signed_is_not_known_where_that_could_not_be_read() -> None:
    assert result(subject(document(unread=(Part.HISTORY,))), D11) is Result.INCONCLUSIVE
    assert result(subject(unsigned(unread=(Part.COMMENTS,))), D11) is Result.INCONCLUSIVE


def test_a_signature_under_nothing_is_not_on_time() -> None:
    empty = replace(document(), text="## Goal and hypothesis\n\n## Data used\n")

    assert result(subject(document()), D11) is Result.PASS
    assert result(subject(empty), D11) is Result.FAIL
