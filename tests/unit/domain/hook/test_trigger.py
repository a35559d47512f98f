"""A trigger is read whole, or refused with everything that is wrong with it and where."""

from __future__ import annotations

import pytest

from service.domain.hook.trigger import fill, read_trigger, shown, trigger_from_json
from service.domain.problems import InvalidInput

WHOLE = """\
format: phaseloop/v1
kind: trigger
name: drift
description: Drift of the model tells the team.
source: alertmanager
when: event == "alert.firing" && payload.alert.labels.severity == "critical"
key: ${payload.alert.fingerprint}
project: ML
action: notify
with:
  text: "Drift: ${payload.alert.labels['alertname']} on ${payload.alert.labels.model}"
  to: pm-1@example.com
limits: {once_per_key: true, per_hour: 10, phases: [monitoring], park_after: 3}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        read_trigger(text, "drift.yaml")
    return [str(problem) for problem in refused.value.problems]


def test_a_whole_trigger_is_read_and_comes_back_from_json() -> None:
    trigger = read_trigger(WHOLE, "drift.yaml")

    assert trigger.limits.per_hour == 10
    assert trigger_from_json(trigger.to_json()) == trigger


def test_every_expression_has_its_place() -> None:
    found = list(read_trigger(WHOLE, "drift.yaml").expressions())

    assert [(path, condition) for path, _text, condition in found] == [
        (("when",), True),
        (("key",), False),
        (("with", "text"), False),
        (("with", "text"), False),
    ]
    assert found[2][1] == "payload.alert.labels['alertname']"


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("name: drift", "name: Drift!", "name"),
        ("project: ML\n", "project:\n", "is empty"),
        ("action: notify", "when:\naction: notify", "when"),
        ("source: alertmanager", "source: pagerduty", "source"),
        ("action: notify", "action: destroy", "action"),
        ("project: ML\n", "", "needs a project"),
        ("  to: pm-1@example.com", "  too: pm-1@example.com", "takes no such argument"),
        ("with:\n", "with:\n  parameters: {a: 1}\n", "takes no such argument"),
        ("key: ${payload.alert.fingerprint}\n", "", "no key to act once for"),
        ("${payload.alert.labels.model}", "${payload.alert", "has no `}`"),
        ("per_hour: 10", "per_hour: 0", "per_hour"),
        ("source: alertmanager", "source: jira", "add `connection: NAME`"),
        ("project: ML", "project: ML\nconnection: jira", "does not send to a connection"),
        ("project: ML", "project: ML\nsettings: {signature_header: X-Own}", "signs in one way only"),
        ("kind: trigger", "kind: team", "a trigger is wanted"),
        ("action: notify", "action: notify\nsecret: abc", "secret"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(was: str, now: str, says: str) -> None:
    assert was in WHOLE
    found = problems(WHOLE.replace(was, now, 1))

    assert any(says in one for one in found), found
    assert all(one.startswith("drift.yaml:") for one in found)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = WHOLE.replace("project: ML\n", "").replace("  to:", "  too:")
    text = text.replace("source: alertmanager", "source: trello")

    assert len(problems(text)) == 3


def test_texts_are_filled_in() -> None:
    assert fill("${a} of ${ b.c } is ${a}", {"a": 3.0, "b.c": ["x", None, True]}) == "3 of x, , true is 3"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "true"), (1.5, "1.5"), (2.0, "2"), ({"a": 1}, "{'a': 1}")]
)
def test_values_are_shown_as_people_write_them(value: object, text: str) -> None:
    assert shown(value) == text
