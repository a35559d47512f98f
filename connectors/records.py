"""What people wrote on tickets, as the port tells it, and the little that is written there for them.

An audit reads; so everything here is about evidence: who wrote what, when, and which part could not be read. Text is
Markdown whatever markup the tracker keeps.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from connectors.values import ItemKey, RemoteRef

TEXT_READ = 200_000
"""The most characters of a ticket's text that are read; a tracker's own limits are far lower."""


def text_digest(text: str) -> str:
    """The SHA-256 of a text in hexadecimal, taken of its words alone: what a tracker does to white space is no
    change."""
    return hashlib.sha256(" ".join(text.split()).encode(errors="surrogatepass")).hexdigest()


class Part(StrEnum):
    """A part of a ticket that can be refused to us, or be lost on the way, while the others are read."""

    TEXT = "text"
    COMMENTS = "comments"
    ATTACHMENTS = "attachments"
    LINKS = "links"
    CHECKLIST = "checklist"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said on a ticket. `author` is an account id, `person` what the tracker calls them; `text` is
    Markdown; the instants are aware. `edited_at` is None if it stands as it was written."""

    id: str
    author: str
    person: str
    text: str
    at: datetime
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a ticket. `kind` is its media type, empty where the tracker does not tell; `size` is in bytes."""

    name: str
    url: str
    kind: str = ""
    size: int | None = None
    author: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebLink:
    """An address put on a ticket beside its text (a remote link of Jira's, an attached address of Trello's)."""

    url: str
    title: str = ""
    author: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of a ticket's checklist. `by` is the account that ticked it last, empty where it is not ticked or the
    tracker does not tell."""

    text: str
    done: bool
    by: str = ""
    person: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """That a ticket's text was changed after it was made. `digest` is `text_digest` of the text as it was from then on,
    empty where the tracker's history does not tell."""

    by: str
    person: str
    at: datetime
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """That a ticket's status changed to `status` (`todo`, `doing`, `done`)."""

    status: str
    by: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """A ticket as evidence. `text` is Markdown without our marker, at most `TEXT_READ` characters of it (`cut` says
    that there was more); `digest` is `text_digest` of it.

    `comments`, `edits` and `steps` are oldest first. `unread` names the parts that could not be read: what they would
    hold is unknown, not absent. A tracker without checklists of its own has no `ticks`.
    """

    ref: RemoteRef
    title: str
    text: str
    digest: str
    status: str
    key: ItemKey | None = None
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    created_by: str = ""
    created_at: datetime | None = None
    comments: tuple[Comment, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    links: tuple[WebLink, ...] = ()
    ticks: tuple[Tick, ...] = ()
    edits: tuple[Edit, ...] = ()
    steps: tuple[Step, ...] = ()
    unread: tuple[Part, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Surveyed:
    """An iteration of a project that need not be ours, with the tickets in it. `status` is `future`, `active` or
    `closed`; dates are None where the tracker has none."""

    ref: RemoteRef
    title: str
    status: str
    starts: datetime | None
    ends: datetime | None
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """A whole project as it is found: its iterations, oldest first, and the tickets that are in none."""

    ref: RemoteRef
    title: str
    iterations: tuple[Surveyed, ...]
    loose: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Fill:
    """What is to stand in one section of a ticket's text. `heading` is the section's as we wrote it; `body` is Markdown
    without headings; `former` are the bodies that we wrote there before (the prompt, earlier fills), in Markdown."""

    heading: str
    body: str
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of fills, by heading: `written` now or before, or `left` because somebody wrote there, renamed the
    heading or took it out. `digest` is `text_digest` of the text afterwards."""

    written: tuple[str, ...]
    left: tuple[str, ...]
    digest: str
