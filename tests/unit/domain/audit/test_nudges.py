"""Reminders say what is lacking, by when, how to fix it and who signs; and are for whom it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.records import Document, text_digest
from connectors.values import ItemKey, RemoteRef
from service.domain.audit.nudges import LONGEST_REASON, MENTIONED, Nudge, nudge_of
from service.domain.audit.outcome import Audited, Check, CheckFinding, Clock, Result, Verdict, Weight
from service.domain.audit.subject import Deadlines, Iteration, Person, Reading, Rules, Subject

BERLIN = ZoneInfo("Europe/Berlin")
RECORD = ItemKey("record:3")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def record(assignee: str | None = "a-ml") -> Document:
    return Document(RemoteRef("1", "ML-3", ""), "Document 3", "", text_digest(""), "todo", RECORD, assignee=assignee)


TIMES = Deadlines(
    at("2026-03-11T08:00"),
    at("2026-03-13T08:00"),
    at("2026-03-13T16:00"),
    at("2026-03-17T16:00"),
    at("2026-03-20T16:00"),
)
SUBJECT = Subject(
    Iteration(3, "ML 3", "data", "Data", 1, date(2026, 3, 2), date(2026, 3, 13), None, TIMES),
    Rules({}, author="ml", signer="pm", signer_title="Product Manager"),
    Reading(RECORD, record()),
    at("2026-03-12T09:00"),
    people={
        "a-ml": Person("ml-1@example.com", ("ml",)),
        "a-ml-2": Person("ml-2@example.com", ("ml",)),
        "a-pm": Person("pm-1@example.com", ("pm",)),
    },
    ours="a-us",
)
GOAL = CheckFinding(Check.GOAL, Weight.MAJOR, Result.FAIL, "It has 3 words", fix="Write what should be known")
SIGN_OFF = CheckFinding(Check.SIGN_OFF, Weight.CRITICAL, Result.FAIL, "Nobody signed it.", fix="Have it signed.")
LATE = CheckFinding(Check.ON_TIME, Weight.MAJOR, Result.FAIL, "It came late.")
BOSS = {"a-boss": Person("boss-1@example.com", ("boss",))}


def audited(clock: Clock, *findings: CheckFinding, verdict: Verdict = Verdict.PENDING) -> Audited:
    return Audited(3, verdict, clock, 0, findings or (GOAL, SIGN_OFF), RECORD)


def nudged(clock: Clock, subject: Subject = SUBJECT, *findings: CheckFinding) -> Nudge:
    found = nudge_of(subject, audited(clock, *findings), "ML", BERLIN, BOSS)
    assert found is not None
    return found


def test_a_reminder_says_what_is_lacking_by_when_how_to_fix_it_and_who_signs() -> None:
    text = nudged(Clock.DUE_SOON).text

    assert text.splitlines()[0] == "The record of iteration 3 of ML is due on Fri 13 Mar 2026 at 17:00 +01:00."
    assert "- **Goal and hypothesis** (D02): It has 3 words. Write what should be known." in text
    assert text.index("D10") < text.index("D02"), "what is worst comes first"
    assert text.splitlines()[-1].startswith("Signed by: Product Manager, not by the author, by a comment that begins")


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (Clock.DUE_SOON, "is due on Fri 13 Mar 2026 at 17:00 +01:00"),
        (Clock.DUE, "is due now: the iteration ends on Fri 13 Mar 2026 at 17:00 +01:00"),
        (Clock.IN_GRACE, "It is late from Tue 17 Mar 2026 at 17:00 +01:00 on"),
        (
            Clock.OVERDUE,
            "is late since Tue 17 Mar 2026 at 17:00 +01:00. From Fri 20 Mar 2026 at 17:00 +01:00 on, others hear of it",
        ),
        (Clock.ESCALATED, "is late since Tue 17 Mar 2026 at 17:00 +01:00, and not fixed"),
    ],
)
def test_each_state_of_the_clock_has_its_own_words(clock: Clock, words: str) -> None:
    assert words in nudged(clock).headline


def test_nobody_is_reminded_of_what_is_not_due_not_lacking_or_not_known() -> None:
    assert nudge_of(SUBJECT, audited(Clock.UPCOMING), "ML", BERLIN) is None
    assert nudge_of(SUBJECT, audited(Clock.DUE, replace(GOAL, result=Result.PASS)), "ML", BERLIN) is None
    assert nudge_of(SUBJECT, audited(Clock.OVERDUE, verdict=Verdict.UNKNOWN), "ML", BERLIN) is None


def test_nobody_is_reminded_of_what_cannot_be_fixed() -> None:
    assert nudge_of(SUBJECT, audited(Clock.OVERDUE, LATE, verdict=Verdict.PARTLY), "ML", BERLIN) is None


def test_it_is_for_who_has_the_record_and_who_signs() -> None:
    assert nudged(Clock.DUE).mentions == ("a-ml", "a-pm")
    assert nudged(Clock.DUE).to == ("ml-1@example.com", "pm-1@example.com")


@pytest.mark.parametrize("assignee", [None, "a-stranger", "a-us"])
def test_where_nobody_known_has_the_record_it_is_for_all_who_could_write_it(assignee: str | None) -> None:
    subject = replace(SUBJECT, record=Reading(RECORD, record(assignee)))

    assert nudged(Clock.DUE, subject).mentions == ("a-ml", "a-ml-2", "a-pm")


def test_others_hear_of_it_once_it_is_escalated() -> None:
    assert nudged(Clock.ESCALATED).mentions == ("a-ml", "a-pm", "a-boss")
    assert "a-boss" not in nudged(Clock.OVERDUE).mentions


def test_we_never_address_ourselves() -> None:
    people = {**SUBJECT.people, "a-us": Person("pm-2@example.com", ("pm",))}

    assert "a-us" not in nudged(Clock.DUE, replace(SUBJECT, people=people)).mentions


def test_a_large_team_is_not_called_together() -> None:
    people = {f"a-{number:02}": Person(f"ml-{number}@example.com", ("ml", "pm")) for number in range(40)}
    subject = replace(SUBJECT, people=people)

    assert len(nudged(Clock.DUE, subject).mentions) == MENTIONED


def test_the_same_audit_is_told_in_the_same_words() -> None:
    assert nudged(Clock.DUE) == nudged(Clock.DUE)


@given(st.text(), st.text())
def test_whatever_a_finding_says_it_stays_on_its_line_and_short(reason: str, fix: str) -> None:
    said = nudged(Clock.DUE, SUBJECT, replace(GOAL, reason=reason, fix=fix)).text
    (line,) = [line for line in said.split("\n\n")[2].split("\n") if line]

    assert line.startswith("- **Goal and hypothesis** (D02):")
    assert len(line) < 2 * LONGEST_REASON + 60
