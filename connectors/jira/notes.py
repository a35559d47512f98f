"""What phaseloop writes on people's tickets: a comment, and sections of a text where nobody wrote but we.

Both go through version 3 of the interface, whose rich text is a tree of nodes: what is not ours goes back as it came,
node for node, so that a mention, a panel or a picture of people's survives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import ItemRejected, NotVisible, PermissionMissing, TrackerError
from connectors.jira.adf import children, words
from connectors.jira.adf_writing import addressed, document, to_adf, without_headings
from connectors.jira.client import PLATFORM, JiraClient, segment
from connectors.jira.documents import read_text
from connectors.jira.layout import Layout
from connectors.jira.mapping import account, fields_of
from connectors.jira.markup import DESCRIPTION_LIMIT, DONE_MEANS
from connectors.jira.paging import by_index
from connectors.jira.removal import is_gone
from connectors.records import Fill, Filled, text_digest
from connectors.values import RemoteRef

RICH = "{server}/rest/api/3/{path}"
"""The root of version 3, as the library writes addresses."""

_COMMENTS_PAGE = 100
_NUMBERED = re.compile(r"\d{1,4}[^\w\s]?\s*(?=\w)")


class Notary:
    """Writes comments and sections on the tickets of one project."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client
        self._me = ""

    def comment(self, layout: Layout, ref: RemoteRef, text: str, mentions: Sequence[str]) -> str:
        """See `Tracker.comment`."""
        blocks = to_adf(text)
        path = f"issue/{segment(ref.id)}/comment"
        if said := self._said(ref, path, words(*blocks)):
            return said
        body = {"body": document(addressed(blocks, list(dict.fromkeys(mentions))))}
        try:
            answer = self._client.write("POST", path, body, base=RICH)
        except PermissionMissing as error:
            raise _not_permitted(layout, ref, "commented on", "Add comments", error) from error
        except TrackerError as error:
            raise _of_ticket(ref, error) from error
        return _id_of(answer.body)

    def _said(self, ref: RemoteRef, path: str, text: list[str]) -> str:
        """The comment in which this account said the same on the ticket, newest first, empty if there is none; whom it
        was addressed to does not matter."""
        me = self._myself()
        newest: dict[str, str | int] = {"orderBy": "-created"}
        try:
            for one in by_index(self._client, path, ("comments",), params=newest, size=_COMMENTS_PAGE, base=RICH):
                author = one.get("author")
                ours = isinstance(author, Mapping) and author.get("accountId") == me
                if ours and words(*_unaddressed(one.get("body"))) == text:
                    return _id_of(one)
        except TrackerError as error:
            raise _of_ticket(ref, error) from error
        return ""

    def _myself(self) -> str:
        if not self._me:
            person = account(self._client.get_object("myself"))
            self._me = person.id if person else ""
        return self._me

    def fill(self, layout: Layout, ref: RemoteRef, fills: Sequence[Fill]) -> Filled:
        """See `Tracker.fill`."""
        path = f"issue/{segment(ref.id)}"
        text = self._description(ref, path, RICH)
        filling = Filling(children(text), fills)
        if filling.changed:
            whole = {**(text if isinstance(text, Mapping) else {}), **document(filling.nodes)}
            try:
                self._client.write("PUT", path, {"fields": {"description": whole}}, base=RICH, empty=True)
            except PermissionMissing as error:
                raise _not_permitted(layout, ref, "filled in", "Edit issues", error) from error
            except ItemRejected as error:
                raise _not_filled(ref, error) from error
            except TrackerError as error:
                raise _of_ticket(ref, error) from error
        # The digest is of the text as it is read for evidence, in the other version: Jira makes that, not we.
        digest = text_digest(read_text(self._description(ref, path, PLATFORM))[0])
        return Filled(tuple(filling.written), tuple(filling.left), digest)

    def _description(self, ref: RemoteRef, path: str, base: str) -> Any:
        try:
            issue = self._client.get_object(path, {"fields": "description"}, base=base)
        except TrackerError as error:
            raise _of_ticket(ref, error) from error
        return fields_of(issue).get("description")


