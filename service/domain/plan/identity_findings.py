"""Which project of which site a project of ours is: what is said where two are the same, or where one is another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.values import Finding, Severity
from service.domain.commands import typed

TAKEN = "project-exists"
RENAMED = "project-renamed"
REPLACED = "project-replaced"
CLOSED = "board-closed"
ITSELF = frozenset(
    {
        TAKEN,
        REPLACED,
        "site-differs",
        "key-taken",
        "project-missing",
        "project-deleted",
        "project-not-visible",
        "project-in-trash",
        "project-key-malformed",
        "project-key-taken",
        "project-name-length",
        "project-name-taken",
        CLOSED,
    }
)
"""The findings that are about which project is meant, or whether it can be there at all, not about what is in it."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The project of ours that a project of the tracker belongs to: its id, its key, and its connection's name."""

    id: str
    key: str
    connection: str

    @property
    def words(self) -> str:
        """Which one it is, for people."""
        return f"{self.key} ({self.id}, on the connection {self.connection!r})"


def taken_words(asked: str, holder: Holder) -> tuple[str, str]:
    """That what was asked for means a project that is set up already, and what to do."""
    message = f"{asked!r} means the project of the tracker that is set up already as {holder.words}."
    return message, f"Continue with that one: phaseloop plan {holder.id}. Each project of a tracker is set up once."


def taken(asked: str, holder: Holder) -> Finding:
    """The same as a finding."""
    return Finding(Severity.ERROR, TAKEN, *taken_words(asked, holder), asked)


def replaced(key: str, url: str, trash: str) -> Finding:
    """That another project goes by the key of the one that is gone, which may be in the tracker's `trash`."""
    return Finding(
        Severity.ERROR,
        REPLACED,
        f"The project {key} that was built in is gone, and another one goes by that key now: {url}. It is left alone.",
        f"Put the old one back in the tracker (from {trash}); or release it with"
        f" `phaseloop projects remove {typed(key)}`, which leaves the new one as it is, and set that up.",
        key,
    )


def renamed(told: Mapping[str, Any], key: str, title: str) -> list[Finding]:
    """That a project is called otherwise in the tracker than when people were `told` of it last: `key` and `title`."""
    was_key, was_title = str(told.get("key") or key), str(told.get("title") or title)
    otherwise = bool(title) and was_title != title and (was_title, title) != (was_key, key)
    if was_key != key:
        message = f"The project {was_key} was renamed in the tracker: it is called {key} now."
        if otherwise:
            message += f' Its name was "{was_title}" and is "{title}" there.'
        fix = f"Nothing needs to be done: it is known by its id. Commands take {key}, and {was_key} as before."
        return [Finding(Severity.INFO, RENAMED, message, fix, key)]
    if otherwise:
        message = f'The project {key} was called "{was_title}" in the tracker: it is called "{title}" there now.'
        fix = "Nothing needs to be done: it is known by its id."
        return [Finding(Severity.INFO, RENAMED, message, fix, key)]
    return []


def elsewhere(key: str, was: str, now: str) -> Finding:
    """That a project's connection leads to another site than the one that it was built on."""
    return Finding(
        Severity.ERROR,
        "site-differs",
        f"The project {key} is on the site {was}, and its connection leads to {now} now.",
        "Give the connection its former address, or set up a project of its own on the new site.",
        key,
    )


def key_taken(key: str, url: str) -> Finding:
    """That somebody made the project that was to be made."""
    return Finding(
        Severity.ERROR,
        "key-taken",
        f"A project {key} exists already ({url}).",
        "Plan it under another key, or build in that project: --existing in place of --create.",
        key,
    )
