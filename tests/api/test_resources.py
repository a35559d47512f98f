"""Collections by pages, versions by ETags, teams in three forms, templates and connections as they are shown."""

from __future__ import annotations

from typing import Any

import pytest

from service.store.tables import ProjectRow
from service.usecases.setup import projects, teams
from tests.api.conftest import SMALL_TEAM, SMALL_TEMPLATE, Api, assert_problem

CSV = "person,email,roles\nML 1,ml-1@example.com,scientist\nPM 1,pm-1@example.com,lead\n"
YAML = "name: {name}\nmembers:\n  - {{person: ML 1, email: ml-1@example.com, roles: [scientist]}}\n"


def test_built_in_templates_are_listed_with_the_digest_of_their_text(api: Api) -> None:
    listed = api.get("/templates")
    assert listed["next"] is None
    entry = next(item for item in listed["items"] if item["name"] == "iterative-ml")
    shown = api.get("/templates/iterative-ml")
    assert shown["digest"] == entry["digest"]
    assert shown["tickets"] == sum(phase["tickets"] for phase in shown["phases"]) > 0
    assert {"iteration_days", "start_date", "method"} <= {parameter["name"] for parameter in shown["parameters"]}


def test_a_template_is_given_as_its_own_text_and_found_valid(api: Api) -> None:
    answer = api("GET", "/templates/iterative-ml", params={"format": "yaml"})
    assert answer.headers["content-type"].startswith("application/yaml")
    found = api.post("/templates/validate", {"text": answer.text}, 200)
    assert found["valid"] is True
    assert found["digest"] == api.get("/templates/iterative-ml")["digest"]


def test_a_connection_is_shown_by_id_and_by_name_without_its_credential(api: Api) -> None:
    by_id = api.get(f"/connections/{api.new_connection('s3cret-token')}")
    assert api.get(f"/connections/{by_id['name']}") == by_id
    assert set(by_id) == {"id", "name", "kind", "settings", "created_at"}
    assert "s3cret" not in api("GET", "/connections").text


def test_replacing_a_connection_writes_its_credential_anew(api: Api) -> None:
    connection = api.new_connection("wrong-token")
    assert not api.post(f"/connections/{connection}/check", status=200)["ok"]
    settings = {"url": api.sandbox.url, "email": "demo@example.com"}
    body = {"kind": "jira", "settings": settings, "secret": "sandbox-token"}
    assert api("PUT", f"/connections/{connection}", json=body).status_code == 200
    assert api.post(f"/connections/{connection}/check", {"project_key": "SCRUM"}, 200)["project"]["key"] == "SCRUM"


