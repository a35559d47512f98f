"""D14: whether the team looked back, told by notes of it or by an action that was agreed."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.records import Document, Part
from service.domain.audit.findings import failed, inconclusive, passed, quoted
from service.domain.audit.links import FILE, links_of, negated
from service.domain.audit.outcome import Check, CheckFinding, Evidence
from service.domain.audit.prose import Phrases, count, plain
from service.domain.audit.sections import sections_of
from service.domain.audit.subject import Reading, SectionRule, Subject
from service.domain.comparison import fold
from service.domain.english import counted

_ENOUGH = 5
"""The least words that are a note; the word alone is none."""

_TITLES = (
    *("Retrospective", "Retro", "Retrospective notes", "Lessons learned", "Looking back", "What went well"),
    *("Retrospektive", "Rückblick", "Retrospectiva", "Lecciones aprendidas", "Rétrospective", "Leçons apprises"),
    *(
        "Retrospettiva",
        "Lezioni apprese",
        "Lições aprendidas",
        "Terugblik",
        "Retrospektywa",
        "振り返り",
        "回顾",
        "复盘",
    ),
)
_SECTION = SectionRule("retrospective", _TITLES, "")
_NOTED = Phrases(
    "retrospective|retro|lessons learned|lesson learned|went well|did not go well|went badly|action item|action items"
    "|actions agreed|agreed action|do differently|improvement action|looking back",
    "retrospektive|rückblick|gelernt haben|lief gut|lief schlecht|maßnahme|maßnahmen|verbesserungsmaßnahme",
    "retrospectiva|lecciones aprendidas|salió bien|salió mal|acción de mejora|acciones acordadas",
    "rétrospective|leçons apprises|bien marché|bien fonctionné|action décidée|actions décidées",
    "retrospettiva|lezioni apprese|è andato bene|azione concordata|azioni concordate",
    "lições aprendidas|correu bem|ação acordada|ações acordadas|terugblik|ging goed|retrospektywa|wnioski z iteracji",
    "振り返り|ふりかえり|回顾|复盘|改善アクション|改进措施",
)
_PARTS = {Part.TEXT, Part.COMMENTS, Part.ATTACHMENTS, Part.LINKS}


def retrospective(subject: Subject) -> CheckFinding:
    """D14: notes of a retrospective, or an action that was agreed, stand in the record or beside it, on a deliverable
    or on a ticket that was done."""
    record = subject.record.document
    readings = (subject.record, *subject.deliverables, *subject.done)
    for evidence in _found(subject, record, readings):
        where = f" by {evidence.by}" if evidence.by else ""
        return passed(subject, Check.RETROSPECTIVE, f"The team looked back: {evidence.source}{where}.", evidence)
    unread = [one for one in readings if one.unread or (one.document and _PARTS & set(one.document.unread))]
    if unread:
        reason = f"Nothing was found in what could be read; {counted(len(unread), 'ticket')} could not be read in full."
        return inconclusive(subject, Check.RETROSPECTIVE, reason)
    fix = 'Add a heading "Retrospective" to the record, with what went well, what did not, or one action to take.'
    return failed(subject, Check.RETROSPECTIVE, "There are no notes of a retrospective and no action from one.", fix)


def _found(subject: Subject, record: Document | None, readings: tuple[Reading, ...]) -> Iterator[Evidence]:
    if record is not None and Part.TEXT not in record.unread:
        yield from _in_text(subject, record)
    for reading in readings:
        if reading.document is not None:
            yield from _beside(subject, reading.document)


def _in_text(subject: Subject, record: Document) -> Iterator[Evidence]:
    """Notes under a heading of their own, or a line that speaks of them; what was seeded speaks for nobody."""
    section = sections_of(record.text, (*subject.rules.sections, _SECTION))[_SECTION.key]
    if count(section.plain) >= _ENOUGH:
        source = f"section {quoted(section.title)}"
        yield Evidence(source, quoted(section.plain), record.ref.url, digest=record.digest)
    seeded = {" ".join(line.split()) for line in subject.template.splitlines()}
    for line in record.text.splitlines():
        if line.lstrip().startswith((">", "#")) or " ".join(line.split()) in seeded:
            continue
        if _speaks(plain(line)):
            yield Evidence("text", quoted(line), record.ref.url, digest=record.digest)


def _beside(subject: Subject, document: Document) -> Iterator[Evidence]:
    """Comments of people and names of what was attached or linked."""
    for one in document.comments:
        if one.author != subject.ours and _speaks(plain(one.text)):
            yield Evidence("comment", quoted(one.text), document.ref.url, one.person, one.at)
    for link in links_of(document):
        if link.source == FILE or link.label:
            named = fold(link.label)
            if any(not negated(named, found.start()) for found in _NOTED.all(named)):
                yield Evidence(link.source, quoted(link.label), document.ref.url)


def _speaks(text: str) -> bool:
    folded = fold(text)
    return any(not negated(folded, found.start()) for found in _NOTED.all(folded)) and count(text) >= _ENOUGH
