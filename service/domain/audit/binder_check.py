"""Whether a binder holds: its seal, its chain, and all that follows from its evidence, computed again. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from service.domain.audit import chain
from service.domain.audit.binder import ALGORITHM, FORMAT, derived, fingerprint, in_full, message, parts_of
from service.domain.audit.chain import digest

Signed = Callable[[bytes, bytes, bytes], bool]
"""Whether a signature (second) is by this public key (first) over this message (third)."""

MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading a value raises that is not shaped as a binder is, however wrong."""

_MOST = 25
"""So many differences are named of one kind; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something in a binder that is not what was signed, or that does not follow from its evidence: `place` says where
    (`verdict of iteration 3`, `evidence 17`, `the page`), `text` what is wrong."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of verifying a binder. It is refused if there is any of `mismatches`.

    `fingerprint` is that of the key in the file, whoever's it is. `expected` says whether that is the key that was
    given, None if none was. `notes` are things that a reader must know though nothing is wrong, such as what a
    signature by an unknown key proves. The rest tells what the file says it is; empty and None where it is no binder.
    """

    mismatches: tuple[Mismatch, ...]
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    expected: bool | None = None
    project: str = ""
    iteration: int | None = None
    made_at: datetime | None = None
    iterations: int = 0
    entries: int = 0

    @property
    def ok(self) -> bool:
        """Whether it is as it was signed, holds in itself, and is by the expected signer if one was given."""
        return not self.mismatches and self.expected is not False

    def to_json(self) -> dict[str, Any]:
        """The outcome as plain values, `ok` included."""
        made_at = self.made_at.isoformat() if self.made_at is not None else None
        return {"ok": self.ok, **asdict(self), "made_at": made_at}


