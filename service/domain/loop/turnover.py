"""From one iteration to the next: what is done, what is carried over, which phase comes. Pure.

An advance closes the current iteration and begins the next one. What it finds in the tracker are `Content`s; what
it decides is a `Turnover`, which its plan carries and which is recorded once the plan was applied.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from connectors.values import Content, ItemKey, ItemKind, RemoteRef, kind_of
from service.domain.loop.course import Stage, Turn, back_to
from service.domain.team.calendar import DateRange
from service.domain.template.template import Key

OFTEN = 3
"""A ticket that is carried over so many times is flagged: it is too large, or nobody means to do it."""

STATE = "state"
"""The field of an iteration that says `future`, `active` or `closed`; only an advance writes it."""

SETTLED = ("title", "starts", "ends")
"""The fields of an iteration that are people's from the moment that they begin or close it themselves."""

_STATES = ("future", "active", "closed")

STATUS = "status"
"""The field of a ticket that says `todo`, `doing` or `done`; it is people's, but for a ticket in which nothing is left
to do when its iteration is closed (`Policy.COMPLETE`)."""

EVERYTHING = "*"
"""Answers for all tickets that have none of their own."""

BY_POLICY = "policy"
"""Who decided what becomes of a ticket that nobody answered for."""

_NOT_A_TICKET = frozenset({ItemKind.EPIC, ItemKind.ITERATION, ItemKind.PROJECT, ItemKind.LINK})


class Policy(StrEnum):
    """What becomes of a ticket that is not done when its iteration is closed."""

    NEXT = "next"
    """It is carried over into the next iteration."""
    BACKLOG = "backlog"
    """It is taken out of every iteration."""
    LEAVE = "leave"
    """It stays where the tracker leaves it."""
    COMPLETE = "complete"
    """Nothing is left to do in it, so it is completed when its iteration is closed: the ticket of meetings that are
    over, the record of an iteration that is documented. Nobody answers so, and no policy of a template says so."""

    @property
    def moves(self) -> bool:
        """Whether the ticket leaves its iteration."""
        return self in (Policy.NEXT, Policy.BACKLOG)


ANSWERS = (Policy.NEXT, Policy.BACKLOG, Policy.LEAVE)
"""What people may answer about a ticket that is not done."""


