"""Every broken template beside this file is refused with exactly the lines beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.domain.problems import InvalidInput
from service.domain.template.reader import read_template

HERE = Path(__file__).parent
BROKEN = sorted((HERE / "broken").glob("*.yaml"))
JARGON = re.compile(
    r"pydantic|validat|input should|type=|constrained|tuple|dict|NoneType|Traceback|_type|_error", re.IGNORECASE
)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_template_is_refused_with_all_its_problems(path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_template(path.read_text(encoding="utf-8"), path.name)
    expected = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert [str(problem) for problem in refused.value.problems] == expected


def test_every_broken_template_has_its_expected_lines_and_the_other_way_round() -> None:
    assert len(BROKEN) >= 20
    assert [path.stem for path in BROKEN] == sorted(path.stem for path in (HERE / "broken").glob("*.txt"))


def test_problems_speak_no_jargon_and_say_what_would_be_right() -> None:
    for path in BROKEN:
        for line in path.with_suffix(".txt").read_text(encoding="utf-8").splitlines():
            assert not JARGON.search(line), line
            assert re.match(r"[a-z-]+\.yaml(:\d+)?( \S+( \S+)?)?: .+; .+", line), line


def test_the_small_template_that_the_broken_ones_are_made_from_is_good() -> None:
    template = read_template((HERE / "small.yaml").read_text(encoding="utf-8"), "small.yaml")
    assert [phase.key for phase in template.phases] == ["build", "run"]
