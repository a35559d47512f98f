"""What went wrong, as a page: what is so, what to do, and a reference to quote."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from service.api.problems import ApiProblem, request_id_of
from service.domain.english import sentence
from service.pages import rendering
from service.pages.remedies import on_pages

_ACCOUNT = ("Your account", "/account")
_NOTHING = "Nothing is here: the address is mistyped, or what it led to is gone. “Go to” finds pages and projects."
_HOME = ("All projects", "/")


@dataclass(frozen=True, slots=True)
class TroublePage:
    """A problem. `entries` are its parts where it has several, `ways` lead on: words and addresses."""

    title: str
    detail: str
    entries: tuple[str, ...]
    reference: str
    ways: tuple[tuple[str, str], ...]


def page_of(problem: ApiProblem, reference: str) -> TroublePage:
    """The page of a problem."""
    entries = []
    for one in problem.errors:
        where = one.get("subject") or one.get("parameter") or ""
        said = f"{where}: {one['detail']}" if where else str(one["detail"])
        entries.append(on_pages(f"{said} {one.get('fix', '')}".strip()))
    several = tuple(entries) if len(entries) > 1 else ()
    detail = problem.detail if problem.kind.code != "unknown-address" else _NOTHING
    if isinstance(problem.errors[0].get("pointer") if problem.errors else None, str):
        # A place in a request means nothing to people at a form.
        first = problem.errors[0]
        name = str(first["pointer"]).strip("/").replace("/", " ").replace("_", " ")
        detail = sentence(f"{name} {first['detail']}. {sentence(str(first.get('fix') or ''))}".strip())
    ways = (_HOME, _ACCOUNT) if problem.kind.status == 403 else (_HOME,)
    return TroublePage(problem.kind.title, on_pages(detail), several, reference, ways)


def show(request: Request, problem: ApiProblem) -> Response:
    """The problem as a response to a browser."""
    page = page_of(problem, request_id_of(request))
    answer = rendering.shown(request, "trouble.html", page, status=problem.kind.status)
    answer.headers.update(problem.headers)
    return answer
