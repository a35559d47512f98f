"""Texts: placeholders are filled in, and nothing else of the template language gets through."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.template.template_texts import KEYWORDS
from service.domain.template.text import BadText, Placeholder, UnfilledText, placeholders, render
from tests.effort import examples

CONTEXT = {"project": {"name": "Churn <b>", "key": "ML"}, "days": 14, "ux": True, "start": date(2026, 5, 4)}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("No placeholder } here {", "No placeholder } here {"),
        ("{{ project.name }} in {{days}} days", "Churn <b> in 14 days"),
        ("{{ project.key | lower }} {{ project.name|upper }}", "ml CHURN <B>"),
        ("Designer: {{ ux }}, from {{ start }}\n", "Designer: yes, from 2026-05-04\n"),
    ],
)
def test_placeholders_are_filled_in_and_the_rest_is_kept(text: str, filled: str) -> None:
    assert render(text, CONTEXT) == filled


def test_a_name_the_context_lacks_is_never_filled_with_nothing() -> None:
    with pytest.raises(UnfilledText, match="nobody"):
        render("For {{ nobody }}", CONTEXT)


def test_placeholders_are_listed_with_their_lines() -> None:
    assert placeholders("a {{ days }}\n\n{{ project.name | upper }}") == [
        Placeholder("days", 0),
        Placeholder("project.name", 2),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{% if ux %}x{% endif %}",
        "{% raw %}{{ days }}{% endraw %}",
        "{# a comment #}",
        "{{ project.name() }}",
        "{{ project['name'] }}",
        "{{ 'x' }}",
        "{{ 1 }}",
        "{{ days + 1 }}",
        "{{ days | round }}",
        "{{ days | upper(1) }}",
        "{{ }}",
        "{{ . }}",
        "{{ project. }}",
        "{{ open",
        "{{ " + "(" * 5000 + " }}",
        "{{ a b }}",
        "{{ not ux }}",
        "{{ loop.index if ux }}",
    ],
)
def test_anything_but_names_and_two_filters_is_refused(text: str) -> None:
    assert any(isinstance(found, BadText) for found in placeholders(text)), placeholders(text)


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(st.sampled_from(["{{", "}}", "{%", "{#", " ", "a", "b.c", ".", "|", "upper", "'", "(", "\n", "{", "é"]))
)
def test_a_text_that_is_let_through_can_be_filled_in(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = placeholders(text)
    if {one.name for one in found if isinstance(one, Placeholder)} <= {"a", "b.c"} and not any(
        isinstance(one, BadText) for one in found
    ):
        assert "{{" not in render(text, {"a": "x", "b": {"c": "y"}})


@pytest.mark.parametrize("word", sorted(KEYWORDS))
def test_a_word_of_the_template_language_cannot_be_filled_in(word: str) -> None:
    try:
        filled = render(f"{{{{ {word} }}}}", {word: "filled"})
    except UnfilledText:
        return
    assert filled != "filled"


@pytest.mark.parametrize("word", ["and", "or", "if", "else", "in", "is", "for", "loop", "range", "with", "super", "x1"])
def test_other_words_can(word: str) -> None:
    assert word not in KEYWORDS
    assert render(f"{{{{ {word} }}}}", {word: "filled"}) == "filled"