def _of_ticket(ref: RemoteRef, error: TrackerError) -> TrackerError:
    """An error with the ticket's name in it, where it says no more than that something is gone."""
    if not is_gone(error):
        return error
    return NotVisible(
        f"The ticket {ref.key} is gone, or the connection's account may not see it.",
        fix="If nobody deleted it, an administrator of the project lets that account browse it.",
        request=error.request,
        status=error.status,
    )


def _id_of(comment: Any) -> str:
    return str(comment.get("id") or "") if isinstance(comment, Mapping) else ""


def _not_permitted(layout: Layout, ref: RemoteRef, done: str, permission: str, error: TrackerError) -> TrackerError:
    return PermissionMissing(
        f'{ref.key} could not be {done}: the connection\'s account lacks the "{permission}" permission in project'
        f" {layout.project_key}.",
        fix=f'An administrator of the project grants "{permission}" to that account, in {layout.project_key}.',
        request=error.request,
        status=error.status,
    )


def _not_filled(ref: RemoteRef, error: ItemRejected) -> ItemRejected:
    return ItemRejected(
        f"{ref.key} could not be filled in: {'; '.join(map(str, error.problems))}.",
        error.problems,
        fix=f"Shorten the ticket's text if it is long: Jira keeps {DESCRIPTION_LIMIT:,} characters of it.",
        request=error.request,
        status=error.status,
    )


# --- pure ------------------------------------------------------------------------------------------------------------


def _unaddressed(body: Any) -> list[Mapping[str, Any]]:
    """The blocks of a comment but for a first line that only names people."""
    blocks = children(body)
    first = children(blocks[0]) if blocks else []
    names = any(one.get("type") == "mention" for one in first)
    only = all(one.get("type") == "mention" or not str(one.get("text") or "").strip() for one in first)
    return blocks[1:] if names and only else blocks


class Filling:
    """What a text becomes when fills are written into it: its top-level `nodes`, and by their headings the fills that
    are `written`, now or before, and those that are `left`. `changed` says whether anything differs.

    A section begins at a heading and goes up to the next one of its level or above, or to another heading of ours.
    A heading that is there twice is nobody's to write under.
    """

    def __init__(self, nodes: Sequence[Mapping[str, Any]], fills: Sequence[Fill]) -> None:
        self.nodes: list[Mapping[str, Any]] = list(nodes)
        self.written: list[str] = []
        self.left: list[str] = []
        self.changed = False
        self._ours = {_called(fill.heading) for fill in fills} | {_called(DONE_MEANS)}
        for fill in fills:
            (self.written if self._fill(fill) else self.left).append(fill.heading)

    def _fill(self, fill: Fill) -> bool:
        places = [place for place, node in enumerate(self.nodes) if _heading(node) == _called(fill.heading)]
        if len(places) != 1:
            return False
        start, end = places[0] + 1, self._end(places[0])
        blocks = without_headings(to_adf(fill.body))
        there, wanted = words(*self.nodes[start:end]), words(*blocks)
        if there == wanted:
            return True
        if there and there not in [words(*without_headings(to_adf(former))) for former in fill.former]:
            return False
        self.nodes[start:end] = blocks
        self.changed = True
        return True

    def _end(self, place: int) -> int:
        level = _level(self.nodes[place])
        for end in range(place + 1, len(self.nodes)):
            node = self.nodes[end]
            if node.get("type") == "heading" and (_level(node) <= level or _heading(node) in self._ours):
                return end
        return len(self.nodes)


def _heading(node: Mapping[str, Any]) -> str | None:
    return _words_of(node) if node.get("type") == "heading" else None


def _called(heading: str) -> str:
    """A heading by its words alone: its number, its signs and its letters' case aside."""
    return _words_of({"type": "text", "text": heading})


def _words_of(node: Mapping[str, Any]) -> str:
    said = " ".join(words(node)).casefold()
    ends = [place for place, char in enumerate(said) if char.isalnum()]
    bare = said[ends[0] : ends[-1] + 1] if ends else said
    number = _NUMBERED.match(bare)
    return bare[number.end() :] if number else bare


def _level(node: Mapping[str, Any]) -> int:
    attrs = node.get("attrs")
    level = attrs.get("level") if isinstance(attrs, Mapping) else None
    return level if isinstance(level, int) else 1
