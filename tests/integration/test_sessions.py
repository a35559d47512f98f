"""Three kinds of users at work, from their first command to their last, as they would type it: a delivery lead with a
process of their own, a newcomer with the tutorial, a platform engineer on PostgreSQL. What they mistype on the way is
answered as the reference promises."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sandbox.testing import SandboxServer
from sandbox.trello.seed import KEY, TOKEN
from tests import plain
from tests.integration.conftest import QUICK, ROOT, Controls, Installation
from tests.integration.desks import Desk, JiraDesk, TrelloDesk
from tests.integration.jira_team import JiraTeam
from tests.postgres import scratch_database

REFERENCE = (ROOT / "docs/reference/command-line.md").read_text(encoding="utf-8")
PROMISED = {int(code) for code in re.findall(r"\b(\d+) ", REFERENCE.partition("Exit codes: ")[2].partition("\n\n")[0])}
"""The exit codes that the reference tells of."""

PROBLEM = re.compile(r"^\S+\.(yaml|csv):\d+ \S+: [^;]+; .+$", re.MULTILINE)
"""FILE:LINE PATH: what is wrong; what would be right."""

PROCESS = """
format: phaseloop/v1
kind: template
name: our-process
version: 1.0.0
title: Our process
description: How we deliver models.
parameters:
  start_date: {type: date, description: First day., default: next-monday}
roles:
  ml: {title: ML Engineer, core: true, responsibility: Builds models., skills: [models]}
  pm: {title: Product Manager, core: true, responsibility: Sets goals., skills: [goals]}
cadence: {iteration_days: 7, start_date: "{{ start_date }}", iteration_name: "Small step {{ iteration.number }}"}
ceremonies:
  title: Meetings {{ iteration.number }}
  description: The meetings of the week.
  role: pm
  events: [{key: review, title: Review, at: end, minutes: 30, purpose: Look at it together.}]
record:
  title: Document week {{ iteration.number }}
  description: What was done and learnt.
  done: [Every section is written]
  sections: [{key: goal, title: Goal, prompt: What was the goal?}]
  grace_working_days: 2
phases:
  - key: try
    title: Try
    short: Try
    focus: Find out.
    roles: [ml, pm]
    iterations: 1
    epics: [{key: idea, title: The idea, description: All about the idea.}]
    tickets:
      - {key: question, title: Ask the question, epic: idea, role: pm, description: Write it down.,
         done: [It is written], deliverable: a question, points: 1}
      - {key: trial, title: Try it, epic: idea, role: ml, description: Try it.,
         done: [It was tried], deliverable: a result, points: 3, needs: [question]}
    record: {epic: idea, author: ml, sign_off: pm, points: 1}
    exit: {output: An answer., needs: [trial]}
  - key: build
    title: Build
    short: Build
    focus: Build it.
    roles: [ml, pm]
    iterations: 1
    epics: [{key: thing, title: The thing, description: All about the thing.}]
    tickets:
      - {key: make, title: Make it, epic: thing, role: ml, description: Make it.,
         done: [It works], deliverable: a model, points: 5}
    record: {epic: thing, author: ml, sign_off: pm, points: 1}
    exit: {output: A model., needs: [make]}
"""
MORE = """
      - {key: explain, title: Explain it, epic: thing, role: pm, description: Explain it.,
         done: [It is explained], deliverable: a page, points: 1}
"""
TEAM = """
name: Our team
calendar: {time_zone: Europe/Paris}
members:
  - {person: Data Demo, email: data-1@example.com, roles: [ml]}
  - {person: Pm Demo, email: pm-1@example.com, roles: [pm]}
