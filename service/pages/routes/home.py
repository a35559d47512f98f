"""The address of home."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.domain.access.roles import Permission
from service.pages import home
from service.pages.frame import PROJECTS
from service.pages.given import Here, Page, led_to

router = APIRouter(include_in_schema=False)


@router.get("/")
def show(
    visit: Here,
    q: Annotated[str, Query(max_length=100)] = "",
    show: Annotated[str, Query(max_length=40)] = home.ALL,
    page: Page = 1,
) -> Response:
    """The projects that somebody may see, a page of them; who may see none whole is led to what they may inspect."""
    if not visit.caller.may_somewhere(Permission.READ):
        return led_to("/room")
    return visit.page("home.html", home.page_of(visit.context, visit.caller, q, show, page), PROJECTS)
