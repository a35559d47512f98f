"""Templates: the built-in ones, and the check of any other."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from service import templates as template_files
from service.api import examples, models, openapi, template_models
from service.api.given import AUTHENTICATED, Given, Id, RawBody
from service.api.problems import ApiProblem, input_error
from service.api.reading import as_text, json_of, validated
from service.api.routing import JsonRoute, require_type
from service.domain.template.reader import MarkedTemplate, read_marked_template
from service.domain.template.references import lint
from service.domain.template.template import Template
from service.templates import TemplateText
from service.usecases.setup import template_versions

router = APIRouter(prefix="/templates", tags=["templates"], dependencies=[AUTHENTICATED], route_class=JsonRoute)

YAML = "application/yaml"
"""RFC 9512; `text/yaml`, which came before it, is taken as well."""


@router.get(
    "",
    operation_id="listTemplates",
    summary="List the built-in templates",
    response_model=models.TemplateList,
    responses=openapi.problems(*openapi.ALWAYS),
)
def list_templates() -> dict[str, Any]:
    """All templates that come with phaseloop."""
    found = [(text, _parsed(text).template) for text in template_files.builtin()]
    return {"items": [_entry(text, template) for text, template in found], "next": None}


@router.get(
    "/{name}",
    operation_id="getTemplate",
    summary="Show a template",
    response_model=models.TemplateShown,
    response_model_exclude_unset=True,
    responses={
        200: {"content": {YAML: {"schema": {"type": "object"}, "example": examples.TEMPLATE_DOCUMENT}}},
        **openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
    },
)
def get_template(
    name: Id,
    format: Annotated[  # noqa: A002 - the name callers see
        Literal["json", "yaml"], Query(description="`yaml` answers with the template's own text.")
    ] = "json",
) -> Any:
    """Its parameters, roles and phases in short, or its whole text."""
    if name not in template_files.builtin_names():
        raise ApiProblem("not-found", f"There is no built-in template {name!r}.")
    text = template_files.load_builtin(name)
    if format == "yaml":
        return Response(text.text, media_type=YAML)
    return _shown(text, _parsed(text).template)


@router.get(
    "/{name}/versions",
    operation_id="listTemplateVersions",
    summary="List the versions of a template",
    response_model=template_models.TemplateVersions,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "invalid-input"),
)
def list_versions(name: Id, context: Given) -> dict[str, Any]:
    """The built-in one, and those that projects were made from: of all of them, or of those that you may see."""
    return {"items": [one.to_json() for one in template_versions.versions(context, name)], "next": None}


_REF = "A version, or the beginning of a text's digest, as `GET /templates/{name}/versions` has them in `ref`."


@router.get(
    "/{name}/difference",
    operation_id="compareTemplateVersions",
    summary="Compare two versions of a template",
    response_model=template_models.TemplateDifference,
    responses=openapi.problems(*openapi.ALWAYS, "not-found", "ambiguous", "invalid-input"),
)
def compare(
    name: Id,
    context: Given,
    before: Annotated[str, Query(alias="from", min_length=1, max_length=64, description=f"The earlier one. {_REF}")],
    after: Annotated[str, Query(alias="to", min_length=1, max_length=64, description=f"The later one. {_REF}")],
) -> dict[str, Any]:
    """What was added, removed and changed: phases, roles, tickets, record rules and all else, with what each field says
    before and after."""
    return template_versions.compared(context, name, before, after).to_json()


@router.post(
    "/validate",
    operation_id="validateTemplate",
    summary="Check a template",
    response_model=models.TemplateVerdict,
    response_model_exclude_unset=True,
    responses=openapi.problems(*openapi.ALWAYS, *openapi.BODY),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": f"{openapi.REF}TemplateText"}},
                YAML: {"schema": {"type": "object"}, "example": examples.TEMPLATE_DOCUMENT},
                "text/yaml": {"schema": {"type": "object"}, "example": examples.TEMPLATE_DOCUMENT},
            },
        }
    },
)
def validate_template(request: Request, raw: RawBody) -> dict[str, Any]:
    """Answers 422 with every problem, its line and what would be right, if the template cannot be used."""
    if require_type(request, "application/json", YAML, "text/yaml") == "application/json":
        sent = validated(models.TemplateText, json_of(raw))
        text = TemplateText.of(sent.text, sent.source)
    else:
        text = TemplateText.of(as_text(raw), "template.yaml")
    found = _parsed(text)
    warnings = [input_error(problem, problem.pointer) for problem in lint(found.template, found.marks)]
    tickets = _ticket_count(found.template)
    return {"valid": True, **_entry(text, found.template), "tickets": tickets, "warnings": warnings}


@lru_cache(maxsize=16)
def _parsed(text: TemplateText) -> MarkedTemplate:
    """The checked template; a text is parsed once. Raises InvalidInput."""
    return read_marked_template(text.text, text.source)


def _entry(text: TemplateText, template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "version": template.version,
        "title": template.title,
        "digest": text.digest,
    }


def _ticket_count(template: Template) -> int:
    return sum(len(phase.tickets) for phase in template.phases)


def _shown(text: TemplateText, template: Template) -> dict[str, Any]:
    return {
        **_entry(text, template),
        "description": template.description,
        "source": template.source,
        "tickets": _ticket_count(template),
        "parameters": [
            {"name": name, **parameter.model_dump(mode="json")} for name, parameter in template.parameters.items()
        ],
        "roles": [
            {
                "key": key,
                "title": role.title,
                "core": role.core,
                "responsibility": role.responsibility,
                "fallback": role.fallback,
            }
            for key, role in template.roles.items()
        ],
        "phases": [
            {
                "key": phase.key,
                "title": phase.title,
                "focus": phase.focus,
                "iterations": phase.iterations,
                "recurring": phase.recurring,
                "roles": list(phase.roles),
                "epics": len(phase.epics),
                "tickets": len(phase.tickets),
            }
            for phase in template.phases
        ],
    }
