"""Changing the key that encrypts what is stored: all of it is reached, nothing is lost by a kill, and everything that
runs beside it continues."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from service.context import Context, open_context
from service.settings import Settings
from service.store import hook_secrets, sealed
from service.store import vault as vaults
from service.store.tables import ConnectionRow
from service.usecases.access import change_log
from service.usecases.audit import binder_export
from service.usecases.setup import connections, keys
from tests.homes import furnish
from tests.integration.conftest import Installation
from tests.postgres import scratch_database

TOKENS = {f"site-{number}": f"a-token-of-site-{number}" for number in range(5)}
HOOK = "a-secret-of-a-webhook"


def new_key() -> str:
    return Fernet.generate_key().decode()


@contextmanager
def opened(home: Path, secret_key: str | None = None, url: str | None = None, sources: str = "") -> Iterator[Context]:
    settings = Settings(
        _env_file=None,
        home=home,
        database_url=url,
        secret_key=SecretStr(secret_key) if secret_key else None,
        secret_sources=sources,
    )
    with closing(open_context(settings)) as context:
        yield context


def store_secrets(context: Context) -> None:
    """One of each thing that is encrypted, and some more connections."""
    for name, token in TOKENS.items():
        site = {"url": "https://example.atlassian.net", "email": "lead@example.com"}
        connections.put(context, name, "jira", site, token)
    with context.database.session() as session:
        hook_secrets.put(session, "con_1", context.vault.seal(HOOK), context.now(), context.now())
    binder_export.signers(context)


def readable(context: Context) -> None:
    """Everything that was stored is there and is what it was."""
    with context.database.session() as session:
        kept = {row.name: context.vault.open(row.secret) for row in session.query(ConnectionRow)}
        (hook,) = hook_secrets.present(session, "con_1", context.now())
        assert context.vault.open(hook.secret) == HOOK
    assert kept == TOKENS
    assert binder_export.signers(context)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    furnish(tmp_path)
    with opened(tmp_path) as context:
        store_secrets(context)
    return tmp_path


def the_keys(home: Path) -> list[str]:
    return (home / "key").read_text().split()


def test_a_rotation_encrypts_everything_anew_and_forgets_the_former_key(home: Path) -> None:
    (former,) = the_keys(home)

    with opened(home) as context:
        done = keys.rotate(context)

    (present,) = the_keys(home)
    assert present != former
    assert (done.made, done.resealed, done.dropped) == (True, 7, 1)
    assert done.use == keys.KeyUse(keys=1, in_file=True, stored=7, by_first=7)
    assert (home / "key").stat().st_mode & 0o777 == 0o600
    with opened(home) as context:
        readable(context)
    (home / "key").write_text(former)
    with pytest.raises(vaults.KeyProblem), opened(home) as context:
        readable(context)


def test_what_runs_beside_a_rotation_reads_and_writes_with_the_new_key(home: Path) -> None:
    with opened(home) as running, opened(home) as rotating:
        readable(running)

        keys.rotate(rotating)
        site = {"url": "https://example.atlassian.net", "email": "lead@example.com"}
        connections.put(running, "site-0", "jira", site, TOKENS["site-0"], replace=True)

        readable(running)
        assert keys.use(running).former_needed is False
        readable(rotating)


def test_the_log_says_that_keys_were_rotated_and_not_that_credentials_were_changed(home: Path) -> None:
    with opened(home) as context:
        before = change_log.page(context, 100)[0].seq
        keys.rotate(context)
        told = [one for one in change_log.page(context, 100) if one.seq > before]

        assert [(one.thing, one.body["after"]) for one in told] == [
            ("key", {"done": "keys rotated: 7 values encrypted anew"})
        ]
        assert change_log.verify(context).breaks == ()


POINTS = [
    f"{what}-{when}" for what in ("write_keys", "replace", "_reseal", "_drop_former") for when in ("before", "after")
]


@pytest.mark.parametrize("point", [*POINTS, "replace-fourth"])
def test_a_rotation_that_is_killed_anywhere_loses_nothing_and_is_continued(home: Path, point: str) -> None:
    what, when = point.rsplit("-", 1)
    pid = rotating(home, lambda: die_at(what, when))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL

    with opened(home) as context:
        readable(context)  # at once, by whatever runs on
        keys.rotate(context)
    with opened(home) as context:
        readable(context)
        assert keys.use(context) == keys.KeyUse(keys=1, in_file=True, stored=7, by_first=7)
    assert len(the_keys(home)) == 1
    assert [entry.name for entry in home.iterdir() if entry.name.startswith(".key")] == []


def rotating(home: Path, before: Callable[[], None] = lambda: None) -> int:
    """A process that rotates the keys; its id."""
    if (pid := os.fork()) == 0:
        code = 1
        try:
            before()
            with opened(home) as context:
                keys.rotate(context)
            code = 0
        except Exception:  # noqa: BLE001 - whatever it is, this process ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def die_at(what: str, when: str) -> None:
    """Have this process killed at the first call of a function, before or after it; or at the fourth."""
    owner: Any = sealed if what == "replace" else keys
    original, calls = getattr(owner, what), []

    def dying(*arguments: Any) -> Any:
        calls.append(what)
        if when == "before" or (when == "fourth" and len(calls) == 4):
            os.kill(os.getpid(), signal.SIGKILL)
        done = original(*arguments)
        if when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, what, dying)


def test_two_rotations_at_once_leave_one_key_that_opens_everything(home: Path) -> None:
    children = [rotating(home) for _ in range(2)]
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]

    with opened(home) as context:
        readable(context)
        keys.rotate(context)
        readable(context)
    assert len(the_keys(home)) == 1


def test_on_postgresql_the_keys_are_whoever_sets_them_and_a_rotation_encrypts_with_the_first(tmp_path: Path) -> None:
    former, present = new_key(), new_key()
    with scratch_database(tables=True) as url:
        with opened(tmp_path, former, url) as context:
            store_secrets(context)
            assert keys.rotate(context).use == keys.KeyUse(keys=1, in_file=False, stored=7, by_first=7)

        with opened(tmp_path, f"{present},{former}", url) as context:
            assert keys.use(context).former_needed
            done = keys.rotate(context)
            assert (done.made, done.resealed, done.dropped) == (False, 7, 0)
            assert not done.use.former_needed

        with opened(tmp_path, present, url) as context:
            readable(context)


def test_something_that_no_key_opens_stops_a_rotation_before_anything_is_changed(home: Path) -> None:
    kept = (home / "key").read_bytes()
    with opened(home) as context:
        with context.database.session() as session:
            strange = Fernet(new_key()).encrypt(b"x")
            hook_secrets.put(session, "con_2", strange, context.now(), context.now())

        with pytest.raises(vaults.KeyProblem, match="cannot be decrypted"):
            keys.rotate(context)
    assert (home / "key").read_bytes() == kept


# -- on the command line -------------------------------------------------------------------------------------------


def test_the_commands_say_what_is_there_and_what_is_to_be_done_next(home: Path) -> None:
    installation = Installation(home)

    listed = installation.ok("keys", "list")
    rotated = installation.ok("keys", "rotate")

    assert "1 key in the key file; the first encrypts." in listed.out
    assert "7 secrets stored, 7 of them encrypted with the first key." in listed.out
    assert "7 stored secrets are encrypted with the new key" in rotated.out
    assert not any(key in listed.out + rotated.out for key in the_keys(home))


def test_with_one_key_in_a_variable_the_command_says_how_to_put_another_before_it(tmp_path: Path) -> None:
    furnish(tmp_path)
    one, two = new_key(), new_key()
    with opened(tmp_path, one) as context:
        store_secrets(context)

    only = Installation(tmp_path, {"PHASELOOP_SECRET_KEY": one}).run("keys", "rotate")
    both = Installation(tmp_path, {"PHASELOOP_SECRET_KEY": f"{two},{one}"}).ok("keys", "rotate")

    assert only.code == 1
    assert "Put a new one before it in PHASELOOP_SECRET_KEY of every replica" in only.err
    assert "7 stored secrets are encrypted with the first key: 7 anew." in both.out
    assert "take them out of PHASELOOP_SECRET_KEY" in both.out
    Installation(tmp_path, {"PHASELOOP_SECRET_KEY": two}).ok("connections", "list")


def test_without_anything_stored_there_is_no_key_to_rotate(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "home")

    assert "Nothing is stored yet" in installation.ok("keys", "rotate").out
    assert "No key yet" in installation.ok("keys", "list").out
    assert not (tmp_path / "home" / "key").exists()
