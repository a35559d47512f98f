"""A kind of tracker that the product has not: a folder, and a line in the registry. Everything works in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import typer
from httpx import Client
from typer.testing import CliRunner

from connectors import registry
from connectors.pacing import time_kept_by
from connectors.values import ItemKind
from service.app import create_app
from service.cli import library
from service.context import open_context
from service.domain.audit.outcome import Verdict
from service.domain.plan import run_state
from service.runs.engine import Engine
from service.settings import Settings
from service.templates import TemplateText
from service.usecases.access import tokens
from service.usecases.audit import debt_survey, record_audit
from service.usecases.errors import Conflict
from service.usecases.hook import registration
from service.usecases.loop.advances import Advancing
from service.usecases.plan import planning, undo_plan
from service.usecases.run import run_views
from service.usecases.setup import connections, projects, teams
from tests.api.conftest import served
from tests.contract.memory_tracker.kind import MEMORY
from tests.contract.memory_tracker.site import OWNER, SITES, Site, Thing, site_of
from tests.homes import furnish
from tests.integration.turntable import QUICKLY, START, TEMPLATE, Clock, Turntable, team

FIRST, SECOND, LATER = "2026-03-02T09:00", "2026-03-16T09:00", "2026-03-10T10:00"
DATA, PM = "data-1@example.com", "pm-1@example.com"
GOAL = (
    "## Goal\n\nWe wanted to learn whether the customer data of one year can be loaded in a single night, so that a "
    "first model can be trained on it in the week after."
)


@dataclass
class MemoryTable(Turntable):
    """A project ML in the memory tracker, and people at work there."""

    site: Site = None  # type: ignore[assignment]

    def set(self, at: str) -> None:
        self.clock.set(at)

    def account(self, email: str) -> str:
        return next(one.id for one in self.site.accounts.values() if one.email == email)

    def there(self, kind: ItemKind) -> dict[str, Thing]:
        """What is there of a kind, by its title."""
        return {one.title: one for one in self.site.things.values() if one.kind is kind}

    def ticket(self, title: str) -> Thing:
        return self.there(ItemKind.TICKET)[title]

    def states(self) -> dict[str, str]:
        return {title: one.status for title, one in self.there(ItemKind.ITERATION).items()}

    def turn_of(self, title: str) -> str:
        return self.site.things[self.ticket(title).iteration or ""].title


@contextmanager
def memory_table(home: Path) -> Iterator[MemoryTable]:
    furnish(home)
    clock = Clock()
    site = site_of("third")
    site.clock = clock
    for member in team().members:
        site.admit(member.email or "", member.person)
    with time_kept_by(clock.seconds, clock.sleep):
        settings = Settings(home=home, database_url=None, secret_key=None, **QUICKLY)
        context = replace(open_context(settings), now=clock)
        try:
            connections.put(context, "tracker", "memory", {"site": "third"}, OWNER)
            teams.put(context, team())
            template = TemplateText.of(TEMPLATE.read_text(), TEMPLATE.name)
            request = projects.Request(
                "ML", "ML", "tracker", team().name, template, {"start_date": START}, time_zone="UTC", create=True
            )
            project = projects.put(context, request)
            with Engine(context, Advancing()) as engine:
                table = MemoryTable(context, engine, clock, None, project.id, site)  # type: ignore[arg-type]
                table.set("2026-02-27T12:00")
                yield table
        finally:
            context.close()


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The line in the registry."""
    monkeypatch.setitem(registry.KINDS, MEMORY.name, MEMORY)
    yield
    SITES.clear()


@pytest.fixture
def table(tmp_path: Path, listed: None) -> Iterator[MemoryTable]:
    with memory_table(tmp_path / "home") as opened:
        yield opened


def test_a_project_is_built_whole_and_once(table: MemoryTable) -> None:
    run = table.plan_and_apply()

    assert run.state == run_state.COMPLETED, run.findings
    plan = planning.make_plan(table.context, table.project)
    assert {one["action"] for one in plan.body["changes"]} == {"keep"}
    assert plan.body["drift"] == []
    assert table.states() == {"Data 1": "future", "Data 2": "future", "Model 3": "future", "Care 4": "future"}
    load = table.ticket("Load the data")
    assert (load.points, load.assignee) == (5, table.account(DATA))
    assert [line.text for line in load.checklist] == ["Data is loaded"]
    assert load.waits_for == [table.ticket("Set the goals").id]
    assert table.site.things[load.epic or ""].title == "Data"
    assert table.turn_of("Load the data") == "Data 1"
    assert Counter(one.mark[0] for one in table.site.things.values() if one.mark) == {
        table.project: len(table.site.things)
    }
    shown = run_views.run_json(run_views.progress(table.context, run.id))
    assert (shown["tracker"], shown["url"]) == ("Memory", table.site.page(table.site.project("ML").id))  # type: ignore[union-attr]


