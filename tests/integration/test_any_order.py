"""The loop is sent on early, back and on again with a horizon: nothing is made twice, nothing is said to have left the
template, nobody is said to have done what phaseloop did. Seen in the sandbox by plain HTTP."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from service.domain.plan import run_state
from service.domain.plan.plan import Reason
from service.domain.problems import InvalidInput
from service.usecases.audit import history
from service.usecases.errors import Conflict
from service.usecases.loop import advances, decisions
from service.usecases.plan import planning, undo_plan
from service.usecases.run import run_views
from tests.integration import turns
from tests.integration.desks import TrelloDesk
from tests.integration.jira_team import JiraTeam
from tests.integration.test_going_back import in_jira
from tests.integration.turntable import TEMPLATE, Turntable, team, turntable
from tests.waiting import eventually

PROVE = "{key: prove, title: Prove, epic: build, role: qa"
USERS = turns.SHAPES["two of the second"]


def template(tmp_path: Path, shapes: tuple[turns.Shape, ...] = USERS) -> Path:
    path = tmp_path / "ours.yaml"
    path.write_text(turns.process(shapes))
    return path


def opened(table: Turntable, tracker: str = "jira") -> Counter[str]:
    """How many there are of every title: nothing is done in these projects."""
    return (TrelloDesk(table.url) if tracker == "trello" else JiraTeam(table.url)).titles()


@pytest.mark.parametrize("tracker", ["jira", "trello"])
@pytest.mark.parametrize(
    ("ahead", "policy", "moves"),
    [
        (2, "next", ["next", "back:explore", "next", "next"]),
        (3, "backlog", ["next", "back:explore", "back:build", "next"]),
    ],
    ids=["carried", "to-the-backlog"],
)
def test_sent_back_with_a_horizon_every_ticket_is_there_once(
    tmp_path: Path, tracker: str, ahead: int, policy: str, moves: list[str]
) -> None:
    turning = {"ahead": ahead, "carry_over": policy}
    with turntable(tmp_path / "home", tracker, template=template(tmp_path), turning=turning) as table:
        table.plan_and_apply()
        turns.advance(table, 1, "go")
        for number, move in enumerate(moves, 2):
            turns.advance(table, number, move)
            turns.is_whole(table, opened(table, tracker))

        titles = opened(table, tracker)
        assert {title: titles[title] for title in ("Frame", "Probe", "Train", "Prove")} == dict.fromkeys(
            ("Frame", "Probe", "Train", "Prove"), 1
        )


def test_what_comes_later_waits_in_the_backlog_and_comes_when_its_phase_does(tmp_path: Path) -> None:
    turning = {"ahead": 2, "carry_over": "next"}
    with turntable(tmp_path / "home", template=template(tmp_path), turning=turning) as table:
        people = JiraTeam(table.url)
        table.plan_and_apply()
        turns.advance(table, 1, "go")
        turns.advance(table, 2, "next")
        key = people.key("Prove")
        assert in_jira(table.url)[key] == {"It 3"}

        turns.advance(table, 3, "back:explore")
        assert in_jira(table.url)[key] == set()

        turns.advance(table, 4, "next")
        assert in_jira(table.url)[key] == {"It 5"}
        assert people.key("Prove") == key

        removal = planning.plan_of(undo_plan.plan_removal(table.context, "ML"))
        assert not [(one.title, one.note) for one in removal.changes if one.reason is Reason.TOUCHED]


def test_what_was_left_in_an_iteration_that_was_closed_is_nobody_s_doing(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", template=template(tmp_path), turning={"ahead": 2}) as table:
        people = JiraTeam(table.url)
        table.plan_and_apply()
        turns.advance(table, 1, "go")
        key = people.key("Probe")
        plan = turns.advance(table, 2, "next", {key: "leave"})
        assert plan.turnover is not None
        turns.is_whole(table, opened(table))

        turns.advance(table, 3, "back:explore")

        assert in_jira(table.url)[key] == {"It 3"}
        turns.is_whole(table, opened(table))


def test_going_on_early_and_then_back_leaves_nothing_in_the_backlog_where_all_is_planned(tmp_path: Path) -> None:
    with turntable(tmp_path / "home") as table:
        table.plan_and_apply()
        turns.advance(table, 1, "go")
        turns.advance(table, 2, "next")
        turns.advance(table, 3, "back:data")

        titles = {key: title for title, key in ((one, JiraTeam(table.url).key(one)) for one in opened(table))}
        epics = {title for title in opened(table) if title.partition(" (")[0] in ("Data", "Model", "Care")}
        adrift = [titles[key] for key, sprints in in_jira(table.url).items() if not sprints]
        closed = JiraTeam(table.url).inside("Data 1") | JiraTeam(table.url).inside("Model 2")
        assert set(adrift) <= epics | closed
        turns.is_whole(table, opened(table))


def test_who_has_what_leaves_the_template_is_called_by_name_though_nothing_else_is_theirs(tmp_path: Path) -> None:
    with_qa = turns.process(USERS).replace("{key: prove, title: Prove, epic: build, role: ml", PROVE)
    path = tmp_path / "ours.yaml"
    path.write_text(with_qa)
    with turntable(tmp_path / "home", template=path) as table:
        table.plan_and_apply()
        shorter = (
            with_qa[: with_qa.index("\n      - {key: prove")] + with_qa[with_qa.index("\n    record: {epic: build") :]
        )
        text = shorter.replace("needs: [prove]}", "needs: [train]}").replace("version: 1.0.0", "version: 1.1.0")

        plan = planning.draft(table.context, "ML", asked=table.asking(text)).plan

        gone = next(one for one in plan.changes if one.key == "ticket:prove")
        assert gone.reason is Reason.LEFT_THE_TEMPLATE
        assert gone.before is not None
        qa = {member.person for member in team().members if "qa" in member.roles}
        assert plan.people[gone.before["assignee"]] in qa


@pytest.mark.parametrize("later", [False, True], ids=["the-only-apply", "a-later-one-stays"])
def test_what_was_undone_is_not_built_by_an_advance_in_a_project_that_was_put_back(tmp_path: Path, later: bool) -> None:
    with turntable(tmp_path / "home") as table:
        run = table.plan_and_apply()
        if later:
            text = TEMPLATE.read_text().replace("version: 1.0.0", "version: 1.1.0")
            table.applied(planning.make_plan(table.context, "ML", asked=table.asking(text)))
        undone = table.applied(undo_plan.plan_undo(table.context, run.id))
        assert undone.state == run_state.COMPLETED, undone.findings
        eventually(lambda: not table.has_loop())
        shown = run_views.progress(table.context, run.id)
        assert shown.undone
        assert shown.written == 0

        JiraTeam(table.url).send("POST", "api/2/project/ML/restore")

        [found] = planning.draft(table.context, "ML").plan.findings
        assert found.code == "key-taken"
        assert "--existing" in found.fix
        with pytest.raises(Conflict):
            advances.preview(table.context, "ML")
        with pytest.raises(Conflict):
            table.advanced(1)


def test_a_ticket_is_answered_for_by_its_title_and_told_by_it(tmp_path: Path) -> None:
    with turntable(tmp_path / "home", "trello") as table:
        table.plan_and_apply()
        turns.advance(table, 1, "go")
        decisions.answer(table.context, "ML", {"load the data": "backlog"}, turns.BY)
        assert dict(table.loop.answers) == {"ticket:load": "backlog"}
        told = [text for text in history.history(table.context, "ML").events if text.kind == "answered"]
        assert [one.text for one in told] == ["What is not done in iteration 1 of ML: Load the data: backlog."]
        with pytest.raises(InvalidInput, match="no such ticket"):
            decisions.answer(table.context, "ML", {"Load": "backlog"}, turns.BY)


def test_settings_that_spread_what_is_there_anew_say_so(tmp_path: Path) -> None:
    first = turns.Shape("explore", ("frame", "probe", "sum"), iterations=2)
    longer = turns.Shape("explore", ("begin", "gather", "sort", "frame", "probe", "sum"), iterations=2)
    with turntable(tmp_path / "home", template=template(tmp_path, (first, turns.RUN))) as table:
        table.plan_and_apply()
        text = turns.process((longer, turns.RUN)).replace("version: 1.0.0", "version: 1.1.0")

        plan = planning.draft(table.context, "ML", asked=table.asking(text)).plan

        moved = [one for one in plan.changes if "iteration" in one.changed]
        [said] = [one.message for one in plan.findings if one.code == "spread-anew"]
        assert moved
        assert said.startswith(f"{len(moved)} ticket")
        assert not [one for one in planning.draft(table.context, "ML").plan.findings if one.code == "spread-anew"]
