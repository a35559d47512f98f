"""Whose a run is: what proves it, for how long, and what is thrown away once it is another's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import NoResultFound

from service.context import Context
from service.domain.plan import run_state
from service.runs.active_runs import Traffic
from service.runs.lock import Parked, SlotLost
from service.runs.ownership import BOUND, CONTESTED, DONE, HANDOVER, LET_GO, Owners, Ownership, Registry
from service.store.tables import RunRow, StepRow
from tests.statements import statements
from tests.unit import stores
from tests.unit.stores import NOON, project_row

RUN = "apply-1"


class Pauses(Traffic):
    """Lets a clock continue instead of waiting."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process

    def pause(self, seconds: float) -> None:
        self.check()
        self._process.paused.append(seconds)
        self._process.seconds += seconds


@dataclass
class Process:
    """A process with a clock of its own; the database can be cut off from it."""

    context: Context
    alone: bool = False
    seconds: float = 100.0
    cut: bool = False
    slot_lost: bool = False
    asked: int = 0
    paused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.traffic = Pauses(self)
        self.registry = Registry(self.context, self.traffic, None if self.alone else self.ask, lambda: self.seconds)

    def ask(self, run_ids: Collection[str]) -> Owners | None:
        self.asked += 1
        if self.slot_lost:
            raise SlotLost
        if self.cut:
            return None
        with self.context.database.session() as session:
            rows = session.execute(select(RunRow.id, RunRow.owner).where(RunRow.id.in_(run_ids)))
            return Owners(self.seconds, {row.id: row.owner for row in rows})


