"""The HTTP side that all vendors of the sandbox share: a path table, the call a handler gets, answers and pages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypeVar

from sandbox.jira import errors
from sandbox.jira.errors import ApiError
from sandbox.jira.views import View

if TYPE_CHECKING:
    from sandbox.jira.state import Site, User

Handler = Callable[["Call"], Awaitable[Response]]
H = TypeVar("H", default=Handler)  # other vendors' handlers take another call

JSON_TYPE = "application/json;charset=UTF-8"


def answer(body: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer, or an empty one for 204 and for bodies of None."""
    if body is None:
        return Response(status_code=status, headers=headers)
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(
        content, status_code=status, media_type=None, headers={"content-type": JSON_TYPE, **(headers or {})}
    )


def no_content() -> Response:
    """204."""
    return Response(status_code=204)


def broken_off() -> Response:
    """What stands in the log for a request whose client left before all of it had come. Nobody is there to read it."""
    return Response(status_code=400)


class Call:
    """One request as a handler sees it."""

    def __init__(self, request: Request, site: Site, user: User | None, path: dict[str, str]) -> None:
        self.request = request
        self.site = site
        self.user = user
        self.path = path
        self.prefix = ""
        self.gateway = ""  # the start of the path of calls that came by way of it

    @property
    def version(self) -> int:
        """2 where rich text is wiki markup (``/rest/api/2`` and ``latest``, and the agile routes), otherwise 3."""
        return 3 if self.prefix.startswith("/rest/api/3") else 2

    @property
    def api(self) -> str:
        """The prefix that ``self`` links of platform resources carry in this answer."""
        return "/rest/api/3" if self.version == 3 else "/rest/api/2"

    @property
    def view(self) -> View:
        """Builds answers for this call: on its host, in its version, for its caller."""
        return View(self.site, self.url("") + self.gateway, self.version, self.user)

    def caller(self) -> User:
        """Who calls; 401 for nobody."""
        if self.user is None:
            raise errors.unauthenticated()
        return self.user

    def url(self, path: str) -> str:
        """An absolute address on the host that the client used."""
        base = self.request.base_url
        gateway = self.gateway if path.startswith("/rest/") else ""
        return f"{base.scheme}://{base.netloc}{gateway}{path}"

    def link(self, path: str) -> str:
        """An absolute address of a platform resource in the version of this call."""
        return self.url(self.api + path)

    # -- query ---------------------------------------------------------------------------------------------------

    def query(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter; an empty one counts as absent."""
        return self.request.query_params.get(name) or default

    def query_list(self, name: str) -> list[str]:
        """All values of a parameter, which may be repeated, comma-separated, or both."""
        values = self.request.query_params.getlist(name)
        return [part.strip() for value in values for part in value.split(",") if part.strip()]

    def query_int(self, name: str, default: int, *, low: int = 0, high: int | None = None) -> int:
        """A whole number, held to its bounds; 400 for anything else."""
        raw = self.query(name)
        if raw is None:
            return default
        try:
            value = int(raw)
        except ValueError:
            raise ApiError(400, f"The value of the query parameter '{name}' is not a number: {raw}") from None
        value = max(value, low)
        return value if high is None else min(value, high)

    def query_bool(self, name: str, *, default: bool = False) -> bool:
        """True for ``true``, otherwise false."""
        raw = self.query(name)
        return default if raw is None else raw.lower() == "true"

    # -- body ----------------------------------------------------------------------------------------------------

    async def body(self) -> Any:
        """The JSON body; refused with the vendor's words when it is not JSON or not declared so."""
        raw = await self.request.body()
        kind = self.request.headers.get("content-type", "").split(";")[0].strip().lower()
        if raw and kind and kind != "application/json":
            raise ApiError(415, "Unsupported Media Type", bare=True)
        try:
            return json.loads(raw)
        except ValueError:
            raise ApiError(400, errors.BAD_JSON, bare=True) from None

    async def members(self, allowed: Iterable[str] | None = None, required: Iterable[str] = ()) -> dict[str, Any]:
        """The body as an object. Members outside ``allowed`` are refused, as are ``required`` ones that are absent."""
        body = await self.body()
        if not isinstance(body, dict):
            raise errors.invalid_payload()
        if allowed is not None and set(body) - set(allowed):
            raise errors.invalid_payload()
        if any(name not in body for name in required):
            raise errors.invalid_payload()
        return body


@dataclass
class _Node(Generic[H]):
    literal: dict[str, _Node[H]] = field(default_factory=dict)
    wildcard: _Node[H] | None = None
    handlers: dict[str, tuple[H, list[str], str]] = field(default_factory=dict)


class Routes(Generic[H]):
    """The handlers of one module, registered under one or several prefixes."""

    def __init__(self, *prefixes: str) -> None:
        self.prefixes = prefixes
        self.entries: list[tuple[str, str, H]] = []

    def on(self, method: str, *paths: str) -> Callable[[H], H]:
        """Register a handler for a method and one or several paths below each prefix."""

        def register(handler: H) -> H:
            self.entries.extend((method, path, handler) for path in paths)
            return handler

        return register

    def get(self, *paths: str) -> Callable[[H], H]:
        """Register a reader."""
        return self.on("GET", *paths)

    def post(self, *paths: str) -> Callable[[H], H]:
        """Register a POST handler."""
        return self.on("POST", *paths)

    def put(self, *paths: str) -> Callable[[H], H]:
        """Register a PUT handler."""
        return self.on("PUT", *paths)

    def delete(self, *paths: str) -> Callable[[H], H]:
        """Register a DELETE handler."""
        return self.on("DELETE", *paths)


class PathTable(Generic[H]):
    """Finds the handler of a path in steps of one segment; literal segments win over ``{named}`` ones."""

    def __init__(self, tables: Sequence[Routes[H]]) -> None:
        self._root: _Node[H] = _Node()
        for table in tables:
            for prefix in table.prefixes:
                for method, path, handler in table.entries:
                    self._add(method, prefix, path, handler)

    def _add(self, method: str, prefix: str, path: str, handler: H) -> None:
        node, names = self._root, []
        for segment in (prefix + path).strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.wildcard = node.wildcard or _Node()
                node = node.wildcard
            else:
                node = node.literal.setdefault(segment, _Node())
        if method in node.handlers:
            raise ValueError(f"{method} {prefix}{path} is registered twice")
        node.handlers[method] = (handler, names, prefix)

    def find(self, method: str, path: str) -> tuple[H, dict[str, str], str] | None:
        """The handler, its path parameters and the prefix it was registered under."""
        segments = path.strip("/").split("/")
        found = self._walk(self._root, segments, 0, method, [])
        if found is None:
            return None
        (handler, names, prefix), values = found
        return handler, dict(zip(names, values, strict=True)), prefix

    def methods(self, path: str) -> list[str]:
        """What a path can be asked with, HEAD and OPTIONS included; nothing for an unknown path."""
        known = [method for method in ("GET", "POST", "PUT", "DELETE") if self.find(method, path) is not None]
        return [*known, *(["HEAD"] if "GET" in known else []), "OPTIONS"] if known else []

    def _walk(
        self, node: _Node[H], segments: list[str], at: int, method: str, values: list[str]
    ) -> tuple[tuple[H, list[str], str], list[str]] | None:
        if at == len(segments):
            entry = node.handlers.get(method)
            return (entry, values) if entry else None
        child = node.literal.get(segments[at])
        if child is not None:
            found = self._walk(child, segments, at + 1, method, values)
            if found is not None:
                return found
        if node.wildcard is not None and segments[at]:
            return self._walk(node.wildcard, segments, at + 1, method, [*values, segments[at]])
        return None


def unknown_path(request: Request) -> Response:
    """The answer to a method and path that the vendor does not serve (observed)."""
    path = request.url.path
    body = {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": f"No endpoint {request.method} {path}.",
        "instance": path,
    }
    return Response(json.dumps(body), status_code=404, headers={"content-type": "application/problem+json"})


def stamp(response: Response) -> Response:
    """Add the headers that every answer of the vendor carries."""
    trace = uuid.uuid4().hex
    response.headers.setdefault("X-AREQUESTID", trace)
    response.headers.setdefault("Atl-Traceid", trace)
    response.headers.setdefault("Cache-Control", "no-cache, no-store, no-transform")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


def page(
    call: Call,
    items: Sequence[Any],
    build: Callable[[Any], Any],
    *,
    default: int = 50,
    cap: int = 100,
    key: str = "values",
) -> dict[str, Any]:
    """A page bean by ``startAt`` and ``maxResults``: self, nextPage, maxResults, startAt, total, isLast and values."""
    start = call.query_int("startAt", 0)
    size = call.query_int("maxResults", default, high=cap)
    part = items[start : start + size]
    last = start + len(part) >= len(items)
    body: dict[str, Any] = {
        "self": str(call.request.url),
        "maxResults": size,
        "startAt": start,
        "total": len(items),
        "isLast": last,
        key: [build(item) for item in part],
    }
    if not last:
        url = call.request.url.include_query_params(startAt=start + len(part), maxResults=size)
        body["nextPage"] = str(url)
    return body
