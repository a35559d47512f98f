"""A binder: all that is known of the documentation of an iteration or a project, as one value that proves itself. Pure.

Its content is plain JSON: the evidence, what follows from it (verdicts, decisions, measures, views), and what our own
history knows besides. What follows is computed from the evidence again when a binder is verified. The seal names a
digest of each part and of the whole, and the signature is over the seal.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter

from service.domain.audit import views
from service.domain.audit.audit import audit
from service.domain.audit.chain import REVOKED, WAIVER, Entry, canonical, digest
from service.domain.audit.decisions import LoggedDecision, decision_log
from service.domain.audit.forms import audited_to_json
from service.domain.audit.metrics import Series, series
from service.domain.audit.subject import Subject, subject_from_json

FORMAT = "phaseloop-binder/1"
"""The form of a binder, not of what is in it."""

ALGORITHM = "Ed25519"

_LOG: TypeAdapter[tuple[LoggedDecision, ...]] = TypeAdapter(tuple[LoggedDecision, ...])
_SERIES: TypeAdapter[list[Series]] = TypeAdapter(list[Series])


@dataclass(frozen=True, slots=True)
class Bound:
    """An iteration as a binder is made of it. `about` is what our history tells (plain values: `number`, `title`,
    `phase`, `first`, `last`, `closed_at`, `figures` and so on). `reading` is the number of the evidence that its audit
    read, None if it was never read; `audited_at` the last look, which came to the same; `trouble` why the last look
    failed, empty if it did not."""

    about: Mapping[str, Any]
    reading: int | None = None
    audited_at: datetime | None = None
    trouble: str = ""


def content_of(
    made: Mapping[str, Any],
    project: Mapping[str, Any],
    number: int | None,
    iterations: Sequence[Bound],
    entries: Sequence[Entry],
) -> dict[str, Any]:
    """The content of a binder of iteration `number` (None: of the whole project), from all of the project's evidence.

    `made` says when and by what it is made, `project` what project it is (plain values; `id` as in the evidence).
    A binder of one iteration holds the evidence about it in full and of the rest the digests, so that the chain can be
    followed. Raises ValueError where the evidence of an iteration is no reading.
    """
    bound = [_bound(one) for one in iterations]
    content = {
        "made": made,
        "project": project,
        "scope": {"iteration": number},
        "iterations": bound,
        "evidence": {
            "entries": [_entry(entry, number) for entry in entries],
            "head": {"seq": entries[-1].seq, "digest": entries[-1].digest} if entries else None,
        },
    }
    content |= derived(bound, {entry.seq: entry.body for entry in entries})
    whole: dict[str, Any] = plain(content)
    return whole


def derived(iterations: Iterable[Mapping[str, Any]], bodies: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """What follows from the evidence, as plain values: `audits` (by iteration's number, as text), `decisions`,
    `measures` and `views`. `iterations` are those of a content, `bodies` the evidence by number. Raises ValueError,
    KeyError or TypeError where they are not what they should be."""
    subjects = [subject_from_json(bodies[one["reading"]]) for one in iterations if one["reading"] is not None]
    audits = [audit(subject) for subject in subjects]
    found: dict[str, Any] = plain(
        {
            "audits": {str(one.number): audited_to_json(one) for one in audits},
            "decisions": _LOG.dump_python(decision_log(subjects), mode="json"),
            "measures": _measures(subjects),
            "views": [one.to_json() for one in views.all_views(audits, subjects)],
        }
    )
    return found


def fingerprint(public: str) -> str:
    """What people compare of a public key (hexadecimal): `SHA256:` and the digest of its bytes in hexadecimal. Raises
    ValueError where it is no hexadecimal."""
    return "SHA256:" + sha256(bytes.fromhex(public)).hexdigest()


def sealed(content: Mapping[str, Any], public: str, page: str | None, sign: Callable[[bytes], bytes]) -> dict[str, Any]:
    """The binder: the content with a seal by this key. `page` is the digest of the page that shows it, None if there is
    none."""
    seal = {
        "algorithm": ALGORITHM,
        "public": public,
        "content": digest(content),
        "parts": {name: digest(part) for name, part in parts_of(content)},
        "page": page,
    }
    return {"format": FORMAT, "content": content, "seal": {**seal, "signature": sign(message(seal)).hex()}}


def message(seal: Mapping[str, Any]) -> bytes:
    """What a signature is over: the form of the binder and its seal, the signature itself left out."""
    return canonical({"format": FORMAT, "seal": {name: seal[name] for name in seal if name != "signature"}})


def parts_of(content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The parts of a content with the names they have in the seal and in what people are told, in order: `project`,
    `iteration 3`, `verdict of iteration 3`, `decision 1`, `evidence 17` and so on."""
    evidence = content["evidence"]
    return [
        ("how it was made", content["made"]),
        ("project", content["project"]),
        ("scope", content["scope"]),
        *((f"iteration {one['number']}", one) for one in content["iterations"]),
        *((f"verdict of iteration {number}", one) for number, one in content["audits"].items()),
        *((f"decision {place}", one) for place, one in enumerate(content["decisions"], 1)),
        *((f"measure {one['name']}", one) for one in content["measures"]),
        *((f"view {one['key']}", one) for one in content["views"]),
        *((f"evidence {one['seq']}", one) for one in evidence["entries"]),
        ("end of the evidence", evidence["head"]),
    ]


def plain(value: Any) -> Any:
    """The value as it comes back from a file. Raises ValueError for what has no JSON form."""
    return json.loads(json.dumps(value, allow_nan=False))


def _bound(one: Bound) -> dict[str, Any]:
    at = one.audited_at.isoformat() if one.audited_at is not None else None
    return {**one.about, "reading": one.reading, "audited_at": at, "trouble": one.trouble}


def _entry(entry: Entry, number: int | None) -> dict[str, Any]:
    """An entry in full, or but the digests of one that is about another iteration."""
    whole = entry.to_json()
    return whole if in_full(number, entry.iteration, entry.kind) else {**whole, "body": None}


def in_full(number: int | None, iteration: int | None, kind: str) -> bool:
    """Whether a binder of iteration `number` (None: of the project) holds such an entry with its body."""
    return number is None or iteration == number or (iteration is None and kind in (WAIVER, REVOKED))


def _measures(subjects: Sequence[Subject]) -> list[Any]:
    """The measures by iteration; what is no finite number has no place in a file."""
    kept = [
        replace(one, points=tuple(point for point in one.points if math.isfinite(point.value)))
        for one in series(subjects).values()
    ]
    told: list[Any] = _SERIES.dump_python([one for one in kept if one.points], mode="json")
    return told


def measures_from(content: Mapping[str, Any]) -> list[Series]:
    """The measures of a content. Raises ValueError where they are none."""
    return _SERIES.validate_python(content["measures"])
