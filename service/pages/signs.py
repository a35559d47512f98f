"""States as shape, word and colour; phases by position. What several pages show alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.domain.audit.outcome import Clock, Verdict
from service.domain.plan import run_state
from service.views.overview import PhaseName


@dataclass(frozen=True, slots=True)
class Sign:
    """A state: `kind` gives its colour, `icon` its shape, `word` says it."""

    kind: str
    icon: str
    word: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A segment: how it looks, and where it begins."""

    look: str
    x: float


@dataclass(frozen=True, slots=True)
class Track:
    """Phases as segments: past, current, to come. `phase` is the current one's name, `said` says it all in words."""

    said: str
    phase: str
    width: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar, in percent of its width."""

    look: str
    x: float
    width: float


NOT_DUE = Sign("neutral", "neutral", "Not due yet")
UNCHECKED = Sign("neutral", "neutral", "Not checked yet")

_VERDICTS = {
    Verdict.DOCUMENTED: Sign("ok", "ok", "Documented"),
    Verdict.PARTLY: Sign("warn", "warn", "Partly documented"),
    Verdict.UNDOCUMENTED: Sign("bad", "bad", "Undocumented"),
    Verdict.UNCLEAR: Sign("warn", "unclear", "Unclear"),
    Verdict.PENDING: Sign("pending", "pending", "In progress"),
    Verdict.UNKNOWN: Sign("neutral", "unclear", "Could not be read"),
}
_CLOCKS = {
    Clock.DUE_SOON: Sign("warn", "wait", "Due soon"),
    Clock.DUE: Sign("warn", "wait", "Due"),
    Clock.IN_GRACE: Sign("warn", "wait", "Due, in grace"),
    Clock.OVERDUE: Sign("bad", "bad", "Overdue"),
    Clock.ESCALATED: Sign("bad", "bad", "Overdue, escalated"),
}

_RUNS = {
    run_state.QUEUED: Sign("pending", "pending", "Queued"),
    run_state.RUNNING: Sign("live", "run", "In progress"),
    run_state.WAITING: Sign("warn", "wait", "Waiting"),
    run_state.HELD: Sign("bad", "hold", "Held"),
    run_state.COMPLETED: Sign("ok", "ok", "Completed"),
    run_state.INCOMPLETE: Sign("warn", "warn", "Incomplete"),
    run_state.FAILED: Sign("bad", "bad", "Failed"),
    run_state.CANCELLED: Sign("neutral", "stop", "Cancelled"),
}


def of_verdict(verdict: Verdict | None, clock: Clock | None = None) -> Sign:
    """How documentation stands; of what is lacking and not due yet, when it is."""
    if verdict is None:
        return UNCHECKED
    if verdict is Verdict.PENDING and clock is not None:
        return _CLOCKS.get(clock, _VERDICTS[verdict])
    return _VERDICTS[verdict]


def counts(states: Mapping[tuple[Verdict, Clock], int]) -> str:
    """How many iterations stand how, in the words that each of them is shown with."""
    found: dict[str, int] = {}
    for verdict, clock in sorted(states, key=_in_order):
        word = of_verdict(verdict, clock).word.lower()
        found[word] = found.get(word, 0) + states[verdict, clock]
    return "; ".join(f"{number} {word}" for word, number in found.items())


def _in_order(state: tuple[Verdict, Clock]) -> tuple[int, int]:
    verdict, clock = state
    return list(Verdict).index(verdict), -list(Clock).index(clock)


def of_run(state: str) -> Sign:
    """How a run stands."""
    return _RUNS[state]


def track(phases: Sequence[PhaseName], current: str | None) -> Track:
    """The phases with the one of this key as the current one; none has begun without it."""
    keys = [one.key for one in phases]
    at = keys.index(current) if current in keys else -1
    looks = ("b0" if n < at else "b1" if n == at else "b2" for n in range(len(phases)))
    bars = tuple(Bar(look, 0.5 + 13 * n) for n, look in enumerate(looks))
    number = f"{len(phases)} phases" if len(phases) != 1 else "1 phase"
    if at < 0:
        return Track(f"Not started, {number} planned", number, 13 * len(phases), bars)
    said = f"Phase {at + 1} of {len(phases)}: {phases[at].title}"
    return Track(said, phases[at].short, 13 * len(phases), bars)


def load(done: float, rest: float, limit: float | None) -> tuple[Part, ...]:
    """Points done and open against how many somebody can take, as parts of a bar."""
    whole = max(done + rest, limit or 0) or 1
    over = max(0.0, done + rest - limit) if limit is not None else 0.0
    parts = [Part("b1", 0, _percent(done, whole)), Part("b0", _percent(done, whole), _percent(rest - over, whole))]
    if over:
        parts.append(Part("f", _percent(whole - over, whole), _percent(over, whole)))
    return tuple(one for one in parts if one.width > 0)


def _percent(part: float, whole: float) -> float:
    return round(max(0.0, 100 * part / whole), 1)
