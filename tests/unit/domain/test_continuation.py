"""A phase that is entered again: what is open of it becomes the new turn's, what is done comes again, nothing twice."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.values import ItemKey, ItemKind, RemoteRef
from service.domain.loop.course import Begun, Stage, another, back_to, course, following, next_phase
from service.domain.plan import placement
from service.domain.plan.blueprint import TicketKind, blueprint
from service.domain.plan.continuation import brought_back, continued, foreseen
from service.domain.plan.plan import Recorded
from service.domain.team.calendar import Calendar
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


def after(stage: Stage, move: str) -> Stage:
    """What comes if nothing is decided, or by a decision: the next phase, the same, or back to the one named."""
    if move == "on":
        return following(PROCESS, PARAMETERS, stage)
    if move == "next":
        return next_phase(PROCESS, stage)
    return another(stage) if move == "stay" else back_to(stage, move)


@settings(deadline=None, max_examples=examples(60))
@given(st.data(), st.integers(1, 3), st.sampled_from(["next", "backlog", "leave"]))
def test_however_far_ahead_is_prepared_nothing_is_lost_and_no_two_have_one_title(
    data: st.DataObject, ahead: int, policy: str
) -> None:
    process, parameters = PROCESS, PARAMETERS
    begun: list[Begun] = []
    there: dict[ItemKey, Recorded] = {}
    shelved: set[ItemKey] = set()
    before: dict[ItemKey, ItemKey] = {}
    titles: dict[ItemKey, str] = {}
    stage = Stage("build")
    for number in range(1, data.draw(st.integers(3, 8)) + 1):
        prepared = placement.last_prepared(there)
        far = max(ahead, prepared - number + 1)
        along = course(process, parameters, Calendar(), begun, coming=stage, ahead=far, reach=prepared)
        begun.append(Begun(number, stage, along.turn(number).dates, closed=True))
        statuses = dict.fromkeys(there, "todo")
        now = continued(process, parameters, along, there, statuses, before)
        coming = {**foreseen(process, parameters, along, there, statuses, before), **now}
        back = brought_back(now, there, before)
        placed: dict[ItemKey, int | None] = {}
        for key, at in placement.tickets_in(there).items():
            if at == number - 1:
                placed[key] = {"next": number, "backlog": None, "leave": at}[policy]
                shelved |= {key} if policy == "backlog" else set()
            elif at < number:
                placed[key] = at
        placed |= dict.fromkeys(shelved)
        placed = {key: at for key, at in placed.items() if key not in back}
        shelved -= back
        whole = blueprint(process, parameters, "P", "P", Calendar(), along, placed, 0, coming)
        wanted = {one.key: one for one in whole.tickets if one.kind is TicketKind.WORK}

        lost = set(there) - wanted.keys() - whole.passed_by - whole.put_off.keys() - placed.keys()
        assert not lost, (number, stage, lost)
        for key, one in wanted.items():
            there[key] = record(key, int(one.iteration.removeprefix("iteration:")))
            titles[key] = f"{one.title} {one.iteration}" if "@" in key else one.title
        out = {key for key in there if key in whole.put_off and key not in placed}
        for key in out:
            there[key], titles[key] = record(key, None), whole.put_off[key]
        plain = [titles[key] for key in there if "@" not in key]
        assert len(plain) == len(set(plain)), (number, stage, plain)
        before = now
        stage = after(stage, data.draw(st.sampled_from(["on", "next", "stay", *(one.stage.phase for one in begun)])))
