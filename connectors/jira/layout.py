"""What one Jira project is made of, as far as phaseloop writes to it: issue types, fields, the board, by their ids.

Which of a site's things these are is chosen in `choosing`. Pure: answers in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from connectors.jira.dialect import CLOUD
from connectors.jira.markup import DESCRIPTION_LIMIT
from connectors.mapped import Role
from connectors.values import Capabilities, Priority

SPRINT_SCHEMA = "com.pyxis.greenhopper.jira:gh-sprint"
POINTS_SCHEMA = "com.pyxis.greenhopper.jira:jsw-story-points"
EPIC_NAME_SCHEMA = "com.pyxis.greenhopper.jira:gh-epic-label"

TITLE_LIMIT = 255
SPRINT_NAME_LIMIT = 29
"""Jira wants a sprint's name shorter than 30 characters, by its error message (the document does not say)."""
CREATE_BATCH = 50
MOVE_BATCH = 50
READ_BATCH = 100

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
    """The link type that says that one ticket waits for another. The waiting ticket shows the inward wording, as in "is
    blocked by"; where the type is `reversed`, the outward one, as in "depends on" with "is needed by" on the other."""

    id: str
    name: str
    reversed: bool = False


class Layout(_Value):
    """The facts of a `Place`: safe to store, valid for one project only."""

    uid: str
    label: str = ""
    project_id: str
    project_key: str
    site_id: str = ""
    cloud: bool = True
    """Whether `site_id` is the site's cloud id, and not its address."""
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
    asked: frozenset[str] = frozenset()
    """Roles for which somebody has to say what is meant. What needs them is planned, and not written."""
    off: frozenset[str] = frozenset()
    """Roles that somebody chose to do without."""

    @property
    def answered(self) -> frozenset[str]:
        """Roles of which more is said elsewhere than that there is nothing for them."""
        return self.asked | self.off

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
            links=self.link_type is not None or Role.LINK_TYPE in self.asked,
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


def find_sprint_field(fields: Iterable[Any]) -> str | None:
    """The id of the site's sprint field, from the list of all fields."""
    for field in fields:
        schema = field.get("schema") if isinstance(field, dict) else None
        if isinstance(schema, dict) and schema.get("custom") == SPRINT_SCHEMA:
            return str(field["id"])
    return None
