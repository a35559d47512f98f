"""How the loop of a project goes on, or why it does not, as words for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.markup import escape

from service.cli.words import clock_words
from service.domain.commands import typed
from service.store import loops
from service.usecases.scheduling import END, Firing
from service.usecases.standing import Standing

WORDS = {
    loops.PROPOSE: "ends, and what is unfinished is proposed",
    loops.ADVANCE: "begins",
    END: "is closed, and the project ends",
}
"""What the clock does, about an iteration."""


def how_it_goes_on(found: Standing, now: datetime) -> Iterator[str]:
    """Why a loop stands still, or what comes next in it."""
    key, loop = escape(found.project.key), found.loop
    if loop is not None and loop.state == loops.PAUSED:
        by = f" by {escape(loop.changed_by)}" if loop.changed_by else ""
        yield f"[bold yellow]Paused[/]{by}: {escape(loop.message)}"
        yield f"Let it go on with: phaseloop schedule resume {typed(key)}"
    elif loop is not None and loop.state == loops.ENDED:
        yield f"The loop has ended: {escape(loop.message)}"
    elif found.next is not None:
        begun = "" if loop is not None else ", once a first plan is applied"
        if loop is not None and found.next.at <= now:
            yield f"Due since {clock_words(found.next.at)}: {firing_words(found.next)}."
            yield f"The service does it (phaseloop serve); or have it done now: phaseloop advance {typed(key)}"
        else:
            yield f"Next, on {clock_words(found.next.at)}{begun}: {firing_words(found.next)}."


def firing_words(firing: Firing) -> str:
    """What the clock does: `iteration 3 (eda) begins`."""
    return f"iteration {firing.iteration} ({escape(firing.phase)}) {WORDS[firing.kind]}"
