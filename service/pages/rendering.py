"""Templates filled in: a whole page, or the one block of it that a script asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block

from service.pages import assets
from service.pages.frame import Frame

TEMPLATES = Path(__file__).parent / "templates"

PART = "x-part"
"""The header by which a script asks for one block of a page."""

_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["asset"] = assets.address

NOBODY = Frame()


def text(template: str, page: Any, frame: Frame = NOBODY, part: str = "") -> str:
    """A page as HTML. `part` is one of its blocks, to be shown alone; what is none of them means the whole page."""
    found = _environment.get_template(template)
    if part and part in found.blocks:
        return render_block(_environment, template, part, page=page, frame=frame)
    return found.render(page=page, frame=frame)


def shown(request: Request, template: str, page: Any, frame: Frame = NOBODY, status: int = 200) -> HTMLResponse:
    """A page, or the part of it that the request asks for."""
    part = request.headers.get(PART, "")
    # A half of a character, as trackers may give it, cannot be written; a mark stands in its place.
    content = text(template, page, frame, part).encode("utf-8", "replace")
    return HTMLResponse(content, status, headers={"Vary": PART})
