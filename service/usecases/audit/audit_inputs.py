"""What of ours an audit is made from: iterations as they were begun and closed, what was audited before, who may sign.
Reads our store, and asks the tracker only who people are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter
from sqlalchemy import select

from connectors.port import Tracker
from connectors.records import Document, text_digest
from connectors.values import ItemKey, Place, RemoteRef
from service.context import Context
from service.domain.audit.deadlines import deadlines_of
from service.domain.audit.outcome import Gate, Result, Verdict
from service.domain.audit.rules import ProjectAudit, settle
from service.domain.audit.subject import Advice, Iteration, Person, Reading, Rules
from service.domain.loop.course import (
    Course,
    Stage,
    course,
    exit_tickets,
    phase_of,
    planned_iterations,
)
from service.domain.loop.figures import Outcome, TicketRecord
from service.domain.loop.turnover import Move, record_key
from service.domain.plan.ticket_text import Wording
from service.domain.problems import InvalidInput
from service.domain.team import calendar as calendars
from service.domain.team.calendar import DateRange
from service.domain.team.team import Team
from service.domain.template.parameters import is_on
from service.domain.template.references import fallbacks
from service.domain.template.template import ParameterValue, Template
from service.domain.template.text import render
from service.store import audits, loops
from service.store.tables import AuditRow, EvidenceRow, IterationRow, WaiverRow
from service.usecases.plan.project_state import Material

_READING: TypeAdapter[Reading] = TypeAdapter(Reading)
_PEOPLE: TypeAdapter[dict[str, Person]] = TypeAdapter(dict[str, Person])
_ADVICE: TypeAdapter[dict[str, Advice]] = TypeAdapter(dict[str, Advice])


@dataclass(frozen=True)
class Past:
    """A project's iterations, all that were begun, with their audits."""

    ours: Material
    rows: Mapping[int, IterationRow]
    audits: Mapping[int, AuditRow]
    waivers: tuple[WaiverRow, ...]
    way: Course

    @property
    def auditable(self) -> list[int]:
        """The iterations that can be audited, in order: all but those of a phase that is not in the template any more,
        for which there are no rules. What was found of these stays."""
        phases = {phase.key for phase in self.ours.template.phases}
        return [number for number, row in self.rows.items() if row.phase in phases]

    @property
    def unsettled(self) -> list[int]:
        """The iterations that are looked at whenever there is a look, in order: all but those that were found to be
        documented after they were closed, with nothing waived."""
        return [number for number in self.auditable if not self._is_settled(number)]

    def _is_settled(self, number: int) -> bool:
        row, closed = self.audits.get(number), self.rows[number].closed_at
        if row is None or closed is None or row.trouble or row.audited_at < closed or row.evidence_id is None:
            return False
        waived = any(finding.get("result") == Result.WAIVED for finding in row.result.get("findings", ()))
        return row.verdict == Verdict.DOCUMENTED and not waived


@dataclass(frozen=True)
class Before:
    """What was read last: the record of each iteration, the people that were concerned, and what a language model
    said."""

    records: Mapping[int, Reading]
    people: Mapping[int, Mapping[str, Person]]
    advice: Mapping[int, Mapping[str, Advice]]

    def text(self, number: int) -> str:
        """The text of an iteration's record, empty if it was never read or was not there."""
        reading = self.records.get(number)
        return reading.document.text if reading is not None and reading.document is not None else ""


def past_of(context: Context, ours: Material) -> Past:
    """Read what is known of a project's iterations, in a fixed number of queries."""
    project = ours.project.id
    iterations = select(IterationRow).where(IterationRow.project_id == project).order_by(IterationRow.number)
    with context.database.session() as session:
        rows = {row.number: row for row in session.scalars(iterations)}
        audited = audits.rows(session, project)
        waivers = tuple(audits.waivers(session, project))
    return Past(
        ours=ours,
        rows=rows,
        audits=audited,
        waivers=waivers,
        way=course(ours.template, ours.parameters, ours.calendar, ours.begun, ahead=0),
    )


def before_of(context: Context, ours: Material) -> Before:
    """What was read of a project's records last, in one query."""
    read = select(AuditRow.number, EvidenceRow.body).join(EvidenceRow, AuditRow.evidence_id == EvidenceRow.id)
    with context.database.session() as session:
        bodies: dict[int, Any] = dict(session.execute(read.where(AuditRow.project_id == ours.project.id)).all())
    return Before(
        records={number: _READING.validate_python(body["record"]) for number, body in bodies.items()},
        people={number: _PEOPLE.validate_python(body["people"]) for number, body in bodies.items()},
        advice={number: _ADVICE.validate_python(body.get("advice", {})) for number, body in bodies.items()},
    )


def said_of(ours: Material) -> ProjectAudit:
    """What a project says of its audit."""
    return ProjectAudit.model_validate(ours.project.audit)


