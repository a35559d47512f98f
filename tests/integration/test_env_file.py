"""What is wrong with an `.env` file is told with its line, once, and never as a bug or in a library's words."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.conftest import ROOT, Installation


def run(installation: Installation, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command given in that folder."""
    environment = {**installation.environment, "PYTHONPATH": str(ROOT)}
    del environment["PHASELOOP_HOME"]
    arguments = installation.command(*command)
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [("status",), ("config",), ("--version",), ("projects", "list", "--json")])
@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("PHASELOOP_PORT=8001\n# für uns\n".encode("cp1252"), 2),
        ("PHASELOOP_PORT=8001\n".encode("utf-16"), 1),
        ("PHASELOOP_PORT=8001\n".encode("utf-16-le"), 1),
    ],
)
def test_a_file_in_another_encoding_is_named_with_its_line(
    installation: Installation, tmp_path: Path, command: tuple[str, ...], data: bytes, line: int
) -> None:
    file = tmp_path / ".env"
    file.write_bytes(data)

    done = run(installation, tmp_path, *command)

    assert done.returncode == 1
    assert f"{file}, line {line}: the file is not UTF-8 text. Save it as UTF-8." in done.stderr
    assert "bug" not in done.stderr


def test_a_line_that_sets_nothing_is_told_once_with_its_number(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# ours\n\nPHASELOOP_PORT 8001\nPHASELOOP_HOST=127.0.0.2\n\nPHASELOOP_HOME\n")

    done = run(installation, tmp_path, "config")

    assert done.returncode == 0
    notes = [text for text in done.stderr.splitlines() if text]
    assert [text.partition(": sets nothing")[0] for text in notes] == [
        f"Note: {file}, line 3",
        f"Note: {file}, line 6",
    ]
    assert "127.0.0.2" in done.stdout


def test_a_byte_order_mark_before_the_first_name_does_no_harm(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("PHASELOOP_HOST=127.0.0.2\n".encode("utf-8-sig"))

    assert "127.0.0.2" in run(installation, tmp_path, "config").stdout
