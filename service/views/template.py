"""Views of templates: which versions there are, and what is different between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.domain.template.difference import Change, PartChange
from service.views.made import instant


@dataclass(frozen=True, slots=True)
class TemplateVersionView:
    """A text of a template. `ref` is how it is asked for: its version, or the beginning of its digest where several
    texts say the same version. `kept_at` is when the first project or plan used it, None where none did; `projects`
    are the keys of those that are made from it now, as far as whoever asks may see them."""

    ref: str
    name: str
    version: str
    digest: str
    source: str
    built_in: bool
    kept_at: datetime | None
    projects: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "ref": self.ref,
            "name": self.name,
            "version": self.version,
            "digest": self.digest,
            "source": self.source,
            "built_in": self.built_in,
            "kept_at": instant(self.kept_at),
            "projects": list(self.projects),
        }


@dataclass(frozen=True, slots=True)
class ComparedView:
    """One of the two texts that were compared."""

    name: str
    version: str
    title: str
    digest: str

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {"name": self.name, "version": self.version, "title": self.title, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class TemplateDifferenceView:
    """What two texts of templates do not say alike. `phases` are the titles of all phases, by key."""

    before: ComparedView
    after: ComparedView
    parts: Sequence[PartChange]
    phases: dict[str, str]

    @property
    def same_text(self) -> bool:
        """Whether it is one text, not only one meaning: comments and layout are no part of a template."""
        return self.before.digest == self.after.digest

    def count(self, change: Change) -> int:
        """How many parts this became of."""
        return sum(one.change is change for one in self.parts)

    def to_json(self) -> dict[str, Any]:
        """The form that CLI and REST show."""
        return {
            "from": self.before.to_json(),
            "to": self.after.to_json(),
            **{one.value: self.count(one) for one in Change},
            "parts": [
                {
                    "part": one.part.value,
                    "key": one.key,
                    "title": one.title,
                    "phase": one.phase or None,
                    "change": one.change.value,
                    "fields": [{"name": each.name, "from": each.before, "to": each.after} for each in one.fields],
                }
                for one in self.parts
            ],
        }