def rules_of(context: Context, past: Past, number: int) -> Rules:
    """The rules by which this iteration, one that is `auditable`, is audited."""
    ours, turn = past.ours, past.way.turn(number)
    phase = phase_of(ours.template, turn.stage.phase)
    base = {**ours.parameters, "project": {"name": ours.project.name, "key": ours.project.key}}
    stage = turn.stage
    names = {"number": number, "of_phase": stage.of_phase, "last": turn.turns, "loop": stage.loop}
    words = Wording(ours.template, ours.parameters, base).context(phase, names)
    return settle(
        ours.template,
        phase,
        said_of(ours),
        parameters=ours.parameters,
        words=lambda text: render(text, words),
        trusted=trusted_hosts(context, ours.project.url),
    )


def gate_policy(ours: Material) -> Gate:
    """What an iteration that is not documented does to the advance that closes it."""
    phase = ours.template.phases[0] if not ours.begun else phase_of(ours.template, ours.begun[-1].stage.phase)
    return settle(ours.template, phase, said_of(ours), parameters=ours.parameters).gate


def trusted_hosts(context: Context, *addresses: str | None) -> list[str]:
    """The hosts that records may lead to although they may not be public: those of these addresses, which are the
    tracker's own, and the tracking server's that the service was given."""
    tracking = context.settings.mlflow_url
    hosts = [urlsplit(address or "").hostname for address in (*addresses, str(tracking) if tracking else None)]
    return list(dict.fromkeys(host for host in hosts if host))


# --- the iteration ----------------------------------------------------------------------------------------------------


def iteration_of(past: Past, number: int, rules: Rules, *, gate: bool = False) -> Iteration:
    """The iteration as an audit sees it. It lasts until the day before the next one begins, and no longer than it was
    going on. Raises InvalidInput where it cannot be placed on the calendar."""
    row, ours = past.rows[number], past.ours
    last, ends = _end(past, row)
    return Iteration(
        number=number,
        title=row.title,
        phase=row.phase,
        phase_title=phase_of(ours.template, row.phase).title,
        loop=row.loop,
        first=row.first,
        last=last,
        closed_at=row.closed_at,
        deadlines=deadlines_of(row.starts, ends, ours.calendar, rules),
        gate=gate,
        figures=row.figures,
        begun_at=row.began_at,
    )


def _end(past: Past, row: IterationRow) -> tuple[date, datetime]:
    """The last day and the end of an iteration: as planned, or later where a person moved the next one on, or when it
    was closed before its time."""
    if row.closed_at is not None and row.closed_at < row.ends:
        return min(row.last, row.closed_at.astimezone(past.ours.calendar.zone).date()), row.closed_at
    following = past.rows.get(row.number + 1)
    loop = past.ours.loop
    begins = following.first if following is not None else loop.next_first if loop is not None else None
    last = begins - timedelta(days=1) if begins is not None else row.last
    if last <= row.last:
        return row.last, row.ends
    try:
        return last, calendars.bounds(DateRange(row.first, last), past.ours.calendar, row.number)[1]
    except InvalidInput:  # days were taken off since, all of them: it stays as it was planned
        return row.last, row.ends


def exits_of(past: Past, number: int) -> tuple[ItemKey, ...]:
    """The exit tickets of the iteration's phase that count if it ends with this iteration."""
    ours = past.ours
    stages = [one.stage for one in ours.begun if one.number <= number]
    return exit_tickets(ours.template, ours.parameters, stages, ours.continued)


def may_end_phase(past: Past, number: int) -> bool:
    """Whether the phase ended with this iteration or, while nothing follows it, may end with it."""
    stage, following = past.way.turn(number).stage, past.rows.get(number + 1)
    if following is not None:
        return following.phase != stage.phase and following.loop == stage.loop
    decision = loops.decision(past.ours.loop) if past.ours.loop is not None else None
    if decision is not None and decision.move is not Move.NEXT:
        return False
    return past.ours.template.phases[-1].key != stage.phase


def ends_phase(past: Past, number: int, exits: Iterable[Reading]) -> bool:
    """Whether the phase ends with this iteration, now that its exit tickets were read: it did, a person decided so, or
    its output is there."""
    if not may_end_phase(past, number):
        return False
    if past.rows.get(number + 1) is not None:
        return True
    if past.ours.loop is not None and loops.decision(past.ours.loop) is not None:
        return True
    there = [one.document is not None and one.document.status == "done" for one in exits]
    return all(there) if there else _was_planned_to_end(past, past.way.turn(number).stage)


def _was_planned_to_end(past: Past, stage: Stage) -> bool:
    return stage.of_phase >= planned_iterations(past.ours.template, past.ours.parameters, stage.phase)


def is_record(key: ItemKey) -> bool:
    """Whether this is a record, of whichever iteration: one that is late is carried over, and is done in another."""
    return key.startswith(f"{record_key(0).partition(':')[0]}:")


