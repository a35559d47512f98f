"""What the Jira tracker does where Jira is slow, partial, hidden or broken: at the wire, with scripted answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.errors import (
    CredentialsRefused,
    ItemRejected,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    PermissionMissing,
    TrackerRefused,
    TrackerUnavailable,
)
from connectors.jira.client import JiraClient
from connectors.jira.layout import CreateField, IssueType, Layout, LinkType
from connectors.jira.location import place_of
from connectors.jira.settings import JiraSettings
from connectors.jira.tracker import JiraTracker
from connectors.pacing import Pacer, Patience
from connectors.port import Tracker
from connectors.values import (
    Creation,
    Done,
    Item,
    ItemKey,
    ItemKind,
    Link,
    Place,
    ProjectSpec,
    Rejected,
    RemoteRef,
    Severity,
)
from tests.unit.connectors.loopback import EMAIL, TOKEN, Asked, Loopback, Naps, Say, serving

Routes = dict[tuple[str, str], Say | list[Say] | Callable[[Asked], Say]]
NOT_FOUND = Say(404, {"errorMessages": ["Not there."], "errors": {}})
SPEC = ProjectSpec(uid="uid-1", key="ML", name="ML", label="phaseloop-ml")
SCREEN = tuple(
    CreateField(id=one, name=one.title(), required=False, filled=False)
    for one in ("summary", "description", "labels", "assignee", "issuelinks")
)
LAYOUT = Layout(
    uid="uid-1",
    label="phaseloop-ml",
    project_id="10001",
    project_key="ML",
    site="https://acme.atlassian.net",
    board_id=7,
    sprints=True,
    epic=IssueType(id="10000", name="Epic", fields=SCREEN),
    ticket=IssueType(id="10002", name="Task", fields=SCREEN),
    link_type=LinkType(id="10000", name="Blocks"),
)
PLACE = place_of(LAYOUT)
ML2 = RemoteRef("502", "ML-2", "")
ML3 = RemoteRef("503", "ML-3", "")


@contextmanager
def tracker_on(routes: Routes, naps: Naps | None = None, path: str = "") -> Iterator[tuple[JiraTracker, Loopback]]:
    """A tracker on a server with these routes; a list is said one by one, the last repeated."""

    def answer(asked: Asked) -> Say:
        say = routes.get((asked.method, urlsplit(asked.path).path.removeprefix(path)), NOT_FOUND)
        if isinstance(say, list):
            return say.pop(0) if len(say) > 1 else say[0]
        return say if isinstance(say, Say) else say(asked)

    naps = Naps() if naps is None else naps
    with serving(answer) as server:
        settings = JiraSettings.model_validate({"url": server.url + path, "email": EMAIL, "token": TOKEN})
        client = JiraClient(settings, pacer=Pacer({}), patience=Patience(sleep=naps), timeout=(2, 2))
        tracker = JiraTracker(settings, client)
        try:
            yield tracker, server
        finally:
            tracker.close()


def query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}


def ticket(name: str, **more: Any) -> Item:
    return Item(key=ItemKey(f"ticket:{name}"), kind=ItemKind.TICKET, title=name, **more)


def made(number: int) -> dict[str, str]:
    return {"id": str(500 + number), "key": f"ML-{number}"}


def failed(number: int, **fields: str) -> dict[str, Any]:
    return {
        "status": 400,
        "failedElementNumber": number,
        "elementErrors": {"errorMessages": [], "errors": fields},
    }


BULK = ("POST", "/rest/api/2/issue/bulk")
FETCH = ("POST", "/rest/api/2/issue/bulkfetch")
SEARCH = ("POST", "/rest/api/2/search/jql")
SPRINT = ("POST", "/rest/agile/1.0/sprint")
SPRINTS = ("GET", "/rest/agile/1.0/board/7/sprint")
STILL_THERE: Routes = {("GET", "/rest/api/2/project/10001"): Say(200, {"id": "10001", "key": "ML"})}


def test_the_connector_is_a_tracker() -> None:
    tracker: Tracker = JiraTracker.connect(
        JiraSettings.model_validate({"url": "http://localhost", "email": EMAIL, "token": TOKEN})
    )
    assert TOKEN not in repr(tracker)
    tracker.close()


# --- create ---


def test_a_screen_without_links_gets_the_ticket_without_them() -> None:
    link = (ItemKey("link:b>a"), ML2)
    refusal = failed(1, issuelinks="Field 'issuelinks' cannot be set. It is not on the appropriate screen, or unknown.")
    answers = [
        Say(201, {"issues": [made(5)], "errors": [refusal]}),
        Say(201, {"issues": [made(6)], "errors": []}),
    ]
    with tracker_on({BULK: answers}) as (tracker, server):
        outcomes = tracker.create(PLACE, [Creation(ticket("a")), Creation(ticket("b"), links=(link,))])
        assert [(o.key, o.ref.key, o.linked) for o in outcomes if isinstance(o, Done)] == [
            ("ticket:a", "ML-5", ()),
            ("ticket:b", "ML-6", ()),
        ]
        second = server.asked[1].body["issueUpdates"]
        assert len(second) == 1
        assert "update" not in second[0]


@pytest.mark.parametrize("second", [Say(429, "", {"Retry-After": "600"}), Say(403, {}), Say(503, ""), Say(act="reset")])
def test_a_failure_after_a_partial_success_leaves_the_batch_in_doubt(second: Say) -> None:
    refusal = failed(1, issuelinks="cannot be set")
    answers = [Say(201, {"issues": [made(5)], "errors": [refusal]}), second]
    with tracker_on({BULK: answers}) as (tracker, _), pytest.raises(OutcomeUnknown):
        tracker.create(PLACE, [Creation(ticket("a")), Creation(ticket("b"), links=((ItemKey("link:b>a"), ML2),))])


def test_an_answer_that_does_not_add_up_leaves_the_batch_in_doubt() -> None:
    short = Say(201, {"issues": [made(5)], "errors": []})
    with tracker_on({BULK: short}) as (tracker, _), pytest.raises(OutcomeUnknown, match="unclearly"):
        tracker.create(PLACE, [Creation(ticket("a")), Creation(ticket("b"))])


def test_a_body_refused_as_a_whole_refuses_each_item() -> None:
    with tracker_on({BULK: Say(400, {"errorMessages": ["Invalid request payload."], "errors": {}})}) as (tracker, _):
        outcomes = tracker.create(PLACE, [Creation(ticket("a")), Creation(ticket("b"))])
        assert all(
            isinstance(one, Rejected) and one.problems[0].message == "Invalid request payload." for one in outcomes
        )


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (Say(403, {"errorMessages": ["No."]}), PermissionMissing),
        (Say(429, "", {"Retry-After": "99"}), TrackerUnavailable),
    ],
)
def test_a_sure_refusal_of_the_first_call_is_not_called_doubt(first: Say, error: type[Exception]) -> None:
    turn = Item(key=ItemKey("iteration:1"), kind=ItemKind.ITERATION, title="Iteration 1")
    with tracker_on({BULK: first, SPRINT: first}) as (tracker, _):
        with pytest.raises(error):
            tracker.create(PLACE, [Creation(ticket("a"))])
        with pytest.raises(error):
            tracker.create(PLACE, [Creation(turn)])


def test_a_refused_sprint_does_not_touch_the_others_and_a_break_leaves_doubt() -> None:
    turns = [
        Creation(Item(key=ItemKey(f"iteration:{n}"), kind=ItemKind.ITERATION, title=f"Iteration {n}")) for n in (1, 2)
    ]
    refusal = Say(400, {"errorMessages": ["Sprint name must be shorter than 30 characters."], "errors": {}})
    with tracker_on({SPRINT: [refusal, Say(201, {"id": 9, "name": "Iteration 2"})]}) as (tracker, server):
        first, second = tracker.create(PLACE, turns)
        assert isinstance(first, Rejected)
        assert isinstance(second, Done)
        assert second.ref.id == "9"
        assert server.asked[0].body == {"name": "Iteration 1", "originBoardId": 7}
    broken_off = [Say(201, {"id": 8}), Say(429, "", {"Retry-After": "99"})]
    with tracker_on({SPRINT: broken_off}) as (tracker, _), pytest.raises(OutcomeUnknown):
        tracker.create(PLACE, turns)


def test_a_project_without_a_type_for_epics_refuses_them_without_a_call() -> None:
    bare = place_of(LAYOUT.model_copy(update={"epic": None}))
    epic = Item(key=ItemKey("epic:a"), kind=ItemKind.EPIC, title="A")
    with tracker_on({}) as (tracker, server):
        [outcome] = tracker.create(bare, [Creation(epic)])
        assert isinstance(outcome, Rejected)
        assert server.asked == []


# --- move, link ---


def test_one_bad_ticket_does_not_keep_the_others_from_moving() -> None:
    def answer(asked: Asked) -> Say:
        return Say(400, {"errorMessages": ["No such issue."]}) if "3" in asked.body["issues"] else Say(204, "")

    items = [(ItemKey(f"ticket:{n}"), RemoteRef(str(n), f"ML-{n}", "")) for n in range(1, 6)]
    with tracker_on({("POST", "/rest/agile/1.0/sprint/9/issue"): answer}) as (tracker, server):
        outcomes = tracker.move(PLACE, items, RemoteRef("9", "Iteration 1", ""))
        assert [outcome.key for outcome in outcomes] == [key for key, _ in items]
        assert [outcome.key for outcome in outcomes if isinstance(outcome, Rejected)] == ["ticket:3"]
        assert len(server.asked) <= 7


LINK = Link(ItemKey("link:b>a"), source=ML3, target=ML2)


def test_the_blocking_issue_is_the_inward_one() -> None:
    with tracker_on({("POST", "/rest/api/2/issueLink"): Say(201, "")}) as (tracker, server):
        tracker.link(PLACE, LINK)
        assert server.asked[0].body == {
            "type": {"id": "10000"},
            "inwardIssue": {"key": "ML-2"},
            "outwardIssue": {"key": "ML-3"},
        }


@pytest.mark.parametrize("status", [400, 409])
def test_a_refused_link_is_success_only_if_it_is_seen_to_exist(status: int) -> None:
    links = [{"type": {"id": "10000", "name": "Blocks"}, "inwardIssue": {"id": "502", "key": "ML-2"}}]
    routes: Routes = {
        ("POST", "/rest/api/2/issueLink"): Say(status, {"errorMessages": ["Link exists."]}),
        FETCH: Say(200, {"issues": [{"id": "503", "key": "ML-3", "fields": {"issuelinks": links}}]}),
    }
    with tracker_on(routes) as (tracker, _):
        tracker.link(PLACE, LINK)
    routes[FETCH] = Say(200, {"issues": [{"id": "503", "key": "ML-3", "fields": {"issuelinks": []}}]})
    with tracker_on(routes) as (tracker, _), pytest.raises((ItemRejected, TrackerUnavailable)):
        tracker.link(PLACE, LINK)


def test_a_site_without_a_blocking_link_type_is_told_so() -> None:
    bare = place_of(LAYOUT.model_copy(update={"link_type": None}))
    assert not bare.capabilities.links
    with tracker_on({}) as (tracker, server), pytest.raises(TrackerRefused, match="no link type"):
        tracker.link(bare, LINK)
    assert server.asked == []


# --- find, recover ---


def marked(number: int, key: str, uid: str = "uid-1", **fields: Any) -> dict[str, Any]:
    return {**made(number), "fields": fields, "properties": {"phaseloop": {"project": uid, "key": key}}}


def test_issues_that_could_not_be_read_are_asked_for_again_and_never_taken_for_gone() -> None:
    known = {ItemKey(f"ticket:{n}"): RemoteRef(str(500 + n), f"ML-{n}", "") for n in (1, 2)}
    half = Say(200, {"issues": [marked(1, "ticket:1")], "issueErrors": [{"id": "502", "errorMessage": "too large"}]})
    with tracker_on({FETCH: [half, Say(200, {"issues": [marked(2, "ticket:2")]})]}) as (tracker, server):
        assert set(tracker.find(PLACE, known, only=list(known))) == set(known)
        assert server.asked[1].body["issueIdsOrKeys"] == ["502"]
    stuck = Say(200, {"issues": [], "issueErrors": [{"id": "501"}, {"id": "502"}]})
    with tracker_on({FETCH: stuck}) as (tracker, _), pytest.raises(TrackerUnavailable):
        tracker.find(PLACE, known, only=list(known))


def test_issues_listed_as_not_existing_are_gone() -> None:
    said = "Issue does not exist or you do not have permission to see it."
    answer = Say(200, {"issues": [], "issueErrors": [{"id": "503", "errorMessage": said}]})
    with tracker_on({FETCH: answer, **STILL_THERE}) as (tracker, server):
        assert tracker.find(PLACE, {ItemKey("ticket:a"): ML3}, only=[ItemKey("ticket:a")]) == {}
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("project", "error"),
    [
        (NOT_FOUND, NotVisible),
        (Say(401, ""), CredentialsRefused),
        (Say(200, {}, {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}), CredentialsRefused),
    ],
)
def test_absence_means_nothing_once_the_project_is_out_of_sight(project: Say, error: type[Exception]) -> None:
    routes: Routes = {
        FETCH: Say(200, {"issues": []}),
        SEARCH: Say(200, {"issues": []}),
        ("GET", "/rest/api/2/project/10001"): project,
    }
    with tracker_on(routes) as (tracker, _):
        with pytest.raises(error):
            tracker.find(PLACE, {ItemKey("ticket:a"): ML3}, only=[ItemKey("ticket:a")])
        with pytest.raises(error):
            tracker.recover(PLACE, [ticket("a")], "")


def test_two_hundred_and_one_items_are_three_reads() -> None:
    known = {ItemKey(f"ticket:{n}"): RemoteRef(str(500 + n), f"ML-{n}", "") for n in range(201)}

    def answer(asked: Asked) -> Say:
        ids = asked.body["issueIdsOrKeys"]
        assert len(ids) <= 100
        return Say(200, {"issues": [{"id": one, "key": "ML-1", "fields": {}} for one in ids]})

    with tracker_on({FETCH: answer}) as (tracker, server):
        assert len(tracker.find(PLACE, known, only=list(known))) == 201
        assert len(server.asked) == 3


def test_a_clone_of_a_ticket_is_not_taken_for_it() -> None:
    found = [marked(9, "ticket:a"), marked(7, "ticket:a"), marked(8, "ticket:b"), marked(5, "ticket:c", uid="other")]
    routes: Routes = {
        FETCH: Say(200, {"issues": [marked(3, "ticket:b")]}),
        SEARCH: Say(200, {"issues": found, "isLast": True}),
        SPRINTS: Say(200, {"values": [], "isLast": True}),
    }
    with tracker_on(routes) as (tracker, _):
        seen = tracker.find(PLACE, {ItemKey("ticket:b"): ML3})
        assert {key: item.ref.key for key, item in seen.items()} == {"ticket:a": "ML-7", "ticket:b": "ML-3"}


def test_search_pages_are_followed_by_token_to_their_end() -> None:
    def answer(asked: Asked) -> Say:
        token = asked.body.get("nextPageToken")
        number = {None: 1, "t1": 2, "t2": 3}[token]
        more = {} if number == 3 else {"nextPageToken": f"t{number}"}
        return Say(200, {"issues": [marked(number, f"ticket:{number}")], **more})

    with tracker_on({SEARCH: answer, SPRINTS: Say(200, {"values": []})}) as (tracker, _):
        assert set(tracker.find(PLACE, {})) == {"ticket:1", "ticket:2", "ticket:3"}


def test_a_search_that_never_ends_is_given_up() -> None:
    routes: Routes = {SEARCH: Say(200, {"issues": [], "nextPageToken": "same"}), SPRINTS: Say(200, {"values": []})}
    with tracker_on(routes) as (tracker, server), pytest.raises(NotATracker, match="end"):
        tracker.find(PLACE, {})
    assert len(server.asked) <= 3


def test_strange_sprints_are_asked_for_their_marker_ten_at_most_the_newest_first() -> None:
    sprints = [{"id": n, "name": f"S{n}", "state": "future"} for n in range(1, 31)]
    routes: Routes = {
        SEARCH: Say(200, {"issues": []}),
        SPRINTS: lambda asked: Say(
            200,
            {
                "values": sprints[int(query(asked)["startAt"]) :][:20],
                "maxResults": 20,
                "isLast": int(query(asked)["startAt"]) >= 20,
            },
        ),
        ("GET", "/rest/agile/1.0/sprint/29/properties/phaseloop"): Say(
            200, {"key": "phaseloop", "value": {"project": "uid-1", "key": "iteration:1"}}
        ),
    }
    with tracker_on(routes) as (tracker, server):
        assert {key: item.ref.id for key, item in tracker.find(PLACE, {}).items()} == {"iteration:1": "29"}
        asked = [one.path.split("/")[5] for one in server.asked if "/properties/" in one.path]
        assert asked == [str(n) for n in range(30, 20, -1)]


def test_one_look_sees_what_a_create_made_so_far_and_does_not_wait() -> None:
    made_so_far = Say(200, {"issues": [marked(2, "ticket:old"), marked(3, "ticket:3"), marked(4, "ticket:4")]})
    naps = Naps()
    items = [ticket(str(n)) for n in range(3, 8)]
    routes: Routes = {FETCH: [made_so_far, Say(200, {"issues": []})]}
    with tracker_on(routes, naps) as (tracker, server):
        assert set(tracker.recover(PLACE, items, "000000000002.000000000000")) == {"ticket:3", "ticket:4"}
        assert len(server.asked) == 2
    assert naps == []


def test_keys_are_read_until_a_hundred_lead_nowhere_and_the_index_is_asked_only_on_demand() -> None:
    def answer(asked: Asked) -> Say:
        ids = asked.body["issueIdsOrKeys"]
        there = [marked(number, "ticket:other") for number in (100, 150) if f"ML-{number}" in ids]
        return Say(200, {"issues": there})

    indexed = Say(200, {"issues": [marked(90, "ticket:a")], "isLast": True})
    with tracker_on({FETCH: answer, SEARCH: indexed}) as (tracker, server):
        assert tracker.recover(PLACE, [ticket("a")], "000000000100.000000000000") == {}
        pages = [one.body["issueIdsOrKeys"] for one in server.asked]
        assert [(page[0], page[-2], page[-1], len(page)) for page in pages] == [
            ("ML-101", "ML-199", "ML-100", 100),
            ("ML-200", "ML-298", "ML-100", 100),
        ]
        found = tracker.recover(PLACE, [ticket("a")], "000000000100.000000000000", widely=True)
        assert {key: ref.key for key, ref in found.items()} == {"ticket:a": "ML-90"}
        assert len(server.asked) == 5


@pytest.mark.parametrize("mark", ["", "000000000100.000000000000"])
def test_without_an_answer_for_the_mark_the_project_is_asked_for(mark: str) -> None:
    nothing = Say(200, {"issues": []})
    with tracker_on({FETCH: nothing, **STILL_THERE}) as (tracker, server):
        assert tracker.recover(PLACE, [ticket("a")], mark) == {}
        assert [one.path for one in server.asked] == [FETCH[1], "/rest/api/2/project/10001"]
    with tracker_on({FETCH: nothing}) as (tracker, _), pytest.raises(NotVisible):
        tracker.recover(PLACE, [ticket("a")], mark)


def test_a_server_that_answers_any_key_with_the_same_issue_is_left_again() -> None:
    routes: Routes = {
        FETCH: Say(200, {"issues": [marked(150, "ticket:other")]}),
        SEARCH: Say(200, {"issues": []}),
        **STILL_THERE,
    }
    with tracker_on(routes) as (tracker, server):
        assert tracker.recover(PLACE, [ticket("a")], "") == {}
        assert len(server.asked) == 3


def test_a_sprint_that_somebody_else_made_meanwhile_is_not_ours() -> None:
    sprints = [
        {"id": 11, "name": "Iteration 1", "state": "future"},
        {"id": 12, "name": "Iteration 1", "state": "future"},
        {"id": 13, "name": "Holiday", "state": "future"},
        {"id": 5, "name": "Iteration 2", "state": "future"},
    ]
    theirs = Say(200, {"key": "phaseloop", "value": {"project": "other", "key": "iteration:1"}})
    routes: Routes = {
        SPRINTS: Say(200, {"values": sprints, "isLast": True}),
        ("GET", "/rest/agile/1.0/sprint/11/properties/phaseloop"): theirs,
        **STILL_THERE,
    }
    turns = [Item(key=ItemKey(f"iteration:{n}"), kind=ItemKind.ITERATION, title=f"Iteration {n}") for n in (1, 2)]
    with tracker_on(routes) as (tracker, _):
        found = tracker.recover(PLACE, turns, "000000000000.000000000010")
        assert {key: ref.id for key, ref in found.items()} == {"iteration:1": "12"}


def test_marks_are_ordered_as_text_is() -> None:
    routes: Routes = {
        SEARCH: [Say(200, {"issues": [made(9)]}), Say(200, {"issues": [made(10)]}), Say(200, {"issues": []})],
        SPRINTS: Say(200, {"values": [{"id": 31, "state": "future"}], "isLast": True}),
    }
    with tracker_on(routes) as (tracker, _):
        nine, ten, none = (tracker.watermark(PLACE) for _ in range(3))
        assert none < nine < ten


# --- people ---

ASSIGNABLE, USERS = ("GET", "/rest/api/2/user/assignable/search"), ("GET", "/rest/api/2/user/search")


def user(account: str, email: str | None = None) -> dict[str, Any]:
    return {"accountId": account, "displayName": account.upper(), "active": True} | (
        {"emailAddress": email} if email else {}
    )


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([user("a", "ML-1@example.com")], "a"),
        ([user("x", "ml-11@example.com"), user("a", "ml-1@example.com")], "a"),
        ([user("a")], "a"),
        ([user("a"), user("b")], None),
        ([user("a", "somebody-else@example.com")], None),
        ([user("a", "ml-1@example.com"), user("b", "ml-1@example.com")], None),
        ([], None),
    ],
)
def test_an_address_means_one_person_or_nobody(answer: list[Any], found: str | None) -> None:
    with tracker_on({USERS: Say(200, answer)}) as (tracker, _):
        people = tracker.people(None, ["ml-1@example.com"])
        assert (people["ml-1@example.com"].id if people else None) == found


def test_somebody_who_cannot_be_assigned_is_told_from_nobody() -> None:
    with tracker_on({ASSIGNABLE: Say(200, []), USERS: Say(200, [user("acc-1")])}) as (tracker, server):
        people = tracker.people(PLACE, ["acc-1", "acc-1"])
        assert people["acc-1"].assignable is False
        assert [query(one).get("accountId") for one in server.asked] == ["acc-1", "acc-1"]
        assert query(server.asked[0])["project"] == "ML"


# --- locate, create_project, check ---

PROJECT: dict[str, Any] = {
    "id": "10001",
    "key": "ML",
    "style": "classic",
    "issueTypes": [
        {"id": "10000", "name": "Epic", "hierarchyLevel": 1, "subtask": False},
        {"id": "10002", "name": "Task", "hierarchyLevel": 0, "subtask": False},
    ],
}


def field(field_id: str, *, required: bool = False, custom: str = "", type_: str = "string") -> dict[str, Any]:
    schema = {"type": type_} | ({"custom": custom} if custom else {"system": field_id})
    return {"fieldId": field_id, "key": field_id, "name": field_id.title(), "required": required, "schema": schema}


def site(**changes: Say) -> Routes:
    """A whole small site; keyword arguments replace an answer."""
    ticket_fields = [
        field("summary", required=True),
        field("description"),
        field("labels"),
        field("assignee"),
        field("issuelinks"),
        field("customfield_24", type_="number"),
        field("customfield_20", custom="com.pyxis.greenhopper.jira:gh-sprint", type_="array"),
        field("customfield_77", required=True),
    ]
    answers = {
        "project": Say(200, PROJECT),
        "serverInfo": Say(200, {"deploymentType": "Cloud", "baseUrl": "https://acme.atlassian.net"}),
        "issue/createmeta/10001/issuetypes/10000": Say(200, {"fields": [field("summary", required=True)], "total": 1}),
        "issue/createmeta/10001/issuetypes/10002": Say(200, {"fields": ticket_fields, "total": 8}),
        "issueLinkType": Say(200, {"issueLinkTypes": [{"id": "1", "name": "Blocks", "outward": "blocks"}]}),
        "board": Say(200, {"values": [{"id": 7, "type": "scrum", "location": {"projectId": 10001}}], "isLast": True}),
        "board/7/configuration": Say(200, {"estimation": {"field": {"fieldId": "customfield_24"}}}),
        "mypermissions": Say(200, {"permissions": {}}),
    }
    names = {name.replace("/", "_"): name for name in answers}
    answers |= {names[name]: say for name, say in changes.items()}
    agile = {"board", "board/7/configuration"}
    return {("GET", "/_edge/tenant_info"): Say(200, {"cloudId": "5F6B-1"})} | {
        ("GET", f"/rest/{'agile/1.0' if name in agile else 'api/2'}/{'project/ML' if name == 'project' else name}"): say
        for name, say in answers.items()
    }


def located(tracker: JiraTracker) -> Place:
    place = tracker.locate(SPEC)
    assert place is not None
    return place


def test_locate_takes_nine_reads_at_most_and_knows_the_fields_by_schema() -> None:
    with tracker_on(site()) as (tracker, server):
        layout = Layout.model_validate(located(tracker).facts)
        assert len(server.asked) <= 9
        assert (layout.sprint_field, layout.points_field) == ("customfield_20", "customfield_24")
        assert (layout.uid, layout.label) == (SPEC.uid, SPEC.label)


def test_a_site_is_known_by_its_cloud_id_and_where_it_does_not_tell_one_by_its_address_which_is_said() -> None:
    with tracker_on(site()) as (tracker, server):
        place = located(tracker)
        assert place.site == tracker.identify(SPEC).site == "jira:5f6b-1"
        assert "site-known-by-address" not in {one.code for one in tracker.check(SPEC, place, [])}
        assert sum(one.path == "/_edge/tenant_info" for one in server.asked) == 1
    routes = {ask: say for ask, say in site().items() if ask[1] != "/_edge/tenant_info"}
    with tracker_on(routes) as (tracker, server):
        place = located(tracker)
        assert place.site == f"jira:{server.url}"
        assert "site-known-by-address" in {one.code for one in tracker.check(SPEC, place, [])}


@pytest.mark.parametrize("myself", [Say(401, ""), Say(200, {}, {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"})])
def test_an_expired_token_is_not_taken_for_a_missing_project(myself: Say) -> None:
    routes: Routes = {("GET", "/rest/api/2/myself"): myself}
    with tracker_on(routes) as (tracker, _), pytest.raises(CredentialsRefused):
        tracker.locate(SPEC)
    with tracker_on({("GET", "/rest/api/2/myself"): Say(200, user("acc-1"))}) as (tracker, _):
        assert tracker.locate(SPEC) is None


def test_a_viewer_may_locate_a_project_but_is_promised_little() -> None:
    forbidden = Say(403, {"errorMessages": ["No."]})
    routes = site(issue_createmeta_10001_issuetypes_10000=forbidden, issue_createmeta_10001_issuetypes_10002=NOT_FOUND)
    with tracker_on(routes) as (tracker, _):
        capabilities = located(tracker).capabilities
        assert (capabilities.points, capabilities.links_in_create, capabilities.iterations) == (False, False, True)


@pytest.mark.parametrize(
    "board",
    [
        Say(404, {"type": "about:blank", "detail": "No endpoint GET /rest/agile/1.0/board."}),
        Say(403, {}),
        Say(200, {"values": []}),
    ],
)
def test_a_site_without_boards_has_no_iterations(board: Say) -> None:
    with tracker_on(site(board=board)) as (tracker, _):
        place = located(tracker)
        assert not place.capabilities.iterations
        assert place.board_url.endswith("/browse/ML")


@pytest.mark.parametrize(("has_sprints", "answer"), [(True, Say(200, {"values": []})), (False, Say(400, {}))])
def test_a_team_managed_board_has_sprints_when_it_can_list_them(has_sprints: bool, answer: Say) -> None:
    board = Say(200, {"values": [{"id": 7, "type": "simple"}], "isLast": True})
    with tracker_on({**site(board=board), SPRINTS: answer}) as (tracker, _):
        assert located(tracker).capabilities.iterations is has_sprints


def test_data_center_is_one_clear_finding_and_nothing_else_is_asked() -> None:
    with tracker_on(site(serverInfo=Say(200, {"deploymentType": "Server"}))) as (tracker, server):
        place = located(tracker)
        assert len(server.asked) == 2
        [finding] = tracker.check(SPEC, place, [ticket("a")])
        assert (finding.code, finding.severity) == ("deployment-unsupported", Severity.ERROR)
        assert "Cloud" in finding.fix


def test_behind_the_gateway_people_are_led_to_the_site() -> None:
    with tracker_on(site(), path="/ex/jira/1-2-3") as (tracker, _):
        assert located(tracker).ref.url == "https://acme.atlassian.net/browse/ML"


def test_check_names_missing_permissions_and_required_fields_in_an_administrators_words() -> None:
    denied = {key: {"havePermission": key != "ASSIGN_ISSUES"} for key in ("BROWSE_PROJECTS", "ASSIGN_ISSUES")}
    with tracker_on(site(mypermissions=Say(200, {"permissions": denied}))) as (tracker, server):
        place = located(tracker)
        found = tracker.check(SPEC, place, [ticket("a", assignee="acc-1"), ticket("b")])
        by_code = {finding.code: finding for finding in found}
        permission, required = by_code["permission-missing"], by_code["required-field"]
        assert '"Assign issues"' in permission.message
        assert "project ML" in permission.message
        assert "Project settings, Permissions" in permission.fix
        assert required.subject == "customfield_77"
        assert "ticket:a (and 1 more)" in required.message
        assert "Task" in required.fix
        asked = query(server.asked[-1])
        assert asked["projectKey"] == "ML"
        assert "ADMINISTER" not in asked["permissions"]


def test_check_warns_of_what_the_project_cannot_show_and_says_what_happens_instead() -> None:
    bare = Say(200, {"fields": [field("summary", required=True)], "total": 1})
    routes = site(issue_createmeta_10001_issuetypes_10002=bare, board=Say(200, {"values": []}), issueLinkType=NOT_FOUND)
    items = [
        ticket("a", points=3, text="Text"),
        Item(key=ItemKey("iteration:1"), kind=ItemKind.ITERATION, title="Iteration 1"),
        Item(key=ItemKey("link:a>b"), kind=ItemKind.LINK, title="", source=ItemKey("a"), target=ItemKey("b")),
    ]
    with tracker_on(routes) as (tracker, _):
        found = tracker.check(SPEC, located(tracker), items)
        assert {(finding.code, finding.severity) for finding in found} == {
            (code, Severity.WARNING)
            for code in (
                "iterations-unsupported",
                "points-unsupported",
                "links-unsupported",
                "labels-unsupported",
                "description-unsupported",
            )
        }
        assert all(finding.fix for finding in found)


def test_nobody_is_promised_a_ticket_that_cannot_be_assigned() -> None:
    bare = Say(200, {"fields": [field("summary", required=True), field("labels")], "total": 2})
    with tracker_on(site(issue_createmeta_10001_issuetypes_10002=bare)) as (tracker, _):
        found = tracker.check(SPEC, located(tracker), [ticket("a", assignee="acc-1")])
        assert [finding.code for finding in found if finding.severity is Severity.ERROR] == ["assignee-unsupported"]


def test_check_without_items_asks_about_everything_that_the_usual_ones_need() -> None:
    with tracker_on(site()) as (tracker, server):
        found = tracker.check(SPEC, located(tracker), [])
        assert query(server.asked[-1])["permissions"].split(",") == [
            "BROWSE_PROJECTS",
            "CREATE_ISSUES",
            "EDIT_ISSUES",
            "ASSIGN_ISSUES",
            "LINK_ISSUES",
            "MANAGE_SPRINTS_PERMISSION",
            "SCHEDULE_ISSUES",
        ]
        assert [finding.code for finding in found if finding.severity is Severity.ERROR] == ["required-field"]
        assert "phaseloop leaves it empty" in found[0].message


def test_permissions_that_are_not_told_are_a_warning() -> None:
    with tracker_on(site(mypermissions=Say(400, {"errorMessages": ["Unrecognized permission."]}))) as (tracker, _):
        found = tracker.check(SPEC, located(tracker), [])
        assert ("permissions-unreadable", Severity.WARNING) in {(finding.code, finding.severity) for finding in found}


def test_a_project_without_a_type_for_epics_is_found_out_beforehand() -> None:
    only_tasks = {**PROJECT, "issueTypes": PROJECT["issueTypes"][1:]}
    epic = Item(key=ItemKey("epic:a"), kind=ItemKind.EPIC, title="A")
    with tracker_on(site(project=Say(200, only_tasks))) as (tracker, _):
        found = tracker.check(SPEC, located(tracker), [epic])
        assert [finding.code for finding in found if finding.severity is Severity.ERROR] == ["issue-type-missing"]


def test_a_lead_who_gets_what_belongs_to_nobody_is_no_silent_default() -> None:
    with tracker_on(site(project=Say(200, {**PROJECT, "assigneeType": "PROJECT_LEAD"}))) as (tracker, _):
        place = located(tracker)
        assert "default-assignee" in {finding.code for finding in tracker.check(SPEC, place, [ticket("a")])}
        assigned = tracker.check(SPEC, place, [ticket("a", assignee="acc-1")])
        assert "default-assignee" not in {finding.code for finding in assigned}


CREATE = ProjectSpec(uid="uid-1", key="ML", name="ML", create=True, label="phaseloop-ml")


def test_a_created_project_is_waited_for_until_its_board_is_there() -> None:
    boards = [Say(200, {"values": []}), Say(200, {"values": [{"id": 7, "type": "scrum"}], "isLast": True})]
    routes: Routes = {
        **site(),
        ("GET", "/rest/api/2/myself"): Say(200, user("acc-me")),
        ("POST", "/rest/api/2/project"): Say(201, {"id": 10001, "key": "ML"}),
        ("GET", "/rest/agile/1.0/board"): boards,
    }
    naps = Naps()
    with tracker_on(routes, naps) as (tracker, server):
        assert tracker.create_project(CREATE).capabilities.iterations
        body = next(one.body for one in server.asked if one.method == "POST")
        assert body["projectTemplateKey"] == "com.pyxis.greenhopper.jira:gh-simplified-scrum-classic"
        assert body["leadAccountId"] == "acc-me"
    assert naps == [1.0]


@pytest.mark.parametrize("project", [NOT_FOUND, Say(403, {}), Say(500, "")])
def test_a_project_that_was_created_but_cannot_be_read_is_in_doubt_not_undone(project: Say) -> None:
    routes: Routes = {
        **site(project=project),
        ("GET", "/rest/api/2/myself"): Say(200, user("acc-me")),
        ("POST", "/rest/api/2/project"): Say(201, {"id": 10001, "key": "ML"}),
    }
    with tracker_on(routes) as (tracker, _), pytest.raises(OutcomeUnknown, match="was created"):
        tracker.create_project(CREATE)


def test_check_of_a_new_project_asks_for_the_right_to_create_it_and_for_the_key() -> None:
    taken = Say(200, {"errorMessages": [], "errors": {"projectKey": "A project with that project key already exists."}})
    routes: Routes = {
        **site(mypermissions=Say(200, {"permissions": {"ADMINISTER": {"havePermission": False}}})),
        ("GET", "/rest/api/2/projectvalidate/key"): taken,
    }
    with tracker_on(routes) as (tracker, _):
        codes = [finding.code for finding in tracker.check(CREATE, None, [])]
        assert codes == ["permission-missing", "project-key-taken"]
        malformed = ProjectSpec(uid="u", key="ml-1", name="M", create=True, label="two words")
        codes = [finding.code for finding in tracker.check(malformed, None, [])]
        assert codes == ["permission-missing", "project-key-malformed", "project-name-length", "label-invalid"]
