"""Evidence only grows, each entry follows from the one before; a look that finds nothing new adds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from connectors.records import Document, text_digest
from connectors.values import ItemKey, RemoteRef
from service.context import Context
from service.domain.audit import chain
from service.domain.audit.outcome import Audited, Check, CheckFinding, Clock, Result, Verdict, Weight
from service.domain.audit.subject import Deadlines, Iteration, Reading, Rules, Subject
from service.store import audits
from service.store.tables import EvidenceRow, WaiverRow
from tests.unit.stores import NOON, on, project_row

P = "prj_1"


@pytest.fixture(params=["sqlite", "postgresql"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    for opened in on(request.param, tmp_path):
        with opened.database.session() as session:
            for name in (P, "prj_2"):
                session.add(project_row(name))
        yield opened


def subject(number: int = 1, text: str = "## Goal\n\nTo learn.", at: datetime = NOON) -> Subject:
    days = [NOON + timedelta(days=day) for day in range(5)]
    return Subject(
        Iteration(
            number, f"Data {number}", "data", "Data", 1, date(2026, 3, 2), date(2026, 3, 15), None, Deadlines(*days)
        ),
        Rules(dict.fromkeys(Check, Weight.MAJOR)),
        Reading(
            ItemKey(f"record:{number}"),
            Document(RemoteRef("1", "ML-1", "https://t.example.com/ML-1"), "Record", text, text_digest(text), "todo"),
        ),
        at,
    )


def audited(number: int = 1, result: Result = Result.FAIL, verdict: Verdict = Verdict.PENDING) -> Audited:
    finding = CheckFinding(Check.GOAL, Weight.MAJOR, result, "Nothing is written under Goal.")
    return Audited(number, verdict, Clock.UPCOMING, 0, (finding,), ItemKey(f"record:{number}"))


def look(context: Context, *looks: tuple[Subject, Audited], now: datetime = NOON, name: str = P) -> None:
    with context.database.session() as session:
        audits.keep(session, name, looks, now)


def entries(context: Context, name: str = P) -> list[chain.Entry]:
    with context.database.session() as session:
        return audits.entries(session, name)


def test_each_reading_is_an_entry_that_follows_from_the_one_before(context: Context) -> None:
    look(context, (subject(1), audited(1)), (subject(2), audited(2)))
    look(context, (subject(1, "## Goal\n\nSomething else."), audited(1)))
    look(context, (subject(1), audited(1)), name="prj_2")

    found = entries(context)

    assert [(one.seq, one.iteration, one.kind) for one in found] == [
        (1, 1, "reading"),
        (2, 2, "reading"),
        (3, 1, "reading"),
    ]
    assert [one.previous for one in found] == ["", found[0].digest, found[1].digest]
    assert chain.breaks(found) == []
    assert [one.seq for one in entries(context, "prj_2")] == [1]
    with context.database.session() as session:
        assert audits.readings(session, P) == {1: subject(1, "## Goal\n\nSomething else."), 2: subject(2)}
        assert audits.readings(session, P, [2]) == {2: subject(2)}
        assert audits.audited(audits.rows(session, P)[2]) == audited(2)


def test_a_look_that_finds_nothing_new_adds_nothing_and_says_when_it_was(context: Context) -> None:
    later = NOON + timedelta(hours=3)
    look(context, (subject(), audited()))

    look(context, (subject(at=later), audited()), now=later)

    assert [one.at for one in entries(context)] == [NOON]
    with context.database.session() as session:
        assert audits.rows(session, P)[1].audited_at == later


def test_the_same_text_that_is_judged_otherwise_is_evidence_of_its_time(context: Context) -> None:
    later = NOON + timedelta(days=9)
    late = replace(audited(verdict=Verdict.PARTLY), clock=Clock.OVERDUE)
    look(context, (subject(), audited()))

    look(context, (subject(at=later), late), now=later)

    assert [one.at for one in entries(context)] == [NOON, later]
    with context.database.session() as session:
        row = audits.rows(session, P)[1]
        assert (row.verdict, row.clock, audits.audited(row)) == ("partly", "overdue", late)


def test_the_database_itself_refuses_to_change_or_delete_evidence(context: Context) -> None:
    look(context, (subject(), audited()))

    with pytest.raises(DBAPIError, match="only grows"), context.database.session() as session:
        session.execute(update(EvidenceRow).values(body={}))
    with pytest.raises(DBAPIError, match="only grows"), context.database.session() as session:
        session.execute(delete(EvidenceRow))

    assert chain.breaks(entries(context)) == []


def test_looks_at_the_same_time_make_one_chain(context: Context) -> None:
    def at(number: int) -> None:
        look(context, (subject(number), audited(number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(at, range(1, 17)))

    found = entries(context)
    assert [one.seq for one in found] == list(range(1, 17))
    assert {one.iteration for one in found} == set(range(1, 17))
    assert chain.breaks(found) == []


def test_a_failed_look_keeps_what_was_said_and_says_why(context: Context) -> None:
    look(context, (subject(), audited(verdict=Verdict.DOCUMENTED)))
    unread = audited(result=Result.INCONCLUSIVE, verdict=Verdict.UNKNOWN)

    with context.database.session() as session:
        audits.trouble(session, P, unread, "Jira did not answer.\x00", NOON + timedelta(hours=1))
        audits.trouble(session, P, replace(unread, number=2), "Jira did not answer.", NOON)

    with context.database.session() as session:
        rows = audits.rows(session, P)
        assert [(row.verdict, row.trouble.strip()) for row in rows.values()] == [
            ("documented", "Jira did not answer."),
            ("unknown", "Jira did not answer."),
        ]
        assert rows[1].audited_at == NOON
        assert rows[2].evidence_id is None
    assert len(entries(context)) == 1

    look(context, (subject(), audited(verdict=Verdict.DOCUMENTED)))

    with context.database.session() as session:
        assert audits.rows(session, P)[1].trouble == ""


def test_what_the_clock_did_is_remembered_once_in_order(context: Context) -> None:
    look(context, (subject(), audited()))
    with context.database.session() as session:
        audits.note(session, P, 1, nudged="due soon", bodies={"Goal": "Know more."}, digest="a")
        audits.note(session, P, 1, nudged="due")
        audits.note(session, P, 1, nudged="due soon", bodies={"Goal": "Know all.", "Links": "None."}, digest="b")
        audits.note(session, P, 1, bodies={"Goal": "Know more."}, digest="a")
        audits.note(session, P, 7, nudged="due")

    look(context, (subject(text="New."), audited()))

    with context.database.session() as session:
        rows = audits.rows(session, P)
        assert set(rows) == {1}
        assert audits.nudged(rows[1]) == ("due", "due soon")
        assert audits.bodies(rows[1]) == {"Goal": ("Know all.", "Know more."), "Links": ("None.",)}
        assert audits.digests(rows[1]) == ("b", "a")


def test_of_several_waivers_the_one_that_lasts_longest_holds(context: Context) -> None:
    def waiver(name: str, until: date, number: int | None = None, *, revoked: bool = False) -> WaiverRow:
        taken_back = NOON if revoked else None
        return WaiverRow(
            id=name, project_id=P, number=number, check="D02", by=name, reason="It is known.", until=until, at=NOON,
            revoked_at=taken_back,
        )  # fmt: skip

    rows = [
        waiver("all", date(2026, 5, 1)),
        waiver("third", date(2026, 6, 1), 3),
        waiver("gone", date(2026, 9, 1), revoked=True),
        waiver("over", date(2026, 1, 1), 4),
    ]

    assert audits.waived(rows, 3)[Check.GOAL].by == "third"
    assert audits.waived(rows, 4)[Check.GOAL].by == "all"
    assert [row.id for row in audits.in_force(rows, date(2026, 5, 2))] == ["third"]
    assert [row.id for row in audits.in_force(rows, date(2026, 5, 1))] == ["all", "third"]


def test_a_text_with_signs_that_databases_dislike_is_kept_as_it_is(context: Context) -> None:
    odd = "## Goal\n\nnul \x00, half a pair \ud83d, right to left \u202e, \N{PILE OF POO}"
    strange = subject(text=odd)

    look(context, (strange, audited()))

    assert chain.breaks(entries(context)) == []
    assert entries(context)[0].body["record"]["document"]["text"] == odd
    with context.database.session() as session:
        assert audits.readings(session, P) == {1: strange}
