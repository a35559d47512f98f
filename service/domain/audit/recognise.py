"""Records in a project that never used us: which ticket of an iteration looks like its record. It is pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connectors.records import Document, Surveyed
from service.domain.audit.prose import fold
from service.domain.audit.sections import links_of, sections_of
from service.domain.audit.subject import SectionRule

HEADINGS = 3
"""A ticket with so many of a record's headings, and words under them, is one whatever it is called."""

_NAMES = re.compile(
    r"\b(records?|documentation|document|reports?|summary|protocol|writeup|retrospective|retro|minutes"
    r"|dokumentation|bericht|protokoll|abschlussbericht|zusammenfassung|documentacion|informe|resumen|acta"
    r"|rapport|compte-rendu|documentazione|rapporto|relazione|relatorio|documentacao|resumo|verslag|documentatie"
    r"|raport|dokumentacja|sprawozdanie)\b"
)
_LONG_NAMES = ("write-up", "model card", "sprint report", "iteration log", "experiment log", "lab notebook")
_EASTERN = ("記録", "報告", "议事", "记录", "报告", "報告書", "文档")
_PAGE = re.compile(r"/wiki/|/pages/|confluence|notion\.(so|site)|docs\.google\.|sharepoint\.|/display/|\.md($|[?#])")


@dataclass(frozen=True, slots=True)
class Recognised:
    """The ticket that looks most like the record of an iteration; `told_by` says in words by what. Without a document,
    none does."""

    document: Document | None = None
    told_by: str = ""


def record_of(iteration: Surveyed, loose: Sequence[Document], rules: Sequence[SectionRule]) -> Recognised:
    """The record of an iteration: among its own tickets, and among those that are in no iteration and name this one.

    Headings with words under them count most, then the title, a label, a page that is linked; of equals the first.
    """
    named = [one for one in loose if _names(one, iteration.title)]
    found = [(_likeness(one, rules), one) for one in (*iteration.documents, *named)]
    best = max(found, key=lambda pair: pair[0].score, default=None)
    if best is None or not best[0].score:
        return Recognised()
    return Recognised(best[1], ", ".join(best[0].reasons))


@dataclass(frozen=True, slots=True)
class _Likeness:
    score: int = 0
    reasons: tuple[str, ...] = ()


def _likeness(document: Document, rules: Sequence[SectionRule]) -> _Likeness:
    """How much a ticket looks like a record, 0 for not at all, and why."""
    there = [one for one in sections_of(document.text, rules).values() if one.title and not one.empty]
    score, reasons = 0, []
    if len(there) >= HEADINGS:
        score += 100 * len(there)
        reasons.append("its headings " + ", ".join(one.title for one in there[:HEADINGS]))
    if _says_record(document.title):
        score += 50 + 5 * len(there)
        reasons.append("its title")
    if any(_says_record(label.replace("-", " ")) for label in document.labels):
        score += 20
        reasons.append("a label")
    if score and (page := _page_of(document)):
        score += 5
        reasons.append(f"the page {page[:200]}")
    elif page := _named_page(document):
        score += 10
        reasons.append(f"the page {page[:200]}")
    return _Likeness(score, tuple(reasons))


def _says_record(text: str) -> bool:
    folded = fold(text)
    return _NAMES.search(folded) is not None or any(name in folded for name in (*_LONG_NAMES, *_EASTERN))


def _links(document: Document) -> Iterable[tuple[str, str]]:
    """Addresses on a ticket with what they are called."""
    yield from ((link.url, link.title) for link in document.links)
    yield from ((link.url, link.text) for link in links_of(document.text))


def _page_of(document: Document) -> str:
    """A page that a ticket leads to, empty for none."""
    return next((url for url, _ in _links(document) if _PAGE.search(url.casefold())), "")


def _named_page(document: Document) -> str:
    """A page that a ticket leads to and that is called a record, empty for none."""
    return next((url for url, title in _links(document) if _PAGE.search(url.casefold()) and _says_record(title)), "")


def _names(document: Document, title: str) -> bool:
    """Whether a ticket's title names that iteration: by its whole title, at the bounds of words."""
    wanted = fold(title).strip()
    return bool(wanted) and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", fold(document.title)) is not None
