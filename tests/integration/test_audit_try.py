"""`phaseloop audit try`: texts are judged from the command line without a project, a tracker or a network."""

from __future__ import annotations

import json
from pathlib import Path

from connectors.jira.adf_writing import to_adf
from connectors.jira.markup import to_wiki
from evaluation.corpus import records
from tests.integration.conftest import Installation

GOOD = next(one.text for one in records() if one.name == "meter-night.md")
HOLLOW = next(one.text for one in records() if one.name == "one-word.md")
CHECKS = {"D02", "D03", "D04", "D05", "D06", "D07", "D08", "D12"}


def test_files_in_three_markups_are_judged_in_the_form_that_programs_read(tmp_path: Path) -> None:
    nowhere = Installation(tmp_path / "home")
    files = {
        tmp_path / "good.md": GOOD,
        tmp_path / "good.wiki": to_wiki(GOOD),
        tmp_path / "good.json": json.dumps({"type": "doc", "version": 1, "content": to_adf(GOOD)}),
        tmp_path / "hollow.md": HOLLOW,
    }
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")

    elements = nowhere.ok("audit", "try", *files, "--json").json

    assert [one["file"] for one in elements] == [str(file) for file in files]
    assert [one["verdict"] for one in elements] == ["documented"] * 3 + ["undocumented"]
    for one in elements:
        assert 0 <= one["score"] <= 100
        assert set(one["checks"]) == CHECKS
        for check in one["checks"].values():
            assert {"result", "confidence", "quote", "fix"} <= set(check)
            assert check["result"] in ("pass", "fail", "unclear", "not_applicable")
            assert bool(check["fix"]) is (check["result"] in ("fail", "unclear"))
    assert not (tmp_path / "home" / "phaseloop.db").exists()


def test_a_hook_fails_on_what_was_asked_and_a_text_may_come_from_standard_input(tmp_path: Path) -> None:
    nowhere = Installation(tmp_path / "home")

    said = nowhere.ok("audit", "try", "-", "--fail-on", "partly", "--phase", "ideation", stdin=HOLLOW, code=3).out
    assert "undocumented" in said
    assert "D05" in said
    assert nowhere.ok("audit", "try", "-", "--phase", "nowhere", stdin=HOLLOW, code=1).err


def test_a_file_that_is_missing_is_named_and_the_others_are_judged(tmp_path: Path) -> None:
    nowhere = Installation(tmp_path / "home")
    good, wrong = tmp_path / "good.md", tmp_path / "wrong.md"
    good.write_text(GOOD, encoding="utf-8")
    wrong.write_bytes(b"\xff\xfe\x00")

    ended = nowhere.ok("audit", "try", tmp_path / "none.md", good, wrong, "--json", "--fail-on", "partly", code=1)

    none, judged, no_text = ended.json
    assert (none["file"], none["error"]) == (
        str(tmp_path / "none.md"),
        "it cannot be read: No such file or directory",
    )
    assert none["fix"]
    assert judged["verdict"] == "documented"
    assert "UTF-8" in no_text["fix"]
    assert "none.md: it cannot be read" in ended.err
    assert "wrong.md: it is not UTF-8" in ended.err
    assert "Not looked at" not in ended.out


def test_what_a_text_alone_cannot_answer_is_said_and_nobody_is_told_to_sign(tmp_path: Path) -> None:
    nowhere = Installation(tmp_path / "home")
    unsure = "## Decisions\n\nThe head of data decides on v5, since its F1 is 0.88; v4 is the alternative."

    said = nowhere.ok("audit", "try", "-", stdin=unsure).out
    (element,) = nowhere.ok("audit", "try", "-", "--json", stdin=unsure).json

    assert "D09" in said.splitlines()[-1] + said.splitlines()[-2]
    assert set(element["not_looked_at"]) == {"D01", "D09", "D10", "D11", "D13", "D14", "D15"}
    assert element["checks"]["D05"]["result"] == "unclear"
    assert element["checks"]["D05"]["fix"].startswith("Make it plainer: Write what was decided")
    assert "/approve" not in said
