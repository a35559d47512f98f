"""The keys that encrypt what is stored: which are in use, and changing them while everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from service.context import Context
from service.store import rows, sealed
from service.store.vault import FileVault, write_keys

PASSES = 20
"""So often what others wrote meanwhile is looked for again."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many keys there are, whether in a file of ours, and what is encrypted: `stored` values, `by_first` of them
    with the first key."""

    keys: int
    in_file: bool
    stored: int
    by_first: int

    @property
    def former_needed(self) -> bool:
        """Whether something would be lost without the keys after the first."""
        return self.by_first < self.stored


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation came to: `resealed` values were encrypted anew by this call, `dropped` keys taken out of the
    file; `made` says that it made the new key, and not an earlier one that was cut off."""

    use: KeyUse
    made: bool
    resealed: int
    dropped: int


def use(context: Context) -> KeyUse:
    """Which keys are in use. Raises KeyProblem where a value can be decrypted with none of them."""
    stored = by_first = 0
    in_file = _file_of(context) is not None
    with context.database.session() as session:
        if not _has_keys(context) and not sealed.anything(session):
            return KeyUse(0, in_file, 0, 0)
        keys = context.vault.keys
        for page in sealed.pages(session):
            keys = context.vault.keys  # after the page: a key is in the file before it encrypts anything
            for _table, _number, secret in page:
                stored += 1
                if keys.by_first(secret):
                    by_first += 1
                else:
                    keys.open(secret)
    return KeyUse(len(keys.texts), in_file, stored, by_first)


def rotate(context: Context) -> Rotated:
    """Encrypt everything with a new key, and forget the former.

    Where the key is a file of this installation alone (SQLite), the new key is made and put before the former in the
    file, everything is encrypted anew, and the former key is taken out. Elsewhere whoever sets the keys puts the new
    one first, for all replicas, before this is called; it encrypts everything with that and leaves the keys to them. A
    call that was cut off is continued by the next, at any point.

    Raises KeyProblem where something can be decrypted with no key there is: nothing is changed then.
    """
    use(context)  # before anything is changed: each value can be decrypted
    path = _file_of(context)
    own = path is not None and context.settings.embedded
    made = False
    if own and path is not None and path.exists():
        with context.database.session() as session:
            rows.keep_others_out(session)
            if len(context.vault.keys.texts) == 1:
                made = True
                write_keys(path, [Fernet.generate_key().decode(), *context.vault.keys.texts])
    resealed = _reseal(context)
    dropped = _drop_former(context) if own else 0
    found = use(context)
    with context.database.session() as session:
        if resealed or dropped or made:
            sealed.note(session, f"keys rotated: {resealed} values encrypted anew")
        context.done(session, "keys")
    return Rotated(found, made, resealed, dropped)


def _reseal(context: Context) -> int:
    """Encrypt with the first key what is not; how much."""
    total = 0
    for _ in range(PASSES):
        done = 0
        with context.database.session() as session:
            pages = list(sealed.pages(session))
        for page in pages:
            keys = context.vault.keys
            stale = [(table, number, secret) for table, number, secret in page if not keys.by_first(secret)]
            if not stale:
                continue
            with context.database.session() as session:
                for table, number, secret in stale:
                    done += sealed.replace(session, table, number, secret, keys.seal(keys.open(secret)))
        total += done
        if not done:
            break
    return total


def _drop_former(context: Context) -> int:
    """Take the keys after the first out of the file, while nobody else writes and nothing needs them; how many."""
    path = _file_of(context)
    if path is None or not path.exists():
        return 0
    for _ in range(PASSES):
        with context.database.session() as session:
            rows.keep_others_out(session)
            keys = context.vault.keys
            if all(keys.by_first(secret) for page in sealed.pages(session) for _table, _number, secret in page):
                if len(keys.texts) > 1:
                    write_keys(path, keys.texts[:1])
                return len(keys.texts) - 1
        _reseal(context)
    return 0


def _file_of(context: Context) -> Path | None:
    """The key file, where the keys are in one."""
    return context.vault.path if isinstance(context.vault, FileVault) else None


def _has_keys(context: Context) -> bool:
    """Whether there are keys yet: the first credential makes the file."""
    path = _file_of(context)
    return path is None or path.exists()
