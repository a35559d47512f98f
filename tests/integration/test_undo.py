"""Undoing what runs did: what nobody touched goes, what people touched stays, and doing it again does nothing."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connectors.values import RemoteRef
from sandbox.testing import SandboxServer
from service.domain.commands import typed
from tests import plain
from tests.contract.people import JiraPerson, Person, TrelloPerson
from tests.integration.conftest import SMALL, TEAM_FILE, Controls, Installation
from tests.integration.desks import JiraDesk, TrelloDesk
from tests.waiting import eventually

START = ("--set", "start_date=2027-01-04")


@dataclass
class Ground:
    """One tracker with a project that was there before us."""

    sandbox: SandboxServer
    desk: JiraDesk | TrelloDesk
    person: Person
    project: str
    deleting: str
    """The address of a call that removes a ticket."""

    @property
    def is_jira(self) -> bool:
        return isinstance(self.desk, JiraDesk)

    def data(self) -> Any:
        return deepcopy((self.sandbox.site.data, self.sandbox.trello.data))

    def put(self, data: Any) -> None:
        """Everything in the tracker as it was then."""
        plain.post(f"{self.sandbox.url}/sandbox/reset", json={}).raise_for_status()
        jira, trello = deepcopy(data)
        self.sandbox.site.replace(jira)
        self.sandbox.trello.replace(trello)

    def content(self) -> dict[str, Any]:
        """All there is for people to see: everything but histories and running numbers; lists that are archived are not
        to be seen either."""
        jira, trello = self.data()
        if self.is_jira:
            seen = {name: value for name, value in vars(jira).items() if name not in ("counters", "recent_projects")}
            projects = {key: replace(project, last_number=0) for key, project in jira.projects.items()}
            return {**seen, "projects": projects}
        seen = {name: value for name, value in vars(trello).items() if name not in ("counter", "actions")}
        boards = {key: replace(one, cards_made=0, last_activity=None) for key, one in trello.boards.items()}
        lists = {key: one for key, one in trello.lists.items() if not one.closed}
        return {**seen, "boards": boards, "lists": lists}


@dataclass
class Built:
    """The small project in a project that was there before, and how all was before and after."""

    ground: Ground
    home: Path
    before: dict[str, Any]
    data: Any
    run: str


@dataclass
class Us:
    """Our installation, and the runs it made."""

    installation: Installation
    ground: Ground
    run: str

    def ok(self, *arguments: object, code: int = 0) -> Any:
        return self.installation.ok(*arguments, "--json", code=code).json

    def rows(self) -> dict[str, RemoteRef]:
        """What is recorded, with where it is."""
        with sqlite3.connect(self.installation.home / "phaseloop.db") as database:
            found = database.execute("select key, remote_id, remote_key, url from items").fetchall()
        database.close()
        return {key: RemoteRef(number or "", name or "", url or "") for key, number, name, url in found}

    def ref(self, key: str) -> RemoteRef:
        return self.rows()[key]

    def undone(self, run: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self.ok("undo", run or self.run, "--yes")
        return found


def begin(ground: Ground, installation: Installation, *more: object) -> dict[str, Any]:
    """The plan of the small project."""
    plan = ("plan", ground.project, "--template", SMALL, "--team", TEAM_FILE, *START, *more, "--json")
    made: dict[str, Any] = installation.ok(*plan, code=2).json
    return made


@pytest.fixture(scope="module", params=["jira", "trello"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    with SandboxServer() as sandbox:
        if request.param == "jira":
            yield Ground(sandbox, JiraDesk(sandbox.url), JiraPerson(sandbox.url), "SCRUM", r"/rest/api/\d/issue/\d+$")
        else:
            yield Ground(sandbox, TrelloDesk(sandbox.url), TrelloPerson(sandbox.url), "Demo board", r"/1/cards/\w+$")


@pytest.fixture(scope="module")
def built(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Built:
    installation = Installation(tmp_path_factory.mktemp("built") / "home")
    ground.desk.connect(installation)
    before = ground.content()
    run = installation.ok("apply", begin(ground, installation)["id"], "--json").json
    return Built(ground, installation.home, before, ground.data(), run["id"])


@pytest.fixture
def us(built: Built, tmp_path: Path) -> Us:
    """Everything as it was built, whatever an earlier test did."""
    built.ground.put(built.data)
    shutil.copytree(built.home, tmp_path / "home")
    return Us(Installation(tmp_path / "home"), built.ground, built.run)


@pytest.fixture
def controls(ground: Ground) -> Iterator[Controls]:
    controls = Controls(ground.sandbox.url)
    yield controls
    controls.clear("faults")


def actions(plan: dict[str, Any], action: str) -> set[str]:
    """The keys of the changes that do this."""
    return {change["key"] for change in plan["changes"] if change["change"]["action"] == action}


def notes(plan: dict[str, Any]) -> dict[str, str]:
    """Why things stay, by key."""
    return {change["key"]: change["note"] for change in plan["changes"] if change["change"]["action"] == "keep"}


def kinds(keys: set[str]) -> set[str]:
    """Without what is made along with what is asked for."""
    return {key for key in keys if not key.startswith(("label:", "column:", "link:"))}


def test_an_undone_run_leaves_the_tracker_as_it_was(built: Built, us: Us) -> None:
    assert us.ground.content() != built.before

    run = us.undone()

    assert (run["kind"], run["state"], run["findings"]) == ("undo", "completed", [])
    assert us.ground.content() == built.before
    assert us.rows() == {}


def test_the_preview_shows_everything_and_writes_nothing(us: Us) -> None:
    made, content = set(us.rows()), us.ground.content()

    plan = us.ok("undo", us.run, "--plan", code=2)

    assert us.ground.content() == content
    assert actions(plan, "delete") == made
    assert (plan["purpose"], plan["undoes"]) == ("undo", us.run)
    order = list(dict.fromkeys(change["kind"] for change in plan["changes"]))
    assert order == [one for one in ("link", "ticket", "iteration", "epic", "label", "column") if one in order]
    shown = us.installation.ok("undo", us.run, code=2).out
    assert "Set the goals" in shown
    assert "phaseloop apply pln_" in shown


def test_undoing_again_has_nothing_to_do(us: Us, controls: Controls) -> None:
    us.undone()
    controls.clear("requests")

    again = us.installation.ok("undo", us.run, "--yes")

    assert "Nothing to do" in again.out
    assert "undone since" in us.installation.ok("apply", us.run.removeprefix("apply-"), code=1).err
    assert controls.writes() == 0


def test_the_same_plan_makes_it_all_again_after_an_undo(us: Us) -> None:
    made = set(us.rows())
    us.undone()

    plan = us.ok("plan", us.ground.project, code=2)
    us.ok("apply", plan["id"])

    assert set(us.rows()) == made


def test_once_the_only_apply_is_undone_the_loop_has_not_begun_until_the_next_one(us: Us) -> None:
    def loop() -> Any:
        return us.installation.ok("status", us.ground.project, "--offline", "--json").json[0]["loop"]

    assert loop()["state"] == "turning"
    us.undone()
    assert loop()["state"] is None

    plan = us.ok("plan", us.ground.project, code=2)
    us.ok("apply", plan["id"])

    assert loop()["state"] == "turning"


def test_what_people_touched_stays_with_what_it_hangs_on_and_is_listed(us: Us) -> None:
    us.ground.person.comments(us.ref("ticket:load"))
    us.ground.person.retitles(us.ref("ticket:goals"), "Our own goals")
    us.ground.person.begins(us.ref("ticket:train"))
    kept = {"ticket:load", "ticket:goals", "ticket:train", "epic:data", "epic:model", "iteration:1"}

    plan = us.ok("undo", us.run, "--plan", code=2)
    assert kinds(actions(plan, "keep")) == kept
    why = notes(plan)
    assert why["ticket:load"] == "1 comment"
    assert why["ticket:goals"] == "Title changed"
    assert why["ticket:train"].startswith("moved to ")
    assert why["epic:data"] == "2 tickets in it that stay"
    us.undone()

    assert kinds(set(us.rows())) == kept
    assert not any(key.startswith("link:") for key in us.rows())
    assert us.ground.content().get("links") in ({}, None)  # those between tickets that stay are taken back
    again = us.installation.ok("undo", us.run, "--yes")
    assert "Nothing to do" in again.out
    assert "1 comment" in again.out


def test_a_ticket_of_somebody_else_keeps_its_epic_and_its_iteration(us: Us) -> None:
    place = RemoteRef(us.ref("epic:data").id, "", "")
    theirs = add_ticket(us, place)

    us.undone()

    assert kinds(set(us.rows())) == {"epic:data", "iteration:1"}
    assert theirs in ids(us.ground)


def add_ticket(us: Us, epic: RemoteRef) -> str:
    """Somebody's own ticket in our epic and our iteration; its id."""
    turn = us.ref("iteration:1")
    if isinstance(us.ground.desk, JiraDesk):
        fields = {
            "project": {"key": "SCRUM"},
            "issuetype": {"name": "Task"},
            "summary": "My own",
            "parent": {"id": epic.id},
        }
        made = us.ground.desk.send("POST", "api/2/issue", json={"fields": fields})
        us.ground.desk.send("POST", f"agile/1.0/sprint/{turn.id}/issue", json={"issues": [made["key"]]})
        return str(made["id"])
    assert isinstance(us.ground.desk, TrelloDesk)
    card = us.ground.desk.send("GET", f"cards/{us.ref('ticket:load').id}")
    labels = us.ground.desk.send("GET", f"cards/{turn.id}", params={"fields": "idLabels"})["idLabels"]
    body = {"idList": card["idList"], "name": "My own", "idLabels": ",".join(labels)}
    made = us.ground.desk.send("POST", "cards", json=body)
    us.ground.desk.send("POST", f"cards/{made['id']}/attachments", json={"url": us.ref("epic:data").url})
    return str(made["id"])


