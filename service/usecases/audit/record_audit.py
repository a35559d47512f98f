"""Auditing a project's records: look at them in the tracker, keep what was seen, say what is lacking.

`look` reads and decides nothing, `keep` decides and reads nothing; so an audit can be computed again from what was
kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from connectors.errors import NotVisible, TrackerError
from connectors.port import Tracker
from connectors.records import Document
from connectors.values import ItemKey, Place, RemoteRef
from service.context import Context
from service.domain.audit.audit import audit, holding
from service.domain.audit.outcome import Audited, Gate, GateAnswer, Verdict
from service.domain.audit.subject import Person, Reading, Rules, Subject
from service.domain.loop.turnover import key_of, record_key
from service.opinion.advising import advising
from service.opinion.asking import with_opinions
from service.store import audits
from service.usecases.audit import audit_inputs
from service.usecases.audit.audit_inputs import Past
from service.usecases.plan import advance_plan, deletions, planning
from service.usecases.plan.project_state import Material, material
from service.usecases.setup import project_identity, projects


def look(
    context: Context, ours: Material, tracker: Tracker, place: Place | None, numbers: Collection[int] | None = None
) -> list[Subject]:
    """Read the records of these iterations, in order, with all that their audit looks at.

    Without `numbers`: of the current one, of all that are not settled, and of those whose record changed since it
    was read last. Iterations that have not begun are passed over, and those of a phase that is not in the template any
    more. `place` is None where the project was not located:
    then that is done here. Keeps nothing. Requests: two to find out who and where we are, those that tell what is in
    the current iteration, and the port's for all tickets at once; these once more if a settled record changed.

    Raises TrackerError where the tracker cannot be read, NotVisible where the project is not there any more;
    InvalidInput where an iteration cannot be placed on the calendar.
    """
    past = audit_inputs.past_of(context, ours)
    asked = _chosen(past, numbers)
    beside = past.auditable if numbers is None else asked
    if not beside:
        return []
    looking = _Looking(context, past, tracker, place or located(context, tracker, ours))
    looking.read(asked, beside)
    changed = [number for number in beside if number not in asked and looking.changed(number)]
    if changed:
        looking.read(changed, changed)
    with advising(context.settings, context.network) as ask:
        subjects = looking.subjects(sorted({*asked, *changed}))
        return [ask(one, looking.before.advice.get(one.iteration.number, {})) for one in subjects]


def keep(context: Context, ours: Material, subjects: Sequence[Subject]) -> list[Audited]:
    """Audit what was read and keep both, in one unit of work. Where something of an iteration could not be read and
    that leaves its verdict open, the verdict of before stays, with the reason as trouble. Repeatable: where nothing
    changed, no evidence is added. Returns what stands now.
    """
    looks = [(subject, audit(subject)) for subject in subjects]
    project, now = ours.project.id, context.now()
    with context.database.session() as session:
        known = audits.rows(session, project)
        whole = []
        for subject, audited in looks:
            before = known.get(audited.number)
            was_told = before is not None and before.verdict != Verdict.UNKNOWN and before.evidence_id is not None
            if audited.verdict is Verdict.UNKNOWN and was_told:
                audits.trouble(session, project, audited, _unread(subject), now)
            else:
                whole.append((subject, audited))
        audits.keep(session, project, whole, now)
        stands = audits.rows(session, project)
        return [audits.audited(stands[audited.number]) for _, audited in looks]


def failed(context: Context, ours: Material, numbers: Collection[int] | None, why: str) -> list[Audited]:
    """Record that these iterations (None: those that `look` would have read) could not be looked at, and why. Their
    verdicts stay what they were; one that was never read is unknown, never undocumented. Returns what now stands."""
    past = audit_inputs.past_of(context, ours)
    asked = _chosen(past, numbers)
    unread = [audit(_unread_subject(context, past, number, why)) for number in asked]
    with context.database.session() as session:
        kept = [audits.trouble(session, ours.project.id, one, why, context.now()) for one in unread]
        return [audits.audited(row) for row in kept]


def gate_of(
    context: Context, ours: Material, tracker: Tracker | None, number: int, place: Place | None = None
) -> GateAnswer:
    """Look at this iteration and all before it that are not settled, keep what was seen, and say what is lacking. A
    record fixed meanwhile counts at once. Without a tracker, what was kept last is what counts.

    Raises nothing of the tracker's: what could not be looked at is in the answer. InvalidInput as `look` does.
    """
    policy = audit_inputs.gate_policy(ours)
    if policy is Gate.OFF:
        return GateAnswer(policy)
    unknown = ""
    if tracker is not None:
        try:
            keep(context, ours, look(context, ours, tracker, place))
        except TrackerError as error:
            unknown = str(error)
            failed(context, ours, None, unknown)
    with context.database.session() as session:
        rows = audits.rows(session, ours.project.id)
    due = [one.number for one in ours.begun if one.number <= number]
    stands = [audits.audited(rows[one]) for one in due if one in rows]
    troubles = [f"iteration {one}: {rows[one].trouble}" for one in due if one in rows and rows[one].trouble]
    unread = [one.number for one in stands if one.verdict is Verdict.UNKNOWN and not rows[one.number].trouble]
    troubles += [f"iteration {one} could not be looked at" for one in unread]
    troubles += [f"iteration {one} was never looked at" for one in due if one not in rows]
    lacking = [one for one in stands if holding(one)]
    return GateAnswer(
        policy,
        lacking=tuple(_words(ours, one) for one in lacking),
        pending=bool(lacking) and all(one.verdict is Verdict.PENDING for one in lacking),
        unknown=unknown or "; ".join(troubles),
        audited=tuple(lacking),
        documented=frozenset(one.number for one in stands if one.verdict is Verdict.DOCUMENTED),
    )


def run(context: Context, project: str, numbers: Collection[int] | None = None) -> list[Audited]:
    """Look at a project's records now and keep what was seen; also of a project that has ended. Writes nothing to the
    tracker. Where it cannot be read, that is kept as trouble and raised.

    Raises NotFound, Conflict, InvalidInput, TrackerError."""
    ours = material(context, projects.get(context, project).id)
    try:
        with context.tracker(ours.connection) as tracker:
            subjects = look(context, ours, tracker, None, numbers)
    except TrackerError as error:
        failed(context, ours, numbers, str(error))
        raise
    return keep(context, ours, subjects)


def _chosen(past: Past, numbers: Collection[int] | None) -> list[int]:
    """The iterations to be looked at, in order."""
    return past.unsettled if numbers is None else [number for number in past.auditable if number in numbers]


def _words(ours: Material, audited: Audited) -> str:
    """What an iteration lacks on one line, with what people call its record: what is worst, and the other checks."""
    ref = ours.known.get(audited.record or record_key(audited.number))
    named = f"the record of iteration {audited.number}" + (f" ({_for_people(ref)})" if ref is not None else "")
    (first, *others) = holding(audited)
    checks = [one.check.value for one in others]
    also = f"; also {', '.join(checks[:-1])}{' and ' if checks[1:] else ''}{checks[-1]}" if checks else ""
    return f"{named}: {first.check.value} {first.reason.rstrip('.')}{also}"


def _for_people(ref: RemoteRef) -> str:
    """A ticket by its key; by its address where the key is none that people call it by, as the short link of a card."""
    return ref.key if "-" in ref.key or not ref.url else ref.url


# --- reading ----------------------------------------------------------------------------------------------------------


def located(context: Context, tracker: Tracker, ours: Material) -> Place:
    """Where the project is in the tracker. Raises NotVisible where it is not there any more, and TrackerError."""
    spec = replace(planning.spec_of(ours.project, ours.method), create=False)
    found = project_identity.locate(context, tracker, ours.project, spec)
    if found.place is None:
        (finding, *_) = found.findings or deletions.project_findings(ours.project, ours.kind, found.put_away)
        raise NotVisible(finding.message, fix=finding.fix)
    return found.place


class _Looking:
    """One look at a project: what was read of its tickets so far."""

    def __init__(self, context: Context, past: Past, tracker: Tracker, place: Place) -> None:
        self.context, self.past, self.tracker, self.place = context, past, tracker, place
        self.ours, self.before = past.ours, audit_inputs.before_of(context, past.ours)
        self.me = tracker.whoami().id
        self.people = audit_inputs.people_of(self.ours, tracker, place)
        self.done: dict[int, dict[ItemKey, RemoteRef]] = {}
        self.asked: set[ItemKey] = set()
        self.found: dict[ItemKey, Document] = {}

    def read(self, whole: Iterable[int], records: Iterable[int]) -> None:
        """Read these iterations, all of them `whole`, and besides just the records of the others and of those before
        them, in one call of the port."""
        chosen = list(whole)
        wanted: dict[ItemKey, RemoteRef] = {}
        for number in chosen:
            self.done[number] = self._done(number)
            wanted |= self.done[number]
            if audit_inputs.may_end_phase(self.past, number):
                wanted |= self._ours(audit_inputs.exits_of(self.past, number))
        beside = {*records, *chosen, *(number - 1 for number in chosen)} & set(self.past.rows)
        wanted |= self._ours(record_key(number) for number in beside)
        if not wanted:
            return
        self.found |= self.tracker.documents(self.place, wanted, [record_key(number) for number in chosen])
        self.asked |= set(wanted)

    def _ours(self, keys: Iterable[ItemKey]) -> dict[ItemKey, RemoteRef]:
        return {key: self.ours.known[key] for key in keys if key in self.ours.known}

    def _done(self, number: int) -> dict[ItemKey, RemoteRef]:
        """What was done in an iteration: as it was when it was closed, or as the tracker shows it now."""
        row = self.past.rows[number]
        if row.closed_at is not None:
            return audit_inputs.done_of(row)
        contents = advance_plan.going_on(self.tracker, self.place, self.ours) or ()
        done = {key_of(one): one.ref for one in contents if one.status == "done"}
        return {key: ref for key, ref in done.items() if not audit_inputs.is_record(key)}

    def changed(self, number: int) -> bool:
        """Whether the record of an iteration is not as it was when it was read last. What takes a request of its own to
        read does not count."""
        before, now = self.before.records.get(number), self.reading(record_key(number))
        if before is None or before.document is None or now.document is None:
            return before is None or (before.document is None) != (now.document is None)
        if now.document.unread:
            return before.document.digest != now.document.digest
        return _bare(before.document) != _bare(now.document)

    def reading(self, key: ItemKey) -> Reading:
        """What was found where a ticket should be."""
        if key in self.found:
            return Reading(key, self.found[key])
        if key not in self.asked:
            return Reading(key, missing="phaseloop has no ticket of that kind in the tracker")
        if not self.found and len(self.asked) > 1:
            why = f"the tracker shows none of {len(self.asked)} tickets to this account"
            return Reading(key, unread=f"{why}; it may not see them any more")
        ref = self.ours.known.get(key)
        return Reading(key, missing=f"{ref.key if ref else key} is not in the tracker any more: somebody deleted it")

    def subjects(self, numbers: Iterable[int]) -> list[Subject]:
        """The subjects of these iterations, which were read whole."""
        return [self._subject(number) for number in numbers]

    def _subject(self, number: int) -> Subject:
        rules, record = audit_inputs.rules_of(self.context, self.past, number), self.reading(record_key(number))
        former = self.found.get(record_key(number - 1))
        exits = [self.reading(key) for key in audit_inputs.exits_of(self.past, number)]
        gate = audit_inputs.ends_phase(self.past, number, exits)
        done = [self.reading(key) for key in self.done[number]]
        deliverables = tuple(_pruned(one) for one in exits) if gate else ()
        readings = [record, *deliverables, *done]
        return _subject(
            self.context,
            self.past,
            number,
            rules,
            record,
            gate=gate,
            former=former.text if former is not None else self.before.text(number - 1),
            deliverables=deliverables,
            done=tuple(_pruned(one) for one in done),
            people=audit_inputs.concerned(
                self.people,
                self.before.people.get(number, {}),
                rules,
                [one.document for one in readings if one.document is not None],
            ),
            me=self.me,
        )


def _subject(
    context: Context,
    past: Past,
    number: int,
    rules: Rules,
    record: Reading,
    *,
    gate: bool = False,
    former: str = "",
    deliverables: tuple[Reading, ...] = (),
    done: tuple[Reading, ...] = (),
    people: Mapping[str, Person] | None = None,
    me: str = "",
) -> Subject:
    read = Subject(
        iteration=audit_inputs.iteration_of(past, number, rules, gate=gate),
        rules=rules,
        record=record,
        at=context.now().astimezone(past.ours.calendar.zone),
        former=former,
        template=audit_inputs.seeded_text(past.ours, number),
        filled=audit_inputs.filled_in(past, number),
        deliverables=deliverables,
        done=done,
        keys=tuple(sorted(audit_inputs.keys_named(record.document, {one.key for one in past.ours.known.values()}))),
        people=people or {},
        ours=me,
        written=audit_inputs.written(past, number),
        waivers=audits.waived(past.waivers, number),
    )
    return with_opinions(read)


def _unread_subject(context: Context, past: Past, number: int, why: str) -> Subject:
    """An iteration of which nothing could be read."""
    unread = Reading(record_key(number), unread=why)
    return _subject(context, past, number, audit_inputs.rules_of(context, past, number), unread)


def _unread(subject: Subject) -> str:
    """What of a subject could not be read, in words."""
    document = subject.record.document
    if document is None:
        return subject.record.unread or subject.record.missing
    parts = ", ".join(part.value for part in document.unread)
    return f"of {document.ref.key} could not be read: {parts}" if parts else "its tickets could not be read"


def _pruned(reading: Reading) -> Reading:
    return replace(reading, document=audit_inputs.pruned(reading.document)) if reading.document else reading


def _bare(document: Document) -> Document:
    """A record without what is not read of one that is not looked at whole."""
    return replace(document, links=(), unread=(), labels=())
