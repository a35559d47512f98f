"""The play: day by day the team works in the tracker, and the service does what is due when it is due."""

from __future__ import annotations

import re
import time as machine
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from connectors.values import RemoteRef
from service import schedule
from service.context import Context
from service.domain.audit import rules as audit_rules
from service.domain.audit.audit import holding
from service.domain.audit.outcome import Audited, Check, Gate, Verdict, Weight
from service.domain.english import counted
from service.domain.loop import loop_state
from service.domain.loop.course import phase_of
from service.domain.loop.turnover import Move, Policy, Turnover
from service.domain.plan import run_state
from service.domain.plan.plan import Plan
from service.domain.plan.plan_json import place_from_json, plan_from_json
from service.domain.team.calendar import DateRange, working_days
from service.domain.team.team import Team
from service.domain.template.reader import read_template
from service.store import audits, dues, runs
from service.store.tables import EventRow, PlanRow, RunRow
from service.templates import TemplateText
from service.usecases.audit import history, waiver_log
from service.usecases.loop import decisions, scheduling
from service.usecases.plan import planning
from service.usecases.plan.project_state import Material, material
from service.usecases.run import plan_apply, run_views
from service.usecases.setup import projects, teams
from service.views.run import RunView
from simulation import report
from simulation.cast import Character, characters
from simulation.crew import Crew
from simulation.office import Office
from simulation.records import Manner
from simulation.report import Entry, Held, Noted, Report, WentOn, Wrote
from simulation.scribes import Setting
from simulation.stage import Stage

KEY, NAME = "ML", "ML simulation"

LEAD = "delivery lead"
"""Who decides in the play."""

PATIENCE = 180.0
"""Seconds of the machine's time for one run; it takes about one."""

WAIVED_FOR = timedelta(days=200)
"""For how long the lead lets pass what a record lacks."""

PATIENT_FOR = 6
"""Working days of the next iteration that the lead waits before that."""

_WHY_WAIVED = "The team has moved on, and nobody can write it any more."
_SAYING = (Verdict.DOCUMENTED.value, Verdict.PARTLY.value, Verdict.UNDOCUMENTED.value)

_TAKE, _LOOK_ROUND, _FIX, _FINISH, _WIND_UP, _TROUBLE, _ANSWER = (
    time(10), time(12), time(13), time(16), time(15), time(16, 30), time(18)
)  # fmt: skip


class Stuck(Exception):
    """A run of the product did not do what it should; the message says which and what it found."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is played: this team goes by this template for so many months, `first` being the first day of its first
    iteration. Nothing runs in `down`; `trouble` has somebody do what they should not, twice."""

    template: TemplateText
    team: Team
    first: date
    months: int = 6
    tracker: str = "jira"
    method: str = "scrum"
    seed: int = 1
    values: Mapping[str, str] = field(default_factory=dict)
    turning: Mapping[str, Any] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=lambda: {"gate": Gate.WARN.value})
    down: DateRange | None = None
    trouble: bool = True

    @property
    def zone(self) -> ZoneInfo:
        """The project's time zone."""
        return ZoneInfo(self.team.zone or "UTC")

    @property
    def last(self) -> date:
        """The last day that is played."""
        months = self.first.month - 1 + self.months
        year, month = self.first.year + months // 12, months % 12 + 1
        return min(date(year, month, 28), date(year, month, min(self.first.day, 28))) - timedelta(days=1)

    @property
    def span(self) -> DateRange:
        """All days that are played."""
        return DateRange(self.first, self.last)

    @property
    def opens(self) -> datetime:
        """When the project is set up: some days before its first iteration."""
        return datetime.combine(self.first - timedelta(days=4), time(10), self.zone)


