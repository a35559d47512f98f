"""Binders made from a store: signed with a key that is kept like credentials, and verified without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from service.context import Context
from service.domain.audit.audit import audit
from service.domain.audit.outcome import Audited, Clock, Verdict
from service.store import audits
from service.store.tables import IterationRow, ProjectRow, SigningKeyRow
from service.store.vault import Vault
from service.store_faults import KeyProblem
from service.usecases.audit import binder_export, waiver_log
from service.usecases.audit.binder_export import Format
from service.usecases.errors import NotFound
from service.verification import verify_file
from tests.unit import stores
from tests.unit.domain.audit import binders
from tests.unit.stores import NOON

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    """A project with three iterations: two that were read, one that could not be."""
    for context in stores.on(request.param, tmp_path):
        with context.database.session() as session:
            session.add(project())
            session.flush()
            session.add_all(iteration(number) for number in (1, 2, 3))
        with context.database.session() as session:
            looks = [(subject, audit(subject)) for subject in (binders.subject(1), binders.subject(2, "TBD"))]
            audits.keep(session, "prj_1", looks, NOON)
            unread = Audited(3, Verdict.UNKNOWN, Clock.OVERDUE, 0, ())
            audits.trouble(session, "prj_1", unread, "The tracker refused us.", NOON)
        yield context


def project() -> ProjectRow:
    return stores.project_row("prj_1", name="Churn", key="ML", time_zone="Europe/Berlin")


def iteration(number: int) -> IterationRow:
    first = date(2026, 3, 2) + timedelta(weeks=2 * (number - 1))
    starts = datetime(first.year, first.month, first.day, 8, tzinfo=UTC)
    return IterationRow(
        project_id="prj_1",
        number=number,
        phase="ideation",
        of_phase=number,
        title=f"churn {number}",
        first=first,
        last=first + timedelta(days=11),
        starts=starts,
        ends=starts + timedelta(days=11),
        began_at=starts,
        closed_at=starts + timedelta(days=11),
    )


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("number", [None, 1, 2, 3])
def test_what_is_made_is_verified_as_ours(store: Context, form: Format, number: int | None) -> None:
    (signer,) = binder_export.signers(store)

    outcome = verify_file(binder_export.make(store, "ML", number, form), signer.fingerprint)

    assert outcome.mismatches == ()
    assert outcome.ok
    assert outcome.iteration == number
    assert outcome.iterations == (3 if number is None else 1)


def test_it_holds_what_was_said_of_each_iteration(store: Context) -> None:
    content = json.loads(binder_export.make(store, "ML", None, Format.JSON))["content"]

    with store.database.session() as session:
        said = {str(number): row.result for number, row in audits.rows(session, "prj_1").items()}
    assert content["audits"] == {number: said[number] for number in ("1", "2")}
    assert [one["trouble"] for one in content["iterations"]] == ["", "", "The tracker refused us."]
    assert [one["reading"] for one in content["iterations"]] == [1, 2, None]


def test_a_waiver_is_in_the_binder_and_what_it_lets_pass(store: Context) -> None:
    waiver_log.waive(
        store, "ML", "D03", number=2, by="pm-1@example.com", reason="The data are public.", until=date(2026, 6, 1)
    )

    data = binder_export.make(store, "ML", 2, Format.HTML)

    assert verify_file(data).ok
    assert "The data are public." in data.decode().partition('<h2 id="waivers">')[2].partition("</section>")[0]


def test_evidence_that_was_changed_in_the_store_is_found_in_the_binder(store: Context) -> None:
    def forged(session: object, project_id: str) -> list[object]:
        first, *others = real(session, project_id)  # type: ignore[arg-type]
        return [replace(first, body={**first.body, "ours": "somebody"}), *others]

    real = audits.entries
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audits, "entries", forged)
        data = binder_export.make(store, "ML", None, Format.JSON)

    assert [one.place for one in verify_file(data).mismatches] == ["evidence 1"]


def test_the_key_is_made_once_and_stands_encrypted(store: Context) -> None:
    binder_export.make(store, "ML", 1, Format.JSON)
    binder_export.make(store, "ML", 2, Format.HTML)

    with store.database.session() as session:
        (row,) = session.scalars(select(SigningKeyRow))
    assert len(bytes.fromhex(store.vault.open(row.secret))) == 32
    assert store.vault.open(row.secret).encode() not in row.secret


def test_a_new_key_signs_from_now_on_and_the_old_one_is_still_known(store: Context) -> None:
    before = binder_export.make(store, "ML", 1, Format.HTML)
    (old,) = binder_export.signers(store)
    later = replace(store, now=lambda: NOON + timedelta(days=1))

    new = binder_export.renew(later)

    after = binder_export.make(later, "ML", 1, Format.HTML)
    assert verify_file(after, new.fingerprint).ok
    assert not verify_file(after, old.fingerprint).ok
    assert verify_file(before, old.fingerprint).ok
    assert binder_export.signers(later) == [new, old]


def test_a_key_that_cannot_be_opened_is_said_so(store: Context) -> None:
    binder_export.signers(store)
    elsewhere = replace(store, vault=Vault([Fernet.generate_key().decode()]))

    with pytest.raises(KeyProblem):
        binder_export.make(elsewhere, "ML", 1, Format.JSON)


@pytest.mark.parametrize(("name", "number"), [("NO", None), ("ML", 9)])
def test_what_there_is_not_cannot_be_bound(store: Context, name: str, number: int | None) -> None:
    with pytest.raises(NotFound):
        binder_export.make(store, name, number, Format.HTML)


def test_the_same_is_bound_to_the_same_bytes(store: Context) -> None:
    assert binder_export.make(store, "ML", None, Format.HTML) == binder_export.make(store, "ML", None, Format.HTML)


VERIFY = """
import socket, sqlite3, sys
def refused(*_args, **_more):
    raise SystemExit("verifying reached out")
socket.socket.connect = sqlite3.connect = refused
from service.verification import verify_file
outcome = verify_file(open(sys.argv[1], "rb").read(), sys.argv[2])
loaded = {"sqlalchemy", "httpx", "fastapi", "dbos"} & set(sys.modules)
print(outcome.ok, sorted(loaded))
"""


def test_verifying_needs_no_server_no_database_and_no_settings(store: Context, tmp_path: Path) -> None:
    path = tmp_path / "binder.html"
    path.write_bytes(binder_export.make(store, "ML", None, Format.HTML))
    (signer,) = binder_export.signers(store)
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOP_")}

    done = subprocess.run(
        [sys.executable, "-c", VERIFY, str(path), signer.fingerprint],
        capture_output=True,
        text=True,
        env={**bare, "HOME": str(tmp_path / "nowhere"), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=False,
    )

    assert (done.stdout.strip(), done.stderr) == ("True []", "")
