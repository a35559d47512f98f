"""Credentials at rest: encrypted with Fernet, by a key from the environment or from a file only we can read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from service.domain.commands import typed
from service.settings import Settings
from service.store.folder import own_folder


class KeyProblem(Exception):
    """The key that encrypts credentials is missing, malformed or another one than was used."""


class Vault:
    """Encrypts and decrypts. The first key encrypts, all of them decrypt, so that keys can be rotated."""

    def __init__(
        self, keys: list[str], wrong: str = "PHASELOOP_SECRET_KEY is not a key. Make one with: phaseloop keys new"
    ) -> None:
        """`wrong` is what is said where one of them is none. Raises KeyProblem."""
        try:
            self._fernet = MultiFernet([Fernet(key.encode()) for key in keys])
        except ValueError as error:
            raise KeyProblem(wrong) from error

    def seal(self, secret: str) -> bytes:
        """The secret, encrypted."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """The secret. Raises KeyProblem if it was sealed with a key we do not have."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            msg = (
                "A stored credential cannot be decrypted with the present key. Put the old key back "
                "(PHASELOOP_SECRET_KEY, or the file `key` in PHASELOOP_HOME), or give the connection its credential "
                "again (phaseloop connections add NAME --replace)."
            )
            raise KeyProblem(msg) from error


def vault(settings: Settings, *, in_use: Callable[[], bool] = lambda: False) -> Vault:
    """The vault of these settings; a key file is made on first use, readable by its owner alone. `in_use` says whether
    something was encrypted before: then the key is lost, and another would not do. Raises KeyProblem."""
    if settings.secret_key is not None:
        return Vault([part.strip() for part in settings.secret_key.get_secret_value().split(",") if part.strip()])
    path = settings.home / "key"
    if not path.exists():
        if in_use():
            raise KeyProblem(_lost(path.resolve(), "is not there"))
        _write_new(path)
    return Vault([path.read_text("utf-8", "replace").strip()], _lost(path.resolve(), "holds no key"))


def _lost(path: Path, what: str) -> str:
    return (
        f"The key file {path} {what}, and credentials are stored that were encrypted with it. Put it back from a "
        "backup, or set PHASELOOP_SECRET_KEY to what was in it. If it is lost for good, make a new one "
        f"(phaseloop keys new > {typed(path)}), and give each connection its credential again "
        "(phaseloop connections add NAME --replace)."
    )


def _write_new(path: Path) -> None:
    own_folder(path.parent)
    part = path.with_name(f".key-{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key())
    try:
        os.link(part, path)  # the first process to get here wins; nobody overwrites a key
    except FileExistsError:
        pass
    finally:
        part.unlink()


def new_token() -> str:
    """A new API token: 256 random bits, with a prefix that secret scanners can find."""
    return "phl_" + secrets.token_urlsafe(32)


def new_feed_secret() -> str:
    """A new secret for the address of a calendar feed: 192 random bits. It stands in the store as it is, because people
    are shown the address again; it opens that one feed for reading, nothing else."""
    return "feed_" + secrets.token_urlsafe(24)


def token_hash(token: str) -> str:
    """What is stored of a token. The token itself is random, so a plain digest cannot be guessed back."""
    return sha256(token.encode()).hexdigest()


def new_id(prefix: str) -> str:
    """A new identifier, like `prj_1f0c9a3b5d7e`."""
    return f"{prefix}_{secrets.token_hex(6)}"
