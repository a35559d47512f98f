"""Files and searches of the audit from the command line: export, verify, key, decisions, metrics, and reports on the
projects of others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.context import open_context
from service.pages import evolution, rendering
from service.settings import Settings
from tests.integration.audit_shop import Shop, Stage, opened
from tests.integration.conftest import ROOT, Installation


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with opened(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture
def shop(stage: Stage, tmp_path: Path) -> Shop:
    return stage.at(tmp_path / "home")


# --- binders ----------------------------------------------------------------------------------------------------------


def test_a_binder_is_exported_and_verified_where_there_is_nothing_else(shop: Shop, tmp_path: Path) -> None:
    file, nowhere = tmp_path / "ml.html", tmp_path / "nowhere"
    nowhere.mkdir()
    said = shop.ok("export", "ML", "--output", file)
    fingerprint = shop.json("key")[0]["fingerprint"]
    assert f"Signed by {fingerprint}" in said

    environment = {"PATH": os.environ["PATH"], "HOME": str(nowhere / "home"), "PYTHONPATH": str(ROOT)}
    wrong = {"PHASELOOP_PORT": "none", "PHASELOOP_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    command = [sys.executable, "-m", "service.cli", "audit", "verify", str(file), "--signer", fingerprint]
    done = subprocess.run(
        command, env={**environment, **wrong}, cwd=nowhere, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Good: nothing was changed since it was signed" in done.stdout
    assert "It is signed by the key that was given." in done.stdout
    assert list(nowhere.iterdir()) == [], "nothing was made"


def test_a_tampered_binder_is_refused_and_what_was_changed_is_named(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "ml.json"
    assert shop.json("export", "ML", "--output", file)["bytes"] == file.stat().st_size
    assert json.loads(file.read_text())["content"]["project"]["key"] == "ML"

    file.write_text(file.read_text().replace('"pending"', '"documented"'))

    said = shop.ok("verify", file, code=1)
    assert "Refused" in said
    assert "iteration 2: " in said
    document = shop.json("verify", file, code=1)
    assert document["ok"] is False
    assert document["mismatches"]
    (tmp_path / "none.txt").write_text("none")
    assert "it holds no binder" in shop.ok("verify", tmp_path / "none.txt", code=1)
    assert "cannot be read" in shop.refused("verify", tmp_path / "nothing.html")


def test_a_binder_by_another_key_is_refused(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "ml.html"
    shop.ok("export", "ML", "--output", file)
    [old] = shop.json("key")

    new, former = shop.json("key", "--renew")

    assert former == old
    assert old["fingerprint"] in shop.ok("key")
    assert "by another key" in shop.ok("verify", file, "--signer", new["fingerprint"], code=1)
    assert "Good" in shop.ok("verify", file, "--signer", old["public"])
    assert "64 hexadecimal digits" in shop.refused("verify", file, "--signer", "me")


def test_a_file_that_is_there_is_not_written_over(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "mine.html"
    file.write_text("mine")

    assert "is there already" in shop.refused("export", "ML", "--output", file)
    assert file.read_text() == "mine"
    shop.ok("export", "ML", "--iteration", "1", "--output", file, "--force")
    assert "iteration 1" in shop.ok("verify", file)
    assert "cannot be written" in shop.refused("export", "ML", "--output", tmp_path / "no" / "ml.html")
    assert "There is no iteration '7'" in shop.refused("export", "ML", "--iteration", "7", "--output", file, "--force")


def test_a_binder_is_written_to_standard_output_and_read_from_standard_input(shop: Shop) -> None:
    printed = shop.ok("export", "ML", "--output", "-", "--format", "json")

    found = shop.installation.ok("audit", "verify", "-", stdin=printed)

    assert "Good" in found.out


# --- how the model evolved --------------------------------------------------------------------------------------------


def test_decisions_are_found_by_what_they_are_about(shop: Shop) -> None:
    said = shop.ok("decisions", "ML", "why", "did", "we", "drop", "the", "neural", "network?")

    assert "1 Data 1 (Data, " in said
    assert "We keep gradient boosting" in said
    assert "neural network" in said.split("instead of:")[1]
    assert "No record of ML that was read tells of a decision about" in shop.ok("decisions", "ML", "submarines")
    assert shop.json("decisions", "ML", "submarines") == []


def test_measures_are_told_by_iteration_and_drawn(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "recall.svg"

    assert re.search(r"^recall +1:0\.83", shop.ok("metrics", "ML"), re.MULTILINE)
    assert re.search(r"^ +1 +Data 1 +0\.83", shop.ok("metrics", "ML", "Recall"), re.MULTILINE)
    [point] = shop.json("metrics", "ML", "recall")["points"]
    assert (point["iteration"], point["value"]) == (1, 0.83)
    shop.ok("metrics", "ML", "recall", "--svg", file)
    assert file.read_text().startswith("<svg")
    assert "is there already" in shop.refused("metrics", "ML", "recall", "--svg", file)
    assert "There are: recall" in shop.refused("metrics", "ML", "precision")


def test_the_page_of_decisions_and_measures_says_what_the_commands_say(shop: Shop) -> None:
    settings = Settings(_env_file=None, home=shop.installation.home, database_url=None, secret_key=None)
    with closing(open_context(settings)) as context:
        page, about = evolution.page_of(context, "ML"), evolution.page_of(context, "ML", "neural network")
        nothing = evolution.page_of(context, "ML", "submarines")

    assert [(one.name, one.said) for one in page.measures] == [("recall", "0.83 in iteration 1")]
    told = [one["decision"] for one in shop.json("decisions", "ML")]
    assert [one.text for one in page.decisions] == told[::-1]
    assert any("gradient boosting" in one.text for one in about.decisions)
    assert (nothing.decisions, nothing.measures) == ((), page.measures)
    shown = rendering.text("evolution.html", page)
    assert "<svg" in shown
    assert "0.83" in shown


# --- a project that never used phaseloop ------------------------------------------------------------------------------


def test_a_project_of_others_is_reported_and_nothing_is_written_or_kept(shop: Shop, tmp_path: Path) -> None:
    stranger = Installation(tmp_path / "stranger")
    stranger.connect(shop.controls.url)
    before = shop.controls.writes()

    said = stranger.ok("audit", "report", "--existing", "ML").out
    document = stranger.ok("audit", "report", "--connection", "jira", "--existing", "ML", "--json").json

    assert "by the rules of iterative-ml" in said
    assert "Assumed" in said
    assert len(document["iterations"]) == 2
    assert document["assumed"]
    assert shop.controls.writes() == before
    stranger.ok("audit", "report", "--existing", "ML", "--fail-on", "undocumented", code=3)
    assert "D10 Sign-off" in stranger.ok("audit", "report", "--existing", "ML", "--iteration", "2").out
    assert stranger.ok("audit", "report", "--json").json == []
    assert "sees none of that key" in stranger.ok("audit", "report", "--existing", "NONE", code=1).err
