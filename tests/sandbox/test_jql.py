"""JQL: what parses, what queries find, and the vendor's words for what cannot be run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.clock import Clock
from sandbox.jira.changes import Edit
from sandbox.jira.jql import JqlError, parse
from sandbox.jira.jql_search import prepare
from sandbox.jira.jql_tree import structure
from sandbox.jira.ranking import last_rank
from sandbox.jira.seed import account_id, seed
from sandbox.jira.state import Comment, Issue, IssueLink, Site, Sprint, User, Version, Worklog

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ML = account_id("ml-1@example.com")


@pytest.fixture
def site() -> Site:
    clock = Clock()
    clock.freeze(NOW)
    site = Site(seed(NOW), clock)
    data = site.data
    data.sprints[1] = Sprint(1, "Sprint 1", "closed", 1, NOW)
    data.sprints[2] = Sprint(2, "Sprint 2", "active", 1, NOW)
    data.sprints[3] = Sprint(3, "Sprint 3", "future", 1, NOW)
    epic = add(site, "Data", type_id="10000")
    add(site, "Collect the samples", parent_id=epic.id, sprint_ids=[1, 2], labels=["phase-data"], priority_id="1")
    add(site, "Train the model", status_id="10001", assignee=ML, sprint_ids=[1], priority_id="4", due_date="2026-11-20")
    add(site, "Review *bias*", sprint_ids=[3], labels=["gov", "Phase-Data"], custom={"customfield_10024": 5.0})
    data.links["1"] = IssueLink("1", "10000", "10002", "10003")
    return site


def add(site: Site, summary: str, **fields: Any) -> Issue:
    number = len(site.data.issues) + 1
    person = account_id("demo@example.com", old_form=True)
    created = NOW - timedelta(days=10 - number)
    values: dict[str, Any] = {"type_id": "10002", "status_id": "10000", "reporter": person, "priority_id": "3"} | fields
    issue = Issue(
        id=str(10000 + number),
        key=f"SCRUM-{number}",
        project_id="10000",
        summary=summary,
        creator=person,
        created=created,
        updated=created,
        status_changed=created,
        rank=last_rank(number),
        **values,
    )
    site.data.issues[issue.id] = issue
    site.index(issue)
    site.touch()
    return issue


def demo(site: Site) -> User:
    user = site.user_by_email("demo@example.com")
    assert user is not None
    return user


def found(site: Site, jql: str) -> list[int]:
    return [int(issue.key.split("-")[1]) for issue in prepare(site, demo(site), parse(jql)).run()]


@pytest.mark.parametrize(
    ("jql", "numbers"),
    [
        ("project = SCRUM", [4, 3, 2, 1]),
        ("project = 'Scrum project' ORDER BY key ASC", [1, 2, 3, 4]),
        ("project = 10000 ORDER BY created", [4, 3, 2, 1]),
        ("key in (SCRUM-2, scrum-3) ORDER BY key asc", [2, 3]),
        ("id = 10003", [3]),
        ("key >= SCRUM-3 ORDER BY key ASC", [3, 4]),
        ("type = Epic", [1]),
        ("issuetype in standardIssueTypes() AND type != Epic ORDER BY key asc", [2, 3, 4]),
        ("status = Done", [3]),
        ("status not in (Done) ORDER BY key ASC", [1, 2, 4]),
        ('statusCategory = "To Do" ORDER BY key ASC', [1, 2, 4]),
        ("resolution = Unresolved AND status = Done", [3]),
        ("assignee is EMPTY ORDER BY key ASC", [1, 2, 4]),
        ("assignee != currentUser()", [3]),
        (f'assignee = "{ML}"', [3]),
        ('assignee = "ml-1@example.com"', [3]),
        ("reporter = currentUser() ORDER BY key ASC", [1, 2, 3, 4]),
        ("labels = phase-data", [2]),
        ("labels in (gov, phase-data) ORDER BY key ASC", [2, 4]),
        ("labels != gov", [2]),
        ("labels is not EMPTY ORDER BY key ASC", [2, 4]),
        ("priority > Medium", [2]),
        ("priority <= Medium ORDER BY priority, key ASC", [1, 4, 3]),
        ("parent = SCRUM-1", [2]),
        ('"Epic Link" = SCRUM-1', [2]),
        ("sprint = 1 ORDER BY key ASC", [2, 3]),
        ("sprint = 'Sprint 2'", [2]),
        ("cf[10020] in openSprints()", [2]),
        ("sprint in futureSprints()", [4]),
        ("sprint in closedSprints() ORDER BY rank", [2, 3]),
        ("sprint is EMPTY", [1]),
        ("summary ~ model", [3]),
        ('summary ~ "the sampl*"', [2]),
        ("summary !~ the ORDER BY key ASC", [1, 4]),
        ('text ~ "\\"train the\\""', [3]),
        ("created >= -8d ORDER BY key ASC", [2, 3, 4]),
        ('created < "2026-11-16" ORDER BY key ASC', [1, 2]),
        ("created >= startOfWeek(-1) ORDER BY key ASC", [2, 3, 4]),
        ("created > now()", []),
        ("due < startOfDay()", [3]),
        ("due = 2026-11-20", [3]),
        ('"Story Points" > 3', [4]),
        ("cf[10024] is EMPTY ORDER BY key ASC", [1, 2, 3]),
        ("issue in linkedIssues(SCRUM-2)", [3]),
        ('issueLinkType = "is blocked by" ORDER BY key ASC', [2, 3]),
        ("key in childIssuesOf(SCRUM-1)", [2]),
        ("NOT (status = Done OR type = Epic) AND assignee is EMPTY ORDER BY key ASC", [2, 4]),
        ("filter = 10000 AND type = Epic", [1]),
        ('project = SCRUM AND (labels = "gov" || status = Done) ORDER BY summary DESC', [3, 4]),
        ("assignee in (EMPTY, currentUser()) ORDER BY key ASC", [1, 2, 4]),
        ("created is EMPTY", []),
        ('"Story Points[Number]" > 3', [4]),
        ('"story points [number]" = 5', [4]),
        ("level is EMPTY ORDER BY key ASC", [1, 2, 3, 4]),
        ("lastViewed is EMPTY ORDER BY key ASC", [1, 2, 3, 4]),
        ("workRatio > 0", []),
        ("project in projectsWhereUserHasRole(Administrators) ORDER BY key ASC", [1, 2, 3, 4]),
        ('project in projectsWhereUserHasPermission("Edit Issues") ORDER BY key ASC', [1, 2, 3, 4]),
    ],
)
def test_a_query_finds(site: Site, jql: str, numbers: list[int]) -> None:
    assert found(site, jql) == numbers


@pytest.mark.parametrize(
    ("jql", "words"),
    [
        ("project", "Expecting operator before the end of the query."),
        ("project = ", "Expecting either a value, list or function before the end of the query."),
        ("project foo SCRUM", "Expecting operator but got 'foo'."),
        ("project = A status = B", "Expecting either 'OR' or 'AND' but got 'status'. (line 1, character 13)"),
        ("project = a@b", "The character '@' is a reserved JQL character."),
        ("assignee = user", "'user' is a reserved JQL word."),
        ('summary ~ "x', "The quoted string 'x' has not been completed."),
        ("(project = A", "Expecting ')' before the end of the query."),
        ("project in (A B)", "Expecting either ')' or ',' but got 'B'."),
        ("status was", "Expecting either a value, list or function before the end of the query."),
        ("status changed from", "Expecting either a value, list or function before the end of the query."),
        ("status was Done from Open", "Expecting either 'OR' or 'AND' but got 'from'."),
        ("not " * 200 + "a = 1", "nested too deeply"),
        ("project = SCRUM order by a,b,c,d,e,f,g,h", "at most 7"),
    ],
)
def test_what_does_not_parse_is_refused_in_the_vendors_words(site: Site, jql: str, words: str) -> None:
    with pytest.raises(JqlError) as caught:
        found(site, jql)
    assert words in caught.value.messages[0]


@pytest.mark.parametrize(
    ("jql", "message"),
    [
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("colour = red", "Field 'colour' does not exist or you do not have permission to view it."),
        ("key = SCRUM-99", "An issue with key 'SCRUM-99' does not exist for field 'key'."),
        ("summary = x", "The operator '=' is not supported by the 'summary' field."),
        ("project ~ x", "The operator '~' is not supported by the 'project' field."),
        ("assignee = nobody(1)", "Unable to find JQL function 'nobody(1)'."),
        ("assignee = currentUser(1)", "Function 'currentUser' expected '0' arguments but received '1'."),
        ("sprint = currentUser()", "The JQL function 'currentUser' cannot be used with the field 'Sprint'."),
        ("project in SCRUM", "Operator 'in' does not support the non-list value for field 'project'."),
        ("project = (SCRUM)", "Operator '=' does not support searching for a list of values for field 'project'."),
        ("summary ~ '*x'", "The text query '*x' for field 'summary' is not allowed to start with '*'"),
        ("project = SCRUM order by colour", "Not able to sort using field 'colour'."),
        ("issue.property[a].b = 1", "Field 'issue.property[a.b]' does not exist"),
        ("rank = 1", "Field 'rank' does not exist"),
    ],
)
def test_what_the_site_does_not_know_is_refused_in_the_vendors_words(site: Site, jql: str, message: str) -> None:
    with pytest.raises(JqlError) as caught:
        found(site, jql)
    assert caught.value.messages[0].startswith(message)


def test_a_bad_date_lists_the_valid_forms(site: Site) -> None:
    with pytest.raises(JqlError, match="Date value 'soon' for field 'created' is invalid"):
        found(site, "created > soon")


def test_every_bad_clause_is_reported_at_once(site: Site) -> None:
    with pytest.raises(JqlError) as caught:
        found(site, "project = NOPE and colour = red and status = Nowhere")
    assert len(caught.value.messages) == 3


def test_anonymous_people_get_no_issues_for_unknown_fields_instead_of_a_refusal(site: Site) -> None:
    search = prepare(site, None, parse("colour = red"))
    assert search.run() == []
    assert search.problems


def test_projects_that_a_person_may_not_browse_do_not_exist_for_their_queries(site: Site) -> None:
    from sandbox.jira.state import Denial

    site.data.denials.append(Denial(demo(site).account_id, "BROWSE_PROJECTS", "10000"))
    with pytest.raises(JqlError, match="The value 'SCRUM' does not exist"):
        found(site, "project = SCRUM")
    assert found(site, "created <= now()") == []


def test_comments_are_searched(site: Site) -> None:
    issue = site.find_issue("SCRUM-4")
    assert issue is not None
    issue.comments.append(Comment("1", ML, "h1. Signed *off*", NOW, NOW, ML))
    assert found(site, "comment ~ signed") == [4]
    assert found(site, 'text ~ "signed off"') == [4]


def test_filters_that_name_each_other_are_refused_instead_of_looping(site: Site) -> None:
    site.data.filters["10000"].jql = "filter = 10001"
    site.data.filters["10001"].jql = "filter = 10000"
    with pytest.raises(JqlError, match="does not exist for the field 'filter'"):
        found(site, "filter = 10000")


def test_the_tree_has_the_vendors_shape() -> None:
    tree = structure(parse("project = A AND labels not in (x, 'y z') ORDER BY rank DESC"))
    assert tree == {
        "where": {
            "operator": "and",
            "clauses": [
                {
                    "field": {"name": "project", "encodedName": "project"},
                    "operator": "=",
                    "operand": {"value": "A", "encodedValue": "A"},
                },
                {
                    "field": {"name": "labels", "encodedName": "labels"},
                    "operator": "not in",
                    "operand": {
                        "values": [
                            {"value": "x", "encodedValue": "x"},
                            {"value": "y z", "encodedValue": '"y z"'},
                        ],
                        "encodedOperand": '(x, "y z")',
                    },
                },
            ],
        },
        "orderBy": {"fields": [{"field": {"name": "rank", "encodedName": "rank"}, "direction": "desc"}]},
    }


@pytest.mark.parametrize("text", ["cf[", "cf[1", "(", "a and not", "order by", "x in ("])
def test_a_text_that_ends_too_early_is_refused(text: str) -> None:
    with pytest.raises(JqlError, match="Error in the JQL Query"):
        parse(text)


@given(st.text(alphabet="project=AND()!<>~, \"'\\[]order by1-cfinEMPTY.@", max_size=60))
def test_any_text_parses_or_is_refused(jql: str) -> None:
    try:
        text = structure(parse(jql))
    except JqlError as refusal:
        text = {"refused": refusal.messages[0]}
    assert isinstance(text, dict)


# -- work, versions, history ---------------------------------------------------------------------------------------


def log_work(site: Site, number: int, seconds: int, started: datetime, author: str = ML) -> None:
    issue = site.data.issues[str(10000 + number)]
    issue.worklogs.append(Worklog(f"{number}{len(issue.worklogs)}", author, author, started, started, started, seconds))


@pytest.mark.parametrize(
    ("jql", "numbers"),
    [
        ("worklogDate = 2026-11-20", [2]),
        ("worklogDate >= 2026-11-20 ORDER BY key ASC", [2, 3]),
        ("worklogDate < -2d ORDER BY key ASC", [2]),
        ("worklogDate is EMPTY ORDER BY key ASC", [1, 4]),
        ("worklogDate != 2026-11-20", [3]),
        (f'worklogAuthor = "{ML}" ORDER BY key ASC', [2, 3]),
        ("worklogAuthor = currentUser()", [2]),
        ("timeSpent >= 3h", [2]),
        ("timeSpent = 60", [3]),
        ("timeSpent is EMPTY ORDER BY key ASC", [1, 4]),
        ("originalEstimate = 1d", [3]),
        ("remainingEstimate in (30m, 7h)", [3]),
        ("timeestimate > 1w", []),
        ("workRatio = 12", [3]),
        ("workRatio is EMPTY ORDER BY key ASC", [1, 2, 4]),
    ],
)
def test_a_query_finds_work_that_was_logged(site: Site, jql: str, numbers: list[int]) -> None:
    log_work(site, 2, 2 * 3600, NOW - timedelta(days=3))
    log_work(site, 2, 3600, NOW - timedelta(days=1), demo(site).account_id)
    log_work(site, 3, 3600, NOW - timedelta(hours=1))
    site.data.issues["10003"].original_estimate, site.data.issues["10003"].remaining_estimate = 8 * 3600, 7 * 3600
    assert found(site, jql) == numbers


def test_a_time_span_that_is_none_and_a_level_that_nobody_knows_are_refused(site: Site) -> None:
    for jql in ("timeSpent > soon", "level = Secret", "workRatio > much"):
        with pytest.raises(JqlError):
            found(site, jql)


@pytest.mark.parametrize(
    ("jql", "numbers"),
    [
        ("fixVersion = latestReleasedVersion(SCRUM)", [2]),
        ("fixVersion = earliestUnreleasedVersion(scrum)", [3]),
        ("fixVersion in (latestReleasedVersion(SCRUM), earliestUnreleasedVersion(SCRUM)) ORDER BY key ASC", [2, 3]),
        ("fixVersion = latestReleasedVersion(TEAM)", []),
    ],
)
def test_a_query_finds_versions_by_their_place(site: Site, jql: str, numbers: list[int]) -> None:
    for number, (name, day, released) in enumerate(
        (("1.0", "2026-01-01", True), ("1.1", "2026-03-01", True), ("2.0", "2026-12-01", False), ("3.0", None, False))
    ):
        site.data.versions[str(number)] = Version(str(number), "10000", name, release_date=day, released=released)
    site.data.issues["10001"].fix_version_ids = ["0"]
    site.data.issues["10002"].fix_version_ids = ["1"]
    site.data.issues["10003"].fix_version_ids = ["2"]
    site.data.issues["10004"].fix_version_ids = ["3"]
    assert found(site, jql) == numbers


@pytest.mark.parametrize(
    "jql",
    [
        "fixVersion = latestReleasedVersion(NOPE)",
        "fixVersion = latestReleasedVersion()",
        "project in projectsWhereUserHasRole(Kings)",
        'project in projectsWhereUserHasPermission("Fly")',
        "status = earliestUnreleasedVersion(SCRUM)",
    ],
)
def test_a_function_of_something_that_does_not_exist_is_refused(site: Site, jql: str) -> None:
    with pytest.raises(JqlError):
        found(site, jql)


def at(site: Site, day: int, number: int, by: str, change: Callable[[Edit], None]) -> None:
    """Somebody's change of an issue, on a day of that November."""
    site.clock.freeze(datetime(2026, 11, day, 12, 0, tzinfo=UTC))
    edit = Edit(site, site.data.issues[str(10000 + number)], by)
    change(edit)
    edit.save()


