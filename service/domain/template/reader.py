"""A template's text to a checked template, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from pydantic import BaseModel

from service.domain.problems import InvalidInput, Problem
from service.domain.template import shape
from service.domain.template.marked_yaml import Document, compose
from service.domain.template.references import check_references
from service.domain.template.template import FORMAT, Template
from service.domain.template.yaml_marks import Mapping, Marks, Scalar

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class MarkedTemplate:
    """A template together with the lines it was read from."""

    template: Template
    marks: Marks


@lru_cache(maxsize=32)
def read_template(text: str, source: str) -> Template:
    """Read a template. Those read last are kept, because the clock reads the same few for project after project.

    `source` is the name shown in front of line numbers, usually the file's. Raises InvalidInput: with one problem when
    the text is not YAML at all, otherwise with every problem of its shape and of what its parts say about each other.
    """
    return read_marked_template(text, source).template


def read_marked_template(text: str, source: str) -> MarkedTemplate:
    """As `read_template`, with the lines kept, so that warnings can name them."""
    document = _compose(text, source, kind="template")
    template = shape.validate(Template, document.marks, document.problems, check_references)
    return MarkedTemplate(template, document.marks)


def read_document(text: str, source: str, model: type[Model], kind: str) -> tuple[Model, Marks]:
    """Read another kind of document (`kind: team`): its shape only. Raises as `read_template` does."""
    document = _compose(text, source, kind)
    return shape.validate(model, document.marks, document.problems), document.marks


def _compose(text: str, source: str, kind: str) -> Document:
    """The document, if it is of a format and kind that the rest of the reading is about."""
    document = compose(text, source)
    root = document.marks.root
    if not isinstance(root, Mapping):
        begin = f"begin with `format: {FORMAT}` and `kind: {kind}`"
        raise InvalidInput(
            [Problem(source, root.line, "", f"this is not a {kind}: it has no names with values", begin)]
        )
    written = _word(root, "format")
    if written is not None and written != FORMAT:
        message = f'format "{written}" is not known'
        raise InvalidInput([document.marks.problem(("format",), message, f"this version reads {FORMAT}")])
    written = _word(root, "kind")
    if written is not None and written != kind:
        message = f'this is a "{written}", and a {kind} is wanted'
        raise InvalidInput(
            [document.marks.problem(("kind",), message, f"give the right file, or write `kind: {kind}`")]
        )
    return document


def _word(root: Mapping, name: str) -> str | None:
    entry = root.get(name)
    return entry.value.text[:60] if entry is not None and isinstance(entry.value, Scalar) else None
