"""What people are reminded of while a record is not complete: what is lacking, by when, how to fix it, and who signs.

At most one reminder for each state of the clock, and none for what could not be read. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from service.domain.audit.audit import holding
from service.domain.audit.outcome import Audited, CheckFinding, Clock, Verdict
from service.domain.audit.subject import Deadlines, Person, Subject
from service.domain.audit.titles import TITLES

MENTIONED = 10
"""At most so many accounts are addressed by one reminder."""

LONGEST_REASON = 300
"""Characters of what is said about one check."""

_SIGNING = {
    "comment": "a comment that begins with /approve",
    "tick": "the ticked line that says signed off",
    "done": "moving it to done",
}


@dataclass(frozen=True, slots=True)
class Nudge:
    """A reminder about the record of iteration `number`. `headline` is for people elsewhere, `text` all of it as
    Markdown, to be said on the record; `mentions` are the accounts it is addressed to, `to` how these people are
    called."""

    number: int
    clock: Clock
    headline: str
    text: str
    mentions: tuple[str, ...]
    to: tuple[str, ...]


def nudge_of(
    subject: Subject, audited: Audited, project: str, zone: tzinfo, others: Mapping[str, Person] | None = None
) -> Nudge | None:
    """The reminder that is to be given now; None where nothing is lacking that can be fixed, nothing is due,
    or nothing is known.

    `project` is its key, `zone` that of the times in the text; `others` are the people, by account, who hear of it
    once it is escalated. The same audit gives the same words.
    """
    lacking = holding(audited)
    if audited.clock is Clock.UPCOMING or audited.verdict is Verdict.UNKNOWN or not lacking:
        return None
    headline = _headline(subject, audited.clock, project, zone)
    people = _people(subject, others if audited.clock is Clock.ESCALATED and others else {})
    return Nudge(
        number=audited.number,
        clock=audited.clock,
        headline=f"{headline} Lacking: {', '.join(TITLES[one.check] for one in lacking)}.",
        text="\n\n".join([headline, "Still lacking:", _list(lacking), _signature(subject)]),
        mentions=tuple(people),
        to=tuple(people.values()),
    )


def _headline(subject: Subject, clock: Clock, project: str, zone: tzinfo) -> str:
    record = f"The record of iteration {subject.iteration.number} of {project}"
    times = subject.iteration.deadlines
    match clock:
        case Clock.DUE_SOON:
            return f"{record} is due on {_when(times.due, zone)}."
        case Clock.DUE:
            return f"{record} is due now: the iteration ends on {_when(times.due, zone)}."
        case Clock.IN_GRACE:
            return (
                f"{record} is not complete, and the iteration has ended. It is late from {_when(times.late, zone)} on."
            )
        case Clock.OVERDUE:
            return f"{record} is late since {_when(times.late, zone)}.{_then(times, zone)}"
        case _:
            return f"{record} is late since {_when(times.late, zone)}, and not fixed."


def _then(times: Deadlines, zone: tzinfo) -> str:
    return f" From {_when(times.escalates, zone)} on, others hear of it." if times.escalates > times.late else ""


def _when(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y at %H:%M} {local.isoformat()[-6:]}"


def _list(lacking: Sequence[CheckFinding]) -> str:
    return "\n".join(f"- **{TITLES[one.check]}** ({one.check.value}): {_said(one)}" for one in lacking)


def _said(finding: CheckFinding) -> str:
    """The reason and how to fix it, on one line."""
    parts = (" ".join(text.split()) for text in (finding.reason, finding.fix))
    return " ".join(_cut(text) for text in parts if text)


def _cut(text: str) -> str:
    short = text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 2].rstrip() + " …"
    return short if short[-1] in ".!?…" else short + "."


def _signature(subject: Subject) -> str:
    rules = subject.rules
    ways = [_SIGNING[one] for one in rules.sign_by if one in _SIGNING]
    how = f", by {' or '.join(ways)}" if ways else ""
    return f"Signed by: {rules.signer_title or rules.signer}, not by the author{how}."


def _people(subject: Subject, others: Mapping[str, Person]) -> dict[str, str]:
    """Who is addressed, by account: those who write the record, those who sign it, then the others."""
    known, rules = subject.people, subject.rules
    document = subject.record.document
    holder = document.assignee if document is not None and document.assignee in known else None
    authors = [holder] if holder is not None else _holding(known, rules.author)
    signers = [account for account in _holding(known, rules.signer) if account not in authors]
    named = {account: known[account].name for account in (*authors, *signers)}
    named |= {account: one.name for account, one in others.items() if account not in named}
    chosen = [account for account in named if account != subject.ours]
    return {account: named[account] for account in chosen[:MENTIONED]}


def _holding(people: Mapping[str, Person], role: str) -> list[str]:
    return [account for account, person in people.items() if role and role in person.roles]
