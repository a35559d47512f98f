"""One case: one call of a bootstrap goes wrong in one way, everything is carried on as people would, and the tracker is
compared with the plan."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults.kinds import BULK, EVERY_CALL, Kind
from tests.faults.portrait import Difference, Fact, Portrait, difference, in_jira, in_trello, planned
from tests.faults.process import Death, Ended
from tests.faults.rig import Rig, Snapshot, TrackerName

PROJECT = "ML"
MOST_COMMANDS = 6
"""How often a command is given again before a case counts as not finished."""

_PLANNED, _NOTHING = 2, 0


@dataclass(frozen=True)
class Clean:
    """A bootstrap in which nothing goes wrong: what it takes, and the moments to begin cases from."""

    connected: Snapshot
    planned: Snapshot
    plan: str
    planning: int
    """Calls of planning."""
    applying: int
    """Calls of applying."""
    bulks: tuple[int, ...]
    """Which of all calls are bulk creates, counted from 1."""

    @property
    def calls(self) -> int:
        """All calls, of planning and applying."""
        return self.planning + self.applying


@dataclass
class Result:
    """What came of a case. `restarts` counts commands given again after the process died or could not plan, `retries`
    those after a run ended incomplete; `extra_requests` are those of the run and its retries beyond a clean run."""

    tracker: TrackerName
    kind: str
    call: int
    phase: str
    request: str = ""
    finished: bool = False
    duplicates: list[Fact] = field(default_factory=list)
    missing: list[Fact] = field(default_factory=list)
    extra: list[Fact] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    """Where our own records differ from the tracker."""
    retries: int = 0
    restarts: int = 0
    extra_requests: int = 0
    trouble: str = ""

    @property
    def good(self) -> bool:
        """Whether it finished and everything is there once."""
        return self.finished and not (self.duplicates or self.missing or self.extra or self.records)

    @property
    def command(self) -> str:
        """The command that repeats it."""
        return f'make faults ARGS="--tracker {self.tracker} --kinds {self.kind} --calls {self.call}"'

    def to_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return {**asdict(self), "good": self.good, "command": self.command}


def clean_run(rig: Rig) -> Clean:
    """Bootstrap once without a fault; what is there afterwards must be what was planned."""
    rig.connect()
    connected = rig.snapshot("connected")
    rig.restore(connected)
    plan = str(_ended(rig.plan(), _PLANNED).json["id"])
    planning = rig.requests
    ready = rig.snapshot("planned")
    _ended(rig.apply(plan), _NOTHING)
    log = rig.sandbox.world.controls.log
    bulks = tuple(place for place, entry in enumerate(log.entries, 1) if entry.path.endswith("/issue/bulk"))
    clean = Clean(connected, ready, plan, planning, rig.requests - planning, bulks)
    found = compared(rig, plan)
    assert found.none, found
    return clean


def _ended(ended: Ended, code: int) -> Ended:
    assert ended.code == code, ended.out + ended.err
    return ended


def portrait(rig: Rig) -> Portrait:
    """What the sandbox has of the project."""
    world = rig.sandbox.world
    return in_jira(world.jira.data, PROJECT) if rig.tracker == "jira" else in_trello(world.trello.state.data, PROJECT)


def calls_for(kind: Kind, clean: Clean, every: int = 1, first: int = 1) -> list[int]:
    """The calls at which this kind is tried: every `every`-th of those it is about."""
    fitting = clean.bulks if kind.bulk else range(1, clean.calls + 1)
    return list(fitting[first - 1 :: every])


def run_case(rig: Rig, clean: Clean, kind: Kind, call: int) -> Result:
    """Try one kind of fault at one call and see what comes of it."""
    in_planning = call <= clean.planning
    result = Result(rig.tracker, kind.name, call, "plan" if in_planning else "run")
    rig.restore(clean.connected if in_planning else clean.planned)
    how, rule = _arranged(rig, clean, kind, call if in_planning else call - clean.planning)
    try:
        _carried_on(rig, clean, result, how, in_planning=in_planning)
    except (AssertionError, OSError, ValueError, KeyError) as error:
        result.trouble = f"{type(error).__name__}: {error}"[:2000]
    if rule is not None and not rule():
        result.trouble = result.trouble or "the fault did not strike"
        result.finished = False
    return result


def _arranged(rig: Rig, clean: Clean, kind: Kind, place: int) -> tuple[dict[str, Any], Callable[[], bool] | None]:
    """Set the fault up: what to give to the first command, and whether the fault has struck."""
    if kind.death is not None:
        return {"death": Death(place, kind.death), "settings": kind.settings}, None
    skip = place - 1
    if kind.bulk:
        skip = [bulk - clean.planning for bulk in clean.bulks].index(place)
    rule = rig.strike({"skip": skip, "path": BULK if kind.bulk else EVERY_CALL, **(kind.fault or {})})

    def struck() -> bool:
        return rule.struck > 0

    return {"watch": struck if kind.killed else None, "settings": kind.settings}, struck


def _carried_on(rig: Rig, clean: Clean, result: Result, how: dict[str, Any], *, in_planning: bool) -> None:
    """Give the commands that a person would give, until the run completed, and compare."""
    plan = clean.plan
    if in_planning:
        plan, how = _plan_of(rig, result, how), {}
    command: tuple[str, ...] = ("apply", plan)
    spent = 0
    for _attempt in range(MOST_COMMANDS):
        before = rig.requests
        ended = rig.launcher.run(*command, "--json", **how)
        how, spent = {}, spent + rig.requests - before
        result.request = result.request or _struck_request(rig)
        if ended.code == _NOTHING:
            result.finished = True
            break
        if ended.code < 0:
            result.restarts += 1
        else:
            result.trouble = _said(ended)
            result.retries += 1
            command = ("runs", "retry", str(ended.json["id"]))
    result.extra_requests = spent - clean.applying
    _compare(rig, result, plan)


def _plan_of(rig: Rig, result: Result, how: dict[str, Any]) -> str:
    """The id of a plan, asked for until there is one."""
    for _attempt in range(MOST_COMMANDS):
        ended = rig.plan(**how)
        how = {}
        result.request = result.request or _struck_request(rig)
        if ended.code == _PLANNED:
            return str(ended.json["id"])
        result.restarts += 1
    raise AssertionError(f"no plan could be made: {_said(ended)}")


def _said(ended: Ended) -> str:
    """What a command said in the end, in one line."""
    try:
        findings = [finding["message"] for finding in json.loads(ended.out).get("findings", [])]
    except ValueError:
        findings = []
    return "; ".join(findings)[:1000] or (ended.err or ended.out).strip()[-1000:]


def _struck_request(rig: Rig) -> str:
    entries = rig.sandbox.world.controls.log.entries
    return next((f"{entry.method} {entry.path}" for entry in entries if entry.fault), "")


def compared(rig: Rig, plan: str) -> Difference:
    """How the tracker differs from the plan."""
    return difference(planned(rig.stored_plan(plan), rig.tracker), portrait(rig).facts)


def _compare(rig: Rig, result: Result, plan: str) -> None:
    differs = compared(rig, plan)
    result.duplicates = list(differs.duplicates)
    result.missing = list(differs.missing)
    result.extra = list(differs.extra)
    result.records = _of_records(rig.records("SELECT key, kind, state, remote_id FROM items"), portrait(rig).ids)


def _of_records(rows: list[tuple[Any, ...]], ids: Mapping[str, str]) -> list[str]:
    """What our records say otherwise than the tracker: items begun and not known, or known by another id."""
    recorded = {str(key): str(remote) for key, _kind, _state, remote in rows}
    unsettled = [f"{key} is {state}" for key, _kind, state, _remote in rows if state != "made"]
    wrong = [
        f"{key} is {recorded.get(key)}, not {identity}"
        for key, identity in ids.items()
        if recorded.get(key) != identity
    ]
    return sorted(unsettled + wrong)
