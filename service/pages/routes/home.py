"""The address of home."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.pages import home
from service.pages.frame import PROJECTS
from service.pages.given import Here

router = APIRouter(include_in_schema=False)


@router.get("/")
def show(
    visit: Here,
    q: Annotated[str, Query(max_length=100)] = "",
    show: Annotated[str, Query(max_length=40)] = home.ALL,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """The projects that somebody may see, a page of them."""
    return visit.page("home.html", home.page_of(visit.context, visit.caller, q, show, page), PROJECTS)
