"""The rules come from the template; a project makes them tighter and never looser."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.audit.outcome import Check, Gate, Weight
from service.domain.audit.rules import WEIGHTS, ProjectAudit, Tracking, problems, settle, weights_of
from service.domain.problems import InvalidInput
from service.domain.template import shape
from service.domain.template.template import Record, Template
from service.domain.template.yaml_marks import Marks
from tests.effort import examples
from tests.unit.domain.audit.subjects import rules, template

IDEATION, DEVELOPMENT, DEPLOYMENT, FEEDBACK = range(4)


def changed(**record: Any) -> Template:
    """The built-in template with another record."""
    whole = template()
    return whole.model_copy(update={"record": Record(**{**whole.record.model_dump(), **record})})


def said(**what: Any) -> ProjectAudit:
    return ProjectAudit(**what)


def places(of: Template, what: ProjectAudit) -> list[str]:
    return [one.path for one in problems(of, what)]


def test_every_check_has_a_weight_and_the_built_in_ones_are_those_of_the_specification() -> None:
    assert set(WEIGHTS) == set(Check)
    critical = [
        {check.value for check, weight in rules(phase).weights.items() if weight is Weight.CRITICAL}
        for phase in range(4)
    ]
    always = {"D01", "D05", "D10", "D13"}
    assert critical == [always | {"D04"}, always | {"D04"}, always | {"D06"}, always | {"D06"}]
    off = [
        {check.value for check, weight in rules(phase).weights.items() if weight is Weight.OFF} for phase in range(4)
    ]
    assert off == [{"D06", "D14"}, {"D06", "D14"}, {"D14"}, set()]
    minor = [
        {check.value for check, weight in rules(phase).weights.items() if weight is Weight.MINOR} for phase in range(4)
    ]
    assert minor == [{"D15"}, {"D15"}, {"D15"}, {"D14", "D15"}]


def test_the_links_that_a_phase_asks_for_are_those_of_the_specification() -> None:
    assert [rules(phase).required for phase in range(4)] == [
        ("run", "repo"),
        ("run", "model-card"),
        ("model-card", "dashboard"),
        ("model-card", "dashboard"),
    ]


def test_sections_come_with_their_aliases_and_prompts_as_they_were_seeded() -> None:
    found = settle(template(), template().phases[0], words=str.upper).sections[1]
    assert found.key == "data"
    assert found.titles[:2] == ("DATA USED", "Data")
    assert "Verwendete Daten" in found.titles
    assert found.prompt.startswith("WHICH DATASETS")


def test_a_phase_s_weight_goes_before_the_record_s_and_the_project_s_counts_where_it_is_heavier() -> None:
    of = changed(checks={"D02": "minor", "D04": "minor"})
    ideation, feedback = of.phases[IDEATION], of.phases[FEEDBACK]
    assert weights_of(of, ideation)[Check.GOAL] is Weight.MINOR
    assert weights_of(of, ideation)[Check.EXPERIMENTS] is Weight.CRITICAL
    project = said(checks={"D02": "critical", "D04": "major", "D05": "off"})
    assert weights_of(of, ideation, project)[Check.GOAL] is Weight.CRITICAL
    assert weights_of(of, ideation, project)[Check.EXPERIMENTS] is Weight.CRITICAL
    assert weights_of(of, feedback, project)[Check.EXPERIMENTS] is Weight.MAJOR
    assert weights_of(of, feedback, project)[Check.DECISIONS] is Weight.CRITICAL


def test_nobody_is_asked_for_what_no_heading_asks_for_unless_it_is_weighed_expressly() -> None:
    few = changed(sections=[one.model_dump() for one in template().record.sections[:1]])
    assert weights_of(few, few.phases[FEEDBACK])[Check.DATA] is Weight.OFF
    assert weights_of(few, few.phases[FEEDBACK])[Check.GOAL] is Weight.MAJOR
    assert weights_of(few, few.phases[FEEDBACK])[Check.PERFORMANCE] is Weight.CRITICAL


def test_a_project_may_be_stricter_in_everything() -> None:
    project = said(
        gate="block",
        grace_working_days=0,
        escalate_working_days=1,
        due_soon_working_days=5,
        checks={"D14": "minor", "D02": "critical"},
        hosts=["*.example.com"],
        tracking={"url": "http://mlflow.internal:5000/", "experiments": ["churn"], "models": ["churn"]},
    )
    assert problems(template(), project) == []
    found = rules(FEEDBACK, project)
    assert (found.gate, found.grace_days, found.soon_days, found.escalate_days) == (Gate.BLOCK, 0, 5, 1)
    assert found.hosts == ("*.example.com", "mlflow.internal")


def test_what_is_looser_is_refused_all_at_once_with_the_waiver_as_the_fix() -> None:
    of = changed(gate="block", hosts=["*.example.com", "github.com"])
    project = said(
        gate="warn",
        grace_working_days=3,
        escalate_working_days=4,
        checks={"D05": "major", "D04": "major", "D06": "major", "D15": "off"},
        hosts=["wiki.example.com", "gitlab.com", "not a host"],
        tracking=Tracking(url="http://mlflow.internal:5000/"),
    )
    found = problems(of, project)
    assert [one.path for one in found] == [
        "checks.D05",
        "checks.D04",
        "checks.D15",
        "gate",
        "grace_working_days",
        "escalate_working_days",
        "hosts[1]",
        "hosts[2]",
        "tracking.url",
    ]
    assert all("phaseloop audit waive" in one.fix for one in found[:7])
    assert "for phase ideation, development" in found[1].message


def test_whatever_slips_in_loosens_nothing() -> None:
    of = changed(gate="block", hosts=["*.example.com"])
    loose = said(gate="off", grace_working_days=9, checks={"D05": "off"}, hosts=["evil.example.org"])
    found, plain = settle(of, of.phases[0], loose), settle(of, of.phases[0])
    assert found == plain


def test_a_tracking_server_is_allowed_beside_public_hosts_without_narrowing_them() -> None:
    assert settle(template(), template().phases[0]).hosts == ()
    assert settle(template(), template().phases[0], trusted=["mlflow.corp"]).hosts == ("*", "mlflow.corp")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"checks": {"D16": "major"}}, "D01 to D15"),
        ({"grace_working_days": 40}, "at most 30"),
        ({"gates": "warn"}, 'did you mean "gate"?'),
        ({"tracking": {"url": "file:///etc/passwd"}}, "https://mlflow.example.com"),
    ],
)
def test_what_a_project_says_is_read_strictly_in_plain_words(value: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        shape.validate(ProjectAudit, Marks.of(value, "audit"))


WEIGHT = st.sampled_from(["critical", "major", "minor", "off"])


@settings(max_examples=examples(100), deadline=None)
@given(
    st.builds(
        ProjectAudit,
        gate=st.none() | st.sampled_from(["block", "warn", "off"]),
        grace_working_days=st.none() | st.integers(0, 30),
        escalate_working_days=st.none() | st.integers(0, 30),
        checks=st.dictionaries(st.sampled_from([one.value for one in Check]), WEIGHT, max_size=5),
    ),
    st.integers(0, 3),
)
def test_no_project_ever_gets_looser_rules_than_its_template(project: ProjectAudit, phase: int) -> None:
    rank = ["off", "minor", "major", "critical"]
    gates = ["off", "warn", "block"]
    tight, plain = rules(phase, project), rules(phase)
    assert all(rank.index(tight.weights[check]) >= rank.index(plain.weights[check]) for check in Check)
    assert tight.grace_days <= plain.grace_days
    assert tight.escalate_days <= plain.escalate_days
    assert gates.index(tight.gate) >= gates.index(plain.gate)
