"""The addresses of templates: the gallery, one to be read, and what is different between two versions of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.api.given import Named
from service.pages import template, template_difference
from service.pages.frame import TEMPLATES
from service.pages.given import Here

router = APIRouter(include_in_schema=False)

Ref = Annotated[str, Query(max_length=64)]


@router.get("/templates")
def show_all(visit: Here) -> Response:
    """What there is to build from."""
    return visit.page("templates.html", template.gallery_of(visit.context, visit.caller), TEMPLATES)


@router.get("/templates/{name}")
def show(name: Named, visit: Here, version: Ref = "", epic: Ref = "") -> Response:
    """One template: its phases, what waits for what, who does what, what is documented, and its versions."""
    page = template.page_of(visit.context, visit.caller, name, version, epic)
    return visit.page("template.html", page, TEMPLATES)


@router.get("/templates/{name}/difference")
def show_difference(
    name: Named, visit: Here, before: Annotated[str, Query(alias="from", max_length=64)] = "", to: Ref = ""
) -> Response:
    """What is different between two of its versions, which the address carries."""
    page = template_difference.page_of(visit.context, name, before, to)
    return visit.page("template-difference.html", page, TEMPLATES)
