"""Versions of templates over REST and on pages: which there are, what is different between two, and who sees them."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from service.domain.access.roles import Role
from service.templates import load_builtin
from service.usecases.access import tokens
from tests.api.conftest import SMALL_TEMPLATE, Api, assert_problem

LATER = SMALL_TEMPLATE.replace("version: 1.0.0", "version: 1.1.0").replace("points: 3", "points: 5")


@pytest.fixture(scope="module")
def made(api: Api) -> str:
    """The project that is made from the earlier of two versions; another one is made from the later."""
    earlier = api.new_project("SCRUM")
    api.post("/projects", body(api, "LATER", LATER))
    return earlier


def body(api: Api, key: str, text: str) -> dict[str, Any]:
    more = {"connection": api.new_connection(), "team": api.new_team(), "template": {"text": text}}
    return {"name": key, "key": key, "create": True, **more}


def within(api: Api, project: str) -> Api:
    token = tokens.create(api.context, api.new_name("viewer"), role=Role.VIEWER, within=(project,))
    return replace(api, token=token)


def page(api: Api, path: str, status: int = 200) -> str:
    answer = api.client.get(path, headers={"Authorization": f"Bearer {api.token}", "Accept": "text/html"})
    assert answer.status_code == status, answer.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_versions_are_those_that_projects_were_made_from_the_latest_first(api: Api, made: str) -> None:
    found = api.get("/templates/small/versions")["items"]

    assert [(one["ref"], one["projects"], one["built_in"]) for one in found] == [
        ("1.1.0", ["LATER"], False),
        ("1.0.0", ["SCRUM"], False),
    ]
    assert all(one["kept_at"] for one in found)


def test_the_built_in_version_is_there_before_any_project_is(api: Api, made: str) -> None:
    [found] = api.get("/templates/iterative-ml/versions")["items"]

    assert (found["built_in"], found["kept_at"], found["projects"]) == (True, None, [])
    assert found["digest"] == load_builtin("iterative-ml").digest


def test_the_difference_is_told_field_by_field(api: Api, made: str) -> None:
    found = api.get("/templates/small/difference?from=1.0.0&to=1.1.0")

    assert (found["from"]["version"], found["to"]["version"]) == ("1.0.0", "1.1.0")
    assert (found["added"], found["removed"], found["changed"]) == (0, 0, 1)
    [part] = found["parts"]
    assert (part["part"], part["key"], part["phase"], part["change"]) == ("ticket", "explore", "ideation", "changed")
    assert part["fields"] == [{"name": "points", "from": 3, "to": 5}]


def test_a_version_is_named_by_the_beginning_of_its_digest_too(api: Api, made: str) -> None:
    digests = [one["digest"] for one in api.get("/templates/small/versions")["items"]]

    found = api.get(f"/templates/small/difference?from={digests[1][:12]}&to={digests[0]}")

    assert found["changed"] == 1


def test_two_texts_of_one_version_are_told_apart_by_their_digests(api: Api) -> None:
    first = SMALL_TEMPLATE.replace("name: small", "name: twice")
    for key, text in (("TWA", first), ("TWB", first.replace("points: 3", "points: 8"))):
        api.post("/projects", body(api, key, text))

    refs = [one["ref"] for one in api.get("/templates/twice/versions")["items"]]

    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in refs)
    assert_problem(api("GET", f"/templates/twice/difference?from=1.0.0&to={refs[0]}"), "ambiguous", 409)
    assert api.get(f"/templates/twice/difference?from={refs[0]}&to={refs[1]}")["changed"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "/templates/none/versions",
        "/templates/small/difference?from=1.0.0&to=9.9.9",
        "/templates/none/difference?from=1&to=2",
    ],
)
def test_what_is_not_there_is_not_found(api: Api, made: str, path: str) -> None:
    assert_problem(api("GET", path), "not-found", 404)


def test_who_sees_one_project_sees_its_version_and_not_those_of_others(api: Api, made: str) -> None:
    viewer = within(api, made)

    assert [one["ref"] for one in viewer.get("/templates/small/versions")["items"]] == ["1.0.0"]
    assert_problem(viewer("GET", "/templates/small/difference?from=1.0.0&to=1.1.0"), "not-found", 404)
    assert "1.1.0" not in page(viewer, "/templates/small")
    assert "twice" not in page(viewer, "/templates")
    assert page(viewer, "/templates/small/difference?from=1.0.0&to=1.1.0", 404)


def test_the_page_of_a_template_lists_its_versions_and_leads_to_what_changed(api: Api, made: str) -> None:
    answer = api.client.get("/templates/small", headers={"Authorization": f"Bearer {api.token}", "Accept": "text/html"})

    [link] = re.findall(r'href="(/templates/small/difference\?[^"]*)"', answer.text)
    assert unescape(link) == "/templates/small/difference?from=1.0.0&to=1.1.0"
    shown = page(api, unescape(link))
    assert "From 1.0.0 to 1.1.0" in shown
    assert "Explore the data explore Ideation" in shown
    assert "points Before: 3 After: 5" in shown


def test_the_page_without_versions_compares_the_latest_with_the_one_before(api: Api, made: str) -> None:
    assert "From 1.0.0 to 1.1.0" in page(api, "/templates/small/difference")


def test_a_version_that_is_not_the_latest_has_a_page_and_its_links_stay_with_it(api: Api, made: str) -> None:
    answer = api.client.get(
        "/templates/small?version=1.0.0", headers={"Authorization": f"Bearer {api.token}", "Accept": "text/html"}
    )

    assert "Version 1.0.0" in answer.text
    assert "/templates/small?version=1.0.0&amp;epic=data#graph" in answer.text
    assert "Explore the data" in page(api, "/templates/small?version=1.0.0&epic=data")


def test_a_template_of_ones_own_is_in_the_gallery_by_its_name(api: Api, made: str) -> None:
    assert "small 1.1.0, 1.0.0" in page(api, "/templates")
