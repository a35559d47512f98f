"""The checks of what stands around a record's text: D01, D09, D10, D11, D13, D14 and D15, each a pure function of what
was read.

What could not be read is neither there nor lacking: a check that hangs on it is inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from connectors.records import Comment, Document, Part
from service.domain.audit.findings import (
    failed,
    inconclusive,
    listed,
    not_applicable,
    passed,
    quoted,
    quoted_address,
    sentence,
)
from service.domain.audit.links import FILE, Link, is_ticket, kinds_of, links_in, links_of
from service.domain.audit.outcome import Check, CheckFinding, Evidence
from service.domain.audit.retrospective import retrospective
from service.domain.audit.sign_off import on_time, sign_off
from service.domain.audit.signing import person_of
from service.domain.audit.subject import Reading, Subject
from service.domain.template.hosts import refusal

ENOUGH: Final = 0.8
"""The share of done tickets with evidence from which on D15 passes."""

_SHOWN: Final = 5
"""How many of many things are named in a reason."""

_HOLDING: Final = (Part.TEXT, Part.COMMENTS, Part.ATTACHMENTS, Part.LINKS)
"""Parts in which the evidence of a ticket can be."""


def record_exists(subject: Subject) -> CheckFinding:
    """D01: there is a record of this iteration."""
    reading, number = subject.record, subject.iteration.number
    if reading.document is not None:
        document = reading.document
        shown = Evidence("ticket", quoted(document.title), document.ref.url, digest=document.digest)
        return passed(subject, Check.RECORD, f"{document.ref.key or document.title} is the record.", shown)
    if reading.unread:
        return inconclusive(subject, Check.RECORD, f"The record could not be looked at: {sentence(reading.unread)}.")
    why = f"There is no record of iteration {number}" + (f": {sentence(reading.missing)}." if reading.missing else ".")
    fix = "Restore the record's ticket, or let phaseloop make it again (plan and apply), and fill it in."
    return failed(subject, Check.RECORD, why, fix)


def links(subject: Subject) -> CheckFinding:
    """D09: the kinds of links that the phase asks for are there, and every link leads to where links may lead."""
    document, check = _document(subject), Check.LINKS
    found = links_of(document)
    judged = {
        link: "" if link.source == FILE else refusal(link.url, subject.rules.hosts, document.ref.url) for link in found
    }
    wrong = [(link, why) for link, why in judged.items() if why]
    good = [link for link, why in judged.items() if not why]
    telling = [link for link in good if not is_ticket(link.url, document.ref.url)]
    kinds = {link: kinds_of(link, subject.rules.link_kinds) for link in telling}
    titles = {kind.key: kind.title for kind in subject.rules.link_kinds}
    lacking = [key for key in subject.rules.required if not any(key in of for of in kinds.values())]
    if wrong:
        return _refused_links(subject, wrong)
    open_parts = _unread(document, (Part.TEXT, Part.LINKS, *([Part.ATTACHMENTS] if lacking else [])))
    if open_parts:
        return inconclusive(subject, check, f"The record's {open_parts} could not be read, and links may be there.")
    if lacking:
        words = listed([titles.get(key, key) for key in lacking])
        if document.cut:
            return inconclusive(
                subject, check, f"No link to {words} in the part of the text that was read; it is too long."
            )
        fix = f"Add a link to {words}, with a word beside it that says what it is."
        return failed(subject, check, f"There is no link to {words}.", fix, *_shown_links(telling))
    if not subject.rules.required and not found:
        return not_applicable(subject, check, "This phase asks for no links, and the record has none.")
    counted = f"{len(found)} link{'' if len(found) == 1 else 's'}"
    asked = [titles.get(key, key) for key in subject.rules.required]
    reason = f"{counted}, among them {listed(asked)}." if asked else f"{counted}; this phase asks for none."
    return passed(subject, check, reason, *_shown_links(sorted(telling, key=lambda link: not kinds[link])))


def deliverables(subject: Subject) -> CheckFinding:
    """D13: where the phase ends, each of its exit tickets carries a link or an attachment."""
    check = Check.DELIVERABLES
    if not subject.iteration.gate:
        return not_applicable(subject, check, "The phase does not end with this iteration.")
    if not subject.deliverables:
        return not_applicable(subject, check, "The phase names no deliverables.")
    without: list[str] = []
    open_ones: list[str] = []
    shown = []
    for reading in subject.deliverables:
        evidence = None if reading.document is None else _product(subject, reading.document)
        if evidence is not None:
            shown.append(evidence)
        elif _is_open(reading, _HOLDING):
            open_ones.append(_named(reading))
        else:
            without.append(_named(reading))
    if without:
        fix = f"Link or attach what was made on {listed(without)}."
        return failed(subject, check, f"Nothing is linked or attached on {listed(without)}.", fix, *shown)
    if open_ones:
        return inconclusive(subject, check, f"{listed(open_ones)} could not be read in full.", *shown)
    return passed(subject, check, f"All {len(shown)} deliverables of the phase carry a link or an attachment.", *shown)


def done_tickets(subject: Subject) -> CheckFinding:
    """D15: of the tickets that were done, how many show that they are: a complete checklist, a link, a file or a word
    of somebody."""
    check = Check.DONE_TICKETS
    if not subject.done:
        return not_applicable(subject, check, "No ticket was done in this iteration.")
    without: list[str] = []
    open_ones: list[str] = []
    shown = []
    for reading in subject.done:
        evidence = None if reading.document is None else _proof(subject, reading.document)
        if evidence is not None:
            shown.append(evidence)
        else:
            (open_ones if _is_open(reading, (*_HOLDING, Part.CHECKLIST)) else without).append(_named(reading))
    count, known = len(subject.done), len(shown) + len(without)
    share = len(shown) / known if known else None
    reason = f"{len(shown)} of {count} done tickets show that they are done"
    if (len(shown) + len(open_ones)) / count < ENOUGH:
        fix = f"Tick off the checklist, link the result or leave a word on {listed(without)}."
        reason += f"; {ENOUGH:.0%} are asked for. Nothing shows it on {listed(without)}."
        return failed(subject, check, reason, fix, *shown[:_SHOWN], share=share)
    if len(shown) / count < ENOUGH:
        reason += f"; {listed(open_ones)} could not be read in full."
        return inconclusive(subject, check, reason, *shown[:_SHOWN], share=share)
    reason += f", but not {listed(without)}." if without else "."
    return passed(subject, check, reason, *shown[:_SHOWN], share=share)


RECORD_CHECKS: Final[Mapping[Check, Callable[[Subject], CheckFinding]]] = {
    Check.LINKS: links,
    Check.SIGN_OFF: sign_off,
    Check.ON_TIME: on_time,
}
"""Checks that need a record; it has to be there and readable."""

OTHER_CHECKS: Final[Mapping[Check, Callable[[Subject], CheckFinding]]] = {
    Check.RECORD: record_exists,
    Check.DELIVERABLES: deliverables,
    Check.RETROSPECTIVE: retrospective,
    Check.DONE_TICKETS: done_tickets,
}
"""Checks that say something without a record as well."""


def _refused_links(subject: Subject, wrong: Sequence[tuple[Link, str]]) -> CheckFinding:
    said = [f"{quoted_address(link.url)} {why}" for link, why in wrong[:_SHOWN]]
    more = f" There are {len(wrong) - _SHOWN} more." if len(wrong) > _SHOWN else ""
    fix = "Link a place that everybody concerned can open, or add the host to the hosts that the template allows."
    shown = [Evidence(link.source, quoted_address(link.url)) for link, _ in wrong[:_SHOWN]]
    return failed(subject, Check.LINKS, f"{'; '.join(said)}.{more}", fix, *shown)


def _shown_links(found: Sequence[Link]) -> list[Evidence]:
    return [Evidence(link.source, quoted(link.label) or quoted_address(link.url), link.url) for link in found[:_SHOWN]]


def _product(subject: Subject, document: Document) -> Evidence | None:
    """A file or link on a ticket that somebody put there; None: there is none among what was read."""
    for file in document.attachments:
        who = person_of(subject, file.author) if file.author else ""
        return Evidence(_ticket(document), quoted(file.name), file.url, by=who, at=file.at)
    said = [(link, "") for link in _own_links(subject, document)]
    said += [(Link(one.url, one.title), one.author) for one in document.links]
    said += [(link, one.person) for one in _comments(subject, document) for link in links_in(one.text)]
    for link, by in said:
        if not refusal(link.url, subject.rules.hosts, document.ref.url):
            return Evidence(_ticket(document), quoted(link.label) or quoted_address(link.url), link.url, by=by)
    return None


def _proof(subject: Subject, document: Document) -> Evidence | None:
    """What shows that a done ticket is done; None: nothing among what was read."""
    lines = [tick.done for tick in document.ticks] or _ticked_lines(document.text)
    if lines and all(lines):
        return Evidence(_ticket(document), f"checklist of {len(lines)} complete", document.ref.url)
    for comment in _comments(subject, document):
        return Evidence(_ticket(document), quoted(comment.text), document.ref.url, comment.person, comment.at)
    return _product(subject, document)


def _ticked_lines(text: str) -> list[bool]:
    """Whether each line of a checklist in the text is ticked."""
    lines = (line.lstrip().lstrip("-*+").lstrip()[:4].casefold() for line in text.splitlines())
    return [line.startswith("[x]") for line in lines if line.startswith(("[x]", "[ ]"))]


def _own_links(subject: Subject, document: Document) -> tuple[Link, ...]:
    """The links in a ticket's text, unless it reads as it was seeded."""
    return () if document.digest in subject.written else links_in(document.text)


def _comments(subject: Subject, document: Document) -> list[Comment]:
    """What people said on a ticket."""
    return [one for one in document.comments if one.text.strip() and (not subject.ours or one.author != subject.ours)]


def _is_open(reading: Reading, parts: Collection[Part]) -> bool:
    """Whether what is lacking may be in something that could not be read."""
    return bool(reading.unread) if reading.document is None else bool(set(parts) & set(reading.document.unread))


def _unread(document: Document, parts: Collection[Part]) -> str:
    return listed([part.value for part in parts if part in document.unread])


def _document(subject: Subject) -> Document:
    """The record; these checks are asked only where there is one."""
    if subject.record.document is None:
        raise ValueError("there is no record to be checked")
    return subject.record.document


def _named(reading: Reading) -> str:
    if reading.document is not None:
        return reading.document.ref.key or quoted(reading.document.title)
    return str(reading.key or "a ticket")


def _ticket(document: Document) -> str:
    return f"ticket {document.ref.key}".strip()
