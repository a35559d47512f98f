"""How the loop of a project advances, or why it does not, as words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from rich.markup import escape

from service.cli.words import clock_words
from service.domain.audit.shown import visible
from service.domain.commands import typed
from service.domain.loop import loop_state
from service.domain.loop.turnover import decision_words
from service.domain.template.template import Key
from service.usecases.loop.loop_status import Standing
from service.usecases.loop.proposals import accepting
from service.usecases.loop.scheduling import END, Firing

WORDS = {
    loop_state.PROPOSE: "ends, and what is unfinished is proposed",
    loop_state.ADVANCE: "begins",
    END: "is closed, and the project ends",
}
"""What the clock does, about an iteration."""


def how_it_goes_on(found: Standing, now: datetime) -> Iterator[str]:
    """Why a loop stands still, or what comes next in it."""
    key, loop = escape(found.project.key), found.loop
    if loop is not None and loop.state == loop_state.PAUSED:
        by = f" by {escape(loop.changed_by)}" if loop.changed_by else ""
        yield f"[bold yellow]Paused[/]{by}: {escape(loop.message)}"
        yield f"Let it continue with: phaseloop schedule resume {typed(key)}"
    elif loop is not None and loop.state == loop_state.ENDED:
        yield f"The loop has ended: {escape(loop.message)}"
    elif found.next is not None:
        begun = "" if loop is not None else ", once a first plan is applied"
        if loop is None and found.next.at <= now:
            yield "The loop has not begun: it does when a plan is applied, from then on."
            yield f"Make one with: phaseloop plan {typed(key)}"
        elif loop is not None and found.next.at <= now:
            yield f"Due since {clock_words(found.next.at)}: {firing_words(found.next, found.phases)}."
            yield f"The service does it (phaseloop serve); or have it done now: phaseloop advance {typed(key)}"
        else:
            yield f"Next, on {clock_words(found.next.at)}{begun}: {firing_words(found.next, found.phases)}."


def proposal_lines(found: Standing) -> Iterator[str]:
    """The moves that events have proposed and that wait for a person, each with the command that accepts it."""
    for one in found.proposals:
        what = escape(decision_words(one.move, one.phase))
        yield f"[bold yellow]Proposed[/] by {escape(one.by)}: {what}. {escape(visible(one.reason))}"
        yield f"Accept it with: {escape(accepting(found.project.key, one))}"


def firing_words(firing: Firing, phases: Mapping[Key, str]) -> str:
    """What the clock does: `iteration 3 (Exploration) begins`. `phases` are the titles of phases by key."""
    return f"iteration {firing.iteration} ({escape(phases.get(firing.phase, firing.phase))}) {WORDS[firing.kind]}"
