"""What the pages of operations show and leave out, rendered from their values, without HTTP."""

from __future__ import annotations

from dataclasses import replace

from service.pages import rendering
from service.pages.connections import NOTHING, Came, ConnectionsPage
from service.pages.frame import Frame
from service.pages.teams import Entered, entered_of
from service.pages.triggers import TriggersPage
from tests.unit.pages.operations import CONNECTION, EVENT, EVENTS, HOOK, SCHEDULE, TEAM, TRIGGER, TRY

FRAME = Frame("lead-1", "events", "a" * 64, "p" * 24)


def test_a_button_is_absent_where_it_is_not_allowed() -> None:
    assert 'method="post"' not in rendering.text("events.html", replace(EVENTS, may_replay=False), FRAME)
    event = rendering.text("event.html", replace(EVENT, may_replay=False, may_try=False), FRAME)
    assert 'method="post"' not in event
    assert "/triggers/test" not in event
    trigger = replace(TRIGGER, switch="", may_remove=False, may_try=False)
    assert 'method="post"' not in rendering.text("trigger.html", trigger, FRAME)
    schedule = replace(SCHEDULE, may_decide=False, may_pause=False, may_resume=False)
    assert 'method="post"' not in rendering.text("project-schedule.html", schedule, FRAME)
    team = rendering.text("team.html", replace(TEAM, may_change=False), FRAME)
    assert "/person" not in team
    connection = rendering.text(
        "connection.html", replace(CONNECTION, may_check=False, may_change=False, change=None), FRAME
    )
    assert 'method="post"' not in connection


def test_what_is_used_says_by_what_and_has_no_button() -> None:
    held = rendering.text("connection.html", replace(CONNECTION, holds="The project ML uses it."), FRAME)
    assert "The project ML uses it." in held
    assert "/connections/con_1/remove" not in held
    trigger = rendering.text("trigger.html", replace(TRIGGER, may_remove=False, holds="b has its events."), FRAME)
    assert "b has its events." in trigger
    assert "/triggers/trg_1/remove" not in trigger


def test_a_kind_that_sends_no_events_has_no_care_of_a_webhook() -> None:
    page = rendering.text("connection.html", replace(CONNECTION, hook=replace(HOOK, sends=False)), FRAME)
    assert "/hook/" not in page


def test_a_secret_is_shown_where_it_was_made_and_nowhere_else() -> None:
    shown = replace(CONNECTION, came=Came(title="The new secret", secret="sec-1"))
    assert "<code>sec-1</code>" in rendering.text("connection.html", shown, FRAME)
    assert "shown this once" not in rendering.text("connection.html", replace(CONNECTION, came=NOTHING), FRAME)


def test_an_empty_page_says_why_and_what_to_do() -> None:
    none = replace(EVENTS, rows=(), failed=0)
    assert "Show all" in rendering.text("events.html", none, FRAME)
    assert "Nothing arrived yet" in rendering.text("events.html", replace(none, narrowed=False), FRAME)
    assert "no trigger yet" in rendering.text("triggers.html", TriggersPage("", (), may_try=True), FRAME)
    assert "No tracker is connected yet" in rendering.text("connections.html", ConnectionsPage("", (), True), FRAME)


def test_a_trial_that_failed_at_the_tracker_says_so_above_the_form() -> None:
    page = rendering.text("try-trigger.html", replace(TRY, tried=None, said="Jira did not answer."), FRAME)
    assert "Jira did not answer." in page


def test_what_is_entered_of_a_person_is_read_as_a_team_file_has_it_and_written_back() -> None:
    kept = {
        "person": "ML 1",
        "email": "ml-1@example.com",
        "roles": ["ml", "data"],
        "capacity": 0,
        "absences": [{"from": "2027-02-01", "to": "2027-02-12"}, "2027-03-01"],
    }
    assert entered_of(kept).member() == kept
    assert Entered({"person": "A", "roles": "ml,data", "capacity": "many"}).member() == {
        "person": "A",
        "roles": ["ml", "data"],
        "capacity": "many",
    }
