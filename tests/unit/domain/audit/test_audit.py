"""The audit as a whole: every check once, the verdict from the worst, waivers, the same from evidence alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.records import Attachment, Comment, Document, Edit, Part, Step, Tick, WebLink, text_digest
from connectors.values import ItemKey, RemoteRef
from service.domain.audit.audit import audit, holding
from service.domain.audit.outcome import Check, Clock, Result, Verdict, Waived, Weight
from service.domain.audit.rules import ProjectAudit
from service.domain.audit.subject import Reading, Subject, subject_from_json, subject_to_json
from tests.effort import examples
from tests.unit.domain.audit.subjects import (
    AFTER,
    ENDS,
    GOOD,
    LATE,
    PEOPLE,
    SIGNED,
    STARTS,
    at_gate,
    document,
    found,
    rules,
    subject,
    ticket,
)

KEY = ItemKey("record:1")
MISSING = Reading(KEY, missing="it was never made")
UNREAD = Reading(KEY, unread="the tracker is down")
UNSIGNED = document(comments=())
LAST = AFTER.date()
DECIDING = (Weight.CRITICAL, Weight.MAJOR)


def waived(until: date = LAST, reason: str = "The team was away.") -> Waived:
    return Waived("lead-1@example.com", reason, until, SIGNED)


def test_a_good_record_is_documented_in_every_phase_before_its_time_and_after() -> None:
    for phase in range(4):
        what = subject(phase=phase)
        for at in (SIGNED + timedelta(minutes=1), AFTER):
            audited = audit(replace(what, at=at))
            assert (audited.verdict, audited.score) == (Verdict.DOCUMENTED, 100)
            assert [one.check for one in audited.findings] == list(Check)


@pytest.mark.parametrize(
    ("at", "clock", "verdict"),
    [
        (STARTS, Clock.UPCOMING, Verdict.PENDING),
        (ENDS, Clock.IN_GRACE, Verdict.PENDING),
        (LATE, Clock.OVERDUE, Verdict.UNDOCUMENTED),
        (AFTER, Clock.ESCALATED, Verdict.UNDOCUMENTED),
    ],
)
def test_what_is_lacking_is_pending_until_the_record_is_late(at: datetime, clock: Clock, verdict: Verdict) -> None:
    for record in (UNSIGNED, MISSING, document("")):
        audited = audit(subject(record, at=at))
        assert (audited.clock, audited.verdict) == (clock, verdict)
        assert audited.lacking


def test_a_major_check_that_fails_makes_it_partly_documented() -> None:
    audited = audit(subject(document(GOOD.replace("ML-21: try", "perhaps try"))))
    assert audited.verdict is Verdict.PARTLY
    assert [one.check for one in audited.lacking] == [Check.NEXT_STEPS]


def test_what_could_not_be_read_is_unknown_never_undocumented() -> None:
    for record in (UNREAD, document("", unread=(Part.TEXT,)), document(unread=(Part.HISTORY,))):
        audited = audit(subject(record))
        assert audited.verdict is Verdict.UNKNOWN
        assert audited.lacking == ()


def test_a_minor_check_never_changes_the_verdict() -> None:
    audited = audit(subject(done=(ticket("ML-1"),)))
    assert audited.verdict is Verdict.DOCUMENTED
    assert audited.score < 100


def test_an_iteration_without_a_record_scores_nothing() -> None:
    assert audit(subject(MISSING)).score == 0
    assert audit(subject(document(""))).score > 0


def test_a_missing_record_cannot_pass_though_that_check_is_light() -> None:
    for weight in (Weight.OFF, Weight.MINOR):
        what = subject(MISSING)
        light = replace(what, rules=replace(what.rules, weights={**what.rules.weights, Check.RECORD: weight}))
        assert audit(light).verdict is Verdict.UNDOCUMENTED


def test_being_late_keeps_no_gate_closed_for_nobody_can_fix_it() -> None:
    late = document(comments=(Comment("c", "a-pm", "pm-1", "/approve", LATE + timedelta(days=1)),))
    audited = audit(subject(late))
    assert audited.verdict is Verdict.PARTLY
    assert [one.check for one in audited.lacking] == [Check.ON_TIME]
    assert holding(audited) == ()
    assert [one.check for one in holding(audit(subject(UNSIGNED)))] == [Check.SIGN_OFF]


def test_a_waiver_lets_its_check_pass_and_says_who_why_and_until_when() -> None:
    what = subject(UNSIGNED, waivers={Check.SIGN_OFF: waived(), Check.ON_TIME: waived()})
    finding = found(what)[Check.SIGN_OFF]
    assert (finding.result, finding.was, finding.waived) == (Result.WAIVED, Result.FAIL, waived())
    assert audit(what).verdict is Verdict.DOCUMENTED
    assert audit(what).score < 100


def test_a_waiver_for_the_record_lets_an_iteration_go_without_one() -> None:
    assert audit(subject(MISSING, waivers={Check.RECORD: waived()})).verdict is Verdict.DOCUMENTED


def test_a_waiver_holds_to_the_end_of_its_day_where_the_project_is() -> None:
    what = subject(UNSIGNED, waivers={Check.SIGN_OFF: waived(AFTER.date())})
    midnight = datetime.combine(AFTER.date() + timedelta(days=1), datetime.min.time(), AFTER.tzinfo)
    last = found(replace(what, at=midnight - timedelta(microseconds=1)))[Check.SIGN_OFF]
    over = found(replace(what, at=midnight))[Check.SIGN_OFF]
    assert last.result is Result.WAIVED
    assert over.result is Result.FAIL
    assert f"The waiver of lead-1@example.com ended with {AFTER.date()}." in over.reason


def test_a_waiver_of_what_passes_or_does_not_apply_changes_nothing() -> None:
    what = subject()
    assert audit(replace(what, waivers=dict.fromkeys(Check, waived()))) == audit(what)


def test_what_is_wrong_says_why_on_what_and_how_to_fix_it() -> None:
    for record in (document(""), UNSIGNED, MISSING, UNREAD, document("TBD\n\nhttp://localhost/x")):
        for finding in audit(at_gate(subject(record, phase=3), ticket("ML-1"))).findings:
            assert finding.reason.endswith("."), finding
            assert bool(finding.fix) is (finding.result in (Result.FAIL, Result.UNCLEAR, Result.INCONCLUSIVE)), finding
            assert all(len(one.quote) <= 200 for one in finding.evidence)


INSTANTS = st.datetimes(datetime(2026, 2, 20), datetime(2026, 4, 20)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
WHO = st.sampled_from(["a-ml", "a-pm", "a-data", "a-us", "a-stranger", ""])
SCRAPS = st.sampled_from(
    [
        *GOOD.split("\n\n"),
        *(
            "TBD",
            "> What was run?",
            "## Retro",
            "- [x] a",
            "- [ ] b",
            "<script>alert(1)</script>",
            "http://127.1/",
            "| a |\n|---|",
        ),
        *(
            "/approve",
            "Signed off",
            "no decision because of holidays",
            "[x](javascript:y)",
            "\x00\u202e\ud800",
            "# " * 50,
        ),
    ]
)
TEXTS = st.one_of(st.just(GOOD), st.text(max_size=80), st.lists(SCRAPS, max_size=12).map("\n\n".join))
DIGESTS = st.sampled_from(["", "mine", "other", text_digest(GOOD)])
COMMENTS = st.builds(
    Comment, st.just("c"), WHO, st.text(max_size=5), st.just("/approve") | TEXTS, INSTANTS, st.none() | INSTANTS
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(TEXTS)
    by_time = {
        "comments": tuple(sorted(draw(st.lists(COMMENTS, max_size=3)), key=lambda one: one.at)),
        "edits": tuple(
            sorted(draw(st.lists(st.builds(Edit, WHO, WHO, INSTANTS, DIGESTS), max_size=3)), key=lambda one: one.at)
        ),
        "steps": tuple(
            sorted(
                draw(st.lists(st.builds(Step, st.sampled_from(["todo", "done"]), WHO, WHO, INSTANTS), max_size=3)),
                key=lambda one: one.at,
            )
        ),
    }
    return Document(
        ref=RemoteRef(
            "1", draw(st.sampled_from(["ML-1", ""])), draw(st.sampled_from(["", "https://tracker.example.com/1"]))
        ),
        title=draw(st.text(max_size=10)),
        text=text,
        digest=text_digest(text.encode(errors="replace").decode()),
        status=draw(st.sampled_from(["todo", "doing", "done"])),
        assignee=draw(st.none() | WHO),
        created_by=draw(WHO),
        attachments=tuple(draw(st.lists(st.builds(Attachment, st.text(max_size=8), st.text(max_size=20)), max_size=1))),
        links=tuple(draw(st.lists(st.builds(WebLink, st.text(max_size=20), st.text(max_size=9)), max_size=2))),
        ticks=tuple(draw(st.lists(st.builds(Tick, TEXTS, st.booleans(), WHO, WHO, st.none() | INSTANTS), max_size=2))),
        unread=tuple(draw(st.sets(st.sampled_from(Part), max_size=2))),
        cut=draw(st.booleans()),
        **by_time,  # type: ignore[arg-type]
    )


READINGS = st.one_of(
    documents().map(lambda one: Reading(KEY, one)),
    st.just(MISSING),
    st.just(UNREAD),
)
WAIVERS = st.dictionaries(
    st.sampled_from(Check),
    st.dates(date(2026, 3, 1), date(2026, 4, 30)).map(lambda until: Waived("lead", "A reason.", until, SIGNED)),
    max_size=3,
)


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    phase = draw(st.integers(0, 3))
    what = subject(draw(READINGS), phase=phase, at=draw(INSTANTS), former=draw(st.sampled_from(["", GOOD])))
    weights = {
        **what.rules.weights,
        **draw(st.dictionaries(st.sampled_from(Check), st.sampled_from(Weight), max_size=4)),
    }
    of = replace(
        what.rules,
        weights=weights,
        hosts=draw(st.sampled_from([(), ("*.example.com",), ("*", "localhost"), ("\x00",)])),
    )
    return replace(
        what,
        rules=of,
        iteration=replace(what.iteration, gate=draw(st.booleans())),
        deliverables=tuple(draw(st.lists(READINGS, max_size=2))),
        done=tuple(draw(st.lists(READINGS, max_size=3))),
        people=draw(st.sampled_from([PEOPLE, {}])),
        ours=draw(st.sampled_from(["a-us", "a-pm", ""])),
        written=("mine",),
        waivers=draw(WAIVERS),
    )


def results(what: Subject) -> Mapping[Check, Result]:
    return {one.check: one.result for one in audit(what).findings}


@settings(max_examples=examples(150), deadline=None)
@given(subjects())
def test_whatever_was_read_is_audited_and_the_verdict_comes_from_the_worst(what: Subject) -> None:
    audited = audit(what)
    assert [one.check for one in audited.findings] == list(Check)
    assert 0 <= audited.score <= 100
    counted = {(one.weight, one.result) for one in audited.findings}
    late = audited.clock in (Clock.OVERDUE, Clock.ESCALATED)
    failed = [weight for weight in DECIDING if (weight, Result.FAIL) in counted]
    unknown = [weight for weight in DECIDING if (weight, Result.INCONCLUSIVE) in counted]
    if failed and not late:
        assert audited.verdict is Verdict.PENDING
    elif Weight.CRITICAL in failed:
        assert audited.verdict is Verdict.UNDOCUMENTED
    elif Weight.CRITICAL in unknown or (unknown and not failed):
        assert audited.verdict is Verdict.UNKNOWN
    else:
        assert audited.verdict is (Verdict.PARTLY if failed else Verdict.DOCUMENTED)


@settings(max_examples=examples(150), deadline=None)
@given(subjects())
def test_from_evidence_alone_the_audit_comes_out_the_same(what: Subject) -> None:
    if any("\ud800" in one for one in (what.record.document.text if what.record.document else "",)):
        return  # no tracker can send half a character, and no JSON can hold one
    try:
        kept = json.loads(json.dumps(subject_to_json(what)))
    except UnicodeEncodeError:
        return
    assert audit(subject_from_json(kept)) == audit(what)


@settings(max_examples=examples(100), deadline=None)
@given(subjects(), st.sampled_from(Check), st.dates(date(2026, 3, 1), date(2026, 4, 30)))
def test_a_waiver_never_changes_another_check(what: Subject, check: Check, until: date) -> None:
    without = {one: waiver for one, waiver in what.waivers.items() if one is not check}
    given_one = replace(what, waivers={**without, check: Waived("lead", "A reason.", until, SIGNED)})
    before = {one.check: one for one in audit(replace(what, waivers=without)).findings if one.check is not check}
    after = {one.check: one for one in audit(given_one).findings if one.check is not check}
    assert before == after


HEAVIER = {Weight.OFF: Weight.MINOR, Weight.MINOR: Weight.MAJOR, Weight.MAJOR: Weight.CRITICAL}
BEST = [Verdict.DOCUMENTED, Verdict.PARTLY, Verdict.UNDOCUMENTED]


@settings(max_examples=examples(100), deadline=None)
@given(subjects(), st.sets(st.sampled_from(Check), min_size=1, max_size=3))
def test_a_tighter_rule_never_turns_a_fail_into_a_pass(what: Subject, checks: set[Check]) -> None:
    weights = {
        one: HEAVIER.get(weight, weight) if one in checks else weight for one, weight in what.rules.weights.items()
    }
    tighter = replace(what, rules=replace(what.rules, weights=weights))
    before, after = results(what), results(tighter)
    assert not [one for one in Check if before[one] is Result.FAIL and after[one] is Result.PASS]
    was, now = audit(what).verdict, audit(tighter).verdict
    if was is not Verdict.DOCUMENTED:
        assert now is not Verdict.DOCUMENTED


@settings(max_examples=examples(100), deadline=None)
@given(
    subjects(),
    st.builds(
        ProjectAudit,
        grace_working_days=st.none() | st.integers(0, 2),
        checks=st.dictionaries(
            st.sampled_from([one.value for one in Check]), st.sampled_from(["critical", "major", "minor"]), max_size=4
        ),
    ),
)
def test_no_project_turns_a_fail_into_a_pass_by_its_own_rules(what: Subject, said: ProjectAudit) -> None:
    plain = replace(what, rules=rules(0))
    tight = replace(what, rules=rules(0, said))
    before, after = results(plain), results(tight)
    assert not [one for one in Check if before[one] is Result.FAIL and after[one] is Result.PASS]


def test_tighter_hosts_and_links_and_a_shorter_grace_pass_nothing_more() -> None:
    what = subject(document(comments=(Comment("c", "a-pm", "pm-1", "/approve", LATE),)))
    assert results(what)[Check.ON_TIME] is Result.PASS
    shorter = subject(what.record, said=ProjectAudit(grace_working_days=0))
    assert shorter.iteration.deadlines.late == ENDS
    assert results(shorter)[Check.ON_TIME] is Result.FAIL
    narrow = replace(what, rules=replace(what.rules, hosts=("wiki.example.com",), required=("run", "dashboard")))
    assert results(narrow)[Check.LINKS] is Result.FAIL
