"""Evidence as a chain: each entry is sealed with the digest of the one before it, so that nothing can be changed, left
out or put in between without its showing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

READING = "reading"
"""An entry whose body is a `Subject` as JSON: what an audit of one iteration looked at."""
WAIVER = "waiver"
"""An entry that says that a person lets a check pass."""
REVOKED = "revoked"
"""An entry that says that a waiver was taken back."""
QUESTION = "question"
"""An entry that says that somebody asked the people of an iteration something."""
ANSWER = "answer"
"""An entry that says what stands on the ticket of a question: what was said there, and whether it is done."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a project's evidence. `seq` counts from 1; `previous` is the digest of the entry before it, empty
    for the first; `digest` is `seal` of all else."""

    project: str
    seq: int
    iteration: int | None
    kind: str
    at: datetime
    body: Mapping[str, Any]
    previous: str
    digest: str

    def to_json(self) -> dict[str, Any]:
        """The entry as plain values, as binders hold it."""
        return {**_sealed(self), "digest": self.digest}


def canonical(value: object) -> bytes:
    """The one way to write a JSON value that digests and signatures are taken of: keys in order, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode(
        errors="surrogatepass"
    )


def digest(value: object) -> str:
    """The SHA-256 in hexadecimal of a JSON value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def sealed(
    project: str, iteration: int | None, kind: str, at: datetime, body: Mapping[str, Any], after: Entry | None
) -> Entry:
    """The entry that comes after this one (None: the first)."""
    seq, previous = (after.seq + 1, after.digest) if after is not None else (1, "")
    bare = Entry(project, seq, iteration, kind, at, body, previous, "")
    return Entry(project, seq, iteration, kind, at, body, previous, seal(bare))


def seal(entry: Entry) -> str:
    """The SHA-256 in hexadecimal of all of an entry but its digest."""
    return digest(_sealed(entry))


def breaks(entries: Sequence[Entry], after: Entry | None = None) -> list[str]:
    """What is wrong with a chain, in words, all of it; `entries` are those from the one that follows `after` on (None:
    from the first), in order. Empty: the chain holds."""
    problems = []
    before = after
    for entry in entries:
        if seal(entry) != entry.digest:
            problems.append(f"entry {entry.seq} is not what was sealed: its content was changed")
        expected = before.seq + 1 if before is not None else 1
        if entry.seq != expected:
            problems.append(f"entry {expected} is missing: {entry.seq} comes in its place")
        elif entry.previous != (before.digest if before is not None else ""):
            problems.append(f"entry {entry.seq} does not follow from the one before it")
        before = entry
    return problems


def entry_from_json(value: Mapping[str, Any]) -> Entry:
    """An entry from its plain form. Raises KeyError, TypeError or ValueError where it is none."""
    return Entry(
        project=str(value["project"]),
        seq=int(value["seq"]),
        iteration=None if value["iteration"] is None else int(value["iteration"]),
        kind=str(value["kind"]),
        at=datetime.fromisoformat(value["at"]),
        body=dict(value["body"]),
        previous=str(value["previous"]),
        digest=str(value["digest"]),
    )


def _sealed(entry: Entry) -> dict[str, Any]:
    return {
        "project": entry.project,
        "seq": entry.seq,
        "iteration": entry.iteration,
        "kind": entry.kind,
        "at": entry.at.astimezone(UTC).isoformat(),
        "body": dict(entry.body),
        "previous": entry.previous,
    }