@pytest.fixture(params=["sqlite", "postgresql"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    for context in stores.on(request.param, tmp_path):
        with context.database.session() as session:
            session.add(project_row("p"))
            session.flush()
            row = RunRow(id=RUN, kind="apply", project_id="p", state=run_state.QUEUED, started_by="pm", created_at=NOON)
            session.add(row)
        yield context


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def owner(context: Context) -> str | None:
    with context.database.session() as session:
        return session.scalar(select(RunRow.owner).where(RunRow.id == RUN))


def holds(stack: ExitStack, process: Process) -> Ownership:
    return stack.enter_context(process.registry.owning(RUN))


# --- the proof ---


def test_a_proof_counts_for_a_while_and_asks_nothing_meanwhile(context: Context, stack: ExitStack) -> None:
    process = Process(context)
    mine = holds(stack, process)
    with statements(context) as sent:
        for _ in range(100):
            process.seconds += BOUND / 101
            mine.prove()

    assert (process.asked, sent) == (0, [])


def test_the_looks_of_the_keeper_keep_it_fresh_so_that_no_write_ever_asks(context: Context, stack: ExitStack) -> None:
    process = Process(context)
    mine = holds(stack, process)
    for _ in range(50):
        process.seconds += 0.5
        process.registry.renew()
        with statements(context) as sent:
            mine.prove()
        assert sent == []

    assert process.asked == 50


def test_a_process_that_was_stopped_asks_before_it_writes(context: Context, stack: ExitStack) -> None:
    process = Process(context)
    mine = holds(stack, process)
    process.seconds += 3600

    mine.prove()

    assert process.asked == 1


def test_a_database_that_is_away_is_waited_for(context: Context, stack: ExitStack) -> None:
    process = Process(context)
    mine = holds(stack, process)
    process.seconds, process.cut = process.seconds + BOUND, True
    process.traffic.pause = lambda _seconds: setattr(process, "cut", False)  # type: ignore[method-assign]

    mine.prove()

    assert process.asked == 2


def test_a_process_that_is_told_to_stop_does_not_wait_for_it(context: Context, stack: ExitStack) -> None:
    process = Process(context)
    mine = holds(stack, process)
    process.seconds, process.cut = process.seconds + BOUND, True
    process.traffic.stop()

    with pytest.raises(Parked):
        mine.prove()


def test_a_run_that_another_has_by_then_is_not_written_any_more_even_if_the_proof_would_count(
    context: Context, stack: ExitStack
) -> None:
    first, second = Process(context), Process(context)
    mine = holds(stack, first)
    holds(stack, second)
    first.registry.renew()

    with pytest.raises(Parked):
        mine.prove()
    assert mine.lost


def test_a_slot_that_is_lost_ends_all_writing(context: Context, stack: ExitStack) -> None:
    process = Process(context, slot_lost=True)
    mine = holds(stack, process)
    with pytest.raises(SlotLost):
        process.registry.renew()

    with pytest.raises(Parked):
        mine.prove()


def test_each_thread_of_a_step_is_held_to_it(context: Context, stack: ExitStack) -> None:
    process = Process(context)
    mine = holds(stack, process)
    mine.lose()
    parked = []

    def write() -> None:
        try:
            mine.prove()
        except Parked:
            parked.append(True)

    threads = [Thread(target=write) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(parked) == 10


def test_the_one_process_of_a_home_folder_proves_by_its_lock_until_it_gives_it_up(
    context: Context, stack: ExitStack
) -> None:
    process = Process(context, alone=True)
    mine = holds(stack, process)
    process.seconds += 3600
    mine.prove()
    process.registry.revoke()

    with pytest.raises(Parked):
        mine.prove()


# --- taking over ---


def test_who_takes_a_run_over_waits_until_no_proof_of_the_former_one_counts(context: Context, stack: ExitStack) -> None:
    """On two clocks that have nothing in common."""
    former, taker = Process(context, seconds=1_000_000.0), Process(context, seconds=5.0)
    mine = holds(stack, former)
    former.cut = True
    began = taker.seconds

    theirs = holds(stack, taker)

    assert taker.paused == [HANDOVER]
    former.seconds += taker.seconds - began  # as long passes there
    former.traffic.stop()
    with pytest.raises(Parked):
        mine.prove()
    theirs.prove()
    assert (theirs.interrupted, theirs.contested) == (True, True)


@pytest.mark.parametrize("alone", [True, False])
def test_nobody_waits_for_one_that_ended_at_the_end_of_a_step(context: Context, stack: ExitStack, alone: bool) -> None:
    with Process(context, alone).registry.owning(RUN) as mine:
        mine.within = False
    assert owner(context) == DONE
    taker = Process(context, alone)

    theirs = holds(stack, taker)

    assert (taker.paused, theirs.interrupted) == ([], False)


@pytest.mark.parametrize("alone", [True, False])
def test_one_that_ended_in_the_middle_left_something_to_be_settled_and_need_not_be_waited_for(
    context: Context, stack: ExitStack, alone: bool
) -> None:
    with Process(context, alone).registry.owning(RUN) as mine:
        mine.within = True
    assert owner(context) == LET_GO
    taker = Process(context, alone)

    theirs = holds(stack, taker)

    assert (taker.paused, theirs.interrupted, theirs.contested) == ([], True, False)


def test_on_a_home_folder_the_former_process_is_gone_for_certain(context: Context, stack: ExitStack) -> None:
    holds(stack, Process(context, alone=True))
    taker = Process(context, alone=True)

    theirs = holds(stack, taker)

    assert (taker.paused, theirs.interrupted, theirs.contested) == ([], True, False)


def test_that_a_former_one_may_live_is_handed_on(context: Context, stack: ExitStack) -> None:
    holds(stack, Process(context))
    with Process(context).registry.owning(RUN) as second:
        second.within = False
    assert owner(context) == CONTESTED

    third = Process(context)

    assert holds(stack, third).contested
    assert third.paused == []


def test_a_run_that_an_older_version_was_at_work_on_may_have_something_half_done(
    context: Context, stack: ExitStack
) -> None:
    with context.database.session() as session:
        session.execute(update(RunRow).values(started_at=NOON))

    assert holds(stack, Process(context)).interrupted


def test_one_that_comes_back_gives_nothing_back_that_is_not_its_own(context: Context, stack: ExitStack) -> None:
    first, second = Process(context), Process(context)
    with first.registry.owning(RUN):
        theirs = holds(stack, second)

    assert owner(context) == theirs.token


def test_a_run_that_is_not_recorded_is_nobodys(context: Context) -> None:
    with pytest.raises(NoResultFound), Process(context).registry.owning("of-a-run-that-is-gone"):
        pass


# --- records ---


def step(run: str = RUN) -> StepRow:
    about = {"title": "Create", "state": "go", "message": "", "started_at": NOON, "finished_at": NOON}
    return StepRow(run_id=run, number=1, reads=0, writes=0, **about)


def test_what_is_recorded_too_late_is_thrown_away(context: Context, stack: ExitStack) -> None:
    mine = holds(stack, Process(context))
    late = context.under(mine.token, mine.prove, mine.guard)
    with late.database.session() as session:
        session.add(step())
    holds(stack, Process(context))

    with pytest.raises(Parked), late.database.session() as session:
        session.execute(update(RunRow).where(RunRow.id == RUN).values(state=run_state.FAILED))
    with pytest.raises(Parked), late.database.session() as session:
        session.add(step())

    with context.database.session() as session:
        assert session.get_one(RunRow, RUN).state == run_state.QUEUED
        assert len(session.scalars(select(StepRow)).all()) == 1
    assert mine.lost


def test_reading_asks_for_nothing_and_a_unit_of_work_that_writes_asks_once(context: Context, stack: ExitStack) -> None:
    mine = holds(stack, Process(context))
    own = context.under(mine.token, mine.prove, mine.guard)
    with statements(context) as sent, own.database.session() as session:
        session.get_one(RunRow, RUN)
        assert len(sent) == 1
        session.add(step())
        session.flush()
        session.execute(update(RunRow).where(RunRow.id == RUN).values(message="so far"))
        session.add(step())

    assert sum("runs.owner" in one and "runs.id, " not in one for one in sent) == 1


def test_whoever_is_no_run_writes_to_no_tracker(context: Context) -> None:
    with pytest.raises(RuntimeError, match="only runs"):
        context.permit()


# --- what may be under way ---


def test_it_is_quiet_since_the_execution_began_or_a_write_got_no_answer(context: Context, stack: ExitStack) -> None:
    process = Process(context)
    mine = holds(stack, process)
    process.seconds += 7
    assert mine.quiet == 7
    mine.doubt()
    process.seconds += 2

    assert mine.quiet == 2