@dataclass
class Findings:
    """What is found while a binder is verified."""

    mismatches: list[Mismatch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def wrong(self, place: str, text: str) -> None:
        """Add a mismatch, once."""
        found = Mismatch(place, text)
        if found not in self.mismatches:
            self.mismatches.append(found)


def check(value: object, signed: Signed, version: str) -> Findings:
    """What is wrong with a binder in its JSON form: signature, digests, chain, verdicts, and all else that follows from
    the evidence. No mismatch: it holds. Never raises, whatever the value.

    Verdicts are computed by this `version` of phaseloop. Where a binder that is whole was made by another one whose
    checks say otherwise, that is a note: what was signed stands as it was signed.
    """
    found = Findings()
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        found.wrong("the file", f"it is no binder of the form {FORMAT}")
        return found
    for step in (_seal, _parts, _chain, _readings):
        try:
            step(value, found, signed)
        except MALFORMED as error:
            found.wrong("the file", f"it is not shaped as binders are ({type(error).__name__}{_detail(error)})")
    _follows(value, found, version)
    return found


def _detail(error: Exception) -> str:
    return f": {error.args[0]!r} is not there" if isinstance(error, KeyError) and error.args else ""


def _seal(value: Mapping[str, Any], found: Findings, signed: Signed) -> None:
    for name in sorted(set(value) - {"format", "content", "seal"}):
        found.wrong("the file", f"{name!r} was added: it was never signed")
    seal = value["seal"]
    if seal["algorithm"] != ALGORITHM:
        found.wrong("the signature", f"it is not by {ALGORITHM}")
        return
    try:
        public, signature = bytes.fromhex(seal["public"]), bytes.fromhex(seal["signature"])
        written = (public.hex(), signature.hex()) == (seal["public"], seal["signature"])
        holds = written and signed(public, signature, message(seal))
    except MALFORMED:
        found.wrong("the signature", "it is cut short or missing, or the key is: there is nothing that proves anything")
        return
    if not holds:
        found.wrong(
            "the signature",
            f"it is not that of the key {fingerprint(seal['public'])} over this seal: the key, the signature or a "
            "digest was changed",
        )


def _parts(value: Mapping[str, Any], found: Findings, _signed: Signed) -> None:
    content, sealed = value["content"], value["seal"]["parts"]
    parts = parts_of(content)
    for name, times in Counter(name for name, _ in parts).items():
        if times > 1:
            found.wrong(name, f"it is there {times} times")
    there = {name: digest(part) for name, part in parts}
    changed = [name for name in there if name in sealed and there[name] != sealed[name]]
    _named(found, changed, "it was changed after it was signed")
    _named(found, [name for name in sealed if name not in there], "it was taken out after it was signed")
    _named(found, [name for name in there if name not in sealed], "it was put in after it was signed")
    if digest(content) != value["seal"]["content"] and not found.mismatches:
        found.wrong("the order of its parts", "it was changed after it was signed, or something was added to them")


def _named(found: Findings, names: Sequence[str], text: str) -> None:
    for name in names[:_MOST]:
        found.wrong(name, text)
    if len(names) > _MOST:
        found.wrong("the file", f"{len(names) - _MOST} more parts are not as they were signed")


def _chain(value: Mapping[str, Any], found: Findings, _signed: Signed) -> None:
    content = value["content"]
    evidence, number = content["evidence"], content["scope"]["iteration"]
    before: Mapping[str, Any] = {"seq": 0, "digest": ""}
    for one in evidence["entries"]:
        place = f"evidence {one['seq']}"
        if one["seq"] != before["seq"] + 1:
            found.wrong(f"evidence {before['seq'] + 1}", f"it is missing: {one['seq']} comes in its place")
        elif one["previous"] != before["digest"]:
            found.wrong(place, "it does not follow from the one before it")
        if one["body"] is not None:
            _entry(one, content["project"]["id"], found)
        elif in_full(number, one["iteration"], one["kind"]):
            found.wrong(place, "its content was left out")
        before = one
    head = evidence["head"] or {"seq": 0, "digest": ""}
    if (head["seq"], head["digest"]) != (before["seq"], before["digest"]):
        found.wrong(f"evidence {head['seq']}", "it is the last one by the binder, and it is not there")


def _entry(one: Mapping[str, Any], project: str, found: Findings) -> None:
    place = f"evidence {one['seq']}"
    entry = chain.entry_from_json(one)
    if chain.seal(entry) != entry.digest:
        found.wrong(place, "its content is not what its digest was taken of")
    if entry.project != project:
        found.wrong(place, "it is of another project")


def _readings(value: Mapping[str, Any], found: Findings, _signed: Signed) -> None:
    """That each iteration rests on its own newest reading, and that they are in order."""
    content = value["content"]
    newest: dict[int | None, int] = {}
    for one in content["evidence"]["entries"]:
        if one["kind"] == chain.READING:
            newest[one["iteration"]] = one["seq"]
    numbers = [one["number"] for one in content["iterations"]]
    if numbers != sorted(numbers):
        found.wrong("the order of the iterations", "it was changed")
    scope = content["scope"]["iteration"]
    if scope is not None and numbers != [scope]:
        found.wrong("scope", f"it says iteration {scope}, and others are in it")
    for one in content["iterations"]:
        if one["reading"] != newest.get(one["number"]):
            found.wrong(
                f"iteration {one['number']}",
                f"it rests on evidence {one['reading']}, its newest is {newest.get(one['number'])}",
            )


def _follows(value: Mapping[str, Any], found: Findings, version: str) -> None:
    """That verdicts, decisions, measures and views are what the evidence gives."""
    try:
        content = value["content"]
        bodies = {one["seq"]: one["body"] for one in content["evidence"]["entries"]}
        made_by = content["made"]["phaseloop"]
        computed = derived(content["iterations"], bodies)
        differing = list(_differing(content, computed))
    except MALFORMED:
        found.wrong("the evidence", "verdicts cannot be computed from it again: it is not what an audit reads")
        return
    if made_by == version or found.mismatches:
        for place, text in differing[:_MOST]:
            found.wrong(place, text)
        if len(differing) > _MOST:
            found.wrong("the file", f"{len(differing) - _MOST} more things do not follow from the evidence")
    elif differing:
        found.notes.append(
            f"It was made by phaseloop {made_by}. The checks of this version, {version}, come to something else in "
            f"{len(differing)} places, such as {differing[0][0]}; what was signed is what {made_by} found."
        )


def _differing(content: Mapping[str, Any], computed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    said = {name: content[name] for name in computed}
    for number in sorted({*said["audits"], *computed["audits"]}, key=int):
        place = f"verdict of iteration {number}"
        yield from _between(place, _by_check(said["audits"].get(number)), _by_check(computed["audits"].get(number)))
    for name, word, key in (("decisions", "decision", ""), ("measures", "measure", "name"), ("views", "view", "key")):
        ours, theirs = dict(_keyed(computed[name], key)), dict(_keyed(said[name], key))
        for one in {**ours, **theirs}:
            yield from _between(f"{word} {one}", theirs.get(one), ours.get(one))


def _keyed(values: Iterable[Mapping[str, Any]], key: str) -> Iterator[tuple[Any, Any]]:
    for place, one in enumerate(values, 1):
        yield (one[key] if key else place), one


def _by_check(audited: Any) -> Any:
    """An audit with its findings by the names of the checks, so that a difference can be told by them."""
    if audited is None:
        return None
    findings = audited["findings"]
    return {**audited, "findings": {one["check"]: one for one in findings}, "checks": len(findings)}


def _between(place: str, said: Any, computed: Any) -> Iterator[tuple[str, str]]:
    """The differences of two plain values, told at the place where they are."""
    if isinstance(said, dict) and isinstance(computed, dict):
        for name in sorted({*said, *computed}, key=str):
            yield from _between(f"{place}, {name}", said.get(name), computed.get(name))
    elif isinstance(said, list) and isinstance(computed, list) and len(said) == len(computed):
        for number, (one, other) in enumerate(zip(said, computed, strict=True), 1):
            yield from _between(f"{place} {number}", one, other)
    elif type(said) is not type(computed) or said != computed:
        yield place, f"it says {_short(said)}, its evidence gives {_short(computed)}"


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    said = value if isinstance(value, str) else repr(value)
    return repr(said if len(said) <= 80 else said[:79] + "…")
