"""The JSON Schema that editors use says what the reader says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from service import templates
from service.domain.template.marked_yaml import compose
from service.domain.template.schema import schema_text, template_json_schema
from service.domain.template.yaml_marks import plain

HERE = Path(__file__).parent
FILES = [*(templates.BUILTIN / f"{name}.yaml" for name in templates.builtin_names()), HERE / "small.yaml"]


def load(path: Path) -> Any:
    """The document as JSON values."""
    return plain(compose(path.read_text(encoding="utf-8"), path.name).marks.root)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = template_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_kept_schema_is_in_step_with_the_models() -> None:
    kept = (templates.BUILTIN / "template.schema.json").read_text(encoding="utf-8")
    assert kept == schema_text(), "run: python -m service.domain.template.schema > templates/template.schema.json"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_good_templates_fit_the_schema(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(load(path))] == []


@pytest.mark.parametrize("name", ["unknown-fields", "missing-fields", "wrong-types", "wrong-values", "wrong-names"])
def test_what_the_reader_refuses_for_its_shape_the_schema_refuses_too(
    name: str, validator: jsonschema.Draft202012Validator
) -> None:
    lines = (HERE / "broken" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    by_date = sum("2026-02-30" in line for line in lines)  # formats are notes in JSON Schema, not rules
    assert len(list(validator.iter_errors(load(HERE / "broken" / f"{name}.yaml")))) == len(lines) - by_date


def test_every_field_has_a_description() -> None:
    schema = template_json_schema()
    parts = {"Template": schema, **schema["$defs"]}
    missing = [
        f"{part}.{field}"
        for part, body in parts.items()
        for field, shape in body.get("properties", {}).items()
        if "description" not in shape and field not in ("type", "default")
    ]
    assert missing == []


def test_names_outside_their_pattern_are_refused(validator: jsonschema.Draft202012Validator) -> None:
    document = load(HERE / "small.yaml")
    broken = copy.deepcopy(document)
    broken["roles"]["Not A Key"] = broken["roles"]["pm"]
    assert validator.is_valid(document)
    assert not validator.is_valid(broken)


def test_builtin_templates_tell_editors_where_the_schema_is() -> None:
    for name in templates.builtin_names():
        text = (templates.BUILTIN / f"{name}.yaml").read_text(encoding="utf-8")
        assert text.startswith("# yaml-language-server: $schema=./template.schema.json\n")
