"""The loop from the command line: advance, carry, phase, schedule, history, status. Each command is a process of its
own, as for people; nothing serves, so the command does the work."""

from __future__ import annotations

import getpass
import json
import os
import pty
import shutil
import signal
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from sandbox.testing import SandboxServer
from tests import plain
from tests.integration.conftest import QUICK, ROOT, TEAM_FILE, Answer, Controls, Installation
from tests.integration.jira_team import JiraTeam
from tests.integration.test_runs import read_until

TEMPLATE = Path(__file__).parent / "turning.yaml"
SET_UP = ("plan", "ML", "--create", "--template", TEMPLATE, "--team", TEAM_FILE, "--set", "start_date=next-monday")


@dataclass
class Shop:
    """An installation with the project ML in Jira, and its team."""

    installation: Installation
    team: JiraTeam
    controls: Controls

    def ok(self, *arguments: object, code: int = 0) -> str:
        return self.installation.ok(*arguments, code=code).out

    def json(self, *arguments: object, code: int = 0) -> Any:
        return self.installation.ok(*arguments, "--json", code=code).json

    def refused(self, *arguments: object, code: int = 1) -> str:
        """What a command says that is refused."""
        return self.installation.ok(*arguments, code=code).err

    def run(self, *arguments: object) -> Answer:
        return self.installation.run(*arguments)


@dataclass
class Stages:
    """The same project at three stages, each made once: set up, applied, its first iteration begun."""

    sandbox: SandboxServer
    homes: Path
    data: dict[str, Any] = field(default_factory=dict)

    def keep(self, stage: str, home: Path) -> None:
        shutil.copytree(home, self.homes / stage)
        self.data[stage] = deepcopy((self.sandbox.site.data, self.sandbox.trello.data))

    def at(self, stage: str, home: Path) -> Shop:
        """An installation of its own at that stage, and the tracker as it was then."""
        shutil.copytree(self.homes / stage, home)
        plain.post(f"{self.sandbox.url}/sandbox/reset", json={}).raise_for_status()
        jira, trello = deepcopy(self.data[stage])
        self.sandbox.site.replace(jira)
        self.sandbox.trello.replace(trello)
        url = self.sandbox.url
        return Shop(Installation(home, dict(QUICK)), JiraTeam(url), Controls(url))


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    home = tmp_path_factory.mktemp("first") / "home"
    with SandboxServer() as sandbox:
        made = Stages(sandbox, tmp_path_factory.mktemp("stages"))
        installation = Installation(home, dict(QUICK))
        installation.connect(sandbox.url)
        installation.ok(*SET_UP, "--carry-over", "ask", "--wip-limit", "1", code=2)
        made.keep("planned", home)
        installation.ok("apply", "ML")
        made.keep("applied", home)
        installation.ok("advance", "ML", "--yes")
        made.keep("begun", home)
        yield made


@pytest.fixture
def planned(stages: Stages, tmp_path: Path) -> Shop:
    """The project set up and not yet applied."""
    return stages.at("planned", tmp_path / "home")


@pytest.fixture
def shop(stages: Stages, tmp_path: Path) -> Shop:
    """The project applied, its first iteration not yet begun."""
    return stages.at("applied", tmp_path / "home")


@pytest.fixture
def begun(stages: Stages, tmp_path: Path) -> Shop:
    """Its first iteration continues."""
    return stages.at("begun", tmp_path / "home")


@pytest.fixture
def someone_elses_sprint(shop: Shop) -> str:
    """Another sprint is active on the board, so that none of ours can begin."""
    shop.team.make_sprint("Somebody's own")
    shop.team.set_state("Somebody's own", "active")
    return "Somebody's own"


# --- advance ----------------------------------------------------------------------------------------------------------


def test_before_a_first_plan_is_applied_what_comes_is_shown_and_nothing_can_be_advanced(planned: Shop) -> None:
    [found] = planned.json("schedule", "next", "ML", "--count", "3")

    assert [firing["kind"] for firing in found["firings"]] == ["advance", "propose", "advance"]
    assert found["time_zone"] == "Europe/Berlin"
    assert "as it will be once a first plan is applied" in planned.ok("schedule", "next", "ML")
    assert "The loop of ML has not begun" in planned.refused("advance", "ML", "--yes")
    assert "phaseloop plan ML" in planned.refused("phase", "ML")


