"""The care of webhooks at a tracker: registered once, looked at, put right, removed; steps where it may not be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from sandbox.testing import SandboxServer
from service.context import Context, open_context
from service.domain.plan import run_state
from service.domain.problems import InvalidInput
from service.settings import Settings
from service.store.hook_tables import HookRow
from service.store.tables import ConnectionRow, ProjectRow
from service.usecases.errors import Conflict
from service.usecases.hook import reconciliation, registration, secret
from service.usecases.setup import connections
from tests import plain
from tests.homes import furnish
from tests.integration.hooked import Hooked, hooked
from tests.integration.record_table import SECOND, RecordTable, record_table
from tests.integration.test_hooks_killed import prepared
from tests.unit.stores import NOON
from tests.waiting import eventually

LONG = {"hold_seconds": 86_400.0}
TRELLO_SECRET = "sandbox-secret"


@pytest.fixture(params=["jira", "trello"])
def blocked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordTable]:
    """The first iteration continues in either tracker, and the gate is `block`."""
    with record_table(tmp_path / "home", request.param, gate="block", settings=LONG) as opened:
        opened.table.sandbox.trello.data.secret = TRELLO_SECRET
        yield opened


@pytest.fixture
def door(blocked: RecordTable) -> Iterator[Hooked]:
    with hooked(blocked.table.context, blocked.table.engine.start) as opened:
        row = connections.get(opened.context, "tracker")
        if row.kind == "trello":
            secret.put(opened.context, secret.Owner(row.id, row.name, row.kind), TRELLO_SECRET)
        yield opened


def there(table: RecordTable) -> list[str]:
    """The addresses that the tracker delivers to."""
    sandbox = table.table.sandbox
    jira = [hook.url for hook in sandbox.site.data.webhooks.values()]
    return jira + [hook.callback_url for hook in sandbox.trello.data.webhooks.values()]


def test_what_is_registered_drives_the_loop_end_to_end(blocked: RecordTable, door: Hooked) -> None:
    cared = registration.register(door.context, "tracker")
    assert list(cared.findings) == []
    (address,) = there(blocked)
    assert address.startswith(f"{door.url}/hooks/con_")
    held = blocked.table.turned(2, SECOND)
    assert held.state == run_state.HELD, held.findings

    blocked.documents()
    run = blocked.table.ended(held.id)

    assert run.state == run_state.COMPLETED, run.findings
    assert blocked.table.loop.current == 2
    eventually(lambda: "run-looks-again" in door.outcomes(), 20)
    assert [row.error for row in door.events("failed")] == []


def test_after_registering_the_projects_are_looked_at_once_for_what_nobody_told(
    blocked: RecordTable, door: Hooked
) -> None:
    held = blocked.table.turned(2, SECOND)
    assert held.state == run_state.HELD, held.findings
    blocked.documents()  # while there is no webhook

    registration.register(door.context, "tracker")
    assert reconciliation.reconcile(door.context) != []
    run = blocked.table.ended(held.id)

    assert run.state == run_state.COMPLETED, run.findings
    assert reconciliation.reconcile(door.context) == [], "once"


def test_registering_twice_leaves_one_webhook(blocked: RecordTable, door: Hooked) -> None:
    first = registration.register(door.context, "tracker")
    again = registration.register(door.context, "tracker")

    assert [one.id for one in again.hooks] == [one.id for one in first.hooks]
    assert len(there(blocked)) == 1


def test_a_webhook_that_is_missing_or_off_is_found_and_put_right(blocked: RecordTable, door: Hooked) -> None:
    codes = {one.code for one in registration.check(door.context, "tracker").findings}
    assert "hook-missing" in codes
    registration.register(door.context, "tracker")
    assert list(registration.check(door.context, "tracker").findings) == []

    sandbox = blocked.table.sandbox
    for jira in sandbox.site.data.webhooks.values():
        jira.enabled, jira.events = False, ["jira:issue_created"]
    for trello in sandbox.trello.data.webhooks.values():
        trello.active, trello.failures = False, 7
    off = {one.code for one in registration.check(door.context, "tracker").findings}
    assert "hook-off" in off
    assert off & {"hook-incomplete", "hook-failing"}

    registration.register(door.context, "tracker")
    assert list(registration.check(door.context, "tracker").findings) == []


def test_while_a_webhook_is_off_the_projects_are_looked_at_all_the_same(blocked: RecordTable, door: Hooked) -> None:
    registration.register(door.context, "tracker")
    held = blocked.table.turned(2, SECOND)
    assert held.state == run_state.HELD, held.findings
    sandbox = blocked.table.sandbox
    for jira in sandbox.site.data.webhooks.values():
        jira.enabled = False
    for trello in sandbox.trello.data.webhooks.values():
        trello.active = False
    blocked.documents()

    later = replace(door.context, now=lambda: door.context.now() + reconciliation.EVERY)
    (looked_at,) = reconciliation.reconcile(later)

    assert looked_at == connections.get(door.context, "tracker").id
    assert "switched off" in registration.hook_json(door.context, "tracker")["trouble"]
    blocked.table.clock.sleep(reconciliation.EVERY.total_seconds())
    assert blocked.table.ended(held.id).state == run_state.COMPLETED


def test_what_is_removed_is_gone_there_and_takes_nothing_in(blocked: RecordTable, door: Hooked) -> None:
    registration.register(door.context, "tracker")
    registration.remove(door.context, "tracker")
    registration.remove(door.context, "tracker")

    assert there(blocked) == []
    assert registration.hook_json(door.context, "tracker")["secrets"] == []


def test_without_a_secret_the_way_to_set_it_is_proposed_that_works_for_the_tracker(
    blocked: RecordTable, door: Hooked
) -> None:
    registration.remove(door.context, "tracker")

    (finding,) = [one for one in registration.check(door.context, "tracker").findings if one.code == "no-secret"]

    own = connections.get(door.context, "tracker").kind == "trello"
    assert finding.fix.endswith("phaseloop hooks secret tracker" + (" --secret-file FILE" if own else ""))


def test_the_secret_of_a_vendor_is_taken_as_it_is_and_nothing_is_proposed_that_is_impossible(
    blocked: RecordTable, door: Hooked
) -> None:
    row = connections.get(door.context, "tracker")
    whose = secret.Owner(row.id, row.name, row.kind)
    own = row.kind == "trello"
    with pytest.raises(InvalidInput) as refused:
        secret.put(door.context, whose, "two words" if own else "short")
    (problem,) = refused.value.problems
    assert ("Power-Up" in problem.fix) == own
    assert ("make one up" in problem.fix) != own


def test_the_address_answers_head_only_while_it_is_registered(blocked: RecordTable, door: Hooked) -> None:
    registration.register(door.context, "tracker")

    number = connections.get(door.context, "tracker").id
    assert plain.head(f"{door.url}/hooks/{number}").status_code == 404


def test_without_an_address_of_our_own_nothing_is_registered(blocked: RecordTable) -> None:
    with pytest.raises(Conflict, match="PHASELOOP_PUBLIC_URL"):
        registration.register(blocked.table.context, "tracker")


def test_an_account_that_may_not_is_told_the_steps(tmp_path: Path) -> None:
    with (
        SandboxServer() as sandbox,
        record_table(tmp_path / "home") as table,
        hooked(table.table.context, table.table.engine.start) as door,
    ):
        context: Context = door.context
        settings = {"url": sandbox.url, "email": "viewer@example.com"}
        connections.put(context, "viewer", "jira", settings, "viewer-token")

        cared = registration.register(context, "viewer")

        assert [one.code for one in cared.findings] == ["hook-not-permitted"]
        assert any("/hooks/con_" in step for step in cared.steps)
        assert any("sprint_closed" in step for step in cared.steps)
        assert list(sandbox.site.data.webhooks) == []


def test_a_connection_that_cannot_be_looked_at_keeps_no_other_from_it(
    tmp_path: Path,
) -> None:
    furnish(tmp_path)
    settings = Settings(_env_file=None, home=tmp_path, database_url=None, secret_key=None)
    with closing(open_context(settings)) as context:
        prepared(context)
        with context.database.session() as session:
            session.execute(update(ProjectRow).values(ended_at=NOON))
            session.add(ConnectionRow(id="other", name="o", kind="jira", settings={}, secret=b"x", created_at=NOON))
            session.flush()
            session.add_all(HookRow(connection_id=number, created_at=NOON) for number in ("con", "other"))

        assert reconciliation.reconcile(context) == ["con", "other"]
