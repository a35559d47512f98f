"""What a trigger can do: the names of its actions, and the arguments that each takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PRIORITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a trigger can do. `arguments` say what each is for; `required` ones have to be given."""

    name: str
    what: str
    arguments: Mapping[str, str]
    required: tuple[str, ...] = ()
    needs_project: bool = True


ACTIONS: Mapping[str, Action] = {
    one.name: one
    for one in (
        Action(
            "bootstrap",
            "Set a project up and plan it; the plan waits for a person unless `apply` is true.",
            {
                "name": "what the project is called",
                "key": "its key in the tracker, or its board's name",
                "connection": "the connection it is built on",
                "team": "the team that carries it",
                "template": "a built-in template; iterative-ml if left out",
                "parameters": "parameters of the template",
                "create": "true: the tracker's project is made, too",
                "apply": "true: the plan is applied without asking anybody",
            },
            ("key", "connection", "team"),
            needs_project=False,
        ),
        Action("advance", "Advance the loop now, as a person would.", {}),
        Action("audit", "Look at the records now.", {}),
        Action("resync", "Look at the project in the tracker again.", {}),
        Action(
            "decide",
            "Decide what follows the current iteration.",
            {
                "move": "stay, next, back or end",
                "phase": "for back: which phase",
                "reason": "why",
                "propose": "true: it is proposed to people, one of whom decides",
            },
            ("move", "reason"),
        ),
        Action(
            "mark-exit",
            "Say that the phase has reached its output, so that the next one follows.",
            {"phase": "only while the project is in this phase", "reason": "what was reached"},
            ("reason",),
        ),
        Action(
            "add-ticket",
            "Add a ticket to the current iteration, one for each `ticket`.",
            {
                "ticket": "what it is about: the same text is the same ticket",
                "title": "its title",
                "text": "its text, in Markdown",
                "role": "the role that does it",
                "priority": "high, medium or low",
                "label": "labels, separated by commas",
                "occurrence": "which occurrence of it this is, such as when an alert began",
            },
            ("ticket", "title", "role"),
        ),
        Action(
            "close-ticket",
            "Close the ticket that was added for this, with a note; one that somebody works on gets the note alone.",
            {
                "ticket": "what it is about, as it was added",
                "note": "what is said on it",
                "occurrence": "which occurrence of it is over",
            },
            ("ticket", "note"),
        ),
        Action(
            "record",
            "Write a line into the record of the current iteration, with when it was and which trigger wrote it.",
            {"text": "the line", "url": "an address that it leads to"},
            ("text",),
        ),
        Action("notify", "Tell people of the project.", {"text": "what", "to": "whom, separated by commas"}, ("text",)),
    )
}
"""By the word that triggers name them by."""
