"""The debt of a project that never used us: its records as they are found, audited like any other's. Reads only, keeps
nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connectors import records
from connectors.port import Tracker
from connectors.records import Document
from connectors.values import ProjectSpec
from service.context import Context
from service.domain.audit import recognise, rules
from service.domain.audit.audit import audit
from service.domain.audit.deadlines import deadlines_of
from service.domain.audit.outcome import Audited, Check, Gate
from service.domain.audit.recognise import Recognised
from service.domain.audit.subject import Iteration, Person, Reading, Rules, Subject
from service.domain.loop.course import Stage, following
from service.domain.plan.ticket_text import Wording
from service.domain.problems import InvalidInput
from service.domain.team import calendar_file
from service.domain.team.calendar import Calendar
from service.domain.team.calendar_file import CalendarSpec
from service.domain.team.team import Team
from service.domain.team.time_zones import check_time_zone
from service.domain.template.parameters import number, settle
from service.domain.template.reader import read_template
from service.domain.template.template import ParameterValue, Phase, Template
from service.domain.template.text import render
from service.opinion.asking import with_opinions
from service.templates import TemplateText, load_builtin
from service.usecases.audit import audit_inputs, audit_reports
from service.usecases.audit.audit_reports import Line
from service.usecases.errors import NotFound
from service.usecases.setup import connections, teams

TEMPLATE = "iterative-ml"
"""The template whose rules count where none is given."""


@dataclass(frozen=True, slots=True)
class Found:
    """One iteration of a surveyed project. `told_by` says in words what its record was recognised by, empty where none
    was."""

    subject: Subject
    audited: Audited
    told_by: str


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A project as it was found. `assumed` says in words what was not known and therefore taken for granted; `reads`
    is how many requests it took."""

    key: str
    title: str
    url: str
    template: str
    iterations: tuple[Found, ...]
    assumed: tuple[str, ...]
    reads: int


def survey(
    context: Context,
    connection: str,
    key: str,
    *,
    template: TemplateText | None = None,
    team: str | None = None,
    time_zone: str = "UTC",
) -> Surveyed:
    """Read an existing project of a connection, by its key or address, and audit every iteration of it that has begun
    by the rules of a template (iterative-ml if none is given). `team` names an imported team: who may sign is known
    then. Nothing is written, here or there.

    Raises NotFound (connection, team, or no such project in the tracker), InvalidInput, TrackerError.
    """
    row = connections.stored(context, connection)
    if problems := check_time_zone(time_zone, "survey", "time_zone"):
        raise InvalidInput(problems)
    text = template or load_builtin(TEMPLATE)
    read = read_template(text.text, text.source)
    known = teams.get(context, team).team if team is not None else None
    zone = known.zone if known is not None and known.zone is not None else time_zone
    calendar = calendar_file.calendar_of(known.calendar if known is not None else None, CalendarSpec(), zone)
    parameters = settle(read, {}, context.now().date())
    with context.tracker(row) as tracker:
        before = tracker.usage.reads
        found = tracker.survey(ProjectSpec(uid="", key=key, name=key))
        if found is None:
            raise NotFound("project", key, f"The account of {row.name!r} sees none of that key or address.")
        people = _people(tracker, known, read, parameters) if known is not None else None
        reads = tracker.usage.reads - before
    trusted = audit_inputs.trusted_hosts(context, found.ref.url)
    now = context.now().astimezone(calendar.zone)
    auditing = _Auditing(found, read, parameters, calendar, people, trusted, now)
    iterations = tuple(auditing.iterations())
    return Surveyed(
        key=found.ref.key,
        title=found.title,
        url=found.ref.url,
        template=f"{read.name} {read.version}",
        iterations=iterations,
        assumed=tuple(auditing.assumed()),
        reads=reads,
    )


def surveyed_json(found: Surveyed) -> dict[str, Any]:
    """A survey as plain values: the same lines as `audit_reports.matrix_json` has, and what was assumed."""
    return {
        "project": {"id": None, "key": found.key, "name": found.title, "url": found.url},
        "template": found.template,
        "gate": Gate.OFF.value,
        "checks": [check.value for check in Check],
        "iterations": [{**audit_reports.line_json(line_of(one)), "told_by": one.told_by} for one in found.iterations],
        "waivers": [],
        "assumed": list(found.assumed),
        "reads": found.reads,
    }


def line_of(found: Found) -> Line:
    """The iteration as a line of a matrix."""
    iteration, document = found.subject.iteration, found.subject.record.document
    return Line(
        iteration.number,
        iteration.title,
        iteration.phase,
        iteration.closed_at is None,
        found.audited,
        record=document.ref.key if document is not None else "",
        url=document.ref.url if document is not None else "",
        audited_at=found.subject.at,
    )


def _people(
    tracker: Tracker, team: Team, template: Template, parameters: Mapping[str, ParameterValue]
) -> dict[str, Person]:
    """The people of the team by account, as far as the tracker knows them."""
    roles = audit_inputs.roles_in(template, parameters, team)
    accounts = tracker.people(None, [member.handle for member in team.members])
    return {
        accounts[member.handle].id: Person(member.person, roles[member.person])
        for member in team.members
        if member.handle in accounts
    }


