"""Versions of templates on the command line. Each command is a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.templates import load_builtin
from tests.integration.conftest import Installation


@pytest.fixture
def installed(tmp_path: Path) -> Installation:
    found = Installation(tmp_path)
    found.furnish()
    return found


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A file with another version of the built-in template."""
    text = load_builtin("iterative-ml").text
    file = tmp_path / "ours.yaml"
    file.write_text(text.replace("deliverable: Goal statement", "deliverable: Goals"), encoding="utf-8")
    return file


def test_a_built_in_template_is_held_against_a_file(installed: Installation, edited: Path) -> None:
    told = installed.ok("templates", "diff", "iterative-ml", edited).out
    assert "~ ticket set-goals Set the goals in Ideation & Experimentation" in told
    assert "deliverable: Goal statement → Goals" in told
    assert "0 added, 0 removed, 1 changed" in told

    shown = installed.ok("templates", "diff", "iterative-ml", edited, "--json").json
    assert [one["fields"] for one in shown["parts"]] == [
        [{"name": "deliverable", "from": "Goal statement", "to": "Goals"}]
    ]


def test_versions_that_a_home_knows_are_listed_and_named(installed: Installation, edited: Path) -> None:
    [version] = installed.ok("templates", "versions", "iterative-ml", "--json").json
    named = f"iterative-ml@{version['ref']}"

    assert version["built_in"]
    assert "The same text." in installed.ok("templates", "diff", "iterative-ml", named).out
    refused = installed.ok("templates", "diff", "iterative-ml@9.9.9", edited, code=1)
    assert "There is no version of the template iterative-ml '9.9.9'." in refused.err
    assert version["ref"] in refused.err


def test_a_file_that_is_wrong_is_told_with_its_lines(installed: Installation, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(load_builtin("iterative-ml").text.replace("role: pm", "role: ppm", 1), encoding="utf-8")

    assert f"{wrong}:" in installed.ok("templates", "diff", "iterative-ml", wrong, code=1).err
