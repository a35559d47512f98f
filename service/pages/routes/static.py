"""Style, script and icons: the same for everybody, and kept by browsers for a year."""

from __future__ import annotations

from pathlib import PurePath

from fastapi import APIRouter, Response

from service.api.problems import ApiProblem
from service.pages import assets

router = APIRouter(include_in_schema=False)

_FOR_EVER = "public, max-age=31536000, immutable"


@router.get("/assets/{digest}/{file}")
def static(digest: str, file: str) -> Response:
    """The file of this version; of another one, which an open page may still ask for, the present one, not kept."""
    content = assets.FILES.get(file)
    if content is None:
        raise ApiProblem("unknown-address", "There is no such file.")
    kept = _FOR_EVER if digest == assets.DIGEST else "no-store"
    kind = assets.TYPES[PurePath(file).suffix]
    return Response(content, media_type=kind, headers={"Cache-Control": kept})
