"""The built-in template covers its source: every clause, in words of its own."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from service.domain.template.references import seed_coverage

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ARTICLE = ROOT.parent / "shared" / "seed-article.txt"


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("seed_coverage_page", HERE / "seed_coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


page = _generator()


@pytest.fixture(scope="module")
def article() -> str:
    if not ARTICLE.exists():
        pytest.skip("the source article is not here")
    return re.sub(r"\s+", " ", ARTICLE.read_text(encoding="utf-8").replace("\u2019", "'"))


def test_every_clause_of_the_source_is_covered_by_a_ticket_of_its_phase() -> None:
    template = page.builtin()
    covered = seed_coverage(template)
    for bullet in page.bullets():
        in_phase = {ticket.key for ticket in template.phases[bullet.phase].tickets}
        assert set(covered.get(bullet.id, ())) & in_phase, bullet.id


def test_no_ticket_refers_to_a_clause_that_is_not_there() -> None:
    assert set(seed_coverage(page.builtin())) == {bullet.id for bullet in page.bullets()}


def test_clauses_of_a_role_are_covered_by_a_ticket_of_that_role_or_its_specialist() -> None:
    template = page.builtin()
    holders = {"feature-eng": "ml", "deploy": "devops", "interpret": "ml", "data-platform": "data"}
    tickets = {ticket.key: ticket for phase in template.phases for ticket in phase.tickets}
    for reference, keys in seed_coverage(template).items():
        part = reference.split(".")[1]
        owner = reference.rsplit(".", 1)[-1] if part == "all" else part
        if owner in template.roles:
            assert owner in {holders.get(tickets[key].role, tickets[key].role) for key in keys}, reference


def test_no_ticket_of_the_source_is_switched_off_by_default() -> None:
    for phase in page.builtin().phases:
        for ticket in phase.tickets:
            assert (ticket.seed_ref is not None) == (not ticket.when), ticket.key


def test_every_phase_has_clauses_for_focus_output_and_each_of_its_roles() -> None:
    parts: dict[int, set[str]] = {}
    for bullet in page.bullets():
        parts.setdefault(bullet.phase, set()).add(bullet.part)
    assert parts[0] == {"focus", "output", "ml", "data", "pm", "devops"}
    assert parts[1] == {"focus", "output", "ml", "data", "qa", "pm"}
    assert parts[2] == {"focus", "output", "devops", "ml", "qa", "pm"}
    assert parts[3] == {"focus", "output", "all"}


def test_the_words_of_every_clause_stand_in_its_phase_of_the_article(article: str) -> None:
    chapters = re.split(r"[a-d]\. Phase [1-4]:|3\. Collaboration", article)[1:5]
    for bullet in page.bullets():
        for words in bullet.words:
            assert words.lower() in chapters[bullet.phase].lower(), (bullet.id, words)


def test_every_word_of_the_roles_clauses_in_the_article_belongs_to_a_listed_clause(article: str) -> None:
    """What a role does in a phase, split at commas and "and": no piece may be without a listed clause."""
    chapters = re.split(r"[a-d]\. Phase [1-4]:|3\. Collaboration", article)[1:4]
    for number, chapter in enumerate(chapters):
        said = [words.lower() for bullet in page.bullets() if bullet.phase == number for words in bullet.words]
        roles = chapter.split("Team Roles:")[1].split("Output:")[0]
        for sentence in re.findall(r"•[^:•]+:([^•]+)", roles):
            for piece in re.split(r"[,;.]| and (?=provide|define|optimize|select|ensure|addresses|fairness)", sentence):
                clause = piece.strip().lower()
                assert not clause or any(words in clause or clause in words for words in said), clause


def test_the_template_copies_no_sentence_of_the_article(article: str) -> None:
    def words(text: str) -> list[str]:
        return re.findall(r"[a-z]+", text.lower())

    run = 8
    source = words(article)
    runs = {tuple(source[i : i + run]) for i in range(len(source) - run + 1)}
    lines = (ROOT / "templates" / "iterative-ml.yaml").read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if not line.startswith("source:")]  # the title is quoted on purpose
    written = words("\n".join(named))
    copied = {" ".join(written[i : i + run]) for i in range(len(written)) if tuple(written[i : i + run]) in runs}
    assert copied == set()


def test_the_coverage_page_is_in_step() -> None:
    kept = (ROOT / "docs" / "reference" / "seed-coverage.md").read_text(encoding="utf-8")
    assert kept == page.page()
