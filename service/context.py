"""What every use case is handed: the settings, the database, the vault, the clock, and the way to reach a tracker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from threading import Lock

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from connectors import registry
from connectors.calls import Permit
from connectors.guard import Guard
from connectors.network import Network
from connectors.oidc import Provider
from connectors.oidc_metadata import ProviderSettings
from connectors.port import Tracker
from service.clock import SharedClock, utc_now
from service.domain.access.identity import Actor, Caller
from service.domain.access.roles import Permission
from service.home_folder import own_files, own_folder
from service.settings import Settings
from service.store import mappings, sealed
from service.store.claims import Claim
from service.store.database import Database
from service.store.tables import REMOVED, ConnectionRow
from service.store.vault import LostVault, Vault, vault
from service.store_faults import KeyProblem

log = logging.getLogger(__name__)


def reading_only() -> None:
    """The permit of whoever is no run: raises RuntimeError, for a run is the one way to write to a tracker."""
    msg = "only runs write to a tracker"
    raise RuntimeError(msg)


def _digest(connection: ConnectionRow, secret: str) -> bytes:
    """What tells two trackers of one connection apart: a replaced credential, and settings that people gave."""
    learned = registry.kind_of(connection.kind).learned
    given = sorted((name, str(value)) for name, value in connection.settings.items() if name not in learned)
    return sha256(repr((secret, given)).encode()).digest()


class TrackerPool:
    """Trackers kept open between uses, so that a run's steps share one session. What they remember of a project is one
    execution's: another one, here or elsewhere, may have changed it since."""

    def __init__(self, timeout: float | None = None, network: Network | None = None) -> None:
        self._timeout = timeout
        self._network = network
        self._idle: dict[tuple[str, bytes, str], Tracker] = {}
        self._lock = Lock()

    @contextmanager
    def lease(
        self, connection: ConnectionRow, secrets: Vault, permit: Permit = reading_only, user: str = ""
    ) -> Iterator[Tracker]:
        """A tracker that nobody else uses meanwhile, and that is kept for this user. It asks `permit` before each
        write."""
        secret = secrets.open(connection.secret)
        key = (connection.id, _digest(connection, secret), user)
        with self._lock:
            tracker = self._idle.pop(key, None)
        if tracker is None:
            kind, settings = connection.kind, connection.settings
            tracker = registry.connect(
                kind, settings, secret, timeout=self._timeout, permit=permit, network=self._network
            )
        try:
            yield tracker
        finally:
            with self._lock:
                spare = self._idle.setdefault(key, tracker)
            if spare is not tracker:
                tracker.close()

    def drop(self, user: str) -> None:
        """Close the trackers that are kept for this user."""
        with self._lock:
            theirs = [self._idle.pop(key) for key in list(self._idle) if key[2] == user]
        for tracker in theirs:
            tracker.close()

    def close(self) -> None:
        """Close the idle trackers."""
        with self._lock:
            idle, self._idle = list(self._idle.values()), {}
        for tracker in idle:
            tracker.close()


