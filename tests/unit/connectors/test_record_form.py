"""The form of a record is a real table in Jira and Markdown in Trello, and a filled row is read in either."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.jira.adf_writing import to_adf
from connectors.jira.markup import to_wiki
from connectors.markups import Markup, to_markdown
from service import templates
from service.domain.audit.outcome import Check, Result
from service.usecases.audit.audit_trial import judge, rules_of

TEMPLATE = templates.read_template_file(templates.BUILTIN / "iterative-ml.yaml")
ROWS = {
    "Data used": (Check.DATA, "orders | 2026-03-12"),
    "Experiments and results": (Check.EXPERIMENTS, "recall | 0.83 | 0.74 | 0.80"),
    "Decisions and why": (Check.DECISIONS, "Keep the forest | recall is 0.09 higher | the linear model"),
    "Model performance in production": (Check.PERFORMANCE, "recall | 0.81 | 2 to 8 March 2026 | 0.80"),
    "Next steps": (Check.NEXT_STEPS, "Train on April | ML-12"),
}
FORMS = {section.title: section.form for section in TEMPLATE.record.sections if section.form}


def table(title: str) -> str:
    head = " | ".join(FORMS[title])
    return f"## {title}\n\n| {head} |\n|{' --- |' * len(FORMS[title])}\n| {ROWS[title][1]} |"


@pytest.mark.parametrize("title", ROWS)
def test_a_row_of_the_form_is_a_table_in_jira_and_answers_in_every_markup(title: str) -> None:
    markdown = table(title)
    document: dict[str, Any] = {"type": "doc", "version": 1, "content": to_adf(markdown)}
    rules = rules_of(TEMPLATE, "deployment")

    assert "table" in {node["type"] for node in document["content"]}
    assert f"||{FORMS[title][0]}||" in to_wiki(markdown).replace(" ", "")
    for text, markup in ((markdown, Markup.MARKDOWN), (to_wiki(markdown), Markup.WIKI)):
        assert _result(to_markdown(text, markup), ROWS[title][0], rules) is Result.PASS
    assert _result(to_markdown(json.dumps(document), Markup.ADF), ROWS[title][0], rules) is Result.PASS


def _result(text: str, check: Check, rules: Any) -> Result:
    return next(one.result for one in judge(text, rules).findings if one.check is check)


def test_every_section_that_asks_for_facts_has_a_form() -> None:
    assert set(FORMS) == set(ROWS)