def done_of(row: IterationRow) -> dict[ItemKey, RemoteRef]:
    """The tickets that were done in an iteration that is closed, but for records."""
    tickets = (TicketRecord.from_json(ticket) for ticket in row.tickets)
    return {
        one.key: RemoteRef(one.remote_id, one.remote_key, one.url)
        for one in tickets
        if one.outcome is Outcome.DONE and one.status == "done" and one.remote_id and not is_record(one.key)
    }


def seeded_text(ours: Material, number: int) -> str:
    """The text that the record of this iteration was made with, as far as we know; with what done means, which a
    tracker without checklists shows in the text."""
    record = ours.recorded.get(record_key(number))
    if record is None:
        return ""
    return "\n\n".join([_text(ours, number), *(f"- {line}" for line in record.wanted.get("checklist") or ())]).strip()


def filled_in(past: Past, number: int) -> tuple[str, ...]:
    """What we wrote into the record since it was made, and into the one before it; each body once."""
    rows = (past.audits.get(number), past.audits.get(number - 1))
    bodies = [audits.bodies(row).values() for row in rows if row is not None]
    return tuple(dict.fromkeys(body for several in bodies for written in several for body in written))


def _text(ours: Material, number: int) -> str:
    record = ours.recorded.get(record_key(number))
    return str(record.wanted.get("text") or "") if record is not None else ""


def written(past: Past, number: int) -> tuple[str, ...]:
    """The digests of texts of the record that are ours: as it was made, and as we left it since."""
    seeded, row = _text(past.ours, number), past.audits.get(number)
    known = [text_digest(seeded)] if seeded else []
    return tuple(dict.fromkeys([*known, *(audits.digests(row) if row is not None else ())]))


# --- people -----------------------------------------------------------------------------------------------------------


def people_of(ours: Material, tracker: Tracker, place: Place | None) -> dict[str, Person]:
    """Everybody of the team by account, with the roles they hold and those they stand in for; those who were of the
    team once, without a role. Only accounts that no plan has named yet are asked for."""
    accounts = dict(ours.people)
    named = set(accounts.values())
    unknown = {member.handle: member.person for member in ours.team.members if member.person not in named}
    if unknown:
        found = tracker.people(place, list(unknown))
        accounts |= {account.id: unknown[handle] for handle, account in found.items() if handle in unknown}
    roles = roles_of(ours)
    return {account: Person(name, roles.get(name, ())) for account, name in accounts.items()}


def roles_of(ours: Material) -> dict[str, tuple[str, ...]]:
    """The roles of each person of the project's team by name, see `roles_in`."""
    return roles_in(ours.template, ours.parameters, ours.team)


def roles_in(template: Template, parameters: Mapping[str, ParameterValue], team: Team) -> dict[str, tuple[str, ...]]:
    """The roles of each person of a team by name: their own that are switched on, and those that nobody holds and that
    fall to them."""
    on = {key for key, role in template.roles.items() if is_on(role.when, parameters)}
    held = on & {role for member in team.members for role in member.roles}
    falls_to: dict[str, list[str]] = {}
    for role in template.roles:
        holder = next((key for key in fallbacks(template, role) if key in held), None)
        if holder is not None:
            falls_to.setdefault(holder, []).append(role)
    return {
        member.person: tuple(sorted({role for own in member.roles for role in falls_to.get(own, ())}))
        for member in team.members
    }


def concerned(
    people: Mapping[str, Person], before: Mapping[str, Person], rules: Rules, documents: Collection[Document]
) -> dict[str, Person]:
    """Those of the people who did something to what was read, or may write or sign. Who left the team since keeps the
    roles that they had when it was read `before`."""
    active = {account for document in documents for account in _accounts(document)}
    found = {}
    for account, person in sorted(people.items()):
        kept = before[account] if not person.roles and account in before else person
        if account in active or {rules.author, rules.signer} & set(kept.roles):
            found[account] = kept
    return found


def _accounts(document: Document) -> set[str]:
    found = {comment.author for comment in document.comments} | {edit.by for edit in document.edits}
    found |= {step.by for step in document.steps} | {tick.by for tick in document.ticks}
    found |= {link.author for link in document.links} | {one.author for one in document.attachments}
    return (found | {document.created_by, document.assignee or ""}) - {""}


# --- tickets ----------------------------------------------------------------------------------------------------------


def pruned(document: Document) -> Document:
    """A ticket that is no record, without the history that no check asks for."""
    return replace(document, edits=(), steps=())


def keys_named(record: Document | None, known: Collection[str]) -> set[str]:
    """What the record's own ticket is called, and those of the known ones that it names: all others would only have
    each new ticket change the evidence."""
    if record is None:
        return set()
    said = [record.text, *(comment.text for comment in record.comments)]
    return {record.ref.key} | (set(known) & {word for text in said for word in _words_in(text)})


def _words_in(text: str) -> list[str]:
    """The words of a text that can be what a ticket is called."""
    return "".join(sign if sign.isalnum() or sign == "-" else " " for sign in text).split()
