"""What stands for what in a tracker project, over REST: shown, set with If-Match, and never overwritten unseen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.testing import SandboxServer
from tests import plain
from tests.api.conftest import Api, assert_problem


@pytest.fixture(autouse=True)
def _as_new(sandbox: SandboxServer) -> Iterator[None]:
    yield
    plain.post(f"{sandbox.url}/sandbox/reset", json={}).raise_for_status()


def address(connection: str, project: str = "SCRUM") -> str:
    return f"/connections/{connection}/mapping?project={project}"


def roles(document: dict[str, Any]) -> dict[str, Any]:
    return {one["role"]: one for one in document["roles"]}


def test_the_mapping_is_shown_with_how_each_was_found_and_what_else_there_is(api: Api) -> None:
    connection = api.new_connection()
    shown = api.get(address(connection))
    found = roles(shown)
    assert (shown["project"], shown["version"], shown["findings"]) == ("SCRUM", 0, [])
    assert (found["ticket-type"]["name"], found["ticket-type"]["how"]) == ("Task", "by convention: by its name")
    assert {one["name"] for one in found["ticket-type"]["candidates"]} == {"Task", "Story", "Bug"}
    assert found["board"]["found"] == "only"
    assert found["link-type"]["special"] == ["none"]


def test_what_was_read_already_is_not_sent_again(api: Api) -> None:
    connection = api.new_connection()
    tag = api("GET", address(connection)).headers["etag"]
    assert api("GET", address(connection), headers={"If-None-Match": tag}).status_code == 304


def test_what_is_set_is_shown_with_who_set_it_and_what_is_left_out_is_found_again(api: Api) -> None:
    connection = api.new_connection()
    tag = api("GET", address(connection)).headers["etag"]
    body = {"roles": {"ticket-type": "story", "priority-low": "none"}}
    answer = api("PUT", address(connection), json=body, headers={"If-Match": tag})
    assert answer.status_code == 200, answer.text
    found = roles(answer.json())
    assert (found["ticket-type"]["name"], found["ticket-type"]["found"]) == ("Story", "set")
    assert found["ticket-type"]["set_by"]
    assert found["priority-low"]["found"] == "off"

    again = {"If-Match": answer.headers["etag"]}
    after = api("PUT", address(connection), json={"roles": {}}, headers=again)

    assert roles(after.json())["ticket-type"]["found"] == "convention"
    assert api.get(address(connection))["version"] == after.json()["version"] == 2


def test_nothing_is_set_without_having_been_read(api: Api) -> None:
    connection = api.new_connection()
    tag = api("GET", address(connection)).headers["etag"]
    body = {"roles": {"ticket-type": "Story"}}
    assert_problem(api("PUT", address(connection), json=body), "precondition-required", 428)
    assert_problem(api("PUT", address(connection), json=body, headers={"If-Match": '"old"'}), "version-mismatch", 412)
    assert api("PUT", address(connection), json=body, headers={"If-Match": tag}).status_code == 200
    assert_problem(api("PUT", address(connection), json=body, headers={"If-Match": tag}), "version-mismatch", 412)


def test_every_value_that_is_wrong_is_named_with_its_place(api: Api) -> None:
    connection = api.new_connection()
    body = {"roles": {"ticket-type": "Nonsense", "tiket-type": "Task", "board": "1 2 3"}}
    answer = api("PUT", address(connection), json=body, headers={"If-Match": "*"})
    problem = assert_problem(answer, "invalid-input", 422)
    assert {one["pointer"] for one in problem["errors"]} == {"/roles/ticket-type", "/roles/tiket-type", "/roles/board"}
    assert "Story" in next(one["fix"] for one in problem["errors"] if one["pointer"] == "/roles/ticket-type")
    assert api.get(address(connection))["version"] == 0


def test_a_project_that_is_not_there_is_not_found(api: Api) -> None:
    connection = api.new_connection()
    assert_problem(api("GET", address(connection, "NOWHERE")), "not-found", 404)
    assert_problem(api("GET", f"/connections/{connection}/mapping"), "invalid-input", 422)
    assert_problem(api("GET", address("nobody")), "not-found", 404)


def test_a_check_shows_the_mapping_too(api: Api) -> None:
    found = api.post(f"/connections/{api.new_connection()}/check", {"project_key": "SCRUM"}, 200)
    assert "ticket-type" in {one["role"] for one in found["mapping"]}
