"""What a project has in its tracker, from our records. Reads no tracker."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, func, select
from sqlalchemy.orm import Session

from connectors.values import ItemKind
from service.context import Context
from service.domain.plan.desired import VACANT, is_vacant_label
from service.domain.plan.project_settings import ProjectSettings
from service.store import items
from service.store.tables import ItemRow
from service.usecases.setup import project_changes
from service.views.plan import ItemView
from service.views.setup import ProjectView


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a project has in its tracker, and which of its tickets have nobody."""

    counts: Mapping[str, int]
    vacancies: tuple[ItemView, ...]
    refused: tuple[ItemView, ...]

    def count(self, kind: ItemKind) -> int:
        """How many items of this kind exist."""
        return self.counts.get(kind.value, 0)

    def vacancies_json(self) -> list[dict[str, Any]]:
        """The tickets that have nobody, in the form that CLI and REST show."""
        return [
            {"key": one.key, "ticket": one.remote_key, "title": one.title, "url": one.url} for one in self.vacancies
        ]


@dataclass(frozen=True, slots=True)
class ProjectShown:
    """A project, what it is made from by name, and what it has in its tracker."""

    project: ProjectView
    settings: ProjectSettings
    inventory: Inventory

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            **self.project.to_json(),
            "team_name": self.settings.team_name,
            "template_title": self.settings.template_title,
            "counts": dict(self.inventory.counts),
            "vacancies": self.inventory.vacancies_json(),
            "refused": len(self.inventory.refused),
        }


def shown(context: Context, project: ProjectView) -> ProjectShown:
    """The project as it is shown alone."""
    return ProjectShown(project, project_changes.settings(context, project), of_project(context, project.id))


def of_project(context: Context, project_id: str) -> Inventory:
    """What the project has in its tracker, from our records."""
    with context.database.session() as session:
        rows = list(items.rows(session, project_id).values())
    made = [row for row in rows if row.state == items.MADE]
    return Inventory(
        counts=Counter(row.kind for row in made),
        vacancies=tuple(ItemView.of(row) for row in made if _is_vacant(row)),
        refused=tuple(ItemView.of(row) for row in rows if row.state == items.REFUSED),
    )


def vacant(session: Session, ids: Collection[str]) -> dict[str, int]:
    """By project, how many of its tickets have nobody."""
    return {project: found.total() for project, found in vacant_roles(session, ids).items()}


def vacant_roles(session: Session, ids: Collection[str]) -> dict[str, Counter[str]]:
    """By project, how many of its tickets have nobody, by the role that is missing. The database leaves out what has no
    such label at all: of many projects the other tickets would be most of what is read."""
    labelled = cast(ItemRow.wanted, String).contains(VACANT)
    query = select(ItemRow).where(ItemRow.project_id.in_(ids), ItemRow.state == items.MADE, labelled)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in session.scalars(query):
        if _is_vacant(row):
            found[row.project_id][ItemView.of(row).vacant] += 1
    return found


def vacant_in_sql() -> ColumnElement[bool]:
    """What is true of an item that `vacant` counts, for a statement that goes over many projects. Whether the word is
    there at all comes first: that needs no look into JSON, and leaves most items out."""
    there = cast(ItemRow.wanted, String).contains(VACANT)
    labelled = cast(ItemRow.wanted["labels"], String).contains(f'"{VACANT}')
    given = (func.coalesce(one["assignee"].as_string(), "") for one in (ItemRow.wanted, ItemRow.seen))
    return and_(ItemRow.state == items.MADE, there, labelled, *(one == "" for one in given))


def _is_vacant(row: ItemRow) -> bool:
    """Whether a ticket was given to nobody, by our records, and had nobody when it was read last."""
    marked = any(is_vacant_label(str(label)) for label in row.wanted.get("labels", ()))
    return marked and not row.wanted.get("assignee") and not (row.seen or {}).get("assignee")


def page(context: Context, project_id: str, limit: int, after: str = "") -> list[ItemView]:
    """Recorded items of the project by key: at most `limit`, those with a key above `after`."""
    shown = (ItemRow.project_id == project_id, ItemRow.key > after, ItemRow.state != items.RELEASED)
    query = select(ItemRow).where(*shown).order_by(ItemRow.key)
    with context.database.session() as session:
        return [ItemView.of(row) for row in session.scalars(query.limit(limit))]