@dataclass(frozen=True, eq=False)
class Context:
    """The composition of one process, built once by `open_context` and handed down; nothing else is global. A request
    that carries an idempotency key is handed a copy that holds its `claim`.

    `now` is the present instant; tests hand in another. `permit` is asked before each write to a tracker, `user` is for
    whom trackers are kept open. `provider` is what people sign in with; None for one-time links alone. `sees` are the
    ids of the projects that whoever asks may see, None for all.
    """

    settings: Settings
    database: Database
    vault: Vault
    now: Callable[[], datetime] = field(default=utc_now)
    provider: Provider | None = None
    pool: TrackerPool = field(default_factory=TrackerPool)
    network: Network = field(default_factory=Network)
    claim: Claim | None = None
    permit: Permit = reading_only
    user: str = ""
    sees: frozenset[str] | None = None

    @property
    def actor(self) -> Actor:
        """Who acts with this context: what it changes is logged as theirs."""
        return self.database.actor

    def acting(self, caller: Caller) -> Context:
        """The same for somebody: what is changed with it is logged as theirs, and of projects it sees what they may."""
        return replace(self, database=self.database.acting(caller.actor), sees=caller.projects(Permission.READ))

    def acting_as(self, actor: Actor) -> Context:
        """The same, with what is changed logged as this actor's."""
        return replace(self, database=self.database.acting(actor))

    def done(self, session: Session, effect: str) -> None:
        """Note that what was asked for is done with this unit of work; `effect` is the id of what came of it. Whatever
        people can ask for says so in its decisive unit of work, which is its last one, also where nothing was to be
        done: a repetition of the request finds it, and does nothing. Raises ClaimLost."""
        if self.claim is not None:
            self.claim.done(session, effect)

    def under(self, user: str, permit: Permit, guard: Callable[[Session], None]) -> Context:
        """The same for one execution of a run, which may write: to trackers with its permit, to the database where its
        guard does not raise."""
        return replace(self, database=self.database.guarded(guard), permit=permit, user=user)

    def check_key(self, *, fetched: bool = True) -> None:
        """Raise KeyProblem if the credential that was stored last cannot be decrypted with the present key: every run
        would fail. With `fetched`, also where it stands elsewhere and cannot be fetched there."""
        with self.database.session() as session:
            newest = (
                select(ConnectionRow.secret)
                .where(ConnectionRow.secret != REMOVED)
                .order_by(ConnectionRow.created_at.desc())
                .limit(1)
            )
            if (secret := session.scalar(newest)) is not None:
                (self.vault.open if fetched else self.vault.kept)(secret)

    @contextmanager
    def tracker(self, connection: ConnectionRow) -> Iterator[Tracker]:
        """A tracker for this connection, which knows what was chosen for its projects. Its `usage` counts on from
        earlier uses: compare before and after."""
        with self.database.session() as session:
            kept = mappings.remembered(session, connection.id)
        with self.pool.lease(connection, self.vault, self.permit, self.user) as tracker:
            tracker.remember(kept)
            try:
                yield tracker
            finally:
                self._keep(connection, tracker.found_settings)

    def _keep(self, connection: ConnectionRow, learned: Mapping[str, str]) -> None:
        """Remember what a tracker found out about its connection, unless that was replaced meanwhile."""
        if not learned or learned.items() <= connection.settings.items():
            return
        try:
            with self.database.session() as session:
                row = session.get(ConnectionRow, connection.id)
                if row is not None and row.secret == connection.secret:
                    row.settings = {**row.settings, **learned}
        except OperationalError:
            log.warning("what was found out about the connection %s could not be kept", connection.name)

    def close(self) -> None:
        """Release trackers and database."""
        self.pool.close()
        self.database.dispose()


def open_context(settings: Settings, *, keyless: bool = False) -> Context:
    """Open the store of these settings. The embedded database is brought to this version; a shared one must have
    been, by `phaseloop db upgrade`. A context that may be `keyless` is opened where the key is lost, too, and what
    needs a credential raises then. Raises SchemaMismatch, KeyProblem."""
    database = _database(settings)
    if settings.embedded:
        database.upgrade()
    else:
        database.check_schema()
    try:
        secrets = vault(settings, in_use=lambda: _has_secrets(database))
    except KeyProblem as error:
        if not keyless:
            raise
        secrets = LostVault(error)
    network = Network(ca_bundle=settings.ca_bundle, guard=Guard(settings.outbound))
    pool = TrackerPool(settings.tracker_timeout, network)
    # Replicas tell time by their database: their own clocks may be minutes apart.
    now = utc_now if settings.embedded else SharedClock(database.time)
    database = database.acting(database.actor, now)
    return Context(
        settings=settings,
        database=database,
        vault=secrets,
        now=now,
        provider=_provider(settings, network),
        pool=pool,
        network=network,
    )


def _provider(settings: Settings, network: Network) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    return Provider(
        ProviderSettings(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_secret,
            settings.oidc_scopes,
            settings.oidc_clock_skew_seconds,
        ),
        network,
    )


def upgrade_store(settings: Settings) -> tuple[str | None, str]:
    """Bring the tables of these settings' database to this version. Returns the version that was found, None where
    there were none, and the one that they have now."""
    database = _database(settings)
    found = database.version
    database.upgrade()
    now = database.version
    database.dispose()
    return found, now or ""


def _database(settings: Settings) -> Database:
    """The database of these settings, its files for their owner alone."""
    if settings.embedded:
        own_folder(settings.home)
        own_files(settings.home)
    return Database(settings.store_url)


def _has_secrets(database: Database) -> bool:
    """Whether anything is stored encrypted."""
    with database.session() as session:
        return sealed.anything(session)
