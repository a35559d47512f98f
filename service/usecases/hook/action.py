"""What triggers do, each by the use case that people do it by. Every one is done once: it notes in its own unit of work
that it was (`Context.done`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from service import templates
from service.context import Context
from service.domain.loop.turnover import decision_words
from service.domain.plan.identity_findings import TAKEN
from service.domain.problems import InvalidInput, Problem
from service.domain.template.shape import meant, one_of
from service.notify.port import Notice, Outbox
from service.store import loops
from service.store.tables import ProjectRow
from service.usecases.audit import record_upkeep
from service.usecases.errors import Conflict
from service.usecases.hook import people, reaction, sync
from service.usecases.hook.asked import Asked
from service.usecases.hook.checking import unknown_people, words_of
from service.usecases.loop import advances, decisions, proposals
from service.usecases.plan import planning
from service.usecases.plan.project_state import material
from service.usecases.queue import Enqueue
from service.usecases.run import plan_apply
from service.usecases.setup import projects


@dataclass(frozen=True, slots=True)
class Doing:
    """One action that is to be done: its name, what it is given, filled in, its project, and in whose name. `once` is
    the id of its firing."""

    action: str
    given: Mapping[str, Any]
    project: ProjectRow | None
    by: str
    once: str

    @property
    def on(self) -> ProjectRow:
        """The project of an action that has one."""
        assert self.project is not None  # noqa: S101 - which actions need one is checked when a trigger is added
        return self.project

    def text(self, name: str) -> str:
        """An argument as text, empty where it is not given."""
        return str(self.given.get(name, "")).strip()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action: the id of its effect and words for people. `run` is the run that it started, if any."""

    effect: str
    text: str
    run: str | None = None


class OtherPhase(Conflict):
    """The project is in another phase than the one that was named; nothing is done, and nothing failed."""

    def __init__(self, message: str) -> None:
        super().__init__("other-phase", message, "Nothing was decided.")


def do(context: Context, doing: Doing, enqueue: Enqueue) -> Outcome:
    """Do it, with a context that holds the claim to do it once. Raises what its use case raises."""
    return _ACTIONS[doing.action](context, doing, enqueue)


def phase_of(context: Context, project: ProjectRow) -> str:
    """The phase of the current iteration, empty before the first."""
    known = material(context, project.id)
    return known.begun[known.current - 1].stage.phase if known.current else ""


def _advance(context: Context, doing: Doing, enqueue: Enqueue) -> Outcome:
    run = advances.advance(context, doing.on.id, doing.by, enqueue)
    return Outcome(run.id, f"The advance of {doing.on.key} to iteration {run.iteration} was started.", run.id)


def _audit(context: Context, doing: Doing, enqueue: Enqueue) -> Outcome:
    run = record_upkeep.begin(context, doing.on.id, doing.by, enqueue)
    return Outcome(run.id, f"The records of {doing.on.key} are looked at.", run.id)


def _resync(context: Context, doing: Doing, _enqueue: Enqueue) -> Outcome:
    sync.look_again(context, doing.on)
    with context.database.session() as session:
        context.done(session, doing.on.id)
    return Outcome(doing.on.id, f"{doing.on.key} is looked at again.")


def _decide(context: Context, doing: Doing, enqueue: Enqueue) -> Outcome:
    move, phase = doing.text("move"), doing.text("phase") or None
    if doing.given.get("propose") is True:
        return _react(context, proposal(context, doing), enqueue)
    decisions.decide(context, doing.on.id, move, phase, doing.text("reason"), doing.by)
    return Outcome(doing.on.id, f"Decided for the next advance of {doing.on.key}: {move} {phase or ''}".strip() + ".")


def proposal(context: Context, doing: Doing) -> Doing:
    """What people are told of a move that an event proposes: what it is, and how one of them accepts it. Raises as
    `decisions.decision_of` does."""
    move, phase = doing.text("move"), doing.text("phase") or None
    decision = decisions.decision_of(context, doing.on.id, move, phase, doing.text("reason"), doing.by)
    words, accept = decision_words(decision.move, phase), proposals.accepting(doing.on.key, decision)
    text = f"Proposed for {doing.on.key}: {words}. {decision.reason} Accept it with: {accept}"
    data = {"move": move, "phase": phase, "reason": decision.reason}
    return replace(doing, action="propose", given={"text": text, "data": data})


