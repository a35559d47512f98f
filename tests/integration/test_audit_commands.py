"""Audits from the command line: run, report, waive, set. Each command is a process of its own, as for people; nothing
serves, so the command does the work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.plan import run_state
from tests.integration.audit_shop import HOSTILE, LAST_DAY, WRITTEN, Shop, Stage, opened
from tests.integration.conftest import TEAM_FILE, Installation
from tests.integration.record_desks import DATA, PM
from tests.integration.record_table import TWO
from tests.integration.turntable import TEMPLATE


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with opened(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture
def shop(stage: Stage, tmp_path: Path) -> Shop:
    return stage.at(tmp_path / "home")


# --- report -----------------------------------------------------------------------------------------------------------


def test_the_matrix_shows_each_iteration_with_a_sign_for_each_check_and_what_is_lacking(shop: Shop) -> None:
    said = shop.ok("report", "ML")
    document = shop.json("report", "ML")

    [one] = re.findall(r"^ +1  Data 1 +data +documented .*$", said, re.MULTILINE)
    assert one.count("✓") == sum(result == "pass" for result in document["iterations"][0]["results"].values())
    assert "Iteration 1 " not in said, "nothing is lacking in the first one"
    assert "not due yet; to be met by then: D05 Decisions and why, D10 Sign-off" in said
    details = shop.ok("report", "ML", "--iteration", "2")
    assert "Nobody has signed it; the Product Manager is to." in details
    assert "comments /approve" in details
    assert [line["verdict"] for line in document["iterations"]] == ["documented", "pending"]
    assert document["gate"] == "warn"


def test_the_matrix_fits_a_terminal_of_80_columns(shop: Shop) -> None:
    lines = shop.on_a_terminal("report", "ML", columns=80)

    head = next(number for number, line in enumerate(lines) if line.startswith("It."))
    table = lines[head : lines.index("", head)]
    assert max(len(line) for line in table) <= 80
    assert table[0].split()[-16:] == [f"{number:02}" for number in range(1, 16)] + ["Sc."]
    assert {"✓", "x", "X", "·"} <= set(table[2].split())
    assert any("✓ passes   X fails (critical)" in line for line in table)


def test_an_iteration_is_shown_with_all_findings_and_their_evidence(shop: Shop) -> None:
    said = shop.ok("report", "ML", "--iteration", "1")

    assert "✓ D10 Sign-off: pass (critical)" in said
    assert 'comment: "/approve" by Product manager on ' in said
    assert re.search(r"section Goal: \"We wanted to learn.*by Data engineer on .*\(sha256 [0-9a-f]{12}\)", said)
    assert "Fix:" in shop.ok("report", "ML", "--iteration", "2")
    assert "There is no iteration '7'" in shop.refused("report", "ML", "--iteration", "7")
    assert len(shop.json("report", "ML", "--iteration", "2")["iterations"]) == 1


def test_what_people_wrote_can_neither_hide_nor_speak_to_the_terminal(shop: Shop, tmp_path: Path) -> None:
    forged = tmp_path / "forged.json"
    shop.ok("export", "ML", "--output", forged)
    binder = json.loads(forged.read_text())
    binder["content"]["project"]["name"] = f"Churn{HOSTILE}"
    forged.write_text(json.dumps(binder))

    said = [shop.ok("decisions", "ML"), shop.ok("report", "ML", "--iteration", "1"), shop.ok("verify", forged, code=1)]
    document = shop.ok("verify", forged, "--json", code=1)

    for text in (*said, document):
        assert all(line.isprintable() for line in text.split("\n"))
    assert "We keep gradient boosting because its recall beats the baseline" in said[0]
    assert "the binder of Churn[U+202E][red]moc.elpmaxe[U+202C] [U+009B]31m" in said[2]
    assert json.loads(document)["project"] == f"Churn{HOSTILE}", "programs get it as it is"


@pytest.mark.parametrize(("worst", "code"), [("undocumented", 3), ("partly", 3), (None, 0)])
def test_a_report_fails_on_what_was_asked(shop: Shop, worst: str | None, code: int) -> None:
    options = ["--fail-on", worst] if worst is not None else []
    shop.ok("report", "ML", *options)  # what is pending has not failed

    shop.ok("run", "ML", "--iteration", "2")

    shop.ok("report", "ML", *options, code=code)
    shop.ok("report", *options, code=code)
    shop.ok("report", "ML", "--iteration", "1", *options)
    for check in ("D05", "D10"):
        shop.ok("waive", "ML", check, "--until", LAST_DAY, "--reason", "It is only a trial.")
    shop.ok("report", "ML", *options, code=0 if worst == "undocumented" else code)


def test_audits_are_computed_again_from_evidence_and_a_forged_one_is_told(shop: Shop) -> None:
    assert "all 2 audits come out the same" in shop.ok("report", "ML", "--recompute")
    assert "Good" in shop.ok("verify", "--project", "ML")

    shop.change("update audits set verdict = 'documented' where number = 2")

    said = shop.ok("report", "ML", "--recompute", code=1)
    assert "iteration 2 is pending by its evidence, and documented is kept" in said
    assert "pending" in said.splitlines()[5]
    assert "iteration 2 is pending by its evidence" in shop.ok("verify", "--project", "ML", code=1)
    assert shop.json("verify", "--project", "ML", code=1)["ok"] is False


def test_all_projects_are_told_in_one_table(shop: Shop) -> None:
    [line] = [line.split() for line in shop.ok("report").splitlines() if line.startswith("ML ")]
    [document] = shop.json("report")

    assert line[2:5] == ["pending", "2", "1"]
    assert (document["worst"], document["iterations"], document["verdicts"]["documented"]) == ("pending", 2, 1)
    assert "No projects yet" in Installation(shop.installation.home / "other").ok("audit", "report").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "ML", "--existing", "OLD"), "go without PROJECT"),
        (("report", "--connection", "work"), "needs --existing"),
        (("report", "--recompute"), "need a PROJECT"),
        (("report", "--csv"), "goes with PROJECT"),
        (("report", "--iteration", "1"), "need a PROJECT"),
        (("report", "ML", "--team", "x"), "go with --existing"),
        (("verify",), "Name a FILE, or a project"),
        (("verify", "--project", "ML", "--signer", "x"), "--signer goes with a FILE"),
        (("waive", "ML", "D09", "--revoke", "wvr"), "--revoke goes without"),
        (("waive", "ML", "--iteration", "1"), "Which check"),
        (("metrics", "ML", "--svg", "x.svg"), "needs the NAME"),
        (("export", "ML", "--format", "pdf"), "no format of a binder"),
        (("report", "NONE"), "There is no project 'NONE'"),
    ],
)
def test_what_does_not_go_together_is_said(shop: Shop, arguments: tuple[str, ...], words: str) -> None:
    named_wrong = words.startswith("There is no")  # what was asked for, not how
    assert words in shop.refused(*arguments, code=1 if named_wrong else 64)


# --- run --------------------------------------------------------------------------------------------------------------


def test_a_look_reminds_people_and_shows_what_they_mended_since(shop: Shop) -> None:
    said = shop.ok("run", "ML")

    assert "undocumented" in said
    assert "Completed: " in said
    comments = shop.people.send(PM, "GET", f"api/2/issue/{shop.people.key(TWO)}/comment")["comments"]
    assert any("Still lacking" in comment["body"] for comment in comments)

    shop.people.writes(DATA, TWO, WRITTEN.replace("We wanted", "This time we wanted").replace("0.83", "0.85"))
    shop.people.says(PM, TWO, "/approve")
    document = shop.json("run", "ML")

    assert document["run"]["state"] == run_state.COMPLETED
    failed = [check for check, result in document["iterations"][1]["results"].items() if result == "fail"]
    assert failed == ["D11", "D12"], "it came late, and is a copy"
    shop.ok("waive", "ML", "D11", "--iteration", "2", "--until", LAST_DAY, "--reason", "Everybody was ill.")
    shop.ok("waive", "ML", "D12", "--iteration", "2", "--until", LAST_DAY, "--reason", "Nothing new was tried.")
    assert shop.line(2)["verdict"] == "documented"
    assert "The records were looked at" in shop.ok("run", "ML")


def test_a_look_at_one_iteration_writes_nothing(shop: Shop) -> None:
    before = shop.controls.writes()

    said = shop.ok("run", "ML", "--iteration", "2")

    assert "X D10 Sign-off: fail (critical)" in said
    assert shop.json("run", "ML", "--iteration", "2")["verdict"] == "undocumented"
    assert shop.controls.writes() == before
    assert "ML has iterations 1 to 2" in shop.refused("run", "ML", "--iteration", "3")


def test_a_tracker_that_is_away_is_said_and_changes_no_verdict(shop: Shop) -> None:
    shop.installation.extra["PHASELOOP_BACKOFF_SECONDS"] = "60"  # so that it is followed for the first attempt only
    shop.controls.set("faults", action="status", status=503, times=None, path="/rest/")

    said = shop.ok("run", "ML", code=1)

    assert "could not be looked at: " in said
    assert "is not available (HTTP 503)" in said
    assert "phaseloop runs resume audit-" in said
    assert [line["verdict"] for line in shop.json("report", "ML")["iterations"]] == ["documented", "pending"]
    assert shop.json("report")[0]["troubles"] == 1

    shop.controls.clear("faults")
    [run] = [one for one in shop.installation.ok("runs", "list", "--json").json if one["state"] == run_state.WAITING]
    shop.installation.ok("runs", "resume", run["id"])
    assert shop.line(2)["trouble"] == ""
    assert shop.line(2)["verdict"] == "undocumented"


def test_a_project_whose_loop_has_not_begun_has_nothing_to_be_looked_at(shop: Shop) -> None:
    shop.installation.ok("plan", "NEW", "--create", "--team", TEAM_FILE, "--template", TEMPLATE, code=2)

    assert "has not begun" in shop.refused("run", "NEW")
    assert "its first iteration has not begun" in shop.ok("report", "NEW")


# --- waivers and settings ---------------------------------------------------------------------------------------------


def test_a_check_is_waived_listed_and_taken_back(shop: Shop) -> None:
    assert "ML has no waivers" in shop.ok("waive", "ML")

    made = shop.json(
        *("waive", "ML", "d10", "--iteration", "2", "--until", LAST_DAY, "--by", "lead@example.com"),
        *("--reason", "[bold]On leave until then."),
    )

    assert (made["check"], made["iteration"], made["state"]) == ("D10", 2, "holds")
    assert made["by"].startswith("lead@example.com (written down by "), "nobody waives in another's name alone"
    assert shop.line(2)["results"]["D10"] == "waived"
    told = f"D10 for iteration 2 until {LAST_DAY}, by {made['by']}: [bold]On leave until then."
    for said in (shop.ok("waive", "ML"), shop.ok("report", "ML")):
        assert told in said
    assert "There is no waiver of that project 'wvr_0000'" in shop.refused("waive", "ML", "--revoke", "wvr_0000")

    assert "revoked" in shop.ok("waive", "ML", "--revoke", made["id"][:9])

    assert shop.line(2)["results"]["D10"] == "fail"
    assert [one["state"] for one in shop.json("waive", "ML")] == ["revoked"]
    assert told not in shop.ok("report", "ML")
    assert "Good" in shop.ok("verify", "--project", "ML")


def test_everything_that_is_wrong_with_a_waiver_is_said_at_once(shop: Shop) -> None:
    said = shop.refused("waive", "ML", "D99", "--iteration", "9", "--until", "soon", "--reason", "No.")

    assert 'there is no check "D99"' in said
    assert "iteration 9 of ML has not begun" in said
    assert "reason: has 3 characters" in said
    assert "'soon' is no day" in said
    assert "4 problems found; nothing was changed" in said
    assert "until: is missing" in shop.refused("waive", "ML", "D09", "--reason", "It is only a trial.", code=64)
    assert shop.json("waive", "ML") == []


def test_a_project_says_what_is_stricter_and_takes_it_back(shop: Shop) -> None:
    assert re.search(r"gate: +warn \(template: off\)", shop.ok("set", "ML"))

    shop.ok("set", "ML", "--gate", "block", "--grace", "1", "--check", "D15=critical", "--host", "wiki.example.com")
    shop.ok("set", "ML", "--tracking-url", "https://mlflow.example.com", "--tracking-experiment", "churn")
    document = shop.json("set", "ML", "--check", "d02=Critical", "--tracking-model", "churn-classifier")

    assert document["audit"] == {
        "gate": "block",
        "grace_working_days": 1,
        "checks": {"D15": "critical", "D02": "critical"},
        "hosts": ["wiki.example.com"],
        "tracking": {
            "url": "https://mlflow.example.com",
            "experiments": ["churn"],
            "models": ["churn-classifier"],
        },
    }
    said = shop.ok("set", "ML")
    assert "experiments churn; models churn-classifier; at https://mlflow.example.com" in said
    assert "gate block" in shop.ok("report", "ML")

    back = shop.json("set", "ML", "--as-template", "check", "--as-template", "grace", "--gate", "warn")["audit"]

    assert (back["gate"], back.get("checks"), back.get("grace_working_days")) == ("warn", None, None)
    assert back["tracking"]["models"] == ["churn-classifier"]


def test_what_is_looser_than_the_template_is_refused_with_the_way_that_is_open(shop: Shop) -> None:
    said = shop.refused("set", "ML", "--grace", "9", "--check", "D01=minor", "--escalate", "20")

    assert "9 working days are more than the 2 of the template" in said
    assert "the checks' weights, D01" in said
    assert said.count("phaseloop audit waive") == 3
    assert "3 problems found; nothing was changed" in said
    assert "is not two things with = between" in shop.refused("set", "ML", "--check", "D01")
    assert "One of gate, unclear, grace" in shop.refused("set", "ML", "--as-template", "all", code=64)
    assert shop.json("set", "ML")["audit"] == {"gate": "warn"}