class Play:
    """One project, played from the plan to the last day. `tell` is given everything as it happens; `evening` is called
    on the last working day of each iteration, when its work is done and nobody has meddled with its end yet."""

    def __init__(
        self,
        stage: Stage,
        script: Script,
        tell: Callable[[Entry], None] = lambda _entry: None,
        evening: Callable[[], None] = lambda: None,
    ) -> None:
        self._stage, self._script, self._tell, self._evening = stage, script, tell, evening
        self._context: Context = stage.context
        self._entries: list[Entry] = []
        self._people: list[Character] = characters(script.team, script.seed, script.span)
        self._template = read_template(script.template.text, script.template.source)
        self._known: Material | None = None
        self._looks: dict[str, int] = {}
        self._in_the_way = False
        self._decided = False
        drawn = Random(f"trouble {script.seed}")
        self._closes_by_hand, self._gets_in_the_way = drawn.randint(2, 4), drawn.randint(5, 8)
        self._patience = drawn.randint(1, 2)
        self._lacking: set[str] = set()
        self._verdicts: dict[int, tuple[str, ...]] = {}
        self._leaves: date | None = script.first + timedelta(days=int(script.months * 30 * drawn.uniform(0.4, 0.7)))
        self.project_id = ""

    @property
    def known(self) -> Material:
        """The project as the product knows it now."""
        if self._known is None:
            self._known = material(self._context, self.project_id)
        return self._known

    def run(self) -> Report:
        """Play it all. Raises Stuck, and what the product raises for what cannot be played (InvalidInput above all)."""
        self._build()
        day = self._script.opens.date()
        while day <= self._script.last and self.known.project.ended_at is None:
            self._day(day)
            day += timedelta(days=1)
        return self._report()

    def _build(self) -> None:
        script = self._script
        self._stage.connect(script.tracker)
        self._stage.admit(script.team)
        teams.put(self._context, script.team)
        given: dict[str, str] = {"start_date": script.first.isoformat(), "method": script.method}
        named = {name: value for name, value in given.items() if name in self._template.parameters}
        request = projects.Request(
            name=NAME,
            key=KEY,
            connection=script.tracker,
            team=script.team.name,
            template=script.template,
            parameters={**named, **script.values},
            create=True,
            turning=script.turning,
            audit=script.audit,
        )
        self.project_id = projects.put(self._context, request).id
        kept = planning.make_plan(self._context, self.project_id)
        run = plan_apply.apply(self._context, kept.id, LEAD, self._stage.enqueue)
        self._await(run.id)
        done = run_views.progress(self._context, run.id)
        if done.run.state != run_state.COMPLETED:
            raise Stuck(_why(done.run))
        with self._context.database.session() as session:
            opened = session.get_one(RunRow, run.id).place
        assert opened is not None  # noqa: S101 - it was opened
        place: RemoteRef = place_from_json(opened).ref
        emails = [person.email for person in self._people]
        self.office: Office = self._stage.office(place.key, place.id, emails)
        self._crew = Crew(self.office, self._people, script.seed, self._told_of_record)
        requests = kept.reads + done.requests.reads, kept.writes + done.requests.writes
        self._note(report.built(planning.plan_of(kept), self._now(), requests))

    def _day(self, day: date) -> None:
        """One calendar day. What is due in the night or on a free day is done on the way to the next morning."""
        if not self.known.calendar.is_working(day):
            return
        for clock, scene in (
            (_TAKE, self._take),
            (_LOOK_ROUND, self._look_round),
            (_FIX, self._fix),
            (_WIND_UP, self._wind_up),
            (_FINISH, self._finish),
            (_TROUBLE, self._make_trouble),
            (_ANSWER, self._answer),
        ):
            self._until(self.known.calendar.at(day, clock))
            if self.known.current and self.known.project.ended_at is None:
                scene(day)

    def _until(self, instant: datetime) -> None:
        """Let time pass, and have the service do what is due meanwhile, unless it is down."""
        down = self._script.down
        if down is not None and instant.date() in down:
            self._stage.rest()
            self._stage.clock.jump(instant)
            return
        if down is not None and instant.date() > down.last and not self._stage.awake:
            self._stage.clock.jump(instant)
            self._stage.wake()
        while (due := self._next_due()) is not None and due <= instant:
            self._stage.clock.jump(due)
            begun = schedule.fire(self._context, self._stage.clock())
            if not begun:
                break
            for workflow, partition in begun:
                self._stage.enqueue(workflow, partition)
                self._await(runs.run_id_of(workflow))
                self._after(runs.run_id_of(workflow))
        self._stage.clock.jump(instant)

    def _next_due(self) -> datetime | None:
        with self._context.database.session() as session:
            return dues.first(session)

    def _await(self, run_id: str) -> None:
        """Wait until a run has ended or is held; where it waits for its time, that comes at once."""
        deadline = machine.monotonic() + PATIENCE
        while machine.monotonic() < deadline:
            with self._context.database.session() as session:
                run = session.get_one(RunRow, run_id)
            if run.state in run_state.ENDED or run.state == run_state.HELD:
                self._known = None
                return
            if run.state == run_state.WAITING and run.waiting_until is not None:
                self._stage.clock.jump(run.waiting_until)
            machine.sleep(0.03)
        raise Stuck(f"The run {run_id} does not come to an end.")

    def _after(self, run_id: str) -> None:
        """Tell what a run did: one of the loop what it turned, a look at the records which verdicts are others now."""
        with self._context.database.session() as session:
            run = session.get_one(RunRow, run_id)
            row = session.get(PlanRow, run.plan_id) if run.plan_id is not None else None
        if run.kind == loop_state.AUDIT and run.state in (run_state.HELD, run_state.COMPLETED):
            self._judge()
            return
        looks = self._looks[run_id] = self._looks.get(run_id, 0) + 1
        number = run.iteration or 0
        if run.state == run_state.HELD:
            if looks == 1:
                said = tuple((self._plain(found["message"]), self._plain(found["fix"])) for found in run.findings)
                self._note(Held(self._now(), number, said))
            return
        if run.state not in (run_state.COMPLETED, run_state.INCOMPLETE):
            raise Stuck(_why(run))
        if run.kind == loop_state.PROPOSE:
            self._note_event(f"proposed:{number}")
            return
        if looks > 1:
            self._note(WentOn(self._now(), number, looks))
        if row is not None:
            self._turned(run, plan_from_json(row.body))
        self._judge()

    def _told_of_record(self, number: int, manner: Manner, did: str, person: str) -> None:
        self._note(Wrote(self._now(), number, manner.value, did, person))

    def _judge(self) -> None:
        """Tell of the iterations about which the audit says something else than before."""
        for number, audited in self._audited().items():
            verdict = report.judged(self._now(), audited)
            if verdict.verdict in _SAYING and self._verdicts.get(number) != (said := verdict.said):
                self._verdicts[number] = said
                self._note(verdict)

    def _audited(self) -> dict[int, Audited]:
        """What the audit says of the iterations, as it is known now."""
        with self._context.database.session() as session:
            return {number: audits.audited(row) for number, row in audits.rows(session, self.project_id).items()}

    def _setting(self) -> Setting:
        """The current iteration, as the team knows it."""
        phase = phase_of(self._template, self.known.begun[-1].stage.phase)
        weight = audit_rules.weights_of(self._template, phase, audit_rules.ProjectAudit()).get(Check.PERFORMANCE)
        role = phase.record.sign_off
        signers = tuple(one.email for one in self._script.team.members if one.email is not None and role in one.roles)
        return Setting(self.known.current, phase.key, signers, live=weight is not Weight.OFF)

    def _plain(self, text: object) -> str:
        """The text without the sandbox's port, which is another each time."""
        return str(text).replace(self._stage.url, "http://sandbox")

    def _turned(self, run: RunRow, plan: Plan) -> None:
        turnover = plan.turnover
        self._lacking = set(re.findall('"(.*)" is ', "\n".join(turnover.lacking))) if turnover else set()
        assert turnover is not None  # noqa: S101 - plans of an advance have one
        found = {past.row.number: past for past in history.history(self._context, self.project_id).iterations}
        if turnover.closes:
            named = self._script.tracker != "trello"  # there, names are drawn at random: titles tell
            self._note(report.closed(found[turnover.closes], turnover, self._phase(turnover), named=named))
        if turnover.begins:
            used = run_views.progress(self._context, run.id).requests
            turn = scheduling.course_of(self.known, ahead=1).turn(turnover.begins)
            past = found[turnover.begins]
            title = phase_of(self._template, past.row.phase).title
            requests = used.reads, used.writes
            calendar = self.known.calendar
            self._note(report.began(past, plan, run, turn, self._script.team, calendar, title, requests))

    def _phase(self, turnover: Turnover) -> str:
        return phase_of(self._template, turnover.stage.phase).title if turnover.stage is not None else ""

    def _take(self, day: date) -> None:
        for person in self._people:
            if days := person.falls_ill(day, self.known.calendar):
                self._note(Noted(self._now(), f"{person.person} falls ill, for {counted(days, 'day')}"))
        self._leave(day)
        self._crew.morning(day, self.known.current)

    def _leave(self, day: date) -> None:
        """Somebody whose roles others hold too leaves for good; nobody says so in the team file."""
        if not self._script.trouble or self._leaves is None or day < self._leaves:
            return
        self._leaves = None
        members = self._script.team.members
        spare = (
            member
            for member in reversed(members)
            if member.email is not None
            if all(any(role in other.roles for other in members if other is not member) for role in member.roles)
        )
        gone = next(spare, None)
        if gone is not None and gone.email is not None and self._stage.close_account(gone.email):
            self._people = [person for person in self._people if person.email != gone.email]
            self._crew.without(gone.email)
            self._note(Noted(self._now(), f"{gone.person} leaves: the account is closed"))

    def _look_round(self, day: date) -> None:
        days = self._days()
        if days[1:2] == [day]:
            for text in self._crew.bring_back(self._lacking, self.known.current):
                self._note(Noted(self._now(), text))
        if days[PATIENT_FOR : PATIENT_FOR + 1] == [day]:
            self._let_pass(day)
        if day in days and days.index(day) == len(days) // 2:
            for text in self._crew.surprise(day, self.known.current):
                self._note(Noted(self._now(), text))
            self._steer()

    def _let_pass(self, day: date) -> None:
        """What records of iterations that are over still lack by then, the lead waives for some time."""
        until = day + WAIVED_FOR
        for number, audited in self._audited().items():
            checks = [one.check for one in holding(audited)]
            if not checks or audited.verdict is Verdict.PENDING:
                continue
            for check in checks:
                waiver_log.waive(
                    self._context, self.project_id, check, number=number, by=LEAD, reason=_WHY_WAIVED, until=until
                )
            what = f"{', '.join(checks)} of iteration {number} pass until {until}"
            self._note(Noted(self._now(), f"the {LEAD} lets {what}: {_WHY_WAIVED}"))
        self._judge()

    def _steer(self) -> None:
        """In the last phase, once the lead has seen enough of it: decide to go back, and build better."""
        phases, stage = self._template.phases, self.known.begun[-1].stage
        if self._decided or len(phases) < 2 or stage.phase != phases[-1].key or stage.of_phase < self._patience:
            return
        self._decided = True
        reason = "What users say asks for more than repairs: the model is to be built anew with their data."
        decisions.decide(
            self._context, self.project_id, Move.BACK, phases[max(0, len(phases) - 3)].key, reason, by=LEAD
        )
        self._known = None
        title = phases[max(0, len(phases) - 3)].title
        self._note(Noted(self._now(), f"the {LEAD} decides to go back to {title} after this iteration: {reason}"))

    def _fix(self, day: date) -> None:
        if self._in_the_way and day not in self._days():
            self._in_the_way = False
            self._note(Noted(self._now(), self.office.fix()))

    def _wind_up(self, day: date) -> None:
        if self._is_last(day):
            self._crew.wind_up(day, self._setting())

    def _finish(self, day: date) -> None:
        self._crew.afternoon(day)
        self._crew.sign(day)

    def _make_trouble(self, day: date) -> None:
        if not self._is_last(day):
            return
        self._evening()
        if not self._script.trouble:
            return
        if self.known.current == self._closes_by_hand and self.office.close_by_hand():
            self._note(Noted(self._now(), "somebody completes the iteration by hand, before it has ended"))
        if self.known.current == self._gets_in_the_way and (text := self.office.get_in_the_way()):
            self._in_the_way = True
            self._note(Noted(self._now(), text))

    def _answer(self, day: date) -> None:
        """Where it is proposed to carry over again what was carried before, the lead says no now and then."""
        if not self._is_last(day) or self.known.turning.carry_over != "ask":
            return
        proposed = self._event(f"proposed:{self.known.current}")
        for one in proposed.data["carried"] if proposed is not None else ():
            drawn = Random(f"answer {self._script.seed} {one['title']} {self.known.current}")
            if (
                self.known.times.get(one["key"], 0) >= 1
                and not one["key"].startswith("record:")
                and drawn.random() < 0.3
            ):
                answers = {one["key"]: Policy.BACKLOG.value}
                decisions.answer(self._context, self.project_id, answers, by=LEAD)
                self._note(Noted(self._now(), f'the {LEAD} answers: "{one["title"]}" goes to the backlog'))
        self._known = None

    def _days(self) -> list[date]:
        """The working days of the current iteration."""
        return working_days(self.known.begun[-1].dates, self.known.calendar)

    def _is_last(self, day: date) -> bool:
        return self._days()[-1:] == [day]

    def _now(self) -> datetime:
        return report.local(self._context, self.known.calendar)

    def _note(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._tell(entry)

    def _event(self, name: str) -> EventRow | None:
        query = select(EventRow).where(EventRow.project_id == self.project_id, EventRow.name == name)
        with self._context.database.session() as session:
            return session.scalar(query)

    def _note_event(self, name: str) -> None:
        event = self._event(name)
        if event is not None:
            self._note(Noted(self._now(), event.text, by_service=True))

    def _standing(self) -> str:
        loop = self.known.loop
        if loop is None or loop.state != loop_state.TURNING:
            return f"the loop is {loop.state}: {loop.message}" if loop is not None else "the loop has not begun"
        coming = scheduling.next_firings(self._context, self.project_id, 1)
        due = f"; next: {coming[0].kind} on {coming[0].at:%Y-%m-%d at %H:%M}" if coming else ""
        return f"iteration {loop.current} continues{due}"

    def _report(self) -> Report:
        script, known = self._script, self.known
        with self._context.database.session() as session:
            ids = list(session.scalars(select(RunRow.id).where(RunRow.project_id == self.project_id)))
        used = [run_views.progress(self._context, run_id).requests for run_id in ids]
        return Report(
            project=known.project.key,
            tracker=script.tracker,
            method=script.method,
            template=self._template.name,
            seed=script.seed,
            first=script.first,
            last=script.last,
            time_zone=known.calendar.time_zone,
            entries=tuple(self._entries),
            runs=len(ids),
            reads=sum(one.reads for one in used),
            writes=sum(one.writes for one in used),
            standing=self._standing(),
            verdicts=tuple((number, said[0]) for number, said in sorted(self._verdicts.items())),
            totals=report.summed(history.history(self._context, self.project_id).iterations),
        )


def _why(run: RunRow | RunView) -> str:
    said = " ".join(str(found.get("message", "")) for found in run.findings)
    return f"The run {run.id} ended {run.state}: {said or run.message}"
