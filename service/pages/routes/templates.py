"""The addresses of templates: the gallery, and one to be read."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.api.given import Named
from service.pages import template
from service.pages.frame import TEMPLATES
from service.pages.given import Here

router = APIRouter(include_in_schema=False)


@router.get("/templates")
def show_all(visit: Here) -> Response:
    """What there is to build from."""
    return visit.page("templates.html", template.gallery_of(visit.caller), TEMPLATES)


@router.get("/templates/{name}")
def show(name: Named, visit: Here) -> Response:
    """One template: its phases, who does what, and what is documented."""
    return visit.page("template.html", template.page_of(visit.caller, name), TEMPLATES)
