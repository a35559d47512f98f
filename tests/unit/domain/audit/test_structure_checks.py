"""What stands around a record's text: that it is there, links, deliverables, the look back, done tickets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.records import Attachment, Comment, Document, Part, Tick, WebLink, text_digest
from connectors.values import ItemKey
from service.domain.audit.outcome import Check, Result
from service.domain.audit.subject import Reading, Subject
from tests.unit.domain.audit.subjects import GOOD, SIGNED, at_gate, document, found, result, subject, ticket

D01, D09, D13, D14, D15 = Check.RECORD, Check.LINKS, Check.DELIVERABLES, Check.RETROSPECTIVE, Check.DONE_TICKETS
KEY = ItemKey("record:1")
FEEDBACK = 3


def linked(them: str, /, **changes: Any) -> Document:
    """The good record with other links."""
    head, _, rest = GOOD.partition("## Links")
    return document(f"{head}## Links\n\n{them}\n\n## Retrospective{rest.partition('## Retrospective')[2]}", **changes)


RUN = "- [run 12](https://mlflow.example.com/x/12)"
CODE = "- code: https://git.example.com/churn"


def hosts(what: Subject, *named: str) -> Subject:
    return replace(what, rules=replace(what.rules, hosts=named))


def test_a_record_that_is_not_there_fails_once_and_the_checks_of_it_do_not_apply() -> None:
    findings = found(subject(Reading(KEY, missing="it was deleted in the tracker")))
    assert findings[D01].result is Result.FAIL
    assert findings[D01].reason == "There is no record of iteration 1: it was deleted in the tracker."
    assert "let phaseloop make it again" in findings[D01].fix
    of_record = {check for check, one in findings.items() if one.reason == "There is no record to look at; see D01."}
    assert {one.value for one in of_record} == {f"D{n:02}" for n in (2, 3, 4, 5, 7, 8, 9, 10, 11, 12)}
    assert findings[D15].result is Result.PASS


def test_a_record_that_could_not_be_looked_at_is_neither_there_nor_missing() -> None:
    findings = found(subject(Reading(KEY, unread="the tracker did not answer"), phase=FEEDBACK))
    inconclusive = {check.value for check, one in findings.items() if one.result is Result.INCONCLUSIVE}
    assert inconclusive == {f"D{n:02}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14)}
    assert "the tracker did not answer" in findings[D01].reason


def test_a_record_whose_text_could_not_be_read_is_there() -> None:
    findings = found(subject(document("", unread=(Part.TEXT,))))
    assert findings[D01].result is Result.PASS
    inconclusive = {check.value for check, one in findings.items() if one.result is Result.INCONCLUSIVE}
    assert inconclusive == {f"D{n:02}" for n in (2, 3, 4, 5, 7, 8, 9, 12)}
    assert findings[Check.SIGN_OFF].result is Result.PASS


def test_links_of_every_kind_that_the_phase_asks_for_pass_and_are_shown() -> None:
    finding = found(subject(linked(f"{RUN}\n{CODE}")))[D09]
    assert finding.result is Result.PASS
    assert [(one.source, one.url) for one in finding.evidence] == [
        ("section Links", "https://mlflow.example.com/x/12"),
        ("section Links", "https://git.example.com/churn"),
    ]


def test_a_kind_that_is_lacking_is_named_with_the_fix() -> None:
    finding = found(subject(linked(RUN)))[D09]
    assert finding.result is Result.FAIL
    assert finding.reason == "There is no link to the notebook or repository."
    assert finding.fix.startswith("Add a link to the notebook or repository")


def test_a_ticket_that_is_called_after_a_run_is_no_run() -> None:
    tickets = "- [ML-22](https://tracker.example.com/browse/ML-22) Run different models\n" + CODE
    finding = found(subject(linked(tickets)))[D09]
    assert finding.result is Result.FAIL
    assert "a tracked run" in finding.reason


def test_a_kind_can_be_linked_beside_the_text_or_attached() -> None:
    beside = WebLink("https://git.example.com/churn", "Repository")
    assert result(subject(linked(RUN, links=(beside,))), D09) is Result.PASS
    notebook = Attachment("analysis.ipynb", "https://tracker.example.com/files/analysis.ipynb")
    assert result(subject(linked(RUN, attachments=(notebook,))), D09) is Result.PASS


def test_a_link_to_a_private_address_fails_and_is_shown_but_not_to_be_followed() -> None:
    finding = found(subject(linked(f"{RUN}\n{CODE}\n- http://2130706433/admin")))[D09]
    assert finding.result is Result.FAIL
    assert finding.reason.startswith("http://2130706433/admin leads to 127.0.0.1")
    assert [(one.quote, one.url) for one in finding.evidence] == [("http://2130706433/admin", "")]


def test_a_script_as_a_link_fails_wherever_it_is() -> None:
    beside = WebLink("javascript:alert(document.cookie)", "run")
    assert result(subject(linked(f"{RUN}\n{CODE}", links=(beside,))), D09) is Result.FAIL
    assert result(subject(linked(f"{RUN}\n{CODE}\n[x](javascript:alert(1))")), D09) is Result.FAIL


def test_with_allowed_hosts_only_they_and_the_tracker_are_linked() -> None:
    own = "- ML-3: https://tracker.example.com/browse/ML-3"
    what = subject(linked(f"{RUN}\n{CODE}\n{own}"))
    assert result(hosts(what, "mlflow.example.com", "git.example.com"), D09) is Result.PASS
    assert result(hosts(what, "mlflow.example.com"), D09) is Result.FAIL


def test_a_refused_link_is_of_no_kind() -> None:
    what = hosts(subject(linked(f"{RUN}\n- code: https://git.elsewhere.org/x")), "mlflow.example.com")
    assert "git.elsewhere.org" in found(what)[D09].reason


@pytest.mark.parametrize(
    ("links", "unread", "expected"),
    [
        (RUN, (Part.LINKS,), Result.INCONCLUSIVE),
        (RUN, (Part.ATTACHMENTS,), Result.INCONCLUSIVE),
        (f"{RUN}\n{CODE}", (Part.ATTACHMENTS,), Result.PASS),
        (f"{RUN}\n{CODE}", (Part.LINKS,), Result.INCONCLUSIVE),
        (f"{RUN}\n{CODE}", (Part.COMMENTS, Part.HISTORY), Result.PASS),
        (f"{RUN}\n- http://10.0.0.1/", (Part.LINKS,), Result.FAIL),
    ],
)
def test_links_that_could_not_be_read_are_not_lacking(links: str, unread: tuple[Part, ...], expected: Result) -> None:
    assert result(subject(linked(links, unread=unread)), D09) is expected


def test_a_text_that_was_cut_lacks_nothing_for_sure() -> None:
    assert result(subject(linked(RUN, cut=True)), D09) is Result.INCONCLUSIVE


def test_where_no_links_are_asked_for_and_none_are_there_the_check_does_not_apply() -> None:
    what = subject(linked(""))
    free = replace(what, rules=replace(what.rules, required=()))
    assert result(free, D09) is Result.NOT_APPLICABLE
    assert result(replace(free, record=subject(linked(RUN)).record), D09) is Result.PASS


def gate(*deliverables: Reading, **changes: Any) -> Subject:
    return at_gate(subject(**changes), *deliverables)


FILE = Attachment("report.pdf", "https://tracker.example.com/files/report.pdf", author="a-ml")


@pytest.mark.parametrize(
    "proof",
    [
        {"attachments": (FILE,)},
        {"links": (WebLink("https://wiki.example.com/report", "Report"),)},
        {"text": "Result: https://wiki.example.com/report"},
        {"comments": (Comment("1", "a-ml", "ml-1", "see https://wiki.example.com/report", SIGNED),)},
    ],
)
def test_deliverables_carry_a_link_or_a_file(proof: dict[str, Any]) -> None:
    finding = found(gate(ticket("ML-1", **proof), ticket("ML-2", attachments=(FILE,))))[D13]
    assert finding.result is Result.PASS
    assert [one.source for one in finding.evidence] == ["ticket ML-1", "ticket ML-2"]


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        {"links": (WebLink("http://localhost/report"),)},
        {"comments": (Comment("1", "a-ml", "ml-1", "done", SIGNED),)},
        {"comments": (Comment("1", "a-us", "us", "https://example.com/x", SIGNED),)},
    ],
)
def test_a_deliverable_without_one_is_named(nothing: dict[str, Any]) -> None:
    finding = found(gate(ticket("ML-1", attachments=(FILE,)), ticket("ML-2", **nothing)))[D13]
    assert finding.result is Result.FAIL
    assert finding.reason == "Nothing is linked or attached on ML-2."
    assert finding.fix == "Link or attach what was made on ML-2."


def test_what_was_seeded_into_a_deliverable_is_no_evidence() -> None:
    text = "See https://wiki.example.com/how-to"
    what = gate(ticket("ML-1", text))
    assert result(what, D13) is Result.PASS
    assert result(replace(what, written=(text_digest(text),)), D13) is Result.FAIL


def test_deliverables_are_asked_for_only_where_the_phase_ends() -> None:
    what = subject(deliverables=(ticket("ML-1"),))
    assert result(what, D13) is Result.NOT_APPLICABLE
    assert result(gate(), D13) is Result.NOT_APPLICABLE


def test_deliverables_that_could_not_be_read_are_not_lacking_but_those_that_are_gone_are() -> None:
    unread = Reading(ItemKey("ticket:a"), unread="no permission")
    assert result(gate(unread), D13) is Result.INCONCLUSIVE
    assert result(gate(ticket("ML-1", unread=(Part.ATTACHMENTS,))), D13) is Result.INCONCLUSIVE
    assert result(gate(ticket("ML-1", unread=(Part.CHECKLIST,))), D13) is Result.FAIL
    assert result(gate(Reading(ItemKey("ticket:a"), missing="deleted")), D13) is Result.FAIL
    assert result(gate(unread, ticket("ML-2")), D13) is Result.FAIL


def without_retrospective(more: str = "", **changes: Any) -> Subject:
    return subject(document(GOOD.partition("## Retrospective")[0] + more, **changes), phase=FEEDBACK)


@pytest.mark.parametrize(
    "more",
    [
        "## Lessons learned\n\nReviews came late again, name the reviewer early.",
        "### 10. Rückblick:\n\nDie Prüfungen kamen wieder zu spät, wir benennen früher.",
        "Retro: reviews came late again, so we name the reviewer early.",
        "- Action item: ml-1@example.com names the reviewer early",
    ],
)
def test_notes_of_a_retrospective_are_found_in_the_record(more: str) -> None:
    assert result(without_retrospective(more), D14) is Result.PASS


@pytest.mark.parametrize(
    "more", ["## Retrospective\n", "Retro: yes", "> Retrospective: what went well and what did not go so well?",
             "There was no retrospective in this iteration at all."]
)  # fmt: skip
def test_the_word_alone_is_no_note(more: str) -> None:
    finding = found(without_retrospective(more))[D14]
    assert finding.result is Result.FAIL
    assert 'heading "Retrospective"' in finding.fix


def test_notes_beside_the_record_or_on_a_done_ticket_count() -> None:
    note = Comment("2", "a-pm", "pm-1", "Retro: we name the reviewer when work begins.", SIGNED)
    assert result(without_retrospective(comments=(note,)), D14) is Result.PASS
    on_ticket = replace(without_retrospective(), done=(ticket("ML-4", comments=(note,)),))
    assert result(on_ticket, D14) is Result.PASS
    attached = Attachment("retrospective-notes.md", "https://tracker.example.com/1")
    assert result(without_retrospective(attachments=(attached,)), D14) is Result.PASS
    ours = replace(note, author="a-us")
    assert result(without_retrospective(comments=(ours,)), D14) is Result.FAIL


def test_a_retrospective_that_may_be_where_nobody_could_look_is_not_lacking() -> None:
    assert result(without_retrospective(unread=(Part.COMMENTS,)), D14) is Result.INCONCLUSIVE
    hidden = replace(without_retrospective(), done=(Reading(ItemKey("ticket:x"), unread="no permission"),))
    assert result(hidden, D14) is Result.INCONCLUSIVE


TICKED = (Tick("a", True), Tick("b", True))
SHOWN = ticket("ML-1", ticks=TICKED)
BARE = ticket("ML-2")
HIDDEN = Reading(ItemKey("ticket:x"), unread="no permission")


@pytest.mark.parametrize(
    ("done", "expected", "share"),
    [
        ((), Result.NOT_APPLICABLE, None),
        ((SHOWN,) * 4 + (BARE,), Result.PASS, 0.8),
        ((SHOWN,) * 3 + (BARE,), Result.FAIL, 0.75),
        ((BARE,), Result.FAIL, 0.0),
        ((SHOWN,) * 4 + (HIDDEN,), Result.PASS, 1.0),
        ((SHOWN, HIDDEN), Result.INCONCLUSIVE, 1.0),
        ((HIDDEN,), Result.INCONCLUSIVE, None),
        ((BARE, BARE, HIDDEN), Result.FAIL, 0.0),
        ((ticket("ML-3", unread=(Part.CHECKLIST,)),), Result.INCONCLUSIVE, None),
    ],
)
def test_done_tickets_are_told_as_a_share_and_pass_from_four_in_five(
    done: tuple[Reading, ...], expected: Result, share: float | None
) -> None:
    finding = found(subject(done=done))[D15]
    assert (finding.result, finding.share) == (expected, share)


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        ({"ticks": TICKED}, Result.PASS),
        ({"ticks": (*TICKED, Tick("c", False))}, Result.FAIL),
        ({"text": "Work.\n\n- [x] a\n* [X] b"}, Result.PASS),
        ({"text": "Work.\n\n- [x] a\n- [ ] b"}, Result.FAIL),
        ({"attachments": (FILE,)}, Result.PASS),
        ({"comments": (Comment("1", "a-ml", "ml-1", "Trained on the new data.", SIGNED),)}, Result.PASS),
        ({"comments": (Comment("1", "a-ml", "ml-1", "  ", SIGNED),)}, Result.FAIL),
        ({"comments": (Comment("1", "a-us", "us", "Carried over.", SIGNED),)}, Result.FAIL),
    ],
)
def test_a_complete_checklist_a_link_a_file_or_a_word_shows_that_a_ticket_is_done(
    proof: dict[str, Any], expected: Result
) -> None:
    assert result(subject(done=(ticket("ML-1", **proof),)), D15) is expected


def test_done_tickets_that_show_nothing_are_named_the_first_of_many() -> None:
    finding = found(subject(done=tuple(ticket(f"ML-{n}") for n in range(1, 9))))[D15]
    assert "ML-1, ML-2, ML-3, ML-4, ML-5 and 3 more" in finding.reason
