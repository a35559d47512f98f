"""Credentials at rest: encrypted with Fernet, by keys from the environment or from a file only we can read."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from service import references
from service.domain.commands import typed
from service.home_folder import own_folder
from service.settings import Settings
from service.store_faults import KeyProblem


class Keys:
    """Keys in their order: the first encrypts, all of them decrypt, so that they can be rotated."""

    def __init__(self, keys: Sequence[str], wrong: str, former: Sequence[str] = ()) -> None:
        """`wrong` is what is said where one of them is none; `former` decrypt, too. Raises KeyProblem."""
        self.texts = tuple(keys)
        try:
            self._first = Fernet(keys[0].encode())
            self._all = MultiFernet([Fernet(key.encode()) for key in (*keys, *former)])
        except (ValueError, IndexError) as error:
            raise KeyProblem(wrong) from error

    def seal(self, secret: str) -> bytes:
        """The secret, encrypted with the first."""
        return self._first.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """What was encrypted. Raises KeyProblem if it was with none of these."""
        try:
            return self._all.decrypt(sealed).decode()
        except InvalidToken as error:
            msg = (
                "A stored credential cannot be decrypted with the present key. Put the old key back "
                "(PHASELOOP_SECRET_KEY, or the file `key` in PHASELOOP_HOME), or give the connection its credential "
                "again (phaseloop connections add NAME --replace)."
            )
            raise KeyProblem(msg) from error

    def by_first(self, sealed: bytes) -> bool:
        """Whether the first key encrypted it."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            return False
        return True


class Vault:
    """Encrypts and decrypts, and fetches what stands elsewhere: a credential may be a reference (`service.references`),
    which is kept in its place and followed at each use."""

    def __init__(
        self,
        keys: Sequence[str],
        wrong: str = "PHASELOOP_SECRET_KEY is not a key. Make one with: phaseloop keys new",
        sources: Sequence[str] = (),
    ) -> None:
        """`wrong` is what is said where one of the keys is none; `sources` are where references may lead. Raises
        KeyProblem."""
        self._keys = Keys(keys, wrong)
        self._sources = tuple(sources)

    @property
    def keys(self) -> Keys:
        """The keys that are in force now. Raises KeyProblem."""
        return self._keys

    def seal(self, secret: str) -> bytes:
        """The secret or the reference, encrypted."""
        return self.keys.seal(secret)

    def open(self, sealed: bytes) -> str:
        """The secret, fetched where it stands elsewhere. Raises KeyProblem if it was sealed with a key we do not have,
        or cannot be fetched."""
        kept = self.kept(sealed)
        try:
            return self.resolved(kept)
        except references.ReferenceProblem as error:
            msg = f"A stored credential stands elsewhere, and cannot be fetched: {error}."
            raise KeyProblem(msg) from error

    def kept(self, sealed: bytes) -> str:
        """What was sealed: a secret, or a reference to one. Raises KeyProblem."""
        return self.keys.open(sealed)

    def resolved(self, text: str) -> str:
        """The secret that is meant: the text itself, or what stands where it leads. Raises ReferenceProblem."""
        return references.read_allowed(text, self._sources) if references.is_reference(text) else text


class FileVault(Vault):
    """One whose keys stand in a file of the home folder, a line each. It reads them again when the file changed: a
    rotation counts from then on in every process. The file is made by the first credential, and not by whoever only
    looks."""

    def __init__(self, path: Path, sources: Sequence[str] = ()) -> None:
        """Raises KeyProblem for a file that is there and holds no key."""
        self.path = path
        self._sources = tuple(sources)
        self._read: tuple[tuple[int, ...], Keys] | None = None
        self._former: tuple[str, ...] = ()
        if path.exists():
            _ = self.keys

    @property
    def keys(self) -> Keys:
        """The keys that are in the file now. Raises KeyProblem."""
        try:
            found = self.path.stat()
        except FileNotFoundError as error:
            raise KeyProblem(_lost(self.path.resolve(), "is not there")) from error
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if self._read is None or self._read[0] != seen:
            if self._read is not None:  # whoever read a value before a rotation decrypts it after that
                self._former = tuple(dict.fromkeys((*self._read[1].texts, *self._former)))
            texts = self.path.read_text("utf-8", "replace").split()
            self._read = seen, Keys(texts, _lost(self.path.resolve(), "holds no key"), self._former)
        return self._read[1]

    def seal(self, secret: str) -> bytes:
        """The secret or the reference, encrypted."""
        if self._read is None and not self.path.exists():
            write_keys(self.path, [Fernet.generate_key().decode()], first=True)
        return super().seal(secret)


class LostVault(Vault):
    """One without its keys, for who looks at what is recorded: whatever needs a credential raises what is wrong."""

    def __init__(self, why: KeyProblem) -> None:
        self._why = why
        self._sources = ()

    @property
    def keys(self) -> Keys:
        """Raises KeyProblem."""
        raise self._why


def vault(settings: Settings, *, in_use: Callable[[], bool] = lambda: False) -> Vault:
    """The vault of these settings; a key file is made with the first credential, readable by its owner alone. `in_use`
    says whether something was encrypted before: then the key is lost, and another would not do. Raises KeyProblem."""
    if settings.secret_key is not None:
        given = [part for part in re.split(r"[\s,]+", settings.secret_key.get_secret_value()) if part]
        return Vault(given, sources=settings.sources)
    path = settings.home / "key"
    if not path.exists() and in_use():
        raise KeyProblem(_lost(path.resolve(), "is not there"))
    return FileVault(path, settings.sources)


def write_keys(path: Path, keys: Sequence[str], *, first: bool = False) -> None:
    """Write the key file whole or not at all, for its owner alone. With `first`, one that is there meanwhile is
    left."""
    own_folder(path.parent)
    part = path.with_name(f".key-{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(keys))
            file.flush()
            os.fsync(file.fileno())
        if not first:
            part.replace(path)
            return
        with suppress(FileExistsError):
            os.link(part, path)  # the first process to get here wins; nobody overwrites a key
    finally:
        part.unlink(missing_ok=True)


def _lost(path: Path, what: str) -> str:
    return (
        f"The key file {path} {what}, and credentials are stored that were encrypted with it. Put it back from a "
        "backup, or set PHASELOOP_SECRET_KEY to what was in it. If it is lost for good, make a new one "
        f"(phaseloop keys new > {typed(path)}), and give each connection its credential again "
        "(phaseloop connections add NAME --replace)."
    )
