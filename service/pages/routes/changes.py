"""The address of the log of changes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.pages import changes
from service.pages.frame import CHANGES
from service.pages.given import Here

router = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=200)]


@router.get("/changes")
def show(
    visit: Here,
    by: Word = "",
    thing: Word = "",
    project: Word = "",
    since: Word = "",
    until: Word = "",
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    verify: Annotated[bool, Query()] = False,
) -> Response:
    """Who changed what, newest first, and whether the log holds."""
    given = {"by": by, "thing": thing, "project": project, "since": since, "until": until}
    given = {name: value.strip() for name, value in given.items()}
    page = changes.page_of(visit.context, given, before, verify=verify)
    return visit.page("changes.html", page, CHANGES, 422 if page.errors else 200)
