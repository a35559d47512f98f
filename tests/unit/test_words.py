"""What people read says one thing by one word: the words that CONTRIBUTING retires are in no text of the product."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RETIRED = {
    "fix": r"\bmend(s|ed|ing|able)?\b",
    "current iteration": r"\biterations? that go(es)? on\b",
    "resumes automatically": r"\bgo(es)? on by (itself|themselves)\b",
    "release, stop managing": r"\blet(s|ting)? go of\b",
    "block": r"\bst(an|oo)ds? in (the|its|their) way\b",
    "running, in progress": r"\b(run|advance|service|request)( is| that is| still| is still)? at work\b",
    "resume, continue": r"\btaken up again\b",
    "a bug in phaseloop": r"\b(a|our) defect( of ours)?\b",
    "last checked": r"\blooked at last\b",
    "unique prefix": r"\bas no other begins with\b",
    "manual overrides": r"\bpeople's word in it\b",
    "Not found": r"\bThere is no such thing\b",
    "Ambiguous name": r"\bgo by that name\b",
}
"""What is written today, and the words that it took the place of."""

PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md"))]
)
TEMPLATES = sorted((ROOT / "service/pages/templates").glob("*.html"))
MODULES = sorted(path for package in ("service", "connectors", "simulation") for path in (ROOT / package).rglob("*.py"))


def texts(path: Path) -> str:
    """What a page or a template says, or all literal texts of a module."""
    source = path.read_text(encoding="utf-8")
    if path.suffix in (".md", ".html"):
        return source
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return "\n".join(node.value for node in found if isinstance(node.value, str))


@pytest.mark.parametrize("path", [*PAGES, *TEMPLATES, *MODULES], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_says_a_retired_word(path: Path) -> None:
    said = " ".join(texts(path).split())
    found = [(new, hit.group(0)) for new, old in RETIRED.items() if (hit := re.search(old, said)) is not None]

    assert found == [], "each with what is written instead"


def test_the_glossary_lists_every_retired_word() -> None:
    glossary = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Words")[2]

    assert [new for new in RETIRED if new not in glossary] == []
