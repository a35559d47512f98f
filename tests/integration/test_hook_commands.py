"""Webhooks, triggers and events from the command line: each command a process of its own, as for people, beside a
service that is running."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.usecases.hook import events
from tests.integration.conftest import ROOT, Answer, Installation
from tests.integration.record_table import record_table
from tests.integration.test_event_tickets import TITLE, alert
from tests.integration.triggered import SECRET, Triggered, triggered
from tests.waiting import eventually

ADDS = "source: wandb, project: ML, action: add-ticket"
READY = ROOT / "templates" / "triggers"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triggered]:
    with record_table(tmp_path_factory.mktemp("commands") / "home", "jira") as table, triggered(table) as found:
        yield found


@pytest.fixture
def shell(at: Triggered) -> Installation:
    url = {"PHASELOOP_PUBLIC_URL": at.door.url}
    return Installation(at.table.table.context.settings.home, url)


def file(tmp_path: Path, ready: str, *, name: str = "") -> Path:
    """A ready-made trigger as people copy it: for their role, in any phase, under a name of its own."""
    text = (READY / f"{ready}.yaml").read_text(encoding="utf-8").replace("phases: [feedback]", "phases: [data]")
    path = tmp_path / f"{ready}.yaml"
    text = text.replace(f"name: {ready}", f"name: {name or ready}", 1)
    path.write_text(text, encoding="utf-8")
    return path


def payload(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "payload.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def refused(answer: Answer) -> str:
    assert answer.code == 1, answer.out
    assert "Traceback" not in answer.err
    assert "bug in phaseloop" not in answer.err
    return answer.err


def test_a_trial_shows_what_matches_and_the_plan_and_writes_nothing(
    at: Triggered, shell: Installation, tmp_path: Path
) -> None:
    sent = payload(tmp_path, alert("firing"))
    before = at.table.table.writes(), len(shell.ok("triggers", "list", "--json").json)

    said = shell.ok("triggers", "test", file(tmp_path, "drift-alert"), "--payload", sent).out

    assert "alert.firing: matches" in said
    assert "is added to iteration 1 of ML" in said
    assert f"+ {TITLE}" in said
    assert "role: ml" in said
    assert (at.table.table.writes(), len(shell.ok("triggers", "list", "--json").json)) == before
    assert at.looking.tickets(TITLE) == []

    over = payload(tmp_path, alert("resolved"))
    document = shell.ok("triggers", "test", file(tmp_path, "drift-alert"), "--payload", over, "--json").json
    assert [(one["event"], one["matches"]) for one in document["events"]] == [("alert.resolved", False)]


def test_a_trial_of_an_advance_shows_its_plan(shell: Installation, tmp_path: Path) -> None:
    path = tmp_path / "go.yaml"
    path.write_text("{name: go, source: wandb, project: ML, action: advance}", encoding="utf-8")

    said = shell.ok("triggers", "test", path, "--payload", payload(tmp_path, {"n": 1})).out

    assert "Advance ML." in said
    assert "None " not in said
    assert "~ " in said


def trial(shell: Installation, tmp_path: Path, text: str, sent: Any) -> Answer:
    path = tmp_path / "tried.yaml"
    path.write_text(f"name: tried\nsource: wandb\n{text}\n", encoding="utf-8")
    return shell.run("triggers", "test", path, "--payload", payload(tmp_path, sent))


def one_line(answer: Answer) -> str:
    return " ".join(answer.out.split())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("project: ML\naction: audit\nlimits: {phases: [model]}", "ML is in another phase than model: data"),
        (
            "project: ML\naction: mark-exit\nwith: {phase: model, reason: R}",
            "ML is in the phase data, not in model.",
        ),
    ],
)
def test_a_trial_says_what_would_be_skipped_as_the_firing_does(
    shell: Installation, tmp_path: Path, text: str, says: str
) -> None:
    answer = trial(shell, tmp_path, text, {"n": 1})

    assert answer.code == 0, answer.err
    assert f"Would be skipped: {says}" in one_line(answer)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("action: bootstrap\nwith: {key: NEW, connection: tracker, team: nobody}", "There is no team 'nobody'"),
        ("project: NOSUCH\naction: audit", "NOSUCH"),
        ("project: ML\naction: notify\nwith: {text: T, to: '${payload.to}'}", "'everybody-else' is nobody"),
        ("project: ML\naction: decide\nwith: {move: back, phase: model, reason: R}", "was not reached yet"),
    ],
)
def test_a_trial_says_what_would_fail_as_the_firing_does_and_ends_with_1(
    shell: Installation, tmp_path: Path, text: str, says: str
) -> None:
    answer = trial(shell, tmp_path, text, {"to": "everybody-else"})

    assert answer.code == 1
    assert ": matches" in answer.out
    assert "Would fail:" in answer.out
    assert says in one_line(answer)


def test_a_trial_tells_a_condition_that_is_not_met_from_one_that_fails_and_from_a_text_that_does(
    shell: Installation, tmp_path: Path
) -> None:
    usual = "project: ML\naction: audit"
    unmet = trial(shell, tmp_path, f"{usual}\nwhen: payload.n > 5", {"n": 1})
    absent = trial(shell, tmp_path, f"{usual}\nwhen: payload.m > 5", {"n": 1})
    fails = trial(shell, tmp_path, f"{usual}\nwhen: payload.n > 5", {"n": "text"})
    text = trial(shell, tmp_path, f"{usual}\nkey: ${{payload.m}}", {"n": 1})

    assert [one.code for one in (unmet, absent, fails, text)] == [0, 0, 1, 1]
    assert "does not match" in unmet.out
    assert "does not match" in absent.out
    assert "does not have what the condition asks for" in one_line(absent)
    assert "its condition fails" in fails.out
    assert "tried.yaml:5 when:" in one_line(fails)
    assert ": matches" in text.out
    assert "tried.yaml:5 key:" in one_line(text)


def test_a_trial_of_what_people_are_told_shows_the_comment_and_decides_nothing(
    at: Triggered, shell: Installation, tmp_path: Path
) -> None:
    before = at.table.table.writes()
    given = "with: {move: back, phase: data, reason: The evaluation failed, propose: true}"

    answer = trial(shell, tmp_path, f"project: ML\naction: decide\n{given}", {"n": 1})

    assert answer.code == 0, answer.out
    assert "Said in a comment on the record of iteration 1 of ML: Proposed for ML" in one_line(answer)
    assert (at.table.table.writes(), at.table.table.loop.decision) == (before, None)


def test_a_trial_takes_a_payload_with_its_headers_as_the_documentation_has_them(
    shell: Installation, tmp_path: Path
) -> None:
    wrapped = ROOT / "tests" / "unit" / "hook" / "payloads" / "drift-alert.json"

    said = shell.ok("triggers", "test", file(tmp_path, "drift-alert"), "--payload", wrapped).out

    assert "alert.firing: matches" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("when: payload.a = 1\nproject: ML\naction: audit", "write `==`"),
        ("when: payload.a == 1 and payload.b == 2\nproject: ML\naction: audit", "write `&&` for `and`"),
        ("when: payload.a.startswith('x')\nproject: ML\naction: audit", "write `startsWith`"),
        ("when: alert.status == 'x'\nproject: ML\naction: audit", "write `payload.alert.status`"),
        ("when: paylod.a == 'x'\nproject: ML\naction: audit", "write `payload.a`"),
        ("limits: {phases: [dta]}\nproject: ML\naction: audit", 'did you mean "data"?'),
        ("limits: {phases: [spikee]}\nproject: LATER\naction: audit", "no phase 'spikee'"),
    ],
)
@pytest.mark.parametrize("command", ["add", "test"])
def test_slips_are_told_with_file_and_line_and_what_to_write(
    shell: Installation, tmp_path: Path, text: str, says: str, command: str
) -> None:
    path = tmp_path / "slip.yaml"
    path.write_text(f"name: slip\nsource: wandb\n{text}\n", encoding="utf-8")
    more = ("--payload", payload(tmp_path, {"n": 1})) if command == "test" else ()

    said = " ".join(refused(shell.run("triggers", command, path, *more)).split())

    assert "slip.yaml:3" in said
    assert says in said


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "not JSON"), ("[]", "JSON object"), ("", "not JSON"), ('{"a": NaN}', "`a` is NaN")],
)
def test_a_payload_that_is_none_is_refused_with_its_reason(
    shell: Installation, tmp_path: Path, content: str, says: str
) -> None:
    trial = ("triggers", "test", file(tmp_path, "drift-alert"), "--payload", payload(tmp_path, content))

    assert says in refused(shell.run(*trial))


def test_a_trigger_is_added_listed_shown_switched_and_removed(
    at: Triggered, shell: Installation, tmp_path: Path
) -> None:
    added = shell.ok("triggers", "add", file(tmp_path, "drift-alert", name="cli-alert")).out
    assert f"{at.door.url}/hooks/t/cli-alert" in added
    assert len(added.strip().splitlines()[-1]) >= 32, "the secret, which is made up"

    assert "cli-alert" in shell.ok("triggers", "list").out
    shown = shell.ok("triggers", "show", "cli-alert").out
    assert "alertmanager" in shown
    assert added.strip().splitlines()[-1] not in shown

    assert "is off" in shell.ok("triggers", "disable", "cli-alert").out
    assert shell.ok("triggers", "show", "cli-alert", "--json").json["state"] == "off"
    shell.ok("triggers", "enable", "cli-alert")
    again = refused(shell.run("triggers", "add", file(tmp_path, "drift-alert", name="cli-alert")))
    assert "There is a trigger 'cli-alert' already." in again
    shell.ok("triggers", "add", file(tmp_path, "drift-alert", name="cli-alert"), "--replace")

    shell.ok("triggers", "remove", "cli-alert")
    assert "There is no trigger 'cli-alert'" in refused(shell.run("triggers", "show", "cli-alert"))


def test_a_trigger_whose_secret_is_refused_is_not_kept(shell: Installation, tmp_path: Path) -> None:
    path, given = file(tmp_path, "drift-alert", name="unproven"), tmp_path / "short.txt"
    given.write_text("short", encoding="utf-8")

    said = refused(shell.run("triggers", "add", path, "--secret-file", given))

    assert "nothing was changed" in said
    assert "16 to 1000 visible characters" in said
    assert "unproven" not in [one["name"] for one in shell.ok("triggers", "list", "--json").json]

    given.write_text(SECRET, encoding="utf-8")
    shell.ok("triggers", "add", path, "--secret-file", given)
    shell.ok("triggers", "remove", "unproven")


def test_a_trigger_that_has_another_s_events_has_no_address_and_keeps_that_one_from_being_removed(
    shell: Installation, tmp_path: Path
) -> None:
    path = file(tmp_path, "drift-resolved", name="cli-resolved")
    assert "There is no trigger 'drift-alert'" in refused(shell.run("triggers", "add", path))

    shell.ok("triggers", "add", file(tmp_path, "drift-alert"))
    added = shell.ok("triggers", "add", path).out
    assert "deliver to" not in added
    assert "secret" not in added
    given = tmp_path / "secret.txt"
    given.write_text(SECRET, encoding="utf-8")
    assert "no address of its own" in refused(shell.run("triggers", "secret", "cli-resolved", "--secret-file", given))

    assert "cli-resolved has the events of drift-alert" in refused(shell.run("triggers", "remove", "drift-alert"))
    shell.ok("triggers", "remove", "cli-resolved")
    shell.ok("triggers", "remove", "drift-alert")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "wrong.yaml:1"),
        ("{name: wrong, source: wandb, project: ML, action: audit, when: paylod.a == 1}", "wrong.yaml:1 when: column"),
        ("{name: wrong, source: wandb, project: ML, action: add-tickt}", "add-ticket"),
        ("{name: wrong, source: wandb, project: ML, action: add-ticket, with: {ticket: x}}", "needs `title`"),
        (
            f"{{name: wrong, {ADDS}, with: {{ticket: x, title: x, role: ml, priority: urgent}}}}",
            "one of: high, medium, low",
        ),
        ("{name: wrong, source: jira, project: ML, action: audit, connection: tracker, address_of: x}", "leave it out"),
        ("{name: wrong, source: wandb, project: ML, action: audit, address_of: wrong}", "the trigger itself"),
        ("{name: wrong, source: wandb, project: ML, action: record}", "needs `text`"),
    ],
)
def test_a_trigger_that_is_wrong_is_refused_with_its_place_and_nothing_is_kept(
    shell: Installation, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")

    said = refused(shell.run("triggers", "add", path))

    assert says in said
    assert "wrong.yaml" in said
    assert "wrong" not in [one["name"] for one in shell.ok("triggers", "list", "--json").json]


def test_events_are_listed_shown_and_replayed(at: Triggered, shell: Installation, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, encoding="utf-8")
    path = tmp_path / "hears.yaml"
    given = "with: {ticket: cli, title: From the shell, role: astronaut}"
    text = f"{{name: hears, source: wandb, project: ML, action: add-ticket, {given}}}"
    path.write_text(text, encoding="utf-8")
    shell.ok("triggers", "add", path, "--secret-file", secret)
    (failed,) = at.delivered("hears", {"n": 1, "api_key": "t0p-secret"})

    listed = shell.ok("events", "list", "--state", "failed", "--sender", "hears").out
    assert failed.id in listed
    assert "no role 'astronaut'" in listed.replace("\n", " ")
    shown = shell.ok("events", "show", failed.id).out
    assert f"phaseloop events replay {failed.id}" in shown
    assert "t0p-secret" not in shown

    path.write_text(text.replace("astronaut", "ml"), encoding="utf-8")
    shell.ok("triggers", "add", path, "--replace")
    assert "1 event to be handled again" in shell.ok("events", "replay", failed.id).out
    assert shell.ok("events", "show", failed.id, "--json").json["state"] == "accepted"
    assert "0 events" in shell.ok("events", "replay", "--state", "failed", "--sender", "hears").out
    events.replay(at.door.context, failed.id)  # once more, by the clock of the service of this test
    eventually(lambda: at.looking.tickets("From the shell"), 60)
    assert "There is no event" in refused(shell.run("events", "show", "evt_none"))
    assert "There is no connection or trigger" in refused(shell.run("events", "list", "--sender", "nobody"))
    assert shell.run("events", "replay").code == 64, "called wrongly"
    assert shell.run("events", "list", "--state", "lost").code == 1


def test_a_parked_trigger_is_in_the_status_of_its_project(at: Triggered, shell: Installation, tmp_path: Path) -> None:
    given = tmp_path / "secret.txt"
    given.write_text(SECRET, encoding="utf-8")
    path = tmp_path / "stops.yaml"
    usual = "name: stops, source: wandb, action: add-ticket, limits: {park_after: 1}"
    path.write_text(f"{{{usual}, project: ML, with: {{ticket: x, title: x, role: nobody}}}}", encoding="utf-8")
    shell.ok("triggers", "add", path, "--secret-file", given)
    at.delivered("stops", {"n": 1})

    said = " ".join(shell.ok("status", "ML", "--offline").out.split())

    assert "The trigger stops failed 1 time in a row" in said
    assert "phaseloop triggers enable stops" in said
    (found,) = shell.ok("status", "ML", "--offline", "--json").json
    assert [one["trigger"] for one in found["parked_triggers"]] == ["stops"]
    shell.ok("triggers", "remove", "stops")
    assert "parked" not in shell.ok("status", "ML", "--offline").out


def test_an_open_proposal_is_in_the_status_and_the_phase_with_the_command_that_accepts_it(
    at: Triggered, shell: Installation, tmp_path: Path
) -> None:
    given = {"move": "stay", "reason": "The data's [bold]quality[/] fell", "propose": True}
    at.add({"name": "stays", "source": "wandb", "project": "ML", "action": "decide", "with": given})
    at.done(at.delivered("stays", {"n": 1}))

    for shown in (shell.ok("status", "ML", "--offline"), shell.ok("phase", "ML")):
        assert "Proposed by trigger stays: another iteration of the same phase. The data's [bold]quality[/] fell" in (
            one_line(shown)
        )
        (line,) = [one for one in shown.out.splitlines() if "Accept it with" in one]
        words = shlex.split(line.partition(":")[2])
        assert words == ["phaseloop", "phase", "ML", "stay", "--reason", "The data's [bold]quality[/] fell"]
    (state,) = shell.ok("status", "ML", "--offline", "--json").json
    (proposed,) = state["loop"]["proposals"]
    assert proposed["move"] == "stay"
    assert shell.ok("phase", "ML", "--json").json["proposals"] == [proposed]

    shell.ok(*words[1:])

    for shown in (shell.ok("status", "ML", "--offline"), shell.ok("phase", "ML")):
        assert "Proposed" not in shown.out
    shell.ok("phase", "ML", "--take-back")


def test_the_webhook_of_a_connection_is_registered_checked_shown_and_removed(
    at: Triggered, shell: Installation
) -> None:
    assert "is no webhook" in shell.run("hooks", "check", "tracker").out
    before = shell.ok("hooks", "show", "tracker").out
    assert "sends events" not in before
    assert "phaseloop hooks register tracker" in before
    assert at.door.url in shell.ok("hooks", "register", "tracker").out
    assert len(at.table.table.sandbox.site.data.webhooks) == 1
    assert "Nothing is wrong" in shell.ok("hooks", "check", "tracker").out
    assert "tracker" in shell.ok("hooks", "list").out
    assert "A secret counts" in shell.ok("hooks", "show", "tracker").out

    (hook,) = at.table.table.sandbox.site.data.webhooks.values()
    hook.enabled = False
    checked = shell.run("hooks", "check", "tracker")
    assert checked.code == 1
    assert "phaseloop hooks repair tracker" in checked.out
    shell.ok("hooks", "repair", "tracker")
    made = shell.ok("hooks", "secret", "tracker").out.strip()
    assert len(made) >= 32
    assert made not in shell.ok("hooks", "show", "tracker", "--json").out

    assert f"tracker sends events to {at.door.url}" in shell.ok("hooks", "show", "tracker").out
    removed = shell.ok("hooks", "remove", "tracker").out
    assert "sends no events" in removed
    assert at.door.url not in removed
    assert "sends events" not in shell.ok("hooks", "show", "tracker").out
    assert at.table.table.sandbox.site.data.webhooks == {}
    assert "There is no connection 'nobody'" in refused(shell.run("hooks", "check", "nobody"))


def test_without_an_address_of_the_service_a_trigger_is_reached_at_the_local_one_with_a_warning(
    at: Triggered, tmp_path: Path
) -> None:
    shell = Installation(at.table.table.context.settings.home)

    said = shell.ok("triggers", "add", file(tmp_path, "drift-alert", name="local")).out

    assert "deliver to: http://127.0.0.1:8000/hooks/t/local" in said
    assert "set PHASELOOP_PUBLIC_URL" in said
    assert "http://127.0.0.1:8000/hooks/t/local" in shell.ok("triggers", "show", "local").out
    shell.ok("triggers", "remove", "local")


def test_what_is_misspelt_is_answered_in_whole_sentences(shell: Installation, tmp_path: Path) -> None:
    path = tmp_path / "words.yaml"
    path.write_text("{name: words, source: wandb, project: ML, action: audit, address_of: x}", encoding="utf-8")
    assert ".;" not in refused(shell.run("triggers", "add", path))

    path.write_text("{name: words, source: alertmanger, project: ML, action: audit}", encoding="utf-8")
    said = " ".join(refused(shell.run("triggers", "add", path)).split())
    assert 'did you mean "alertmanager"? It is one of: ' in said


def test_without_an_address_of_the_service_nothing_is_registered(at: Triggered) -> None:
    shell = Installation(at.table.table.context.settings.home)

    assert "PHASELOOP_PUBLIC_URL" in refused(shell.run("hooks", "register", "tracker"))
