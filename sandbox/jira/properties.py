"""Entity properties: the same four operations wherever they hang (issues, projects, comments, sprints, boards...)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from sandbox.http import Call, answer, no_content
from sandbox.jira.edits import check_property
from sandbox.jira.errors import bad_request, not_found

KEY_LIMIT = 255


def list_keys(call: Call, properties: dict[str, Any]) -> Response:
    """The keys, each with its address."""
    base = call.url(call.request.url.path)
    return answer({"keys": [{"self": f"{base}/{key}", "key": key} for key in properties]})


def read(call: Call, properties: dict[str, Any]) -> Response:
    """One property; 404 if it is not set."""
    key = call.path["propertyKey"]
    if key not in properties:
        raise not_found(f"The property with key '{key}' does not exist.")  # wording unsure
    return answer({"key": key, "value": properties[key]})


async def write(call: Call, properties: dict[str, Any]) -> Response:
    """Set a property: 201 for a new one, 200 for a changed one, both with an empty body. The value is any non-empty
    JSON of at most 32,768 characters."""
    key = call.path["propertyKey"]
    if len(key) > KEY_LIMIT:
        raise bad_request(f"The property key cannot exceed {KEY_LIMIT} characters.")
    if not (await call.request.body()).strip():
        raise bad_request("The property value cannot be empty.")
    value = await call.body()
    check_property(value)
    created = key not in properties
    properties[key] = value
    call.site.touch()
    return answer({}, 201 if created else 200)


def remove(call: Call, properties: dict[str, Any]) -> Response:
    """Delete a property; 404 if it is not set."""
    key = call.path["propertyKey"]
    if key not in properties:
        raise not_found(f"The property with key '{key}' does not exist.")
    del properties[key]
    call.site.touch()
    return no_content()
