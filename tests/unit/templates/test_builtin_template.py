"""The built-in template holds what it promises: phases, roles, tickets, points, and the settings that change them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import product

import pytest

from service import templates
from service.domain.template.parameters import effective_role, is_on, needs, settle, tickets_on
from service.domain.template.reader import read_marked_template
from service.domain.template.references import lint
from service.domain.template.template import ParameterValue, Template

TODAY = date(2026, 3, 4)
SPECIALISTS = {"feature-eng": "ml", "deploy": "devops", "interpret": "ml", "data-platform": "data"}


@pytest.fixture(scope="module")
def template() -> Template:
    return templates.read_template_file(templates.BUILTIN / "iterative-ml.yaml")


def settled(template: Template, **given: object) -> Mapping[str, ParameterValue]:
    return settle(template, given, TODAY)


def _added(template: Template, **given: object) -> set[str]:
    """Tickets that these parameters add to those of the defaults."""
    usual = {ticket.key for ticket in tickets_on(template, settled(template))}
    return {ticket.key for ticket in tickets_on(template, settled(template, **given))} - usual


@pytest.mark.parametrize("name", templates.builtin_names())
def test_every_builtin_template_is_good_and_named_after_its_file(name: str) -> None:
    text = templates.load_builtin(name)
    marked = read_marked_template(text.text, text.source)
    assert marked.template.name == name
    assert lint(marked.template, marked.marks) == []


def test_with_defaults_there_are_37_tickets_16_epics_and_7_iterations(template: Template) -> None:
    parameters = settled(template)
    assert len(tickets_on(template, parameters)) == 37
    assert [len(phase.epics) for phase in template.phases] == [4, 4, 4, 4]
    assert sum(int(parameters[f"iterations_{phase.key}"]) for phase in template.phases) == 7  # type: ignore[arg-type]


def test_the_points_of_the_phases_are_those_of_the_plan(template: Template) -> None:
    parameters = settled(template)
    points = {
        phase.key: sum(ticket.points for ticket in phase.tickets if is_on(ticket.when, parameters))
        + phase.record.points
        for phase in template.phases
    }
    assert points == {"ideation": 44, "development": 54, "deployment": 38, "feedback": 41}


def test_the_core_roles_of_each_phase_are_those_of_the_source(template: Template) -> None:
    core = {
        phase.key: {role for role in phase.roles if template.roles[role].core and not template.roles[role].when}
        for phase in template.phases
    }
    assert core == {
        "ideation": {"ml", "data", "pm", "devops"},
        "development": {"ml", "data", "qa", "pm"},
        "deployment": {"devops", "ml", "qa", "pm"},
        "feedback": {"ml", "data", "devops", "qa", "pm"},
    }


def test_in_a_small_team_every_ticket_falls_to_a_core_role_of_its_phase(template: Template) -> None:
    parameters = settled(template)
    for phase in template.phases:
        for ticket in phase.tickets:
            if is_on(ticket.when, parameters):
                role = effective_role(template, ticket.role, parameters)
                assert template.roles[role].core
                assert role in phase.roles


def test_a_growing_team_has_specialists_and_an_interpretation_ticket(template: Template) -> None:
    parameters = settled(template, scale="growing")
    for specialist in SPECIALISTS:
        assert effective_role(template, specialist, parameters) == specialist
    assert _added(template, scale="growing") == {"explain-model"}


def test_specialists_fall_back_to_the_core_role_they_took_over_from(template: Template) -> None:
    parameters = settled(template)
    assert {role: effective_role(template, role, parameters) for role in SPECIALISTS} == SPECIALISTS


def test_a_governed_project_cannot_deploy_before_an_approval_that_rests_on_a_risk_assessment(
    template: Template,
) -> None:
    waits = needs(template, settled(template, scale="governed"))
    assert "approve-deployment" in waits["deploy-model"]
    assert {"assess-risks", "enter-inventory", "select-best-model"} <= set(waits["approve-deployment"])
    tickets = {ticket.key: ticket for ticket in tickets_on(template, settled(template, scale="governed"))}
    assert tickets["approve-deployment"].role == "gov-lead"
    assert tickets["assess-risks"].role == "compliance"
    assert "review-governance" in tickets
    assert template.roles["gov-lead"].fallback is None


def test_without_governance_deployment_waits_for_the_selected_model_only(template: Template) -> None:
    assert needs(template, settled(template))["deploy-model"] == ("select-best-model",)


def test_a_designer_brings_three_tickets(template: Template) -> None:
    added = _added(template, ux=True)
    assert added == {"sketch-user-views", "build-user-dashboards", "improve-user-views"}
    assert {ticket.role for ticket in tickets_on(template, settled(template, ux=True)) if ticket.key in added} == {"ux"}


@pytest.mark.parametrize(
    ("scale", "ux", "method"), list(product(("small", "growing", "governed"), (False, True), ("scrum", "kanban")))
)
def test_in_every_setting_needs_and_roles_exist(template: Template, scale: str, ux: bool, method: str) -> None:
    parameters = settled(template, scale=scale, ux=ux, method=method)
    waits = needs(template, parameters)
    for ticket in tickets_on(template, parameters):
        assert is_on(template.roles[effective_role(template, ticket.role, parameters)].when, parameters)
        assert set(waits[ticket.key]) <= set(waits)
    for phase in template.phases:
        assert set(phase.exit.needs) <= set(waits)


def test_the_record_has_the_nine_sections(template: Template) -> None:
    assert [section.title for section in template.record.sections] == [
        "Goal and hypothesis",
        "Data used",
        "Experiments and results",
        "Decisions and why",
        "Model performance in production",
        "Risks and limits",
        "Next steps",
        "Links",
        "Sign-off",
    ]
    assert template.record.grace_working_days == 2


def test_scrum_has_planning_stand_up_review_and_retrospective(template: Template) -> None:
    assert [event.key for event in template.ceremonies.events] == ["planning", "stand-up", "review", "retrospective"]
    assert is_on(template.ceremonies.when, settled(template))
    assert not is_on(template.ceremonies.when, settled(template, method="kanban"))


def test_texts_are_long_enough_to_tell_somebody_what_to_do(template: Template) -> None:
    for phase in template.phases:
        for ticket in phase.tickets:
            assert 2 <= ticket.description.count(". ") + 1 <= 5, ticket.key
            assert 2 <= len(ticket.done) <= 5, ticket.key


def test_only_the_last_phase_recurs(template: Template) -> None:
    assert [phase.recurring for phase in template.phases] == [False, False, False, True]