@pytest.fixture
def told(site: Site) -> Site:
    """SCRUM-2 went to In Progress on the 16th, to Done on the 18th, back on the 20th; SCRUM-4 got more than one."""
    me = demo(site).account_id
    site.data.versions["7"] = Version("7", "10000", "1.0")
    site.data.versions["8"] = Version("8", "10000", "2.0")
    at(site, 16, 2, ML, lambda edit: edit.set_status("3"))
    at(site, 18, 2, me, lambda edit: edit.set_status("10001"))
    at(site, 19, 4, me, lambda edit: edit.set_person("assignee", ML))
    at(site, 19, 4, me, lambda edit: edit.set_records("fixVersions", ["7", "8"]))
    at(site, 20, 2, ML, lambda edit: edit.set_status("3"))
    at(site, 21, 4, ML, lambda edit: edit.set_records("fixVersions", ["8"]))
    site.clock.freeze(NOW)
    return site


@pytest.mark.parametrize(
    ("jql", "numbers"),
    [
        ("status was Done ORDER BY key ASC", [2, 3]),
        ("status was not Done ORDER BY key ASC", [1, 4]),
        ('status was "In Progress"', [2]),
        ('status was in ("In Progress", Done) ORDER BY key ASC', [2, 3]),
        ('status was not in ("In Progress", Done) ORDER BY key ASC', [1, 4]),
        ("status was Done BEFORE 2026-11-18 ORDER BY key ASC", [3]),
        ("status was Done AFTER 2026-11-21 ORDER BY key ASC", [3]),
        ("status was Done ON 2026-11-19 AND key = SCRUM-2", [2]),
        ("status was Done ON 2026-11-22 AND key = SCRUM-2", []),
        ('status was Done DURING ("2026-11-01", "2026-11-17") ORDER BY key ASC', [3]),
        ('status was Done DURING ("2026-11-17", "2026-11-18") ORDER BY key ASC', [2, 3]),
        ("status was Done BY currentUser() AND key = SCRUM-2", [2]),
        (f'status was Done BY "{ML}" AND key = SCRUM-2', []),
        ("status changed", [2]),
        ('status changed FROM "In Progress" TO Done', [2]),
        ('status changed TO Done BY "ml-1@example.com"', []),
        ("status changed TO Done BY currentUser() AFTER startOfWeek(-1)", [2]),
        ("status changed BEFORE 2026-11-16", []),
        ("status changed ON 2026-11-16", [2]),
        ("not status changed ORDER BY key ASC", [1, 3, 4]),
        ("assignee was EMPTY ORDER BY key ASC", [1, 2, 4]),
        ("assignee changed FROM EMPTY", [4]),
        (f'assignee was "{ML}" ORDER BY key ASC', [3, 4]),
        ('fixVersion was "1.0"', [4]),
        ('fixVersion was "1.0" AFTER 2026-11-22', []),
        ('fixVersion was "2.0" AFTER 2026-11-22', [4]),
        ("fixVersion was EMPTY BEFORE 2026-11-18 ORDER BY key ASC", [1, 2, 3, 4]),
        ("fixVersion was EMPTY AFTER 2026-11-20 ORDER BY key ASC", [1, 2, 3]),
        ("priority was Highest", [2]),
    ],
)
def test_a_query_finds_what_was(told: Site, jql: str, numbers: list[int]) -> None:
    assert found(told, jql) == numbers


@pytest.mark.parametrize(
    "jql",
    [
        "summary was x",
        "labels changed",
        "status was Nowhere",
        "status changed TO Nowhere",
        'status was Done DURING ("2026-11-01")',
        "status was Done BY nobody@example.com",
        "status was Done BEFORE someday",
        "status was (Done, Open)",
    ],
)
def test_a_history_that_there_is_not_is_refused(told: Site, jql: str) -> None:
    with pytest.raises(JqlError):
        found(told, jql)


def test_a_historical_clause_is_shown_with_its_predicates() -> None:
    query = parse('status was Done BY me BEFORE "2026-01-01" AND assignee changed FROM a')
    shown = structure(query)["where"]["clauses"]
    assert shown[0] == {
        "field": {"name": "status", "encodedName": "status"},
        "operator": "was",
        "operand": {"value": "Done", "encodedValue": "Done"},
        "predicates": [
            {"operator": "by", "operand": {"value": "me", "encodedValue": "me"}},
            {"operator": "before", "operand": {"value": "2026-01-01", "encodedValue": "2026-01-01"}},
        ],
    }
    assert shown[1]["operator"] == "changed"
    assert "operand" not in shown[1]