class Move(StrEnum):
    """What follows an iteration in the loop."""

    BEGIN = "begin"
    """The first iteration begins."""
    STAY = "stay"
    """Another iteration of the same phase."""
    NEXT = "next"
    """The next phase: this one has reached its output, or a person says that it has."""
    BACK = "back"
    """A phase that was there before, in a new turn of the loop."""
    END = "end"
    """Nothing: the project is over."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about the coming iteration, and why. `phase` is for BACK only."""

    move: Move
    by: str
    reason: str
    at: datetime
    phase: Key | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """A ticket that is not done when its iteration is closed. `key` is `guest:<id>` for one of people's own. `to` is
    the iteration it is carried into (None for backlog and leave); `times` how often it was carried, this time
    included; `decided_by` is `policy` or who answered for it; `moved`: an earlier attempt of the advance did it."""

    key: ItemKey
    title: str
    policy: Policy
    to: int | None
    times: int
    decided_by: str = "policy"
    person: str = ""
    points: float | None = None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Turnover:
    """What an advance does to the loop: it closes iteration `closes` (0: none, the first begins) and begins `begins`
    (0: none, the project ends), which is of `stage` and has these dates.

    `lacking` says in words what keeps the phase from its exit, empty if its criterion is met. `contents` are the
    tickets of the closing iteration as they were before anything was moved. `continued` are the open tickets that
    become those of phases entered again, by the keys they stand for (see `continuation`).
    """

    closes: int
    begins: int
    move: Move
    stage: Stage | None = None
    dates: DateRange | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    title: str = ""
    carried: tuple[Carried, ...] = ()
    lacking: tuple[str, ...] = ()
    decision: Decision | None = None
    contents: tuple[Content, ...] = ()
    continued: Mapping[ItemKey, ItemKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closing:
    """The current iteration, as it was found. `turn` is None before the first, `contents` its tickets, `times`
    how often each ticket was carried over before."""

    turn: Turn | None = None
    contents: tuple[Content, ...] = ()
    times: Mapping[ItemKey, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Need:
    """A ticket that must be done before the phase is over, with its `status` in the tracker: `todo`, `doing`, `done`,
    None for one that is not there. `adrift`: it is in no iteration, so nobody will come across it."""

    key: ItemKey
    title: str
    status: str | None
    adrift: bool = False


def is_further(state: str, than: str) -> bool:
    """Whether an iteration is further on than that; what is no state of iterations is neither."""
    return {state, than} <= {*_STATES} and _STATES.index(state) > _STATES.index(than)


def decision_words(move: Move, phase: Key | None) -> str:
    """What a person decided, in words."""
    match move:
        case Move.STAY:
            return "another iteration of the same phase"
        case Move.NEXT:
            return "on to the next phase"
        case Move.BACK:
            return f"back to {phase}"
        case _:
            return "the project ends"


def policy_of(carry_over: str) -> Policy:
    """What becomes of unfinished tickets where nobody answers, by the template's or the project's `carry_over`."""
    return Policy.NEXT if carry_over == "ask" else Policy(carry_over)


def guest_key(ref: RemoteRef) -> ItemKey:
    """The key under which a ticket of people's own is kept."""
    return ItemKey(f"{ItemKind.GUEST}:{ref.id}")


def key_of(content: Content) -> ItemKey:
    """The ticket's key: ours, or the one under which people's own are kept."""
    return content.key if content.key is not None else guest_key(content.ref)


def ceremonies_key(number: int) -> ItemKey:
    """The key of the meetings' ticket of an iteration."""
    return ItemKey(f"ceremonies:{number}")


def record_key(number: int) -> ItemKey:
    """The record of this iteration."""
    return ItemKey(f"record:{number}")


def record_number(key: ItemKey) -> int | None:
    """The iteration that a record documents: `record:3` -> 3; None for anything else."""
    return _number_in(key, "record")


def _number_in(key: ItemKey, prefix: str) -> int | None:
    found, _, digits = key.partition(":")
    return int(digits) if found == prefix and digits.isdecimal() else None


def iteration_key(number: int) -> ItemKey:
    """The iteration with this number."""
    return ItemKey(f"{ItemKind.ITERATION}:{number}")


_ITERATION, _CARRIED = "iteration:", "carried:"


def iteration_label(number: int) -> str:
    """The label of an iteration's tickets where the tracker has no iterations."""
    return f"{_ITERATION}{number}"


def carried_label(times: int) -> str:
    """The label of a ticket that was carried over so often, where that is often (see `OFTEN`)."""
    return f"{_CARRIED}{times}"


def is_iteration_label(label: str) -> bool:
    """Whether a label says in which iteration a ticket is."""
    return _is_numbered(label, _ITERATION)


def is_turn_label(label: str) -> bool:
    """Whether a label says in which iteration a ticket is, or how often it was carried."""
    return is_iteration_label(label) or _is_numbered(label, _CARRIED)


def _is_numbered(label: str, prefix: str) -> bool:
    return label.startswith(prefix) and label.removeprefix(prefix).isdigit()


def turn_over(
    closing: Closing,
    *,
    following: Stage,
    next_phase: Stage | None = None,
    needs: Sequence[Need] = (),
    audit: Sequence[str] = (),
    documented: Collection[int] = (),
    policy: Policy = Policy.NEXT,
    answers: Mapping[str, str] | None = None,
    answered_by: str = "",
    decision: Decision | None = None,
) -> Turnover:
    """What an advance does to the loop; its dates and title are filled in by `begun_as`.

    `following` is the stage that comes if nothing is decided (of the first iteration: its stage), `next_phase` the one
    after this phase, None before the first iteration. `needs` are the exit tickets of the phase and, where its exit
    asks for it, the closing iteration's record; `audit` says in words what an audit found lacking, `documented` are the
    iterations whose records it found complete. `answers` are policies by item key, by what people call a ticket
    (ML-12), or by `EVERYTHING`.

    The phase is over when nothing is lacking, and stays as it is else; a phase without exit tickets also continues for
    as long as it was planned. A decision overrides both. Every ticket of the closing iteration that is not done is
    carried exactly once. Meetings that are over and the record of an iteration that is documented are not carried but
    completed, unless somebody answered for their ticket, or what is not done is left. Raises ValueError for an answer
    that is no policy.
    """
    turn = closing.turn
    lacking = (*_lacking(needs), *audit)
    move, stage = _coming(turn, following, next_phase, needs, lacking, decision)
    number = turn.number if turn is not None else 0
    begins = number + 1 if stage is not None else 0
    deciding = _Deciding(number, begins, policy, answers or {}, answered_by or "a person", documented)
    return Turnover(
        closes=number,
        begins=begins,
        move=move,
        stage=stage,
        carried=tuple(deciding.carried(one, closing.times) for one in unfinished(closing.contents)),
        lacking=lacking,
        decision=decision,
        contents=closing.contents,
    )


def begun_as(turnover: Turnover, turn: Turn, title: str) -> Turnover:
    """The turnover with the dates and the title of the iteration that it begins."""
    return replace(turnover, dates=turn.dates, starts=turn.starts, ends=turn.ends, title=title)


def unfinished(contents: Sequence[Content]) -> Iterator[Content]:
    """The tickets that are not done, each once, in the order of the tracker."""
    seen: set[str] = set()
    for content in contents:
        ticket = content.key is None or kind_of(content.key) not in _NOT_A_TICKET
        if ticket and content.status != "done" and content.ref.id not in seen:
            seen.add(content.ref.id)
            yield content


def taken_up(earlier: Turnover, now: Turnover, moved: Collection[ItemKey]) -> Turnover:
    """The turnover of an advance that stopped after it had written something, and looked again.

    What the loop does stays as it was decided then, unless a person decides otherwise now: the coming iteration may
    have been made already. `moved` are the tickets that it had carried to where they go: they are in the closing
    iteration no more, and count as they were found there. What people took out of it meanwhile is theirs.
    """
    again = {one.ref.id for one in now.contents}
    kept = tuple(one for one in earlier.contents if one.ref.id not in again and _stays_counted(one, moved))
    keys = {key_of(one) for one in kept}
    decided_anew = now.decision is not None and now.decision != earlier.decision
    loop = now if decided_anew else earlier
    return replace(
        loop,
        carried=(*(replace(one, moved=True) for one in earlier.carried if one.key in keys), *now.carried),
        contents=(*kept, *now.contents),
    )


def _stays_counted(content: Content, moved: Collection[ItemKey]) -> bool:
    return content.status == "done" or key_of(content) in moved


def _lacking(needs: Sequence[Need]) -> Iterator[str]:
    for need in needs:
        if need.status is None:
            yield f'"{need.title}" is not in the tracker'
        elif need.status != "done":
            adrift = " and in no iteration" if need.adrift else ""
            yield f'"{need.title}" is {"in progress" if need.status == "doing" else "not begun"}{adrift}'


def _coming(
    turn: Turn | None,
    following: Stage,
    next_phase: Stage | None,
    needs: Sequence[Need],
    lacking: Sequence[str],
    decision: Decision | None,
) -> tuple[Move, Stage | None]:
    """What follows, and the stage of the iteration that begins (None: the project ends)."""
    if decision is not None and decision.move is Move.END:
        return Move.END, None
    if turn is None:
        return Move.BEGIN, following
    again = replace(turn.stage, of_phase=turn.stage.of_phase + 1)
    onward = next_phase if next_phase is not None else following
    match decision.move if decision is not None else None:
        case Move.BACK if decision is not None and decision.phase is not None:
            return Move.BACK, back_to(turn.stage, decision.phase)
        case Move.STAY:
            return Move.STAY, again
        case Move.NEXT:
            stage = onward
        case _:
            planned = all(need.key == record_key(turn.number) for need in needs)
            stage = again if lacking else following if planned else onward
    return (Move.STAY if stage.phase == turn.stage.phase else Move.NEXT), stage


@dataclass(frozen=True, slots=True)
class _Deciding:
    """What becomes of unfinished tickets when iteration `closes` gives way to `begins` (0: the project ends)."""

    closes: int
    begins: int
    policy: Policy
    answers: Mapping[str, str]
    answered_by: str
    documented: Collection[int] = ()

    def carried(self, content: Content, times: Mapping[ItemKey, int]) -> Carried:
        key = key_of(content)
        policy, by = self._decided(key, content)
        if policy is Policy.NEXT and not self.begins:
            policy, by = Policy.LEAVE, BY_POLICY
        onward = policy is Policy.NEXT
        return Carried(
            key=key,
            title=content.title,
            policy=policy,
            to=self.begins if onward else None,
            times=times.get(key, 0) + onward,
            decided_by=by,
            person=content.person,
            points=content.points,
        )

    def _decided(self, key: ItemKey, content: Content) -> tuple[Policy, str]:
        for name in (key, content.ref.key):
            if name in self.answers:
                return Policy(self.answers[name]), self.answered_by
        found = self.policy, BY_POLICY
        if EVERYTHING in self.answers:
            found = Policy(self.answers[EVERYTHING]), self.answered_by
        if found[0].moves and (is_past_meeting(key, self.closes) or record_number(key) in self.documented):
            return Policy.COMPLETE, BY_POLICY
        return found


def is_past_meeting(key: ItemKey, number: int) -> bool:
    """Whether this is the meetings' ticket of an iteration that is over: there is nothing left to hold."""
    of = _number_in(key, "ceremonies")
    return of is not None and of <= number
