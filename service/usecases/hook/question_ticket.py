"""Asking about an iteration: the question is evidence, and its ticket is made as those are that events ask for, by a
plan that is kept with its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from connectors.errors import TrackerError
from service.context import Context
from service.domain.audit.questions import literal
from service.domain.plan.event_ticket import reacting_run
from service.domain.problems import InvalidInput
from service.store.tables import RunRow
from service.usecases.audit import questions
from service.usecases.audit.questions import Draft
from service.usecases.errors import UseCaseError
from service.usecases.hook.asked import Asked
from service.usecases.hook.reaction import Started, react
from service.usecases.plan.project_state import Material, material
from service.usecases.queue import Enqueue
from service.usecases.setup import projects

_IN_THE_TITLE = 80
"""Characters of a question that its ticket's title holds."""

_HOW = "Answer in a comment and move this ticket to done. Both are read with the next audit and kept as evidence."


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question that was asked, with the run that makes its ticket; None where that could not be begun just now, for
    the reason in `trouble`, or was before."""

    id: str
    run: str | None = None
    trouble: str = ""


def ask(context: Context, question: Draft, enqueue: Enqueue) -> Outcome:
    """Keep a question and begin to make its ticket, in one unit of work; the question alone where no ticket can be made
    now. Repeatable."""
    if (begun := _begun(context, question.id)) is not None:
        return Outcome(question.id, begun)

    def beside(session: Session) -> None:
        questions.keep(session, question, context.now())

    try:
        return Outcome(question.id, _made(context, question, enqueue, beside).run)
    except (UseCaseError, InvalidInput, TrackerError) as error:
        with context.database.session() as session:
            beside(session)
            context.done(session, question.id)
        return Outcome(question.id, trouble=str(error))


def make(context: Context, project: str, asked: str, enqueue: Enqueue) -> Outcome:
    """Have the ticket of the question of this id made in the current iteration, for whoever signs records. Repeatable:
    there is one ticket for a question.

    Raises NotFound; InvalidInput; Conflict where no iteration has begun, the project has ended, or an advance is in
    progress; PlanBlocked; TrackerError.
    """
    row = projects.past_or_present(context, project)
    known = questions.get(context, row.id, asked).question
    if (begun := _begun(context, known.id)) is not None:
        return Outcome(known.id, begun)
    question = Draft(known.id, row.id, known.number, known.text, known.by)
    return Outcome(known.id, _made(context, question, enqueue, lambda _session: None).run)


def _begun(context: Context, asked: str) -> str | None:
    """The run that makes the ticket of a question, if it was begun."""
    with context.database.session() as session:
        if session.get(RunRow, reacting_run(asked)) is None:
            return None
        context.done(session, reacting_run(asked))
    return reacting_run(asked)


def _made(context: Context, question: Draft, enqueue: Enqueue, beside: Callable[[Session], None]) -> Started:
    ours = material(context, projects.going_on(context, question.project).id)
    words = " ".join(question.text.split())
    short = words if len(words) <= _IN_THE_TITLE else f"{words[: _IN_THE_TITLE - 1].rstrip()}…"
    about = f"{literal(question.by)} asks about the record of iteration {question.number}:"
    given = {
        "ticket": question.id,
        "title": f"Question on iteration {question.number}: {short}",
        "text": f"{about}\n\n{literal(question.text)}\n\n{_HOW}",
        "role": _signer(ours, question.number),
        "priority": "high",
        "label": "question",
    }
    return react(context, Asked("add-ticket", given, ours.project, question.by, question.id), enqueue, beside)


def _signer(ours: Material, number: int) -> str:
    """The role that signs the record of this iteration; where its phase is not in the template any more, that of the
    current one."""
    of = {one.number: one.stage.phase for one in ours.begun}
    roles = {phase.key: phase.record.sign_off for phase in ours.template.phases}
    return roles.get(of.get(number, ""), "") or roles.get(of.get(ours.current, ""), "")