def test_in_a_pipe_an_advance_is_only_shown(shop: Shop) -> None:
    shop.controls.clear("requests")

    shown = shop.ok("advance", "ML", code=2)

    assert shop.controls.writes() == 0
    assert "Begins iteration 1 Data 1" in shown
    assert "Set the goals" in shown
    assert "phaseloop advance ML --yes" in shown
    document = shop.json("advance", "ML", code=2)
    assert (document["purpose"], document["turnover"]["begins"]) == ("advance", 1)
    assert shop.team.states()["Data 1"] == "future"


def test_an_advance_says_what_is_closed_and_carried_and_begins_and_is_done(begun: Shop) -> None:
    assert begun.team.states()["Data 1"] == "active"
    begun.team.finish("Set the goals")
    load = begun.team.key("Load the data")

    said = begun.ok("advance", "ML", "--carry", f"{load}=backlog", "--carry", "next", "--yes")

    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "Closes iteration 1 Data 1" in lines
    assert "Done (1 ticket, 2 pts)" in lines
    assert "Carried over into iteration 2 (1 ticket, 1 pt)" in lines
    assert "To the backlog (1 ticket, 5 pts)" in lines
    assert "Completed, because nothing is left to do in them (1 ticket)" in lines
    assert any(line.startswith(f"← {load} Load the data 5 pts Data") for line in lines)
    assert any(line.startswith("Phase: stays in Data: ") for line in lines)
    assert any(line.startswith("Begins iteration 2 Data 2, ") for line in lines)
    assert (
        "Iteration 1 of ML was closed: 1 done, 1 carried over, 1 to the backlog, 0 left, 1 completed with it." in lines
    )
    assert begun.team.states() == {"Data 1": "closed", "Data 2": "active", "Model 3": "future", "Care 4": "future"}
    assert begun.team.inside("Data 2") >= {"Document iteration 1", "Clean the data"}
    assert "Load the data" not in begun.team.inside("Data 2")


def test_on_a_terminal_it_asks_and_does_nothing_without_a_yes(shop: Shop) -> None:
    assert on_a_terminal(shop, b"n\n", "advance", "ML") == 2
    assert shop.team.states()["Data 1"] == "future"

    assert on_a_terminal(shop, b"y\n", "advance", "ML") == 0
    assert shop.team.states()["Data 1"] == "active"


def on_a_terminal(shop: Shop, answer: bytes, *arguments: object) -> int:
    """Run a command on a terminal, answer its question; its exit code."""
    ours, theirs = pty.openpty()
    environment = {**shop.installation.environment, "TERM": "xterm", "COLUMNS": "100"}
    command = shop.installation.command(*arguments)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=ROOT)
    os.close(theirs)
    read_until(ours, b"[y/N]")
    os.write(ours, answer)
    seen = b""
    while process.poll() is None or seen[-1:]:
        try:
            seen = os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    return process.wait(60)


# --- held -------------------------------------------------------------------------------------------------------------


def test_a_held_advance_says_who_can_fix_it_and_goes_on_when_it_is_fixed(shop: Shop, someone_elses_sprint: str) -> None:
    held = shop.installation.ok("advance", "ML", "--yes", code=1).out

    assert "Manage sprints" in held
    assert "Held: it resumes automatically once that is fixed" in held
    [run] = [one for one in shop.json("runs", "list") if one["kind"] == "advance"]
    assert (run["state"], run["iteration"], run["attempt"]) == ("held", 1, 1)
    assert "held until" in shop.ok("runs", "list")
    told = shop.ok("runs", "show", run["id"])
    assert "(advance to iteration 1) of ML: held until" in told
    assert f"phaseloop runs resume {run['id']}" in told
    status = shop.ok("status", "ML", "--offline")
    assert f'Held: Begin iteration 1: The sprint "Data 1" cannot be started: "{someone_elses_sprint}"' in status
    assert "it begins iteration 1 already" in shop.refused("schedule", "skip", "ML", "--reason", "a fair")
    assert "look again at" in watched(shop, run["id"])

    shop.team.set_state(someone_elses_sprint, "closed")

    assert "Completed" in shop.ok("runs", "resume", run["id"])
    assert shop.team.states()["Data 1"] == "active"
    assert "It has looked 2 times" in shop.ok("runs", "show", run["id"])


