"""Who writes and signs the records of the iterations, and when: each under their own name, past phaseloop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from simulation.cast import Character
from simulation.office import Office, Ticket
from simulation.records import About, Answers, Manner, answers_for, fill_in, manner_of, second_thoughts

LATE_BY = 5
"""Working days after the last one of its iteration on which a late record is written; the template's grace is two."""

REGRETS_AFTER = 3
"""Working days after its signature on which a record is changed."""

WRITES, SIGNS, CHANGES = "writes", "signs", "changes"

Tell = Callable[[int, Manner, str, str], None]
"""Hears of an iteration's record, its manner, what is done to it (WRITES, SIGNS, CHANGES) and by whom."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the team knows of the current iteration: its number and phase, the addresses of those who sign its
    record, and whether that is to tell how a model does in production."""

    number: int
    phase: str = ""
    signers: tuple[str, ...] = ()
    live: bool = False


@dataclass
class _Record:
    """A record on its way. Days are working days: `age` since the last one of its iteration, `signed` the age at which
    it was signed."""

    ticket: Ticket
    setting: Setting
    manner: Manner
    steps: tuple[str, ...]
    age: int = 0
    author: Character | None = None
    signed: int | None = None
    changed: bool = False


@dataclass
class Scribes:
    """The team at its records. `people` are those who are still in it."""

    office: Office
    people: Callable[[], Sequence[Character]]
    seed: int
    tell: Tell
    _records: dict[int, _Record] = field(default_factory=dict)
    _answers: dict[int, Answers] = field(default_factory=dict)
    _to_copy: int = 0

    def wind_up(self, day: date, setting: Setting, tickets: Sequence[Ticket]) -> None:
        """On the last day of an iteration: most records are written."""
        for ticket in tickets:
            if not ticket.is_record or ticket.status == "done" or ticket.id in self._known():
                continue
            manner = self._manner(setting)
            steps = tuple(one.called for one in tickets if one.status == "todo" and one.called and not one.is_record)
            self._records[setting.number] = _Record(ticket, setting, manner, steps[:2])
        self._write(day)

    def morning(self, day: date, tickets: Sequence[Ticket]) -> None:
        """On every working day: what is late is written, what is signed is changed. `tickets` are those at work, for
        one whose author left may be somebody else's by now."""
        now = {ticket.id: ticket for ticket in tickets}
        for record in self._records.values():
            record.age += 1
            record.ticket = now.get(record.ticket.id, record.ticket)
        self._write(day)
        for number, record in self._records.items():
            if record.manner is not Manner.CHANGED or record.changed or record.signed is None or record.author is None:
                continue
            if record.age >= record.signed + REGRETS_AFTER and record.author in self._there(day):
                self._put(record, record.author, second_thoughts(self._about(record)))
                record.changed = True
                self.tell(number, record.manner, CHANGES, record.author.person)

    def sign(self, day: date) -> None:
        """At the end of every working day: who signs reads what was written, and does."""
        for number, record in self._records.items():
            if record.author is None or record.signed is not None or record.manner is Manner.UNSIGNED:
                continue
            signer = next((one for one in self._there(day) if one.email in record.setting.signers), None)
            if signer is None:
                continue
            if self._by_moving(number, record):
                self.office.finish(record.ticket, signer.email)
            else:
                self.office.say(record.ticket, "/approve", signer.email)
            record.signed = record.age
            self.tell(number, record.manner, SIGNS, signer.person)

    def _manner(self, setting: Setting) -> Manner:
        """In which manner the record is written. Where there is nothing that could be copied, that is made up for in
        the next one that was to be good."""
        wanted = manner_of(self.seed, setting.number)
        if self._former(setting) is None:
            self._to_copy += wanted is Manner.COPIED
            return Manner.GOOD if wanted is Manner.COPIED else wanted
        if wanted is Manner.GOOD and self._to_copy:
            self._to_copy -= 1
            return Manner.COPIED
        return wanted

    def _write(self, day: date) -> None:
        for number, record in self._records.items():
            if record.author is not None or (record.manner is Manner.LATE and record.age < LATE_BY):
                continue
            author = self._author(record, day)
            if author is None:
                continue
            former = self._former(record.setting) if record.manner is Manner.COPIED else None
            answers = former or answers_for(record.manner, self._about(record))
            self._put(record, author, answers)
            self._answers[number] = answers
            record.author = author
            self.tell(number, record.manner, WRITES, author.person)
            if not self._by_moving(number, record):
                self.office.finish(record.ticket, author.email)

    def _put(self, record: _Record, author: Character, answers: Answers) -> None:
        text = fill_in(self.office.text(record.ticket), answers)
        self.office.write(record.ticket, text, author.email)

    def _author(self, record: _Record, day: date) -> Character | None:
        """Who writes it, if they are there: whose ticket it is, or somebody else if they left or nobody has it."""
        there, signers = self._there(day), record.setting.signers
        if record.manner is Manner.OWN:
            return next((one for one in there if one.email in signers), None)
        if any(one.email == record.ticket.email for one in self.people()):
            return next((one for one in there if one.email == record.ticket.email), None)
        return next((one for one in there if one.email not in signers), None)

    def _by_moving(self, number: int, record: _Record) -> bool:
        """Whether it is signed by moving it to done, and not by a comment."""
        return number % 3 == 0 and record.manner is not Manner.UNSIGNED

    def _former(self, setting: Setting) -> Answers | None:
        """What stands in the record before, if that is a good one of the same phase."""
        former = self._records.get(setting.number - 1)
        if former is None or former.setting.phase != setting.phase:
            return None
        if former.manner in (Manner.SLOPPY, Manner.PROMPTS, Manner.CHANGED, Manner.COPIED):
            return None
        return self._answers.get(setting.number - 1)

    def _about(self, record: _Record) -> About:
        return About(self.seed, record.setting.number, record.setting.live, record.steps)

    def _known(self) -> set[str]:
        return {record.ticket.id for record in self._records.values()}

    def _there(self, day: date) -> list[Character]:
        return [person for person in self.people() if person.works(day)]
