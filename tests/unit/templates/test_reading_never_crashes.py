"""Whatever text comes in, reading it ends with a template or with InvalidInput, and never with anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.problems import InvalidInput
from service.domain.template.reader import read_template
from service.domain.template.template_texts import texts
from tests.effort import examples

HERE = Path(__file__).parent
SMALL = (HERE / "small.yaml").read_text(encoding="utf-8")
LINES = SMALL.splitlines()
PIECES = st.sampled_from(
    [
        *("{", "}", "[", "]", "#", "|", ">", "?", '"', "'", ":", "-", "&a", "*a", "<<", "[]", "{}", "\n", "\t"),
        *(": ", "- ", "? ", "&a ", "*a ", "<<: ", "!!int ", "---\n", "%YAML 9.9\n", "9" * 5000, "\u2028"),
        *("~", "null", "true", "1.5", "0x1F", "1e999", ".nan", "2026-13-45", "small", "ux", "\x00", "\ud800", "\ufeff"),
        *("{{ x }}", "{% if %}", "{{ phase.title }}", "{{ iteration.number }}", "{{", "}}"),
    ]
)


def outcome(text: str) -> str:
    """Read the text: "good", or the words it was refused with."""
    try:
        read_template(text, "it.yaml")
    except InvalidInput as refused:
        problems = refused.problems
    else:
        return "good"
    assert problems
    for problem in problems:
        assert problem.message
        assert problem.line is None or 1 <= problem.line <= text.count("\n") + text.count("\u2028") + 2
        assert "another kind" not in str(problem)
        assert "another form" not in str(problem)
    return "\n".join(map(str, problems))


@settings(max_examples=examples(150), deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert outcome(text) != "good"


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_heap_of_yaml_marks_is_read_or_refused(text: str) -> None:
    assert outcome(text) != "good"


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(0, len(SMALL)), st.integers(0, 30), PIECES)
def test_a_good_template_with_a_piece_replaced_is_read_or_refused(start: int, length: int, piece: str) -> None:
    outcome(SMALL[:start] + piece + SMALL[start + length :])


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1), st.integers(-4, 4))
def test_a_good_template_with_a_line_moved_or_shifted_is_read_or_refused(origin: int, target: int, shift: int) -> None:
    lines = list(LINES)
    line = lines.pop(origin)
    line = line.removeprefix(" " * -shift) if shift < 0 else " " * shift + line
    lines.insert(target, line)
    outcome("\n".join(lines))


def _values() -> list[tuple[int, str]]:
    """Every line of the small template that gives a value to a name, with what stands before the value."""
    found = []
    for number, line in enumerate(LINES):
        name, colon, value = line.partition(": ")
        if colon and value and "{" not in name and not value.startswith(("{", "|")):
            found.append((number, name))
    return found


@settings(max_examples=examples(300), deadline=None)
@given(
    st.sampled_from(_values()),
    st.one_of(
        PIECES,
        st.integers().map(str),
        st.floats().map(str),
        st.sampled_from(["[a, b]", "{a: b}", "[[1]]", '"x y"', "pm", "train", "models", "-1", "2026-01-05", "yes"]),
        st.text(max_size=20).map(lambda text: "'" + text.replace("'", "''") + "'"),
    ),
)
def test_a_good_template_with_another_value_is_read_or_refused(place: tuple[int, str], value: str) -> None:
    number, name = place
    lines = list(LINES)
    lines[number] = f"{name}: {value}"
    outcome("\n".join(lines))


@pytest.mark.parametrize(("number", "name"), _values(), ids=lambda part: str(part).strip(" -"))
def test_no_text_can_hide_an_unknown_placeholder(number: int, name: str) -> None:
    lines = list(LINES)
    lines[number] = f'{name}: "{{{{ nonsense.here }}}}"'
    refused = outcome("\n".join(lines))
    path_ends = name.strip(" -")
    assert any(path_ends in line for line in refused.splitlines()), refused


def test_every_text_of_a_template_is_known_to_the_placeholder_check() -> None:
    """Walks the models: a text field that is added and forgotten in `texts` fails here."""
    template = read_template(SMALL, "small.yaml")
    known = {placed.text for placed in texts(template)}
    keys = {"name", "version", "format", "kind", "key", "epic", "role", "author", "sign_off", "type", "default"}
    lists_of_keys = {"roles", "reviewers", "needs", "before", "seed_ref", "choices", "origin", "when", "at", "fallback"}
    numbers = {"iteration_days", "start_date", "carry_over", "ahead"}
    words = {"gate", "sign_off_by", "checks", "escalate_to", "links"}

    def walk(value: object, field: str) -> None:
        if isinstance(value, str):
            assert field in keys | lists_of_keys | numbers | words or value in known, (field, value)
        elif isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, field if field in ("when", "checks") else str(name))
        elif isinstance(value, list | tuple):
            for inner in value:
                walk(inner, field)

    walk(template.model_dump(mode="python"), "")