def watched(shop: Shop, run: str) -> str:
    """What `runs watch` says of a held run before it is left; leaving it does nothing to the run."""
    command = shop.installation.command("runs", "watch", run)
    watching = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=shop.installation.environment, cwd=ROOT
    )
    assert watching.stderr is not None
    said = b""
    while b"Ctrl-C" not in said:
        line = watching.stderr.readline()
        assert line, said
        said += line
    watching.send_signal(signal.SIGINT)
    assert b"The run continues" in watching.communicate(timeout=300)[1]
    assert watching.returncode == 130
    return said.decode()


def test_a_cancelled_advance_pauses_the_loop_which_is_resumed(shop: Shop, someone_elses_sprint: str) -> None:
    shop.installation.ok("advance", "ML", "--yes", code=1)
    [run] = [one for one in shop.json("runs", "list") if one["kind"] == "advance"]

    assert "phaseloop schedule resume ML" in shop.ok("runs", "cancel", run["id"])
    assert "Paused" in shop.ok("status", "ML", "--offline")
    assert "is paused" in shop.refused("advance", "ML", "--yes")
    assert "phaseloop schedule resume ML" in shop.ok("advance", "ML", code=2)

    shop.team.set_state(someone_elses_sprint, "closed")
    shop.ok("schedule", "resume", "ML")

    assert "Iteration 1 of ML began" in shop.ok("schedule", "run", "ML")


# --- carry and phase --------------------------------------------------------------------------------------------------


def test_answers_are_shown_kept_and_gone_by(begun: Shop) -> None:
    load = begun.team.key("Load the data")

    shown = begun.json("carry", "ML")
    answered = begun.json("carry", "ML", f"{load}=backlog", "leave")

    before = {one["key"]: one["policy"] for one in shown["carried"]}
    after = {one["key"]: one["policy"] for one in answered["carried"]}
    assert before["ticket:load"] == "next"
    assert (after["ticket:load"], after["ticket:goals"]) == ("backlog", "leave")
    assert answered["answers"] == {"ticket:load": "backlog", "*": "leave"}
    assert "Answered so far: Load the data: backlog, all others: leave" in begun.ok("carry", "ML")
    assert begun.team.inside("Data 1") >= {"Load the data", "Set the goals"}


def test_everything_that_is_wrong_with_answers_is_said_at_once(begun: Shop) -> None:
    said = begun.refused("carry", "ML", "ML-99=next", "ticket:load=maybe")

    assert "ML-99: there is no such ticket" in said
    assert "'maybe' is no answer; one of: next, backlog, leave" in said
    assert "2 problems found; nothing was changed" in said
    assert "are 2 answers for all" in begun.refused("advance", "ML", "--carry", "next", "--carry", "leave")
    assert begun.json("carry", "ML")["answers"] == {}


def test_a_phase_is_shown_with_what_it_lacks_and_decided_with_a_reason(begun: Shop) -> None:
    shown = begun.ok("phase", "ML")
    assert "is in the phase Data (data): iteration 1, its 1st of 2" in shown
    assert '- "Clean the data" is not begun' in shown

    assert "needs a reason" in begun.refused("phase", "ML", "next", code=64)
    assert "'model' was not reached yet" in begun.refused("phase", "ML", "back", "model", "--reason", "x")
    decided = begun.json("phase", "ML", "next", "--reason", "The data is good enough.")
    assert decided["decision"]["reason"] == "The data is good enough."
    assert decided["coming"]["phase"] == "model"
    assert "The data is good enough." in begun.ok("status", "ML", "--offline")

    assert begun.json("phase", "ML", "--take-back")["decision"] is None


