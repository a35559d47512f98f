"""People own what they touch also between plan and apply: in both trackers, for each field, for every kind of plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors.values import ItemKey, RemoteRef
from service.context import Context
from service.domain.plan import run_state
from service.domain.plan.plan import Plan
from service.runs.loop_port import Looked
from service.store.tables import PlanRow, RunRow
from service.usecases.loop.advances import Advancing
from service.usecases.plan import planning, undo_plan
from service.usecases.plan.plan_options import Wish
from service.usecases.run import plan_apply
from tests.integration.meanwhile import (
    ITERATION_FIELDS,
    PLAIN,
    TICKET_FIELDS,
    Hands,
    hands,
    refs,
    set_up_anew,
    template,
)
from tests.integration.turntable import Turntable, turntable

MODES = ("apply", "restore", "undo", "advance")
FIRST = "2026-03-02T09:00"


@dataclass
class Story:
    """What the tracker showed of each thing that people changed: as they left it, and when the run was over; for all
    other fields, as it was before the run and after it."""

    run: RunRow
    plan: Plan
    theirs: dict[tuple[str, str], Any] = field(default_factory=dict)
    after: dict[tuple[str, str], Any] = field(default_factory=dict)
    before: dict[tuple[str, str], Any] = field(default_factory=dict)
    drift: set[tuple[str, str | None]] = field(default_factory=set)
    restores: bool = False

    def writes(self, key: str, name: str) -> bool:
        """Whether the plan was to write this field."""
        change = next((one for one in self.plan.changes if one.key == key), None)
        return change is not None and (name in change.changed or (name == "points" and "labels" in change.changed))


@dataclass
class Meanwhile:
    """An advance between whose look and work people act."""

    act: Callable[[Context, str], None] = lambda _context, _run_id: None
    inner: Advancing = field(default_factory=Advancing)

    def look(self, context: Context, run_id: str) -> Looked:
        """Look; then people act."""
        looked = self.inner.look(context, run_id)
        if looked.ready:
            self.act(context, run_id)
        return looked

    def settle(self, context: Context, run_id: str) -> None:
        """As ever."""
        self.inner.settle(context, run_id)

    def keep_up(self, context: Context) -> object:
        """As ever."""
        return self.inner.keep_up(context)

    def applied(self, context: Context, run_id: str) -> None:
        """As ever."""
        self.inner.applied(context, run_id)


def things(known: dict[ItemKey, RemoteRef]) -> Iterator[tuple[str, str, RemoteRef]]:
    """Each field with the item on which people change just that."""
    for name in TICKET_FIELDS:
        yield f"ticket:{name}", name, known[ItemKey(f"ticket:{name}")]
    for number, name in enumerate(ITERATION_FIELDS, 1):
        yield f"iteration:{number}", name, known[ItemKey(f"iteration:{number}")]


def change(people: Hands, key: str, name: str, ref: RemoteRef, again: str = "") -> None:
    (people.change_iteration if key.startswith("iteration") else people.change)(ref, name, again)


def shown(people: Hands, key: str, name: str, ref: RemoteRef) -> Any:
    return (people.iteration_shows if key.startswith("iteration") else people.shows)(ref, name)


def everything(people: Hands, known: dict[ItemKey, RemoteRef]) -> dict[tuple[str, str], Any]:
    """What the tracker shows of every field of what people work on, and of the ticket that nobody touches."""
    found = {}
    for key, _name, ref in [*things(known), (f"ticket:{PLAIN}", "", known[ItemKey(f"ticket:{PLAIN}")])]:
        for name in ITERATION_FIELDS if key.startswith("iteration") else TICKET_FIELDS:
            found[key, name] = shown(people, key, name, ref)
    return found


@pytest.fixture(
    scope="module",
    params=[(tracker, mode) for tracker in ("jira", "trello") for mode in MODES],
    ids="-".join,
)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    tracker, mode = request.param
    home = tmp_path_factory.mktemp(f"{tracker}-{mode}")
    file = home / "meanwhile.yaml"
    file.write_text(template(anew=False).text)
    turning = Meanwhile()
    with turntable(home / "home", tracker, template=file, advancing_by=turning) as table:
        built = table.plan_and_apply()
        assert built.state == run_state.COMPLETED, built.findings
        people, known = hands(table, tracker, built), refs(table)
        yield {"apply": applied, "restore": restored, "undo": undone, "advance": advanced}[mode](
            table, people, known, turning
        )


def acting(story: Story, people: Hands, known: dict[ItemKey, RemoteRef], again: str = "") -> None:
    """People change each thing, and only then it is seen what everything else looks like."""
    for key, name, ref in things(known):
        change(people, key, name, ref, again)
        story.theirs[key, name] = shown(people, key, name, ref)
    story.before = everything(people, known)


def done(table: Turntable, plan: PlanRow) -> RunRow:
    return table.ended(plan_apply.apply(table.context, plan.id, "lead@example.com", table.engine.start).id)


def told(story: Story, table: Turntable, people: Hands, known: dict[ItemKey, RemoteRef], run: RunRow) -> Story:
    """The story as it ended, with what is drift then."""
    story.run, story.after = run, everything(people, known)
    later = planning.draft(table.context, table.project)
    story.drift = {(str(one.key), one.field) for one in later.plan.drift}
    return story


def applied(table: Turntable, people: Hands, known: dict[ItemKey, RemoteRef], _turning: Meanwhile) -> Story:
    set_up_anew(table)
    plan = planning.make_plan(table.context, table.project)
    story = Story(RunRow(), planning.plan_of(plan))
    acting(story, people, known)
    return told(story, table, people, known, done(table, plan))


def restored(table: Turntable, people: Hands, known: dict[ItemKey, RemoteRef], _turning: Meanwhile) -> Story:
    for key, name, ref in things(known):
        change(people, key, name, ref)
    wish = Wish(restore=tuple(key for key, _name, _ref in things(known)))
    plan = planning.make_plan(table.context, table.project, wish)
    story = Story(RunRow(), planning.plan_of(plan))
    story.restores = True
    acting(story, people, known, again="-again")
    return told(story, table, people, known, done(table, plan))


def undone(table: Turntable, people: Hands, known: dict[ItemKey, RemoteRef], _turning: Meanwhile) -> Story:
    set_up_anew(table)
    anew = done(table, planning.make_plan(table.context, table.project))
    assert anew.state == run_state.COMPLETED, anew.findings
    plan = undo_plan.plan_undo(table.context, anew.id)
    story = Story(RunRow(), planning.plan_of(plan))
    acting(story, people, known)
    return told(story, table, people, known, done(table, plan))


def advanced(table: Turntable, people: Hands, known: dict[ItemKey, RemoteRef], turning: Meanwhile) -> Story:
    table.turned(1, FIRST)
    set_up_anew(table, "2026-03-02", reordered=False)
    stories: list[Story] = []

    def act(context: Context, run_id: str) -> None:
        with context.database.session() as session:
            plan = session.get_one(PlanRow, session.get_one(RunRow, run_id).plan_id)
        story = Story(RunRow(), planning.plan_of(plan))
        acting(story, people, known)
        stories.append(story)

    turning.act = act
    run = table.advanced(2)
    return told(stories[0], table, people, known, run)


@pytest.mark.parametrize("name", TICKET_FIELDS)
def test_a_field_of_a_ticket_that_people_changed_meanwhile_stays_theirs(story: Story, name: str) -> None:
    key = f"ticket:{name}"

    theirs, after = story.theirs[key, name], story.after[key, name]
    if name == "labels":  # ours that nobody touched are written beside theirs
        theirs, after = ([label for label in found if label.startswith("mine")] for found in (theirs, after))
        assert ("phase:only" in story.after[key, name]) == (story.run.kind == "apply" and story.restores)
    assert after == theirs, story.run.findings
    if story.writes(key, name) and not (name == "labels" and story.restores):
        assert story.run.state == run_state.INCOMPLETE
        assert key in {entry["subject"] for entry in story.run.findings if entry["code"] == "changed-meanwhile"}
        if not (name == "iteration" and story.run.kind == "advance"):  # by our records it stayed in what is history now
            assert key in {drifted for drifted, _field in story.drift}


@pytest.mark.parametrize(("number", "name"), list(enumerate(ITERATION_FIELDS, 1)))
def test_a_field_of_an_iteration_that_people_changed_meanwhile_stays_theirs(
    story: Story, number: int, name: str
) -> None:
    key = f"iteration:{number}"

    assert story.after[key, name] == story.theirs[key, name], story.run.findings
    if story.writes(key, name):
        assert key in {entry["subject"] for entry in story.run.findings if entry["code"] == "changed-meanwhile"}
        assert (key, name) in story.drift or (story.run.kind == "advance" and number == 1)  # that is history then


@pytest.mark.parametrize("name", [*TICKET_FIELDS, PLAIN])
def test_the_other_fields_are_written_as_planned(story: Story, name: str) -> None:
    key, shown_as = f"ticket:{name}", {"points": "labels"}
    others = [
        one
        for one in ("title", "assignee", "priority", "points", "text", "epic")
        if one != name and {one, name} != {"text", "checklist"} and story.writes(key, one)
        if shown_as.get(one, one) != shown_as.get(name, name)
    ]

    assert [one for one in others if story.after[key, one] == story.before[key, one]] == []


def test_every_field_is_written_by_some_plan(story: Story, request: pytest.FixtureRequest) -> None:
    missing = [name for name in TICKET_FIELDS if not story.writes(f"ticket:{name}", name)]

    allowed = {"apply": set(), "restore": {"checklist"}, "undo": {"checklist"}, "advance": {"assignee"}}
    mode = request.node.callspec.id.rpartition("-")[2]
    assert set(missing) <= allowed[mode]