def ids(ground: Ground) -> set[str]:
    jira, trello = ground.data()
    return set(jira.issues if ground.is_jira else trello.cards)


def test_what_is_touched_between_the_preview_and_the_removal_stays(us: Us) -> None:
    plan = us.ok("undo", us.run, "--plan", code=2)
    us.ground.person.comments(us.ref("ticket:judge"))

    run = us.ok("apply", plan["id"])

    assert run["state"] == "completed"
    kept = {finding["subject"]: finding for finding in run["findings"] if finding["code"] == "kept"}
    assert kinds(set(kept)) == {"ticket:judge", "epic:model", "iteration:1"}
    assert kept["ticket:judge"]["severity"] == "info"
    assert "1 comment" in kept["ticket:judge"]["message"]
    assert kinds(set(us.rows())) == {"ticket:judge", "epic:model", "iteration:1"}


def test_an_undo_that_was_killed_in_the_middle_is_done_again(built: Built, us: Us, controls: Controls) -> None:
    plan = us.ok("undo", us.run, "--plan", code=2)
    controls.set("faults", action="hang", done=True, method="DELETE", path=us.ground.deleting, skip=2)
    with us.installation.process("apply", plan["id"]) as process:
        eventually(lambda: struck(controls) == 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    controls.clear("faults")
    assert us.ground.content() != built.before

    run = us.ok("apply", plan["id"])

    assert run["state"] == "completed"
    assert us.ground.content() == built.before
    assert us.rows() == {}


def test_a_lost_answer_to_a_removal_is_no_trouble(built: Built, us: Us, controls: Controls) -> None:
    controls.set("faults", action="lose", method="DELETE", path=us.ground.deleting, skip=1)

    run = us.undone()

    assert run["state"] == "completed"
    assert us.ground.content() == built.before


def struck(controls: Controls) -> int:
    """How often the first scripted fault has struck."""
    faults = controls.get("faults")
    rules = faults if isinstance(faults, list) else faults.get("faults", [])
    return int(rules[0]["struck"])


def test_a_run_that_was_killed_in_the_middle_and_cancelled_is_undone(
    built: Built, ground: Ground, tmp_path: Path, controls: Controls
) -> None:
    plain.post(f"{ground.sandbox.url}/sandbox/reset", json={}).raise_for_status()
    installation = Installation(tmp_path / "home", {"PHASELOOP_SETTLE_SECONDS": "0"})
    ground.desk.connect(installation)
    before = ground.content()
    plan = begin(ground, installation)
    path = "/issue/bulk$" if ground.is_jira else "/1/cards$"
    controls.set("faults", action="hang", done=True, method="POST", path=path, skip=1)
    with installation.process("apply", plan["id"]) as process:
        eventually(lambda: struck(controls) == 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    controls.clear("faults")
    run = f"apply-{plan['id']}"
    us = Us(installation, ground, run)
    refused = installation.ok("undo", run, "--yes", code=1)
    assert "still running" in refused.err
    us.ok("runs", "cancel", run)

    us.undone()

    assert ground.content() == before
    assert us.rows() == {}


def test_a_failed_run_is_undone_as_far_as_it_came(built: Built, ground: Ground, tmp_path: Path) -> None:
    plain.post(f"{ground.sandbox.url}/sandbox/reset", json={}).raise_for_status()
    installation = Installation(tmp_path / "home")
    ground.desk.connect(installation)
    before = ground.content()
    plan = begin(ground, installation)
    controls = Controls(ground.sandbox.url)
    path = "/issue/bulk$" if ground.is_jira else "/1/cards$"
    controls.set("faults", action="status", status=403, body="text", method="POST", path=path, skip=1, times=None)
    run = installation.ok("apply", plan["id"], "--json", code=1).json
    controls.clear("faults")
    us = Us(installation, ground, run["id"])

    us.undone()

    assert ground.content() == before
    assert us.rows() == {}


def test_a_run_and_the_one_that_took_its_work_up_are_undone_together(ground: Ground, tmp_path: Path) -> None:
    plain.post(f"{ground.sandbox.url}/sandbox/reset", json={}).raise_for_status()
    installation = Installation(tmp_path / "home")
    ground.desk.connect(installation)
    before = ground.content()
    plan = begin(ground, installation)
    controls = Controls(ground.sandbox.url)
    path = "/issue/bulk$" if ground.is_jira else "/1/cards$"
    controls.set("faults", action="status", status=403, body="text", method="POST", path=path, skip=1, times=None)
    us = Us(installation, ground, installation.ok("apply", plan["id"], "--json", code=1).json["id"])
    controls.clear("faults")
    us.ok("runs", "retry", us.run)

    us.undone()

    assert ground.content() == before
    assert us.rows() == {}


def test_an_undone_change_has_its_values_back_and_what_was_there_before_stays(us: Us) -> None:
    first, content = us.rows(), us.ground.content()
    values = ("--set", "start_date=2027-01-18", "--set", "meetings=true")
    plan = us.ok("plan", us.ground.project, *values, code=2)
    changed = us.ok("apply", plan["id"])
    assert actions(plan, "update")
    assert us.rows() != first

    undo = us.ok("undo", changed["id"], "--plan", code=2)
    assert actions(undo, "update") == actions(plan, "update")
    run = us.undone(changed["id"])

    assert run["state"] == "completed"
    assert us.rows() == first
    assert comparable(us.ground) == comparable_of(content, us.ground)
    assert us.undone()["state"] == "completed"
    assert us.rows() == {}


def comparable(ground: Ground) -> Any:
    return comparable_of(ground.content(), ground)


def comparable_of(content: dict[str, Any], ground: Ground) -> Any:
    """The fields that people see of each thing, without when it was last written."""
    unseen = {"updated", "history", "last_activity", "sprint_history", "histories", "changelog"}

    def shown(thing: Any) -> dict[str, Any]:
        return {name: value for name, value in vars(thing).items() if name not in unseen}

    kept = ("sprints", "issues") if ground.is_jira else ("cards", "labels", "checklists")
    return {name: {key: shown(one) for key, one in content[name].items()} for name in kept}


def test_a_field_that_a_person_changed_after_us_is_not_put_back(us: Us) -> None:
    if not us.ground.is_jira:
        pytest.skip("Trello shows an iteration's dates on every one of its cards: see the test of the connector")
    plan = us.ok("plan", us.ground.project, "--set", "start_date=2027-01-18", code=2)
    changed = us.ok("apply", plan["id"])
    assert isinstance(us.ground.desk, JiraDesk)
    turn = us.ref("iteration:1")
    us.ground.desk.send("POST", f"agile/1.0/sprint/{turn.id}", json={"goal": "Our own goal", "name": "Ours"})
    us.ground.desk.send("POST", f"agile/1.0/sprint/{turn.id}", json={"startDate": "2027-01-19T09:00:00.000Z"})

    undo = us.ok("undo", changed["id"], "--plan", code=2)

    (change,) = [one for one in undo["changes"] if one["key"] == "iteration:1"]
    assert "starts" not in change["change"]["changed"]
    assert "Start changed" in change["note"]


def test_a_project_is_removed_with_all_that_its_runs_made_and_its_key_is_used_anew(built: Built, us: Us) -> None:
    plan = us.ok("plan", us.ground.project, "--set", "meetings=true", code=2)
    us.ok("apply", plan["id"])
    old = us.ok("projects", "list")[0]

    run = us.ok("projects", "remove", us.ground.project, "--undo", "--yes")

    assert (run["kind"], run["state"]) == ("remove", "completed")
    assert us.ground.content() == built.before
    assert us.ok("status") == []
    (ended,) = us.ok("projects", "list")
    assert ended["ended_at"] is not None
    refused = us.installation.ok("plan", ended["id"], code=1)
    assert "has ended" in refused.err
    told = us.installation.ok("plan", ended["key"], code=1).err
    assert f"The one of that key has ended: phaseloop history {typed(ended['key'])}" in told
    for command in ("status", "history"):
        assert ", ended 20" in us.installation.ok(command, ended["key"]).out, "its history is shown by its key"
    anew = begin(us.ground, us.installation)
    us.ok("apply", anew["id"])
    assert anew["project"] != old["id"]
    assert us.ok("status", "--offline")[0]["tickets"] == 5


def test_a_project_that_is_removed_without_undo_stays_in_the_tracker(us: Us, controls: Controls) -> None:
    content = us.ground.content()
    controls.clear("requests")
    waiting = us.installation.ok("projects", "remove", us.ground.project, code=2)
    assert "Nothing is removed from the tracker" in waiting.out

    us.ok("projects", "remove", us.ground.project, "--yes")

    assert us.ground.content() == content
    assert controls.writes() == 0
    assert us.ok("status") == []
    assert "has ended" in us.installation.ok("undo", us.run, "--yes", code=1).err


def test_a_project_that_we_made_goes_last_and_only_if_nothing_of_others_is_in_it(
    ground: Ground, tmp_path: Path
) -> None:
    us = in_a_project_of_our_own(ground, tmp_path)
    ground.desk.make("Somebody's own")

    plan = us.ok("undo", us.run, "--plan", code=2)
    assert notes(plan)["project:ML"].startswith("1 ticket that is not ours")
    us.undone()
    assert "project:ML" in us.rows()
    ground.desk.delete("Somebody's own")
    us.undone()

    assert us.rows() == {}
    assert us.ok("status", "--offline")[0]["url"] is None


def test_of_a_project_that_is_gone_only_our_records_are_let_go_of(ground: Ground, tmp_path: Path) -> None:
    us = in_a_project_of_our_own(ground, tmp_path)
    ground.desk.delete_project()
    content = ground.content()

    plan = us.ok("undo", us.run, "--plan", code=2)
    run = us.undone()

    assert {change["change"]["action"] for change in plan["changes"]} == {"forget"}
    assert [(finding["code"], finding["severity"]) for finding in plan["findings"]] == [("project-missing", "warning")]
    assert run["state"] == "completed"
    assert ground.content() == content
    assert us.rows() == {}


def test_what_a_person_gave_us_stays_whatever_is_undone_or_removed(ground: Ground, tmp_path: Path) -> None:
    us = in_a_project_of_our_own(ground, tmp_path)
    theirs = ground.desk.make("Somebody's own")
    ground.desk.delete("Load the data")
    adopting = us.ok("adopt", "ML", f"ticket:load={theirs}", "--yes")["id"]

    run = us.undone(adopting)
    assert run["state"] == "completed"
    assert us.ok("undo", adopting, "--yes")["changes"] == []
    # It still carries our marker. Where the next plan finds it by that and takes it over, it is no less theirs.
    plan = us.ok("plan", "ML", code=2)
    assert actions(plan, "adopt") == (set() if ground.is_jira else {"ticket:load"})
    us.ok("apply", plan["id"])
    us.ok("projects", "remove", "ML", "--undo", "--yes")

    assert "Somebody's own" in ground.desk.titles()


def in_a_project_of_our_own(ground: Ground, tmp_path: Path) -> Us:
    plain.post(f"{ground.sandbox.url}/sandbox/reset", json={}).raise_for_status()
    installation = Installation(tmp_path / "home")
    ground.desk.connect(installation)
    installation.ok("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, *START, code=2)
    return Us(installation, ground, installation.ok("apply", "ML", "--json").json["id"])


def test_what_an_undo_did_is_not_undone_itself(us: Us) -> None:
    run = us.undone()

    refused = us.installation.ok("undo", run["id"], "--yes", code=1)

    assert "cannot be undone" in refused.err