def test_the_loop_turns_carries_over_and_audits_its_records(table: MemoryTable) -> None:
    table.plan_and_apply()
    assert table.turned(1, FIRST).state == run_state.COMPLETED
    assert table.states()["Data 1"] == "active"
    table.set(LATER)
    table.site.step(table.ticket("Set the goals"), "done", table.account(PM))
    [before] = record_audit.run(table.context, table.project, (1,))
    assert before.verdict is Verdict.PENDING

    record = table.ticket("Document iteration 1")
    table.site.write(record, f"{GOAL} See {table.ticket('Load the data').key}.", table.account(DATA))
    table.site.say(record, "/approve", table.account(PM))
    table.site.step(record, "done", table.account(PM))
    [after] = record_audit.run(table.context, table.project, (1,))
    assert after.verdict is Verdict.DOCUMENTED, after.findings

    run = table.turned(2, SECOND)
    assert run.state == run_state.COMPLETED, run.findings
    assert table.states() == {"Data 1": "closed", "Data 2": "active", "Model 3": "future", "Care 4": "future"}
    assert (table.turn_of("Set the goals"), table.turn_of("Load the data")) == ("Data 1", "Data 2")


def test_what_people_change_is_drift_and_what_they_delete_can_be_put_back_from_where_it_is_kept(
    table: MemoryTable,
) -> None:
    table.plan_and_apply()
    load = table.ticket("Load the data")
    load.title = "Load all the data"
    drift = planning.make_plan(table.context, table.project).body["drift"]
    assert [(one["key"], one["field"], one["observed"]) for one in drift] == [
        ("ticket:load", "title", "Load all the data")
    ]

    project = table.site.project("ML")
    assert project is not None
    project.deleted = True
    [finding] = planning.make_plan(table.context, table.project).body["findings"]
    assert finding["code"] == "project-deleted"
    assert "(from the site's attic)" in finding["fix"]


def test_whoever_cannot_be_given_work_is_told_how_they_are_let_in(table: MemoryTable) -> None:
    table.plan_and_apply()
    left = table.account(DATA)
    table.site.accounts[left] = replace(table.site.accounts[left], assignable=False)

    findings = planning.make_plan(table.context, table.project).body["findings"]

    [finding] = [one for one in findings if one["code"] == "account-not-assignable"]
    assert finding["fix"] == "Somebody who administers it lets the account in: by giving it a desk."


def test_all_that_was_made_is_taken_back(table: MemoryTable) -> None:
    run = table.plan_and_apply()

    undone = table.applied(undo_plan.plan_undo(table.context, run.id))

    assert undone.state == run_state.COMPLETED, undone.findings
    assert table.site.things == {}
    assert table.site.project("ML") is None


def test_a_project_that_was_never_ours_is_surveyed(table: MemoryTable) -> None:
    table.plan_and_apply()
    table.turned(1, FIRST)

    found = debt_survey.survey(table.context, "tracker", "ML", time_zone="UTC")

    assert (found.key, found.title, found.url) == ("ML", "ML", table.site.page(table.site.project("ML").id))  # type: ignore[union-attr]
    assert [one.audited.verdict for one in found.iterations] == [Verdict.PENDING]


def test_a_tracker_that_sends_no_events_has_no_webhook_and_says_so(table: MemoryTable) -> None:
    for act in (registration.register, registration.check):
        with pytest.raises(Conflict, match="Memory sends no events, so tracker has no webhook"):
            act(table.context, "tracker")


def test_over_rest_it_is_a_connection_like_any_other(table: MemoryTable) -> None:
    app = create_app(table.context, table.engine)
    table.engine.stop()  # the service launches it again
    headers = {"Authorization": f"Bearer {tokens.create(table.context, 'lead')}"}
    body = {"name": "rest", "kind": "memory", "settings": {"site": "third"}, "secret": OWNER}
    with served(app) as url, Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
        made = client.post("/api/v1/connections", json=body)
        assert (made.status_code, made.json()["settings"]) == (201, {"site": "third"}), made.text
        wrong = client.post("/api/v1/connections", json={**body, "name": "wrong", "settings": {}, "secret": "x"})
        assert [one["pointer"] for one in wrong.json()["errors"]] == ["/settings/site"]
        hook = client.post(f"/api/v1/connections/{made.json()['id']}/hook/register")
        assert (hook.status_code, "Memory sends no events" in hook.json()["detail"]) == (409, True), hook.text


def test_on_the_command_line_its_settings_are_options(
    tmp_path: Path, listed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASELOOP_HOME", str(tmp_path / "home"))
    site_of("desk")
    app = typer.Typer()
    app.command("add")(library.adding(registry.KINDS))
    app.command("check")(library.check_connection)
    app.command("list")(library.list_connections)
    run = CliRunner()

    added = run.invoke(app, ["add", "ours", "--kind", "memory", "--site", "desk", "--json"], input=f"{OWNER}\n")
    assert json.loads(added.stdout)["settings"] == {"site": "desk"}
    checked = run.invoke(app, ["check", "ours", "--json"])
    assert json.loads(checked.stdout)[0]["account"]["email"] == "owner@example.com"
    assert run.invoke(app, ["list"]).stdout.splitlines()[-1].split() == ["ours", "memory", "desk"]
    wrong = run.invoke(app, ["add", "other", "--kind", "memory", "--key", "x", "--json"], input=f"{OWNER}\n")
    assert wrong.exit_code == 64
    assert "needs --site and has no --key" in wrong.output
    unknown = run.invoke(app, ["add", "other", "--kind", "memoir"], input=f"{OWNER}\n")
    assert 'Did you mean "memory"? It is one of: jira, trello, memory' in unknown.output
