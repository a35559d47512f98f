"""Binders over REST: downloads that nothing runs in, verification of what is sent; decisions and measures."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import update

from service.api.middleware import BINDER_LIMIT
from service.store.tables import ProjectRow
from service.verification import verify_file
from tests.api.audited import read_project
from tests.api.conftest import Api, assert_problem


@pytest.fixture(scope="module")
def project(api: Api) -> str:
    return read_project(api)


def binder(api: Api, project: str, **params: str | int) -> httpx.Response:
    answer = api("GET", f"/projects/{project}/binder", params=params)
    assert answer.status_code == 200, answer.text
    return answer


def verify(api: Api, data: bytes, kind: str = "text/html", **params: str) -> httpx.Response:
    return api("POST", "/binders/verify", content=data, headers={"Content-Type": kind}, params=params)


def fingerprint(api: Api) -> str:
    return str(api.get("/signing-keys")["items"][0]["fingerprint"])


# --- downloads --------------------------------------------------------------------------------------------------------


def test_a_page_comes_as_a_file_in_which_nothing_runs(api: Api, project: str) -> None:
    answer = binder(api, project)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    key = api.get(f"/projects/{project}")["key"]
    assert answer.headers["content-disposition"] == f'attachment; filename="binder-{key}.html"'
    policy = {one.split()[0]: one.split()[1:] for one in answer.headers["content-security-policy"].split(";")}
    assert policy == {
        "sandbox": [],
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        "style-src": ["'unsafe-inline'"],
        "img-src": ["data:"],
    }
    assert answer.text.startswith("<!DOCTYPE html>")
    assert verify_file(answer.content, fingerprint(api)).ok


def test_an_iteration_comes_as_json_with_its_number_in_the_name(api: Api, project: str) -> None:
    answer = binder(api, project, iteration=2, format="json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].endswith('-iteration-2.json"')
    assert answer.json()["content"]["scope"] == {"iteration": 2}
    assert verify_file(answer.content).iteration == 2


def test_whoever_has_the_binder_is_told_when_a_new_one_would_say_the_same(api: Api) -> None:
    project = read_project(api)
    first = binder(api, project)
    assert first.headers["etag"].startswith('W/"')
    known = {"If-None-Match": first.headers["etag"]}
    path = f"/projects/{project}/binder"

    again = api("GET", path, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert api("GET", path, headers=known, params={"format": "json"}).status_code == 200
    assert api("GET", path, headers=known, params={"iteration": 1}).status_code == 200

    until = (api.context.now().date() + timedelta(days=30)).isoformat()
    waiver = {"check": "D03", "iteration": 2, "reason": "It is the customer's own", "until": until}
    api.post(f"/projects/{project}/waivers", waiver)
    changed = api("GET", path, headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("key", ['a"; x=y\r\nSet-Cookie: a=b', "../../etc/passwd", "日本", ".", "x" * 200])
def test_whatever_a_project_is_called_the_file_has_a_harmless_name(api: Api, key: str) -> None:
    project = read_project(api, numbers=(1,))
    with api.context.database.session() as session:
        session.execute(update(ProjectRow).where(ProjectRow.id == project).values(key=key))
    answer = binder(api, project)
    assert re.fullmatch(
        r'attachment; filename="binder-[A-Za-z0-9-]{1,60}\.html"', answer.headers["content-disposition"]
    )
    assert "set-cookie" not in answer.headers


def test_there_is_no_binder_of_an_iteration_that_is_none(api: Api, project: str) -> None:
    path = f"/projects/{project}/binder"
    assert "iterations 1 to 3" in assert_problem(api("GET", path, params={"iteration": 9}), "not-found", 404)["detail"]
    for params, name in (({"iteration": 0}, "iteration"), ({"format": "pdf"}, "format")):
        problem = assert_problem(api("GET", path, params=params), "invalid-input", 422)
        assert problem["errors"][0]["parameter"] == name


# --- verification -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["html", "json"])
def test_what_we_made_is_verified_and_whose_it_is_only_by_the_fingerprint(api: Api, project: str, form: str) -> None:
    data = binder(api, project, format=form).content
    kind = {"html": "text/html", "json": "application/json"}[form]

    found = verify(api, data, kind).json()
    assert (found["ok"], found["expected"], found["mismatches"]) == (True, None, [])
    assert (found["project"], found["iterations"], found["entries"]) == ("Small", 3, 2)
    assert found["fingerprint"] == fingerprint(api)
    assert any("not who made it" in note for note in found["notes"])

    ours = verify(api, data, kind, key=fingerprint(api)).json()
    assert (ours["ok"], ours["expected"]) == (True, True)
    others = verify(api, data, kind, key="0" * 64).json()
    assert (others["ok"], others["expected"], others["mismatches"]) == (False, False, [])


def test_what_was_changed_is_refused_and_named(api: Api, project: str) -> None:
    value = json.loads(binder(api, project, format="json").content)
    value["content"]["audits"]["2"]["verdict"] = "documented"
    found = verify(api, json.dumps(value).encode(), "application/json").json()
    assert not found["ok"]
    assert any("iteration 2" in one["place"] for one in found["mismatches"]), found

    page = binder(api, project).content
    assert page.count(b"Small") > 1
    found = verify(api, page.replace(b"Small", b"Large", 1)).json()
    assert not found["ok"]
    assert any(one["place"] == "the page" for one in found["mismatches"]), found


@pytest.mark.parametrize("data", [b"<p>hello</p>", b"{}", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}'])
def test_what_is_no_binder_is_told_so(api: Api, data: bytes) -> None:
    answer = verify(api, data)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["ok"], found["fingerprint"], found["made_at"]) == (False, "", None)
    assert found["mismatches"][0]["place"] == "the file"


def test_a_request_that_cannot_be_verified_is_a_problem(api: Api) -> None:
    assert_problem(verify(api, b"x", "text/plain"), "unsupported-media-type", 415)
    assert_problem(verify(api, b""), "malformed-request", 400)
    problem = assert_problem(verify(api, b"x", key="mine"), "invalid-input", 422)
    assert problem["errors"][0]["parameter"] == "key"
    assert "64 hexadecimal digits" in problem["detail"]


def test_a_binder_may_be_larger_than_other_bodies_up_to_a_limit_that_is_named(api: Api, project: str) -> None:
    data = binder(api, project, format="json").content
    padded = data + b" " * (5_000_000 - len(data))
    assert verify(api, padded, "application/json").json()["ok"], "blanks after the JSON are no change"

    announced = {"Content-Type": "application/json", "Content-Length": str(BINDER_LIMIT + 1)}
    problem = assert_problem(
        api("POST", "/binders/verify", content=b"x" * (BINDER_LIMIT + 1), headers=announced), "body-too-large", 413
    )
    assert "32,000,000" in problem["detail"]
    assert "phaseloop audit verify FILE" in problem["detail"]
    chunks = (b"x" * 1_000_000 for _ in range(33))
    grown = api("POST", "/binders/verify", content=chunks, headers={"Content-Type": "text/html"})
    assert_problem(grown, "body-too-large", 413)
    assert_problem(
        api("POST", "/teams", content=b"x" * 2_000_001, headers={"Content-Type": "text/csv"}), "body-too-large", 413
    )


def test_the_keys_say_nothing_secret(api: Api) -> None:
    found = api.get("/signing-keys")
    assert found["next"] is None
    [key] = found["items"]
    assert set(key) == {"public", "fingerprint", "created_at"}
    assert re.fullmatch(r"[0-9a-f]{64}", key["public"])


# --- how the model evolved --------------------------------------------------------------------------------------------


def test_decisions_are_listed_and_found_by_a_question(api: Api, project: str) -> None:
    [decision] = api.get(f"/projects/{project}/decisions")["items"]
    assert decision["iteration"] == 1
    assert "keep model A" in decision["decision"]
    assert "model B" in decision["alternative"]
    assert (decision["by"], decision["record"]) == ("ml-1@example.com", "https://tracker.example.com/browse/ML-1")

    found = api.get(f"/projects/{project}/decisions", params={"q": "Why did we drop B?"})
    assert found == {"items": [decision], "next": None}
    assert api.get(f"/projects/{project}/decisions", params={"q": "holidays"})["items"] == []


def test_measures_are_listed_and_each_has_a_picture(api: Api, project: str) -> None:
    measures = {one["name"]: one for one in api.get(f"/projects/{project}/metrics")["items"]}
    assert measures["F1"]["points"] == [{"iteration": 1, "title": "churn 1", "value": 0.71, "target": 0.8}]

    for name in measures:
        answer = api("GET", f"/projects/{project}/metrics/{quote(name.lower(), safe='')}.svg")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.text.startswith("<svg ")
        again = api(
            "GET",
            f"/projects/{project}/metrics/{quote(name, safe='')}.svg",
            headers={"If-None-Match": answer.headers["etag"]},
        )
        assert again.status_code == 304
    problem = assert_problem(api("GET", f"/projects/{project}/metrics/nothing%2Fhere.svg"), "not-found", 404)
    assert "F1" in problem["detail"]
