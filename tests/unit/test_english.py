"""One of a thing is in the singular, wherever a message counts: `counted` says so, and nobody else counts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.english import counted

ROOT = Path(__file__).parents[2]
NOUNS = (
    "audits|calls|cards|changes|characters|checks|columns|comments|days|entries|epics|events|files|findings|hours|items|"
    "iterations|labels|lines|members|minutes|months|parts|people|points|problems|projects|pts|records|requests|rows|runs|"
    "seconds|sections|sprints|teams|tickets|times|tokens|weeks|words"
)
_COUNTED = re.compile(rf"^ ({NOUNS})\b")
MANY = {
    ("binder_check.py", "times"),
    ("facts.py", "one.times"),
    ("written_checks.py", "length"),
    ("desired.py", "len(text)"),
    ("marked_yaml.py", "len(text)"),
    ("parameters.py", "most"),
    ("team.py", "len(team.members)"),
    ("team_csv.py", "len(text)"),
    ("template_texts.py", "len(longest)"),
    ("record_audit.py", "len(self.asked)"),
    ("scheduling.py", "len(why)"),
    ("checks.py", "length"),
    ("writes.py", "length"),
}
"""What is counted is more than one by what was asked before; so is every limit that has a name."""


def plurals() -> Iterator[tuple[str, str, str]]:
    """File, what is counted, and the noun, of each formatted number that is followed by a noun in the plural."""
    for room in ("service", "connectors", "simulation"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.JoinedStr):
                    continue
                for value, after in zip(node.values, node.values[1:], strict=False):
                    if not (isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant)):
                        continue
                    noun = _COUNTED.match(str(after.value))
                    if noun:
                        yield file.name, ast.unparse(value.value), noun[1]


def test_no_message_counts_without_the_one_function_that_knows_the_singular() -> None:
    found = [one for one in plurals() if not one[1].isupper() and (one[0], one[1]) not in MANY]

    assert found == []


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 points"),
        (1, "1 point"),
        (1.0, "1 point"),
        (0.5, "0.5 points"),
        (2, "2 points"),
        (1200000, "1200000 points"),
    ],
)
def test_a_number_goes_with_its_noun(count: float, said: str) -> None:
    assert counted(count, "point") == said


def test_a_noun_of_its_own_plural_is_said_right() -> None:
    assert (counted(1, "entry", "entries"), counted(2, "entry", "entries")) == ("1 entry", "2 entries")
