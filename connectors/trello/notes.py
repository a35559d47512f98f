"""What phaseloop writes on people's cards: a comment, and sections of a text where nobody wrote but we."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from connectors.errors import NotATracker, NotVisible, PermissionMissing
from connectors.records import Fill, Filled, text_digest
from connectors.trello.client import TrelloClient, segment
from connectors.trello.history import happened_to
from connectors.trello.layout import TEXT_LIMIT, Layout
from connectors.trello.mapping import Card, card_of
from connectors.trello.markup import TextPart, continues, description, marks, part_of, whole, without_marker
from connectors.trello.people import members_of
from connectors.trello.sections import written_into
from connectors.values import RemoteRef

_T = TypeVar("_T")

_AT = re.compile(r"(?<![\w@/])@(?=\w)")
_ADDRESSED = re.compile(r"\A(?:@[0-9A-Za-z_]+[ \t]*)+(?:\n|\Z)")
_COMMENT_LIMIT = TEXT_LIMIT - 1024
"""Room is left for the names of those whom a comment is addressed to."""
_SILENT_AT = "@\u200b"
"""A sign that looks the same and notifies nobody."""


class Noter:
    """Writes comments and sections on the cards of one board. `me` tells the id of the account that writes."""

    def __init__(self, client: TrelloClient, me: Callable[[], str]) -> None:
        self._client = client
        self._me = me

    # --- comments ---

    def comment(self, layout: Layout, ref: RemoteRef, text: str, mentions: Sequence[str]) -> str:
        """See `Tracker.comment`. Whoever is not on the board cannot be notified there, and is left out."""
        said = _shortened(_AT.sub(_SILENT_AT, text.strip()))
        if there := self._was_said(ref, said):
            return there
        names = self._usernames(layout, mentions) if mentions else []
        first = " ".join(f"@{name}" for name in names)
        body = f"{first}\n\n{said}" if first else said
        made = self._write(ref, "commented on", "POST", f"cards/{segment(ref.id)}/actions/comments", {"text": body})
        return str(made.get("id") or "") if isinstance(made, dict) else ""

    def _was_said(self, ref: RemoteRef, text: str) -> str:
        """The comment in which we said this, empty if there is none."""
        me, digest = self._me(), text_digest(text)
        theirs = _of_card(ref, "read", lambda: happened_to(self._client, ref.id, "commentCard", "data,idMemberCreator"))
        mine = (one for one in theirs if one.get("idMemberCreator") == me)
        return next((str(one["id"]) for one in mine if text_digest(_ADDRESSED.sub("", _said(one))) == digest), "")

    def _usernames(self, layout: Layout, people: Sequence[str]) -> list[str]:
        names = {str(one["id"]): str(one.get("username") or "") for one in members_of(self._client, layout.board_id)}
        return [name for person in dict.fromkeys(people) if (name := names.get(person))]

    # --- sections ---

    def fill(self, ref: RemoteRef, fills: Sequence[Fill]) -> Filled:
        """See `Tracker.fill`. A text that would no longer fit into a card and its comments is left as it is."""
        card = self._read(ref)
        goes_on = continues(card.desc)
        parts = self._parts(ref) if goes_on else {}
        raw = whole(card.desc, [part for part, _ in parts.values()]) if goes_on else card.desc
        found = written_into(raw, fills)
        if found.text != raw:
            if not goes_on and len(found.text) <= TEXT_LIMIT:
                self._write(ref, "filled in", "PUT", f"cards/{segment(ref.id)}", {"desc": found.text})
            elif not self._write_long(ref, card, found.text):
                return Filled((), tuple(fill.heading for fill in fills), text_digest(without_marker(raw)))
        return Filled(found.written, found.left, text_digest(without_marker(found.text)))

    def _read(self, ref: RemoteRef) -> Card:
        path = f"cards/{segment(ref.id)}"
        answer = _of_card(ref, "read", lambda: self._client.get_object(path, {"fields": "desc"}))
        card = card_of(answer)
        if card is None or "desc" not in answer:
            raise NotATracker(f"{self._client.host} answered with a card without its text.", request=f"GET /1/{path}")
        return card

    def _parts(self, ref: RemoteRef) -> dict[int, tuple[TextPart, str]]:
        """The comments that hold the rest of the text, each with its id, by their number; of two the newer one."""
        actions = happened_to(self._client, ref.id, "commentCard", "data")
        found = {part.number: (part, str(one["id"])) for one in actions if (part := part_of(_said(one)))}
        return {number: found[number] for number in sorted(found)}

    def _write_long(self, ref: RemoteRef, card: Card, text: str) -> bool:
        """Write a text that needs comments; False where that cannot be kept whole, or nobody knows whose it is."""
        mark, words = marks(card.desc), without_marker(text)
        if mark is None:
            return False
        desc, comments = description(words, *mark)
        parts = [part for one in comments if (part := part_of(one)) is not None]
        if text_digest(whole(desc, parts)) != text_digest(words):
            return False
        there = self._parts(ref)
        path = f"cards/{segment(ref.id)}"
        # The comments first: until the description says that it continues, they are part of nothing.
        for part, comment in zip(parts, comments, strict=True):
            before, identity = there.get(part.number, (None, ""))
            if before is None:
                self._write(ref, "filled in", "POST", f"{path}/actions/comments", {"text": comment})
            elif before != part:
                place = f"{path}/actions/{segment(identity)}/comments"
                self._write(ref, "filled in", "PUT", place, {"text": comment})
        self._write(ref, "filled in", "PUT", path, {"desc": desc})
        return True

    def _write(self, ref: RemoteRef, done: str, method: str, path: str, body: Mapping[str, Any]) -> Any:
        return _of_card(ref, done, lambda: self._client.write(method, path, body))


def _of_card(ref: RemoteRef, done: str, call: Callable[[], _T]) -> _T:
    """The result of a call, or its error with the card's name in it."""
    try:
        return call()
    except NotVisible as error:
        raise NotVisible(
            f"The card {ref.key} is gone, or the connection's account may not see it.",
            fix="If nobody deleted it, a member of its board lets that account in.",
            request=error.request,
            status=error.status,
        ) from error
    except PermissionMissing as error:
        raise PermissionMissing(
            f"The card {ref.key} could not be {done}: the connection's account may not do that on its board.",
            fix="Make its token with the scope write as well as read, and have an admin of the board make the account"
            " a normal member, with comments allowed.",
            request=error.request,
            status=error.status,
        ) from error


def _said(action: Mapping[str, Any]) -> str:
    data = action.get("data")
    return str(data.get("text") or "") if isinstance(data, dict) else ""


def _shortened(text: str) -> str:
    """A comment that fits, whomever it is addressed to."""
    return text if len(text) <= _COMMENT_LIMIT else text[: _COMMENT_LIMIT - 1].rstrip() + "…"
