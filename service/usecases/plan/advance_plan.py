"""Making the plan of an advance: what the current iteration holds, what becomes of it, which one begins, and what
that one needs. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from connectors.port import Tracker
from connectors.values import Capabilities, Content, Finding, ItemKey, ItemKind, ObservedItem, Place
from service.context import Context
from service.domain.audit.outcome import GateAnswer
from service.domain.loop import figures
from service.domain.loop.course import (
    Begun,
    Course,
    Stage,
    course,
    exit_tickets,
    following,
    next_phase,
    phase_of,
)
from service.domain.loop.turnover import (
    Carried,
    Closing,
    Decision,
    Move,
    Need,
    Turnover,
    begun_as,
    iteration_key,
    iteration_label,
    policy_of,
    record_key,
    taken_up,
    turn_over,
)
from service.domain.plan import conflicts, mapping_findings, orphaned, placement
from service.domain.plan.continuation import brought_back, continued, foreseen
from service.domain.plan.desired import fitting_findings, taken_by_people
from service.domain.plan.diff import NOTHING, diff, without_lost
from service.domain.plan.overlay import (
    extra_items,
    guest_refs,
    guests_shown,
    guests_standing,
    overlay,
    turnover_findings,
    without_carried,
)
from service.domain.plan.plan import Change, Drift, Plan, Purpose, Reason
from service.domain.team.team import Team
from service.store import items
from service.usecases.plan import deletions, members, planning, record_gate
from service.usecases.plan.planning import Draft
from service.usecases.plan.project_state import Material
from service.usecases.setup import project_identity

PHASES_CHANGED = "the order of the phases changed"
"""Why a dependency is no longer managed where the course of the loop took it away."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people said about an advance: `answers` say what becomes of unfinished tickets, by item key, by what people
    call them, or `*`; `decision` what comes next. `earlier` is the plan of an attempt that did not come to its end. An
    advance before its time begins the next iteration today, unless it is to be `as_planned`."""

    answers: Mapping[str, str] = field(default_factory=dict)
    answered_by: str = ""
    decision: Decision | None = None
    earlier: Turnover | None = None
    as_planned: bool = False


def drafted(context: Context, ours: Material, wishes: Wishes, gate: record_gate.Ask) -> Draft:
    """The plan that closes the current iteration and begins the next one, or ends the project. `gate` is asked
    whether the records allow it.

    Raises InvalidInput where the template cannot say what comes next, TrackerError when the tracker cannot be read.
    What blocks it is in the plan's findings.
    """
    today = context.now().astimezone(ours.calendar.zone).date()

    def asked(tracker: Tracker, place: Place) -> GateAnswer | None:
        return gate(context, ours, tracker, ours.current, place) if ours.current else None

    return planning.drafted(context, ours, lambda tracker: _plan(context, tracker, ours, wishes, asked, today))


def _plan(
    context: Context,
    tracker: Tracker,
    ours: Material,
    wishes: Wishes,
    asked: Callable[[Tracker, Place], GateAnswer | None],
    today: date,
) -> tuple[Plan, Capabilities]:
    spec = replace(planning.spec_of(ours.project, ours.method), create=False)
    found = project_identity.locate(context, tracker, ours.project, spec)
    if found.findings:
        return planning.not_there(tracker, ours, found, Purpose.ADVANCE)
    spec, place = found.spec, found.place
    if place is None:
        plan = planning.bare_plan(ours, spec, None, Purpose.ADVANCE)
        return replace(
            plan, findings=tuple(deletions.project_findings(ours.project, ours.kind, found.put_away))
        ), tracker.assumed(spec)
    able = place.capabilities
    seen = _observed_first(tracker, place, ours, wishes)
    answer = asked(tracker, place)
    turnover = _turnover(ours, _closing(tracker, place, ours, seen), seen, wishes, answer)
    way = _course(ours, turnover, None if wishes.as_planned else today)
    team, people = members.still_there(tracker, place, ours)
    moving = _moving(turnover)
    continuing = _continued(ours, way, seen, turnover, continued)
    coming = {**_continued(ours, way, seen, turnover, foreseen), **continuing}
    turnover = replace(turnover, continued=continuing)
    due = ours.current + 1 if turnover.begins else ours.current
    decided = {one.key for one in turnover.carried}
    back = brought_back(continuing, ours.recorded, ours.continued) - decided
    laid = planning.lay_out(ours, way, due, moving, live_from=ours.current, continuing=coming, brought_back=back)
    turnover = _dated(turnover, laid)
    assignment = planning.assigned(ours, laid, team, _holders(turnover, people.accounts, team))
    times = {**ours.times, **{one.key: one.times for one in turnover.carried}}
    wanted = planning.wanted_items(laid, assignment, people.accounts, able, ours.recorded, times)
    shelved = ours.shelved | {key for key, to in moving.items() if to is None}
    about = placement.concerned(ours.recorded, laid.live, laid.whole, laid.live_from, shelved)
    observed = planning.observed_by(tracker, place, ours, about, wanted, seen)
    moved = deletions.moved_away(tracker, place, about, observed)
    wanted = taken_by_people(without_lost(wanted, about, observed), about, observed)
    changes: list[Change] = []
    drift: list[Drift] = []
    if turnover.begins:
        changes, drift = diff(wanted, about, observed, assignment.notes)
        changes = _off_the_course(changes)
        out, items_out = orphaned.taken_out(laid.stranded, laid.whole.put_off, ours.recorded, observed, able)
        changes, wanted = changes + out, wanted + items_out
    changes = overlay(changes, turnover, wanted, observed, ours.recorded, able)
    wanted += extra_items(turnover, wanted, ours.recorded, able)
    findings = [
        *found.news,
        *turnover_findings(turnover, observed, ours.recorded, able, ours.project.key),
        *fitting_findings(laid.live, able),
        *tracker.check(spec, place, [item for item in wanted if item.kind is not ItemKind.GUEST]),
        *mapping_findings.findings(ours.connection.name, place, wanted),
        *deletions.item_findings(ours.project, wanted, about, observed, NOTHING),
        *_crowded(ours, turnover),
        *record_gate.findings(ours, answer, let_through=wishes.earlier is not None),
        *people.findings,
    ]
    plan = replace(
        planning.bare_plan(ours, spec, place, Purpose.ADVANCE),
        changes=tuple(changes),
        items=tuple(wanted),
        known=planning.known_to(ours, observed) | guest_refs(turnover),
        observed=guests_shown(turnover) | {key: one.fields for key, one in observed.items()},
        stood=guests_standing(turnover) | {key: conflicts.stands(one) for key, one in observed.items()},
        drift=tuple(without_carried(deletions.told_as_moved(drift, moved), turnover, able)),
        vacancies=tuple(planning.vacancies(assignment, wanted, about, observed)) if turnover.begins else (),
        findings=tuple(findings),
        people=planning.named_with(tracker, place, ours, people.accounts, changes, drift),
        turnover=turnover,
    )
    return plan, able


def _off_the_course(changes: Sequence[Change]) -> list[Change]:
    """The changes; dependencies that are not managed any more though both ends are get the true reason, in which the
    template has no part: a record, or what comes again, waits for something else now."""
    gone = {change.key for change in changes if change.reason is Reason.LEFT_THE_TEMPLATE}
    return [
        replace(change, note=PHASES_CHANGED)
        if change.kind is ItemKind.LINK and change.key in gone and not gone & set(_ends(change.key))
        else change
        for change in changes
    ]


def _ends(link: ItemKey) -> tuple[ItemKey, ...]:
    """The two items of a dependency, by its key."""
    ends = str(link).removeprefix("link:").split(">")
    return tuple(ItemKey(end if ":" in end else f"ticket:{end}") for end in ends)


# --- what is there ----------------------------------------------------------------------------------------------------


def _observed_first(tracker: Tracker, place: Place, ours: Material, wishes: Wishes) -> Mapping[ItemKey, ObservedItem]:
    """What the tracker shows of all that may matter before it is known what comes next: what is not history, what the
    phase's exit asks for and, where phases are entered again, what was not done and not carried on."""
    former = {key for key, number in placement.tickets_in(ours.recorded).items() if number < ours.current}
    former |= {key for key in ours.known if (placement.number_in(key) or ours.current) < ours.current}
    needed = {*_exit(ours), record_key(ours.current)} if ours.current else set()
    back = wishes.decision is not None and wishes.decision.move is Move.BACK
    if back or (ours.begun and ours.begun[-1].stage.loop > 1):
        needed |= ours.left_open
    readable = items.readable(ours.known)
    only = [key for key in readable if key in needed or key not in former | ours.shelved]
    return tracker.find(place, readable, only=only)


