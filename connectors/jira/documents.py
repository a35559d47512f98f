"""A ticket as Jira tells it, made into evidence. Pure: answers in, values out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors.jira.adf import from_adf
from connectors.jira.layout import Layout
from connectors.jira.mapping import fields_of, instant, issue_ref, status_of
from connectors.jira.wiki import from_wiki
from connectors.records import TEXT_READ, Attachment, Comment, Document, Edit, Part, Step, WebLink, text_digest
from connectors.values import ItemKey

READ = ("summary", "description", "status", "labels", "assignee", "creator", "created", "comment", "attachment")
"""The issue fields that a document is made of."""

REMOTE_LINK = frozenset({"remoteworkitemlink", "remoteissuelink"})
"""What the history calls a web link, now and in older entries."""

_SAME_MOMENT = timedelta(seconds=1)
"""A comment's two times differ by less where nobody edited it."""


@dataclass(frozen=True, slots=True)
class History:
    """What the changes of an issue tell, oldest first; `categories` is what a status comes to, by its id."""

    entries: Sequence[Mapping[str, Any]] = ()
    categories: Mapping[str, str] = field(default_factory=dict)

    @property
    def moved(self) -> bool:
        """Whether the status ever changed."""
        return any(_names(item, "status") for _, item in self._items())

    @property
    def names_links(self) -> bool:
        """Whether a web link was ever put on the issue."""
        return any(_field(item) in REMOTE_LINK for _, item in self._items())

    def edits(self) -> tuple[Edit, ...]:
        """The changes of the description."""
        found = []
        for entry, item in self._items():
            if (at := instant(entry.get("created"))) is not None and _names(item, "description"):
                digest = text_digest(read_text(item.get("toString"))[0]) if "toString" in item else ""
                found.append(Edit(*_who(entry.get("author")), at, digest))
        return tuple(found)

    def steps(self) -> tuple[Step, ...]:
        """The changes of what the status comes to; a status that is no more tells nothing."""
        found = []
        for entry, item in self._items():
            after = self.categories.get(str(item.get("to")))
            before = self.categories.get(str(item.get("from")))
            at = instant(entry.get("created"))
            if _names(item, "status") and after is not None and after != before and at is not None:
                found.append(Step(after, *_who(entry.get("author")), at))
        return tuple(found)

    def link_made(self, link_id: str) -> tuple[str, datetime | None]:
        """Who put a web link there and when; empty and None where it is not told."""
        found: tuple[str, datetime | None] = ("", None)
        for entry, item in self._items():
            if _field(item) in REMOTE_LINK and str(item.get("to")) == link_id:
                found = _who(entry.get("author"))[0], instant(entry.get("created"))
        return found

    def _items(self) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        for entry in self.entries:
            for item in entry.get("items") or ():
                if isinstance(item, Mapping):
                    yield entry, item


def _field(item: Mapping[str, Any]) -> str:
    return str(item.get("field") or "").casefold()


def _names(item: Mapping[str, Any], field_id: str) -> bool:
    """Whether an item of the history is of a field of Jira's own."""
    return field_id == item.get("fieldId") or (not item.get("fieldId") and _field(item) == field_id)


def _who(person: Any) -> tuple[str, str]:
    """An account's id and the name that Jira shows; empty for one that is gone, or Jira itself."""
    if not isinstance(person, Mapping):
        return "", ""
    return str(person.get("accountId") or ""), str(person.get("displayName") or "")


def read_text(value: Any) -> tuple[str, bool]:
    """Rich text of either version as Markdown, and whether there was more than is read."""
    if isinstance(value, str):
        text, long = from_wiki(value[: 2 * TEXT_READ]), len(value) > 2 * TEXT_READ
    else:
        text, long = from_adf(value), False
    return text[:TEXT_READ], long or len(text) > TEXT_READ


def lacks_comments(issue: Mapping[str, Any]) -> bool:
    """Whether there are more comments than came with the issue."""
    page = fields_of(issue).get("comment")
    total = page.get("total") if isinstance(page, Mapping) else None
    return isinstance(total, int) and total > len(_list(page, "comments"))


def document(
    layout: Layout,
    issue: Mapping[str, Any],
    history: History,
    *,
    key: ItemKey | None,
    links: Sequence[Any] | None,
    comments: Sequence[Any] | None = None,
) -> Document:
    """An issue as evidence. `links` are its web links as Jira tells them, None where they are not known; `comments` are
    all its comments where they were read apart, because more were told of than came along."""
    values = fields_of(issue)
    text, cut = read_text(values.get("description"))
    page = values.get("comment")
    told = comments if comments is not None else _list(page, "comments")
    gaps = {
        Part.TEXT: "description" not in values,
        Part.COMMENTS: not isinstance(page, Mapping) or (comments is None and lacks_comments(issue)),
        Part.LINKS: links is None,
    }
    return Document(
        ref=issue_ref(layout, issue),
        title=str(values.get("summary") or ""),
        text=text,
        digest=text_digest(text),
        status=status_of(values.get("status")),
        key=key,
        labels=tuple(sorted(str(one) for one in values.get("labels") or ())),
        assignee=_who(values.get("assignee"))[0] or None,
        created_by=_who(values.get("creator"))[0],
        created_at=instant(values.get("created")),
        comments=_comments(told),
        attachments=tuple(_attachment(layout, one) for one in _mappings(values.get("attachment"))),
        links=tuple(one for link in _mappings(links) if (one := _web_link(link, history)) is not None),
        edits=history.edits(),
        steps=history.steps(),
        unread=tuple(part for part, gap in gaps.items() if gap),
        cut=cut,
    )


def _list(page: Any, name: str) -> list[Any]:
    found = page.get(name) if isinstance(page, Mapping) else None
    return found if isinstance(found, list) else []


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    return [one for one in values or () if isinstance(one, Mapping)]


def _comments(told: Sequence[Any]) -> tuple[Comment, ...]:
    found = (one for entry in _mappings(told) if (one := _comment(entry)) is not None)
    return tuple(sorted(found, key=lambda one: one.at))


def _comment(entry: Mapping[str, Any]) -> Comment | None:
    at, edited = instant(entry.get("created")), instant(entry.get("updated"))
    restricted = entry.get("visibility") is not None or entry.get("jsdPublic") is False
    if restricted or at is None or entry.get("id") is None:  # evidence is for others to read than those few
        return None
    changed = edited is not None and edited - at >= _SAME_MOMENT
    return Comment(
        str(entry["id"]), *_who(entry.get("author")), read_text(entry.get("body"))[0], at, edited if changed else None
    )


def _attachment(layout: Layout, entry: Mapping[str, Any]) -> Attachment:
    """A file; its address is built from its id, because the one that Jira tells may be the gateway's."""
    name, size = str(entry.get("filename") or ""), entry.get("size")
    return Attachment(
        name=name,
        url=f"{layout.site}/secure/attachment/{quote(str(entry.get('id')), safe='')}/{quote(name, safe='')}",
        kind=str(entry.get("mimeType") or ""),
        size=size if isinstance(size, int) else None,
        author=_who(entry.get("author"))[0],
        at=instant(entry.get("created")),
    )


def _web_link(link: Mapping[str, Any], history: History) -> WebLink | None:
    target = link.get("object")
    if not isinstance(target, Mapping) or not target.get("url"):
        return None
    author, at = history.link_made(str(link.get("id")))
    return WebLink(str(target["url"]), str(target.get("title") or ""), author, at)
