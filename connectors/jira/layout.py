"""What one Jira project is made of, as far as phaseloop writes to it, and how to choose it from Jira's answers.

Everything is found by what a thing *is* (hierarchy level, schema key, link wording), never by a display name or a
fixed id: names are translated and ids differ from site to site. Pure: answers in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from connectors.jira.dialect import CLOUD
from connectors.jira.markup import DESCRIPTION_LIMIT
from connectors.tracker import Capabilities, Memory, Priority

SPRINT_SCHEMA = "com.pyxis.greenhopper.jira:gh-sprint"
POINTS_SCHEMA = "com.pyxis.greenhopper.jira:jsw-story-points"
EPIC_NAME_SCHEMA = "com.pyxis.greenhopper.jira:gh-epic-label"

TITLE_LIMIT = 255
SPRINT_NAME_LIMIT = 29
"""Jira wants a sprint's name shorter than 30 characters, by its error message (the document does not say)."""
CREATE_BATCH = 50
MOVE_BATCH = 50
READ_BATCH = 100

BOARD = "board"
"""The section of what is remembered that holds the board's `id`."""

_PREFERRED_TYPES = ("Task", "Story")
_PRIORITY_NAMES: Mapping[Priority, tuple[str, ...]] = {
    Priority.HIGH: ("high", "major", "important"),
    Priority.MEDIUM: ("medium", "normal", "moderate"),
    Priority.LOW: ("low", "minor"),
}
_FILLED_BY_JIRA = frozenset({"project", "issuetype", "reporter"})


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class CreateField(_Value):
    """One field of a create screen. `filled` says that Jira fills it by itself when it is left out."""

    id: str
    name: str
    required: bool
    filled: bool
    custom: str = ""
    type: str = ""


class IssueType(_Value):
    """An issue type with the fields of its create screen; `fields` is None where they may not be read."""

    id: str
    name: str
    fields: tuple[CreateField, ...] | None = None

    def has(self, field_id: str) -> bool:
        """Whether the field can be set in a create call; taken for granted where the screen is not known."""
        return self.fields is None or any(field.id == field_id for field in self.fields)

    def by_schema(self, custom: str) -> CreateField | None:
        """The field of this type key, if the screen has one."""
        return next((field for field in self.fields or () if field.custom == custom), None)


class LinkType(_Value):
    """The link type that reads "is blocked by" from its inward side."""

    id: str
    name: str


class Layout(_Value):
    """The facts of a `Place`: safe to store, valid for one project only."""

    uid: str
    label: str = ""
    project_id: str
    project_key: str
    site_id: str = ""
    cloud: bool = True
    """Whether `site_id` is the site's cloud id, and not its address."""
    memory: Memory = {}
    """What is remembered of the project, see `learned`."""
    former_board: int | None = None
    """The board that was worked on before, where it is gone or no longer about this project."""
    style: str = "classic"
    site: str
    deployment: str = CLOUD
    default_assignee: str = ""
    board_id: int | None = None
    sprints: bool = False
    epic: IssueType | None = None
    ticket: IssueType | None = None
    sprint_field: str | None = None
    points_field: str | None = None
    priorities: dict[Priority, str] = {}
    link_type: LinkType | None = None

    @property
    def learned(self) -> dict[str, dict[str, Any]]:
        """What is to be remembered: the board, by its id."""
        if self.board_id is None or not self.sprints:
            return {}
        return {BOARD: {"id": self.board_id}}

    @property
    def board_url(self) -> str:
        """Where people see the board; the project's own page where there is none."""
        if self.board_id is None:
            return self.browse(self.project_key)
        kind = "" if self.style == "next-gen" else "c/"
        return f"{self.site}/jira/software/{kind}projects/{self.project_key}/boards/{self.board_id}"

    def browse(self, key: str) -> str:
        """Where people see an issue or a project."""
        return f"{self.site}/browse/{key}"

    @property
    def capabilities(self) -> Capabilities:
        """What this project can do."""
        return capabilities(
            iterations=self.sprints,
            points=self.points_field is not None,
            links=self.link_type is not None,
            links_in_create=self.link_type is not None
            and self.ticket is not None
            and self.ticket.fields is not None
            and self.ticket.has("issuelinks"),
        )


def capabilities(*, iterations: bool, points: bool, links: bool, links_in_create: bool) -> Capabilities:
    """Jira's limits, with what differs from project to project."""
    return Capabilities(
        create_batch=CREATE_BATCH,
        move_batch=MOVE_BATCH,
        read_batch=READ_BATCH,
        iterations=iterations,
        points=points,
        links=links,
        links_in_create=links_in_create,
        checklists=False,
        marks_iterations_apart=True,
        places_in_create=False,
        title_limit=TITLE_LIMIT,
        iteration_title_limit=SPRINT_NAME_LIMIT,
        text_limit=DESCRIPTION_LIMIT,
    )


