"""Filling the record of an iteration with what is known: our own history, and the tracking server's runs and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from connectors import registry
from connectors.errors import TrackerError
from connectors.records import Fill
from connectors.registry import InvalidSettings
from connectors.tracking import Tracked
from connectors.values import Content, Finding, Severity
from service.context import Context
from service.domain.audit.facts import OVERVIEW, OVERVIEW_SEEDED, Facts, Noted, bodies, quoted
from service.domain.audit.headings import OVERVIEW_TITLE
from service.domain.audit.rules import ProjectAudit, Tracking, settle
from service.domain.loop import figures
from service.domain.loop.course import course, phase_of
from service.domain.loop.figures import Figures, TicketRecord
from service.domain.loop.turnover import iteration_key
from service.domain.plan.ticket_text import Wording
from service.domain.template.template import Phase
from service.domain.template.text import render
from service.settings import Settings
from service.store import audits
from service.store.tables import AuditRow, EventRow, IterationRow
from service.usecases.plan.project_state import Material


@dataclass(frozen=True, slots=True)
class Prefill:
    """What is to be written into a record, and what to say about it (a tracking server that does not answer is a
    WARNING: the rest is written all the same)."""

    fills: tuple[Fill, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    """What our store has of an iteration: its row, those of the ones before and after it, and what was written into its
    record so far, by heading."""

    row: IterationRow
    former: IterationRow | None
    following: IterationRow | None
    written: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Texts:
    """The record as it was seeded: headings, prompts and bodies by section key."""

    phase: Phase
    headings: Mapping[str, str]
    prompts: Mapping[str, str]
    seeded: Mapping[str, str]
    phase_title: str
    focus: str


NOTED = "noted"
"""The kind of the events that hold what was noted for records."""


def noted(context: Context, project_id: str, number: int) -> tuple[Noted, ...]:
    """What events from outside had noted in iteration `number`, oldest first."""
    there = EventRow.project_id == project_id, EventRow.kind == NOTED, EventRow.iteration == number
    with context.database.session() as session:
        rows = session.scalars(select(EventRow).where(*there).order_by(EventRow.id))
        return tuple(Noted(row.at, row.by, row.text, str(row.data.get("url", ""))) for row in rows)


def overview(context: Context, ours: Material, number: int, more: Sequence[Noted]) -> Fill | None:
    """What is to be written into the overview of the record of iteration `number` with this noted as well; None where
    it has not begun. Asks no tracking server. Raises InvalidInput as `prefill` does."""
    known = _known(context, ours, number)
    if known is None:
        return None
    texts = _texts(ours, number)
    facts = _facts(context, ours, known, texts, _tickets(ours, known.row, None), None)
    facts = replace(facts, noted=(*facts.noted, *more))
    fills = _fills(texts, known.written, {OVERVIEW: bodies(facts)[OVERVIEW]})
    return fills[0] if fills else None


def prefill(context: Context, ours: Material, number: int, contents: Sequence[Content] | None = None) -> Prefill:
    """What is to be written into the record of iteration `number`; nothing for one that has not begun. `contents` are
    its tickets as the tracker has them now, where the iteration is open and they were read: without them, what is done
    is known only once it was closed.

    A section is in `fills` only if its text differs from what we wrote there last (by the audit's row). `former` of a
    fill are the texts that we wrote there before, the seeded one among them. What is wrong with the tracking server
    is told in `findings`, and never raised. Raises InvalidInput where the template does not have the iteration's phase
    any more.
    """
    known = _known(context, ours, number)
    if known is None:
        return Prefill()
    said = ProjectAudit.model_validate(ours.project.audit)
    texts = _texts(ours, number)
    tracked, findings = _tracked(context, ours, said.tracking, known)
    tickets = _tickets(ours, known.row, contents)
    facts = _facts(context, ours, known, texts, tickets, tracked)
    return Prefill(tuple(_fills(texts, known.written, bodies(facts))), tuple(findings))


def _facts(
    context: Context,
    ours: Material,
    known: _Known,
    texts: _Texts,
    tickets: Sequence[TicketRecord],
    tracked: Tracked | None,
) -> Facts:
    said, number = ProjectAudit.model_validate(ours.project.audit), known.row.number
    return Facts(
        number=number,
        phase=texts.phase_title,
        focus=texts.focus,
        starts=known.row.starts,
        ends=_until(context, known),
        asked=texts.prompts,
        forms={one.key: one.form for one in ours.template.record.sections},
        closed=known.row.closed_at is not None,
        tickets=tuple(tickets),
        figures=Figures.from_json(known.row.figures) if known.row.figures is not None else None,
        title=known.row.title,
        board=_board(ours, number),
        tracked=tracked,
        hosts=settle(ours.template, texts.phase, said, trusted=_trusted(context.settings)).hosts,
        noted=noted(context, ours.project.id, number),
    )


def _fills(texts: _Texts, written: Mapping[str, tuple[str, ...]], wanted: Mapping[str, str]) -> list[Fill]:
    found = []
    for key, body in wanted.items():
        heading = texts.headings[key]
        seeded = [texts.seeded[key], quoted(texts.prompts.get(key, ""))]
        former = list(dict.fromkeys(text for text in (*seeded, *written.get(heading, ())) if text))
        newest = written.get(heading, (texts.seeded[key],))[-1]
        if body != newest:
            found.append(Fill(heading, body, tuple(former)))
    return found


def _known(context: Context, ours: Material, number: int) -> _Known | None:
    near = select(IterationRow).where(
        IterationRow.project_id == ours.project.id, IterationRow.number.between(number - 1, number + 1)
    )
    with context.database.session() as session:
        rows = {row.number: row for row in session.scalars(near)}
        audit = session.get(AuditRow, (ours.project.id, number))
        written = audits.bodies(audit) if audit is not None else {}
    row = rows.get(number)
    return _Known(row, rows.get(number - 1), rows.get(number + 1), written) if row is not None else None


def _texts(ours: Material, number: int) -> _Texts:
    turn = course(ours.template, ours.parameters, ours.calendar, ours.begun, ahead=1).turn(number)
    stage = turn.stage
    phase = phase_of(ours.template, stage.phase)
    base = {**ours.parameters, "project": {"name": ours.project.name, "key": ours.project.key}}
    wording = Wording(ours.template, ours.parameters, base)
    names = {"number": number, "of_phase": stage.of_phase, "last": turn.turns, "loop": stage.loop}
    words = wording.context(phase, names)
    sections = ours.template.record.sections
    return _Texts(
        phase=phase,
        headings={one.key: render(one.title, words) for one in sections} | {OVERVIEW: OVERVIEW_TITLE},
        prompts={one.key: render(one.prompt, words) for one in sections},
        seeded=wording.seeded(phase, words) | {OVERVIEW: OVERVIEW_SEEDED},
        phase_title=render(phase.title, words),
        focus=render(phase.focus, words),
    )


def _tickets(ours: Material, row: IterationRow, contents: Sequence[Content] | None) -> list[TicketRecord]:
    tickets = [TicketRecord.from_json(ticket) for ticket in row.tickets]
    if row.closed_at is not None:
        return tickets
    begun = figures.as_begun(tickets)
    return begun if contents is None else figures.closed(begun, contents, (), ours.people)


def _board(ours: Material, number: int) -> str:
    """The address that opens the iteration in the tracker, or else the project."""
    ref = ours.known.get(iteration_key(number))
    return (ref.url if ref is not None else "") or ours.project.url or ""


# --- the tracking server ----------------------------------------------------------------------------------------------


def _trusted(settings: Settings) -> list[str]:
    return [settings.mlflow_url.host] if settings.mlflow_url is not None and settings.mlflow_url.host else []


def _tracked(
    context: Context, ours: Material, said: Tracking, known: _Known
) -> tuple[Tracked | None, Sequence[Finding]]:
    """What the tracking server tells of this iteration and the one before, and what is wrong with that. Nothing is
    asked where no server is configured."""
    try:
        found = registry.tracking_server(said.url, _service(context.settings), network=context.network)
    except InvalidSettings as error:
        wrong = "; ".join(words for _, words in error.problems)
        fix = "Correct PHASELOOP_MLFLOW_*, or `tracking.url` of the project."
        return None, [
            _finding(ours, "mlflow-settings", f"MLflow was not asked: its address or credential {wrong}.", fix)
        ]
    if found is None:
        return None, []
    names = said.experiments or tuple(dict.fromkeys((ours.project.key, ours.project.name)))
    since = (known.former or known.row).starts
    try:
        with found as server:
            tracked = server.read(names, said.models, since, _until(context, known))
    except TrackerError as error:
        fix = f"{error.fix} What is known from the tracker is filled in without it.".strip()
        return None, [_finding(ours, "mlflow-not-read", error.message, fix)]
    return tracked, _missing(ours, said, tracked, names)


def _service(settings: Settings) -> dict[str, Any] | None:
    """The service's own tracking server, as settings of it."""
    if settings.mlflow_url is None:
        return None
    return {
        "url": str(settings.mlflow_url),
        "token": settings.mlflow_token,
        "username": settings.mlflow_username,
        "password": settings.mlflow_password,
        "allow_http": settings.mlflow_allow_http,
    }


def _until(context: Context, known: _Known) -> datetime:
    """When the time of the iteration is over: a run belongs to one iteration only."""
    if known.following is not None:
        return known.following.starts
    return known.row.closed_at or max(known.row.ends, context.now())


def _missing(ours: Material, said: Tracking, tracked: Tracked, names: Sequence[str]) -> list[Finding]:
    """The experiments and models that the project names and that are not there."""
    fix = "Name the project's experiments and models as MLflow does, under `tracking`, and let our account read them."
    asked = {*said.experiments, *said.models}
    found = [
        _finding(ours, "mlflow-missing", f'MLflow at {tracked.server} does not show us "{name}".', fix)
        for name in tracked.missing
        if name in asked
    ]
    if not said.experiments and not tracked.experiments:
        listed = " or ".join(f'"{name}"' for name in names)
        message = f"MLflow at {tracked.server} shows us no experiment that is called {listed}, as the project is."
        found.append(_finding(ours, "mlflow-no-experiment", message, fix, Severity.INFO))
    return found


def _finding(ours: Material, code: str, message: str, fix: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(severity, code, message, fix, ours.project.key)
