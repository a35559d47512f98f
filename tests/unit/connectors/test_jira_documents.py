"""Issues as Jira tells them, made into evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.jira.documents import READ, History, document, lacks_comments, read_text
from connectors.jira.layout import Layout
from connectors.records import TEXT_READ, Part, text_digest

Json = dict[str, Any]

LAYOUT = Layout(uid="u", project_id="1", project_key="ML", site="https://acme.example.com")
PERSON = {"accountId": "712020:1", "displayName": "Somebody"}
AT, LATER = "2026-11-23T09:00:00.000+0000", "2026-11-24T09:00:00.000+0000"
CATEGORIES = {"1": "todo", "2": "todo", "3": "doing", "4": "done", "5": "done"}


def entry(*items: Json, at: Any = AT, author: Any = PERSON) -> Json:
    return {"id": "7", "created": at, "author": author, "items": list(items)}


def status(before: str, after: str) -> Json:
    return {"field": "status", "fieldId": "status", "from": before, "to": after}


def description(after: str | None) -> Json:
    return {"field": "description", "fieldId": "description", "fromString": "x", "toString": after}


def issue(**fields: Any) -> Json:
    return {
        "id": "10",
        "key": "ML-1",
        "fields": {"description": None, "comment": {"comments": [], "total": 0}, **fields},
    }


def read(one: Json, history: History | None = None, links: list[Any] | None = None) -> Any:
    return document(LAYOUT, one, history or History(), key=None, links=links or [])


def test_steps_are_changes_of_what_the_status_comes_to() -> None:
    moves = [
        status("1", "2"),
        status("2", "3"),
        status("3", "4"),
        status("4", "5"),
        status("5", "99"),
        status("99", "4"),
    ]
    steps = History([entry(one) for one in moves], CATEGORIES).steps()
    assert [one.status for one in steps] == ["doing", "done", "done"]
    assert (steps[0].by, steps[0].person, steps[0].at) == (
        "712020:1",
        "Somebody",
        datetime(2026, 11, 23, 9, tzinfo=UTC),
    )


def test_a_field_of_an_app_that_is_called_like_jiras_own_is_another() -> None:
    strange = [
        {"field": "Status", "fieldId": "customfield_10050", "from": "3", "to": "4"},
        {"field": "Description", "fieldId": "customfield_10051", "toString": "x"},
    ]
    history = History([entry(*strange)], CATEGORIES)
    assert (history.steps(), history.edits(), history.moved) == ((), (), False)


def test_edits_tell_what_the_text_then_was_and_an_emptied_one_is_empty() -> None:
    told: list[Json] = [description("h2. Goal"), description(None), {"field": "description", "fieldId": "description"}]
    edits = History([entry(one) for one in told]).edits()
    assert [one.digest for one in edits] == [text_digest("## Goal"), text_digest(""), ""]


@pytest.mark.parametrize("author", [None, {}, "gone"])
def test_a_change_by_nobody_that_is_known_is_told_all_the_same(author: Any) -> None:
    [edit] = History([entry(description("x"), author=author)]).edits()
    assert (edit.by, edit.person) == ("", "")


@pytest.mark.parametrize("broken", [{"items": None}, {"items": ["x", None]}, {}, entry(description("x"), at="no time")])
def test_entries_that_cannot_be_read_are_passed_over(broken: Json) -> None:
    history = History([broken, entry(description("x"))])
    assert len(history.edits()) == 1
    assert (history.moved, history.names_links) == (False, False)


@pytest.mark.parametrize("name", ["RemoteWorkItemLink", "RemoteIssueLink"])
def test_web_links_are_known_by_their_new_and_their_old_name(name: str) -> None:
    item = {"field": name, "from": None, "to": "41", "toString": 'This issue links to "Run (Web Link)"'}
    history = History([entry(item)])
    link = {"id": 41, "object": {"url": "https://example.com/run", "title": "Run"}}
    [found] = read(issue(), history, [link, {"id": 42}, "x", {"object": {"url": ""}}]).links
    assert history.names_links
    assert (found.url, found.title, found.author, found.at) == (
        "https://example.com/run",
        "Run",
        "712020:1",
        datetime(2026, 11, 23, 9, tzinfo=UTC),
    )


def test_a_long_text_is_cut_and_says_so() -> None:
    found = read(issue(description="word " * TEXT_READ))
    assert (len(found.text), found.cut) == (TEXT_READ, True)
    assert found.digest == text_digest(found.text)
    history = History([entry(description("word " * TEXT_READ))])
    assert history.edits()[0].digest == found.digest
    assert read_text("x" * TEXT_READ) == ("x" * TEXT_READ, False)


def test_a_text_is_read_in_either_form() -> None:
    adf = {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Words"}]}]}
    assert read(issue(description=adf)).text == read(issue(description="Words")).text == "Words"


@pytest.mark.parametrize("field", ["description", "comment"])
def test_a_field_that_did_not_come_is_unread(field: str) -> None:
    one = issue()
    del one["fields"][field]
    assert read(one).unread == ({"description": Part.TEXT, "comment": Part.COMMENTS}[field],)
    assert document(LAYOUT, issue(), History(), key=None, links=None).unread == (Part.LINKS,)


def test_comments_that_are_missing_are_noticed() -> None:
    some = {"comments": [{"id": "1", "created": AT, "updated": AT, "body": "a", "author": PERSON}], "total": 2}
    assert lacks_comments(issue(comment=some))
    found = read(issue(comment=some))
    assert ([one.text for one in found.comments], found.unread) == (["a"], (Part.COMMENTS,))
    assert not lacks_comments(issue(comment={**some, "total": 1}))
    assert not lacks_comments(issue(comment=None))


def test_comments_are_sorted_and_those_without_time_passed_over() -> None:
    told = [
        {"id": "2", "created": LATER, "updated": LATER, "body": "b"},
        {"id": "1", "created": AT, "updated": LATER, "body": "*a*"},
        {"id": "3", "body": "c"},
        "x",
    ]
    first, second = read(issue(comment={"comments": told, "total": 4})).comments
    assert (first.text, first.edited_at, second.edited_at) == ("**a**", datetime(2026, 11, 24, 9, tzinfo=UTC), None)


@pytest.mark.parametrize("sign", [{"visibility": {"type": "role", "value": "Administrators"}}, {"jsdPublic": False}])
def test_a_comment_for_a_few_is_no_evidence_for_all(sign: Json) -> None:
    told = [{"id": "1", "created": AT, "updated": AT, "body": "/approve", **sign}]
    found = read(issue(comment={"comments": told, "total": 1}))
    assert (found.comments, found.unread) == ((), ())


def test_a_file_is_where_people_can_open_it_whatever_address_jira_tells() -> None:
    told = {"id": "4", "filename": "a b/ü.png", "mimeType": "image/png", "size": 3, "author": PERSON, "created": AT}
    told["content"] = "https://api.atlassian.com/ex/jira/1/rest/api/3/attachment/content/4"
    [found] = read(issue(attachment=[told, None])).attachments
    assert found.url == "https://acme.example.com/secure/attachment/4/a%20b%2F%C3%BC.png"
    assert (found.name, found.kind, found.size, found.author) == ("a b/ü.png", "image/png", 3, "712020:1")


def test_an_issue_with_nothing_on_it_is_a_document() -> None:
    found = read({"id": "10", "key": "ML-1", "fields": dict.fromkeys(READ)})
    assert (found.title, found.text, found.status, found.labels, found.assignee) == ("", "", "todo", (), None)
    assert (found.created_by, found.created_at, found.unread) == ("", None, (Part.COMMENTS,))
