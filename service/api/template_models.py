"""The bodies of the API about versions of templates; each with an example, which the OpenAPI document shows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from service.api import examples
from service.api.models import Instant, Shown, with_example

_VERSION: dict[str, Any] = {
    "ref": "1.0.0",
    "name": "iterative-ml",
    "version": "1.0.0",
    "digest": examples.TEMPLATE["digest"],
    "source": "iterative-ml.yaml",
    "built_in": True,
    "kept_at": "2026-03-02T09:00:00+00:00",
    "projects": ["ML"],
}
_COMPARED: dict[str, Any] = {
    "name": "iterative-ml",
    "version": "1.0.0",
    "title": "Iterative machine learning",
    "digest": examples.TEMPLATE["digest"],
}


class TemplateVersion(Shown):
    """A text of a template: built in, or what a project was made from."""

    ref: str = Field(
        description="What it is asked for by: its version, or the beginning of its digest where several texts say the "
        "same version."
    )
    name: str = Field(description="The template's lasting name.")
    version: str = Field(description="Version of its content.")
    digest: str = Field(description="SHA-256 of its text.")
    source: str = Field(description="The file it came from.")
    built_in: bool = Field(description="Whether it comes with phaseloop.")
    kept_at: Instant | None = Field(description="When a project or a plan used it first; null where none did.")
    projects: list[str] = Field(description="Keys of the projects that are made from it now.")


class TemplateVersions(Shown):
    """All versions of a template, the latest first."""

    model_config = ConfigDict(json_schema_extra=with_example({"items": [_VERSION], "next": None}))

    items: list[TemplateVersion]
    next: str | None = Field(description="Always null: the list is complete.")


class Compared(Shown):
    """One of two texts that were compared."""

    name: str
    version: str
    title: str
    digest: str


class FieldDifference(Shown):
    """A field that the versions do not say alike."""

    name: str = Field(description="As it stands in the file: `exit.output`; or `order of tickets`.")
    before: Any = Field(alias="from", description="What the earlier version says; null where it says nothing.")
    after: Any = Field(alias="to", description="What the later version says; null where it says nothing.")


class PartDifference(Shown):
    """A part that was added, removed or changed."""

    part: Literal[
        "template",
        "parameter",
        "phase",
        "role",
        "epic",
        "ticket",
        "meeting",
        "record rules",
        "section of the record",
        "kind of link",
    ] = Field(description="What sort of part it is.")
    key: str = Field(description="Its lasting name; empty for what there is one of.")
    title: str
    phase: str | None = Field(description="Key of the phase that it is in; null for what is in none.")
    change: Literal["added", "removed", "changed"]
    fields: list[FieldDifference] = Field(description="What it says otherwise; of what came or went all that it says.")


class TemplateDifference(Shown):
    """What is different between two versions of a template."""

    model_config = ConfigDict(
        json_schema_extra=with_example(
            {
                "from": _COMPARED,
                "to": {**_COMPARED, "version": "1.1.0"},
                "added": 0,
                "removed": 0,
                "changed": 1,
                "parts": [
                    {
                        "part": "ticket",
                        "key": "set-goals",
                        "title": "Set the goals",
                        "phase": "ideation",
                        "change": "changed",
                        "fields": [{"name": "points", "from": 2, "to": 3}],
                    }
                ],
            }
        )
    )

    before: Compared = Field(alias="from")
    after: Compared = Field(alias="to")
    added: int = Field(description="How many parts only the later version has.")
    removed: int = Field(description="How many parts only the earlier version has.")
    changed: int = Field(description="How many parts both have and do not say alike.")
    parts: list[PartDifference] = Field(description="By kind of part; empty where the versions say the same.")
