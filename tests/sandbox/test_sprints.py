"""Sprints: their states, their names, and who is in them."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Client

SPRINT = "/rest/agile/1.0/sprint"


def keys(client: Client, path: str) -> list[str]:
    response = client.get(path, params={"fields": "summary"})
    assert response.status_code == 200, response.text
    return [issue["key"] for issue in response.json()["issues"]]


def test_a_sprint_starts_as_future_and_has_no_complete_date(admin: Client) -> None:
    found = admin.get(f"{SPRINT}/{admin.sprint()}").json()
    assert found["state"] == "future"
    assert "completeDate" not in found


def test_a_sprint_name_of_thirty_characters_is_refused(admin: Client) -> None:
    refused = admin.post(SPRINT, json={"name": "x" * 30, "originBoardId": 1})
    assert refused.status_code == 400
    assert refused.json()["errorMessages"] == ["Sprint name must be shorter than 30 characters."]
    assert admin.post(SPRINT, json={"name": "  " + "x" * 29 + " ", "originBoardId": 1}).json()["name"] == "x" * 29


def test_a_kanban_board_takes_no_sprint(admin: Client) -> None:
    refused = admin.post(SPRINT, json={"name": "S", "originBoardId": 3})
    assert (refused.status_code, refused.json()["errorMessages"]) == (400, ["The board does not support sprints"])


def test_a_sprint_without_dates_cannot_start(admin: Client) -> None:
    number = admin.post(SPRINT, json={"name": "S", "originBoardId": 1}).json()["id"]
    assert admin.post(f"{SPRINT}/{number}", json={"state": "active"}).status_code == 400
    assert admin.get(f"{SPRINT}/{number}").json()["state"] == "future"


@pytest.mark.parametrize(
    ("start", "to"), [(False, "closed"), (False, "nonsense"), (True, "future")], ids=["skip", "unknown", "back"]
)
def test_states_only_go_forward(admin: Client, start: bool, to: str) -> None:
    number = admin.sprint(start=start)
    assert admin.post(f"{SPRINT}/{number}", json={"state": to}).status_code == 400
    assert admin.get(f"{SPRINT}/{number}").json()["state"] == ("active" if start else "future")


def test_a_second_active_sprint_on_a_board_is_refused(admin: Client) -> None:
    first, second = admin.sprint("A", start=True), admin.sprint("B")
    assert admin.post(f"{SPRINT}/{second}", json={"state": "active"}).status_code == 400
    assert admin.post(f"{SPRINT}/{first}", json={"state": "closed"}).status_code == 200
    assert admin.post(f"{SPRINT}/{second}", json={"state": "active"}).status_code == 200


def test_closing_sends_open_issues_to_the_backlog_and_keeps_the_sprint_in_their_history(admin: Client) -> None:
    done, left = admin.issue("done"), admin.issue("left")
    number = admin.sprint(start=True)
    admin.post(f"{SPRINT}/{number}/issue", json={"issues": [done, left]})
    admin.post(f"/rest/api/3/issue/{done}/transitions", json={"transition": {"id": "31"}})
    assert keys(admin, "/rest/agile/1.0/board/1/backlog") == []
    closed = admin.post(f"{SPRINT}/{number}", json={"state": "closed"}).json()
    assert closed["completeDate"]
    assert keys(admin, "/rest/agile/1.0/board/1/backlog") == [left]
    assert keys(admin, f"{SPRINT}/{number}/issue") == [done, left]
    value = admin.get(f"/rest/api/3/issue/{left}").json()["fields"]["customfield_10020"]
    assert [(sprint["id"], sprint["state"]) for sprint in value] == [(number, "closed")]


def test_an_issue_carried_over_is_in_the_next_sprint_and_remembers_the_closed_one(admin: Client) -> None:
    key, first, second = admin.issue(), admin.sprint("A", start=True), admin.sprint("B")
    admin.post(f"{SPRINT}/{first}/issue", json={"issues": [key]})
    admin.post(f"{SPRINT}/{first}", json={"state": "closed"})
    admin.post(f"{SPRINT}/{second}/issue", json={"issues": [key]})
    fields = admin.get(f"/rest/agile/1.0/issue/{key}").json()["fields"]
    assert fields["sprint"]["id"] == second
    assert [sprint["id"] for sprint in fields["closedSprints"]] == [first]


def test_a_closed_sprint_changes_only_name_and_goal(admin: Client) -> None:
    number = admin.sprint(start=True)
    before = admin.post(f"{SPRINT}/{number}", json={"state": "closed"}).json()
    after = admin.post(
        f"{SPRINT}/{number}", json={"name": "New", "goal": "g", "endDate": "2030-01-01T00:00:00Z"}
    ).json()
    assert after == before | {"name": "New", "goal": "g"}
    assert admin.post(f"{SPRINT}/{number}", json={"state": "active"}).status_code == 400


def test_put_replaces_everything_and_post_only_what_is_sent(admin: Client) -> None:
    number = admin.sprint()
    assert "startDate" in admin.post(f"{SPRINT}/{number}", json={"goal": "g"}).json()
    replaced = admin.put(f"{SPRINT}/{number}", json={"name": "S"}).json()
    assert "startDate" not in replaced
    assert replaced["goal"] == ""
    assert admin.put(f"{SPRINT}/{number}", json={"goal": "g"}).status_code == 400


def test_a_move_of_fifty_one_issues_is_refused_and_moves_none(admin: Client) -> None:
    number = admin.sprint()
    update = {"fields": {"project": {"key": "SCRUM"}, "issuetype": {"name": "Task"}, "summary": "s"}}
    made = []
    for size in (50, 1):
        answer = admin.post("/rest/api/3/issue/bulk", json={"issueUpdates": [update] * size}).json()
        made += [issue["key"] for issue in answer["issues"]]
    assert admin.post(f"{SPRINT}/{number}/issue", json={"issues": made}).status_code == 400
    assert keys(admin, f"{SPRINT}/{number}/issue") == []
    assert admin.post(f"{SPRINT}/{number}/issue", json={"issues": made[:50]}).status_code == 204


def test_a_move_with_one_unknown_issue_moves_none(admin: Client) -> None:
    number, key = admin.sprint(), admin.issue()
    assert admin.post(f"{SPRINT}/{number}/issue", json={"issues": [key, "SCRUM-999"]}).status_code == 404
    assert keys(admin, f"{SPRINT}/{number}/issue") == []


def test_deleting_a_sprint_sends_its_issues_to_the_backlog(admin: Client) -> None:
    number, key = admin.sprint(), admin.issue()
    admin.post(f"{SPRINT}/{number}/issue", json={"issues": [key]})
    assert admin.delete(f"{SPRINT}/{number}").status_code == 204
    assert keys(admin, "/rest/agile/1.0/board/1/backlog") == [key]
    assert admin.get(f"/rest/api/3/issue/{key}").json()["fields"]["customfield_10020"] is None


def test_moves_are_in_the_changelog(admin: Client) -> None:
    number, key = admin.sprint("Iteration 7"), admin.issue()
    admin.post(f"{SPRINT}/{number}/issue", json={"issues": [key]})
    (history,) = admin.get(f"/rest/api/3/issue/{key}/changelog").json()["values"]
    (item,) = history["items"]
    assert (item["field"], item["to"], item["toString"]) == ("Sprint", str(number), "Iteration 7")


def test_a_team_managed_project_has_sprints_until_the_feature_is_off(admin: Client) -> None:
    assert admin.sprint(board=2)
    admin.put("/rest/api/3/project/TEAM/features/jsw.agility.sprints", json={"state": "DISABLED"})
    assert admin.get("/rest/agile/1.0/board/2/sprint").status_code == 400


def test_people_without_the_permission_manage_no_sprints(admin: Client, viewer: Client, member: Client) -> None:
    number = admin.sprint()
    assert viewer.get(f"{SPRINT}/{number}").status_code == 200
    assert viewer.post(SPRINT, json={"name": "S", "originBoardId": 1}).status_code == 403
    assert viewer.delete(f"{SPRINT}/{number}").status_code == 403
    admin.control("permissions", {"user": "member@example.com", "permission": "MANAGE_SPRINTS_PERMISSION"})
    assert member.post(f"{SPRINT}/{number}", json={"name": "S"}).status_code == 403


def test_ranking_orders_the_board_and_the_search(admin: Client) -> None:
    one, two, three = (admin.issue(name) for name in ("one", "two", "three"))
    admin.put("/rest/agile/1.0/issue/rank", json={"issues": [three, two], "rankBeforeIssue": one})
    assert keys(admin, "/rest/agile/1.0/board/1/issue") == [three, two, one]
    admin.put("/rest/agile/1.0/issue/rank", json={"issues": [three], "rankAfterIssue": two})
    found = admin.get("/rest/api/3/search/jql", params={"jql": "project = SCRUM ORDER BY rank", "fields": "key"}).json()
    assert [issue["key"] for issue in found["issues"]] == [two, three, one]


def test_epics_are_not_on_scrum_boards_and_sub_tasks_follow_their_parent(admin: Client) -> None:
    epic = admin.issue("epic", kind="Epic")
    task = admin.issue("task", parent={"key": epic})
    child = admin.issue("child", kind="Sub-task", parent={"key": task})
    number = admin.sprint()
    assert keys(admin, "/rest/agile/1.0/board/1/issue") == [task, child]
    assert admin.post(f"{SPRINT}/{number}/issue", json={"issues": [child]}).status_code == 400
    admin.post(f"{SPRINT}/{number}/issue", json={"issues": [task]})
    assert keys(admin, f"{SPRINT}/{number}/issue") == [task, child]
    assert keys(admin, "/rest/agile/1.0/board/1/backlog") == []


def test_an_issue_ranked_relative_to_itself_stays_where_it_is(admin: Client) -> None:
    one, two = admin.issue("one"), admin.issue("two")
    body = {"issues": [two], "rankBeforeIssue": two}
    assert admin.put("/rest/agile/1.0/issue/rank", json=body).status_code == 204
    assert keys(admin, "/rest/agile/1.0/board/1/backlog") == [one, two]


def test_a_kanban_board_has_no_estimation(admin: Client) -> None:
    key = admin.issue(project="KANBAN")
    path = f"/rest/agile/1.0/issue/{key}/estimation?boardId=3"
    assert (admin.get(path).status_code, admin.put(path, json={"value": "3"}).status_code) == (400, 400)


def test_a_team_managed_issue_is_put_into_an_epic_by_its_parent(admin: Client) -> None:
    epic, task = admin.issue(project="TEAM", kind="Epic"), admin.issue(project="TEAM")
    refused = admin.post(f"/rest/agile/1.0/epic/{epic}/issue", json={"issues": [task]})
    assert refused.status_code == 400
    assert refused.json()["errorMessages"][0].startswith("The request contains a next-gen issue.")
    assert admin.put(f"/rest/api/3/issue/{task}", json={"fields": {"parent": {"key": epic}}}).status_code == 204


def test_a_board_whose_filter_was_deleted_is_not_to_be_seen(admin: Client) -> None:
    number = admin.sprint()
    board = admin.get("/rest/agile/1.0/board/1/configuration").json()
    assert admin.delete(f"/rest/api/3/filter/{board['filter']['id']}").status_code == 204
    assert admin.get("/rest/agile/1.0/board/1").status_code == 404
    assert admin.get(f"{SPRINT}/{number}").status_code == 404
    assert admin.get("/jira/boards/1").status_code == 404
    assert [found["id"] for found in admin.get("/rest/agile/1.0/board").json()["values"]] == [2, 3]


def test_a_board_lists_every_sprint_that_holds_issues_its_filter_shows(admin: Client) -> None:
    holding, empty, key = admin.sprint(name="Holding"), admin.sprint(name="Empty"), admin.issue()
    assert admin.post(f"{SPRINT}/{holding}/issue", json={"issues": [key]}).status_code == 204
    filters = admin.post("/rest/api/3/filter", json={"name": "Ours", "jql": "project = SCRUM ORDER BY Rank"}).json()
    body = {"name": "Another board", "type": "scrum", "filterId": int(filters["id"])}
    board = admin.post("/rest/agile/1.0/board", json=body).json()["id"]
    listed = admin.get(f"/rest/agile/1.0/board/{board}/sprint").json()["values"]
    assert [(one["id"], one["originBoardId"]) for one in listed] == [(holding, 1)]
    assert admin.delete("/rest/agile/1.0/board/1").status_code == 204
    assert [one["id"] for one in admin.get(f"/rest/agile/1.0/board/{board}/sprint").json()["values"]] == [holding]
    assert [admin.get(f"{SPRINT}/{one}").status_code for one in (holding, empty)] == [200, 200]


def test_a_board_that_shows_an_active_sprint_of_another_one_has_an_active_sprint(admin: Client) -> None:
    dates = {"startDate": "2026-03-16T09:00:00.000Z", "endDate": "2026-03-27T17:00:00.000Z"}
    first, key = admin.sprint(name="First"), admin.issue()
    assert admin.post(f"{SPRINT}/{first}/issue", json={"issues": [key]}).status_code == 204
    assert admin.post(f"{SPRINT}/{first}", json={"state": "active", **dates}).status_code == 200
    filters = admin.post("/rest/api/3/filter", json={"name": "Ours", "jql": "project = SCRUM ORDER BY Rank"}).json()
    body = {"name": "Another board", "type": "scrum", "filterId": int(filters["id"])}
    board = admin.post("/rest/agile/1.0/board", json=body).json()["id"]
    second = admin.sprint(board=board)
    assert admin.post(f"{SPRINT}/{second}", json={"state": "active", **dates}).status_code == 400


def test_a_site_keeps_its_cloud_id_whatever_is_changed(admin: Client) -> None:
    known = admin.get("/_edge/tenant_info").json()["cloudId"]
    admin.post("/sandbox/reset", json={})
    assert admin.get("/_edge/tenant_info").json() == {"cloudId": known}
