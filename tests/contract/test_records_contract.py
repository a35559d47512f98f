"""What every tracker promises about tickets as evidence, and about the little that is written on them for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import CredentialsRefused, NotVisible, OutcomeUnknown, TrackerError, TrackerUnavailable
from connectors.port import Tracker
from connectors.records import Document, Fill, text_digest
from connectors.values import Item, ItemKey, ItemKind, Place, RemoteRef
from tests.contract.benches import Bench
from tests.contract.items import epic, iteration, ticket
from tests.contract.losing_proxy import Passing
from tests.contract.promises import created, promise

RECORD = """What iteration 2 was for.

## Goal

What was this iteration for?

## Data used

Which data, and where is it?

- one
- two

## Decisions

What was decided, and **why**?"""
GOAL, DATA, DECISIONS = (
    "What was this iteration for?",
    "Which data, and where is it?\n\n- one\n- two",
    "What was decided, and **why**?",
)
RUNS = "[the runs](https://mlflow.example.com/#/experiments/4)"
FACTS = f"Planned **12**, done *9*, see {RUNS}.\n\n- one carried over\n- two new"


@dataclass
class Desk:
    """Tickets of one test, and somebody who works on them by hand."""

    bench: Bench
    tracker: Tracker
    place: Place
    refs: dict[ItemKey, RemoteRef] = field(default_factory=dict)

    def lay(self, *items: Item) -> None:
        """Make tickets, with all that belongs to them."""
        made = created(self.tracker, self.place, *items)
        self.tracker.finish(self.place, [(item, made[item.key]) for item in items])
        self.refs |= made

    def read(self, *whole: str, by: Tracker | None = None) -> Mapping[str, Document]:
        """All tickets as evidence, by what they are called; these of them with everything."""
        keys = [ItemKey(f"ticket:{name}") for name in whole]
        found = (by or self.tracker).documents(self.place, self.refs, keys)
        return {str(key).partition(":")[2]: one for key, one in found.items()}

    def one(self, name: str = "a") -> Document:
        """One ticket with everything on it."""
        return self.read(name)[name]

    def ref(self, name: str = "a") -> RemoteRef:
        """Where a ticket is."""
        return self.refs[ItemKey(f"ticket:{name}")]

    def fill(self, *fills: Fill, by: Tracker | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Fill in the ticket: what was written and what was left. The digest is that of the text afterwards."""
        filled = (by or self.tracker).fill(self.place, self.ref(), fills)
        assert filled.digest == self.one().digest
        return filled.written, filled.left

    def cost(self, call: Callable[[], object]) -> tuple[int, int]:
        """The reads and writes that a call takes."""
        reads, writes = self.bench.requests()
        call()
        after = self.bench.requests()
        return after[0] - reads, after[1] - writes


@pytest.fixture
def desk(bench: Bench, tracker: Tracker, place: Place) -> Desk:
    """A desk with nothing on it."""
    return Desk(bench, tracker, place)