def _exit(ours: Material) -> tuple[ItemKey, ...]:
    return exit_tickets(ours.template, ours.parameters, [one.stage for one in ours.begun], ours.continued)


def _continued(
    ours: Material,
    way: Course,
    seen: Mapping[ItemKey, ObservedItem],
    turnover: Turnover,
    along: Callable[..., dict[ItemKey, ItemKey]],
) -> dict[ItemKey, ItemKey]:
    """The open tickets that phases entered again continue with, `along` the course or beyond its end, by what the
    tracker shows now."""
    statuses = {key: one.status for key, one in seen.items()}
    statuses |= {one.key: one.status for one in turnover.contents if one.key is not None}
    return along(ours.template, ours.parameters, way, ours.recorded, statuses, ours.continued)


def _closing(tracker: Tracker, place: Place, ours: Material, seen: Mapping[ItemKey, ObservedItem]) -> Closing:
    """The current iteration, with its tickets. Where somebody deleted it, those of ours that were in it."""
    if not ours.current:
        return Closing(times=ours.times)
    found = going_on(tracker, place, ours)
    contents = found if found is not None else _were_in(ours, seen)
    turn = course(ours.template, ours.parameters, ours.calendar, ours.begun).turn(ours.current)
    return Closing(turn, tuple(contents), ours.times)