def test_an_advance_may_bring_the_decision_about_the_phase_along(begun: Shop) -> None:
    assert "needs a reason" in begun.refused("advance", "ML", "--phase", "next", "--yes", code=64)
    assert "'forth' is none" in begun.refused("advance", "ML", "--phase", "forth", "--reason", "x")

    done = begun.json("advance", "ML", "--phase", "next", "--reason", "The data is bought.", "--yes")

    assert done["state"] == "completed"
    assert begun.json("phase", "ML")["phase"] == "model"
    assert "The data is bought." in begun.ok("history", "ML")


# --- when -------------------------------------------------------------------------------------------------------------


def test_a_loop_is_paused_skipped_and_resumed_with_reasons_that_history_keeps(begun: Shop) -> None:
    before = begun.json("schedule", "next", "ML", "--count", "2")[0]["firings"][-1]["at"]
    assert "needs a reason" in begun.refused("schedule", "skip", "ML", code=64)
    assert "needs a reason" in begun.refused("schedule", "pause", "ML", code=64)

    begun.ok("schedule", "skip", "ML", "--reason", "A fair.")
    after = begun.json("schedule", "next", "ML", "--count", "2")[0]["firings"][-1]["at"]
    begun.ok("schedule", "pause", "ML", "--reason", "The office burnt down.")

    assert after > before
    assert begun.json("schedule", "next", "ML")[0]["firings"] == []
    for command in (("status", "ML", "--offline"), ("schedule", "next")):
        assert f"Paused by {getpass.getuser()}: The office burnt down." in begun.ok(*command)
    assert "Next, on " in begun.ok("schedule", "resume", "ML")
    told = begun.ok("history", "ML")
    assert "A fair." in told
    assert "The office burnt down." in told


def test_the_calendar_is_printed_and_its_address_told_apart_from_it(begun: Shop, tmp_path: Path) -> None:
    file = tmp_path / "ml.ics"

    printed = begun.run("schedule", "ics", "ML")
    begun.ok("schedule", "ics", "ML", "--output", file)
    renewed = begun.run("schedule", "ics", "ML", "--renew")

    for text in (printed.out, file.read_text()):
        assert any("Data 1" in str(event.get("SUMMARY")) for event in Calendar.from_ical(text).walk("VEVENT"))
    assert "/feeds/" in printed.err
    assert printed.err.strip() != renewed.err.strip()
    assert "cannot be written" in begun.refused("schedule", "ics", "ML", "--output", tmp_path / "nowhere" / "ml.ics")


# --- how it stands, and what became of it -----------------------------------------------------------------------------


def test_status_says_where_the_project_is_what_comes_and_how_much_is_in_progress(begun: Shop) -> None:
    begun.team.bring("Set the goals", "In Progress")
    begun.team.bring("Load the data", "In Progress")

    said = begun.ok("status", "ML")
    [document] = begun.json("status", "ML")

    assert "Iteration 1 of 4, phase Data: " in said
    assert "0 of 4 tickets done, 2 in progress (limit 1)" in said
    assert "iteration 1 (Data) ends, and what is unfinished is proposed" in said
    loop, flow = document["loop"], document["flow"]
    assert (loop["state"], loop["current"], loop["iterations"], loop["phase"]) == ("turning", 1, 4, "data")
    assert loop["next"]["kind"] == "propose"
    assert (flow["doing"]["tickets"], flow["wip_limit"]) == (2, 1)


def test_status_tells_from_our_records_where_the_tracker_is_away(begun: Shop) -> None:
    begun.installation.connect("http://127.0.0.1:9", email="nobody@example.com")

    said = begun.installation.ok("status", "ML", code=1).out

    assert "Iteration 1 of 4, phase Data: " in said
    assert "The tracker could not be read" in said


def test_history_tells_figures_by_iteration_and_role_and_as_csv_and_json(begun: Shop) -> None:
    begun.team.finish("Set the goals")
    begun.ok("advance", "ML", "--yes")

    words = [line.split() for line in begun.ok("history", "ML", "--roles").splitlines()]
    document = begun.json("history", "ML")
    figures, roles, tickets = (
        begun.ok("history", "ML", *options).splitlines()
        for options in (("--csv",), ("--csv", "--roles"), ("--tickets-csv",))
    )

    first = next(line for line in words if line[:3] == ["1", "Data", "1"])
    assert {"4/8", "2/2", "2/6"} <= set(first)
    assert next(line for line in words if line[:1] == ["pm"])[1:] == ["2/2", "2/2", "0"]
    assert document["iterations"][0]["figures"]["all"]["done"] == {"tickets": 2, "points": 2.0}
    assert (len(figures), len(tickets)) == (3, 1 + 4 + 5)
    assert roles[0].startswith("iteration,title,phase,loop,of_phase,first,last,role,")
    assert "exclude one another" in begun.installation.ok("history", "ML", "--csv", "--json", code=64).err


