"""Finding the board of a project, and creating one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors.addresses import is_loopback
from connectors.errors import (
    CredentialsRefused,
    NotATracker,
    NotVisible,
    OutcomeUnknown,
    SeveralMeant,
    TrackerRefused,
)
from connectors.trello.client import TrelloClient, segment
from connectors.trello.layout import CAPABILITIES, Layout
from connectors.trello.mapping import account
from connectors.trello.markup import OF_BOARD, marked, marks
from connectors.trello.memory import BOARD
from connectors.trello.settings import CLOUD, TrelloSettings
from connectors.values import UNMADE, Account, Identity, Place, ProjectSpec, RemoteRef

_BOARD_FIELDS = "name,desc,closed,url,shortLink,idOrganization"
_ME: dict[str, str | int] = {
    "fields": "username,fullName,email",
    "boards": "all",
    "board_fields": _BOARD_FIELDS,
    "organizations": "all",
    "organization_fields": "name,displayName,limits,products",
}
_ADDRESS = re.compile(r"^\s*(?:https?://)?[^/\s]+/b/([0-9A-Za-z]{8,24})(?:[/?#]|\s*$)")
_ADDRESSABLE = re.compile(r"[0-9a-f]{24}|[0-9A-Za-z]{8}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an account sees: itself, its boards and its workspaces."""

    me: Account
    boards: tuple[dict[str, Any], ...]
    workspaces: tuple[dict[str, Any], ...]

    def workspace(self, name: str) -> dict[str, Any] | None:
        """The workspace of that short name, id or shown name; None if this account is in no such one."""
        wanted = name.casefold()
        return next(
            (
                one
                for one in self.workspaces
                if wanted in {str(one.get(field) or "").casefold() for field in ("id", "name", "displayName")}
            ),
            None,
        )


class Locator:
    """Finds the board of a spec by its id, its short link, the key it was made for, or its name."""

    def __init__(self, client: TrelloClient, settings: TrelloSettings) -> None:
        self._client = client
        self._settings = settings
        self._seen: Surroundings | None = None

    def surroundings(self, *, anew: bool = False) -> Surroundings:
        """Who we are and what we see: one request, none if it was asked before and not `anew`."""
        if self._seen is None or anew:
            answer = self._client.get_object("members/me", _ME)
            me = account(answer)
            if me is None:
                raise NotATracker(
                    f"{self._client.host} does not say which account this is.",
                    fix="Check the connection's URL; the API's own is https://api.trello.com.",
                    request="GET /1/members/me",
                )
            for name in ("boards", "organizations"):
                if not isinstance(answer.get(name), list):  # not everybody answers with what is nested
                    answer[name] = self._client.get_list(f"members/me/{name}", {"filter": "all"})
            self._seen = Surroundings(me, _objects(answer["boards"]), _objects(answer["organizations"]))
        return self._seen

    @property
    def site(self) -> str:
        """What the site is known by: there is one Trello, and a stand-in is known by its address."""
        address = urlsplit(self._settings.url)
        host = "this machine" if is_loopback(address.hostname or "") else address.hostname
        return "trello" if self._settings.url == CLOUD else f"trello:{host}:{address.port or ''}{address.path}"

    def identify(self, spec: ProjectSpec) -> Identity:
        """Which board an id or a key means; one that does not exist by its key and where it would be made: only there
        can another account see it."""
        board = self._with_id(spec) if spec.id else self.board(spec.key, anew=True)
        if board is not None:
            key, memory = spelled(spec.key, board, _named_before(spec)), {BOARD: {"name": str(board.get("name") or "")}}
            return Identity(self.site, str(board["id"]), key, _url(board), memory=memory)
        key, where = " ".join(spec.key.split()), self.surroundings().me.id
        if self._settings.workspace:
            workspace = self.surroundings().workspace(self._settings.workspace)
            where = str(workspace["id"]) if workspace is not None else self._settings.workspace.casefold()
        return Identity(self.site, f"{UNMADE}{where}:{key.casefold()}", key, exists=False)

    def locate(self, spec: ProjectSpec) -> Place | None:
        """The place of the board, None if this account sees no such board. Raises `SeveralMeant` when several boards
        are."""
        board = self._with_id(spec) if spec.id else self.board(spec.key, anew=True)
        return place_of(spec, board, self.site) if board is not None else None

    def _with_id(self, spec: ProjectSpec) -> dict[str, Any] | None:
        """The board of that id, whatever it is called. A closed one was removed, unless it is named for what it is."""
        boards = self.surroundings(anew=True).boards
        found = next((one for one in boards if one["id"] == spec.id), None) or self._addressed(spec.id)
        is_named = found is not None and _addressed_by(spec.key) in {found["id"], found.get("shortLink")}
        return found if found is not None and (is_named or found.get("closed") is not True) else None

    def board(self, key: str, *, anew: bool = False) -> dict[str, Any] | None:
        """The board that a key means, with the fields of a listing: its id, its short link or address, the key that it
        was made for, or its name. A closed board is meant by its id or short link only: closing is how a project's
        board is removed, and the next one may go by the same key and name. A board that was made for the key and is
        called otherwise now is meant no more than another one that is called so."""
        boards = self.surroundings(anew=anew).boards
        link = _addressed_by(key)
        made, named = _called(key, [one for one in boards if one.get("closed") is not True])
        if made and not any(one in named for one in made):
            made = [*made, *named]
        for found in ([one for one in boards if link in {one["id"], one.get("shortLink")}], made, named):
            if len(found) > 1:
                where = ", ".join(f"{one.get('name')!r} ({one.get('url')})" for one in found)
                raise SeveralMeant(
                    f"Several boards are called {key!r}, or were made under that name: {where}.",
                    fix="Name the board by the eight characters in its address after /b/.",
                )
            if found:
                return found[0]
        return self._addressed(link) if _ADDRESSABLE.fullmatch(link) else None

    def is_closed(self, spec: ProjectSpec) -> bool:
        """Whether the board of this id is closed or, without an id, one that goes by this key or name; for when there
        is no open one."""
        boards = [one for one in self.surroundings().boards if one.get("closed") is True]
        if spec.id:
            return any(one["id"] == spec.id for one in boards)
        return any(_called(spec.key, boards))

    def _addressed(self, key: str) -> dict[str, Any] | None:
        """A board that this account is not a member of, but may see."""
        try:
            return self._client.get_object(f"boards/{segment(key)}", {"fields": _BOARD_FIELDS})
        except CredentialsRefused:
            raise
        except TrackerRefused:
            return None

    def create(self, spec: ProjectSpec) -> Place:
        """Make an empty board; its lists and labels are made when the first cards need them."""
        body: dict[str, Any] = {
            "name": spec.name.strip() or spec.key,
            "desc": marked(f"Made by phaseloop for the project {spec.key}.", OF_BOARD, spec.key),
            "defaultLists": "false",
            "defaultLabels": "false",
            "prefs_permissionLevel": "private",
        }
        if self._settings.workspace:
            workspace = self.surroundings().workspace(self._settings.workspace)
            if workspace is None:
                raise NotVisible(
                    f"The connection's account is in no workspace {self._settings.workspace!r}.",
                    fix="Check the workspace in the connection's settings, or have the account let in there.",
                )
            body |= {"idOrganization": workspace["id"], "prefs_permissionLevel": "org"}
        answer = self._client.write("POST", "boards/", body)
        self._seen = None
        if not isinstance(answer, dict) or not answer.get("id"):
            raise OutcomeUnknown(
                f"{self._client.host} answered the creation of a board without its id: it may exist.",
                fix="phaseloop looks for it before it continues.",
                request="POST /1/boards/",
            )
        return place_of(spec, answer, self.site)


