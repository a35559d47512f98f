"""The OpenAPI document is complete: nothing can be added to the API without saying what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from service.api import openapi
from service.api.catalogue import KINDS, PREFIX
from service.app import create_app
from service.context import Context
from service.runs.engine import Engine
from service.usecases.loop.advances import Advancing

PUBLIC = {"health", "feeds"}
"""Tags of what needs no token."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture(scope="module")
def document(context: Context) -> dict[str, Any]:
    """The document of an app whose engine is never launched."""
    return create_app(context, Engine(context, Advancing())).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of every request and response, with words that say which."""
    for name, operation in operations(document):
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} request {media}", content
        for status, response in operation["responses"].items():
            for media, content in response.get("content", {}).items():
                yield f"{name} {status} {media}", content


def examples(content: dict[str, Any]) -> list[Any]:
    if "example" in content:
        return [content["example"]]
    return [example["value"] for example in content.get("examples", {}).values()]


def without(names: set[str]) -> str:
    return "\n".join(sorted(names))


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "phaseloop"


def test_every_operation_has_an_id_a_summary_a_description_and_a_known_tag(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in openapi.TAGS}
    ids = []
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation.get("description"), name
        assert len(operation["tags"]) == 1, name
        assert set(operation["tags"]) <= tags, name
        ids.append(operation["operationId"])
    assert len(ids) == len(set(ids))
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} == tags


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    assert without({name for name, content in bodies(document) if not examples(content)}) == ""


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    wrong = []
    for name, content in bodies(document):
        schema = {"$schema": DRAFT, **content["schema"], "components": document["components"]}
        validator = validator_for(schema, Draft202012Validator)(schema)
        wrong += [
            f"{name}: {error.message}" for example in examples(content) for error in validator.iter_errors(example)
        ]
    assert wrong == []


def test_every_operation_documents_its_errors(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        statuses = set(operation["responses"])
        assert "500" in statuses, name
        if operation["tags"] != ["health"]:
            assert "503" in statuses, name
        if operation["tags"][0] not in PUBLIC:
            assert "401" in statuses, name
        if "{" in name:
            assert "404" in statuses, name
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= statuses, name
        if operation.get("parameters"):
            assert "422" in statuses, name


def test_every_error_is_a_problem_of_the_catalogue(document: dict[str, Any]) -> None:
    seen = set()
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) < 400:
                continue
            assert list(response["content"]) == ["application/problem+json"], f"{name} {status}"
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            for example in examples(content):
                kind = KINDS[example["type"].removeprefix(PREFIX)]
                assert kind.status == int(status), f"{name} {status}"
                seen.add(kind.code)
    # These are of addresses and methods that the document does not have, among them those of webhooks.
    outside = {"unknown-address", "method-not-allowed", "sender-refused", "body-too-slow", "too-many-events"}
    outside |= {"sign-in-refused", "sign-in-unavailable"}  # and of pages
    assert seen | outside == set(KINDS)


def test_everything_but_health_and_feeds_asks_for_the_token(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for name, operation in operations(document):
        assert operation.get("security", []) == ([] if operation["tags"][0] in PUBLIC else [{"token": []}]), name


def test_everything_that_changes_something_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    reads = {
        "validateTemplate",
        "checkConnection",
        "previewAdvance",
        "surveyProject",
        "verifyBinder",
        "testTrigger",
        "checkHook",
    }
    for name, operation in operations(document):
        takes = "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", ())}
        assert takes == (not name.startswith("GET") and operation["operationId"] not in reads), name


def test_every_parameter_and_field_is_described_or_plain(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), f"{name} {parameter['name']}"


def test_every_answer_carries_the_request_id(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            assert "X-Request-Id" in response["headers"], f"{name} {status}"


def test_the_credential_is_write_only(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["NewConnection"]["properties"]["secret"]["writeOnly"] is True
    assert "secret" not in schemas["Connection"]["properties"]
