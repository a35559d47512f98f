"""Plans as JSON: what a run reads back is what was planned, and what people read is what was promised."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import Content, ItemKey, ItemKind, ProjectSpec, RemoteRef
from service.domain.loop.course import Stage
from service.domain.loop.turnover import Carried, Decision, Move, Policy, Turnover
from service.domain.plan.batches import Batch, Op
from service.domain.plan.plan import PLAN_FORMAT, Action, Change, Plan, Purpose, Reason
from service.domain.plan.plan_json import (
    batches_from_json,
    batches_to_json,
    plan_from_json,
    plan_to_json,
    published,
)
from service.domain.team.calendar import DateRange

relaxed = settings(deadline=None)
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
EAST = timezone(timedelta(hours=5, minutes=30))
FULL = Turnover(
    closes=4,
    begins=5,
    move=Move.BACK,
    stage=Stage("plan", 2, 1),
    dates=DateRange(date(2026, 3, 16), date(2026, 3, 29)),
    starts=datetime(2026, 3, 16, 9, tzinfo=EAST),
    ends=datetime(2026, 3, 27, 17, tzinfo=EAST),
    title="ML Plan 5",
    carried=(Carried(ItemKey("ticket:a"), "Train", Policy.NEXT, 5, 2, "lead@example.com", "Ada", 3.0),),
    lacking=('"Train" is not begun',),
    decision=Decision(Move.BACK, "lead@example.com", "The data changed.", NOON, "plan"),
    contents=(Content(RemoteRef("1", "ML-1", "u"), "Train", "todo", ItemKey("ticket:a"), 3.0, created_at=NOON),),
)
PLAN = Plan(
    project="prj_1",
    serial=3,
    spec=ProjectSpec("prj_1", "ML", "Churn"),
    place=None,
    template="sample 1.0.0",
    changes=(Change(ItemKey("guest:1"), ItemKind.GUEST, Action.ADOPT, Reason.CARRIED, "T", {}, {}, ("iteration",)),),
    items=(),
    known={},
    observed={},
    purpose=Purpose.ADVANCE,
    turnover=FULL,
)


def reread(plan: Plan) -> Plan:
    return plan_from_json(json.loads(json.dumps(plan_to_json(plan))))


def test_a_turnover_is_read_back_as_it_was_planned() -> None:
    assert reread(PLAN) == PLAN
    assert reread(replace(PLAN, turnover=None, purpose=Purpose.APPLY)).turnover is None


def test_a_plan_kept_before_there_were_turnovers_can_still_be_read() -> None:
    body = plan_to_json(replace(PLAN, turnover=None, purpose=Purpose.APPLY))
    del body["turnover"]

    assert plan_from_json(body).turnover is None


@relaxed
@given(st.builds(Turnover, st.integers(0, 9), st.integers(0, 9), st.sampled_from(Move), lacking=st.tuples(st.text())))
def test_whatever_a_turnover_says_it_says_when_read_back(turnover: Turnover) -> None:
    assert reread(replace(PLAN, turnover=turnover)).turnover == turnover


def test_a_plan_to_document_is_read_back_and_published_with_what_it_writes() -> None:
    before = {"sections": {"Goal": ["> What was it?"]}}
    after = {"sections": {"Goal": "To know."}, "comment": "It is due.", "mentions": ["a1"], "clock": "due"}
    changed = ("sections", "comment")
    key = ItemKey("record:4")
    change = Change(key, ItemKind.TICKET, Action.UPDATE, Reason.REMINDER, "Document 4", before, after, changed)
    plan = replace(PLAN, turnover=None, purpose=Purpose.DOCUMENT, changes=(change,))

    assert reread(plan) == plan
    shown = published(plan)
    assert (shown["purpose"], shown["changes"][0]["reason"], shown["creates_project"]) == (
        "document",
        "reminder",
        False,
    )
    assert shown["changes"][0]["change"] == {
        "action": "update",
        "changed": ["sections", "comment"],
        "before": before,
        "after": after,
    }


def test_the_batches_of_an_advance_are_read_back() -> None:
    plan = [Batch(op, ItemKind.ITERATION, (ItemKey("iteration:1"),)) for op in (Op.CLOSE, Op.START)]

    assert batches_from_json(json.loads(json.dumps(batches_to_json(plan)))) == plan


def test_what_is_published_of_an_advance_is_plain_and_whole() -> None:
    shown = json.loads(json.dumps(published(PLAN)))

    assert (shown["format_version"], shown["purpose"], shown["creates_project"]) == (PLAN_FORMAT, "advance", False)
    assert shown["turnover"] == {
        "closes": 4,
        "begins": 5,
        "move": "back",
        "title": "ML Plan 5",
        "phase": "plan",
        "loop": 2,
        "of_phase": 1,
        "first": "2026-03-16",
        "last": "2026-03-29",
        "starts": "2026-03-16T09:00:00+05:30",
        "ends": "2026-03-27T17:00:00+05:30",
        "carried": [
            {
                "key": "ticket:a",
                "title": "Train",
                "policy": "next",
                "to": 5,
                "times": 2,
                "decided_by": "lead@example.com",
                "person": "Ada",
                "points": 3.0,
            }
        ],
        "continued": {},
        "lacking": ['"Train" is not begun'],
        "decision": {
            "move": "back",
            "phase": "plan",
            "by": "lead@example.com",
            "reason": "The data changed.",
            "at": "2026-03-16T12:00:00+00:00",
        },
    }
    assert published(replace(PLAN, turnover=None))["turnover"] is None


def test_where_nothing_ends_or_begins_it_says_null() -> None:
    first = published(replace(PLAN, turnover=Turnover(0, 1, Move.BEGIN, Stage("plan"))))["turnover"]
    last = published(replace(PLAN, turnover=Turnover(4, 0, Move.END)))["turnover"]

    assert (first["closes"], first["begins"], first["phase"]) == (None, 1, "plan")
    assert (last["closes"], last["begins"], last["phase"], last["first"], last["starts"]) == (4, None, None, None, None)


def test_every_published_field_and_every_reason_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/plan-format.md").read_text()
    fields = {name for name in published(PLAN) if name != "format_version"}
    fields |= {*published(PLAN)["turnover"], *published(PLAN)["turnover"]["carried"][0]}

    assert [name for name in sorted(fields) if f"`{name}`" not in page and f"`{name}[]`" not in page] == []
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in page] == []
    assert f"`format_version` is `{PLAN_FORMAT}`" in page
