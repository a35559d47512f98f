"""Records are read in the tracker, audited, and kept as evidence; people write past us, with accounts of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import TrackerError
from service.domain.audit import chain
from service.domain.audit.outcome import Audited, Check, Clock, Gate, GateAnswer, Result, Verdict
from service.domain.audit.subject import Subject
from service.domain.plan import run_state
from service.store import audits
from service.store.tables import AuditRow, ProjectRow
from service.usecases.audit import audit_reports, record_audit
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import projects
from tests import plain
from tests.integration.record_desks import DATA, ML, PM, RecordDesk, record_desk
from tests.integration.turntable import TEMPLATE, Turntable, team, turntable

FIRST, SECOND, THIRD = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-30T09:00"
DURING, LATE = "2026-03-10T10:00", "2026-03-19T10:00"
ONE, TWO = "Document iteration 1", "Document iteration 2"
GOAL = (
    "## Goal\n\nWe wanted to learn whether the customer data of one year can be loaded in a single night, so that a "
    "first model can be trained on it in the week after."
)


@dataclass
class Scene:
    """A project whose first iteration continues, and the people who document it."""

    table: Turntable
    desk: RecordDesk

    @property
    def ours(self) -> Material:
        return material(self.table.context, self.table.project)

    def run(self, *numbers: int) -> dict[int, Audited]:
        found = record_audit.run(self.table.context, self.table.project, numbers or None)
        return {one.number: one for one in found}

    def look(self, *numbers: int) -> list[Subject]:
        with self.table.context.tracker(self.ours.connection) as tracker:
            return record_audit.look(self.table.context, self.ours, tracker, None, numbers or None)

    def gate(self, number: int) -> GateAnswer:
        with self.table.context.tracker(self.ours.connection) as tracker:
            return record_audit.gate_of(self.table.context, self.ours, tracker, number)

    def row(self, number: int = 1) -> AuditRow:
        with self.table.context.database.session() as session:
            return audits.rows(session, self.table.project)[number]

    def entries(self) -> list[chain.Entry]:
        with self.table.context.database.session() as session:
            return audits.entries(session, self.table.project)

    def documents(self, title: str = ONE) -> None:
        """The data engineer writes the record, the product manager signs it, and it is done."""
        self.desk.writes(DATA, title, f"{GOAL} This was {title}, see {self.desk.key('Load the data')}.")
        self.desk.says(PM, title, "/approve")
        self.desk.finishes(PM, title)

    def says(self, **audit: Any) -> None:
        """As a person does who sets the project up anew."""
        row = self.ours.project
        projects.put(
            self.table.context,
            projects.Request("ML", "ML", "tracker", team().name, _template(), row.parameters, create=True, audit=audit),
        )

    def fault(self, **fault: object) -> None:
        plain.post(f"{self.table.url}/sandbox/faults", json={"times": None, **fault}).raise_for_status()

    def fix(self) -> None:
        plain.delete(f"{self.table.url}/sandbox/faults").raise_for_status()


def _template() -> Any:
    from service.templates import TemplateText

    return TemplateText.of(TEMPLATE.read_text(), TEMPLATE.name)


def opened(home: Path, tracker: str) -> Iterator[Scene]:
    with turntable(home, tracker) as table:
        table.plan_and_apply()
        assert table.turned(1, FIRST).state == run_state.COMPLETED
        table.set(DURING)
        yield Scene(table, record_desk(table.sandbox, tracker))


@pytest.fixture(params=["jira", "trello"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    yield from opened(tmp_path / "home", request.param)


@pytest.fixture
def jira(tmp_path: Path) -> Iterator[Scene]:
    yield from opened(tmp_path / "home", "jira")


def results(audited: Audited) -> dict[Check, Result]:
    return {one.check: one.result for one in audited.findings}


def test_a_record_that_is_written_and_signed_documents_its_iteration_and_one_that_is_not_is_pending(
    scene: Scene,
) -> None:
    before = scene.run()[1]

    assert before.verdict is Verdict.PENDING
    assert results(before)[Check.RECORD] is Result.PASS
    assert {Check.GOAL, Check.SIGN_OFF} <= {one.check for one in before.lacking}
    assert all(one.fix for one in before.lacking)

    scene.documents()
    after = scene.run()[1]

    assert after.verdict is Verdict.DOCUMENTED, [str(one) for one in after.lacking]
    assert scene.row().score == after.score > before.score
    (signed,) = [one for one in after.findings if one.check is Check.SIGN_OFF]
    assert "Product manager" in [evidence.by for evidence in signed.evidence]
    assert [one.kind for one in scene.entries()] == [chain.READING, chain.READING]


def test_what_is_read_is_all_that_the_audit_needs(scene: Scene) -> None:
    scene.desk.finishes(PM, "Set the goals")
    guest = scene.desk.adds(DATA, "Ask for access", "Data 1") if scene.table.sandbox.url and _is_jira(scene) else ""
    if guest:
        scene.desk.finishes(DATA, "Ask for access")
    scene.documents()
    scene.desk.links(DATA, ONE, "https://runs.example.com/17", "Run 17")

    (subject,) = scene.look()

    document = subject.record.document
    assert document is not None
    assert document.text.startswith("## Goal")
    assert [one.url for one in document.links] == ["https://runs.example.com/17"]
    assert [one.by for one in document.edits] == [scene.desk.account(DATA)]
    assert subject.people[scene.desk.account(DATA)].roles == ("data",)
    assert subject.people[scene.desk.account(PM)].name == "Product manager"
    done = [one.document.title for one in subject.done if one.document is not None]
    assert sorted(done) == sorted(["Set the goals", *(["Ask for access"] if guest else [])])
    assert subject.keys == tuple(sorted([scene.desk.key(ONE), scene.desk.key("Load the data")]))
    assert "> What was the goal?" in subject.template
    assert "\n\n- " in subject.template, "what done means was seeded, too"
    assert subject.former == ""
    assert subject.iteration.closed_at is None
    assert not subject.iteration.gate


def _is_jira(scene: Scene) -> bool:
    return scene.ours.connection.kind == "jira"


def test_a_look_that_finds_nothing_new_adds_no_evidence(scene: Scene) -> None:
    scene.documents()
    scene.run()
    scene.table.set("2026-03-10T15:00")

    scene.run()

    assert len(scene.entries()) == 1
    assert scene.row().audited_at.isoformat()[:16] == "2026-03-10T15:00"


def test_everything_is_computed_again_from_the_evidence_alone_and_comes_out_the_same(jira: Scene) -> None:
    jira.run()
    jira.documents()
    jira.run()
    jira.table.turned(2, SECOND)
    said = jira.run()
    project = jira.table.project

    proof = audit_reports.verify(jira.table.context, project)

    assert proof.ok, proof
    assert (proof.audits, proof.entries, proof.head) == (2, len(jira.entries()), jira.entries()[-1].digest)
    again = audit_reports.recomputed(jira.table.context, project)
    assert {number: again[number] for number in said} == said

    with jira.table.context.database.session() as session:
        row = audits.rows(session, project)[2]
        row.verdict, row.score = Verdict.DOCUMENTED.value, 100

    (difference, *_) = audit_reports.verify(jira.table.context, project).differences
    assert difference == "iteration 2 is pending by its evidence, and documented is kept"


def test_a_record_that_nobody_writes_is_overdue_after_the_grace_and_never_before(jira: Scene) -> None:
    jira.table.turned(2, SECOND)
    assert jira.run(1)[1].verdict is Verdict.PENDING
    assert jira.run(1)[1].clock is Clock.IN_GRACE

    jira.table.set(LATE)

    assert jira.run(1)[1].verdict is Verdict.UNDOCUMENTED
    assert jira.row(1).clock == Clock.OVERDUE


def test_an_edit_after_the_sign_off_shows_also_in_an_iteration_that_was_settled_long_ago(scene: Scene) -> None:
    scene.documents()
    scene.table.turned(2, SECOND)
    assert scene.run()[1].verdict is Verdict.DOCUMENTED
    assert 1 not in scene.run()
    scene.table.set("2026-03-18T10:00")

    scene.desk.writes(DATA, ONE, f"{GOAL} And it can, as we knew all along.")
    found = scene.run()

    assert found[1].changed_after_sign_off
    (sign_off,) = [one for one in found[1].lacking if one.check is Check.SIGN_OFF]
    assert "Data engineer" in sign_off.reason + "".join(one.by for one in sign_off.evidence)
    assert [one.iteration for one in scene.entries()].count(1) == 2


def test_a_record_that_somebody_deleted_is_missing(scene: Scene) -> None:
    scene.documents()
    scene.run()

    scene.desk.deletes(ONE)
    found = scene.run()[1]

    assert results(found)[Check.RECORD] is Result.FAIL
    assert found.verdict is Verdict.PENDING
    scene.table.set(LATE)
    assert scene.run(1)[1].verdict is Verdict.UNDOCUMENTED


def test_a_tracker_that_goes_down_in_the_middle_changes_no_verdict(scene: Scene) -> None:
    scene.documents()
    scene.run()
    scene.table.set(LATE)
    path = "bulkfetch" if _is_jira(scene) else "/actions"
    scene.fault(action="status", status=503, path=path)

    with pytest.raises(TrackerError):
        scene.run()

    assert scene.row().verdict == Verdict.DOCUMENTED
    assert scene.row().trouble
    assert len(scene.entries()) == 1

    scene.fix()
    assert scene.run()[1].verdict is Verdict.DOCUMENTED
    assert scene.row().trouble == ""


def test_a_part_that_cannot_be_read_changes_no_verdict_and_is_named(jira: Scene) -> None:
    jira.documents()
    jira.run()
    jira.fault(action="status", status=403, path="/remotelink")

    found = jira.run()[1]

    assert found.verdict is Verdict.DOCUMENTED
    assert "links" in jira.row().trouble
    assert len(jira.entries()) == 1


def test_a_part_that_could_never_be_read_leaves_the_verdict_open(jira: Scene) -> None:
    jira.documents()
    jira.fault(action="status", status=403, path="/remotelink")

    found = jira.run()[1]

    assert found.verdict is Verdict.UNKNOWN
    assert results(found)[Check.LINKS] is Result.INCONCLUSIVE
    jira.fix()
    assert jira.run()[1].verdict is Verdict.DOCUMENTED


def test_what_was_never_read_is_unknown_and_not_undocumented_however_late_it_is(scene: Scene) -> None:
    scene.table.set(LATE)
    scene.fault(action="status", status=503, path="/")

    with pytest.raises(TrackerError):
        scene.run()

    assert scene.row().verdict == Verdict.UNKNOWN
    assert scene.entries() == []
    said = audits.audited(scene.row())
    assert set(results(said).values()) <= {Result.INCONCLUSIVE, Result.NOT_APPLICABLE}


def test_an_account_that_may_not_see_the_project_any_more_decides_nothing(jira: Scene) -> None:
    jira.documents()
    jira.run()
    denied = {"user": "demo@example.com", "permission": "BROWSE_PROJECTS", "project": "ML"}
    plain.post(f"{jira.table.url}/sandbox/permissions", json=denied).raise_for_status()
    jira.table.set(LATE)

    with pytest.raises(TrackerError):
        jira.run()

    assert jira.row().verdict == Verdict.DOCUMENTED
    assert "ML" in jira.row().trouble


def test_a_project_that_has_ended_can_still_be_audited(jira: Scene) -> None:
    jira.documents()
    with jira.table.context.database.session() as session:
        session.get_one(ProjectRow, jira.table.project).ended_at = jira.table.clock()

    assert jira.run()[1].verdict is Verdict.DOCUMENTED
    lines = audit_reports.matrix(jira.table.context, jira.table.project).lines
    assert [(line.number, line.audited is not None) for line in lines] == [(1, True)]


def test_the_gate_names_what_is_lacking_and_opens_as_soon_as_it_is_fixed(scene: Scene) -> None:
    assert scene.gate(1) == GateAnswer(Gate.OFF)
    scene.says(gate="block")

    closed = scene.gate(1)

    assert (closed.policy, closed.holds, closed.pending, closed.unknown) == (Gate.BLOCK, True, True, "")
    (words,) = closed.lacking
    assert scene.desk.key(ONE) in words
    assert "iteration 1" in words

    scene.documents()
    opened_again = scene.gate(1)
    assert (opened_again.holds, opened_again.lacking) == (False, ())


def test_a_gate_that_cannot_look_holds_under_block_and_says_so(scene: Scene) -> None:
    scene.says(gate="block")
    scene.documents()
    scene.run()
    scene.fault(action="status", status=503, path="/")

    answer = scene.gate(1)

    assert answer.holds
    assert answer.unknown
    assert answer.lacking == ()
    assert record_audit.gate_of(scene.table.context, scene.ours, None, 1).unknown  # what was kept says so too
    scene.fix()
    assert scene.gate(1) == GateAnswer(Gate.BLOCK, documented=frozenset({1}))
    assert record_audit.gate_of(scene.table.context, scene.ours, None, 1) == scene.gate(1)


def test_the_matrix_shows_every_check_with_its_reason_and_how_to_fix_it(jira: Scene) -> None:
    jira.run()

    found = audit_reports.matrix_json(audit_reports.matrix(jira.table.context, "ML"))

    (line,) = found["iterations"]
    assert found["checks"] == [check.value for check in Check]
    assert set(line["results"]) == set(found["checks"])
    assert (line["verdict"], line["clock"], line["goes_on"]) == ("pending", "upcoming", True)
    assert line["record"] == jira.desk.key(ONE)
    assert line["url"].endswith(line["record"])
    failed = [one for one in line["findings"] if one["result"] == "fail"]
    assert failed
    assert all(one["reason"] and one["fix"] for one in failed)


def test_the_work_of_people_who_stand_in_for_a_role_counts_for_it(jira: Scene) -> None:
    """Nobody of the team holds a role of oversight; in the template those fall to nobody else either."""
    (subject,) = jira.look()

    held = {role for person in subject.people.values() for role in person.roles}
    assert held == {"data", "pm"}
    assert ML not in str(subject.people)