def test_replacing_a_connection_asks_for_the_credential_again(api: Api) -> None:
    body = {"kind": "jira", "settings": {"url": "https://elsewhere.example.com", "email": "demo@example.com"}}
    answer = api("PUT", f"/connections/{api.new_connection()}", json=body)
    problem = assert_problem(answer, "invalid-input", 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/secret"]


def test_a_team_comes_as_json_yaml_or_a_table(api: Api) -> None:
    names = [api.new_name("form") for _ in range(3)]
    by_json = api.post("/teams", {"name": names[0], "members": SMALL_TEAM})
    by_yaml = api.post("/teams", content=YAML.format(name=names[1]), headers={"Content-Type": "text/yaml"})
    by_csv = api.post(
        "/teams",
        content=CSV,
        headers={"Content-Type": "text/csv"},
        params={"name": names[2], "time_zone": "Europe/Paris"},
    )
    assert [made["name"] for made in (by_json, by_yaml, by_csv)] == names
    assert by_json["team"]["members"] == by_csv["team"]["members"]
    assert by_yaml["people"] == 1


def test_a_table_as_a_spreadsheet_exports_it_is_read_and_what_was_guessed_is_said(api: Api) -> None:
    name = api.new_name("export")
    table = "sep=;\r\nperson;Work Email;roles;Office;;\r\nM\u00fcller;m@example.com;pm;Bonn;;\r\n".encode("cp1252")
    said = {"name": name, "time_zone": "Europe/Berlin", "map": "Work Email=email"}
    made = api.post("/teams", content=table, headers={"Content-Type": "text/csv"}, params=said)
    assert made["team"]["members"] == [{"person": "M\u00fcller", "email": "m@example.com", "roles": ["pm"]}]
    assert made["team"]["time_zone"] == "Europe/Berlin"
    assert "cp1252" in made["notes"][0]
    assert '"Office"' in made["notes"][1]
    again = api("PUT", f"/teams/{name}", content=table, headers={"Content-Type": "text/csv", "If-Match": '"1"'})
    assert again.status_code == 200  # what the headings stand for, and the zone, are remembered
    assert again.json()["version"] == 1


def test_a_table_without_a_time_zone_for_the_team_is_refused(api: Api) -> None:
    answer = api("POST", "/teams", content=CSV, headers={"Content-Type": "text/csv"}, params={"name": "zoneless"})
    assert assert_problem(answer, "invalid-input", 422)["errors"][0]["parameter"] == "time_zone"


def test_a_table_without_a_name_for_the_team_is_refused(api: Api) -> None:
    answer = api("POST", "/teams", content=CSV, headers={"Content-Type": "text/csv"})
    assert assert_problem(answer, "invalid-input", 422)["errors"][0]["parameter"] == "name"


def test_problems_of_a_table_name_the_line(api: Api) -> None:
    text = CSV.replace("pm-1@example.com", "nobody")
    answer = api(
        "POST", "/teams", content=text, headers={"Content-Type": "text/csv"}, params={"name": "x", "time_zone": "UTC"}
    )
    assert [error["line"] for error in assert_problem(answer, "invalid-input", 422)["errors"]] == [3]


def test_a_team_that_exists_is_not_overwritten_by_adding(api: Api) -> None:
    body = {"name": api.new_name("twice"), "members": SMALL_TEAM}
    first = api.post("/teams", body)
    answer = api("POST", "/teams", json={**body, "members": SMALL_TEAM[:1]})
    assert_problem(answer, "name-taken", 409)
    assert api.get(f"/teams/{first['id']}") == first


def test_a_team_is_replaced_by_who_has_read_it(api: Api) -> None:
    team = api.new_team()
    read = api("GET", f"/teams/{team}")
    body = {**read.json()["team"], "members": SMALL_TEAM[:1]}
    written = api("PUT", f"/teams/{team}", json=body, headers={"If-Match": read.headers["etag"]})
    assert written.status_code == 200, written.text
    assert (written.json()["people"], written.json()["version"]) == (1, 2)
    assert written.headers["etag"] == '"2"' != read.headers["etag"]
    late = api("PUT", f"/teams/{team}", json=body, headers={"If-Match": read.headers["etag"]})
    assert_problem(late, "version-mismatch", 412)


@pytest.mark.parametrize("tag", ['W/"1"', '"2"', '"x", "y"'])
def test_another_version_than_the_present_one_is_refused(api: Api, tag: str) -> None:
    team = api.new_team()
    body = api.get(f"/teams/{team}")["team"]
    assert_problem(api("PUT", f"/teams/{team}", json=body, headers={"If-Match": tag}), "version-mismatch", 412)


@pytest.mark.parametrize("tag", ["*", '"1"', '"0", "1"'])
def test_the_present_version_is_matched_alone_in_a_list_or_by_a_star(api: Api, tag: str) -> None:
    team = api.new_team()
    body = api.get(f"/teams/{team}")["team"]
    answer = api("PUT", f"/teams/{team}", json=body, headers={"If-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["version"] == 1, "what is the same is no new version"


def test_replacing_a_team_unseen_is_refused(api: Api) -> None:
    team = api.new_team()
    body = api.get(f"/teams/{team}")["team"]
    assert_problem(api("PUT", f"/teams/{team}", json=body), "precondition-required", 428)
    assert_problem(api("PUT", f"/teams/{team}", json=body, headers={"If-Match": "1"}), "malformed-request", 400)


def test_a_team_is_not_renamed_by_replacing(api: Api) -> None:
    team = api.new_team()
    body = {**api.get(f"/teams/{team}")["team"], "name": "another"}
    problem = assert_problem(api("PUT", f"/teams/{team}", json=body, headers={"If-Match": "*"}), "invalid-input", 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/name"]


def test_two_who_read_the_same_version_do_not_both_write(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    row = teams.get(api.context, api.new_team())
    mine, theirs = row.team, row.team
    theirs = theirs.model_copy(update={"members": theirs.members[:1]})
    mine = mine.model_copy(update={"members": mine.members[1:]})
    written = teams._written

    def overtaken(*given: Any) -> bool:
        monkeypatch.setattr(teams, "_written", written)
        teams.put(api.context, theirs, expected_version=1)
        return written(*given)

    monkeypatch.setattr(teams, "_written", overtaken)
    with pytest.raises(teams.Conflict):
        teams.put(api.context, mine, expected_version=1)
    assert teams.get(api.context, row.id).team == theirs


@pytest.mark.parametrize("kind", ["teams", "projects"])
def test_what_has_not_changed_is_not_sent_again(api: Api, kind: str) -> None:
    found = api.new_team() if kind == "teams" else api.new_project()
    etag = api("GET", f"/{kind}/{found}").headers["etag"]
    answer = api("GET", f"/{kind}/{found}", headers={"If-None-Match": f'"other", W/{etag}'})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert api("GET", f"/{kind}/{found}", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_projects_etag_changes_with_its_serial(api: Api) -> None:
    project = api.new_project()
    before = api("GET", f"/projects/{project}").headers["etag"]
    with api.context.database.session() as session:
        session.get_one(ProjectRow, project).serial += 1
    assert api("GET", f"/projects/{project}").headers["etag"] != before


def test_a_project_is_changed_by_who_has_read_it_and_keeps_what_is_not_named(api: Api) -> None:
    project = api.new_project()
    read = api("GET", f"/projects/{project}")
    before = read.json()
    changes = {"parameters": {"method": "kanban"}, "time_zone": "Asia/Tokyo"}

    written = api("PATCH", f"/projects/{project}", json=changes, headers={"If-Match": read.headers["etag"]})
    late = api("PATCH", f"/projects/{project}", json=changes, headers={"If-Match": read.headers["etag"]})
    unseen = api("PATCH", f"/projects/{project}", json=changes)

    after = written.json()
    assert written.status_code == 200, written.text
    assert after["parameters"] == {**before["parameters"], "method": "kanban"}
    assert (after["time_zone"], after["name"], after["team"]) == ("Asia/Tokyo", before["name"], before["team"])
    assert after["serial"] == before["serial"] + 1, "plans made before are stale"
    assert_problem(late, "version-mismatch", 412)
    assert_problem(unseen, "precondition-required", 428)


def test_everything_wrong_with_a_change_of_a_project_is_said_at_once(api: Api) -> None:
    project = api.new_project()
    changes = {"parameters": {"method": "huge"}, "time_zone": "Europe/Berlim"}

    answer = api("PATCH", f"/projects/{project}", json=changes, headers={"If-Match": "*"})

    problem = assert_problem(answer, "invalid-input", 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/parameters/method", "/time_zone"}


def test_of_a_change_of_a_project_that_breaks_the_schema_the_rest_is_said_as_well(api: Api) -> None:
    project = api.new_project()
    changes = {"parameters": {"method": "huge"}, "time_zone": 7, "team": "nobody"}

    answer = api("PATCH", f"/projects/{project}", json=changes, headers={"If-Match": "*"})

    problem = assert_problem(answer, "invalid-input", 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/parameters/method", "/time_zone", "/team"}


def test_of_a_plan_that_is_asked_for_wrongly_everything_is_said_at_once(api: Api) -> None:
    project = api.new_project()
    apart = {"restore": ["deleted"], "adopt": {"ticket:set-goals": "ML-1"}}
    settings = {"parameters": {"method": "huge"}}

    whole = api("POST", f"/projects/{project}/plans", json={**apart, "settings": settings})
    broken = api("POST", f"/projects/{project}/plans", json={**apart, "settings": {**settings, "ahead": "many"}})

    problem = assert_problem(whole, "invalid-input", 422)
    assert {error["pointer"] for error in problem["errors"]} == {"/restore", "/settings/parameters/method"}
    problem = assert_problem(broken, "invalid-input", 422)
    found = {error["pointer"] for error in problem["errors"]}
    assert found == {"/restore", "/settings/parameters/method", "/settings/ahead"}


def test_projects_come_in_pages_that_hold_each_once(api: Api) -> None:
    wanted = [row.id for row in projects.listed(api.context)] + [api.new_project() for _ in range(5)]
    found: list[str] = []
    address: str | None = "/projects?limit=2"
    while address is not None:
        answer = api("GET", address)
        page = answer.json()
        assert len(page["items"]) <= 2
        found += [item["id"] for item in page["items"]]
        link = answer.headers.get("link")
        assert (link is None) == (page["next"] is None)
        address = link.split(">")[0].removeprefix("<") if link else None
        assert not link or link.endswith('>; rel="next"')
    assert found == wanted


def test_a_page_keeps_its_place_while_the_collection_grows(api: Api) -> None:
    first = api.get("/projects", params={"limit": 1})
    added = api.new_project()
    rest = api.get("/projects", params={"cursor": first["next"], "limit": 200})["items"]
    assert first["items"][0]["id"] not in [item["id"] for item in rest]
    assert rest[-1]["id"] == added


@pytest.mark.parametrize("path", ["/projects", "/runs"])
@pytest.mark.parametrize("cursor", ["!", "x", "cHJqX25vYm9keQ", "AAAA", ""])
def test_a_cursor_of_somebody_else_is_refused(api: Api, path: str, cursor: str) -> None:
    answer = api("GET", path, params={"cursor": cursor})
    assert assert_problem(answer, "invalid-input", 422)["errors"][0]["parameter"] == "cursor"


def test_a_template_sent_with_a_project_is_kept_with_it(api: Api) -> None:
    project = api.get(f"/projects/{api.new_project()}")
    row = projects.get(api.context, project["id"])
    assert projects.template_text(api.context, row).text == SMALL_TEMPLATE
    assert project["template"] == row.template_digest
    assert project["counts"] == {}
    assert project["vacancies"] == []
