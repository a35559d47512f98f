"""Credentials at rest: encrypted, with keys that can be rotated, and a key file that only its owner can read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from service.settings import Settings
from service.store.secrets import new_token, token_hash
from service.store.vault import Vault, vault
from service.store_faults import KeyProblem


def key() -> str:
    return Fernet.generate_key().decode()


def test_a_sealed_secret_does_not_show_and_opens_again() -> None:
    safe = Vault([key()])

    sealed = safe.seal("my-token")

    assert b"my-token" not in sealed
    assert safe.open(sealed) == "my-token"


def test_a_rotated_key_still_opens_what_the_old_one_sealed() -> None:
    old, new = key(), key()
    sealed = Vault([old]).seal("my-token")

    assert Vault([new, old]).open(sealed) == "my-token"


def test_another_key_says_what_to_do_and_not_what_was_sealed() -> None:
    sealed = Vault([key()]).seal("my-token")

    with pytest.raises(KeyProblem, match="PHASELOOP_SECRET_KEY") as caught:
        Vault([key()]).open(sealed)
    assert "my-token" not in str(caught.value)


def test_a_malformed_key_is_refused_without_being_shown() -> None:
    with pytest.raises(KeyProblem, match="phaseloop keys new") as caught:
        Vault(["not-a-key"])
    assert "not-a-key" not in str(caught.value)


def test_the_key_file_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")

    sealed = vault(settings).seal("my-token")

    path = tmp_path / "home" / "key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert vault(settings).open(sealed) == "my-token"
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_who_only_looks_makes_no_key_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", secret_key=None, _env_file=None)

    safe = vault(settings)

    assert not (tmp_path / "home").exists()
    assert vault(settings).open(safe.seal("my-token")) == "my-token"


def test_a_key_from_the_environment_needs_no_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", secret_key=SecretStr(f"{key()}, {key()}"))

    safe = vault(settings)

    assert safe.open(safe.seal("my-token")) == "my-token"
    assert not (tmp_path / "home").exists()


def test_tokens_differ_and_are_kept_as_digests() -> None:
    one, two = new_token(), new_token()

    assert one != two
    assert token_hash(one) != token_hash(two)
    assert one not in token_hash(one)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xfe"])
def test_a_key_file_that_holds_no_key_is_named_and_not_the_variable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(KeyProblem) as caught:
        vault(Settings(home=tmp_path, secret_key=None, _env_file=None))
    assert f"The key file {tmp_path / 'key'} holds no key" in str(caught.value)
    assert "Put it back from a backup" in str(caught.value)
