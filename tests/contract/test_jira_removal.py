"""What the Jira connector makes of people's work when things are to be removed: beyond what every tracker promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.errors import ItemRejected, PermissionMissing
from connectors.values import NAME_STAYS_TAKEN, Done, Item, ItemKey, ItemKind, Link, Place, Rejected, RemoteRef, Traces
from tests.contract.benches import Bench, opened
from tests.contract.items import epic, iteration, ticket
from tests.contract.people import JiraPerson
from tests.contract.promises import created

A, B, TURN, PROJECT = ItemKey("ticket:a"), ItemKey("ticket:b"), ItemKey("iteration:1"), ItemKey("project:1")


@pytest.fixture(scope="module")
def running() -> Iterator[Bench]:
    with opened("jira company-managed") as bench:
        yield bench


@pytest.fixture
def person(bench: Bench) -> JiraPerson:
    assert isinstance(bench.person, JiraPerson)
    return bench.person


@pytest.fixture
def refs(bench: Bench, place: Place) -> dict[ItemKey, RemoteRef]:
    """Two tickets."""
    return created(bench.tracker(), place, ticket("a"), ticket("b"))


def traces(bench: Bench, place: Place, refs: dict[ItemKey, RemoteRef], key: ItemKey = A) -> Traces:
    return bench.tracker().traces(place, refs, [key])[key]


def add_subtask(person: JiraPerson, place: Place, parent: RemoteRef) -> str:
    fields = {
        "project": {"id": place.ref.id},
        "issuetype": {"name": "Sub-task"},
        "summary": "My part",
        "parent": {"id": parent.id},
    }
    return str(person.send("POST", "api/2/issue", json={"fields": fields})["key"])


# --- traces ---


def test_work_logs_subtasks_and_fields_that_phaseloop_never_writes_are_told(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    ref = refs[A]
    person.send("POST", f"api/2/issue/{ref.id}/worklog", json={"timeSpentSeconds": 3600})
    add_subtask(person, place, ref)
    person.send("PUT", f"api/2/issue/{ref.id}", json={"fields": {"duedate": "2026-12-24"}})
    person.send("POST", f"api/2/issue/{ref.id}/watchers")
    person.send("POST", f"api/2/issue/{ref.id}/votes")
    seen = traces(bench, place, refs)
    assert seen.additions == ("1 work log", "1 sub-task", "1 watcher", "1 vote", "due date changed")
    assert seen.edited == frozenset()


def test_our_own_label_that_a_person_took_off_is_told_and_one_that_is_on_again_is_not(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    path = f"api/2/issue/{refs[A].id}"
    [label] = [
        one
        for one in person.send("GET", path, params={"fields": "labels"})["fields"]["labels"]
        if one.startswith("phaseloop-")
    ]
    person.send("PUT", path, json={"update": {"labels": [{"remove": label}]}})
    assert traces(bench, place, refs).additions == (f"label {label} taken off",)
    person.send("PUT", path, json={"update": {"labels": [{"add": label}]}})
    assert traces(bench, place, refs).additions == ()


def test_links_to_what_is_not_ours_are_told_and_our_own_are_not(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    bench.tracker().link(place, Link(ItemKey("link:a>b"), refs[A], refs[B]))
    assert traces(bench, place, refs) == Traces()
    theirs = person.adds_a_ticket(place)
    body = {"type": {"name": "Blocks"}, "inwardIssue": {"key": theirs.key}, "outwardIssue": {"key": refs[A].key}}
    person.send("POST", "api/2/issueLink", json=body)
    body = {"type": {"name": "Relates"}, "inwardIssue": {"key": refs[B].key}, "outwardIssue": {"key": refs[A].key}}
    person.send("POST", "api/2/issueLink", json=body)
    assert traces(bench, place, refs).additions == ("2 links to things that are not ours",)


def test_a_ticket_that_was_begun_and_put_back_was_touched(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    person.begins(refs[A])
    path = f"api/2/issue/{refs[A].id}/transitions"
    back = next(one for one in person.send("GET", path)["transitions"] if one["to"]["name"] == "To Do")
    person.send("POST", path, json={"transition": {"id": back["id"]}})
    assert traces(bench, place, refs).additions == ("moved to To Do",)


def test_a_history_that_is_not_told_whole_counts_as_a_trace(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    for number in range(41):
        person.retitles(refs[A], f"Title {number}")
    assert traces(bench, place, refs) == Traces(("more changes than Jira tells at once",), frozenset({"title"}))


def test_sprints_of_others_are_traces_of_the_project(bench: Bench, person: JiraPerson) -> None:
    tracker = bench.tracker()
    place = tracker.create_project(bench.spec(key=bench.fresh_key(), create=True))
    known = {PROJECT: place.ref, **created(tracker, place, iteration(1))}
    body = {"name": "Their sprint", "originBoardId": place.facts["board_id"]}
    person.send("POST", "agile/1.0/sprint", admin=True, json=body)
    assert tracker.traces(place, known, [PROJECT])[PROJECT].additions == ("1 sprint that is not ours",)


def test_the_maker_of_a_ticket_watches_it_and_that_is_nobodys_trace(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    other = bench.tracker("member")  # as after the connection's account was replaced
    assert other.traces(place, refs, [A])[A] == Traces()
    person.send("POST", f"api/2/issue/{refs[A].id}/watchers")
    assert other.traces(place, refs, [A])[A] == Traces()  # the account that asks, as far as can be told
    assert traces(bench, place, refs) == Traces(("1 watcher",))


def test_what_people_make_in_a_project_beside_tickets_is_a_trace_of_it(bench: Bench, person: JiraPerson) -> None:
    tracker = bench.tracker()
    place = tracker.create_project(bench.spec(key=bench.fresh_key(), create=True))
    known = {PROJECT: place.ref}
    assert tracker.traces(place, known, [PROJECT])[PROJECT] == Traces()

    def make(path: str, **body: object) -> dict[str, object]:
        found: dict[str, object] = person.send("POST", path, admin=True, json=body)
        return found

    person.send("PUT", f"api/2/project/{place.ref.id}", admin=True, json={"description": "How we work"})
    make("api/2/version", name="1.0", projectId=int(place.ref.id))
    make("api/2/component", name="Serving", project=place.ref.key)
    person.send("PUT", f"api/2/project/{place.ref.key}/properties/notes", admin=True, json={"by": "us"})
    jql, shared = f"project = {place.ref.key} ORDER BY Rank", [{"type": "project", "project": {"id": place.ref.id}}]
    make("api/2/filter", name=f"Shared {place.ref.key}", jql=jql, sharePermissions=shared)
    of_board = make("api/2/filter", name=f"Ours {place.ref.key}", jql=jql, sharePermissions=shared)
    location = {"type": "project", "projectKeyOrId": place.ref.key}
    make("agile/1.0/board", name="Ours", type="kanban", filterId=int(str(of_board["id"])), location=location)
    assert tracker.traces(place, known, [PROJECT])[PROJECT].additions == (
        "1 description",
        "1 version",
        "1 component",
        "1 project property",
        "1 more board",
        "1 filter that is shared with it",
    )


def test_a_project_full_of_tickets_of_others_takes_few_requests(bench: Bench, place: Place) -> None:
    tracker = bench.tracker()
    for batch in range(3):
        created(tracker, place, *[ticket(f"n{batch}-{number}") for number in range(50)])
    reads = bench.requests()[0]
    [told] = tracker.traces(place, {PROJECT: place.ref}, [PROJECT])[PROJECT].additions[:1]
    assert told.endswith("tickets that are not ours")
    # Besides: itself, versions, components, properties, boards and filters.
    assert bench.requests()[0] - reads <= 3 + 6


# --- removing ---


def test_a_ticket_with_subtasks_is_not_removed_and_says_why(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    tracker = bench.tracker()
    add_subtask(person, place, refs[A])
    refused, done = tracker.delete(place, ItemKind.TICKET, list(refs.items()))
    assert isinstance(refused, Rejected)
    assert "subtasks" in refused.problems[0].message
    assert done == Done(B, refs[B])
    assert set(tracker.find(place, refs, only=list(refs))) == {A}


def test_an_account_without_the_permission_removes_nothing(
    bench: Bench, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    [refused] = bench.tracker("viewer").delete(place, ItemKind.TICKET, [(A, refs[A])])
    assert isinstance(refused, Rejected)
    assert "permission" in refused.problems[0].message
    assert set(bench.tracker().find(place, refs, only=[A])) == {A}


def test_each_kind_takes_its_own_permission(bench: Bench, place: Place) -> None:
    spec, viewer = bench.spec(), bench.tracker("viewer")
    wanted = {
        ItemKind.EPIC: {"DELETE_ISSUES"},
        ItemKind.TICKET: {"DELETE_ISSUES"},
        ItemKind.ITERATION: {"MANAGE_SPRINTS_PERMISSION"},
        ItemKind.LINK: {"LINK_ISSUES"},
        ItemKind.PROJECT: {"ADMINISTER"},
    }
    for kind, keys in wanted.items():
        found = [one for one in viewer.check(spec, place, (), removing=[kind]) if one.code != NAME_STAYS_TAKEN]
        assert {finding.subject for finding in found} == keys
        assert {finding.code for finding in found} == {"permission-missing"}
    allowed = bench.tracker().check(spec, place, (), removing=list(wanted))
    assert [finding.code for finding in allowed] == [NAME_STAYS_TAKEN]


def test_finished_tickets_stay_in_their_closed_sprint_when_the_others_are_taken_out(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    tracker = bench.tracker()
    turn = created(tracker, place, iteration(1))[TURN]
    tracker.move(place, list(refs.items()), turn)
    path = f"agile/1.0/sprint/{turn.id}"
    person.send("POST", path, admin=True, json={"state": "active"})
    ways = person.send("GET", f"api/2/issue/{refs[A].id}/transitions")["transitions"]
    done = next(one["id"] for one in ways if one["to"]["statusCategory"]["key"] == "done")
    person.send("POST", f"api/2/issue/{refs[A].id}/transitions", json={"transition": {"id": done}})
    person.send("POST", path, admin=True, json={"state": "closed"})
    tracker.move(place, list(refs.items()), None)
    seen = tracker.find(place, {**refs, TURN: turn}, only=[A, B])
    assert (seen[A].fields["iteration"], seen[B].fields["iteration"]) == (TURN, None)


# --- the project ---


def test_a_project_in_the_trash_is_told_from_one_that_never_was(bench: Bench) -> None:
    tracker = bench.tracker()
    spec = bench.spec(key=bench.fresh_key(), create=True)
    place = tracker.create_project(spec)
    tracker.delete(place, ItemKind.PROJECT, [(PROJECT, place.ref)])
    assert tracker.locate(spec) is None
    existing = bench.spec(key=spec.key)
    for findings in (
        tracker.check(spec, None, ()),
        tracker.check(existing, None, ()),
        tracker.check(spec, None, (), removing=[ItemKind.TICKET]),
    ):
        [finding] = findings
        assert finding.code == "project-in-trash"
        assert "since 20" in finding.message
        assert "restore" in finding.fix
    with pytest.raises(ItemRejected, match="trash") as caught:
        tracker.create_project(spec)
    assert [problem.field for problem in caught.value.problems] == ["key"]
    assert (
        tracker.check(bench.spec(key="NOSUCH"), None, (), removing=[ItemKind.TICKET])[0].code == "project-not-visible"
    )


def test_a_project_from_the_trash_is_as_it_was(bench: Bench, person: JiraPerson) -> None:
    tracker = bench.tracker()
    spec = bench.spec(key=bench.fresh_key(), create=True)
    place = tracker.create_project(spec)
    refs = created(tracker, place, epic("data"))
    tracker.delete(place, ItemKind.PROJECT, [(PROJECT, place.ref)])
    person.send("POST", f"api/2/project/{place.ref.key}/restore", admin=True)
    assert tracker.locate(spec) == place
    assert set(tracker.find(place, {})) == set(refs)


def test_an_account_that_may_not_delete_projects_is_told_what_it_takes(bench: Bench, place: Place) -> None:
    member = bench.tracker("member")
    with pytest.raises(PermissionMissing, match="Administer Jira"):
        member.delete(place, ItemKind.PROJECT, [(PROJECT, place.ref)])
    assert bench.tracker().locate(bench.spec()) is not None


# --- after a lost answer, and by name ---


def test_a_sprint_without_an_answer_is_looked_up_with_a_listing_and_a_marker(bench: Bench, place: Place) -> None:
    tracker = bench.tracker()
    since = tracker.watermark(place)
    refs = created(tracker, place, iteration(91))
    reads = bench.requests()[0]
    assert tracker.recover(place, [iteration(91)], since) == refs
    assert bench.requests()[0] - reads == 2
    reads = bench.requests()[0]
    assert tracker.recover(place, [iteration(92)], tracker.watermark(place)) == {}
    assert bench.requests()[0] - reads == 3  # two of them for the mark


def test_a_sprint_that_was_renamed_before_it_got_its_marker_is_known_by_goal_and_dates(
    bench: Bench, person: JiraPerson, place: Place
) -> None:
    tracker = bench.tracker()
    since = tracker.watermark(place)
    refs = created(tracker, place, iteration(93), iteration(94))
    (lost, other) = (refs[iteration(number).key] for number in (93, 94))
    person.send("POST", f"agile/1.0/sprint/{lost.id}", json={"name": "Theirs"})
    person.send("POST", f"agile/1.0/sprint/{other.id}", json={"name": "Theirs too", "goal": "Something else"})

    found = tracker.recover(place, [iteration(93), iteration(94)], since)

    assert {key: ref.id for key, ref in found.items()} == {iteration(93).key: lost.id}


def test_people_write_names_in_many_ways(
    bench: Bench, person: JiraPerson, place: Place, refs: dict[ItemKey, RemoteRef]
) -> None:
    ref, site = refs[A], place.ref.url.partition("/browse/")[0]
    ways = [
        ref.key.lower(),
        f"  {ref.key} ",
        f"{site}/browse/{ref.key}?focusedCommentId=1",
        f"{site}/jira/software/c/projects/{place.ref.key}/boards/1?selectedIssue={ref.key}",
    ]
    others = [
        f"https://elsewhere.atlassian.net/browse/{ref.key}",
        add_subtask(person, place, ref),
        "SCRUM-999999",
        "SCRUM-0",
        "the first ticket",
    ]
    assert bench.tracker().named(place, ItemKind.TICKET, [*ways, *others]) == dict.fromkeys(ways, ref)


def test_a_number_that_is_one_sprints_name_and_anothers_id_names_neither(bench: Bench, place: Place) -> None:
    tracker = bench.tracker()
    first = created(tracker, place, Item(key=TURN, kind=ItemKind.ITERATION, title="Alpha"))[TURN]
    other = Item(key=ItemKey("iteration:2"), kind=ItemKind.ITERATION, title=first.id)
    created(tracker, place, other)
    assert tracker.named(place, ItemKind.ITERATION, [first.id, "alpha"]) == {"alpha": first}
