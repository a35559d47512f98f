"""Template files: found by name or path, refused with a reason, the same digest on every system."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from service import templates
from service.domain.problems import InvalidInput

SMALL = Path(__file__).parent / "small.yaml"


def refusal(name_or_path: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        templates.load(name_or_path)
    return str(refused.value)


def test_the_builtin_template_is_found_by_its_name() -> None:
    text = templates.load("iterative-ml")
    assert text.source == "iterative-ml.yaml"
    assert text in templates.builtin()
    assert text.digest == sha256(text.text.encode()).hexdigest()


def test_a_template_is_found_by_its_path() -> None:
    assert templates.load(str(SMALL)).source == str(SMALL)
    assert templates.read_template_file(SMALL).name == "small"


def test_the_digest_does_not_depend_on_line_ends_or_a_byte_order_mark(tmp_path: Path) -> None:
    text = SMALL.read_text(encoding="utf-8")
    other = tmp_path / "windows.yaml"
    other.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert templates.load(str(other)).digest == templates.load(str(SMALL)).digest
    assert templates.read_template_file(other) == templates.read_template_file(SMALL)


def test_a_misspelt_name_gets_a_proposal() -> None:
    assert refusal("iterativ-ml") == 'template: no built-in template "iterativ-ml"; did you mean "iterative-ml"?'


def test_a_builtin_name_never_reaches_other_files() -> None:
    with pytest.raises(InvalidInput, match="no built-in template"):
        templates.load_builtin("../tests/unit/templates/small")


def test_a_file_that_is_not_there_a_directory_and_an_impossible_path_are_refused(tmp_path: Path) -> None:
    assert refusal(str(tmp_path / "x.yaml")) == f"{tmp_path / 'x.yaml'}: does not exist; give the path of a file"
    assert refusal(str(tmp_path)) == f"{tmp_path}: is a directory; give the path of a file"
    assert refusal("a\0b.yaml").endswith("; give the path of a file") or "cannot be read" in refusal("a\0b.yaml")


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("format: phaseloop/v1\ntitle: Prüfung\n".encode("latin-1"))
    assert refusal(str(path)) == f"{path}:2: the file is not UTF-8 text; save it as UTF-8"


def test_a_ten_megabyte_file_is_refused_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(10_000_000)

    def unwanted(_path: Path) -> bytes:
        raise AssertionError("read")

    monkeypatch.setattr(Path, "read_bytes", unwanted)
    assert refusal(str(path)).startswith(f"{path}: the file has 10,000,000 bytes; up to 1,000,000 characters are read")
