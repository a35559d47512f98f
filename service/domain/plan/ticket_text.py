"""The text of tickets: one fixed form in Markdown, so that every ticket of every project reads the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.values import ITERATION_TITLE_LIMIT
from service.domain.audit.facts import OVERVIEW_SEEDED, asked_body, goal_body
from service.domain.audit.headings import OVERVIEW_TITLE
from service.domain.english import counted
from service.domain.template.parameters import is_on
from service.domain.template.references import fallbacks
from service.domain.template.template import (
    Ceremonies,
    Ceremony,
    Epic,
    Key,
    ParameterValue,
    Phase,
    Template,
    Ticket,
)
from service.domain.template.text import Placeholder, placeholders, render

Context = Mapping[str, object]

_WHEN_HELD = {"start": "at the start", "daily": "every working day", "end": "at the end"}
_TELLING = frozenset(("iteration.number", "iteration.loop"))
"""What tells an iteration from that of the same place in another turn of the loop."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s")


@dataclass(frozen=True, slots=True)
class Wording:
    """Writes the texts of one project: `base` holds what all of them may name (project, parameters)."""

    template: Template
    parameters: Mapping[str, ParameterValue]
    base: Context = field(default_factory=dict)

    def context(self, phase: Phase, iteration: Context | None = None) -> dict[str, object]:
        """What texts of a phase may name, and those of one of its iterations if that is given."""
        head = {"key": phase.key, "short": phase.short, "title": render(phase.title, self.base)}
        inner = {**self.base, "phase": head}
        names = {**head, "focus": render(phase.focus, inner), "output": render(phase.exit.output, inner)}
        return {**self.base, "phase": names} | ({"iteration": iteration} if iteration is not None else {})

    def iteration(self, entry: int, context: Context) -> str:
        """The name of an iteration of a phase that is entered for the `entry`-th time. One that neither its number nor
        the turn of the loop is in would come again: what tells them apart stays where the name is too long with it.
        How long a name may be is checked in `template_texts.check_iteration_name`; one that is too long for its tracker
        all the same is cut in `desired`."""
        name = self.template.cadence.iteration_name
        used = {found.name for found in placeholders(name) if isinstance(found, Placeholder)}
        again = f" ~{entry}" if entry > 1 and not used & _TELLING else ""
        written = render(name, context)
        return written[: ITERATION_TITLE_LIMIT - len(again)].rstrip() + again if again else written

    def goal(self, phase: Phase, context: Context) -> str:
        """The phase's focus in one sentence."""
        return _SENTENCE_END.split(_one_line(render(phase.focus, context)), maxsplit=1)[0]

    def epic(self, epic: Epic, phase: Phase, context: Context) -> str:
        """The text of an epic: what it is about, what its phase is for and when the phase is over.

        A ticket whose title names its iteration is not named here: an epic is in none.
        """
        ending = [t for t in phase.tickets if t.key in phase.exit.needs and not _names_iteration(t.title)]
        proof = [render(ticket.title, context) for ticket in ending] + (["signed record"] if phase.exit.record else [])
        output = _one_line(render(phase.exit.output, context))
        lines = [
            render(epic.description, context),
            f"**Phase:** {render(phase.title, context)}. {_one_line(render(phase.focus, context))}",
            f"**The phase is over with:** {output}" + (f" ({'; '.join(proof)})" if proof else ""),
        ]
        return "\n\n".join(lines)

    def work(self, ticket: Ticket, phase: Phase, context: Context) -> str:
        """The text of a ticket of the template."""
        lines = [
            render(ticket.description, context),
            f"**Deliverable:** {render(ticket.deliverable, context)}",
            f"**Role:** {self.role_titles([ticket.role])}",
        ]
        if reviewers := self.role_titles(ticket.reviewers):
            lines.append(f"**Reviewed by:** {reviewers}")
        if ticket.key in phase.exit.needs:
            lines.append(self._exit(phase, context))
        return "\n\n".join(lines)

    def record(self, phase: Phase, context: Context, *, closes: bool) -> str:
        """The record to be filled in: a heading for each section, its prompt quoted, room below; at the goal what the
        phase is for. Last comes a heading of our own, for tickets and figures.

        `closes` says that the iteration is one in which the phase can end.
        """
        record = self.template.record
        lines = [
            render(record.description, context),
            f"**Written by:** {self.role_titles([phase.record.author])}",
            f"**Signed by:** {self.role_titles([phase.record.sign_off])}, not by the author",
        ]
        if closes and phase.exit.record:
            lines.append(self._exit(phase, context))
        seeded = self.seeded(phase, context)
        for section in record.sections:
            lines += [f"## {render(section.title, context)}", seeded[section.key]]
        lines += [f"## {OVERVIEW_TITLE}", OVERVIEW_SEEDED]
        return "\n\n".join(lines)

    def seeded(self, phase: Phase, context: Context) -> dict[str, str]:
        """What a record has under its headings at first, by the key of the section."""
        prompts = {section.key: render(section.prompt, context) for section in self.template.record.sections}
        forms = {section.key: section.form for section in self.template.record.sections}
        bodies = {key: asked_body(prompt, forms[key]) for key, prompt in prompts.items()}
        if "goal" in prompts:
            bodies["goal"] = goal_body(render(phase.title, context), render(phase.focus, context), prompts["goal"])
        return bodies

    def ceremonies(self, ceremonies: Ceremonies, events: Sequence[Ceremony], context: Context) -> str:
        """The meetings of an iteration: when, how long, who comes and what for."""
        lines = [
            f"- **{render(event.title, context)}** ({self._held(event)}, "
            f"{self.role_titles(event.roles) or 'everybody'}): {_one_line(render(event.purpose, context))}"
            for event in events
        ]
        return "\n\n".join([render(ceremonies.description, context), "\n".join(lines)])

    def meeting(self, event: Ceremony, context: Context) -> str:
        """A meeting as a line to tick off."""
        return f"{render(event.title, context)}: {self._held(event)}"

    def role_titles(self, roles: Iterable[Key]) -> str:
        """Roles by title: of a role that is switched off its fallback, or nothing where it has none."""
        active = dict.fromkeys(key for role in roles if (key := self._standing_in(role)) is not None)
        return ", ".join(self.template.roles[key].title for key in active)

    def events(self) -> list[Ceremony]:
        """The meetings that are held, by what the template says alone: a team without sprints may meet as well."""
        ceremonies = self.template.ceremonies
        if not is_on(ceremonies.when, self.parameters):
            return []
        return [event for event in ceremonies.events if is_on(event.when, self.parameters)]

    def _standing_in(self, role: Key) -> Key | None:
        return next(
            (k for k in fallbacks(self.template, role) if is_on(self.template.roles[k].when, self.parameters)), None
        )

    def _held(self, event: Ceremony) -> str:
        return f"{_WHEN_HELD[event.at]}, {counted(event.minutes, 'minute')}"

    def _exit(self, phase: Phase, context: Context) -> str:
        title, output = render(phase.title, context), _one_line(render(phase.exit.output, context))
        return f"**Ends the phase:** {title}, whose output is: {output}"


def again(title: str, loop: int) -> str:
    """A title that has been there before, told apart by the turn of the loop, from the second on."""
    return f"{title} (loop {loop})" if loop > 1 else title


def _names_iteration(text: str) -> bool:
    return any(isinstance(found, Placeholder) and found.name.startswith("iteration") for found in placeholders(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())
