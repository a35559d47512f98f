"""Bodies that the framework does not read for us: those of several media types."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from service.api.problems import ApiProblem

Model = TypeVar("Model", bound=BaseModel)


def as_text(raw: bytes) -> str:
    """The body as text. Raises the problem that it is not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ApiProblem("malformed-request", f"The body is not UTF-8 text: see line {line}.") from None


def json_of(raw: bytes) -> Any:
    """The body as JSON values. Raises the problem that it is none."""
    text = as_text(raw)
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        detail = f"The body is not JSON: {error.msg} at character {error.pos}."
        raise ApiProblem("malformed-request", detail) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, NaN, nesting without end
        raise ApiProblem("malformed-request", "The body is JSON that cannot be taken: too deep or too large.") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def validated(model: type[Model], value: Any) -> Model:
    """The value as this model. Raises what the framework raises for a body that breaks its schema."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**entry, "loc": ("body", *entry["loc"])} for entry in found]) from None