def not_its_exit(context: Context, project: ProjectRow, given: Mapping[str, Any]) -> str:
    """Why this says nothing of the phase that the project is in; empty where it does. Raises InvalidInput for a phase
    that its template does not have."""
    named = str(given.get("phase", "")).strip()
    if not named:
        return ""
    known = material(context, project.id)
    phases = [one.key for one in known.template.phases]
    if named not in phases:
        message = f"{project.key} has no phase {named!r}"
        raise InvalidInput([Problem("trigger", None, "with.phase", message, meant(named, phases) or one_of(phases))])
    present = known.begun[known.current - 1].stage.phase if known.current else ""
    if present == named:
        return ""
    return f"{project.key} is in the phase {present}, not in {named}." if present else f"{project.key} has not begun."


def _mark_exit(context: Context, doing: Doing, _enqueue: Enqueue) -> Outcome:
    if why := not_its_exit(context, doing.on, doing.given):
        raise OtherPhase(why)
    present = phase_of(context, doing.on)
    decisions.decide(context, doing.on.id, "next", None, doing.text("reason"), doing.by)
    return Outcome(doing.on.id, f"The phase {present} of {doing.on.key} has reached its output.")


def _react(context: Context, doing: Doing, enqueue: Enqueue) -> Outcome:
    asked = Asked(doing.action, doing.given, doing.on, doing.by, doing.once)
    started = reaction.react(context, asked, enqueue)
    return Outcome(started.run or doing.on.id, started.text, started.run)


def _notify(context: Context, doing: Doing, enqueue: Enqueue) -> Outcome:
    with context.database.session() as session:
        loop = loops.find(session, doing.on.id)
    if loop is not None and loop.current:
        return _react(context, doing, enqueue)
    # Before the first iteration there is no record to say it on.
    to = tuple(words_of(doing.text("to")))
    if to and (problems := unknown_people(doing.text("to"), material(context, doing.on.id).team)):
        raise InvalidInput(problems)
    text = doing.text("text")[: people.LONGEST_NOTICE]
    name = f"{people.TOLD['notify']}:{doing.once}"
    notice = Notice(doing.on.id, name, people.TOLD["notify"], text, context.now(), doing.by, to=to)
    with context.database.session() as session:
        Outbox().notify(session, notice)
        context.done(session, name)
    return Outcome(name, f"No iteration of {doing.on.key} has begun, so it is in the history alone: {text}")


def _bootstrap(context: Context, doing: Doing, enqueue: Enqueue) -> Outcome:
    request = request_of(doing.given)
    # The steps before the last can be repeated, and only the last is what counts as done.
    free = replace(context, claim=None)
    asked = None
    try:
        row = projects.plan_first(free, request)
        asked = planning.Asked(request, anew=True)  # a new project is set up by the apply of its plan, not before
    except Conflict as error:
        if error.code != TAKEN:
            raise
        row = projects.put(free, request)
    plan = planning.make_plan(free, row.id, asked=asked)
    if doing.given.get("apply") is True:
        run = plan_apply.apply(context, plan.id, doing.by, enqueue)
        return Outcome(run.id, f"{row.key} was planned, and the plan is applied.", run.id)
    with context.database.session() as session:
        context.done(session, plan.id)
    return Outcome(plan.id, f"{row.key} was planned. Look at the plan and apply it: phaseloop apply {plan.id}")


def request_of(given: Mapping[str, Any]) -> projects.Request:
    """What a bootstrap asks for. Raises InvalidInput."""
    parameters = given.get("parameters") or {}
    problems = [
        Problem("trigger", None, f"with.{name}", "came out empty", "look at what the event holds")
        for name in ("key", "connection", "team")
        if not str(given.get(name, "")).strip()
    ]
    if problems:
        raise InvalidInput(problems)
    key = str(given["key"]).strip()
    return projects.Request(
        name=str(given.get("name") or key).strip(),
        key=key,
        connection=str(given["connection"]).strip(),
        team=str(given["team"]).strip(),
        template=templates.load_builtin(str(given.get("template") or "iterative-ml")),
        parameters=parameters,
        create=given.get("create") is True,
    )


_ACTIONS: Mapping[str, Callable[[Context, Doing, Enqueue], Outcome]] = {
    "advance": _advance,
    "audit": _audit,
    "resync": _resync,
    "decide": _decide,
    "mark-exit": _mark_exit,
    "add-ticket": _react,
    "close-ticket": _react,
    "record": _react,
    "notify": _notify,
    "bootstrap": _bootstrap,
}
