"""The address of the settings."""

from __future__ import annotations

from fastapi import APIRouter, Response

from service.pages import settings
from service.pages.frame import SETTINGS
from service.pages.given import Here

router = APIRouter(include_in_schema=False)


@router.get("/settings")
def show(visit: Here) -> Response:
    """The settings in force."""
    return visit.page("settings.html", settings.page_of(visit.context), SETTINGS)
