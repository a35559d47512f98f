"""All that is wrong with a body, told in one answer: what its schema refuses, what it lacks where there is none, and
what the records say against the rest of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from service.api.problems import ApiProblem, is_tag, pointer_of, told_first, translate
from service.context import Context
from service.domain.leniency import Fault, Path, fault_of, rest_of

Function = TypeVar("Function", bound=Callable[..., Any])
Check = Callable[[Context, Mapping[str, str], Any], None]
"""Is given the names in the address, and the body."""


def also(check: Check) -> Callable[[Function], Function]:
    """Where the body of this route breaks its schema, `check` is asked what else is wrong with it: it writes nothing,
    and raises the problems."""

    def marked(function: Function) -> Function:
        function.checks_rest = check  # type: ignore[attr-defined]
        return function

    return marked


def whole_problem(endpoint: Callable[..., Any], request: Request, error: RequestValidationError) -> Exception:
    """The problem with everything that is wrong with a request which breaks its schema."""
    model, found = _model_of(endpoint), list(error.errors())
    if model is not None and any(one["type"] == "missing" and tuple(one["loc"]) == ("body",) for one in found):
        lacking = _errors(model, {})
        found = [one for one in found if tuple(one["loc"]) != ("body",)] + (lacking or found)
        return RequestValidationError(found, body={})
    check = getattr(endpoint, "checks_rest", None)
    if check is None or model is None or not isinstance(error.body, dict):
        return error
    problem = translate(error)
    problem.errors += _of_the_rest(model, error.body, request, check)
    problem.detail = told_first(problem.errors)
    return problem


def _of_the_rest(
    model: type[BaseModel], body: dict[str, Any], request: Request, check: Check
) -> Iterator[dict[str, Any]]:
    def faults(document: Any) -> list[Fault]:
        return [fault_of(_path(one["loc"][1:], document), one) for one in _errors(model, document)]

    rest = rest_of(body, faults)
    if rest is None:
        return
    touched = tuple(pointer_of(*map(str, path)) for path in rest.touched)
    context: Context = request.scope.get("phaseloop.context", request.app.state.context)
    try:
        check(context, request.path_params, model.model_validate(rest.value))
    except Exception as error:  # noqa: BLE001 - whatever it is, the schema's problems are answered
        told = translate(error) if not isinstance(error, ApiProblem) else error
        for one in told.errors:
            pointer = one.get("pointer")
            if pointer is not None and not any(pointer == it or pointer.startswith(f"{it}/") for it in touched):
                yield one


def _path(loc: tuple[Any, ...], document: Any) -> Path:
    """Where in the body an error lies, without the tags of unions."""
    return tuple(part for part in loc if not is_tag(part))


def _errors(model: type[BaseModel], document: Any) -> list[dict[str, Any]]:
    try:
        model.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return [{**one, "loc": ("body", *one["loc"])} for one in found]
    return []


def _model_of(endpoint: Callable[..., Any]) -> type[BaseModel] | None:
    """The model of what a route takes as `body`, None where it takes none, or one of several."""
    if "body" not in inspect.signature(endpoint).parameters:
        return None
    hint = get_type_hints(endpoint).get("body")
    named = [one for one in get_args(hint) if one is not NoneType] or [hint]
    model = named[0] if len(named) == 1 else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None