def choose_types(issue_types: Iterable[Any]) -> tuple[IssueType | None, IssueType | None]:
    """The types for epics (hierarchy level 1) and tickets (level 0) among a project's issue types.

    Tickets become a "Task", failing that a "Story" by the untranslated name, failing that the first type of the
    level. Answers without levels come from stand-ins and older sites: there, only the name can tell an epic.
    """
    kinds = [kind for kind in issue_types if isinstance(kind, dict) and kind.get("id") and not kind.get("subtask")]
    leveled = any("hierarchyLevel" in kind for kind in kinds)

    def level(kind: Mapping[str, Any]) -> int:
        if leveled:
            return int(kind.get("hierarchyLevel") or 0)
        return 1 if _plain_name(kind) == "Epic" else 0

    epics = [kind for kind in kinds if level(kind) == 1]
    tickets = [kind for kind in kinds if level(kind) == 0]
    tickets.sort(key=lambda kind: _rank(_plain_name(kind)))
    return _issue_type(epics), _issue_type(tickets)


def _plain_name(kind: Mapping[str, Any]) -> str:
    return str(kind.get("untranslatedName") or kind.get("name") or "")


def _rank(name: str) -> int:
    return _PREFERRED_TYPES.index(name) if name in _PREFERRED_TYPES else len(_PREFERRED_TYPES)


def _issue_type(kinds: list[dict[str, Any]]) -> IssueType | None:
    if not kinds:
        return None
    return IssueType(id=str(kinds[0]["id"]), name=str(kinds[0].get("name") or kinds[0]["id"]))


def create_fields(metadata: Iterable[Any]) -> tuple[CreateField, ...]:
    """The fields of a create screen, from its metadata."""
    found = []
    for entry in metadata:
        if not isinstance(entry, dict):
            continue
        described = entry.get("schema")
        schema: dict[str, Any] = described if isinstance(described, dict) else {}
        field_id = entry.get("fieldId") or entry.get("key") or schema.get("system")
        if field_id:
            found.append(
                CreateField(
                    id=str(field_id),
                    name=str(entry.get("name") or field_id),
                    required=bool(entry.get("required")),
                    filled=bool(entry.get("hasDefaultValue")) or str(field_id) in _FILLED_BY_JIRA,
                    custom=str(schema.get("custom") or ""),
                    type=str(schema.get("type") or ""),
                )
            )
    return tuple(found)


def choose_priorities(metadata: Iterable[Any]) -> dict[Priority, str]:
    """Ids of the priorities that the screen allows, matched by name; a priority of another name is left out."""
    for entry in metadata:
        if isinstance(entry, dict) and "priority" in (entry.get("fieldId"), entry.get("key")):
            allowed = [one for one in entry.get("allowedValues") or () if isinstance(one, dict) and one.get("id")]
            by_name = {str(one.get("name") or "").casefold(): str(one["id"]) for one in allowed}
            return {
                priority: next(by_name[name] for name in names if name in by_name)
                for priority, names in _PRIORITY_NAMES.items()
                if any(name in by_name for name in names)
            }
    return {}


def remembered_board(memory: Memory) -> int | None:
    """The board that was worked on before."""
    found = memory.get(BOARD, {}).get("id")
    return found if isinstance(found, int) else None


def choose_board(
    boards: Iterable[Any], project_id: str, method: str, remembered: int | None = None
) -> dict[str, Any] | None:
    """The board to work on: the remembered one while it is about this project; else one of a fitting type, in this
    project rather than only about it, the oldest."""
    wanted = ("scrum", "simple") if method == "scrum" else ("kanban", "simple", "scrum")
    fitting = [
        board
        for board in boards
        if isinstance(board, dict) and isinstance(board.get("id"), int) and board.get("type") in wanted
    ]

    def order(board: Mapping[str, Any]) -> tuple[bool, bool, int, int]:
        location = board.get("location")
        lives_here = isinstance(location, dict) and str(location.get("projectId")) == project_id
        type_order = 0 if method == "scrum" else wanted.index(str(board["type"]))
        return (board["id"] != remembered, not lives_here, type_order, int(board["id"]))

    return min(fitting, key=order, default=None)


def choose_points_field(configuration: Any, ticket: IssueType | None) -> str | None:
    """The number field that holds estimates: the one the board adds up, else Jira's own, if the screen has it."""
    if ticket is None or ticket.fields is None:
        return None
    estimation = configuration.get("estimation") if isinstance(configuration, dict) else None
    field = estimation.get("field") if isinstance(estimation, dict) else None
    board_field = field.get("fieldId") if isinstance(field, dict) else None
    numbers = [one for one in ticket.fields if one.type in {"number", ""}]
    chosen = next((one for one in numbers if one.id == board_field), None) or next(
        (one for one in numbers if one.custom == POINTS_SCHEMA), None
    )
    return chosen.id if chosen else None


def find_sprint_field(fields: Iterable[Any]) -> str | None:
    """The id of the site's sprint field, from the list of all fields."""
    for field in fields:
        schema = field.get("schema") if isinstance(field, dict) else None
        if isinstance(schema, dict) and schema.get("custom") == SPRINT_SCHEMA:
            return str(field["id"])
    return None


def choose_link_type(answer: Any) -> LinkType | None:
    """The type that says "A blocks B": the one named Blocks, else the first whose outward wording speaks of it."""
    types = answer.get("issueLinkTypes") if isinstance(answer, dict) else None
    usable = [one for one in types or () if isinstance(one, dict) and one.get("id") and one.get("name")]
    named = [one for one in usable if str(one["name"]).casefold() == "blocks"]
    worded = [one for one in usable if "block" in str(one.get("outward") or "").casefold()]
    for one in named + worded:
        return LinkType(id=str(one["id"]), name=str(one["name"]))
    return None