def section(document: Document, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    return document.text.partition(f"## {heading}\n")[2].partition("\n#")[0].strip()


# --- what a document tells ---


@promise("documents")
def test_a_document_tells_what_the_ticket_is(desk: Desk) -> None:
    person = desk.tracker.people(desk.place, [desk.bench.known_email])[desk.bench.known_email]
    before = datetime.now(UTC)
    desk.lay(ticket("a", "Document iteration 2", labels=("record",), assignee=person.id))
    found = desk.one()
    assert (found.key, found.ref, found.title) == ("ticket:a", desk.ref(), "Document iteration 2")
    assert (found.status, found.assignee, found.created_by) == ("todo", person.id, desk.tracker.whoami().id)
    assert "record" in found.labels
    assert found.created_at is not None
    assert timedelta(seconds=-5) < found.created_at - before < timedelta(days=1)
    assert (found.text, found.digest, found.cut, found.unread) == ("", text_digest(""), False, ())
    parts = (found.comments, found.attachments, found.links, found.ticks, found.edits, found.steps)
    assert parts == ((), (), (), (), (), ())


@promise("documents")
def test_the_text_is_markdown_with_its_headings_lists_and_links(desk: Desk) -> None:
    text = f"# Record\n\n## Goal\n\nBetter than **last** time: {RUNS}.\n\n1. first\n2. second\n\n```\nx = 1\n```"
    desk.lay(ticket("a", text=text))
    found = desk.one()
    lines = found.text.split("\n")
    assert lines[:3] == ["# Record", "", "## Goal"]
    assert f"Better than **last** time: {RUNS}." in lines
    assert next(one for one in lines if one.endswith(("first", "second"))) == "1. first"
    assert "```\nx = 1\n```" in found.text
    assert found.digest == text_digest(found.text)


@promise("documents")
def test_nothing_that_marks_a_ticket_as_ours_is_evidence(desk: Desk, spec: object) -> None:
    desk.lay(ticket("a", text="Words."))
    desk.tracker.mark(desk.place, ItemKey("ticket:a"), desk.ref())
    found = desk.one()
    uid = str(desk.place.facts["uid"])
    assert found.text == "Words."
    assert uid not in repr((found.text, found.attachments, found.links, found.comments))
    assert found.edits == ()


@promise("documents")
def test_an_epic_that_a_ticket_belongs_to_is_no_link_of_its_own(desk: Desk) -> None:
    [(_, above)] = created(desk.tracker, desk.place, epic("data")).items()
    item = ticket("a", epic="epic:data")
    desk.lay(item)
    desk.tracker.update(desk.place, ItemKind.TICKET, desk.ref(), item, ["epic"], above)
    assert (desk.one().links, desk.one().attachments) == ((), ())


@promise("documents")
def test_comments_are_told_oldest_first_with_who_and_when(desk: Desk) -> None:
    desk.lay(ticket("a"))
    desk.bench.person.says(desk.ref(), "First")
    desk.tracker.comment(desk.place, desk.ref(), "Second")
    desk.bench.person.says(desk.ref(), "/approve")
    found = desk.one().comments
    member, us = desk.bench.person.account, desk.tracker.whoami()
    assert [(one.text, one.author) for one in found] == [("First", member), ("Second", us.id), ("/approve", member)]
    assert found[1].person == us.name
    assert found[0].person
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert len({one.id for one in found}) == 3
    assert [one.edited_at for one in found] == [None, None, None]


@promise("documents")
def test_a_comment_that_was_edited_says_so(desk: Desk) -> None:
    desk.lay(ticket("a"))
    comment = desk.bench.person.says(desk.ref(), "Not yet")
    desk.bench.person.waits()
    desk.bench.person.corrects(desk.ref(), comment, "/approve")
    [found] = desk.one().comments
    assert found.text == "/approve"
    assert found.edited_at is not None
    assert found.edited_at > found.at


@promise("documents")
def test_comments_beyond_a_page_are_told_and_take_one_request_more(desk: Desk) -> None:
    desk.lay(ticket("a"), ticket("b"))
    few = desk.cost(desk.read)
    for number in range(25):
        desk.bench.person.says(desk.ref(), f"Comment {number}")
    many = desk.cost(desk.read)
    assert [one.text for one in desk.read()["a"].comments] == [f"Comment {number}" for number in range(25)]
    assert desk.read()["b"].comments == ()
    assert many[0] <= few[0] + 1


@promise("documents")
def test_files_are_told_with_where_they_are_and_whose(desk: Desk) -> None:
    desk.lay(ticket("a"))
    desk.bench.person.attaches(desk.ref())
    [found] = desk.one().attachments
    assert (found.name, found.size, found.author) == ("notes.txt", 13, desk.bench.person.account)
    assert found.url.startswith("http")
    assert "notes.txt" in found.url
    assert found.at is not None
    assert desk.one().links == ()


@promise("documents")
def test_web_links_are_told_also_of_tickets_that_are_not_whole(desk: Desk) -> None:
    desk.lay(ticket("a"), ticket("b"))
    for name in ("a", "b"):
        desk.bench.person.links(desk.ref(name), f"https://mlflow.example.com/{name}?run=1#top", f"Run {name}")
    for name, found in desk.read("a").items():
        [link] = found.links
        assert (link.url, link.title) == (f"https://mlflow.example.com/{name}?run=1#top", f"Run {name}")
        assert link.author == desk.bench.person.account
        assert link.at is not None
        assert found.attachments == ()


@promise("documents")
def test_edits_tell_who_changed_the_text_and_what_it_then_was(desk: Desk) -> None:
    item = ticket("a", text="As it was made.")
    desk.lay(item)
    assert desk.one().edits == ()
    desk.bench.person.writes(desk.ref(), f"## Goal\n\nBy hand, with {RUNS}.")
    by_hand = desk.one()
    ours = replace(item, text="## Goal\n\nOurs again.")
    desk.tracker.update(desk.place, ItemKind.TICKET, desk.ref(), ours, ["text"], None)
    desk.bench.person.retitles(desk.ref(), "Another title")
    found = desk.one()
    member, us = desk.bench.person.account, desk.tracker.whoami().id
    assert [(one.by, one.digest) for one in found.edits] == [(member, by_hand.digest), (us, found.digest)]
    assert found.edits[0].person
    assert found.edits[0].at <= found.edits[1].at
    assert section(by_hand, "Goal") == f"By hand, with {RUNS}."


@promise("documents")
def test_an_edit_that_empties_the_text_is_told_and_white_space_is_no_change(desk: Desk) -> None:
    desk.lay(ticket("a", text="One two."))
    digest = desk.one().digest
    desk.bench.person.writes(desk.ref(), "")
    emptied = desk.one()
    desk.bench.person.writes(desk.ref(), "One\n\n\n two.")
    found = desk.one()
    assert (emptied.text, emptied.edits[-1].digest) == ("", text_digest(""))
    assert found.digest == digest == found.edits[-1].digest


@promise("documents")
def test_steps_tell_who_moved_the_ticket_and_when(desk: Desk) -> None:
    desk.lay(ticket("a"), ticket("b"))
    person = desk.bench.person
    person.begins(desk.ref())
    person.finishes(desk.ref())
    person.reopens(desk.ref())
    person.finishes(desk.ref())
    found = desk.read("a")
    assert [one.status for one in found["a"].steps] == ["doing", "done", "todo", "done"]
    assert {one.by for one in found["a"].steps} == {person.account}
    assert [one.at for one in found["a"].steps] == sorted(one.at for one in found["a"].steps)
    assert (found["a"].status, found["b"].status, found["b"].steps) == ("done", "todo", ())


@promise("documents")
def test_ticks_tell_who_ticked_a_line_and_where_there_are_none_the_lines_are_text(desk: Desk) -> None:
    desk.lay(ticket("a", text="Words.", checklist=("Reviewed by two", "Signed off")))
    if not desk.place.capabilities.checklists:
        assert desk.one().ticks == ()
        assert "- Signed off" in desk.one().text.split("\n")
        return
    desk.bench.person.ticks(desk.ref(), "Signed off")
    first, second = desk.one().ticks
    assert (first.text, first.done, first.by, first.at) == ("Reviewed by two", False, "", None)
    assert (second.text, second.done, second.by) == ("Signed off", True, desk.bench.person.account)
    assert second.at is not None
    assert desk.one().text == "Words."


@promise("documents")
def test_whatever_people_write_is_read_and_never_raises(desk: Desk) -> None:
    desk.lay(ticket("a"))
    evil = "<script>alert(1)</script> {code} [[[ !!! **_-+ \u202eabc \x07 {quote} |||| && \\\\ ``` " + "[x" * 2000
    desk.bench.person.writes(desk.ref(), evil)
    desk.bench.person.says(desk.ref(), evil)
    found = desk.one()
    assert "<script>alert(1)</script>" in found.text
    assert "<script>alert(1)</script>" in found.comments[0].text
    assert found.edits[-1].digest == found.digest


# --- what is there, what is not, and what it takes ---


@promise("documents")
def test_a_ticket_that_is_gone_is_missing_and_the_others_are_read(desk: Desk) -> None:
    desk.lay(ticket("stays", text="Here."), ticket("goes"))
    desk.bench.person.deletes(desk.ref("goes"))
    found = desk.read("stays", "goes")
    assert set(found) == {"stays"}
    assert found["stays"].text == "Here."


@promise("documents")
def test_only_tickets_are_read_and_nothing_at_all_for_none(desk: Desk) -> None:
    desk.lay(ticket("a"))
    known = desk.refs | created(desk.tracker, desk.place, epic("data"))
    if desk.place.capabilities.iterations:
        known |= created(desk.tracker, desk.place, iteration(1))
    assert set(desk.tracker.documents(desk.place, known, list(known))) == {"ticket:a"}
    assert desk.cost(lambda: desk.tracker.documents(desk.place, {}, [])) == (0, 0)
    for key in (one for one in known if str(one).startswith("iteration:")):
        desk.tracker.delete(desk.place, ItemKind.ITERATION, [(key, known[key])])


@promise("documents")
def test_who_may_only_look_reads_the_same(desk: Desk) -> None:
    desk.lay(ticket("a", text="Words."))
    desk.bench.person.says(desk.ref(), "/approve")
    desk.bench.person.finishes(desk.ref())
    assert desk.read("a", by=desk.bench.tracker("viewer")) == desk.read("a")


@promise("documents")
def test_who_is_not_let_in_reads_nothing_and_is_told(desk: Desk) -> None:
    desk.lay(ticket("a"))
    with pytest.raises(CredentialsRefused):
        desk.read("a", by=desk.bench.tracker("stranger"))


@promise("documents")
def test_a_tracker_that_is_down_raises_and_nothing_counts_as_absent(desk: Desk) -> None:
    desk.lay(ticket("a"))
    desk.bench.proxy.orders.fake.append((lambda _passing: True, 503, b'{"message": "down"}'))
    with pytest.raises(TrackerUnavailable):
        desk.read("a")


@promise("documents")
def test_a_tracker_that_goes_down_in_the_middle_raises_too(desk: Desk) -> None:
    desk.lay(ticket("a"))
    desk.bench.person.finishes(desk.ref())
    passed: list[Passing] = []

    def after_the_first(passing: Passing) -> bool:
        passed.append(passing)
        return len(passed) > 1

    desk.bench.proxy.orders.fake.append((after_the_first, 503, b'{"message": "down"}'))
    with pytest.raises(TrackerUnavailable):
        desk.read()


@promise("documents")
def test_many_tickets_take_few_requests(desk: Desk) -> None:
    for start in range(0, 120, 10):
        desk.lay(*(ticket(f"many-{start + step}", text="Words.") for step in range(10)))
    for number in (0, 60, 119):
        desk.bench.person.finishes(desk.ref(f"many-{number}"))
        desk.bench.person.says(desk.ref(f"many-{number}"), "Done.")
    reads, writes = desk.cost(lambda: desk.read("many-0"))
    assert len(desk.read()) == 120
    assert (reads <= 6, writes) == (True, 0), reads
    alone = replace(desk, refs={ItemKey("ticket:many-0"): desk.ref("many-0")})
    assert alone.one("many-0") == desk.read("many-0")["many-0"]


# --- what is said ---


@promise("comment")
def test_a_comment_is_markdown_addressed_to_people(desk: Desk) -> None:
    desk.lay(ticket("a"))
    person = desk.bench.person.account
    desk.tracker.comment(desk.place, desk.ref(), f"The record is **due** tomorrow.\n\nSee {RUNS}.", [person])
    [found] = desk.one().comments
    assert found.author == desk.tracker.whoami().id
    assert "The record is **due** tomorrow." in found.text
    assert RUNS in found.text
    [raw] = desk.bench.person.hears(desk.ref())
    assert desk.bench.person.calls(person) in raw


@promise("comment")
def test_a_comment_is_said_once_however_often_it_is_sent(desk: Desk) -> None:
    desk.lay(ticket("a"))
    text = "The record is due on Friday.\n\n- write the *decisions*\n- sign it"
    desk.bench.person.says(desk.ref(), text)
    desk.tracker.comment(desk.place, desk.ref(), text, [desk.bench.person.account])
    desk.bench.person.says(desk.ref(), "I shall.")
    again = desk.cost(lambda: desk.tracker.comment(desk.place, desk.ref(), text, [desk.bench.person.account]))
    assert again[1] == 0
    assert len(desk.one().comments) == 3
    desk.tracker.comment(desk.place, desk.ref(), "The record is overdue.")
    assert len(desk.one().comments) == 4
    assert desk.bench.tracker().whoami().id == desk.one().comments[-1].author


@promise("comment")
def test_a_comment_whose_answer_was_lost_is_not_doubled_by_sending_it_again(desk: Desk) -> None:
    desk.lay(ticket("a"))
    desk.bench.lose_the_next_write()
    with pytest.raises(OutcomeUnknown):
        desk.tracker.comment(desk.place, desk.ref(), "The record is due.")
    desk.tracker.comment(desk.place, desk.ref(), "The record is due.")
    assert [one.text for one in desk.one().comments] == ["The record is due."]


@promise("comment", "fill")
def test_who_may_only_look_says_and_writes_nothing(desk: Desk) -> None:
    desk.lay(ticket("a", text=RECORD))
    before = desk.one()
    viewer = desk.bench.tracker("viewer")
    with pytest.raises(TrackerError) as caught:
        viewer.comment(desk.place, desk.ref(), "The record is due.")
    assert caught.value.fix
    with pytest.raises(TrackerError) as caught:
        viewer.fill(desk.place, desk.ref(), [Fill("Goal", "Ours.", (GOAL,))])
    assert caught.value.fix
    assert desk.one() == before


@promise("comment", "fill")
def test_nothing_is_said_or_written_on_a_ticket_that_is_gone(desk: Desk) -> None:
    desk.lay(ticket("a", text=RECORD))
    desk.bench.person.deletes(desk.ref())
    with pytest.raises(NotVisible) as caught:
        desk.tracker.comment(desk.place, desk.ref(), "The record is due.")
    assert caught.value.fix
    with pytest.raises(NotVisible) as caught:
        desk.tracker.fill(desk.place, desk.ref(), [Fill("Goal", "Ours.", (GOAL,))])
    assert caught.value.fix


# --- what is filled in ---


@promise("fill")
def test_a_section_with_the_prompt_alone_is_filled_and_the_rest_stays(desk: Desk) -> None:
    desk.lay(ticket("a", text=RECORD, checklist=("Signed off",)))
    before = desk.one()
    assert desk.fill(Fill("Goal", FACTS, (GOAL,)), Fill("Decisions", "None *yet*.", (DECISIONS,))) == (
        ("Goal", "Decisions"),
        (),
    )
    found = desk.one()
    assert RUNS in section(found, "Goal")
    assert "What was this iteration for?" not in found.text
    assert section(found, "Data used") == section(before, "Data used")
    assert section(found, "Decisions") == "None *yet*."
    assert found.text.startswith("What iteration 2 was for.\n\n## Goal\n\nPlanned **12**, done *9*")
    assert found.text.count("Signed off") == before.text.count("Signed off")
    assert [one.text for one in found.ticks] == [one.text for one in before.ticks]
    assert [(one.by, one.digest) for one in found.edits] == [(desk.tracker.whoami().id, found.digest)]


@promise("fill")
def test_filling_in_the_same_again_writes_nothing(desk: Desk) -> None:
    desk.lay(ticket("a", text=RECORD))
    fill = Fill("Goal", FACTS, (GOAL,))
    assert desk.fill(fill) == (("Goal",), ())
    reads, writes = desk.cost(lambda: desk.tracker.fill(desk.place, desk.ref(), [fill]))
    assert (reads <= 3, writes) == (True, 0)
    assert desk.fill(fill) == (("Goal",), ())
    assert len(desk.one().edits) == 1


@promise("fill")
def test_what_we_filled_in_before_is_brought_up_to_date(desk: Desk) -> None:
    desk.lay(ticket("a", text=RECORD))
    desk.fill(Fill("Goal", FACTS, (GOAL,)))
    assert desk.fill(Fill("Goal", "Planned 12, done 11.", (GOAL, FACTS))) == (("Goal",), ())
    assert section(desk.one(), "Goal") == "Planned 12, done 11."
    assert desk.fill(Fill("Goal", "Planned 12, done 12.", (GOAL,))) == ((), ("Goal",))


@promise("fill")
def test_what_a_person_wrote_is_never_overwritten(desk: Desk) -> None:
    desk.lay(ticket("a", text=RECORD))
    written = RECORD.replace(GOAL, f"{GOAL}\n\nA person wrote this.").replace("## Decisions", "## What we decided")
    desk.bench.person.writes(desk.ref(), written.replace("**why**", "why"))
    before = desk.one()
    fills = [Fill("Goal", FACTS, (GOAL,)), Fill("Decisions", "Ours.", (DECISIONS,)), Fill("Risks", "Ours.")]
    assert desk.fill(*fills) == ((), ("Goal", "Decisions", "Risks"))
    assert desk.one() == before


@promise("fill")
def test_an_empty_section_between_those_of_people_is_filled(desk: Desk) -> None:
    desk.lay(ticket("a"))
    desk.bench.person.writes(
        desk.ref(), f"## 1. GOAL:\n\nOurs to say: {RUNS}\n\n## 2. Data used\n\n## 3. Decisions\n\nB."
    )
    before = desk.one()
    assert desk.fill(Fill("Data used", FACTS), Fill("Goal", FACTS)) == (("Data used",), ("Goal",))
    found = desk.one()
    head, _, tail = before.text.partition("## 2. Data used")
    assert found.text.startswith(f"{head}## 2. Data used\n\nPlanned **12**")
    assert found.text.endswith(tail.lstrip("\n"))


@promise("fill")
def test_a_heading_that_is_there_twice_is_left(desk: Desk) -> None:
    desk.lay(ticket("a"))
    desk.bench.person.writes(desk.ref(), "## Goal\n\n## Data used\n\nx\n\n## Goal\n\nLast time's.")
    before = desk.one()
    assert desk.fill(Fill("Goal", FACTS)) == ((), ("Goal",))
    assert desk.one() == before


@promise("fill")
def test_a_fill_whose_answer_was_lost_is_done_by_sending_it_again(desk: Desk) -> None:
    desk.lay(ticket("a", text=RECORD))
    desk.bench.lose_the_next_write()
    with pytest.raises(OutcomeUnknown):
        desk.tracker.fill(desk.place, desk.ref(), [Fill("Goal", FACTS, (GOAL,))])
    assert desk.fill(Fill("Goal", FACTS, (GOAL,))) == (("Goal",), ())
    assert len(desk.one().edits) == 1


@promise("fill")
def test_a_fill_cannot_begin_a_section_of_its_own(desk: Desk) -> None:
    desk.lay(ticket("a", text=RECORD))
    body = "# Decisions\n\nNot ours to say.\n\n<b>x</b>"
    assert desk.fill(Fill("Goal", body, (GOAL,))) == (("Goal",), ())
    assert desk.fill(Fill("Goal", "Shorter.", (GOAL, body)), Fill("Decisions", "Ours.", (DECISIONS,))) == (
        ("Goal", "Decisions"),
        (),
    )
    assert (section(desk.one(), "Goal"), section(desk.one(), "Decisions")) == ("Shorter.", "Ours.")
