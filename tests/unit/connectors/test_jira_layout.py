"""A project's parts are chosen by what they are, not by what they are called."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.jira.conventions import (
    choose_board,
    choose_link_type,
    choose_points_field,
    choose_priorities,
    choose_types,
    fitting_boards,
)
from connectors.jira.layout import CreateField, IssueType, Layout, create_fields, find_sprint_field
from connectors.values import Priority


def kind(number: int, name: str, level: int | None, **more: Any) -> dict[str, Any]:
    known = {} if level is None else {"hierarchyLevel": level}
    return {"id": str(number), "name": name, "subtask": level == -1, **known, **more}


@pytest.mark.parametrize(
    ("types", "epic", "ticket"),
    [
        ([kind(1, "Epic", 1), kind(2, "Story", 0), kind(3, "Task", 0), kind(4, "Sub-task", -1)], "1", "3"),
        ([kind(1, "Bug", 0), kind(2, "Story", 0), kind(3, "Epic", 1)], "3", "2"),
        ([kind(1, "Эпик", 1), kind(2, "Ошибка", 0), kind(3, "Задача", 0, untranslatedName="Task")], "1", "3"),
        ([kind(1, "Anforderung", 0), kind(2, "Thema", 1)], "2", "1"),
        ([kind(1, "Initiative", 2), kind(2, "Task", 0)], None, "2"),
        ([kind(1, "Epic", None), kind(2, "Task", None), kind(3, "Sub-task", None, subtask=True)], "1", "2"),
        ([], None, None),
    ],
)
def test_types_are_chosen_by_hierarchy_level(types: list[Any], epic: str | None, ticket: str | None) -> None:
    *found, _ = choose_types(types)
    assert tuple(one.id if one else None for one in found) == (epic, ticket)


BOARDS = [
    {"id": 9, "type": "scrum", "location": {"projectId": 10001}},
    {"id": 3, "type": "scrum", "location": {"projectId": 10999}},
    {"id": 7, "type": "scrum", "location": {"projectId": 10001}},
    {"id": 2, "type": "kanban", "location": {"projectId": 10001}},
    {"id": 1},
]


def choice(boards: list[dict[str, Any]], method: str) -> int | None:
    return choose_board(fitting_boards(boards, "10001", method), method)[0]


def test_of_the_scrum_boards_the_one_that_lives_in_the_project_is_chosen() -> None:
    assert choice(BOARDS[1:], "scrum") == 7


def test_kanban_takes_a_kanban_board_even_beside_older_scrum_boards() -> None:
    assert choice([*BOARDS, {"id": 5, "type": "scrum", "location": {"projectId": 10001}}], "kanban") == 2


def test_a_board_elsewhere_is_better_than_none_and_none_is_possible() -> None:
    assert choice([BOARDS[1]], "scrum") == 3
    assert choice([BOARDS[3]], "scrum") is None


def number(field_id: str, custom: str = "", type_: str = "number") -> CreateField:
    return CreateField(id=field_id, name="Any name", required=False, filled=False, custom=custom, type=type_)


JSW = "com.pyxis.greenhopper.jira:jsw-story-points"


@pytest.mark.parametrize(
    ("on_screen", "estimation", "chosen"),
    [
        ([number("customfield_10024"), number("customfield_10016", JSW)], "customfield_10024", "customfield_10024"),
        ([number("customfield_10016", JSW)], "customfield_10024", "customfield_10016"),
        ([number("customfield_10016", JSW)], None, "customfield_10016"),
        ([number("customfield_7")], None, None),
        ([number("timeoriginalestimate", "", "any")], "timeoriginalestimate", None),
        ([], "customfield_10024", None),
    ],
)
def test_points_go_where_the_board_adds_them_up(
    on_screen: list[CreateField], estimation: str | None, chosen: str | None
) -> None:
    configuration = {"estimation": {"type": "field", "field": {"fieldId": estimation}}} if estimation else {}
    ticket = IssueType(id="3", name="Task", fields=tuple(on_screen))
    assert choose_points_field(configuration, ticket)[0] == chosen


def test_points_are_not_promised_where_the_screen_is_unknown() -> None:
    assert choose_points_field({}, IssueType(id="3", name="Task"))[0] is None
    assert choose_points_field(None, None)[0] is None


@pytest.mark.parametrize(
    ("types", "chosen"),
    [
        ([("1", "Relates", "relates to"), ("2", "Blocks", "blocks")], "2"),
        ([("1", "Blockade", "is blocking"), ("2", "blocks", "blocks")], "2"),
        ([("1", "Hindert", "Blockiert"), ("2", "Relates", "relates to")], "1"),
        ([("1", "Relates", "relates to")], None),
        ([], None),
    ],
)
def test_the_blocking_link_type_is_found_by_name_or_wording(types: list[Any], chosen: str | None) -> None:
    listed = [{"id": one, "name": name, "outward": outward, "inward": ""} for one, name, outward in types]
    found, _ = choose_link_type({"issueLinkTypes": listed})
    assert (found.id if found else None) == chosen


def test_create_fields_are_read_with_their_schema() -> None:
    fields = create_fields(
        [
            {"fieldId": "summary", "key": "summary", "name": "S", "required": True, "schema": {"type": "string"}},
            {"key": "customfield_1", "required": True, "hasDefaultValue": True, "schema": {"custom": "x:y"}},
            {"fieldId": "reporter", "name": "Reporter", "required": True},
            {"name": "without an id"},
            "nonsense",
        ]
    )
    assert [(one.id, one.required, one.filled, one.custom) for one in fields] == [
        ("summary", True, False, ""),
        ("customfield_1", True, True, "x:y"),
        ("reporter", True, True, ""),
    ]


def test_priorities_are_matched_by_name_and_left_out_otherwise() -> None:
    allowed = [{"id": "1", "name": "Highest"}, {"id": "2", "name": "HIGH"}, {"id": "3", "name": "Normal"}]
    assert choose_priorities([{"fieldId": "priority", "allowedValues": allowed}])[0] == {
        Priority.HIGH: "2",
        Priority.MEDIUM: "3",
    }
    assert choose_priorities([{"fieldId": "summary"}]) == ({}, [])


def test_the_sprint_field_is_found_by_its_schema() -> None:
    schema = {"custom": "com.pyxis.greenhopper.jira:gh-sprint", "type": "array"}
    assert find_sprint_field([{"id": "customfield_1", "name": "Sprint"}, {"id": "cf_9", "schema": schema}]) == "cf_9"
    assert find_sprint_field([{"id": "customfield_1", "name": "Sprint"}]) is None


def test_facts_survive_being_stored_as_json() -> None:
    layout = Layout(
        uid="u",
        project_id="1",
        project_key="ML",
        site="https://acme.atlassian.net",
        ticket=IssueType(id="3", name="Task", fields=(number("customfield_1"),)),
        priorities={Priority.HIGH: "2"},
    )
    assert Layout.model_validate(layout.model_dump(mode="json")) == layout


@pytest.mark.parametrize(
    ("style", "board", "url"),
    [
        ("classic", 7, "https://a.example/jira/software/c/projects/ML/boards/7"),
        ("next-gen", 7, "https://a.example/jira/software/projects/ML/boards/7"),
        ("classic", None, "https://a.example/browse/ML"),
    ],
)
def test_people_are_led_to_the_board(style: str, board: int | None, url: str) -> None:
    layout = Layout(uid="u", project_id="1", project_key="ML", site="https://a.example", style=style, board_id=board)
    assert layout.board_url == url
