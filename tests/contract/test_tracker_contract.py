"""What every tracker promises, exactly as the port's docstrings say it."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from connectors.errors import CredentialsRefused, ItemRejected, OutcomeUnknown, TrackerError
from connectors.port import Tracker
from connectors.values import (
    Creation,
    Done,
    Item,
    ItemKey,
    ItemKind,
    Link,
    ObservedItem,
    Place,
    Priority,
    ProjectSpec,
    Rejected,
    RemoteRef,
    Severity,
)
from tests.contract.benches import Bench
from tests.contract.items import STARTS, epic, iteration, ticket
from tests.contract.promises import PROMISED, created, needs, promise


def test_every_method_of_the_port_has_a_promise_tested() -> None:
    for further in (
        "test_removal_contract",
        "test_turning_contract",
        "test_records_contract",
        "test_survey_contract",
        "test_identity_contract",
        "test_mapping_contract",
    ):  # they make promises of their own
        importlib.import_module(f"tests.contract.{further}")
    port = {name for name, _ in inspect.getmembers(Tracker) if not name.startswith("_")}
    assert port == PROMISED


# --- usage, whoami, close ---


@promise("usage", "close")
def test_usage_counts_every_request_that_was_sent(bench: Bench, tracker: Tracker, spec: ProjectSpec) -> None:
    reads, writes = bench.requests()
    place = tracker.locate(spec)
    assert place is not None
    created(tracker, place, ticket("counted"))
    sent = bench.requests()
    assert (tracker.usage.reads, tracker.usage.writes) == (sent[0] - reads, sent[1] - writes)
    created(tracker, place, ticket("counted-again"))
    assert tracker.usage.writes == sent[1] - writes + 1


@promise("whoami")
def test_whoami_names_the_account(tracker: Tracker) -> None:
    me = tracker.whoami()
    assert me.id
    assert me.name
    assert tracker.whoami() == me


@promise("access", "found_settings")
def test_what_the_credential_may_not_do_is_told_by_reading_alone(bench: Bench, tracker: Tracker) -> None:
    _, writes = bench.requests()
    assert errors(tracker.access()) == []
    assert all(finding.fix for finding in [*tracker.access(), *bench.tracker("viewer").access()])
    assert bench.requests()[1] == writes
    assert tracker.found_settings == {}


@promise("whoami", "locate", "people")
def test_a_wrong_credential_is_refused_everywhere(bench: Bench, spec: ProjectSpec) -> None:
    stranger = bench.tracker("stranger")
    calls: list[Callable[[], object]] = [
        stranger.whoami,
        lambda: stranger.locate(spec),
        lambda: stranger.people(None, [bench.known_email]),
    ]
    for call in calls:
        with pytest.raises(CredentialsRefused) as caught:
            call()
        assert "not-the-token" not in str(caught.value)


# --- locate, assumed, create_project ---


@promise("locate")
def test_locate_reads_a_project_without_writing(bench: Bench, tracker: Tracker, spec: ProjectSpec) -> None:
    before = bench.requests()
    place = tracker.locate(spec)
    after = bench.requests()
    assert place is not None
    assert place.ref.key == spec.key
    assert place.ref.url.startswith("http")
    assert place.capabilities.create_batch > 0
    assert after[1] == before[1]
    assert after[0] - before[0] <= 9


@promise("locate")
def test_a_project_that_nobody_sees_is_none(bench: Bench, tracker: Tracker) -> None:
    assert tracker.locate(bench.spec(key=bench.fresh_key())) is None


@promise("locate")
def test_facts_can_be_stored_as_json_and_used_again(bench: Bench, tracker: Tracker, place: Place) -> None:
    stored = json.loads(json.dumps(dict(place.facts)))
    again = Place(place.ref, place.capabilities, place.board_url, stored)
    refs = created(tracker, again, ticket("stored"))
    assert set(bench.tracker().find(again, refs)) == {"ticket:stored"}


@promise("create_project", "assumed")
def test_a_created_project_is_located_and_can_do_what_was_assumed(bench: Bench, tracker: Tracker) -> None:
    spec = bench.spec(key=bench.fresh_key(), create=True)
    before = bench.requests()
    assumed = tracker.assumed(spec)
    assert bench.requests() == before
    place = tracker.create_project(spec)
    assert place.ref.key == spec.key
    assert tracker.locate(spec) == place
    assert place.capabilities.iterations == assumed.iterations
    assert place.capabilities.create_batch == assumed.create_batch
    refs = created(tracker, place, ticket("first"))
    assert set(tracker.find(place, refs)) == {"ticket:first"}


@promise("create_project")
def test_a_project_whose_creation_was_not_answered_is_located(bench: Bench, tracker: Tracker) -> None:
    spec = bench.spec(key=bench.fresh_key(), create=True)
    bench.lose_the_next_write()
    with pytest.raises(OutcomeUnknown):
        tracker.create_project(spec)
    assert tracker.locate(spec) is not None


# --- check ---


def errors(findings: list[object]) -> list[object]:
    return [finding for finding in findings if getattr(finding, "severity", None) is Severity.ERROR]


@promise("check")
def test_check_of_a_sound_plan_finds_no_error_and_writes_nothing(
    bench: Bench, tracker: Tracker, spec: ProjectSpec, place: Place
) -> None:
    before = bench.requests()[1]
    items = [epic("a"), ticket("a", epic=ItemKey("epic:a"), labels=("x",)), iteration(1)]
    assert errors([*tracker.check(spec, place, items)]) == []
    assert bench.requests()[1] == before


@promise("check")
def test_check_names_the_permission_that_is_missing_and_the_project(bench: Bench, spec: ProjectSpec) -> None:
    viewer = bench.tracker("observer")
    place = viewer.locate(spec)
    assert place is not None
    found = viewer.check(spec, place, ())
    missing = [finding for finding in found if finding.code == "permission-missing"]
    assert missing
    assert all(finding.severity is Severity.ERROR for finding in missing)
    assert all(spec.key in finding.message + finding.fix for finding in missing)


@promise("check")
def test_check_finds_what_would_be_refused(tracker: Tracker, spec: ProjectSpec, place: Place) -> None:
    long = ticket("long", "x" * (place.capabilities.title_limit + 1))
    spaced = ticket("spaced", labels=("two words",))
    found = {finding.subject: finding.code for finding in tracker.check(spec, place, [long, spaced])}
    assert found["ticket:long"] == "title-too-long"
    assert found["ticket:spaced"] == "label-invalid"


@promise("check")
def test_check_of_a_project_to_be_created_says_whether_its_key_is_free(bench: Bench, tracker: Tracker) -> None:
    free, taken = bench.spec(key=bench.fresh_key(), create=True), bench.spec(create=True)
    assert errors([*tracker.check(free, None, [])]) == []
    assert [finding.code for finding in tracker.check(taken, None, [])] == ["project-key-taken"]
    assert "project-not-visible" in [
        finding.code for finding in tracker.check(bench.spec(key=bench.fresh_key()), None, [])
    ]


# --- people ---


@promise("people")
def test_people_are_found_by_address_and_by_account_id(bench: Bench, tracker: Tracker, place: Place) -> None:
    by_address = tracker.people(place, [bench.known_email.upper(), bench.other_email, "nobody@example.com"])
    assert set(by_address) == {bench.known_email.upper(), bench.other_email}
    person = by_address[bench.known_email.upper()]
    assert person.assignable is True
    assert tracker.people(place, [person.id]) == {person.id: person}
    everywhere = tracker.people(None, [person.id, bench.known_email])
    assert {account.id for account in everywhere.values()} == {person.id}
    assert all(account.assignable is None for account in everywhere.values())


@promise("people")
def test_a_person_who_left_is_not_assignable(bench: Bench, tracker: Tracker, place: Place) -> None:
    found = tracker.people(place, [bench.left_email])
    assert all(account.assignable is False for account in found.values())


@promise("people")
def test_part_of_an_address_or_name_finds_nobody(bench: Bench, tracker: Tracker, place: Place) -> None:
    half = bench.known_email.partition("@")[0]
    assert tracker.people(place, [half, half + "@", "", "@example.com"]) == {}


# --- create, find ---


@promise("create", "find")
def test_items_are_created_in_one_call_with_everything_in_them(bench: Bench, tracker: Tracker, place: Place) -> None:
    person = tracker.people(place, [bench.known_email])[bench.known_email]
    epics = created(tracker, place, epic("data"))
    created(tracker, place, ticket("earlier", labels=("alpha", "beta"), priority=Priority.HIGH))  # labels are made once
    wanted = ticket(
        "full",
        text="Use **all** of it.",
        checklist=("It is reviewed",),
        labels=("alpha", "beta"),
        assignee=person.id,
        points=3 if place.capabilities.points else None,
        priority=Priority.HIGH,
        epic=ItemKey("epic:data"),
    )
    before = bench.requests()[1]
    [done] = tracker.create(place, [Creation(wanted, epic=epics[ItemKey("epic:data")])])
    assert bench.requests()[1] - before == 1
    assert isinstance(done, Done)
    tracker.finish(place, [(wanted, done.ref)])
    seen = tracker.find(place, {**epics, done.key: done.ref})[done.key]
    assert seen.ref == done.ref
    assert seen.fields["title"] == wanted.title
    assert seen.fields["labels"] == ["alpha", "beta"]
    assert seen.fields["assignee"] == person.id
    assert seen.fields["epic"] == "epic:data"
    assert seen.status == "todo"
    assert "all" in seen.fields["text"]
    assert seen.fields.get("checklist") == ["It is reviewed"] or "It is reviewed" in seen.fields["text"]
    assert seen.fields.get("points") == wanted.points
    assert seen.fields.get("priority", Priority.HIGH) in {Priority.HIGH, None}


@promise("create")
def test_a_full_batch_has_one_outcome_for_each_item_in_order(bench: Bench, tracker: Tracker, place: Place) -> None:
    items = [ticket(f"n{number}") for number in range(place.capabilities.create_batch)]
    outcomes = tracker.create(place, [Creation(item) for item in items])
    assert [outcome.key for outcome in outcomes] == [item.key for item in items]
    refs = {outcome.key: outcome.ref for outcome in outcomes if isinstance(outcome, Done)}
    assert len({ref.id for ref in refs.values()}) == len(items)
    reads = bench.requests()[0]
    seen = tracker.find(place, refs, only=list(refs))
    assert {key: item.fields["title"] for key, item in seen.items()} == {item.key: item.title for item in items}
    assert bench.requests()[0] - reads <= -(-len(items) // place.capabilities.read_batch)


@promise("create")
def test_a_batch_beyond_the_limit_is_refused_without_writing(bench: Bench, tracker: Tracker, place: Place) -> None:
    before = bench.requests()
    with pytest.raises(ValueError, match="at most"):
        tracker.create(place, [Creation(ticket(f"n{n}")) for n in range(place.capabilities.create_batch + 1)])
    with pytest.raises(ValueError, match="one kind"):
        tracker.create(place, [Creation(ticket("a")), Creation(epic("a"))])
    assert bench.requests() == before
    assert tracker.create(place, []) == []


@promise("create")
def test_the_refusal_of_one_item_does_not_touch_the_others(tracker: Tracker, place: Place) -> None:
    bad = ticket("bad", "x" * (place.capabilities.title_limit + 1))
    outcomes = tracker.create(place, [Creation(ticket("one")), Creation(bad), Creation(ticket("two"))])
    assert [type(outcome) for outcome in outcomes] == [Done, Rejected, Done]
    refused = outcomes[1]
    assert isinstance(refused, Rejected)
    assert [problem.field for problem in refused.problems] == ["title"]
    refs = {outcome.key: outcome.ref for outcome in outcomes if isinstance(outcome, Done)}
    titles = {key: item.fields["title"] for key, item in tracker.find(place, refs).items()}
    assert titles == {"ticket:one": "Ticket one", "ticket:two": "Ticket two"}


@promise("create")
def test_when_every_item_is_refused_each_says_why(tracker: Tracker, place: Place) -> None:
    long = "x" * (place.capabilities.title_limit + 1)
    outcomes = tracker.create(place, [Creation(ticket("a", long)), Creation(ticket("b", long))])
    assert [outcome.key for outcome in outcomes] == ["ticket:a", "ticket:b"]
    assert all(isinstance(outcome, Rejected) and outcome.problems for outcome in outcomes)


@promise("create", "find")
def test_a_link_can_ride_with_the_ticket_that_waits(tracker: Tracker, place: Place) -> None:
    needs(place.capabilities.links_in_create, "links in a create call")
    first = created(tracker, place, ticket("data"))
    key = ItemKey("link:tune>data")
    [done] = tracker.create(place, [Creation(ticket("tune"), links=((key, first[ItemKey("ticket:data")]),))])
    assert isinstance(done, Done)
    assert done.linked == (key,)
    seen = tracker.find(place, {**first, done.key: done.ref})
    pair = (done.ref.id, first[ItemKey("ticket:data")].id)
    assert seen[done.key].links == (pair,)
    assert seen[ItemKey("ticket:data")].links == (pair,)


@promise("find")
def test_find_leaves_out_what_is_gone(tracker: Tracker, place: Place) -> None:
    refs = created(tracker, place, ticket("here"))
    gone = RemoteRef("99999999", f"{place.ref.key}-99999999", "")
    assert set(tracker.find(place, {**refs, ItemKey("ticket:gone"): gone})) == {"ticket:here"}


@promise("find")
def test_find_sees_marked_items_that_it_was_not_told_of(tracker: Tracker, place: Place) -> None:
    refs = created(tracker, place, ticket("a"), ticket("b"))
    refs |= created(tracker, place, epic("c"))
    seen = tracker.find(place, {})
    assert {key: item.ref for key, item in seen.items()} == refs
    assert seen[ItemKey("epic:c")].kind is ItemKind.EPIC


@promise("find")
def test_find_does_not_see_another_projects_items(bench: Bench, tracker: Tracker, place: Place) -> None:
    created(tracker, place, ticket("mine"))
    other = tracker.locate(bench.spec())
    assert other is not None
    assert tracker.find(other, {}) == {}


@promise("find")
def test_find_can_be_limited_and_still_names_the_epic(tracker: Tracker, place: Place) -> None:
    epics = created(tracker, place, epic("data"))
    ref = epics[ItemKey("epic:data")]
    item = ticket("child", epic=ItemKey("epic:data"))
    [done] = tracker.create(place, [Creation(item, epic=ref)])
    assert isinstance(done, Done)
    seen = tracker.find(place, {**epics, done.key: done.ref}, only=[done.key])
    assert set(seen) == {done.key}
    assert seen[done.key].fields["epic"] == "epic:data"


@promise("elsewhere", "find")
def test_what_people_moved_to_another_project_is_told_from_what_is_gone(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    refs = created(tracker, place, ticket("moved"), ticket("deleted"), ticket("stays"))
    other = tracker.create_project(bench.spec(key=bench.fresh_key(), create=True))
    bench.person.joins(other)
    bench.person.moves(refs[ItemKey("ticket:moved")], other)
    bench.person.deletes(refs[ItemKey("ticket:deleted")])

    assert set(tracker.find(place, refs, only=list(refs))) == {ItemKey("ticket:stays")}
    before = bench.requests()[0]
    missing = {key: ref for key, ref in refs.items() if key != "ticket:stays"}
    moved = tracker.elsewhere(place, missing)
    assert bench.requests()[0] == before + 1
    assert set(moved) == {ItemKey("ticket:moved")}
    assert moved[ItemKey("ticket:moved")].id == refs[ItemKey("ticket:moved")].id


# --- watermark, recover ---


@promise("watermark", "recover", "create")
def test_a_create_whose_answer_was_lost_is_recovered_whole(bench: Bench, tracker: Tracker, place: Place) -> None:
    created(tracker, place, ticket("before"))
    since = tracker.watermark(place)
    items = [ticket(f"lost{number}") for number in range(5)]
    bench.lose_the_next_write()
    before = bench.requests()[1]
    with pytest.raises(OutcomeUnknown):
        tracker.create(place, [Creation(item) for item in items])
    found = bench.tracker().recover(place, [*items, ticket("never-sent")], since, widely=True)
    assert len(found) >= 1
    missing = [item for item in items if item.key not in found]  # not sent any more after the answer was lost
    found = {**found, **created(tracker, place, *missing)}
    assert set(found) == {item.key for item in items}
    assert bench.requests()[1] - before == (1 if place.capabilities.costs.bulk else len(items))
    seen = tracker.find(place, found, only=list(found))
    assert {key: item.fields["title"] for key, item in seen.items()} == {item.key: item.title for item in items}


@promise("recover")
def test_recover_does_not_need_the_search_index(bench: Bench, tracker: Tracker, place: Place) -> None:
    since = tracker.watermark(place)
    bench.blind_the_index(bench.proxy)
    refs = created(tracker, place, ticket("fresh"))
    refs |= created(tracker, place, epic("fresh"))
    assert tracker.recover(place, [ticket("fresh"), epic("fresh"), ticket("never-sent")], since) == refs


@promise("recover")
def test_nothing_is_recovered_when_nothing_was_created(bench: Bench, tracker: Tracker, place: Place) -> None:
    since = tracker.watermark(place)
    before = bench.requests()[1]
    assert tracker.recover(place, [ticket("a"), iteration(1)], since) == {}
    assert bench.requests()[1] == before


@promise("recover")
def test_recover_finds_with_and_without_the_index_what_was_created_and_nothing_else(
    tracker: Tracker, place: Place
) -> None:
    created(tracker, place, ticket("before"))
    since = tracker.watermark(place)
    refs = created(tracker, place, ticket("a"), ticket("b"))
    wanted = [ticket("a"), ticket("b"), ticket("never-sent")]
    assert tracker.recover(place, wanted, since) == refs
    assert tracker.recover(place, wanted, since, widely=True) == refs


@promise("recover")
@pytest.mark.parametrize("sent", [True, False])
def test_an_interrupted_create_costs_one_look_and_one_more_in_the_index(
    bench: Bench, tracker: Tracker, place: Place, sent: bool
) -> None:
    created(tracker, place, ticket("before"))
    since = tracker.watermark(place)
    items = [ticket(f"n{number}") for number in range(place.capabilities.create_batch)]
    if sent:
        created(tracker, place, *items)
    again = 0 if sent else looks_again(place)
    for widely, most in ((False, 1 + again), (True, 2 + again)):
        reads = bench.requests()[0]
        assert len(tracker.recover(place, items, since, widely=widely)) == (len(items) if sent else 0)
        assert bench.requests()[0] - reads <= most


@promise("watermark_after", "recover")
@pytest.mark.parametrize("begun", [True, False], ids=["from-a-mark", "in-a-new-project"])
def test_what_is_created_after_a_mark_that_moved_on_is_recovered(
    bench: Bench, tracker: Tracker, place: Place, begun: bool
) -> None:
    since = tracker.watermark(place) if begun else ""
    first = created(tracker, place, epic("first")) | created(tracker, place, ticket("first"))
    if place.capabilities.iterations:
        first |= created(tracker, place, iteration(3))
    moved = tracker.watermark_after(since, list(first.items()))
    assert tracker.watermark_after(moved, list(first.items())) == moved
    later = created(tracker, place, ticket("later"))
    reads = bench.requests()[0]
    assert bench.tracker().recover(place, [ticket("later"), ticket("never")], moved) == later
    assert bench.requests()[0] - reads <= 2 + looks_again(place)


def looks_again(place: Place) -> int:
    """Reads that recovering takes more where something is missing: what is made again may stand on columns and labels
    that came since, where a tracker makes these along with each item."""
    return 0 if place.capabilities.costs.bulk else 1


@promise("recover")
def test_recover_without_a_mark_looks_through_the_whole_project(tracker: Tracker, place: Place) -> None:
    refs = created(tracker, place, ticket("old"))
    assert tracker.recover(place, [ticket("old")], "") == refs


@promise("recover")
def test_recover_knows_its_own_items_from_another_projects(bench: Bench, tracker: Tracker, place: Place) -> None:
    other = tracker.locate(bench.spec())
    assert other is not None
    since = tracker.watermark(place)
    created(tracker, other, ticket("same-key"))
    assert tracker.recover(place, [ticket("same-key")], since) == {}


@promise("recover", "mark")
def test_an_iteration_whose_answer_was_lost_is_recovered_before_it_was_marked(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    needs(place.capabilities.iterations, "iterations")
    since = tracker.watermark(place)
    bench.lose_the_next_write()
    with pytest.raises(OutcomeUnknown):
        tracker.create(place, [Creation(iteration(7))])
    found = tracker.recover(place, [iteration(7), iteration(8)], since)
    assert set(found) == {"iteration:7"}
    tracker.mark(place, ItemKey("iteration:7"), found[ItemKey("iteration:7")])
    assert tracker.recover(place, [iteration(7)], since) == found


@promise("create", "recover")
def test_iterations_of_a_batch_that_broke_off_are_in_doubt_together(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    needs(place.capabilities.iterations, "iterations")
    since = tracker.watermark(place)
    seen_one = iter([False])
    bench.proxy.orders.lose.append(lambda passing: bench.writes_an_item(passing) and next(seen_one, True))
    with pytest.raises(OutcomeUnknown):
        tracker.create(place, [Creation(iteration(21)), Creation(iteration(22)), Creation(iteration(23))])
    found = tracker.recover(place, [iteration(21), iteration(22), iteration(23)], since)
    assert set(found) == {"iteration:21", "iteration:22"}


# --- finish ---


@promise("finish", "create", "find")
def test_finishing_completes_tickets_and_doing_it_again_changes_nothing(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    lines = ("It is reviewed", "It is measured", "It is written down")
    items = [
        ticket("a", checklist=lines),
        ticket("b", checklist=lines),
        ticket("c", checklist=("Another",)),
        ticket("d"),
    ]
    outcomes = tracker.create(place, [Creation(item) for item in items])
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    assert [outcome.later for outcome in done] == [
        () if place.capabilities.checklists_in_create or not item.checklist else ("checklist",) for item in items
    ]
    pairs = [(item, outcome.ref) for item, outcome in zip(items, done, strict=True)]
    assert [type(outcome) for outcome in tracker.finish(place, pairs)] == [Done] * 4
    refs = {outcome.key: outcome.ref for outcome in done}
    before = tracker.find(place, refs)
    assert shown_lines(before[ItemKey("ticket:a")]) == shown_lines(before[ItemKey("ticket:b")])
    for item in items:
        assert all(line in shown_lines(before[item.key]) for line in item.checklist)
    writes = bench.requests()[1]
    assert [type(outcome) for outcome in tracker.finish(place, pairs)] == [Done] * 4
    assert bench.requests()[1] == writes
    assert tracker.find(place, refs) == before
    assert tracker.finish(place, []) == []


@promise("finish")
def test_a_finish_whose_answer_was_lost_is_finished_and_doubles_nothing(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    needs(not place.capabilities.checklists_in_create, "checklists that a create call leaves out")
    item = ticket("a", checklist=("One", "Two", "Three"))
    refs = created(tracker, place, item)
    for _ in range(3):
        bench.lose_the_next_write()
        with pytest.raises(OutcomeUnknown):
            tracker.finish(place, [(item, refs[item.key])])
    tracker.finish(place, [(item, refs[item.key])])
    assert tracker.find(place, refs)[item.key].fields["checklist"] == ["One", "Two", "Three"]


@promise("create", "finish")
def test_a_ticket_whose_checklist_is_there_already_gets_it_when_it_is_created(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    lines = ("Measured twice", "Cut once")
    first, second = ticket("first", checklist=lines), ticket("second", checklist=lines)
    refs = created(tracker, place, first)
    tracker.finish(place, [(first, refs[first.key])])
    writes = bench.requests()[1]
    [done] = tracker.create(place, [Creation(second)])
    assert isinstance(done, Done)
    assert done.later == ()
    assert bench.requests()[1] - writes == 1
    seen = tracker.find(place, {**refs, second.key: done.ref})
    assert shown_lines(seen[second.key]) == shown_lines(seen[first.key])


def shown_lines(seen: ObservedItem) -> list[str]:
    """The lines of the checklist, wherever the tracker shows them."""
    shown: list[str] = seen.fields.get("checklist") or [
        line.lstrip("*- ") for line in str(seen.fields["text"]).splitlines()
    ]
    return shown


# --- iterations: create, mark, move ---


@promise("create", "mark", "find")
def test_iterations_keep_their_dates_and_are_found_by_their_mark(tracker: Tracker, place: Place) -> None:
    needs(place.capabilities.iterations, "iterations")
    refs = created(tracker, place, iteration(1), iteration(2))
    if place.capabilities.marks_iterations_apart:
        for key, ref in refs.items():
            tracker.mark(place, key, ref)
            tracker.mark(place, key, ref)
    seen = tracker.find(place, {})
    assert {key: item.ref for key, item in seen.items()} == refs
    first = seen[ItemKey("iteration:1")]
    assert first.status == "future"
    assert first.fields["goal"] == "Goal 1"
    assert datetime.fromisoformat(first.fields["starts"]) == STARTS
    assert datetime.fromisoformat(first.fields["ends"]) == STARTS + timedelta(days=14)


@promise("mark")
def test_a_ticket_can_be_marked_again(tracker: Tracker, place: Place) -> None:
    refs = created(tracker, place, ticket("marked"))
    tracker.mark(place, ItemKey("ticket:marked"), refs[ItemKey("ticket:marked")])
    assert set(tracker.find(place, {})) == {"ticket:marked"}


@promise("move", "find")
def test_tickets_are_moved_into_an_iteration_and_moving_them_again_changes_nothing(
    tracker: Tracker, place: Place
) -> None:
    needs(place.capabilities.iterations, "iterations")
    turns = created(tracker, place, iteration(31))
    turn = turns[ItemKey("iteration:31")]
    refs = created(tracker, place, ticket("a"), ticket("b"), ticket("c"))
    moving = [(key, ref) for key, ref in refs.items() if key != "ticket:c"]
    for _ in range(2):
        outcomes = tracker.move(place, moving, turn)
        assert [outcome.key for outcome in outcomes] == ["ticket:a", "ticket:b"]
        assert all(isinstance(outcome, Done) for outcome in outcomes)
        seen = tracker.find(place, {**refs, **turns}, only=list(refs))
        assert {key: item.fields["iteration"] for key, item in seen.items()} == {
            "ticket:a": "iteration:31",
            "ticket:b": "iteration:31",
            "ticket:c": None,
        }
    unknown = tracker.find(place, refs, only=[ItemKey("ticket:a")])[ItemKey("ticket:a")]
    assert unknown.fields["iteration"] == turn.id


@promise("move", "find")
def test_tickets_are_taken_out_of_every_iteration_and_doing_it_again_changes_nothing(
    tracker: Tracker, place: Place
) -> None:
    needs(place.capabilities.iterations, "iterations")
    turns = created(tracker, place, iteration(61), iteration(62))
    refs = created(tracker, place, ticket("a"), ticket("b"), ticket("c"))
    a, b, c = refs.items()
    tracker.move(place, [a, c], turns[ItemKey("iteration:61")])
    tracker.move(place, [b], turns[ItemKey("iteration:62")])
    for _ in range(2):
        assert [type(outcome) for outcome in tracker.move(place, [a, b], None)] == [Done, Done]
        seen = tracker.find(place, {**refs, **turns}, only=list(refs))
        assert {key: item.fields["iteration"] for key, item in seen.items()} == {
            "ticket:a": None,
            "ticket:b": None,
            "ticket:c": "iteration:61",
        }


@promise("move")
def test_more_than_a_batch_cannot_be_moved_at_once(bench: Bench, tracker: Tracker, place: Place) -> None:
    one = (ItemKey("ticket:a"), RemoteRef("1", "X-1", ""))
    before = bench.requests()
    with pytest.raises(ValueError, match="at most"):
        tracker.move(place, [one] * (place.capabilities.move_batch + 1), RemoteRef("1", "I", ""))
    assert tracker.move(place, [], RemoteRef("1", "I", "")) == []
    assert bench.requests() == before


# --- link, update ---


@promise("link", "find")
def test_a_link_says_that_the_source_waits_and_linking_again_is_success(tracker: Tracker, place: Place) -> None:
    needs(place.capabilities.links, "links")
    refs = created(tracker, place, ticket("waits"), ticket("first"))
    source, target = refs[ItemKey("ticket:waits")], refs[ItemKey("ticket:first")]
    for _ in range(2):
        tracker.link(place, Link(ItemKey("link:waits>first"), source, target))
        seen = tracker.find(place, refs)
        assert seen[ItemKey("ticket:waits")].links == ((source.id, target.id),)
        assert seen[ItemKey("ticket:first")].links == ((source.id, target.id),)


@promise("update", "find")
def test_update_writes_the_changed_fields_and_no_other(bench: Bench, tracker: Tracker, place: Place) -> None:
    person = tracker.people(place, [bench.known_email])[bench.known_email]
    epics = created(tracker, place, epic("old"), epic("new"))
    refs = created(tracker, place, ticket("a", text="First.", labels=("keep",), assignee=person.id))
    key, ref = ItemKey("ticket:a"), refs[ItemKey("ticket:a")]
    known = {**epics, **refs}
    changed = ticket("a", "Another title", text="Second.", epic=ItemKey("epic:new"))
    for _ in range(2):
        tracker.update(place, ItemKind.TICKET, ref, changed, ["title", "epic"], epics[ItemKey("epic:new")])
        seen = tracker.find(place, known)[key]
        assert seen.fields["title"] == "Another title"
        assert seen.fields["epic"] == "epic:new"
        assert "First." in seen.fields["text"]
        assert seen.fields["labels"] == ["keep"]
        assert seen.fields["assignee"] == person.id
    tracker.update(place, ItemKind.TICKET, ref, changed, ["text", "labels", "assignee"], None)
    seen = tracker.find(place, known)[key]
    assert "Second." in seen.fields["text"]
    assert "First." not in seen.fields["text"]
    assert (seen.fields["labels"], seen.fields["assignee"]) == ([], None)
    tracker.update(place, ItemKind.TICKET, ref, changed, ["epic"], None)
    assert tracker.find(place, known)[key].fields["epic"] is None
    assert key in tracker.find(place, {})


@promise("update")
def test_a_label_that_somebody_puts_on_after_the_look_stays(tracker: Tracker, place: Place) -> None:
    refs = created(tracker, place, ticket("a", labels=("ours", "old")))
    key, ref = ItemKey("ticket:a"), refs[ItemKey("ticket:a")]
    shown = tracker.find(place, refs)[key].fields
    tracker.update(place, ItemKind.TICKET, ref, ticket("a", labels=("ours", "old", "theirs")), ["labels"], None)

    tracker.update(place, ItemKind.TICKET, ref, ticket("a", labels=("ours", "new")), ["labels"], None, shown)

    assert tracker.find(place, refs)[key].fields["labels"] == ["new", "ours", "theirs"]


@promise("written_as", "find")
def test_what_was_written_is_shown_as_was_foretold_markup_aside(tracker: Tracker, place: Place) -> None:
    text = "A **bold** word, `code` and\n\n- one\n- two\n\n## A heading\n\n> said [so](https://example.com)."
    item = ticket("a", text=text, checklist=("It is done",))
    refs = created(tracker, place, item)

    shown = tracker.find(place, refs)[item.key].fields["text"]

    foretold = tracker.written_as(place, item)["text"]
    assert re.findall(r"[^\W_]+", foretold) == re.findall(r"[^\W_]+", shown)


@promise("update")
def test_an_iteration_is_updated_without_losing_what_did_not_change(tracker: Tracker, place: Place) -> None:
    needs(place.capabilities.iterations, "iterations")
    refs = created(tracker, place, iteration(41))
    key, ref = ItemKey("iteration:41"), refs[ItemKey("iteration:41")]
    renamed = Item(key=key, kind=ItemKind.ITERATION, title="Renamed")
    tracker.update(place, ItemKind.ITERATION, ref, renamed, ["title"], None)
    seen = tracker.find(place, refs)[key]
    assert seen.fields["title"] == "Renamed"
    assert seen.fields["goal"] == "Goal 41"
    assert seen.fields["starts"] is not None


@promise("update")
def test_a_refused_update_says_which_field_and_changes_nothing(tracker: Tracker, place: Place) -> None:
    refs = created(tracker, place, ticket("a"))
    long = ticket("a", "x" * (place.capabilities.title_limit + 1))
    with pytest.raises(ItemRejected) as caught:
        tracker.update(place, ItemKind.TICKET, refs[long.key], long, ["title"], None)
    assert [problem.field for problem in caught.value.problems] == ["title"]
    assert tracker.find(place, refs)[long.key].fields["title"] == "Ticket a"


@promise("update", "move", "link", "mark")
def test_a_repeatable_write_whose_answer_was_lost_can_be_sent_again(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    refs = created(tracker, place, ticket("a"), ticket("b"))
    a, b = refs[ItemKey("ticket:a")], refs[ItemKey("ticket:b")]
    writes: list[Callable[[], object]] = [
        lambda: tracker.update(place, ItemKind.TICKET, a, ticket("a", "New"), ["title"], None),
        lambda: tracker.mark(place, ItemKey("ticket:a"), a),
    ]
    if place.capabilities.links:
        writes.append(lambda: tracker.link(place, Link(ItemKey("link:a>b"), a, b)))
    if place.capabilities.iterations:
        turn = created(tracker, place, iteration(51))[ItemKey("iteration:51")]
        writes.append(lambda: tracker.move(place, [(ItemKey("ticket:a"), a)], turn))
    for write in writes:
        bench.lose_the_next_write()
        with pytest.raises(TrackerError):
            write()
        write()
    seen = tracker.find(place, refs)[ItemKey("ticket:a")]
    assert seen.fields["title"] == "New"
    if place.capabilities.links:
        assert seen.links == ((a.id, b.id),)


# --- reconcile ---


@promise("reconcile", "create", "find")
def test_what_a_late_call_made_a_second_time_is_removed_and_the_recorded_one_stays(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    since = tracker.watermark(place)
    items = [epic("data"), ticket("a"), ticket("b")]
    refs = created(tracker, place, *items[:1]) | created(tracker, place, *items[1:])
    late = created(bench.tracker(), place, ticket("a"))

    found = tracker.reconcile(place, [(item, refs[item.key]) for item in items], since)

    assert [(double.key, double.ref.id, double.why) for double in found] == [("ticket:a", late[items[1].key].id, ())]
    there = tracker.find(place, {**refs, ItemKey("ticket:late"): late[items[1].key]})
    assert set(there) == set(refs)
    assert tracker.reconcile(place, [(item, refs[item.key]) for item in items], since) == []


@promise("reconcile", "create", "find")
def test_a_double_that_somebody_touched_stays_and_the_reasons_are_told(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    since = tracker.watermark(place)
    item = ticket("a")
    refs = created(tracker, place, item)
    late = created(bench.tracker(), place, item)
    bench.person.comments(late[item.key])

    [double] = tracker.reconcile(place, [(item, refs[item.key])], since)

    assert double.why == ("1 comment",)
    assert set(tracker.find(place, late)) == {item.key}


@promise("reconcile", "create", "find")
def test_an_iteration_that_a_late_call_made_again_is_removed_with_nothing_of_the_recorded_one(
    bench: Bench, tracker: Tracker, place: Place
) -> None:
    needs(place.capabilities.iterations, "iterations")
    since = tracker.watermark(place)
    item = iteration(31)
    refs = created(tracker, place, item)
    before = tracker.find(place, refs)
    late = created(bench.tracker(), place, item)

    [double] = tracker.reconcile(place, [(item, refs[item.key])], since)

    assert (double.ref.id, double.why) == (late[item.key].id, ())
    assert tracker.find(place, refs) == before
    assert tracker.find(place, {**refs, ItemKey("iteration:late"): late[item.key]}) == before