class _Auditing:
    """The audit of one surveyed project, and what it took for granted."""

    def __init__(
        self,
        survey: records.Survey,
        template: Template,
        parameters: Mapping[str, ParameterValue],
        calendar: Calendar,
        people: Mapping[str, Person] | None,
        trusted: Sequence[str],
        now: datetime,
    ) -> None:
        self.survey, self.template, self.parameters = survey, template, parameters
        self.calendar, self.people, self.trusted, self.now = calendar, people, trusted, now
        self.keys = {one.ref.key for part in (*survey.iterations,) for one in part.documents}
        self.keys |= {one.ref.key for one in survey.loose}
        self.undated: list[str] = []
        self.guessed_phases = False

    def iterations(self) -> Iterator[Found]:
        """The iterations that have begun, in order, audited."""
        former, count = "", 0
        stage = Stage(self.template.phases[0].key)
        for one in self.survey.iterations:
            dates = self._dates(one)
            if one.status == "future" or (dates is not None and dates[0] > self.now):
                continue
            if dates is None:
                self.undated.append(one.title)
                continue
            count += 1
            stage = following(self.template, self.parameters, stage) if count > 1 else stage
            phase = self._phase(one, stage)
            rules_then = self._rules(phase, count)
            record = recognise.record_of(one, self.survey.loose, rules_then.sections)
            subject = self._subject(one, count, phase, rules_then, record, dates, former)
            former = record.document.text if record.document is not None else ""
            yield Found(subject, audit(subject), record.told_by)

    def assumed(self) -> Iterator[str]:
        """What was not known and therefore taken for granted, once the iterations were gone through."""
        rules_then = self._rules(self.template.phases[0], 1)
        if self.guessed_phases:
            yield f"No phase is named by the iterations: they follow each other as {self.template.name} plans them."
        if self.people is None:
            yield (
                "Who holds which role is not known: anybody but the author may have signed as "
                f"{rules_then.signer_title}. Name a team to have that checked."
            )
        yield "Whether a phase ended with an iteration is not known: its deliverables (D13) are not looked at."
        yield f"Working days are those of the calendar in {self.calendar.time_zone}."
        if self.undated:
            yield f"Passed over, for want of dates and tickets: {', '.join(self.undated)}."

    def _dates(self, one: records.Surveyed) -> tuple[datetime, datetime] | None:
        """When an iteration started and ended: as the tracker says, else as its tickets tell; None if nothing does."""
        moments = [at for document in one.documents for at in _moments(document)]
        starts = one.starts or min(moments, default=None)
        length = timedelta(days=number(self.template.cadence.iteration_days, self.parameters))
        ends = one.ends or (max(moments, default=None) if one.status == "closed" else None)
        if starts is None and ends is None:
            return None
        starts = starts or ends - length if ends is not None else starts
        assert starts is not None  # noqa: S101 - one of the two is there
        ends = ends or starts + length
        return min(starts, ends).astimezone(self.calendar.zone), ends.astimezone(self.calendar.zone)

    def _phase(self, one: records.Surveyed, stage: Stage) -> Phase:
        """The phase that an iteration names, or the one that it would be in as planned."""
        said = f" {one.title.casefold()} "
        for phase in self.template.phases:
            if any(f" {name.casefold()} " in said for name in (phase.short, phase.title, phase.key)):
                return phase
        self.guessed_phases = True
        return next(phase for phase in self.template.phases if phase.key == stage.phase)

    def _rules(self, phase: Phase, count: int) -> Rules:
        base = {**self.parameters, "project": {"name": self.survey.title, "key": self.survey.ref.key}}
        names = {"number": count, "of_phase": 1, "last": 1, "loop": 1}
        words = Wording(self.template, self.parameters, base).context(phase, names)
        found = rules.settle(
            self.template,
            phase,
            parameters=self.parameters,
            words=lambda text: render(text, words),
            trusted=self.trusted,
        )
        return replace(found, gate=Gate.OFF)

    def _subject(
        self,
        one: records.Surveyed,
        count: int,
        phase: Phase,
        rules_then: Rules,
        record: Recognised,
        dates: tuple[datetime, datetime],
        former: str,
    ) -> Subject:
        starts, ends = dates
        done = [d for d in one.documents if d.status == "done" and d is not record.document]
        named = "no ticket of the iteration looks like its record: none has its headings, or is called one"
        read = Subject(
            iteration=Iteration(
                number=count,
                title=one.title,
                phase=phase.key,
                phase_title=phase.title,
                loop=1,
                first=starts.date(),
                last=ends.date(),
                closed_at=ends if one.status == "closed" else None,
                deadlines=deadlines_of(starts, ends, self.calendar, rules_then),
            ),
            rules=rules_then,
            record=Reading(None, record.document) if record.document is not None else Reading(None, missing=named),
            at=self.now,
            former=former,
            done=tuple(Reading(None, audit_inputs.pruned(document)) for document in done),
            keys=tuple(sorted(audit_inputs.keys_named(record.document, self.keys))),
            people=self._people_of([*([record.document] if record.document is not None else []), *done], rules_then),
        )
        return with_opinions(read)

    def _people_of(self, documents: Sequence[Document], rules_then: Rules) -> dict[str, Person]:
        """Those who may have signed: the team's, or everybody who did something."""
        if self.people is not None:
            return audit_inputs.concerned(self.people, {}, rules_then, documents)
        names = {account: name for document in documents for account, name in _named(document)}
        return {account: Person(name or account, (rules_then.signer,)) for account, name in sorted(names.items())}


def _moments(document: Document) -> Iterator[datetime]:
    """When something happened to a ticket."""
    yield from (at for at in [document.created_at] if at is not None)
    yield from (step.at for step in document.steps)


def _named(document: Document) -> Iterable[tuple[str, str]]:
    """The accounts that did something to a ticket, with what the tracker calls them."""
    told = [(one.author, one.person) for one in document.comments]
    told += [(edit.by, edit.person) for edit in document.edits] + [(step.by, step.person) for step in document.steps]
    told += [(tick.by, tick.person) for tick in document.ticks]
    return [(account, name) for account, name in told if account]
