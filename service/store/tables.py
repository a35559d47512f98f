"""The tables. They hold the truth; the durable engine's own tables are a journal that may be deleted.

Times are UTC. `JSON` columns hold plain values only. Credentials stand encrypted in `connections.secret`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite forgets the zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values: a time without a zone is a mistake."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"a stored time needs a zone: {value!r}"
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every stored time its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """The base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class TokenRow(Table):
    """An API token; only its hash is kept. What it may do is in `grants`."""

    __tablename__ = "tokens"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class TemplateRow(Table):
    """A template's text as some project used it, by digest, so that a project never loses what it was made from."""

    __tablename__ = "templates"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    version: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(400))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)


REMOVED = b""
"""The secret of a connection that was removed: none is that short."""


class ConnectionRow(Table):
    """A tracker site or account. `settings` holds no secret; `secret` is encrypted, and empty once the connection was
    removed, which stays where projects that have ended were built with it."""

    __tablename__ = "connections"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)

    @property
    def removed(self) -> bool:
        """Whether it is only kept for projects that have ended."""
        return self.secret == REMOVED


class MappingRow(Table):
    """What stands for what in one project of a connection's tracker: `entries` by role, each the tracker's `id` of a
    thing, the `name` it had when it was last seen, how it was `found`, `by` whom it was set and `at` when. `site` is
    empty until it is learned, for what an earlier version kept. `version` is its ETag."""

    __tablename__ = "mappings"
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"), primary_key=True)
    site: Mapped[str] = mapped_column(String(300), primary_key=True)
    tracker_project: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    entries: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class TeamRow(Table):
    """A team file as it was last imported; `version` grows with each import. Version 0 is no import yet: a plan brings
    the team, and it becomes one when that is applied."""

    __tablename__ = "teams"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class ConnectionCheckRow(Table):
    """What the last check of a connection found: who phaseloop is there, and what is wrong. `checked_at` is None while
    its credential was not checked since it was replaced; `account` is then that of the former one. `former` is the
    account before, where the credential of another one took its place."""

    __tablename__ = "connection_checks"
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"), primary_key=True)
    checked_at: Mapped[datetime | None] = mapped_column(Instant)
    account: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    former: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class ProjectRow(Table):
    """One template version filled in for one team on one connection. `serial` grows with every applied plan.

    `calendar` is what the project says of its working time where it differs from the team's, `turning` what it says of
    how its loop turns where that differs from the template (both as in `domain.calendar_file` and `template.Loop`),
    `audit` what it says of how its records are audited (see `domain.audit.rules`), `notices` when its people are
    written to (see `domain.notice.hours`).
    A project that has ended (`ended_at`) is kept for the record; its key may be used again. One that is only `planned`
    holds the plans of a project that nobody has set up yet: each of them brings all settings along, and the first that
    is applied makes it a project.

    `site` and `remote_id` say which project of which site it is, by what nobody can rename (see `connectors.port`'s
    `Identity`); no two active ones are the same. Both are None until the tracker has told. `memory` is by which ids the
    connector knows the project's own board, lists and labels (`Memory` there). `names` holds `former`, the keys that it
    had before it was renamed in the tracker, the newest last; and `told`, the `key` and the `title` that it had there
    when a plan was last shown.
    """

    __tablename__ = "projects"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(80))
    url: Mapped[str | None] = mapped_column(String(500))
    create: Mapped[bool] = mapped_column(default=False)
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    template_digest: Mapped[str] = mapped_column(ForeignKey("templates.digest"))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    time_zone: Mapped[str] = mapped_column(String(60))
    calendar: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    turning: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    audit: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    notices: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    serial: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    planned: Mapped[bool] = mapped_column(default=False, server_default=false())
    site: Mapped[str | None] = mapped_column(String(300))
    remote_id: Mapped[str | None] = mapped_column(String(200))
    memory: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    names: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    __table_args__ = (
        Index(
            "uq_projects_site_remote_id",
            "site",
            "remote_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "uq_projects_connection_key",
            "connection_id",
            "key",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )


class ItemRow(Table):
    """An item that exists in the tracker because of us, or whose creation was begun.

    `state`: `intended` (a create was about to be sent; its outcome is not known), `made`, `refused` (see `problems`),
    `released` (we released it, and it stays in the tracker).
    `comments` are the ids of those that we made on it. `since` is the tracker's watermark taken before the create, to
    look the item up by. `run_id` is the run that wrote it last, `made_by` the one that created it, `origin` how it came
    to be ours: `made` by a run, `found` by our marker, `given` to us by a person (and so never removed by us). `theirs`
    are the fields that people had changed before a write of ours went over them.
    """

    __tablename__ = "items"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    remote_id: Mapped[str | None] = mapped_column(String(100))
    remote_key: Mapped[str | None] = mapped_column(String(100))
    url: Mapped[str | None] = mapped_column(String(500))
    wanted: Mapped[dict[str, Any]] = mapped_column(JSON)
    seen: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    problems: Mapped[list[str]] = mapped_column(JSON, default=list)
    comments: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    theirs: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    since: Mapped[str | None] = mapped_column(String(200))
    run_id: Mapped[str | None] = mapped_column(String(80))
    origin: Mapped[str] = mapped_column(String(20), default="made", server_default="made")
    made_by: Mapped[str | None] = mapped_column(String(80))
    updated_at: Mapped[datetime] = mapped_column(Instant)


class PlanRow(Table):
    """A saved plan. `run_id` is the newest run of it. Of an old one only the `people` in its body are kept."""

    __tablename__ = "plans"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    serial: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    reads: Mapped[int] = mapped_column(default=0)
    writes: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(String(200), default="", server_default="")
    run_id: Mapped[str | None] = mapped_column(String(80))
    cleaned_at: Mapped[datetime | None] = mapped_column(Instant)


class RunRow(Table):
    """One durable execution. `kind`: apply, undo, remove, advance, propose, audit. `state`: queued, running, waiting,
    held, completed, incomplete, failed, cancelled.

    A run that advances the loop makes its plan itself (`plan_id` is None until then); `iteration` is the one it begins,
    or the one whose unfinished work it proposes for. Where it cannot continue it is `held` until the clock has it look
    again: that is its next `attempt`, a workflow of its own in the engine.

    `conflicts` are the fields, by item, that it did not write because people changed them since it was planned, with
    what they did. `continues` names the run whose work this one continues. `serial` is the project's when the run
    ended: while it still is, the run can be taken up. `owner` is the token of the execution that has the run, or what
    one left in its place when it ended (`runs.ownership`); None before the first. `waiting_until` is set while it waits
    for a known time. `totals` is what is kept of its steps and its plan, once these were cleaned up (`cleaned_at`).
    """

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    plan_id: Mapped[str | None] = mapped_column(ForeignKey("plans.id"))
    attempt: Mapped[int] = mapped_column(default=1, server_default="1")
    iteration: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(20), index=True)
    started_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    place: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    batches: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    since: Mapped[str | None] = mapped_column(String(200))
    message: Mapped[str] = mapped_column(Text, default="")
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    conflicts: Mapped[dict[str, dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    continues: Mapped[str | None] = mapped_column(String(80))
    serial: Mapped[int | None]
    owner: Mapped[str | None] = mapped_column(String(40))
    waiting_until: Mapped[datetime | None] = mapped_column(Instant)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_by: Mapped[str | None] = mapped_column(String(200))
    totals: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    cleaned_at: Mapped[datetime | None] = mapped_column(Instant)


class LoopRow(Table):
    """How the loop of one project stands.

    `state`: `turning`, `paused` (`message` says why, `changed_by` who), `ended`. `current` is the number of the
    current iteration, 0 before the first. `next_first` is the day on which the next one begins, where a person or
    a pause moved it. `due` is what the clock starts a run for next (see `DueRow`): `propose` or `advance`; `run_id`
    is the newest such run, `audit_run_id` the newest that looked at the records. `answers` say what becomes of
    unfinished work at the coming advance, by item key or `*` for all: next, backlog or leave. `decision` is what a
    person decided about the coming iteration (see `domain.turnover.Decision`). `continued` are the open tickets that
    became those of phases entered again (see `domain.continuation`). `feed` is the secret in the calendar feed's
    address.
    """

    __tablename__ = "loops"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    current: Mapped[int] = mapped_column(default=0)
    next_first: Mapped[date | None] = mapped_column(Date)
    due: Mapped[str] = mapped_column(String(20), default="advance")
    run_id: Mapped[str | None] = mapped_column(String(80))
    answers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    continued: Mapped[dict[str, str]] = mapped_column(JSON, default=dict, server_default="{}")
    message: Mapped[str] = mapped_column(Text, default="")
    changed_by: Mapped[str] = mapped_column(String(200), default="")
    feed: Mapped[str] = mapped_column(String(64), unique=True)
    audit_run_id: Mapped[str | None] = mapped_column(String(80))
    updated_at: Mapped[datetime] = mapped_column(Instant)


class DueRow(Table):
    """What the clock is to do with a project, and when; `kind` is one of `store.dues`, each at most once in a project.
    A row goes when the clock does what it says.

    `behind` is the version of its team that the loop is yet to follow, None where it does: what is due may be of
    another calendar until then, so nothing begins.
    """

    __tablename__ = "dues"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    behind: Mapped[int | None] = mapped_column()
    __table_args__ = (
        Index("ix_dues_at", "at", sqlite_where=text("behind IS NULL"), postgresql_where=text("behind IS NULL")),
        Index(
            "ix_dues_behind",
            "behind",
            sqlite_where=text("behind IS NOT NULL"),
            postgresql_where=text("behind IS NOT NULL"),
        ),
    )


class IterationRow(Table):
    """An iteration that was begun: what it was and, once it is closed, what came of it.

    `first` and `last` are calendar dates, `starts` and `ends` the planned instants, `began_at` and `closed_at` what
    happened. `tickets` holds each ticket as it was seen, kept after it vanishes (see `domain.figures.TicketRecord`);
    `figures` is what is counted from them when the iteration is closed. `findings` are what the advance found.
    """

    __tablename__ = "iterations"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    phase: Mapped[str] = mapped_column(String(40))
    loop: Mapped[int] = mapped_column(default=1)
    of_phase: Mapped[int]
    title: Mapped[str] = mapped_column(String(250))
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    starts: Mapped[datetime] = mapped_column(Instant)
    ends: Mapped[datetime] = mapped_column(Instant)
    began_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    began_by: Mapped[str | None] = mapped_column(String(80))
    closed_by: Mapped[str | None] = mapped_column(String(80))
    tickets: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


class CarryRow(Table):
    """That a ticket was not done when iteration `number` was closed, and what became of it: `policy` is next, backlog
    or leave, `to` the iteration it was carried into. `ticket` is an item key, `guest:…` for one of people's own."""

    __tablename__ = "carries"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    ticket: Mapped[str] = mapped_column(String(200), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    policy: Mapped[str] = mapped_column(String(20))
    to: Mapped[int | None]
    run_id: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(Instant)


_UNTOLD = text("untold")


class EventRow(Table):
    """Something that happened to a project's loop, in words and as data, told once: `name` is unique in a project
    (`closed:3`). What is sent to people is read from here: it is `untold` until a message was made of it for everybody
    who asked for it."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    iteration: Mapped[int | None]
    text: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    by: Mapped[str] = mapped_column(String(200))
    run_id: Mapped[str | None] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(Instant)
    untold: Mapped[bool] = mapped_column(default=True, server_default=true())
    __table_args__ = (
        UniqueConstraint("project_id", "name", name="uq_events_project_name"),
        Index("ix_events_untold", "id", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
    )


class EvidenceRow(Table):
    """What was read or decided about a project's records, never changed and never deleted: the database refuses both.

    `kind`: `reading` (`body` is the subject of an audit, see `domain.audit.subject`), `waiver`, `revoked`. The entries
    of a project are a chain: `seq` counts from 1, `digest` is the SHA-256 of the entry with `previous`, the digest of
    the entry before it (see `domain.audit.chain`).
    """

    __tablename__ = "evidence"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    seq: Mapped[int]
    iteration: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(Instant)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous: Mapped[str] = mapped_column(String(64), default="")
    digest: Mapped[str] = mapped_column(String(64))
    __table_args__ = (UniqueConstraint("project_id", "seq", name="uq_evidence_project_seq"),)


class AuditRow(Table):
    """What the newest audit of an iteration came to; it can be computed again from `evidence`.

    `result` is an `Audited` as JSON, `evidence_id` the reading it was made from, `audited_at` the last look, which adds
    no evidence where nothing changed. `state` is what the clock has done, as JSON: `nudged` (the clock's states for
    which people were reminded), `bodies` (by heading, what we wrote under it so far) and `digests` (of the texts of the
    record as we left them). `trouble` says why the last look failed, empty if it did not.
    """

    __tablename__ = "audits"
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    verdict: Mapped[str] = mapped_column(String(20))
    clock: Mapped[str] = mapped_column(String(20))
    score: Mapped[int]
    result: Mapped[dict[str, Any]] = mapped_column(JSON)
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("evidence.id"))
    audited_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    trouble: Mapped[str] = mapped_column(Text, default="")


class WaiverRow(Table):
    """That a person lets a check of a project pass, for iteration `number` or (None) for all, until a day, included."""

    __tablename__ = "waivers"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"), index=True)
    number: Mapped[int | None]
    check: Mapped[str] = mapped_column(String(10))
    by: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[date] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_by: Mapped[str | None] = mapped_column(String(200))


class SigningKeyRow(Table):
    """The key that signs binders: the newest signs, all are known. `public` is 32 bytes in hexadecimal, `secret`
    encrypted like credentials."""

    __tablename__ = "signing_keys"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    public: Mapped[str] = mapped_column(String(64), unique=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)


class StepRow(Table):
    """One step of a run: what it did, how it ended, what it cost. Written when it ends."""

    __tablename__ = "steps"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20))
    message: Mapped[str] = mapped_column(Text, default="")
    reads: Mapped[int] = mapped_column(default=0)
    writes: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime] = mapped_column(Instant)


class AnswerRow(Table):
    """A request that carried an `Idempotency-Key`: what it brought about, and the answer to be given again.

    `holder` is the request that may do it, as long as it says every now and then that it still is at it (`held_at`).
    `effect` is the id of what was brought about, written in the same unit of work; from then on it is never done again.
    `status`, `headers` and `body` are the answer, kept after that.
    """

    __tablename__ = "answers"
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    route: Mapped[str] = mapped_column(String(300))
    digest: Mapped[str] = mapped_column(String(64))
    holder: Mapped[str] = mapped_column(String(40), default="", server_default="")
    held_at: Mapped[datetime | None] = mapped_column(Instant)
    effect: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    body: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(Instant)
