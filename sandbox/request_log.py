"""What reached the wire: every request of a client, with its answer, for counting and for finding out."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

KEPT = 20_000
_READING_POSTS = re.compile(
    r"/(?:search/jql|search/approximate-count|bulkfetch|jql/\w+|changelog/(?:list|bulkfetch)|comment/list"
    r"|worklog/list|permissions/(?:check|project)|issue/watching)$"
)


def is_write(method: str, path: str) -> bool:
    """Whether a request may change something; some POSTs only ask."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return False
    return not (method == "POST" and _READING_POSTS.search(path))


@dataclass(frozen=True)
class Entry:
    """One request. ``status`` is none when no answer was sent; ``fault`` names the scripted action that struck it."""

    number: int
    at: datetime
    method: str
    path: str
    query: str
    status: int | None
    milliseconds: float
    fault: str | None

    def as_json(self) -> dict[str, Any]:
        """The entry as ``/sandbox/requests`` lists it."""
        return {
            "number": self.number,
            "at": self.at.isoformat(timespec="milliseconds"),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "milliseconds": round(self.milliseconds, 2),
            "kind": "write" if is_write(self.method, self.path) else "read",
            "fault": self.fault,
        }


class RequestLog:
    """The last requests in full, and counts of all since the log was cleared."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self.kinds: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many requests were noted since the log was cleared."""
        return self.kinds.total()

    def clear(self) -> None:
        """Forget every request."""
        self.entries.clear()
        self.kinds.clear()
        self.statuses.clear()

    def add(self, entry: Entry) -> None:
        """Note a request."""
        self.entries.append(entry)
        self.kinds["write" if is_write(entry.method, entry.path) else "read"] += 1
        self.statuses[str(entry.status) if entry.status is not None else "none"] += 1

    def as_json(self, method: str | None = None, path: str | None = None, last: int = 1000) -> dict[str, Any]:
        """Counts of everything, and the newest entries that fit a method and a regular expression for the path."""
        fitting = [
            entry
            for entry in self.entries
            if (method is None or entry.method == method.upper()) and (path is None or re.search(path, entry.path))
        ]
        return {
            "counts": {
                "total": self.total,
                "reads": self.kinds["read"],
                "writes": self.kinds["write"],
                "byStatus": dict(sorted(self.statuses.items())),
            },
            "matching": len(fitting),
            "requests": [entry.as_json() for entry in fitting[-last:]] if last else [],
        }