def test_how_a_project_turns_is_set_when_it_is_planned(planned: Shop, tmp_path: Path) -> None:
    calendar = tmp_path / "calendar.yaml"
    calendar.write_text("working_days: [sun, mon, tue, wed, thu]\n")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("working_days: []\ntime_zone: Europe/Atlantis\n")

    said = planned.refused("plan", "ML", "--carry-over", "never", "--ahead", "x", "--wip-limit", "0")
    assert all(name in said for name in ("carry-over", "iterations ahead", "WIP limit"))
    assert "wrong.yaml" in planned.refused("plan", "ML", "--calendar", wrong)
    assert "cannot be read" in planned.refused("plan", "ML", "--calendar", tmp_path / "nowhere.yaml")

    plan = planned.json("plan", "ML", "--calendar", calendar, "--ahead", "1", "--wip-limit", "none", code=2)

    iterations = [change for change in plan["changes"] if change["kind"] == "iteration"]
    assert len(iterations) == 1
    assert planned.json("status", "ML", "--offline")[0]["flow"] is None


def test_a_loop_without_a_history_says_so(shop: Shop) -> None:
    assert "Nothing has happened yet" in shop.ok("history", "ML")
    assert json.loads(shop.ok("history", "ML", "--json"))["iterations"] == []


def test_a_kanban_project_shows_how_its_work_flows_against_the_limit(planned: Shop) -> None:
    planned.ok("plan", "ML", "--set", "method=kanban", code=2)
    planned.ok("apply", "ML")
    said = planned.ok("advance", "ML", "--yes")
    assert "Begins iteration 1" in said
    planned.team.bring("Set the goals", "In Progress")

    status = planned.ok("status", "ML")
    assert "0 of 3 tickets done, 1 in progress (limit 1)" in status, status  # no meetings under Kanban
    planned.team.finish("Set the goals")
    assert "1 done" in planned.ok("advance", "ML", "--yes")
    found = plain.get(
        f"{planned.team.url}/rest/agile/1.0/board/{planned.team.board()}/sprint",
        auth=("demo@example.com", "sandbox-token"),
    )
    assert not found.is_success  # a Kanban board has none


# --- what a preview keeps, and why ------------------------------------------------------------------------------------


def test_a_preview_with_a_decision_says_that_it_is_not_kept_and_what_happens_without_it(begun: Shop) -> None:
    load = begun.team.key("Load the data")

    shown = begun.ok("advance", "ML", "--phase", "end", "--reason", "No budget.", "--carry", f"{load}=backlog", code=2)

    assert "Else the service does it" not in shown
    assert "What was given here for phase and tickets was not kept." in shown
    without = shown.partition("Without it the service advances")[2]
    assert "stays in Data" in without
    assert "Load the data: next" in without
    assert begun.json("phase", "ML")["decision"] is None
    assert begun.json("carry", "ML")["answers"] == {}
    assert "Else the service does it" in begun.ok("advance", "ML", code=2)


def test_an_answer_for_all_that_is_none_names_them_and_how_a_single_ticket_is_named(begun: Shop) -> None:
    said = begun.refused("carry", "ML", "ML-7")

    assert "the answer for all tickets: 'ML-7' is no answer" in said
    assert "for one ticket, KEY=ANSWER" in said


def test_going_back_blames_the_template_for_nothing(begun: Shop) -> None:
    begun.ok("advance", "ML", "--phase", "next", "--reason", "x", "--yes")

    shown = begun.ok("advance", "ML", "--phase", "back:data", "--reason", "The labels are wrong.", "--all", code=2)

    assert "left the template" not in shown
    assert "(the order of the phases changed: it stays in the tracker and is no longer managed)" in shown
