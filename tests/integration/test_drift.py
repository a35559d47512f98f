"""What people change, delete and make in their tracker: seen, respected, restored or taken over as they choose."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import free_port
from sandbox.testing import SandboxServer
from tests import plain
from tests.integration.conftest import SMALL, TEAM_FILE, Controls, Installation
from tests.integration.desks import Desk, JiraDesk, TrelloDesk

NEW = ("plan", "ML", "--create", "--template", SMALL, "--team", TEAM_FILE, "--set", "start_date=2027-01-04")


@dataclass
class Built:
    """The small project as it was built in one tracker: the tracker's data and our home folder, to start tests from."""

    sandbox: SandboxServer
    desk: Desk
    home: Path
    data: tuple[Any, Any]

    def begin(self, home: Path) -> Installation:
        """Everything as it was built, whatever an earlier test did."""
        plain.post(f"{self.sandbox.url}/sandbox/reset", json={}).raise_for_status()
        jira, trello = deepcopy(self.data)
        self.sandbox.site.replace(jira)
        self.sandbox.trello.replace(trello)
        shutil.copytree(self.home, home)
        return Installation(home)


@pytest.fixture(scope="module", params=[JiraDesk, TrelloDesk], ids=["jira", "trello"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    installation = Installation(tmp_path_factory.mktemp("built") / "home")
    with SandboxServer() as sandbox:
        desk: Desk = request.param(sandbox.url)
        desk.connect(installation)
        installation.ok(*NEW, code=2)
        installation.ok("apply", "ML")
        yield Built(sandbox, desk, installation.home, deepcopy((sandbox.site.data, sandbox.trello.data)))


@pytest.fixture
def installation(built: Built, tmp_path: Path) -> Installation:
    return built.begin(tmp_path / "home")


@pytest.fixture
def desk(built: Built, installation: Installation) -> Desk:
    return built.desk


@pytest.fixture
def controls(built: Built, installation: Installation) -> Controls:
    return Controls(built.sandbox.url)


def planned(installation: Installation, *arguments: object, code: int = 2) -> dict[str, Any]:
    plan: dict[str, Any] = installation.ok("plan", "ML", *arguments, "--json", code=code).json
    return plan


def writing(plan: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Action and reason by key, of what is not kept."""
    return {
        change["key"]: (change["change"]["action"], change["reason"])
        for change in plan["changes"]
        if change["change"]["action"] != "keep"
    }


def drifted(plan: dict[str, Any]) -> set[tuple[str, str | None]]:
    return {(entry["key"], entry["field"]) for entry in plan["drift"]}


def test_an_untouched_project_has_no_drift_and_nothing_to_do(
    installation: Installation, desk: Desk, controls: Controls
) -> None:
    controls.clear("requests")

    (seen,) = installation.ok("status", "--json").json

    assert (seen["tickets"], seen["drift"], seen["error"]) == (5, [], None)
    assert seen["summary"]["create"] == seen["summary"]["update"] == 0
    assert controls.writes() == 0
    assert "A plan would change nothing." in installation.ok("status", "ML").out


def test_what_people_changed_is_shown_respected_and_restored_by_choice(installation: Installation, desk: Desk) -> None:
    desk.label("Load the data", "urgent")
    desk.retitle("Load the data", "Get the data")
    desk.unassign("Train a model")
    loaded = desk.key("Get the data")
    changed = {("ticket:load", "title"), ("ticket:train", "assignee")}

    seen = installation.ok("status", "ML")
    assert '! Load the data: title: "Load the data" -> "Get the data"' in seen.out
    assert "-> nobody" in seen.out
    assert "phaseloop plan ML --restore TITLE" in seen.out
    plan = planned(installation, code=0)
    assert drifted(plan) == changed
    assert writing(plan) == {}

    restored = planned(installation, "--restore", loaded)
    assert writing(restored) == {"ticket:load": ("update", "restored")}
    assert drifted(restored) == {("ticket:train", "assignee")}
    installation.ok("apply", restored["id"])

    assert desk.key("Load the data") == loaded
    assert "urgent" in desk.labels("Load the data")
    assert not desk.assigned("Train a model")
    again = planned(installation, code=0)
    assert (writing(again), drifted(again)) == ({}, {("ticket:train", "assignee")})


def test_what_people_deleted_is_made_again_with_its_links_only_when_asked_for(
    installation: Installation, desk: Desk
) -> None:
    desk.delete("Load the data")

    plan = planned(installation, code=0)
    assert drifted(plan) == {("ticket:load", None)}
    assert writing(plan) == {}
    installation.ok("apply", plan["id"])
    assert desk.titles()["Load the data"] == 0

    restored = planned(installation, "--restore", "deleted")
    assert restored["drift"] == []
    tickets = {key: what for key, what in writing(restored).items() if not key.startswith("link:")}
    assert tickets == {"ticket:load": ("create", "restored")}
    run = installation.ok("apply", restored["id"], "--json").json

    assert (run["state"], run["findings"]) == ("completed", [])
    assert desk.titles()["Load the data"] == 1
    assert (desk.epic_of("Load the data"), desk.iteration_of("Load the data")) == ("Data", "Small 1")
    again = planned(installation, code=0)
    assert (writing(again), drifted(again)) == ({}, set())


def test_what_people_made_is_taken_over_as_it_is(installation: Installation, desk: Desk, controls: Controls) -> None:
    desk.delete("Load the data")
    theirs = desk.make("We load it ourselves")
    controls.clear("requests")

    installation.ok("adopt", "ML", f"ticket:load={theirs}", "--yes")

    assert controls.writes() == 1
    assert desk.item_of("We load it ourselves") == "ticket:load"
    assert not desk.assigned("We load it ourselves")
    again = planned(installation, code=0)
    assert writing(again) == {}
    assert not {entry["key"] for entry in again["drift"] if not entry["key"].startswith("link:")}
    desk.retitle("We load it ourselves", "Loaded")
    assert ("ticket:load", "title") in drifted(planned(installation, code=0))


def test_without_a_yes_nothing_is_taken_over(installation: Installation, desk: Desk) -> None:
    desk.delete("Load the data")
    theirs = desk.make("We load it ourselves")

    refused = installation.ok("adopt", "ML", f"ticket:load={theirs}", code=1)

    assert "takes over" in refused.out
    assert "Nothing was taken over." in refused.err
    assert desk.item_of("We load it ourselves") is None


def test_all_that_stands_in_the_way_of_taking_over_is_told_at_once(installation: Installation, desk: Desk) -> None:
    desk.delete("Load the data")
    desk.delete("Train a model")
    desk.delete("Judge the model")
    theirs, goals, epic = desk.make("Ours"), desk.key("Set the goals"), desk.key("Model")

    refused = installation.ok(
        *("adopt", "ML", "ticket:nonsense=ML-1", "laod=ML-1", f"ticket:goals={theirs}", "ticket:load=NO-999"),
        *(f"ticket:train={goals}", f"ticket:judge={epic}", "--yes"),
        code=1,
    )

    assert (
        "ticket:nonsense: is no epic, iteration or ticket of this project's template; name one of ticket:"
        in refused.err
    )
    assert (
        'laod: is no epic, iteration or ticket of this project\'s template; did you mean "ticket:load"?' in refused.err
    )
    assert f"ticket:goals: exists already as {goals}" in refused.err
    assert "ticket:load: nothing, or more than one thing" in refused.err
    assert f"ticket:train: {goals} is ticket:goals already" in refused.err
    assert "ticket:judge" in refused.err
    assert "6 problems found; nothing was changed." in refused.err
    assert desk.item_of("Ours") is None


def test_what_is_to_be_restored_must_be_ours(installation: Installation, desk: Desk) -> None:
    wishes = ("--restore", "ticket:nonsense", "--restore", "X-1", "--restore", "ticket:gaols")
    refused = installation.ok("plan", "ML", *wishes, code=1)

    assert "'ticket:nonsense' is nothing that was made here" in refused.err
    assert "'X-1' is nothing" in refused.err
    assert "'ticket:gaols' is nothing that was made here; did you mean \"ticket:goals\"?" in refused.err
    assert f'"Load the data" ({desk.key("Load the data")})' in refused.err


def test_what_is_to_be_restored_may_be_called_as_the_tracker_shows_it(installation: Installation, desk: Desk) -> None:
    desk.retitle("Load the data", "Our own words")

    assert "TITLE is 'Load the data'" in installation.ok("status", "ML").out
    restored = planned(installation, "--restore", "our own words")
    refused = installation.ok("plan", "ML", "--restore", "Our one words", code=1)
    nothing = installation.ok("plan", "ML", "--restore", "X-1", code=1)

    assert writing(restored) == {"ticket:load": ("update", "restored")}
    assert 'did you mean "Our own words"?' in refused.err
    assert 'name one of "Our own words" (' in nothing.err


def test_tickets_of_a_deleted_epic_come_back_with_it(installation: Installation, desk: Desk) -> None:
    desk.delete("Data")

    plan = planned(installation, code=0)
    assert writing(plan) == {}
    (finding,) = [one for one in plan["findings"] if one["code"] == "epic-deleted"]
    assert "phaseloop plan ML --restore epic:data" in finding["fix"]

    restored = planned(installation, "--restore", "epic:data")
    assert writing(restored) == {
        "epic:data": ("create", "restored"),
        "ticket:goals": ("update", "restored"),
        "ticket:load": ("update", "restored"),
    }
    assert installation.ok("apply", restored["id"], "--json").json["findings"] == []
    assert {desk.epic_of(title) for title in ("Set the goals", "Load the data")} == {"Data"}
    again = planned(installation, code=0)
    assert (writing(again), drifted(again)) == ({}, set())


def test_tickets_of_a_deleted_iteration_come_back_with_it(installation: Installation, desk: Desk) -> None:
    desk.delete_iteration("Small 1")

    plan = planned(installation, code=0)
    assert writing(plan) == {}
    (finding,) = [one for one in plan["findings"] if one["code"] == "iteration-deleted"]
    assert "phaseloop plan ML --restore iteration:1" in finding["fix"]

    restored = planned(installation, "--restore", "iteration:1")
    assert installation.ok("apply", restored["id"], "--json").json["findings"] == []
    assert {desk.iteration_of(title) for title in ("Set the goals", "Judge the model")} == {"Small 1"}
    again = planned(installation, code=0)
    assert (writing(again), drifted(again)) == ({}, set())


def test_new_tickets_are_not_put_into_what_people_deleted(installation: Installation, desk: Desk) -> None:
    desk.delete("Data")
    desk.delete_iteration("Small 1")
    desk.delete("Load the data")

    restored = planned(installation, "--restore", "ticket:load")
    run = installation.ok("apply", restored["id"], "--json").json

    assert (run["state"], run["findings"]) == ("completed", [])
    assert (desk.epic_of("Load the data"), desk.iteration_of("Load the data")) == (None, None)
    assert writing(planned(installation, code=0)) == {}


def test_a_deleted_project_is_said_and_built_anew_only_when_asked_for(installation: Installation, desk: Desk) -> None:
    desk.delete_project()

    refused = planned(installation, code=1)
    closed = isinstance(desk, TrelloDesk)  # a closed board is there, and can be opened again
    gone = "board-closed" if closed else "project-deleted"
    assert [one["code"] for one in refused["findings"] if one["severity"] == "error"] == [gone]
    assert drifted(refused) == (set() if closed else {("project:ML", None)})
    assert writing(refused) == {}

    anew = planned(installation, "--restore", "deleted")
    assert set(writing(anew).values()) == {("create", "restored")}
    run = installation.ok("apply", anew["id"], "--json").json
    assert (run["state"], run["findings"]) == ("completed", [])
    assert desk.titles()["Load the data"] == 1
    again = planned(installation, code=0)
    assert (writing(again), drifted(again)) == ({}, set())


def test_a_tracker_that_cannot_be_reached_does_not_hide_what_is_recorded(
    installation: Installation, desk: Desk, controls: Controls
) -> None:
    controls.set("faults", action="status", status=503, times=100)

    unreadable = installation.ok("status", "ML", code=1)
    offline = installation.ok("status", "ML", "--offline")

    assert "2 epics, 1 iteration, 5 tickets" in unreadable.out
    assert "The tracker could not be read:" in unreadable.out
    assert "2 epics, 1 iteration, 5 tickets" in offline.out
    assert "could not be read" not in offline.out


def test_a_text_that_the_template_changed_is_no_drift_and_edits_of_it_are(
    installation: Installation, desk: Desk, tmp_path: Path
) -> None:
    template = tmp_path / "small.yaml"
    template.write_text(SMALL.read_text().replace("description: Load it.", "description: Load all of it."))
    desk.retitle("Train a model", "Train it")

    plan = planned(installation, "--template", template)
    assert writing(plan) == {"ticket:load": ("update", "changed")}
    installation.ok("apply", plan["id"])

    again = planned(installation, code=0)
    assert drifted(again) == {("ticket:train", "title")}


def test_one_project_that_cannot_be_read_does_not_hide_the_others(installation: Installation, desk: Desk) -> None:
    nowhere = f"http://127.0.0.1:{free_port(0)}"
    add = ("connections", "add", "away", "--kind", "jira", "--url", nowhere, "--email", "demo@example.com")
    installation.ok(*add, stdin="sandbox-token")
    installation.has_project("FAR", "away")
    desk.retitle("Load the data", "Get the data")

    seen = {entry["key"]: entry for entry in installation.ok("status", "--json", code=1).json}

    assert [(entry["key"], entry["field"]) for entry in seen["ML"]["drift"]] == [("ticket:load", "title")]
    assert seen["ML"]["error"] is None
    assert seen["FAR"]["drift"] is None
    assert seen["FAR"]["error"]["message"]


def test_an_undone_restore_leaves_to_people_what_is_theirs(installation: Installation, desk: Desk) -> None:
    desk.delete("Train a model")
    desk.retitle("Load the data", "Load all of it")
    desk.unassign("Judge the model")
    before = desk.titles()
    restore = ("--restore", "deleted", "--restore", "ticket:load", "--restore", "ticket:judge")
    installation.ok("plan", "ML", *restore, code=2)
    run = installation.ok("apply", "ML", "--json").json
    assert desk.titles()["Train a model"] == 1
    assert desk.assigned("Judge the model")

    installation.ok("undo", run["id"], "--yes")

    assert desk.titles() == before
    assert not desk.assigned("Judge the model")
    plan = installation.ok("plan", "ML", "--json").json
    assert [one["key"] for one in plan["changes"] if one["change"]["action"] not in ("keep", "adopt")] == []
    drift = {(one["key"], one["field"]) for one in plan["drift"]}
    assert drift >= {("ticket:train", None), ("ticket:load", "title"), ("ticket:judge", "assignee")}


def test_a_plan_expires_when_it_said_whatever_is_set_when_it_is_applied(installation: Installation) -> None:
    installation.extra["PHASELOOP_PLAN_HOURS"] = "0.0000001"
    installation.ok("plan", "ML", "--carry-over", "leave", code=2)
    del installation.extra["PHASELOOP_PLAN_HOURS"]

    refused = installation.ok("apply", "ML", code=1)

    assert "expired" in refused.err


def test_a_ticket_that_people_moved_to_another_project_is_not_called_deleted(
    installation: Installation, desk: Desk
) -> None:
    key = desk.move_away("Load the data")

    seen = installation.ok("status", "ML")
    assert f"moved out of the project, it is {key} now" in seen.out
    assert "deleted" not in seen.out
    assert writing(planned(installation, "--restore", "deleted", code=0)) == {}
    by_name = writing(planned(installation, "--restore", "ticket:load"))
    assert by_name["ticket:load"] == ("create", "restored")
