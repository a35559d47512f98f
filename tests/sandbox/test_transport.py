"""Requests in the forms in which clients of other languages send them."""

from __future__ import annotations

import json

import pytest

from sandbox.testing import SandboxServer
from tests.sandbox.conftest import Client

V2 = "/rest/api/2"
ISSUE = {"fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "One"}}
BAD_JSON = {"errorMessages": ["There was an error parsing JSON. Check that your request body is valid."]}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json;charset=UTF-8", "X-ExperimentalApi": "opt-in"},
        {"Content-Type": "application/json; charset=utf-8", "Expect": "100-continue"},
        {"Content-Type": "Application/JSON", "Accept-Encoding": "gzip, deflate, br", "X-Atlassian-Token": "no-check"},
    ],
)
def test_a_body_is_read_whatever_else_is_declared_about_it(admin: Client, headers: dict[str, str]) -> None:
    assert admin.post(f"{V2}/issue", content=json.dumps(ISSUE), headers=headers).status_code == 201


def test_a_body_may_begin_with_a_byte_order_mark_and_come_in_chunks(admin: Client) -> None:
    raw = b"\xef\xbb\xbf" + json.dumps(ISSUE).encode()
    chunks = (raw[at : at + 10] for at in range(0, len(raw), 10))
    answer = admin.post(f"{V2}/issue", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201


@pytest.mark.parametrize("body", [b"", b"{", b"\x1f\x8b\x08\x00"])
def test_a_body_that_is_no_json_is_refused_in_the_vendors_words(admin: Client, body: bytes) -> None:
    answer = admin.post(f"{V2}/issue", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, BAD_JSON)


def test_a_form_is_not_taken_for_json(admin: Client) -> None:
    assert admin.post(f"{V2}/issue", data={"summary": "One"}).status_code == 415


@pytest.mark.parametrize("path", [f"{V2}/project/", f"/{V2}/project", "/rest/api/latest/project"])
def test_slashes_around_a_path_do_not_matter(sandbox: SandboxServer, admin: Client, path: str) -> None:
    assert [project["key"] for project in admin.get(sandbox.url + path).json()] == ["KANBAN", "SCRUM", "TEAM"]


def test_head_answers_as_get_does_without_a_body(admin: Client) -> None:
    asked = admin.head(f"{V2}/myself")
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == admin.get(f"{V2}/myself").headers["content-length"]
    assert admin.head(f"{V2}/issue/SCRUM-1").status_code == 404


def test_options_tell_the_methods_of_a_path(admin: Client) -> None:
    assert admin.options(f"{V2}/issue/SCRUM-1").headers["allow"] == "GET,PUT,DELETE,HEAD,OPTIONS"
    assert admin.options(f"{V2}/nowhere").status_code == 404
    assert admin.patch(f"{V2}/issue/SCRUM-1").status_code == 404


def test_the_old_ways_of_naming_people_and_searching_are_refused(admin: Client) -> None:
    key = admin.issue()
    assert admin.put(f"{V2}/issue/{key}/assignee", json={"name": "demo"}).status_code == 400
    for answer in (admin.get(f"{V2}/search?jql=project=SCRUM"), admin.post(f"{V2}/search", json={"jql": "x"})):
        assert (answer.status_code, "CHANGE-2046" in answer.json()["errorMessages"][0]) == (410, True)
