"""The JSON Schema of the template format, for editors. Generated from the models:

python -m service.domain.template.schema > templates/template.schema.json
"""

from __future__ import annotations

import json
import sys
from typing import Any

from service.domain.template.template import Template

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def template_json_schema() -> dict[str, Any]:
    """The shape of a template as JSON Schema 2020-12. What parts say about each other no schema can tell."""
    schema = _closed(Template.model_json_schema())
    return {"$schema": DIALECT, **schema, "title": "phaseloop template"}


def schema_text() -> str:
    """The schema as it is kept in `templates/template.schema.json`."""
    return json.dumps(template_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _closed(part: Any) -> Any:
    """Names that fit no pattern are refused; titles that repeat names and a keyword of OpenAPI are left out."""
    if isinstance(part, list):
        return [_closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(value) for name, value in part.items() if not _is_noise(name, value)}
    if "patternProperties" in closed:
        closed["additionalProperties"] = False
    return closed


def _is_noise(name: str, value: object) -> bool:
    if name == "title":
        return isinstance(value, str)  # a property of that name has a schema
    return name == "discriminator" and isinstance(value, dict) and "propertyName" in value


if __name__ == "__main__":
    sys.stdout.write(schema_text())
