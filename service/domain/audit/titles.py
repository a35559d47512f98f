"""What the checks are called where people read of them."""

from __future__ import annotations

from collections.abc import Mapping

from service.domain.audit.outcome import Check

TITLES: Mapping[Check, str] = {
    Check.RECORD: "Record exists",
    Check.GOAL: "Goal and hypothesis",
    Check.DATA: "Data used",
    Check.EXPERIMENTS: "Experiments and results",
    Check.DECISIONS: "Decisions and why",
    Check.PERFORMANCE: "Performance in production",
    Check.RISKS: "Risks and limits",
    Check.NEXT_STEPS: "Next steps",
    Check.LINKS: "Links",
    Check.SIGN_OFF: "Sign-off",
    Check.ON_TIME: "On time",
    Check.NEW: "Really new",
    Check.DELIVERABLES: "Deliverables of the phase",
    Check.RETROSPECTIVE: "Retrospective",
    Check.DONE_TICKETS: "Done tickets with evidence",
}
"""By check, in their order."""