def going_on(tracker: Tracker, place: Place, ours: Material) -> Sequence[Content] | None:
    """The tickets now in the current iteration; None if somebody deleted it."""
    key = iteration_key(ours.current)
    able = place.capabilities.iterations
    ours_there = {key: ref for key, ref in ours.known.items() if ours.recorded[key].kind is not ItemKind.LINK}
    iterations = {key: ours.known[key]} if able and key in ours.known else {}
    labels = {} if able else {key: iteration_label(ours.current)}
    found = tracker.contents(place, ours_there, iterations, labels).get(key)
    return [_as_we_say(one, ours) for one in found] if found is not None else None


def _as_we_say(content: Content, ours: Material) -> Content:
    """People called as in the team, and the estimate told by a label where the tracker has none. A ticket that carries
    our marker and was released is people's own from then on."""
    points = content.points if content.points is not None else figures.points_said(content.labels)
    person = ours.people.get(content.assignee or "", content.person)
    return replace(content, key=content.key if content.key in ours.known else None, person=person, points=points)


def _were_in(ours: Material, seen: Mapping[ItemKey, ObservedItem]) -> list[Content]:
    """Our tickets that were in the current iteration and are in none now."""
    placed = placement.tickets_in(ours.recorded)
    return [
        Content(
            one.ref,
            str(one.fields.get("title") or key),
            one.status,
            key,
            points=one.fields.get("points"),
            assignee=one.fields.get("assignee"),
            person=ours.people.get(one.fields.get("assignee") or "", ""),
            labels=tuple(one.fields.get("labels") or ()),
        )
        for key, one in seen.items()
        if placed.get(key) == ours.current and one.fields.get("iteration") is None
    ]


# --- what becomes of it -----------------------------------------------------------------------------------------------


def _turnover(
    ours: Material,
    closing: Closing,
    seen: Mapping[ItemKey, ObservedItem],
    wishes: Wishes,
    answer: GateAnswer | None,
) -> Turnover:
    stage = ours.begun[-1].stage if ours.begun else None
    found = turn_over(
        closing,
        following=following(ours.template, ours.parameters, stage) if stage else Stage(ours.template.phases[0].key),
        next_phase=next_phase(ours.template, stage) if stage else None,
        needs=_needs(ours, stage, seen, record=not record_gate.counts(answer)) if stage else (),
        audit=record_gate.keeping(ours, answer),
        documented=answer.documented if answer is not None else (),
        policy=policy_of(ours.turning.carry_over),
        answers=wishes.answers,
        answered_by=wishes.answered_by,
        decision=wishes.decision,
    )
    return taken_up(wishes.earlier, found, _moved(ours, wishes.earlier)) if wishes.earlier is not None else found