"""


@dataclass
class Session:
    """Somebody at a terminal, with their files and their tracker."""

    installation: Installation
    folder: Path
    controls: Controls
    desk: Desk
    key: str

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text.lstrip("\n"), encoding="utf-8")
        return path

    def types(self, *arguments: object, code: int = 0, stdin: str = "") -> str:
        """What a command says; it leaves with a code that the reference promises, and blames nobody."""
        answer = self.installation.run(*arguments, stdin=stdin)
        said = answer.out + answer.err
        assert answer.code == code, said
        assert code in PROMISED
        assert not [word for word in ("Traceback", "This is a bug", "(s)") if word in said], said
        assert not re.search(r"\b1 (tickets|problems|changes|iterations|items|records|people)\b", said), said
        return said

    def mistypes(self, *arguments: object, words: tuple[str, ...], code: int = 1) -> None:
        """A mistake is told with what to write instead, and nothing is changed by it."""
        before = self.controls.writes()
        said = self.types(*arguments, code=code)
        assert [word for word in words if word not in said] == [], said
        assert self.controls.writes() == before

    def settings(self) -> Any:
        return self.installation.ok("projects", "show", self.key, "--json").json

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.installation.ok("runs", "list", "--json").json
        return found


@dataclass(frozen=True)
class Process:
    """The files of an own process."""

    template: Path
    newer: Path
    team: Path


def own_process(session: Session) -> Process:
    newer = PROCESS.replace("version: 1.0.0", "version: 1.1.0").replace(
        "    record: {epic: thing", f"{MORE.lstrip(chr(10))}    record: {{epic: thing"
    )
    return Process(
        session.file("process.yaml", PROCESS), session.file("newer.yaml", newer), session.file("team.yaml", TEAM)
    )


def mistakes_before_there_is_a_project(session: Session, own: Process) -> None:
    wrong = session.file("wrong.yaml", PROCESS.replace("role: ml, description: Try", "role: mlops, description: Try"))
    said = session.types("templates", "validate", wrong, code=1)
    assert PROBLEM.search(said), said
    assert "mlops" in said
    stranger = session.file("stranger.yaml", TEAM.replace("roles: [pm]", "roles: [qm]"))
    new = ("plan", session.key, "--create", "--template", own.template)
    session.mistypes(*new, words=("There is no project", "--team team.yaml"))
    session.mistypes(*new, "--team", stranger, words=("qm",))
    session.mistypes(*new, "--team", own.team, "--set", "statr_date=2027-01-04", words=("statr_date", "start_date"))
    session.mistypes(*new, "--tem", own.team, words=("Did you mean ", "'--team'"), code=64)
    table = session.file("people.csv", "Name,email,roles\nData Demo,data-1@example.com,ml\n")
    session.mistypes("teams", "import", table, "--timezone", "Europe/Paris", words=("--map Name=person",))


def plan_look_leave(session: Session, own: Process) -> None:
    before = session.controls.writes()
    said = session.types("plan", session.key, "--create", "--template", own.template, "--team", own.team, code=2)
    assert "Apply it with: phaseloop apply" in said
    assert re.search(r"It can be applied until .* CES?T\.", said), "by the team's clock"
    session.types("status", session.key)
    assert session.controls.writes() == before


def plan_apply_undo(session: Session) -> None:
    session.types("apply", session.key)
    assert {*session.desk.titles()} >= {"Ask the question", "Try it", "Make it"}
    [run] = session.runs()
    assert "to remove" in session.types("undo", run["id"], code=2)
    session.types("undo", run["id"], "--yes")
    if isinstance(session.desk, JiraDesk):
        session.mistypes("plan", session.key, words=("in Jira's trash", "delete it for good"))
        session.desk.send("POST", "api/2/project/ML/restore")
        session.desk.delete_project()
    session.types("plan", session.key, code=2)
    session.types("apply", session.key)
    assert max(session.desk.titles().values()) == 1, "nothing is there twice"


def advance_three_times(session: Session) -> None:
    session.mistypes("carry", session.key, "next", words=("ML has no current iteration yet",))
    session.types("advance", session.key, code=2)
    session.types("advance", session.key, "--yes")
    said = session.types("advance", session.key, code=2)
    assert "Carried over into iteration 2 (3 tickets" in said
    assert "Completed, because nothing is left to do in them (1 ticket)" in said
    session.mistypes("advance", session.key, "--carry", "nxt", words=("'nxt' is no answer", "next, backlog, leave"))
    question = session.desk.key("Ask the question")
    session.types("advance", session.key, "--carry", f"{question}=backlog", "--carry", "next", "--yes")
    assert session.desk.iteration_of("Ask the question") is None
    assert str(session.desk.iteration_of("Try it")).endswith("2")
    session.types("advance", session.key, "--yes")
    assert str(session.desk.iteration_of("Try it")).endswith("3"), "its phase continues until it is done"


def go_on_go_back(session: Session) -> None:
    session.mistypes("phase", session.key, "next", words=("needs a reason",), code=64)
    session.mistypes("phase", session.key, "back", "biuld", "--reason", "Why not.", words=("biuld",))
    session.types("phase", session.key, "next", "--reason", "We know enough.")
    session.types("advance", session.key, "--yes")
    assert str(session.desk.iteration_of("Make it")).endswith("4")
    session.types("phase", session.key, "back", "try", "--reason", "It was the wrong question.")
    session.types("advance", session.key, "--yes")
    titles = session.desk.titles()
    assert titles["Try it"] == 1, "what is open is not made again"
    assert "It was the wrong question." in session.types("history", session.key)


def upgrade_and_take_it_back(session: Session, own: Process) -> None:
    before = session.settings()["template"]
    session.types("plan", session.key, "--template", own.newer, code=2)
    assert session.settings()["template"] == before, "a plan changes nothing"
    session.types("apply", session.key)
    assert "Explain it" in session.desk.titles()
    assert session.settings()["template"] != before
    session.types("undo", session.runs()[0]["id"], "--yes")
    assert "Explain it" not in session.desk.titles()
    assert session.settings()["template"] == before


def remove_the_project(session: Session) -> None:
    session.desk.retitle("Make it", "Our own words")
    said = session.types("projects", "remove", session.key, "--undo", code=2)
    assert "Title changed" in said
    session.types("projects", "remove", session.key, "--undo", "--yes")
    titles = session.desk.titles()
    assert "Our own words" in titles, "what somebody touched stays"
    assert "Try it" not in titles
    session.mistypes("plan", session.key, words=("has ended", "phaseloop history"))
    assert ", ended 20" in session.types("history", session.key)


def whole_session(session: Session) -> None:
    own = own_process(session)
    mistakes_before_there_is_a_project(session, own)
    plan_look_leave(session, own)
    plan_apply_undo(session)
    advance_three_times(session)
    go_on_go_back(session)
    upgrade_and_take_it_back(session, own)
    remove_the_project(session)


def test_a_delivery_lead_has_a_process_of_their_own_in_jira(tmp_path: Path, sandbox: SandboxServer) -> None:
    installation = Installation(tmp_path / "home", dict(QUICK))
    installation.connect(sandbox.url)
    whole_session(Session(installation, tmp_path, Controls(sandbox.url), JiraTeam(sandbox.url), "ML"))


def test_a_platform_engineer_has_it_on_postgresql_in_trello(tmp_path: Path, sandbox: SandboxServer) -> None:
    away = {"PHASELOOP_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    refused = Installation(tmp_path / "away", away).run("db", "upgrade")
    assert (refused.code, "PostgreSQL cannot be reached" in refused.err) == (1, True)
    with scratch_database() as url:
        installation = Installation(tmp_path / "home", {**QUICK, "PHASELOOP_DATABASE_URL": url})
        assert "db upgrade" in installation.run("teams", "list").err
        installation.ok("db", "upgrade")
        command = ("connections", "add", "trello", "--kind", "trello", "--url", sandbox.url, "--key", KEY, "--invite")
        installation.ok(*command, stdin=TOKEN)
        desk = TrelloDesk(sandbox.url)
        whole_session(Session(installation, tmp_path, Controls(sandbox.url), desk, "ML"))


# --- the newcomer -----------------------------------------------------------------------------------------------------

TUTORIAL = (ROOT / "docs/tutorial/first-project.md").read_text(encoding="utf-8")
THERE_ALREADY = ("make ", ". ", "phaseloop sandbox")
"""What the tutorial has typed to install phaseloop and to have a sandbox."""


@dataclass
class Newcomer:
    """Somebody who types what a page says, in a folder of their own; `said` is what the last command printed."""

    installation: Installation
    folder: Path
    sandbox: str
    said: str = ""

    def types(self, line: str) -> None:
        words, _, into = line.replace("http://127.0.0.1:9100", self.sandbox).partition(" > ")
        given, _, command = words.rpartition(" | ")
        program, *arguments = shlex.split(command)
        files = [str(self.folder / one) if one in ("team.yaml", "process.yaml") else one for one in arguments]
        match program:
            case "cp":
                Path(files[1]).write_bytes((ROOT / files[0]).read_bytes())
            case "curl":
                body = json.loads(files[files.index("-d") + 1])
                auth = httpx.BasicAuth(*files[files.index("-u") + 1].split(":"))
                plain.request(files[files.index("-X") + 1], files[-1], json=body, auth=auth).raise_for_status()
            case _:
                stdin = given.removeprefix("echo ")
                answer = self.installation.run(*files, stdin=stdin)
                assert answer.code in ((0, 2) if files[0] == "plan" else (0,)), answer.out + answer.err
                self.said = answer.out
                if into:
                    (self.folder / into).write_text(answer.out, encoding="utf-8")


def typed_in(page: str) -> list[str]:
    """What a page has one type or see, those on several lines joined."""
    lines = re.findall(r"^    (\S.*)$", re.sub(r"\\\n\s+", "", page), re.MULTILINE)
    return [line for line in lines if not line.startswith(THERE_ALREADY)]


def test_a_newcomer_gets_what_the_tutorial_says(tmp_path: Path, sandbox: SandboxServer) -> None:
    who = Newcomer(Installation(tmp_path / "home", dict(QUICK)), tmp_path, sandbox.url)
    team, process = tmp_path / "team.yaml", tmp_path / "process.yaml"
    for line in typed_in(TUTORIAL):
        if line.startswith("Plan: "):
            assert re.sub(r"about .*", "", line) in who.said
            continue
        if line.endswith("plan ML --team team.yaml"):
            team.write_text(team.read_text(encoding="utf-8").replace("[qa]", "[data]"), encoding="utf-8")
        who.types(line)
        match line.split()[:3]:
            case ["phaseloop", "connections", "check"]:
                assert "signed in as Demo Admin" in who.said
                assert who.said.strip().endswith("ready")
            case ["phaseloop", "apply", _]:
                assert who.said.split()[-1].startswith(sandbox.url), "the last line is the board's address"
            case ["phaseloop", "plan", "ML"] if line.endswith("--team team.yaml") and "--create" not in line:
                assert "Vacancies" in who.said
            case ["phaseloop", "plan", "ML"] if line.endswith("plan ML"):
                assert "Our own words" in who.said.partition("Changed by people since")[2]
    process.write_text(process.read_text(encoding="utf-8").replace("role: qa", "role: mlops", 1), encoding="utf-8")
    wrong = who.installation.run("templates", "validate", process)
    assert wrong.code == 1
    assert PROBLEM.search(wrong.out), wrong.out
    assert JiraDesk(sandbox.url).titles()["Our own words"] == 1
