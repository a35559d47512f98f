"""Warnings: a template with them works, but its author will want to know."""

from __future__ import annotations

from pathlib import Path

from service.domain.template.reader import read_marked_template
from service.domain.template.references import lint

SMALL = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")


def warnings(text: str) -> list[str]:
    marked = read_marked_template(text, "it.yaml")
    return [str(warning) for warning in lint(marked.template, marked.marks)]


def test_a_phase_of_fewer_than_three_roles_is_warned_about() -> None:
    text = SMALL.replace("roles: [pm, ml, qa]\n    iterations: 2", "roles: [ml, qa, designer, ml]\n    iterations: 2")
    assert warnings(text) == []
    text = SMALL.replace("roles: [pm, ml, qa]\n    iterations: 1", "roles: [pm, ml, ml]\n    iterations: 1")
    assert 'it.yaml:90 phases[1].roles: phase "run" has fewer than 3 roles' in warnings(text)[-1]


def test_a_role_at_work_in_a_phase_that_does_not_list_it_is_warned_about() -> None:
    assert warnings(SMALL) == [
        'it.yaml:77 phases[0].tickets[2].role: "designer" is not among the roles of the phase; add it there'
    ]


def test_roles_and_parameters_that_nothing_uses_are_warned_about() -> None:
    text = SMALL.replace("roles:\n", "  spare: {type: switch, description: X, default: false}\nroles:\n", 1).replace(
        "  qa: {title", "  idle: {title: Idle, core: true, responsibility: Rests., skills: [Rest]}\n  qa: {title", 1
    )
    said = warnings(text)
    assert 'it.yaml:13 parameters.spare: parameter "spare" changes nothing; use it, or remove it' in said
    assert 'it.yaml:17 roles.idle: nothing is asked of role "idle"; give it a ticket, or remove it' in said


def test_warnings_can_be_had_without_the_lines() -> None:
    template = read_marked_template(SMALL, "it.yaml").template
    (warning,) = lint(template)
    assert (warning.source, warning.line, warning.pointer) == ("small", None, "/phases/0/tickets/2/role")