def _needs(ours: Material, stage: Stage, seen: Mapping[ItemKey, ObservedItem], *, record: bool) -> list[Need]:
    """What must be done before the phase is over, the `record`'s ticket among it where nobody looks into that."""
    keys = list(_exit(ours))
    if record and phase_of(ours.template, stage.phase).exit.record:
        keys.append(record_key(ours.current))
    return [
        Need(key, _title(ours, key), seen[key].status if key in seen else None, _is_adrift(ours, key, seen))
        for key in keys
    ]


def _is_adrift(ours: Material, key: ItemKey, seen: Mapping[ItemKey, ObservedItem]) -> bool:
    """Whether a ticket that is there is in no iteration, by our records or because somebody took it out."""
    if key not in seen or key not in ours.recorded:
        return False
    taken_out = seen[key].fields.get("iteration", "") is None
    return taken_out or placement.iteration_of(ours.recorded[key]) is None


def _title(ours: Material, key: ItemKey) -> str:
    known = ours.recorded.get(key)
    return str(known.wanted.get("title") or key) if known is not None else key


def _moved(ours: Material, earlier: Turnover) -> set[ItemKey]:
    """What of the earlier attempt's is where it was to go, by our records; what it left is wherever the tracker put
    it."""

    def is_there(one: Carried) -> bool:
        record = ours.recorded.get(one.key)
        if not one.policy.moves:
            return True
        return record is not None and record.ref is not None and placement.iteration_of(record) == one.to

    return {one.key for one in earlier.carried if is_there(one)}


def _moving(turnover: Turnover) -> dict[ItemKey, int | None]:
    """Where the turnover takes tickets of ours."""
    return {one.key: one.to for one in turnover.carried if one.policy.moves and not one.key.startswith(figures.GUEST)}


def _course(ours: Material, turnover: Turnover, today: date | None) -> Course:
    """The course with the coming iteration as decided. Begun before its time, it begins today and ends as planned."""
    if not turnover.begins:
        return course(ours.template, ours.parameters, ours.calendar, ours.begun, ahead=1)
    first, last = ours.coming_dates
    closed = [*ours.begun[:-1], *(replace(one, closed=True) for one in ours.begun[-1:])]
    if last is None:
        planned = _along(ours, closed, turnover, first, None, 1).turn(turnover.begins)
        if today is not None and today < planned.dates.first:
            first, last = today, planned.dates.last
    return _along(ours, closed, turnover, first, last, ours.ahead(turnover.begins))


def _along(
    ours: Material, begun: Sequence[Begun], turnover: Turnover, first: date | None, last: date | None, ahead: int | None
) -> Course:
    return course(
        ours.template,
        ours.parameters,
        ours.calendar,
        begun,
        coming=turnover.stage,
        coming_first=first,
        coming_last=last,
        ahead=ahead,
        reach=ours.reach,
        rounds=ours.rounds,
    )


def _dated(turnover: Turnover, laid: planning.Layout) -> Turnover:
    """The turnover with dates and title of what it begins."""
    if not turnover.begins:
        return turnover
    key = iteration_key(turnover.begins)
    title = next(iteration.title for iteration in laid.live.iterations if iteration.key == key)
    return begun_as(turnover, laid.course.turn(turnover.begins), title)


def _holders(turnover: Turnover, accounts: Mapping[str, str], team: Team) -> dict[ItemKey, str]:
    """Who has what is carried, as the tracker shows it: people hand tickets on."""
    people = planning.named(team, accounts)
    keys = {one.key for one in turnover.carried}
    return {
        one.key: people[one.assignee]
        for one in turnover.contents
        if one.key in keys and one.key is not None and one.assignee in people
    }


def _crowded(ours: Material, turnover: Turnover) -> list[Finding]:
    found = figures.wip_finding(turnover.closes, turnover.contents, ours.turning.wip_limit) if turnover.closes else None
    return [found] if found is not None else []