def _addressed_by(key: str) -> str:
    """The short link or id in a board's address; what is no address is taken as it is."""
    address = _ADDRESS.match(key)
    return address[1] if address else key.strip()


def _called(key: str, boards: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The boards that were made for a key, and those of that name."""
    return (
        [one for one in boards if (made := _made_for(one)) is not None and made.casefold() == _plain(key)],
        [one for one in boards if _plain(str(one.get("name") or "")) == _plain(key)],
    )


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _made_for(board: Mapping[str, Any]) -> str | None:
    """The key of the project that a board was made for."""
    mark = marks(str(board.get("desc") or ""))
    return mark[1] if mark is not None and mark[0] == OF_BOARD else None


def spelled(key: str, board: Mapping[str, Any], before: str = "") -> str:
    """How a key is spelled that means this board: as its id or short link, as its name, as the key it was made for.
    `before` is the name that the board had; a key that was this name goes along with it, also where the board was made
    for it: people call it otherwise now."""
    link = _addressed_by(key)
    if link in {board["id"], board.get("shortLink")}:
        return link
    name, made = str(board.get("name") or ""), _made_for(board)
    if name and before and _plain(key) == _plain(before) != _plain(name):
        return name
    if made is not None and made.casefold() == _plain(key):
        return made
    return name if _plain(key) in {_plain(name), _plain(before)} and name else key


def _named_before(spec: ProjectSpec) -> str:
    """The name that the board had when it was seen last."""
    return str(spec.memory.get(BOARD, {}).get("name") or "")


def _url(board: Mapping[str, Any]) -> str:
    return str(board.get("url") or board.get("shortUrl") or "")


def place_of(spec: ProjectSpec, board: dict[str, Any], site: str) -> Place:
    """The place that a board is."""
    url, name = _url(board), str(board.get("name") or "")
    key = spelled(spec.key, board, _named_before(spec))
    layout = Layout(uid=spec.uid, key=key, board_id=str(board["id"]), url=url, name=name)
    return Place(
        RemoteRef(layout.board_id, key, url),
        CAPABILITIES,
        url,
        layout.model_dump(mode="json", exclude={"memory"}),
        site,
        spec.memory,
        title=name,
    )


def _objects(values: Any) -> tuple[dict[str, Any], ...]:
    return tuple(one for one in values if isinstance(one, dict) and one.get("id")) if isinstance(values, list) else ()
