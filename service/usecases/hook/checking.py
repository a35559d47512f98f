"""What is wrong with a trigger beyond its shape: its expressions, and the phases and people that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select

from service import templates
from service.context import Context
from service.domain.hook.slips import fix_of
from service.domain.hook.trigger import Trigger
from service.domain.problems import InvalidInput, Problem
from service.domain.team.team import Team
from service.domain.template.reader import read_template
from service.domain.template.shape import meant, one_of
from service.domain.template.template import Phase
from service.domain.template.yaml_marks import Marks, Path
from service.expression import evaluator
from service.expression.evaluator import TRUTHS, Wrong
from service.store.tables import ProjectRow, TeamRow, TemplateRow
from service.usecases.errors import UseCaseError
from service.usecases.setup import projects, teams

_PLACE = re.compile(r"line (\d+), column (\d+): ")


def of_expressions(trigger: Trigger, marks: Marks) -> Iterator[Problem]:
    """What is wrong with its expressions, with their place in the file and what to write instead."""
    asked = list(trigger.expressions())
    found = evaluator.types([expression for _path, expression, _condition in asked])
    for (path, expression, condition), answer in zip(asked, found, strict=True):
        if isinstance(answer, Wrong):
            where = "" if condition else f"in `${{{expression}}}`, "
            said, within = str(answer), -1
            place = _PLACE.match(said)
            if place is not None and condition and marks.line(path) is not None:
                # The line is the file's, which the problem names itself.
                within = int(place[1]) - 1
                if "\n" not in expression:
                    said = f"column {place[2]}: {said[place.end() :]}"
            yield marks.problem(path, where + said, fix_of(expression, str(answer)), within=within)
        elif condition and answer not in TRUTHS:
            yield marks.problem(path, f"it is neither true nor false, but {answer.lower()}", "compare it")


def of_names(context: Context, trigger: Trigger, marks: Marks) -> Iterator[Problem]:
    """Phases and people that nobody knows: of the project, where the trigger names one that is there, and phases
    otherwise of any template here. What an event fills in is not known before."""
    project = _named(context, trigger)
    words: list[tuple[Path, str]] = [(("limits", "phases", at), word) for at, word in enumerate(trigger.limits.phases)]
    phase = trigger.given.get("phase")
    if isinstance(phase, str) and phase.strip() and "${" not in phase:
        words.append((("with", "phase"), phase.strip()))
    if words:
        known, where = _phases(context, project)
        for path, word in words:
            if word not in known:
                fix = meant(word, known) or one_of(known)
                yield marks.problem(path, f"{where} has no phase {word!r}", fix)
    to = trigger.given.get("to")
    if project is not None and isinstance(to, str) and "${" not in to:
        for problem in unknown_people(to, _team(context, project)):
            yield marks.problem(("with", "to"), problem.message, problem.fix)


def unknown_people(to: str, team: Team) -> list[Problem]:
    """A problem for each word of `to` that is nobody of the team and none of its roles."""
    return [
        Problem("trigger", None, "with.to", f"{word!r} is nobody of the team {team.name}", _who(word, team))
        for word in words_of(to)
        if not addressed(word, team)
    ]


def words_of(to: str) -> list[str]:
    """Whom it names, by e-mail address, account, name or role."""
    return [one.strip() for one in to.split(",") if one.strip()]


def addressed(word: str, team: Team) -> list[str]:
    """The people of the team whom a word means: one by name, address or account, or all of a role."""
    wanted = word.casefold()
    return [
        one.person
        for one in team.members
        if wanted in {name.casefold() for name in (one.person, one.email or "", one.account or "", *one.roles) if name}
    ]


def _who(word: str, team: Team) -> str:
    known = [name for one in team.members for name in (one.email or one.account or one.person, *one.roles)]
    return meant(word, known) or f"name people or roles of it, {one_of(sorted(set(known)))}; leave it out for everybody"


def _named(context: Context, trigger: Trigger) -> ProjectRow | None:
    """The project that it names, where it is one that is there."""
    if trigger.project is None or "${" in trigger.project:
        return None
    try:
        return projects.stored(context, projects.going_on(context, trigger.project).id)
    except UseCaseError:
        return None


def _phases(context: Context, project: ProjectRow | None) -> tuple[Sequence[str], str]:
    """The phases that there are, and whose these are in words."""
    with context.database.session() as session:
        if project is not None:
            rows = [session.get_one(TemplateRow, project.template_digest)]
        else:
            rows = list(session.scalars(select(TemplateRow)))
    texts: Mapping[str, tuple[str, str]] = {row.digest: (row.text, row.source) for row in rows}
    if project is None:
        texts = {**texts, **{one.digest: (one.text, one.source) for one in templates.builtin()}}
    found = [phase.key for text, source in texts.values() for phase in _read(text, source)]
    return list(dict.fromkeys(found)), project.key if project is not None else "any template or project here"


def _read(text: str, source: str) -> Sequence[Phase]:
    try:
        return read_template(text, source).phases
    except InvalidInput:
        return ()


def _team(context: Context, project: ProjectRow) -> Team:
    with context.database.session() as session:
        return teams.team_of(session.get_one(TeamRow, project.team_id))
