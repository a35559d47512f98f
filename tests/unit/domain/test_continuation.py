"""A phase that is entered again: what is open of it becomes the new turn's, what is done comes again, nothing twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.tracker import ItemKey, ItemKind, RemoteRef
from service.domain.blueprint import TicketKind, blueprint
from service.domain.calendar import Calendar
from service.domain.continuation import brought_back, continued
from service.domain.course import Begun, Stage, back_to, course, following
from service.domain.plan import Recorded
from tests.effort import examples
from tests.unit.domain.samples import build_and_run, settled

PROCESS = build_and_run(points=5, turns=1)
PARAMETERS = settled(PROCESS)


def record(key: ItemKey, iteration: int | None) -> Recorded:
    wanted = {"title": str(key), "iteration": f"iteration:{iteration}" if iteration else None}
    return Recorded(key, ItemKind.TICKET, RemoteRef(str(key), str(key), ""), wanted)


class Walk:
    """A project that turns: what is open in an iteration is carried into the next one, as `statuses` has it."""

    def __init__(self) -> None:
        self.begun: list[Begun] = []
        self.recorded: dict[ItemKey, Recorded] = {}
        self.done: set[ItemKey] = set()
        self.continued: dict[ItemKey, ItemKey] = {}

    def step(self, stage: Stage) -> None:
        number = len(self.begun) + 1
        along = course(PROCESS, PARAMETERS, Calendar(), self.begun, coming=stage, ahead=3)
        statuses = {key: "done" if key in self.done else "todo" for key in self.recorded}
        self.continued = continued(PROCESS, PARAMETERS, along, self.recorded, statuses, self.continued)
        placed: dict[ItemKey, int | None] = {
            key: number if key not in self.done and at == number - 1 else at
            for key, one in self.recorded.items()
            if (at := int(str(one.wanted["iteration"]).removeprefix("iteration:"))) < number
        }
        drawn = blueprint(PROCESS, PARAMETERS, "P", "P", Calendar(), along, placed, number, self.continued)
        work = [one for one in drawn.tickets if one.kind is TicketKind.WORK]
        assert max(Counter(one.key for one in work).values(), default=0) <= 1
        for one in work:
            self.recorded[one.key] = record(one.key, int(one.iteration.removeprefix("iteration:")))
        self.begun.append(Begun(number, stage, along.turn(number).dates))


@settings(deadline=None, max_examples=examples(60))
@given(st.data())
def test_whatever_is_done_and_decided_no_ticket_is_open_twice(data: st.DataObject) -> None:
    walk = Walk()
    stage = Stage(PROCESS.phases[0].key)
    for _ in range(data.draw(st.integers(2, 6))):
        walk.step(stage)
        for phase in PROCESS.phases:
            if phase.recurring:
                continue
            for ticket in phase.tickets:
                same = [key for key in walk.recorded if key.removeprefix("ticket:").split("~")[0] == ticket.key]
                assert sum(key not in walk.done for key in same) <= 1, (ticket.key, same)
        now = [key for key, one in walk.recorded.items() if one.wanted["iteration"] == f"iteration:{len(walk.begun)}"]
        walk.done |= set(data.draw(st.lists(st.sampled_from(sorted(now)), unique=True))) if now else set()
        back = data.draw(st.booleans())
        stage = back_to(stage, PROCESS.phases[0].key) if back else following(PROCESS, PARAMETERS, stage)


def test_what_was_decided_for_a_phase_that_has_begun_stays() -> None:
    walk = Walk()
    build = Stage("build")
    walk.step(build)
    walk.step(back_to(build, "build"))
    decided = dict(walk.continued)
    assert decided
    walk.done |= set(walk.recorded)

    walk.step(following(PROCESS, PARAMETERS, back_to(build, "build")))

    assert {key: walk.continued.get(key) for key in decided} == decided


def test_only_what_is_newly_continued_is_brought_back() -> None:
    old, new = ItemKey("ticket:a"), ItemKey("ticket:a~2")
    recorded = {old: record(old, 1)}

    assert brought_back({new: old}, recorded, {}) == {old}
    assert brought_back({new: old}, recorded, {new: old}) == frozenset()
