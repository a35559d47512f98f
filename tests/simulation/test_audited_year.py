"""A year of a project in Jira, or half of one where there is little time, and two months in Trello, with records that
are written well and badly, audited by the clock: every verdict follows from how people wrote, and from the evidence
alone it comes out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from holidays import country_holidays
from sqlalchemy import func, select

from service.domain.audit import chain
from service.domain.audit.audit import audit
from service.domain.audit.chain import Entry, entry_from_json
from service.domain.audit.forms import audited_to_json
from service.domain.audit.outcome import Audited, Check, Clock, Result, Verdict, Weight
from service.domain.audit.subject import subject_from_json
from service.domain.loop import loop_state
from service.store import audits
from service.store.tables import EventRow, RunRow
from service.usecases.audit import audit_reports, binder_export, record_audit
from service.usecases.audit.audit_reports import Matrix, Proof
from service.usecases.audit.binder_export import Format
from service.verification import verify_file
from simulation.cast import COUNTRY, SUBDIVISION
from simulation.play import Play, Script
from simulation.records import DECK, Manner
from simulation.report import Judged, Report, Wrote
from simulation.scribes import CHANGES, SIGNS, WRITES
from simulation.stage import Stage
from tests.effort import LONG
from tests.simulation.stories import script

pytestmark = pytest.mark.timeout(2400)

SEED = 1
GRACE = 2
"""Working days, as the template says."""

TEXT = {Check.EXPERIMENTS, Check.DECISIONS, Check.RISKS, Check.LINKS, Check.NEW}
"""What fails at least where nobody answered."""

FAIL: dict[str, set[Check]] = {
    Manner.SLOPPY: TEXT | {Check.GOAL, Check.DATA, Check.NEXT_STEPS},
    Manner.PROMPTS: TEXT,
    Manner.UNSIGNED: {Check.SIGN_OFF, Check.ON_TIME},
    Manner.OWN: {Check.SIGN_OFF, Check.ON_TIME},
    Manner.CHANGED: {Check.SIGN_OFF},
    Manner.COPIED: {Check.NEW},
}
"""What fails of records that are written in these manners and signed in time; of the others nothing does."""


@dataclass(frozen=True)
class Played:
    """What is left of a play: what it told, and what was stored and exported at its end."""

    script: Script
    report: Report
    matrix: Matrix
    proof: Proof
    entries: list[Entry]
    kept: dict[int, Audited]
    files: dict[Format, bytes]
    fingerprint: str
    looks: int
    reminded: list[str]

    def deeds(self, number: int, did: str) -> list[Wrote]:
        return [one for one in self.report.of(Wrote) if one.number == number and one.did == did]

    def late(self, number: int) -> datetime:
        """When the record is late: at five on the second working day after the last one of its iteration."""
        days = int(self.script.values["iteration_days"])
        free = country_holidays(COUNTRY, SUBDIVISION, years=[self.script.first.year, self.script.first.year + 1])
        day, left = self.script.first + timedelta(days=days * number - 1), GRACE
        while day.weekday() > 4 or day in free:
            day -= timedelta(days=1)
        while left:
            day += timedelta(days=1)
            left -= day.weekday() < 5 and day not in free
        return datetime.combine(day, time(17), self.script.zone)


LONGEST = ("jira", 12, 28) if LONG else ("jira", 6, 14)
"""Thirteen iterations either way: as many as there are manners of writing."""


@pytest.fixture(scope="module", params=[LONGEST, ("trello", 2, 14)], ids=["thirteen in Jira", "four in Trello"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    tracker, months, days = request.param
    told = script(tracker, months=months, seed=SEED, audit={"gate": "warn"}, values={"iteration_days": str(days)})
    with Stage(tmp_path_factory.mktemp("audited") / "home", tracker, told.opens) as stage:
        play = Play(stage, told)
        report = play.run()
        context, project = stage.context, play.project_id
        record_audit.run(context, project)  # what happened since the clock looked last
        with context.database.session() as session:
            entries, rows = audits.entries(session, project), audits.rows(session, project)
            looks = session.scalar(select(func.count()).where(RunRow.kind == loop_state.AUDIT)) or 0
            reminded = list(session.scalars(select(EventRow.name).where(EventRow.name.startswith("record-due:"))))
        yield Played(
            told,
            report,
            audit_reports.matrix(context, project),
            audit_reports.verify(context, project),
            entries,
            {number: audits.audited(row) for number, row in rows.items()},
            {form: binder_export.make(context, project, None, form) for form in Format},
            binder_export.signers(context)[0].fingerprint,
            looks,
            reminded,
        )


def failing(audited: Audited) -> set[Check]:
    """The checks that fail and count, whether or not somebody lets them pass."""
    counted = (one for one in audited.findings if one.weight in (Weight.CRITICAL, Weight.MAJOR))
    return {one.check for one in counted if Result.FAIL in (one.result, one.was)}


def expected(played: Played, number: int) -> set[Check]:
    """What is to fail of a record whose time is over, by what people did to it."""
    written = played.deeds(number, WRITES)
    manner = written[0].manner if written else ""
    fails = set(FAIL.get(manner, ())) if written else TEXT | {Check.GOAL}
    signed = [] if manner in (Manner.UNSIGNED, Manner.OWN) else played.deeds(number, SIGNS)
    if not signed:
        fails |= {Check.SIGN_OFF, Check.ON_TIME}
    elif signed[0].at > played.late(number):
        fails |= {Check.ON_TIME}
    if manner == Manner.CHANGED and not played.deeds(number, CHANGES):
        fails -= {Check.SIGN_OFF}
    return fails


def test_every_record_fails_what_its_author_left_out_and_nothing_else(played: Played) -> None:
    over = [line for line in played.matrix.lines if played.late(line.number) < played.report.of(Wrote)[-1].at]
    assert len(over) >= (11 if played.script.tracker == "jira" else 2)
    for line in over:
        audited, wanted = line.audited, expected(played, line.number)
        assert audited is not None
        assert line.trouble == ""
        perhaps = {Check.GOAL, Check.DATA, Check.NEXT_STEPS, Check.PERFORMANCE} if wanted >= TEXT else set()
        assert wanted <= failing(audited) <= wanted | perhaps, line


def test_the_verdict_is_that_of_the_worst_check_that_nobody_lets_pass(played: Played) -> None:
    lines = played.matrix.lines
    late = [one for one in lines if one.audited and one.audited.clock in (Clock.OVERDUE, Clock.ESCALATED)]
    for line in late:
        assert line.audited is not None
        left = [one.weight for one in line.audited.findings if one.result is Result.FAIL]
        worst = Verdict.UNDOCUMENTED if Weight.CRITICAL in left else Verdict.PARTLY
        assert line.audited.verdict is (worst if {Weight.CRITICAL, Weight.MAJOR} & set(left) else Verdict.DOCUMENTED)
    if played.script.tracker == "jira":
        assert {one.manner for one in played.report.of(Wrote)} == set(DECK)
        assert {one.verdict for one in played.report.of(Judged)} == {"documented", "partly", "undocumented"}


def test_what_was_changed_after_it_was_signed_shows(played: Played) -> None:
    changed = {one.number for one in played.report.of(Wrote) if one.did == CHANGES}

    assert {number for number, one in played.kept.items() if one.changed_after_sign_off} == changed


def test_nobody_is_reminded_twice_in_one_state(played: Played) -> None:
    assert len(played.reminded) == len(set(played.reminded))
    assert played.looks > len(played.matrix.lines)


def test_from_the_evidence_alone_the_audits_come_out_the_same(played: Played) -> None:
    file = json.dumps([entry.to_json() for entry in played.entries])

    entries = [entry_from_json(one) for one in json.loads(file)]

    assert chain.breaks(entries) == []
    newest = {entry.iteration: entry for entry in entries if entry.kind == chain.READING}
    again = {number: audit(subject_from_json(entry.body)) for number, entry in newest.items()}
    assert {number: audited_to_json(one) for number, one in again.items()} == {
        number: audited_to_json(one) for number, one in played.kept.items()
    }
    assert played.proof.ok, played.proof
    assert (played.proof.entries, played.proof.audits) == (len(entries), len(again))


def test_evidence_that_is_changed_or_left_out_breaks_the_chain(played: Played) -> None:
    values = json.loads(json.dumps([entry.to_json() for entry in played.entries]))
    at = next(place for place, one in enumerate(values) if one["kind"] == chain.READING and one["seq"] > 1)

    lost = [entry_from_json(one) for one in values if one["seq"] != at + 1]
    values[at]["body"]["record"]["document"]["text"] += "\n\nIt was all written in time."
    changed = [entry_from_json(one) for one in values]

    assert [text for text in chain.breaks(lost) if f"entry {at + 1} is missing" in text]
    assert f"entry {at + 1} is not what was sealed: its content was changed" in chain.breaks(changed)


@pytest.mark.parametrize("form", list(Format))
def test_the_binder_of_the_whole_project_is_verified_by_the_file_alone(played: Played, form: Format) -> None:
    found = verify_file(played.files[form], played.fingerprint)

    assert found.ok, found.mismatches
    assert found.iterations == len(played.matrix.lines)
    assert found.entries == len(played.entries)


@pytest.mark.parametrize("form", list(Format))
def test_a_binder_in_which_a_verdict_was_made_better_is_refused(played: Played, form: Format) -> None:
    told = played.files[form]
    worst = next(number for number, one in played.kept.items() if one.verdict is not Verdict.DOCUMENTED)
    better = _better(json.loads(told), worst) if form is Format.JSON else told.replace(b"undocumented", b"documented")
    assert better != told

    found = verify_file(better, played.fingerprint)

    assert not found.ok
    assert [one.place for one in found.mismatches]


def _better(binder: dict[str, Any], number: int) -> bytes:
    binder["content"]["audits"][str(number)]["verdict"] = "documented"
    return json.dumps(binder).encode()
