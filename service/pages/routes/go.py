"""The address that searches pages, projects and actions; a script asks it for its results alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.pages import go
from service.pages.given import Here

router = APIRouter(include_in_schema=False)


@router.get("/go")
def show(visit: Here, q: Annotated[str, Query(max_length=200)] = "") -> Response:
    """What these words find."""
    frame = visit.frame("")
    page = go.page_of(visit.context, visit.caller, (*frame.places, *frame.service), q.strip())
    return visit.page("go.html", page, "")
