"""The debt of a project that never used us, in both trackers: the same report, nothing written, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from sandbox.testing import SandboxServer
from service.context import Context, open_context
from service.domain.audit.outcome import Check, Result, Verdict
from service.settings import Settings
from service.store.tables import AuditRow, EvidenceRow, ProjectRow
from service.usecases.audit import debt_survey
from service.usecases.audit.debt_survey import Surveyed
from service.usecases.errors import NotFound
from service.usecases.setup import teams
from tests import plain
from tests.homes import furnish
from tests.integration.record_desks import BOSS, DATA, ML, PM, JiraRecords, TrelloRecords
from tests.integration.turntable import Clock, connect, team

WHOLE = """## Goal and hypothesis

We believe that churn can be told from ninety days of use better than from the contract alone, by an AUC of 0.8.

## Data used

usage v3 of 2026-02-01, see https://data.example.com/usage/v3

## Experiments and results

AUC 0.83 against a baseline of 0.74, see https://runs.example.com/41

## Decisions and why

We keep gradient boosting because it beats the baseline; the neural network was turned down as it is no better.

## Risks and limits

None known; checked by age and region.

## Next steps

Nothing is left: dropped."""
START = datetime.fromisoformat("2026-02-02T09:00+00:00")


@dataclass
class Stranger:
    """An installation with nothing but a connection, and people who work past it."""

    context: Context
    sandbox: SandboxServer
    clock: Clock

    def survey(self, key: str, **more: Any) -> Surveyed:
        return debt_survey.survey(self.context, "tracker", key, **more)

    def set(self, at: str) -> None:
        self.clock.set(at)
        tracker = self.sandbox.world.clock
        tracker.reset()
        tracker.advance(self.clock() - tracker.now())

    def writes(self) -> int:
        return int(plain.get(f"{self.sandbox.url}/sandbox/requests").raise_for_status().json()["counts"]["writes"])


def stranger(home: Path, tracker: str) -> Iterator[Stranger]:
    furnish(home)
    clock = Clock()
    with SandboxServer() as sandbox:
        context = replace(open_context(Settings(home=home, database_url=None, secret_key=None)), now=clock)
        connect(context, sandbox, tracker)
        made = Stranger(context, sandbox, clock)
        made.set("2026-02-02T08:00")
        yield made
        context.close()


@pytest.fixture
def jira(tmp_path: Path) -> Iterator[Stranger]:
    """A Jira project with three sprints of a fortnight: the first documented by a ticket that is called otherwise and
    has the headings, the second with a report that says little, the third continuing with nothing."""
    for made in stranger(tmp_path / "home", "jira"):
        _fill_jira(made)
        yield made


def _fill_jira(made: Stranger) -> None:
    people = JiraRecords(made.sandbox)
    lead = people.account(BOSS)
    template = "com.pyxis.greenhopper.jira:gh-simplified-agility-scrum"
    body = {"key": "ML", "name": "Churn of old", "projectTypeKey": "software", "leadAccountId": lead}
    people.send(BOSS, "POST", "api/2/project", json={**body, "projectTemplateKey": template})
    board = people.send(BOSS, "GET", "agile/1.0/board", params={"projectKeyOrId": "ML"})["values"][0]["id"]
    written = (("What came of it", WHOLE), ("Sprint 2 report", "It went well."), ("Watch it", "Look at the drift."))
    for number, (title, text) in enumerate(written, 1):
        starts = START + timedelta(days=14 * (number - 1))
        made.set(f"{starts:%Y-%m-%d}T09:00")
        dates = {"startDate": starts.isoformat(), "endDate": (starts + timedelta(days=11, hours=8)).isoformat()}
        sprint = people.send(
            BOSS, "POST", "agile/1.0/sprint", json={"name": f"Sprint {number}", "originBoardId": board, **dates}
        )["id"]
        people.adds(BOSS, title, f"Sprint {number}")
        people.known.clear()
        people.send(BOSS, "POST", f"agile/1.0/sprint/{sprint}", json={"state": "active"})
        if number == 3:
            made.set("2026-03-06T10:00")
            return
        people.adds(BOSS, f"Train model {number}", f"Sprint {number}")
        people.known.clear()
        made.set(f"{starts + timedelta(days=9):%Y-%m-%d}T09:00")
        people.writes(DATA, title, text)
        people.says(PM, title, "/approve")
        people.finishes(DATA, title, f"Train model {number}")
        made.set(f"{starts + timedelta(days=11):%Y-%m-%d}T17:30")
        people.send(BOSS, "POST", f"agile/1.0/sprint/{sprint}", json={"state": "closed"})


@pytest.fixture
def trello(tmp_path: Path) -> Iterator[Stranger]:
    """A board with a list for each of two sprints that are over."""
    for made in stranger(tmp_path / "home", "trello"):
        people = TrelloRecords(made.sandbox)
        board = people.send(BOSS, "POST", "boards", json={"name": "ML", "defaultLists": "false"})["id"]
        for email in (DATA, PM, ML):
            path = f"boards/{board}/members/{people.account(email)}"
            people.send(BOSS, "PUT", path, json={"type": "normal"})
        for number, text in ((1, WHOLE), (2, "It went well.")):
            where = people.send(BOSS, "POST", "lists", json={"name": f"Sprint {number}", "idBoard": board})["id"]
            for title, said in ((f"Record of sprint {number}", text), (f"Train model {number}", "Train it.")):
                card = people.send(DATA, "POST", "cards", json={"idList": where, "name": title, "desc": said})["id"]
                people.send(DATA, "PUT", f"cards/{card}", json={"dueComplete": True})
            people.says(PM, f"Record of sprint {number}", "/approve")
            made.set(f"{START + timedelta(days=14 * number):%Y-%m-%d}T09:00")
        yield made


def test_a_jira_project_of_strangers_gets_the_same_report(jira: Stranger) -> None:
    before = jira.writes()

    found = jira.survey("ML")

    assert [one.audited.number for one in found.iterations] == [1, 2, 3]
    first, second, third = found.iterations
    assert first.told_by.startswith("its headings Goal and hypothesis")
    assert second.told_by == "its title"
    assert third.told_by == ""
    said = {one.check: one for one in first.audited.findings}
    for check in (Check.RECORD, Check.GOAL, Check.DATA, Check.EXPERIMENTS, Check.DECISIONS, Check.SIGN_OFF):
        assert said[check].result is Result.PASS, said[check]
    assert second.audited.verdict is Verdict.UNDOCUMENTED
    assert third.audited.verdict is Verdict.PENDING
    (missing,) = [one for one in third.audited.findings if one.check is Check.RECORD]
    assert missing.result is Result.FAIL
    assert [one.document.title for one in first.subject.done if one.document is not None] == ["Train model 1"]
    assert first.subject.iteration.last.isoformat() == "2026-02-13"
    assert jira.writes() == before


def test_nothing_of_a_survey_is_kept(jira: Stranger) -> None:
    jira.survey("ML")

    with jira.context.database.session() as session:
        kept = [
            session.scalar(select(func.count()).select_from(table)) for table in (ProjectRow, EvidenceRow, AuditRow)
        ]
    assert kept == [0, 0, 0]


def test_with_a_team_only_those_who_hold_the_role_sign(jira: Stranger) -> None:
    teams.put(jira.context, team())
    anybody = jira.survey("ML")

    known = jira.survey("ML", team=team().name)

    assert any("Who holds which role is not known" in one for one in anybody.assumed)
    assert not any("Who holds which role" in one for one in known.assumed)
    people = known.iterations[0].subject.people
    assert {person.name for person in people.values()} >= {"Product manager", "Data engineer"}
    assert {person.name: person.roles for person in people.values()}["Data engineer"] != ()


def test_a_board_of_strangers_gets_the_same_report(trello: Stranger) -> None:
    before = trello.writes()

    found = trello.survey("ML")

    assert [one.subject.iteration.title for one in found.iterations] == ["Sprint 1", "Sprint 2"]
    first, second = found.iterations
    said = {one.check: one.result for one in first.audited.findings}
    assert (said[Check.GOAL], said[Check.DECISIONS], said[Check.SIGN_OFF]) == (Result.PASS,) * 3
    assert Check.GOAL in {one.check for one in second.audited.lacking}
    assert trello.writes() == before


def test_the_report_has_the_form_of_a_matrix_and_says_what_was_assumed(jira: Stranger) -> None:
    told = debt_survey.surveyed_json(jira.survey("ML"))

    assert set(told["iterations"][0]["results"]) == set(told["checks"])
    assert told["iterations"][1]["record"].startswith("ML-")
    assert told["iterations"][1]["told_by"] == "its title"
    assert told["project"]["name"] == "Churn of old"
    assert told["template"].startswith("iterative-ml ")
    assert 0 < told["reads"] < 30
    assert any("No phase is named" in one for one in told["assumed"])


def test_a_project_that_nobody_can_see_is_named(jira: Stranger) -> None:
    with pytest.raises(NotFound, match="NONE"):
        jira.survey("NONE")
    with pytest.raises(NotFound, match="team"):
        jira.survey("ML", team="Nobody")
