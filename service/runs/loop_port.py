"""What a durable run of the loop needs from the use cases above it: to look and plan, and to record the outcome.

Both are repeatable: a step that runs twice finds what it did before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from connectors.values import Finding
from service.context import Context


@dataclass(frozen=True, slots=True)
class Looked:
    """What a run of the loop found when it looked.

    `ready`: its plan is kept and claimed, and the run's `plan_id` names it. Else the run cannot continue now, and
    `findings` say why and who can fix it; the clock has it look again. `over`: there is nothing to do, and the run is
    complete: `message` says why (the iteration was begun already, the project has ended, a proposal was made, records
    need nothing).
    """

    ready: bool
    over: bool = False
    message: str = ""
    findings: tuple[Finding, ...] = ()
    reads: int = 0


class Turning(Protocol):
    """How runs of the loop look and are recorded, each by its kind: to advance, to propose, to audit."""

    def look(self, context: Context, run_id: str) -> Looked:
        """Read the tracker and make, keep and claim the plan of this run, for its present attempt. Writes nothing to
        the tracker. Raises TrackerError where the tracker cannot be read.

        At the beginning of an attempt the run's `plan_id` is None; where it is set, this attempt has its plan, and it
        is ready. What earlier attempts planned, and may have done in part, is in `store.loops.plans`, which goes by
        `PlanRow.run_id`. A run to propose is over when it has looked: the same call records the proposal and when the
        advance is due. So is one to audit that finds nothing to write."""
        ...

    def settle(self, context: Context, run_id: str) -> None:
        """Record what the applied plan did: the iteration closed with its figures, the one begun, what was carried, the
        events; of an audit, what people were told of; and when the clock is to do something next. All in one unit of
        work, done once."""
        ...

    def keep_up(self, context: Context) -> object:
        """Bring what is due in line for loops whose teams were changed, some of them at a time. Repeatable; what is
        broken off is continued with by the next call, of whichever process."""
        ...

    def applied(self, context: Context, run_id: str) -> None:
        """A run that applied a plan or took one back has ended, completed or incomplete: the project's loop begins, if
        a plan was applied and it has not, and follows the settings that the plan brought. Repeatable."""
        ...
