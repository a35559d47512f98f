"""Which ticket of a stranger's iteration looks like its record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.records import Document, Surveyed, WebLink, text_digest
from connectors.values import RemoteRef
from service.domain.audit.recognise import record_of
from service.domain.audit.subject import SectionRule

RULES = tuple(
    SectionRule(key, (title,), "What?")
    for key, title in (
        ("goal", "Goal and hypothesis"),
        ("data", "Data used"),
        ("decisions", "Decisions and why"),
        ("risks", "Risks and limits"),
    )
)
WHOLE = "## Goal\n\nTo learn.\n\n## Data used\n\nsales v3\n\n## Decisions\n\nWe keep A."
WIKI = "https://example.atlassian.net/wiki/spaces/ML/pages/12/Sprint-3"


def ticket(title: str, text: str = "", labels: tuple[str, ...] = (), links: tuple[WebLink, ...] = ()) -> Document:
    ref = RemoteRef(title, title, f"https://t.example.com/{title}")
    return Document(ref, title, text, text_digest(text), "todo", labels=labels, links=links)


def told(*documents: Document, loose: tuple[Document, ...] = (), title: str = "Sprint 3") -> tuple[str | None, str]:
    """The title of the record and what it was told by."""
    iteration = Surveyed(RemoteRef("1", "1", ""), title, "closed", None, None, documents)
    found = record_of(iteration, loose, RULES)
    return found.document.title if found.document is not None else None, found.told_by


def test_headings_tell_more_than_what_a_ticket_is_called() -> None:
    called = ticket("Sprint report")
    written = ticket("What we did", WHOLE)

    assert told(called, written) == ("What we did", "its headings Goal, Data used, Decisions")


@pytest.mark.parametrize(
    "title",
    [
        "Document iteration 3",
        "Sprint 3 report",
        "Retro",
        "Dokumentation Sprint 3",
        "Abschlussbericht",
        "Documentación de la iteración",
        "Compte-rendu du sprint",
        "Relatório da iteração",
        "第3回 記録",
        "Model card",
    ],
)
def test_a_record_is_told_by_its_title_in_many_languages(title: str) -> None:
    assert told(ticket("Load the data"), ticket(title)) == (title, "its title")


def test_a_label_tells_a_record() -> None:
    assert told(ticket("Sprint 3", labels=("iteration-record",)))[1] == "a label"


def test_a_page_that_is_called_a_record_tells_the_ticket_that_leads_to_it() -> None:
    linked = ticket("Wrap up", links=(WebLink(WIKI, "Sprint 3 report"),))
    written = ticket("Close it", f"See the [report of the sprint]({WIKI}).")

    assert told(linked) == ("Wrap up", f"the page {WIKI}")
    assert told(written) == ("Close it", f"the page {WIKI}")
    assert told(ticket("Load", links=(WebLink(WIKI, "How the data is laid out"),))) == (None, "")


def test_work_is_no_record_and_empty_headings_are_none() -> None:
    empty = "## Goal\n\n## Data used\n\n## Decisions\n\n## Risks and limits"

    assert told(ticket("Train a model", "Train it."), ticket("Plan", empty)) == (None, "")
    assert told() == (None, "")


def test_a_ticket_outside_of_every_iteration_is_the_record_of_the_one_that_it_names() -> None:
    loose = (ticket("Report of Sprint 31", WHOLE), ticket("Report of sprint 3"))

    assert told(ticket("Load"), loose=loose) == ("Report of sprint 3", "its title")


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=60))
def test_no_text_can_raise(text: str, title: str, name: str) -> None:
    told(ticket(title, text, (name,), (WebLink(text, name),)), loose=(ticket(text),), title=name)
