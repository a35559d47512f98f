"""A form that was sent and is shown again: what was entered, and what is wrong with it, by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from service.domain.problems import InvalidInput
from service.pages.new_project import Field
from service.pages.remedies import on_pages


@dataclass(frozen=True, slots=True)
class Sent:
    """What was entered in a form, and what is wrong with it by field."""

    values: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)

    def fill(self, one: Field) -> Field:
        """The field with what was entered in it."""
        return replace(one, value=self.values.get(one.name, one.value), error=self.wrong.get(one.name, ""))


NOTHING_SENT = Sent()


def wrong_by(error: InvalidInput, fields: Mapping[str, str], otherwise: str) -> dict[str, str]:
    """What is wrong, by the field that it is about: `fields` says which one a place is, `otherwise` takes the rest. In
    the words of the page: no place in a request, no option of a command."""
    wrong: dict[str, str] = {}
    for one in error.problems:
        about = fields.get(one.path.partition(".")[0], otherwise)
        said = on_pages(f"{one.message}; {one.fix}" if one.fix else one.message)
        wrong[about] = f"{wrong[about]}; {said}" if about in wrong else said
    return wrong
