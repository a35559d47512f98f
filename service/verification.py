"""Whether a binder is what was signed: from the file alone, without a server, a database or the network."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service import __version__
from service.binder import file, page
from service.domain.audit.binder import fingerprint
from service.domain.audit.binder_check import MALFORMED, Findings, Mismatch, Verified, check

_KEY = re.compile(r"[0-9a-f]{64}")


def verify_file(data: bytes, key: str | None = None) -> Verified:
    """Verify a binder, HTML or JSON, as it was read from a file.

    Checks the signature, the evidence chain, recomputes every verdict and all else that follows from the evidence, and
    compares the page with what is in it. `key` is the public key of the expected signer, or its fingerprint (with or
    without `SHA256:`, blanks and colons passed over). Never raises for what is in the file; raises ValueError if `key`
    is neither.
    """
    wanted = _key(key) if key is not None else None
    try:
        opened = file.opened(data)
    except file.NotABinder as error:
        return Verified((Mismatch("the file", str(error)),), expected=None if wanted is None else False)
    found = check(opened.value, _signed, __version__)
    _page(opened, found)
    return _told(opened.value, found, wanted)


def _key(key: str) -> str:
    """The digits of a key or a fingerprint as given."""
    said = re.sub(r"[\s:]", "", key.strip().lower().removeprefix("sha256:"))
    if not _KEY.fullmatch(said):
        msg = "A key or a fingerprint is 64 hexadecimal digits, such as `phaseloop audit key` shows."
        raise ValueError(msg)
    return said


def _signed(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _page(opened: file.Opened, found: Findings) -> None:
    """That the page is the one that was sealed, and shows what is in it."""
    try:
        sealed, public, content = opened.value["seal"]["page"], opened.value["seal"]["public"], opened.value["content"]
        ours = content["made"]["page"] == page.version()
    except MALFORMED:
        return  # what is wrong with it was said
    if opened.page is None:
        if sealed is not None:
            found.notes.append("This is the JSON out of a page; the page itself is not here and was not verified.")
        return
    whole = file.page_digest(opened.page) == sealed
    if whole and not ours:
        found.notes.append(
            "The page was made by another version of phaseloop: it is the one that was signed, but was not compared "
            "with the data in it."
        )
    elif not whole:
        found.wrong("the page", "it was changed after it was signed")
    if not ours:
        return
    try:
        rendered = page.render(content, public)
    except MALFORMED:
        found.wrong("the page", "it cannot be made again from the data in it")
        return
    if rendered != opened.page:
        found.wrong("the page", _difference(rendered, opened.page))


def _difference(rendered: str, there: str) -> str:
    """Where a page first differs from what its data give."""
    ours, theirs = rendered.splitlines(), there.splitlines()
    line = next((place for place, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), None)
    if line is None:
        more = "more" if len(theirs) > len(ours) else "less"
        return f"it has {more} than its data give, from line {min(len(ours), len(theirs)) + 1} on"
    one, other = ours[line][:2000], theirs[line][:2000]
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    around = max(0, start - 20)
    return f"line {line + 1} shows {other[around : start + 60]!r}, its data give {one[around : start + 60]!r}"


def _told(value: Any, found: Findings, wanted: str | None) -> Verified:
    """The outcome, with what the file says it is as far as that can be read."""
    told = Verified(tuple(found.mismatches))
    try:
        public = value["seal"]["public"].lower()
        mark = fingerprint(public)
        expected = None if wanted is None else wanted in (public, mark.removeprefix("SHA256:"))
        content = value["content"]
        told = replace(
            told,
            fingerprint=mark,
            expected=expected,
            project=str(content["project"]["name"]),
            iteration=content["scope"]["iteration"],
            made_at=datetime.fromisoformat(content["made"]["at"]),
            iterations=len(content["iterations"]),
            entries=len(content["evidence"]["entries"]),
        )
    except MALFORMED:
        told = replace(told, expected=None if wanted is None else False)
    return replace(told, notes=(*found.notes, *_of_signer(told)))


def _of_signer(told: Verified) -> tuple[str, ...]:
    if told.mismatches or not told.fingerprint:
        return ()
    if told.expected is None:
        unknown = (
            f"The signature is by the key {told.fingerprint}, and nothing here says whose that is. That proves only "
            "that the file was not changed since it was signed, not who made it: ask the sender for the fingerprint by "
            "another way and give it (--signer)."
        )
        return (unknown,)
    if not told.expected:
        return (f"The signature holds, but it is by another key than the one that was given: {told.fingerprint}.",)
    return ("It is signed by the key that was given.",)
